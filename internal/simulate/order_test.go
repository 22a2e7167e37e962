package simulate_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
)

// order is one for a cluster of the demo, or for the fleet where the name is empty.
func order(at time.Duration, kind world.OrderKind, name, to string) world.Order {
	o := world.Order{At: at, Kind: kind, Name: name, To: to, By: "ana", Because: "agreed"}
	if name != "" {
		o.Account, o.Region = "444455556666", "eu-central-1"
	}
	return o
}

// word is one on a finding of a cluster of the demo.
func word(at time.Duration, kind world.OrderKind, name string, finding guard.Code, last time.Duration) world.Order {
	o := order(at, kind, name, "")
	o.Finding, o.For = string(finding), last
	return o
}

func TestOrdersAreGivenOrRefusedAsLines(t *testing.T) {
	const nothingFailed = "the end of no halt"
	nameless := order(2*hour, world.Deny, "batch", "")
	nameless.By = ""
	outside := rules(t, "{version: 1, fleet: [{account: \"444455556666\", regions: [us-east-1]}]}")
	for _, c := range []struct {
		name   string
		orders []world.Order
		what   simulate.What
		text   string
		why    string
	}{
		{"the whole path is approved", []world.Order{order(2*hour, world.Approve, "payments", "")},
			simulate.Ordered, "approve by ana of v1.18.5-eksbuild.1, then v1.19.2-eksbuild.1", "agreed"},
		{"the path is approved up to a version", []world.Order{order(2*hour, world.Approve, "payments", "v1.18.5-eksbuild.1")},
			simulate.Ordered, "approve by ana of v1.18.5-eksbuild.1", "agreed"},
		{"a version that is not on the path", []world.Order{order(2*hour, world.Approve, "payments", "v1.19.0-eksbuild.1")},
			simulate.OrderRefused, "approve by ana", "approve: the plan does not go to v1.19.0-eksbuild.1; it goes from v1.17.1-eksbuild.1 to v1.18.5-eksbuild.1, then v1.19.2-eksbuild.1; of that minor version it has --to v1.19.2-eksbuild.1"},
		{"nothing to approve", []world.Order{order(2*hour, world.Approve, "edge", "")},
			simulate.OrderRefused, "approve by ana", "approve: there is nothing to approve: no update is wanted (version fine: v1.19.0-eksbuild.1 is not below the floor v1.18.0)"},
		{"a cluster that is not there yet", []world.Order{order(2*hour, world.Approve, "web", "")},
			simulate.OrderRefused, "approve by ana", "approve: it is not there yet: the world creates it 1d1h after the start"},
		{"a denial", []world.Order{order(2*hour, world.Deny, "batch", "")}, simulate.Ordered, "deny by ana", "agreed"},
		{"an order of nobody", []world.Order{nameless}, simulate.OrderRefused, "deny by", "deny: who orders it and why are needed: others will read it"},
		{"a halt", []world.Order{order(2*hour, world.Halt, "", "")}, simulate.Ordered, "halt by ana", "agreed"},
		{"the end of a halt", []world.Order{order(2*hour, world.Resume, "", ""), order(hour, world.Halt, "", "")}, simulate.Ordered, "resume by ana", "agreed"},
		{"a teardown", []world.Order{order(2*hour, world.Teardown, "", "")}, simulate.Ordered, "teardown by ana", "agreed"},
		{"the end of a teardown", []world.Order{order(2*hour, world.Resume, "", ""), order(hour, world.Teardown, "", "")}, simulate.Ordered, "resume by ana", "agreed"},
		{"a mute", []world.Order{word(2*hour, world.Mute, "payments", guard.VersionOutdated, 36*hour)}, simulate.Ordered, "mute by ana of version-outdated for 1d12h", "agreed"},
		{"an acknowledgement", []world.Order{word(2*hour, world.Ack, "payments", guard.VersionOutdated, 0)}, simulate.Ordered, "ack by ana of version-outdated for 1d", "agreed"},
		{"an unmute", []world.Order{word(2*hour, world.Unmute, "payments", guard.VersionOutdated, 0)}, simulate.Ordered, "unmute by ana of version-outdated", "agreed"},
		{"the end of what failed updates stopped", []world.Order{order(2*hour, world.Resume, "", "")}, simulate.Ordered, "resume by ana", "agreed"},
		{nothingFailed, []world.Order{order(2*hour, world.Resume, "", "")},
			simulate.OrderRefused, "resume by ana", "resume: the fleet is not halted 2h after the start, and no failed update stops it, so there is nothing to resume"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := demoWorld(t)
			if s.Orders = c.orders; c.name == nothingFailed {
				s.Updates = nil
			}
			r, lines := start(t, s, demoRules(t), simulate.Options{Seed: 1})
			r.For(2*hour + time.Minute)
			last := of(*lines, c.what, c.orders[0].Name)
			if len(last) == 0 {
				t.Fatalf("no line of %q in %+v", c.what, *lines)
			}
			l := last[len(last)-1]
			if diff := cmp.Diff([]string{c.text, c.why}, []string{l.Text, l.Why}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if late := l.At.Sub(r.World.Spec().Start.Add(2 * hour)); late < 0 || late > 10*time.Second {
				t.Errorf("it was given at %s", l.At)
			}
		})
	}
	t.Run("a cluster that is not in the fleet", func(t *testing.T) {
		s := demoWorld(t)
		s.Orders = []world.Order{order(2*hour, world.Approve, "payments", "")}
		r, lines := start(t, s, outside, simulate.Options{Seed: 1})
		r.For(3 * hour)
		refused := of(*lines, simulate.OrderRefused, "payments")
		if len(refused) != 1 || !strings.Contains(refused[0].Why, "account 444455556666 in eu-central-1 is not in the policy's fleet") {
			t.Errorf("%+v", *lines)
		}
	})
}

