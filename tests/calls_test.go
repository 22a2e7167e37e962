package tests_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/policy/source"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
)

// TestWhatACheckAndAMeterAskOfAWS counts each call of one check and of one meter, of a cluster with room whose nodes take single addresses, and of
// one whose nodes take prefixes and that has the alarm on blocks: docs/adr/0009-addresses.md states them. The forecast was made before.
func TestWhatACheckAndAMeterAskOfAWS(t *testing.T) {
	check := map[string]int{
		"DescribeCluster": 1, "DescribeAddon": 1, "DescribeAddonVersions": 1, "ListNodegroups": 1, "ListFargateProfiles": 1, "DescribeNodegroup": 1,
		"DescribeInstances": 3, "DescribeSubnets": 1, "DescribeAlarms": 1,
	}
	meter := map[string]int{"DescribeSubnets": 1, "PutMetricData": 1}
	plus := func(calls map[string]int, more map[string]int) map[string]int {
		sum := map[string]int{}
		for _, part := range []map[string]int{calls, more} {
			for op, n := range part {
				sum[op] += n
			}
		}
		return sum
	}
	blocks := map[string]int{"DescribeNetworkInterfaces": 1, "GetSubnetCidrReservations": 2} // one for each subnet
	for name, c := range map[string]struct {
		holds        string
		policy       string
		check, meter map[string]int
	}{
		"single addresses":                  {"addresses: [9]", "", check, meter},
		"prefixes":                          {"prefixes: [1]", "", plus(check, blocks), meter},
		"prefixes, and the alarm on blocks": {"prefixes: [1]", "defaults: {furtherAlarms: [free-blocks]}\n", plus(check, blocks), plus(meter, plus(blocks, map[string]int{"PutMetricData": 1}))},
	} {
		t.Run(name, func(t *testing.T) {
			r := settled(t, c.holds, c.policy)
			if diff := cmp.Diff(c.check, asked(t, r, "Check Requested", `"name":"prod"`)); diff != "" {
				t.Errorf("a check (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.meter, asked(t, r, "Metering", fmt.Sprintf(`"at":%q`, r.Now().Format(time.RFC3339)))); diff != "" {
				t.Errorf("a meter (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWhatACheckAsksOfAWSWhereEKSManagesNoAddOn counts those of a cluster whose aws-node somebody installed: the releases are listed once an hour for
// all clusters of a region and a version of Kubernetes, and the environment is held against a release's schema once.
func TestWhatACheckAsksOfAWSWhereEKSManagesNoAddOn(t *testing.T) {
	r := settledWith(t, `daemonSets: [{name: aws-node, containers: [
        {name: aws-node, image: "602401143452.dkr.ecr.eu-central-1.amazonaws.com/amazon-k8s-cni:v1.19.0", env: {WARM_IP_TARGET: "5"}}]}],
     api: {readers: [cniguard-observer]}`, "addresses: [9]", "")
	want := map[string]int{
		"DescribeCluster": 1, "DescribeAddon": 1, "DescribeAddonVersions": 1, "ListNodegroups": 1, "ListFargateProfiles": 1, "DescribeNodegroup": 1,
		"DescribeInstances": 3, "DescribeSubnets": 1, "DescribeAlarms": 1,
	}
	if diff := cmp.Diff(want, asked(t, r, "Check Requested", `"name":"prod"`)); diff != "" {
		t.Errorf("a check (-want +got):\n%s", diff)
	}
	delete(want, "DescribeAddonVersions")
	if diff := cmp.Diff(want, asked(t, r, "Check Requested", `"name":"prod"`)); diff != "" {
		t.Errorf("the next (-want +got):\n%s", diff)
	}
	kept, err := r.Ledger.Load(t.Context(), cluster.ID{Account: "111122223333", Region: "eu-central-1", Name: "prod"})
	if got := kept.Record.ByHand; err != nil || got.Listed != "v1.19.0-eksbuild.1" || len(got.Path) > 0 || got.Unchecked != "" || got.Why == "" {
		t.Errorf("the record has %+v, %v", got, err)
	}
}

// settled is a run whose one cluster, with two nodes in two subnets, was checked and metered before, between two ticks.
func settled(t *testing.T, holds, defaults string) *simulate.Run {
	t.Helper()
	return settledWith(t, "addon: {version: v1.19.0-eksbuild.1}", holds, defaults)
}

// settledWith has what installed the VPC CNI there.
func settledWith(t *testing.T, install, holds, defaults string) *simulate.Run {
	t.Helper()
	spec, err := world.ReadSpec("world.yaml", fmt.Appendf(nil, `
start: 2026-03-02T08:00:00Z
hub: {account: "111122223333", region: eu-central-1}
vpcs:
  - {id: vpc-1, account: "111122223333", region: eu-central-1, subnets: [
      {id: subnet-1, cidr: 10.0.0.0/24, zone: eu-central-1a}, {id: subnet-2, cidr: 10.0.1.0/24, zone: eu-central-1b}]}
clusters:
  - {name: prod, account: "111122223333", region: eu-central-1, kubernetes: "1.33", vpc: vpc-1, nodegroups: [{name: blue, subnets: [subnet-1, subnet-2]}],
     %[2]s, instances: [{id: i-1, subnets: [subnet-1], %[1]s}, {id: i-2, subnets: [subnet-2], %[1]s}]}
catalogues:
  "1.33": [{version: v1.19.0-eksbuild.1, compatible: true, default: true}]
`, holds, install))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := source.Read("policy.yaml", []byte("version: 1\nfleet: [{account: \"111122223333\", regions: [eu-central-1]}]\n"+defaults))
	if err != nil {
		t.Fatal(err)
	}
	r, err := simulate.Start(spec, rules, simulate.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	r.For(7*time.Hour + 2*time.Minute)
	return r
}

// asked are the calls of AWS's services that an event of cniguard's own leads to, by operation.
func asked(t *testing.T, r *simulate.Run, kind, detail string) map[string]int {
	t.Helper()
	calls := map[string]int{}
	counting := true
	r.World.Watch(func(e world.Entry) {
		if counting && e.Call != nil && (e.Call.Service == "eks" || e.Call.Service == "ec2" || e.Call.Service == "cloudwatch") {
			calls[e.Call.Op]++
		}
	})
	event := fmt.Sprintf(`{"version":"0","id":"1","detail-type":%q,"source":"cniguard","account":"111122223333","time":%q,`+
		`"region":"eu-central-1","resources":[],"detail":{"account":"111122223333","region":"eu-central-1",%s}}`, kind, r.Now().Format(time.RFC3339), detail)
	if err := r.Wake([]byte(event)); err != nil {
		t.Fatal(err)
	}
	r.For(time.Minute)
	counting = false
	return calls
}
