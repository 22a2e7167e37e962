package guard_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

func TestTheSubnetsOfENIConfigsAreWatched(t *testing.T) {
	in := self("v1.18.5")
	in.Seen.Pods.Value.Rest = []capacity.Subnet{subnet("subnet-pods", 3), subnet("subnet-rest", 200)}
	in.Seen.Inside.Value.Node.ENIConfigs = []guard.Fact{{Name: "zone-a", Value: "subnet-pods"}, {Name: "zone-b", Value: "subnet-b"}, {Name: "zone-c", Value: "subnet-gone"}}
	in.Seen.Widen("prod")
	by := map[string]string{}
	for _, s := range in.Seen.Pods.Value.Subnets {
		by[s.ID] = strings.Join(s.By, ", ")
	}
	want := map[string]string{"subnet-a": "node group ng", "subnet-b": "node group ng, ENIConfig zone-b", "subnet-pods": "ENIConfig zone-a"}
	if diff := cmp.Diff(want, by); diff != "" {
		t.Error(diff)
	}
	p := guard.Decide(in)
	if p.Verdict.Capacity.Word != guard.CriticalWord {
		t.Errorf("the capacity is %v", p.Verdict.Capacity)
	}
	if rec := guard.Conclude(in, p, nil); !slices.Contains(rec.Meter.Subnets, "subnet-pods") {
		t.Errorf("the meter has %q", rec.Meter.Subnets)
	}
	closed := hidden(noEntry())
	closed.Seen.Widen("prod")
	if len(closed.Seen.Pods.Value.Subnets) != 2 {
		t.Errorf("of a hidden cluster %+v", closed.Seen.Pods.Value)
	}
}

const role, theirs, ours = "kubernetes.io/role/cni", "cni.networking.k8s.aws/cluster/stage", "cni.networking.k8s.aws/cluster/prod"

