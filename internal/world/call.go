package world

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/eks"

	"github.com/cniguard/cniguard/internal/sim"
)

// Call is one attempt of one API call, from the SDK or from a Client, as the world saw it.
type Call struct {
	At         time.Time // when it had its effect
	Took       time.Duration
	Service    string // IAM prefix, as "eks", "ec2", "cloudwatch", "sns", "events", "dynamodb", "sts", "ledger"; or "kubernetes"
	Op         string // as "DescribeAddon"
	Try        int    // 1 is the first
	Principal  string // the caller's ARN
	Account    string
	Region     string
	Invocation string // request id of the function's invocation; empty: none
	Cluster    string // name, where the input names a cluster
	In         any    // the SDK's input, or a *KubernetesRequest; it must not be changed
	Out        any    // the SDK's output, or a *KubernetesAnswer; nil after an error
	Err        error  // as the SDK's error, without the operation around it
	Effect     bool   // the service did it: without an error, or the answer was lost
}

// Action is the IAM action, as "eks:DescribeAddon".
func (c *Call) Action() string { return c.Service + ":" + c.Op }

// operation is one operation of one service.
type operation struct{ service, name string }

// handler answers one operation of a service. It takes the SDK's input from c.In and returns the SDK's output, which it
// shares with nobody, or the service's error: a modelled one, or a smithy.GenericAPIError.
type handler func(w *World, c *Call) (any, error)

// on makes a handler of a method that takes and returns the SDK's types.
func on[In, Out any](f func(*World, *Call, *In) (*Out, error)) handler {
	return func(w *World, c *Call) (any, error) {
		out, err := f(w, c, c.In.(*In))
		if err != nil {
			return nil, err
		}
		return out, nil
	}
}

// try makes one attempt of an SDK operation.
func (w *World) try(ctx context.Context, c *Call) (any, error) {
	h := w.handlers[operation{c.Service, c.Op}]
	if h == nil {
		return nil, fmt.Errorf("world: %s is not simulated", c.Action())
	}
	c.Cluster = clusterOf(c.In)
	return w.serve(ctx, c, func() (any, error) { return h(w, c) })
}

// backoff waits in virtual time before a try, as the SDK's ExponentialJitterBackoff does: a random part of 2^n seconds after
// the n-th try, at most 20 s. STS must not wait; see pass.
func (w *World) backoff(ctx context.Context, service string, try int) error {
	if try == 1 || service == "sts" {
		return nil
	}
	most := min(math.Exp2(float64(try-1)), retry.DefaultMaxBackoff.Seconds())
	if err := w.clock.Sleep(ctx, time.Duration(w.rand.Float64()*most*float64(time.Second))); err != nil {
		return &aws.RequestCanceledError{Err: err}
	}
	return nil
}

// clusterOf is the name of the cluster that an input names; empty: it names none.
func clusterOf(in any) string {
	switch in := in.(type) {
	case *eks.DescribeClusterInput:
		return *in.Name
	case *eks.DescribeAddonInput:
		return *in.ClusterName
	case *eks.UpdateAddonInput:
		return *in.ClusterName
	case *eks.CreateAddonInput:
		return *in.ClusterName
	case *eks.DeleteAddonInput:
		return *in.ClusterName
	case *eks.ListNodegroupsInput:
		return *in.ClusterName
	case *eks.DescribeNodegroupInput:
		return *in.ClusterName
	case *eks.ListFargateProfilesInput:
		return *in.ClusterName
	case *eks.DescribeFargateProfileInput:
		return *in.ClusterName
	case *eks.ListUpdatesInput:
		return *in.Name
	case *eks.DescribeUpdateInput:
		return *in.Name
	}
	return ""
}

