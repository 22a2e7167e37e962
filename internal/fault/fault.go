// Package fault says what kind of failure an error is, so that what happens next is decided once and in one place.
//
// There are three kinds: Retry (it may work later), Terminal (it will not work until somebody changes something) and
// Skip (there is nothing to do). Kinds are given from error codes and types, never from texts.
package fault

import (
	"errors"
	"strings"
)

// Kind is what should happen after a failure.
type Kind int

const (
	// Retry means that the same call may work later: throttling, time-outs, server errors.
	Retry Kind = iota + 1
	// Terminal means that the same call fails until a person changes something: access denied, invalid input.
	Terminal
	// Skip means that there is nothing to do: what was asked for does not apply.
	Skip
)

// String names the kind in lower case.
func (k Kind) String() string {
	switch k {
	case Retry:
		return "retry"
	case Terminal:
		return "terminal"
	case Skip:
		return "skip"
	}
	return "unclassified"
}

// Fault is a classified failure. It is plain data, so that a record can keep it.
type Fault struct {
	Kind Kind `json:"kind"`
	// Op is the operation that failed, as "eks:DescribeAddon".
	Op string `json:"op,omitempty"`
	// Code is the service's error code, as "AccessDeniedException".
	Code string `json:"code,omitempty"`
	// Cause says which of the failures that share the code this is, where only the text tells, as OneMinor; else empty.
	Cause string `json:"cause,omitempty"`
	// Need is the IAM action that is missing, as "eks:DescribeAddon", when access was denied; of a cluster's own API the ARN of the IAM role
	// that it does not let in; else empty.
	Need string `json:"need,omitempty"`
	// InDoubt is true when a changing call may have taken effect although it failed: a time-out, a cut answer, a 5xx.
	InDoubt bool `json:"inDoubt,omitempty"`
	// Text is the service's message, in one line and cut. It is untrusted all the same: print it only after cleaning.
	Text string `json:"text,omitempty"`
}

// OneMinor is the cause of an update that EKS refuses since it is not to the minor version above or below.
const OneMinor = "OneMinorVersion"

// NoSlot is the cause of an update that is not asked for, since the ledger does not take its slot among the fleet's updates.
const NoSlot = "NoSlot"

// Error reads "eks:DescribeAddon: AccessDeniedException: …".
func (f *Fault) Error() string {
	parts := make([]string, 0, 3)
	for _, s := range []string{f.Op, f.Code, f.Text} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if len(parts) == 0 {
		return f.Kind.String()
	}
	return strings.Join(parts, ": ")
}

// Denied reports whether access was denied.
func (f *Fault) Denied() bool { return f != nil && f.Need != "" }

// Of returns the Fault in err's chain, or nil.
func Of(err error) *Fault {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	return nil
}
