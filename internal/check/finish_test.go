package check_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/telemetry"
)

const (
	run1 = "2026-03-02T12:00:00Z"
	run2 = "2026-03-02T18:00:00Z"
)

var (
	ledgerDown    = &fault.Fault{Kind: fault.Retry, Op: "dynamodb:PutItem", Code: "InternalServerError"}
	ledgerDenied  = &fault.Fault{Kind: fault.Terminal, Op: "dynamodb:PutItem", Code: "AccessDeniedException", Need: "dynamodb:PutItem"}
	listThrottled = &fault.Fault{Kind: fault.Retry, Op: "eks:ListClusters", Code: "ThrottlingException"}
	listDenied    = &fault.Fault{Kind: fault.Terminal, Op: "eks:ListClusters", Code: "AccessDeniedException", Need: "eks:ListClusters"}
)

// begin has the fleet's sweep of a run asked for.
func (s *stage) begin(run string) {
	s.t.Helper()
	if err := s.bulk().Sweep(s.t.Context(), run); err != nil {
		s.t.Fatal(err)
	}
}

// sweep does one sweeping.
func (s *stage) sweep(t event.Trigger) error {
	return s.bulk().Sweeping(s.t.Context(), t.Unit, t.After, t.Run)
}

// next takes the first trigger that was asked for and is wanted.
func (s *stage) next(wanted func(event.Trigger) bool) (event.Trigger, bool) {
	i := slices.IndexFunc(s.woken, wanted)
	if i < 0 {
		return event.Trigger{}, false
	}
	t := s.woken[i]
	s.woken = slices.Delete(s.woken, i, i+1)
	return t, true
}

// work does all sweepings that are wanted and what they ask for, and gives how many there were.
func (s *stage) work(wanted func(event.Trigger) bool) (n int) {
	s.t.Helper()
	for ; ; n++ {
		t, more := s.next(func(t event.Trigger) bool { return t.Kind == event.Sweeping && wanted(t) })
		if !more {
			return n
		}
		if err := s.sweep(t); err != nil {
			s.t.Fatal(err)
		}
	}
}

func all(event.Trigger) bool { return true }

func of(u event.Unit) func(event.Trigger) bool {
	return func(t event.Trigger) bool { return t.Unit == u }
}

