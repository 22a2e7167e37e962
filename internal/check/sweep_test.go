package check_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/telemetry"
)

// fleet has clusters with these names, which EKS lists.
func fleet(t *testing.T, names ...string) *stage {
	s := newStage(t, fine())
	delete(s.seen, prod)
	for _, n := range names {
		seen := fine()
		seen.Alarms = guard.Read([]alarm.Standing{{Spec: kept(named(n)), State: alarm.OK, Since: noon.Add(-time.Hour)}})
		s.seen[named(n)] = seen
	}
	s.listed = names
	return s
}

// numbered are names in order.
func numbered(n int) []string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("c%03d", i))
	}
	return names
}

func (s *stage) wantChecked(want ...string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var got []string
	for _, c := range s.calls {
		if name, ok := strings.CutPrefix(c, "observe "); ok {
			got = append(got, name)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		s.t.Errorf("checked (-want +got):\n%s", diff)
	}
}

func TestASweepChecksWhatIsListedAndWhatIsRecordedOnce(t *testing.T) {
	s := fleet(t, "both", "listed")
	for _, n := range []string{"both", "recorded"} {
		s.meddle(named(n), func(*guard.Record) {})
	}
	s.meddle(named("gone"), func(r *guard.Record) { r.Gone = true })
	s.meddle(cluster.ID{Account: unit.Account, Region: "eu-west-1", Name: "west"}, func(*guard.Record) {})
	if err := s.bulk().Sweeping(t.Context(), unit, "", "run-1"); err != nil {
		t.Fatal(err)
	}
	s.wantChecked("both", "listed", "recorded")
	s.wantWoken()
	if rec := s.record(named("recorded")); rec.Verdict.Word != guard.Gone {
		t.Errorf("a recorded cluster that EKS does not know any more is %q", rec.Verdict.Word)
	}
}

func TestAClusterThatCameBackIsCheckedAgain(t *testing.T) {
	s := fleet(t, "back")
	s.meddle(named("back"), func(r *guard.Record) { r.Gone = true })
	if err := s.bulk().Sweeping(t.Context(), unit, "", "run-1"); err != nil {
		t.Fatal(err)
	}
	s.wantChecked("back")
	if s.record(named("back")).Gone {
		t.Error("it is still taken for gone")
	}
}

func TestASweepGoesOnAfterTheLastClusterUntilAllAreChecked(t *testing.T) {
	for _, n := range []int{0, 1, 49, 50, 51, 100, 101, 130} {
		t.Run(fmt.Sprintf("%d clusters", n), func(t *testing.T) {
			names := numbered(n)
			s := fleet(t, names...)
			s.woken = []event.Trigger{{Kind: event.Sweeping, Unit: unit, Run: "run-1"}}
			invocations := 0
			for ; len(s.woken) > 0; invocations++ {
				next, before := s.woken[0], s.count("observe")
				s.woken = s.woken[1:]
				if next.Kind != event.Sweeping || next.Unit != unit || next.Run != "run-1" {
					t.Fatalf("it asked for %+v", next)
				}
				if err := s.bulk().Sweeping(t.Context(), next.Unit, next.After, next.Run); err != nil {
					t.Fatal(err)
				}
				if did := s.count("observe") - before; did > 50 {
					t.Errorf("%d checks in one invocation", did)
				}
			}
			s.wantChecked(names...)
			if want := max(1, (n+49)/50); invocations != want {
				t.Errorf("it took %d invocations, want %d", invocations, want)
			}
		})
	}
}

func TestASweepHandsOnTheChecksThatFailed(t *testing.T) {
	s := fleet(t, "a", "b", "c")
	s.fails = func(n int, call string) error {
		if call == "load" && n == 2 {
			return errors.New("dynamodb is down")
		}
		return nil
	}
	if err := s.bulk().Sweeping(t.Context(), unit, "", "run-1"); err != nil {
		t.Fatal(err)
	}
	s.wantWoken(checkOf("b"))
}

func TestASweepHandsOnTheUpdatesThatAreDue(t *testing.T) {
	s := fleet(t, "a")
	s.seen[prod], s.listed = outdated(), []string{"a", "prod"}
	if err := s.bulk().Sweeping(t.Context(), unit, "", "run-1"); err != nil {
		t.Fatal(err)
	}
	s.wantWoken(checkOf("prod"))
	if s.count("do") != 0 {
		t.Errorf("changed %v", s.changes())
	}
}

func TestASweepThatCannotListChecksWhatIsRecorded(t *testing.T) {
	for name, c := range map[string]struct {
		fault *fault.Fault
		err   bool            // Lambda tries again
		woken []event.Trigger // what comes next
	}{
		"and is tried again where that may help, and does not go on meanwhile": {
			&fault.Fault{Kind: fault.Retry, Op: "eks:ListClusters"}, true, nil,
		},
		"and goes on with the recorded ones where only a person can help": {
			&fault.Fault{Kind: fault.Terminal, Op: "eks:ListClusters", Need: "eks:ListClusters"}, false,
			[]event.Trigger{{Kind: event.Sweeping, Unit: unit, After: "c049", Run: "run-1"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			names := numbered(60)
			s := fleet(t, names...)
			for _, n := range names {
				s.meddle(named(n), func(*guard.Record) {})
			}
			s.fails = failing("list", c.fault)
			if err := s.bulk().Sweeping(t.Context(), unit, "", "run-1"); (err != nil) != c.err {
				t.Errorf("error %v", err)
			}
			s.wantChecked(names[:50]...)
			s.wantWoken(c.woken...)
			if got := counted(s)[telemetry.NotListed]; got != 1 {
				t.Errorf("%d units counted as not listed", got)
			}
		})
	}
}

// gate is an Observer at which all wait until it is opened.
type gate struct {
	check.Observer
	waiting atomic.Int32
	open    chan struct{}
}

func (g *gate) Observe(ctx context.Context, id cluster.ID) guard.Snapshot {
	g.waiting.Add(1)
	<-g.open
	return g.Observer.Observe(ctx, id)
}

// Fact 2.7/gentle.
func TestASweepChecksFourSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := numbered(40)
		s := fleet(t, names...)
		g := &gate{Observer: s, open: make(chan struct{})}
		e := s.bulk()
		e.Observer, e.Clock = g, busyClock{stillClock{stage: s}}
		swept := make(chan error)
		go func() { swept <- e.Sweeping(t.Context(), unit, "", "run-1") }()
		synctest.Wait()
		if n := g.waiting.Load(); n != 4 {
			t.Errorf("%d checks at the same time", n)
		}
		close(g.open)
		if err := <-swept; err != nil {
			t.Error(err)
		}
		s.wantChecked(names...)
	})
}

