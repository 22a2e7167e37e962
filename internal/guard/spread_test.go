package guard_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/policy"
)

// other is another cluster of prod's account and region.
func other(name string) cluster.ID {
	return cluster.ID{Account: prod.Account, Region: prod.Region, Name: name}
}

// second is an outdated cluster of the second wave, after a sweep that found the first so.
func second(first guard.Wave) guard.Input {
	in := outdated()
	in.Place.Wave = "second"
	in.Place.Rules.Waves = []policy.Wave{{Name: "first", Soak: 24 * time.Hour, Share: 80}, {Name: "second", Share: 100}}
	in.Record.Wanted = guard.Wanted{To: "v1.8.0-eksbuild.1", Since: noon.Add(-10 * time.Hour)}
	in.Rollout.Value = guard.Rollout{Waves: []guard.Wave{first}, Looked: noon.Add(-time.Hour)}
	return in
}

func TestAWaveWaitsForThoseBeforeIt(t *testing.T) {
	done := guard.Wave{Name: "first", Clusters: 10, Done: 8, Last: noon.Add(-25 * time.Hour)}
	for name, c := range map[string]struct {
		change func(*guard.Input)
		why    string // empty: it goes
		until  time.Time
	}{
		"a share that is done and was watched lets the next go": {func(*guard.Input) {}, "", time.Time{}},
		"too few are done": {func(in *guard.Input) { in.Rollout.Value.Waves[0].Done = 7 },
			"7 of 10 clusters of wave first are done, and 80 % must be", time.Time{}},
		"the last update is watched": {func(in *guard.Input) { in.Rollout.Value.Waves[0].Last = noon.Add(-23 * time.Hour) },
			"wave first is watched for 1 days after its last update", noon.Add(time.Hour)},
		"a wave without a cluster is a mistake of the policy, more likely than not": {func(in *guard.Input) { in.Rollout.Value.Waves[0] = guard.Wave{Name: "first"} },
			"wave first has no cluster that may be updated: mend its match, or take it out of the policy", time.Time{}},
		"a wave whose clusters are all exempt holds nobody": {func(in *guard.Input) { in.Rollout.Value.Waves[0] = guard.Wave{Name: "first", Exempt: 2} }, "", time.Time{}},
		"no sweep has counted it":                           {func(in *guard.Input) { in.Rollout.Value.Waves = nil }, "the next sweep tells how far wave first is", time.Time{}},
		"what it wants is newer than the last sweep": {func(in *guard.Input) { in.Record.Wanted.Since = in.Rollout.Value.Looked },
			"the next sweep tells how far wave first is", time.Time{}},
		"it wants another version than it did":        {func(in *guard.Input) { in.Record.Wanted.To = "v1.7.9-eksbuild.1" }, "the next sweep tells how far wave first is", time.Time{}},
		"it has only now been seen to want an update": {func(in *guard.Input) { in.Record.Wanted = guard.Wanted{} }, "the next sweep tells how far wave first is", time.Time{}},
		"the first wave waits for none":               {func(in *guard.Input) { in.Place.Wave, in.Rollout.Value = "first", guard.Rollout{} }, "", time.Time{}},
		"what no wave claims comes last": {func(in *guard.Input) { in.Place.Wave = policy.Last },
			"the next sweep tells how far wave second is", time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			in := second(done)
			c.change(&in)
			p := guard.Decide(in)
			if c.why == "" {
				if !slices.Contains(actions(p), start) {
					t.Fatalf("it is held: %+v", p.Held)
				}
				return
			}
			if diff := cmp.Diff([]string{"wave"}, gates(p)); diff != "" {
				t.Fatalf("shut gates, -want +got:\n%s", diff)
			}
			if by := p.Held[0].By[0]; by.Text != c.why || !by.Until.Equal(c.until) {
				t.Errorf("%s until %s\nwant %s until %s", by.Text, by.Until, c.why, c.until)
			}
			if !c.until.IsZero() && (p.Due.IsZero() || p.Due.After(c.until.Add(5*time.Minute))) {
				t.Errorf("looked at again at %s", p.Due)
			}
		})
	}
}

