package guard

import (
	"time"

	"github.com/cniguard/cniguard/internal/fault"
)

// Reason says why something is held. The gate that is shut says what opens it; nobody reads that from the text.
type Reason struct {
	Gate  string    `json:"gate"`
	Text  string    `json:"text"`
	Until time.Time `json:"until,omitzero"` // when time alone may open the gate
	// ByApproval is true where a person's approval of the plan opens the gate.
	ByApproval bool `json:"byApproval,omitempty"`
	// Fault is true where the gate is shut since what it needs could not be read.
	Fault bool `json:"fault,omitempty"`
}

// shut reports whether there is a reason at all.
func (r Reason) shut() bool { return r.Text != "" }

// hidden is the reason of a gate that needs what could not be read.
func hidden(what string, f *fault.Fault) Reason { return Reason{Text: unread(what, f), Fault: true} }

func unread(what string, f *fault.Fault) string { return what + " could not be read: " + f.Error() }
