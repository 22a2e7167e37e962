package policy_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/policy"
)

func exemption(until string, change func(*policy.Exemption)) policy.Exemption {
	e := policy.Exemption{Match: policy.Match{Clusters: []string{"prod-*"}}, Owner: "shop", Because: "Black Friday", Until: until}
	if change != nil {
		change(&e)
	}
	return e
}

func exempting(all ...policy.Exemption) policy.Document {
	doc := document(policy.Set{})
	doc.Exemptions = all
	return doc
}

func TestTheExemptionThatEndsLastCounts(t *testing.T) {
	of := func(owner, findings string) func(*policy.Exemption) {
		return func(e *policy.Exemption) { e.Owner, e.Findings = owner, strings.Fields(findings) }
	}
	tagged := func(e *policy.Exemption) { e.Match = policy.Match{Tags: map[string]string{"env": "prod"}} }
	elsewhere := func(e *policy.Exemption) { e.Match = policy.Match{Accounts: []string{other}} }
	for name, c := range map[string]struct {
		all   []policy.Exemption
		owner string
		want  policy.Exempt
	}{
		"there is none": {},
		"its last day is in it": {[]policy.Exemption{exemption("2027-01-31", of("shop", "version-unknown version-outdated"))}, "shop",
			policy.Exempt{Findings: "version-outdated version-unknown", Until: time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)}},
		"of two the later, with its own findings": {
			[]policy.Exemption{exemption("2026-12-31", of("a", "version-outdated")), exemption("2027-01-31", of("b", "")), exemption("2027-01-30", of("c", "version-unknown"))}, "b",
			policy.Exempt{Until: time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)}},
		"of two that end at once the first": {[]policy.Exemption{exemption("2027-01-31", of("a", "")), exemption("2027-01-31", of("b", ""))}, "a",
			policy.Exempt{Until: time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)}},
		"one by tags":            {[]policy.Exemption{exemption("2027-01-31", tagged)}, "shop", policy.Exempt{Until: time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)}},
		"one of another account": {[]policy.Exemption{exemption("2027-01-31", elsewhere)}, "", policy.Exempt{}},
	} {
		t.Run(name, func(t *testing.T) {
			p := compile(t, exempting(c.all...))
			if c.want != (policy.Exempt{}) {
				c.want.Owner, c.want.Because = c.owner, "Black Friday"
			}
			tags := map[string]string{"env": "prod"}
			if got := p.For(prod(), tags).Exempt; got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
			origins := p.Explain(prod(), tags)
			if last := origins[len(origins)-1]; c.owner != "" {
				want := policy.Origin{Field: "exemption", Value: "no update up to 2027-01-31: Black Friday", By: "exemption of " + c.owner}
				if diff := cmp.Diff(want, last); diff != "" {
					t.Error(diff)
				}
			} else if last.Field == "exemption" {
				t.Errorf("explained as %+v", last)
			}
		})
	}
}

func TestAnExemptionHoldsToTheEndOfItsLastDay(t *testing.T) {
	e := compile(t, exempting(exemption("2027-01-31", nil))).For(prod(), nil).Exempt
	if !e.Holds(instant(t, "2027-01-31T23:59:59Z")) || e.Holds(instant(t, "2027-02-01T00:00:00Z")) || e.LastDay() != "2027-01-31" {
		t.Errorf("%+v", e)
	}
	if (policy.Exempt{}).Holds(instant(t, "2027-01-31T23:59:59Z")) {
		t.Error("no exemption holds")
	}
}

// The function that a policy was deployed with starts whatever day it is: only who hands a policy in is asked for the day.
func TestAPolicyIsAskedForTheDayWhereItIsHandedIn(t *testing.T) {
	now := instant(t, "2026-11-23T12:00:00Z")
	for until, want := range map[string]string{
		"2026-11-22": "exemptions[0].until: 2026-11-22 is over: the exemption holds no more; allowed: today, 2026-11-23, to 2027-11-24; or take the exemption out",
		"2026-11-23": "",
		"2027-11-24": "",
		"2027-11-25": "exemptions[0].until: 2027-11-25 is more than 366 days ahead; allowed: today, 2026-11-23, to 2027-11-24",
	} {
		t.Run(until, func(t *testing.T) {
			doc := exempting(exemption(until, nil))
			if got := policy.Dated(doc, now).Error(); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			text, err := json.Marshal(compile(t, doc))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := policy.Load(text); err != nil {
				t.Errorf("it does not start: %v", err)
			}
		})
	}
}

func TestTheOrderOfExemptedFindingsMakesNoOtherPolicy(t *testing.T) {
	digest := func(findings ...string) string {
		return compile(t, exempting(exemption("2027-01-31", func(e *policy.Exemption) { e.Findings = findings }))).Digest()
	}
	if digest("version-outdated", "version-unknown") != digest("version-unknown", "version-outdated") || digest("version-outdated") == digest() {
		t.Error("digests differ by order, or do not differ by content")
	}
}
