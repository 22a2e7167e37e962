package relief_test

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/relief"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The figures of EC2 DescribeInstanceTypes.
func m5() []capacity.InstanceType {
	return []capacity.InstanceType{
		{Name: "m5.large", Interfaces: 3, Addresses: 10, Nitro: true, VCPUs: 2},
		{Name: "m5.xlarge", Interfaces: 4, Addresses: 15, Nitro: true, VCPUs: 4},
		{Name: "m5.2xlarge", Interfaces: 4, Addresses: 15, Nitro: true, VCPUs: 8},
		{Name: "m5.4xlarge", Interfaces: 8, Addresses: 30, Nitro: true, VCPUs: 16},
		{Name: "m5.24xlarge", Interfaces: 15, Addresses: 50, Nitro: true, VCPUs: 96},
	}
}

func prefixes(texts ...string) (all []netip.Prefix) {
	for _, s := range texts {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}

// full is a cluster of twenty m5.large in two small subnets that are nearly full.
func full() relief.Facts {
	return relief.Facts{
		Cluster: cluster.ID{Account: "111122223333", Region: "eu-central-1", Name: "prod"},
		Version: cni.Parse("v1.20.4-eksbuild.1"), Managed: true, Targets: capacity.DefaultTargets(),
		Nodes: []capacity.Nodes{{Type: "m5.large", Count: 16, Interfaces: 2, Addresses: 18}, {Type: "m5.large", Count: 4, Interfaces: 3, Addresses: 27}},
		Types: m5(),
		Subnets: []capacity.Subnet{
			{ID: "subnet-0a", CIDR: "10.0.1.0/24", Zone: "eu-central-1a", Free: 31},
			{ID: "subnet-0b", CIDR: "10.0.2.0/24", Zone: "eu-central-1b", Free: 14},
		},
		Blocks: map[string]capacity.Blocks{
			"subnet-0a": {Open: 2, Total: 14, Packed: 3, Addresses: 31, Largest: netip.MustParsePrefix("10.0.1.32/27")},
			"subnet-0b": {Open: 0, Total: 14, Packed: 1, Addresses: 14},
		},
		VPC: "vpc-0a1", Taken: prefixes("10.0.0.0/16", "100.64.0.0/16", "0.0.0.0/0"),
	}
}

// fragmented is a cluster whose nodes take prefixes, in subnets of which little is in one piece.
func fragmented() relief.Facts {
	f := full()
	f.Mode.PrefixDelegation = true
	f.Nodes = []capacity.Nodes{{Type: "m5.large", Count: 12, Interfaces: 1, Prefixes: 2}, {Type: "m5.xlarge", Count: 2, Interfaces: 1, Prefixes: 4}}
	f.Subnets[0] = capacity.Subnet{ID: "subnet-0a", CIDR: "10.0.16.0/20", Zone: "eu-central-1a", Free: 2511}
	f.Subnets[1] = capacity.Subnet{ID: "subnet-0b", CIDR: "10.0.32.0/20", Zone: "eu-central-1b", Free: 2790, Owner: "444455556666"}
	f.Blocks = map[string]capacity.Blocks{
		"subnet-0a": {Open: 6, Total: 254, Packed: 151, Addresses: 2511, Largest: netip.MustParsePrefix("10.0.20.64/26")},
		"subnet-0b": {Open: 20, Total: 254, Packed: 170, Addresses: 2790, Largest: netip.MustParsePrefix("10.0.40.0/24")},
	}
	return f
}

// selfManaged is a cluster whose nodes are full, with cni-metrics-helper and an old release.
func selfManaged() relief.Facts {
	f := full()
	f.Managed, f.Version = false, cni.Parse("v1.7.5") // aws-node may not be restarted
	f.Nodes = []capacity.Nodes{{Type: "m5.large", Count: 30, Interfaces: 3, Addresses: 27}}
	f.Subnets = f.Subnets[:1]
	f.Subnets[0].CIDR, f.Subnets[0].Free = "10.0.0.0/22", 3
	f.Blocks = nil
	f.NodeMetrics = capacity.NodeMetrics{ID: "prod", Assigned: 702, Total: 810, Max: 810}
	f.Unread = []string{"the routes of vpc-0a1 (AccessDenied)"}
	return f
}

func clusters() map[string]relief.Facts {
	custom, auto := full(), full()
	custom.Mode.CustomNetworking, custom.Blocks = true, nil
	custom.Subnets[1].Free = 40
	custom.Nodes = []capacity.Nodes{{Type: "m5.xlarge", Count: 9, Interfaces: 3, Addresses: 28}}
	crowded := selfManaged()
	crowded.Version, crowded.Subnets[0].Free = cni.Parse("v1.9.3"), 120
	auto.AutoMode, auto.Managed, auto.Version = true, false, cni.Version{}
	return map[string]relief.Facts{
		"full small subnets with m5.large": full(), "prefixes in fragmented subnets": fragmented(), "self-managed with full nodes": selfManaged(), "full nodes where subnets have room": crowded,
		"custom networking already on": custom, "auto mode": auto, "nothing known": {Cluster: full().Cluster},
	}
}

func TestHelpReadsWell(t *testing.T) {
	for name, f := range clusters() {
		t.Run(name, func(t *testing.T) {
			got := "Line: " + relief.Line(f) + "\n"
			for _, h := range relief.All(f) {
				got += shown(h)
			}
			file := filepath.Join("testdata", strings.ReplaceAll(name, " ", "-")+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func shown(h relief.Help) string {
	s := fmt.Sprintf("\n%s (%s)\n", h.Title, h.Code)
	if h.Not != "" {
		return s + "  does not help: " + h.Not + "\n"
	}
	s += fmt.Sprintf("  line:   %s\n  effect: %s\n  risk:   %s\n", h.Line, h.Effect, h.Risk)
	for _, c := range h.Commands {
		s += "  $ " + c + "\n"
	}
	for _, f := range h.Files {
		s += "  " + f.Name + ":\n    " + strings.ReplaceAll(strings.TrimSpace(f.Text), "\n", "\n    ") + "\n"
	}
	return s
}
