package guard

import (
	"cmp"
	"fmt"
	"time"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/fault"
)

// Schema is the version of the form of records and orders.
const Schema = 1

// Readable refuses a record or an order of a newer schema than this program's: what it does not know of it would be lost, or might
// forbid what it is about to do. Older ones are read; their missing fields have the zero value.
func Readable(schema int) error {
	if schema <= Schema {
		return nil
	}
	return &fault.Fault{Kind: fault.Terminal, Op: "ledger", Text: fmt.Sprintf(
		"it has schema %d and was written by a newer cniguard; this one reads schemas up to %d: deploy the newer cniguard", schema, Schema)}
}

// Record is what cniguard remembers of one cluster; the ledger stores it whole.
type Record struct {
	Schema      int           `json:"schema"`
	Seen        time.Time     `json:"seen"` // the snapshot that was last folded in
	Gone        bool          `json:"gone,omitempty"`
	Verdict     Verdict       `json:"verdict"`
	Since       time.Time     `json:"since"` // of the verdict's word
	Version     string        `json:"version,omitempty"`
	Node        *DaemonSet    `json:"node,omitempty"`   // the aws-node that EKS does not manage, as it was read last
	Hidden      string        `json:"hidden,omitempty"` // why it is not known which CNI runs: a code, as NoEntry; empty: it is known, or nobody asks
	Owner       string        `json:"owner,omitempty"`  // who answers for it, when it could be read last; untrusted
	Told        map[Code]Told `json:"told,omitempty"`
	Past        map[Code]Past `json:"past,omitempty"`
	Wave        string        `json:"wave,omitempty"`  // that it is in, where it may be updated
	Wanted      Wanted        `json:"wanted,omitzero"` // while an update is
	Step        *Step         `json:"step,omitempty"`  // written before UpdateAddon is called; its ID is empty until that returned
	Failed      Failed        `json:"failed,omitzero"`
	Proved      Proved        `json:"proved,omitzero"`
	Broken      Broken        `json:"broken,omitzero"`
	Aside       *Aside        `json:"aside,omitempty"` // not updated until a person approves again
	Outbox      []Message     `json:"outbox,omitempty"`
	Sent        int           `json:"sent,omitempty"` // messages so far; numbers their keys
	Due         time.Time     `json:"due,omitzero"`   // look again then, at the latest
	Busy        Busy          `json:"busy,omitzero"`
	Again       bool          `json:"again,omitempty"` // somebody asked for a check while the record was busy
	Path        []string      `json:"path,omitempty"`  // the add-on would go through, at the last check
	ByHand      ByHand        `json:"byHand,omitzero"` // at the last check that could read what is installed
	Held        []Held        `json:"held,omitempty"`  // of the last check
	Meter       Meter         `json:"meter,omitzero"`
	Alarm       Alarmed       `json:"alarm,omitempty"`  // after the last check; empty: it is not known
	Alarms      []alarm.Kind  `json:"alarms,omitempty"` // those that stood then, as far as is known
	Outlook     Outlook       `json:"outlook,omitzero"`
	Relief      Relief        `json:"relief,omitzero"` // while the cluster is short of addresses, or soon will be
	NodeMetrics NodeMetrics   `json:"nodeMetrics,omitzero"`
	Unmade      []Fact        `json:"unmade,omitempty"` // as in a plan
	Rung        Rung          `json:"rung,omitzero"`
	LastChange  *LastChange   `json:"lastChange,omitempty"` // of the add-on, by a tool; nil: none is known
}

// Alarmed says whether an alarm of cniguard stands for a cluster.
type Alarmed string

// The two answers.
const (
	AlarmStands Alarmed = "stands"
	NoAlarm     Alarmed = "none"
)

// Rung is what was heard of the cluster's alarms.
type Rung struct {
	From time.Time `json:"from"`          // events of alarms that rang before this were not listened for
	Last time.Time `json:"last,omitzero"` // when the last event of one of them arrived
}

// Busy says that a check is acting or telling. Until then nobody else acts on this record.
type Busy struct {
	By    string    `json:"by"` // the invocation
	Until time.Time `json:"until"`
}

// Told is what was said of one finding. Times 0: it is known, and not yet told.
type Told struct {
	Print    string    `json:"print"`
	Severity Severity  `json:"severity"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last,omitzero"`
	Times    int       `json:"times"`
	Back     int       `json:"back,omitempty"` // how often it has come back, each time within a day of its end
	Word     *Order    `json:"word,omitempty"` // a person's, by which it is muted or acknowledged; it may have ended since
	// Now is how bad it is, where people do not know: it is muted, or it eased and is not believed yet.
	Now   Severity  `json:"now,omitempty"`
	Lower time.Time `json:"lower,omitzero"` // since when it is less bad than people know
	Eased time.Time `json:"eased,omitzero"` // when people were told last that it is less bad
}

