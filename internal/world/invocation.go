package world

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/cniguard/cniguard/internal/sim"
)

// Failure is an asynchronous invocation that was given up, as the function's on-failure destination holds it.
type Failure struct {
	At       time.Time
	Function string
	Request  string // the request id, the same in every try
	// Condition is why: RetriesExhausted, or EventAgeExceeded when there was no room to run it for six hours.
	Condition string
	Tries     int
	Error     string // of the last try
	Event     []byte
}

// Try is the Data of an Invoked entry.
type Try struct {
	Function string
	Request  string // the request id, the same in every try
	Number   int    // from 1
	Event    []byte
}

// errExited is what Lambda says of a process that died.
var errExited = errors.New("Runtime.ExitError: the runtime exited without providing a reason")

// Lambda's asynchronous invocation (Lambda developer guide, "How Lambda handles errors and retries with asynchronous
// invocation"): two more tries after a minute and after two more; while there is no room, tries between a second and five
// minutes apart for at most six hours.
const (
	firstRetry  = time.Minute
	secondRetry = 2 * time.Minute
	firstWait   = time.Second
	longestWait = 5 * time.Minute
	oldestEvent = 6 * time.Hour
)

// invocation is one event on its way through a function.
type invocation struct {
	fn      *function
	request string
	event   []byte
	queued  time.Time
	try     int // from 1
	waits   int // times there was no room
	process *sim.Process
}

// run starts one try of an invocation, or has it wait while there is no room.
func (w *World) run(inv *invocation) {
	fn := inv.fn
	if fn.Concurrency > 0 && fn.running >= fn.Concurrency {
		w.await(inv)
		return
	}
	fn.running++
	inv.waits = 0
	env := fn.environment(w.clock.Now())
	inv.process = w.clock.Spawn(context.Background(), fn.Name+" "+inv.request, 0, func(ctx context.Context) {
		ctx, cancel := w.clock.WithTimeout(ctx, fn.Timeout)
		defer cancel()
		ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: inv.request, InvokedFunctionArn: w.functionARN(fn.Name)})
		if env.handler == nil {
			env.handler = fn.Boot()
		}
		err := env.handler(ctx, inv.event)
		fn.idle = append(fn.idle, env)
		if err != nil {
			w.end(inv, "error", err)
		} else {
			w.end(inv, "ok", nil)
		}
	})
	process := inv.process
	w.lambda.running[process] = inv
	w.clock.After(fn.Timeout, func() {
		w.kill(process, "timed out", fmt.Errorf("task timed out after %s", fn.Timeout))
	})
	w.invoked(inv, "start", nil)
}

// kill ends an invocation as Lambda does at its time-out, and as a crash does: no deferred call runs, and the environment is
// gone. What is not an invocation, or is over, stays as it is.
func (w *World) kill(p *sim.Process, what string, why error) {
	if inv, ok := w.lambda.running[p]; ok {
		w.clock.Kill(p)
		w.end(inv, what, why)
	}
}

// end is the end of one try. What was not answered without an error is tried again, and given up after the third try.
func (w *World) end(inv *invocation, what string, err error) {
	delete(w.lambda.running, inv.process)
	inv.fn.running--
	w.invoked(inv, what, err)
	if err == nil {
		return
	}
	switch inv.try++; inv.try {
	case 2:
		w.clock.After(firstRetry, func() { w.run(inv) })
	case 3:
		w.clock.After(secondRetry, func() { w.run(inv) })
	default:
		w.giveUp(inv, "RetriesExhausted", err)
	}
}

// await tries again to find room for an invocation, for as long as Lambda keeps an event.
func (w *World) await(inv *invocation) {
	if w.clock.Now().Sub(inv.queued) >= oldestEvent {
		w.giveUp(inv, "EventAgeExceeded", errors.New("Rate Exceeded."))
		return
	}
	wait := min(firstWait<<min(inv.waits, 20), longestWait)
	inv.waits++
	w.clock.After(wait, func() { w.run(inv) })
}

// giveUp sends an event to the failure queue.
func (w *World) giveUp(inv *invocation, condition string, err error) {
	inv.try-- // there is no next one
	w.lambda.failures = append(w.lambda.failures, Failure{
		At: w.clock.Now(), Function: inv.fn.Name, Request: inv.request, Condition: condition, Tries: inv.try, Error: err.Error(), Event: inv.event,
	})
	w.invoked(inv, "to the failure queue", err)
}

// invoked notes what became of a try; its Data is the Try.
func (w *World) invoked(inv *invocation, what string, err error) {
	if !w.noted() {
		return
	}
	text := fmt.Sprintf("%s %s try %d", inv.fn.Name, inv.request, inv.try)
	if err != nil {
		text += ": " + err.Error()
	}
	w.note(Entry{At: w.Now(), Kind: Invoked, What: what, Text: text, Data: Try{inv.fn.Name, inv.request, inv.try, inv.event}})
}
