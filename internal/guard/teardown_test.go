package guard_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/policy"
)

const drop = "drop alarm cniguard-prod-pod-subnets"

// tornDown is a fleet that is torn down since a minute.
func tornDown() guard.Reading[guard.Fleet] {
	return guard.Read(guard.Fleet{Halt: &guard.Order{Kind: guard.TearingDown, By: "ana", Because: "trial is over", At: noon.Add(-time.Minute)}})
}

func TestATeardownWantsNoAlarmAnywhere(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(*guard.Input)
		actions []string
		gates   []string
	}{
		{"the alarm goes, and no update starts", func(*guard.Input) {}, []string{drop}, []string{"halt"}},
		{"there is none", func(in *guard.Input) { in.Seen.Alarms = guard.Read[[]alarm.Standing](nil) }, nil, []string{"halt", "alarm"}},
		{"the cluster cannot be read", func(in *guard.Input) { in.Seen.Cluster = guard.Hidden[*guard.Cluster](denied("eks:DescribeCluster")) }, []string{drop}, nil},
		{"the cluster is deleted just now", func(in *guard.Input) { in.Seen.Cluster.Value.Status = "DELETING" }, []string{drop}, nil},
		{"the cluster is gone", func(in *guard.Input) { in.Seen.Cluster.Value = nil }, []string{drop}, nil},
		{"the pod subnets cannot be read", func(in *guard.Input) { in.Seen.Pods = guard.Hidden[capacity.Pods](denied("ec2:DescribeSubnets")) }, []string{drop}, []string{"halt", "alarm"}},
		{"the policy cannot be read", func(in *guard.Input) { in.Settings = guard.Hidden[policy.Settings](throttled("eks:DescribeCluster")) }, []string{drop}, nil},
		{"the alarm cannot be read", func(in *guard.Input) {
			in.Seen.Alarms = guard.Hidden[[]alarm.Standing](denied("cloudwatch:DescribeAlarms"))
		}, nil, []string{"halt", "alarm", "reading"}},
		{"the fleet's state cannot be read", func(in *guard.Input) { in.Fleet.Fault = throttled("dynamodb:GetItem") }, nil, []string{"halt"}},
		{"the order is of the future, by somebody's clock", func(in *guard.Input) { in.Fleet.Value.Halt.At = noon.Add(time.Second) }, nil, []string{"halt"}},
		{"it is a halt", func(in *guard.Input) { in.Fleet.Value.Halt.Kind = guard.Halting }, nil, []string{"halt"}},
		{"somebody resumed", func(in *guard.Input) { in.Fleet.Value.Halt = nil }, []string{start}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := outdated()
			in.Fleet = tornDown()
			c.change(&in)
			p := guard.Decide(in)
			if diff := cmp.Diff(c.actions, actions(p)); diff != "" {
				t.Errorf("actions (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.gates, gates(p)); diff != "" {
				t.Errorf("gates (-want +got):\n%s", diff)
			}
			if in.Fleet.Fault == nil && slices.Contains(codes(p.Findings), guard.UpdateBlocked) {
				t.Error("people are told that the update is blocked, of a teardown that they ordered")
			}
		})
	}
}

func TestATeardownSaysWhoOrderedIt(t *testing.T) {
	in := outdated()
	in.Fleet = tornDown()
	p := guard.Decide(in)
	if why := p.Held[0].By[0].Text; why != "cniguard is torn down by ana: trial is over" || p.Actions[0].Why != why {
		t.Errorf("%q; %q", why, p.Actions[0].Why)
	}
}

func TestTheMetricStopsWithTheAlarmAndComesBack(t *testing.T) {
	l := &life{t: t, in: fine()}
	for _, c := range []struct {
		fleet   guard.Reading[guard.Fleet]
		publish bool
	}{{guard.Read(guard.Fleet{}), true}, {tornDown(), false}, {guard.Read(guard.Fleet{}), true}} {
		l.in.Fleet = c.fleet
		if rec := l.check(); rec.Meter.Publish != c.publish {
			t.Errorf("torn down %t: the metric is published: %t", c.fleet.Value.Halt != nil, rec.Meter.Publish)
		}
		l.after(time.Hour)
	}
	l.heard()
}

