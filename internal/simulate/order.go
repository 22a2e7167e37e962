package simulate

import (
	"context"
	"fmt"
	"strings"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/hub"
	"github.com/cniguard/cniguard/internal/world"
)

// give does what a person's command does: it writes the order into the ledger, and wakes the program. An order that cannot be
// given is noted in the journal with the reason.
func (r *Run) give(ctx context.Context, o world.Order) {
	id := cluster.ID{Account: o.Account, Region: o.Region, Name: o.Name}
	e := r.desk(o.By)
	order, err := r.order(ctx, e, id, o)
	if err == nil {
		err = r.write(ctx, id, order)
	}
	text := fmt.Sprintf("%s by %s", o.Kind, o.By)
	if err != nil {
		r.journal.note(r.Now(), id, OrderRefused, text, err.Error())
		return
	}
	switch {
	case len(order.Steps) > 0:
		text += " of " + strings.Join(order.Steps, ", then ")
	case order.Kind == guard.Unmuting:
		text += " of " + string(order.Finding)
	case order.Kind.OnFinding():
		text += " of " + string(order.Finding) + " for " + Span(order.Until.Sub(order.At))
	}
	r.journal.note(r.Now(), id, Ordered, text, order.Because)
	// The event only says "look again"; when it is lost, the tick or the sweep looks.
	_ = e.Waker.Wake(ctx, hub.Wakes(id, order)...)
}

func (r *Run) order(ctx context.Context, e check.Engine, id cluster.ID, o world.Order) (guard.Order, error) {
	switch o.Kind {
	case world.Approve:
		if why := r.unseen(id); why != "" {
			return guard.Order{}, fmt.Errorf("approve: %s", why)
		}
		_, plan, err := e.Plan(ctx, id)
		if err != nil {
			return guard.Order{}, err
		}
		return guard.Consent(plan, o.To, o.By, o.Because, r.Now())
	case world.Resume:
		if err := r.Halted(ctx); err != nil {
			return guard.Order{}, err
		}
	case world.Mute, world.Unmute, world.Ack:
		said := guard.Order{Kind: guard.OrderKind(o.Kind), Finding: guard.Code(o.Finding), By: o.By, Because: o.Because, At: r.Now()}
		return guard.Answered(said, o.For)
	}
	return guard.Command(guard.OrderKind(o.Kind), o.By, o.Because, r.Now())
}

// Halted says that the fleet is neither halted nor stopped by failed updates, so that there is nothing to resume; nil: it is.
func (r *Run) Halted(ctx context.Context) error {
	fleet, err := r.Ledger.Fleet(ctx)
	if err != nil || fleet.Halt != nil {
		return err
	}
	rollout, err := r.Ledger.Rollout(ctx)
	if err == nil && len(rollout.Failed) == 0 {
		err = fmt.Errorf("resume: the fleet is not halted %s after the start, and no failed update stops it, so there is nothing to resume", Span(r.elapsed()))
	}
	return err
}
