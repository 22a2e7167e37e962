package simulate

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/app"
	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/ledger"
	"github.com/cniguard/cniguard/internal/world"
)

// Ledger is what is remembered in a run, as it is. No time passes while it is read.
type Ledger interface {
	Load(ctx context.Context, id cluster.ID) (check.Kept, error)
	All(ctx context.Context) ([]check.Kept, error)
	Orders(ctx context.Context, id cluster.ID) ([]guard.Order, error)
	Fleet(ctx context.Context) (guard.Fleet, error)
	Rollout(ctx context.Context) (guard.Rollout, error)
	Sweeps(ctx context.Context) ([]check.Sweep, error)
}

// table is the name of the hub's table.
const table = "cniguard"

// openLedger makes the ledger, with its table as the hub's stack makes it (ADR 0007).
func (r *Run) openLedger() {
	if !r.options.Table {
		r.memory = ledger.NewMemory()
		r.Ledger = r.memory
		return
	}
	r.World.CreateTable(world.Table{
		Name: table, Key: world.Key{Partition: "pk", Sort: "sk"},
		Index: "due", IndexKey: world.Key{Partition: "due", Sort: "at"},
	})
	r.Ledger = ledger.NewDynamo(r.World.Peek(), table, r.clock)
}

// ledger is the ledger as a principal of the hub has it.
func (r *Run) ledger(principal string) app.Ledger {
	if r.memory != nil {
		return served{r.World, principal, r.memory}
	}
	return r.dynamo(principal)
}

func (r *Run) dynamo(principal string) *ledger.Dynamo {
	var client ledger.DynamoDB = r.World.Client(principal, r.hub().Account, r.hub().Region)
	if r.options.SDK {
		client = dynamodb.NewFromConfig(r.World.Config(principal, r.hub().Account, r.hub().Region))
	}
	return ledger.NewDynamo(client, table, r.clock)
}

// again is how long a person waits whose command failed and may work later.
const again = 5 * time.Second

// write writes a person's order, with the person's own credentials where the ledger is a table. A command that may work later is
// given again.
func (r *Run) write(ctx context.Context, id cluster.ID, o guard.Order) error {
	if r.memory != nil {
		return r.memory.Order(ctx, id, o)
	}
	own := r.dynamo(role("person/"+o.By, r.hub().Account, r.hub().Region))
	err := own.Order(ctx, id, o)
	for f := fault.Of(err); f != nil && f.Kind == fault.Retry; f = fault.Of(err) {
		if r.clock.Sleep(ctx, again) != nil {
			return err
		}
		err = own.Order(ctx, id, o)
	}
	return err
}

// ofTable has the faults of the ledger happen to the operations of DynamoDB that it is made of.
func ofTable(faults []world.Fault) []world.Fault {
	operations := map[string]string{
		"Load": "GetItem", "Fleet": "GetItem", "Rollout": "GetItem", "SaveRollout": "PutItem",
		"Save": "PutItem", "Arrive": "PutItem", "Report": "PutItem", "Reported": "GetItem", "Due": "Query", "In": "Query",
		"Orders": "Query", "Digest": "GetItem", "SaveDigest": "PutItem", "DueDigests": "Query", "Digested": "GetItem", "SetDigested": "PutItem",
		"Sweep": "GetItem", "PutSweep": "PutItem", "PutPart": "PutItem", "Sweeps": "Query", "Parts": "Query",
	}
	faults = slices.Clone(faults)
	for i := range faults {
		if f := &faults[i]; f.Service == "ledger" {
			f.Service, f.Operation = "dynamodb", operations[f.Operation]
		}
	}
	return faults
}

// served leads the ledger in memory through the world, so that it has latency, faults and crash points like a service.
type served struct {
	world     *world.World
	principal string
	ledger    *ledger.Memory
}

var _ app.Ledger = served{}

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

func (s served) Rollout(ctx context.Context) (guard.Rollout, error) {
	return through(ctx, s, "ledger:Rollout", func() (guard.Rollout, error) { return s.ledger.Rollout(ctx) })
}

func (s served) SaveRollout(ctx context.Context, r guard.Rollout) error {
	_, err := through(ctx, s, "ledger:SaveRollout", func() (any, error) { return nil, s.ledger.SaveRollout(ctx, r) })
	return err
}

func (s served) Arrive(ctx context.Context, nonce string, at time.Time) error {
	_, err := through(ctx, s, "ledger:Arrive", func() (any, error) { return nil, s.ledger.Arrive(ctx, nonce, at) })
	return err
}

func (s served) Digest(ctx context.Context, owner string, at time.Time) (check.KeptDigest, error) {
	return through(ctx, s, "ledger:Digest", func() (check.KeptDigest, error) { return s.ledger.Digest(ctx, owner, at) })
}

func (s served) SaveDigest(ctx context.Context, k check.KeptDigest) (check.KeptDigest, error) {
	return through(ctx, s, "ledger:SaveDigest", func() (check.KeptDigest, error) { return s.ledger.SaveDigest(ctx, k) })
}

func (s served) DueDigests(ctx context.Context, by time.Time) ([]check.KeptDigest, error) {
	return through(ctx, s, "ledger:DueDigests", func() ([]check.KeptDigest, error) { return s.ledger.DueDigests(ctx, by) })
}

func (s served) Digested(ctx context.Context, hours string) (time.Time, error) {
	return through(ctx, s, "ledger:Digested", func() (time.Time, error) { return s.ledger.Digested(ctx, hours) })
}

func (s served) SetDigested(ctx context.Context, hours string, at time.Time) error {
	_, err := through(ctx, s, "ledger:SetDigested", func() (any, error) { return nil, s.ledger.SetDigested(ctx, hours, at) })
	return err
}
func (s served) Report(ctx context.Context, nonce string, t check.Trial) error {
	_, err := through(ctx, s, "ledger:Report", func() (any, error) { return nil, s.ledger.Report(ctx, nonce, t) })
	return err
}

func (s served) Reported(ctx context.Context, nonce string) (*check.Trial, error) {
	return through(ctx, s, "ledger:Reported", func() (*check.Trial, error) { return s.ledger.Reported(ctx, nonce) })
}

func (s served) PutSweep(ctx context.Context, sw check.Sweep) error {
	_, err := through(ctx, s, "ledger:PutSweep", func() (any, error) { return nil, s.ledger.PutSweep(ctx, sw) })
	return err
}

func (s served) Sweep(ctx context.Context, run string) (check.Sweep, error) {
	return through(ctx, s, "ledger:Sweep", func() (check.Sweep, error) { return s.ledger.Sweep(ctx, run) })
}

func (s served) Sweeps(ctx context.Context) ([]check.Sweep, error) {
	return through(ctx, s, "ledger:Sweeps", func() ([]check.Sweep, error) { return s.ledger.Sweeps(ctx) })
}

func (s served) PutPart(ctx context.Context, run string, p check.Part) error {
	_, err := through(ctx, s, "ledger:PutPart", func() (any, error) { return nil, s.ledger.PutPart(ctx, run, p) })
	return err
}

func (s served) Parts(ctx context.Context, run string) ([]check.Part, error) {
	return through(ctx, s, "ledger:Parts", func() ([]check.Part, error) { return s.ledger.Parts(ctx, run) })
}
