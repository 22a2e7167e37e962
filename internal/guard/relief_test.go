package guard_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/guard"
)

// crowded is a cluster whose pod subnet is nearly full, with what was read of its network.
func crowded() guard.Input {
	in := fine()
	in.Seen.Addon = guard.Read(addon("v1.19.0-eksbuild.1"))
	in.Seen.Cluster.Value.VPC = "vpc-1"
	in.Seen.Hosts.Value.Nodes = []capacity.Nodes{{Type: "m5.large", Count: 7, Interfaces: 2, Addresses: 18}}
	in.Seen.Pods.Value.Subnets[0].Free = 12
	in.Seen.Network = guard.Read(&guard.Network{
		VPC: "vpc-1", Taken: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")},
		Types: []capacity.InstanceType{{Name: "m5.large", Interfaces: 3, Addresses: 10, Nitro: true, VCPUs: 2}},
	})
	in.Seen.Sharers = guard.Read([]string{"batch", "c1", "c2", "c3", "c4", "c5", "c6"})
	return in
}

func TestAClusterThatIsShortOfAddressesIsToldWhatHelps(t *testing.T) {
	in := crowded()
	p := guard.Decide(in)
	i := slices.IndexFunc(p.Findings, func(f guard.Finding) bool { return f.Code == guard.CapacityLow })
	if i < 0 {
		t.Fatalf("finds %v", codes(p.Findings))
	}
	facts := map[string]string{}
	for _, f := range p.Findings[i].Facts {
		facts[f.Name] = f.Value
	}
	if want := "clusters batch, c1, c2, c3, c4 and 2 more"; facts["shared with"] != want {
		t.Errorf("shared with %q, want %q", facts["shared with"], want)
	}
	if facts["what helps"] == "" {
		t.Errorf("nothing helps: %v", facts)
	}
	rec := guard.Conclude(in, p, nil)
	if !rec.Relief.At.Equal(noon) || rec.Relief.VPC != "vpc-1" || rec.Relief.Targets.IP != 5 || !rec.Relief.Managed || len(rec.Relief.Sharers) != 7 {
		t.Errorf("remembers %+v", rec.Relief)
	}
	if in.Seen.Pods.Value.Subnets[0].By == nil {
		t.Error("what was read was changed")
	}
}

func TestWhatHelpsIsRememberedWhileItIsNeeded(t *testing.T) {
	in := crowded()
	in.Record = guard.Conclude(in, guard.Decide(in), nil)
	in.Now = noon.Add(time.Hour)
	in.Seen.Network = guard.Read[*guard.Network](nil)
	if rec := guard.Conclude(in, guard.Decide(in), nil); !cmp.Equal(rec.Relief.At, noon) {
		t.Errorf("an hour later it is of %s", rec.Relief.At)
	}
	in.Seen.Pods.Value.Subnets = []capacity.Subnet{subnet("subnet-a", 3)}
	if rec := guard.Conclude(in, guard.Decide(in), nil); rec.Relief.Subnets[0].Free != 3 || rec.Relief.VPC != "vpc-1" || len(rec.Relief.Types) != 1 {
		t.Errorf("it does not know how full the subnet is now: %+v", rec.Relief.Facts)
	}
	in.Seen.Pods = fine().Seen.Pods
	rec := guard.Conclude(in, guard.Decide(in), nil)
	in.Record = rec
	if rec = guard.Conclude(in, guard.Decide(in), nil); !rec.Relief.At.IsZero() {
		t.Errorf("with room again it is remembered: %+v", rec.Relief)
	}
}

func TestTheNetworkIsReadForClustersThatAreShortOfAddresses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*guard.Input)
		want   bool
	}{
		"above the threshold":      {func(*guard.Input) {}, true},
		"with room":                {func(in *guard.Input) { in.Seen.Pods = fine().Seen.Pods }, false},
		"with room, and soon full": {func(in *guard.Input) { *in = growing(76, 4) }, true},
		"with room, and blocks few": {func(in *guard.Input) {
			in.Seen.Pods = fine().Seen.Pods
			in.Record.Told = map[guard.Code]guard.Told{guard.BlocksLow: {}}
		}, true},
		"a day later":                 {func(in *guard.Input) { in.Record.Relief.At = noon.Add(-day) }, true},
		"hours later":                 {func(in *guard.Input) { in.Record.Relief.At = noon.Add(-6 * time.Hour) }, false},
		"whose add-on is not known":   {func(in *guard.Input) { in.Seen.Addon = guard.Hidden[*guard.Addon](throttled("eks:DescribeAddon")) }, false},
		"whose nodes are not known":   {func(in *guard.Input) { in.Seen.Hosts = guard.Hidden[guard.Hosts](throttled("ec2:DescribeInstances")) }, false},
		"whose subnets are not known": {func(in *guard.Input) { in.Seen.Pods = guard.Hidden[capacity.Pods](throttled("ec2:DescribeSubnets")) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			in := crowded()
			c.change(&in)
			if got := in.WantsNetwork(); got != c.want {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestWhatCannotBeReadLaterIsRememberedAsItWas(t *testing.T) {
	in := crowded()
	in.Record = guard.Conclude(in, guard.Decide(in), nil)
	was := in.Record.Relief
	for name, hide := range map[string]func(*guard.Input){
		"the add-on": func(in *guard.Input) { in.Seen.Addon = guard.Hidden[*guard.Addon](throttled("eks:DescribeAddon")) },
		"the nodes":  func(in *guard.Input) { in.Seen.Hosts = guard.Hidden[guard.Hosts](throttled("ec2:DescribeInstances")) },
		"who shares the subnet": func(in *guard.Input) {
			in.Seen.Network, in.Seen.Sharers = crowded().Seen.Network, guard.Hidden[[]string](throttled("eks:ListClusters"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := in
			in.Now, in.Seen.Network = noon.Add(time.Hour), guard.Read[*guard.Network](nil)
			hide(&in)
			in.Seen.Pods.Value.Subnets = []capacity.Subnet{subnet("subnet-a", 3)}
			now := guard.Conclude(in, guard.Decide(in), nil).Relief
			if now.Subnets[0].Free != 3 {
				t.Errorf("the subnets are those of before: %v", now.Subnets)
			}
			now.Subnets, now.At = was.Subnets, was.At
			if diff := cmp.Diff(was, now, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
				t.Errorf("(-was +now):\n%s", diff)
			}
		})
	}
}

func TestDaysLeftArePublishedAsLongAsTheyAreKnown(t *testing.T) {
	at := func(o guard.Outlook, ago time.Duration) guard.Outlook { o.At = noon.Add(-ago); return o }
	for name, c := range map[string]struct {
		outlook guard.Outlook
		days    float64
		known   bool
	}{
		"nine days":               {at(in(9), 0), 9, true},
		"a day later":             {at(in(9), day), 8, true},
		"no more than none":       {at(in(1), 2*day), 0, true},
		"full":                    {at(silent(capacity.Full), 0), 0, true},
		"no growth":               {at(silent(capacity.Flat), 0), 30, true},
		"far away":                {at(silent(capacity.Far), 0), 30, true},
		"too short a history":     {at(silent(capacity.Short), 0), 0, false},
		"a metric that stopped":   {at(silent(capacity.Stale), 0), 0, false},
		"an outlook that is old":  {at(in(9), 3*day), 0, false},
		"nobody has asked so far": {guard.Outlook{}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			if days, known := c.outlook.Left(noon); known != c.known || known && days != c.days {
				t.Errorf("%v, %v", days, known)
			}
		})
	}
}
