package hub_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/hub"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func kept(name string, rec guard.Record) check.Kept {
	return check.Kept{Cluster: cluster.ID{Account: "111122223333", Region: "eu-central-1", Name: name}, Record: rec, Version: 1}
}

// standing is a record whose last check came to a word.
func standing(word string, seen time.Time) guard.Record {
	a := guard.Answer{Word: word, Because: "it is " + word}
	return guard.Record{Schema: guard.Schema, Seen: seen, Since: seen, Verdict: guard.Verdict{Word: word, Install: a, Version: a, Capacity: a, Change: a}}
}

func TestTheStatusHasTheWorstFirstAndCountsWhatIsGone(t *testing.T) {
	gone := standing(guard.Gone, noon)
	gone.Gone = true
	leaving := standing(guard.Gone, noon) // its alarm is still there
	leaving.Outbox = []guard.Message{{}, {}, {Lane: guard.InDigest}}
	all := []check.Kept{
		kept("a", standing(guard.Fine, noon)), kept("b", standing(guard.CriticalWord, noon)), kept("c", standing(guard.NotApplicable, noon)),
		kept("d", gone), kept("e", leaving), kept("f", standing(guard.SetAside, noon)), kept("g", standing(guard.Fine, noon)),
	}
	s := hub.StatusOf(all, guard.Fleet{}, noon)
	var order []string
	for _, c := range s.Clusters {
		order = append(order, c.Cluster[len("111122223333/eu-central-1/"):]+" "+c.Verdict+": "+c.Because)
	}
	want := []string{"b critical: it is critical", "f set aside: it is set aside", "a fine: it is fine", "g fine: it is fine", "c not applicable: it is not applicable", "e gone: it is gone"}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	counts := map[string]int{"fine": 2, "critical": 1, "not applicable": 1, "gone": 2, "set aside": 1}
	if diff := cmp.Diff(counts, s.Verdicts); diff != "" || s.Unsent != 2 || s.Gathered != 1 {
		t.Errorf("%d unsent, %d gathered; (-want +got):\n%s", s.Unsent, s.Gathered, diff)
	}
}

func TestWhatAStandingSays(t *testing.T) {
	waiting := standing(guard.Outdated, noon)
	waiting.Path = []string{"v1.8.0-eksbuild.1"}
	waiting.Held = []guard.Held{{Action: guard.Action{Kind: guard.StartUpdate}, By: []guard.Reason{{Gate: "approval"}, {Gate: "soak"}}}}
	aside := waiting
	aside.Aside = &guard.Aside{}
	unwell := standing(guard.Fine, noon)
	unwell.Verdict.Word = guard.WarningWord
	busy := standing(guard.Fine, noon)
	busy.Due, busy.Busy.Until = noon.Add(time.Hour), noon.Add(time.Minute)
	busy.Alarm = guard.AlarmStands
	for _, c := range []struct {
		name string
		rec  guard.Record
		say  func(hub.Standing) any
		want any
	}{
		{"a path that waits for an approval", waiting, func(s hub.Standing) any { return s.Approve }, []string{"v1.8.0-eksbuild.1"}},
		{"no path of a cluster that is set aside", aside, func(s hub.Standing) any { return s.Approve }, []string(nil)},
		{"every gate that is shut", waiting, func(s hub.Standing) any { return s.HeldBy }, []string{"approval", "soak"}},
		{"a reason also where no answer has the verdict's word", unwell, func(s hub.Standing) any { return s.Because }, "it is fine"},
		{"seen two sweeps ago is not late", standing(guard.Fine, noon.Add(-12*time.Hour)), func(s hub.Standing) any { return s.Late }, false},
		{"seen before that is late", standing(guard.Fine, noon.Add(-12*time.Hour-time.Second)), func(s hub.Standing) any { return s.Late }, true},
		{"when a check that is on its way must have ended", busy, func(s hub.Standing) any { return s.Next }, noon.Add(time.Minute)},
		{"that an alarm stands", busy, func(s hub.Standing) any { return s.Alarm }, "stands"},
		{"that nobody knows about the alarm", unwell, func(s hub.Standing) any { return s.Alarm }, "unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := hub.StatusOf([]check.Kept{kept("a", c.rec)}, guard.Fleet{}, noon)
			if diff := cmp.Diff(c.want, c.say(s.Clusters[0])); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOnlyAUnitThatCannotBeListedIsShut(t *testing.T) {
	s := hub.StatusOf([]check.Kept{kept("", standing(guard.Unknown, noon)), kept("", standing(guard.Fine, noon))}, guard.Fleet{}, noon)
	want := []hub.Shut{{Account: "111122223333", Region: "eu-central-1", Since: noon, Because: "it is unknown"}}
	if diff := cmp.Diff(want, s.Shut); diff != "" || len(s.Clusters) > 0 || len(s.Verdicts) > 0 {
		t.Errorf("%+v; (-want +got):\n%s", s, diff)
	}
}

func TestOfTheSweepsTheLastThatFinishedCountsAndThatWhichDidNotSince(t *testing.T) {
	sweep := func(run string, closed time.Time, unfinished int) check.Sweep {
		return check.Sweep{Run: run, Coverage: &check.Coverage{Run: run, Closed: closed, Unfinished: check.Gaps{Count: unfinished}}}
	}
	open := check.Sweep{Run: "open", Begun: noon}
	for name, c := range map[string]struct {
		all               []check.Sweep
		finished, givenUp string // runs
		late              bool
		newest            string
	}{
		"none":                                 {nil, "", "", false, ""},
		"one that is under way":                {[]check.Sweep{open}, "", "", false, ""},
		"one that finished two sweeps ago":     {[]check.Sweep{sweep("a", noon.Add(-12*time.Hour), 0), open}, "a", "", false, "a"},
		"one that finished before":             {[]check.Sweep{sweep("a", noon.Add(-12*time.Hour-time.Second), 0)}, "a", "", true, "a"},
		"the last of those that finished":      {[]check.Sweep{sweep("a", noon.Add(-24*time.Hour), 0), sweep("b", noon, 0)}, "b", "", false, "b"},
		"one that was given up before":         {[]check.Sweep{sweep("a", noon, 1), sweep("b", noon, 0)}, "b", "", false, "b"},
		"one that was given up since":          {[]check.Sweep{sweep("a", noon, 0), sweep("b", noon, 2)}, "a", "b", false, "b"},
		"none but such as were given up":       {[]check.Sweep{sweep("a", noon, 1), sweep("b", noon, 1), open}, "", "b", false, "b"},
		"the order is that of their beginning": {[]check.Sweep{sweep("slow", noon, 0), sweep("quick", noon.Add(-time.Hour), 0)}, "quick", "", false, "quick"},
	} {
		t.Run(name, func(t *testing.T) {
			run := func(c *check.Coverage) string {
				if c == nil {
					return ""
				}
				return c.Run
			}
			s := hub.SweepsOf(c.all, noon)
			if run(s.Finished) != c.finished || run(s.GivenUp) != c.givenUp || s.Late != c.late || run(s.Newest()) != c.newest {
				t.Errorf("%+v", s)
			}
		})
	}
}
