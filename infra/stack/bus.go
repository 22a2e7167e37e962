package stack

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/cniguard/cniguard/internal/event"
)

// newBus takes what members forward, what the schedules send, the wake-ups that cniguard sends to itself, and what it tells others.
func newBus(scope constructs.Construct, c Config) awsevents.CfnEventBus {
	return awsevents.NewCfnEventBus(scope, str("Bus"), &awsevents.CfnEventBusProps{
		Name:        str(name),
		Description: str("What members forward to cniguard, its own wake-ups, and its news for others"),
		Policy:      policy(fromMembers(c), notAsCniguard(c.Hub), newsByFunctions(c.Hub)),
	})
}

// fromMembers lets in the members' rules, and nobody there who calls PutEvents by hand: aws:SourceArn is a rule's (EventBridge
// user guide, "Send events only from a specific rule to the bus in a different Region"), and a rule sends with a role, without
// which there would be no organisation to ask for (same guide, "Sending and receiving events between accounts"). The hub's own
// account is let in like the others: EventBridge asks this policy when a target in another region is made. Accounts stand in the
// condition, because a policy with a closed account as principal is refused as a whole.
func fromMembers(c Config) statement {
	who := map[string]any{"aws:PrincipalAccount": accounts(append(slices.Clone(c.Fleet), c.Hub))}
	if c.Organization != "" {
		who = map[string]any{"aws:PrincipalOrgID": c.Organization}
	}
	return statement{
		"Sid": "FromMembers", "Effect": "Allow", "Principal": everybody(), "Action": "events:PutEvents", "Resource": busARN(c.Hub),
		"Condition": map[string]any{
			"StringEquals": who,
			"ArnLike": map[string]any{
				"aws:PrincipalArn": roleARN(c.Hub, "*", forwarderRole),
				"aws:SourceArn":    "arn:" + partition(c.Hub) + ":events:*:*:rule/" + name + "-*",
			},
		},
	}
}

// notAsCniguard denies other accounts to speak as cniguard itself, which may ask for sweeps of the whole fleet. The program
// refuses such events as well; here they do not even cost an invocation.
func notAsCniguard(hub event.Unit) statement {
	return statement{
		"Sid": "NotAsCniguard", "Effect": "Deny", "Principal": everybody(), "Action": "events:PutEvents", "Resource": busARN(hub),
		"Condition": map[string]any{
			"ForAnyValue:StringLike": map[string]any{"events:source": name + "*"}, // a call may bring several events
			"StringNotEquals":        map[string]any{"aws:PrincipalAccount": hub.Account},
		},
	}
}

// newsByFunctions denies everybody but the functions to send news for others, also who may put any other event on the bus: what others
// build on, as a ticket or a pipeline that stops, is cniguard's word only.
func newsByFunctions(hub event.Unit) statement {
	var roles []string
	for _, f := range targets() {
		roles = append(roles, roleARN(hub, hub.Account, functionName(f)))
	}
	return statement{
		"Sid": "NewsByFunctions", "Effect": "Deny", "Principal": everybody(), "Action": "events:PutEvents", "Resource": busARN(hub),
		"Condition": map[string]any{
			"ForAnyValue:StringLike": map[string]any{"events:source": event.NewsSource + "*"},
			"ArnNotEquals":           map[string]any{"aws:PrincipalArn": roles},
		},
	}
}
