package guard_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

const cniRole = "arn:aws:iam::111122223333:role/cni"

// withEnv is an aws-node that EKS does not manage, with a role and two variables, where the schema of a release was read.
func withEnv(version, of string, refused ...string) guard.Input {
	in := self(version)
	node := in.Seen.Inside.Value.Node
	node.Role, node.Env = cniRole, []guard.Fact{{Name: "ENABLE_IPv6", Value: "false"}, {Name: "WARM_IP_TARGET", Value: "5"}}
	in.Seen.Catalogue.Value = append(in.Seen.Catalogue.Value, cni.Release{Version: cni.Parse("v1.9.0-eksbuild.3")}, cni.Release{Version: cni.Parse("v1.9.0-eksbuild.2")})
	in.Seen.Configuration = guard.Read(&guard.Configuration{Of: cni.Parse(of), Refused: refused})
	return in
}

func TestByHandIsWhatAPersonNeedsToKnow(t *testing.T) {
	managed := guard.ByHand{
		Kubernetes: "1.21", Managed: true, Role: cniRole, Configured: true, Listed: "v1.7.5-eksbuild.2", Path: []string{"v1.8.0-eksbuild.1"},
		Why: "v1.7.5-eksbuild.2 reaches v1.8.0-eksbuild.1 in one step",
	}
	outside := guard.ByHand{
		Kubernetes: "1.21", Tool: "Helm", Listed: "v1.7.5-eksbuild.2", Path: []string{"v1.8.0-eksbuild.1"},
		Why: "v1.7.5 reaches v1.8.0-eksbuild.1 in one step",
	}
	with := func(b guard.ByHand, change func(*guard.ByHand)) guard.ByHand { change(&b); return b }
	for name, c := range map[string]struct {
		in     guard.Input
		change func(*guard.Input)
		want   guard.ByHand
	}{
		"a managed add-on with the plan's path": {outdated(), nil, managed},
		"a managed add-on that needs nothing":   {fine(), nil, guard.ByHand{}},
		"a managed add-on without a role and values": {outdated(), func(in *guard.Input) {
			in.Seen.Addon.Value.Role, in.Seen.Addon.Value.Config = "", " "
		}, with(managed, func(b *guard.ByHand) { b.Role, b.Configured = "", false })},
		"the owner that its tags name": {outdated(), func(in *guard.Input) {
			in.Seen.Addon.Value.Tags = map[string]string{"managed-by": "Terraform\x1b[2J"}
		}, with(managed, func(b *guard.ByHand) { b.Tool = "Terraform[2J" })},
		"the owner that the cluster's tags name": {outdated(), func(in *guard.Input) {
			in.Seen.Cluster.Value.Tags = map[string]string{"alpha.eksctl.io/cluster-name": "prod"}
		}, with(managed, func(b *guard.ByHand) { b.Tool = "eksctl" })},
		"the tool that changed it last": {outdated(), func(in *guard.Input) {
			in.Seen.LastChange, in.Record.LastChange = guard.Reading[*guard.LastChange]{}, &guard.LastChange{Call: "UpdateAddon", Tool: "Pulumi"}
		}, with(managed, func(b *guard.ByHand) { b.Tool = "Pulumi" })},
		"a version that EKS lists no more": {outdated(), func(in *guard.Input) {
			in.Seen.Catalogue.Value = in.Seen.Catalogue.Value[1:]
		}, with(managed, func(b *guard.ByHand) { b.Listed = "" })},
		"a pod subnet without room": {withEnv("v1.7.5", "v1.8.0-eksbuild.1"), func(in *guard.Input) {
			in.Seen.Pods.Value.Subnets[1].Free = 3
		}, with(outside, func(b *guard.ByHand) {
			b.Room = "pod subnet subnet-b has only 3 free addresses; restarting aws-node there may fail"
		})},
		"nodes that take prefixes": {outdated(), func(in *guard.Input) {
			in.Seen.Hosts.Value.Nodes = []capacity.Nodes{{Prefixes: 1}}
		}, with(managed, func(b *guard.ByHand) { b.Prefixes = true })},
		"nodes that are hidden may": {outdated(), func(in *guard.Input) {
			in.Seen.Hosts = guard.Hidden[guard.Hosts](throttled("ec2:DescribeInstances"))
		}, with(managed, func(b *guard.ByHand) { b.Prefixes = true })},
		"a path that is not known": {outdated(), func(in *guard.Input) {
			in.Seen.Catalogue = guard.Hidden[[]cni.Release](throttled("eks:DescribeAddonVersions"))
		}, with(managed, func(b *guard.ByHand) {
			b.Listed, b.Path, b.Why = "", nil, "the list of compatible versions could not be read: eks:DescribeAddonVersions: ThrottlingException"
		})},
		"a path that is refused": {outdated(), func(in *guard.Input) { in.Seen.Catalogue.Value = nil }, with(managed, func(b *guard.ByHand) {
			b.Listed, b.Path, b.Why = "", nil, "EKS lists no release that is compatible with the cluster's Kubernetes version"
		})},
		"what EKS does not manage": {withEnv("v1.7.5", "v1.8.0-eksbuild.1"), nil, outside},
		"variables that the schema refuses": {
			withEnv("v1.7.5", "v1.8.0-eksbuild.1", "/env/WARM_IP_TARGET", "/eniConfig/region"), nil,
			with(outside, func(b *guard.ByHand) { b.Refused = []string{"WARM_IP_TARGET"} }),
		},
		"a schema that refuses all": {
			withEnv("v1.7.5", "v1.8.0-eksbuild.1", "/env"), nil,
			with(outside, func(b *guard.ByHand) { b.Refused = []string{"ENABLE_IPv6", "WARM_IP_TARGET"} }),
		},
		"the schema of another release tells nothing": {
			withEnv("v1.7.5", "v1.9.0-eksbuild.1"), nil,
			with(outside, func(b *guard.ByHand) { b.Unchecked = "the schema of v1.8.0-eksbuild.1 was not read" }),
		},
		"nor one that is hidden": {withEnv("v1.7.5", "v1.8.0-eksbuild.1"), func(in *guard.Input) {
			in.Seen.Configuration = guard.Hidden[*guard.Configuration](throttled("eks:DescribeAddonConfiguration"))
		}, with(outside, func(b *guard.ByHand) {
			b.Unchecked = "the schema of v1.8.0-eksbuild.1 could not be read: eks:DescribeAddonConfiguration: ThrottlingException"
		})},
		"what is new can be handed over to EKS": {
			withEnv("v1.9.0", "v1.9.0-eksbuild.3", "/env/ENABLE_IPv6"), nil,
			guard.ByHand{
				Kubernetes: "1.21", Tool: "Helm", Listed: "v1.9.0-eksbuild.3", Refused: []string{"ENABLE_IPv6"},
				Why: "v1.9.0 satisfies the floor v1.8.0",
			},
		},
		"a version that cannot be told": {withEnv("latest", ""), func(in *guard.Input) {
			in.Seen.Catalogue = guard.Hidden[[]cni.Release](&fault.Fault{Kind: fault.Skip, Text: "not asked"})
		}, guard.ByHand{Kubernetes: "1.21", Tool: "Helm", Why: "the installed version is unknown"}},
		"another CNI runs": {self("v1.7.5"), inside(guard.Inside{Others: []string{"Cilium"}}), guard.ByHand{}},
		"what was read before, while it is hidden": {hidden(throttled("kubernetes:GetDaemonSet")), func(in *guard.Input) {
			in.Record.Node, in.Record.ByHand = &guard.DaemonSet{Raw: "v1.7.5"}, outside
		}, outside},
		"not that of an add-on that was removed since": {hidden(throttled("kubernetes:GetDaemonSet")), func(in *guard.Input) {
			in.Record.ByHand = managed
		}, guard.ByHand{}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.change != nil {
				c.change(&c.in)
			}
			p := guard.Decide(c.in)
			if diff := cmp.Diff(c.want, p.ByHand); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			rec := guard.Conclude(c.in, p, nil)
			if diff := cmp.Diff(c.want, rec.ByHand); diff != "" {
				t.Errorf("the record (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.want, rec.Planned().ByHand); diff != "" {
				t.Errorf("what the hub knows (-want +got):\n%s", diff)
			}
		})
	}
}

