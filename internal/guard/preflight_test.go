package guard_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/policy"
)

func TestTheConfigurationIsCheckedForAStepThatTheModeMayLetGo(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*guard.Input)
		want   string // the version whose schema is wanted
	}{
		{"in auto", func(*guard.Input) {}, "v1.8.0-eksbuild.1"},
		{"before an approval, so that who approves knows", func(in *guard.Input) { in.Settings.Value.Mode = policy.Approve }, "v1.8.0-eksbuild.1"},
		{"whatever else holds the step", func(in *guard.Input) {
			in.Fleet.Value.Halt = &guard.Order{Kind: guard.Halting, By: "ann", Because: "x", At: noon}
		}, "v1.8.0-eksbuild.1"},
		{"but not in observe", func(in *guard.Input) { in.Settings.Value.Mode = policy.Observe }, ""},
		{"nor without values", func(in *guard.Input) { in.Seen.Addon.Value.Config = " \n" }, ""},
		{"nor where no update is wanted", func(in *guard.Input) { in.Seen.Addon = guard.Read(addon("v1.9.0-eksbuild.1")) }, ""},
		{"nor where there is no way", func(in *guard.Input) { in.Seen.Catalogue.Value = nil }, ""},
		{"nor where the add-on could not be read", func(in *guard.Input) { in.Seen.Addon.Fault = throttled("x:Y") }, ""},
		{"nor without an add-on", func(in *guard.Input) { in.Seen.Addon = guard.Read[*guard.Addon](nil) }, ""},
		{"nor in a cluster that goes", func(in *guard.Input) { in.Seen.Cluster.Value.Status = "DELETING" }, ""},
		{"nor in one that is gone", func(in *guard.Input) { in.Seen.Cluster = guard.Read[*guard.Cluster](nil) }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := outdated()
			in.Seen.Preflight = guard.Preflight{}
			c.change(&in)
			got, wanted := in.WantsConfiguration()
			if wanted != (c.want != "") || wanted && got != cni.Parse(c.want) {
				t.Errorf("%s, %t; want %q", got, wanted, c.want)
			}
		})
	}
}

func TestAConfigurationThatTheTargetDoesNotTakeHoldsTheUpdate(t *testing.T) {
	const to = "v1.8.0-eksbuild.1"
	approved := func(in *guard.Input) {
		p := guard.Decide(*in)
		in.Orders.Value = []guard.Order{{Kind: guard.Approval, By: "ann", Because: "compared", At: noon.Add(-time.Hour), Until: noon.Add(time.Hour), Steps: p.Path, Keeps: p.Keeps}}
	}
	set := func(c guard.Configuration) func(*guard.Input) {
		return func(in *guard.Input) { in.Seen.Configuration = guard.Read(&c) }
	}
	refused := set(guard.Configuration{Of: cni.Parse(to), Refused: []string{"/cri", "/env/A"}})
	yaml := set(guard.Configuration{Of: cni.Parse(to), NotJSON: true})
	for _, c := range []struct {
		name   string
		change []func(*guard.Input)
		want   string // why; empty: it starts
	}{
		{"one that it takes does not", []func(*guard.Input){set(guard.Configuration{Of: cni.Parse(to)})}, ""},
		{"what it refuses is named", []func(*guard.Input){refused},
			to + " does not take what the add-on's configuration sets: /cri, /env/A; take it out, or give it the form that the schema wants"},
		{"of much the first", []func(*guard.Input){set(guard.Configuration{Of: cni.Parse(to), Refused: []string{"/a", "/b", "/c", "/d", "/e", "/f", "/g"}})},
			to + " does not take what the add-on's configuration sets: /a, /b, /c, /d, /e and 2 more; take it out, or give it the form that the schema wants"},
		{"and no approval opens it", []func(*guard.Input){refused, approved},
			to + " does not take what the add-on's configuration sets: /cri, /env/A; take it out, or give it the form that the schema wants"},
		{"one that is not JSON waits for a person", []func(*guard.Input){yaml},
			"the add-on's configuration is not JSON, so that it was not checked against the schema of " + to + "; an approval opens this"},
		{"who has compared it", []func(*guard.Input){yaml, approved}, ""},
		{"one that was checked for another version was not for this", []func(*guard.Input){set(guard.Configuration{Of: cni.Parse("v1.9.0-eksbuild.1")})},
			"the add-on's configuration was not checked against the schema of " + to},
		{"and one that was not checked is not taken for good", []func(*guard.Input){func(in *guard.Input) { in.Seen.Configuration = guard.Reading[*guard.Configuration]{} }},
			"the add-on's configuration was not checked against the schema of " + to},
		{"nor one whose schema could not be read", []func(*guard.Input){func(in *guard.Input) { in.Seen.Configuration.Fault = throttled("eks:DescribeAddonConfiguration") }},
			"the schema of " + to + " could not be read: " + throttled("eks:DescribeAddonConfiguration").Error()},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := outdated()
			for _, change := range c.change {
				change(&in)
			}
			p := guard.Decide(in)
			if starts := slices.Contains(actions(p), start); starts != (c.want == "") {
				t.Fatalf("starts: %t, held: %+v", starts, p.Held)
			}
			if c.want == "" {
				return
			}
			if diff := cmp.Diff([]guard.Reason{reason("configuration", c.want)}, p.Held[0].By); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !slices.Contains(codes(p.Findings), guard.UpdateBlocked) {
				t.Error("nobody is told")
			}
		})
	}
}

