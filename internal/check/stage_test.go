package check_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/ledger"
	"github.com/cniguard/cniguard/internal/policy"
	"github.com/cniguard/cniguard/internal/telemetry"
)

var (
	noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	unit = event.Unit{Account: "111122223333", Region: "eu-central-1"}
	prod = named("prod")
)

func named(name string) cluster.ID {
	return cluster.ID{Account: unit.Account, Region: unit.Region, Name: name}
}

// stage is a piece of AWS and a ledger, which write down what an engine does to them. One unit has clusters; all look alike.
type stage struct {
	*ledger.Memory
	t      *testing.T
	policy *policy.Policy
	counts telemetry.Counts

	mu    sync.Mutex
	now   time.Time
	calls []string                    // in their order
	hook  func(n int, call string)    // at the n-th call of this kind, from 1, before it has an effect
	fails func(n int, c string) error // asked after the hook: the call has no effect and this error
	lost  func(n int) bool            // whether the n-th save has its effect and an error all the same

	seen     map[cluster.ID]guard.Snapshot
	update   *guard.Update // of the add-on, that UpdateAddon started
	outcome  func(guard.Action) guard.Outcome
	listed   []string
	subnets  []capacity.Subnet
	percent  map[string]float64
	values   []alarm.Value // all that was published
	blocks   map[string]capacity.Blocks
	standing []string         // names of alarms in the unit
	history  []capacity.Point // nil: none
	told     []guard.Message
	others   []*place // topics beside the one that the stage is
	woken    []event.Trigger
	heard    []check.Coverage // of sweeps that finished, on the bus of the hub
	finished int              // sweeps that were counted so far

	lastChange guard.LastChange
	catalogue  []cni.Release
}

// newStage has one cluster, prod.
func newStage(t *testing.T, seen guard.Snapshot) *stage {
	t.Helper()
	s := &stage{
		t: t, Memory: ledger.NewMemory(), now: noon, policy: policyOf(t, policy.Set{Mode: new("auto"), Owner: new("cniguard")}),
		seen: map[cluster.ID]guard.Snapshot{prod: seen},
	}
	for _, h := range s.policy.DigestHours() { // the last ones were made
		if err := s.SetDigested(t.Context(), h.String(), h.Last(noon)); err != nil {
			t.Fatal(err)
		}
	}
	s.calls = nil
	return s
}

func policyOf(t *testing.T, defaults policy.Set) *policy.Policy {
	t.Helper()
	p, err := policy.Compile(policy.Document{
		Version: 1, Fleet: []policy.Member{{Account: unit.Account, Regions: []string{unit.Region, "eu-west-1"}}}, Defaults: defaults,
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// engine is an engine of the urgent function, in an invocation of that name.
func (s *stage) engine(by string) check.Engine {
	return check.Engine{
		Observer: s, Actor: s, Gauge: s, Ledger: s, Topics: s.topics(), News: s, Waker: s, Policy: s.policy, Clock: stillClock{stage: s},
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Counts: &s.counts, By: by, Updates: true,
	}
}

// topics are the stage's own, oncall, and the others.
func (s *stage) topics() []check.Topic {
	topics := []check.Topic{{Name: "oncall", Teller: s, Programs: true}}
	for _, p := range s.others {
		topics = append(topics, check.Topic{Name: p.name, Teller: p, Programs: !p.people})
	}
	return topics
}

// bulk is an engine of the other function, which starts no updates.
func (s *stage) bulk() check.Engine {
	e := s.engine("bulk")
	e.Updates = false
	return e
}

// stillClock stands still unless a test moves it, and runs side by side what it is given one after the other, so that a call that
// ends a process ends it there.
type stillClock struct {
	clock.Real
	stage *stage
}

func (c stillClock) Now() time.Time {
	c.stage.mu.Lock()
	defer c.stage.mu.Unlock()
	return c.stage.now
}

func (c stillClock) Parallel(ctx context.Context, fns ...func(context.Context) error) error {
	var errs []error
	for _, f := range fns {
		errs = append(errs, f(ctx))
	}
	return errors.Join(errs...)
}

// busyClock runs things side by side.
type busyClock struct{ stillClock }

func (c busyClock) Parallel(ctx context.Context, fns ...func(context.Context) error) error {
	return c.Real.Parallel(ctx, fns...)
}

// note writes a call down.
func (s *stage) note(call string, args ...any) error {
	kind, _, _ := strings.Cut(call, " ")
	s.mu.Lock()
	s.calls = append(s.calls, fmt.Sprintf(call, args...))
	n, hook, fails := s.countLocked(kind), s.hook, s.fails
	s.mu.Unlock()
	if hook != nil {
		hook(n, kind)
	}
	if fails != nil {
		return fails(n, kind)
	}
	return nil
}

func (s *stage) countLocked(kind string) (n int) {
	for _, c := range s.calls {
		if c == kind || strings.HasPrefix(c, kind+" ") {
			n++
		}
	}
	return n
}

// count is how often a call was made.
func (s *stage) count(kind string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.countLocked(kind)
}

// changes are the calls that leave a trace somewhere, in their order.
func (s *stage) changes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.calls), func(c string) bool {
		kind, _, _ := strings.Cut(c, " ")
		return slices.Contains([]string{
			"load", "orders", "fleet", "observe", "settle", "in", "due", "list", "history", "helper", "network", "blocks", "alarms", "digest", "digested", "dueDigests",
			"sweep", "sweeps", "parts", "rollout", "configuration", "last", "open",
		}, kind)
	})
}

