package kube_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/clock"
)

// at is a clock that stands still.
type at struct {
	*hurry
	now time.Time
}

func (c at) Now() time.Time { return c.now }

// hurry is a clock whose time-outs come when a test calls now, however long they are. So nothing depends on how fast a machine is.
type hurry struct {
	clock.Real
	t     *testing.T
	ended chan struct{}
	once  sync.Once
}

func newHurry(t *testing.T) *hurry { return &hurry{t: t, ended: make(chan struct{})} }

func (h *hurry) now() { h.once.Do(func() { close(h.ended) }) }

func (h *hurry) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d != 5*time.Second {
		h.t.Errorf("a time-out of %s, want 5s", d)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		select {
		case <-h.ended:
			cancel(context.DeadlineExceeded)
		case <-ctx.Done():
		}
		close(done)
	}()
	return late{ctx}, func() { cancel(context.Canceled); <-done }
}

// late is a context whose error is why it was cancelled, as that of a deadline is.
type late struct{ context.Context }

func (l late) Err() error {
	if errors.Is(context.Cause(l.Context), context.DeadlineExceeded) {
		return context.DeadlineExceeded
	}
	return l.Context.Err()
}
