package sim

import (
	"container/heap"
	"context"
	"runtime"
	"slices"
	"time"
)

// Process is code that a power cut ends as a whole, with all the goroutines that Parallel started in it.
type Process struct {
	// Name is for people.
	Name string

	dead       bool
	frozen     time.Duration // runs again from then on
	goroutines int
	slot       int // in Clock.procs
	waiting    []*waiter
}

// Dead reports whether the process was killed. One that came to its end was not.
func (p *Process) Dead() bool { return p.dead }

type processKey struct{}

// Of is the process that ctx belongs to; nil: none.
func Of(ctx context.Context) *Process {
	p, _ := ctx.Value(processKey{}).(*Process)
	return p
}

// must is Of where there has to be a process.
func must(ctx context.Context, call string) *Process {
	if p := Of(ctx); p != nil {
		return p
	}
	panic("sim: " + call + " with a context that belongs to no process; start the code with Spawn, and pass on the context it is given")
}

// Spawn starts f as a process of its own after d. The context it is given carries the process, and what ctx carries.
func (c *Clock) Spawn(ctx context.Context, name string, d time.Duration, f func(context.Context)) *Process {
	p := &Process{Name: name}
	ctx = context.WithValue(ctx, processKey{}, p)
	c.begin(p, d, func() { f(ctx) })
	return p
}

// begin starts f as a goroutine of p after d.
func (c *Clock) begin(p *Process, d time.Duration, f func()) {
	c.push(&event{at: c.in(d), proc: p, run: func() {
		c.enter(p)
		defer c.exit(p)
		f()
	}})
}

func (c *Clock) enter(p *Process) {
	if p.goroutines++; p.goroutines == 1 {
		p.slot = len(c.procs)
		c.procs = append(c.procs, p)
	}
}

func (c *Clock) exit(p *Process) {
	c.notice(p)
	if p.goroutines--; p.goroutines > 0 {
		return
	}
	last := c.procs[len(c.procs)-1]
	c.procs[p.slot], last.slot = last, p.slot
	c.procs[len(c.procs)-1] = nil
	c.procs = c.procs[:len(c.procs)-1]
}

// Kill ends p as a power cut does: nothing of it runs any more, no deferred call either, until Close. A process that kills
// itself so runs on until it next waits; see Die.
func (c *Clock) Kill(p *Process) { p.dead = true }

// Die kills the process that calls it, and does not return.
func (c *Clock) Die(ctx context.Context) {
	p := must(ctx, "Die")
	c.Kill(p)
	c.wait(c.waiter(p))
}

// Freeze lets nothing of p run for d from now on, as a Lambda environment between two invocations. What came due is done then.
func (c *Clock) Freeze(p *Process, d time.Duration) { p.frozen = c.in(d) }

// waiter is a goroutine of a process that waits for its event.
type waiter struct {
	event event
	proc  *Process
	slot  int             // in proc.waiting
	ctx   context.Context // whose end ends the wait; nil: nothing does
	wake  chan bool       // true: go on, with the token; false: unwind
}

func (c *Clock) waiter(p *Process) *waiter {
	var w *waiter
	if n := len(c.spare); n > 0 {
		w, c.spare = c.spare[n-1], c.spare[:n-1]
	} else {
		w = &waiter{wake: make(chan bool, 1)}
	}
	w.proc = p
	w.event = event{proc: p, waiter: w, index: gone}
	return w
}

// wait gives the token away until w's event is played.
func (c *Clock) wait(w *waiter) {
	if c.closed { // called by a deferred call while the goroutine is unwound
		runtime.Goexit()
	}
	p := w.proc
	c.notice(p)
	w.slot = len(p.waiting)
	p.waiting = append(p.waiting, w)
	if !c.play(w) && !<-w.wake {
		runtime.Goexit()
	}
	w.leave()
	w.proc, w.ctx, w.event = nil, nil, event{}
	c.spare = append(c.spare, w)
}

func (w *waiter) leave() {
	p := w.proc
	p.waiting[w.slot] = p.waiting[len(p.waiting)-1]
	p.waiting[w.slot].slot = w.slot
	p.waiting = slices.Delete(p.waiting, len(p.waiting)-1, len(p.waiting))
}

// notice wakes the sleepers of p whose context has been cancelled since p was given the token.
func (c *Clock) notice(p *Process) {
	for _, w := range p.waiting {
		if w.ctx != nil && w.event.at > c.now && w.event.index != gone && w.ctx.Err() != nil {
			w.event.at = c.now
			heap.Fix(&c.queue, w.event.index)
		}
	}
}
