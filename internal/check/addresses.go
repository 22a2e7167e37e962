package check

import (
	"context"
	"maps"
	"slices"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
)

// readAddresses reads what only some checks want to know of a cluster's addresses: once a day what its metrics were,
// then the /28 blocks of the pod subnets, and for a cluster that is short of addresses what its network is like.
func (e Engine) readAddresses(ctx context.Context, in *guard.Input) {
	in.Seen.Widen(in.ID.Name)
	in.Now = e.Clock.Now()
	id, unit := in.ID, event.Unit{Account: in.ID.Account, Region: in.ID.Region}
	var daily []func(context.Context) error
	if in.WantsHistory() {
		daily = append(daily, func(ctx context.Context) error {
			in.Seen.History = e.Observer.History(ctx, id, in.Now.Add(-capacity.History))
			return nil
		})
	}
	if in.WantsNodeMetrics() {
		daily = append(daily, func(ctx context.Context) error {
			in.Seen.NodeMetrics = e.Observer.NodeMetrics(ctx, id, in.MetricsID())
			return nil
		})
	}
	e.sideBySide(ctx, daily)
	if in.WantsBlocks() {
		in.Seen.Blocks = e.readBlocks(ctx, unit, in.Seen.Pods.Value.Subnets)
	}
	if !in.WantsNetwork() { // asked now: it may be that only the blocks say that the cluster is short
		return
	}
	vpc, types := in.Network()
	owner := unit
	if o, foreign := in.Seen.Foreign(id.Account); foreign && e.Policy.Contains(o, id.Region) {
		owner.Account = o
	}
	e.sideBySide(ctx, []func(context.Context) error{func(ctx context.Context) error {
		in.Seen.Network = e.Observer.Network(ctx, owner, vpc, types)
		return nil
	}, func(ctx context.Context) error {
		in.Seen.Sharers = e.readSharers(ctx, *in)
		return nil
	}})
}

// sideBySide runs readings, whose faults are in what they read.
func (e Engine) sideBySide(ctx context.Context, readings []func(context.Context) error) {
	if len(readings) > 0 {
		_ = e.Clock.Parallel(ctx, readings...)
	}
}

// readBlocks counts the blocks of pod subnets with the eyes of their owners. Those of an owner who is not in the fleet cannot be seen.
func (e Engine) readBlocks(ctx context.Context, u event.Unit, subnets []capacity.Subnet) guard.Reading[guard.Blocks] {
	blocks := guard.Blocks{In: map[string]capacity.Blocks{}}
	of := map[string][]capacity.Subnet{}
	for _, s := range subnets {
		owner := u.Account
		if s.Owner != "" {
			owner = s.Owner
		}
		if owner != u.Account && !e.Policy.Contains(owner, u.Region) {
			blocks.Unseen = append(blocks.Unseen, s.ID)
			continue
		}
		of[owner] = append(of[owner], s)
	}
	slices.Sort(blocks.Unseen)
	for _, owner := range slices.Sorted(maps.Keys(of)) {
		counted, err := e.Gauge.Blocks(ctx, event.Unit{Account: owner, Region: u.Region}, of[owner])
		if err != nil {
			return reading(guard.Blocks{}, err)
		}
		maps.Copy(blocks.In, counted)
	}
	return guard.Read(blocks)
}

// readSharers names the other clusters of the unit whose recorded pod subnets include the cluster's fullest.
func (e Engine) readSharers(ctx context.Context, in guard.Input) guard.Reading[[]string] {
	worst, _ := in.Seen.Pods.Value.Worst()
	kept, err := e.Ledger.In(ctx, event.Unit{Account: in.ID.Account, Region: in.ID.Region})
	if err != nil {
		return reading[[]string](nil, err)
	}
	var names []string
	for _, k := range kept {
		if k.Cluster.Name != in.ID.Name && !k.Record.Gone && slices.Contains(k.Record.Meter.Subnets, worst.ID) {
			names = append(names, k.Cluster.Name)
		}
	}
	return guard.Read(names)
}
