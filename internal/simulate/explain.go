package simulate

import (
	"context"
	"errors"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/hub"
)

// Explain gathers what there is to say of a cluster now. Virtual time passes while it reads the cluster.
func (r *Run) Explain(ctx context.Context, id cluster.ID) (hub.Explanation, error) {
	kept, keptErr := r.Ledger.Load(ctx, id)
	orders, ordersErr := r.Ledger.Orders(ctx, id)
	fleet, fleetErr := r.Ledger.Fleet(ctx)
	x := hub.Explanation{
		At: r.Now(), Cluster: id, Unseen: r.unseen(id), Known: kept.Version > 0,
		Record: kept.Record, Orders: orders, Halt: fleet.Halt,
	}
	if err := errors.Join(keptErr, ordersErr, fleetErr); err != nil || x.Unseen != "" {
		return x, err
	}
	x.Next, x.By = r.nextLook(kept.Record)
	in, plan, err := r.Plan(id)
	if err != nil {
		return x, err
	}
	x.Plan, x.Read = plan, true
	x.Version, x.Node = in.Seen.Installed(), in.Node()
	var tags map[string]string
	if c := in.Seen.Cluster; c.Fault == nil && c.Value != nil {
		tags = c.Value.Tags
	}
	x.Tagless = in.Seen.Cluster.Fault != nil
	x.Settings = r.Policy.Explain(id, tags)
	return x, nil
}

// nextLook is when a schedule has a record looked at again, and which: the tick when it is due, else the sweep. An event may
// have it looked at before.
func (r *Run) nextLook(rec guard.Record) (at time.Time, by event.Kind) {
	due := rec.Wake()
	for _, b := range rhythms() {
		from := r.Now()
		switch {
		case b.kind == event.Meter, b.kind == event.Tick && due.IsZero():
			continue
		case b.kind == event.Tick && due.After(from):
			from = due
		}
		if t := b.next(r.World.Spec().Start, from); at.IsZero() || t.Before(at) {
			at, by = t, b.kind
		}
	}
	return at, by
}
