package simulate

import (
	"time"

	"github.com/cniguard/cniguard/internal/guard"
)

// What is what a line of the journal tells.
type What string

// The kinds of lines. docs/simulate.md describes them.
const (
	AlarmPut      What = "alarm put"
	AlarmDropped  What = "alarm dropped"
	UpdateStarted What = "update started"
	UpdateEnded   What = "update ended"
	Refused       What = "refused"     // by AWS
	AnswerLost    What = "answer lost" // AWS did it, and cniguard does not know
	HeldBack      What = "held"
	Told          What = "told"
	ForDigest     What = "for the digest" // programs are told; people will be
	AlarmState    What = "alarm state"
	Outage        What = "outage"
	Ordered       What = "ordered"
	OrderRefused  What = "order refused"
	GivenUp       What = "given up" // an event went to the failure queue
	ClusterState  What = "cluster"
	AddonState    What = "add-on"
	Applied       What = "daemonset" // somebody else installed or changed an aws-node that EKS does not manage
	AccessGiven   What = "access"    // somebody let a role into the cluster's own API
)

// Whats are all kinds of lines: first those of what cniguard does, then those of what happens around it.
func Whats() []What {
	return []What{
		AlarmPut, AlarmDropped, UpdateStarted, UpdateEnded, Refused, AnswerLost, HeldBack, Told, ForDigest, GivenUp,
		Ordered, OrderRefused, AlarmState, ClusterState, AddonState, Applied, AccessGiven, Outage,
	}
}

// Line is one thing that happened: an effect of cniguard, something it held back, or a change of the world that matters to it.
type Line struct {
	At      time.Time `json:"at"`
	Cluster string    `json:"cluster,omitempty"` // ACCOUNT/REGION/NAME; empty: none
	What    What      `json:"what"`
	Text    string    `json:"text"`
	Why     string    `json:"why,omitempty"`

	Gates    []guard.Reason `json:"gates,omitempty"`    // HeldBack: every gate that is shut
	News     guard.News     `json:"news,omitempty"`     // Told and ForDigest, as the next three
	Finding  guard.Code     `json:"finding,omitempty"`  // what the message is about
	Severity string         `json:"severity,omitempty"` // info, warning or critical
	Message  string         `json:"message,omitempty"`  // the whole text, as people get it by e-mail; ForDigest: the JSON that programs get
}
