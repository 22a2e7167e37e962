package ledgertest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/event"
)

const run = "2026-03-02T12:00:00Z"

// opened is a sweep of two units that began at an instant.
func opened(run string, begun time.Time) check.Sweep {
	return check.Sweep{Run: run, Begun: begun, Units: []event.Unit{unit, {Account: "444455556666", Region: "eu-west-1"}}}
}

// closed is that sweep with what it came to.
func closed(s check.Sweep, checked int) check.Sweep {
	s.Coverage = &check.Coverage{
		Run: s.Run, Begun: s.Begun, Closed: s.Begun.Add(time.Minute), Units: len(s.Units), Clusters: 7, Checked: checked,
		NotChecked: check.Gaps{Count: 2, Some: []check.Gap{{What: id("a").String(), Because: "throttled"}}},
		NotListed:  check.Gaps{Count: 1, Some: []check.Gap{{What: "444455556666/eu-west-1", Because: "denied"}}},
	}
	return s
}

func putSweep(t *testing.T, l Ledger, s check.Sweep) {
	t.Helper()
	if err := l.PutSweep(t.Context(), s); err != nil {
		t.Fatal(err)
	}
}

// expectSweep wants the sweep of a run to be as it was saved.
func expectSweep(t *testing.T, l Ledger, run string, want check.Sweep) {
	t.Helper()
	got, err := l.Sweep(t.Context(), run)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func neverOpened(t *testing.T, l Ledger) {
	expectSweep(t, l, run, check.Sweep{})
	if all, err := l.Sweeps(t.Context()); len(all) > 0 || err != nil {
		t.Errorf("%v, %v", all, err)
	}
	if parts, err := l.Parts(t.Context(), run); len(parts) > 0 || err != nil {
		t.Errorf("%v, %v", parts, err)
	}
}

func sweepComesBack(t *testing.T, l Ledger) {
	putSweep(t, l, opened(run, noon))
	expectSweep(t, l, run, opened(run, noon))
	expectSweep(t, l, "2026-03-02T18:00:00Z", check.Sweep{})
	putSweep(t, l, closed(opened(run, noon), 5))
	expectSweep(t, l, run, closed(opened(run, noon), 5))
}

func openedOnce(t *testing.T, l Ledger) {
	putSweep(t, l, opened(run, noon))
	again := opened(run, noon.Add(time.Minute))
	if err := l.PutSweep(t.Context(), again); !errors.Is(err, check.ErrConflict) {
		t.Errorf("opened again: %v, want a conflict", err)
	}
	expectSweep(t, l, run, opened(run, noon))
	putSweep(t, l, closed(opened(run, noon), 5))
	if err := l.PutSweep(t.Context(), again); !errors.Is(err, check.ErrConflict) {
		t.Errorf("opened when it was closed: %v, want a conflict", err)
	}
	expectSweep(t, l, run, closed(opened(run, noon), 5))
}

func closedOnce(t *testing.T, l Ledger) {
	if err := l.PutSweep(t.Context(), closed(opened(run, noon), 5)); !errors.Is(err, check.ErrConflict) {
		t.Errorf("closed before it was opened: %v, want a conflict", err)
	}
	expectSweep(t, l, run, check.Sweep{})
	putSweep(t, l, opened(run, noon))
	putSweep(t, l, closed(opened(run, noon), 5))
	if err := l.PutSweep(t.Context(), closed(opened(run, noon), 6)); !errors.Is(err, check.ErrConflict) {
		t.Errorf("closed again: %v, want a conflict", err)
	}
	expectSweep(t, l, run, closed(opened(run, noon), 5))
}

func racingToClose(t *testing.T, l Ledger) {
	putSweep(t, l, opened(run, noon))
	var wg sync.WaitGroup
	var won atomic.Int32
	for i := range 8 {
		wg.Go(func() {
			switch err := l.PutSweep(t.Context(), closed(opened(run, noon), i)); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, check.ErrConflict):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := won.Load(); n != 1 {
		t.Errorf("%d closed it", n)
	}
}

func thousandUnits(t *testing.T, l Ledger) {
	s := opened(run, noon)
	s.Units = nil
	for i := range 1000 {
		s.Units = append(s.Units, event.Unit{Account: fmt.Sprintf("%012d", i), Region: "ap-southeast-1"})
	}
	putSweep(t, l, s)
	done := closed(s, 5)
	long := check.Gap{What: id(strings.Repeat("n", 100)).String(), Because: strings.Repeat("é", 300)}
	for range 20 {
		done.Coverage.NotChecked.Some = append(done.Coverage.NotChecked.Some, long)
		done.Coverage.NotListed.Some = append(done.Coverage.NotListed.Some, long)
		done.Coverage.Unfinished.Some = append(done.Coverage.Unfinished.Some, long)
	}
	putSweep(t, l, done)
	expectSweep(t, l, run, done)
}

func sweeps(t *testing.T, l Ledger) {
	// A person may name the instant that a sweep stands for: the order is that in which they began.
	for i, run := range []string{"2026-03-02T12:00:00Z", "2099-01-01T00:00:00Z", "2026-03-02T18:00:00Z", "1999-01-01T00:00:00Z"} {
		putSweep(t, l, opened(run, noon.Add(time.Duration(i)*time.Hour)))
	}
	putSweep(t, l, closed(opened("2099-01-01T00:00:00Z", noon.Add(time.Hour)), 5))
	all, err := l.Sweeps(t.Context())
	var got []string
	for _, s := range all {
		got = append(got, fmt.Sprint(s.Run, " ", s.Coverage != nil))
	}
	want := []string{"2026-03-02T12:00:00Z false", "2099-01-01T00:00:00Z true", "2026-03-02T18:00:00Z false", "1999-01-01T00:00:00Z false"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func putPart(t *testing.T, l Ledger, run string, p check.Part) {
	t.Helper()
	if err := l.PutPart(t.Context(), run, p); err != nil {
		t.Fatal(err)
	}
}

func expectParts(t *testing.T, l Ledger, run string, want ...check.Part) {
	t.Helper()
	got, err := l.Parts(t.Context(), run)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func partsOfSweep(t *testing.T, l Ledger) {
	west := event.Unit{Account: unit.Account, Region: "eu-west-1"}
	first := check.Part{Unit: unit, Next: "c049", Clusters: 50}
	last := check.Part{Unit: unit, After: "c049", Clusters: 3, NotChecked: check.Gaps{Count: 1, Some: []check.Gap{{What: id("c050").String(), Because: "throttled"}}}}
	denied := check.Part{Unit: west, NotListed: "denied"}
	for _, p := range []check.Part{denied, last, first} { // a sweep need not be known
		putPart(t, l, run, p)
	}
	putPart(t, l, "2026-03-02T12:00:00Z-not", check.Part{Unit: unit, Clusters: 9})
	expectParts(t, l, run, first, last, denied)
	putSweep(t, l, opened(run, noon)) // opening loses none
	putSweep(t, l, closed(opened(run, noon), 5))
	expectParts(t, l, run, first, last, denied)
	expectParts(t, l, "2026-03-02T18:00:00Z")
}

func partAgain(t *testing.T, l Ledger) {
	putPart(t, l, run, check.Part{Unit: unit, Clusters: 50, Next: "c049"})
	putPart(t, l, run, check.Part{Unit: unit, Clusters: 49})
	expectParts(t, l, run, check.Part{Unit: unit, Clusters: 49})
}

func sweepsAreNoRecords(t *testing.T, l Ledger) {
	putSweep(t, l, opened(run, noon))
	putPart(t, l, run, check.Part{Unit: unit, Clusters: 1})
	save(t, l, check.Kept{Cluster: id("a"), Record: full()})
	if kept, err := l.All(t.Context()); err != nil || len(kept) != 1 {
		t.Errorf("records: %v, %v", kept, err)
	}
	if kept, err := l.In(t.Context(), unit); err != nil || len(kept) != 1 {
		t.Errorf("records of the unit: %v, %v", kept, err)
	}
	expectDue(t, l, noon.Add(time.Hour), "a")
}
