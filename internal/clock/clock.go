// Package clock is the only door to time. What waits, times out or runs side by side does it through a Clock, so that the
// same code runs in real time in the Lambda and in virtual time (package sim) in simulations and tests.
package clock

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Clock tells the time, waits, and runs functions side by side.
type Clock interface {
	// Now is the current instant.
	Now() time.Time
	// Sleep waits for d, or until ctx ends, whose error it then returns.
	Sleep(ctx context.Context, d time.Duration) error
	// WithTimeout is context.WithTimeout on this clock.
	WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc)
	// Parallel runs fns side by side, waits for all of them and joins their errors. All of them run to their end.
	Parallel(ctx context.Context, fns ...func(context.Context) error) error
}

// Real is the machine's clock.
type Real struct{}

// Now is time.Now in UTC.
func (Real) Now() time.Time { return time.Now().UTC() }

// Sleep waits for d, or until ctx ends.
func (Real) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// WithTimeout is context.WithTimeout.
func (Real) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, d)
}

// Parallel runs each of fns in a goroutine of its own.
func (Real) Parallel(ctx context.Context, fns ...func(context.Context) error) error {
	errs := make([]error, len(fns))
	var wg sync.WaitGroup
	for i, f := range fns {
		wg.Go(func() { errs[i] = f(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Limit turns fns into at most n functions for Parallel, each of which works off its share one after the other.
// At most n of fns then run at the same time.
func Limit(n int, fns []func(context.Context) error) []func(context.Context) error {
	if len(fns) < n {
		n = len(fns)
	}
	lanes := make([]func(context.Context) error, n)
	for i := range lanes {
		lanes[i] = func(ctx context.Context) error {
			var errs []error
			for j := i; j < len(fns); j += n {
				errs = append(errs, fns[j](ctx))
			}
			return errors.Join(errs...)
		}
	}
	return lanes
}
