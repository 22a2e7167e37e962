package answers_test

import "testing"

func TestCalls(t *testing.T) {
	faults := func(lines string) string { return "faults:\n" + lines }
	fault := func(fields string) string { return faults("  - {" + fields + "}\n") }
	for _, s := range []scene{
		{name: "an update that is throttled for two hours is told, tried less and less often, and then made", says: map[string][]string{
			"opened update-blocked":    {`EKS does not take it`, `ThrottlingException`, `tries again by itself`},
			"recovered update-blocked": {`no longer held back`},
		},
			length: 8 * hour,
			world:  prod("") + fault("service: eks, operation: UpdateAddon, code: ThrottlingException, until: 2h"),
			did: `
				held: alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				refused: update add-on v1.7.5 → v1.8.0: eks:UpdateAddon: ThrottlingException: This fault was injected.
				for the digest: opened update-blocked (warning)
				update started: v1.7.5 → v1.8.0
				for the digest: recovered update-blocked (warning)
				told: update started update-progress (info)
				update ended: v1.7.5 → v1.8.0 Successful
				for the digest: recovered version-outdated (warning)
				told: updated update-progress (info)
			`,
			ends: "fine; managed; fine; fine; idle; ", calls: 630},
		{name: "an update that EKS breaks on for two hours is told, and then made", says: map[string][]string{
			"opened update-blocked": {`ServerException`},
		},
			length: 8 * hour,
			world:  prod("") + fault("service: eks, operation: UpdateAddon, code: ServerException, until: 2h"),
			did: `
				held: alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				refused: update add-on v1.7.5 → v1.8.0: eks:UpdateAddon: ServerException: This fault was injected.
				for the digest: opened update-blocked (warning)
				update started: v1.7.5 → v1.8.0
				for the digest: recovered update-blocked (warning)
				told: update started update-progress (info)
				update ended: v1.7.5 → v1.8.0 Successful
				for the digest: recovered version-outdated (warning)
				told: updated update-progress (info)
			`,
			ends: "fine; managed; fine; fine; idle; ", calls: 740},
		{name: "an update that EKS breaks on for ever is tried once an hour in the end", length: 3 * day,
			world: prod("") + fault("service: eks, operation: UpdateAddon, code: ServerException"),
			did: `
				held: alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				refused: update add-on v1.7.5 → v1.8.0: eks:UpdateAddon: ServerException: This fault was injected.
				for the digest: opened update-blocked (warning)
			`,
			ends: "outdated; managed; outdated; fine; waiting; ", calls: 6590},
		{name: "an update whose answer comes too late is made once", length: day,
			world: prod("") + fault("service: eks, operation: UpdateAddon, latency: 12s"),
			did: `
				held: alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				answer lost: update add-on v1.7.5 → v1.8.0: eks:UpdateAddon: request canceled, context deadline exceeded
				told: update started update-progress (info)
				update ended: v1.7.5 → v1.8.0 Successful
				for the digest: recovered version-outdated (warning)
				told: updated update-progress (info)
			`,
			ends: "fine; managed; fine; fine; idle; ", calls: 1320},
		{name: "an update whose answer was cut is found by what EKS lists", length: 6 * hour,
			world: prod("") + fault("service: eks, operation: UpdateAddon, code: ConnectionReset, after: true, times: 1"),
			did: `
				held: alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				answer lost: update add-on v1.7.5 → v1.8.0: eks:UpdateAddon: request send failed, read tcp: connection reset by peer
				told: update started update-progress (info)
				update ended: v1.7.5 → v1.8.0 Successful
				for the digest: recovered version-outdated (warning)
				told: updated update-progress (info)
			`,
			ends: "fine; managed; fine; fine; idle; ", calls: 400},
		{name: "it is found where EKS's clock is behind", length: 6 * hour,
			world: prod("") + "behaviour: {clockBehind: 50s}\n" + fault("service: eks, operation: UpdateAddon, code: ConnectionReset, after: true, times: 1"),
			did: `
				held: alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				answer lost: update add-on v1.7.5 → v1.8.0: eks:UpdateAddon: request send failed, read tcp: connection reset by peer
				told: update started update-progress (info)
				update ended: v1.7.5 → v1.8.0 Successful
				for the digest: recovered version-outdated (warning)
				told: updated update-progress (info)
			`,
			ends: "fine; managed; fine; fine; idle; ", calls: 400},
		{name: "a token that EKS replays leads to no second update, while nobody can see the first", length: 6 * hour,
			world: prod("") + "behaviour: {tokenReplayed: true}\n" + faults(`  - {service: eks, operation: UpdateAddon, code: ConnectionReset, after: true, times: 1}
  - {service: eks, operation: ListUpdates, code: ThrottlingException, until: 30m}
`),
			did: `
				held: alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				held: open update
				answer lost: update add-on v1.7.5 → v1.8.0: eks:UpdateAddon: request send failed, read tcp: connection reset by peer
				for the digest: opened update-blocked (warning)
				told: update started update-progress (info)
				for the digest: recovered update-blocked (warning)
				update ended: v1.7.5 → v1.8.0 Successful
				for the digest: recovered version-outdated (warning)
				told: updated update-progress (info)
			`,
			ends: "fine; managed; fine; fine; idle; ", calls: 460},
		{name: "an updater that may not update is tried twice", says: map[string][]string{
			"update failed update-progress": {`not authorized to perform: iam:PassRole`, `Allow cniguard's updater role the action under`},
		},
			length: 6 * hour,
			world:  prod(", role: arn:aws:iam::444455556666:role/cni") + "grants: [{role: cniguard-updater, actions: [eks:UpdateAddon]}]\n",
			did: `
				held: alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				refused: update add-on v1.7.5 → v1.8.0: eks:UpdateAddon: AccessDeniedException: User: arn:aws:iam::444455556666:role/cniguard-updater is not authorized to perform: iam:PassRole
				told: update failed update-progress (critical)
				held: soak
				told: update failed update-progress (critical)
				held: soak, set aside
				held: set aside
			`,
			ends: "set aside; managed; outdated; fine; set aside; set aside", calls: 380},
		{name: "an updater that cannot be assumed is tried twice", says: map[string][]string{
			"update failed update-progress": {`sts:AssumeRole`, `role/cniguard-updater`, `trusts the role of cniguard's urgent function`},
		},
			length: 6 * hour,
			world:  prod("") + fault("service: sts, code: AccessDenied, principal: cniguard-updater"),
			did: `
				held: alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				told: update failed update-progress (critical)
				held: soak
				told: update failed update-progress (critical)
				held: soak, set aside
				held: set aside
			`,
			ends: "set aside; managed; outdated; fine; set aside; set aside", calls: 380},
		{name: "an updater whose credentials have expired is told", says: map[string][]string{
			"opened update-blocked": {`ExpiredTokenException`, `its updater role`},
		},
			length: 6 * hour,
			world:  prod("") + fault("principal: cniguard-updater, code: ExpiredTokenException, status: 403, until: 2h"),
			did: `
				held: alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				refused: update add-on v1.7.5 → v1.8.0: eks:UpdateAddon: ExpiredTokenException: This fault was injected.
				for the digest: opened update-blocked (warning)
				update started: v1.7.5 → v1.8.0
				for the digest: recovered update-blocked (warning)
				told: update started update-progress (info)
				update ended: v1.7.5 → v1.8.0 Successful
				for the digest: recovered version-outdated (warning)
				told: updated update-progress (info)
			`,
			ends: "fine; managed; fine; fine; idle; ", calls: 520},
		{name: "an observer that cannot be assumed is told with what it needs", says: map[string][]string{
			"opened unreadable":      {`sts:AssumeRole`, `role/cniguard-observer`},
			"opened unit-unreadable": {`sts:AssumeRole`},
		},
			length: day, policy: looks,
			world: prod("") + fault("service: sts, code: AccessDenied, principal: cniguard-observer, from: 1h"),
			did: `
				held: mode, alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				held: mode
				for the digest: opened unreadable (warning)
				for the digest: opened unit-unreadable (warning)
			`,
			ends: "unknown; unknown; unknown; unknown; idle; ", calls: 1430},
		{name: "credentials that have expired are told after half an hour, and recover", says: map[string][]string{
			"opened unreadable": {`ExpiredTokenException`},
		},
			length: 12 * hour, policy: looks,
			world: prod("") + fault("principal: cniguard-observer, code: ExpiredTokenException, status: 403, from: 3h, until: 8h"),
			did: `
				held: mode, alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				held: mode
				for the digest: opened unreadable (warning)
				for the digest: opened unit-unreadable (warning)
				held: mode, alarm
				for the digest: opened metric-silent (warning)
				for the digest: recovered unreadable (warning)
				for the digest: recovered unit-unreadable (warning)
				held: mode
				for the digest: recovered metric-silent (warning)
			`,
			ends: "outdated; managed; outdated; fine; waiting; mode", calls: 940, givenUp: 14},
		{name: "a clock that is wrong passes", length: 12 * hour, policy: looks,
			world: prod("") + fault("principal: cniguard-observer, code: InvalidSignatureException, status: 403, from: 5h50m, until: 6h10m"),
			did: `
				held: mode, alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				held: mode
			`,
			ends: "outdated; managed; outdated; fine; waiting; mode", calls: 700, givenUp: 5},
		{name: "a region that is switched off is told, and looked at again from time to time", says: map[string][]string{
			"opened unit-unreadable": {`UnrecognizedClientException`, `has this region switched on`},
		},
			length: 3 * day, policy: looks,
			world: prod("") + "disabled: [{account: \"444455556666\", region: eu-central-1, from: 3h}]\n",
			did: `
				held: mode, alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				held: mode
				for the digest: opened unreadable (warning)
				for the digest: opened unit-unreadable (warning)
			`,
			ends: "unknown; unknown; unknown; unknown; idle; ", calls: 4260, givenUp: 14},
		{name: "a region that was always off has no cluster, and says so", says: map[string][]string{
			"opened unit-unreadable": {`ap-east-1`, `has this region switched on`},
		},
			length: day, seed: 2,
			policy: fleetOf("eu-central-1, ap-east-1") + "defaults: {daysLeft: off}\n",
			world:  prod("") + "disabled: [{account: \"444455556666\", region: ap-east-1}]\n",
			did: `
				held: mode, alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				held: mode
				for the digest: opened unit-unreadable (warning)
			`,
			ends: "outdated; managed; outdated; fine; waiting; mode", calls: 1350, givenUp: 4},
		{name: "a region that the account did not opt in to is for a person", says: map[string][]string{
			"opened unit-unreadable": {`OptInRequired`},
		},
			length: day, policy: fleetOf("eu-central-1, ap-east-1"),
			world: prod("") + fault("region: ap-east-1, code: OptInRequired, status: 403"),
			did: `
				held: mode, alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				held: mode
				for the digest: opened unit-unreadable (warning)
			`,
			ends: "outdated; managed; outdated; fine; waiting; mode", calls: 1330},
		{name: "one reading that is denied is told with what it needs", says: map[string][]string{
			"opened unreadable": {`eks:DescribeAddon`},
		},
			length: 3 * hour, policy: looks,
			world: prod("") + fault("service: eks, operation: DescribeAddon, code: AccessDeniedException"),
			did: `
				alarm put: cniguard-prod at 80 %
				for the digest: opened unreadable (warning)
			`,
			ends: "unknown; unknown; unknown; fine; idle; ", calls: 310},
		{name: "too many requests are waited out", length: 7 * hour, policy: looks,
			world: prod("") + fault("service: eks, code: TooManyRequestsException, status: 429, chance: 0.3"),
			did: `
				held: mode, alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				held: mode
			`,
			ends: "outdated; managed; outdated; fine; waiting; mode", calls: 400},
		{name: "answers that are slow take their time", length: 7 * hour, policy: looks,
			world: prod("") + fault("latency: 4s"),
			did: `
				held: mode, alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				held: mode
			`,
			ends: "outdated; managed; outdated; fine; waiting; mode", calls: 390},
		{name: "answers that are cut for a quarter of an hour are no news", length: 13 * hour, policy: looks,
			world: prod("") + fault("service: eks, code: ConnectionReset, from: 5h55m, until: 6h10m"),
			did: `
				held: mode, alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				held: mode
			`,
			ends: "outdated; managed; outdated; fine; waiting; mode", calls: 790, givenUp: 1},
		{name: "a cluster that is deleted between two calls of a check takes its alarm along", length: 7 * hour, policy: looks,
			world: cluster("addon: {version: v1.9.0-eksbuild.1}", "deletedAt: 6h1m1500ms") + "behaviour: {latency: {min: 1s, max: 1s}}\n",
			did: `
				alarm put: cniguard-prod at 80 %
				alarm dropped: cniguard-prod
			`,
			ends: "gone; gone; gone; gone; gone; ", calls: 390},
		{name: "a cluster that is gone before its node groups are listed is not judged by half", length: 7 * hour, policy: looks,
			world: cluster("addon: {version: v1.9.0-eksbuild.1}") + fault("service: eks, operation: ListNodegroups, code: ResourceNotFoundException, times: 1"),
			did: `
				held: reading
				alarm put: cniguard-prod at 80 %
			`,
			ends: "fine; managed; fine; fine; idle; ", calls: 390},
		{name: "a cluster that is deleted under an update ends it", says: map[string][]string{
			"closed version-outdated":     {`the cluster is gone`},
			"update lost update-progress": {`unknown: the add-on is gone`, `nothing, since what was updated is gone`},
		},
			length: 7 * hour,
			world:  cluster("addon: {version: v1.7.5-eksbuild.2}", "deletedAt: 7m") + "behaviour: {updateTakes: {min: 30m, max: 30m}}\n",
			did: `
				held: alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				update started: v1.7.5 → v1.8.0
				told: update started update-progress (info)
				told: update lost update-progress (warning)
				alarm dropped: cniguard-prod
				for the digest: closed version-outdated (warning)
			`,
			ends: "gone; gone; gone; gone; gone; ", calls: 210},
		{name: "a cluster that stays in DELETING is looked at less and less often", length: 2 * day, policy: looks,
			world: cluster("status: DELETING", "addon: {version: v1.7.5-eksbuild.2}"),
			ends:  "unknown; unknown; unknown; unknown; idle; ", calls: 3250},
		{name: "a step that EKS refuses, since it enforces one minor version, is set aside", says: map[string][]string{
			"update failed update-progress": {`can only go up or down 1 minor version at a time`},
		},
			length: 6 * hour,
			world: cluster("addon: {version: v1.6.3-eksbuild.2}") + `
orders: [{at: 30m, kind: approve, account: "444455556666", region: eu-central-1, name: prod, by: ana, because: there is no other way}]
catalogues: {"1.21": [{version: v1.9.0-eksbuild.1, compatible: true}, {version: v1.6.3-eksbuild.2, compatible: true}]}
`,
			did: `
				held: gap, alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				held: gap
				refused: update add-on v1.6.3 → v1.9.0: eks:UpdateAddon: InvalidParameterException: Updating VPC-CNI can only go up or down 1 minor version at a time
				told: update failed update-progress (critical)
				held: soak, set aside
				held: set aside
			`,
			ends: "set aside; managed; outdated; fine; set aside; set aside", calls: 390},
		{name: "a step over a gap is made where EKS does not enforce it", length: 6 * hour,
			world: cluster("addon: {version: v1.6.3-eksbuild.2}") + `
behaviour: {oneMinor: false}
orders: [{at: 30m, kind: approve, account: "444455556666", region: eu-central-1, name: prod, by: ana, because: there is no other way}]
catalogues: {"1.21": [{version: v1.9.0-eksbuild.1, compatible: true}, {version: v1.6.3-eksbuild.2, compatible: true}]}
`,
			did: `
				held: gap, alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				held: gap
				update started: v1.6.3 → v1.9.0
				told: update started update-progress (info)
				update ended: v1.6.3 → v1.9.0 Successful
				for the digest: recovered version-outdated (warning)
				told: updated update-progress (info)
			`,
			ends: "fine; managed; fine; fine; idle; ", calls: 430},
	} {
		t.Run(s.name, func(t *testing.T) { t.Parallel(); hold(t, s) })
		if s.length < day {
			s.sdk = true
			t.Run(s.name+", through the SDK", func(t *testing.T) { t.Parallel(); hold(t, s) })
		}
	}
}

func fleetOf(regions string) string {
	return "version: 1\nfleet: [{account: \"444455556666\", regions: [" + regions + "]}]\n"
}
