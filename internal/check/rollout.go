package check

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/telemetry"
)

// slot reads the halt and the fleet's updates once more, right before an update, and takes a slot for it: a person who halts the fleet must not
// wait for a running check, and of two checks that saw the last slot free one gets it.
func (e Engine) slot(ctx context.Context, in guard.Input, s guard.Step) *fault.Fault {
	skip := func(format string, args ...any) *fault.Fault {
		return &fault.Fault{Kind: fault.Skip, Op: "slot", Text: fmt.Sprintf(format, args...)}
	}
	for range folds {
		fleet, err := e.Ledger.Fleet(ctx)
		if err != nil {
			return skip("the fleet's halt could not be read: %v", err)
		}
		if fleet.Halt != nil {
			return skip("the fleet was halted by %s", fleet.Halt.By)
		}
		in.Fleet, in.Rollout, in.Now = guard.Read(fleet), reading(e.Ledger.Rollout(ctx)), e.Clock.Now()
		if r := in.Full(s); r.Text != "" {
			return skip("%s", r.Text)
		}
		err = e.Ledger.SaveRollout(ctx, in.Rollout.Value.Take(in.ID, in.Place.Wave, s, in.Now))
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, ErrConflict):
			return noSlot(err)
		}
		e.Counts.Add(telemetry.Conflicts, 1)
	}
	return skip("a slot could not be taken: %d others saved in between", folds)
}

// noSlot is the fault of a slot that could not be written. Nothing was tried, so that no try failed; what lasts is told, as an update that EKS
// does not take.
func noSlot(err error) *fault.Fault {
	f := &fault.Fault{Kind: fault.Retry, Cause: fault.NoSlot, Text: "a slot could not be taken: " + err.Error()}
	if of := fault.Of(err); of != nil {
		f.Need = of.Need
	}
	return f
}

// follow puts a cluster into the sets of the fleet's updates in which its record says it is. What fails here the next check of the cluster mends, or
// the next sweep. Who comes late follows the record as it is then.
func (e Engine) follow(ctx context.Context, in guard.Input, rec guard.Record) {
	if in.Rollout.Fault != nil {
		return
	}
	r := in.Rollout.Value
	for range folds {
		next, changed := r.Follow(in.ID, rec)
		if !changed {
			return
		}
		err := e.Ledger.SaveRollout(ctx, next)
		if err == nil {
			return
		}
		if errors.Is(err, ErrConflict) {
			r, rec, err = e.anew(ctx, in.ID)
		}
		if err != nil {
			e.Log.ErrorContext(ctx, "fleet's updates not saved", telemetry.Cluster(in.ID), "error", err.Error())
			return
		}
	}
}

// anew reads the fleet's updates, and then a cluster's record: the next step may have taken its slot meanwhile, and who takes one after the
// record was read makes the save fail.
func (e Engine) anew(ctx context.Context, id cluster.ID) (guard.Rollout, guard.Record, error) {
	r, err := e.Ledger.Rollout(ctx)
	if err != nil {
		return r, guard.Record{}, err
	}
	kept, err := e.Ledger.Load(ctx, id)
	return r, kept.Record, err
}

// recount puts the fleet's updates right after a sweep that looked at all of it. Where some records cannot be read nothing is known anew, and
// waves wait for the next sweep. Records are read after the version that the save rests on: who took a slot meanwhile makes it fail.
func (e Engine) recount(ctx context.Context, s Sweep) {
	waves := e.Policy.Rollout().Waves
	for range folds {
		r, err := e.Ledger.Rollout(ctx)
		if err == nil && len(waves) == 0 && len(r.InFlight)+len(r.Failed)+len(r.Waves) == 0 {
			return // nothing that could be wrong
		}
		var of map[string][]guard.Member
		if err == nil {
			of, err = e.members(ctx)
		}
		if err == nil {
			err = e.Ledger.SaveRollout(ctx, r.Recount(slices.Concat(slices.Collect(maps.Values(of))...), waves, s.Begun, e.Clock.Now()))
		}
		switch {
		case err == nil:
			return
		case !errors.Is(err, ErrConflict):
			e.Log.ErrorContext(ctx, "fleet's updates not counted", "run", s.Run, "error", err.Error())
			return
		}
	}
}
