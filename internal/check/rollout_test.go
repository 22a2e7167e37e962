package check_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/policy"
)

// spread is the fleet's updates, as the ledger has them.
func (s *stage) spread() guard.Rollout {
	s.t.Helper()
	r, err := s.Memory.Rollout(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// takes has another cluster take a slot.
func (s *stage) takes(name string) {
	s.t.Helper()
	r := s.spread().Take(named(name), policy.Last, guard.Step{Token: name}, s.now)
	if err := s.Memory.SaveRollout(s.t.Context(), r); err != nil {
		s.t.Error(err)
	}
}

func TestASlotIsTakenBeforeTheUpdateAndGivenBackAfterIt(t *testing.T) {
	s := newStage(t, outdated())
	s.hook = at(1, "do", func() {
		if r := s.spread(); len(r.InFlight) != 1 || r.InFlight[0].Cluster != prod {
			t.Errorf("in flight: %+v", r.InFlight)
		}
	})
	s.run(s.engine("first"))
	if s.count("do") != 1 || len(s.spread().InFlight) != 1 {
		t.Errorf("updated %d times; in flight %+v", s.count("do"), s.spread().InFlight)
	}
	s.updated()
	s.run(s.engine("second"))
	if r := s.spread(); len(r.InFlight) != 0 || len(r.Started) != 1 {
		t.Errorf("after the update: %+v", r)
	}
}

func TestOfTwoThatSeeTheLastSlotFreeOneUpdates(t *testing.T) {
	s := newStage(t, outdated())
	s.hook = at(1, "slot", func() { s.takes("other") })
	s.run(s.engine("first"))
	rec := s.record(prod)
	if s.count("do") > 0 || rec.Step != nil {
		t.Errorf("it is updated: %+v", rec.Step)
	}
	if why := rec.Verdict.Change.Because; !strings.Contains(why, "1 of 1 updates are in flight in this region: 111122223333/eu-central-1/other") {
		t.Errorf("because %q", why)
	}
	if rec.Due.IsZero() || rec.Due.After(noon.Add(time.Hour)) {
		t.Errorf("looked at again at %s", rec.Due)
	}
}

func TestWithoutTheFleetsUpdatesNothingIsUpdated(t *testing.T) {
	down := &fault.Fault{Kind: fault.Retry, Op: "dynamodb:GetItem", Code: "InternalServerError"}
	for name, fails := range map[string]func(int, string) error{
		"when it is decided":           failing("rollout", down),
		"right before the call":        func(n int, call string) error { return map[bool]error{true: down}[call == "rollout" && n == 2] },
		"when the slot is to be taken": failing("slot", down),
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, outdated())
			s.fails = fails
			s.run(s.engine("first"))
			rec := s.record(prod)
			if s.count("do") > 0 || rec.Step != nil || !strings.Contains(rec.Verdict.Change.Because, "InternalServerError") {
				t.Errorf("updated %d times; change: %+v", s.count("do"), rec.Verdict.Change)
			}
		})
	}
}

func TestASlotThatWasNotGivenBackIsAtTheNextCheck(t *testing.T) {
	s := newStage(t, outdated())
	s.run(s.engine("first"))
	s.updated()
	s.fails = failing("slot", &fault.Fault{Kind: fault.Retry, Op: "dynamodb:PutItem", Code: "InternalServerError"})
	s.run(s.engine("second"))
	if len(s.spread().InFlight) != 1 {
		t.Fatal("the save did not fail")
	}
	s.fails = nil
	s.run(s.engine("third"))
	if r := s.spread(); len(r.InFlight) > 0 {
		t.Errorf("in flight: %+v", r.InFlight)
	}
}

