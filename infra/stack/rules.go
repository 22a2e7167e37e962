package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/cniguard/cniguard/internal/event"
)

// An event that could not be delivered is tried again until it is this old, in seconds; then the failure queue keeps it. Tick and
// meter come by twelve times in that hour and find out what it said; Lambda's own six hours would only hide a fault.
const staleAfter = 60 * 60

// newRules are the rules of package event, each to its function. Failed is the ARN of the failure queue.
//
// AWS's events have their rules on two buses, and none is handled twice. Those of the hub's own account and region are taken from
// the default bus, where AWS puts them; the hub's own member forwards nothing in this region. Those of all other accounts and
// regions arrive on the bus cniguard, where members forward them to. Cniguard's own events have theirs on that bus alone:
// schedules, functions and approvers put them there, and who may put events on the default bus only wakes nothing.
func newRules(scope constructs.Construct, bus awsevents.CfnEventBus, to functions, failed *string) error {
	onBus := listener{constructs.NewConstruct(scope, str("OnBus")), bus.Ref(), to, failed}
	onDefault := listener{constructs.NewConstruct(scope, str("OnDefault")), str("default"), to, failed}
	if err := onBus.listen(event.Rules()); err != nil {
		return err
	}
	return onDefault.listen(forwarded())
}

// listener is what the rules of one bus have in common.
type listener struct {
	scope  constructs.Construct
	bus    *string
	to     functions
	failed *string
}

func (l listener) listen(rules []event.Rule) error {
	for _, r := range rules {
		pattern, err := patternOf(r)
		if err != nil {
			return err
		}
		f := l.to[r.Target]
		rule := awsevents.NewCfnRule(l.scope, str(r.Name), &awsevents.CfnRuleProps{
			Name: str(name + "-" + r.Name), Description: str(r.Description), EventBusName: l.bus, EventPattern: pattern,
			Targets: []any{awsevents.CfnRule_TargetProperty{
				Id: str(string(r.Target)), Arn: f.AttrArn(),
				RetryPolicy:      awsevents.CfnRule_RetryPolicyProperty{MaximumEventAgeInSeconds: num(staleAfter)},
				DeadLetterConfig: awsevents.CfnRule_DeadLetterConfigProperty{Arn: l.failed},
			}},
		})
		awslambda.NewCfnPermission(l.scope, str(r.Name+"-permission"), &awslambda.CfnPermissionProps{
			Action: str("lambda:InvokeFunction"), FunctionName: f.Ref(), Principal: str("events.amazonaws.com"), SourceArn: rule.AttrArn(),
		})
	}
	return nil
}

// ruleARNs are patterns for the rules on both buses.
func ruleARNs(hub event.Unit) []string {
	return []string{arn(hub, "events", "rule/"+name+"-*"), arn(hub, "events", "rule/"+name+"/"+name+"-*")}
}
