package world_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/sim"
	"github.com/cniguard/cniguard/internal/world"
)

func TestASeedIsReplayedExactly(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for name, m := range map[string]func(*world.World) mount{"SDK": sdk, "direct": direct} {
		want := play(t, 7, rough, m, 0)
		for _, n := range []int{1, 2, 8} {
			runtime.GOMAXPROCS(n)
			if diff := cmp.Diff(want, play(t, 7, rough, m, 0)); diff != "" {
				t.Errorf("%s: at GOMAXPROCS %d seed 7 differs (-first +now):\n%s", name, n, diff)
			}
		}
		if cmp.Equal(want, play(t, 8, rough, m, 0)) {
			t.Errorf("%s: seeds 7 and 8 are the same", name)
		}
	}
}

// checkAndUpdate is a small program: read, update, save. It says how far it came.
func checkAndUpdate(ctx context.Context, s *stage, c *world.Client, say func(string)) {
	defer say("deferred")
	_, err := c.DescribeAddon(ctx, &eks.DescribeAddonInput{ClusterName: cluster1, AddonName: vpcCNI})
	say(fmt.Sprint("read ", err))
	_, err = update(ctx, c, "v1.10.4-eksbuild.1")
	say(fmt.Sprint("updated ", err))
	say(fmt.Sprint("saved ", s.Through(ctx, caller, "ledger:Save", func() error { say("save"); return nil })))
}

func TestCrashPointsAreEnumerated(t *testing.T) {
	try := func(n int, after bool) (*stage, string) {
		s, said := set(t, 1, house), []string{}
		if n > 0 {
			s.CrashAt(n, after)
		}
		s.plan(0, func(ctx context.Context, c *world.Client) {
			checkAndUpdate(ctx, s, c.Assume(observer, hubRegion), func(line string) { said = append(said, line) })
		})
		s.until(time.Hour)
		return s, strings.Join(said, ", ")
	}
	s, all := try(0, false)
	if want := "read <nil>, updated <nil>, save, saved <nil>, deferred"; all != want || s.Calls() != 3 {
		t.Fatalf("without a crash: %q and %d calls; want %q and 3", all, s.Calls(), want)
	}
	tests := []struct {
		n       int
		after   bool
		said    string
		updates int
		crash   string
	}{
		{1, false, "", 0, "before eks:DescribeAddon, call 1"}, {1, true, "", 0, "after eks:DescribeAddon, call 1"},
		{2, false, "read <nil>", 0, "before eks:UpdateAddon, call 2"}, {2, true, "read <nil>", 1, "after eks:UpdateAddon, call 2"},
		{3, false, "read <nil>, updated <nil>", 1, "before ledger:Save, call 3"}, {3, true, "read <nil>, updated <nil>, save", 1, "after ledger:Save, call 3"},
		{4, true, all, 1, ""},
	}
	for _, test := range tests {
		s, said := try(test.n, test.after)
		if said != test.said || len(s.Updates(prod)) != test.updates {
			t.Errorf("crash at %d, after %t: said %q, %d updates; want %q, %d", test.n, test.after, said, len(s.Updates(prod)), test.said, test.updates)
		}
		crash := ""
		for _, e := range s.entries(world.Truth, "crash") {
			crash += e.Text
		}
		if crash != test.crash {
			t.Errorf("crash at %d, after %t: noted %q; want %q", test.n, test.after, crash, test.crash)
		}
		again, saidAgain := try(test.n, test.after)
		if diff := cmp.Diff(s.Lines(), again.Lines()); diff != "" || said != saidAgain {
			t.Errorf("crash at %d, after %t is not replayed (-first +again):\n%s", test.n, test.after, diff)
		}
	}
}

func TestCrashesAreAlikeInBothMounts(t *testing.T) {
	for crash := 1; crash < 300; crash += 29 {
		if diff := cmp.Diff(play(t, 2, rough, sdk, crash), play(t, 2, rough, direct, crash)); diff != "" {
			t.Fatalf("crash at %d differs (-SDK +direct):\n%s", crash, diff)
		}
	}
}

func TestACrashKillsOnlyItsProcess(t *testing.T) {
	s := set(t, 1, house)
	s.CrashAt(1, false)
	ends := 0
	for range 2 {
		s.plan(0, func(ctx context.Context, c *world.Client) {
			_ = describe(ctx, c)
			ends++
		})
	}
	s.until(time.Hour)
	if ends != 1 {
		t.Errorf("%d of 2 processes came to their end; want 1", ends)
	}
}

