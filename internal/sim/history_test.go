package sim_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/sim"
)

// crowd runs many processes that do everything a process can, and returns their log.
func crowd(seed uint64) []string {
	c := sim.New(epoch, seed)
	defer c.Close()
	l := &log{c: c}
	var procs []*sim.Process
	for i := range 20 {
		procs = append(procs, c.Spawn(context.Background(), fmt.Sprint("p", i), time.Duration(i%3)*time.Second, func(ctx context.Context) {
			wander(ctx, c, l, fmt.Sprint("p", i), 3)
		}))
	}
	for i := range 10 {
		c.After(time.Duration(c.Rand.IntN(60))*time.Second, func() {
			p := procs[c.Rand.IntN(len(procs))]
			if i%2 == 0 {
				l.say("kill %s", p.Name)
				c.Kill(p)
			} else {
				l.say("freeze %s", p.Name)
				c.Freeze(p, 20*time.Second)
			}
		})
	}
	l.say("played %d", run(c, time.Hour))
	return l.lines
}

func wander(ctx context.Context, c *sim.Clock, l *log, name string, depth int) {
	for step := range 6 {
		switch c.Rand.IntN(4) {
		case 0, 1:
			err := c.Sleep(ctx, time.Duration(c.Rand.IntN(4))*time.Second)
			l.say("%s.%d slept %v", name, step, err)
		case 2:
			ctx, cancel := c.WithTimeout(ctx, time.Duration(c.Rand.IntN(5))*time.Second)
			err := c.Sleep(ctx, 3*time.Second)
			l.say("%s.%d timed %v", name, step, err)
			cancel()
		case 3:
			if depth == 0 {
				continue
			}
			err := c.Parallel(ctx,
				func(ctx context.Context) error { wander(ctx, c, l, name+"a", depth-1); return nil },
				func(ctx context.Context) error { wander(ctx, c, l, name+"b", depth-1); return errors.New("b") })
			l.say("%s.%d joined %v", name, step, err)
		}
	}
}

func TestOneSeedIsOneHistoryAtAnyNumberOfProcessors(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for seed := range uint64(5) {
		runtime.GOMAXPROCS(1)
		want := crowd(seed)
		if len(want) < 100 {
			t.Fatalf("seed %d: only %d lines; the crowd is to do something", seed, len(want))
		}
		for _, n := range []int{1, 2, 8} {
			runtime.GOMAXPROCS(n)
			if diff := cmp.Diff(want, crowd(seed)); diff != "" {
				t.Errorf("seed %d at GOMAXPROCS %d differs (-at 1 +now):\n%s", seed, n, diff)
			}
		}
		if slices.Equal(want, crowd(seed+1000)) {
			t.Errorf("seeds %d and %d give the same history", seed, seed+1000)
		}
	}
}
