// Package guard is the domain: what is known of a cluster, what is judged to be wrong, what to do about it and what to say.
//
// Three pure functions carry it. Decide turns an Input into a Plan; Intend gives the record to save before anything that must
// not happen twice; Conclude folds what happened into the record, with the messages that people are to get. None of them
// reads a clock, the network or a trigger: what woke the program is not part of an Input.
package guard

import (
	"time"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/policy"
)

// Reading is what one look at the world gave: a value, or the fault that hid it. Absence is a value ("no managed add-on"
// is a nil *Addon without a fault).
type Reading[T any] struct {
	Value T
	Fault *fault.Fault // nil: Value may be used
}

// Read is a reading that succeeded.
func Read[T any](v T) Reading[T] { return Reading[T]{Value: v} }

// Hidden is a reading that failed.
func Hidden[T any](f *fault.Fault) Reading[T] { return Reading[T]{Fault: f} }

// Snapshot is everything that was read of one cluster in one check.
type Snapshot struct {
	At           time.Time                      // when the reading began
	Cluster      Reading[*Cluster]              // nil: there is no such cluster
	Addon        Reading[*Addon]                // nil: no managed add-on
	Catalogue    Reading[[]cni.Release]         // compatible with the cluster's Kubernetes version; Skip: not needed; see WantsCatalogue
	Update       Reading[*Update]               // the update that belongs to the step whose token is Of; nil: there is none
	Of           string                         // empty: no step was in flight
	Pods         Reading[capacity.Pods]         // the pod subnets and how full they are
	ControlPlane Reading[[]capacity.Subnet]     // the control plane's subnets with IPv4 addresses; Skip: not looked at
	Alarms       Reading[[]alarm.Standing]      // those that stand under this cluster's alarm names
	Hosts        Reading[Hosts]                 // what runs the pods
	Inside       Reading[*Inside]               // what the cluster's own API tells; Skip: not needed, or not wanted; see WhyNotInside
	History      Reading[[]capacity.Point]      // of the metric of the fullest pod subnet; nil: not asked for; see WantsHistory
	NodeMetrics  Reading[*capacity.NodeMetrics] // what cni-metrics-helper publishes; nil: not asked for, as History
	Blocks       Reading[Blocks]                // of the pod subnets; see WantsBlocks
	Network      Reading[*Network]              // nil: not asked for; see WantsNetwork
	Sharers      Reading[[]string]              // other clusters of the account and region that use the worst pod subnet; see WantsNetwork
	LastChange   Reading[*LastChange]           // nil: not asked for; see WantsLastChange
	Preflight
}

// Cluster is what EKS says of a cluster.
type Cluster struct {
	Status     string // as EKS writes it: CREATING ACTIVE DELETING FAILED UPDATING PENDING
	Kubernetes string // as "1.33"
	AutoMode   bool   // EKS Auto Mode runs the network itself
	VPC        string // id
	Tags       map[string]string
	API        API
}

// lives reports whether the cluster is there, and not on its way in or out.
func (c *Cluster) lives() bool {
	return c != nil && (c.Status == "ACTIVE" || c.Status == "UPDATING")
}

// Hosts is what runs a cluster's pods.
type Hosts struct {
	Nodegroups bool // managed node groups
	Fargate    bool // Fargate profiles
	Instances  bool // other instances that are tagged as the cluster's; Auto Mode tags its own
	Nodes      []capacity.Nodes
	// Architectures are those of the instances of which EC2 says it.
	Architectures cni.Architectures
}

// Addon is the managed vpc-cni add-on.
type Addon struct {
	Version cni.Version
	Raw     string   // the version as EKS writes it; untrusted
	Status  string   // as EKS writes it: CREATING ACTIVE CREATE_FAILED UPDATING DELETING DELETE_FAILED DEGRADED UPDATE_FAILED
	Issues  []string // health issues, as "InsufficientNumberOfReplicas: …"; untrusted
	Role    string   // service-account role ARN; empty: the node role
	Config  string   // configuration values, as stored; never printed
	Tags    map[string]string
}

// Update is an update of the add-on as EKS tells it.
type Update struct {
	ID      string
	Status  string   // as EKS writes it: InProgress Failed Cancelled Successful
	Code    string   // of the first error, as "ConfigurationConflict"; empty: none
	Errors  []string // as "ConfigurationConflict: …"; untrusted
	Fields  []string // that others set and that the update would change, as "DaemonSet.apps aws-node - .spec.template"; untrusted
	Created time.Time
}

