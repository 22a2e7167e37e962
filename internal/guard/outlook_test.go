package guard_test

import (
	"slices"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/guard"
)

const day = 24 * time.Hour

// growing is a cluster with room whose metric reached this percentage at noon, and grew to it by so many points a day for 15 days.
func growing(to, slope float64) guard.Input {
	in := fine()
	in.Seen.Pods = guard.Read(capacity.Pods{Subnets: []capacity.Subnet{subnet("subnet-a", 251-int(to*2.51))}})
	in.Record.Meter = guard.Meter{Subnets: []string{"subnet-a"}, Warning: 80, Critical: 95, Publish: true}
	points := []capacity.Point{}
	for age := time.Duration(0); age < 15*day; age += time.Hour {
		points = append(points, capacity.Point{At: noon.Add(-age), Percent: to - slope*age.Hours()/24})
	}
	in.Seen.History = guard.Read(points)
	return in
}

// remembered is a cluster whose history was read so long ago.
func remembered(o guard.Outlook, ago time.Duration) guard.Input {
	in := growing(70, 0)
	in.Seen.History = guard.Read[[]capacity.Point](nil)
	o.At = noon.Add(-ago)
	in.Record.Outlook = o
	return in
}

func in(days float64) guard.Outlook {
	return guard.Outlook{Outlook: capacity.Outlook{Days: days, Low: days, High: days, Slope: 4}}
}

func silent(why capacity.Silence) guard.Outlook { return guard.Outlook{Silent: why} }

func TestPeopleAreToldOfASubnetThatWillBeFull(t *testing.T) {
	const opens, recovers, neither = "opens or stands", "never was or recovers", "is not judged"
	stands := func(in *guard.Input) {
		in.Record.Told = map[guard.Code]guard.Told{guard.CapacitySoon: {Print: "soon", Severity: guard.Warning, Times: 1, First: noon.Add(-day), Last: noon.Add(-time.Hour)}}
	}
	for name, c := range map[string]struct {
		in     guard.Input
		change func(*guard.Input)
		want   string
	}{
		"six days left":                         {growing(76, 4), nil, opens},
		"nine days left":                        {growing(64, 4), nil, recovers},
		"nine days left, and nine are too few":  {growing(64, 4), func(in *guard.Input) { in.Settings.Value.DaysLeft = 14 }, opens},
		"no growth":                             {growing(70, 0), nil, recovers},
		"it is above the threshold already":     {growing(90, 4), nil, neither},
		"yesterday's outlook holds":             {remembered(in(6), 20*time.Hour), nil, opens},
		"an outlook of last week says nothing":  {remembered(in(6), 7*day), stands, neither},
		"it stays while it is near the days":    {remembered(in(8.5), time.Hour), stands, opens},
		"it opens only below the days":          {remembered(in(8.5), time.Hour), nil, recovers},
		"it ends two days above":                {remembered(in(9.1), time.Hour), stands, recovers},
		"it ends when nothing grows":            {remembered(silent(capacity.Flat), time.Hour), stands, recovers},
		"it ends when the end is far":           {remembered(silent(capacity.Far), time.Hour), stands, recovers},
		"a step is not the end":                 {remembered(silent(capacity.Bent), time.Hour), stands, neither},
		"uneven growth is not the end":          {remembered(silent(capacity.Vague), time.Hour), stands, neither},
		"a metric that stopped is not the end":  {remembered(silent(capacity.Stale), time.Hour), stands, neither},
		"a history that is short opens nothing": {remembered(silent(capacity.Short), time.Hour), nil, neither},
		"nobody asked yet":                      {fine(), nil, recovers},
		"the policy wants no forecast":          {growing(76, 4), func(in *guard.Input) { in.Settings.Value.DaysLeft = 0 }, recovers},
		"alarms are off":                        {growing(76, 4), func(in *guard.Input) { in.Settings.Value.Alarms = false }, recovers},
		"the pod subnets are hidden": {remembered(in(6), time.Hour), func(in *guard.Input) {
			in.Seen.Pods = guard.Hidden[capacity.Pods](throttled("ec2:DescribeSubnets"))
		}, neither},
		"IPv6 has no such end": {growing(76, 4), func(in *guard.Input) { in.Seen.Pods.Value.Exempt = "IPv6" }, recovers},
		"the history is hidden since yesterday": {remembered(in(6), 30*time.Hour), func(in *guard.Input) {
			in.Seen.History = guard.Hidden[[]capacity.Point](denied("cloudwatch:GetMetricData"))
		}, opens},
		"the history was never seen": {growing(76, 4), func(in *guard.Input) {
			in.Seen.History = guard.Hidden[[]capacity.Point](denied("cloudwatch:GetMetricData"))
		}, recovers},
	} {
		t.Run(name, func(t *testing.T) {
			if c.change != nil {
				c.change(&c.in)
			}
			p, got := guard.Decide(c.in), recovers
			switch {
			case slices.Contains(codes(p.Findings), guard.CapacitySoon):
				got = opens
			case p.Blind[guard.CapacitySoon]:
				got = neither
			}
			if got != c.want {
				t.Errorf("it %s, want it %s: %s", got, c.want, p.Outlook)
			}
		})
	}
}

