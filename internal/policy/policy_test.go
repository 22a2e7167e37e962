package policy_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/policy"
)

const (
	home  = "111122223333"
	other = "444455556666"
)

func prod() cluster.ID { return cluster.ID{Account: home, Region: "eu-central-1", Name: "prod-1"} }

// document is a right policy with these rules.
func document(defaults policy.Set, rules ...policy.Rule) policy.Document {
	return policy.Document{
		Version: 1, Defaults: defaults, Rules: rules,
		Fleet: []policy.Member{{Account: other, Regions: []string{"us-east-1"}}, {Account: home, Regions: []string{"us-east-1", "eu-central-1"}}},
	}
}

func compile(t *testing.T, doc policy.Document) *policy.Policy {
	t.Helper()
	p, err := policy.Compile(doc)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// everywhere selects every cluster, without tags.
func everywhere() policy.Match { return policy.Match{Clusters: []string{"*"}} }

func tagged(key, value string) policy.Match { return policy.Match{Tags: map[string]string{key: value}} }

func TestSettingsFollowTheRules(t *testing.T) {
	with := func(change func(*policy.Settings)) policy.Settings {
		s := policy.BuiltIn()
		change(&s)
		return s
	}
	tags := map[string]string{"env": "prod", "team": "shop"}
	for name, c := range map[string]struct {
		defaults policy.Set
		rules    []policy.Rule
		want     policy.Settings
	}{
		"an empty policy leaves what is built in": {want: policy.Settings{
			Mode: policy.Observe, Floor: cni.Version{Major: 1, Minor: 8}, Target: cni.ToFloor, Warning: 80, Critical: 95, DaysLeft: 7, Alarms: true, SelfManaged: true, OwnerTag: "owner"}},
		"the policy's defaults hold over what is built in": {
			defaults: policy.Set{Mode: new("auto"), Floor: new("1.10.2"), Target: new("latest"), Warning: new("70.5"),
				Critical: new("90"), DaysLeft: new("No"), Alarms: new("No"), SelfManaged: new("ignore"), Owner: new("cniguard"),
				FurtherAlarms: new([]string{"node-capacity", "free-blocks"}), HelperID: new("Prod EU")},
			want: policy.Settings{Mode: policy.Auto, Floor: cni.Version{Major: 1, Minor: 10, Patch: 2}, Target: cni.ToLatest,
				Warning: 70.5, Critical: 90, Owner: policy.Owned, FurtherAlarms: "free-blocks node-capacity", HelperID: "Prod EU", OwnerTag: "owner"},
		},
		"of two rules the last wins, field by field": {
			rules: []policy.Rule{
				{Name: "a", Match: everywhere(), Set: policy.Set{Mode: new("auto"), Alarms: new("off")}},
				{Name: "b", Match: everywhere(), Set: policy.Set{Mode: new("approve")}},
			},
			want: with(func(s *policy.Settings) { s.Mode, s.Alarms = policy.Approve, false }),
		},
		"a rule that does not match sets nothing": {
			rules: []policy.Rule{{Name: "a", Match: policy.Match{Accounts: []string{other}}, Set: policy.Set{Mode: new("auto")}}},
			want:  policy.BuiltIn(),
		},
		"tags tighten every field that has an order": {
			defaults: policy.Set{Mode: new("auto"), DaysLeft: new("0"), Alarms: new("off"), SelfManaged: new("ignore"), Owner: new("cniguard")},
			rules: []policy.Rule{{Name: "a", Match: tagged("env", "prod"), Set: policy.Set{Mode: new("observe"), Floor: new("v1.12.0"),
				Warning: new("50"), Critical: new("60"), DaysLeft: new("14"), Alarms: new("on"), SelfManaged: new("read"), Owner: new("unknown")}}},
			want: policy.Settings{Mode: policy.Observe, Floor: cni.Version{Major: 1, Minor: 12}, Target: cni.ToFloor, Warning: 50, Critical: 60, DaysLeft: 14, Alarms: true, SelfManaged: true, OwnerTag: "owner"},
		},
		"tags loosen nothing": {
			rules: []policy.Rule{{Name: "a", Match: tagged("env", "prod"), Set: policy.Set{Mode: new("approve"), Floor: new("v1.7.5"),
				Warning: new("90"), Critical: new("99"), DaysLeft: new("6")}}},
			want: policy.BuiltIn(),
		},
		"tags are weak also in a rule with other selectors": {
			rules: []policy.Rule{{Name: "a", Match: policy.Match{Clusters: []string{"*"}, Tags: map[string]string{"env": "*"}},
				Set: policy.Set{Mode: new("approve")}}},
			want: policy.BuiltIn(),
		},
		"tags that the rule trusts loosen": {
			rules: []policy.Rule{{Name: "a", Match: tagged("env", "prod"), TrustTags: true,
				Set: policy.Set{Mode: new("auto"), Target: new("default"), Alarms: new("off"), Owner: new("cniguard")}}},
			want: with(func(s *policy.Settings) {
				s.Mode, s.Target, s.Alarms, s.Owner = policy.Auto, cni.ToDefault, false, policy.Owned
			}),
		},
		"a later list of further alarms stands in place of the earlier one": {
			defaults: policy.Set{FurtherAlarms: new([]string{"free-blocks", "node-capacity"}), HelperID: new("blue")},
			rules:    []policy.Rule{{Name: "a", Match: everywhere(), Set: policy.Set{FurtherAlarms: new([]string{"days-left"}), HelperID: new("name")}}},
			want:     with(func(s *policy.Settings) { s.FurtherAlarms = "days-left" }),
		},
		"an empty list takes the further alarms back": {
			defaults: policy.Set{FurtherAlarms: new([]string{"free-blocks"})},
			rules:    []policy.Rule{{Name: "a", Match: everywhere(), Set: policy.Set{FurtherAlarms: new([]string{})}}},
			want:     policy.BuiltIn(),
		},
		"tags add further alarms to all that hold": {
			defaults: policy.Set{FurtherAlarms: new([]string{"free-blocks"})},
			rules:    []policy.Rule{{Name: "a", Match: tagged("env", "prod"), Set: policy.Set{FurtherAlarms: new([]string{"days-left", "free-blocks"})}}},
			want:     with(func(s *policy.Settings) { s.FurtherAlarms = "free-blocks days-left" }),
		},
		"tags do not put one further alarm in place of another": {
			defaults: policy.Set{FurtherAlarms: new([]string{"free-blocks"})},
			rules:    []policy.Rule{{Name: "a", Match: tagged("env", "prod"), Set: policy.Set{FurtherAlarms: new([]string{"days-left", "node-capacity"})}}},
			want:     with(func(s *policy.Settings) { s.FurtherAlarms = "free-blocks" }),
		},
		"tags that add the alarm on the days left bring their number": {
			defaults: policy.Set{DaysLeft: new("off")},
			rules:    []policy.Rule{{Name: "a", Match: tagged("env", "prod"), Set: policy.Set{FurtherAlarms: new([]string{"days-left"}), DaysLeft: new("3")}}},
			want:     with(func(s *policy.Settings) { s.FurtherAlarms, s.DaysLeft = "days-left", 3 }),
		},
		"an account may have a tag of its own for owners": {
			defaults: policy.Set{OwnerTag: new("team")},
			rules:    []policy.Rule{{Name: "a", Match: everywhere(), Set: policy.Set{OwnerTag: new("cost-centre")}}},
			want:     with(func(s *policy.Settings) { s.OwnerTag = "cost-centre" }),
		},
		"a later rule without tags may loosen what tags tightened": {
			defaults: policy.Set{Mode: new("auto")},
			rules: []policy.Rule{
				{Name: "a", Match: tagged("env", "prod"), Set: policy.Set{Mode: new("observe")}},
				{Name: "b", Match: everywhere(), Set: policy.Set{Mode: new("approve")}},
			},
			want: with(func(s *policy.Settings) { s.Mode = policy.Approve }),
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := compile(t, document(c.defaults, c.rules...))
			if diff := cmp.Diff(c.want, p.For(prod(), tags)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestARuleMatchesWhenAllItsSelectorsDo(t *testing.T) {
	tags := map[string]string{"env": "prod-eu", "note": ""}
	for name, c := range map[string]struct {
		match policy.Match
		want  bool
	}{
		"the account":                          {policy.Match{Accounts: []string{other, home}}, true},
		"another account":                      {policy.Match{Accounts: []string{other}}, false},
		"the region":                           {policy.Match{Regions: []string{"us-east-1", "eu-central-1"}}, true},
		"another region":                       {policy.Match{Regions: []string{"us-east-1"}}, false},
		"a pattern of the region":              {policy.Match{Regions: []string{"eu-*-?"}}, true},
		"the name":                             {policy.Match{Clusters: []string{"prod-1"}}, true},
		"the beginning of the name":            {policy.Match{Clusters: []string{"prod"}}, false},
		"the end of the name":                  {policy.Match{Clusters: []string{"*-1"}}, true},
		"the middle of the name":               {policy.Match{Clusters: []string{"*o*"}}, true},
		"each character of the name":           {policy.Match{Clusters: []string{"??????"}}, true},
		"one character too few":                {policy.Match{Clusters: []string{"?????"}}, false},
		"one character too many":               {policy.Match{Clusters: []string{"prod-1?"}}, false},
		"stars that stand for nothing":         {policy.Match{Clusters: []string{"prod**-*1*"}}, true},
		"the name in capitals":                 {policy.Match{Clusters: []string{"PROD-1"}}, false},
		"a tag by its value":                   {tagged("env", "prod-eu"), true},
		"a tag by a pattern":                   {tagged("env", "prod-*"), true},
		"a tag of another value":               {tagged("env", "prod"), false},
		"a tag of any value that is not there": {tagged("team", "*"), false},
		"an empty tag":                         {tagged("note", ""), true},
		"a tag's key is no pattern":            {tagged("e*", "*"), false},
		"all of the tags":                      {policy.Match{Tags: map[string]string{"env": "*", "note": "*"}}, true},
		"one of the tags":                      {policy.Match{Tags: map[string]string{"env": "*", "team": "*"}}, false},
		"the account and another name":         {policy.Match{Accounts: []string{home}, Clusters: []string{"dev"}}, false},
		"the region and another account":       {policy.Match{Accounts: []string{other}, Regions: []string{"us-*", "eu-*"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := compile(t, document(policy.Set{Mode: new("auto")}, policy.Rule{Name: "a", Match: c.match, Set: policy.Set{Mode: new("observe")}}))
			if got := p.For(prod(), tags).Mode == policy.Observe; got != c.want {
				t.Errorf("matches: got %v, want %v", got, c.want)
			}
		})
	}
}

func TestAPatternThatNearlyMatchesManyTimesIsQuick(t *testing.T) {
	p := compile(t, document(policy.Set{}, policy.Rule{Name: "a", Set: policy.Set{Floor: new("v1.9.0")},
		Match: tagged("k", strings.Repeat("*a", 120)+"b")}))
	if p.For(prod(), map[string]string{"k": strings.Repeat("a", 256)}).Floor.Minor != 8 {
		t.Error("a pattern matched that should not") // a matcher that backtracks over each * would not come back
	}
}

func TestExplainNamesTheRuleBehindEachSetting(t *testing.T) {
	p := compile(t, document(policy.Set{Critical: new("90"), Owner: new("cniguard"), HelperID: new("blue")},
		policy.Rule{Name: "loose", Match: tagged("env", "*"), Set: policy.Set{Warning: new("85"), Mode: new("approve")}},
		policy.Rule{Name: "mode", Match: everywhere(), Set: policy.Set{Mode: new("approve")}},
		policy.Rule{Name: "tight", Match: tagged("env", "*"), Set: policy.Set{Warning: new("60"), Owner: new("unknown"), Mode: new("approve"),
			FurtherAlarms: new([]string{"days-left", "free-blocks"})}},
		policy.Rule{Name: "also loose", Match: tagged("env", "*"), Set: policy.Set{Warning: new("70"), Critical: new("92"), FurtherAlarms: new([]string{"days-left"})}},
		policy.Rule{Name: "absent", Match: tagged("team", "*"), Set: policy.Set{Floor: new("v1.9.0")}},
	))
	got := p.Explain(prod(), map[string]string{"env": "x"})
	want := []policy.Origin{
		{Field: "mode", Value: "approve", By: `rule "mode"`},
		{Field: "floor", Value: "v1.8.0", By: "built in"},
		{Field: "target", Value: "floor", By: "built in"},
		{Field: "warning", Value: "60", By: `rule "tight"`, Kept: []string{`rule "also loose"`}},
		{Field: "critical", Value: "90", By: "defaults", Kept: []string{`rule "also loose"`}},
		{Field: "daysLeft", Value: "7", By: "built in"},
		{Field: "alarms", Value: "on", By: "built in"},
		{Field: "owner", Value: "unknown", By: `rule "tight"`},
		{Field: "selfManaged", Value: "read", By: "built in"},
		{Field: "ownerTag", Value: "owner", By: "built in"},
		{Field: "alarmActions", Value: "none", By: "built in"},
		{Field: "furtherAlarms", Value: "free-blocks days-left", By: `rule "tight"`, Kept: []string{`rule "also loose"`}},
		{Field: "metricsHelperID", Value: "blue", By: "defaults"},
		{Field: "windows", Value: "any time", By: "built in"},
		{Field: "freezes", Value: "none", By: "built in"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheFleetIsWhatTheDocumentLists(t *testing.T) {
	p := compile(t, document(policy.Set{}))
	want := []event.Unit{{Account: home, Region: "eu-central-1"}, {Account: home, Region: "us-east-1"}, {Account: other, Region: "us-east-1"}}
	units := p.Units()
	if diff := cmp.Diff(want, units); diff != "" {
		t.Error(diff)
	}
	units[0] = event.Unit{}
	for _, c := range []struct {
		account, region string
		want            bool
	}{{home, "eu-central-1", true}, {other, "us-east-1", true}, {other, "eu-central-1", false}, {"", "", false}} {
		if got := p.Contains(c.account, c.region); got != c.want {
			t.Errorf("contains %s %s: got %v, want %v", c.account, c.region, got, c.want)
		}
	}
}

func TestTheDigestFollowsTheMeaningNotTheSpelling(t *testing.T) {
	both, turned, one := []string{"free-blocks", "days-left"}, []string{"days-left", "free-blocks"}, []string{"days-left"}
	base := compile(t, document(policy.Set{Alarms: new("on"), Warning: new("80"), Floor: new("v1.8.0"), FurtherAlarms: &both})).Digest()
	same := compile(t, document(policy.Set{Alarms: new("Yes"), Warning: new("80.0"), Floor: new("1.8.0"), FurtherAlarms: &turned})).Digest()
	changed := compile(t, document(policy.Set{Alarms: new("off"), Warning: new("80"), Floor: new("v1.8.0"), FurtherAlarms: &both})).Digest()
	fewer := compile(t, document(policy.Set{Alarms: new("on"), Warning: new("80"), Floor: new("v1.8.0"), FurtherAlarms: &one})).Digest()
	if base != same || base == changed || base == fewer || len(base) != 16 {
		t.Errorf("got %s, %s, %s and %s", base, same, changed, fewer)
	}
}

func TestTheCompiledPolicyIsApartFromItsDocument(t *testing.T) {
	doc := document(policy.Set{}, policy.Rule{Name: "a", Match: tagged("env", "prod"), Set: policy.Set{Floor: new("v1.9.0")}})
	p := compile(t, doc)
	doc.Rules[0].Match.Tags["env"] = "dev"
	*doc.Rules[0].Set.Floor = "v1.1.1"
	doc.Fleet[1].Regions[1] = "x"
	if got := p.For(prod(), map[string]string{"env": "prod"}).Floor.Minor; got != 9 || !p.Contains(home, "eu-central-1") {
		t.Error("changing the document changed the policy")
	}
}

// Topics are those of the cluster's own region, in one order however they are written; an empty list takes back what held before.
func TestAnAlarmTellsTheTopicsOfItsOwnRegion(t *testing.T) {
	const (
		here  = "arn:aws:sns:eu-central-1:111122223333:oncall"
		too   = "arn:aws:sns:eu-central-1:111122223333:chat"
		there = "arn:aws:sns:us-east-1:444455556666:oncall"
	)
	p := compile(t, document(policy.Set{AlarmActions: new([]string{here, there, too})},
		policy.Rule{Name: "quiet", Match: policy.Match{Clusters: []string{"dev"}}, Set: policy.Set{AlarmActions: new([]string{})}},
		policy.Rule{Name: "own", Match: policy.Match{Clusters: []string{"own"}}, Set: policy.Set{AlarmActions: new([]string{too})}}))
	for _, c := range []struct {
		region, name string
		want         []string
	}{
		{"eu-central-1", "prod", []string{too, here}},
		{"us-east-1", "prod", []string{there}},
		{"ap-east-1", "prod", nil},
		{"eu-central-1", "dev", nil},
		{"eu-central-1", "own", []string{too}},
		{"us-east-1", "own", nil},
	} {
		got := p.For(cluster.ID{Account: home, Region: c.region, Name: c.name}, nil).AlarmActions.In(c.region)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s in %s (-want +got):\n%s", c.name, c.region, diff)
		}
	}
	if diff := cmp.Diff([]string{too, here, there}, p.Topics()); diff != "" {
		t.Errorf("all topics (-want +got):\n%s", diff)
	}
	if none := compile(t, document(policy.Set{})).Topics(); len(none) > 0 {
		t.Errorf("a policy without topics has %q", none)
	}
	turned := compile(t, document(policy.Set{AlarmActions: new([]string{too, here})})).Digest()
	if turned != compile(t, document(policy.Set{AlarmActions: new([]string{here, too})})).Digest() {
		t.Error("the order of topics makes another policy")
	}
}

func TestLoadRefuses(t *testing.T) {
	text, err := json.Marshal(compile(t, document(policy.Set{Mode: new("auto")})))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ json, want string }{
		"a key it does not know":                {strings.Replace(string(text), `"version"`, `"colour":1,"version"`, 1), `read compiled policy: json: unknown field "colour"`},
		"text that follows":                     {string(text) + "{}", "read compiled policy: more text follows it"},
		"a text that is cut off":                {string(text[:20]), "read compiled policy: unexpected EOF"},
		"nothing":                               {"", "read compiled policy: EOF"},
		"a policy with mistakes, by their path": {strings.Replace(string(text), `"auto"`, `"all"`, 1), `defaults.mode: "all" is not a value of mode; allowed: observe, approve, auto`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := policy.Load([]byte(c.json))
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
	if _, err := policy.Load(text); err != nil {
		t.Errorf("a simulation loads it: %v", err)
	}
}

func TestAModeIsReadByItsName(t *testing.T) {
	var m policy.Mode
	if err := m.UnmarshalText([]byte("approve")); err != nil || m != policy.Approve {
		t.Errorf("got %q, %v", m, err)
	}
	const want = `"Auto" is not a mode; allowed: observe, approve, auto`
	if err := m.UnmarshalText([]byte("Auto")); err == nil || err.Error() != want || m != policy.Approve {
		t.Errorf("got %q, %v", m, err)
	}
}
