package answers_test

import "testing"

// Facts 2.1/none, 2.1/overwrite, 2.1/preserve, 2.1/schema.
func TestUpdates(t *testing.T) {
	conflict := `, conflicts: ["DaemonSet.apps aws-node - .spec.template.spec.tolerations"]`
	for _, s := range []scene{
		{name: "fields that somebody set are kept by PRESERVE", world: prod(conflict), length: 6 * hour,
			did: `
				held: alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				update started: v1.7.5 → v1.8.0
				told: update started update-progress (info)
				update ended: v1.7.5 → v1.8.0 Successful
				for the digest: recovered version-outdated (warning)
				told: updated update-progress (info)
			`,
			ends: "fine; managed; fine; fine; idle; ", calls: 380},
		{name: "a conflict that PRESERVE does not cure is set aside at once", says: map[string][]string{
			"update failed update-progress": {`ConfigurationConflict: Conflicts found when trying to apply`, `DaemonSet.apps aws-node - .spec.template.spec.tolerations`, `Remove them from the aws-node DaemonSet`, `set aside, since another try would fail too`},
		},
			world: prod(conflict) + "behaviour: {preserveConflicts: true}\n", length: 6 * hour,
			did: `
				held: alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				update started: v1.7.5 → v1.8.0
				told: update started update-progress (info)
				update ended: v1.7.5 → v1.8.0 Failed
				told: update failed update-progress (critical)
				told: opened addon-unhealthy (warning)
				held: soak, set aside
				held: set aside
			`,
			ends: "set aside; managed; outdated; fine; set aside; set aside", calls: 390},
		{name: "a creation of somebody else under NONE is in conflict", says: map[string][]string{
			"opened addon-unhealthy": {`CREATE_FAILED`, `DaemonSet.apps aws-node - .spec.template`},
		},
			length: 3 * hour, world: cluster() + `
changes:
  - {at: 1h, account: "444455556666", region: eu-central-1, name: prod, do: create add-on,
     addon: {version: v1.8.0-eksbuild.1, conflicts: ["DaemonSet.apps aws-node - .spec.template"]}}
`,
			did: `
				alarm put: cniguard-prod at 80 %
				for the digest: opened install-unknown (info)
				for the digest: recovered install-unknown (info)
				told: opened addon-unhealthy (warning)
			`,
			ends: "warning; managed; fine; fine; idle; ", calls: 230},
		{name: "an update of somebody else under NONE is in conflict", policy: looks, length: 8 * hour, world: prod(conflict) + `
changes:
  - {at: 1h, account: "444455556666", region: eu-central-1, name: prod, do: update add-on, addon: {version: v1.8.0-eksbuild.1}}
`,
			did: `
				held: mode, alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				held: mode
				update started: v1.7.5 → v1.8.0
				update ended: v1.7.5 → v1.8.0 Failed
				held: mode, ready
				told: opened addon-unhealthy (warning)
			`,
			ends: "outdated; managed; outdated; fine; waiting; mode, ready", calls: 460},
		{name: "OVERWRITE takes the fields back", policy: looks, length: 8 * hour, world: prod(conflict) + `
changes:
  - {at: 1h, account: "444455556666", region: eu-central-1, name: prod, do: update add-on, resolve: OVERWRITE, addon: {version: v1.8.0-eksbuild.1}}
`,
			did: `
				held: mode, alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				held: mode
				update started: v1.7.5 → v1.8.0
				update ended: v1.7.5 → v1.8.0 Successful
				for the digest: recovered version-outdated (warning)
			`,
			ends: "fine; managed; fine; fine; idle; ", calls: 460},
		{name: "a configuration value that the target does not know holds the update before it is asked for", says: map[string][]string{
			"opened update-blocked": {`env/ENABLE_SECRET`, `take it out`},
		},
			length: 6 * hour,
			world: prod(`, configuration: '{"env":{"ENABLE_SECRET":"s3cr3t-value"}}'`) + `
catalogues:
  "1.21":
    - {version: v1.8.0-eksbuild.1, compatible: true, refuses: [env.ENABLE_SECRET]}
    - {version: v1.7.5-eksbuild.2, compatible: true}
`,
			did: `
				held: configuration, alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				held: configuration
				for the digest: opened update-blocked (warning)
			`,
			ends: "outdated; managed; outdated; fine; waiting; configuration", calls: 360},
		{name: "health issues that appear in the soak hold the next step, and are told", says: map[string][]string{
			"opened addon-unhealthy": {`InsufficientNumberOfReplicas: 1 of 6 pods is not ready`},
		},
			policy: fleet + "defaults: {mode: auto, owner: cniguard, daysLeft: off, floor: v1.9.0}\n", length: 9 * hour, world: prod("") + `
changes:
  - {at: 30m, account: "444455556666", region: eu-central-1, name: prod, do: change health, issues: [{code: InsufficientNumberOfReplicas, message: 1 of 6 pods is not ready}]}
  - {at: 3h, account: "444455556666", region: eu-central-1, name: prod, do: change health}
`,
			did: `
				held: alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				update started: v1.7.5 → v1.8.0
				told: update started update-progress (info)
				update ended: v1.7.5 → v1.8.0 Successful
				for the digest: changed version-outdated (warning)
				told: updated update-progress (info)
				held: ready
				told: opened addon-unhealthy (warning)
				update started: v1.8.0 → v1.9.0
				told: update started update-progress (info)
				told: recovered addon-unhealthy (warning)
				update ended: v1.8.0 → v1.9.0 Successful
				for the digest: recovered version-outdated (warning)
				told: updated update-progress (info)
			`,
			ends: "fine; managed; fine; fine; idle; ", calls: 620},
		{name: "an add-on that its release degrades is led to the next", world: cluster(`addon: {version: v1.22.1-eksbuild.2, status: DEGRADED, issues: [{code: InsufficientNumberOfReplicas, message: aws-node is not ready}]}`) + `
catalogues:
  "1.21":
    - {version: v1.22.2-eksbuild.1, compatible: true}
    - {version: v1.22.1-eksbuild.2, compatible: true}
`, length: 6 * hour,
			did: `
				held: alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened release-known-bad (warning)
				told: opened addon-unhealthy (warning)
				update started: v1.22.1 → v1.22.2
				told: update started update-progress (info)
				update ended: v1.22.1 → v1.22.2 Successful
				for the digest: recovered release-known-bad (warning)
				told: updated update-progress (info)
				told: recovered addon-unhealthy (warning)
			`,
			ends: "fine; managed; fine; fine; idle; ", calls: 380},
		{name: "pods that do not become ready are tried twice", says: map[string][]string{
			"update failed update-progress": {`2 of 6 pods are not ready (aws-node-x1)`, `one more try in 15 minutes`, `set aside until a person approves again`},
			"opened addon-unhealthy":        {`(aws-node-x1)`},
		},
			world: prod("") + "updates: [{outcome: fail, issue: {code: InsufficientNumberOfReplicas, message: 2 of 6 pods are not ready, resources: [aws-node-x1]}}]\n", length: day,
			did: `
				held: alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				update started: v1.7.5 → v1.8.0
				told: update started update-progress (info)
				update ended: v1.7.5 → v1.8.0 Failed
				told: update failed update-progress (critical)
				told: opened addon-unhealthy (warning)
				held: soak
				update started: v1.7.5 → v1.8.0
				told: update started update-progress (info)
				update ended: v1.7.5 → v1.8.0 Failed
				told: update failed update-progress (critical)
				held: soak, set aside
				held: set aside
			`,
			ends: "set aside; managed; outdated; fine; set aside; set aside", calls: 1370},
		{name: "one failed try is made good by the next", world: prod("") + "updates: [{outcome: fail, times: 1}]\n", length: 6 * hour,
			did: `
				held: alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				update started: v1.7.5 → v1.8.0
				told: update started update-progress (info)
				update ended: v1.7.5 → v1.8.0 Failed
				told: update failed update-progress (critical)
				told: opened addon-unhealthy (warning)
				held: soak
				update started: v1.7.5 → v1.8.0
				told: update started update-progress (info)
				update ended: v1.7.5 → v1.8.0 Successful
				for the digest: recovered version-outdated (warning)
				told: updated update-progress (info)
				told: recovered addon-unhealthy (warning)
			`,
			ends: "fine; managed; fine; fine; idle; ", calls: 440},
		{name: "an update that leaves the add-on degraded has failed", world: prod("") + "updates: [{outcome: degrade}]\n", length: 6 * hour,
			did: `
				held: alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				update started: v1.7.5 → v1.8.0
				told: update started update-progress (info)
				update ended: v1.7.5 → v1.8.0 Successful
				for the digest: recovered version-outdated (warning)
				told: update failed update-progress (critical)
				told: opened addon-unhealthy (warning)
			`,
			ends: "warning; managed; fine; fine; idle; ", calls: 380},
		{name: "an update that EKS cancels has failed", says: map[string][]string{
			"update failed update-progress": {`EKS says the update cancelled`},
		},
			world: prod("") + "updates: [{outcome: cancel, times: 1}]\n", length: 6 * hour,
			did: `
				held: alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				update started: v1.7.5 → v1.8.0
				told: update started update-progress (info)
				update ended: v1.7.5 → v1.8.0 Cancelled
				told: update failed update-progress (critical)
				held: soak
				update started: v1.7.5 → v1.8.0
				told: update started update-progress (info)
				update ended: v1.7.5 → v1.8.0 Successful
				for the digest: recovered version-outdated (warning)
				told: updated update-progress (info)
			`,
			ends: "fine; managed; fine; fine; idle; ", calls: 430},
		{name: "an update that never ends is told, and asked for less and less often", says: map[string][]string{
			"opened update-stuck": {`started 2026-03-02T08:06:0`, `none can be cancelled`},
		},
			world: prod("") + "updates: [{outcome: hang}]\n", length: 3 * day,
			did: `
				held: alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				update started: v1.7.5 → v1.8.0
				told: update started update-progress (info)
				told: opened update-stuck (warning)
			`,
			ends: "outdated; managed; outdated; fine; in flight; ready, in flight", calls: 5050},
		{name: "an update of somebody else is followed to its end, of which no event tells", policy: looks, length: 4 * hour / 3, world: prod("") + `
behaviour: {updateStarts: {min: 0s, max: 0s}}
changes:
  - {at: 1h, account: "444455556666", region: eu-central-1, name: prod, do: update add-on, addon: {version: v1.8.0-eksbuild.1}}
`,
			did: `
				held: mode, alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				held: mode
				update started: v1.7.5 → v1.8.0
				held: mode, ready
				update ended: v1.7.5 → v1.8.0 Successful
				for the digest: recovered version-outdated (warning)
			`,
			ends: "fine; managed; fine; fine; idle; ", calls: 200},
		{name: "an update of somebody else that never ends is told", says: map[string][]string{
			"opened update-stuck": {`status UPDATING`, `somebody else's`},
		},
			policy: looks, length: 2 * day, world: prod("") + `
updates: [{outcome: hang}]
changes:
  - {at: 1h, account: "444455556666", region: eu-central-1, name: prod, do: update add-on, addon: {version: v1.8.0-eksbuild.1}}
`,
			did: `
				held: mode, alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				held: mode
				update started: v1.7.5 → v1.8.0
				held: mode, ready
				told: opened update-stuck (warning)
			`,
			ends: "outdated; managed; outdated; fine; in flight; mode, ready", calls: 3220},
		{name: "an admission webhook that denies is for a person", says: map[string][]string{
			"update failed update-progress": {`denied by policy`, `Let it pass, then approve the update again`},
		},
			world: prod("") + "updates: [{outcome: fail, issue: {code: AdmissionRequestDenied, message: denied by policy}}]\n", length: 6 * hour,
			did: `
				held: alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				update started: v1.7.5 → v1.8.0
				told: update started update-progress (info)
				update ended: v1.7.5 → v1.8.0 Failed
				told: update failed update-progress (critical)
				told: opened addon-unhealthy (warning)
				held: soak, set aside
				held: set aside
			`,
			ends: "set aside; managed; outdated; fine; set aside; set aside", calls: 390},
		{name: "a degraded add-on is told and not updated", says: map[string][]string{
			"opened addon-unhealthy": {`DEGRADED`, `AccessDenied: no permission (aws-node)`, `the add-on is DEGRADED`},
		},
			world: prod(", status: DEGRADED, issues: [{code: AccessDenied, message: no permission, resources: [aws-node]}]"), length: 3 * hour,
			did: `
				held: alarm, ready
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				told: opened addon-unhealthy (warning)
				held: ready
			`,
			ends: "outdated; managed; outdated; fine; waiting; ready", calls: 180},
		{name: "an add-on that stays in CREATING is told", says: map[string][]string{
			"opened update-stuck": {`status CREATING`, `Ask AWS Support`},
		},
			world: prod(", status: CREATING"), length: 2 * day,
			did: `
				held: alarm, ready
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				held: ready
				told: opened update-stuck (warning)
			`,
			ends: "outdated; managed; outdated; fine; in flight; ready", calls: 3270},
		{name: "an add-on whose update failed before is told and left to people", world: prod(", status: UPDATE_FAILED"), length: 3 * hour,
			did: `
				held: alarm, ready
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				told: opened addon-unhealthy (warning)
				held: ready
			`,
			ends: "outdated; managed; outdated; fine; waiting; ready", calls: 180},
		{name: "an installed version that EKS no longer lists is updated all the same", length: 6 * hour, world: prod("") + `
catalogues: {"1.21": [{version: v1.8.0-eksbuild.1, compatible: true}]}
`,
			did: `
				held: alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				update started: v1.7.5 → v1.8.0
				told: update started update-progress (info)
				update ended: v1.7.5 → v1.8.0 Successful
				for the digest: recovered version-outdated (warning)
				told: updated update-progress (info)
			`,
			ends: "fine; managed; fine; fine; idle; ", calls: 380},
		{name: "a version that shows early is no proof", world: prod("") + "behaviour: {versionMovesEarly: true}\nupdates: [{outcome: fail, times: 1}]\n", length: 6 * hour, seed: 1,
			did: `
				held: alarm
				alarm put: cniguard-prod at 80 %
				for the digest: opened version-outdated (warning)
				update started: v1.7.5 → v1.8.0
				told: update started update-progress (info)
				for the digest: recovered version-outdated (warning)
				update ended: v1.7.5 → v1.8.0 Failed
				told: update failed update-progress (critical)
				told: opened addon-unhealthy (warning)
			`,
			ends: "warning; managed; fine; fine; idle; ", calls: 380},
	} {
		t.Run(s.name, func(t *testing.T) { t.Parallel(); hold(t, s) })
	}
}
