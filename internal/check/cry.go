package check

import (
	"context"
	"errors"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/telemetry"
)

// cry tells of a cluster whose alarm rings though the ledger cannot be reached: pods may hang by the time it can. Nothing else is told without
// the ledger, and nothing changed. The ledger's own error is returned: Lambda's next try notes that the event was heard, or tells it again with the
// same key.
func (e Engine) cry(ctx context.Context, in guard.Input, down error) error {
	if !in.Heard || errors.Is(down, ErrConflict) {
		return down
	}
	in.Now, in.Settings = e.Clock.Now(), e.settings(in.ID, in.Seen.Cluster)
	messages := guard.Cry(in, guard.Decide(in))
	if len(messages) == 0 {
		return down
	}
	e.publish(ctx, Kept{Cluster: in.ID, Record: guard.Record{Outbox: messages}}, e.untried())
	e.Log.ErrorContext(ctx, "told without the ledger", telemetry.Cluster(in.ID), "error", down.Error())
	return down
}
