package policy_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/policy"
)

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
	case a.DaysLeft < b.DaysLeft:
		return "daysLeft"
	case b.Alarms && !a.Alarms:
		return "alarms"
	case !a.SelfManaged && b.SelfManaged:
		return "selfManaged"
	case a.Owner != "" && b.Owner == "":
		return "owner"
	case a.AlarmActions != b.AlarmActions:
		return "alarmActions"
	case lacks(a, b):
		return "furtherAlarms"
	case a.HelperID != b.HelperID:
		return "metricsHelperID"
	case b.Windows != "" && (a.Windows == "" || !amongst(string(a.Windows), string(b.Windows))):
		return "windows"
	case !amongst(string(b.Freezes), string(a.Freezes)):
		return "freezes"
	}
	return ""
}

// amongst reports whether some spans are all in a list.
func amongst(some, list string) bool {
	if some == "" {
		return true
	}
	have := strings.Split(list, "; ")
	return !slices.ContainsFunc(strings.Split(some, "; "), func(s string) bool { return !slices.Contains(have, s) })
}

// lacks reports whether b has an alarm that a has not.
func lacks(a, b policy.Settings) bool {
	return slices.ContainsFunc(alarm.Kinds(), func(k alarm.Kind) bool { return b.FurtherAlarms.Has(k) && !a.FurtherAlarms.Has(k) })
}

func TestNoTagLoosensUnlessARuleTrustsTags(t *testing.T) {
	tightened, widened, loosened := 0, 0, 0
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
		if lacks(without, with) {
			widened++
		}
	})
	if tightened < 50 || widened < 20 || loosened < 10 {
		t.Errorf("tags tightened %d times, added an alarm %d times and loosened %d times: the law was hardly tried", tightened, widened, loosened)
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
	counted, off := 0, 0
	randomPolicies(t, func(r *rand.Rand, doc policy.Document, p *policy.Policy) {
		s := p.For(randomID(r), randomTags(r))
		pin, counts := cni.Parse(string(s.Target)), s.FurtherAlarms.Has(alarm.DaysLeft)
		if s.Warning <= 0 || s.Warning >= s.Critical || s.Critical > 100 || pin.Known() && !pin.Satisfies(s.Floor) || counts && s.DaysLeft == 0 {
			t.Fatalf("got %+v from %+v", s, doc)
		}
		switch {
		case counts:
			counted++
		case s.DaysLeft == 0:
			off++
		}
	})
	if counted < 100 || off < 100 {
		t.Errorf("%d clusters had an alarm on the days left, and %d no forecast: the law was hardly tried", counted, off)
	}
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
			"selfManaged": map[bool]string{true: "read", false: "ignore"}[s.SelfManaged], "daysLeft": fmt.Sprint(s.DaysLeft),
			"furtherAlarms": string(s.FurtherAlarms), "metricsHelperID": s.HelperID, "ownerTag": s.OwnerTag,
			"windows": string(s.Windows), "freezes": string(s.Freezes)}
		if s.DaysLeft == 0 {
			want["daysLeft"] = "off"
		}
		for field, word := range map[string]string{"alarmActions": "none", "furtherAlarms": "none", "metricsHelperID": "name", "windows": "any time", "freezes": "none"} {
			if want[field] == "" {
				want[field] = word
			}
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
		again, err := policy.Load(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if diff := cmp.Diff(p, again, cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
			t.Fatalf("%s from %+v", diff, doc)
		}
	})
}
