package guard_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
)

const late = 12 * time.Hour

// morning is when digests are due.
var morning = noon.Add(21 * time.Hour)

// member is a cluster that was looked at an hour before the digest; the functions change its record.
func member(name string, changes ...func(*guard.Record)) guard.Member {
	rec := guard.Record{Owner: "shop", Seen: morning.Add(-time.Hour), Version: "v1.7.5-eksbuild.2", Told: map[guard.Code]guard.Told{}}
	for _, change := range changes {
		change(&rec)
	}
	return guard.Member{Cluster: cluster.ID{Account: "111122223333", Region: "eu-central-1", Name: name}, Record: rec}
}

// waits is a message that waits for the digest.
func waits(key, thread string, news guard.News, code guard.Code, severity guard.Severity) func(*guard.Record) {
	return func(r *guard.Record) {
		r.Outbox = append(r.Outbox, guard.Message{
			Key: key, Thread: thread, Lane: guard.InDigest, News: news, First: noon, At: noon, Finding: guard.Finding{Code: code, Severity: severity},
		})
	}
}

// stands is a finding that people know since noon.
func stands(code guard.Code, severity guard.Severity) func(*guard.Record) {
	return func(r *guard.Record) {
		r.Told[code] = guard.Told{Severity: severity, First: noon, Last: noon, Times: 1}
	}
}

func muted(code guard.Code, severity guard.Severity, until time.Time) func(*guard.Record) {
	return func(r *guard.Record) {
		r.Told[code] = guard.Told{Severity: severity, First: noon, Word: &guard.Order{Kind: guard.Muting, By: "ann", Finding: code, At: noon, Until: until}}
	}
}

// lines are the items of a list, as people would say them.
func lines(items []guard.Item) (all []string) {
	for _, i := range items {
		line := fmt.Sprintf("%s %s of %s", i.Severity, i.Finding, i.Cluster.Name)
		if i.News != "" {
			line = string(i.News) + " " + line
		}
		if i.Muted != nil {
			line += " muted"
		}
		if i.Acked != nil {
			line += " acknowledged"
		}
		all = append(all, line)
	}
	return all
}

