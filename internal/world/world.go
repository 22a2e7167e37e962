// Package world is simulated AWS: EKS and the APIs of its clusters, EC2, CloudWatch, SNS, EventBridge, Lambda, DynamoDB, CloudTrail and STS, as
// far as the product uses them, in the virtual time of package sim.
//
// The same world is mounted in two ways. Config answers real SDK clients below their own validation and retries; Client has
// the SDK clients' methods itself and is some twenty times faster. Both lead every call through one gauntlet (see Call):
// latency, crash points, denied access, injected faults, the service, the history. One seed is one history.
//
// What the services do is taken from AWS's documentation and from what others saw; where these leave room there is a switch
// in Behaviour, so that random worlds draw either answer.
package world

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/smithy-go"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/sim"
)

// World is one simulated AWS. It is used by the processes of its clock, and between two runs of it.
type World struct {
	clock *sim.Clock
	spec  Spec
	rand  *rand.Rand // the world's own, so that what the product draws does not shift it

	history
	handlers  map[operation]handler
	crash     crash
	fired     []int // how often each of spec.Faults was injected
	scripted  []int // how often each of spec.Updates was used
	responses int   // errors so far; numbers their request ids

	identities identities
	clusters   clusters
	network    network
	tables     map[string]*table       // of DynamoDB, in the hub
	trailed    map[place][]trailDetail // CloudTrail's event history, oldest first

	metrics // cloudwatch.go
	lambda  // lambda.go
}

// New makes the world that spec describes. It draws only from the clock's randomness. The clock must stand at spec.Start.
func New(spec Spec, clock *sim.Clock) (*World, error) {
	if err := spec.Validate(); err != nil {
		return nil, fmt.Errorf("make a world: %w", err)
	}
	w := &World{
		clock:    clock,
		spec:     spec.copied(),
		rand:     rand.New(rand.NewPCG(clock.Rand.Uint64(), clock.Rand.Uint64())),
		fired:    make([]int, len(spec.Faults)),
		scripted: make([]int, len(spec.Updates)),
	}
	w.settle()
	w.handle("eks", eksCalls())
	w.handle("ec2", ec2Calls())
	w.handle("sts", stsCalls())
	w.handle("cloudwatch", cloudwatchCalls())
	w.handle("sns", snsCalls())
	w.handle("events", eventbridgeCalls())
	w.handle("dynamodb", dynamodbCalls())
	w.handle("cloudtrail", cloudtrailCalls())
	w.openNetwork()
	w.openClusters()
	w.openCloudWatch()
	w.openEventBridge()
	w.openLambda()
	return w, nil
}

// settle fills in what a Behaviour leaves out.
func (w *World) settle() {
	b := &w.spec.Behaviour
	b.PageSize = cmp.Or(b.PageSize, 100)
	b.AlarmDelay = cmp.Or(b.AlarmDelay, time.Minute)
	if b.UpdateTakes == (Range{}) {
		b.UpdateTakes = Range{3 * time.Minute, 3 * time.Minute}
	}
}

func (w *World) handle(service string, calls map[string]handler) {
	if w.handlers == nil {
		w.handlers = make(map[operation]handler, 32)
	}
	for op, h := range calls {
		w.handlers[operation{service, op}] = h
	}
}

// Now is the virtual instant.
func (w *World) Now() time.Time { return w.clock.Now() }

// Clock is the world's clock.
func (w *World) Clock() *sim.Clock { return w.clock }

// Spec is what the world was made from. It must not be changed.
func (w *World) Spec() *Spec { return &w.spec }

// at does something at an offset from the start; not at all, when that is over.
func (w *World) at(offset time.Duration, f func()) {
	if d := w.spec.Start.Add(offset).Sub(w.Now()); d >= 0 {
		w.clock.After(d, f)
	}
}

// since is the virtual time since the start.
func (w *World) since() time.Duration { return w.Now().Sub(w.spec.Start) }

// between is a duration from min to max, both included.
func (w *World) between(min, max time.Duration) time.Duration {
	if max <= min {
		return min
	}
	return min + time.Duration(w.rand.Int64N(int64(max-min)+1))
}

// chance is true with a probability. It draws only where both answers are possible.
func (w *World) chance(p float64) bool {
	return p >= 1 || p > 0 && w.rand.Float64() < p
}

// page cuts a page out of n items, of which the token, as page gives it, names the first.
func (w *World) page(n int, token *string, most *int32, usual int) (from, until int, next *string, err error) {
	size := min(usual, w.spec.Behaviour.PageSize)
	if most != nil && *most > 0 {
		size = min(size, int(*most))
	}
	if token != nil {
		if _, err := fmt.Sscanf(*token, "page-%d", &from); err != nil || from < 0 || from > n {
			return 0, 0, nil, &smithy.GenericAPIError{Code: "InvalidParameterException", Message: "The page token " + *token + " is invalid.", Fault: smithy.FaultClient}
		}
	}
	until = min(n, from+size)
	if until < n {
		t := fmt.Sprintf("page-%d", until)
		next = &t
	}
	return from, until, next, nil
}

func (c *Change) id() cluster.ID {
	return cluster.ID{Account: c.Account, Region: c.Region, Name: c.Name}
}

func (c *Cluster) id() cluster.ID {
	return cluster.ID{Account: c.Account, Region: c.Region, Name: c.Name}
}
