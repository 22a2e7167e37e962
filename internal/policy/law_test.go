package policy_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/policy"
)

// maybe is one of the texts, or nil one time in two.
func maybe(r *rand.Rand, texts ...string) *string {
	if r.IntN(2) == 0 {
		return nil
	}
	return new(texts[r.IntN(len(texts))])
}

func randomSet(r *rand.Rand) policy.Set {
	return policy.Set{
		Mode:     maybe(r, "observe", "approve", "auto"),
		Floor:    maybe(r, "v1.7.5", "v1.8.0", "v1.10.2", "v1.18.5"),
		Target:   maybe(r, "floor", "default", "latest", "v1.9.3", "v1.18.5-eksbuild.1"),
		Warning:  maybe(r, "50", "60", "70", "80", "90"),
		Critical: maybe(r, "65", "75", "85", "95", "100"),
		Alarms:   maybe(r, "on", "off"),
		Owner:    maybe(r, "cniguard", "unknown"),

		SelfManaged: maybe(r, "read", "ignore"),

		AlarmActions: randomTopics(r),
	}
}

// randomTopics are some topics in some order, none of them, or nothing.
func randomTopics(r *rand.Rand) *[]string {
	if r.IntN(2) == 0 {
		return nil
	}
	arns := []string{"arn:aws:sns:us-east-1:111122223333:a", "arn:aws:sns:us-east-1:111122223333:b", "arn:aws:sns:eu-central-1:111122223333:a"}
	r.Shuffle(len(arns), func(i, j int) { arns[i], arns[j] = arns[j], arns[i] })
	return new(arns[:r.IntN(len(arns)+1)])
}

func randomTags(r *rand.Rand) map[string]string {
	tags := map[string]string{}
	for _, key := range []string{"a", "b", "c"} {
		if r.IntN(2) == 0 {
			tags[key] = fmt.Sprint(r.IntN(2))
		}
	}
	return tags
}

func randomRule(r *rand.Rand, name string) policy.Rule {
	rule := policy.Rule{Name: name, Set: randomSet(r)}
	if r.IntN(2) == 0 {
		rule.Match.Tags = randomTags(r)
		if len(rule.Match.Tags) == 0 {
			rule.Match.Tags["a"] = "*"
		}
		rule.TrustTags = r.IntN(4) == 0
	}
	if rule.Match.Tags != nil && !rule.TrustTags { // what else could it set is a mistake
		rule.Set.Mode, rule.Set.Target, rule.Set.AlarmActions = maybe(r, "observe", "approve"), nil, nil
		rule.Set.Alarms, rule.Set.SelfManaged, rule.Set.Owner = maybe(r, "on"), maybe(r, "read"), maybe(r, "unknown")
	}
	if r.IntN(3) == 0 {
		rule.Match.Accounts = []string{[]string{home, other}[r.IntN(2)]}
	}
	if rule.Match.Tags == nil && rule.Match.Accounts == nil || r.IntN(4) == 0 {
		rule.Match.Clusters = []string{[]string{"*", "prod-*", "*-1"}[r.IntN(3)]}
	}
	return rule
}

// randomPolicies calls f with policies that compile, and their documents.
func randomPolicies(t *testing.T, f func(*rand.Rand, policy.Document, *policy.Policy)) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	compiled := 0
	for range 2_500 {
		doc := document(randomSet(r))
		for i := range r.IntN(4) {
			doc.Rules = append(doc.Rules, randomRule(r, fmt.Sprint(i)))
		}
		p, err := policy.Compile(doc, true)
		if err != nil {
			continue
		}
		compiled++
		f(r, doc, p)
	}
	if compiled < 500 {
		t.Fatalf("only %d policies compiled: the law was hardly tried", compiled)
	}
}

func randomID(r *rand.Rand) cluster.ID {
	return cluster.ID{Account: []string{home, other}[r.IntN(2)], Region: "us-east-1", Name: []string{"prod-1", "dev-1", "prod-2"}[r.IntN(3)]}
}

