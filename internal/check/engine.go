package check

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
	"github.com/cniguard/cniguard/internal/policy"
	"github.com/cniguard/cniguard/internal/telemetry"
)

// Engine does the work of one invocation. It is a value: each invocation has its own By.
type Engine struct {
	Observer Observer
	Insider  Insider
	Actor    Actor
	Gauge    Gauge
	Ledger   Ledger
	Topics   []Topic
	News     News
	Waker    Waker
	Policy   *policy.Policy
	Clock    clock.Clock
	Log      *slog.Logger
	Counts   *telemetry.Counts
	// By names the invocation, also among retries of the same event. A record that is busy names who is acting.
	By string
	// Updates is true where updates may be started. Elsewhere a plan that wants one is handed on by a wake-up.
	Updates bool
	// Heard is true where the event of a cluster's alarm that went to ALARM asked for the check.
	Heard bool
	// Trace, when it is not nil, gets each plan before it is acted on.
	Trace func(cluster.ID, guard.Plan)
}

const (
	attempts   = 6                // to act on a record that other checks keep saving
	folds      = 100              // to save what was done or told: each conflict is the progress of another check
	busyBeyond = 30 * time.Second // the deadline: who finds a busy record later may act
	noDeadline = 5 * time.Minute  // of a caller without one
)

// Check brings one cluster from observed to concluded, and tells what is to be told. A cluster that another check is acting
// on is left to it: that check is asked to look again. The error is for what the ledger or the waker could not do; faults of
// the cluster's own account are part of the plan.
func (e Engine) Check(ctx context.Context, id cluster.ID) (guard.Plan, error) {
	var plan guard.Plan
	for range attempts {
		var again bool
		var err error
		plan, again, err = e.once(ctx, id)
		switch {
		case errors.Is(err, ErrConflict):
			e.Counts.Add(telemetry.Conflicts, 1)
		case err != nil:
			return plan, fmt.Errorf("check %s: %w", id, err)
		case !again:
			return plan, nil
		}
	}
	// Others kept changing the record. Let them finish, and look again afterwards.
	return plan, e.Waker.Wake(ctx, event.Trigger{Kind: event.Check, Cluster: id})
}

// once observes, decides, acts and concludes. Again is true when somebody asked for another look meanwhile.
func (e Engine) once(ctx context.Context, id cluster.ID) (plan guard.Plan, again bool, err error) {
	kept, in, err := e.read(ctx, id)
	if err != nil {
		return plan, false, e.cry(ctx, in, err)
	}
	if kept.Record.Busy.Until.After(in.Now) {
		return plan, false, e.askAgain(ctx, kept)
	}
	plan = e.decide(in)
	switch {
	case kept.Version == 0 && plan.Verdict.Word == guard.Gone && len(plan.Actions) == 0:
		return plan, false, nil // nobody knew it, and it left nothing behind
	case !e.Updates && wantsUpdate(plan):
		return plan, false, e.Waker.Wake(ctx, event.Trigger{Kind: event.Check, Cluster: id})
	}
	e.Counts.Add(telemetry.Checks, 1)
	if rec, needed := guard.Intend(in, plan); needed {
		kept.Record = rec
		kept.Record.Busy = e.busy(ctx)
		if kept, err = e.Ledger.Save(ctx, kept); err != nil {
			return plan, false, e.cry(ctx, in, err)
		}
	}
	done := e.act(ctx, in, plan)
	if wantsUpdate(plan) {
		in.Rollout = reading(e.Ledger.Rollout(ctx)) // the step's slot is in it
	}
	e.log(ctx, id, plan, done)
	again, err = e.conclude(ctx, kept, in, plan, done)
	return plan, again, err
}

// Plan observes and decides, and does nothing.
func (e Engine) Plan(ctx context.Context, id cluster.ID) (guard.Input, guard.Plan, error) {
	_, in, err := e.read(ctx, id)
	if err != nil {
		return in, guard.Plan{}, fmt.Errorf("plan for %s: %w", id, err)
	}
	return in, guard.Decide(in), nil
}

func (e Engine) decide(in guard.Input) guard.Plan {
	p := guard.Decide(in)
	if e.Trace != nil {
		e.Trace(in.ID, p)
	}
	return p
}

// read fills a decision's input: everything that depends on nothing else side by side, then the step in flight, what runs inside
// of a cluster whose add-on EKS does not manage, what only some checks want of its addresses, and what a step that may be taken needs.
func (e Engine) read(ctx context.Context, id cluster.ID) (kept Kept, in guard.Input, err error) {
	in.ID, in.Heard = id, e.Heard
	var orders []guard.Order
	var fleet guard.Fleet
	var ordersErr, fleetErr error
	err = e.Clock.Parallel(ctx,
		func(ctx context.Context) (err error) { kept, err = e.Ledger.Load(ctx, id); return err },
		func(ctx context.Context) error { orders, ordersErr = e.Ledger.Orders(ctx, id); return nil },
		func(ctx context.Context) error { fleet, fleetErr = e.Ledger.Fleet(ctx); return nil },
		func(ctx context.Context) error { in.Seen = e.Observer.Observe(ctx, id); return nil },
	)
	in.Orders, in.Fleet = reading(orders, ordersErr), reading(fleet, fleetErr)
	if err != nil {
		return kept, in, err
	}
	if step := kept.Record.Step; step != nil {
		in.Seen.Of = step.Token
		in.Seen.Update = e.Observer.Settle(ctx, id, *step)
		hide(in.Seen)
	}
	in.Record, in.Settings, in.Place = kept.Record, e.settings(id, in.Seen.Cluster), e.place(id, in.Seen.Cluster)
	if f := guard.WhyNotInside(in); f != nil {
		in.Seen.Inside.Fault = f
	} else {
		in.Seen.Inside = e.Insider.Inside(ctx, id, in.Seen.Cluster.Value.API)
	}
	e.readByHand(ctx, &in)
	e.readAddresses(ctx, &in)
	e.readPreflight(ctx, &in)
	in.Now = e.Clock.Now()
	return kept, in, nil
}

