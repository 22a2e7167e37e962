package policy_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cniguard/cniguard/internal/cluster"
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
		DaysLeft: maybe(r, "3", "7", "30", "off"),
		Alarms:   maybe(r, "on", "off"),
		Owner:    maybe(r, "cniguard", "unknown"),

		SelfManaged: maybe(r, "read", "ignore"),

		AlarmActions: randomTopics(r), FurtherAlarms: randomKinds(r, 0),
		HelperID: maybe(r, "name", "blue", "Prod EU"),

		Windows: randomSome(r, 0, "Mon-Thu 09:00-16:00 Europe/Berlin", "Sat 22:00-04:00", "fri,Sun 00:00-24:00 UTC"),
		Freezes: randomSome(r, 0, "2026-12-18 to 2027-01-06", "2026-04-03 Europe/Berlin"),
	}
}

// randomKinds are some further alarms in some order, at least so many, or nothing.
func randomKinds(r *rand.Rand, least int) *[]string {
	return randomSome(r, least, "free-blocks", "days-left", "node-capacity")
}

// randomSome are some of the texts in some order, at least so many, or nothing.
func randomSome(r *rand.Rand, least int, texts ...string) *[]string {
	if r.IntN(2) == 0 {
		return nil
	}
	r.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
	return new(texts[:least+r.IntN(len(texts)+1-least)])
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
		rule.Set.DaysLeft = maybe(r, "1", "14")
		rule.Set.Alarms, rule.Set.SelfManaged, rule.Set.Owner = maybe(r, "on"), maybe(r, "read"), maybe(r, "unknown")
		rule.Set.FurtherAlarms, rule.Set.HelperID = randomKinds(r, 1), nil
		rule.Set.Windows = randomSome(r, 1, "Mon-Thu 09:00-16:00 Europe/Berlin", "Sat 22:00-04:00")
		rule.Set.Freezes = randomSome(r, 1, "2026-12-18 to 2027-01-06", "2026-04-03 Europe/Berlin")
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
		p, err := policy.Compile(doc)
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
