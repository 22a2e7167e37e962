package sim

import (
	"context"
	"errors"
	"time"

	"github.com/cniguard/cniguard/internal/clock"
)

var _ clock.Clock = (*Clock)(nil)

// Sleep waits for d, or until ctx ends, whose error it then returns. A cancellation by another process is noticed when the
// sleep would have ended anyway; one by the own process, and a deadline, at once.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	p := must(ctx, "Sleep")
	if err := ctx.Err(); err != nil {
		return err
	}
	at := c.in(d)
	if deadline, ok := ctx.Deadline(); ok {
		at = min(at, deadline.Sub(c.start))
	}
	w := c.waiter(p)
	w.ctx, w.event.at = ctx, at
	c.push(&w.event)
	c.wait(w)
	return ctx.Err()
}

// Parallel runs fns side by side in the process of ctx, waits for all of them and joins their errors, in the order of fns.
func (c *Clock) Parallel(ctx context.Context, fns ...func(context.Context) error) error {
	p := must(ctx, "Parallel")
	if len(fns) == 0 {
		return nil
	}
	errs, left, join := make([]error, len(fns)), len(fns), c.waiter(p)
	for i, f := range fns {
		c.begin(p, 0, func() {
			errs[i] = f(ctx)
			if left--; left == 0 {
				join.event.at = c.now
				c.push(&join.event)
			}
		})
	}
	c.wait(join)
	return errors.Join(errs...)
}

// WithTimeout is context.WithTimeout in virtual time. At the deadline the context ends before anything else of that instant
// runs, and its Err, and context.Cause of every context made from it, is context.DeadlineExceeded.
func (c *Clock) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	at := c.in(d)
	if above, ok := ctx.Deadline(); ok {
		at = min(at, above.Sub(c.start))
	}
	inner, cancel := context.WithCancelCause(ctx)
	t := &timeout{Context: inner, at: c.start.Add(at)}
	if at <= c.now {
		cancel(context.DeadlineExceeded)
		return t, func() {}
	}
	e := &event{at: at, run: func() { cancel(context.DeadlineExceeded) }}
	c.pushDeadline(e)
	return t, func() {
		c.remove(e) // else a long simulation's queue would fill with deadlines that nobody waits for
		cancel(nil)
	}
}

// timeout is a standard context, so that contexts made from it end with it and at once, which has a virtual deadline.
type timeout struct {
	context.Context
	at time.Time
}

// Deadline is the virtual deadline.
func (t *timeout) Deadline() (time.Time, bool) { return t.at, true }

// Err is context.DeadlineExceeded after the deadline; the context inside knows that only as a cause.
func (t *timeout) Err() error {
	err := t.Context.Err()
	if err != nil && errors.Is(context.Cause(t.Context), context.DeadlineExceeded) {
		return context.DeadlineExceeded
	}
	return err
}