// The world does not know what the product finds, and for how long it lets people mute it; but it checks the files in which people say so.
func TestTheWorldTakesTheWordsThatPeopleMaySay(t *testing.T) {
	var codes []string
	for _, c := range guard.Answerable() {
		codes = append(codes, string(c))
	}
	if diff := cmp.Diff(codes, world.Findings()); diff != "" {
		t.Errorf("findings (- of the product, + of the world):\n%s", diff)
	}
	for _, kind := range []world.OrderKind{world.Mute, world.Unmute, world.Ack} {
		for _, last := range []time.Duration{-hour, 0, guard.MuteAtLeast - 1, guard.MuteAtLeast, guard.MuteAtMost, guard.MuteAtMost + 1} {
			s := demoWorld(t)
			s.Orders = []world.Order{word(hour, kind, "payments", guard.CapacityLow, last)}
			_, err := guard.Answered(guard.Order{Kind: guard.OrderKind(kind), Finding: guard.CapacityLow, By: "ana", Because: "b", At: s.Start}, last)
			if mistakes := s.Validate(); (mistakes == nil) != (err == nil) {
				t.Errorf("%s for %s: the product says %v, the world %v", kind, last, err, mistakes)
			}
		}
	}
}

func TestMutesAreInTheLedger(t *testing.T) {
	s := demoWorld(t)
	s.Orders = []world.Order{word(hour, world.Mute, "payments", guard.VersionOutdated, 2*hour), word(2*hour, world.Ack, "payments", guard.CapacityLow, 0)}
	r, _ := start(t, s, demoRules(t), simulate.Options{Seed: 1})
	r.For(2*hour + time.Minute)
	orders, err := r.Ledger.Orders(t.Context(), cluster.ID{Account: "444455556666", Region: "eu-central-1", Name: "payments"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range orders {
		got = append(got, fmt.Sprint(o.Kind, " ", o.Finding, " by ", o.By, " for ", o.Until.Sub(o.At)))
	}
	if diff := cmp.Diff([]string{"mute version-outdated by ana for 2h0m0s", "ack capacity-low by ana for 24h0m0s"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOrdersAreObeyed(t *testing.T) {
	for _, c := range []struct {
		name, cluster string
		orders        []world.Order
		want          []string // the updates that end well or not
	}{
		{"nothing is approved", "payments", nil, nil},
		{"all is approved", "payments", []world.Order{order(2*hour, world.Approve, "payments", "")},
			[]string{"v1.17.1-eksbuild.1 → v1.18.5-eksbuild.1 Successful", "v1.18.5-eksbuild.1 → v1.19.2-eksbuild.1 Successful"}},
		{"one step is approved", "payments", []world.Order{order(2*hour, world.Approve, "payments", "v1.18.5-eksbuild.1")},
			[]string{"v1.17.1-eksbuild.1 → v1.18.5-eksbuild.1 Successful"}},
		{"what is approved is denied by another", "payments", []world.Order{
			order(2*hour, world.Approve, "payments", ""), {At: hour, Kind: world.Deny, Account: "444455556666", Region: "eu-central-1", Name: "payments", By: "bo", Because: "sale"},
		}, nil},
		{"the fleet is halted from the start", "batch", []world.Order{order(0, world.Halt, "", "")}, nil},
		{"the fleet is halted between two steps", "payments", []world.Order{order(2*hour, world.Approve, "payments", ""), order(2*hour+10*time.Minute, world.Halt, "", "")},
			[]string{"v1.17.1-eksbuild.1 → v1.18.5-eksbuild.1 Successful"}},
		{"cniguard is torn down between two steps", "payments", []world.Order{order(2*hour, world.Approve, "payments", ""), order(2*hour+10*time.Minute, world.Teardown, "", "")},
			[]string{"v1.17.1-eksbuild.1 → v1.18.5-eksbuild.1 Successful"}},
		{"a halt ends", "payments", []world.Order{order(hour, world.Halt, "", ""), order(2*hour, world.Approve, "payments", "v1.18.5-eksbuild.1"), order(3*hour, world.Resume, "", "")},
			[]string{"v1.17.1-eksbuild.1 → v1.18.5-eksbuild.1 Successful"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := demoWorld(t)
			s.Orders = c.orders
			r, lines := start(t, s, demoRules(t), simulate.Options{Seed: 1})
			r.For(day)
			var ended []string
			for _, l := range of(*lines, simulate.UpdateEnded, c.cluster) {
				ended = append(ended, l.Text)
			}
			if diff := cmp.Diff(c.want, ended); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