// An account that cannot be entered is told, since no cluster of it can be; it is looked at again before the next sweep, and told
// to be over.
func TestAUnitThatCannotBeListedIsToldOnceAndRecovers(t *testing.T) {
	s := fleet(t)
	s.fails = failing("list", &fault.Fault{Kind: fault.Terminal, Op: "sts:AssumeRole", Need: "sts:AssumeRole"})
	for range 3 {
		if err := s.bulk().Sweeping(t.Context(), unit, "", "run"); err != nil {
			t.Fatal(err)
		}
		s.now = s.now.Add(10 * time.Minute)
	}
	s.wantToldOnce(guard.Opened)
	if err := s.bulk().Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.wantWoken(event.Trigger{Kind: event.Sweeping, Unit: unit, Run: "tick"})
	s.fails = nil
	saves := s.count("save")
	for range 2 {
		if err := s.bulk().Sweeping(t.Context(), unit, "", "tick"); err != nil {
			t.Fatal(err)
		}
	}
	s.wantToldOnce(guard.Opened, guard.Recovered)
	if n := s.count("save") - saves; n != 2 { // concluded and told once, and then left alone
		t.Errorf("%d saves", n)
	}
}

// News that could not be published is published later. Else the unit would be due, and swept at every tick, for ever.
func TestTheRecoveryOfAUnitIsToldAlthoughThatFailsAtFirst(t *testing.T) {
	s := fleet(t)
	sweep := func(fails func(int, string) error) {
		t.Helper()
		s.fails = fails
		if err := s.bulk().Sweeping(t.Context(), unit, "", "run"); err != nil {
			t.Fatal(err)
		}
		s.now = s.now.Add(10 * time.Minute)
	}
	sweep(failing("list", &fault.Fault{Kind: fault.Terminal, Op: "eks:ListClusters", Need: "eks:ListClusters"}))
	sweep(failing("tell", &fault.Fault{Kind: fault.Terminal, Op: "sns:Publish", Code: "NotFound"}))
	s.wantToldOnce(guard.Opened)
	if err := s.bulk().Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.wantWoken(event.Trigger{Kind: event.Sweeping, Unit: unit, Run: "tick"})
	sweep(nil)
	s.wantToldOnce(guard.Opened, guard.Recovered)
	s.woken = nil
	if err := s.bulk().Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.wantWoken()
}
