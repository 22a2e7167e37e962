package stack

import (
	"fmt"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/cniguard/cniguard/internal/event"
)

// newExecutionRole is the role of a function, with what it needs in the hub; in the fleet it does everything as one of the roles
// that it may assume.
func newExecutionRole(scope constructs.Construct, c Config, f event.Target, key awskms.CfnKey) awsiam.CfnRole {
	role := awsiam.NewCfnRole(scope, str("Role"), &awsiam.CfnRoleProps{
		RoleName:    str(functionName(f)),
		Description: str("cniguard's function " + string(f)),
		AssumeRolePolicyDocument: policy(statement{
			"Sid": "Lambda", "Effect": "Allow", "Principal": service("lambda.amazonaws.com"), "Action": "sts:AssumeRole",
		}),
		Policies: inline("hub", policy(append([]statement{
			allows("Ledger", tableARN(c.Hub), "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"),
			allows("Due", indexARN(c.Hub), "dynamodb:Query"),
			notAsPerson(c.Hub),
			allows("Tell", []string{topicARN(c.Hub, "oncall"), topicARN(c.Hub, "chat"), topicARN(c.Hub, "machine")}, "sns:Publish"),
			allows("Encrypt", key.AttrArn(), "kms:Decrypt", "kms:GenerateDataKey"), // SNS developer guide, "Key management": publishers
			onlyOf(allows("Wake", busARN(c.Hub), "events:PutEvents"), "events:source", event.Source, event.NewsSource),
			allows("Fail", arn(c.Hub, "sqs", failedQueue), "sqs:SendMessage"),
			allows("Log", arn(c.Hub, "logs", "log-group:"+logGroup(f)+":*"), "logs:CreateLogStream", "logs:PutLogEvents"),
		}, attaches(c, f)...)...)),
	})
	roles := []string{observerRole}
	if f == event.Urgent && c.Updates {
		roles = append(roles, updaterRole)
	}
	for i, some := range slices.Collect(slices.Chunk(accounts(c.Fleet), accountsPerPolicy)) {
		awsiam.NewCfnManagedPolicy(scope, str(fmt.Sprintf("Fleet%d", i)), &awsiam.CfnManagedPolicyProps{
			Description:    str("The roles that cniguard's function " + string(f) + " assumes in the fleet"),
			Roles:          &[]any{role.Ref()},
			PolicyDocument: policy(allows("Fleet", rolesIn(c.Hub, some, roles), "sts:AssumeRole")),
		})
	}
	return role
}

// attaches lets Lambda attach a function to its VPC, which it does with the function's role, and lets the function's own code do
// nothing of that kind: the key is there only in calls of the code. Both are as the Lambda developer guide has it, "Giving Lambda
// functions access to resources in an Amazon VPC", and so is the resource.
func attaches(c Config, f event.Target) []statement {
	if len(c.Network.Subnets) == 0 {
		return nil
	}
	actions := []string{
		"ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
		"ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
	}
	return []statement{
		allows("Attach", "*", actions...),
		when(statement{"Sid": "NotByCode", "Effect": "Deny", "Action": actions, "Resource": "*"},
			"ArnEquals", "lambda:SourceFunctionArn", arn(c.Hub, "lambda", "function:"+functionName(f))),
	}
}

// A managed policy has room for 6,144 characters, and a role for ten of them (IAM user guide, "IAM and AWS STS quotas").
const (
	accountsPerPolicy = 50 // two roles each, in the partition with the longest name
	maxAccounts       = 10 * accountsPerPolicy
)

func rolesIn(hub event.Unit, accounts, roles []string) []string {
	var all []string
	for _, account := range accounts {
		for _, role := range roles {
			all = append(all, roleARN(hub, account, role))
		}
	}
	return all
}

// notAsPerson denies the keys under which people give orders. Who wrote an order is part of its key, and IAM vouches for it only
// as long as no program can write there.
func notAsPerson(hub event.Unit) statement {
	return when(statement{
		"Sid": "NotAsPerson", "Effect": "Deny", "Resource": tableARN(hub),
		"Action": []string{"dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PartiQL*", "dynamodb:PutItem", "dynamodb:UpdateItem"},
	}, "ForAnyValue:StringLike", leadingKeys, []string{orderKey + "*", haltKey})
}