func TestAVersionThatSomeNodesHaveNoImageOfHoldsTheUpdate(t *testing.T) {
	amd, arm, both := cni.Architectures{AMD64: true}, cni.Architectures{ARM64: true}, cni.Architectures{AMD64: true, ARM64: true}
	hidden := guard.Hidden[guard.Hosts](throttled("ec2:DescribeInstances"))
	for _, c := range []struct {
		name  string
		has   cni.Architectures
		hosts guard.Reading[guard.Hosts]
		want  string // why; empty: it starts
	}{
		{"it has images of both", both, guard.Read(guard.Hosts{Architectures: both}), ""},
		{"it is for all nodes that there are", arm, guard.Read(guard.Hosts{Architectures: arm}), ""},
		{"EKS does not say what it has images of", cni.Architectures{}, guard.Read(guard.Hosts{Architectures: both}), ""},
		{"which nodes there are need not be known for one that has images of both", both, hidden, ""},
		{"nor where EKS does not say it", cni.Architectures{}, hidden, ""},
		{"no instances are known", amd, guard.Read(guard.Hosts{Nodegroups: true}), ""},
		{"arm64 nodes lack one", amd, guard.Read(guard.Hosts{Architectures: both}), "EKS has v1.8.0-eksbuild.1 for amd64 only, and the cluster has arm64 nodes"},
		{"amd64 nodes lack one", arm, guard.Read(guard.Hosts{Architectures: amd}), "EKS has v1.8.0-eksbuild.1 for arm64 only, and the cluster has amd64 nodes"},
		{"which nodes there are could not be read", amd, hidden, "the nodes' architectures could not be read: " + hidden.Fault.Error()},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := outdated()
			in.Seen.Catalogue.Value[1].Architectures, in.Seen.Hosts = c.has, c.hosts
			p := guard.Decide(in)
			var why string
			if len(p.Held) > 0 {
				why = p.Held[0].By[0].Gate + ": " + p.Held[0].By[0].Text
			}
			if c.want != "" {
				c.want = "catalogue: " + c.want
			}
			if why != c.want || slices.Contains(actions(p), start) != (c.want == "") {
				t.Errorf("%v, held by %q; want %q", actions(p), why, c.want)
			}
		})
	}
}

