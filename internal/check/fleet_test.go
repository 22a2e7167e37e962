package check_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/telemetry"
)

var (
	throttled = &fault.Fault{Kind: fault.Retry, Op: "ec2:DescribeSubnets", Code: "RequestLimitExceeded"}
	denied    = &fault.Fault{Kind: fault.Terminal, Op: "ec2:DescribeSubnets", Code: "UnauthorizedOperation", Need: "ec2:DescribeSubnets"}
)

func TestTickAsksForWhatIsDueInTheFleetTheLongestOverdueFirst(t *testing.T) {
	s := newStage(t, fine())
	due := func(id cluster.ID, after time.Duration) {
		s.meddle(id, func(r *guard.Record) { r.Due = noon.Add(after) })
	}
	due(named("later"), time.Nanosecond)
	due(named("now"), 0)
	due(named("overdue"), -time.Hour)
	due(cluster.ID{Account: "999999999999", Region: unit.Region, Name: "foreign"}, -time.Hour)
	due(cluster.ID{Account: unit.Account, Region: "us-east-1", Name: "elsewhere"}, -time.Hour)
	s.meddle(named("never"), func(*guard.Record) {})
	s.meddle(named("busy"), func(r *guard.Record) {
		r.Due, r.Busy = noon.Add(-time.Hour), guard.Busy{By: "other", Until: noon.Add(time.Minute)}
	})
	if err := s.bulk().Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.wantWoken(checkOf("overdue"), checkOf("now"))
	s.wantChanges("wake")
}

func TestTickWithNothingDueAsksForNothing(t *testing.T) {
	s := newStage(t, fine())
	if err := s.bulk().Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.wantChanges()
}

func TestMeterAndSweepAskForEveryUnitOfTheFleet(t *testing.T) {
	west := event.Unit{Account: unit.Account, Region: "eu-west-1"}
	s := newStage(t, fine())
	if err := s.bulk().Meter(t.Context(), noon); err != nil {
		t.Fatal(err)
	}
	if err := s.bulk().Sweep(t.Context(), "run-1"); err != nil {
		t.Fatal(err)
	}
	s.wantWoken(
		event.Trigger{Kind: event.Metering, Unit: unit, At: noon}, event.Trigger{Kind: event.Metering, Unit: west, At: noon},
		event.Trigger{Kind: event.Sweeping, Unit: unit, Run: "run-1"}, event.Trigger{Kind: event.Sweeping, Unit: west, Run: "run-1"},
	)
	for _, trigger := range s.woken {
		if _, _, _, err := event.Encode(trigger); err != nil {
			t.Errorf("the waker cannot write it: %v", err)
		}
	}
}

func TestWhatTheLedgerOrTheWakerCannotDoIsAnError(t *testing.T) {
	down := errors.New("down")
	for name, c := range map[string]struct {
		fails string
		do    func(*stage) error
	}{
		"a tick without a ledger":     {"due", func(s *stage) error { return s.bulk().Tick(s.t.Context()) }},
		"a tick without a waker":      {"wake", func(s *stage) error { return s.bulk().Tick(s.t.Context()) }},
		"a meter without a waker":     {"wake", func(s *stage) error { return s.bulk().Meter(s.t.Context(), noon) }},
		"a sweep without a waker":     {"wake", func(s *stage) error { return s.bulk().Sweep(s.t.Context(), "r") }},
		"metering without a ledger":   {"in", func(s *stage) error { return s.bulk().Metering(s.t.Context(), unit, noon) }},
		"metering without a waker":    {"wake", func(s *stage) error { return s.bulk().Metering(s.t.Context(), unit, noon) }},
		"sweeping without a ledger":   {"in", func(s *stage) error { return s.bulk().Sweeping(s.t.Context(), unit, "", "r") }},
		"handing on without a waker":  {"wake", func(s *stage) error { _, err := s.bulk().Check(s.t.Context(), prod); return err }},
		"metering throttled":          {"subnets", func(s *stage) error { return s.bulk().Metering(s.t.Context(), unit, noon) }},
		"publishing throttled":        {"publish", func(s *stage) error { return s.bulk().Metering(s.t.Context(), unit, noon) }},
		"a sweep that cannot be read": {"list", func(s *stage) error { return s.bulk().Sweeping(s.t.Context(), unit, "", "r") }},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, outdated())
			s.metered("metered", guard.Fine, true, "subnet-a")
			s.metered("crossed", guard.Fine, true, "subnet-full")
			s.meddle(prod, func(r *guard.Record) { r.Due = noon })
			s.subnets = []capacity.Subnet{subnet("subnet-a", 200), subnet("subnet-full", 0)}
			s.fails = failing(c.fails, down)
			if err := c.do(s); !errors.Is(err, down) {
				t.Errorf("error %v, want the failure", err)
			}
		})
	}
}

