package event

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/cluster"
)

// How often the schedules wake the program (docs/events.md).
const (
	TickEvery  = 5 * time.Minute // the meter too
	SweepEvery = 6 * time.Hour
	// Late is how long ago a cluster was looked at last when something is wrong, whatever became of events meanwhile: two sweeps.
	Late = 2 * SweepEvery
)

// Source is the source of cniguard's wake-ups.
const Source = "cniguard"

// NewsSource is the source of the events that cniguard puts on the bus for others (docs/events.md). It is not that of the wake-ups: no rule
// lets such an event through to a function.
const NewsSource = "cniguard.news"

// SweepFinished is the detail-type of the one that says what a sweep came to: events/news-sweep-finished.json.
const SweepFinished = "Sweep Finished"

// wakeUps are the events that cniguard sends to itself, and its schedules.
func wakeUps() family {
	return family{source: Source, types: words(wakeKinds()...), read: readWakeUp, rules: wakeUpRules}
}

func wakeKinds() []Kind { return []Kind{Check, Test, Tick, Meter, Metering, Sweep, Sweeping, Digest} }

// words are the detail-types of kinds; empty for a kind that is no wake-up.
func words(kinds ...Kind) []string {
	all := make([]string, len(kinds))
	for i, k := range kinds {
		all[i] = k.word()
	}
	return all
}

func (k Kind) word() string {
	switch k {
	case Check:
		return "Check Requested"
	case Test:
		return "Test Requested"
	case Tick:
		return "Tick"
	case Meter:
		return "Meter"
	case Metering:
		return "Metering"
	case Sweep:
		return "Sweep"
	case Sweeping:
		return "Sweeping"
	case Digest:
		return "Digest"
	}
	return ""
}

// wakeUp is the detail of a wake-up: events/own-check.json, events/own-sweeping.json.
type wakeUp struct {
	Account string `json:"account,omitempty"` // of the cluster, or of the unit
	Region  string `json:"region,omitempty"`
	Name    string `json:"name,omitempty"` // of the cluster
	Run     string `json:"run,omitempty"`
	Owner   string `json:"owner,omitempty"`
	After   string `json:"after,omitempty"`
	At      string `json:"at,omitempty"` // RFC 3339; empty: the envelope's time
	Why     string `json:"why,omitempty"`
	Faint   bool   `json:"faint,omitempty"` // Trigger.Faint
	Nonce   string `json:"nonce,omitempty"`
	Channel string `json:"channel,omitempty"`
}

func readWakeUp(e envelope) (Trigger, error) {
	w, err := object[wakeUp]("detail", e.Detail)
	if err != nil {
		return Trigger{}, err
	}
	kind := wakeKinds()[slices.Index(wakeUps().types, e.DetailType)]
	if err := w.valid(kind); err != nil {
		return Trigger{}, err
	}
	t := Trigger{Kind: kind, Why: "cniguard " + e.DetailType}
	if w.Why != "" {
		t.Why = fmt.Sprintf("%.200s", w.Why)
	}
	switch kind {
	case Check:
		t.Cluster, t.Faint = cluster.ID{Account: w.Account, Region: w.Region, Name: w.Name}, w.Faint
	case Test:
		t.Nonce, t.Channel = w.Nonce, w.Channel
	case Metering:
		t.Unit = Unit{Account: w.Account, Region: w.Region}
	case Sweeping:
		t.Unit, t.Run, t.After, t.Faint = Unit{Account: w.Account, Region: w.Region}, w.Run, w.After, w.Faint
	case Digest:
		t.Owner = w.Owner
	}
	if w.At != "" {
		t.At, err = instant("detail.at", time.RFC3339, w.At)
	}
	return t, err
}

