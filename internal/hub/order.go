package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
)

// ErrNotWoken is an order that is written, and in force, while nobody could be asked to look at once.
var ErrNotWoken = errors.New("the order is written and in force, but the functions could not be woken: they see it when they look next")

// Give writes an order and wakes who has to see it. A halt, a teardown and the end of either are to the fleet, and the cluster is not looked
// at; the others are about it.
func (h Hub) Give(ctx context.Context, id cluster.ID, o guard.Order) error {
	if err := h.Ledger.Order(ctx, id, o); err != nil {
		return err
	}
	wakes := Wakes(id, o)
	if len(wakes) > 0 && wakes[0].Kind == event.Check {
		h.settle(ctx, id, o)
	}
	if err := h.Waker.Wake(ctx, wakes...); err != nil {
		return fmt.Errorf("%w: %w", ErrNotWoken, err)
	}
	return nil
}

const (
	looks = 20
	pause = 250 * time.Millisecond
)

// settle waits a few seconds until an order is found by its cluster. The ledger's index is behind its table by a moment, and a
// check that is woken sooner would not see the order. When it takes longer, the next check that is due finds it.
func (h Hub) settle(ctx context.Context, id cluster.ID, o guard.Order) {
	for range looks {
		orders, err := h.Ledger.Orders(ctx, id)
		given := func(have guard.Order) bool {
			return have.By == o.By && have.Finding == o.Finding && have.At.Equal(o.At)
		}
		if err != nil || slices.ContainsFunc(orders, given) || h.Clock.Sleep(ctx, pause) != nil {
			return
		}
	}
}

// Wakes is what an order has looked at at once: the cluster that it is about, or the fleet where alarms go or may come back. A halt
// needs nothing: it is read before each update.
func Wakes(id cluster.ID, o guard.Order) []event.Trigger {
	why := string(o.Kind) + " by " + o.By
	switch o.Kind {
	case guard.Approval, guard.Denial, guard.Muting, guard.Unmuting, guard.Acknowledging:
		return []event.Trigger{{Kind: event.Check, Cluster: id, Why: why}}
	case guard.TearingDown, guard.Resuming:
		return []event.Trigger{{Kind: event.Sweep, Why: why}}
	}
	return nil
}

// Replaced is the order in force that an order of a kind to the fleet takes the place of, or ends; nil: there is none. The error is that
// such an order should not be given now: there is nothing to resume, or a halt would end a teardown, and the alarms would come back.
// What cannot be read keeps nobody from halting, nor from putting a word that can be read in its place.
func (h Hub) Replaced(ctx context.Context, kind guard.OrderKind) (*guard.Order, error) {
	fleet, err := h.Ledger.Fleet(ctx)
	old := fleet.Halt
	switch {
	case err != nil && kind == guard.TearingDown:
		return nil, err
	case err != nil:
		return nil, nil
	case kind == guard.Resuming && old == nil:
		if r, err := h.Ledger.Rollout(ctx); err == nil && len(r.Failed) == 0 {
			return nil, errors.New("resume: the fleet is not halted, and no failed update stops it, so there is nothing to resume")
		}
	case kind == guard.Halting && old != nil && old.Kind == guard.TearingDown:
		return nil, fmt.Errorf("halt: a teardown by %s stands, and halts all updates already", old.By)
	}
	return old, nil
}
