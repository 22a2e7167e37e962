package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/cniguard/cniguard/internal/event"
)

// Partition keys of the ledger under which people write.
const (
	orderKey = "ORDER#" // then the writer's aws:userid
	haltKey  = "HALT"
)

// leadingKeys are the partition keys that a request to DynamoDB is about.
const leadingKeys = "dynamodb:LeadingKeys"

// approvers are managed policies for people's roles or permission sets.
type approvers struct {
	Approver awsiam.CfnManagedPolicy // gives orders in the own name
	Operator awsiam.CfnManagedPolicy // halts, tears down and resumes; tries the channels
}

// newApprovers let people write commands to the ledger with their own credentials, so that IAM vouches for who gave them: an order
// can be written only under a key that holds the writer's own aws:userid (IAM user guide, "IAM policy elements: Variables and
// tags"). Of a role that is its id and the session's name, which is the caller's choice unless the role's trust policy pins
// sts:RoleSessionName.
func newApprovers(scope constructs.Construct, hub event.Unit) approvers {
	newPolicy := func(id, about, may, key string, wakes ...string) awsiam.CfnManagedPolicy {
		return awsiam.NewCfnManagedPolicy(scope, str(id), &awsiam.CfnManagedPolicyProps{
			ManagedPolicyName: str(name + "-" + about),
			Description:       str("cniguard: " + may),
			PolicyDocument: policy(
				onlyOf(allows("Write", tableARN(hub), "dynamodb:PutItem"), leadingKeys, key),
				allows("Read", []string{tableARN(hub), indexARN(hub)}, "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"),
				onlyOf(onlyOf(allows("Wake", busARN(hub), "events:PutEvents"), "events:detail-type", wakes...), "events:source", event.Source),
			),
		})
	}
	return approvers{
		Approver: newPolicy("Approver", "approver", "give orders about clusters, in one's own name", orderKey+"${aws:userid}", "Check Requested"),
		Operator: newPolicy("Operator", "operator", "halt all changes or tear down, and resume", haltKey, "Check Requested", "Sweep", "Test Requested"),
	}
}

// onlyOf makes an allowance hold for requests all of whose values of a key are among these. A request without the key has none
// that is not: that is excluded as well (IAM user guide, "Set operators for multivalued context keys").
func onlyOf(s statement, key string, values ...string) statement {
	if s["Condition"] == nil {
		s["Condition"] = map[string]any{}
	}
	all := s["Condition"].(map[string]any)
	for operator, value := range map[string]any{"ForAllValues:StringEquals": values, "Null": "false"} {
		if all[operator] == nil {
			all[operator] = map[string]any{}
		}
		all[operator].(map[string]any)[key] = value
	}
	return s
}
