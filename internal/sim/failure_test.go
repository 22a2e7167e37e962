package sim_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/sim"
)

// panicked is the text that f panics with; empty: it does not.
func panicked(f func()) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprint(r)
		}
	}()
	f()
	return ""
}

func explode() { panic("boom") }

func TestFailuresSurfaceInRun(t *testing.T) {
	tests := map[string]struct {
		body func(c *sim.Clock, ctx context.Context)
		want []string
	}{
		"a panic of a process, with its stack": {
			func(*sim.Clock, context.Context) { explode() }, []string{"boom", "sim_test.explode", "2026-01-01T00:00:01Z"}},
		"a panic in Parallel": {
			func(c *sim.Clock, ctx context.Context) {
				_ = c.Parallel(ctx, func(context.Context) error { explode(); return nil })
			}, []string{"boom", "sim_test.explode"}},
		"a panic in After, past the recover of whoever waits": {
			func(c *sim.Clock, ctx context.Context) {
				defer func() { _ = recover() }()
				c.After(time.Second, explode)
				_ = c.Sleep(ctx, time.Minute)
			}, []string{"boom", "sim_test.explode"}},
		"a goroutine that leaves": {
			func(*sim.Clock, context.Context) { runtime.Goexit() }, []string{"runtime.Goexit", "t.Fatal"}},
		"Run inside of Run": {
			func(c *sim.Clock, _ context.Context) { c.Run(epoch) }, []string{"Run inside of Run"}},
		"Sleep with a foreign context": {
			func(c *sim.Clock, _ context.Context) { _ = c.Sleep(context.Background(), 1) }, []string{"Sleep", "belongs to no process", "Spawn"}},
		"Parallel with a foreign context": {
			func(c *sim.Clock, _ context.Context) { _ = c.Parallel(context.Background()) }, []string{"Parallel", "belongs to no process"}},
		"Die with a foreign context": {
			func(c *sim.Clock, _ context.Context) { c.Die(context.Background()) }, []string{"Die", "belongs to no process"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := clock(t, 1)
			c.Spawn(t.Context(), "p", time.Second, func(ctx context.Context) { test.body(c, ctx) })
			c.Spawn(t.Context(), "bystander", 0, func(ctx context.Context) { _ = c.Sleep(ctx, time.Hour) })
			text := panicked(func() { run(c, time.Hour) })
			for _, want := range test.want {
				if !strings.Contains(text, want) {
					t.Errorf("Run panicked with %q; want %q in it", text, want)
				}
			}
			if again := panicked(func() { run(c, time.Hour) }); again != text {
				t.Error("a second Run goes on after the failure")
			}
		})
	}
}

func TestAWaitOutsideTheClockIsCaught(t *testing.T) {
	c := clock(t, 1)
	c.Stall = 100 * time.Millisecond
	never := make(chan int)
	defer close(never)
	c.Spawn(t.Context(), "p", time.Second, func(ctx context.Context) { <-never })
	text := panicked(func() { run(c, time.Hour) })
	if !strings.Contains(text, "outside the clock") || !strings.Contains(text, "TestAWaitOutsideTheClockIsCaught") {
		t.Errorf("Run panicked with %q; want the stacks", text)
	}
}

func TestALongRunIsNoStall(t *testing.T) {
	c := clock(t, 1)
	c.Stall = 100 * time.Millisecond
	c.Spawn(t.Context(), "p", 0, func(ctx context.Context) {
		for began := time.Now(); time.Since(began) < 3*c.Stall; {
			_ = c.Sleep(ctx, time.Second)
		}
	})
	c.Run(epoch.AddDate(100, 0, 0))
}

func TestAClosedClockDoesNotRun(t *testing.T) {
	c := sim.New(epoch, 1)
	c.Close()
	if text := panicked(func() { run(c, 0) }); !strings.Contains(text, "closed clock") {
		t.Errorf("Run panicked with %q", text)
	}
}
