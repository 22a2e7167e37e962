package answers_test

import (
	"strings"
	"testing"
)

// What a careful engineer would not update, whatever the policy allows: each in a world of its own. Facts 7.2/room.
func TestHeldUpdates(t *testing.T) {
	const approves = fleet + "defaults: {mode: approve, daysLeft: off}\n"
	for _, s := range []scene{
		{name: "an add-on of Terraform is left to it", world: prod(`, tags: {ManagedBy: Terraform}`), length: 6 * hour,
			says: map[string][]string{"opened update-blocked": {`belongs to`, `ManagedBy=Terraform`, `change it there`}},
			did: `
				held: owner, alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				held: owner
				for the digest: opened update-blocked (warning)
			`,
			ends: "outdated; managed; outdated; fine; waiting; owner", calls: 360},
		{name: "aws-node is not restarted where its subnet has no room", length: 6 * hour,
			says: map[string][]string{"opened update-blocked": {`subnet-2 has only 13 free addresses`, `restarting aws-node there may fail`}},
			// 13 of 59 addresses are left: the alarm, at 80 %, is OK.
			world: `  - {id: vpc-2, account: "444455556666", region: eu-central-1, subnets: [{id: subnet-2, cidr: 10.2.0.0/26, used: [{addresses: 46}]}]}
` + strings.NewReplacer("vpc-1", "vpc-2", "subnet-1", "subnet-2").Replace(prod("")),
			did: `
				held: alarm, room
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				held: room
				for the digest: opened update-blocked (warning)
			`,
			ends: "outdated; managed; outdated; fine; waiting; room", calls: 360},
		{name: "an approval does not outlive the plan that it is for", policy: approves, length: 8 * hour, // the role changes before the alarm is OK
			world: prod("") + `
orders:
  - {at: 2m, kind: approve, account: "444455556666", region: eu-central-1, name: prod, by: ann, because: tested}
changes:
  - {at: 3m, account: "444455556666", region: eu-central-1, name: prod, do: update add-on, addon: {version: v1.7.5-eksbuild.2, role: "arn:aws:iam::444455556666:role/other"}}
`,
			did: `
				held: alarm, approval
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				held: alarm
				update started: v1.7.5 → v1.7.5
				update ended: v1.7.5 → v1.7.5 Successful
				held: approval
			`,
			ends: "outdated; managed; outdated; fine; waiting; approval", calls: 400},
	} {
		t.Run(s.name, func(t *testing.T) { t.Parallel(); hold(t, s) })
	}
}
