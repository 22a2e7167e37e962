// Package ledgertest is what every ledger must do, as tests: run them with Run.
package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
)

// Ledger is a ledger that people can order through.
type Ledger interface {
	check.Ledger
	Order(ctx context.Context, id cluster.ID, o guard.Order) error
}

var (
	noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	unit = event.Unit{Account: "111122223333", Region: "eu-central-1"}
)

func id(name string) cluster.ID {
	return cluster.ID{Account: unit.Account, Region: unit.Region, Name: name}
}

// Run checks a ledger. Each call of empty gives one with nothing in it.
func Run(t *testing.T, empty func(t *testing.T) Ledger) {
	for name, f := range map[string]func(*testing.T, Ledger){
		"a record that was never saved is empty and has version 0": neverSaved,
		"a saved record comes back whole":                          comesBack,
		"a record that another saved in between is a conflict":     conflict,
		"of two first savers one has a conflict":                   firstSavers,
		"of many racing writers none is lost":                      racing,
		"what is due is listed, the longest overdue first":         due,
		"a busy record is due when its holder must have finished":  busyDue,
		"a unit lists its own records in order of name":            units,
		"what is handed out is a copy":                             copies,
		"of each person the newest order for a cluster holds":      orders,
		"a halt holds until somebody resumes":                      halts,
		"an unknown kind of order is refused":                      unknownOrder,
	} {
		t.Run(name, func(t *testing.T) { f(t, empty(t)) })
	}
}

func neverSaved(t *testing.T, l Ledger) {
	k, err := l.Load(t.Context(), id("a"))
	if err != nil || k.Version != 0 || k.Cluster != id("a") {
		t.Errorf("%+v, %v", k, err)
	}
	if diff := cmp.Diff(guard.Record{}, k.Record); diff != "" {
		t.Error(diff)
	}
}

func full() guard.Record {
	return guard.Record{
		Schema: guard.Schema, Seen: noon, Verdict: guard.Verdict{Word: guard.Outdated, Version: guard.Answer{Word: guard.Outdated, Because: "below"}},
		Since: noon, Version: "v1.7.5-eksbuild.2",
		Told: map[guard.Code]guard.Told{guard.VersionOutdated: {Print: "p", Severity: guard.Warning, First: noon, Last: noon, Times: 2}},
		Step: &guard.Step{Token: "t", Path: []string{"v1.8.0"}, Try: 1, Since: noon},
		Held: []guard.Held{{Action: guard.Action{Kind: guard.StartUpdate}, By: []guard.Reason{{Gate: "mode", Text: "observe", Until: noon}}}},
		Outbox: []guard.Message{{
			Key: "k-1", Thread: "k", News: guard.Opened, Cluster: id("a"), At: noon,
			Finding: guard.Finding{Code: guard.VersionOutdated, Facts: []guard.Fact{{Name: "installed", Value: "v1.7.5"}}},
		}},
		Due: noon, Busy: guard.Busy{By: "me", Until: noon.Add(time.Minute)}, Again: true,
		Meter: guard.Meter{Subnets: []string{"subnet-a"}, Warning: 80, Critical: 95, Level: guard.Fine, Publish: true},
	}
}

func comesBack(t *testing.T, l Ledger) {
	saved := save(t, l, check.Kept{Cluster: id("a"), Record: full()})
	if saved.Version == 0 {
		t.Error("a saved record has version 0")
	}
	k := load(t, l, "a")
	if diff := cmp.Diff(full(), k.Record); diff != "" {
		t.Errorf("-saved +loaded:\n%s", diff)
	}
	if k.Version != saved.Version {
		t.Errorf("version %d, saved as %d", k.Version, saved.Version)
	}
}

func conflict(t *testing.T, l Ledger) {
	first := save(t, l, check.Kept{Cluster: id("a"), Record: guard.Record{Version: "1"}})
	other := load(t, l, "a")
	other.Record.Version = "2"
	save(t, l, other)
	first.Record.Version = "3"
	if _, err := l.Save(t.Context(), first); !errors.Is(err, check.ErrConflict) {
		t.Fatalf("error %v, want a conflict", err)
	}
	if got := load(t, l, "a").Record.Version; got != "2" {
		t.Errorf("the loser's record was kept: %s", got)
	}
}

func firstSavers(t *testing.T, l Ledger) {
	save(t, l, check.Kept{Cluster: id("a")})
	if _, err := l.Save(t.Context(), check.Kept{Cluster: id("a")}); !errors.Is(err, check.ErrConflict) {
		t.Errorf("error %v, want a conflict", err)
	}
}

