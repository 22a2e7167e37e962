package check_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
)

// run checks prod and wants no error.
func (s *stage) run(e check.Engine) guard.Plan {
	s.t.Helper()
	plan, err := e.Check(s.t.Context(), prod)
	if err != nil {
		s.t.Fatalf("check: %v", err)
	}
	return plan
}

func (s *stage) wantChanges(want ...string) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.changes(), cmpopts.EquateEmpty()); diff != "" {
		s.t.Errorf("what was changed (-want +got):\n%s", diff)
	}
}

func (s *stage) wantWoken(want ...event.Trigger) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.woken, cmpopts.EquateEmpty()); diff != "" {
		s.t.Errorf("what was asked for (-want +got):\n%s", diff)
	}
}

func checkOf(name string) event.Trigger {
	return event.Trigger{Kind: event.Check, Cluster: named(name)}
}

// Facts 1.2/echo, 1.4/durable.
func TestAnUnchangedCheckCostsOneSaveAndTellsNothing(t *testing.T) {
	s := newStage(t, fine())
	s.run(s.engine("first"))
	s.wantChanges("save")
	s.calls = nil
	plan := s.run(s.engine("second"))
	s.wantChanges("save")
	if plan.Verdict.Word != guard.Fine {
		t.Errorf("the verdict is %s", plan.Verdict.Word)
	}
	if rec := s.record(prod); rec.Again || rec.Busy != (guard.Busy{}) || rec.Verdict != plan.Verdict {
		t.Errorf("the record is %+v", rec)
	}
}

// Fact 2.4/no-waiting.
func TestAStepIsSavedBeforeTheUpdateStartsAndToldAfterwards(t *testing.T) {
	s := newStage(t, outdated())
	s.hook = func(n int, call string) {
		rec := s.record(prod)
		switch call {
		case "do":
			if rec.Step == nil || rec.Step.ID != "" || rec.Busy.By != "first" || !rec.Busy.Until.After(noon) {
				t.Errorf("while UpdateAddon is called the record has the step %+v and is busy with %+v", rec.Step, rec.Busy)
			}
		case "tell":
			if rec.Step == nil || rec.Step.ID != "update-1" || len(rec.Outbox) != 2 || rec.Busy.By != "first" {
				t.Errorf("while people are told the record has the step %+v, %d messages and is busy with %+v", rec.Step, len(rec.Outbox), rec.Busy)
			}
		}
	}
	s.run(s.engine("first"))
	s.wantChanges("save", "slot", "do update add-on of prod", "save", "tell update started of update-progress", "tell opened of version-outdated", "save")
	if rec := s.record(prod); len(rec.Outbox) != 0 || rec.Busy != (guard.Busy{}) || rec.Step == nil {
		t.Errorf("at the end there are %d messages, the step %+v and busy %+v", len(rec.Outbox), rec.Step, rec.Busy)
	}
}

// Fact 2.4/no-waiting.
func TestAStepInFlightIsReadBeforeAnythingElseIsDone(t *testing.T) {
	s := newStage(t, outdated())
	s.run(s.engine("first"))
	if s.count("settle") != 0 {
		t.Error("an update was looked for before there was a step")
	}
	s.now = s.now.Add(time.Minute)
	s.run(s.engine("second"))
	if s.count("do") != 1 {
		t.Errorf("UpdateAddon was called %d times while one update is in flight", s.count("do"))
	}
	s.updated()
	s.now = s.now.Add(time.Minute)
	s.run(s.engine("third"))
	if s.count("settle") != 2 {
		t.Errorf("the update was looked for %d times in 2 checks", s.count("settle"))
	}
	var news []guard.News
	for _, m := range s.told {
		news = append(news, m.News)
	}
	if want := []guard.News{guard.Started, guard.Opened, guard.Updated, guard.Recovered}; !slices.Equal(news, want) {
		t.Errorf("told %v, want %v", news, want)
	}
}

func TestBusyLastsUntilHalfAMinuteAfterTheDeadline(t *testing.T) {
	for name, c := range map[string]struct {
		ctx  context.Context
		want time.Time
	}{
		"of the invocation":                        {dated{t.Context(), noon.Add(10 * time.Minute)}, noon.Add(10*time.Minute + 30*time.Second)},
		"of five minutes where nobody has set any": {t.Context(), noon.Add(5*time.Minute + 30*time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, outdated())
			var got []guard.Busy
			s.hook = func(_ int, call string) {
				if call == "do" || call == "tell" {
					got = append(got, s.record(prod).Busy)
				}
			}
			if _, err := s.engine("first").Check(c.ctx, prod); err != nil {
				t.Fatal(err)
			}
			for _, b := range got {
				if b != (guard.Busy{By: "first", Until: c.want}) {
					t.Errorf("busy with %+v, want until %s", b, c.want)
				}
			}
			if len(got) != 3 {
				t.Errorf("%d changes", len(got))
			}
		})
	}
}