// calm is how long a finding must stay away, or be less bad, before people are told so: one that comes back is believed later each time.
func (t Told) calm() time.Duration {
	if t.Back == 0 {
		return 0
	}
	return min(calmFirst<<min(t.Back-1, 8), calmMost)
}

// severity is how bad it is, whether people know or not.
func (t Told) severity() Severity { return cmp.Or(t.Now, t.Severity) }

// Silenced is a person's word that is in force at an instant: the finding is muted, or everything that was told of it is acknowledged; nil:
// it is neither.
func (t Told) Silenced(now time.Time) *Order {
	if t.Word != nil && t.Word.Holds(now) && (t.muted() || t.acked()) {
		return t.Word
	}
	return nil
}

// Past is a finding that is over.
type Past struct {
	Told
	Over time.Time `json:"over"` // since when
	Out  bool      `json:"out"`  // that it is over was told; else it may come back before that is
}

// Believed is when people are told that it is over, unless it comes back.
func (p Past) Believed() time.Time { return p.Over.Add(p.calm()) }

// Step is one UpdateAddon call and what becomes of it.
type Step struct {
	From  cni.Version `json:"from"`
	To    cni.Version `json:"to"`
	Path  []string    `json:"path"` // this step and those to come
	Keeps string      `json:"keeps"`
	Kept  []string    `json:"kept,omitempty"` // as Plan.Kept
	Try   int         `json:"try"`            // from 1
	// Matter names what the step is about, and is the same for all its tries. Token is the client request token of this try.
	Matter string    `json:"matter"`
	Token  string    `json:"token"`
	ID     string    `json:"id,omitempty"` // of the update
	Since  time.Time `json:"since"`
	Why    string    `json:"why,omitempty"`  // there is no way: To is unknown
	Gap    string    `json:"gap,omitempty"`  // which minor versions it jumps over, since none of them is compatible
	Told   bool      `json:"told,omitempty"` // that it started
}

// Wanted is where an update is to lead, and since when it is wanted.
type Wanted struct {
	To    string    `json:"to"` // the last version of the path; empty: there is no way there
	Since time.Time `json:"since"`
}

// Failed counts the failed tries of a step.
type Failed struct {
	To    string    `json:"to"`
	Tries int       `json:"tries"`
	Last  time.Time `json:"last"`
}

// Proved is the last update of ours that was proved to be complete.
type Proved struct {
	Version string    `json:"version"`
	At      time.Time `json:"at"`
}

// Broken is the last step of ours that EKS took and that failed, until a step is proved.
type Broken struct {
	To string    `json:"to"`
	At time.Time `json:"at"` // when it failed
	// Left is the highest version at which the add-on was seen UPDATE_FAILED or DEGRADED since, or the version before the step; empty: EKS
	// itself went back to that.
	Left string `json:"left,omitempty"`
}

// Meter is what the meter needs of a cluster between two checks.
type Meter struct {
	Subnets  []string `json:"subnets"`
	Warning  float64  `json:"warning"`        // percent
	Critical float64  `json:"critical"`       // percent
	Publish  bool     `json:"publish"`        // the metric of the fullest pod subnet, for the alarm that stands
	Level    string   `json:"level"`          // of the fullest pod subnet at the last check; unknown: it was not measured
	Days     bool     `json:"days,omitempty"` // the metric of the days that are left, for its alarm
	// Blocks are the subnets whose /28 blocks are counted, for the alarm on them; BlocksLevel is as Level.
	Blocks      []string `json:"blocks,omitempty"`
	BlocksLevel string   `json:"blocksLevel,omitempty"`
}

// Wake is when this record must be looked at again at the latest; the zero time: the sweep is enough. While somebody acts or
// tells, it is when they must have finished.
func (r Record) Wake() time.Time {
	if !r.Busy.Until.IsZero() {
		return r.Busy.Until
	}
	return r.Due
}

// Shut are the gates that were shut at the last check. What that check itself then found out about the step in flight is not among
// them, and is in the record.
func (r Record) Shut() []string {
	if r.Step == nil && r.Aside != nil {
		return []string{"set aside"}
	}
	var gates []string
	for _, h := range r.Held {
		for _, by := range h.By {
			if by.Gate != "in flight" || r.Step != nil {
				gates = append(gates, by.Gate)
			}
		}
	}
	return gates
}

// Planned is the plan of the last check, as far as the record has it: its actions and findings are not kept.
func (r Record) Planned() Plan {
	p := Plan{Verdict: r.Verdict, Held: r.Held, Path: r.Path, ByHand: r.ByHand, Outlook: r.Outlook, Relief: r.Relief, NodeMetrics: r.NodeMetrics, Unmade: r.Unmade}
	if r.Step != nil {
		p.Keeps, p.Kept = r.Step.Keeps, r.Step.Kept
	}
	for _, h := range r.Held {
		if isUpdate(h) {
			p.Keeps, p.Kept = h.Action.Step.Keeps, h.Action.Step.Kept
		}
	}
	p.Hash = hash(p.Path, p.Keeps)
	return p
}