// looser names a field in which a is looser than b, or differs where there is no order. It is written apart from the package.
func looser(a, b policy.Settings) string {
	rank := []policy.Mode{policy.Observe, policy.Approve, policy.Auto}
	switch {
	case slices.Index(rank, a.Mode) > slices.Index(rank, b.Mode):
		return "mode"
	case cni.Compare(a.Floor, b.Floor) < 0:
		return "floor"
	case a.Target != b.Target:
		return "target"
	case a.Warning > b.Warning:
		return "warning"
	case a.Critical > b.Critical:
		return "critical"
	case b.Alarms && !a.Alarms:
		return "alarms"
	case !a.SelfManaged && b.SelfManaged:
		return "selfManaged"
	case a.Owner != "" && b.Owner == "":
		return "owner"
	case a.AlarmActions != b.AlarmActions:
		return "alarmActions"
	}
	return ""
}

func TestNoTagLoosensUnlessARuleTrustsTags(t *testing.T) {
	tightened, loosened := 0, 0
	randomPolicies(t, func(r *rand.Rand, doc policy.Document, p *policy.Policy) {
		trusting := slices.ContainsFunc(doc.Rules, func(rule policy.Rule) bool { return rule.TrustTags })
		id, tags := randomID(r), randomTags(r)
		with, without := p.For(id, tags), p.For(id, nil)
		field := looser(with, without)
		switch {
		case field != "" && !trusting:
			t.Fatalf("tags %v loosened %s of %s: %+v to %+v in %+v", tags, field, id, without, with, doc)
		case field != "":
			loosened++
		case with != without:
			tightened++
		}
	})
	if tightened < 50 || loosened < 10 {
		t.Errorf("tags tightened %d times and loosened %d times: the law was hardly tried", tightened, loosened)
	}
}

func TestTheLastRuleWithoutTagsWins(t *testing.T) {
	randomPolicies(t, func(r *rand.Rand, doc policy.Document, p *policy.Policy) {
		want := policy.Observe
		if doc.Defaults.Mode != nil {
			want = policy.Mode(*doc.Defaults.Mode)
		}
		id := randomID(r)
		for _, rule := range doc.Rules {
			one := compile(t, document(policy.Set{Floor: new("v1.8.0")}, policy.Rule{Name: "probe", Match: rule.Match, Set: policy.Set{Floor: new("v1.9.0")}}))
			if matches := one.For(id, nil).Floor.Minor == 9; matches && rule.Set.Mode != nil {
				want = policy.Mode(*rule.Set.Mode)
			}
		}
		if got := p.For(id, nil).Mode; got != want {
			t.Fatalf("got %s, want %s for %s in %+v", got, want, id, doc)
		}
	})
}

func TestSettingsOfEveryClusterFitEachOther(t *testing.T) {
	randomPolicies(t, func(r *rand.Rand, doc policy.Document, p *policy.Policy) {
		s := p.For(randomID(r), randomTags(r))
		pin := cni.Parse(string(s.Target))
		if s.Warning <= 0 || s.Warning >= s.Critical || s.Critical > 100 || pin.Known() && !pin.Satisfies(s.Floor) {
			t.Fatalf("got %+v from %+v", s, doc)
		}
	})
}

func TestExplainTellsTheSettingsThatHold(t *testing.T) {
	randomPolicies(t, func(r *rand.Rand, doc policy.Document, p *policy.Policy) {
		id, tags := randomID(r), randomTags(r)
		s, told := p.For(id, tags), map[string]string{}
		for _, o := range p.Explain(id, tags) {
			told[o.Field] = o.Value
		}
		want := map[string]string{"mode": string(s.Mode), "floor": s.Floor.String(), "target": s.Target.String(), "warning": fmt.Sprint(s.Warning),
			"critical": fmt.Sprint(s.Critical), "alarms": map[bool]string{true: "on", false: "off"}[s.Alarms],
			"owner": map[bool]string{true: "cniguard", false: "unknown"}[s.Owner != ""], "alarmActions": string(s.AlarmActions),
			"selfManaged": map[bool]string{true: "read", false: "ignore"}[s.SelfManaged]}
		if s.AlarmActions == "" {
			want["alarmActions"] = "none"
		}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestTheCompiledFormLoadsAsTheSamePolicy(t *testing.T) {
	randomPolicies(t, func(_ *rand.Rand, doc policy.Document, p *policy.Policy) {
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		again, err := policy.Load(text, true)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if diff := cmp.Diff(p, again, cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
			t.Fatalf("%s from %+v", diff, doc)
		}
	})
}