func TestUpdatesAreLookedAtWhereAStepIsAboutToBeTaken(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*guard.Input)
		want   bool
	}{
		{"every other gate is open", func(*guard.Input) {}, true},
		{"they were looked at", func(in *guard.Input) { in.Seen.Open = guard.Read(&guard.Open{}) }, false},
		{"they could not be read", func(in *guard.Input) { in.Seen.Open.Fault = throttled("eks:ListUpdates") }, false},
		{"an approval is waited for", func(in *guard.Input) { in.Settings.Value.Mode = policy.Approve }, false},
		{"a halt", func(in *guard.Input) { in.Fleet.Fault = throttled("x:Y") }, false},
		{"the configuration does not fit", func(in *guard.Input) { in.Seen.Configuration.Value.Refused = []string{"/a"} }, false},
		{"no update is wanted", func(in *guard.Input) { in.Seen.Addon = guard.Read(addon("v1.9.0-eksbuild.1")) }, false},
		{"the mode is observe", func(in *guard.Input) { in.Settings.Value.Mode = policy.Observe }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := outdated()
			in.Seen.Open = guard.Reading[*guard.Open]{}
			c.change(&in)
			if got := in.WantsOpen(); got != c.want {
				t.Errorf("%t; want %t", got, c.want)
			}
			if c.want && slices.Contains(actions(guard.Decide(in)), start) {
				t.Error("the update starts without")
			}
		})
	}
}

