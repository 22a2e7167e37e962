package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/cniguard/cniguard/internal/event"
)

const failedQueue = name + "-failed"

// newQueue is the one failure queue: what a function failed at, what a rule could not hand over, and what a schedule could not
// send. The first and the last come with the sender's own role; only EventBridge's rules need to be let in here. Without that, and
// with a condition that does not fit, they lose the event in silence (EventBridge user guide, "Using dead-letter queues").
func newQueue(scope constructs.Construct, hub event.Unit) awssqs.CfnQueue {
	const day = 24 * 60 * 60
	q := awssqs.NewCfnQueue(scope, str("Failed"), &awssqs.CfnQueueProps{
		QueueName:              str(failedQueue),
		MessageRetentionPeriod: num(14 * day), // the longest there is
		SqsManagedSseEnabled:   true,          // no key of ours: each sender would need it as well
	})
	own := arn(hub, "sqs", failedQueue)
	awssqs.NewCfnQueuePolicy(scope, str("FailedPolicy"), &awssqs.CfnQueuePolicyProps{
		Queues: &[]*string{q.Ref()},
		PolicyDocument: policy(
			statement{
				"Sid": "FromRules", "Effect": "Allow", "Principal": service("events.amazonaws.com"), "Action": "sqs:SendMessage", "Resource": own,
				"Condition": map[string]any{"ArnLike": map[string]any{"aws:SourceArn": ruleARNs(hub)}},
			},
			onlyTLS("sqs:*", own),
		),
	})
	return q
}
