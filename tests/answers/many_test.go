package answers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/simulate"
)

// What AWS gives in pages, cniguard reads whole and works off, also where there are 5,000.
func TestThousandsOfClustersAreCheckedAndMeteredInOneSweep(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of clusters take some seconds")
	}
	r, lines := play(t, scene{policy: looks, length: 2 * hour,
		world: cluster("addon: {version: v1.9.0-eksbuild.1}", fmt.Sprint("copies: ", many))})
	fine := 0
	for _, row := range r.Fleet() {
		if row.Verdict == "fine" {
			fine++
		}
	}
	sum := r.Summary()
	if fine != many || sum.Alarms.Put != many || sum.GivenUp != 0 {
		t.Errorf("%d clusters are fine, %d alarms were put, %d events given up; want %d, %d and 0", fine, sum.Alarms.Put, sum.GivenUp, many, many)
	}
	// CloudWatch takes three alarms a second in a region, so that one of thousands may wait for longer than patience lasts.
	for _, l := range only(lines, simulate.Told) {
		if l.Finding != guard.AlarmFailed {
			t.Errorf("there is nothing else to tell: %+v", l)
		}
	}
	if opened := sum.Told[guard.Opened]; opened > many/1000 || sum.Told[guard.Recovered] != opened {
		t.Errorf("%d alarms could not be put for half an hour, of which %d recovered", opened, sum.Told[guard.Recovered])
	}
	for _, id := range r.World.Clusters() {
		if a, ok := r.World.Alarm(id.Account, id.Region, alarm.PodSubnets.Name(id)); !ok || a.StateValue != "OK" {
			t.Fatalf("the alarm of %s: %v, %s", id, ok, a.StateValue)
		}
	}
	// A check is some ten calls; there are two, of the sweep and of the alarm's first change, and another for an alarm that was throttled.
	// Each part of 50 lists all again.
	if most := 25*many + many/50*many/100; sum.Calls > most {
		t.Errorf("%d calls; want at most %d", sum.Calls, most)
	}
}

func TestFiveThousandInstancesAreReadWhole(t *testing.T) {
	lists := strings.Replace(cluster("addon: {version: v1.9.0-eksbuild.1}", "instances: [{id: i-a, subnets: [subnet-1], copies: 4999}, {id: i-z, subnets: [subnet-2]}]"),
		"    nodegroups: [{name: blue, subnets: [subnet-1]}]\n", "", 1)
	for name, pages := range map[string]string{"in pages of 1,000": "0", "in pages of 50": "50"} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(lists, "vpc: vpc-1", "vpc: vpc-2", 1) + "behaviour: {pageSize: " + pages + "}\n"
			r, lines := play(t, scene{policy: looks, length: 30 * time.Minute, world: `
  - {id: vpc-2, account: "444455556666", region: eu-central-1, subnets: [
      {id: subnet-0, cidr: 10.2.0.0/19}, {id: subnet-2, cidr: 10.1.0.0/24, used: [{addresses: 250}]}]}
` + strings.ReplaceAll(text, "[subnet-1]", "[subnet-0]")})
			if row := r.Fleet()[0]; row.Capacity != "critical" {
				t.Errorf("the full subnet is that of the last instance: %+v", row)
			}
			if sum := r.Summary(); sum.Calls > 3000 || sum.GivenUp > 0 {
				t.Errorf("%d calls, %d events given up", sum.Calls, sum.GivenUp)
			}
			if told := deeds(only(lines, simulate.Told)); len(told) != 1 || told[0] != "told: opened capacity-low (critical)" {
				t.Errorf("told %v", told)
			}
		})
	}
}

func only(lines []simulate.Line, what simulate.What) []simulate.Line {
	var some []simulate.Line
	for _, l := range lines {
		if l.What == what {
			some = append(some, l)
		}
	}
	return some
}