// hide takes the values of the add-on's configuration out of what its update failed with.
func hide(seen guard.Snapshot) {
	u, addon := seen.Update.Value, seen.Addon.Value
	if u == nil || addon == nil {
		return
	}
	for i := range u.Errors {
		u.Errors[i] = plain.Hide(u.Errors[i], addon.Config)
	}
}

func reading[T any](v T, err error) guard.Reading[T] {
	if err == nil {
		return guard.Read(v)
	}
	if f := fault.Of(err); f != nil {
		return guard.Hidden[T](f)
	}
	return guard.Hidden[T](&fault.Fault{Kind: fault.Retry, Op: "ledger", Text: err.Error()})
}

// settings are those of the policy for the cluster's tags; without the tags nobody knows which rules hold.
func (e Engine) settings(id cluster.ID, c guard.Reading[*guard.Cluster]) guard.Reading[policy.Settings] {
	if c.Fault != nil {
		return guard.Hidden[policy.Settings](c.Fault)
	}
	var tags map[string]string
	if c.Value != nil {
		tags = c.Value.Tags
	}
	return guard.Read(e.Policy.For(id, tags))
}

// place is where a cluster with these tags stands in the rollout; one whose tags cannot be read has no settings either.
func (e Engine) place(id cluster.ID, c guard.Reading[*guard.Cluster]) guard.Place {
	place := guard.Place{Rules: e.Policy.Rollout()}
	if c.Fault == nil && c.Value != nil {
		place.Wave = e.Policy.Wave(id, c.Value.Tags)
	}
	return place
}

func (e Engine) askAgain(ctx context.Context, kept Kept) error {
	if kept.Record.Again && !e.Heard {
		return nil
	}
	kept.Record.Again = true
	if e.Heard {
		kept.Record.Rung.Last = e.Clock.Now()
	}
	_, err := e.Ledger.Save(ctx, kept)
	return err
}

func (e Engine) busy(ctx context.Context) guard.Busy {
	until, ok := ctx.Deadline()
	if !ok {
		until = e.Clock.Now().Add(noDeadline)
	}
	return guard.Busy{By: e.By, Until: until.Add(busyBeyond)}
}

func wantsUpdate(p guard.Plan) bool {
	for _, a := range p.Actions {
		if a.Kind == guard.StartUpdate {
			return true
		}
	}
	return false
}

// act does the plan's actions in their order; a failure ends the row. What is left has an outcome too: a step that was meant
// to be taken, and was not, must not stand in the record as one in flight.
func (e Engine) act(ctx context.Context, in guard.Input, p guard.Plan) []guard.Outcome {
	done := make([]guard.Outcome, 0, len(p.Actions))
	for i, a := range p.Actions {
		o := guard.Outcome{Action: a, At: e.Clock.Now()}
		switch a.Kind {
		case guard.StartUpdate:
			o.Fault = e.slot(ctx, in, a.Step)
		case guard.PutAlarm:
			o.Fault = e.tornDown(ctx)
		}
		if o.Fault == nil {
			o = e.Actor.Do(ctx, in.ID, a)
		}
		done = append(done, o)
		if o.Fault != nil {
			e.Counts.Add(telemetry.ActFailed, 1)
			return append(done, untried(p.Actions[i+1:], o)...)
		}
		if a.Kind == guard.StartUpdate {
			e.Counts.Add(telemetry.Updates, 1)
		} else {
			e.Counts.Add(telemetry.AlarmsPut, 1)
		}
	}
	return done
}

func untried(left []guard.Action, failed guard.Outcome) []guard.Outcome {
	skipped := make([]guard.Outcome, 0, len(left))
	for _, a := range left {
		f := &fault.Fault{Kind: fault.Skip, Text: "not tried, because this could not be done before: " + failed.Action.String()}
		skipped = append(skipped, guard.Outcome{Action: a, Fault: f, At: failed.At})
	}
	return skipped
}

// tornDown reads the teardown once more, right before an alarm is put: it would stand after the stacks are gone, and nobody would know.
// One that cannot be read holds nothing back.
func (e Engine) tornDown(ctx context.Context) *fault.Fault {
	fleet, err := e.Ledger.Fleet(ctx)
	if err != nil || fleet.Halt == nil || fleet.Halt.Kind != guard.TearingDown {
		return nil
	}
	return &fault.Fault{Kind: fault.Skip, Op: "teardown", Text: "cniguard is torn down by " + fleet.Halt.By}
}

func (e Engine) log(ctx context.Context, id cluster.ID, p guard.Plan, done []guard.Outcome) {
	if p.Verdict.Word == guard.Unknown {
		e.Counts.Add(telemetry.Unknown, 1)
	}
	attrs := []any{telemetry.Cluster(id), telemetry.Verdict(p.Verdict)}
	for _, a := range []guard.Answer{p.Verdict.Install, p.Verdict.Version, p.Verdict.Capacity} {
		if a.Word == guard.Unknown {
			attrs = append(attrs, "unknown", a.Because)
			break
		}
	}
	for _, o := range done {
		word := "done"
		if o.Fault != nil {
			word = o.Fault.Error()
		}
		attrs = append(attrs, string(o.Action.Kind), word)
	}
	for _, h := range p.Held {
		attrs = append(attrs, "held", h.Action.String(), "gate", h.By[0].Gate)
	}
	e.Log.InfoContext(ctx, "checked", attrs...)
}