// Fleet is what a decision on one cluster may know of the others.
type Fleet struct {
	Halt    *Order    // of kind Halting or TearingDown; nil: neither is in force
	Resumed time.Time // when somebody ended the last halt, or let updates go on after failures; zero: nobody did, or a halt is in force
}

// OrderKind is what a person ordered.
type OrderKind string

// The orders that people give. Tearing down is a halt that also has every alarm of cniguard removed; resuming ends either.
const (
	Approval    OrderKind = "approve"
	Denial      OrderKind = "deny"
	Halting     OrderKind = "halt"
	TearingDown OrderKind = "teardown"
	Resuming    OrderKind = "resume"
	// Muting, Unmuting and Acknowledging are about one finding of a cluster: of all people's words on it the newest counts. What is muted is
	// not told, but stands in digests; of what is acknowledged nobody is reminded, until it changes.
	Muting        OrderKind = "mute"
	Unmuting      OrderKind = "unmute"
	Acknowledging OrderKind = "ack"
)

// Order is a person's word. It is an item in the ledger, written with the person's own credentials.
type Order struct {
	Schema  int       `json:"schema,omitempty"`
	Kind    OrderKind `json:"kind"`
	By      string    `json:"by"`
	Because string    `json:"because"`
	At      time.Time `json:"at"`
	Until   time.Time `json:"until,omitzero"`    // not valid from then on; zero: for ever (a halt)
	From    string    `json:"from,omitempty"`    // Approval: the version that its first step leads away from; empty as Kept may be
	Steps   []string  `json:"steps,omitempty"`   // Approval: the versions that were approved, in order
	Keeps   string    `json:"keeps,omitempty"`   // Approval: the digest of what the update must keep, as Plan.Keeps
	Kept    []string  `json:"kept,omitempty"`    // Approval: as Plan.Kept; empty in one that an older cniguard wrote
	Finding Code      `json:"finding,omitempty"` // Muting, Unmuting and Acknowledging: what they are about
}

// Input is all that a decision may rest on.
type Input struct {
	ID       cluster.ID
	Seen     Snapshot
	Settings Reading[policy.Settings]
	Fleet    Reading[Fleet]
	Place    Place            // in the rollout of updates
	Rollout  Reading[Rollout] // how far that is; not read where WantsRollout says so
	Orders   Reading[[]Order] // of this cluster
	Record   Record
	Heard    bool // the event of one of the cluster's alarms arrived just now
	Now      time.Time
}

// Code names a finding. It is stable: people filter and mute by it.
type Code string

// Severity orders findings.
type Severity int

// The severities.
const (
	Info Severity = iota + 1
	Warning
	Critical
)

// Answer is one of the four answers every cluster has.
type Answer struct {
	Word    string `json:"word"`
	Because string `json:"because"`
}

// Verdict is four answers and the one word that heads them.
type Verdict struct {
	Word     string `json:"word"`
	Install  Answer `json:"install"`
	Version  Answer `json:"version"`
	Capacity Answer `json:"capacity"`
	Change   Answer `json:"change"`
}

// Finding is one thing that is wrong, or not known. It is data; package notify makes text of it.
type Finding struct {
	Code     Code     `json:"code"`
	Severity Severity `json:"severity"`
	// Facts are what was seen, each a short "name: value"; untrusted text may be in them.
	Facts []Fact `json:"facts,omitempty"`
	// Print: equal prints are the same news.
	Print string `json:"print"`
	// After is how long the finding must last before it is told; zero: at once.
	After time.Duration `json:"after,omitempty"`
}

// Fact is one thing that was seen.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Aside says why a cluster is not updated any more.
type Aside struct {
	Text string    `json:"text"`
	At   time.Time `json:"at"`
}

// ActionKind is one of the three changes that cniguard makes.
type ActionKind string

// The changes.
const (
	PutAlarm    ActionKind = "put alarm"
	DropAlarm   ActionKind = "drop alarm"
	StartUpdate ActionKind = "update add-on"
)

// Action is one change of the world that a plan wants.
type Action struct {
	Kind  ActionKind `json:"kind"`
	Alarm alarm.Spec `json:"alarm,omitzero"` // PutAlarm, and the name for DropAlarm
	Retag bool       `json:"-"`              // PutAlarm: it stands, so that its tags are written by a call of their own
	Step  Step       `json:"step,omitzero"`  // StartUpdate
	Keep  Keep       `json:"-"`              // StartUpdate
	Why   string     `json:"why"`
}

