// Package fix holds what `cniguard fix` prints against the tools that it is printed for: their own libraries and programs read it, and do what it
// says to the simulated AWS. It is a module of its own, so that none of their modules is among those of cniguard.
package fix