func TestWatchersSeeEachEntryAsItHappens(t *testing.T) {
	s := set(t, 1, house)
	s.Record(false)
	var lines []string
	s.Watch(func(e world.Entry) {
		if !e.At.Equal(s.Now()) {
			t.Errorf("%s is noted at %s", e, s.Now())
		}
		lines = append(lines, e.String())
	})
	s.at(0, func(ctx context.Context, c *world.Client) {
		_, err := c.UpdateAddon(ctx, &eks.UpdateAddonInput{ClusterName: cluster1, AddonName: vpcCNI, AddonVersion: aws.String("v1.10.4-eksbuild.1"),
			ConfigurationValues: aws.String(`{"password":"secret"}`), ClientRequestToken: aws.String("random")})
		if err != nil {
			t.Error(err)
		}
		_ = describe(ctx, c)
	})
	var calls []string
	for _, line := range lines {
		if strings.Contains(line, " call ") {
			calls = append(calls, line)
		}
		if strings.Contains(line, "secret") || strings.Contains(line, "random") {
			t.Errorf("the line %q shows what is secret or differs from run to run", line)
		}
	}
	want := []string{
		"2026-11-23T12:00:00.000 call eks:UpdateAddon 111122223333/eu-central-1 by " + caller + " try 1 {AddonName:vpc-cni ClusterName:prod AddonVersion:v1.10.4-eksbuild.1 ConfigurationValues:…} ok",
		"2026-11-23T12:00:00.000 call eks:DescribeCluster 111122223333/eu-central-1 by " + caller + " try 1 {Name:prod} ok",
	}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Errorf("the calls differ (-want +got):\n%s", diff)
	}
	if len(s.History()) > 0 {
		t.Error("entries were kept that nobody asked for")
	}
}

func TestEveryMistakeOfASpecIsToldAtOnce(t *testing.T) {
	wrong := world.Spec{
		Hub: world.Hub{Account: "1", Region: "eu"},
		VPCs: []world.VPC{
			{ID: "vpc-1", Account: hubAccount, Region: hubRegion, Shared: []string{"x"}, Subnets: []world.Subnet{
				{ID: "s-1", CIDR: "10.0.0.1/24"}, {ID: "s-1", CIDR: "10.0.0.0/28", Used: []world.Point{{At: 1, Addresses: 12}, {At: 1, Addresses: -1}}}}},
			{ID: "vpc-1", Account: hubAccount, Region: "eu-west-1"},
			{ID: "vpc-2", Account: "444455556666", Region: hubRegion},
		},
		Clusters: []world.Cluster{
			{Name: "prod", Account: hubAccount, Region: hubRegion, Kubernetes: "1.33", VPC: "vpc-3", ControlPlane: []string{"s-9"}, Addon: &world.Addon{Status: "FINE"}},
			{Name: "prod", Account: hubAccount, Region: hubRegion, Status: "FINE", VPC: "vpc-2", CreatedAt: 2, DeletedAt: 1,
				Nodegroups: []world.Nodegroup{{Subnets: []string{"s-1"}}}, FargateProfiles: []world.FargateProfile{{Subnets: []string{"s-1"}}}, Instances: []world.Instance{{Subnets: []string{"s-1"}}}},
			{Name: "-", Account: hubAccount, Region: hubRegion, Kubernetes: "1.33"},
		},
		Catalogues: map[string][]world.Catalogue{"1.33": {{Version: "a"}, {Version: "a"}}},
		Faults:     []world.Fault{{Service: "iam", Chance: 2, Status: 200, From: 2, Until: 1}, {Service: "sts", Latency: 1}},
		Grants:     []world.Grant{{}},
		Behaviour:  world.Behaviour{Throttled: -1, Latency: world.Range{Min: 2, Max: 1}, PageSize: -1},
		Updates:    []world.UpdateScript{{Outcome: "win"}},
		Changes:    []world.Change{{Name: "else", Do: "paint"}, {Account: hubAccount, Region: hubRegion, Name: "prod", Do: world.UpgradeCluster}, {Account: hubAccount, Region: hubRegion, Name: "prod", Do: world.CreateAddon}},
		Events:     []world.TimedEvent{{Detail: "{"}},
		Orders:     []world.Order{{Kind: "sing"}, {Kind: world.Approve, Name: "else"}},
	}
	var found world.Mistakes
	if _, err := world.New(wrong, sim.New(noon, 1)); !errors.As(err, &found) {
		t.Fatalf("New gave %v", err)
	}
	var fields []string
	for _, m := range found {
		fields = append(fields, m.Field)
		if m.Text == "" || m.Hint == "" {
			t.Errorf("the mistake %+v does not say all", m)
		}
	}
	want := strings.Fields(`start hub.account hub.region grants[0].role
		vpcs[0].shared[0] vpcs[0].subnets[0].cidr vpcs[0].subnets[1].id vpcs[0].subnets[1].used[0].addresses vpcs[0].subnets[1].used[1].at vpcs[0].subnets[1].used[1].addresses vpcs[1].id
		clusters[0].addon.version clusters[0].addon.status clusters[0].vpc clusters[0].controlPlane[0]
		clusters[1].name clusters[1].kubernetes clusters[1].status clusters[1].deletedAt clusters[1].vpc clusters[1].nodegroups[0].subnets[0] clusters[1].fargateProfiles[0].subnets[0] clusters[1].instances[0].subnets[0]
		clusters[2].name catalogues.1.33[1].version
		faults[0].chance faults[0].service faults[0].code faults[0].until faults[0].status faults[1].latency
		behaviour.throttled behaviour.pageSize behaviour.latency updates[0].outcome
		changes[0].name changes[0].do changes[1].kubernetes changes[2].addon events[0].source events[0].type events[0].detail orders[0].kind orders[1].name`)
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("the mistakes are in other fields (-want +got):\n%s", diff)
	}
}

