package check_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/telemetry"
)

// counted is what was counted so far, as the line of metrics says it.
func counted(s *stage) map[telemetry.Counter]int {
	s.t.Helper()
	var line bytes.Buffer
	if err := s.counts.Flush(&line, "test", noon); err != nil {
		s.t.Fatal(err)
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(line.Bytes(), &values); err != nil {
		s.t.Fatal(err)
	}
	counts := map[telemetry.Counter]int{}
	for _, c := range telemetry.Counters() {
		if text, ok := values[c.String()]; ok {
			var n int
			if err := json.Unmarshal(text, &n); err != nil {
				s.t.Fatal(err)
			}
			if n != 0 {
				counts[c] = n
			}
		}
	}
	return counts
}

func (s *stage) wantCounts(want map[telemetry.Counter]int) {
	s.t.Helper()
	if diff := cmp.Diff(want, counted(s)); diff != "" {
		s.t.Errorf("counted (-want +got):\n%s", diff)
	}
}

func TestAMessageThatCannotBePublishedStaysAndTheOthersAreTold(t *testing.T) {
	s := newStage(t, outdated())
	s.fails = func(n int, call string) error {
		if call == "tell" && n == 1 {
			return &fault.Fault{Kind: fault.Retry, Op: "sns:Publish", Code: "Throttled"}
		}
		return nil
	}
	s.run(s.engine("first"))
	s.wantToldOnce(guard.Opened)
	rec := s.record(prod)
	if len(rec.Outbox) != 1 || rec.Outbox[0].News != guard.Started || rec.Outbox[0].Tries != 1 {
		t.Fatalf("left in the outbox: %+v", rec.Outbox)
	}
	s.wantCounts(map[telemetry.Counter]int{telemetry.Checks: 1, telemetry.Updates: 1, telemetry.Told: 1, telemetry.TellFailed: 1})
	s.now = s.now.Add(5 * time.Minute)
	if due, _ := s.Memory.Due(t.Context(), s.now); len(due) != 1 {
		t.Fatalf("the next tick does not find it; it is due at %s", rec.Wake())
	}
	s.run(s.engine("second"))
	s.wantToldOnce(guard.Opened, guard.Started)
	if rec := s.record(prod); len(rec.Outbox) != 0 {
		t.Errorf("left in the outbox: %+v", rec.Outbox)
	}
}

func TestATellerThatNeverWorksIsTriedAgainAndAgainAndNothingIsLost(t *testing.T) {
	seen := fine()
	seen.Addon = guard.Read(&guard.Addon{Raw: "latest", Status: "ACTIVE"})
	s := newStage(t, seen)
	s.fails = failing("tell", errors.New("the topic is gone"))
	for _, most := range []time.Duration{5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 40 * time.Minute} {
		s.run(s.engine("first"))
		wake := s.record(prod).Wake()
		if !wake.After(s.now) || wake.After(s.now.Add(most)) {
			t.Fatalf("at %s: due at %s", s.now, wake)
		}
		s.now = wake
	}
	if rec := s.record(prod); len(rec.Outbox) != 1 || rec.Outbox[0].Tries != 4 {
		t.Errorf("left in the outbox: %+v", rec.Outbox)
	}
	s.fails = nil
	s.run(s.engine("second"))
	s.wantToldOnce(guard.Opened)
}

func TestAMessageThatAnotherAddsMeanwhileIsToldByWhoeverTells(t *testing.T) {
	s := newStage(t, outdated())
	other := guard.Message{Key: "other-1", News: guard.Reminded, Cluster: prod}
	s.hook = at(1, "tell", func() {
		s.meddle(prod, func(r *guard.Record) { r.Outbox = append(r.Outbox, other) })
	})
	s.run(s.engine("first"))
	s.wantToldOnce(guard.Started, guard.Opened, guard.Reminded)
	if rec := s.record(prod); len(rec.Outbox) != 0 {
		t.Errorf("left in the outbox: %+v", rec.Outbox)
	}
}

func TestACheckThatFindsTheRecordBusyAtItsEndTellsNobody(t *testing.T) {
	acted := fine()
	acted.Addon, acted.Alarms = guard.Read(&guard.Addon{Raw: "latest", Status: "ACTIVE"}), guard.Read[[]alarm.Standing](nil)
	watched := fine()
	watched.Addon = guard.Read(&guard.Addon{Raw: "latest", Status: "ACTIVE"})
	for name, c := range map[string]struct {
		seen guard.Snapshot
		left int // messages, for the other to tell
	}{
		"of what it did": {acted, 1},
		"of what it saw": {watched, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, c.seen)
			busy := guard.Busy{By: "other", Until: noon.Add(time.Minute)}
			s.hook = at(1, "save", func() { s.meddle(prod, func(r *guard.Record) { r.Busy = busy }) })
			s.run(s.engine("first"))
			rec := s.record(prod)
			if s.count("tell") != 0 || len(rec.Outbox) != c.left || rec.Busy != busy {
				t.Errorf("told %d, %d messages left, busy with %+v", s.count("tell"), len(rec.Outbox), rec.Busy)
			}
		})
	}
}

