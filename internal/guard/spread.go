package guard

import (
	"fmt"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
)

// budgetGate is shut alone where nothing but other updates keeps one from starting.
const budgetGate = "budget"

// Full says why a step may not start now as far as the rest of the fleet goes; the empty text: it may. It is asked again, on what the ledger has then,
// right before a slot is taken.
func (in Input) Full(s Step) Reason {
	for _, gate := range []func(Input, Step) Reason{shutBreaker, shutWave, shutBudget} {
		if r := gate(in, s); r.shut() {
			return r
		}
	}
	return Reason{}
}

// shutBudget keeps few updates in flight, so that a bad one harms little.
func shutBudget(in Input, s Step) Reason {
	if f := in.Rollout.Fault; f != nil {
		return hidden("the fleet's updates", f)
	}
	budget := in.Place.Rules.Budget
	for _, limit := range []struct {
		of   string
		most int
		in   func(cluster.ID) bool
	}{
		{"this region", budget.Region, func(id cluster.ID) bool { return id.Account == in.ID.Account && id.Region == in.ID.Region }},
		{"this account", budget.Account, func(id cluster.ID) bool { return id.Account == in.ID.Account }},
		{"the fleet", budget.Fleet, func(cluster.ID) bool { return true }},
	} {
		var others []string
		for _, slot := range in.Rollout.Value.InFlight {
			if slot.Cluster != in.ID && limit.in(slot.Cluster) {
				others = append(others, slot.Cluster.String())
			}
		}
		if len(others) >= limit.most {
			return Reason{Text: fmt.Sprintf("%d of %d updates are in flight in %s: %s", len(others), limit.most, limit.of, some(others))}
		}
	}
	return shutStarts(in, s, budget.Starts)
}

// shutStarts bounds the starts of a day. A step that EKS did not take is not counted against itself.
func shutStarts(in Input, s Step, most int) Reason {
	var starts []time.Time
	for _, slot := range in.Rollout.Value.Started {
		if in.Now.Sub(slot.At) < aDay && slot.Step != s.Token {
			starts = append(starts, slot.At)
		}
	}
	if len(starts) < most {
		return Reason{}
	}
	return Reason{Text: fmt.Sprintf("%d updates started in the last 24 hours, and that is the budget", len(starts)), Until: starts[len(starts)-most].Add(aDay)}
}

// shutBreaker stops the fleet's updates where some failed, until a person has looked.
func shutBreaker(in Input, _ Step) Reason {
	failed := in.tripped()
	if in.Rollout.Fault != nil || len(failed) == 0 { // the budget's gate says what cannot be read
		return Reason{}
	}
	return Reason{Text: fmt.Sprintf("updates of %s failed%s: the fleet is not updated until somebody has looked and runs `cniguard resume`",
		clusters(failed), ofWave(failed[0].Wave))}
}

func ofWave(name string) string {
	if name == "" {
		return ""
	}
	return " in wave " + name
}

// shutWave lets the waves before go first.
func shutWave(in Input, s Step) Reason {
	if in.Rollout.Fault != nil { // the budget's gate says it
		return Reason{}
	}
	r := in.Rollout.Value
	for _, before := range in.Place.Rules.Before(in.Place.Wave) {
		w, counted := r.wave(before.Name)
		switch {
		case !counted, in.Record.Wanted.Since.IsZero(), in.Record.Wanted.To != last(s.Path), !in.Record.Wanted.Since.Before(r.Looked):
			// What the wave's clusters want may be as new as what this one wants: only a sweep since then knows.
			return Reason{Text: fmt.Sprintf("the next sweep tells how far wave %s is", before.Name)}
		case w.Clusters == 0 && w.Exempt == 0: // more likely than not a mistake of the policy
			return Reason{Text: fmt.Sprintf("wave %s has no cluster that may be updated: mend its match, or take it out of the policy", before.Name)}
		case w.Done*100 < before.Share*w.Clusters:
			return Reason{Text: fmt.Sprintf("%d of %d clusters of wave %s are done, and %d %% must be", w.Done, w.Clusters, before.Name, before.Share)}
		case in.Now.Before(w.Last.Add(before.Soak)):
			return Reason{Text: fmt.Sprintf("wave %s is watched for %s after its last update", before.Name, minutes(before.Soak)), Until: w.Last.Add(before.Soak)}
		}
	}
	return Reason{}
}

func (r Rollout) wave(name string) (Wave, bool) {
	for _, w := range r.Waves {
		if w.Name == name {
			return w, true
		}
	}
	return Wave{}, false
}

// halted finds that this cluster's failure was the one that stopped the fleet's updates. It is one cluster's finding, so that it is told once.
func (d *draft) halted() {
	in := d.in
	// While a halt stands nobody knows which failures were resumed from before it, and nothing is updated anyway.
	if in.Rollout.Fault != nil || in.Fleet.Fault != nil || in.Settings.Fault != nil || in.Fleet.Value.Halt != nil {
		d.blind(UpdatesHalted)
		return
	}
	delete(d.plan.Blind, UpdatesHalted) // it rests on the fleet's item, not on what was read of the cluster
	failed := in.tripped()
	if len(failed) == 0 {
		return
	}
	if failed[len(failed)-1].Cluster != in.ID {
		d.blind(UpdatesHalted) // another says it; who said it before does not say that it is over
		return
	}
	d.find(Finding{Code: UpdatesHalted, Severity: Warning, Print: failed[len(failed)-1].At.String(), Facts: []Fact{{"failed", clusters(failed)}, {"wave", failed[0].Wave}}})
}

func clusters(slots []Slot) string {
	names := make([]string, len(slots))
	for i, s := range slots {
		names[i] = s.Cluster.String()
	}
	return some(names)
}

// some names the first few of many.
func some(names []string) string {
	const few = 5
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
}
