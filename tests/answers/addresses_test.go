package answers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/policy/source"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
)

// delegating is a cluster whose nodes take prefixes from a subnet with these fields, beside a roomy one.
func delegating(subnet string, more ...string) string {
	return "\n  - {id: vpc-2, account: \"444455556666\", region: eu-central-1, cidrs: [10.1.0.0/16], subnets: [{id: subnet-2, zone: eu-central-1a, " + subnet +
		"}, {id: subnet-3, cidr: 10.1.8.0/22, zone: eu-central-1b}]}\n" +
		strings.NewReplacer("vpc: vpc-1", "vpc: vpc-2", "[subnet-1]", "[subnet-2, subnet-3]").Replace(cluster(append([]string{
			"addon: {version: v1.19.0-eksbuild.1}",
			"instances: [{id: i-1, subnets: [subnet-2], prefixes: [2]}, {id: i-2, subnets: [subnet-3], prefixes: [2]}]",
		}, more...)...))
}

func TestAddresses(t *testing.T) {
	const put = "alarm put: cniguard-prod at 80 %"
	free := fleet + "defaults: {daysLeft: off, furtherAlarms: [free-blocks]}\n"
	for _, s := range []scene{
		{name: "a subnet with 60 % of its addresses free, and hardly a block", policy: looks, length: 7 * hour,
			// 62 blocks, of which the first 55 get a single address each in the second hour.
			world: delegating("cidr: 10.1.0.0/22, layout: scattered, used: [{addresses: 40}, {at: 1h, addresses: 40}, {at: 2h, addresses: 90}, {at: 3h, addresses: 400}]"),
			did: put + `
				told: opened blocks-low (critical)
			`,
			says: map[string][]string{"opened blocks-low": {"free /28 blocks", "fragmented", "what helps"}},
			ends: "critical; managed; fine; critical; idle; ", calls: 700},
		{name: "the meter rings the alarm on blocks within minutes", policy: free, length: 5 * hour,
			world: delegating("cidr: 10.1.0.0/22, layout: scattered, used: [{addresses: 10}, {at: 1h, addresses: 10}, {at: 2h, addresses: 400}]"),
			did: put + `
				alarm put: cniguard-prod-free-blocks at 80 %
				told: opened blocks-low (critical)
			`,
			ends: "critical; managed; fine; critical; idle; ", calls: 900},
		{name: "a subnet too small for a block", policy: looks, length: 2 * hour,
			world: strings.Replace(delegating("cidr: 10.1.0.0/28, used: [{addresses: 3}]"), "prefixes: [2]", "prefixes: [0]", 1), // it found none
			did: put + `
				told: opened blocks-low (critical)
			`,
			says: map[string][]string{"opened blocks-low": {"too small to hold one"}},
			ends: "critical; managed; fine; critical; idle; ", calls: 300},
		{name: "nightly scale-down is no news each morning", policy: looks, length: 3 * day,
			world: strings.Replace(delegating("cidr: 10.1.0.0/22, used: ["+nights(3, 300, 700)+"]"), "prefixes: [2]", "addresses: [9]", 2),
			did:   put, ends: "fine; managed; fine; fine; idle; ", calls: 4000},
		{name: "nodes that are full, as the helper says", policy: fleet + "defaults: {daysLeft: off, furtherAlarms: [node-capacity]}\n", length: 15 * hour,
			world: cluster("addon: {version: v1.19.0-eksbuild.1}", "metricsHelper: {assigned: [{addresses: 40}, {at: 10h, addresses: 40}, {at: 11h, addresses: 95}], total: [{addresses: 100}], max: [{addresses: 100}]}"),
			did: put + `
				alarm put: cniguard-prod-node-capacity at 80 %
				told: opened nodes-full (warning)
			`,
			says: map[string][]string{"opened nodes-full": {"CLUSTER_ID prod", "of 100 that the nodes can hold"}},
			ends: "fine; managed; fine; fine; idle; ", calls: 1600},
		{name: "a helper that stops", policy: fleet + "defaults: {daysLeft: off, furtherAlarms: [node-capacity]}\n", length: 15 * hour,
			world: cluster("addon: {version: v1.19.0-eksbuild.1}", "metricsHelper: {assigned: [{addresses: 40}], total: [{addresses: 100}], max: [{addresses: 100}], stopsAt: 10h}"),
			did: put + `
				alarm put: cniguard-prod-node-capacity at 80 %
				for the digest: opened metric-silent (warning)
			`,
			says: map[string][]string{"opened metric-silent": {"cniguard-prod-node-capacity"}},
			ends: "fine; managed; fine; fine; idle; ", calls: 1600},
		{name: "a helper under another name is watched where the policy gives it", length: 9 * hour,
			policy: fleet + "defaults: {daysLeft: off, furtherAlarms: [node-capacity], metricsHelperID: k8s-cluster}\n",
			world:  cluster("addon: {version: v1.19.0-eksbuild.1}", "metricsHelper: {id: k8s-cluster, assigned: [{addresses: 40}], total: [{addresses: 100}], max: [{addresses: 100}]}"),
			did: put + `
				alarm put: cniguard-prod-node-capacity at 80 %
			`,
			ends: "fine; managed; fine; fine; idle; ", calls: 400},
		{name: "and not where it does not", length: 9 * hour, policy: fleet + "defaults: {daysLeft: off, furtherAlarms: [node-capacity]}\n",
			world: cluster("addon: {version: v1.19.0-eksbuild.1}", "metricsHelper: {id: k8s-cluster, assigned: [{addresses: 40}], total: [{addresses: 100}], max: [{addresses: 100}]}"),
			did:   put, ends: "fine; managed; fine; fine; idle; ", calls: 400},
		{name: "an alarm whose event never comes", policy: looks, length: 3 * hour,
			world: fills(210) + "behaviour: {alarmEventsLost: 1}\n",
			did: put + `
				told: opened capacity-low (warning)
				for the digest: opened alarm-unheard (warning)
			`,
			ends: "warning; managed; fine; warning; idle; ", calls: 400},
		{name: "one whose event comes", policy: looks, length: 3 * hour, world: fills(210),
			did: put + `
				told: opened capacity-low (warning)
			`,
			ends: "warning; managed; fine; warning; idle; ", calls: 400},
	} {
		t.Run(s.name, func(t *testing.T) { hold(t, s) })
	}
}