func TestSubnetsAreFoundByTheirTagAsTheVersionReadsIt(t *testing.T) {
	const found, none = "tag " + role, ""
	managed := func(version, config string) guard.Input {
		in := fine()
		in.Seen.Addon.Value = addon(version)
		in.Seen.Addon.Value.Config = config
		return in
	}
	byHand := func(env ...guard.Fact) guard.Input {
		in := self("v1.22.1")
		in.Seen.Inside.Value.Node.Env = env
		return in
	}
	const newest, old = "v1.22.1-eksbuild.1", "v1.18.0-eksbuild.1"
	for name, c := range map[string]struct {
		in   guard.Input
		tags map[string]string
		want string
	}{
		"before v1.18.0 no tag is read":                        {managed("v1.17.1-eksbuild.1", ""), map[string]string{role: "1"}, none},
		"from v1.18.0 on it is, by default":                    {managed(old, ""), map[string]string{role: "1"}, found},
		"then with any value":                                  {managed(old, ""), map[string]string{role: "0"}, found},
		"and whatever cluster is named":                        {managed(old, ""), map[string]string{role: "1", theirs: "shared"}, found},
		"from v1.22.1 on the value 0 leaves a subnet out":      {managed(newest, ""), map[string]string{role: "0"}, none},
		"and an empty value does not":                          {managed(newest, ""), map[string]string{role: ""}, found},
		"a subnet is kept for the clusters that are named":     {managed(newest, ""), map[string]string{role: "1", theirs: "shared"}, none},
		"also for this one":                                    {managed(newest, ""), map[string]string{role: "1", theirs: "", ours: ""}, found},
		"a cluster's name alone is no tag of the CNI":          {managed(newest, ""), map[string]string{ours: "shared"}, none},
		"no tags are no tags":                                  {managed(newest, ""), nil, none},
		"a version that cannot be compared is taken for new":   {managed("v1.18-private.3", ""), map[string]string{role: "1"}, found},
		"the add-on's configuration switches it off":           {managed(newest, `{"env":{"WARM_IP_TARGET":"5","ENABLE_SUBNET_DISCOVERY":"false"}}`), map[string]string{role: "1"}, none},
		"also as YAML":                                         {managed(newest, "env:\n  WARM_IP_TARGET: \"5\"\n  ENABLE_SUBNET_DISCOVERY: 'False'\n"), map[string]string{role: "1"}, none},
		"a comment switches nothing off":                       {managed(newest, "env: # ENABLE_SUBNET_DISCOVERY: false\n  WARM_IP_TARGET: '5'\n"), map[string]string{role: "1"}, found},
		"another variable that ends so neither":                {managed(newest, `{"env":{"X_ENABLE_SUBNET_DISCOVERY":"false"}}`), map[string]string{role: "1"}, found},
		"a value that is no switch leaves it as it is":         {managed(newest, `{"env":{"ENABLE_SUBNET_DISCOVERY":"off"}}`), map[string]string{role: "1"}, found},
		"custom networking comes first":                        {managed(newest, `{"env":{"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG":"true"}}`), map[string]string{role: "1"}, none},
		"an aws-node of one's own has variables too":           {byHand(guard.Fact{Name: "ENABLE_SUBNET_DISCOVERY", Value: "0"}), map[string]string{role: "1"}, none},
		"one that does not know its name asks for none":        {byHand(), map[string]string{role: "1", theirs: ""}, found},
		"one that has another name takes the subnets of that":  {byHand(guard.Fact{Name: "CLUSTER_NAME", Value: "stage"}), map[string]string{role: "1", theirs: ""}, found},
		"and not those of the name that EKS has":               {byHand(guard.Fact{Name: "CLUSTER_NAME", Value: "stage"}), map[string]string{role: "1", ours: ""}, none},
		"where what runs is not known, nobody is known to ask": {hidden(noEntry()), map[string]string{role: "1"}, none},
	} {
		t.Run(name, func(t *testing.T) {
			tagged, elsewhere := subnet("subnet-tagged", 200), subnet("subnet-elsewhere", 200)
			tagged.Tags, elsewhere.Tags, elsewhere.Zone = c.tags, c.tags, "eu-central-1z"
			c.in.Seen.Pods.Value.Rest = []capacity.Subnet{elsewhere, subnet("subnet-rest", 200), tagged}
			c.in.Seen.Widen("prod")
			var ids []string
			for _, s := range c.in.Seen.Pods.Value.Rest {
				ids = append(ids, s.ID)
			}
			got := ""
			for _, s := range c.in.Seen.Pods.Value.Subnets[2:] {
				ids, got = append(ids, s.ID), got+strings.Join(s.By, ", ")
			}
			slices.Sort(ids)
			if want := []string{"subnet-elsewhere", "subnet-rest", "subnet-tagged"}; got != c.want || !slices.Equal(ids, want) {
				t.Errorf("found by %q, want %q; subnets %q", got, c.want, ids)
			}
		})
	}
}

func TestNoTagIsReadWhereNoNodeRunsTheCNI(t *testing.T) {
	for name, change := range map[string]func(*guard.Snapshot){
		"Fargate alone":           func(s *guard.Snapshot) { s.Hosts.Value = guard.Hosts{Fargate: true} },
		"Auto Mode":               func(s *guard.Snapshot) { s.Hosts.Value, s.Cluster.Value.AutoMode = guard.Hosts{}, true },
		"pods that are exempt":    func(s *guard.Snapshot) { s.Pods.Value.Exempt = "IPv6 cluster" },
		"pods that are not known": func(s *guard.Snapshot) { s.Pods.Fault = throttled("ec2:DescribeSubnets") },
		"no cluster":              func(s *guard.Snapshot) { s.Cluster.Value = nil },
	} {
		in := fine()
		in.Seen.Addon.Value = addon("v1.22.1-eksbuild.1")
		tagged := subnet("subnet-tagged", 2)
		tagged.Tags = map[string]string{role: "1"}
		in.Seen.Pods.Value.Rest = []capacity.Subnet{tagged}
		change(&in.Seen)
		in.Seen.Widen("prod")
		if n := len(in.Seen.Pods.Value.Subnets); n != 2 {
			t.Errorf("%s: %d pod subnets", name, n)
		}
	}
}