// metered gives a cluster a record with pod subnets.
func (s *stage) metered(name, level string, publish bool, subnets ...string) {
	s.meddle(named(name), func(r *guard.Record) {
		r.Seen = noon
		r.Meter = guard.Meter{Subnets: subnets, Warning: 80, Critical: 95, Publish: publish, Level: level}
	})
}

func TestMetering(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(*stage)
		percent map[string]float64
		woken   []event.Trigger
		missed  int
	}{
		"the worst pod subnet of each cluster is published": {
			func(s *stage) {
				s.metered("a", guard.Fine, true, "subnet-half", "subnet-empty")
				s.metered("b", guard.Fine, true, "subnet-empty")
			}, map[string]float64{"a": 50.199203187251, "b": 0}, nil, 0,
		},
		"a cluster whose alarm is off is not published, and watched all the same": {
			func(s *stage) { s.metered("a", guard.Fine, false, "subnet-full") }, nil, []event.Trigger{checkOf("a")}, 0,
		},
		"a level that rises asks for a check":            {func(s *stage) { s.metered("a", guard.Fine, true, "subnet-warn") }, map[string]float64{"a": 80.0796812749004}, []event.Trigger{checkOf("a")}, 0},
		"a level that stays asks for none":               {func(s *stage) { s.metered("a", guard.WarningWord, true, "subnet-warn") }, map[string]float64{"a": 80.0796812749004}, nil, 0},
		"a level that falls asks for a check":            {func(s *stage) { s.metered("a", guard.CriticalWord, true, "subnet-half") }, map[string]float64{"a": 50.199203187251}, []event.Trigger{checkOf("a")}, 0},
		"a level just below its threshold asks for none": {func(s *stage) { s.metered("a", guard.WarningWord, true, "subnet-almost") }, map[string]float64{"a": 79.2828685258964}, nil, 0},
		"subnets that have vanished are counted, and ask for a check": {
			func(s *stage) { s.metered("a", guard.Fine, true, "subnet-gone") }, nil, []event.Trigger{checkOf("a")}, 1,
		},
		"where the pod subnets could not be read, that is looked at again at its own times": {
			func(s *stage) {
				s.metered("a", guard.Unknown, true, "subnet-gone")
				s.metered("b", guard.Unknown, true, "subnet-full")
			}, map[string]float64{"b": 100}, nil, 1,
		},
		"of several the rest still counts": {
			func(s *stage) { s.metered("a", guard.Fine, true, "subnet-gone", "subnet-half") }, map[string]float64{"a": 50.199203187251}, nil, 0,
		},
		"a cluster without pod subnets is not metered": {func(s *stage) { s.metered("a", guard.Fine, true) }, nil, nil, 0},
		"a cluster of another region is not metered here": {func(s *stage) {
			s.meddle(cluster.ID{Account: unit.Account, Region: "eu-west-1", Name: "west"}, func(r *guard.Record) {
				r.Meter = guard.Meter{Subnets: []string{"subnet-full"}, Warning: 80, Critical: 95, Publish: true, Level: guard.Fine}
			})
		}, nil, nil, 0},
		"the thresholds are the cluster's own": {func(s *stage) {
			s.meddle(named("a"), func(r *guard.Record) {
				r.Meter = guard.Meter{Subnets: []string{"subnet-half"}, Warning: 50, Critical: 95, Publish: true, Level: guard.Fine}
			})
		}, map[string]float64{"a": 50.199203187251}, []event.Trigger{checkOf("a")}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, fine())
			s.subnets = []capacity.Subnet{
				subnet("subnet-empty", 251), subnet("subnet-half", 125), subnet("subnet-warn", 50), subnet("subnet-almost", 52), subnet("subnet-full", 0),
			}
			c.prepare(s)
			if err := s.bulk().Metering(t.Context(), unit, noon); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.percent, s.percent, cmpopts.EquateApprox(0, 1e-9), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("published (-want +got):\n%s", diff)
			}
			if published := s.count("publish"); published > 0 && len(c.percent) == 0 {
				t.Error("nothing was published with a call of its own")
			}
			s.wantWoken(c.woken...)
			if got := counted(s)[telemetry.NotMetered]; got != c.missed {
				t.Errorf("%d counted as not metered, want %d", got, c.missed)
			}
		})
	}
}