func TestTheFindingHasTheForecastsNumbers(t *testing.T) {
	p := guard.Decide(growing(76, 4))
	i := slices.IndexFunc(p.Findings, func(f guard.Finding) bool { return f.Code == guard.CapacitySoon })
	if i < 0 {
		t.Fatal("it is not found")
	}
	got := map[string]string{}
	for _, f := range p.Findings[i].Facts {
		got[f.Name] = f.Value
	}
	// (100 - 76) / 4 = 6; of 251 addresses 190 are in use, 75.7 %.
	for name, want := range map[string]string{"full in": "about 6 days", "growth": "4.0 percentage points a day", "used": "75.7 %",
		"worst subnet": "subnet-a (10.0.1.0/24, eu-central-1a)", "forecast of": "2026-03-02T12:00:00Z"} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
}

func TestAForecastThatMovesIsNoNewsEachDay(t *testing.T) {
	prints := map[string]bool{}
	for _, to := range []float64{74, 75, 76, 77, 78, 79} {
		for _, f := range guard.Decide(growing(to, 4)).Findings {
			if f.Code == guard.CapacitySoon {
				prints[f.Print] = true
			}
		}
	}
	if len(prints) != 1 {
		t.Errorf("prints %v, want one", prints)
	}
}

func TestTheHistoryIsReadOnceADayWhereItIsPublished(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*guard.Input)
		want   bool
	}{
		"never read":                   {func(*guard.Input) {}, true},
		"read 22 hours ago":            {func(in *guard.Input) { in.Record.Outlook.At = noon.Add(-22 * time.Hour) }, false},
		"read a day ago":               {func(in *guard.Input) { in.Record.Outlook.At = noon.Add(-day) }, true},
		"nothing is published":         {func(in *guard.Input) { in.Record.Meter.Publish = false }, false},
		"the policy wants no forecast": {func(in *guard.Input) { in.Settings.Value.DaysLeft = 0 }, false},
		"the policy wants no alarms":   {func(in *guard.Input) { in.Settings.Value.Alarms = false }, false},
		"the policy is not known":      {func(in *guard.Input) { in.Settings.Fault = throttled("eks:DescribeCluster") }, false},
		"the pods are not measured":    {func(in *guard.Input) { in.Seen.Pods.Fault = throttled("ec2:DescribeSubnets") }, false},
		"the pods need no addresses":   {func(in *guard.Input) { in.Seen.Pods.Value.Exempt = "IPv6" }, false},
		"the cluster is deleted":       {func(in *guard.Input) { in.Seen.Cluster.Value.Status = "DELETING" }, false},
		"the cluster is gone":          {func(in *guard.Input) { in.Seen.Cluster.Value = nil }, false},
		"cniguard is torn down": {func(in *guard.Input) {
			in.Fleet = guard.Read(guard.Fleet{Halt: &guard.Order{Kind: guard.TearingDown}})
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			in := growing(76, 4)
			c.change(&in)
			if got := in.WantsHistory(); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func TestTheRecordKeepsTheOutlook(t *testing.T) {
	read := growing(64, 4)
	rec := guard.Conclude(read, guard.Decide(read), nil)
	if o := rec.Outlook; o.At != noon || o.Silent != "" || o.Days < 8.9 || o.Days > 9.1 {
		t.Errorf("after it was read: %+v", o)
	}
	for name, change := range map[string]func(*guard.Input){
		"not asked for": func(*guard.Input) {},
		"not to be read": func(in *guard.Input) {
			in.Seen.History = guard.Hidden[[]capacity.Point](denied("cloudwatch:GetMetricData"))
		},
		"being deleted":     func(in *guard.Input) { in.Seen.Cluster.Value.Status = "DELETING" },
		"subnets throttled": func(in *guard.Input) { in.Seen.Pods = guard.Hidden[capacity.Pods](throttled("ec2:DescribeSubnets")) },
	} {
		in := growing(90, 1)
		in.Record, in.Now, in.Seen.History.Value = rec, noon.Add(30*time.Hour), nil
		change(&in)
		if got := guard.Conclude(in, guard.Decide(in), nil).Outlook; got != rec.Outlook {
			t.Errorf("%s: %+v, want it as it was", name, got)
		}
	}
	off := growing(64, 4)
	off.Record, off.Settings.Value.DaysLeft = rec, 0
	if got := guard.Conclude(off, guard.Decide(off), nil).Outlook; got != (guard.Outlook{}) {
		t.Errorf("switched off: %+v, want none", got)
	}
}

func TestWhoIsToldOfAFullSubnetIsToldHowItGrew(t *testing.T) {
	off := growing(90, 4)
	off.Settings.Value.DaysLeft = 0
	full := func(o guard.Outlook, ago time.Duration) guard.Input {
		in := remembered(o, ago)
		in.Seen.Pods.Value.Subnets[0].Free = 20
		return in
	}
	for name, c := range map[string]struct {
		in   guard.Input
		want string
	}{
		"day by day":                       {growing(90, 4), "4.0 percentage points a day; at that, full in about 3 days, between 2 and 3"},
		"at once, after days of no growth": {full(silent(capacity.Flat), time.Hour), "slow or none over the days before"},
		"as yesterday's history says":      {full(in(3), 20*time.Hour), "4.0 percentage points a day; at that, full in about 3 days"},
		"last week's history says nothing": {full(in(3), 7*day), ""},
		"a short history says nothing":     {full(silent(capacity.Short), time.Hour), ""},
		"nobody wants a forecast":          {off, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c.in.Seen.At = c.in.Now
			have := ""
			for _, f := range guard.Decide(c.in).Findings {
				for _, fact := range f.Facts {
					if f.Code == guard.CapacityLow && fact.Name == "growth" {
						have = fact.Value
					}
				}
			}
			if have != c.want {
				t.Errorf("%q, want %q", have, c.want)
			}
		})
	}
}
