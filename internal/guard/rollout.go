package guard

import (
	"cmp"
	"slices"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/policy"
)

// Place is where a cluster stands in the rollout of updates, as the policy says.
type Place struct {
	Rules policy.Rollout
	Wave  string // the cluster's; policy.Last: none claims it
}

// Rollout is what the updates of the fleet come to. It has sets of clusters, never counters: writing one twice changes nothing, and it can be
// made anew from the records.
type Rollout struct {
	InFlight []Slot `json:"inFlight,omitempty"` // who may call UpdateAddon, or has
	Started  []Slot `json:"started,omitempty"`  // of the last 24 hours, one for each step
	Failed   []Slot `json:"failed,omitempty"`   // whose last update failed, and was not mended since
	Waves    []Wave `json:"waves,omitempty"`    // as the last sweep found them
	// Looked is when the sweep began that found the waves so: it has looked at each of their clusters since.
	Looked  time.Time `json:"looked,omitzero"`
	Version int64     `json:"-"` // 0: there is none yet
}

// Slot is a cluster's place in one of the sets of a rollout.
type Slot struct {
	Cluster cluster.ID `json:"cluster"`
	Wave    string     `json:"wave,omitempty"`
	Step    string     `json:"step,omitempty"` // its token
	At      time.Time  `json:"at"`
	Last    time.Time  `json:"last,omitzero"` // of a cluster whose update failed again: when; it keeps its place
}

// Wave is how far a wave is.
type Wave struct {
	Name     string    `json:"name"`
	Clusters int       `json:"clusters"`         // that cniguard may update
	Exempt   int       `json:"exempt,omitempty"` // that it might, did the policy not exempt them; no wave waits for those
	Done     int       `json:"done"`             // of these, with nothing left to update
	Last     time.Time `json:"last,omitzero"`    // when the last update of one of them was proved
}

// latest is when a cluster got into its set, or failed again.
func (s Slot) latest() time.Time {
	if s.Last.After(s.At) {
		return s.Last
	}
	return s.At
}

// mostFailed bounds the item of the rollout. Updates have long stopped by then.
const mostFailed = 200

// mayBeAhead is how far a person's clock may be ahead whose word ends the stop after failures.
const mayBeAhead = 5 * time.Minute

// aDay is for how long starts count.
const aDay = 24 * time.Hour

// WantsRollout reports whether the fleet's rollout is to be read: an update may start, or the cluster may be in one of its sets.
func (in Input) WantsRollout() bool {
	rec := in.Record
	if in.Settings.Fault != nil || in.Settings.Value.Mode == policy.Observe && rec.Step == nil && rec.Failed.To == "" {
		return false
	}
	return rec.Step != nil || rec.Failed.To != "" || rec.Aside != nil || rec.Told[UpdatesHalted].Times > 0 ||
		in.Now.Sub(rec.Proved.At) < 2*Soak || wantsUpdate(Decide(in))
}

// wantsUpdate reports whether a plan has an update, be it held or not.
func wantsUpdate(p Plan) bool {
	return slices.ContainsFunc(p.Held, isUpdate) || slices.ContainsFunc(p.Actions, func(a Action) bool { return a.Kind == StartUpdate })
}

// Take is the rollout in which a cluster has a slot for its step.
func (r Rollout) Take(id cluster.ID, wave string, s Step, now time.Time) Rollout {
	slot := Slot{Cluster: id, Wave: wave, Step: s.Token, At: now}
	r.InFlight = with(r.InFlight, slot)
	r.Started = slices.DeleteFunc(slices.Clone(r.Started), func(o Slot) bool { return o.Step == s.Token || now.Sub(o.At) >= aDay })
	r.Started = append(r.Started, slot)
	return r
}

