package event_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/event"
)

// matching are the names of the rules that let an event through.
func matching(raw []byte) []string {
	var names []string
	for _, r := range event.Rules() {
		if r.Pattern.Matches(raw) {
			names = append(names, r.Name)
		}
	}
	return names
}

func TestEverySampleAndEveryCaptureIsLetThroughByTheOneRuleMeantForIt(t *testing.T) {
	// Whose patterns cannot tell vpc-cni from other add-ons.
	wide := []string{"eks-addons", "config-items"}
	all := samples()
	maps.Copy(all, captures())
	for name, s := range all {
		t.Run(name, func(t *testing.T) {
			var want []string
			if s.rule != "" {
				want = []string{s.rule}
			}
			if diff := cmp.Diff(want, matching(read(t, name))); diff != "" {
				t.Errorf("-want +have\n%s", diff)
			}
			if skipped := s.want.Kind == event.Skip; skipped != (s.rule == "") && !(skipped && slices.Contains(wide, s.rule)) {
				t.Errorf("it asks for %s, and its rule is %q", s.want.Kind, s.rule)
			}
		})
	}
}

func TestEveryRuleLetsSomeSampleThroughToTheRightFunction(t *testing.T) {
	work := map[string][]event.Trigger{}
	for _, s := range samples() {
		if s.want.Kind != event.Skip {
			work[s.rule] = append(work[s.rule], s.want)
		}
	}
	for _, r := range event.Rules() {
		if len(work[r.Name]) == 0 {
			t.Errorf("%s: no sample", r.Name)
		}
		for _, w := range work[r.Name] {
			// A sweep that an event of AWS asks for comes with that family's rule; urgent hands it on.
			urgent := w.Kind == event.Check || w.Kind == event.Test || w.Kind == event.Checks || w.Kind == event.Probe || w.Kind == event.Sweeping && w.Faint
			if urgent != (r.Target == event.Urgent) {
				t.Errorf("%s sends %s to %s", r.Name, w.Kind, r.Target)
			}
		}
	}
}

func TestTheRulesAreFew(t *testing.T) {
	// A bus takes 300 rules, in some regions 100 (EventBridge user guide, "Quotas"), and others want some of them.
	if n := len(event.Rules()); n > 10 {
		t.Errorf("%d rules", n)
	}
}

func TestEveryRuleIsOneThatEventBridgeTakes(t *testing.T) {
	allowed := regexp.MustCompile(`^[A-Za-z0-9._-]{1,48}$`) // 64, less a prefix of the stack's
	seen := map[string]bool{}
	for _, r := range event.Rules() {
		raw, err := json.Marshal(r.Pattern)
		if err != nil || utf8.RuneCount(raw) > 2048 {
			t.Errorf("%s: %d characters, %v", r.Name, len(raw), err)
		}
		if !allowed.MatchString(r.Name) || seen[r.Name] || r.Description == "" || len(r.Description) > 512 {
			t.Errorf("rule %q is refused, or there are two", r.Name)
		}
		seen[r.Name] = true
	}
}

