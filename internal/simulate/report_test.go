package simulate_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
)

func TestTheReportSaysWhatHeldAnUpdateAndForHowLong(t *testing.T) {
	g := open()
	g.order(world.Halt)
	g.Orders = append(g.Orders, world.Order{At: 10 * hour, Kind: world.Resume, By: "ann", Because: "over"})
	r := g.run(t)
	r.For(10*hour - 1)
	if got := r.Report().Changes; len(got) != 1 || got[0].Held[0].Gate != "halt" || got[0].Started != 0 || got[0].Held[0].Minutes < 9*60+55 {
		t.Errorf("before the fleet is resumed: %+v", got)
	}
	r.For(day)
	got := r.Report()
	c := got.Changes[0]
	if c.Cluster != gatedProd.String() || c.Started != 1 || c.Proved != 1 || c.Failed != 0 || c.SetAside != 0 {
		t.Errorf("changes: %+v", c)
	}
	if i := slices.IndexFunc(c.Held, func(h simulate.HeldFor) bool { return h.Gate == "halt" }); i != 0 || c.Held[0].Minutes < 9*60+55 || c.Held[0].Minutes > 10*60+5 {
		t.Errorf("held by %+v, want ten hours of halt first", c.Held)
	}
	if got.Cost.Alarms != 1 || got.Cost.USD != 0.4 {
		t.Errorf("cost: %+v", got.Cost)
	}
}

func TestAClusterIsSetAsideOnceInTheReport(t *testing.T) {
	g := open()
	g.Updates = []world.UpdateScript{{Outcome: world.Fail}}
	r := g.run(t)
	r.For(2 * day)
	if c := r.Report().Changes[0]; c.Started != 2 || c.Failed != 2 || c.Proved != 0 || c.SetAside != 1 || c.Held[0].Gate != "set aside" {
		t.Errorf("%+v", c)
	}
}

func TestTheReportHasEveryMessageOfTheJournal(t *testing.T) {
	r, lines := start(t, demoWorld(t), demoRules(t), simulate.Options{Seed: 2})
	r.For(3 * day)
	rep, sum := r.Report(), r.Summary()
	want, have := map[simulate.Pages]int{}, map[simulate.Pages]int{}
	for _, l := range *lines {
		lane := map[simulate.What]string{simulate.Told: "at once", simulate.ForDigest: "in a digest"}[l.What]
		if l.Finding == guard.DigestCode {
			lane = "digest"
		}
		if lane != "" {
			want[simulate.Pages{Day: l.At.UTC().Format("2006-01-02"), Lane: lane, Severity: l.Severity, News: l.News}]++
		}
	}
	for _, p := range rep.Pages {
		n := p.Messages
		p.Messages = 0
		have[p] += n
	}
	if diff := cmp.Diff(want, have); diff != "" || len(want) < 5 {
		t.Errorf("messages (-in the journal +in the report):\n%s", diff)
	}
	var started, failed int
	for _, c := range rep.Changes {
		started, failed = started+c.Started, failed+c.Failed
		for _, h := range c.Held {
			if h.Minutes > 3*24*60 || h.Gate == "in flight" {
				t.Errorf("%s is held by %+v", c.Cluster, h)
			}
		}
	}
	if started != sum.Updates.Started || failed != sum.Updates.Failed || started == 0 {
		t.Errorf("%d updates started and %d failed, in the summary %+v", started, failed, sum.Updates)
	}
}
