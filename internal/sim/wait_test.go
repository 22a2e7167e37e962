package sim_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/sim"
)

func TestContextsEndInVirtualTime(t *testing.T) {
	type body = func(c *sim.Clock, l *log, ctx context.Context)
	tests := map[string]struct {
		body body
		want []string
	}{
		"a deadline ends a sleep": {func(c *sim.Clock, l *log, ctx context.Context) {
			ctx, cancel := c.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			err := c.Sleep(ctx, time.Hour)
			l.say("%v", err)
		}, []string{"5s context deadline exceeded"}},
		"a sleep that ends before the deadline is whole": {func(c *sim.Clock, l *log, ctx context.Context) {
			ctx, cancel := c.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			err := c.Sleep(ctx, 4*time.Second)
			l.say("%v", err)
		}, []string{"4s <nil>"}},
		"a sleep that ends with the deadline has been ended by it": {func(c *sim.Clock, l *log, ctx context.Context) {
			ctx, cancel := c.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			err := c.Sleep(ctx, 5*time.Second)
			l.say("%v", err)
		}, []string{"5s context deadline exceeded"}},
		"the earlier of two deadlines counts": {func(c *sim.Clock, l *log, ctx context.Context) {
			ctx, cancel := c.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			ctx, cancel = c.WithTimeout(ctx, time.Hour)
			defer cancel()
			at, _ := ctx.Deadline()
			err := c.Sleep(ctx, time.Hour)
			l.say("%v %v", at.Sub(epoch), err)
		}, []string{"5s 5s context deadline exceeded"}},
		"no time is over at once": {func(c *sim.Clock, l *log, ctx context.Context) {
			ctx, cancel := c.WithTimeout(ctx, 0)
			defer cancel()
			l.say("%v %v", ctx.Err(), c.Sleep(ctx, time.Hour))
		}, []string{"0s context deadline exceeded context deadline exceeded"}},
		"cancelling is not a deadline": {func(c *sim.Clock, l *log, ctx context.Context) {
			ctx, cancel := c.WithTimeout(ctx, 5*time.Second)
			cancel()
			l.say("%v %v", c.Sleep(ctx, time.Hour), context.Cause(ctx))
			_ = c.Sleep(context.WithoutCancel(ctx), time.Minute)
			l.say("%v", ctx.Err())
		}, []string{"0s context canceled context canceled", "1m0s context canceled"}},
		"what selects on Done sees the deadline": {func(c *sim.Clock, l *log, ctx context.Context) {
			inner, cancel := c.WithTimeout(context.WithValue(ctx, 1, 2), 5*time.Second)
			defer cancel()
			deeper := context.WithValue(inner, 3, 4)
			for range 2 {
				select {
				case <-deeper.Done():
					l.say("done, %v", deeper.Err())
				default:
					l.say("not done, %v", deeper.Err())
				}
				_ = c.Sleep(ctx, 5*time.Second)
			}
		}, []string{"0s not done, <nil>", "5s done, context deadline exceeded"}},
		"contexts made from it end with it": {func(c *sim.Clock, l *log, ctx context.Context) {
			inner, cancel := c.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			standard, cancel2 := context.WithCancel(inner)
			defer cancel2()
			ours, cancel3 := c.WithTimeout(standard, time.Hour)
			defer cancel3()
			err := c.Sleep(ours, time.Hour)
			l.say("%v, %v, %v", err, context.Cause(standard), standard.Err() != nil)
		}, []string{"5s context deadline exceeded, context deadline exceeded, true"}},
		"a sibling's cancel ends a sleep at once": {func(c *sim.Clock, l *log, ctx context.Context) {
			shared, cancel := context.WithCancel(ctx)
			_ = c.Parallel(ctx,
				func(context.Context) error { l.say("%v", c.Sleep(shared, time.Hour)); return nil },
				func(ctx context.Context) error { _ = c.Sleep(ctx, 3*time.Second); cancel(); return nil },
				func(ctx context.Context) error { l.say("%v", c.Sleep(ctx, time.Minute)); return nil })
		}, []string{"3s context canceled", "1m0s <nil>"}},
		"cancelling and waiting ends a sibling's sleep too": {func(c *sim.Clock, l *log, ctx context.Context) {
			shared, cancel := c.WithTimeout(ctx, 30*time.Minute)
			_ = c.Parallel(ctx,
				func(context.Context) error { l.say("%v", c.Sleep(shared, time.Hour)); return nil },
				func(ctx context.Context) error {
					_ = c.Sleep(ctx, 3*time.Second)
					cancel()
					return c.Sleep(ctx, time.Minute)
				})
		}, []string{"3s context canceled"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := clock(t, 1)
			l := &log{c: c}
			c.Spawn(t.Context(), "p", 0, func(ctx context.Context) { test.body(c, l, ctx) })
			run(c, 24*time.Hour)
			l.want(t, test.want...)
		})
	}
}

