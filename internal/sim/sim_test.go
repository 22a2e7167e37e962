package sim_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/sim"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// clock is a clock that is closed after the test.
func clock(t testing.TB, seed uint64) *sim.Clock {
	c := sim.New(epoch, seed)
	t.Cleanup(c.Close)
	return c
}

// log is what happened, as "offset text".
type log struct {
	c     *sim.Clock
	lines []string
}

func (l *log) say(format string, args ...any) {
	l.lines = append(l.lines, l.c.Now().Sub(epoch).String()+" "+fmt.Sprintf(format, args...))
}

func (l *log) want(t *testing.T, lines ...string) {
	t.Helper()
	if diff := cmp.Diff(lines, l.lines); diff != "" {
		t.Errorf("what happened differs (-want +got):\n%s", diff)
	}
}

// run plays the clock to an offset from epoch.
func run(c *sim.Clock, offset time.Duration) int { return c.Run(epoch.Add(offset)) }

func TestWithinAnInstantTheSeedDecidesTheOrder(t *testing.T) {
	orders := map[string]bool{}
	for seed := range uint64(50) {
		c := clock(t, seed)
		order := ""
		for _, name := range []string{"a", "b", "c"} {
			c.Spawn(t.Context(), name, time.Second, func(context.Context) { order += name })
		}
		run(c, time.Minute)
		orders[order] = true
	}
	if len(orders) != 6 {
		t.Errorf("50 seeds gave the orders %v; want all 6", orders)
	}
}

func TestAKilledProcessRunsNothingUntilClose(t *testing.T) {
	c := sim.New(epoch, 1)
	l := &log{c: c}
	p := c.Spawn(t.Context(), "victim", 0, func(ctx context.Context) {
		defer l.say("deferred")
		_ = c.Parallel(ctx,
			func(ctx context.Context) error {
				defer l.say("deferred in a sibling")
				_ = c.Sleep(ctx, time.Hour)
				l.say("woken")
				return nil
			},
			func(ctx context.Context) error { _ = c.Sleep(ctx, 2*time.Hour); l.say("woken"); return nil })
		l.say("joined")
	})
	c.After(time.Minute, func() { c.Kill(p) })
	run(c, 24*time.Hour)
	l.want(t)
	if !p.Dead() {
		t.Error("the killed process is not dead")
	}
	c.Close()
	slices.Sort(l.lines)
	l.want(t, "24h0m0s deferred", "24h0m0s deferred in a sibling")
}

func TestDying(t *testing.T) {
	tests := map[string]func(c *sim.Clock, l *log, ctx context.Context){
		"a process that dies runs no further": func(c *sim.Clock, l *log, ctx context.Context) {
			c.Die(ctx)
		},
		"a goroutine that dies takes its process along": func(c *sim.Clock, l *log, ctx context.Context) {
			_ = c.Parallel(ctx,
				func(ctx context.Context) error { _ = c.Sleep(ctx, time.Second); c.Die(ctx); return nil },
				func(ctx context.Context) error { _ = c.Sleep(ctx, time.Minute); l.say("the other ran on"); return nil })
		},
		"goroutines that have not begun never begin": func(c *sim.Clock, l *log, ctx context.Context) {
			c.Kill(sim.Of(ctx))
			_ = c.Parallel(ctx, func(context.Context) error { l.say("began"); return nil })
		},
		"a process that killed itself runs on until it waits": func(c *sim.Clock, l *log, ctx context.Context) {
			c.Kill(sim.Of(ctx))
			_ = c.Sleep(ctx, 0)
		},
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			c := clock(t, 1)
			l := &log{c: c}
			c.Spawn(t.Context(), "p", 0, func(ctx context.Context) {
				body(c, l, ctx)
				l.say("ran on")
			})
			run(c, time.Hour)
			l.want(t)
		})
	}
}

func TestAFrozenProcessDoesLaterWhatCameDue(t *testing.T) {
	c := clock(t, 1)
	l := &log{c: c}
	p := c.Spawn(t.Context(), "p", 0, func(ctx context.Context) {
		for range 3 {
			_ = c.Sleep(ctx, 10*time.Second)
			l.say("woken")
		}
	})
	c.After(15*time.Second, func() { c.Freeze(p, time.Minute) })
	run(c, time.Hour)
	l.want(t, "10s woken", "1m15s woken", "1m25s woken")
}

