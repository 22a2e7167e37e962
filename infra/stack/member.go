package stack

import (
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/event"
)

// Member is what an account grants to cniguard: the roles that the hub's functions assume there, and the one that EventBridge's
// rules send with. IAM is global and the names are fixed, so an account has it once, in its home region.
type Member struct {
	Observer  awsiam.CfnRole
	Updater   awsiam.CfnRole // nil where updates are not enabled
	Forwarder awsiam.CfnRole
}

// NewMember gives the account of a stack its roles. Under a condition they are made where it holds; nil: always, as in the hub's
// own stack.
func NewMember(scope constructs.Construct, c Config, home awscdk.CfnCondition) Member {
	m := Member{
		Observer: memberRole(scope, "Observer", awsiam.CfnRoleProps{
			RoleName:                 str(observerRole),
			Description:              str("What cniguard reads, and the alarms and metrics that it keeps"),
			AssumeRolePolicyDocument: policy(trusts(c, event.Urgent, event.Bulk)),
			Policies:                 inline("observe", observes(c)),
		}),
		Forwarder: memberRole(scope, "Forwarder", awsiam.CfnRoleProps{
			RoleName:                 str(forwarderRole),
			Description:              str("Sends the events that cniguard's rules pick to the hub"),
			AssumeRolePolicyDocument: policy(trustsOwnRules(c.Hub)),
			Policies:                 inline("forward", policy(forwards(c.Hub))),
		}),
	}
	if c.Updates {
		m.Updater = memberRole(scope, "Updater", awsiam.CfnRoleProps{
			RoleName:                 str(updaterRole),
			Description:              str("Updates the add-on vpc-cni"),
			AssumeRolePolicyDocument: policy(trusts(c, event.Urgent)),
			Policies:                 inline("update", updates(c)),
		})
	}
	for _, r := range []awsiam.CfnRole{m.Observer, m.Updater, m.Forwarder} {
		if r != nil && home != nil {
			r.CfnOptions().SetCondition(home)
		}
	}
	return m
}

func memberRole(scope constructs.Construct, id string, props awsiam.CfnRoleProps) awsiam.CfnRole {
	const hour = 60 * 60
	props.MaxSessionDuration = num(hour) // package access asks for no more, and AWS gives a chained role no more
	return awsiam.NewCfnRole(scope, str(id), &props)
}

func inline(name string, document map[string]any) []awsiam.CfnRole_PolicyProperty {
	return []awsiam.CfnRole_PolicyProperty{{PolicyName: str(name), PolicyDocument: document}}
}

// trusts lets the hub's functions assume a role. The principal is the hub's account with the functions' roles as a condition: a
// role as principal is stored as its unique id, and a function's role that was made anew would be locked out (IAM user guide,
// "Principal"). Without an organisation there is no condition on it: a principal without one would never meet it.
func trusts(c Config, functions ...event.Target) statement {
	roles := make([]string, len(functions))
	for i, f := range functions {
		roles[i] = roleARN(c.Hub, c.Hub.Account, functionName(f))
	}
	equals := map[string]any{}
	if c.ExternalID != "" {
		equals["sts:ExternalId"] = c.ExternalID
	}
	if c.Organization != "" {
		equals["aws:PrincipalOrgID"] = c.Organization
	}
	condition := map[string]any{"ArnEquals": map[string]any{"aws:PrincipalArn": roles}}
	if len(equals) > 0 {
		condition["StringEquals"] = equals
	}
	return statement{
		"Sid": "Hub", "Effect": "Allow", "Action": "sts:AssumeRole", "Condition": condition,
		"Principal": map[string]any{"AWS": rootARN(c.Hub, c.Hub.Account)},
	}
}

// trustsOwnRules lets EventBridge assume a role for cniguard's rules of the account itself, and of no other (EventBridge user
// guide, "Cross-service confused deputy prevention").
func trustsOwnRules(hub event.Unit) statement {
	return statement{
		"Sid": "Rules", "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": service("events.amazonaws.com"),
		"Condition": map[string]any{
			"StringEquals": map[string]any{"aws:SourceAccount": awscdk.Fn_Ref(str("AWS::AccountId"))},
			"ArnLike":      map[string]any{"aws:SourceArn": ownARN(hub, "events", "rule/"+name+"-*")},
		},
	}
}