// What cannot be read of it is no news: nothing is judged by it.
func TestWhatOnlyByHandWantsIsNoFindingWhereItIsHidden(t *testing.T) {
	in := withEnv("v1.9.0", "")
	in.Seen.Catalogue = guard.Hidden[[]cni.Release](denied("eks:DescribeAddonVersions"))
	in.Seen.Configuration = guard.Hidden[*guard.Configuration](denied("eks:DescribeAddonConfiguration"))
	if p := guard.Decide(in); len(p.Findings) > 0 || p.Verdict.Word != guard.Fine {
		t.Errorf("%s, %v", p.Verdict.Word, codes(p.Findings))
	}
}

func TestTheEnvironmentIsHeldAgainstASchemaOnceForEachRelease(t *testing.T) {
	const values = `{"env":{"ENABLE_IPv6":"false","WARM_IP_TARGET":"5"}}`
	asks := func(when string, in guard.Input, want string) {
		t.Helper()
		of, got, wanted := in.WantsEnvironment()
		if wanted != (want != "") || wanted && (of.String() != want || got != values) {
			t.Errorf("%s: asks for %s with %s: %t, want %q", when, of, got, wanted, want)
		}
	}
	in := withEnv("v1.7.5", "v1.8.0-eksbuild.1", "/env/WARM_IP_TARGET")
	asks("at first", in, "v1.8.0-eksbuild.1")
	asks("at its own version", withEnv("v1.9.0", ""), "v1.9.0-eksbuild.3")
	in.Record = guard.Conclude(in, guard.Decide(in), nil)
	in.Seen.Configuration = guard.Reading[*guard.Configuration]{}
	asks("again", in, "")
	if got := guard.Decide(in).ByHand; len(got.Refused) != 1 || got.Unchecked != "" {
		t.Errorf("what came of it is forgotten: %+v", got)
	}
	changed := in
	changed.Record.Node.Env = changed.Record.Node.Env[1:]
	asks("of another environment", changed, "v1.8.0-eksbuild.1")
	in = withEnv("v1.7.5", "")
	in.Seen.Catalogue = guard.Hidden[[]cni.Release](throttled("eks:DescribeAddonVersions"))
	asks("without the releases", in, "")
	in = withEnv("v1.7.5", "")
	in.Seen.Inside.Value.Node.Env = nil
	asks("without an environment", in, "")
	asks("of a managed add-on", outdated(), "")

	for name, c := range map[string]struct {
		in   guard.Input
		want bool
	}{
		"what EKS does not manage": {self("v1.9.0"), true},
		"what EKS manages":         {outdated(), false},
		"an unknown version":       {self("latest"), false},
		"what could not be read":   {hidden(throttled("kubernetes:GetDaemonSet")), false},
		"what runs nowhere is not it": {func() guard.Input {
			in := self("v1.9.0")
			in.Seen.Inside.Value.Others = []string{"Cilium"}
			in.Seen.Inside.Value.Node.Desired = 0
			return in
		}(), false},
	} {
		if got := c.in.WantsCatalogue(); got != c.want {
			t.Errorf("%s: WantsCatalogue is %t", name, got)
		}
	}
}