func TestADigestHasWhatIsNewAndWhatStandsTheWorstFirst(t *testing.T) {
	d, taken, any := guard.Summarize("shop", morning, morning, []guard.Member{
		member("b", waits("t1-1", "t1", guard.Opened, guard.VersionOutdated, guard.Warning), stands(guard.CapacityLow, guard.Warning)),
		member("a", waits("t2-1", "t2", guard.Recovered, guard.MetricSilent, guard.Warning), stands(guard.InstallUnknown, guard.Info)),
		member("c", stands(guard.CapacityLow, guard.Critical), waits("t3-1", "t3", guard.Opened, guard.ControlPlaneRoom, guard.Critical)),
	}, late)
	if !any || d.Clusters != 3 || d.Began != 2 || d.Ended != 1 || d.Omitted != 0 {
		t.Errorf("%t: %d clusters, %d began, %d ended, %d omitted", any, d.Clusters, d.Began, d.Ended, d.Omitted)
	}
	if diff := cmp.Diff([]string{
		"opened critical control-plane-room of c", "opened warning version-outdated of b", "recovered warning metric-silent of a",
	}, lines(d.News)); diff != "" {
		t.Errorf("news, -want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"critical capacity-low of c", "warning capacity-low of b", "info install-unknown of a"}, lines(d.Open)); diff != "" {
		t.Errorf("open, -want +got:\n%s", diff)
	}
	if diff := cmp.Diff(map[guard.Severity]int{guard.Info: 1, guard.Warning: 1, guard.Critical: 1}, d.Stand); diff != "" {
		t.Errorf("stand, -want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"t1-1", "t2-1", "t3-1"}, taken); diff != "" {
		t.Errorf("taken, -want +got:\n%s", diff)
	}
}

func TestTheLastWordOnAMatterIsInTheDigestOnce(t *testing.T) {
	for name, c := range map[string]struct {
		news []guard.News
		want guard.News
	}{
		"what opened and changed is new":      {[]guard.News{guard.Opened, guard.Changed, guard.Changed}, guard.Opened},
		"what opened and ended is over":       {[]guard.News{guard.Opened, guard.Recovered}, guard.Recovered},
		"what changed and ended is over":      {[]guard.News{guard.Changed, guard.Recovered}, guard.Recovered},
		"what went with its cluster is gone":  {[]guard.News{guard.Opened, guard.Closed}, guard.Closed},
		"what only changed is said as it was": {[]guard.News{guard.Changed}, guard.Changed},
	} {
		t.Run(name, func(t *testing.T) {
			var changes []func(*guard.Record)
			for i, n := range c.news {
				changes = append(changes, waits(fmt.Sprint("t-", i), "t", n, guard.VersionOutdated, guard.Warning))
			}
			d, taken, _ := guard.Summarize("shop", morning, morning, []guard.Member{member("a", changes...)}, late)
			if len(d.News) != 1 || d.News[0].News != c.want || len(taken) != len(c.news) {
				t.Errorf("%d items, %q; %d messages are taken over", len(d.News), lines(d.News), len(taken))
			}
		})
	}
}

func TestWhatIsToldAtOnceIsNotTakenOver(t *testing.T) {
	m := member("a", stands(guard.CapacityLow, guard.Critical), func(r *guard.Record) {
		r.Outbox = []guard.Message{{Key: "now-1", Thread: "now", News: guard.Opened, Finding: guard.Finding{Code: guard.CapacityLow}}}
	})
	if d, taken, _ := guard.Summarize("shop", morning, morning, []guard.Member{m}, late); len(taken) > 0 || len(d.News) > 0 || len(d.Open) != 1 {
		t.Errorf("taken %v, news %v, open %v", taken, lines(d.News), lines(d.Open))
	}
}

func TestWhoHasNothingToReadGetsNoDigest(t *testing.T) {
	for name, c := range map[string]struct {
		member guard.Member
		want   bool
	}{
		"a cluster that is fine":                    {member("a"), false},
		"a warning that stands":                     {member("a", stands(guard.VersionOutdated, guard.Warning)), true},
		"what is only worth knowing":                {member("a", stands(guard.InstallUnknown, guard.Info)), false},
		"a warning that is muted for days":          {member("a", muted(guard.VersionOutdated, guard.Warning, morning.Add(72*time.Hour))), false},
		"a warning whose mute ends today":           {member("a", muted(guard.VersionOutdated, guard.Warning, morning.Add(20*time.Hour))), true},
		"something critical that is muted for days": {member("a", muted(guard.CapacityLow, guard.Critical, morning.Add(72*time.Hour))), true},
		"what may pass before it is told":           {member("a", func(r *guard.Record) { r.Told[guard.Unreadable] = guard.Told{Severity: guard.Warning, First: noon} }), false},
		"a recovery":                                {member("a", waits("t-1", "t", guard.Recovered, guard.VersionOutdated, guard.Warning)), true},
	} {
		t.Run(name, func(t *testing.T) {
			if d, _, any := guard.Summarize("shop", morning, morning, []guard.Member{c.member}, late); any != c.want {
				t.Errorf("a digest: %t; %q, %q", any, lines(d.News), lines(d.Open))
			}
		})
	}
}

func TestAMuteThatIsOverIsNoneInADigest(t *testing.T) {
	told := muted(guard.CapacityLow, guard.Critical, morning)
	m := member("a", told, func(r *guard.Record) {
		known := r.Told[guard.CapacityLow]
		known.Times = 1
		r.Told[guard.CapacityLow] = known
	})
	d, _, _ := guard.Summarize("shop", morning, morning, []guard.Member{m}, late)
	if diff := cmp.Diff([]string{"critical capacity-low of a"}, lines(d.Open)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	d, _, _ = guard.Summarize("shop", morning, morning.Add(-time.Minute), []guard.Member{m}, late)
	if diff := cmp.Diff([]string{"critical capacity-low of a muted"}, lines(d.Open)); diff != "" {
		t.Errorf("a minute before, -want +got:\n%s", diff)
	}
}

func TestADigestCountsAlarmsWithTheirPrice(t *testing.T) {
	alarms := func(r *guard.Record) { r.Alarms = []alarm.Kind{alarm.PodSubnets, alarm.NodeCapacity} }
	gone := func(r *guard.Record) { r.Gone = true }
	d, _, _ := guard.Summarize("shop", morning, morning, []guard.Member{member("a", alarms), member("b", alarms), member("c", alarms, gone)}, late)
	if d.Alarms != 4 || d.USD < 1.199 || d.USD > 1.201 || d.Clusters != 2 {
		t.Errorf("%d alarms of %d clusters for %.2f USD", d.Alarms, d.Clusters, d.USD)
	}
}

func TestADigestSaysWhatWasNotChecked(t *testing.T) {
	denied := func(r *guard.Record) {
		r.Verdict.Install = guard.Answer{Word: guard.Unknown, Because: "eks:DescribeCluster was denied"}
	}
	stale := func(r *guard.Record) { r.Seen = morning.Add(-late - time.Minute) }
	members := []guard.Member{member("a", denied), member("b", stale), member("c"), member("", denied), member("", stale)} // the last is listed again
	d, _, any := guard.Summarize("shop", morning, morning, members, late)
	if diff := cmp.Diff([]guard.Fact{
		{Name: "111122223333/eu-central-1/a", Value: "eks:DescribeCluster was denied"},
		{Name: "111122223333/eu-central-1/b", Value: "not looked at since 2026-03-02 20:59 UTC"},
		{Name: "111122223333/eu-central-1", Value: "eks:DescribeCluster was denied"},
	}, d.Hidden); diff != "" || any {
		t.Errorf("a digest: %t; -want +got:\n%s", any, diff)
	}
	for i := range 30 {
		members = append(members, member(fmt.Sprintf("more-%d", i), denied))
	}
	d, _, _ = guard.Summarize("shop", morning, morning, members, late)
	if len(d.Hidden) != 20 || d.Unchecked != 33 {
		t.Errorf("%d lines of %d", len(d.Hidden), d.Unchecked)
	}
}

func TestADigestOfThousandsOfMattersIsBoundedAndCountsThemAll(t *testing.T) {
	var members []guard.Member
	for i := range 2000 {
		members = append(members, member(fmt.Sprintf("c%04d", i), waits(fmt.Sprintf("t%d-1", i), fmt.Sprint("t", i), guard.Opened, guard.VersionOutdated, guard.Warning),
			stands(guard.VersionOutdated, guard.Warning), stands(guard.CapacityLow, guard.Critical)))
	}
	d, taken, _ := guard.Summarize("shop", morning, morning, members, late)
	if len(d.News)+len(d.Open) != guard.MostItems || d.Omitted != 6000-guard.MostItems || len(taken) != 2000 {
		t.Errorf("%d new, %d open, %d omitted, %d taken over", len(d.News), len(d.Open), d.Omitted, len(taken))
	}
	if len(d.Open) != guard.MostItems || d.Open[0].Severity != guard.Critical {
		t.Errorf("%d critical matters that stand have a place beside the news", len(d.Open))
	}
	if d.Began != 2000 || d.Stand[guard.Critical] != 2000 || d.Stand[guard.Warning] != 2000 {
		t.Errorf("%d began; %v stand", d.Began, d.Stand)
	}
}

func TestADigestOfLongTextsIsBoundedInBytesAndKeepsTheWorst(t *testing.T) {
	long := strings.Repeat("<ü", 5_000) // six bytes of JSON, and two, a pair
	reason := func(r *guard.Record) {
		for code, known := range r.Told {
			known.Word = &guard.Order{Kind: guard.Acknowledging, By: strings.Repeat("<", 128), Because: strings.Repeat("<", 300), Finding: code, At: morning, Until: morning.Add(72 * time.Hour)}
			r.Told[code] = known
		}
		r.Outbox[0].Finding.Facts = []guard.Fact{{Name: "error", Value: long}, {Name: "need", Value: long}, {Name: "third", Value: long}}
		r.Verdict.Install = guard.Answer{Word: guard.Unknown, Because: long}
	}
	var members []guard.Member
	for i := range 300 {
		severity := guard.Warning
		if i%10 == 0 {
			severity = guard.Critical
		}
		members = append(members, member(fmt.Sprintf("c%04d", i), waits(fmt.Sprintf("t%d-1", i), fmt.Sprint("t", i), guard.Opened, guard.VersionOutdated, severity),
			stands(guard.CapacityLow, severity), reason))
	}
	d, _, _ := guard.Summarize("shop", morning, morning, members, late)
	raw, err := json.Marshal(d)
	if err != nil || len(raw) > guard.MostBytes || len(raw) < guard.MostBytes/2 {
		t.Errorf("%d bytes, %v", len(raw), err)
	}
	items := slices.Concat(d.News, d.Open)
	critical := slices.DeleteFunc(slices.Clone(items), func(i guard.Item) bool { return i.Severity != guard.Critical })
	if len(critical) != 60 || len(items)+d.Omitted != 600 {
		t.Errorf("%d of 60 critical matters; %d items and %d omitted of 600", len(critical), len(items), d.Omitted)
	}
}

func TestWhatPeopleWereToldOfInADigestIsInNoOther(t *testing.T) {
	m := member("a", waits("t-1", "t", guard.Recovered, guard.VersionOutdated, guard.Warning), func(r *guard.Record) { r.Outbox[0].Digested = true })
	if d, taken, any := guard.Summarize("shop", morning, morning, []guard.Member{m}, late); any || len(taken) > 0 {
		t.Errorf("%q, taken %v", lines(d.News), taken)
	}
}

func TestNewsOfWhatWasMutedSinceIsMarked(t *testing.T) {
	m := member("a", muted(guard.VersionOutdated, guard.Warning, morning.Add(72*time.Hour)))
	d, _, _ := guard.Summarize("shop", morning, morning, []guard.Member{m}, late)
	waits("t-1", d.Open[0].Thread, guard.Opened, guard.VersionOutdated, guard.Warning)(&m.Record)
	d, _, _ = guard.Summarize("shop", morning, morning, []guard.Member{m}, late)
	if diff := cmp.Diff([]string{"opened warning version-outdated of a muted"}, lines(d.News)); diff != "" || len(d.Open) > 0 {
		t.Errorf("open %q; -want +got:\n%s", lines(d.Open), diff)
	}
}
