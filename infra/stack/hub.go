package stack

import (
	"errors"
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
)

// NewHub adds to an app the stack of the hub: everything that there is only once, and the roles that the hub's own account has
// like every member. The configuration is taken as it is; the error is about what AWS has no room for.
func NewHub(app constructs.Construct, c Config) (awscdk.Stack, error) {
	if n := len(accounts(c.Fleet)); n > maxAccounts {
		return nil, fmt.Errorf("make the hub: the fleet has %d accounts, and a function's role has room for %d; deploy a second hub", n, maxAccounts)
	}
	s := awscdk.NewStack(app, str(name), &awscdk.StackProps{
		StackName:   str(name),
		Description: str("cniguard watches EKS clusters for pods that cannot get an IP address"),
		Env:         &awscdk.Environment{Account: str(c.Hub.Account), Region: str(c.Hub.Region)},
	})
	failed := newQueue(s, c.Hub).AttrArn()
	topics := newTopics(s, c)
	bus := newBus(s, c)
	newLedger(s)
	here := only(c.AccessEntries, func(u event.Unit) bool { return u == c.Hub })
	newAccessEntries(s, here, NewMember(s, c, nil).Observer.AttrArn())
	err := errors.Join(
		newRules(s, bus, newFunctions(s, c, topics.key, failed), failed),
		newSchedules(s, c.Hub, bus, failed),
		newDashboard(s, c.Hub),
	)
	if err != nil {
		return nil, fmt.Errorf("make the hub: %w", err)
	}
	newAlarms(s, topics.oncall.Ref())
	newOutputs(s, c.Hub, newApprovers(s, c.Hub))
	return s, nil
}

// newOutputs are what a person needs after the stack is deployed.
func newOutputs(s awscdk.Stack, hub event.Unit, people approvers) {
	at := cluster.PartitionOf(hub.Region)
	for _, o := range []struct{ id, about, value string }{
		{"Dashboard", "How cniguard does", "https://" + hub.Region + "." + at.Console + "/cloudwatch/home?region=" + hub.Region + "#dashboards/dashboard/" + name},
		{"OncallTopic", "For e-mail, sms and pagers", topicARN(hub, "oncall")},
		{"ChatTopic", "For Amazon Q Developer in chat applications", topicARN(hub, "chat")},
		{"MachineTopic", "For programs", topicARN(hub, "machine")},
		{"FailedQueue", "What cniguard failed at", "https://sqs." + hub.Region + "." + at.DNS + "/" + hub.Account + "/" + failedQueue},
		{"ApproverPolicy", "To attach to the roles of those who approve updates", *people.Approver.Ref()},
		{"OperatorPolicy", "To attach to the roles of those who may halt all updates", *people.Operator.Ref()},
		{"Bus", "Where members forward to", busARN(hub)},
	} {
		awscdk.NewCfnOutput(s, str("Output"+o.id), &awscdk.CfnOutputProps{Description: str(o.about), Value: str(o.value)}).OverrideLogicalId(str(o.id))
	}
}
