package event_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
)

// captured is where the captures of CloudTrail's events were taken.
var captured = event.Unit{Account: "000000000000", Region: "us-east-1"}

// captures is what is expected of each file in events/captures/.
func captures() map[string]sample {
	trigger := func(k event.Kind, n, why, instant string) event.Trigger {
		t, err := time.Parse("2006-01-02 15:04:05.999", instant)
		if err != nil {
			panic(err)
		}
		return event.Trigger{Kind: k, ID: id + n, From: captured, Why: why, At: t}
	}
	called := func(n, why, instant string) sample {
		t := trigger(event.Check, n, why, instant)
		t.Cluster = cluster.ID{Account: captured.Account, Region: captured.Region, Name: "captured"}
		return sample{"eks-calls", t}
	}
	other := func(n, instant string) sample {
		return sample{"", trigger(event.Skip, n, `other add-on: "coredns"`, instant)}
	}
	alarm := func(n, account, region, instant string) sample {
		t := trigger(event.Skip, n, `other alarm: "captured"`, instant)
		t.From = event.Unit{Account: account, Region: region}
		return sample{"", t}
	}
	return map[string]sample{
		"captures/create-cluster.json":                 called("101", "CloudTrail CreateCluster", "2026-09-28 00:44:31"),
		"captures/create-addon.json":                   other("102", "2026-09-28 00:51:27"),
		"captures/update-addon.json":                   other("103", "2026-09-27 21:06:47"),
		"captures/delete-addon.json":                   other("104", "2026-09-27 20:11:06"),
		"captures/delete-cluster.json":                 called("105", "CloudTrail DeleteCluster", "2026-09-28 00:56:46"),
		"captures/associate-access-policy-by-eks.json": called("106", "CloudTrail AssociateAccessPolicy", "2026-09-28 00:48:28"),
		"captures/alarm-state.json":                    alarm("110", "123456789012", "us-east-1", "2026-09-14 05:42:42"),
		"captures/alarm-created.json":                  alarm("111", "123456789012", "us-east-1", "2026-09-14 05:42:25"),
		"captures/alarm-updated.json":                  alarm("112", "123456789012", "us-east-1", "2026-09-14 05:46:16"),
		"captures/alarm-deleted.json":                  alarm("113", "123456789012", "us-east-1", "2026-09-14 05:46:46"),
		"captures/alarm-contributor.json":              alarm("114", "000000000000", "us-west-2", "2026-09-23 20:06:49"),
	}
}

// What was captured was about another add-on and other alarms. The same events about what cniguard watches must not only be
// passed over without harm.
// Facts 1.2/resources-empty, 1.2/name.
func TestACaptureAboutWhatIsWatchedAsksForACheck(t *testing.T) {
	watched := strings.NewReplacer(
		"coredns", "vpc-cni",
		`"alarmName": "captured"`, `"alarmName": "cniguard-captured-pod-subnets"`,
	)
	for name, c := range captures() {
		if strings.Contains(c.want.Why, "other call") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			raw := []byte(watched.Replace(string(read(t, name))))
			have, err := event.Decode(raw)
			if err != nil {
				t.Fatal(err)
			}
			want, rules := event.Check, 1
			if strings.Contains(name, "alarm-created") {
				want, rules = event.Skip, 0
			}
			if have.Kind != want || want == event.Check && have.Cluster.Name != "captured" {
				t.Errorf("it asks for %s %v: %s", have.Kind, have.Cluster, have.Why)
			}
			// Of those that are captured this one went to ALARM; others were changed while they were in it.
			if have.Rang != strings.Contains(name, "alarm-state") {
				t.Errorf("rang: %t", have.Rang)
			}
			if n := len(matching(raw)); n != rules {
				t.Errorf("%d rules let it through, want %d", n, rules)
			}
		})
	}
}
