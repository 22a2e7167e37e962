package simulate_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
)

// gatedRun is a run of a gated world.
type gatedRun struct {
	*testing.T
	*simulate.Run
	lines   *[]simulate.Line
	updates int // calls of UpdateAddon
}

func (g gated) run(t *testing.T) *gatedRun {
	t.Helper()
	p := rules(t, fmt.Sprintf("version: 1\nfleet: [{account: %q, regions: [%s]}]\ndefaults: {%s}\n%s\n",
		g.prod().Account, g.prod().Region, g.defaults, g.rest))
	r := &gatedRun{T: t}
	r.Run, r.lines = start(t, g.Spec, p, simulate.Options{Seed: 1})
	r.World.Watch(func(e world.Entry) {
		if e.Kind == world.Called && e.Call.Op == "UpdateAddon" {
			r.updates++
		}
	})
	return r
}

var gatedProd = cluster.ID{Account: "444455556666", Region: "eu-central-1", Name: "prod"}

// record is what is remembered of prod.
func (r *gatedRun) record() guard.Record {
	r.Helper()
	for _, k := range records(r.T, r.Run) {
		if k.Cluster == gatedProd {
			return k.Record
		}
	}
	return guard.Record{}
}

// look has prod checked, and a minute pass: what a step waits for after another may be over when the tick looks again.
func (r *gatedRun) look() {
	r.Helper()
	const check = `{"id":"1","source":"cniguard","detail-type":"Check Requested","account":"111122223333","region":"eu-central-1","time":"2026-03-02T08:00:00Z",
		"detail":{"account":"444455556666","region":"eu-central-1","name":"prod"}}`
	if err := r.Wake([]byte(check)); err != nil {
		r.Fatal(err)
	}
	r.For(time.Minute)
}

// reasons are those of the gates that hold the update.
func reasons(held []guard.Held) []guard.Reason {
	for _, h := range held {
		if h.Action.Kind == guard.StartUpdate {
			return h.By
		}
	}
	return nil
}

// alone reports whether a gate, and no other, holds the update.
func alone(gate string, by []guard.Reason) bool {
	return len(by) == 1 && by[0].Gate == gate && by[0].Text != ""
}

// opened is how often people were told, at once or for the digest, that a finding is there or has changed.
func (r *gatedRun) opened(code guard.Code) int {
	n := 0
	for _, l := range *r.lines {
		if (l.What == simulate.Told || l.What == simulate.ForDigest) && l.Finding == code && (l.News == guard.Opened || l.News == guard.Changed) {
			n++
		}
	}
	return n
}

func TestWithEveryGateOpenTheAddonIsUpdated(t *testing.T) {
	r := open().run(t)
	r.For(3 * hour)
	if got := r.record().Version; r.updates != 1 || got != "v1.8.0-eksbuild.1" {
		t.Errorf("%d updates, and the add-on is at %s", r.updates, got)
	}
	if n := r.opened(guard.UpdateBlocked); n > 0 {
		t.Errorf("told %d times that it is held", n)
	}
}

// eachGate calls f with the case of each gate that there is.
func eachGate(t *testing.T, f func(*testing.T, guard.Gate, gateCase)) {
	cases := gateCases()
	for _, g := range guard.Gates() {
		t.Run(g.Name, func(t *testing.T) {
			t.Parallel()
			c, ok := cases[g.Name]
			if !ok {
				t.Fatalf("gate %q has no case in gateCases: add one", g.Name)
			}
			f(t, g, c)
		})
	}
}

// A gate that alone is shut holds the update: EKS is not asked, the reason is remembered and explained, and people are told once, where
// only people can open it.
func TestAGateThatIsShut(t *testing.T) {
	t.Parallel()
	eachGate(t, func(t *testing.T, gate guard.Gate, c gateCase) {
		if c.shuts == nil {
			t.Skip(c.never)
		}
		g := open()
		c.shuts(&g)
		r := g.run(t)
		for waited := time.Duration(0); !alone(gate.Name, reasons(r.record().Held)); waited += time.Minute {
			if waited > 12*hour {
				t.Fatalf("it is never shut alone, in the end %+v", r.record().Held)
			}
			r.look()
		}
		before := r.updates
		lasts := c.lasts
		if lasts == 0 {
			lasts = 2 * day
		}
		r.For(lasts)

		by := reasons(r.record().Held)
		if !alone(gate.Name, by) || r.updates != before {
			t.Fatalf("%d updates were started meanwhile; held by %+v", r.updates-before, by)
		}
		x, err := r.Explain(t.Context(), gatedProd)
		if err != nil || !alone(gate.Name, reasons(x.Plan.Held)) {
			t.Errorf("%v, explained by %+v", err, x.Plan.Held)
		}
		if answer := x.Answer(); !strings.Contains(answer, by[0].Text) && !strings.Contains(answer, gate.Name) {
			t.Errorf("the reason %q is not in the explanation %q", by[0].Text, answer)
		}
		want := 0
		if gate.Person {
			want = 1
		}
		if n := r.opened(guard.UpdateBlocked); n != want {
			t.Errorf("told %d times that it is held, want %d", n, want)
		}
	})
}

// A reading that fails holds the update like a gate that is shut, and people are told once what cannot be read.
func TestAGateThatCannotBeRead(t *testing.T) {
	t.Parallel()
	eachGate(t, func(t *testing.T, _ guard.Gate, c gateCase) {
		g := open()
		c.hides(&g)
		for i := range g.Faults {
			g.Faults[i].From = c.after
		}
		r := g.run(t)
		r.For(c.after)
		before := r.updates
		if (before > 0) != (c.after > 0) {
			t.Fatalf("%d updates until the reading fails %s after the start", before, c.after)
		}
		r.For(2 * day)
		if r.updates != before {
			t.Errorf("%d updates were started meanwhile", r.updates-before)
		}
		rec := r.record()
		if c.silent {
			if len(rec.Held) > 0 {
				t.Errorf("it is recorded after all: %+v", rec.Held)
			}
			return
		}
		if !unreadable(rec) {
			t.Errorf("that it could not be read is not recorded: %+v; held by %+v", rec.Verdict, reasons(rec.Held))
		}
		if unread, blocked := r.opened(guard.Unreadable), r.opened(guard.UpdateBlocked); unread != 1 || blocked > 1 {
			t.Errorf("told %d times what cannot be read, want once, and %d times that the update is held, want once at most", unread, blocked)
		}
	})
}

// unreadable reports whether a record says that something could not be read: as the reason of a gate or of an answer, or as a finding.
func unreadable(rec guard.Record) bool {
	v := rec.Verdict
	texts := []string{v.Install.Because, v.Version.Because, v.Capacity.Because, v.Change.Because}
	for _, by := range reasons(rec.Held) {
		texts = append(texts, by.Text)
	}
	_, told := rec.Told[guard.Unreadable]
	return told && strings.Contains(strings.Join(texts, " "), "could not be read")
}