// Follow is the rollout with a cluster in the sets in which its record says it is; false: it is in them already.
func (r Rollout) Follow(id cluster.ID, rec Record) (Rollout, bool) {
	mine := func(s Slot) bool { return s.Cluster == id }
	flies, failed := slices.IndexFunc(r.InFlight, mine), slices.IndexFunc(r.Failed, mine)
	changed := false
	switch {
	case rec.Step != nil && flies < 0:
		r.InFlight, changed = with(r.InFlight, Slot{Cluster: id, Wave: rec.Wave, Step: rec.Step.Token, At: rec.Step.Since}), true
	case rec.Step == nil && flies >= 0:
		r.InFlight, changed = slices.DeleteFunc(slices.Clone(r.InFlight), mine), true
	}
	switch last := rec.Failed.Last; {
	case !last.IsZero() && (failed < 0 || r.Failed[failed].latest().Before(last)):
		slot := Slot{Cluster: id, Wave: rec.Wave, At: last}
		if failed >= 0 {
			slot.At, slot.Last = r.Failed[failed].At, last
		}
		r.Failed, changed = with(r.Failed, slot), true
		r.Failed = r.Failed[max(0, len(r.Failed)-mostFailed):]
	case last.IsZero() && failed >= 0:
		r.Failed, changed = slices.DeleteFunc(slices.Clone(r.Failed), mine), true
	}
	return r, changed
}

// with is a set with a cluster's slot in place of the one it had, the oldest first.
func with(set []Slot, slot Slot) []Slot {
	set = slices.DeleteFunc(slices.Clone(set), func(s Slot) bool { return s.Cluster == slot.Cluster })
	set = append(set, slot)
	slices.SortFunc(set, func(a, b Slot) int { return cmp.Or(a.At.Compare(b.At), cluster.Compare(a.Cluster, b.Cluster)) })
	return set
}

// Recount is the rollout as the records of the fleet have it after a sweep that began at an instant: what died between a record and the rollout
// is put right, and the waves are as that sweep found them.
func (r Rollout) Recount(members []Member, waves []policy.Wave, began, now time.Time) Rollout {
	known := map[cluster.ID]Record{}
	for _, m := range members {
		known[m.Cluster] = m.Record
		r, _ = r.Follow(m.Cluster, m.Record)
	}
	gone := func(s Slot) bool { _, known := known[s.Cluster]; return !known }
	r.InFlight, r.Failed = slices.DeleteFunc(slices.Clone(r.InFlight), gone), slices.DeleteFunc(slices.Clone(r.Failed), gone)
	r.Started = slices.DeleteFunc(slices.Clone(r.Started), func(s Slot) bool { return now.Sub(s.At) >= aDay })
	r.Waves, r.Looked = nil, began
	for _, w := range waves {
		r.Waves = append(r.Waves, count(w.Name, members, began))
	}
	return r
}

// count is how far a wave is. A cluster that was not looked at since counts as not done.
func count(name string, members []Member, since time.Time) Wave {
	w := Wave{Name: name}
	for _, m := range members {
		rec := m.Record
		if rec.Wave != name || rec.Gone || m.Cluster.Name == "" {
			continue
		}
		if rec.exempt() {
			w.Exempt++
			continue
		}
		w.Clusters++
		if !rec.Seen.Before(since) && rec.Verdict.Change.Word == Idle && rec.Verdict.Version.Word != Unknown && rec.Verdict.Install.Word != Unknown {
			w.Done++
		}
		if rec.Proved.At.After(w.Last) {
			w.Last = rec.Proved.At
		}
	}
	return w
}

// exempt reports whether the policy's exemption held the cluster's update at the last check.
func (r Record) exempt() bool {
	return slices.ContainsFunc(r.Held, func(h Held) bool {
		return isUpdate(h) && slices.ContainsFunc(h.By, func(why Reason) bool { return why.Gate == exemptionGate && !why.Fault })
	})
}

// tripped are the failures of one wave that stopped the updates of the fleet; none: they go on. Those before the last word of a person who
// resumed do not count.
func (in Input) tripped() []Slot {
	most, failed, resumed := in.Place.Rules.Budget.Failures, map[string][]Slot{}, in.Fleet.Value.Resumed
	if resumed.After(in.Now.Add(mayBeAhead)) {
		resumed = time.Time{} // failures to come would not count
	}
	for _, s := range in.Rollout.Value.Failed { // the oldest first
		if s.latest().Before(resumed) {
			continue
		}
		if failed[s.Wave] = append(failed[s.Wave], s); len(failed[s.Wave]) >= most {
			return failed[s.Wave]
		}
	}
	return nil
}