// meddle changes a record as another check would.
func (s *stage) meddle(id cluster.ID, change func(*guard.Record)) {
	s.t.Helper()
	k, err := s.Memory.Load(s.t.Context(), id)
	if err != nil {
		s.t.Error(err)
	}
	change(&k.Record)
	if _, err := s.Memory.Save(s.t.Context(), k); err != nil {
		s.t.Error(err)
	}
}

// record is the newest record of a cluster.
func (s *stage) record(id cluster.ID) guard.Record {
	s.t.Helper()
	k, err := s.Memory.Load(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return k.Record
}

// at is the hook that does something at the n-th call of one kind.
func at(n int, kind string, do func()) func(int, string) {
	return func(i int, call string) {
		if i == n && call == kind {
			do()
		}
	}
}

// failing is an error of every call of one kind.
func failing(kind string, err error) func(int, string) error {
	return func(_ int, call string) error {
		if call == kind {
			return err
		}
		return nil
	}
}

// outdated is a cluster at v1.7.5 of which every gate lets an update pass.
func outdated() guard.Snapshot {
	return guard.Snapshot{
		At:      noon,
		Cluster: guard.Read(&guard.Cluster{Status: "ACTIVE", Kubernetes: "1.21"}),
		Addon:   guard.Read(addon("v1.7.5-eksbuild.2")),
		Catalogue: guard.Read([]cni.Release{
			{Version: cni.Parse("v1.7.5-eksbuild.2")}, {Version: cni.Parse("v1.8.0-eksbuild.1"), Default: true}, {Version: cni.Parse("v1.9.0-eksbuild.1")},
		}),
		Pods:   guard.Read(capacity.Pods{Subnets: []capacity.Subnet{subnet("subnet-a", 200), subnet("subnet-b", 150)}}),
		Alarms: guard.Read([]alarm.Standing{{Spec: kept(prod), State: alarm.OK, Since: noon.Add(-time.Hour)}}),
	}
}

// fine is the same cluster at v1.9.0.
func fine() guard.Snapshot {
	s := outdated()
	s.Addon = guard.Read(addon("v1.9.0-eksbuild.1"))
	return s
}

// gone is a cluster that does not exist.
func gone() guard.Snapshot {
	return guard.Snapshot{At: noon, Cluster: guard.Read[*guard.Cluster](nil), Addon: guard.Read[*guard.Addon](nil)}
}

func addon(version string) *guard.Addon {
	return &guard.Addon{Version: cni.Parse(version), Raw: version, Status: "ACTIVE", Role: "arn:aws:iam::111122223333:role/cni", Config: `{"env":{}}`}
}

// subnet is a /24 with so many free addresses of 251.
func subnet(id string, free int) capacity.Subnet {
	return capacity.Subnet{ID: id, CIDR: "10.0.1.0/24", Zone: "eu-central-1a", Free: free}
}

// observing is the defaults of a policy that only reports.
func observing() policy.Set { return policy.Set{Mode: new("observe")} }