func TestTheBudgetBoundsWhatIsInFlightAndWhatStartsInADay(t *testing.T) {
	region := cluster.ID{Account: prod.Account, Region: "us-east-1", Name: "x"}
	account := cluster.ID{Account: "999988887777", Region: prod.Region, Name: "x"}
	slots := func(ids ...cluster.ID) (all []guard.Slot) {
		for i, id := range ids {
			all = append(all, guard.Slot{Cluster: id, Step: fmt.Sprint(i), At: noon.Add(-time.Duration(len(ids)-i) * time.Hour)})
		}
		return all
	}
	for name, c := range map[string]struct {
		r    guard.Rollout
		want string // how the reason begins; empty: it goes
	}{
		"its own slot is no other's":                 {guard.Rollout{InFlight: slots(prod)}, ""},
		"a region is full":                           {guard.Rollout{InFlight: slots(other("a"))}, "1 of 1 updates are in flight in this region: "},
		"an account is full":                         {guard.Rollout{InFlight: slots(region, region)}, "2 of 2 updates are in flight in this account: "},
		"another region of the account":              {guard.Rollout{InFlight: slots(region)}, ""},
		"the fleet is full":                          {guard.Rollout{InFlight: slots(account, account, account)}, "3 of 3 updates are in flight in the fleet: "},
		"another account has its own":                {guard.Rollout{InFlight: slots(account, account)}, ""},
		"the day's starts are spent":                 {guard.Rollout{Started: slots(account, account, region, region)}, "4 updates started in the last 24 hours"},
		"what started long ago is free":              {guard.Rollout{Started: append([]guard.Slot{{Cluster: account, At: noon.Add(-24 * time.Hour)}}, slots(region, region, region)...)}, ""},
		"its own step is not counted against itself": {guard.Rollout{Started: append(slots(account, region, region), guard.Slot{Cluster: prod, Step: token(t), At: noon})}, ""},
		"failures of other waves differ":             {guard.Rollout{Failed: []guard.Slot{{Cluster: region, Wave: "a", At: noon}, {Cluster: account, Wave: "b", At: noon}}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			in := outdated()
			in.Rollout.Value = c.r
			p := guard.Decide(in)
			switch held := len(p.Held) > 0; {
			case held != (c.want != ""):
				t.Errorf("held: %+v", p.Held)
			case held && !strings.HasPrefix(p.Held[0].By[0].Text, c.want):
				t.Errorf("%s\nwant %s", p.Held[0].By[0].Text, c.want)
			case held && p.Due.IsZero():
				t.Error("nobody looks again")
			}
		})
	}
}

// token is that of prod's next step.
func token(t *testing.T) string {
	t.Helper()
	for _, a := range guard.Decide(outdated()).Actions {
		if a.Kind == guard.StartUpdate {
			return a.Step.Token
		}
	}
	t.Fatal("no update starts")
	return ""
}

func TestAClusterThatFailsAgainKeepsItsPlace(t *testing.T) {
	failed := func(at time.Time) guard.Record {
		return guard.Record{Failed: guard.Failed{To: "v1.8.0", Last: at}}
	}
	in := outdated()
	for i, name := range []string{"a", "b", "a"} {
		in.Rollout.Value, _ = in.Rollout.Value.Follow(other(name), failed(noon.Add(time.Duration(i-5)*time.Hour)))
	}
	says := func(name string) (speaks, blind bool) {
		in.ID = other(name)
		p := guard.Decide(in)
		return slices.ContainsFunc(p.Findings, func(f guard.Finding) bool { return f.Code == guard.UpdatesHalted }), p.Blind[guard.UpdatesHalted]
	}
	if speaks, _ := says("b"); !speaks {
		t.Error("the one that stopped the fleet says so no more")
	}
	if speaks, blind := says("a"); speaks || !blind {
		t.Errorf("the other says so too: %t; or that it is over: %t", speaks, !blind)
	}
	in.Fleet.Value.Resumed = noon.Add(-210 * time.Minute) // before a failed again
	if by := gates(guard.Decide(in)); slices.Contains(by, "breaker") {
		t.Error("one failure since somebody resumed stops the fleet")
	}
	in.Rollout.Value, _ = in.Rollout.Value.Follow(other("b"), failed(noon.Add(-time.Hour)))
	if by := gates(guard.Decide(in)); !slices.Contains(by, "breaker") {
		t.Error("two that failed again since then do not stop it")
	}
}

