package source_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/policy"
	"github.com/cniguard/cniguard/internal/policy/source"
	"github.com/cniguard/cniguard/internal/strictyaml"
)

// head is the first four lines of a right policy.
const head = "version: 1\nfleet:\n- account: 111122223333\n  regions: [eu-central-1, us-east-1]\n"

func documentation(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheExampleOfTheDocumentationIsRead(t *testing.T) {
	_, rest, _ := strings.Cut(documentation(t), "```yaml\n")
	example, _, _ := strings.Cut(rest, "```")
	p, err := source.Read("policy.yaml", []byte(example))
	if err != nil {
		t.Fatal(err)
	}
	id := cluster.ID{Account: "444455556666", Region: "eu-central-1", Name: "sandbox-1"}
	got := p.For(id, map[string]string{"risk": "high", "team": "shop"})
	want := policy.Settings{Mode: policy.Observe, Floor: cni.Version{Major: 1, Minor: 10, Patch: 2}, Target: cni.ToDefault,
		Warning: 60, Critical: 90, DaysLeft: 7, SelfManaged: true, Owner: policy.Owned, OwnerTag: "owner"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestJSONIsReadLikeYAML(t *testing.T) {
	fromYAML, err := source.Read("p.yaml", []byte(head+"defaults: {warning: 70, alarms: on, target: latest}"))
	if err != nil {
		t.Fatal(err)
	}
	fromJSON, err := source.Read("p.json", []byte(`{"version": 1, "fleet": [{"account": "111122223333", "regions": ["eu-central-1", "us-east-1"]}],
		"defaults": {"warning": 70, "alarms": true, "target": "latest"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if fromYAML.Digest() != fromJSON.Digest() {
		t.Error("the same policy in YAML and JSON compiles to two")
	}
}

const (
	settingKeys = "alarmActions, alarms, critical, daysLeft, floor, freezes, furtherAlarms, metricsHelperID, mode, owner, ownerTag, selfManaged, target, warning, windows"
	loosens     = " can only loosen, and a rule that selects by tags only tightens; " +
		"add trustTags: true to the rule if whoever tags a cluster may decide this"
	fleetHint = "; allowed: what the fleet holds, or add it there"
	topic     = "arn:aws:sns:us-east-1:111122223333:oncall"
	topics    = "; allowed: a standard topic, as arn:aws:sns:eu-central-1:111122223333:oncall"
	furthers  = "; allowed: free-blocks, days-left, node-capacity"
	uncounted = ": the alarm days-left needs a number of days"
	helperIDs = "; allowed: a CLUSTER_ID of up to 255 letters, digits, inner spaces and - _ . : / = + @, or name for the cluster's own name"
	aWindow   = `; allowed: days, times and a zone, as "Mon-Thu 09:00-16:00 Europe/Berlin"; without a zone it is UTC`
	times     = "; allowed: as 09:00-16:00, or over midnight as 22:00-04:00; the whole day is 00:00-24:00"
	weekdays  = "; allowed: Mon, Tue, Wed, Thu, Fri, Sat, Sun; several as Mon-Thu or Mon,Wed"
	aFreeze   = `; allowed: dates and a zone, as "2026-12-18 to 2027-01-06 Europe/Berlin", or one date; without a zone it is UTC`
	zones     = "; allowed: a name of the IANA's time zones, as Europe/Berlin or UTC"
	percents  = "; allowed: a number of percent above 0 and up to 100, without a sign, as 80"
)

// rule is a policy with one rule, whose name is in line 6, its match in 7 and its set in 8.
func rule(match, set string) string {
	return head + "rules:\n- name: a\n  match: " + match + "\n  set: " + set + "\n"
}

// exempt is a policy with one exemption, whose match is in line 7 and its last keys from line 10 on.
func exempt(match, keys string) string {
	return head + "exemptions:\n-\n  match: {" + match + "}\n  owner: a\n  because: b\n  " + keys + "\n"
}

func TestEachMistakeHasItsLineFieldAndWhatIsAllowed(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want string }{
		"no version":         {head[11:], "p.yaml:1: version: is missing; allowed: 1"},
		"a version to come":  {strings.Replace(head, "1", "2", 1), "p.yaml:1: version: is 2; allowed: 1"},
		"a version of text":  {strings.Replace(head, "1", "one", 1), `p.yaml:1: version: "one" is not a whole number; allowed: digits, as 42`},
		"an empty file":      {"", "p.yaml: is empty"},
		"a misspelt key":     {head + "default: {}", "p.yaml:5: default: unknown key; did you mean defaults? allowed: defaults, digest, exemptions, fleet, rollout, rules, version"},
		"a misspelt setting": {head + "defaults: {treshold: 5}", "p.yaml:5: defaults.treshold: unknown key; allowed: " + settingKeys},
		"a setting of a rule that is misspelt": {rule("{clusters: [a]}", "{wraning: 70}"),
			"p.yaml:8: rules[0].set.wraning: unknown key; did you mean warning? allowed: " + settingKeys},
		"a key given twice":        {head + "defaults: {}\ndefaults: {}", "p.yaml:6: defaults: is given twice, first in line 5; allowed: once"},
		"a fleet that is misspelt": {"version: 1\nflet: []", "p.yaml:2: flet: unknown key; did you mean fleet? allowed: defaults, digest, exemptions, fleet, rollout, rules, version"},
		"no fleet":                 {"version: 1", `p.yaml:1: fleet: names no account; allowed: a list, as [{account: "111122223333", regions: [eu-central-1]}]`},
		"an empty fleet":           {"version: 1\nfleet: []", `p.yaml:2: fleet: names no account; allowed: a list, as [{account: "111122223333", regions: [eu-central-1]}]`},
		"an account of eleven digits": {strings.Replace(head, "111122223333", "11112222333", 1),
			`p.yaml:3: fleet[0].account: "11112222333" is not an account; allowed: twelve digits, as "111122223333"`},
		"a region that is none": {strings.Replace(head, "us-east-1", "us-east", 1), `p.yaml:4: fleet[0].regions[1]: "us-east" is not a region; allowed: a region, as eu-central-1`},
		"a pattern of regions in the fleet": {strings.Replace(head, "us-east-1", `"us-*"`, 1),
			`p.yaml:4: fleet[0].regions[1]: "us-*" is not a region; allowed: a region, as eu-central-1`},
		"a region for a list":         {strings.Replace(head, "[eu-central-1, us-east-1]", "eu-central-1", 1), `p.yaml:4: fleet[0].regions: is "eu-central-1"; allowed: a list, as [one, two]`},
		"an account without a region": {head + `- account: "444455556666"`, "p.yaml:5: fleet[1].regions: names no region; allowed: a list, as [eu-central-1]"},
		"a region of an account that is there twice": {head + "- {account: 111122223333, regions: [us-east-1]}",
			"p.yaml:5: fleet[1].regions[0]: us-east-1 of 111122223333 is in the fleet already; allowed: once"},
		"a mode that there is not":        {head + "defaults: {mode: manual}", `p.yaml:5: defaults.mode: "manual" is not a value of mode; allowed: observe, approve, auto`},
		"a floor of two numbers":          {head + "defaults: {floor: 1.8}", `p.yaml:5: defaults.floor: "1.8" is not a value of floor; allowed: a release without -eksbuild, as v1.8.0`},
		"a floor that names a build":      {head + "defaults: {floor: v1.18.5-eksbuild.1}", `p.yaml:5: defaults.floor: "v1.18.5-eksbuild.1" is not a value of floor; allowed: a release without -eksbuild, as v1.8.0`},
		"a floor that is a candidate":     {head + "defaults: {floor: v1.9.0-rc1}", `p.yaml:5: defaults.floor: "v1.9.0-rc1" is not a value of floor; allowed: a release without -eksbuild, as v1.8.0`},
		"a floor that is the latest":      {head + "defaults: {floor: latest}", `p.yaml:5: defaults.floor: "latest" is not a value of floor; allowed: a release without -eksbuild, as v1.8.0`},
		"a target that there is not":      {head + "defaults: {target: newest}", `p.yaml:5: defaults.target: "newest" is not a value of target; allowed: floor, default, latest, or a version as v1.18.5 or v1.18.5-eksbuild.1`},
		"an empty target":                 {head + `defaults: {target: ""}`, `p.yaml:5: defaults.target: "" is not a value of target; allowed: floor, default, latest, or a version as v1.18.5 or v1.18.5-eksbuild.1`},
		"a target below the floor":        {head + "defaults:\n  floor: v1.10.2\n  target: v1.9.3", "p.yaml:7: defaults.target: target v1.9.3 and floor v1.10.2 do not fit: a target must reach the floor"},
		"a target that is known bad":      {head + "defaults: {target: v1.10.0}", "p.yaml:5: defaults.target: v1.10.0 is known bad: it " + badNote(t, "v1.10.0") + "; allowed: another version"},
		"a warning of text":               {head + "defaults: {warning: high}", `p.yaml:5: defaults.warning: "high" is not a value of warning` + percents},
		"a warning with a sign":           {head + "defaults: {warning: 80%}", `p.yaml:5: defaults.warning: "80%" is not a value of warning` + percents},
		"a warning in powers of ten":      {head + "defaults: {warning: 8e1}", `p.yaml:5: defaults.warning: "8e1" is not a value of warning` + percents},
		"a warning of nothing":            {head + "defaults: {warning: 0}", `p.yaml:5: defaults.warning: "0" is not a value of warning` + percents},
		"a critical above everything":     {head + "defaults: {critical: 100.1}", `p.yaml:5: defaults.critical: "100.1" is not a value of critical` + percents},
		"a warning that is not a number":  {head + "defaults: {warning: NaN}", `p.yaml:5: defaults.warning: "NaN" is not a value of warning` + percents},
		"a warning as high as critical":   {head + "defaults: {critical: 90, warning: 90}", "p.yaml:5: defaults.warning: warning 90 and critical 90 do not fit: warning must be below critical"},
		"a critical below the built-in":   {head + "defaults:\n  critical: 75", "p.yaml:5: defaults.warning: warning 80 and critical 75 do not fit: warning must be below critical"},
		"alarms neither on nor off":       {head + "defaults: {alarms: some}", `p.yaml:5: defaults.alarms: "some" is not a value of alarms; allowed: on, off`},
		"a switch for what is not one":    {head + "defaults: {selfManaged: on}", `p.yaml:5: defaults.selfManaged: "on" is not a value of selfManaged; allowed: read, ignore`},
		"an owner that cannot be claimed": {head + "defaults: {owner: terraform}", `p.yaml:5: defaults.owner: "terraform" is not a value of owner; allowed: cniguard, unknown`},
		"an action that is no ARN": {head + "defaults:\n  alarmActions:\n  - " + topic + "\n  - oncall",
			`p.yaml:8: defaults.alarmActions[1]: "oncall" is not the ARN of an SNS topic` + topics},
		"an action that is given twice": {rule("{clusters: [a]}", "{alarmActions: ["+topic+", "+topic+"]}"),
			"p.yaml:8: rules[0].set.alarmActions[1]: " + topic + " is in the list already; allowed: once"},
		"an action in another partition": {head + "defaults: {alarmActions: [arn:aws-cn:sns:us-east-1:111122223333:oncall]}",
			`p.yaml:5: defaults.alarmActions[0]: "arn:aws-cn:sns:us-east-1:111122223333:oncall" is not the ARN of an SNS topic` + topics},
		"a queue for an action": {head + "defaults: {alarmActions: [arn:aws:sqs:us-east-1:111122223333:oncall]}",
			`p.yaml:5: defaults.alarmActions[0]: "arn:aws:sqs:us-east-1:111122223333:oncall" is not the ARN of an SNS topic` + topics},
		"an action that keeps an order": {head + "defaults: {alarmActions: [arn:aws:sns:us-east-1:111122223333:oncall.fifo]}",
			`p.yaml:5: defaults.alarmActions[0]: "arn:aws:sns:us-east-1:111122223333:oncall.fifo" is not the ARN of an SNS topic` + topics},
		"two actions in one text": {head + `defaults: {alarmActions: ["` + topic + " " + topic + `2"]}`,
			`p.yaml:5: defaults.alarmActions[0]: "` + topic + " " + topic + `2" is not the ARN of an SNS topic` + topics},
		"an action outside the fleet": {head + "defaults: {alarmActions: [arn:aws:sns:eu-west-1:111122223333:oncall]}",
			"p.yaml:5: defaults.alarmActions[0]: eu-west-1 is not in the fleet; allowed: topics in regions of the fleet, since an alarm tells those of its own region only"},
		"more actions than an alarm has": {head + "defaults: {alarmActions: [" + topic + "1, " + topic + "2, " + topic + "3, " + topic + "4, " + topic + "5, " + topic + "6]}",
			"p.yaml:5: defaults.alarmActions[5]: is topic 6 of the list in us-east-1; allowed: 5 for an alarm"},
		"one action without its list":  {head + "defaults: {alarmActions: " + topic + "}", `p.yaml:5: defaults.alarmActions: is "` + topic + `"; allowed: a list, as [one, two]`},
		"tags that choose the actions": {rule("{tags: {env: dev}}", "{alarmActions: []}"), "p.yaml:8: rules[0].set.alarmActions: none" + loosens},
		"a further alarm that there is not": {head + "defaults:\n  furtherAlarms:\n  - days-left\n  - free-block",
			`p.yaml:8: defaults.furtherAlarms[1]: "free-block" is not one of the further alarms` + furthers},
		"the alarm that every cluster has": {head + "defaults: {furtherAlarms: [pod-subnets]}",
			`p.yaml:5: defaults.furtherAlarms[0]: "pod-subnets" is not one of the further alarms` + furthers},
		"a further alarm that is given twice": {rule("{clusters: [a]}", "{furtherAlarms: [days-left, node-capacity, days-left]}"),
			"p.yaml:8: rules[0].set.furtherAlarms[2]: days-left is in the list already; allowed: once"},
		"two further alarms in one text": {head + `defaults: {furtherAlarms: ["days-left node-capacity"]}`,
			`p.yaml:5: defaults.furtherAlarms[0]: "days-left node-capacity" is not one of the further alarms` + furthers},
		"the word for no further alarm in a list": {head + "defaults: {furtherAlarms: [none]}",
			`p.yaml:5: defaults.furtherAlarms[0]: "none" is not one of the further alarms` + furthers},
		"a further alarm without its list": {head + "defaults: {furtherAlarms: days-left}", `p.yaml:5: defaults.furtherAlarms: is "days-left"; allowed: a list, as [one, two]`},
		"a further alarm that is misspelt": {head + "defaults: {furtherAlarm: [days-left]}",
			"p.yaml:5: defaults.furtherAlarm: unknown key; did you mean furtherAlarms? allowed: " + settingKeys},
		"a helper's id that is misspelt": {rule("{clusters: [a]}", "{metricsHelperId: blue}"),
			"p.yaml:8: rules[0].set.metricsHelperId: unknown key; did you mean metricsHelperID? allowed: " + settingKeys},
		"the alarm on the days left without a number": {head + "defaults:\n  daysLeft: off\n  furtherAlarms: [free-blocks, days-left]",
			"p.yaml:7: defaults.furtherAlarms: furtherAlarms free-blocks days-left and daysLeft off do not fit" + uncounted},
		"tags that choose the alarm on the days left where there is no number": {
			head + "defaults: {daysLeft: off}\nrules:\n- name: a\n  match: {tags: {env: prod}}\n  set: {furtherAlarms: [days-left]}",
			"p.yaml:9: rules[0].set.furtherAlarms: furtherAlarms days-left does not fit daysLeft off of defaults" + uncounted + "; set daysLeft in this rule too"},
		"no number under an alarm on the days left": {rule("{tags: {env: prod}}", "{furtherAlarms: [days-left]}") + "- name: b\n  match: {clusters: [b]}\n  set: {daysLeft: off}",
			`p.yaml:11: rules[1].set.daysLeft: daysLeft off does not fit furtherAlarms days-left of rule "a"` + uncounted + "; set furtherAlarms in this rule too"},
		"tags that take the further alarms back": {rule("{tags: {env: dev}}", "{furtherAlarms: []}"), "p.yaml:8: rules[0].set.furtherAlarms: none" + loosens},
		"tags that choose a helper's id":         {rule("{tags: {env: dev}}", "{metricsHelperID: blue}"), "p.yaml:8: rules[0].set.metricsHelperID: blue" + loosens},
		"a helper's id of nothing":               {head + `defaults: {metricsHelperID: ""}`, `p.yaml:5: defaults.metricsHelperID: "" is not a value of metricsHelperID` + helperIDs},
		"a helper's id that ends in a space":     {head + `defaults: {metricsHelperID: "blue "}`, `p.yaml:5: defaults.metricsHelperID: "blue " is not a value of metricsHelperID` + helperIDs},
		"a helper's id with a letter that CloudWatch does not take": {head + "defaults: {metricsHelperID: blå}",
			`p.yaml:5: defaults.metricsHelperID: "blå" is not a value of metricsHelperID` + helperIDs},
		"a helper's id that is too long": {head + "defaults: {metricsHelperID: " + strings.Repeat("a", 256) + "}",
			`p.yaml:5: defaults.metricsHelperID: "` + strings.Repeat("a", 256) + `" is not a value of metricsHelperID` + helperIDs},
		"a window of times only": {head + "defaults:\n  windows:\n  - 09:00-16:00", `p.yaml:7: defaults.windows[0]: "09:00-16:00" is not a window` + aWindow},
		"an empty window":        {head + `defaults: {windows: [""]}`, `p.yaml:5: defaults.windows[0]: "" is not a window` + aWindow},
		"a window of many words": {head + "defaults: {windows: [Mon 09:00 - 16:00 UTC]}", `p.yaml:5: defaults.windows[0]: "Mon 09:00 - 16:00 UTC" is not a window` + aWindow},
		"two windows in one":     {head + `defaults: {windows: ["Mon 09:00-16:00; Tue"]}`, `p.yaml:5: defaults.windows[0]: "Mon 09:00-16:00; Tue" is not a window` + aWindow},
		"a weekday that there is not": {head + "defaults: {windows: [Mon 09:00-16:00, Thu-Fry 09:00-16:00]}",
			`p.yaml:5: defaults.windows[1]: "Fry" is not a day of the week` + weekdays},
		"a weekday in full":          {head + "defaults: {windows: [Monday 09:00-16:00]}", `p.yaml:5: defaults.windows[0]: "Monday" is not a day of the week` + weekdays},
		"weekdays with a gap":        {head + `defaults: {windows: ["Mon,,Wed 09:00-16:00"]}`, `p.yaml:5: defaults.windows[0]: "" is not a day of the week` + weekdays},
		"a time without its zero":    {head + "defaults: {windows: [Mon 9:00-16:00]}", `p.yaml:5: defaults.windows[0]: "9:00-16:00" is not a span of the day` + times},
		"a time that there is not":   {head + "defaults: {windows: [Mon 09:00-25:00]}", `p.yaml:5: defaults.windows[0]: "09:00-25:00" is not a span of the day` + times},
		"a window from midnight on":  {head + "defaults: {windows: [Mon 24:00-02:00]}", `p.yaml:5: defaults.windows[0]: "24:00-02:00" is not a span of the day` + times},
		"a time for a window":        {head + `defaults: {windows: ["Mon 09:00"]}`, `p.yaml:5: defaults.windows[0]: "09:00" is not a span of the day` + times},
		"a window that never opens":  {head + "defaults: {windows: [Mon 09:00-09:00]}", `p.yaml:5: defaults.windows[0]: 09:00-09:00 is empty: the window never opens; allowed: an end after the beginning; the whole day is 00:00-24:00`},
		"a window between two ticks": {head + "defaults: {windows: [Mon 23:55-00:04]}", `p.yaml:5: defaults.windows[0]: 23:55-00:04 lasts 9 minutes, and cniguard looks every 5: the window may never open for it; allowed: 10 minutes at least`},
		"a zone that there is not":   {head + "defaults: {windows: [Mon 09:00-16:00 Berlin]}", `p.yaml:5: defaults.windows[0]: "Berlin" is not a time zone` + zones},
		"the zone of wherever":       {head + "defaults: {freezes: [2026-12-18 Local]}", `p.yaml:5: defaults.freezes[0]: "Local" is not a time zone` + zones},
		"a window that is there twice": {rule("{clusters: [a]}", `{windows: ["Mon,Tue 09:00-16:00", "mon-tue 09:00-16:00 UTC"]}`),
			"p.yaml:8: rules[0].set.windows[1]: Mon-Tue 09:00-16:00 UTC is in the list already; allowed: once"},
		"more windows than one reads": {head + "defaults: {windows: [" + strings.Repeat("a,", 20) + "a]}", "p.yaml:5: defaults.windows: are 21; allowed: up to 20"},
		"a window without its list":   {head + "defaults: {windows: Mon 09:00-16:00}", `p.yaml:5: defaults.windows: is "Mon 09:00-16:00"; allowed: a list, as [one, two]`},
		"tags that open every window": {rule("{tags: {env: dev}}", "{windows: []}"), "p.yaml:8: rules[0].set.windows: any time" + loosens},
		"a freeze without its end":    {head + "defaults: {freezes: [2026-12-18 to]}", `p.yaml:5: defaults.freezes[0]: "2026-12-18 to" is not a freeze` + aFreeze},
		"a freeze of two zones":       {head + "defaults: {freezes: [2026-12-18 UTC UTC]}", `p.yaml:5: defaults.freezes[0]: "2026-12-18 UTC UTC" is not a freeze` + aFreeze},
		"a freeze of nothing":         {head + `defaults: {freezes: [" "]}`, `p.yaml:5: defaults.freezes[0]: " " is not a freeze` + aFreeze},
		"a date that there is not":    {head + "defaults: {freezes: [2027-02-29]}", `p.yaml:5: defaults.freezes[0]: "2027-02-29" is not a date; allowed: a day of the calendar, as 2026-12-18`},
		"a freeze that ends before it begins": {head + "defaults:\n  freezes:\n  - 2026-12-18 to 2027-01-06\n  - 2027-12-18 to 2027-01-06",
			"p.yaml:8: defaults.freezes[1]: 2027-12-18 to 2027-01-06 ends before it begins; allowed: the earlier date first"},
		"a freeze of years": {head + "defaults: {freezes: [2026-01-01 to 2027-01-02]}", "p.yaml:5: defaults.freezes[0]: 2026-01-01 to 2027-01-02 is 367 days; allowed: up to 366; mode: observe has no end"},
		"an exemption of nothing": {head + "exemptions:\n- {}",
			"p.yaml:6: exemptions[0].match: selects nothing; allowed: at least one of accounts, regions, clusters, tags\n" +
				"p.yaml:6: exemptions[0].owner: is missing; allowed: who answers for it, as a team\n" +
				"p.yaml:6: exemptions[0].because: is missing; allowed: the reason: others will read it\n" +
				"p.yaml:6: exemptions[0].until: is missing; allowed: the last day on which it holds, as 2027-01-31"},
		"an exemption that is misspelt": {exempt("clusters: [a]", "untill: 2027-01-31"),
			"p.yaml:10: exemptions[0].untill: unknown key; did you mean until? allowed: because, findings, match, owner, until"},
		"an exemption until no day":      {exempt("clusters: [a]", "until: 2027-02-29"), `p.yaml:10: exemptions[0].until: "2027-02-29" is not a date; allowed: a day of the calendar, as 2026-12-18`},
		"an exemption outside the fleet": {exempt("regions: [eu-west-1]", "until: 2027-01-31"), "p.yaml:7: exemptions[0].match.regions[0]: eu-west-1 is not in the fleet" + fleetHint},
		"an exemption from hearing of a full subnet": {exempt("clusters: [a]", "until: 2027-01-31\n  findings: [version-outdated, capacity-low]"),
			`p.yaml:11: exemptions[0].findings[1]: "capacity-low" cannot be exempted; allowed: version-outdated, version-unknown, images-differ, release-known-bad, update-set-aside; ` +
				"`cniguard mute` is for all findings, and for days"},
		"a finding that is exempted twice": {exempt("clusters: [a]", "until: 2027-01-31\n  findings: [version-outdated, version-outdated]"),
			"p.yaml:11: exemptions[0].findings[1]: version-outdated is in the list already; allowed: once"},
		"tags that mute": {exempt("tags: {env: dev}", "until: 2027-01-31\n  findings: [version-outdated]"),
			"p.yaml:11: exemptions[0].findings: are muted by an exemption that selects by tags, which whoever runs a cluster may change; " +
				"allowed: without match.tags; by tags an exemption keeps from updates, and mutes nothing"},
		"a reason of two lines": {strings.Replace(exempt("clusters: [a]", "until: 2027-01-31"), "because: b", `because: "a\nb"`, 1),
			"p.yaml:9: exemptions[0].because: is too long, or has characters that do not print; allowed: up to 300 characters in one line"},
		"too many exemptions":       {head + "exemptions:" + strings.Repeat("\n- {}", 1001), "p.yaml:5: exemptions: are 1001; allowed: up to 1000"},
		"a setting without a value": {head + "defaults:\n  mode:\n", `p.yaml:6: defaults.mode: has no value; give one or leave the key out; the text null is written "null"`},
		"an anchor":                 {head + "defaults: &d {mode: observe}", "p.yaml:5: defaults: anchors (&name) are not read; write the value out"},
		"a rule without a name":     {head + "rules:\n- match: {clusters: [a]}\n  set: {alarms: off}", "p.yaml:6: rules[0].name: is missing; allowed: a name that no other rule has"},
		"a name that is misspelt":   {head + "rules:\n- nam: a\n  match: {clusters: [a]}\n  set: {alarms: off}", "p.yaml:6: rules[0].nam: unknown key; did you mean name? allowed: match, name, set, trustTags"},
		"two rules of one name": {rule("{clusters: [a]}", "{alarms: off}") + "- {name: a, match: {clusters: [b]}, set: {alarms: on}}",
			`p.yaml:9: rules[1].name: "a" is the name of an earlier rule; allowed: a name that no other rule has`},
		"a name with a line break": {strings.Replace(rule("{clusters: [a]}", "{alarms: off}"), "name: a", `name: "a\nb"`, 1),
			`p.yaml:6: rules[0].name: "a\nb" is not a name; allowed: up to 64 characters that print`},
		"a rule without a match":    {head + "rules:\n- name: a\n  set: {alarms: off}", "p.yaml:6: rules[0].match: selects nothing; allowed: at least one of accounts, regions, clusters, tags"},
		"a match without selectors": {rule("{}", "{alarms: off}"), "p.yaml:7: rules[0].match: selects nothing; allowed: at least one of accounts, regions, clusters, tags"},
		"a selector that is misspelt": {rule("{cluster: [a]}", "{alarms: off}"),
			"p.yaml:7: rules[0].match.cluster: unknown key; did you mean clusters? allowed: accounts, clusters, regions, tags"},
		"an empty selector": {rule("{clusters: []}", "{alarms: off}"), "p.yaml:7: rules[0].match.clusters: is empty; allowed: at least one entry, or leave the key out to select all"},
		"empty tags":        {rule("{tags: {}}", "{alarms: on}"), "p.yaml:7: rules[0].match.tags: is empty; allowed: at least one tag, as {env: prod}"},
		"a tag without a key": {rule(`{tags: {"": x}}`, "{alarms: on}"),
			"p.yaml:7: rules[0].match.tags.: no tag is like this; allowed: a key of 1 to 128 characters, a value of up to 256"},
		"an account that is a pattern":       {rule(`{accounts: ["1111*"]}`, "{alarms: off}"), `p.yaml:7: rules[0].match.accounts[0]: "1111*" selects nothing; allowed: twelve digits, as "111122223333"`},
		"an account outside the fleet":       {rule("{accounts: [444455556666]}", "{alarms: off}"), "p.yaml:7: rules[0].match.accounts[0]: 444455556666 is not in the fleet" + fleetHint},
		"a region outside the fleet":         {rule("{regions: [us-east-1, eu-west-1]}", "{alarms: off}"), "p.yaml:7: rules[0].match.regions[1]: eu-west-1 is not in the fleet" + fleetHint},
		"a pattern of regions that has none": {rule(`{regions: ["ap-*"]}`, "{alarms: off}"), "p.yaml:7: rules[0].match.regions[0]: ap-* is not in the fleet" + fleetHint},
		"a region in capitals":               {rule("{regions: [EU-CENTRAL-1]}", "{alarms: off}"), `p.yaml:7: rules[0].match.regions[0]: "EU-CENTRAL-1" selects nothing; allowed: a region, as eu-central-1, or a pattern, as eu-*`},
		"an account and a region that are in the fleet apart": {head + "- {account: 444455556666, regions: [eu-west-1]}\n" +
			"rules:\n- {name: a, match: {accounts: [444455556666], regions: [us-east-1]}, set: {alarms: off}}",
			"p.yaml:7: rules[0].match: none of the accounts is in the fleet with one of the regions" + fleetHint},
		"a name no cluster can have":  {rule("{clusters: [-a]}", "{alarms: off}"), `p.yaml:7: rules[0].match.clusters[0]: "-a" selects nothing; allowed: a cluster's name, or a pattern of letters, digits, - _ and * ?, as prod-*`},
		"a pattern no name can match": {rule(`{clusters: ["_a*"]}`, "{alarms: off}"), `p.yaml:7: rules[0].match.clusters[0]: "_a*" selects nothing; allowed: a cluster's name, or a pattern of letters, digits, - _ and * ?, as prod-*`},
		"a pattern longer than a name": {rule(`{clusters: ["`+strings.Repeat("?", 101)+`*"]}`, "{alarms: off}"),
			`p.yaml:7: rules[0].match.clusters[0]: "` + strings.Repeat("?", 101) + `*" selects nothing; allowed: a cluster's name, or a pattern of letters, digits, - _ and * ?, as prod-*`},
		"a tag longer than AWS allows": {rule("{tags: {a: "+strings.Repeat("x", 257)+"}}", "{alarms: on}"),
			"p.yaml:7: rules[0].match.tags.a: no tag is like this; allowed: a key of 1 to 128 characters, a value of up to 256"},
		"too many rules":               {head + "rules:" + strings.Repeat("\n- {}", 1001), "p.yaml:5: rules: are 1001; allowed: up to 1000"},
		"an expression for a pattern":  {rule(`{clusters: ["prod-[0-9]*"]}`, "{alarms: off}"), `p.yaml:7: rules[0].match.clusters[0]: "prod-[0-9]*" selects nothing; allowed: a cluster's name, or a pattern of letters, digits, - _ and * ?, as prod-*`},
		"a rule that sets nothing":     {rule("{clusters: [a]}", "{}"), "p.yaml:8: rules[0].set: sets nothing; allowed: at least one of mode, floor, target, warning, critical, daysLeft, alarms, owner, selfManaged, ownerTag, alarmActions, furtherAlarms, metricsHelperID, windows, freezes"},
		"trust in tags without tags":   {rule("{clusters: [a]}", "{alarms: off}\n  trustTags: yes"), "p.yaml:9: rules[0].trustTags: the rule does not select by tags; allowed: only beside match.tags"},
		"tags that switch alarms off":  {rule("{tags: {env: dev}}", "{alarms: off}"), "p.yaml:8: rules[0].set.alarms: off" + loosens},
		"tags that claim the add-on":   {rule("{tags: {env: dev}}", "{owner: cniguard}"), "p.yaml:8: rules[0].set.owner: cniguard" + loosens},
		"tags that choose the target":  {rule("{tags: {env: dev}}", "{target: latest}"), "p.yaml:8: rules[0].set.target: latest" + loosens},
		"tags that silence critical":   {rule("{tags: {env: dev}}", "{critical: 100, warning: 70}"), "p.yaml:8: rules[0].set.critical: 100" + loosens},
		"tags that switch updates on":  {rule("{clusters: [a], tags: {env: dev}}", "{mode: auto}"), "p.yaml:8: rules[0].set.mode: auto" + loosens},
		"a warning above the defaults": {rule("{clusters: [a]}", "{warning: 96}"), "p.yaml:8: rules[0].set.warning: warning 96 does not fit critical 95 of defaults: warning must be below critical; set critical in this rule too"},
		"a critical below an earlier rule's warning": {rule("{clusters: [a]}", "{warning: 90}") + "- {name: b, match: {clusters: [b]}, set: {critical: 85}}",
			`p.yaml:9: rules[1].set.critical: critical 85 does not fit warning 90 of rule "a": warning must be below critical; set warning in this rule too`},
		"a floor above an earlier rule's target": {rule("{clusters: [a]}", "{target: v1.9.3}") + "- {name: b, match: {tags: {x: y}}, set: {floor: v1.10.2}}",
			`p.yaml:9: rules[1].set.floor: floor v1.10.2 does not fit target v1.9.3 of rule "a": a target must reach the floor; set target in this rule too`},
		"a list for a rule": {head + "rules:\n- [a]", `p.yaml:6: rules[0]: is a list; allowed: keys and values, as "key: value"`},
		"all mistakes are told at once, in order of lines": {
			"version: 1\nfleet:\n- account: one\n  regions: [eu-central-1]\ndefaults: {mod: auto}\nrules:\n- name: a\n  match: {tags: [x]}\n  set: {floor: new}\n",
			`p.yaml:3: fleet[0].account: "one" is not an account; allowed: twelve digits, as "111122223333"` + "\n" +
				"p.yaml:5: defaults.mod: unknown key; did you mean mode? allowed: " + settingKeys + "\n" +
				`p.yaml:8: rules[0].match.tags: is a list; allowed: keys and values, as "key: value"` + "\n" +
				`p.yaml:9: rules[0].set.floor: "new" is not a value of floor; allowed: a release without -eksbuild, as v1.8.0`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := source.Read("p.yaml", []byte(c.yaml))
			if err == nil || p != nil {
				t.Fatal("was read without a mistake")
			}
			if diff := cmp.Diff(c.want, err.Error()); diff != "" {
				t.Error(diff)
			}
			if errs := (strictyaml.Errors{}); !errors.As(err, &errs) {
				t.Errorf("the error is a %T", err)
			}
		})
	}
}

// Whoever hands a policy in is told of all mistakes at once, those that come with time among them.
func TestAPolicyThatIsHandedInHasNoExemptionThatIsOver(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	over := exempt("clusters: [a]", "until: 2026-11-22") + "defaults: {warning: high}\n"
	_, err := source.HandedIn("p.yaml", []byte(over), now)
	want := "p.yaml:10: exemptions[0].until: 2026-11-22 is over: the exemption holds no more; allowed: today, 2026-11-23, to 2027-11-24; or take the exemption out\n" +
		`p.yaml:11: defaults.warning: "high" is not a value of warning` + percents
	if diff := cmp.Diff(want, fmt.Sprint(err)); diff != "" {
		t.Error(diff)
	}
	if _, err := source.HandedIn("p.yaml", []byte(exempt("clusters: [a]", "until: 2026-11-23")), now); err != nil {
		t.Errorf("on its last day: %v", err)
	}
	if _, err := source.Read("p.yaml", []byte(exempt("clusters: [a]", "until: 2020-01-01"))); err != nil {
		t.Errorf("in a simulation, which may be of that time: %v", err)
	}
}

func badNote(t *testing.T, version string) string {
	t.Helper()
	note, bad := cni.Parse(version).Bad()
	if !bad {
		t.Fatalf("%s is not known bad", version)
	}
	return note.Problem + " (" + note.URL + ")"
}

func TestWhatIsUnusualButRightIsRead(t *testing.T) {
	for name, yaml := range map[string]string{
		"a mode":                                               rule("{clusters: [a]}", "{mode: auto}"),
		"an account without quotes":                            rule("{accounts: [111122223333]}", "{alarms: off}"),
		"an account that begins with 0":                        strings.Replace(head, "111122223333", "011122223333", 1),
		"a region of the government":                           strings.Replace(head, "us-east-1", "us-gov-west-1", 1),
		"a pattern that begins with a star":                    rule(`{clusters: ["*-prod"]}`, "{alarms: off}"),
		"tags that ask for the second strictest":               rule("{tags: {env: dev}}", "{mode: approve}"),
		"a tag with a dot, a colon and a slash":                rule(`{tags: {"aws:x.y/z": "*"}}`, "{alarms: on}"),
		"rules that cannot meet need not fit":                  head + "- {account: 444455556666, regions: [eu-west-1]}\n" + "rules:\n- {name: a, match: {accounts: [111122223333]}, set: {warning: 90}}\n- {name: b, match: {accounts: [444455556666]}, set: {critical: 85}}",
		"a rule that sets both fits by itself":                 rule("{clusters: [a]}", "{warning: 90}") + "- {name: b, match: {clusters: [b]}, set: {critical: 85, warning: 50}}",
		"five actions in each of two regions":                  head + "defaults: {alarmActions: [" + five("us-east-1") + ", " + five("eu-central-1") + "]}",
		"a window on every second day, in any case":            head + `defaults: {windows: ["MON,wed,Fri 00:00-24:00 America/Argentina/Buenos_Aires"]}`,
		"a freeze of a leap year":                              head + "defaults: {freezes: [2028-01-01 to 2028-12-31]}",
		"all further alarms, in any order":                     head + "defaults: {furtherAlarms: [node-capacity, days-left, free-blocks]}",
		"no further alarms":                                    head + "defaults: {furtherAlarms: []}",
		"tags that add a further alarm":                        rule("{tags: {env: prod}}", "{furtherAlarms: [days-left]}"),
		"tags that add one on the days left with their number": head + "defaults: {daysLeft: off}\nrules:\n- name: a\n  match: {tags: {env: prod}}\n  set: {furtherAlarms: [days-left], daysLeft: 3}",
		"tags that are trusted to take alarms back":            rule("{tags: {env: dev}}", "{furtherAlarms: [], metricsHelperID: dev}") + "  trustTags: true",
		"no forecast beside another further alarm":             head + "defaults: {daysLeft: off, furtherAlarms: [free-blocks]}",
		"a helper's id with all that a tag may have":           head + `defaults: {metricsHelperID: "Prod EU: a/b_c=d+e@f.g-1"}`,
		"a helper's id that is as long as it may be":           head + "defaults: {metricsHelperID: " + strings.Repeat("a", 255) + "}",
		"a helper's id that is a number":                       head + "defaults: {metricsHelperID: 42}",
		"tags that are trusted to choose the actions":          rule("{tags: {env: dev}}", "{alarmActions: []}") + "  trustTags: true",
		"a target as high as the floor, of any build":          head + "defaults: {floor: v1.18.5, target: v1.18.5-eksbuild.1}",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := source.Read("p.yaml", []byte(yaml)); err != nil {
				t.Error(err)
			}
		})
	}
}

// five are ARNs of topics in a region.
func five(region string) string {
	var arns []string
	for _, name := range []string{"a", "B", "c_c", "d-d", "5"} {
		arns = append(arns, "arn:aws:sns:"+region+":111122223333:"+name)
	}
	return strings.Join(arns, ", ")
}

func TestTheDocumentationExplainsEachKeyWhereItBelongs(t *testing.T) {
	documented := map[string]int{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Za-z]+)` (?:\\|[^|\n]+){4}\\|$").FindAllStringSubmatch(documentation(t), -1) {
		documented[row[1]]++
	}
	want := map[string]int{}
	for _, part := range []any{policy.Document{}, policy.Member{}, policy.Rule{}, policy.Match{}, policy.Set{}, policy.Digest{}, policy.RolloutDocument{}, policy.BudgetDocument{}, policy.WaveDocument{}, policy.Exemption{}} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(part)) {
			key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			want[key]++
		}
	}
	if diff := cmp.Diff(want, documented); diff != "" {
		t.Error(diff)
	}
}

func TestTheDocumentationTellsTheBuiltInSettings(t *testing.T) {
	p, err := source.Read("p.yaml", []byte(head))
	if err != nil {
		t.Fatal(err)
	}
	text := documentation(t)
	for _, o := range p.Explain(cluster.ID{}, nil) {
		row := regexp.MustCompile("(?m)^\\| `" + o.Field + "` \\| [^|]+ \\| `?" + regexp.QuoteMeta(o.Value) + "`? \\|")
		if !row.MatchString(text) {
			t.Errorf("docs/policy.md does not say that %s is %s when nothing sets it", o.Field, o.Value)
		}
	}
}

func TestTheDocumentationTellsThePriceOfEachAlarm(t *testing.T) {
	prices := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|.*\\| ([0-9.]+) \\|$").FindAllStringSubmatch(documentation(t), -1) {
		prices[row[1]] = row[2]
	}
	want := map[string]string{}
	for _, k := range alarm.Kinds() {
		want[string(k)] = fmt.Sprintf("%.2f", k.USD())
	}
	if diff := cmp.Diff(want, prices); diff != "" {
		t.Errorf("docs/policy.md (+):\n%s", diff)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(head + "defaults: {mode: auto, floor: 1.10.2, target: v1.18.5, warning: 7.25, critical: 90, alarms: NO, owner: unknown}"))
	f.Add([]byte(rule(`{accounts: [111122223333], regions: ["eu-*"], clusters: ["*a?"], tags: {a: "*", "é": ""}}`, "{alarms: off}\n  trustTags: true")))
	f.Add([]byte(head + "defaults: {alarmActions: [" + topic + "]}\nrules: [{name: a, match: {clusters: [b]}, set: {alarmActions: []}}]"))
	f.Add([]byte(head + "defaults: {furtherAlarms: [node-capacity, days-left], metricsHelperID: a b}\nrules: [{name: a, match: {tags: {a: b}}, set: {furtherAlarms: [days-left, free-blocks, node-capacity]}}]"))
	f.Add([]byte(head + "defaults: {windows: [Mon-Thu 22:00-04:00 Europe/Berlin, Sat 00:00-24:00], freezes: [2026-12-18 to 2027-01-06, 2026-04-03 UTC]}"))
	f.Add([]byte(exempt("clusters: [a]", "until: 2027-01-31")))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte(`{"version": 1, "fleet": [{"account": "111122223333", "regions": ["us-east-1"]}], "rules": []}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := source.Read("p.yaml", data)
		if err != nil {
			var errs strictyaml.Errors
			if !errors.As(err, &errs) || len(errs) == 0 {
				t.Fatalf("not a list of mistakes: %v", err)
			}
			return
		}
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		again, err := policy.Load(text)
		if err != nil {
			t.Fatalf("the compiled form does not load: %v\n%s", err, text)
		}
		if diff := cmp.Diff(p, again, cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
			t.Fatalf("the compiled form loads as another policy: %s", diff)
		}
	})
}