func TestMeteringReadsEachSubnetOnceAndStampsWithTheTicksTime(t *testing.T) {
	s := newStage(t, fine())
	s.metered("a", guard.Fine, true, "subnet-b", "subnet-a")
	s.metered("b", guard.Fine, true, "subnet-a", "subnet-c")
	s.subnets = []capacity.Subnet{subnet("subnet-a", 200), subnet("subnet-b", 200), subnet("subnet-c", 200)}
	s.now = noon.Add(17 * time.Second)
	if err := s.bulk().Metering(t.Context(), unit, noon); err != nil {
		t.Fatal(err)
	}
	s.wantChanges("subnets [subnet-a subnet-b subnet-c]", "publish 111122223333 eu-central-1 12:00:00")
}

func TestMeteringAUnitWithoutClustersCallsNobody(t *testing.T) {
	s := newStage(t, fine())
	if err := s.bulk().Metering(t.Context(), unit, noon); err != nil {
		t.Fatal(err)
	}
	s.wantChanges()
}

func TestAUnitThatDeniesIsCountedAndNotTriedAgain(t *testing.T) {
	s := newStage(t, fine())
	s.metered("a", guard.Fine, true, "subnet-a")
	s.metered("b", guard.Fine, true, "subnet-a")
	s.fails = failing("subnets", denied)
	if err := s.bulk().Metering(t.Context(), unit, noon); err != nil {
		t.Errorf("Lambda would try again: %v", err)
	}
	s.wantCounts(map[telemetry.Counter]int{telemetry.NotMetered: 2})
	s.fails = failing("subnets", throttled)
	err := s.bulk().Metering(t.Context(), unit, noon)
	if !errors.Is(err, throttled) || !strings.Contains(err.Error(), unit.Account) || !strings.Contains(err.Error(), unit.Region) {
		t.Errorf("error %v, want the throttling with account and region", err)
	}
}

func TestChecksAreAskedForAlsoWhereTheMetricCannotBePublished(t *testing.T) {
	for name, f := range map[string]*fault.Fault{"denied": denied, "throttled": throttled} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, fine())
			s.metered("a", guard.Fine, true, "subnet-full")
			s.subnets = []capacity.Subnet{subnet("subnet-full", 0)}
			s.fails = failing("publish", f)
			if err := s.bulk().Metering(t.Context(), unit, noon); (err != nil) != (f == throttled) {
				t.Errorf("error %v", err)
			}
			s.wantWoken(checkOf("a"))
		})
	}
}

func TestWhatACheckMetersIsWhatTheMeterReads(t *testing.T) {
	s := newStage(t, fine())
	s.run(s.engine("first"))
	s.calls, s.subnets = nil, []capacity.Subnet{subnet("subnet-a", 200), subnet("subnet-b", 150)}
	if err := s.bulk().Metering(t.Context(), unit, noon); err != nil {
		t.Fatal(err)
	}
	s.wantChanges("subnets [subnet-a subnet-b]", "publish 111122223333 eu-central-1 12:00:00")
	s.wantWoken()
}

func TestMeteringCountsWhatNoSweepHasLookedAt(t *testing.T) {
	s := newStage(t, fine())
	seen := func(id cluster.ID, ago time.Duration, gone bool) {
		s.meddle(id, func(r *guard.Record) { r.Seen, r.Gone = noon.Add(-ago), gone })
	}
	seen(named("just now"), time.Minute, false)
	seen(named("two sweeps ago"), 12*time.Hour, false)
	seen(named("missed"), 12*time.Hour+time.Nanosecond, false)
	seen(named("long missed"), 100*time.Hour, false)
	seen(named("gone"), 100*time.Hour, true)
	seen(cluster.ID{Account: unit.Account, Region: unit.Region}, 100*time.Hour, false) // the unit's own record
	if err := s.bulk().Metering(t.Context(), unit, noon); err != nil {
		t.Fatal(err)
	}
	if got := counted(s)[telemetry.Overdue]; got != 2 {
		t.Errorf("%d are counted", got)
	}
}
