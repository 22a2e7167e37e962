package guard_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/guard"
)

// ringing is a cluster whose alarm has been in ALARM for so long, and of which events are listened for since yesterday.
func ringing(ago time.Duration) guard.Input {
	in := fine()
	in.Seen.Alarms = guard.Read([]alarm.Standing{{Spec: kept(prod), State: alarm.InAlarm, Since: noon.Add(-ago)}})
	in.Record.Rung.From = noon.Add(-day)
	return in
}

func TestAnAlarmWhoseEventNeverCameIsFound(t *testing.T) {
	const found, waits, over = "found", "waits", "over"
	for name, c := range map[string]struct {
		in     guard.Input
		change func(*guard.Input)
		want   string
	}{
		"ten minutes after it rang":                {ringing(10 * time.Minute), nil, found},
		"nine minutes after it rang":               {ringing(9 * time.Minute), nil, waits},
		"its event came":                           {ringing(time.Hour), func(in *guard.Input) { in.Record.Rung.Last = noon.Add(-59 * time.Minute) }, over},
		"its event comes just now":                 {ringing(time.Hour), func(in *guard.Input) { in.Heard = true }, over},
		"its event came by a clock that is behind": {ringing(time.Hour), func(in *guard.Input) { in.Record.Rung.Last = noon.Add(-61 * time.Minute) }, over},
		"what came was of an earlier time":         {ringing(time.Hour), func(in *guard.Input) { in.Record.Rung.Last = noon.Add(-62 * time.Minute) }, found},
		"it rang before anybody listened":          {ringing(time.Hour), func(in *guard.Input) { in.Record.Rung.From = noon.Add(-time.Minute) }, over},
		"nobody has listened yet":                  {ringing(time.Hour), func(in *guard.Input) { in.Record.Rung = guard.Rung{} }, over},
		"it rings no more":                         {ringing(time.Hour), func(in *guard.Input) { in.Seen.Alarms.Value[0].State = alarm.OK }, over},
		"an alarm that nobody wants":               {ringing(time.Hour), func(in *guard.Input) { in.Settings.Value.Alarms = false }, over},
	} {
		t.Run(name, func(t *testing.T) {
			if c.change != nil {
				c.change(&c.in)
			}
			p := guard.Decide(c.in)
			got := over
			switch {
			case slices.Contains(codes(p.Findings), guard.AlarmUnheard):
				got = found
			case p.Blind[guard.AlarmUnheard]:
				got = waits
			}
			if got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			if got == waits && (p.Due.IsZero() || p.Due.After(noon.Add(3*time.Minute))) {
				t.Errorf("looks again at %v", p.Due)
			}
		})
	}
}

func TestTheRecordNotesThatAnAlarmWasHeard(t *testing.T) {
	in := fine()
	rec := guard.Conclude(in, guard.Decide(in), nil)
	if rec.Rung != (guard.Rung{From: noon}) {
		t.Errorf("the first look: %+v", rec.Rung)
	}
	in.Record, in.Now, in.Heard = rec, noon.Add(time.Hour), true
	if rec = guard.Conclude(in, guard.Decide(in), nil); rec.Rung != (guard.Rung{From: noon, Last: noon.Add(time.Hour)}) {
		t.Errorf("when it was heard: %+v", rec.Rung)
	}
	in.Record, in.Now, in.Heard = rec, noon.Add(2*time.Hour), false
	if rec = guard.Conclude(in, guard.Decide(in), nil); rec.Rung.Last != noon.Add(time.Hour) {
		t.Errorf("afterwards: %+v", rec.Rung)
	}
}

func TestEachAlarmWithoutDataIsNamed(t *testing.T) {
	in := delegating(blocks(10, 14), blocks(10, 14))
	in.Settings.Value.FurtherAlarms = "free-blocks days-left node-capacity"
	in.Seen.NodeMetrics = guard.Read(&capacity.NodeMetrics{ID: "prod"})
	wish := alarm.Wish{Cluster: prod, Warning: 80, DaysLeft: 7, HelperID: "prod", Owner: prod.Account}
	var standing []alarm.Standing
	for _, k := range alarm.Kinds() {
		standing = append(standing, alarm.Standing{Spec: wish.Want(k), State: alarm.InsufficientData, Since: noon.Add(-time.Hour)})
	}
	standing[0].State = alarm.OK
	in.Seen.Alarms = guard.Read(standing)
	p := guard.Decide(in)
	i := slices.IndexFunc(p.Findings, func(f guard.Finding) bool { return f.Code == guard.MetricSilent })
	if i < 0 || len(p.Actions) > 0 {
		t.Fatalf("finds %v, does %v", codes(p.Findings), actions(p))
	}
	if want := "cniguard-prod-free-blocks;cniguard-prod-node-capacity;"; p.Findings[i].Print != want {
		t.Errorf("names %q, want %q: the forecast may be silent", p.Findings[i].Print, want)
	}
	if p.Blind[guard.NodesFull] != true {
		t.Error("how full the nodes are is judged without data")
	}
}

