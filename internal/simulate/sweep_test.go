package simulate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/app"
	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
)

// swept is a run over several accounts, with what it says of its sweeps.
type swept struct {
	*simulate.Run
	t         *testing.T
	log       bytes.Buffer
	announced []check.Coverage
	lost      int // puts of a closed sweep that another had closed
}

// members are accounts of the swept fleet.
func member(i int) string { return fmt.Sprintf("%012d", 222200000000+i) }

// sweepFleet runs a fleet of so many accounts in one region, each with so many clusters, on a ledger in a table.
func sweepFleet(t *testing.T, seed uint64, accounts, clusters int, change func(*world.Spec, *simulate.Options)) *swept {
	t.Helper()
	var vpcs, each, fleet strings.Builder
	for i := range accounts {
		fmt.Fprintf(&vpcs, "  - {id: vpc-%d, account: %q, region: eu-central-1, subnets: [{id: subnet-%d, cidr: 10.0.0.0/16}]}\n", i, member(i), i)
		if clusters > 0 {
			fmt.Fprintf(&each, "  - {name: c, account: %q, region: eu-central-1, kubernetes: \"1.33\", vpc: vpc-%d, nodegroups: [{name: blue, subnets: [subnet-%d]}], "+
				"addon: {version: v1.19.0-eksbuild.1}, copies: %d}\n", member(i), i, i, clusters)
		}
		fmt.Fprintf(&fleet, "  - {account: %q, regions: [eu-central-1]}\n", member(i))
	}
	s, err := world.ReadSpec("world.yaml", fmt.Appendf(nil, `
start: 2026-03-02T08:00:00Z
hub: {account: "111122223333", region: eu-central-1}
vpcs:
%sclusters:
%scatalogues:
  "1.33": [{version: v1.19.0-eksbuild.1, compatible: true, default: true}]
`, &vpcs, &each))
	if err != nil {
		t.Fatal(err)
	}
	run := &swept{t: t}
	o := simulate.Options{Seed: seed, Table: true, Log: &run.log}
	if change != nil {
		change(&s, &o)
	}
	run.Run, err = simulate.Start(s, rules(t, "version: 1\nfleet:\n"+fleet.String()+"defaults: {daysLeft: off}\n"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(run.Close)
	run.World.Watch(run.see)
	return run
}

func (s *swept) see(e world.Entry) {
	if e.Kind == world.Sent && e.What == "published" && strings.HasPrefix(e.Text, "cniguard.news, Sweep Finished") {
		var said struct{ Detail check.Coverage }
		if err := json.Unmarshal(e.Data.([]byte), &said); err != nil {
			s.t.Error(err)
		}
		s.announced = append(s.announced, said.Detail)
	}
	if e.Call == nil {
		return
	}
	if in, ok := e.Call.In.(*dynamodb.PutItemInput); ok && e.Call.Err != nil {
		if key, ok := in.Item["pk"].(*types.AttributeValueMemberS); ok && key.Value == "SWEEP" {
			s.lost++
		}
	}
}

// counted are the sweeps that the metrics have as finished.
func (s *swept) counted() (n int) {
	for line := range bytes.Lines(s.log.Bytes()) {
		var metrics struct {
			Function string
			Sweeps   int
		}
		if err := json.Unmarshal(line, &metrics); err != nil {
			s.t.Fatal(err)
		}
		if n += metrics.Sweeps; metrics.Sweeps > 0 && metrics.Function != "bulk" {
			s.t.Errorf("%s has finished a sweep: the alarm looks at bulk", metrics.Function)
		}
	}
	return n
}

// wantSweeps wants so many sweeps to be finished, counted, announced and in the ledger, all the same, and so many given up.
func (s *swept) wantSweeps(finished, givenUp int) {
	s.t.Helper()
	all, err := s.Ledger.Sweeps(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	var closed []check.Coverage
	gaveUp := 0
	for _, sweep := range all {
		switch {
		case sweep.Coverage == nil:
		case sweep.Coverage.Finished():
			closed = append(closed, *sweep.Coverage)
		default:
			gaveUp++
		}
	}
	if diff := cmp.Diff(closed, s.announced); diff != "" {
		s.t.Errorf("(-in the ledger +announced):\n%s", diff)
	}
	if n := s.counted(); len(closed) != finished || n != finished || gaveUp != givenUp {
		s.t.Errorf("%d are finished, %d counted, %d given up; want %d and %d", len(closed), n, gaveUp, finished, givenUp)
	}
}

// newest is the coverage of the sweep that began last.
func (s *swept) newest() check.Coverage {
	s.t.Helper()
	all, err := s.Ledger.Sweeps(s.t.Context())
	if err != nil || len(all) == 0 || all[len(all)-1].Coverage == nil {
		s.t.Fatalf("%+v, %v", all, err)
	}
	return *all[len(all)-1].Coverage
}

// Nothing in these worlds takes time, so that the parts of all units come to their end at one instant, in an order that the seed draws.
func TestOfUnitsThatEndAtTheSameTimeOneFinishesTheSweep(t *testing.T) {
	lost := 0
	for seed := range uint64(4) {
		s := sweepFleet(t, seed, 12, 1, func(s *world.Spec, _ *simulate.Options) {
			s.Behaviour.PageSize = 5
			s.Behaviour.EventsDoubled = .3
		})
		s.For(7 * hour)
		s.wantSweeps(2, 0)
		if c := s.newest(); c.Units != 12 || c.Clusters != 12 || c.Checked != 12 {
			t.Errorf("seed %d: %+v", seed, c)
		}
		lost += s.lost
	}
	if lost == 0 {
		t.Error("no two units ever closed a sweep at the same time: this shows nothing")
	}
}

func TestASweepOfManyPartsIsFinishedWhenAllAreDone(t *testing.T) {
	s := sweepFleet(t, 1, 2, 130, func(s *world.Spec, _ *simulate.Options) {
		s.Behaviour.Latency = world.Range{Min: 10 * time.Millisecond, Max: 200 * time.Millisecond}
	})
	s.For(time.Minute + 5*time.Second)
	s.wantSweeps(0, 0)
	s.For(5 * hour)
	s.wantSweeps(1, 0)
	if c := s.newest(); c.Clusters != 260 || c.Checked != 260 {
		t.Errorf("%+v", c)
	}
}

// dying is a ledger that one unit's parts never reach: the function is cut off by its time-out.
type dying struct {
	app.Ledger
	clock clock.Clock
	unit  event.Unit
	until time.Time
}

func (d dying) PutPart(ctx context.Context, run string, p check.Part) error {
	if p.Unit == d.unit && d.clock.Now().Before(d.until) {
		return d.clock.Sleep(context.WithoutCancel(ctx), hour)
	}
	return d.Ledger.PutPart(ctx, run, p)
}

func TestAUnitThatDiesLeavesItsSweepUnfinishedUntilTheNextBegins(t *testing.T) {
	dead := event.Unit{Account: member(1), Region: "eu-central-1"}
	s := sweepFleet(t, 1, 3, 2, func(s *world.Spec, o *simulate.Options) {
		o.Alter = func(p *app.Parts) { p.Ledger = dying{p.Ledger, p.Clock, dead, s.Start.Add(5 * hour)} }
	})
	s.For(6 * hour)
	s.wantSweeps(0, 0)
	if n := len(s.World.FailureQueue()); n != 1 {
		t.Errorf("%d events in the failure queue", n)
	}
	s.For(2 * time.Minute)
	all, err := s.Ledger.Sweeps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := check.Gaps{Count: 1, Some: []check.Gap{{What: member(1) + "/eu-central-1", Because: "its sweep did not finish"}}}
	if c := all[0].Coverage; c == nil || c.Checked != 4 || cmp.Diff(want, c.Unfinished) != "" {
		t.Errorf("the first sweep: %+v", c)
	}
	s.wantSweeps(1, 1)
	if c := s.newest(); c.Checked != 6 {
		t.Errorf("the second sweep: %+v", c)
	}
	if !strings.Contains(s.log.String(), `"message":"sweep given up"`) || !strings.Contains(s.log.String(), `"message":"sweep finished"`) {
		t.Error("the log does not say what became of the sweeps")
	}
}

func TestUnitsThatCannotBeListedAreNamedAndHoldBackNoSweep(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*world.Spec)
		why    string
	}{
		"an account that denies to be entered": {func(s *world.Spec) {
			s.Faults = []world.Fault{{Service: "sts", Account: member(1), Code: "AccessDenied", From: hour}}
		}, "AccessDenied"},
		"an account that denies to be listed": {func(s *world.Spec) {
			s.Faults = []world.Fault{{Service: "eks", Operation: "ListClusters", Account: member(1), Code: "AccessDeniedException", From: hour}}
		}, "AccessDeniedException"},
		"a region that is switched off": {func(s *world.Spec) {
			s.Disabled = []world.Disabled{{Account: member(1), Region: "eu-central-1", From: hour}}
		}, "UnrecognizedClientException"},
	} {
		t.Run(name, func(t *testing.T) {
			s := sweepFleet(t, 1, 3, 2, func(s *world.Spec, _ *simulate.Options) { c.change(s) })
			s.For(6 * hour)
			s.wantSweeps(1, 0)
			s.For(18 * hour)
			s.wantSweeps(4, 0)
			got := s.newest()
			if n := got.NotListed; got.Clusters != 6 || n.Count != 1 || n.Some[0].What != member(1)+"/eu-central-1" || !strings.Contains(n.Some[0].Because, c.why) {
				t.Errorf("%+v", got)
			}
		})
	}
}

// The dead-man alarm rests on it: silence must mean that something is wrong, and something wrong silence.
func TestASweepThatNeverFinishesIsNeverCounted(t *testing.T) {
	s := sweepFleet(t, 1, 2, 1, func(s *world.Spec, o *simulate.Options) {
		o.Alter = func(p *app.Parts) {
			p.Ledger = dying{p.Ledger, p.Clock, event.Unit{Account: member(0), Region: "eu-central-1"}, s.Start.Add(100 * day)}
		}
	})
	s.For(day + hour)
	s.wantSweeps(0, 4)
}
