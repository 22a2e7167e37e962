// Package ledgertest is what every ledger must do, as tests: run them with Run.
package ledgertest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

// Ledger is a ledger that people can order through and look at.
type Ledger interface {
	check.Ledger
	All(ctx context.Context) ([]check.Kept, error)
	Order(ctx context.Context, id cluster.ID, o guard.Order) error
	Arrive(ctx context.Context, nonce string, at time.Time) error
	Arrived(ctx context.Context, nonce string) (bool, error)
	Report(ctx context.Context, nonce string, t check.Trial) error
	Reported(ctx context.Context, nonce string) (*check.Trial, error)
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
		"a record that was never saved is empty and has version 0":   neverSaved,
		"a saved record comes back whole":                            comesBack,
		"a record that another saved in between is a conflict":       conflict,
		"of two first savers one has a conflict":                     firstSavers,
		"of many racing writers none is lost":                        racing,
		"what is due is listed, the longest overdue first":           due,
		"a busy record is due when its holder must have finished":    busyDue,
		"due times differ by a nanosecond":                           nanoseconds,
		"a unit lists its own records in order of name":              units,
		"a unit has a record of its own, before its clusters":        unitsOwn,
		"all records are listed in order":                            all,
		"there may be more records than fit into one answer":         many,
		"a record of a newer schema is refused":                      newerRecord,
		"what is handed out is a copy":                               copies,
		"of each person the newest order for a cluster holds":        orders,
		"a halt holds until somebody resumes":                        halts,
		"a teardown holds until somebody resumes":                    teardown,
		"an order comes back whole":                                  orderComesBack,
		"of each person the newest word on each finding holds":       words,
		"a word on a finding comes back whole":                       wordComesBack,
		"an order that names no finding though it is about one":      unnamed,
		"an order or a halt of a newer schema is refused":            newerOrder,
		"an unknown kind of order is refused":                        unknownOrder,
		"a probe has arrived from its event on, and for nobody else": probe,
		"a digest that was never saved is empty and has version 0":   noDigest,
		"a saved digest comes back whole, to its owner and instant":  digestComesBack,
		"a digest that another saved in between is a conflict":       digestConflict,
		"digests are due until they are told, apart from records":    digestsDue,
		"the last digests of each hours are remembered":              digested,
		"a digest with all that it may have can be saved":            largestDigest,
		"the fleet's updates come back whole":                        rolloutComesBack,
		"of many who take a slot none is lost":                       racingForSlots,
		"the fleet's updates with all that they may have are saved":  largestRollout,
		"the newest outcome of a sample is known to who asks for it": trial,
		"a sweep that was never opened is none":                      neverOpened,
		"an opened sweep comes back whole":                           sweepComesBack,
		"a sweep is opened once":                                     openedOnce,
		"a sweep is closed once, and only when it is open":           closedOnce,
		"of many who close a sweep one does":                         racingToClose,
		"a thousand units fit into a sweep, and it can be closed":    thousandUnits,
		"sweeps are listed, the one that began last at the end":      sweeps,
		"parts of a sweep come back in order, and of no other":       partsOfSweep,
		"a part that is saved again replaces the one before":         partAgain,
		"sweeps and parts are no records":                            sweepsAreNoRecords,
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

func newerRecord(t *testing.T, l Ledger) {
	save(t, l, check.Kept{Cluster: id("old"), Record: guard.Record{Schema: guard.Schema - 1, Version: "v"}})
	if got := load(t, l, "old").Record.Version; got != "v" {
		t.Errorf("an older record is read as %q", got)
	}
	save(t, l, check.Kept{Cluster: id("new"), Record: guard.Record{Schema: guard.Schema + 1, Due: noon}})
	k, err := l.Load(t.Context(), id("new"))
	if refused(t, "Load", err); k.Version != 0 {
		t.Errorf("with the error comes version %d, over which it could be saved", k.Version)
	}
	_, err = l.In(t.Context(), unit)
	refused(t, "In", err)
	_, err = l.All(t.Context())
	refused(t, "All", err)
	expectDue(t, l, noon, "new") // whoever checks it is told why it cannot be read
}

// refused wants the error to say what to do, and that trying again does not help.
func refused(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), "deploy the newer cniguard") {
		t.Errorf("%s gives %v", what, err)
	} else if f := fault.Of(err); f == nil || f.Kind != fault.Terminal {
		t.Errorf("%s gives the fault %+v", what, f)
	}
}

func probe(t *testing.T, l Ledger) {
	arrived := func(nonce string, want bool) {
		t.Helper()
		if got, err := l.Arrived(t.Context(), nonce); err != nil || got != want {
			t.Errorf("%s arrived: %v, %v; want %v", nonce, got, err, want)
		}
	}
	save(t, l, check.Kept{Cluster: id("a"), Record: full()})
	arrived("A", false)
	for _, at := range []time.Time{noon, noon.Add(time.Minute), noon} { // events may be doubled, and out of order
		if err := l.Arrive(t.Context(), "A", at); err != nil {
			t.Fatal(err)
		}
		arrived("A", true)
		arrived("B", false)
	}
	all, err := l.All(t.Context())
	if diff := cmp.Diff([]string{"a"}, names(all)); diff != "" || err != nil {
		t.Errorf("records: %v %s", err, diff)
	}
	expectDue(t, l, noon.Add(time.Hour), "a")
}

func trial(t *testing.T, l Ledger) {
	reported := func(nonce string, want *check.Trial) {
		t.Helper()
		got, err := l.Reported(t.Context(), nonce)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +reported):\n%s", nonce, err, diff)
		}
	}
	save(t, l, check.Kept{Cluster: id("a"), Record: full()})
	reported("A", nil)
	refused := check.Trial{At: noon, Fault: &fault.Fault{Kind: fault.Terminal, Op: "sns:Publish", Code: "NotFound", Text: "Topic does not exist"}}
	taken := check.Trial{At: noon.Add(time.Minute)}
	for _, one := range []check.Trial{refused, taken} {
		if err := l.Report(t.Context(), "A", one); err != nil {
			t.Fatal(err)
		}
		reported("A", &one)
		reported("B", nil)
	}
	all, err := l.All(t.Context())
	if diff := cmp.Diff([]string{"a"}, names(all)); diff != "" || err != nil {
		t.Errorf("records: %v %s", err, diff)
	}
	expectDue(t, l, noon.Add(time.Hour), "a")
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
