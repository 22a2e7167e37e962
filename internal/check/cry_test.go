package check_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

// ringing is a cluster whose pod subnet is critically full, and whose alarm went to ALARM so long ago.
func ringing(ago time.Duration) guard.Snapshot {
	seen := fine()
	seen.Pods = guard.Read(capacity.Pods{Subnets: []capacity.Subnet{subnet("subnet-a", 2)}})
	seen.Alarms = guard.Read([]alarm.Standing{{Spec: kept(prod), State: alarm.InAlarm, Since: noon.Add(-ago)}})
	return seen
}

func TestAnAlarmIsToldThoughTheLedgerCannotBeReached(t *testing.T) {
	down := &fault.Fault{Kind: fault.Retry, Op: "dynamodb:GetItem", Text: "no answer"}
	hidden := ringing(2 * time.Minute)
	hidden.Alarms.Fault = down
	quiet := ringing(2 * time.Minute)
	quiet.Alarms.Value[0].State = alarm.OK
	for name, c := range map[string]struct {
		seen  guard.Snapshot
		fails string // a kind of call
		heard bool
		want  int
	}{
		"while records cannot be read":                    {ringing(2 * time.Minute), "load", true, 1},
		"while records cannot be saved":                   {ringing(2 * time.Minute), "save", true, 1},
		"not by who comes without an alarm's event":       {ringing(2 * time.Minute), "load", false, 0},
		"not at the first try, which may be a moment's":   {ringing(10 * time.Second), "load", true, 0},
		"not of an alarm that rings no more":              {quiet, "load", true, 0},
		"not of one that has rung for longer than events": {ringing(61 * time.Minute), "load", true, 0},
		"not where nobody can see whether an alarm rings": {hidden, "load", true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, c.seen).beside("people")
			s.others[0].people = true
			s.fails = failing(c.fails, down)
			e := s.engine("first")
			e.Heard = c.heard
			_, err := e.Check(t.Context(), prod)
			for _, told := range [][]guard.Message{s.told, s.others[0].told} {
				if len(told) != c.want {
					t.Fatalf("told %v, want %d messages", news(told), c.want)
				}
			}
			if err == nil && (c.want > 0 || c.fails == "load") {
				t.Error("no error: nobody would note that the event was heard")
			}
			if c.want > 0 && (s.told[0].Finding.Code != guard.CapacityLow || s.told[0].Finding.Severity != guard.Critical || s.told[0].News != guard.Opened) {
				t.Errorf("told %+v", s.told[0])
			}
			if done := slices.DeleteFunc(s.changes(), func(c string) bool { return c == "save" || c[:4] == "tell" || c[:6] == "people" }); len(done) > 0 {
				t.Errorf("changed: %v", done)
			}
		})
	}
}

func TestAnAlarmThatSomeTopicWasNotToldIsTriedAgainWithTheSameKey(t *testing.T) {
	s := newStage(t, ringing(2*time.Minute)).beside("chat")
	s.fails = func(_ int, call string) error {
		if call == "load" || call == "chat" {
			return errors.New("not now")
		}
		return nil
	}
	e := s.engine("first")
	e.Heard = true
	for range 2 {
		if _, err := e.Check(t.Context(), prod); err == nil {
			t.Error("no error, and chat does not know")
		}
	}
	if len(s.told) != 2 || s.told[0].Key != s.told[1].Key {
		t.Errorf("told %v", news(s.told))
	}
}

func TestWhatPeopleKnowIsNotToldAnewBecauseTheRecordCannotBeSaved(t *testing.T) {
	for name, prepare := range map[string]func(*stage){
		"it was told": func(s *stage) {
			s.meddle(prod, func(r *guard.Record) {
				r.Told = map[guard.Code]guard.Told{guard.CapacityLow: {Severity: guard.Critical, First: noon, Last: noon, Times: 1}}
			})
		},
		"it is muted": func(s *stage) {
			mute := guard.Order{Kind: guard.Muting, By: "ann", Because: "b", Finding: guard.CapacityLow, At: noon.Add(-time.Hour), Until: noon.Add(time.Hour)}
			if err := s.Memory.Order(t.Context(), prod, mute); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, ringing(2*time.Minute))
			prepare(s)
			s.fails = failing("save", errors.New("not now"))
			e := s.engine("first")
			e.Heard = true
			if _, err := e.Check(t.Context(), prod); err == nil || len(s.told) > 0 {
				t.Errorf("told %v, %v", news(s.told), err)
			}
		})
	}
}