// dated has a deadline that never ends it.
type dated struct {
	context.Context
	at time.Time
}

func (d dated) Deadline() (time.Time, bool) { return d.at, true }

func TestAHaltBetweenDecisionAndActionStopsTheUpdate(t *testing.T) {
	halt := guard.Order{Kind: guard.Halting, By: "ana", Because: "incident", At: noon}
	unread := errors.New("the table is throttled")
	for name, prepare := range map[string]func(*stage){
		"a person halts the fleet": func(s *stage) {
			s.hook = at(1, "save", func() { _ = s.Order(t.Context(), prod, halt) })
		},
		"the halt cannot be read any more": func(s *stage) {
			s.fails = func(n int, call string) error {
				if call == "fleet" && n == 2 {
					return unread
				}
				return nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, outdated())
			prepare(s)
			s.run(s.engine("first"))
			if s.count("do") != 0 {
				t.Errorf("the add-on was changed: %v", s.calls)
			}
			rec := s.record(prod)
			if rec.Step != nil || rec.Failed.Tries != 0 {
				t.Errorf("what was not tried left the step %+v and %d failed tries", rec.Step, rec.Failed.Tries)
			}
			if due := rec.Wake(); due.IsZero() || due.After(noon.Add(10*time.Minute)) {
				t.Errorf("the next look is at %s", due)
			}
			s.hook, s.fails = nil, nil
			if err := s.Order(t.Context(), prod, guard.Order{Kind: guard.Resuming, By: "ana"}); err != nil {
				t.Fatal(err)
			}
			if s.run(s.engine("second")); s.count("do") != 1 {
				t.Error("after the halt's end there was no update")
			}
		})
	}
}

// Its sweep may have looked at the cluster already, and said that no alarm is left.
func TestATeardownBetweenDecisionAndActionStopsTheAlarm(t *testing.T) {
	for kind, put := range map[guard.OrderKind]bool{guard.TearingDown: false, guard.Halting: true} {
		t.Run(string(kind), func(t *testing.T) {
			seen := fine()
			seen.Alarms = guard.Read([]alarm.Standing{})
			s := newStage(t, seen)
			s.hook = at(1, "observe", func() { _ = s.Order(t.Context(), prod, guard.Order{Kind: kind, By: "ana", Because: "b", At: noon}) })
			s.run(s.engine("first"))
			if done := s.count("do") > 0; done != put {
				t.Errorf("the alarm was put: %v; calls %v", done, s.calls)
			}
		})
	}
}

func TestBulkStartsNoUpdateAndHandsItOn(t *testing.T) {
	s := newStage(t, outdated())
	s.run(s.bulk())
	s.wantChanges("wake")
	s.wantWoken(checkOf("prod"))
}

func TestBulkDoesWhatIsNoUpdate(t *testing.T) {
	seen := fine()
	seen.Alarms = guard.Read[[]alarm.Standing](nil)
	s := newStage(t, seen)
	s.run(s.bulk())
	s.wantChanges("do put alarm of prod", "save")
	s.wantWoken()
}

func TestAnUnknownClusterThatDoesNotExistLeavesNothing(t *testing.T) {
	s := newStage(t, gone())
	s.run(s.engine("first"))
	s.wantChanges()
}

func TestAnUnknownClusterThatDoesNotExistLosesTheAlarmItLeftBehind(t *testing.T) {
	seen := gone()
	seen.Alarms = guard.Read([]alarm.Standing{{Spec: kept(prod), State: alarm.InsufficientData, Since: noon}})
	s := newStage(t, seen)
	s.run(s.engine("first"))
	s.wantChanges("do drop alarm of prod", "save")
	if !s.record(prod).Gone {
		t.Error("the record is not marked as that of a cluster that is gone")
	}
}

func TestAKnownClusterThatIsGoneIsRemembered(t *testing.T) {
	s := newStage(t, fine())
	s.run(s.engine("first"))
	delete(s.seen, prod)
	s.run(s.engine("second"))
	if rec := s.record(prod); !rec.Gone || rec.Verdict.Word != guard.Gone {
		t.Errorf("the verdict is %s, gone is %v", rec.Verdict.Word, rec.Gone)
	}
}
