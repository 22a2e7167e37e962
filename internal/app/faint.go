package app

import (
	"context"
	"slices"
	"time"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/event"
)

// moment is how long a cluster counts as just looked at. It bounds what events can cost that do not say which cluster they are
// about, or that cniguard's own work brings about: a check of each cluster every quarter of an hour.
const moment = 15 * time.Minute

// rested reports whether a faint hint asks for nothing but clusters that were looked at a moment ago. A sweep that goes on, and
// a unit or cluster of which nothing is recorded, is not left out; nor is anything when the ledger cannot be read.
func (a *App) rested(ctx context.Context, t event.Trigger) bool {
	if !t.Faint || t.After != "" {
		return false
	}
	now := a.parts.Clock.Now()
	kept, err := a.asked(ctx, t)
	kept = slices.DeleteFunc(kept, func(k check.Kept) bool { return k.Record.Gone })
	due := func(k check.Kept) bool { return now.Sub(k.Record.Seen) > moment }
	return err == nil && len(kept) > 0 && !slices.ContainsFunc(kept, due)
}

// asked are the records of what a trigger asks for.
func (a *App) asked(ctx context.Context, t event.Trigger) ([]check.Kept, error) {
	if t.Kind == event.Sweeping {
		return a.parts.Ledger.In(ctx, t.Unit)
	}
	k, err := a.parts.Ledger.Load(ctx, t.Cluster)
	return []check.Kept{k}, err
}