// Fact 1.2/pattern.
func TestRulesAreWrittenAsTheyAreDeployed(t *testing.T) {
	want := map[string]string{
		"eks-calls": `{"detail":{"errorCode":[{"exists":false}],` +
			`"eventName":["CreateCluster","UpdateClusterVersion","UpdateClusterConfig","CreateAddon","UpdateAddon","DeleteAddon","DeleteCluster","AssociateAccessPolicy"],` +
			`"eventSource":["eks.amazonaws.com"],"requestParameters":{"addonName":["vpc-cni",{"exists":false}]}},` +
			`"detail-type":["AWS API Call via CloudTrail","Amazon API Call via CloudTrail"],"source":["aws.eks"]}`,
		"eks-addons": `{"detail-type":["EKS Addon Creation Succeeded","EKS Addon Creation Failed",` +
			`"EKS Addon Update Succeeded","EKS Addon Update Failed","EKS Addon Deletion Succeeded","EKS Addon Deletion Failed",` +
			`"EKS Addon Health Degraded","EKS Addon Health Restored"],"source":["aws.eks"]}`,
		"eks-health": `{"detail":{"eventScopeCode":["ACCOUNT_SPECIFIC",{"exists":false}],"service":["EKS"]},` +
			`"detail-type":["AWS Health Event","Amazon Health Event"],"source":["aws.health"]}`,
		"ip-alarms": `{"detail":{"alarmName":[{"prefix":"cniguard-"}],"operation":["update","delete",{"exists":false}]},` +
			`"detail-type":["CloudWatch Alarm State Change","CloudWatch Alarm Contributor State Change",` +
			`"CloudWatch Alarm Configuration Change"],"source":["aws.cloudwatch"]}`,
		"config-items": `{"detail":{"configurationItem":{"resourceType":["AWS::EKS::Addon","AWS::EKS::Cluster"]}},` +
			`"detail-type":["Config Configuration Item Change"],"source":["aws.config"]}`,
		"checks":    `{"detail-type":["Check Requested","Test Requested"],"source":["cniguard"]}`,
		"bulk-work": `{"detail-type":["Tick","Meter","Metering","Sweep","Sweeping","Digest"],"source":["cniguard"]}`,
	}
	have := map[string]string{}
	for _, r := range event.Rules() {
		raw, err := json.Marshal(r.Pattern)
		if err != nil {
			t.Fatal(err)
		}
		have[r.Name] = string(raw)
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("-want +have\n%s", diff)
	}
}

