// Package hub is what a person does to a deployed hub, with credentials of their own: look at the fleet, give orders, look after what
// failed, check that everything is in place, and tear it down. What is seen and said is in pure functions; what it needs of AWS is
// declared here, each interface as small as its use.
package hub

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
)

// Ledger is what a person needs of the ledger.
type Ledger interface {
	Load(ctx context.Context, id cluster.ID) (check.Kept, error)
	All(ctx context.Context) ([]check.Kept, error)
	Orders(ctx context.Context, id cluster.ID) ([]guard.Order, error)
	Fleet(ctx context.Context) (guard.Fleet, error)
	Rollout(ctx context.Context) (guard.Rollout, error)
	Sweeps(ctx context.Context) ([]check.Sweep, error)
	Order(ctx context.Context, id cluster.ID, o guard.Order) error
	// Arrived reports whether the event of a probe, which the nonce names, has come.
	Arrived(ctx context.Context, nonce string) (bool, error)
	// Reported is what became of a sample, which the nonce names; nil: nothing is noted.
	Reported(ctx context.Context, nonce string) (*check.Trial, error)
}

// Hub is a deployed hub, as one person reaches it.
type Hub struct {
	Ledger Ledger
	Waker  check.Waker
	Clock  clock.Clock
	// Now is AWS's time when the person was recognised: the functions go by AWS's time too, and a computer at a desk may be minutes
	// away from it.
	Now time.Time
}

// Cluster is the record of the one cluster of that name: "NAME", or "ACCOUNT/REGION/NAME" where several have it. The error lists
// what there is.
func (h Hub) Cluster(ctx context.Context, name string) (check.Kept, error) {
	if id, ok := parseID(name); ok {
		kept, err := h.Ledger.Load(ctx, id)
		if err == nil && kept.Version == 0 {
			err = fmt.Errorf("find cluster %q: cniguard has not checked it; is its account and region in the policy's fleet?", name)
		}
		return kept, err
	}
	all, err := h.Ledger.All(ctx)
	if err != nil {
		return check.Kept{}, err
	}
	var found []check.Kept
	var full []string
	for _, k := range all {
		if k.Cluster.Name == name && name != "" && !k.Record.Gone {
			found, full = append(found, k), append(full, k.Cluster.String())
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return check.Kept{}, fmt.Errorf("find cluster %q: cniguard knows none of this name; `cniguard status` lists those it knows", name)
	}
	return check.Kept{}, fmt.Errorf("find cluster %q: cniguard knows %d of this name: %s", name, len(found), strings.Join(full, ", "))
}

func parseID(name string) (cluster.ID, bool) {
	parts := strings.Split(name, "/")
	if len(parts) != 3 || !cluster.IsAccount(parts[0]) || !cluster.IsRegion(parts[1]) || !cluster.IsName(parts[2]) {
		return cluster.ID{}, false
	}
	return cluster.ID{Account: parts[0], Region: parts[1], Name: parts[2]}, true
}

// Explain gathers what the ledger has of a cluster. The cluster itself is not read: its observer role trusts the functions only.
func (h Hub) Explain(ctx context.Context, name string) (Explanation, error) {
	kept, err := h.Cluster(ctx, name)
	if err != nil {
		return Explanation{}, err
	}
	orders, err := h.Ledger.Orders(ctx, kept.Cluster)
	if err != nil {
		return Explanation{}, err
	}
	fleet, err := h.Ledger.Fleet(ctx)
	rec := kept.Record
	x := Explanation{
		At: h.Now, Cluster: kept.Cluster, Known: true, Record: rec, Plan: rec.Planned(), Version: rec.Version, Node: rec.Node, Orders: orders, Halt: fleet.Halt,
	}
	if due := rec.Wake(); due.Sub(rec.Seen) <= event.SweepEvery {
		x.Next, x.By = due, event.Tick
	}
	return x, err
}