// ownARN is the ARN of something in the account that a template is deployed to, in any region: sessions of a role are not bound
// to one.
func ownARN(hub event.Unit, service, resource string) *string {
	return awscdk.Fn_Sub(str("arn:"+partition(hub)+":"+service+":*:${AWS::AccountId}:"+resource), nil)
}

const vpcCNI = "addon/*/vpc-cni/*" // the add-on's name is part of its ARN (EKS API reference, Addon)

// observes is what docs/lambda.md, "Permissions", lists, each action on the narrowest resource that AWS documents for it (Service
// Authorization Reference: EKS, EC2, CloudWatch).
func observes(c Config) map[string]any {
	eks := func(resource string) *string { return ownARN(c.Hub, "eks", resource) }
	alarms := ownARN(c.Hub, "cloudwatch", "alarm:"+alarm.Prefix+"*")
	return policy(
		allows("Lists", "*", "eks:ListClusters", "eks:DescribeAddonConfiguration", "eks:DescribeAddonVersions",
			"cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "cloudwatch:ListMetrics",
			"cloudtrail:LookupEvents"), // it has no resource (Service Authorization Reference, CloudTrail)
		allows("Network", "*", "ec2:DescribeInstances", "ec2:DescribeInstanceTypes", "ec2:DescribeNetworkInterfaces", "ec2:DescribeRouteTables",
			"ec2:DescribeSubnets", "ec2:DescribeVpcPeeringConnections", "ec2:DescribeVpcs", "ec2:GetSubnetCidrReservations"),
		allows("Clusters", eks("cluster/*"), "eks:DescribeCluster", "eks:ListNodegroups", "eks:ListFargateProfiles"),
		allows("Nodegroups", eks("nodegroup/*"), "eks:DescribeNodegroup"),
		allows("FargateProfiles", eks("fargateprofile/*"), "eks:DescribeFargateProfile"),
		allows("Addon", eks(vpcCNI), "eks:DescribeAddon"),
		allows("Updates", []any{eks("cluster/*"), eks(vpcCNI)}, "eks:ListUpdates", "eks:DescribeUpdate"),
		allows("Alarms", alarms, "cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms", "cloudwatch:TagResource"),
		when(allows("Metrics", "*", "cloudwatch:PutMetricData"), "StringEquals", "cloudwatch:namespace", "CNIGuard"),
		harmless(c.AlarmTopics, alarms),
		plainlyTagged(alarms),
	)
}

// harmless denies alarms that act on anything but the topics. An alarm can stop or terminate instances and start functions when
// its state changes; the key holds what it does in any state (CloudWatch user guide, "Using condition keys to limit alarm
// actions"). An alarm without actions has no such key, so only a denial that asks for any value lets it pass.
func harmless(topics []string, alarms *string) statement {
	deny := statement{"Sid": "NoOtherActions", "Effect": "Deny", "Action": "cloudwatch:PutMetricAlarm", "Resource": alarms}
	if len(topics) == 0 {
		return when(deny, "ForAnyValue:StringLike", "cloudwatch:AlarmActions", "*")
	}
	return when(deny, "ForAnyValue:StringNotEquals", "cloudwatch:AlarmActions", topics)
}

// plainlyTagged denies all tags of alarms but those that cniguard sets: an account's own policies may go by others. It holds for the tags of
// a new alarm too, for which CloudWatch asks the same action (API reference, PutMetricAlarm, Tags).
func plainlyTagged(alarms *string) statement {
	keys := slices.Sorted(maps.Keys(alarm.Wish{}.Want(alarm.PodSubnets).Tags))
	return when(statement{"Sid": "NoOtherTags", "Effect": "Deny", "Action": "cloudwatch:TagResource", "Resource": alarms},
		"ForAnyValue:StringNotEquals", "aws:TagKeys", keys)
}

// updates is all that changes a cluster. That the updater may not tag is left to what is not allowed: a tag that a policy's rule
// or an account's own policies go by cannot be set by it.
func updates(c Config) map[string]any {
	return policy(
		allows("Update", ownARN(c.Hub, "eks", vpcCNI), "eks:UpdateAddon"),
		when(allows("KeepRole", c.PassRoles, "iam:PassRole"), "StringEquals", "iam:PassedToService", "eks.amazonaws.com"),
	)
}

func allows(sid string, resource any, actions ...string) statement {
	return statement{"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
}

func when(s statement, operator, key string, value any) statement {
	s["Condition"] = map[string]any{operator: map[string]any{key: value}}
	return s
}