func racing(t *testing.T, l Ledger) {
	const writers, each = 8, 20
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for done := 0; done < each; {
				k, err := l.Load(t.Context(), id("a"))
				if err != nil {
					t.Error(err)
					return
				}
				k.Record.Sent++
				switch _, err = l.Save(t.Context(), k); {
				case err == nil:
					done++
				case !errors.Is(err, check.ErrConflict):
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if got := load(t, l, "a").Record.Sent; got != writers*each {
		t.Errorf("%d writes are left of %d", got, writers*each)
	}
}

func due(t *testing.T, l Ledger) {
	for name, at := range map[string]time.Time{"late": noon.Add(-time.Hour), "later": noon.Add(-time.Minute), "now": noon, "soon": noon.Add(time.Second), "never": {}} {
		save(t, l, check.Kept{Cluster: id(name), Record: guard.Record{Due: at}})
	}
	expectDue(t, l, noon, "late", "later", "now")
	k := load(t, l, "late")
	k.Record.Due = time.Time{}
	save(t, l, k)
	expectDue(t, l, noon, "later", "now")
}

func busyDue(t *testing.T, l Ledger) {
	save(t, l, check.Kept{Cluster: id("a"), Record: guard.Record{Due: noon, Busy: guard.Busy{By: "x", Until: noon.Add(time.Minute)}}})
	expectDue(t, l, noon)
	expectDue(t, l, noon.Add(time.Minute), "a")
}

func units(t *testing.T, l Ledger) {
	for _, n := range []string{"c", "a", "b"} {
		save(t, l, check.Kept{Cluster: id(n), Record: guard.Record{Version: n}})
	}
	save(t, l, check.Kept{Cluster: cluster.ID{Account: unit.Account, Region: "us-east-1", Name: "d"}})
	save(t, l, check.Kept{Cluster: cluster.ID{Account: "444455556666", Region: unit.Region, Name: "e"}})
	kept, err := l.In(t.Context(), unit)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, k := range kept {
		names = append(names, k.Cluster.Name+"="+k.Record.Version)
	}
	if diff := cmp.Diff([]string{"a=a", "b=b", "c=c"}, names); diff != "" {
		t.Error(diff)
	}
}

func copies(t *testing.T, l Ledger) {
	save(t, l, check.Kept{Cluster: id("a"), Record: full()})
	k := load(t, l, "a")
	k.Record.Told[guard.ReleaseBad] = guard.Told{}
	k.Record.Outbox[0].Key = "changed"
	k.Record.Step.Token = "changed"
	if diff := cmp.Diff(full(), load(t, l, "a").Record); diff != "" {
		t.Errorf("a loaded record is shared with the ledger:\n%s", diff)
	}
}

func orders(t *testing.T, l Ledger) {
	give := func(by string, kind guard.OrderKind, at time.Time) {
		t.Helper()
		o := guard.Order{Kind: kind, By: by, Because: "b", At: at, Until: at.Add(time.Hour), Steps: []string{"v1.8.0"}, Keeps: "k"}
		if err := l.Order(t.Context(), id("a"), o); err != nil {
			t.Fatal(err)
		}
	}
	give("ann", guard.Approval, noon)
	give("bob", guard.Denial, noon.Add(time.Minute))
	give("ann", guard.Denial, noon.Add(2*time.Minute))
	got, err := l.Orders(t.Context(), id("a"))
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, o := range got {
		texts = append(texts, fmt.Sprint(o.By, " ", o.Kind, " ", o.Because, " ", o.Steps, " ", o.Keeps, " ", o.Until.Sub(o.At)))
	}
	if diff := cmp.Diff([]string{"bob deny b [v1.8.0] k 1h0m0s", "ann deny b [v1.8.0] k 1h0m0s"}, texts); diff != "" {
		t.Error(diff)
	}
	if got, err = l.Orders(t.Context(), id("b")); err != nil || len(got) > 0 {
		t.Errorf("another cluster has %v, %v", got, err)
	}
}

func halts(t *testing.T, l Ledger) {
	halted := func() bool {
		t.Helper()
		f, err := l.Fleet(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return f.Halt != nil && f.Halt.By == "ann" && f.Halt.Because == "incident"
	}
	if halted() {
		t.Error("an empty ledger is halted")
	}
	if err := l.Order(t.Context(), cluster.ID{}, guard.Order{Kind: guard.Halting, By: "ann", Because: "incident", At: noon}); err != nil || !halted() {
		t.Error("not halted", err)
	}
	if err := l.Order(t.Context(), cluster.ID{}, guard.Order{Kind: guard.Resuming, By: "bob", At: noon}); err != nil || halted() {
		t.Error("still halted", err)
	}
}

func unknownOrder(t *testing.T, l Ledger) {
	if err := l.Order(t.Context(), id("a"), guard.Order{Kind: "nod", By: "ann", At: noon}); err == nil {
		t.Error("it was taken")
	}
}

func save(t *testing.T, l Ledger, k check.Kept) check.Kept {
	t.Helper()
	k, err := l.Save(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func load(t *testing.T, l Ledger, name string) check.Kept {
	t.Helper()
	k, err := l.Load(t.Context(), id(name))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func expectDue(t *testing.T, l Ledger, now time.Time, want ...string) {
	t.Helper()
	ids, err := l.Due(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, id := range ids {
		names = append(names, id.Name)
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("due, -want +got:\n%s", diff)
	}
}
