package laws_test

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/cniguard/cniguard/internal/policy"
	"github.com/cniguard/cniguard/internal/world"
)

// crashScenes are small worlds in which the interesting things happen one after the other.
func crashScenes() map[string]scene {
	healthy := quietScene("v1.8.0-eksbuild.1", "floor")
	stepping := quietScene("v1.7.5-eksbuild.2", "v1.9.0-eksbuild.1")
	alarming := quietScene("v1.8.0-eksbuild.1", "floor")
	alarming.spec.Clusters[0].Tags = map[string]string{"risk": "high"}
	alarming.spec.Changes = []world.Change{{At: 10 * time.Minute, Account: hubAccount, Region: hubRegion, Name: "c1", Do: world.TagCluster, Tags: map[string]string{"alarms": "off"}}}
	alarming.spec.Events = []world.TimedEvent{look(11 * time.Minute)}
	filling := quietScene("v1.8.0-eksbuild.1", "floor")
	filling.spec.VPCs[0].Subnets[0].Used = []world.Point{
		{At: 0, Addresses: 20}, {At: 8 * time.Minute, Addresses: 20}, {At: 9 * time.Minute, Addresses: 245},
		{At: 40 * time.Minute, Addresses: 245}, {At: 41 * time.Minute, Addresses: 20},
	}
	kept := quietScene("v1.7.5-eksbuild.2", "floor")
	kept.table = true
	kept.spec.Behaviour.IndexLag, kept.spec.Behaviour.Unprocessed = time.Second, .3
	failing := quietScene("v1.7.5-eksbuild.2", "floor")
	failing.spec.Updates = []world.UpdateScript{{Outcome: world.Fail, Times: 2}}
	return map[string]scene{
		"a healthy cluster": healthy, "two steps": stepping, "an alarm that goes": alarming, "a subnet that fills and empties": filling,
		"an update that fails twice": failing, "a step, with the ledger in a table": kept,
	}
}

// look is an event that has the cluster checked.
func look(at time.Duration) world.TimedEvent {
	return world.TimedEvent{At: at, Source: "cniguard", Type: "Check Requested", Detail: fmt.Sprintf(`{"account":%q,"region":%q,"name":"c1"}`, hubAccount, hubRegion)}
}

// quietScene is one cluster in automatic mode, in a world where nothing goes wrong and many an event comes twice.
func quietScene(version, target string) scene {
	return scene{
		seed: 1, length: 3*time.Hour + 30*time.Minute, quiet: time.Hour,
		doc: policy.Document{
			Version: 1, Fleet: []policy.Member{{Account: hubAccount, Regions: []string{hubRegion}}},
			Defaults: policy.Set{Mode: aws.String("auto"), Owner: aws.String("cniguard"), Target: &target},
			Rules: []policy.Rule{
				{Name: "risk", Match: policy.Match{Tags: map[string]string{"risk": "high"}}, Set: policy.Set{Warning: aws.String("60")}},
				{Name: "silent", Match: policy.Match{Tags: map[string]string{"alarms": "off"}}, Set: policy.Set{Alarms: aws.String("off")}, TrustTags: true},
			},
		},
		spec: world.Spec{
			Start: start, Hub: world.Hub{Account: hubAccount, Region: hubRegion}, Catalogues: catalogues(),
			VPCs: []world.VPC{{ID: "vpc-1", Account: hubAccount, Region: hubRegion, Subnets: []world.Subnet{
				{ID: "subnet-a", CIDR: "10.0.0.0/24", Zone: hubRegion + "a", Used: []world.Point{{Addresses: 20}}},
			}}},
			Clusters: []world.Cluster{{
				Name: "c1", Account: hubAccount, Region: hubRegion, Kubernetes: "1.21", VPC: "vpc-1",
				Addon:      &world.Addon{Version: version, Role: "arn:aws:iam::" + hubAccount + ":role/cni", Configuration: `{"env":{}}`, PodIdentities: []string{"a-1"}},
				Nodegroups: []world.Nodegroup{{Name: "ng", Subnets: []string{"subnet-a"}}},
			}},
			Behaviour: world.Behaviour{OneMinor: true, ConfigDropped: true, EventsDoubled: .5, InvocationsDoubled: .3,
				UpdateTakes: world.Range{Min: 2 * time.Minute, Max: 2 * time.Minute}, Latency: world.Range{Min: 20 * time.Millisecond, Max: 200 * time.Millisecond}},
		},
	}
}

// TestAProcessMayDieAtAnyCall kills a process at every call of a scene's first hour, before the call and after it; in a plain
// test run, at some of them. All laws hold, and the scene ends as if nobody had died.
func TestAProcessMayDieAtAnyCall(t *testing.T) {
	for name, s := range crashScenes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stride := usualStride
			if os.Getenv("LAWS_WORLDS") != "" {
				stride = 1
			}
			whole, err := play(s, twist{})
			if err != nil {
				t.Fatal(err)
			}
			want := whole.rest()
			for n := 1; n <= callsUntil(t, s, s.quiet); n += stride {
				for _, after := range []bool{false, true} {
					dying := s
					dying.kills = []kill{{at: first, n: n, after: after}}
					got, err := play(dying, twist{})
					if err != nil {
						t.Fatal(err)
					}
					for _, v := range got.broken {
						t.Errorf("a death at call %d (after: %t): %s", n, after, v)
					}
					if rest := got.rest(); !slices.Equal(rest, want) {
						t.Errorf("a death at call %d (after: %t): it ends as\n%q, want\n%q", n, after, rest, want)
					}
				}
			}
		})
	}
}

// first is when the first schedule has not yet come, and others are done with what they do at the start.
const first = 50 * time.Second

// callsUntil is how many calls there are from first until an offset.
func callsUntil(t *testing.T, s scene, until time.Duration) int {
	t.Helper()
	n := 0
	if _, err := play(s, twist{until: until, laws: func(*stage) []law { return nil }, watch: func(e world.Entry) {
		if e.Call != nil && e.Call.Service != "sts" && e.At.Sub(start) > first {
			n++
		}
	}}); err != nil {
		t.Fatal(err)
	}
	return n
}

// rest is how a scene ended: the add-ons, the alarms, and what people take to be open.
func (s *stage) rest() []string {
	var lines []string
	open := map[string]bool{}
	for id, a := range s.clusters {
		is, _ := s.run.World.Addon(id)
		lines = append(lines, fmt.Sprintf("%s %+v", id, is))
		alarm, stands := s.run.World.Alarm(id.Account, id.Region, alarmName(id))
		lines = append(lines, fmt.Sprintf("%s alarm %t at %g, %s, status %s", id, stands, aws.ToFloat64(alarm.Threshold), alarm.StateValue, a.state.now().status))
	}
	for _, l := range s.letters {
		if l.Finding != "update-progress" {
			open[l.id().String()+" "+l.Finding] = !l.ends()
		}
	}
	for what, is := range open {
		if is {
			lines = append(lines, "open: "+what)
		}
	}
	slices.Sort(lines)
	return lines
}
