package clock_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/quick"
	"testing/synctest"
	"time"

	"github.com/cniguard/cniguard/internal/clock"
)

func TestNowIsInUTC(t *testing.T) {
	before := time.Now()
	now := clock.Real{}.Now()
	if now.Location() != time.UTC {
		t.Errorf("the instant is in %s", now.Location())
	}
	if now.Before(before.Add(-time.Second)) || now.After(time.Now().Add(time.Second)) {
		t.Errorf("the clock says %s at %s", now, before)
	}
}

func TestSleepWaitsForItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if err := (clock.Real{}).Sleep(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		if slept := time.Since(start); slept != time.Hour {
			t.Errorf("slept %s", slept)
		}
	})
}

func TestSleepEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, cancel := clock.Real{}.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := (clock.Real{}).Sleep(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want the context's", err)
		}
		if slept := time.Since(start); slept != time.Minute {
			t.Errorf("slept %s", slept)
		}
	})
}

func TestParallelRunsSideBySideWaitsForAllAndJoinsTheErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := errors.New("one"), errors.New("two")
		var ended atomic.Int32
		after := func(d time.Duration, err error) func(context.Context) error {
			return func(ctx context.Context) error {
				_ = clock.Real{}.Sleep(ctx, d)
				ended.Add(1)
				return err
			}
		}
		start := time.Now()
		err := clock.Real{}.Parallel(t.Context(), after(time.Second, one), after(3*time.Second, nil), after(2*time.Second, two))
		if !errors.Is(err, one) || !errors.Is(err, two) {
			t.Errorf("error %v, want both", err)
		}
		if ended.Load() != 3 {
			t.Errorf("%d of 3 ran to their end: a failure must not end the others", ended.Load())
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("took %s, want as long as the longest", took)
		}
	})
}

func TestParallelPassesItsContextOn(t *testing.T) {
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, "mine")
	err := clock.Real{}.Parallel(ctx, func(ctx context.Context) error {
		if ctx.Value(key{}) != "mine" {
			return errors.New("another context")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestNothingToRunIsNoError(t *testing.T) {
	if err := (clock.Real{}).Parallel(t.Context()); err != nil {
		t.Error(err)
	}
	if err := (clock.Real{}).Parallel(t.Context(), clock.Limit(4, nil)...); err != nil {
		t.Error(err)
	}
}

func TestLimitRunsAllOnceAtMostNAtATimeAndJoinsTheErrors(t *testing.T) {
	limited := func(seed uint64) bool {
		r := rand.New(rand.NewPCG(seed, 1))
		n, size := 1+r.IntN(5), r.IntN(20)
		ran := make([]atomic.Int32, size)
		errs := make([]error, size)
		var now, most atomic.Int32
		fns := make([]func(context.Context) error, size)
		for i := range fns {
			if r.IntN(2) == 0 {
				errs[i] = fmt.Errorf("%d", i)
			}
			fns[i] = func(context.Context) error {
				if here := now.Add(1); here > most.Load() {
					most.Store(here)
				}
				runtime.Gosched()
				ran[i].Add(1)
				now.Add(-1)
				return errs[i]
			}
		}
		err := clock.Real{}.Parallel(t.Context(), clock.Limit(n, fns)...)
		for i := range fns {
			if ran[i].Load() != 1 || errs[i] != nil && !errors.Is(err, errs[i]) {
				t.Logf("function %d of %d, %d at a time: ran %d times, error %v in %v", i, size, n, ran[i].Load(), errs[i], err)
				return false
			}
		}
		return int(most.Load()) <= n
	}
	if err := quick.Check(limited, nil); err != nil {
		t.Error(err)
	}
}

func TestLimitUsesAllTheLanesItMay(t *testing.T) {
	for name, c := range map[string]struct{ n, fns, want int }{
		"as many as allowed where there are more functions": {4, 50, 4},
		"as many as functions where there are fewer":        {4, 3, 3},
		"none where there is nothing to do":                 {4, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := len(clock.Limit(c.n, make([]func(context.Context) error, c.fns))); got != c.want {
				t.Errorf("%d lanes, want %d", got, c.want)
			}
		})
	}
}
