// Package check is the use case: it brings one cluster from observed to concluded, and does the fleet's units of work
// (tick, meter, sweep). It is the only imperative part; what it decides is in package guard.
package check

import (
	"context"
	"errors"
	"time"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

// Observer reads the world.
type Observer interface {
	// Observe reads one cluster. Faults are in the readings.
	Observe(ctx context.Context, id cluster.ID) guard.Snapshot
	// Settle reads the update that belongs to a step: by the step's ID or, where the call's answer never came, by looking for
	// an update to that version created since the step was saved. Nil: there is none.
	Settle(ctx context.Context, id cluster.ID, s guard.Step) guard.Reading[*guard.Update]
	// Catalogue reads the releases that EKS lists as compatible with a version of Kubernetes, where a cluster is.
	Catalogue(ctx context.Context, id cluster.ID, kubernetes string) guard.Reading[[]cni.Release]
	// Configuration checks an add-on's configuration values against the schema of a version. No fault quotes them.
	Configuration(ctx context.Context, id cluster.ID, of cni.Version, values string) guard.Reading[*guard.Configuration]
	// Open reads which updates of the add-on EKS has not ended.
	Open(ctx context.Context, id cluster.ID) guard.Reading[*guard.Open]
	// History reads the highest value in each hour since an instant of the metric that Gauge publishes for a cluster.
	History(ctx context.Context, id cluster.ID, since time.Time) guard.Reading[[]capacity.Point]
	// NodeMetrics reads what cni-metrics-helper published in the last hour under a CLUSTER_ID, and which others there are.
	NodeMetrics(ctx context.Context, id cluster.ID, helperID string) guard.Reading[*capacity.NodeMetrics]
	// Network reads the instance types of these types' families, and the ranges that are taken in a VPC, as an account sees them.
	Network(ctx context.Context, u event.Unit, vpc string, types []string) guard.Reading[*guard.Network]
	// LastChange reads who else changed a cluster's add-on last, as far as CloudTrail tells.
	LastChange(ctx context.Context, id cluster.ID) guard.Reading[*guard.LastChange]
	// Alarms lists the names of all alarms of cniguard for clusters of a unit.
	Alarms(ctx context.Context, u event.Unit) ([]string, error)
	// Clusters lists the names of a unit's clusters that sort after the given name, in order, all of them.
	Clusters(ctx context.Context, u event.Unit, after string) ([]string, error)
}

// Insider reads what the cluster's own API tells, with the observer's role.
type Insider interface {
	// Inside reads a cluster's network. The token that it sends is good for clusters of that name only, and is in no fault.
	Inside(ctx context.Context, id cluster.ID, api guard.API) guard.Reading[*guard.Inside]
}

// Actor changes the world. A dry run, a plan and a replay are other Actors.
type Actor interface {
	Do(ctx context.Context, id cluster.ID, a guard.Action) guard.Outcome
}

// Gauge measures subnets and publishes what the alarms watch.
type Gauge interface {
	// Subnets reads the given subnets of a unit. A subnet that is not in the answer is gone.
	Subnets(ctx context.Context, u event.Unit, ids []string) ([]capacity.Subnet, error)
	// Blocks counts the /28 blocks of subnets, by id, as a unit's account sees them, which should own them.
	Blocks(ctx context.Context, u event.Unit, subnets []capacity.Subnet) (map[string]capacity.Blocks, error)
	// Publish publishes values of the metrics that alarms watch, stamped at.
	Publish(ctx context.Context, u event.Unit, at time.Time, values []alarm.Value) error
}

// ErrConflict is a Save whose record was saved by another since it was loaded.
var ErrConflict = errors.New("ledger: the record was saved by another check in between")

// Kept is a record as the ledger holds it.
type Kept struct {
	Cluster cluster.ID
	Record  guard.Record
	Version int64 // 0: there is no record yet
}

// Ledger keeps the records.
type Ledger interface {
	// Load reads one record, consistently; the zero Record and Version 0 when there is none.
	Load(ctx context.Context, id cluster.ID) (Kept, error)
	// Save stores a record if it still has the version it was loaded with; else ErrConflict.
	Save(ctx context.Context, k Kept) (Kept, error)
	// Due lists the clusters whose record's Wake has come, the longest overdue first.
	Due(ctx context.Context, now time.Time) ([]cluster.ID, error)
	// In lists the records of a unit, ordered by name.
	In(ctx context.Context, u event.Unit) ([]Kept, error)
	// Orders lists what people ordered for a cluster, oldest first.
	Orders(ctx context.Context, id cluster.ID) ([]guard.Order, error)
	// Fleet reads the fleet's state, consistently.
	Fleet(ctx context.Context) (guard.Fleet, error)
	// Rollout reads how far the fleet's updates are, consistently; Version 0: nothing was updated yet.
	Rollout(ctx context.Context) (guard.Rollout, error)
	// SaveRollout stores it if it still has the version it was read with; else ErrConflict.
	SaveRollout(ctx context.Context, r guard.Rollout) error
	SweepLedger
	Digests
}

// Digests keeps what people are told once a day.
type Digests interface {
	// Digest reads an owner's digest of an instant, consistently; Version 0: there is none.
	Digest(ctx context.Context, owner string, at time.Time) (KeptDigest, error)
	// SaveDigest stores a digest if it still has the version it was read with; else ErrConflict.
	SaveDigest(ctx context.Context, k KeptDigest) (KeptDigest, error)
	// DueDigests lists those that are to be told by an instant, the longest overdue first: of each its owner, its instant and Due.
	DueDigests(ctx context.Context, by time.Time) ([]KeptDigest, error)
	// Digested is the last instant of these hours of which all digests were made; zero: none ever was.
	Digested(ctx context.Context, hours string) (time.Time, error)
	SetDigested(ctx context.Context, hours string, at time.Time) error
}

// SweepLedger keeps what sweeps of the fleet come to. Nothing of it is for ever: what is older than some days may be gone.
type SweepLedger interface {
	// PutSweep stores an open sweep where there is none of its run, and a closed one over the open one of its run; else ErrConflict.
	PutSweep(ctx context.Context, s Sweep) error
	// Sweep reads one sweep, consistently; the zero Sweep when there is none of that run.
	Sweep(ctx context.Context, run string) (Sweep, error)
	// Sweeps lists the sweeps that are known, consistently, the one that began last at the end.
	Sweeps(ctx context.Context) ([]Sweep, error)
	// PutPart stores a part of a sweep, which need not be known, over one of the same unit that begins where it does.
	PutPart(ctx context.Context, run string, p Part) error
	// Parts lists the parts of a sweep, consistently, ordered by account, region and where they begin.
	Parts(ctx context.Context, run string) ([]Part, error)
}

// Topic is where people or programs are told. Each message is told to every topic, and a topic that fails holds back no other.
type Topic struct {
	Name string // as a record remembers it, among the topics that have a message
	Teller
	// Programs is true where programs listen: they are told at once also what people are told in digests.
	Programs bool
}

// Teller publishes one message, or one digest.
type Teller interface {
	Tell(ctx context.Context, m guard.Message) error
	TellDigest(ctx context.Context, d guard.Digest) error
}

// Trial is what became of a sample by which a person tried a topic.
type Trial struct {
	At    time.Time    `json:"at"`              // when it was taken, or refused
	Fault *fault.Fault `json:"fault,omitempty"` // nil: it was taken, which is not yet delivered; of kind Skip: there is no such topic
}

// News makes known to programs what is no message to people: they listen on the hub's bus.
type News interface {
	// Swept says that a sweep is finished, and what it came to.
	Swept(ctx context.Context, c Coverage) error
}

// Waker asks for work: each trigger comes back as an event of its own, at least once, later.
type Waker interface {
	Wake(ctx context.Context, ts ...event.Trigger) error
}
