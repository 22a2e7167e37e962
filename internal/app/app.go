// Package app puts the parts together: configuration, clients and engine, behind one function that handles one event. The
// Lambda, the command, simulations and tests start the same thing; they differ in the clients, the ledger and the clock that
// they pass in.
package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/cloud"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/notify"
	"github.com/cniguard/cniguard/internal/telemetry"
)

// Parts are what an App is made of besides its configuration.
type Parts struct {
	Connect cloud.Connect // clients for a role in an account and region
	Insider check.Insider
	SNS     notify.Publisher // in the hub
	Events  EventBridge      // in the hub
	Ledger  Ledger
	Clock   clock.Clock
	Log     io.Writer                    // JSON lines: logs, and a line of metrics per invocation
	Process string                       // names this process among all that may run side by side; it handles one event at a time
	Trace   func(cluster.ID, guard.Plan) // gets each plan before it is acted on; nil: nobody does
}

// Ledger is what is remembered.
type Ledger interface {
	check.Ledger
	// Arrive notes that the event of a probe, which the nonce names, has come.
	Arrive(ctx context.Context, nonce string, at time.Time) error
	// Report notes what became of a sample, which the nonce names, and Reported is what was noted; nil: nothing.
	Report(ctx context.Context, nonce string, t check.Trial) error
	Reported(ctx context.Context, nonce string) (*check.Trial, error)
}

// App handles events. It may handle several at a time.
type App struct {
	config Config
	parts  Parts
	engine check.Engine
	log    *slog.Logger
}

// New wires an App.
func New(c Config, p Parts) *App {
	eyes := cloud.New(p.Connect, p.Clock)
	log := telemetry.Logger(p.Log, c.Level)
	hub := bus{events: p.Events, name: c.Bus, clock: p.Clock}
	return &App{config: c, parts: p, log: log, engine: check.Engine{
		Observer: eyes,
		Insider:  p.Insider,
		Actor:    eyes,
		Gauge:    eyes,
		Ledger:   p.Ledger,
		Topics:   topics(c, p, hub),
		News:     herald{hub},
		Waker:    waker{hub},
		Policy:   c.Policy,
		Clock:    p.Clock,
		Log:      log,
		Updates:  c.Function == event.Urgent,
		Trace:    p.Trace,
	}}
}

// Engine is the engine of one invocation that others than Handle start, as the command does. By names the invocation.
func (a *App) Engine(by string, counts *telemetry.Counts) check.Engine {
	e := a.engine
	e.By, e.Counts = by, counts
	return e
}

// beforeDeadline is kept free at the end of an invocation, to save and to log.
const beforeDeadline = 2 * time.Second

// Handle does what an event asks for. What the program does not know or was not meant for is counted and is no error; an event
// that cannot be read, and work that may succeed later, is an error: Lambda tries it again, and then keeps event and error in
// the failure queue.
func (a *App) Handle(ctx context.Context, raw json.RawMessage) error {
	started := a.parts.Clock.Now()
	counts := &telemetry.Counts{}
	defer func() {
		if err := counts.Flush(a.parts.Log, string(a.config.Function), started); err != nil {
			a.log.ErrorContext(ctx, "metrics not written", "error", err.Error())
		}
	}()

	t, err := event.Decode(raw)
	if err != nil {
		counts.Add(telemetry.Malformed, 1)
		a.log.ErrorContext(ctx, "event not understood", "error", err.Error())
		return err
	}
	if why := a.refuses(ctx, t); why != "" {
		counts.Add(telemetry.Refused, 1)
		a.log.WarnContext(ctx, "event refused", "event", t.ID, "why", why)
		return nil
	}
	if t.Kind == event.Skip {
		counts.Add(telemetry.Skipped, 1)
		a.log.DebugContext(ctx, "event skipped", "event", t.ID, "why", t.Why)
		return nil
	}
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = a.parts.Clock.WithTimeout(ctx, deadline.Sub(started)-beforeDeadline)
		defer cancel()
	}
	a.log.InfoContext(ctx, "woken", "event", t.ID, "kind", string(t.Kind), "why", t.Why)
	if err := a.do(ctx, a.Engine(a.invocation(ctx, started), counts), t); err != nil {
		if f := fault.Of(err); f != nil && strings.HasPrefix(f.Op, "dynamodb:") {
			counts.Add(telemetry.LedgerFailed, 1)
			if t.Kind == event.Tick || t.Kind == event.Metering {
				a.log.ErrorContext(ctx, "left out", "event", t.ID, "kind", string(t.Kind), "error", err.Error())
				return nil // the next one comes in five minutes, and an outage must not fill the failure queue with them
			}
		}
		a.log.ErrorContext(ctx, "work failed", "event", t.ID, "kind", string(t.Kind), "error", err.Error())
		return err
	}
	return nil
}

