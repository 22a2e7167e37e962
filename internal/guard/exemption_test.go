package guard_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/policy"
)

// exempted is an outdated cluster that the policy exempts for so long.
func exempted(left time.Duration, findings string) guard.Input {
	in := outdated()
	in.Settings.Value.Exempt = policy.Exempt{Owner: "shop", Because: "Black Friday", Findings: findings, Until: noon.Add(left)}
	return in
}

func TestAnExemptClusterStaysOutdatedAndIsNotUpdated(t *testing.T) {
	in := exempted(100*day, "version-outdated")
	in.Settings.Value.Owner = "" // a person's gate is shut too
	p := guard.Decide(in)
	if diff := cmp.Diff([]string{"exemption", "owner"}, gates(p)); diff != "" {
		t.Errorf("shut gates, -want +got:\n%s", diff)
	}
	if by := p.Held[0].By[0]; by.Text != "exempted by shop: Black Friday" || !by.Until.Equal(noon.Add(100*day)) {
		t.Errorf("held by %+v", by)
	}
	if p.Verdict.Word != guard.Outdated || !slices.Equal(codes(p.Findings), []guard.Code{guard.VersionOutdated}) {
		t.Errorf("%s with %v: what is so must stay so, and that an update waits for a person is no news", p.Verdict.Word, codes(p.Findings))
	}
	in = exempted(0, "version-outdated")
	if p = guard.Decide(in); !slices.Contains(actions(p), start) || slices.Contains(codes(p.Findings), guard.ExemptionEnds) {
		t.Errorf("an exemption that is over: %v, held %+v, found %v", actions(p), p.Held, codes(p.Findings))
	}
}

func TestPeopleAreToldThatAnExemptionEnds(t *testing.T) {
	in := exempted(14*day+time.Second, "")
	if p := guard.Decide(in); slices.Contains(codes(p.Findings), guard.ExemptionEnds) {
		t.Error("told too early")
	}
	in.Now = noon.Add(time.Second)
	p := guard.Decide(in)
	i := slices.IndexFunc(p.Findings, func(f guard.Finding) bool { return f.Code == guard.ExemptionEnds })
	if i < 0 {
		t.Fatalf("not told: %v", codes(p.Findings))
	}
	want := []guard.Fact{{Name: "exempted by", Value: "shop"}, {Name: "because", Value: "Black Friday"}, {Name: "last day", Value: "2026-03-16"}}
	if diff := cmp.Diff(want, p.Findings[i].Facts); diff != "" {
		t.Errorf("facts, -want +got:\n%s", diff)
	}
	for name, change := range map[string]func(*policy.Exempt){
		"it was renewed":   func(e *policy.Exempt) { e.Until = noon.Add(90 * day) },
		"it is over":       func(e *policy.Exempt) { e.Until = noon.Add(-day) },
		"it was taken out": func(e *policy.Exempt) { *e = policy.Exempt{} },
	} {
		t.Run(name, func(t *testing.T) {
			l := &life{t: t, in: exempted(10*day, "")}
			l.check()
			l.in.Now = noon.Add(time.Hour)
			change(&l.in.Settings.Value.Exempt)
			l.check()
			if !slices.Contains(l.said, "opened exemption-ends") || !slices.Contains(l.said, "recovered exemption-ends") {
				t.Errorf("said %v", l.said)
			}
			for _, m := range l.outbox {
				if m.Finding.Code == guard.ExemptionEnds && m.Lane != guard.InDigest {
					t.Errorf("%s calls people at once", m.News)
				}
			}
		})
	}
	t.Run("the policy could not be read", func(t *testing.T) {
		l := &life{t: t, in: exempted(10*day, "")}
		l.check()
		l.in.Settings.Fault = throttled("x:Y")
		l.check()
		if slices.Contains(l.said, "recovered exemption-ends") {
			t.Errorf("said %v", l.said)
		}
	})
}

func TestWhatAnExemptionNamesIsNotTold(t *testing.T) {
	low := func(in *guard.Input) { in.Seen.Pods.Value.Subnets[0].Free = 50 }
	const told, low1 = "opened version-outdated", "opened capacity-low"
	said := func(kind guard.OrderKind) func(*guard.Input) {
		return func(in *guard.Input) {
			in.Orders.Value = []guard.Order{{Kind: kind, Finding: guard.VersionOutdated, By: "ann", Because: "tell us", At: noon.Add(-time.Hour), Until: noon.Add(day)}}
		}
	}
	for name, c := range map[string]struct {
		left     time.Duration
		findings string
		change   func(*guard.Input)
		want     []string
	}{
		"what it names is muted, and nothing else": {100 * day, "version-outdated version-unknown", low, []string{low1}},
		"it names nothing":                         {100 * day, "", low, []string{told, low1}},
		"it is over":                               {0, "version-outdated", low, []string{"update started update-progress", told, low1}},
		"a person unmutes it":                      {100 * day, "version-outdated", said(guard.Unmuting), []string{told}},
		"a person's mute of it changes nothing":    {100 * day, "version-outdated", said(guard.Muting), nil},
		"people's words cannot be read, and one may have unmuted it": {100 * day, "version-outdated",
			func(in *guard.Input) { in.Orders.Fault = throttled("ledger:Orders") }, []string{told}},
	} {
		t.Run(name, func(t *testing.T) {
			l := &life{t: t, in: exempted(c.left, c.findings)}
			c.change(&l.in)
			var done []guard.Outcome
			if c.left == 0 {
				done = []guard.Outcome{{ID: "u-1", At: noon}}
			}
			l.check(done...)
			if diff := cmp.Diff(c.want, l.said); diff != "" {
				t.Errorf("said, -want +got:\n%s", diff)
			}
		})
	}
}

func TestADigestSaysWhoExemptedAFindingAndWhy(t *testing.T) {
	l := &life{t: t, in: exempted(100*day, "version-outdated")}
	rec := l.check()
	d, _, any := guard.Summarize("111122223333", noon, noon.Add(time.Minute), []guard.Member{{Cluster: prod, Record: rec}}, 12*time.Hour)
	if any || len(d.Open) != 1 || d.Open[0].Muted == nil {
		t.Fatalf("reason for a digest: %v, with %+v", any, d.Open)
	}
	if m := d.Open[0].Muted; m.By != "the policy's exemption of shop" || m.Because != "Black Friday" || !m.Until.Equal(noon.Add(100*day)) {
		t.Errorf("muted by %+v", m)
	}
	l.in.Now = noon.Add(100 * day)
	l.check(guard.Outcome{ID: "u-1", At: noon})
	if !slices.Contains(l.said, "opened version-outdated") {
		t.Errorf("it is over, and people are not told: %v", l.said)
	}
}

func TestWhatAnExemptionMayNameIsAFindingThatPeopleMayMute(t *testing.T) {
	for _, code := range policy.Exemptible() {
		if !slices.Contains(guard.Answerable(), guard.Code(code)) {
			t.Errorf("%s is no finding that can be muted", code)
		}
	}
}