func TestAtTheInstantOfADeadlineTheContextHasEnded(t *testing.T) {
	for seed := range uint64(100) {
		c := clock(t, seed)
		c.Spawn(t.Context(), "p", 0, func(ctx context.Context) {
			inner, cancel := c.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			_ = c.Sleep(ctx, 5*time.Second) // ends in the same instant, of its own accord
			if err := inner.Err(); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("seed %d: at the deadline the context says %v", seed, err)
			}
		})
		run(c, time.Hour)
	}
}

func TestACancelledTimeoutLeavesNothingBehind(t *testing.T) {
	c := clock(t, 1)
	c.Spawn(t.Context(), "p", 0, func(ctx context.Context) {
		for range 1000 {
			_, cancel := c.WithTimeout(ctx, time.Hour)
			cancel()
			cancel()
		}
	})
	if n := run(c, 24*time.Hour); n != 1 {
		t.Errorf("played %d events; want 1, the start of the process", n)
	}
}

func TestACancelAfterTheDeadlineIsHarmless(t *testing.T) {
	c := clock(t, 1)
	c.Spawn(t.Context(), "p", 0, func(ctx context.Context) {
		inner, cancel := c.WithTimeout(ctx, time.Second)
		_ = c.Sleep(ctx, time.Minute)
		cancel()
		if err := inner.Err(); err != context.DeadlineExceeded {
			t.Errorf("after the deadline and a cancel the context says %v", err)
		}
	})
	run(c, time.Hour)
}

func BenchmarkSleepAlone(b *testing.B) { benchmarkSleep(b, 1) }

func BenchmarkSwitch(b *testing.B) { benchmarkSleep(b, 2) }

func benchmarkSleep(b *testing.B, processes int) {
	c := clock(b, 1)
	b.ReportAllocs()
	for range processes {
		c.Spawn(b.Context(), "p", 0, func(ctx context.Context) {
			for range b.N / processes {
				_ = c.Sleep(ctx, time.Second)
			}
		})
	}
	c.Run(epoch.AddDate(200, 0, 0))
}

func BenchmarkWithTimeout(b *testing.B) {
	c := clock(b, 1)
	b.ReportAllocs()
	c.Spawn(b.Context(), "p", 0, func(ctx context.Context) {
		for range b.N {
			ctx, cancel := c.WithTimeout(ctx, time.Minute)
			_ = c.Sleep(ctx, time.Second)
			cancel()
		}
	})
	c.Run(epoch.AddDate(200, 0, 0))
}

func BenchmarkParallel(b *testing.B) {
	c := clock(b, 1)
	b.ReportAllocs()
	second := func(ctx context.Context) error { return c.Sleep(ctx, time.Second) }
	c.Spawn(b.Context(), "p", 0, func(ctx context.Context) {
		for range b.N {
			_ = c.Parallel(ctx, second, second, second, second)
		}
	})
	c.Run(epoch.AddDate(200, 0, 0))
}
