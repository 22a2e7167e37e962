package check_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/policy"
	"github.com/cniguard/cniguard/internal/telemetry"
)

func TestAConflictBeforeActingMakesTheCheckLookAndDecideAgain(t *testing.T) {
	for name, c := range map[string]struct {
		other func(*guard.Record)
		dos   int
	}{
		"and act, if the other changed nothing that matters": {func(r *guard.Record) { r.Sent++ }, 1},
		"and not act, if the other began the same step": {func(r *guard.Record) {
			r.Step = &guard.Step{Token: "other", ID: "update-0", Since: noon, Told: true}
		}, 0},
		"and not act, if the other set the cluster aside": {func(r *guard.Record) { r.Aside = &guard.Aside{Text: "enough", At: noon} }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, outdated())
			s.hook = at(1, "save", func() { s.meddle(prod, c.other) })
			s.run(s.engine("first"))
			if s.count("observe") != 2 || s.count("do") != c.dos {
				t.Errorf("looked %d times and acted %d times, want 2 and %d", s.count("observe"), s.count("do"), c.dos)
			}
		})
	}
}

func TestAConflictBeforeActingLeavesABusyClusterToTheOther(t *testing.T) {
	s := newStage(t, outdated())
	s.hook = at(1, "save", func() {
		s.meddle(prod, func(r *guard.Record) { r.Busy = guard.Busy{By: "other", Until: noon.Add(time.Minute)} })
	})
	s.run(s.engine("first"))
	s.wantChanges("save", "save")
	if rec := s.record(prod); !rec.Again || rec.Busy.By != "other" || rec.Step != nil {
		t.Errorf("again is %v, busy with %+v, step %+v", rec.Again, rec.Busy, rec.Step)
	}
}

func TestAConflictAfterActingFoldsTheOutcomeIn(t *testing.T) {
	s := newStage(t, outdated())
	other := guard.Message{Key: "other-1", News: guard.Reminded, Cluster: prod}
	s.hook = at(2, "save", func() {
		s.meddle(prod, func(r *guard.Record) { r.Outbox, r.Sent = append(r.Outbox, other), r.Sent+1 })
	})
	s.run(s.engine("first"))
	if s.count("observe") != 1 || s.count("do") != 1 {
		t.Errorf("looked %d times and acted %d times, want once", s.count("observe"), s.count("do"))
	}
	if rec := s.record(prod); rec.Step == nil || rec.Step.ID != "update-1" || len(rec.Outbox) != 0 {
		t.Errorf("the record has the step %+v and %d messages", rec.Step, len(rec.Outbox))
	}
	s.wantToldOnce(guard.Reminded, guard.Started, guard.Opened)
}

func TestWhoWasOutrunDecidesAnewOnWhatTheOtherSaved(t *testing.T) {
	bare := outdated()
	bare.Alarms = guard.Read[[]alarm.Standing](nil)
	for name, c := range map[string]struct {
		seen guard.Snapshot
		wake time.Duration // the other has proved a step; the next is watched for first
	}{
		"having done nothing":  {outdated(), guard.Soak + time.Minute},
		"having put the alarm": {bare, 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, c.seen)
			s.policy = policyOf(t, policy.Set{Mode: new("approve")}) // nothing is updated, so that nothing is said of it in between
			s.hook = at(1, "save", func() {
				s.meddle(prod, func(r *guard.Record) { r.Proved = guard.Proved{Version: "v1.7.5-eksbuild.2", At: noon} })
			})
			s.run(s.engine("first"))
			if s.count("observe") != 1 || s.count("do") > 1 {
				t.Errorf("looked %d times, acted %d times", s.count("observe"), s.count("do"))
			}
			if wake, want := s.record(prod).Wake(), noon.Add(c.wake); !wake.Equal(want) {
				t.Errorf("the next look is at %s, want %s", wake, want)
			}
		})
	}
}

func TestWhoWasOutrunLeavesItToAnotherThatLookedLater(t *testing.T) {
	s := newStage(t, outdated())
	s.policy = policyOf(t, policy.Set{Mode: new("approve")})
	s.hook = at(1, "save", func() { s.meddle(prod, func(r *guard.Record) { r.Seen = noon.Add(time.Second) }) })
	s.run(s.engine("first"))
	if s.count("observe") != 1 || s.count("save") != 1 || s.count("tell") != 0 {
		t.Errorf("looked %d times, saved %d times, told %d", s.count("observe"), s.count("save"), s.count("tell"))
	}
}

func TestWhoWasOutrunLooksAgainWhereItMayNowAct(t *testing.T) {
	s := newStage(t, outdated())
	s.meddle(prod, func(r *guard.Record) { r.Aside = &guard.Aside{Text: "enough", At: noon} })
	s.hook = at(1, "save", func() { s.meddle(prod, func(r *guard.Record) { r.Aside = nil }) })
	s.run(s.engine("first"))
	if s.count("observe") != 2 || s.count("do") != 1 {
		t.Errorf("looked %d times, acted %d times", s.count("observe"), s.count("do"))
	}
}