func TestNodesAreFullWhenTheirAlarmSaysSo(t *testing.T) {
	in := fine()
	in.Settings.Value.FurtherAlarms = "node-capacity"
	in.Record.NodeMetrics = guard.NodeMetrics{NodeMetrics: capacity.NodeMetrics{ID: "prod", Assigned: 91, Total: 95, Max: 100}, At: noon.Add(-time.Hour)}
	wish := alarm.Wish{Cluster: prod, Warning: 80, HelperID: "prod", Owner: prod.Account}
	in.Seen.Alarms.Value = append(in.Seen.Alarms.Value, alarm.Standing{Spec: wish.Want(alarm.NodeCapacity), State: alarm.InAlarm, Since: noon.Add(-time.Hour)})
	p := guard.Decide(in)
	i := slices.IndexFunc(p.Findings, func(f guard.Finding) bool { return f.Code == guard.NodesFull })
	if i < 0 || !slices.ContainsFunc(p.Findings[i].Facts, func(f guard.Fact) bool { return strings.HasPrefix(f.Value, "91 of 100 ") }) {
		t.Errorf("finds %+v", p.Findings)
	}
	in.Settings.Value.FurtherAlarms = ""
	if p = guard.Decide(in); slices.Contains(codes(p.Findings), guard.NodesFull) || p.Blind[guard.NodesFull] {
		t.Error("without the alarm it still stands")
	}
}

func TestANodeMetricsPublisherThatIsGoneIsNoRecovery(t *testing.T) {
	in := fine()
	in.Settings.Value.FurtherAlarms = "node-capacity"
	in.Record.NodeMetrics = guard.NodeMetrics{NodeMetrics: capacity.NodeMetrics{ID: "prod", Assigned: 99, Total: 99, Max: 100}, At: noon.Add(-day)}
	in.Record.Told = map[guard.Code]guard.Told{guard.NodesFull: {Severity: guard.Warning, Times: 1, First: noon, Last: noon}}
	wish := alarm.Wish{Cluster: prod, Warning: 80, HelperID: "prod", Owner: prod.Account}
	in.Seen.Alarms.Value = append(in.Seen.Alarms.Value, alarm.Standing{Spec: wish.Want(alarm.NodeCapacity), State: alarm.InsufficientData, Since: noon.Add(-time.Hour)})
	in.Seen.NodeMetrics = guard.Read(&capacity.NodeMetrics{})
	p := guard.Decide(in)
	if len(p.Actions) > 0 || !p.Blind[guard.NodesFull] || !slices.Contains(codes(p.Findings), guard.MetricSilent) {
		t.Errorf("does %v, finds %v, blind %v", actions(p), codes(p.Findings), p.Blind)
	}
	if p.NodeMetrics.ID != "prod" || p.NodeMetrics.Max != 0 {
		t.Errorf("remembers %+v", p.NodeMetrics)
	}
	// Another CLUSTER_ID in the policy is looked for at once, and its absence takes the alarm away.
	in.Settings.Value.HelperID, in.Seen.NodeMetrics = "blue", guard.Read[*capacity.NodeMetrics](nil)
	if in.Record.NodeMetrics.At = noon; !in.WantsNodeMetrics() {
		t.Error("a changed CLUSTER_ID is not looked for")
	}
	in.Seen.NodeMetrics = guard.Read(&capacity.NodeMetrics{Others: []string{"prod"}})
	if got := actions(guard.Decide(in)); !slices.Equal(got, []string{"drop alarm cniguard-prod-node-capacity"}) {
		t.Errorf("does %v", got)
	}
}

func TestControlPlaneRoomIsNoNewsWithEachAddress(t *testing.T) {
	in := fine()
	for _, c := range []struct {
		free  int
		told  bool
		found bool
	}{{4, false, true}, {5, false, false}, {7, true, true}, {8, true, false}} {
		in.Seen.ControlPlane = guard.Read([]capacity.Subnet{subnet("subnet-c", c.free)})
		in.Record.Told = nil
		if c.told {
			in.Record.Told = map[guard.Code]guard.Told{guard.ControlPlaneRoom: {Times: 1}}
		}
		if found := slices.Contains(codes(guard.Decide(in).Findings), guard.ControlPlaneRoom); found != c.found {
			t.Errorf("%d free, told %v: found %v", c.free, c.told, found)
		}
	}
}