func TestASpecCanBeUsedForManyWorlds(t *testing.T) {
	var spec world.Spec
	crowded(&spec)
	spec.Start, spec.Hub = noon, world.Hub{Account: hubAccount, Region: hubRegion}
	var first []string
	for i := range 3 {
		clock := sim.New(noon, 1)
		w, err := world.New(spec, clock)
		if err != nil {
			t.Fatal(err)
		}
		w.Record(true)
		clock.Spawn(t.Context(), "p", 0, func(ctx context.Context) {
			_, _ = update(ctx, w.Client(caller, hubAccount, hubRegion), "v1.10.4-eksbuild.1")
		})
		clock.Run(noon.Add(time.Hour))
		clock.Close()
		if i == 0 {
			first = w.Lines()
		}
		if diff := cmp.Diff(first, w.Lines()); diff != "" {
			t.Errorf("world %d of one spec differs (-first +this):\n%s", i, diff)
		}
	}
}

func benchmarkCalls(b *testing.B, m func(*world.World) mount) {
	var spec world.Spec
	house(&spec)
	spec.Start, spec.Hub, spec.Behaviour = noon, world.Hub{Account: hubAccount, Region: hubRegion}, world.Likely()
	clock := sim.New(noon, 1)
	defer clock.Close()
	w, err := world.New(spec, clock)
	if err != nil {
		b.Fatal(err)
	}
	c := m(w)(observer, hubRegion)
	b.ReportAllocs()
	for range 4 {
		clock.Spawn(b.Context(), "p", 0, func(ctx context.Context) {
			for range b.N/4 + 1 {
				ctx, cancel := clock.WithTimeout(ctx, 10*time.Second)
				if _, err := c.eks.DescribeAddon(ctx, &eks.DescribeAddonInput{ClusterName: cluster1, AddonName: vpcCNI}); err != nil {
					b.Error(err)
				}
				cancel()
			}
		})
	}
	b.ResetTimer()
	clock.Run(noon.AddDate(100, 0, 0))
}

func BenchmarkCallThroughTheSDK(b *testing.B) { benchmarkCalls(b, sdk) }

func BenchmarkCallDirectly(b *testing.B) { benchmarkCalls(b, direct) }

func BenchmarkNew(b *testing.B) {
	var spec world.Spec
	crowded(&spec)
	spec.Start, spec.Hub, spec.Behaviour = noon, world.Hub{Account: hubAccount, Region: hubRegion}, world.Likely()
	b.ReportAllocs()
	for range b.N {
		clock := sim.New(noon, 1)
		if _, err := world.New(spec, clock); err != nil {
			b.Fatal(err)
		}
		clock.Close()
	}
}
