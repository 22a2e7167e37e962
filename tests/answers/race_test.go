//go:build race

package answers_test

// many is how many clusters a region has; the race detector makes each some ten times slower.
const many = 400