func TestTheRecordSaysWhetherTheAlarmStands(t *testing.T) {
	hidden := guard.Hidden[[]alarm.Standing](denied("cloudwatch:DescribeAlarms"))
	absent := guard.Read[[]alarm.Standing](nil)
	stands := guard.Read([]alarm.Standing{standing(alarm.OK)})
	lost := &fault.Fault{Kind: fault.Retry, InDoubt: true}
	refused := denied("cloudwatch:DeleteAlarms")
	did := func(k guard.ActionKind, f *fault.Fault) guard.Outcome {
		return guard.Outcome{Action: guard.Action{Kind: k, Alarm: alarm.Spec{Name: alarm.PodSubnets.Name(prod)}}, Fault: f, At: noon}
	}
	further := did(guard.DropAlarm, refused)
	further.Action.Alarm.Name = alarm.FreeBlocks.Name(prod)
	for _, c := range []struct {
		name   string
		seen   guard.Reading[[]alarm.Standing]
		before guard.Alarmed
		newer  bool // another check saved a later look
		done   []guard.Outcome
		want   guard.Alarmed
		due    bool // looked at again at the next tick
	}{
		{"it was seen", stands, "", false, nil, guard.AlarmStands, false},
		{"it was seen to be gone", absent, guard.AlarmStands, false, nil, guard.NoAlarm, false},
		{"it could not be read", hidden, guard.AlarmStands, false, nil, "", false},
		{"it was put", absent, "", false, []guard.Outcome{did(guard.PutAlarm, nil)}, guard.AlarmStands, false},
		{"it could not be put", absent, "", false, []guard.Outcome{did(guard.PutAlarm, refused)}, guard.NoAlarm, false},
		{"one that differs could not be put", stands, "", false, []guard.Outcome{did(guard.PutAlarm, refused)}, guard.AlarmStands, false},
		{"whether it was put is not known", absent, "", false, []guard.Outcome{did(guard.PutAlarm, lost)}, "", false},
		{"it was removed", stands, "", false, []guard.Outcome{did(guard.DropAlarm, nil)}, guard.NoAlarm, false},
		{"it could not be removed", stands, "", false, []guard.Outcome{did(guard.DropAlarm, refused)}, guard.AlarmStands, false},
		{"whether it was removed is not known", stands, "", false, []guard.Outcome{did(guard.DropAlarm, lost)}, "", false},
		{"one of two was removed", stands, "", false, []guard.Outcome{did(guard.DropAlarm, nil), further}, guard.AlarmStands, false},
		{"an older look says nothing", stands, guard.NoAlarm, true, nil, guard.NoAlarm, false},
		{"it was put on an older look, after another check had removed it", absent, guard.NoAlarm, true, []guard.Outcome{did(guard.PutAlarm, nil)}, guard.AlarmStands, true},
		{"it was put on an older look, as another check had done", absent, guard.AlarmStands, true, []guard.Outcome{did(guard.PutAlarm, nil)}, guard.AlarmStands, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := fine()
			in.Seen.Alarms, in.Record.Alarm = c.seen, c.before
			if c.newer {
				in.Record.Seen = in.Seen.At.Add(time.Second)
			}
			rec := guard.Conclude(in, guard.Plan{Verdict: guard.Verdict{Word: guard.Fine}}, c.done)
			if rec.Alarm != c.want {
				t.Errorf("%q, want %q", rec.Alarm, c.want)
			}
			if due := !rec.Due.IsZero() && !rec.Due.After(noon.Add(time.Minute)); due != c.due {
				t.Errorf("due at %s", rec.Due)
			}
		})
	}
}

func TestARecordIsAsGoodAsAPlanToApprove(t *testing.T) {
	l := &life{t: t, in: outdated()}
	l.in.Settings.Value.Mode = policy.Approve
	rec := l.check()
	plan := guard.Decide(l.in)
	want, err := guard.Consent(plan, "", "ana", "tested", noon)
	if err != nil {
		t.Fatal(err)
	}
	got, err := guard.Consent(rec.Planned(), "", "ana", "tested", noon)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" || got.Keeps == "" || rec.Planned().Hash != plan.Hash {
		t.Errorf("(-of the plan +of the record):\n%s", diff)
	}
	l.in.Orders = guard.Read([]guard.Order{got})
	l.after(time.Minute)
	if p := guard.Decide(l.in); !slices.Equal(actions(p), []string{start}) {
		t.Errorf("approved from the record: %v, held by %v", actions(p), gates(p))
	}
}