// serve is the gauntlet: every call of every kind runs through it. The order is: time passes, the caller may die, access is
// denied, a fault is injected, the service does it, the history notes it, the caller may die.
func (w *World) serve(ctx context.Context, c *Call, do func() (any, error)) (any, error) {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		c.Invocation = lc.AwsRequestID
	}
	began := w.Now()
	f := w.fault(c)
	late := w.pass(ctx, c, f)
	c.At, c.Took = w.Now(), w.Now().Sub(began)
	w.dieBefore(ctx, c)
	c.Out, c.Err = w.answer(c, f, late, do)
	w.note(Entry{Kind: Called, At: c.At, Call: c})
	w.dieAfter(ctx, c)
	return c.Out, c.Err
}

// pass lets a call's latency pass. STS answers at once: the SDK's credential cache calls it in a goroutine of its own, on
// which several processes may wait.
func (w *World) pass(ctx context.Context, c *Call, f *Fault) error {
	if c.Service == "sts" {
		return nil
	}
	d := w.between(w.spec.Behaviour.Latency.Min, w.spec.Behaviour.Latency.Max)
	if f != nil {
		d += f.Latency
	}
	if err := w.clock.Sleep(ctx, d); err != nil {
		return &aws.RequestCanceledError{Err: err}
	}
	return nil
}

// answer is the answer of the service, or what comes instead of it. A call whose time is up may have had its effect or not.
func (w *World) answer(c *Call, f *Fault, late error, do func() (any, error)) (any, error) {
	if late != nil {
		if w.rand.IntN(2) == 0 && w.denied(c) == nil && !w.disabled(c) {
			_, err := do()
			c.Effect = err == nil
		}
		return nil, late
	}
	if w.disabled(c) {
		code, status := badKey(c.Service)
		return nil, w.response(modelled(c.Service, code, "The security token included in the request is invalid."), c.Service, status)
	}
	if err := w.denied(c); err != nil {
		return nil, w.response(err, c.Service, 0)
	}
	if f != nil && f.Code != "" && !f.After {
		return nil, w.injected(c, f)
	}
	out, err := do()
	c.Effect = err == nil
	if f != nil && f.Code != "" {
		return nil, w.injected(c, f)
	}
	if err != nil {
		return nil, w.response(err, c.Service, 0)
	}
	return out, nil
}

// Through leads something through the gauntlet that is not an SDK call, as the ledger: op is "ledger:Save". What apply does
// has its effect at once; its error is returned as it is.
func (w *World) Through(ctx context.Context, principal, op string, apply func() error) error {
	service, name, _ := strings.Cut(op, ":")
	c := &Call{Service: service, Op: name, Try: 1, Principal: principal, Account: w.spec.Hub.Account, Region: w.spec.Hub.Region}
	_, err := w.serve(ctx, c, func() (any, error) { return nil, apply() })
	return err
}

// crash is where a process is to die.
type crash struct {
	calls int // so far, without those of STS
	at    int // 0: nowhere
	after bool
}

// CrashAt kills the process that makes the n-th call from now on, the first being 1: before the call has its effect, or, when
// after is true, after that and before its answer comes. Calls of STS do not count.
func (w *World) CrashAt(n int, after bool) { w.crash = crash{at: n, after: after} }

// Calls is how many calls there were since the start or the last CrashAt. It is how crash points are enumerated.
func (w *World) Calls() int { return w.crash.calls }

func (w *World) dieBefore(ctx context.Context, c *Call) {
	if c.Service == "sts" {
		return
	}
	if w.crash.calls++; w.crash.calls == w.crash.at && !w.crash.after {
		w.die(ctx, c, "before")
	}
}

func (w *World) dieAfter(ctx context.Context, c *Call) {
	if c.Service != "sts" && w.crash.calls == w.crash.at && w.crash.after {
		w.die(ctx, c, "after")
	}
}

func (w *World) die(ctx context.Context, c *Call, when string) {
	w.note(Entry{Kind: Truth, At: w.Now(), What: "crash", Text: when + " " + c.Action() + ", call " + strconv.Itoa(w.crash.calls)})
	w.kill(sim.Of(ctx), "killed", errExited)
	w.clock.Die(ctx)
}
