package world_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/world"
)

// deploy deploys a function whose environments all run the same handler.
func (s *stage) deploy(timeout time.Duration, h world.Handler) {
	s.Deploy(world.Function{Name: "f", Timeout: timeout, Boot: func() world.Handler { return h }})
}

func (s *stage) invoke(raw string) {
	if err := s.Invoke("f", []byte(raw)); err != nil {
		s.Error(err)
	}
}

func (s *stage) invocations() string {
	return timeline(s.entries(world.Invoked, ""), func(e world.Entry) string {
		return fmt.Sprintf("%s %d", e.What, e.Data.(world.Try).Number)
	})
}

func (s *stage) expect(want string) {
	s.Helper()
	if diff := cmp.Diff(strings.Split(want, ", "), strings.Split(s.invocations(), ", ")); diff != "" {
		s.Error(diff)
	}
}

func TestAnErrorIsTriedAgainAfterOneAndTwoMinutesAndThenGoesToTheFailureQueue(t *testing.T) {
	s := set(t, 1, nil)
	request := ""
	s.deploy(time.Minute, func(ctx context.Context, _ []byte) error {
		lc, _ := lambdacontext.FromContext(ctx)
		if request != "" && lc.AwsRequestID != request {
			t.Errorf("the request id %s has become %s", request, lc.AwsRequestID)
		}
		request = lc.AwsRequestID
		_ = s.clock.Sleep(ctx, 10*time.Second)
		return errors.New("no")
	})
	s.invoke(`{"a":1}`)
	s.until(time.Hour)
	s.expect("0s start 1, 10s error 1, 1m10s start 2, 1m20s error 2, 3m20s start 3, 3m30s error 3, 3m30s to the failure queue 3")
	want := []world.Failure{{
		At: noon.Add(3*time.Minute + 30*time.Second), Function: "f", Request: request,
		Condition: "RetriesExhausted", Tries: 3, Error: "no", Event: []byte(`{"a":1}`),
	}}
	if diff := cmp.Diff(want, s.FailureQueue()); diff != "" {
		t.Error(diff)
	}
}

func TestATryThatSucceedsEndsTheMatter(t *testing.T) {
	s := set(t, 1, nil)
	tries := 0
	s.deploy(time.Minute, func(context.Context, []byte) error {
		if tries++; tries < 3 {
			return errors.New("not yet")
		}
		return nil
	})
	s.invoke("{}")
	s.until(time.Hour)
	s.expect("0s start 1, 0s error 1, 1m0s start 2, 1m0s error 2, 3m0s start 3, 3m0s ok 3")
	if len(s.FailureQueue()) != 0 {
		t.Error(s.FailureQueue())
	}
}

func TestTheTimeOutKillsWithoutDeferredCallsAndTakesTheEnvironment(t *testing.T) {
	s := set(t, 1, nil)
	boots, deferred := 0, false
	s.Deploy(world.Function{Name: "f", Timeout: 30 * time.Second, Boot: func() world.Handler {
		boots++
		return func(ctx context.Context, _ []byte) error {
			defer func() { deferred = true }()
			if deadline, ok := ctx.Deadline(); !ok || !deadline.Equal(s.Now().Add(30*time.Second)) {
				t.Errorf("deadline %v, %t", deadline, ok)
			}
			return s.clock.Sleep(context.WithoutCancel(ctx), time.Hour) // does not look at its deadline
		}
	}})
	s.invoke("{}")
	s.until(2 * time.Hour)
	s.expect("0s start 1, 30s timed out 1, 1m30s start 2, 2m0s timed out 2, 4m0s start 3, 4m30s timed out 3, 4m30s to the failure queue 3")
	if deferred || boots != 3 {
		t.Errorf("deferred call ran: %t; %d environments were booted, want 3", deferred, boots)
	}
}

func TestAHandlerThatHeedsItsDeadlineIsNotKilledBeforeIt(t *testing.T) {
	s := set(t, 1, nil)
	s.deploy(30*time.Second, func(ctx context.Context, _ []byte) error {
		return s.clock.Sleep(ctx, 30*time.Second-time.Nanosecond)
	})
	s.invoke("{}")
	s.until(time.Hour)
	if got := s.invocations(); got != "0s start 1, 29.999999999s ok 1" {
		t.Error(got)
	}
}

func TestACrashIsTriedAgainAsAnError(t *testing.T) {
	s := set(t, 1, nil)
	s.deploy(time.Minute, func(ctx context.Context, _ []byte) error {
		return s.Through(ctx, caller, "ledger:Save", func() error { return nil })
	})
	s.CrashAt(1, false)
	s.invoke("{}")
	s.until(time.Hour)
	s.expect("0s start 1, 0s killed 1, 1m0s start 2, 1m0s ok 2")
}

