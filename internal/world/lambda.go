package world

import (
	"context"
	"fmt"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/sim"
)

// Handler answers one event, as the handler of a Lambda function does.
type Handler func(ctx context.Context, event []byte) error

// Function is a Lambda function in the hub. It is invoked asynchronously only, as EventBridge does it.
type Function struct {
	// Name is unique in a world.
	Name string
	// Timeout is how long an invocation may take. Then its process is killed, and no deferred call runs.
	Timeout time.Duration
	// Boot makes the handler of a new environment, in the process of the first invocation there.
	Boot func() Handler
	// Rules are the EventBridge rules whose events invoke the function.
	Rules []event.Rule
	// Concurrency is how many invocations may run at a time; 0: any number.
	Concurrency int
}

// environmentLife is how long an execution environment is used; Lambda ends them every few hours even while they are
// invoked continuously (Lambda developer guide, "Understanding the Lambda execution environment lifecycle").
const environmentLife = 2 * time.Hour

// function is a deployed function with its environments that wait for work.
type function struct {
	Function
	idle    []*environment
	running int
}

// environment is one warm process; it serves one invocation at a time.
type environment struct {
	handler Handler
	born    time.Time
}

// lambda is the Lambda service of the hub.
type lambda struct {
	functions []*function // in the order of their first deployment
	running   map[*sim.Process]*invocation
	failures  []Failure
}

func (w *World) openLambda() { w.lambda.running = map[*sim.Process]*invocation{} }

// Deploy makes a function, or replaces one of the same name: what runs and waits runs on in the old code, new events go to
// new environments.
func (w *World) Deploy(f Function) {
	fn := &function{Function: f}
	for i, old := range w.lambda.functions {
		if old.Name == f.Name {
			w.lambda.functions[i] = fn
			return
		}
	}
	w.lambda.functions = append(w.lambda.functions, fn)
}

func (l *lambda) named(name string) *function {
	for _, fn := range l.functions {
		if fn.Name == name {
			return fn
		}
	}
	return nil
}

// FailureQueue lists what was given up so far, oldest first.
func (w *World) FailureQueue() []Failure { return w.lambda.failures }

// Invoke puts an event into a function's asynchronous queue; the error is that there is no such function. The event may be
// delivered twice, as Behaviour.InvocationsDoubled says (Lambda developer guide: "more than once").
func (w *World) Invoke(name string, raw []byte) error {
	fn := w.lambda.named(name)
	if fn == nil {
		return fmt.Errorf("invoke function %s: there is none of this name", name)
	}
	inv := invocation{fn: fn, request: w.uuid(), event: raw, queued: w.clock.Now(), try: 1}
	if w.chance(w.spec.Behaviour.InvocationsDoubled) {
		again := inv
		w.clock.After(w.between(0, w.spec.Behaviour.EventsDelayedMax), func() { w.run(&again) })
	}
	w.run(&inv)
	return nil
}

// functionARN is the ARN of a function in the hub.
func (w *World) functionARN(name string) string {
	hub := w.spec.Hub
	return "arn:" + cluster.PartitionOf(hub.Region).Name + ":lambda:" + hub.Region + ":" + hub.Account + ":function:" + name
}

// environment is one that is warm, the last used first, or a new one.
func (f *function) environment(now time.Time) *environment {
	for len(f.idle) > 0 {
		last := len(f.idle) - 1
		env := f.idle[last]
		f.idle = f.idle[:last]
		if now.Sub(env.born) < environmentLife {
			return env
		}
	}
	return &environment{born: now}
}
