package simulate

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
)

// Report is what a policy would have done to a fleet: what it changed and what held it, whom it would have told when, and what it costs.
type Report struct {
	Changes []Changes `json:"changes"` // a cluster each, where an update was started or held; in the order of their names
	Pages   []Pages   `json:"pages"`   // a day and a kind of message each, in the order of time
	Cost    Cost      `json:"cost"`
}

// Changes is what became of the updates of one cluster that cniguard wanted.
type Changes struct {
	Cluster  string    `json:"cluster"` // ACCOUNT/REGION/NAME
	Started  int       `json:"started"`
	Proved   int       `json:"proved"` // seen to be complete, and told
	Failed   int       `json:"failed"` // as EKS says
	SetAside int       `json:"setAside"`
	Held     []HeldFor `json:"heldFor"` // by each gate, the longest first
}

// HeldFor is how long a gate held a cluster's update.
type HeldFor struct {
	Gate    string `json:"gate"`
	Minutes int    `json:"minutes"`
}

// Pages is how many messages of a kind people got on a day, of UTC.
type Pages struct {
	Day      string     `json:"day"`  // as 2026-03-02
	Lane     string     `json:"lane"` // PageAtOnce, PageInDigest or PageDigest
	Severity string     `json:"severity"`
	News     guard.News `json:"news"`
	Messages int        `json:"messages"`
}

// The lanes of messages in a report.
const (
	PageAtOnce   = "at once"
	PageInDigest = "in a digest" // programs get it at once
	PageDigest   = "digest"      // a digest itself
)

// Cost is what AWS asks for the alarms that stand, with their metrics, at list prices of us-east-1, as digests count it.
type Cost struct {
	Alarms int     `json:"alarms"`
	USD    float64 `json:"usdPerMonth"`
}

// tally is a report in the making.
type tally struct {
	changes map[cluster.ID]*Changes
	since   map[cluster.ID]map[string]time.Time // by gate: since when it is shut
	held    map[cluster.ID]map[string]time.Duration
	aside   map[cluster.ID]bool
	pages   map[Pages]int // by all but Messages
}

func newTally() tally {
	return tally{
		changes: map[cluster.ID]*Changes{}, since: map[cluster.ID]map[string]time.Time{}, held: map[cluster.ID]map[string]time.Duration{},
		aside: map[cluster.ID]bool{}, pages: map[Pages]int{},
	}
}

func (t tally) of(id cluster.ID) *Changes {
	if t.changes[id] == nil {
		t.changes[id] = &Changes{Cluster: id.String(), Held: []HeldFor{}}
		t.since[id], t.held[id] = map[string]time.Time{}, map[string]time.Duration{}
	}
	return t.changes[id]
}

// planned notes which gates hold the update from now on. An update in flight is being made, and not held.
func (t tally) planned(at time.Time, id cluster.ID, p guard.Plan) {
	if aside := p.Verdict.Change.Word == guard.SetAside; aside != t.aside[id] {
		t.aside[id] = aside
		if aside {
			t.of(id).SetAside++
		}
	}
	shut := map[string]bool{}
	for _, h := range p.Held {
		for _, r := range h.By {
			if h.Action.Kind == guard.StartUpdate && r.Gate != "in flight" {
				shut[r.Gate] = true
			}
		}
	}
	if len(shut) > 0 {
		t.of(id)
	}
	for gate, since := range t.since[id] {
		if !shut[gate] {
			t.held[id][gate] += at.Sub(since)
			delete(t.since[id], gate)
		}
	}
	for gate := range shut {
		if _, known := t.since[id][gate]; !known {
			t.since[id][gate] = at
		}
	}
}

func (t tally) ended(id cluster.ID, status string) {
	if status != "Successful" {
		t.of(id).Failed++
	}
}

// line counts what people were told.
func (t tally) line(id cluster.ID, l Line) {
	p := Pages{Day: l.At.UTC().Format(time.DateOnly), Severity: l.Severity, News: l.News, Lane: PageAtOnce}
	switch {
	case l.What == ForDigest:
		p.Lane = PageInDigest
	case l.What != Told:
		return
	case l.News == guard.Digested:
		p.Lane = PageDigest
	}
	t.pages[p]++
	if l.News == guard.Updated {
		t.of(id).Proved++
	}
}

// Report is what the policy did until now. Without Options.Tell nobody counts, and there is the cost only.
func (r *Run) Report() Report {
	rep := Report{Changes: []Changes{}, Pages: []Pages{}}
	t := r.journal.tally
	for id, c := range t.changes {
		one := *c
		one.Held = r.heldFor(t, id)
		rep.Changes = append(rep.Changes, one)
	}
	slices.SortFunc(rep.Changes, func(a, b Changes) int { return cmp.Compare(a.Cluster, b.Cluster) })
	for p, n := range t.pages {
		p.Messages = n
		rep.Pages = append(rep.Pages, p)
	}
	slices.SortFunc(rep.Pages, func(a, b Pages) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Lane, b.Lane), cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.News, b.News))
	})
	kept, _ := r.Ledger.All(context.Background()) // looking on does not fail
	for _, k := range kept {
		if !k.Record.Gone {
			for _, kind := range k.Record.Alarms {
				rep.Cost.Alarms++
				rep.Cost.USD += kind.USD()
			}
		}
	}
	return rep
}

func (r *Run) heldFor(t tally, id cluster.ID) []HeldFor {
	total := map[string]time.Duration{}
	for gate, d := range t.held[id] {
		total[gate] += d
	}
	for gate, since := range t.since[id] {
		total[gate] += r.Now().Sub(since)
	}
	held := []HeldFor{}
	for gate, d := range total {
		held = append(held, HeldFor{gate, int(d / time.Minute)})
	}
	slices.SortFunc(held, func(a, b HeldFor) int {
		return cmp.Or(cmp.Compare(b.Minutes, a.Minutes), strings.Compare(a.Gate, b.Gate))
	})
	return held
}
