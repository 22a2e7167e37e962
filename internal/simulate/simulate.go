// Package simulate runs the product in a simulated world: the same two functions, wired as in the Lambda, woken by the same
// rules and schedules, on simulated AWS in virtual time. The command's simulate, replay, plan, explain and demo, and the law
// runs of the tests, are this.
package simulate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cniguard/cniguard/internal/app"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/ledger"
	"github.com/cniguard/cniguard/internal/notify"
	"github.com/cniguard/cniguard/internal/policy"
	"github.com/cniguard/cniguard/internal/sim"
	"github.com/cniguard/cniguard/internal/world"
)

// Options say how a run is made.
type Options struct {
	Seed uint64
	SDK  bool // real SDK clients on the world, some twenty times slower; else the world's own clients. The history is the same
	// Table has the ledger in a table of the world's DynamoDB, as deployed functions have it, through the same clients; else it is
	// in memory. What goes wrong with the ledger then goes wrong with DynamoDB.
	Table bool
	Log   io.Writer  // the functions' logs; nil: nowhere
	Tell  func(Line) // gets each line of the journal as it happens; nil: nobody, and there is no journal
	// Topics are those that the functions tell; nil: that of the people on call, and the others where the world lists them.
	Topics app.Topics
	// Alter changes the parts of each function that boots: tests plant defects there.
	Alter func(*app.Parts)
}

// Run is the product in a world.
type Run struct {
	World  *world.World
	Ledger Ledger
	Policy *policy.Policy

	clock     *sim.Clock
	memory    *ledger.Memory // nil: the ledger is in a table
	options   Options
	journal   journal
	processes int // that booted so far
}

// Start makes the world, deploys the two functions with their rules and schedules, and has people's orders given at their
// times. Nothing runs before For. End it with Close. The error holds the world.Mistakes of the spec.
func Start(spec world.Spec, p *policy.Policy, o Options) (*Run, error) {
	if err := spec.Validate(); err != nil {
		return nil, fmt.Errorf("start a run: %w", err)
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	if o.Table {
		spec.Faults = ofTable(spec.Faults)
	}
	clock := sim.New(spec.Start, o.Seed)
	w, err := world.New(spec, clock)
	if err != nil {
		return nil, err
	}
	r := &Run{World: w, clock: clock, options: o}
	r.openLedger()
	if o.Tell != nil {
		r.journal = newJournal(w, r.topics()[notify.OnCall], o.Tell)
		w.Watch(r.journal.see)
	}
	r.Deploy(p)
	if err := r.schedule(); err != nil {
		return nil, err
	}
	for i, order := range spec.Orders {
		name := fmt.Sprintf("order %d by %s", i+1, order.By)
		r.clock.Spawn(context.Background(), name, order.At, func(ctx context.Context) { r.give(ctx, order) })
	}
	return r, nil
}

// Deploy deploys the functions with a policy, in place of those that are there: what they are doing they end with the policy that they have.
func (r *Run) Deploy(p *policy.Policy) {
	r.Policy = p
	r.deploy(event.Urgent, urgentTimeout)
	r.deploy(event.Bulk, bulkTimeout)
}

// For lets virtual time pass, and returns how many steps it took.
func (r *Run) For(d time.Duration) int { return r.clock.Run(r.clock.Now().Add(d)) }

// Close ends everything that still waits.
func (r *Run) Close() { r.clock.Close() }

// Now is the virtual instant.
func (r *Run) Now() time.Time { return r.clock.Now() }

// elapsed is how long the world has run.
func (r *Run) elapsed() time.Duration { return r.Now().Sub(r.World.Spec().Start) }

// Wake puts an event, as EventBridge would deliver it, into the queue of the function whose rules it matches. The error is
// that EventBridge would not deliver it.
func (r *Run) Wake(raw []byte) error {
	to, err := route(raw)
	if err != nil {
		return fmt.Errorf("wake: %w", err)
	}
	return r.World.Invoke(string(to), raw)
}

// route is the function that EventBridge would deliver an event to.
func route(raw []byte) (event.Target, error) {
	if !json.Valid(raw) {
		return "", errors.New("it is not JSON, so EventBridge would not deliver it")
	}
	for _, rule := range event.Rules() {
		if rule.Pattern.Matches(raw) {
			return rule.Target, nil
		}
	}
	return "", errors.New("no rule lets it through, so EventBridge would not deliver it")
}

// planTakes is how long reading a cluster may take, with every retry.
const planTakes = time.Minute

// Plan is what cniguard would decide on a cluster now, and what it rests on. Virtual time passes while it reads. The error is
// that cniguard would not look at the cluster, or could not.
func (r *Run) Plan(id cluster.ID) (in guard.Input, plan guard.Plan, err error) {
	if why := r.unseen(id); why != "" {
		return in, plan, fmt.Errorf("plan for %s: %s", id, why)
	}
	done := false
	r.clock.Spawn(context.Background(), "plan", 0, func(ctx context.Context) {
		in, plan, err = r.desk("you").Plan(ctx, id)
		done = true
	})
	for until := r.Now().Add(planTakes); !done && r.Now().Before(until); {
		r.For(time.Second)
	}
	if !done {
		return in, plan, fmt.Errorf("plan for %s: it could not be read within %s", id, Span(planTakes))
	}
	return in, plan, err
}

// unseen is why cniguard does not look at a cluster; empty: it does.
func (r *Run) unseen(id cluster.ID) string {
	if !r.Policy.Contains(id.Account, id.Region) {
		return fmt.Sprintf("account %s in %s is not in the policy's fleet, so cniguard never looks there", id.Account, id.Region)
	}
	for _, c := range r.World.Spec().Clusters {
		if idOf(c) == id && c.CreatedAt > r.elapsed() {
			return fmt.Sprintf("it is not there yet: the world creates it %s after the start", Span(c.CreatedAt))
		}
	}
	return ""
}