func TestAFailedMessageIsTriedOnceACheckAlsoWhenOthersSave(t *testing.T) {
	s := newStage(t, outdated())
	s.fails = failing("tell", errors.New("the topic is gone"))
	s.hook = func(n int, call string) {
		if call == "save" && n > 2 && n < 6 {
			s.meddle(prod, func(r *guard.Record) { r.Sent++ })
		}
	}
	s.run(s.engine("first"))
	if s.count("tell") != 2 {
		t.Errorf("tried %d times to tell 2 messages", s.count("tell"))
	}
	for _, m := range s.record(prod).Outbox {
		if m.Tries != 1 {
			t.Errorf("%s counts %d tries", m.Key, m.Tries)
		}
	}
}

func TestWhatACheckDoesIsCounted(t *testing.T) {
	denied := &fault.Fault{Kind: fault.Terminal, Op: "cloudwatch:PutMetricAlarm", Need: "cloudwatch:PutMetricAlarm"}
	for name, c := range map[string]struct {
		prepare func(*stage)
		want    map[telemetry.Counter]int
	}{
		"nothing but the check": {func(*stage) {}, map[telemetry.Counter]int{telemetry.Checks: 1}},
		"an alarm that was put": {func(s *stage) { s.alarms() }, map[telemetry.Counter]int{telemetry.Checks: 1, telemetry.AlarmsPut: 1}},
		"an alarm that was refused": {func(s *stage) {
			s.alarms()
			s.outcome = func(a guard.Action) guard.Outcome { return guard.Outcome{Action: a, Fault: denied, At: noon} }
		}, map[telemetry.Counter]int{telemetry.Checks: 1, telemetry.ActFailed: 1}},
		"a conflict": {func(s *stage) {
			s.hook = at(1, "save", func() { s.meddle(prod, func(r *guard.Record) { r.Sent++ }) })
		}, map[telemetry.Counter]int{telemetry.Checks: 1, telemetry.Conflicts: 1}},
		"something unknown": {func(s *stage) {
			seen := s.seen[prod]
			seen.Cluster = guard.Hidden[*guard.Cluster](&fault.Fault{Kind: fault.Retry, Op: "eks:DescribeCluster"})
			s.seen[prod] = seen
		}, map[telemetry.Counter]int{telemetry.Checks: 1, telemetry.Unknown: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, fine())
			c.prepare(s)
			s.run(s.engine("first"))
			s.wantCounts(c.want)
		})
	}
}

// alarms takes the alarm of prod away.
func (s *stage) alarms() {
	seen := s.seen[prod]
	seen.Alarms = guard.Read[[]alarm.Standing](nil)
	s.seen[prod] = seen
}

func TestTheLogSaysWhatWasCheckedDoneAndHeld(t *testing.T) {
	s := newStage(t, outdated())
	s.policy = policyOf(t, observing())
	s.alarms()
	var log bytes.Buffer
	e := s.engine("first")
	e.Log = telemetry.Logger(&log, nil)
	s.run(e)
	var lines []map[string]any
	for line := range bytes.Lines(log.Bytes()) {
		var v map[string]any
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, v)
	}
	i := slices.IndexFunc(lines, func(l map[string]any) bool { return l["message"] == "checked" })
	if i < 0 {
		t.Fatalf("no line says what was checked:\n%s", log.String())
	}
	l := lines[i]
	if l["put alarm"] != "done" || l["held"] != "update vpc-cni from v1.7.5-eksbuild.2 to v1.8.0-eksbuild.1" || l["gate"] != "mode" {
		t.Errorf("the line says %v", l)
	}
}

func TestAMessageWaitsForTheEarlierOnesOfItsMatter(t *testing.T) {
	s := newStage(t, fine())
	s.meddle(prod, func(r *guard.Record) {
		r.Outbox = []guard.Message{
			{Key: "a-1", Thread: "a", News: guard.Opened, Cluster: prod}, {Key: "b-2", Thread: "b", News: guard.Opened, Cluster: prod},
			{Key: "a-3", Thread: "a", News: guard.Recovered, Cluster: prod},
		}
	})
	s.fails = func(n int, call string) error {
		if call == "tell" && n == 1 {
			return errors.New("the topic is throttled")
		}
		return nil
	}
	s.run(s.engine("first"))
	s.wantToldOnce(guard.Opened)
	s.run(s.engine("second"))
	var keys []string
	for _, m := range s.told {
		keys = append(keys, m.Key)
	}
	if diff := cmp.Diff([]string{"b-2", "a-1", "a-3"}, keys); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}