// Facts 2.4/unordered, 2.4/waiter.
func TestAnUpdateThatIsOpenHoldsOurs(t *testing.T) {
	approve := func(in *guard.Input) {
		p := guard.Decide(*in)
		in.Orders.Value = []guard.Order{{Kind: guard.Approval, By: "ann", Because: "looked", At: noon.Add(-time.Hour), Until: noon.Add(time.Hour), Steps: p.Path, Keeps: p.Keeps}}
	}
	open := func(o guard.Open) func(*guard.Input) {
		return func(in *guard.Input) { in.Seen.Open = guard.Read(&o) }
	}
	another := guard.Open{Updates: []guard.Update{{ID: "u-2", Status: "InProgress", Created: noon.Add(-time.Minute)}}}
	for _, c := range []struct {
		name   string
		change []func(*guard.Input)
		want   string // why; empty: it starts
	}{
		{"none is", []func(*guard.Input){open(guard.Open{})}, ""},
		{"one is", []func(*guard.Input){open(another)}, "the update u-2 of the add-on is open since 2026-03-02 11:59"},
		{"and no approval opens it", []func(*guard.Input){open(another), approve}, "the update u-2 of the add-on is open since 2026-03-02 11:59"},
		{"one may be", []func(*guard.Input){open(guard.Open{Unseen: 7})},
			"EKS lists 7 updates of the add-on more than cniguard looks at, and one may be open; an approval opens this"},
		{"a person looked", []func(*guard.Input){open(guard.Open{Unseen: 7}), approve}, ""},
		{"nobody looked", []func(*guard.Input){func(in *guard.Input) { in.Seen.Open.Value = nil }}, "the add-on's updates were not looked at"},
		{"they could not be read", []func(*guard.Input){func(in *guard.Input) { in.Seen.Open.Fault = throttled("eks:ListUpdates") }},
			"the add-on's updates could not be read: " + throttled("eks:ListUpdates").Error()},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := outdated()
			for _, change := range c.change {
				change(&in)
			}
			p := guard.Decide(in)
			if starts := slices.Contains(actions(p), start); starts != (c.want == "") {
				t.Fatalf("starts: %t, held: %+v", starts, p.Held)
			}
			if c.want == "" {
				return
			}
			if diff := cmp.Diff([]guard.Reason{reason("open update", c.want)}, p.Held[0].By); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestARoleThatCannotBePassedOnHoldsTheUpdate(t *testing.T) {
	for _, c := range []struct {
		name, region, role string
		starts             bool
	}{
		{"the cluster's own account's", "eu-central-1", "arn:aws:iam::111122223333:role/cni", true},
		{"one with a path", "eu-central-1", "arn:aws:iam::111122223333:role/eks/a+b=c,d.e@f-g_h", true},
		{"none: the node's role serves", "eu-central-1", "", true},
		{"another account's", "eu-central-1", "arn:aws:iam::444455556666:role/cni", false},
		{"another partition's", "eu-central-1", "arn:aws-cn:iam::111122223333:role/cni", false},
		{"China's in China", "cn-north-1", "arn:aws-cn:iam::111122223333:role/cni", true},
		{"a user", "eu-central-1", "arn:aws:iam::111122223333:user/cni", false},
		{"no name", "eu-central-1", "arn:aws:iam::111122223333:role/", false},
		{"a path without a name", "eu-central-1", "arn:aws:iam::111122223333:role/eks/", false},
		{"a space", "eu-central-1", "arn:aws:iam::111122223333:role/c ni", false},
		{"a letter of another script", "eu-central-1", "arn:aws:iam::111122223333:role/сni", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := outdated()
			in.ID.Region, in.Seen.Addon.Value.Role = c.region, c.role
			in.Seen.Pods.Value.Exempt = "for this test" // no alarm is asked for, whose actions are a region's
			p := guard.Decide(in)
			if starts := slices.Contains(actions(p), start); starts != c.starts {
				t.Fatalf("starts: %t, held: %+v", starts, p.Held)
			}
			if !c.starts && !slices.Equal(gates(p), []string{"role"}) {
				t.Errorf("held by %v", gates(p))
			}
		})
	}
}

// Facts 2.3/addon-status, 7.3/known.
func TestHealthIssuesHoldTheUpdateUnlessItCuresThem(t *testing.T) {
	const few, other = "InsufficientNumberOfReplicas: 2 of 6 pods are not ready", "AccessDenied: no"
	for _, c := range []struct {
		name, from, status string
		issues             []string
		why                string // empty: it starts
	}{
		{"a healthy one", "v1.21.2-eksbuild.1", "ACTIVE", nil, ""},
		{"one that is ACTIVE, with an issue", "v1.21.2-eksbuild.1", "ACTIVE", []string{few}, "the add-on is ACTIVE: " + few},
		{"one that is DEGRADED by itself", "v1.21.2-eksbuild.1", "DEGRADED", []string{few}, "the add-on is DEGRADED: " + few},
		{"one that its release degrades", "v1.22.1-eksbuild.2", "DEGRADED", []string{few, few}, ""},
		{"one that its release keeps from being ready, not yet DEGRADED", "v1.22.1-eksbuild.2", "ACTIVE", []string{few}, ""},
		{"by something else", "v1.22.1-eksbuild.2", "DEGRADED", []string{other}, "the add-on is DEGRADED: " + other},
		{"by something else too", "v1.22.1-eksbuild.2", "DEGRADED", []string{few, other}, "the add-on is DEGRADED: " + few + ", " + other},
		{"by nothing that is said", "v1.22.1-eksbuild.2", "DEGRADED", nil, "the add-on is DEGRADED, and EKS gives no reason"},
		{"one whose creation failed", "v1.22.1-eksbuild.2", "CREATE_FAILED", []string{few}, "the add-on is CREATE_FAILED"},
		{"one whose update failed that was not ours", "v1.22.1-eksbuild.2", "UPDATE_FAILED", []string{few}, "the add-on is UPDATE_FAILED"},
	} {
		t.Run(c.name, func(t *testing.T) {
			const to = "v1.22.2-eksbuild.1"
			in := outdated()
			in.Settings.Value.Floor = cni.Parse("v1.22.0")
			in.Seen.Addon = guard.Read(addon(c.from))
			in.Seen.Addon.Value.Status, in.Seen.Addon.Value.Issues = c.status, c.issues
			in.Seen.Catalogue = guard.Read([]cni.Release{{Version: cni.Parse(to)}})
			in.Seen.Preflight = preflight(to)
			p := guard.Decide(in)
			var held []guard.Reason
			for _, h := range p.Held {
				held = append(held, h.By...)
			}
			var want []guard.Reason
			if c.why != "" {
				want = []guard.Reason{{Gate: "ready", Text: c.why}}
			}
			if diff := cmp.Diff(want, held); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if unwell := slices.Contains(codes(p.Findings), guard.AddonUnhealthy); unwell != (c.status != "ACTIVE" || c.issues != nil) {
				t.Errorf("people are told: %t", unwell)
			}
		})
	}
}

// reason is that of a gate, with what its text says of it.
func reason(gate, text string) guard.Reason {
	return guard.Reason{
		Gate: gate, Text: text, ByApproval: strings.HasSuffix(text, "approval opens this"), Fault: strings.Contains(text, "could not be read"),
	}
}
