package check_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

// dead is what a process dies of.
type dead struct{}

// invoke runs one check as Lambda does, in an invocation that may die or fail. Either is tried again.
func (s *stage) invoke(by string) (ok bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, died := r.(dead); !died {
				panic(r)
			}
			ok = false
		}
	}()
	_, err := s.engine(by).Check(s.t.Context(), prod)
	return err == nil
}

// live lets a day of ticks pass after an event, until the cluster is updated and quiet. It returns how many calls were made.
func (s *stage) live() int {
	s.t.Helper()
	retry := true
	for tick := range 24 * 12 {
		due, err := s.Memory.Due(s.t.Context(), s.now)
		if err != nil {
			s.t.Fatal(err)
		}
		if retry || len(due) > 0 || tick%72 == 0 {
			retry = !s.invoke(fmt.Sprint("invocation ", tick))
		}
		s.now = s.now.Add(5 * time.Minute)
		if s.update != nil && s.update.Status == "InProgress" && s.now.Sub(s.update.Created) >= 20*time.Minute {
			s.updated()
		}
	}
	return len(s.calls)
}

// wantUpdatedAndTold wants that everything has come to its end. Deaths is how often a process died or an answer was lost.
func (s *stage) wantUpdatedAndTold(deaths int) {
	s.t.Helper()
	if n := s.count("do update"); n != 1 {
		s.t.Errorf("UpdateAddon was called %d times", n)
	}
	rec := s.record(prod)
	if rec.Step != nil || rec.Proved.Version != "v1.8.0-eksbuild.1" || len(rec.Outbox) > 0 || rec.Busy != (guard.Busy{}) || rec.Again {
		s.t.Errorf("left: step %+v, proved %+v, %d messages, busy %+v, again %v", rec.Step, rec.Proved, len(rec.Outbox), rec.Busy, rec.Again)
	}
	if rec.Aside != nil || rec.Failed.Tries > 0 {
		s.t.Errorf("a death counted as a failed try: %+v %+v", rec.Aside, rec.Failed)
	}
	s.wantEachTold(s.told, deaths)
	for _, p := range s.others {
		s.wantEachTold(p.told, deaths)
	}
}

// wantEachTold wants that a topic got every message of the update, and again only what one invocation tells for each death.
func (s *stage) wantEachTold(told []guard.Message, deaths int) {
	s.t.Helper()
	keys := map[string]guard.News{}
	var news []guard.News
	for _, m := range told {
		if _, again := keys[m.Key]; !again {
			news = append(news, m.News)
		}
		keys[m.Key] = m.News
	}
	slices.Sort(news)
	want := []guard.News{guard.Opened, guard.Recovered, guard.Started, guard.Updated}
	if !slices.Equal(news, want) {
		s.t.Errorf("told %v, want each of %v once", news, want)
	}
	if twice := len(told) - len(keys); twice > 2*deaths { // at most what one invocation tells
		s.t.Errorf("%d messages were told twice after %d deaths", twice, deaths)
	}
}

func TestAProcessMayDieBeforeAnyCallAndNothingIsLostOrDoneTwice(t *testing.T) {
	whole := newStage(t, outdated()).beside("chat")
	calls := whole.live()
	whole.wantUpdatedAndTold(0)
	for n := range calls {
		t.Run(fmt.Sprintf("before call %d: %s", n+1, whole.calls[n]), func(t *testing.T) {
			s := newStage(t, outdated()).beside("chat")
			died := false
			s.hook = func(int, string) {
				if len(s.calls) == n+1 && !died {
					died = true
					s.calls = s.calls[:n] // it was not made
					panic(dead{})
				}
			}
			s.live()
			s.wantUpdatedAndTold(1)
			if began := s.update.Created; began.After(noon.Add(30 * time.Minute)) {
				t.Errorf("the update began only at %s", began)
			}
		})
	}
}

func TestTheAnswerOfAnySaveMayBeLost(t *testing.T) {
	whole := newStage(t, outdated()).beside("chat")
	whole.live()
	for n := range whole.count("save") {
		t.Run(fmt.Sprintf("of save %d", n+1), func(t *testing.T) {
			s := newStage(t, outdated()).beside("chat")
			s.lost = func(i int) bool { return i == n+1 }
			s.live()
			s.wantUpdatedAndTold(1)
		})
	}
}

func TestAnyCallOfTheLedgerMayFail(t *testing.T) {
	whole := newStage(t, outdated()).beside("chat")
	whole.live()
	for _, kind := range []string{"load", "save", "orders", "fleet", "tell", "chat"} {
		for n := range whole.count(kind) {
			t.Run(fmt.Sprintf("%s %d", kind, n+1), func(t *testing.T) {
				s := newStage(t, outdated()).beside("chat")
				s.fails = func(i int, call string) error {
					if call == kind && i == n+1 {
						return fmt.Errorf("%s %d fails", kind, i)
					}
					return nil
				}
				s.live()
				s.wantUpdatedAndTold(1)
			})
		}
	}
}

func TestAnUpdateThatIsInDoubtIsSettledByWhatAWSSays(t *testing.T) {
	for name, c := range map[string]struct {
		reached bool // UpdateAddon took effect although its answer never came
		dos     int
	}{"it was begun": {true, 1}, "it was not begun": {false, 2}} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, outdated())
			first := true
			s.outcome = func(a guard.Action) guard.Outcome {
				o := guard.Outcome{Action: a, At: s.now}
				if first {
					o.Fault = &fault.Fault{Kind: fault.Retry, Op: "eks:UpdateAddon", InDoubt: true}
					if c.reached {
						s.update = &guard.Update{ID: "update-1", Status: "InProgress", Created: s.now}
					}
				}
				first = false
				return o
			}
			s.live()
			if n := s.count("do update"); n != c.dos {
				t.Errorf("UpdateAddon was called %d times, want %d", n, c.dos)
			}
			if rec := s.record(prod); rec.Step != nil || rec.Proved.Version != "v1.8.0-eksbuild.1" {
				t.Errorf("left: step %+v, proved %+v", rec.Step, rec.Proved)
			}
			s.wantToldOnce(guard.Opened, guard.Started, guard.Updated, guard.Recovered)
		})
	}
}
