package simulate

import (
	"cmp"
	"context"
	"crypto/x509"
	"io"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/app"
	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cloud"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/kube"
	"github.com/cniguard/cniguard/internal/notify"
	"github.com/cniguard/cniguard/internal/telemetry"
	"github.com/cniguard/cniguard/internal/world"
)

// The functions' time-outs.
const (
	urgentTimeout = 5 * time.Minute
	bulkTimeout   = 15 * time.Minute
)

// rhythm is when a schedule wakes the program.
type rhythm struct {
	kind         event.Kind
	first, every time.Duration
}

func rhythms() []rhythm {
	return []rhythm{
		{event.Sweep, time.Minute, event.SweepEvery},
		{event.Tick, event.TickEvery, event.TickEvery},
		{event.Meter, event.TickEvery, event.TickEvery},
	}
}

// next is the first instant of a rhythm that is not before t.
func (b rhythm) next(start, t time.Time) time.Time {
	at := start.Add(b.first)
	if late := t.Sub(at); late > 0 {
		at = at.Add((late + b.every - 1) / b.every * b.every)
	}
	return at
}

func (r *Run) schedule() error {
	for _, b := range rhythms() {
		if err := r.World.Schedule(world.Schedule{
			Name: "cniguard-" + string(b.kind), First: b.first, Every: b.every, Function: string(event.Bulk),
			Input: func(at time.Time) []byte { return event.Scheduled(b.kind, r.hub().Account, r.hub().Region, at) },
		}); err != nil {
			return err
		}
	}
	return nil
}

func (r *Run) deploy(f event.Target, timeout time.Duration) {
	var rules []event.Rule
	for _, rule := range event.Rules() {
		if rule.Target == f {
			rules = append(rules, rule)
		}
	}
	principal := role("cniguard-"+string(f), r.hub().Account, r.hub().Region)
	r.World.Deploy(world.Function{Name: string(f), Timeout: timeout, Rules: rules, Boot: func() world.Handler {
		a := r.app(r.config(f), principal)
		return func(ctx context.Context, raw []byte) error {
			_, err := a.Invoke(ctx, raw)
			return err
		}
	}})
}

// app is a function, or a person's command, as a principal of the hub.
func (r *Run) app(c app.Config, principal string) *app.App {
	r.processes++
	var parts app.Parts
	if r.options.SDK {
		parts = r.sdk(c, principal)
	} else {
		parts = r.direct(principal)
	}
	parts.Clock, parts.Log, parts.Ledger, parts.Process = r.clock, r.options.Log, r.ledger(principal), strconv.Itoa(r.processes)
	if r.options.Tell != nil {
		parts.Trace = func(id cluster.ID, p guard.Plan) { r.journal.planned(r.Now(), id, p) }
	}
	if r.options.Alter != nil {
		r.options.Alter(&parts)
	}
	return app.New(c, parts)
}

// sdk has the parts that call AWS and clusters as the Lambda has them, on the world.
func (r *Run) sdk(c app.Config, principal string) (parts app.Parts) {
	base := r.World.Config(principal, r.hub().Account, r.hub().Region)
	roles := access.New(base, c.Access)
	parts.Connect, parts.SNS, parts.Events = app.Connect(base, roles)
	parts.Insider = r.insider(app.Observers(roles))
	return parts
}

// direct has the same parts with the world's own clients.
func (r *Run) direct(principal string) app.Parts {
	client := r.World.Client(principal, r.hub().Account, r.hub().Region)
	as := func(name access.Role, account, region string) (string, *world.Client) {
		arn := role(string(name), account, region)
		return arn, client.Assume(arn, region)
	}
	return app.Parts{
		SNS: client, Events: client,
		Connect: func(name access.Role, account, region string) cloud.Clients {
			arn, c := as(name, account, region)
			return cloud.Clients{EKS: c, EC2: c, CloudWatch: c, CloudTrail: c, Role: arn}
		},
		Insider: r.insider(func(account, region string) (string, aws.CredentialsProvider) {
			return as(access.Observer, account, region)
		}),
	}
}

// insider reads clusters' own APIs, which the world answers in place of the network.
func (r *Run) insider(connect kube.Connect) check.Insider {
	return kube.New(connect, func(*x509.CertPool) http.RoundTripper { return r.World.Kubernetes() }, r.clock)
}

// desk is the engine at a person's desk: it plans with the person's own credentials, and changes nothing by itself.
func (r *Run) desk(by string) check.Engine {
	a := r.app(r.config(event.Bulk), role("person/"+by, r.hub().Account, r.hub().Region))
	return a.Engine(by, &telemetry.Counts{})
}

func (r *Run) config(f event.Target) app.Config {
	level := slog.LevelInfo
	if r.options.Log == io.Discard {
		level = math.MaxInt // spares the work of writing lines that nobody reads
	}
	return app.Config{
		Level: level, Function: f, Hub: event.Unit{Account: r.hub().Account, Region: r.hub().Region}, Topics: r.topics(), Bus: "default", Policy: r.Policy,
		Access: access.Options{Session: "cniguard-" + string(f)},
	}
}

func (r *Run) hub() world.Hub { return r.World.Spec().Hub }

// topics are those of the options; else cniguard-chat and cniguard-machine where the world has them, and its first other topic
// for people on call.
func (r *Run) topics() app.Topics {
	if r.options.Topics != nil {
		return r.options.Topics
	}
	own := map[string]notify.Channel{}
	for _, channel := range notify.Channels() {
		own[TopicARN(r.hub(), channel)] = channel
	}
	topics := app.Topics{}
	for _, arn := range r.World.Spec().Topics {
		channel := cmp.Or(own[arn], notify.OnCall)
		topics[channel] = cmp.Or(topics[channel], arn)
	}
	topics[notify.OnCall] = cmp.Or(topics[notify.OnCall], TopicARN(r.hub(), notify.OnCall))
	return topics
}

// TopicARN is the ARN of a channel's topic, as the hub's stack names it.
func TopicARN(hub world.Hub, channel notify.Channel) string {
	return "arn:" + cluster.PartitionOf(hub.Region).Name + ":sns:" + hub.Region + ":" + hub.Account + ":cniguard-" + string(channel)
}

// role is the ARN of a role in an account.
func role(name, account, region string) string {
	return "arn:" + cluster.PartitionOf(region).Name + ":iam::" + account + ":role/" + name
}
