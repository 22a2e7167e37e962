package stack

import (
	"fmt"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/cniguard/cniguard/internal/event"
)

// newSchedules are the rhythms of docs/events.md. They put their events on the bus, like everybody else who wakes cniguard: there
// EventBridge adds the account, by which the program tells its own events from forged ones. Failed is the ARN of the failure queue.
func newSchedules(scope constructs.Construct, hub event.Unit, bus awsevents.CfnEventBus, failed *string) error {
	group := awsscheduler.NewCfnScheduleGroup(scope, str("Schedules"), &awsscheduler.CfnScheduleGroupProps{Name: str(name)})
	role := newSchedulerRole(scope, hub)
	for _, s := range []struct {
		kind  event.Kind
		every time.Duration
	}{
		{event.Tick, event.TickEvery},
		{event.Meter, event.TickEvery},
		{event.Sweep, event.SweepEvery},
	} {
		source, detailType, _, err := event.Encode(event.Trigger{Kind: s.kind})
		if err != nil {
			return err
		}
		awsscheduler.NewCfnSchedule(scope, str("Schedule-"+string(s.kind)), &awsscheduler.CfnScheduleProps{
			Name: str(name + "-" + string(s.kind)), GroupName: group.Ref(), ScheduleExpression: str(rate(s.every)),
			FlexibleTimeWindow: awsscheduler.CfnSchedule_FlexibleTimeWindowProperty{Mode: str("OFF")},
			Target: awsscheduler.CfnSchedule_TargetProperty{
				Arn: bus.AttrArn(), RoleArn: role.AttrArn(),
				EventBridgeParameters: awsscheduler.CfnSchedule_EventBridgeParametersProperty{Source: str(source), DetailType: str(detailType)},
				// A schedule may fire twice. Both then say the same instant, which names a sweep and stamps a metric.
				Input:            str(`{"at":"<aws.scheduler.scheduled-time>"}`),
				RetryPolicy:      awsscheduler.CfnSchedule_RetryPolicyProperty{MaximumEventAgeInSeconds: num(staleAfter)},
				DeadLetterConfig: awsscheduler.CfnSchedule_DeadLetterConfigProperty{Arn: failed},
			},
		})
	}
	return nil
}

// rate is a schedule's expression for what comes every some hours or minutes, more than one.
func rate(every time.Duration) string {
	if every%time.Hour == 0 {
		return fmt.Sprintf("rate(%d hours)", every/time.Hour)
	}
	return fmt.Sprintf("rate(%d minutes)", every/time.Minute)
}

// newSchedulerRole is what the schedules send with, also to the failure queue (EventBridge Scheduler user guide, "Configuring a
// dead-letter queue"). The source is the schedules' group: a single schedule is not supported (same guide, "Confused deputy
// prevention").
func newSchedulerRole(scope constructs.Construct, hub event.Unit) awsiam.CfnRole {
	return awsiam.NewCfnRole(scope, str("SchedulerRole"), &awsiam.CfnRoleProps{
		RoleName:    str(name + "-scheduler"),
		Description: str("cniguard's schedules"),
		AssumeRolePolicyDocument: policy(statement{
			"Sid": "Schedules", "Effect": "Allow", "Principal": service("scheduler.amazonaws.com"), "Action": "sts:AssumeRole",
			"Condition": map[string]any{"StringEquals": map[string]any{
				"aws:SourceAccount": hub.Account, "aws:SourceArn": arn(hub, "scheduler", "schedule-group/"+name),
			}},
		}),
		Policies: inline("send", policy(
			allows("Wake", busARN(hub), "events:PutEvents"),
			allows("Fail", arn(hub, "sqs", failedQueue), "sqs:SendMessage"),
		)),
	})
}
