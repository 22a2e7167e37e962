// Package event reads EventBridge JSON and says what it asks for, and holds the rule patterns that are deployed. An event is
// a hint: nothing is decided from its content. Beside the packages alarm and cluster it uses the standard library only.
//
// Events of one shape are a family: a file that holds the struct that decodes them, how they are read, and the rules that let
// them through. A new family is one file and one line in families.
package event

import (
	"fmt"
	"slices"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
)

// Kind is what an event asks for.
type Kind string

const (
	// Skip asks for nothing: the event is unknown, or of another add-on, or of a call that failed. Why says which.
	Skip Kind = "skip"
	// Check asks for a check of one cluster.
	Check Kind = "check"
	// Checks asks for a check of each of several clusters.
	Checks Kind = "checks"
	// Tick asks for what is due.
	Tick Kind = "tick"
	// Meter asks for the metrics of the fleet.
	Meter Kind = "meter"
	// Metering asks for those of one account and region.
	Metering Kind = "metering"
	// Sweep asks for a check of the whole fleet.
	Sweep Kind = "sweep"
	// Sweeping asks for that of one account and region.
	Sweeping Kind = "sweeping"
	// Digest asks for the digests of an instant, or for one of them to be told.
	Digest Kind = "digest"
	// Probe asks for a note that it arrived: somebody at the hub waits for it.
	Probe Kind = "probe"
	// Test asks for a sample of a message to be told to one channel: somebody at the hub waits to hear whether it was taken.
	Test Kind = "test"
)

// Trigger is what an event asks for. Nothing else of an event goes any further.
type Trigger struct {
	Kind    Kind
	ID      string     // the envelope's id
	From    Unit       // the envelope's account and region; empty for an unknown event
	Why     string     // short, for the log; may hold untrusted text: "CloudTrail UpdateAddon", "other add-on: \"coredns\""
	Cluster cluster.ID // Check
	Unit    Unit       // Metering, Sweeping
	After   string     // Sweeping: go on after this cluster name; empty: from the first
	Run     string     // Sweeping: names the sweep
	Owner   string     // Digest: whose is to be told; empty: those of all owners are to be made; untrusted
	Nonce   string     // Probe, Test: names what somebody waits for; as alarm.Nonce has it
	Channel string     // Test: to whom
	At      time.Time  // the instant the event stands for: what a wake-up says, an alarm's change of state, else the envelope's time

	Rang     bool         // Check: one of the cluster's alarms went to ALARM
	Clusters []cluster.ID // Checks: two or more, in order, each once
	Faint    bool         // Check, Sweeping: may be left out where all that it asks for was looked at a moment ago
}

// Unit is one account in one region.
type Unit struct {
	Account string `json:"account"` // twelve digits
	Region  string `json:"region"`  // as "eu-central-1"
}

// Each gives the checks that a trigger of kind Checks asks for, one a cluster, so that each can be sent as a wake-up.
func (t Trigger) Each() []Trigger {
	each := make([]Trigger, 0, len(t.Clusters))
	for _, id := range t.Clusters {
		each = append(each, Trigger{Kind: Check, Cluster: id, Why: t.Why, At: t.At})
	}
	return each
}

// Permitted reports whether the account that sent the event may ask for this: an account may ask for checks of its own
// clusters and for a faint sweep of itself, the hub's account for everything. EventBridge itself does not vouch for a source:
// whoever may put events on the bus can write "cniguard" there; but it sets the account.
func (t Trigger) Permitted(hub string) bool {
	if t.Kind == Skip || t.From.Account == hub {
		return true
	}
	switch t.Kind {
	case Check:
		return t.From.Account == t.Cluster.Account
	case Checks:
		return !slices.ContainsFunc(t.Clusters, func(id cluster.ID) bool { return id.Account != t.From.Account })
	case Sweeping:
		return t.Faint && t.From.Account == t.Unit.Account
	}
	return false
}

// Decode reads one EventBridge event. One that asks for nothing gives a Trigger of kind Skip and no error. The error of one
// that cannot be read names the field and what is wanted there; trying again does not help.
//
// A cluster's account and region are those of the envelope, which EventBridge sets; only a wake-up of cniguard itself and an
// event of AWS Health name them in their detail, and whether the sender may is for the caller to ask with Permitted. A replayed
// event is read like any other.
func Decode(raw []byte) (Trigger, error) {
	e, err := open(raw)
	if err != nil {
		return Trigger{}, err
	}
	all := families()
	i := slices.IndexFunc(all, func(f family) bool { return f.has(e) })
	if i < 0 {
		t := skip("unknown event", e.Source+"/"+e.DetailType)
		t.ID = e.ID
		return t, nil
	}
	t, err := e.read(all[i])
	if err != nil {
		return Trigger{}, fmt.Errorf("read event %.64q (%s/%s): %w", e.ID, e.Source, e.DetailType, err)
	}
	return t, nil
}

// family is the events of one shape.
type family struct {
	source string
	types  []string // detail-types
	read   func(envelope) (Trigger, error)
	rules  func() []Rule
}

// families is the registry: an event is looked up by its source and detail-type.
func families() []family {
	return []family{calls(), addons(), healths(), alarms(), items(), wakeUps()}
}

func (f family) has(e envelope) bool {
	return f.source == e.Source && slices.Contains(f.types, e.DetailType)
}

// skip asks for nothing, because of what the event says there, which is untrusted.
func skip(because, there string) Trigger {
	return Trigger{Kind: Skip, Why: fmt.Sprintf("%s: %.64q", because, there)}
}