// wantFinished wants these sweeps to be finished, counted and announced, and no others: "RUN: UNITS units, CHECKED of CLUSTERS".
func (s *stage) wantFinished(want ...string) {
	s.t.Helper()
	var heard, closed []string
	for _, c := range s.heard {
		heard = append(heard, brief(c))
	}
	sweeps, err := s.Memory.Sweeps(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, sw := range sweeps {
		if sw.Coverage != nil && sw.Coverage.Finished() {
			closed = append(closed, brief(*sw.Coverage))
		}
	}
	slices.Sort(heard)
	if diff := cmp.Diff(want, heard, cmpopts.EquateEmpty()); diff != "" {
		s.t.Errorf("announced (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, closed, cmpopts.EquateEmpty()); diff != "" {
		s.t.Errorf("in the ledger (-want +got):\n%s", diff)
	}
	s.finished += counted(s)[telemetry.Sweeps]
	if s.finished != len(want) {
		s.t.Errorf("%d are counted, want %d", s.finished, len(want))
	}
}

func brief(c check.Coverage) string {
	return fmt.Sprintf("%s: %d units, %d of %d", c.Run, c.Units, c.Checked, c.Clusters)
}

// coverage is what a sweep came to; nil: it is open.
func (s *stage) coverage(run string) *check.Coverage {
	s.t.Helper()
	sw, err := s.Memory.Sweep(s.t.Context(), run)
	if err != nil || sw.Run != run {
		s.t.Fatalf("sweep %s: %+v, %v", run, sw, err)
	}
	return sw.Coverage
}

// Both units of the stage's fleet have the same names.
func TestTheLastPartOfTheLastUnitFinishesASweep(t *testing.T) {
	for _, n := range []int{0, 1, 50, 51, 130} {
		t.Run(fmt.Sprintf("%d clusters in each of two units", n), func(t *testing.T) {
			s := fleet(t, numbered(n)...)
			s.begin(run1)
			perUnit := max(1, (n+49)/50)
			for i := 1; i < 2*perUnit; i++ {
				next, _ := s.next(all)
				if err := s.sweep(next); err != nil {
					t.Fatal(err)
				}
				s.wantFinished()
			}
			if rest := s.work(all); rest != 1 {
				t.Errorf("%d parts were left, want 1", rest)
			}
			s.wantFinished(fmt.Sprintf("%s: 2 units, %d of %d", run1, 2*n, 2*n))
		})
	}
}

func TestEachPartCostsOnePutAndAUnitsEndTwoReads(t *testing.T) {
	s := fleet(t, numbered(120)...)
	s.begin(run1)
	s.calls = nil
	s.work(of(unit))
	s.wantLedger(map[string]int{"putpart": 3, "sweep": 1, "parts": 1, "putsweep": 0, "sweeps": 0})
	s.work(of(west))
	s.wantLedger(map[string]int{"putpart": 6, "sweep": 2, "parts": 2, "putsweep": 1, "sweeps": 0})
}

// wantLedger wants so many calls of the ledger, by kind.
func (s *stage) wantLedger(want map[string]int) {
	s.t.Helper()
	for kind, n := range want {
		if got := s.count(kind); got != n {
			s.t.Errorf("%d calls %s, want %d", got, kind, n)
		}
	}
}

func TestTwoSweepsThatOverlapFinishEachForItself(t *testing.T) {
	s := fleet(t, numbered(60)...)
	s.begin(run1)
	s.work(of(west))
	s.now = s.now.Add(time.Hour)
	s.listed = numbered(55)
	s.begin("2026-03-02T13:00:00Z") // a person asks for it
	for len(s.woken) > 0 {          // the newest first
		i := len(s.woken) - 1
		next := s.woken[i]
		s.woken = s.woken[:i]
		if err := s.sweep(next); err != nil {
			t.Fatal(err)
		}
	}
	s.wantFinished(run1+": 2 units, 115 of 115", "2026-03-02T13:00:00Z: 2 units, 110 of 110")
}

func TestASweepThatAUnitDiedInIsGivenUpByTheNextAndCountsNothing(t *testing.T) {
	s := fleet(t, numbered(60)...)
	s.begin(run1)
	late, _ := s.next(of(west))
	s.work(of(unit))
	s.now = s.now.Add(6 * time.Hour)
	s.wantFinished()
	s.begin(run2)
	want := &check.Coverage{
		Run: run1, Begun: noon, Closed: s.now, Units: 2, Clusters: 60, Checked: 60,
		Unfinished: gaps(check.Gap{What: "111122223333/eu-west-1", Because: "its sweep did not finish"}),
	}
	if diff := cmp.Diff(want, s.coverage(run1)); diff != "" {
		t.Errorf("what is known of it (-want +got):\n%s", diff)
	}
	s.wantFinished()
	s.woken = append(s.woken, late) // it was only late
	s.work(all)
	if diff := cmp.Diff(want, s.coverage(run1)); diff != "" {
		t.Errorf("a late part changed it (-want +got):\n%s", diff)
	}
	s.wantFinished(run2 + ": 2 units, 120 of 120")
}

func TestASweepIsNotGivenUpBeforeItsTime(t *testing.T) {
	for after, givenUp := range map[time.Duration]bool{time.Minute: false, 3*time.Hour - 1: false, 3 * time.Hour: true, 5 * time.Hour: true, 100 * time.Hour: true} {
		s := fleet(t, "a")
		s.begin(run1)
		s.now = s.now.Add(after)
		s.begin(run2)
		if got := s.coverage(run1) != nil; got != givenUp || s.coverage(run2) != nil {
			t.Errorf("after %s it is given up: %v", after, got)
		}
	}
}

// The one that should have closed it died.
func TestASweepOfWhichEveryPartIsThereIsFinishedByTheNext(t *testing.T) {
	s := fleet(t, "a")
	s.begin(run1)
	s.work(of(unit))
	last, _ := s.next(all)
	s.fails = failing("putsweep", ledgerDown)
	if err := s.sweep(last); !errors.Is(err, ledgerDown) {
		t.Errorf("Lambda does not try again: %v", err)
	}
	s.fails, s.now = nil, s.now.Add(6*time.Hour)
	s.wantFinished()
	s.begin(run2)
	s.wantFinished(run1 + ": 2 units, 2 of 2")
}

func TestAnAccountThatDeniesIsCoveredWithItsReason(t *testing.T) {
	s := fleet(t, "a", "b")
	s.meddle(named("b"), func(*guard.Record) {})
	s.begin(run1)
	s.work(of(west))
	s.fails = failing("list", listDenied)
	s.work(all)
	s.wantFinished(run1 + ": 2 units, 3 of 3") // of the one that denies those that are recorded
	want := gaps(check.Gap{What: "111122223333/eu-central-1", Because: "eks:ListClusters: AccessDeniedException"})
	if diff := cmp.Diff(want, s.coverage(run1).NotListed); diff != "" {
		t.Errorf("not listed (-want +got):\n%s", diff)
	}
}

// Lambda tries again, and what comes of that counts.
func TestAUnitThatMayBeListedLaterIsNotCoveredBefore(t *testing.T) {
	s := fleet(t, "a")
	s.begin(run1)
	part, _ := s.next(all)
	s.fails = failing("list", listThrottled)
	if err := s.sweep(part); err == nil {
		t.Error("Lambda does not try again")
	}
	s.fails = nil
	s.work(all)
	s.wantFinished()
	if err := s.sweep(part); err != nil {
		t.Error(err)
	}
	s.wantFinished(run1 + ": 2 units, 2 of 2")
	if n := s.coverage(run1).NotListed.Count; n != 0 {
		t.Errorf("%d units were not listed", n)
	}
}

// The failure queue has its event then, and says why. One account must not keep the whole fleet's sweep from being finished.
func TestAUnitThatCouldNeverBeListedIsCoveredByTheNextSweep(t *testing.T) {
	s := fleet(t, "a")
	s.begin(run1)
	s.work(of(west))
	part, _ := s.next(all)
	s.fails = failing("list", listThrottled)
	for range 3 {
		if err := s.sweep(part); err == nil {
			t.Error("Lambda does not try again")
		}
	}
	s.wantFinished()
	s.now = s.now.Add(6 * time.Hour)
	s.begin(run2)
	s.wantFinished(run1 + ": 2 units, 1 of 1")
	want := gaps(check.Gap{What: "111122223333/eu-central-1", Because: "eks:ListClusters: ThrottlingException"})
	if diff := cmp.Diff(want, s.coverage(run1).NotListed); diff != "" {
		t.Errorf("not listed (-want +got):\n%s", diff)
	}
}

func TestChecksThatFailedAreNamedAndCounted(t *testing.T) {
	s := fleet(t, numbered(10)...)
	s.begin(run1)
	s.work(of(west))
	before := s.count("load")
	s.fails = func(n int, call string) error {
		if call == "load" && n > before && n <= before+6 {
			return errors.New("dynamodb\x1b is down")
		}
		return nil
	}
	part, _ := s.next(all)
	if err := s.sweep(part); err != nil {
		t.Fatal(err)
	}
	s.wantFinished(run1 + ": 2 units, 14 of 20")
	missed := s.coverage(run1).NotChecked
	if missed.Count != 6 || len(missed.Some) != 5 || missed.Some[0].What != named("c000").String() ||
		missed.Some[0].Because != "check "+named("c000").String()+": dynamodb is down" {
		t.Errorf("not checked: %+v", missed)
	}
}

func TestThePartThatIsDeliveredTwiceCountsOnce(t *testing.T) {
	for name, before := range map[string]bool{"before the sweep is finished": true, "after it": false} {
		t.Run(name, func(t *testing.T) {
			s := fleet(t, numbered(60)...)
			s.begin(run1)
			twice, _ := s.next(of(west))
			if err := s.sweep(twice); err != nil {
				t.Fatal(err)
			}
			if !before {
				s.work(all)
			}
			if err := s.sweep(twice); err != nil {
				t.Fatal(err)
			}
			s.work(all)
			s.wantFinished(run1 + ": 2 units, 120 of 120")
		})
	}
}

// Both read all parts before either closes.
func TestOfTwoThatEndASweepOneFinishesIt(t *testing.T) {
	s := fleet(t, "a")
	s.begin(run1)
	s.work(of(unit))
	last, _ := s.next(all)
	s.hook = at(s.count("putsweep")+1, "putsweep", func() {
		if err := s.sweep(last); err != nil {
			t.Error(err)
		}
	})
	if err := s.sweep(last); err != nil {
		t.Errorf("Lambda tries again what another has done: %v", err)
	}
	s.wantFinished(run1 + ": 2 units, 2 of 2")
	s.calls = nil
	if err := s.sweep(last); err != nil {
		t.Error(err)
	}
	s.wantLedger(map[string]int{"sweep": 1, "parts": 0, "putsweep": 0}) // of a sweep that is closed
}

func TestTheSweepThatIsAskedForTwiceIsOne(t *testing.T) {
	s := fleet(t, "a")
	s.begin(run1)
	s.work(of(unit))
	s.now = s.now.Add(time.Minute)
	s.begin(run1) // Lambda tries again, or EventBridge delivers it twice
	s.work(of(west))
	s.wantFinished(run1 + ": 2 units, 2 of 2")
	if begun := s.heard[0].Begun; !begun.Equal(noon) {
		t.Errorf("it was opened again, at %s", begun)
	}
	s.work(all)
	s.begin(run1)
	s.work(all)
	s.wantFinished(run1 + ": 2 units, 2 of 2")
}

func TestWhatIsNoSweepOfTheFleetIsNotKept(t *testing.T) {
	for _, run := range []string{"tick", "event 6c0f1a52", "by hand", strings.Repeat("x", 2000)} {
		s := fleet(t, "a")
		if err := s.sweep(event.Trigger{Unit: unit, Run: run}); err != nil {
			t.Fatal(err)
		}
		s.wantLedger(map[string]int{"putpart": 0, "sweep": 0, "parts": 0, "putsweep": 0, "sweeps": 0})
	}
	s := fleet(t, "a")
	if err := s.sweep(event.Trigger{Unit: unit, Run: run1}); err != nil { // one that nobody opened
		t.Fatal(err)
	}
	s.wantFinished()
}

// A part that was not saved must not be forgotten: so the unit does not go on before it is.
func TestAPartThatTheLedgerFailsIsTriedAgain(t *testing.T) {
	s := fleet(t, numbered(60)...)
	s.begin(run1)
	s.work(of(west))
	part, _ := s.next(all)
	s.fails = func(_ int, call string) error {
		if call == "load" && s.count("load")%60 == 7 {
			return errors.New("down")
		}
		return failing("putpart", ledgerDown)(0, call)
	}
	if err := s.sweep(part); !errors.Is(err, ledgerDown) || !strings.Contains(err.Error(), run1) {
		t.Errorf("error %v", err)
	}
	if more, _ := s.next(func(t event.Trigger) bool { return t.Kind == event.Sweeping }); more.Run != "" {
		t.Errorf("it goes on meanwhile: %+v", more)
	}
	if _, asked := s.next(func(t event.Trigger) bool { return t.Kind == event.Check }); !asked {
		t.Error("nobody looks again at the cluster whose check failed")
	}
	s.fails = nil
	s.woken = append(s.woken, part)
	s.work(all)
	s.wantFinished(run1 + ": 2 units, 120 of 120")
}

// Trying again does not help; the clusters are checked all the same. The sweep never finishes, which an alarm tells of.
func TestAPartThatTheLedgerRefusesHoldsBackNoCheck(t *testing.T) {
	s := fleet(t, numbered(60)...)
	s.begin(run1)
	s.fails = failing("putpart", ledgerDenied)
	if n := s.work(all); n != 4 {
		t.Errorf("%d parts were done, want 4", n)
	}
	s.wantFinished()
}

func TestASweepThatCannotBeOpened(t *testing.T) {
	for name, c := range map[string]struct {
		fails string
		fault *fault.Fault
		err   bool
		woken int
	}{
		"for now begins when Lambda tries again":            {"putsweep", ledgerDown, true, 0},
		"for want of a permission begins all the same":      {"putsweep", ledgerDenied, false, 2},
		"though those before it cannot be read, it is open": {"sweeps", ledgerDown, false, 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := fleet(t, "a")
			s.fails = failing(c.fails, c.fault)
			if err := s.bulk().Sweep(t.Context(), run1); (err != nil) != c.err || len(s.woken) != c.woken {
				t.Errorf("error %v, %d units woken", err, len(s.woken))
			}
			s.fails, s.woken = nil, nil
			s.begin(run1)
			s.work(all)
			s.wantFinished(run1 + ": 2 units, 2 of 2")
		})
	}
}

func TestASweepThatTheLedgerFailsAtItsEndIsFinishedWhenLambdaTriesAgain(t *testing.T) {
	for _, kind := range []string{"sweep", "parts", "putsweep"} {
		s := fleet(t, "a")
		s.begin(run1)
		s.work(of(unit))
		last, _ := s.next(all)
		s.fails = failing(kind, ledgerDown)
		if err := s.sweep(last); !errors.Is(err, ledgerDown) {
			t.Errorf("%s: error %v", kind, err)
		}
		s.wantFinished()
		s.fails = nil
		if err := s.sweep(last); err != nil {
			t.Error(err)
		}
		s.wantFinished(run1 + ": 2 units, 2 of 2")
	}
}

func TestASweepThatCannotBeAnnouncedIsFinished(t *testing.T) {
	s := fleet(t, "a")
	s.begin(run1)
	s.fails = failing("swept", errors.New("the bus is gone"))
	s.work(all)
	if c := s.coverage(run1); c == nil || !c.Finished() || counted(s)[telemetry.Sweeps] != 1 {
		t.Errorf("coverage %+v", c)
	}
}

func TestWhatWasDoneIsSavedAlsoWhenTheTimeForWorkIsOver(t *testing.T) {
	s := fleet(t, "a")
	s.begin(run1)
	ctx, cancel := context.WithCancel(t.Context())
	s.hook = at(1, "observe", cancel)
	if err := s.bulk().Sweeping(ctx, unit, "", run1); err != nil {
		t.Error(err)
	}
	if parts, err := s.Memory.Parts(t.Context(), run1); len(parts) != 1 || err != nil {
		t.Errorf("parts %+v, %v", parts, err)
	}
}
