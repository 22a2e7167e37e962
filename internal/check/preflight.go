package check

import (
	"context"

	"github.com/cniguard/cniguard/internal/guard"
)

// readByHand reads what a person wants to know who updates what EKS does not manage.
func (e Engine) readByHand(ctx context.Context, in *guard.Input) {
	if in.WantsCatalogue() {
		in.Seen.Catalogue = e.Observer.Catalogue(ctx, in.ID, in.Seen.Cluster.Value.Kubernetes)
	}
	if of, values, wanted := in.WantsEnvironment(); wanted {
		in.Seen.Configuration = e.Observer.Configuration(ctx, in.ID, of, values)
	}
}

// readPreflight reads what only the gates of a step that may be taken want to know. An unchanged, healthy check asks nothing here.
func (e Engine) readPreflight(ctx context.Context, in *guard.Input) {
	in.Now = e.Clock.Now()
	if to, wanted := in.WantsConfiguration(); wanted {
		in.Seen.Configuration = e.Observer.Configuration(ctx, in.ID, to, in.Seen.Addon.Value.Config)
	}
	if in.WantsRollout() {
		in.Rollout = reading(e.Ledger.Rollout(ctx))
	}
	in.Now = e.Clock.Now()
	if in.WantsOpen() { // asked now: it may be that only the configuration holds the step
		in.Seen.Open = e.Observer.Open(ctx, in.ID)
	}
	if in.WantsLastChange() { // the last: its API takes two calls a second, so that only a step asks which nothing else holds
		in.Seen.LastChange = e.Observer.LastChange(ctx, in.ID)
	}
}
