package answers_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/hub"
	"github.com/cniguard/cniguard/internal/simulate"
)

// Three accounts are torn down at 1d: one where all goes well, one that lets nobody remove or read alarms, and one that cannot be
// entered any more, where old sessions have ended too. The cluster "gone" was deleted at 12h, while its alarm could not be removed.
const threeAccounts = `
  - {id: vpc-2, account: "555566667777", region: us-east-1, subnets: [{id: subnet-2, cidr: 10.1.0.0/22, used: [{addresses: 100}]}]}
  - {id: vpc-3, account: "666677778888", region: eu-west-1, subnets: [{id: subnet-3, cidr: 10.2.0.0/22, used: [{addresses: 100}]}]}
clusters:
  - {name: prod, account: "444455556666", region: eu-central-1, kubernetes: "1.21", vpc: vpc-1, nodegroups: [{name: blue, subnets: [subnet-1]}], addon: {version: v1.7.5-eksbuild.2}}
  - {name: gone, account: "444455556666", region: eu-central-1, kubernetes: "1.21", vpc: vpc-1, nodegroups: [{name: blue, subnets: [subnet-1]}], addon: {version: v1.9.0-eksbuild.1}, deletedAt: 12h}
  - {name: shut, account: "555566667777", region: us-east-1, kubernetes: "1.21", vpc: vpc-2, nodegroups: [{name: blue, subnets: [subnet-2]}], addon: {version: v1.9.0-eksbuild.1}}
  - {name: away, account: "666677778888", region: eu-west-1, kubernetes: "1.21", vpc: vpc-3, nodegroups: [{name: blue, subnets: [subnet-3]}], addon: {version: v1.9.0-eksbuild.1}}
faults:
  - {service: cloudwatch, operation: DeleteAlarms, account: "444455556666", from: 11h, until: 23h30m, code: AccessDenied}
  - {service: cloudwatch, operation: DeleteAlarms, account: "555566667777", from: 1h, until: 2d, code: AccessDenied}
  - {service: sts, principal: "666677778888", from: 17h, until: 2d, code: AccessDenied}
  - {account: "666677778888", from: 17h, until: 2d, code: ExpiredToken}
orders:
  - {at: 1d, kind: teardown, by: ana, because: trial is over}
`

const threeAccountsFleet = `{version: 1, fleet: [{account: "444455556666", regions: [eu-central-1]}, {account: "555566667777", regions: [us-east-1]},
  {account: "666677778888", regions: [eu-west-1]}], defaults: {mode: auto, owner: cniguard, target: latest}}
`

// alarms are the names of the clusters whose alarm stands.
func alarms(r *simulate.Run) []string {
	var stand []string
	for _, c := range r.World.Spec().Clusters {
		if _, stands := r.World.Alarm(c.Account, c.Region, "cniguard-"+c.Name+"-pod-subnets"); stands {
			stand = append(stand, c.Name)
		}
	}
	return stand
}

// left is what `cniguard teardown` would list.
func left(t *testing.T, r *simulate.Run) []string {
	t.Helper()
	kept, err := r.Ledger.All(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, one := range hub.Remnants(kept, r.World.Spec().Start.Add(day)) {
		lines = append(lines, one.Cluster.String()+": "+one.Why)
	}
	return lines
}

// Law 11: teardown removes what was made at run time, or lists what it could not reach.
func TestATeardownLeavesNoAlarmOrListsIt(t *testing.T) {
	r, _ := play(t, scene{world: threeAccounts, policy: threeAccountsFleet, length: day - time.Minute})
	if diff := cmp.Diff([]string{"prod", "gone", "shut", "away"}, alarms(r)); diff != "" {
		t.Errorf("alarms before (-want +got):\n%s", diff)
	}
	r.For(2 * time.Minute)
	if diff := cmp.Diff([]string{"shut", "away"}, alarms(r)); diff != "" {
		t.Errorf("alarms a minute after the order (-want +got):\n%s", diff)
	}
	r.For(hour)
	want := []string{
		"555566667777/us-east-1/shut: its alarm could not be removed: cloudwatch:DeleteAlarms:AccessDenied",
		"666677778888/eu-west-1/: the list of clusters could not be read: sts:AssumeRole: AccessDenied",
		"666677778888/eu-west-1/away: the alarms could not be read: sts:AssumeRole: AccessDenied",
	}
	var got []string
	for _, line := range left(t, r) {
		got = append(got, strings.SplitAfter(line, "AccessDenied")[0])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what is left (-want +got):\n%s", diff)
	}

	// What can be reached again is torn down too.
	r.For(day + 2*hour)
	if stand, rest := alarms(r), left(t, r); len(stand)+len(rest) > 0 {
		t.Errorf("two hours after access came back: alarms %v, left %v", stand, rest)
	}
}

func TestATeardownHoldsUntilSomebodyResumes(t *testing.T) {
	world := prod("") + `
orders:
  - {at: 1m30s, kind: halt, by: ana, because: not yet}
  - {at: 1h, kind: teardown, by: ana, because: trial is over}
  - {at: 2d, kind: resume, by: bo, because: it was not}
`
	r, lines := play(t, scene{world: world, length: 2*day - time.Minute})
	if stand := alarms(r); len(stand) > 0 {
		t.Errorf("after a day of sweeps: %v", stand)
	}
	for _, l := range lines {
		if l.What == simulate.UpdateStarted {
			t.Errorf("%+v", l)
		}
	}
	r.For(hour)
	if stand := alarms(r); len(stand) != 1 {
		t.Errorf("after the end of the teardown: %v", stand)
	}
	row := r.Fleet()[0]
	if row.Change == guard.Waiting && strings.Contains(fmt.Sprint(row.HeldBy), "halt") {
		t.Errorf("it is still held: %+v", row)
	}
}
