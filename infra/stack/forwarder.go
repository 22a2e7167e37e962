package stack

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/cniguard/cniguard/internal/event"
)

// forwarded are the rules of the events that AWS sends. The others are about what cniguard sends to itself, which it puts on the
// hub's bus.
func forwarded() []event.Rule {
	return slices.DeleteFunc(event.Rules(), func(r event.Rule) bool {
		source, ok := r.Pattern["source"].(event.Values)
		return !ok || !slices.ContainsFunc(source.Exact, func(s string) bool { return strings.HasPrefix(s, "aws.") })
	})
}

// newForwarder sends the events of one account and region to the hub's bus, over the account's own role: only then does the hub
// see the organisation that they come from (EventBridge user guide, "Sending and receiving events between AWS accounts").
//
// The rules have no dead-letter queue. One in every account and region would be a queue that nobody reads, and what is lost is
// found without it: an alarm by the meter within minutes, everything else by the sweep (docs/events.md, "When an event is lost").
// EventBridge counts losses itself, as FailedInvocations of a rule.
func newForwarder(scope constructs.Construct, hub event.Unit, role *string) error {
	for _, r := range forwarded() {
		pattern, err := patternOf(r)
		if err != nil {
			return err
		}
		awsevents.NewCfnRule(scope, str("Rule-"+r.Name), &awsevents.CfnRuleProps{
			Name:         str(name + "-" + r.Name),
			Description:  str("To cniguard's hub: " + r.Description),
			EventPattern: pattern,
			Targets: []any{awsevents.CfnRule_TargetProperty{
				Id: str("hub"), Arn: str(busARN(hub)), RoleArn: role,
				RetryPolicy: awsevents.CfnRule_RetryPolicyProperty{
					MaximumRetryAttempts: num(185), MaximumEventAgeInSeconds: num(staleAfter), // as often as fits: the age is what counts
				},
			}},
		})
	}
	return nil
}

// forwards allows a role to put events on the hub's bus.
func forwards(hub event.Unit) statement { return allows("Hub", busARN(hub), "events:PutEvents") }

func busARN(hub event.Unit) string { return arn(hub, "events", "event-bus/"+name) }

// patternOf is a rule's pattern as a template has it.
func patternOf(r event.Rule) (map[string]any, error) {
	raw, err := json.Marshal(r.Pattern)
	if err != nil {
		return nil, fmt.Errorf("rule %s: %w", r.Name, err)
	}
	var pattern map[string]any
	if err := json.Unmarshal(raw, &pattern); err != nil {
		return nil, fmt.Errorf("rule %s: %w", r.Name, err)
	}
	return pattern, nil
}