func TestAFailureStopsTheFleetUntilSomebodyResumes(t *testing.T) {
	s := newStage(t, outdated())
	s.policy = rolling(t, policy.RolloutDocument{Budget: policy.BudgetDocument{Failures: new(1)}})
	s.outcome = func(a guard.Action) guard.Outcome {
		return guard.Outcome{Action: a, At: s.now, Fault: &fault.Fault{Kind: fault.Terminal, Op: "eks:UpdateAddon", Code: "InvalidParameterException"}}
	}
	s.run(s.engine("first"))
	if r := s.spread(); len(r.Failed) != 1 || len(r.InFlight) != 0 {
		t.Fatalf("%+v", r)
	}
	s.now = noon.Add(time.Hour)
	s.run(s.engine("second"))
	s.run(s.engine("third"))
	halted := 0
	for _, m := range s.told {
		if m.Finding.Code == guard.UpdatesHalted && m.News == guard.Opened {
			halted++
		}
	}
	if halted != 1 {
		t.Errorf("people are told %d times", halted)
	}
	s.seen[named("other")] = outdated()
	if _, err := s.engine("fourth").Check(t.Context(), named("other")); err != nil {
		t.Fatal(err)
	}
	if by := s.breaker("other"); !strings.Contains(by, "/prod failed") {
		t.Errorf("another cluster waits because %q", by)
	}
	resume, err := guard.Command(guard.Resuming, "ann", "understood", noon.Add(90*time.Minute))
	if err == nil {
		err = s.Order(t.Context(), prod, resume)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.now, s.outcome = noon.Add(2*time.Hour), nil
	if _, err := s.engine("fifth").Check(t.Context(), named("other")); err != nil {
		t.Fatal(err)
	}
	if by := s.breaker("other"); by != "" {
		t.Errorf("after somebody resumed: %q", by)
	}
}

// breaker is why failures of others hold a cluster's update; empty: they do not.
func (s *stage) breaker(name string) string {
	for _, h := range s.record(named(name)).Held {
		for _, by := range h.By {
			if by.Gate == "breaker" {
				return by.Text
			}
		}
	}
	return ""
}

// rolling is the stage's policy with a rollout.
func rolling(t *testing.T, r policy.RolloutDocument) *policy.Policy {
	t.Helper()
	p, err := policy.Compile(policy.Document{
		Version: 1, Fleet: []policy.Member{{Account: unit.Account, Regions: []string{unit.Region, "eu-west-1"}}}, Rollout: r,
		Defaults: policy.Set{Mode: new("auto"), Owner: new("cniguard")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestASweepCountsWavesAndFreesTheSlotsOfTheDead(t *testing.T) {
	s := newStage(t, fine())
	s.policy = rolling(t, policy.RolloutDocument{Waves: []policy.WaveDocument{
		{Name: "first", Match: policy.Match{Clusters: []string{"prod"}}}, {Name: "second", Match: policy.Match{Clusters: []string{"shop"}}},
	}})
	s.takes("dead")
	s.listed = []string{"prod"}
	s.begin(run1)
	s.work(all)
	r := s.spread()
	if len(r.InFlight) != 0 || !r.Looked.Equal(noon) {
		t.Errorf("in flight %+v, looked %s", r.InFlight, r.Looked)
	}
	if len(r.Waves) != 2 || r.Waves[0].Clusters == 0 || r.Waves[0].Done != r.Waves[0].Clusters || r.Waves[1].Clusters != 0 {
		t.Errorf("waves: %+v", r.Waves)
	}
}

func TestPeopleAreToldThatNoSlotCanBeWritten(t *testing.T) {
	for name, down := range map[string]*fault.Fault{
		"access is denied":          {Kind: fault.Terminal, Op: "dynamodb:PutItem", Code: "AccessDeniedException", Need: "dynamodb:PutItem"},
		"DynamoDB does not take it": {Kind: fault.Terminal, Op: "dynamodb:PutItem", Code: "ValidationException"},
		"the answers are lost":      {Kind: fault.Retry, Op: "dynamodb:PutItem", Code: "InternalServerError", InDoubt: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, outdated())
			s.fails = failing("slot", down)
			for range 5 {
				s.run(s.engine("a check"))
				s.now = s.now.Add(10 * time.Minute)
			}
			rec := s.record(prod)
			if s.count("do") > 0 || rec.Step != nil || rec.Aside != nil || rec.Failed.Tries > 0 {
				t.Errorf("a try is counted: %+v", rec)
			}
			told := slices.IndexFunc(s.told, func(m guard.Message) bool { return m.Finding.Code == guard.UpdateBlocked })
			if told < 0 {
				t.Fatal("people are not told")
			}
			want := map[string]string{"code": fault.NoSlot, "need": down.Need}
			for _, f := range s.told[told].Finding.Facts {
				if w, ok := want[f.Name]; ok && f.Value == w {
					delete(want, f.Name)
				}
			}
			if delete(want, map[bool]string{true: "need"}[down.Need == ""]); len(want) > 0 {
				t.Errorf("of %v only this is said: %+v", want, s.told[told].Finding.Facts)
			}
		})
	}
}

func TestWhoFollowsLateFreesNoSlotOfTheNextStep(t *testing.T) {
	s := newStage(t, outdated())
	s.run(s.engine("first"))
	s.updated()
	next := guard.Step{Token: "the next step", Since: noon}
	taken := false
	s.hook = at(s.count("slot")+1, "slot", func() { // another check takes the next step after this one's record was saved
		taken = true
		s.meddle(prod, func(r *guard.Record) { r.Step = &next })
		if err := s.Memory.SaveRollout(t.Context(), s.spread().Take(prod, policy.Last, next, noon)); err != nil {
			t.Error(err)
		}
	})
	s.run(s.engine("second"))
	if r := s.spread(); !taken || len(r.InFlight) != 1 || r.InFlight[0].Step != next.Token {
		t.Errorf("taken: %t; in flight: %+v", taken, r.InFlight)
	}
}