func TestEnvironmentsServeOneInvocationAtATimeAndAreUsedAgain(t *testing.T) {
	s := set(t, 1, nil)
	boots := 0
	var seen []string
	s.Deploy(world.Function{Name: "f", Timeout: time.Minute, Boot: func() world.Handler {
		boots++
		me, busy := boots, false
		return func(ctx context.Context, raw []byte) error {
			if busy {
				t.Errorf("environment %d serves two invocations", me)
			}
			busy = true
			seen = append(seen, fmt.Sprintf("%s in %d", raw, me))
			_ = s.clock.Sleep(ctx, 10*time.Second)
			busy = false
			return nil
		}
	}})
	s.invoke("first")
	s.until(5 * time.Second)
	s.invoke("second, at the same time")
	s.until(time.Minute)
	s.invoke("third, afterwards")
	s.until(119 * time.Minute)
	s.invoke("fourth, still warm")
	s.until(121 * time.Minute)
	s.invoke("fifth, when the environments are old")
	s.until(3 * time.Hour)
	want := []string{"first in 1", "second, at the same time in 2", "third, afterwards in 2", "fourth, still warm in 2", "fifth, when the environments are old in 3"}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
}

func TestAFunctionWithoutRoomIsWaitedFor(t *testing.T) {
	s := set(t, 1, nil)
	running, most := 0, 0
	s.Deploy(world.Function{Name: "f", Timeout: time.Minute, Concurrency: 2, Boot: func() world.Handler {
		return func(ctx context.Context, _ []byte) error {
			running++
			most = max(most, running)
			_ = s.clock.Sleep(ctx, 20*time.Second)
			running--
			return nil
		}
	}})
	for range 10 {
		s.invoke("{}")
	}
	s.until(time.Hour)
	if done := len(s.entries(world.Invoked, "ok")); done != 10 || most != 2 {
		t.Errorf("%d done, at most %d at a time; want 10, 2", done, most)
	}
}

func TestWhatFindsNoRoomForSixHoursIsGivenUp(t *testing.T) {
	s := set(t, 1, nil)
	s.Deploy(world.Function{Name: "f", Timeout: 10 * time.Hour, Concurrency: 1, Boot: func() world.Handler {
		return func(ctx context.Context, _ []byte) error { return s.clock.Sleep(ctx, 9*time.Hour) }
	}})
	s.invoke("runs")
	s.invoke("waits")
	s.until(10 * time.Hour)
	if q := s.FailureQueue(); len(q) != 1 || q[0].Condition != "EventAgeExceeded" || string(q[0].Event) != "waits" || q[0].Tries != 0 {
		t.Errorf("%+v", q)
	}
}

func TestAnInvocationMayComeTwiceUnderOneRequestID(t *testing.T) {
	s := set(t, 1, func(spec *world.Spec) { spec.Behaviour.InvocationsDoubled = 1 })
	var ids []string
	s.deploy(time.Minute, func(ctx context.Context, _ []byte) error {
		lc, _ := lambdacontext.FromContext(ctx)
		ids = append(ids, lc.AwsRequestID)
		return nil
	})
	s.invoke("{}")
	s.until(time.Hour)
	if len(ids) != 2 || ids[0] != ids[1] {
		t.Errorf("request ids %v, want the same twice", ids)
	}
}

func TestANewDeploymentHasNewEnvironments(t *testing.T) {
	s := set(t, 1, nil)
	var seen []string
	version := func(v string) {
		s.deploy(time.Minute, func(context.Context, []byte) error { seen = append(seen, v); return nil })
	}
	version("old")
	s.invoke("{}")
	s.until(time.Second)
	version("new")
	s.invoke("{}")
	s.until(time.Minute)
	if diff := cmp.Diff([]string{"old", "new"}, seen); diff != "" {
		t.Error(diff)
	}
	if s.Invoke("g", nil) == nil {
		t.Error("a function that is not there could be invoked")
	}
}

func TestSchedules(t *testing.T) {
	s := set(t, 1, nil)
	var seen []string
	s.deploy(time.Minute, func(_ context.Context, raw []byte) error {
		seen = append(seen, s.Now().Sub(noon).String()+" for "+string(raw))
		return nil
	})
	tick := world.Schedule{Name: "tick", Every: 5 * time.Minute, First: 2 * time.Minute, Function: "f", Input: func(at time.Time) []byte {
		return []byte(at.Sub(noon).String())
	}}
	s.until(3 * time.Minute)
	if err := s.Schedule(tick); err != nil {
		t.Fatal(err)
	}
	s.until(17 * time.Minute)
	if diff := cmp.Diff([]string{"7m0s for 7m0s", "12m0s for 12m0s", "17m0s for 17m0s"}, seen); diff != "" {
		t.Error(diff)
	}
	seen = nil
	if err := s.Schedule(tick); err != nil {
		t.Fatal(err)
	}
	s.until(18 * time.Minute)
	if diff := cmp.Diff([]string{"17m0s for 17m0s"}, seen); diff != "" {
		t.Errorf("started at one of its instants: %s", diff)
	}
	for name, bad := range map[string]world.Schedule{
		"no rate":     {Name: "a", Function: "f"},
		"no function": {Name: "b", Every: time.Minute, Function: "g"},
	} {
		if s.Schedule(bad) == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