// valid reports what a wake-up of a kind lacks.
func (w wakeUp) valid(k Kind) error {
	if k == Test {
		return w.validTest()
	}
	switch {
	case k == Digest && w.At == "":
		return mistake("detail.at", "the instant that the digests are of, as 2026-03-02T09:00:00Z", "")
	case k != Check && k != Metering && k != Sweeping:
	case !cluster.IsAccount(w.Account):
		return mistake("detail.account", "an account id of twelve digits", w.Account)
	case !cluster.IsRegion(w.Region):
		return mistake("detail.region", "a region", w.Region)
	case k == Check && !cluster.IsName(w.Name):
		return mistake("detail.name", "a cluster's name", w.Name)
	case k == Sweeping && w.Run == "":
		return mistake("detail.run", "what names the sweep", "")
	case k == Sweeping && w.After != "" && !cluster.IsName(w.After):
		return mistake("detail.after", "a cluster's name or nothing", w.After)
	}
	return nil
}

// longestChannel is the most letters that the name of a channel has.
const longestChannel = 20

func (w wakeUp) validTest() error {
	if _, ok := alarm.Nonce(alarm.Probe(w.Nonce)); !ok {
		return mistake("detail.nonce", "26 capital letters and digits", w.Nonce)
	}
	if n := len(w.Channel); n == 0 || n > longestChannel || strings.Trim(w.Channel, "abcdefghijklmnopqrstuvwxyz") != "" {
		return mistake("detail.channel", "the name of a channel", w.Channel)
	}
	return nil
}

// Encode writes a trigger as the wake-up that Decode reads again: for the source, detail-type and detail of PutEvents. Only
// what belongs to the trigger's kind is written, with At and Why; ID and From are the envelope's. The error says what the
// trigger lacks; a trigger of kind Skip, Checks or Probe cannot be written: the first asks for nothing, the second is sent as
// Each, and the third is an alarm's.
func Encode(t Trigger) (source, detailType string, detail []byte, err error) {
	detailType = t.Kind.word()
	if detailType == "" {
		return "", "", nil, fmt.Errorf("write event: %q is no kind of wake-up", t.Kind)
	}
	w := wakeUp{Why: t.Why}
	if !t.At.IsZero() {
		w.At = t.At.UTC().Format(time.RFC3339Nano)
	}
	switch t.Kind {
	case Check:
		w.Account, w.Region, w.Name, w.Faint = t.Cluster.Account, t.Cluster.Region, t.Cluster.Name, t.Faint
	case Test:
		w.Nonce, w.Channel = t.Nonce, t.Channel
	case Metering:
		w.Account, w.Region = t.Unit.Account, t.Unit.Region
	case Sweeping:
		w.Account, w.Region, w.Run, w.After, w.Faint = t.Unit.Account, t.Unit.Region, t.Run, t.After, t.Faint
	case Digest:
		w.Owner = t.Owner
	}
	if err = w.valid(t.Kind); err == nil {
		detail, err = json.Marshal(w)
	}
	if err != nil {
		return "", "", nil, fmt.Errorf("write event %s: %w", detailType, err)
	}
	return wakeUps().source, detailType, detail, nil
}

// Scheduled is the whole event of a schedule that woke the program at an instant: of kind Tick, Meter or Sweep, sent by the
// hub's account and region. The same schedule at the same instant gives the same event.
func Scheduled(k Kind, account, region string, at time.Time) []byte {
	const whole = `{"version":"0","id":%q,"detail-type":%q,"source":%q,"account":%q,"time":%q,"region":%q,"resources":[],"detail":{}}`
	when := at.UTC().Format(time.RFC3339Nano)
	id := strings.ToLower(k.word()) + "-" + when
	return fmt.Appendf(nil, whole, id, k.word(), wakeUps().source, account, when, region)
}

func wakeUpRules() []Rule {
	rule := func(name, description string, to Target, kinds ...Kind) Rule {
		return Rule{Name: name, Description: description, Target: to, Pattern: Pattern{
			"source":      Values{Exact: []string{wakeUps().source}},
			"detail-type": Values{Exact: words(kinds...)},
		}}
	}
	return []Rule{
		rule("checks", "Checks of one cluster, and samples of messages, that cniguard or a person asked for", Urgent, Check, Test),
		rule("bulk-work", "The fleet's work: tick, meter, sweep and their parts", Bulk, Tick, Meter, Metering, Sweep, Sweeping, Digest),
	}
}