func TestFailuresStopTheFleetAndOneClusterSaysSo(t *testing.T) {
	stopped := func(id cluster.ID) guard.Input {
		in := outdated()
		in.ID = id
		in.Rollout.Value.Failed = []guard.Slot{
			{Cluster: other("a"), Wave: "w", At: noon.Add(-3 * time.Hour)}, {Cluster: other("b"), Wave: "w", At: noon.Add(-2 * time.Hour)},
			{Cluster: other("c"), Wave: "w", At: noon.Add(-time.Hour)},
		}
		return in
	}
	for name, says := range map[string]bool{"a": false, "b": true, "c": false, "d": false} {
		p := guard.Decide(stopped(other(name)))
		i := slices.IndexFunc(p.Findings, func(f guard.Finding) bool { return f.Code == guard.UpdatesHalted })
		if (i >= 0) != says {
			t.Errorf("%s says so: %t", name, i >= 0)
		}
		if i >= 0 && !strings.Contains(p.Findings[i].Facts[0].Value, "/a, ") {
			t.Errorf("it does not name what to look at: %+v", p.Findings[i].Facts)
		}
		if !slices.Contains(gates(p), "breaker") {
			t.Errorf("%s may be updated", name)
		}
	}
	in := stopped(other("b"))
	in.Fleet.Value.Resumed = noon.Add(6 * time.Hour)
	if p := guard.Decide(in); !slices.Contains(gates(p), "breaker") {
		t.Error("a word that is dated ahead lets failures pass that are to come")
	}
	in.Fleet.Value.Halt = &guard.Order{Kind: guard.Halting, By: "ann", Because: "incident", At: noon}
	if p := guard.Decide(in); !p.Blind[guard.UpdatesHalted] {
		t.Error("it is judged while a halt stands")
	}
	in.Fleet.Value.Halt = nil
	in.Fleet.Value.Resumed = noon.Add(-90 * time.Minute)
	if p := guard.Decide(in); slices.Contains(gates(p), "breaker") || slices.ContainsFunc(p.Findings, func(f guard.Finding) bool { return f.Code == guard.UpdatesHalted }) {
		t.Error("one failure since somebody resumed stops the fleet")
	}
}

func TestARolloutFollowsTheRecords(t *testing.T) {
	flying := guard.Record{Wave: "w", Step: step("u-1")}
	failed := guard.Record{Wave: "w", Failed: guard.Failed{To: "v1.8.0", Tries: 1, Last: noon}}
	var r guard.Rollout
	for _, c := range []struct {
		what             string
		rec              guard.Record
		flies, hasFailed int
		changed          bool
	}{
		{"a step takes a slot", flying, 1, 0, true},
		{"again changes nothing", flying, 1, 0, false},
		{"a failure gives it back and is noted", failed, 0, 1, true},
		{"again changes nothing", failed, 0, 1, false},
		{"the next try has a slot, and its failure is not forgotten", guard.Record{Wave: "w", Step: step(""), Failed: failed.Failed}, 1, 1, true},
		{"what is mended is in no set", guard.Record{Wave: "w"}, 0, 0, true},
		{"again changes nothing", guard.Record{Wave: "w"}, 0, 0, false},
	} {
		var changed bool
		r, changed = r.Follow(prod, c.rec)
		if len(r.InFlight) != c.flies || len(r.Failed) != c.hasFailed || changed != c.changed {
			t.Errorf("%s: %d in flight, %d failed, changed %t", c.what, len(r.InFlight), len(r.Failed), changed)
		}
	}
}