// refuses says why the event is not for this program. Whoever may put events on the bus can write any source; the account is
// EventBridge's own word.
func (a *App) refuses(ctx context.Context, t event.Trigger) string {
	switch {
	case !t.Permitted(a.hub(ctx)):
		return fmt.Sprintf("account %s may not ask for this", t.From.Account)
	case t.Kind == event.Check && !a.config.Policy.Contains(t.Cluster.Account, t.Cluster.Region):
		return fmt.Sprintf("account %s in %s is not in the policy's fleet", t.Cluster.Account, t.Cluster.Region)
	case (t.Kind == event.Metering || t.Kind == event.Sweeping) && !a.config.Policy.Contains(t.Unit.Account, t.Unit.Region):
		return fmt.Sprintf("account %s in %s is not in the policy's fleet", t.Unit.Account, t.Unit.Region)
	}
	return ""
}

// hub is the account that the function runs in: that of its own ARN, since the topic may be another account's.
func (a *App) hub(ctx context.Context) string {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		if parts := strings.Split(lc.InvokedFunctionArn, ":"); len(parts) > 4 && cluster.IsAccount(parts[4]) {
			return parts[4]
		}
	}
	return a.config.Hub.Account
}

func (a *App) do(ctx context.Context, e check.Engine, t event.Trigger) error {
	if a.rested(ctx, t) {
		e.Counts.Add(telemetry.Skipped, 1)
		a.log.InfoContext(ctx, "left out", "event", t.ID, "why", "all that it asks for was looked at a moment ago")
		return nil
	}
	switch t.Kind {
	case event.Check:
		e.Heard = t.Rang
		_, err := e.Check(ctx, t.Cluster)
		return err
	case event.Tick:
		return e.Tick(ctx)
	case event.Meter:
		return e.Meter(ctx, t.At)
	case event.Metering:
		return e.Metering(ctx, t.Unit, t.At)
	case event.Sweep:
		return e.Sweep(ctx, t.At.UTC().Format(time.RFC3339))
	case event.Digest:
		if t.Owner != "" {
			return e.TellDigest(ctx, t.Owner, t.At)
		}
		return e.Digests(ctx, t.At)
	case event.Checks:
		return e.Waker.Wake(ctx, t.Each()...)
	case event.Probe:
		return a.parts.Ledger.Arrive(ctx, t.Nonce, a.parts.Clock.Now())
	case event.Test:
		return a.try(ctx, e, t)
	case event.Sweeping:
		if t.Faint && a.config.Function == event.Urgent { // a sweep is bulk's work, also where an event of AWS asks for it
			return e.Waker.Wake(ctx, t)
		}
		return e.Sweeping(ctx, t.Unit, t.After, t.Run)
	}
	return fmt.Errorf("handle event %s: nothing does work of kind %q", t.ID, t.Kind)
}

// invocation names an invocation, also among the retries of the same event and among the copies of it that Lambda may run at
// the same instant: all of those share a request id.
func (a *App) invocation(ctx context.Context, started time.Time) string {
	id := "local"
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		id = lc.AwsRequestID
	}
	return id + "@" + started.UTC().Format(time.RFC3339Nano) + "@" + a.parts.Process
}
