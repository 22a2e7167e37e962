package simulate

import (
	"context"
	"time"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/ledger"
	"github.com/cniguard/cniguard/internal/world"
)

// served leads the ledger through the world, so that it has latency, faults and crash points like a service.
type served struct {
	world     *world.World
	principal string
	ledger    *ledger.Memory
}

var _ check.Ledger = served{}

// through makes one call of the ledger a call in the world. Injected errors are classified as those of AWS are.
func through[T any](ctx context.Context, s served, op string, do func() (T, error)) (v T, err error) {
	var own error
	err = s.world.Through(ctx, s.principal, op, func() error {
		v, own = do()
		return own
	})
	if err == nil || own != nil {
		return v, own
	}
	return v, access.Fault(op, err)
}

func (s served) Load(ctx context.Context, id cluster.ID) (check.Kept, error) {
	return through(ctx, s, "ledger:Load", func() (check.Kept, error) { return s.ledger.Load(ctx, id) })
}

func (s served) Save(ctx context.Context, k check.Kept) (check.Kept, error) {
	return through(ctx, s, "ledger:Save", func() (check.Kept, error) { return s.ledger.Save(ctx, k) })
}

func (s served) Due(ctx context.Context, now time.Time) ([]cluster.ID, error) {
	return through(ctx, s, "ledger:Due", func() ([]cluster.ID, error) { return s.ledger.Due(ctx, now) })
}

func (s served) In(ctx context.Context, u event.Unit) ([]check.Kept, error) {
	return through(ctx, s, "ledger:In", func() ([]check.Kept, error) { return s.ledger.In(ctx, u) })
}

func (s served) Orders(ctx context.Context, id cluster.ID) ([]guard.Order, error) {
	return through(ctx, s, "ledger:Orders", func() ([]guard.Order, error) { return s.ledger.Orders(ctx, id) })
}

func (s served) Fleet(ctx context.Context) (guard.Fleet, error) {
	return through(ctx, s, "ledger:Fleet", func() (guard.Fleet, error) { return s.ledger.Fleet(ctx) })
}