// A subnet in which nodes are takes their own addresses, also where the CNI leaves it out.
func TestASubnetThatIsLeftOutIsWatchedWhereNodesAre(t *testing.T) {
	in := fine()
	in.Seen.Addon.Value = addon("v1.22.1-eksbuild.1")
	in.Seen.Pods.Value.Subnets[0].Tags = map[string]string{role: "0"}
	in.Seen.Pods.Value.Subnets[0].Free = 3
	in.Seen.Widen("prod")
	if p := guard.Decide(in); p.Verdict.Capacity.Word != guard.CriticalWord {
		t.Errorf("the capacity is %v", p.Verdict.Capacity)
	}
}

func TestTheWorstSubnetSaysWhereItIsFrom(t *testing.T) {
	in := fine()
	in.Seen.Pods.Value.Subnets = []capacity.Subnet{subnet("subnet-a", 240), subnet("subnet-b", 5), subnet("subnet-c", 240)}
	worst := &in.Seen.Pods.Value.Subnets[1]
	worst.Zone, worst.Owner, worst.By = "eu-central-1b", "999900001111", []string{"node group a", "node group b", "node group c", "instances", "ENIConfig zone-b"}
	facts := func() string { return fmt.Sprint(guard.Decide(in).Findings[0].Facts) }
	const start = "[{worst subnet subnet-b (10.0.1.0/24, eu-central-1b)} {used 98.0 %} {free 5 addresses} {pod subnets 3} "
	const zone = "{worst zone eu-central-1b, 98.0 % used, 5 addresses free}]"
	if diff := cmp.Diff(start+"{found by node group a, node group b, node group c and 2 more} {shared by account 999900001111} "+zone, facts()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	worst.Owner, worst.By = prod.Account, nil
	if diff := cmp.Diff(start+zone, facts()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	in.Seen.Pods.Value.Subnets[2].Zone = "eu-central-1c" // each zone has one, and the worst is that of the worst subnet
	if got := facts(); strings.Contains(got, "worst zone") {
		t.Error(got)
	}
}

func TestAnUpgradeNeedsRoomInEachSubnetOfTheControlPlane(t *testing.T) {
	five := subnet("subnet-c1", 5)
	for name, c := range map[string]struct {
		seen  guard.Reading[[]capacity.Subnet]
		want  string // the print; empty: no finding
		blind bool
	}{
		"five free addresses are enough":           {guard.Read([]capacity.Subnet{five, five}), "", false},
		"four are not, whatever others have":       {guard.Read([]capacity.Subnet{subnet("subnet-c2", 200), subnet("subnet-c1", 4)}), "subnet-c1;", false},
		"each that has too few is named":           {guard.Read([]capacity.Subnet{subnet("subnet-c1", 0), five, subnet("subnet-c2", 1)}), "subnet-c1;subnet-c2;", false},
		"no subnet with IPv4 addresses needs none": {guard.Read[[]capacity.Subnet](nil), "", false},
		"what could not be read is not judged":     {guard.Hidden[[]capacity.Subnet](throttled("ec2:DescribeSubnets")), "", true},
		"nor is what was not looked at":            {guard.Hidden[[]capacity.Subnet](&fault.Fault{Kind: fault.Skip}), "", true},
	} {
		t.Run(name, func(t *testing.T) {
			in := fine()
			in.Seen.ControlPlane = c.seen
			p := guard.Decide(in)
			got := ""
			for _, f := range p.Findings {
				got += f.Print
				if f.Code != guard.ControlPlaneRoom || f.Severity != guard.Warning || f.After == 0 || len(f.Facts) != 2*strings.Count(c.want, ";") {
					t.Errorf("%+v", f)
				}
			}
			if got != c.want || p.Blind[guard.ControlPlaneRoom] != c.blind || p.Verdict.Word != guard.Fine {
				t.Errorf("%q, blind %v, verdict %v", got, p.Blind, p.Verdict)
			}
		})
	}
}