func TestASweepPutsARolloutRight(t *testing.T) {
	began := noon.Add(-time.Hour)
	idle := guard.Verdict{Change: guard.Answer{Word: guard.Idle}, Version: guard.Answer{Word: guard.Fine}, Install: guard.Answer{Word: guard.Managed}}
	done := guard.Record{Wave: "first", Seen: noon, Verdict: idle, Proved: guard.Proved{At: noon.Add(-2 * time.Hour)}}
	stale, unread, waits, gone := done, done, done, done
	stale.Seen = began.Add(-time.Second)
	unread.Verdict.Version.Word = guard.Unknown
	waits.Verdict.Change.Word = guard.Waiting
	gone.Gone = true
	exempt, lapsed := waits, waits
	update := guard.Action{Kind: guard.StartUpdate}
	exempt.Held = []guard.Held{{Action: update, By: []guard.Reason{{Gate: "exemption", Text: "exempted by shop: Black Friday"}, {Gate: "window", Text: "none is open"}}}}
	lapsed.Held = []guard.Held{{Action: update, By: []guard.Reason{{Gate: "exemption", Text: "the policy could not be read", Fault: true}}}}
	members := []guard.Member{
		{Cluster: other("done"), Record: done}, {Cluster: other("stale"), Record: stale}, {Cluster: other("unread"), Record: unread},
		{Cluster: other("waits"), Record: waits}, {Cluster: other("gone"), Record: gone}, {Cluster: other("flies"), Record: guard.Record{Wave: "second", Step: step("u-1")}},
		{Cluster: other("exempt"), Record: exempt}, {Cluster: other("lapsed"), Record: lapsed},
	}
	r := guard.Rollout{
		InFlight: []guard.Slot{{Cluster: other("waits")}, {Cluster: other("unknown")}}, Failed: []guard.Slot{{Cluster: other("unknown")}},
		Started: []guard.Slot{{Cluster: other("done"), At: noon.Add(-25 * time.Hour)}, {Cluster: other("done"), At: noon.Add(-23 * time.Hour)}},
	}.Recount(members, []policy.Wave{{Name: "first"}, {Name: "empty"}}, began, noon)
	if len(r.InFlight) != 1 || r.InFlight[0].Cluster != other("flies") || len(r.Failed) != 0 || len(r.Started) != 1 {
		t.Errorf("%+v", r)
	}
	want := []guard.Wave{{Name: "first", Clusters: 5, Exempt: 1, Done: 1, Last: noon.Add(-2 * time.Hour)}, {Name: "empty"}}
	if diff := cmp.Diff(want, r.Waves); diff != "" || !r.Looked.Equal(began) {
		t.Errorf("looked %s; -want +got:\n%s", r.Looked, diff)
	}
}

func TestWhatAnUpdateLeadsToIsWantedSinceItWasFirstSeen(t *testing.T) {
	in := outdated()
	in.Settings.Value.Mode, in.Place.Wave = policy.Approve, "w"
	rec := guard.Conclude(in, guard.Decide(in), nil)
	if want := (guard.Wanted{To: "v1.8.0-eksbuild.1", Since: in.Seen.At}); rec.Wanted != want || rec.Wave != "w" {
		t.Fatalf("wanted %+v in wave %q", rec.Wanted, rec.Wave)
	}
	in.Record, in.Now, in.Seen.At = rec, noon.Add(time.Hour), noon.Add(time.Hour)
	if again := guard.Conclude(in, guard.Decide(in), nil); again.Wanted != rec.Wanted {
		t.Errorf("an hour later: %+v", again.Wanted)
	}
	in.Seen.Catalogue = guard.Hidden[[]cni.Release](throttled("eks:DescribeAddonVersions"))
	if unread := guard.Conclude(in, guard.Decide(in), nil); !unread.Wanted.Since.Equal(in.Seen.At) {
		t.Errorf("without the catalogue nobody knows the way, and it counts as new: %+v", unread.Wanted)
	}
	in.Settings.Value.Mode = policy.Observe
	if observed := guard.Conclude(in, guard.Decide(in), nil); observed.Wanted != (guard.Wanted{}) || observed.Wave != "" {
		t.Errorf("where nothing may be updated: %+v in wave %q", observed.Wanted, observed.Wave)
	}
}