func TestRunStopsTheClockAtItsEnd(t *testing.T) {
	c := clock(t, 1)
	l := &log{c: c}
	c.Spawn(t.Context(), "p", time.Second, func(ctx context.Context) {
		l.say("begun")
		_ = c.Sleep(ctx, 9*time.Second)
		l.say("slept")
	})
	if n := run(c, 5*time.Second); n != 1 || !c.Now().Equal(epoch.Add(5*time.Second)) {
		t.Errorf("played %d events until %s; want 1 until +5s", n, c.Now())
	}
	c.Spawn(t.Context(), "q", 0, func(context.Context) { l.say("between two runs") })
	if n := run(c, 10*time.Second); n != 2 {
		t.Errorf("played %d events; want 2", n)
	}
	l.want(t, "1s begun", "5s between two runs", "10s slept")
	if c.Now().Location() != time.UTC {
		t.Errorf("the clock is in %s; want UTC", c.Now().Location())
	}
}

func TestTheLongestSleepNeverEnds(t *testing.T) {
	c := clock(t, 1)
	c.Spawn(t.Context(), "p", time.Hour, func(ctx context.Context) {
		_ = c.Sleep(ctx, math.MaxInt64)
		t.Error("it ended")
	})
	run(c, 100*365*24*time.Hour)
}

func TestParallel(t *testing.T) {
	a, b := errors.New("a"), errors.New("b")
	c := clock(t, 1)
	l := &log{c: c}
	c.Spawn(t.Context(), "p", 0, func(ctx context.Context) {
		if err := c.Parallel(ctx); err != nil {
			t.Errorf("nothing in parallel gave %v", err)
		}
		err := c.Parallel(ctx,
			func(ctx context.Context) error { _ = c.Sleep(ctx, 3*time.Second); return a },
			func(ctx context.Context) error { return b },
			func(ctx context.Context) error {
				return c.Parallel(ctx, func(ctx context.Context) error { return c.Sleep(ctx, 5*time.Second) })
			})
		l.say("%q", err)
	})
	run(c, time.Hour)
	l.want(t, `5s "a\nb"`)
}

func TestGoroutinesAreUsedAgain(t *testing.T) {
	c := clock(t, 1)
	before, most := runtime.NumGoroutine(), 0
	for i := range 1000 {
		c.Spawn(t.Context(), "p", time.Duration(i)*time.Second, func(ctx context.Context) {
			_ = c.Parallel(ctx,
				func(ctx context.Context) error { return c.Sleep(ctx, time.Millisecond) },
				func(ctx context.Context) error { return c.Sleep(ctx, time.Millisecond) })
			most = max(most, runtime.NumGoroutine())
		})
	}
	run(c, time.Hour)
	if most > before+5 {
		t.Errorf("%d goroutines at most, %d before; want 3 more at most", most, before)
	}
}

func TestCloseLeavesNoGoroutine(t *testing.T) {
	for seed := range uint64(15) {
		before := runtime.NumGoroutine()
		crowd(seed)
		c := sim.New(epoch, seed)
		for i := range 10 {
			p := c.Spawn(t.Context(), "p", 0, func(ctx context.Context) {
				defer func() { _ = c.Sleep(context.WithoutCancel(ctx), time.Hour) }()
				defer func() { _ = c.Parallel(ctx, func(context.Context) error { return nil }) }()
				_ = c.Parallel(ctx, func(ctx context.Context) error { return c.Sleep(ctx, time.Hour) },
					func(ctx context.Context) error { c.Die(ctx); return nil })
			})
			if i%2 == 0 {
				c.After(time.Second, func() { c.Kill(p) })
			}
		}
		run(c, time.Duration(rand.IntN(3))*time.Minute)
		c.Close()
		c.Close()
		// A goroutine that has given back the token for good takes a moment to be gone.
		for wait := 0; runtime.NumGoroutine() > before; wait++ {
			if wait == 1000 {
				t.Fatalf("seed %d: %d goroutines, %d before", seed, runtime.NumGoroutine(), before)
			}
			time.Sleep(time.Millisecond)
		}
	}
}
