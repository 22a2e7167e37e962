package cloud

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

// Do makes one change: alarms with the observer's role, updates with the updater's.
func (c *Cloud) Do(ctx context.Context, id cluster.ID, a guard.Action) guard.Outcome {
	o := guard.Outcome{Action: a}
	switch a.Kind {
	case guard.PutAlarm:
		o.Fault = c.putAlarm(ctx, id, a)
	case guard.DropAlarm:
		o.Fault = c.dropAlarm(ctx, id, a)
	case guard.StartUpdate:
		o.ID, o.Fault = c.startUpdate(ctx, id, a)
	default:
		o.Fault = &fault.Fault{Kind: fault.Terminal, Text: "there is no change of the kind " + string(a.Kind)}
	}
	o.At = c.clock.Now()
	return o
}

func (c *Cloud) putAlarm(ctx context.Context, id cluster.ID, a guard.Action) *fault.Fault {
	k := c.at(access.Observer, id.Account, id.Region)
	if a.Retag { // before it is put: what is left undone is seen in the alarm's description, and not in its tags
		_, f := call(c.clock, "cloudwatch:TagResource", k.CloudWatch.TagResource)(ctx,
			&cloudwatch.TagResourceInput{ResourceARN: aws.String(alarm.ARN(id, a.Alarm.Name)), Tags: tags(a.Alarm)})
		if f != nil && !absent(f) {
			return f
		}
	}
	if wait := c.turn(id); wait > 0 {
		if err := c.clock.Sleep(ctx, wait); err != nil {
			return &fault.Fault{Kind: fault.Retry, Op: "cloudwatch:PutMetricAlarm", Text: "it was not this alarm's turn in time"}
		}
	}
	_, f := call(c.clock, "cloudwatch:PutMetricAlarm", k.CloudWatch.PutMetricAlarm)(ctx, fromSpec(a.Alarm))
	return f
}

// turn is how long to wait until an alarm may be put in a cluster's account and region.
func (c *Cloud) turn(id cluster.ID) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, now := place{access.Observer, id.Account, id.Region}, c.clock.Now()
	at := c.puts[p]
	if at.Before(now) {
		at = now
	}
	c.puts[p] = at.Add(betweenPuts)
	return at.Sub(now)
}

func (c *Cloud) dropAlarm(ctx context.Context, id cluster.ID, a guard.Action) *fault.Fault {
	k := c.at(access.Observer, id.Account, id.Region)
	_, f := call(c.clock, "cloudwatch:DeleteAlarms", k.CloudWatch.DeleteAlarms)(ctx,
		&cloudwatch.DeleteAlarmsInput{AlarmNames: []string{a.Alarm.Name}})
	if absent(f) {
		return nil
	}
	return f
}

// startUpdate asks for one step. What the add-on has is sent back as it was read: without the role EKS falls back to the node's
// role (terraform-provider-aws #19403), and an empty list of pod identities, unlike none, deletes those that exist.
func (c *Cloud) startUpdate(ctx context.Context, id cluster.ID, a guard.Action) (string, *fault.Fault) {
	const op = "eks:UpdateAddon"
	k := c.at(access.Updater, id.Account, id.Region)
	out, f := call(c.clock, op, k.EKS.UpdateAddon, once)(ctx, &eks.UpdateAddonInput{
		ClusterName:             &id.Name,
		AddonName:               aws.String(addonName),
		AddonVersion:            aws.String(a.Step.To.String()),
		ServiceAccountRoleArn:   orNil(a.Keep.Role),
		ConfigurationValues:     orNil(a.Keep.Config),
		PodIdentityAssociations: nil,
		ResolveConflicts:        types.ResolveConflictsPreserve,
		ClientRequestToken:      &a.Step.Token,
	})
	switch {
	case f != nil:
		f.Text = told(f.Text, a.Keep.Config)
		return "", f
	case out.Update == nil || out.Update.Id == nil:
		f = unanswered(op)
		f.InDoubt = true
		return "", f
	}
	return *out.Update.Id, nil
}

// once lets the SDK try a call one time only. After a second try its answer would not tell what became of the first: a cut
// connection and then "currently in UPDATING state" is an update of ours that reads like a refusal.
func once(o *eks.Options) { o.RetryMaxAttempts = 1 }

func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
