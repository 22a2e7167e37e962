// Package sim is virtual time: a clock.Clock on which months pass in seconds and every run of a seed is the same run.
//
// It is a discrete-event scheduler. Exactly one goroutine runs at a time: the one that holds the token. Whoever waits puts an
// event into a heap ordered by virtual time and, within one instant, by a tie drawn from the seed; then it plays the heap's
// next event, which hands the token to another goroutine or back to itself. So no lock is needed in simulated code, one seed
// is one history at any GOMAXPROCS, and another seed is another interleaving.
//
// Code runs in processes (Spawn): a process is what a power cut ends as a whole. Kill stops every goroutine of a process
// where it waits, without running its deferred calls, as a Lambda's time-out does; Freeze pauses one.
//
// Simulated code waits only through the clock. A goroutine that waits for anything else while it holds the token stops
// virtual time; Run notices and panics with the stacks of all goroutines. A goroutine that simulated code starts by itself
// must not wait on the clock.
package sim

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// Clock is virtual time. It is used by the goroutine that calls Run and by the processes that run on it, never by others.
type Clock struct {
	// Rand is the run's randomness. Draw from it only in processes and After functions, whose order the seed decides.
	Rand *rand.Rand
	// Stall is how long, in real time, one step may take before Run panics; 5 s unless changed before Run.
	Stall time.Duration

	start  time.Time
	now    time.Duration // since start, as all instants in here
	until  time.Duration // where this Run ends
	queue  queue
	ties   *rand.Rand
	events int

	over     chan struct{} // the token goes back to Run or Close
	progress atomic.Uint64 // for the watchdog, the only thing that looks from outside
	failure  any           // a panic on its way to Run
	lost     bool          // the token never came back: nothing can be unwound
	running  bool
	closed   bool

	procs []*Process    // those with goroutines
	idle  []chan func() // pooled goroutines
	spare []*waiter
}

// New returns a clock that stands at start. The seed decides everything that is drawn.
func New(start time.Time, seed uint64) *Clock {
	return &Clock{
		Rand:  rand.New(rand.NewPCG(seed, 1)),
		Stall: 5 * time.Second,
		start: start.UTC().Round(0),
		ties:  rand.New(rand.NewPCG(seed, 2)),
		over:  make(chan struct{}, 1),
	}
}

// Now is the current virtual instant, in UTC.
func (c *Clock) Now() time.Time { return c.start.Add(c.now) }

// After runs f after d, outside of every process. It must not wait.
func (c *Clock) After(d time.Duration, f func()) { c.push(&event{at: c.in(d), run: f}) }

// in is the instant d from now; the end of time where there is none.
func (c *Clock) in(d time.Duration) time.Duration {
	if d > math.MaxInt64-c.now {
		return math.MaxInt64
	}
	return c.now + d
}

// Run plays every event up to the instant, which is Now when it returns, and returns how many there were. It panics when a
// process panicked, with that process's stack, and when one step takes longer than Stall, with all stacks.
func (c *Clock) Run(until time.Time) int {
	switch {
	case c.closed:
		panic("sim: Run of a closed clock")
	case c.running:
		panic("sim: Run inside of Run; a process waits with Sleep")
	}
	c.running, c.until, c.events = true, until.Sub(c.start), 0
	c.play(nil)
	c.await()
	c.running = false
	if c.failure != nil {
		panic(c.failure)
	}
	c.now = max(c.now, c.until)
	return c.events
}

// Close unwinds every goroutine that still waits, killed or not: only now deferred calls of killed processes run, and what
// they would wait for on the clock unwinds them further. It leaves no goroutine behind. The clock is of no use afterwards.
func (c *Clock) Close() {
	if c.closed || c.lost {
		return
	}
	c.closed = true
	for len(c.procs) > 0 {
		w := c.procs[0].waiting[0]
		w.leave()
		w.wake <- false
		c.await()
	}
	for _, work := range c.idle {
		close(work)
	}
}

// await waits until the token is given back.
func (c *Clock) await() {
	select { // mostly it is there already
	case <-c.over:
		return
	default:
	}
	tick := time.NewTicker(c.Stall)
	defer tick.Stop()
	for seen := c.progress.Load(); ; {
		select {
		case <-c.over:
			return
		case <-tick.C:
			now := c.progress.Load()
			if now == seen {
				c.lost = true
				panic(fmt.Sprintf("sim: for %s of real time a goroutine has waited for something outside the clock, or computed\n\n%s",
					c.Stall, stacks()))
			}
			seen = now
		}
	}
}

func stacks() []byte {
	buf := make([]byte, 1<<20)
	return buf[:runtime.Stack(buf, true)]
}

// play plays events, and is called by whoever holds the token and has nothing more to do with it. It returns true when the
// next event is the caller's own, which so keeps the token; else the token is another's.
func (c *Clock) play(own *waiter) bool {
	for {
		e := c.next()
		switch {
		case e == nil:
			c.over <- struct{}{}
			return false
		case e.waiter != nil && e.waiter == own:
			return true
		case e.waiter != nil:
			e.waiter.wake <- true
			return false
		case e.proc != nil:
			c.hand(e.run)
			return false
		}
		c.inline(e.run)
	}
}

// next takes the next event that may happen from the queue; nil: this Run is over.
func (c *Clock) next() *event {
	for len(c.queue) > 0 && c.queue[0].at <= c.until && c.failure == nil && !c.closed {
		e := heap.Pop(&c.queue).(*event)
		if p := e.proc; p != nil && p.dead {
			continue
		} else if p != nil && p.frozen > e.at {
			e.at = p.frozen
			heap.Push(&c.queue, e)
			continue
		}
		c.now = e.at
		c.events++
		c.progress.Add(1)
		return e
	}
	return nil
}

// inline runs a step of the world on the caller's stack. Its panic must not pass through the caller's deferred calls.
func (c *Clock) inline(f func()) {
	defer func() {
		if r := recover(); r != nil {
			c.fail(r)
		}
	}()
	f()
}

func (c *Clock) fail(r any) {
	if c.failure == nil {
		c.failure = fmt.Sprintf("sim: at %s: %v\n\n%s", c.Now().Format(time.RFC3339Nano), r, debug.Stack())
	}
}

// hand gives the token to a pooled goroutine that runs f.
func (c *Clock) hand(f func()) {
	if n := len(c.idle); n > 0 {
		work := c.idle[n-1]
		c.idle = c.idle[:n-1]
		work <- f
		return
	}
	work := make(chan func(), 1) // buffered: a goroutine may give work to itself
	go c.labour(work)
	work <- f
}

func (c *Clock) labour(work chan func()) {
	for f := range work {
		if !c.guarded(f) {
			return
		}
		c.idle = append(c.idle, work)
		c.play(nil)
	}
}

// guarded runs f to its end, which it returns true for; false: the goroutine is being unwound.
func (c *Clock) guarded(f func()) (ended bool) {
	defer func() {
		switch r := recover(); {
		case r != nil:
			c.fail(r)
		case ended:
			return
		case !c.closed:
			c.fail("a process left by runtime.Goexit; is there a t.Fatal in it?")
		}
		c.play(nil)
	}()
	f()
	return true
}