// Keep is what an update must send back as it was read. It is never stored or printed.
type Keep struct{ Role, Config string }

// String says in a few words what the action changes.
func (a Action) String() string {
	switch a.Kind {
	case PutAlarm:
		return "put alarm " + a.Alarm.Name
	case DropAlarm:
		return "drop alarm " + a.Alarm.Name
	}
	if !a.Step.To.Known() {
		return "update vpc-cni from " + a.Step.From.String()
	}
	return "update vpc-cni from " + a.Step.From.String() + " to " + a.Step.To.String()
}

// Held is an action that was wanted, and every gate that is shut.
type Held struct {
	Action Action   `json:"action"`
	By     []Reason `json:"by"`
}

// Plan is what Decide says.
type Plan struct {
	Verdict     Verdict
	Findings    []Finding
	Hidden      string        // why it is not known which CNI runs: a code, as NoEntry; empty: it is known, or nobody asks
	Blind       map[Code]bool // findings that could not be judged: they neither open nor recover
	Actions     []Action      // in the order to apply; a failure ends the row
	Held        []Held
	Path        []string    // the versions the add-on would go through
	ByHand      ByHand      // to remember
	Keeps       string      // digest of cluster, role, configuration and conflict mode
	Kept        []string    // what Keeps is made of, to say which of it changed: see kept
	Hash        string      // digest of Path and Keeps: what an approval is for
	Outlook     Outlook     // to remember
	Unmade      []Fact      // alarms that the policy lists and that are not made, by kind, and why
	Relief      Relief      // to remember
	NodeMetrics NodeMetrics // to remember
	Level       string      // how full the fullest pod subnet is: fine, warning or critical; unknown: it was not measured
	BlocksLevel string      // the same of /28 blocks
	Due         time.Time   // look again then, at the latest; zero: the sweep is enough
}

// Outcome is what became of an action.
type Outcome struct {
	Action Action
	ID     string       // of the update that was started
	Fault  *fault.Fault // nil: done
	At     time.Time
}

// News is what kind of message one is.
type News string

// The kinds of news.
const (
	Opened    News = "opened"
	Changed   News = "changed"
	Reminded  News = "reminded"
	Recovered News = "recovered"
	Started   News = "update started"
	Updated   News = "updated"
	NotDone   News = "update failed"
	Lost      News = "update lost" // it was told as started, and nobody can tell how it ended
	Closed    News = "closed"      // the cluster is gone, and the matter with it
	Sampled   News = "test"        // nothing is the matter: a person tries a channel
)

// Lane is how soon people are told.
type Lane string

// The lanes. Programs are told everything at once.
const (
	AtOnce   Lane = ""       // by the check that finds it
	InDigest Lane = "digest" // once a day, together with what else can wait
)

// Message is what people are told. It holds all that its text is made of.
type Message struct {
	Key     string     `json:"key"` // the same key is the same message
	Lane    Lane       `json:"lane,omitempty"`
	Owner   string     `json:"owner,omitempty"` // who answers for the cluster; untrusted
	Thread  string     `json:"thread"`          // the same thread is the same matter: an opening, its reminders and its recovery
	News    News       `json:"news"`
	Cluster cluster.ID `json:"cluster"`
	Finding Finding    `json:"finding"`
	Verdict Verdict    `json:"verdict"`
	Version string     `json:"version,omitempty"` // installed, as read; untrusted
	Role    string     `json:"role,omitempty"`    // the add-on's service-account role ARN; empty: the node role
	Path    []string   `json:"path,omitempty"`
	Done    []string   `json:"done,omitempty"` // what was changed in this check
	Held    []Reason   `json:"held,omitempty"` // why the update is not made
	Mode    string     `json:"mode,omitempty"`
	First   time.Time  `json:"first,omitzero"` // when the finding was first seen
	At      time.Time  `json:"at"`
	// Digested: people are told of it by a digest that was made; it waits for programs only.
	Digested bool     `json:"digested,omitempty"`
	Got      []string `json:"got,omitempty"`   // the topics that took it, by name; they do not get it again
	Tries    int      `json:"tries,omitempty"` // failed publishes so far
}