// wantToldOnce wants exactly these news, each once and each under a key of its own.
func (s *stage) wantToldOnce(news ...guard.News) {
	s.t.Helper()
	had, keys := map[guard.News]int{}, map[string]bool{}
	for _, m := range s.told {
		had[m.News]++
		if keys[m.Key] {
			s.t.Errorf("%s was told twice", m.Key)
		}
		keys[m.Key] = true
	}
	for _, n := range news {
		if had[n] != 1 {
			s.t.Errorf("%q was told %d times", n, had[n])
		}
		delete(had, n)
	}
	if len(had) > 0 {
		s.t.Errorf("told besides: %v", had)
	}
}

func TestHoweverOftenOthersSaveAfterTheActionNothingIsDoneOrToldTwice(t *testing.T) {
	const others = 12 // each of them saves once while it finds the record busy
	for _, when := range []string{"before the conclusion", "while people are told"} {
		t.Run(when, func(t *testing.T) {
			s := newStage(t, outdated())
			n, told := 0, false
			s.hook = func(i int, call string) {
				told = told || call == "tell"
				if call == "save" && i > 1 && n < others && (told || when == "before the conclusion") {
					n++
					s.meddle(prod, func(r *guard.Record) { r.Again = true })
					if n == others { // one more look is not the matter here
						s.meddle(prod, func(r *guard.Record) { r.Again = false })
					}
				}
			}
			s.run(s.engine("first"))
			if s.count("do") != 1 {
				t.Errorf("acted %d times", s.count("do"))
			}
			s.wantToldOnce(guard.Started, guard.Opened)
			if rec := s.record(prod); len(rec.Outbox) != 0 || rec.Busy != (guard.Busy{}) || rec.Step == nil || rec.Step.ID == "" {
				t.Errorf("%d messages are left, busy with %+v, step %+v", len(rec.Outbox), rec.Busy, rec.Step)
			}
		})
	}
}

func TestEndlessConflictsBeforeActingEndInAWakeUp(t *testing.T) {
	s := newStage(t, outdated())
	s.hook = func(_ int, call string) {
		if call == "save" {
			s.meddle(prod, func(r *guard.Record) { r.Sent++ })
		}
	}
	s.run(s.engine("first"))
	if s.count("do") != 0 || s.count("save") > 20 {
		t.Errorf("acted %d times, tried to save %d times", s.count("do"), s.count("save"))
	}
	s.wantWoken(checkOf("prod"))
	if got, want := conflicts(s), s.count("save"); got != want {
		t.Errorf("%d conflicts were counted of %d", got, want)
	}
}

func TestEndlessConflictsAfterActingEndInAnErrorAndNothingIsDoneTwice(t *testing.T) {
	s := newStage(t, outdated())
	s.hook = func(n int, call string) {
		if call == "save" && n > 1 {
			s.meddle(prod, func(r *guard.Record) { r.Sent++ })
		}
	}
	if _, err := s.engine("first").Check(t.Context(), prod); err == nil {
		t.Error("nothing says that the outcome was not saved")
	}
	if s.count("do") != 1 || s.count("observe") != 1 || s.count("tell") != 0 {
		t.Errorf("acted %d times, looked %d times, told %d", s.count("do"), s.count("observe"), s.count("tell"))
	}
}

func TestWhatAFailureLeavesOutOfTheRowIsNotInFlight(t *testing.T) {
	seen := outdated()
	seen.Pods.Value.Subnets, seen.Pods.Value.Exempt = nil, "IPv6 cluster"
	seen.Alarms = guard.Read([]alarm.Standing{{Spec: kept(prod), State: alarm.OK, Since: noon}})
	s := newStage(t, seen)
	s.outcome = func(a guard.Action) guard.Outcome {
		f := &fault.Fault{Kind: fault.Terminal, Op: "cloudwatch:DeleteAlarms", Code: "AccessDenied", Need: "cloudwatch:DeleteAlarms"}
		return guard.Outcome{Action: a, Fault: f, At: noon}
	}
	s.run(s.engine("first"))
	if s.count("do drop") != 1 || s.count("do update") != 0 {
		t.Fatalf("changed %v", s.changes())
	}
	if rec := s.record(prod); rec.Step != nil {
		t.Errorf("the record says that %+v is in flight", rec.Step)
	}
}

func TestAFailureToSaveWhatWasDoneIsAnErrorAndNothingIsLost(t *testing.T) {
	down := errors.New("dynamodb is down")
	for n := 2; n <= 3; n++ {
		t.Run(fmt.Sprintf("at save %d", n), func(t *testing.T) {
			s := newStage(t, outdated())
			s.fails = func(i int, call string) error {
				if call == "save" && i == n {
					return down
				}
				return nil
			}
			if _, err := s.engine("first").Check(t.Context(), prod); !errors.Is(err, down) {
				t.Fatalf("error %v", err)
			}
			if rec := s.record(prod); rec.Step == nil || !rec.Wake().After(noon) {
				t.Fatalf("the step is %+v, to be looked at %s", rec.Step, rec.Wake())
			}
			s.now = s.record(prod).Wake()
			s.run(s.engine("second"))
			if s.count("do") != 1 {
				t.Errorf("UpdateAddon was called %d times", s.count("do"))
			}
			// People who were told before the save failed are told again, with the same key.
			had := map[string]guard.News{}
			for _, m := range s.told {
				had[m.Key] = m.News
			}
			if len(had) != 2 {
				t.Errorf("told %v", had)
			}
		})
	}
}

// conflicts is what was counted under that name.
func conflicts(s *stage) int { return counted(s)[telemetry.Conflicts] }