// The cases are those of the EventBridge user guide, "Content filtering", and of the README of aws/event-ruler.
func TestPatternsMatchAsEventBridgeDoes(t *testing.T) {
	state := func(v event.Values) event.Pattern {
		return event.Pattern{"detail": event.Pattern{"state": v}}
	}
	exact := state(event.Values{Exact: []string{"initializing", "running"}})
	prefix := state(event.Values{Prefix: "run"})
	absent := state(event.Values{Absent: true})
	either := state(event.Values{Exact: []string{"running"}, Absent: true})
	for name, c := range map[string]struct {
		pattern event.Pattern
		event   string
		want    bool
	}{
		"one of the values is there":                {exact, `{"detail":{"state":"running"}}`, true},
		"none of the values is there":               {exact, `{"detail":{"state":"stopped"}}`, false},
		"other fields do not matter":                {exact, `{"x":1,"detail":{"y":[{}],"state":"running"}}`, true},
		"case matters in values":                    {exact, `{"detail":{"state":"Running"}}`, false},
		"case matters in names":                     {exact, `{"detail":{"State":"running"}}`, false},
		"part of a value is not the value":          {exact, `{"detail":{"state":"running "}}`, false},
		"a list has one of the values":              {exact, `{"detail":{"state":["stopped","running"]}}`, true},
		"a list has none of the values":             {exact, `{"detail":{"state":["stopped"]}}`, false},
		"the field is missing":                      {exact, `{"detail":{}}`, false},
		"the object around it is missing":           {exact, `{}`, false},
		"the field is null":                         {exact, `{"detail":{"state":null}}`, false},
		"the field is a number":                     {exact, `{"detail":{"state":1e999}}`, false},
		"the field is an object":                    {exact, `{"detail":{"state":{"running":"running"}}}`, false},
		"the prefix is there":                       {prefix, `{"detail":{"state":"running"}}`, true},
		"the prefix is the whole":                   {prefix, `{"detail":{"state":"run"}}`, true},
		"the prefix is further on":                  {prefix, `{"detail":{"state":"a run"}}`, false},
		"the prefix is of a list's element":         {prefix, `{"detail":{"state":["x","running"]}}`, true},
		"a prefix of something that is missing":     {prefix, `{"detail":{}}`, false},
		"wanted absent and absent":                  {absent, `{"detail":{"x":1}}`, true},
		"wanted absent and the object is absent":    {absent, `{"x":1}`, true},
		"wanted absent and the object is null":      {absent, `{"detail":null}`, true},
		"wanted absent and there":                   {absent, `{"detail":{"state":"running"}}`, false},
		"wanted absent and empty":                   {absent, `{"detail":{"state":""}}`, false},
		"wanted absent and null, which is a value":  {absent, `{"detail":{"state":null}}`, false},
		"wanted absent and no leaf":                 {absent, `{"detail":{"state":{"x":1}}}`, true},
		"a value or absent, and it is the value":    {either, `{"detail":{"state":"running"}}`, true},
		"a value or absent, and it is absent":       {either, `{"detail":{}}`, true},
		"a value or absent, and it is another":      {either, `{"detail":{"state":"stopped"}}`, false},
		"two fields are wanted and one is missing":  {event.Pattern{"a": event.Values{Exact: []string{"1"}}, "b": event.Values{Exact: []string{"2"}}}, `{"a":"1"}`, false},
		"two fields are wanted and both are there":  {event.Pattern{"a": event.Values{Exact: []string{"1"}}, "b": event.Values{Exact: []string{"2"}}}, `{"a":"1","b":"2"}`, true},
		"the event is no JSON":                      {absent, `{`, false},
		"the event is a list":                       {absent, `[]`, false},
		"a number elsewhere that no float can hold": {exact, `{"n":1e999,"detail":{"state":"running"}}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			if have := c.pattern.Matches([]byte(c.event)); have != c.want {
				t.Errorf("have %v", have)
			}
		})
	}
}

func TestAPatternThatEventBridgeRefusesIsNotWritten(t *testing.T) {
	// {"f":["…"]} has ten characters around the value.
	long := func(n int) event.Pattern {
		return event.Pattern{"f": event.Values{Exact: []string{strings.Repeat("é", n-10)}}}
	}
	for name, c := range map[string]struct {
		pattern event.Pattern
		want    string
	}{
		"a pattern of the most characters": {long(2048), ""},
		"a pattern of one more":            {long(2049), "2049 characters, at most 2048 are allowed"},
		"a pattern of nothing":             {event.Pattern{}, "no field is asked for"},
		"an object of nothing":             {event.Pattern{"f": event.Pattern{}}, "no field is asked for"},
		"a field of no values":             {event.Pattern{"f": event.Values{}}, "no value is asked for"},
	} {
		t.Run(name, func(t *testing.T) {
			raw, err := json.Marshal(c.pattern)
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("want …%s, have %v and %d bytes", c.want, err, len(raw))
			}
		})
	}
}

// An event that cniguard puts on the bus for others must not wake it: each message would lead to another.
func TestNoRuleMatchesWhatIsPutOnTheBusForOthers(t *testing.T) {
	for _, r := range event.Rules() {
		source, ok := r.Pattern["source"].(event.Values)
		if !ok || len(source.Exact) == 0 || source.Prefix != "" || source.Absent || slices.Contains(source.Exact, event.NewsSource) {
			t.Errorf("the rule %s lets the source %s through: %+v", r.Name, event.NewsSource, r.Pattern["source"])
		}
	}
	for name := range samples() {
		var e map[string]any
		if err := json.Unmarshal(read(t, name), &e); err != nil {
			t.Fatal(err)
		}
		e["source"] = event.NewsSource // whatever else it says
		raw, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range event.Rules() {
			if r.Pattern.Matches(raw) {
				t.Errorf("%s from %s matches the rule %s", name, event.NewsSource, r.Name)
			}
		}
		if have, err := event.Decode(raw); err != nil || have.Kind != event.Skip {
			t.Errorf("%s from %s asks for %q, %v", name, event.NewsSource, have.Kind, err)
		}
	}
}
