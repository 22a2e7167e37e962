package check_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/policy"
	"github.com/cniguard/cniguard/internal/telemetry"
)

// delegating is a cluster whose nodes take prefixes, with a subnet of its own, one of an account of the fleet and one of a stranger.
func delegating() guard.Snapshot {
	seen := fine()
	seen.Hosts = guard.Read(guard.Hosts{Instances: true, Nodes: []capacity.Nodes{{Type: "m5.large", Count: 2, Interfaces: 1, Prefixes: 2}}})
	own, shared, strange := subnet("subnet-a", 200), subnet("subnet-b", 150), subnet("subnet-c", 150)
	shared.Owner, strange.Owner = "444455556666", "777788889999"
	seen.Pods = guard.Read(capacity.Pods{Subnets: []capacity.Subnet{own, shared, strange}})
	return seen
}

func TestBlocksAreCountedWithTheEyesOfTheSubnetsOwner(t *testing.T) {
	s := newStage(t, delegating())
	p, err := policy.Compile(policy.Document{Version: 1, Fleet: []policy.Member{
		{Account: unit.Account, Regions: []string{unit.Region}}, {Account: "444455556666", Regions: []string{unit.Region}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.policy = p
	s.blocks = map[string]capacity.Blocks{"subnet-a": {Open: 1, Total: 14}, "subnet-b": {Open: 14, Total: 14}}
	plan := s.run(s.bulk())
	var asked []string
	for _, c := range s.calls {
		if len(c) > 6 && c[:6] == "blocks" {
			asked = append(asked, c)
		}
	}
	if diff := cmp.Diff([]string{"blocks of 111122223333 [subnet-a]", "blocks of 444455556666 [subnet-b]"}, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	i := slices.IndexFunc(plan.Findings, func(f guard.Finding) bool { return f.Code == guard.BlocksLow })
	if i < 0 || !slices.ContainsFunc(plan.Findings[i].Facts, func(f guard.Fact) bool { return f.Name == "not known of" }) {
		t.Errorf("found %+v", plan.Findings)
	}
}

func TestOneOwnerWhoCannotBeAskedHidesTheBlocks(t *testing.T) {
	s := newStage(t, delegating())
	s.blocks = map[string]capacity.Blocks{"subnet-a": {Total: 14}}
	s.fails = failing("blocks", &fault.Fault{Kind: fault.Terminal, Op: "ec2:DescribeNetworkInterfaces", Code: "UnauthorizedOperation", Need: "ec2:DescribeNetworkInterfaces"})
	if plan := s.run(s.bulk()); !plan.Blind[guard.BlocksLow] {
		t.Errorf("judged: %+v", plan.Findings)
	}
}

func TestAClusterThatIsShortOfAddressesIsReadOnceADay(t *testing.T) {
	seen := fine()
	seen.Cluster.Value.VPC = "vpc-1"
	seen.Hosts = guard.Read(guard.Hosts{Nodes: []capacity.Nodes{{Type: "m5.large", Count: 1}, {Type: "m5.large", Count: 2, Interfaces: 2}, {Type: "m5.xlarge", Count: 1}}})
	seen.Pods.Value.Subnets[0].Free = 10
	s := newStage(t, seen)
	s.policy = policyOf(t, observing())
	s.metered("also-there", guard.Fine, true, "subnet-a")
	s.metered("elsewhere", guard.Fine, true, "subnet-z")
	s.meddle(named("gone"), func(r *guard.Record) { r.Gone, r.Meter.Subnets = true, []string{"subnet-a"} })
	s.run(s.bulk())
	if !slices.Contains(s.calls, "network vpc-1 of 111122223333 [m5.large m5.xlarge]") || !slices.Contains(s.calls, "helper prod of prod") {
		t.Errorf("read %v", s.calls)
	}
	if got := s.record(prod).Relief.Sharers; !slices.Equal(got, []string{"also-there"}) {
		t.Errorf("shared with %v", got)
	}
	for _, c := range []struct {
		after time.Duration
		reads int
	}{{6 * time.Hour, 1}, {16 * time.Hour, 1}, {2 * time.Hour, 2}} {
		s.now = s.now.Add(c.after)
		s.run(s.bulk())
		if n := s.count("network"); n != c.reads {
			t.Errorf("%s later: read %d times, want %d", c.after, n, c.reads)
		}
	}
}

func TestTheNetworkOfASharedVPCIsReadWithItsOwnersEyes(t *testing.T) {
	seen := fine()
	seen.Pods.Value.Subnets[0].Free, seen.Pods.Value.Subnets[0].Owner = 10, "444455556666"
	for _, c := range []struct {
		fleet string
		want  string
	}{{"444455556666", "network  of 444455556666 []"}, {"777788889999", "network  of 111122223333 []"}} {
		s := newStage(t, seen)
		p, err := policy.Compile(policy.Document{Version: 1, Fleet: []policy.Member{
			{Account: unit.Account, Regions: []string{unit.Region}}, {Account: c.fleet, Regions: []string{unit.Region}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		s.policy = p
		s.run(s.bulk())
		if !slices.Contains(s.calls, c.want) {
			t.Errorf("with %s in the fleet: %v", c.fleet, s.calls)
		}
	}
}

func TestACheckThatAnAlarmAskedForNotesThatItWasHeard(t *testing.T) {
	s := newStage(t, fine())
	s.policy = policyOf(t, observing())
	s.run(s.bulk())
	s.now = noon.Add(time.Hour)
	e := s.engine("alarm")
	e.Heard = true
	s.run(e)
	if rung := s.record(prod).Rung; rung != (guard.Rung{From: noon, Last: noon.Add(time.Hour)}) {
		t.Errorf("%+v", rung)
	}
	// Also where another check is at work, which was asked to look again already.
	s.meddle(prod, func(r *guard.Record) { r.Busy, r.Again = guard.Busy{By: "other", Until: noon.Add(3 * time.Hour)}, true })
	s.now = noon.Add(2 * time.Hour)
	s.run(e)
	if rung := s.record(prod).Rung; rung.Last != noon.Add(2*time.Hour) {
		t.Errorf("beside another check: %+v", rung)
	}
}

func TestTheMeterPublishesWhatTheFurtherAlarmsWatch(t *testing.T) {
	s := newStage(t, fine())
	s.subnets = []capacity.Subnet{subnet("subnet-a", 200), subnet("subnet-b", 150)}
	s.blocks = map[string]capacity.Blocks{"subnet-a": {Open: 1, Total: 10}, "subnet-b": {Open: 9, Total: 10}}
	for name, level := range map[string]string{"a": guard.Fine, "b": guard.CriticalWord, "c": guard.Unknown} {
		s.metered(name, guard.Fine, true, "subnet-a", "subnet-b")
		s.meddle(named(name), func(r *guard.Record) {
			r.Meter.Blocks, r.Meter.BlocksLevel, r.Meter.Days = []string{"subnet-a"}, level, true
			r.Outlook = guard.Outlook{At: noon.Add(-24 * time.Hour), Outlook: capacity.Outlook{Days: 9, High: 10}}
		})
	}
	s.metered("plain", guard.Fine, true, "subnet-b")
	if err := s.bulk().Metering(t.Context(), unit, noon); err != nil {
		t.Fatal(err)
	}
	if n := s.count("blocks"); n != 1 {
		t.Errorf("%d calls for the blocks of the unit", n)
	}
	of := func(cluster string) (metrics map[string]float64) {
		metrics = map[string]float64{}
		for _, v := range s.values {
			if v.Cluster == cluster {
				metrics[v.Metric] = v.Value
			}
		}
		return metrics
	}
	if got := of("a"); len(got) != 3 || got[alarm.Blocks] != 90 || got[alarm.Days] != 8 {
		t.Errorf("of a cluster with all alarms: %v", got)
	}
	if got := of("plain"); len(got) != 1 {
		t.Errorf("of one without: %v", got)
	}
	s.wantWoken(checkOf("a"), checkOf("b")) // 90 % is a warning: more than fine, and less than critical
}

func TestBlocksThatCannotBeCountedKeepNothingElseBack(t *testing.T) {
	s := newStage(t, fine())
	s.subnets = []capacity.Subnet{subnet("subnet-a", 200)}
	s.metered("a", guard.Fine, true, "subnet-a")
	s.meddle(named("a"), func(r *guard.Record) { r.Meter.Blocks, r.Meter.BlocksLevel = []string{"subnet-a"}, guard.Fine })
	s.fails = failing("blocks", errors.New("down"))
	if err := s.bulk().Metering(t.Context(), unit, noon); err != nil || len(s.values) != 1 || counted(s)[telemetry.NotMetered] != 1 {
		t.Errorf("%v; published %v; %d not metered", err, s.values, counted(s)[telemetry.NotMetered])
	}
	s.wantWoken()
}

func TestASweepDropsTheAlarmsOfClustersThatNobodyKnows(t *testing.T) {
	ghost := "cniguard-ghost-days-left"
	for name, c := range map[string]struct {
		prepare func(*stage)
		after   string
		dropped int
	}{
		"of one that is neither listed nor recorded": {func(*stage) {}, "", 1},
		"not of one that is listed":                  {func(s *stage) { s.listed = []string{"ghost", "prod"} }, "", 0},
		"not of one that is recorded, which its check takes leave of": {func(s *stage) {
			s.meddle(named("ghost"), func(r *guard.Record) { r.Seen = noon })
		}, "", 0},
		"of one whose record says that it is gone":       {func(s *stage) { s.meddle(named("ghost"), func(r *guard.Record) { r.Gone = true }) }, "", 1},
		"not where the clusters could not be listed":     {func(s *stage) { s.fails = failing("list", &fault.Fault{Kind: fault.Terminal, Code: "AccessDenied"}) }, "", 0},
		"not where the alarms could not be listed":       {func(s *stage) { s.fails = failing("alarms", errors.New("down")) }, "", 0},
		"not in the continuation, which looks at a part": {func(*stage) {}, "a", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, fine())
			s.listed, s.standing = []string{"prod"}, []string{ghost, "cniguard-prod-pod-subnets"}
			c.prepare(s)
			_ = s.bulk().Sweeping(t.Context(), unit, c.after, "r")
			n := 0
			for _, call := range s.changes() {
				if call == "do drop alarm of ghost" {
					n++
				}
			}
			if n != c.dropped {
				t.Errorf("dropped %d, want %d: %v", n, c.dropped, s.changes())
			}
			i, j := slices.Index(s.calls, "alarms of "+unit.Account), slices.Index(s.calls, "list after="+c.after)
			if c.after == "" && i > j {
				t.Error("the clusters are listed first: one that is created in between would lose its alarm")
			}
		})
	}
}
