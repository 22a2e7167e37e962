package ledger_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/ledger"
	"github.com/cniguard/cniguard/internal/ledger/ledgertest"
	"github.com/cniguard/cniguard/internal/sim"
	"github.com/cniguard/cniguard/internal/world"
)

const (
	hubAccount = "111122223333"
	hubRegion  = "eu-central-1"
	caller     = "arn:aws:iam::111122223333:role/cniguard-urgent"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// stage is a world with an empty table.
type stage struct {
	*world.World
	t      *testing.T
	clock  *sim.Clock
	client *dynamodb.Client // the SDK's own, answered by the world
	dynamo *ledger.Dynamo   // on that client
}

func set(t *testing.T, change func(*world.Spec)) *stage {
	t.Helper()
	spec := world.Spec{Start: noon, Hub: world.Hub{Account: hubAccount, Region: hubRegion}}
	if change != nil {
		change(&spec)
	}
	clock := sim.New(spec.Start, 1)
	t.Cleanup(clock.Close)
	w, err := world.New(spec, clock)
	if err != nil {
		t.Fatal(err)
	}
	w.CreateTable(world.Table{
		Name: "cniguard", Key: world.Key{Partition: "pk", Sort: "sk"},
		Index: "due", IndexKey: world.Key{Partition: "due", Sort: "at"},
	})
	w.Record(true)
	s := &stage{World: w, t: t, clock: clock, client: dynamodb.NewFromConfig(w.Config(caller, hubAccount, hubRegion))}
	s.dynamo = ledger.NewDynamo(s.client, "cniguard", clock)
	return s
}

// run does something in a process of the world, and lets an hour pass, in which it must come to its end.
func (s *stage) run(f func(ctx context.Context)) {
	s.t.Helper()
	done := false
	s.clock.Spawn(context.Background(), "test", 0, func(ctx context.Context) {
		f(ctx)
		done = true
	})
	s.clock.Run(s.Now().Add(time.Hour))
	if !done {
		s.t.Error("it does not come to its end within an hour")
	}
}

// inWorld is a ledger whose calls are processes of a world, one after the other.
type inWorld struct {
	mu sync.Mutex
	*stage
}

func take[T any](l *inWorld, f func(ctx context.Context) (T, error)) (v T, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.run(func(ctx context.Context) { v, err = f(ctx) })
	return v, err
}

func (l *inWorld) Load(_ context.Context, id cluster.ID) (check.Kept, error) {
	return take(l, func(ctx context.Context) (check.Kept, error) { return l.dynamo.Load(ctx, id) })
}

func (l *inWorld) Save(_ context.Context, k check.Kept) (check.Kept, error) {
	return take(l, func(ctx context.Context) (check.Kept, error) { return l.dynamo.Save(ctx, k) })
}

func (l *inWorld) Due(_ context.Context, now time.Time) ([]cluster.ID, error) {
	return take(l, func(ctx context.Context) ([]cluster.ID, error) { return l.dynamo.Due(ctx, now) })
}

func (l *inWorld) In(_ context.Context, u event.Unit) ([]check.Kept, error) {
	return take(l, func(ctx context.Context) ([]check.Kept, error) { return l.dynamo.In(ctx, u) })
}

func (l *inWorld) All(context.Context) ([]check.Kept, error) {
	return take(l, func(ctx context.Context) ([]check.Kept, error) { return l.dynamo.All(ctx) })
}

func (l *inWorld) Orders(_ context.Context, id cluster.ID) ([]guard.Order, error) {
	return take(l, func(ctx context.Context) ([]guard.Order, error) { return l.dynamo.Orders(ctx, id) })
}

func (l *inWorld) Fleet(context.Context) (guard.Fleet, error) {
	return take(l, func(ctx context.Context) (guard.Fleet, error) { return l.dynamo.Fleet(ctx) })
}

func (l *inWorld) Order(_ context.Context, id cluster.ID, o guard.Order) error {
	_, err := take(l, func(ctx context.Context) (any, error) { return nil, l.dynamo.Order(ctx, id, o) })
	return err
}

func (l *inWorld) Arrive(_ context.Context, nonce string, at time.Time) error {
	_, err := take(l, func(ctx context.Context) (any, error) { return nil, l.dynamo.Arrive(ctx, nonce, at) })
	return err
}

func (l *inWorld) Report(_ context.Context, nonce string, t check.Trial) error {
	_, err := take(l, func(ctx context.Context) (any, error) { return nil, l.dynamo.Report(ctx, nonce, t) })
	return err
}

func (l *inWorld) Reported(_ context.Context, nonce string) (*check.Trial, error) {
	return take(l, func(ctx context.Context) (*check.Trial, error) { return l.dynamo.Reported(ctx, nonce) })
}

func (l *inWorld) Arrived(_ context.Context, nonce string) (bool, error) {
	return take(l, func(ctx context.Context) (bool, error) { return l.dynamo.Arrived(ctx, nonce) })
}

func (l *inWorld) Digest(_ context.Context, owner string, at time.Time) (check.KeptDigest, error) {
	return take(l, func(ctx context.Context) (check.KeptDigest, error) { return l.dynamo.Digest(ctx, owner, at) })
}

func (l *inWorld) SaveDigest(_ context.Context, k check.KeptDigest) (check.KeptDigest, error) {
	return take(l, func(ctx context.Context) (check.KeptDigest, error) { return l.dynamo.SaveDigest(ctx, k) })
}

func (l *inWorld) DueDigests(_ context.Context, by time.Time) ([]check.KeptDigest, error) {
	return take(l, func(ctx context.Context) ([]check.KeptDigest, error) { return l.dynamo.DueDigests(ctx, by) })
}

func (l *inWorld) Digested(_ context.Context, hours string) (time.Time, error) {
	return take(l, func(ctx context.Context) (time.Time, error) { return l.dynamo.Digested(ctx, hours) })
}

func (l *inWorld) SetDigested(_ context.Context, hours string, at time.Time) error {
	_, err := take(l, func(ctx context.Context) (any, error) { return nil, l.dynamo.SetDigested(ctx, hours, at) })
	return err
}

func (l *inWorld) Rollout(context.Context) (guard.Rollout, error) {
	return take(l, func(ctx context.Context) (guard.Rollout, error) { return l.dynamo.Rollout(ctx) })
}

func (l *inWorld) SaveRollout(_ context.Context, r guard.Rollout) error {
	_, err := take(l, func(ctx context.Context) (any, error) { return nil, l.dynamo.SaveRollout(ctx, r) })
	return err
}

func (l *inWorld) PutSweep(_ context.Context, s check.Sweep) error {
	_, err := take(l, func(ctx context.Context) (any, error) { return nil, l.dynamo.PutSweep(ctx, s) })
	return err
}

func (l *inWorld) Sweep(_ context.Context, run string) (check.Sweep, error) {
	return take(l, func(ctx context.Context) (check.Sweep, error) { return l.dynamo.Sweep(ctx, run) })
}

func (l *inWorld) Sweeps(context.Context) ([]check.Sweep, error) {
	return take(l, func(ctx context.Context) ([]check.Sweep, error) { return l.dynamo.Sweeps(ctx) })
}

func (l *inWorld) PutPart(_ context.Context, run string, p check.Part) error {
	_, err := take(l, func(ctx context.Context) (any, error) { return nil, l.dynamo.PutPart(ctx, run, p) })
	return err
}

func (l *inWorld) Parts(_ context.Context, run string) ([]check.Part, error) {
	return take(l, func(ctx context.Context) ([]check.Part, error) { return l.dynamo.Parts(ctx, run) })
}

func TestDynamo(t *testing.T) {
	for name, behaviour := range map[string]world.Behaviour{
		"at once":                                {},
		"in pages of one item":                   {PageSize: 1},
		"with a late index and parts of batches": {PageSize: 7, IndexLag: time.Minute, Unprocessed: .5, Latency: world.Range{Min: time.Millisecond, Max: time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			ledgertest.Run(t, func(t *testing.T) ledgertest.Ledger {
				return &inWorld{stage: set(t, func(s *world.Spec) { s.Behaviour = behaviour })}
			})
		})
	}
}