// nights are addresses in use that fall each night, of so many days.
func nights(days, low, high int) string {
	var points []string
	for d := range days {
		for _, p := range []struct{ hour, addresses int }{{0, low}, {7, low}, {8, high}, {19, high}, {20, low}} {
			points = append(points, fmt.Sprintf("{at: %dh, addresses: %d}", 24*d+p.hour, p.addresses))
		}
	}
	return strings.Join(points, ", ")
}

// fills is a cluster whose one pod subnet, of 251 addresses, has so many in use from the first hour on.
func fills(to int) string {
	return fmt.Sprintf("\n  - {id: vpc-2, account: \"444455556666\", region: eu-central-1, subnets: [{id: subnet-2, cidr: 10.1.0.0/24, used: [{addresses: 10}, {at: 1h, addresses: 10}, {at: 61m, addresses: %d}]}]}\n", to) +
		strings.NewReplacer("vpc: vpc-1", "vpc: vpc-2", "[subnet-1]", "[subnet-2]").Replace(cluster("addon: {version: v1.19.0-eksbuild.1}"))
}

// From the crossing of 80 % to the message: the meter measures at its next tick, at most 5 minutes later, and asks for the check by itself. The
// alarm of CloudWatch, which waits for two points, comes 5 to 10 minutes after that, with CloudWatch's own delay of a minute: docs/subnets.md.
func TestACrossingIsToldWithinMinutes(t *testing.T) {
	for offset := range 5 {
		world := strings.NewReplacer("at: 1h,", fmt.Sprintf("at: %dm,", 60+offset), "at: 61m", fmt.Sprintf("at: %dm", 61+offset)).Replace(fills(210))
		r, lines := play(t, scene{policy: looks, world: world, length: 3 * hour})
		crossed := r.World.Spec().Start.Add(time.Duration(61+offset) * time.Minute)
		i := slices.IndexFunc(lines, func(l simulate.Line) bool { return l.What == simulate.Told && l.Finding == guard.CapacityLow })
		if i < 0 {
			t.Fatal("not told")
		}
		if wait := lines[i].At.Sub(crossed); wait < 0 || wait > 6*time.Minute {
			t.Errorf("crossed %d minutes after a tick, told %s later", offset+1, wait)
		}
		id := r.World.Clusters()[0]
		a, _ := r.World.Alarm(id.Account, id.Region, alarm.PodSubnets.Name(id))
		if wait := a.StateUpdatedTimestamp.Sub(crossed); a.StateValue != "ALARM" || wait < 6*time.Minute || wait > 11*time.Minute {
			t.Errorf("crossed %d minutes after a tick, the alarm was %s %s later", offset+1, a.StateValue, wait)
		}
	}
}

// The settings of a whole account change: each alarm follows within one sweep, at no more than one put a second.
func TestChangedSettingsReachEveryAlarmAtTheAllowedRate(t *testing.T) {
	n := 2000
	if testing.Short() {
		n = 120
	}
	w := cluster("addon: {version: v1.19.0-eksbuild.1}", fmt.Sprintf("copies: %d", n))
	r, _ := play(t, scene{policy: looks, world: w, length: 7 * hour})
	puts := map[int64]int{}
	throttled := 0
	r.World.Watch(func(e world.Entry) {
		if e.Call == nil {
			return
		}
		if _, is := e.Call.In.(*cloudwatch.PutMetricAlarmInput); is {
			puts[e.At.Unix()]++
			if e.Call.Err != nil {
				throttled++
			}
		}
	})
	changed, err := source.Read("policy.yaml", []byte(strings.Replace(looks, "daysLeft: off", "daysLeft: off, warning: 70", 1)))
	if err != nil {
		t.Fatal(err)
	}
	r.Deploy(changed)
	r.For(7 * hour)
	follow := 0
	for _, id := range r.World.Clusters() {
		if a, ok := r.World.Alarm(id.Account, id.Region, alarm.PodSubnets.Name(id)); ok && *a.Threshold == 70 {
			follow++
		}
	}
	most := 0
	for _, k := range puts {
		most = max(most, k)
	}
	if follow != n || most > 2 || throttled > 0 {
		t.Errorf("%d of %d alarms follow; at most %d puts in a second; %d throttled", follow, n, most, throttled)
	}
}
