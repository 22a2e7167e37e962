package laws_test

import (
	"cmp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/cniguard/cniguard/internal/world"
	"github.com/cniguard/cniguard/tests/iam"
)

func deployedAccount(account string) string {
	if account == hubAccount {
		return deployedHub
	}
	return deployedMember
}

// requests are what IAM is asked for a call: the call itself, and what it implies of other services. Resources are those of the
// Service Authorization Reference.
func requests(c *world.Call) []iam.Request {
	account := deployedAccount(c.Account)
	arn := func(service, rest string) string {
		return strings.Join([]string{"arn", "aws", service, c.Region, account, rest}, ":")
	}
	one := func(resource string) []iam.Request { return []iam.Request{{Action: c.Action(), Resource: resource}} }
	ofCluster := func(kind, rest string) []iam.Request { return one(arn("eks", kind+"/"+c.Cluster+rest)) }
	switch in := c.In.(type) {
	case *eks.DescribeClusterInput, *eks.ListNodegroupsInput, *eks.ListFargateProfilesInput:
		return ofCluster("cluster", "")
	case *eks.DescribeNodegroupInput:
		return ofCluster("nodegroup", "/"+*in.NodegroupName+"/1")
	case *eks.DescribeFargateProfileInput:
		return ofCluster("fargateprofile", "/"+*in.FargateProfileName+"/1")
	case *eks.DescribeAddonInput:
		return ofCluster("addon", "/"+*in.AddonName+"/1")
	case *eks.ListUpdatesInput, *eks.DescribeUpdateInput:
		return append(ofCluster("cluster", ""), ofCluster("addon", "/vpc-cni/1")...)
	case *eks.UpdateAddonInput:
		all := ofCluster("addon", "/"+*in.AddonName+"/1")
		if role := aws.ToString(in.ServiceAccountRoleArn); role != "" { // EKS asks for it in the caller's name (IAM user guide, "PassRole")
			// Which roles may be passed on is the deployment's choice; here it chose those of this path in the account itself.
			role = strings.Replace(role, ":"+c.Account+":role/", ":"+account+":role/eks/vpc-cni-", 1)
			all = append(all, iam.Request{
				Action: "iam:PassRole", Resource: "arn:aws" + role[strings.Index(role, ":iam:"):],
				Context: map[string][]string{"iam:PassedToService": {"eks.amazonaws.com"}},
			})
		}
		return all
	case *cloudwatch.PutMetricAlarmInput:
		all := one(arn("cloudwatch", "alarm:"+*in.AlarmName))
		if acts := slices.Concat(in.AlarmActions, in.OKActions, in.InsufficientDataActions); len(acts) > 0 {
			all[0].Context = map[string][]string{"cloudwatch:AlarmActions": acts}
		}
		if len(in.Tags) > 0 { // CloudWatch API reference, PutMetricAlarm, Tags
			all = append(all, tagging(all[0].Resource, in.Tags))
		}
		return all
	case *cloudwatch.TagResourceInput:
		_, alarm, _ := strings.Cut(*in.ResourceARN, ":alarm:")
		return []iam.Request{tagging(arn("cloudwatch", "alarm:"+alarm), in.Tags)}
	case *cloudwatch.DeleteAlarmsInput:
		var all []iam.Request
		for _, name := range in.AlarmNames {
			all = append(all, one(arn("cloudwatch", "alarm:"+name))...)
		}
		return all
	case *cloudwatch.PutMetricDataInput:
		return []iam.Request{{Action: c.Action(), Resource: "*", Context: map[string][]string{"cloudwatch:namespace": {*in.Namespace}}}}
	case *sts.AssumeRoleInput:
		into, _, _ := entered(c)
		return one("arn:aws:iam::" + deployedAccount(strings.Split(*in.RoleArn, ":")[4]) + ":role/" + into)
	case *sns.PublishInput:
		// SNS developer guide, "Key management": whoever publishes to an encrypted topic needs its key.
		key := "Key.Arn"
		for _, s := range granted()[deployedHub]["cniguard-urgent"].Statements {
			if len(s.Actions) > 0 && strings.HasPrefix(s.Actions[0], "kms:") {
				key = s.Resources[0]
			}
		}
		return append(one(inHub("sns", topicOf(*in.TopicArn))), iam.Request{Action: "kms:GenerateDataKey", Resource: key}, iam.Request{Action: "kms:Decrypt", Resource: key})
	}
	switch c.Service {
	case "events":
		q := iam.Request{Action: c.Action(), Resource: inHub("events", "event-bus/cniguard"), Context: map[string][]string{}}
		for _, e := range c.In.(*eventbridge.PutEventsInput).Entries { // EventBridge user guide, "Using IAM policy conditions"
			q.Context["events:source"] = append(q.Context["events:source"], *e.Source)
			q.Context["events:detail-type"] = append(q.Context["events:detail-type"], *e.DetailType)
		}
		return []iam.Request{q}
	case "dynamodb":
		return []iam.Request{ofTable(c)}
	case "ledger":
		return ofLedger(c.Op)
	}
	return one("*")
}

// tagging is what IAM is asked where an alarm is to have tags (Service Authorization Reference, CloudWatch, TagResource).
func tagging(alarm string, tags []cwtypes.Tag) iam.Request {
	q := iam.Request{Action: "cloudwatch:TagResource", Resource: alarm, Context: map[string][]string{"aws:TagKeys": nil}}
	for _, t := range tags {
		q.Context["aws:TagKeys"] = append(q.Context["aws:TagKeys"], *t.Key)
	}
	return q
}

func inHub(service, rest string) string {
	return strings.Join([]string{"arn", "aws", service, deployedRegion, deployedHub, rest}, ":")
}

// topicOf is the topic's name in the deployment: a world may call its own otherwise.
func topicOf(arn string) string {
	name := arn[strings.LastIndexByte(arn, ':')+1:]
	for _, channel := range []string{"chat", "machine"} {
		if strings.HasSuffix(name, channel) {
			return "cniguard-" + channel
		}
	}
	return "cniguard-oncall"
}

const (
	table     = "table/cniguard"
	doctorKey = "DOCTOR"
)

// ofTable is a call of the ledger as IAM sees it, with the keys of the items that are written.
func ofTable(c *world.Call) iam.Request {
	q := iam.Request{Action: c.Action(), Resource: inHub("dynamodb", table)}
	switch in := c.In.(type) {
	case *dynamodb.PutItemInput:
		key, _ := in.Item["pk"].(*ddb.AttributeValueMemberS)
		q.Context = map[string][]string{"dynamodb:LeadingKeys": {key.Value}}
	case *dynamodb.QueryInput:
		if in.IndexName != nil {
			q.Resource += "/index/" + *in.IndexName
		}
	}
	return q
}

// ofLedger is what the ledger in DynamoDB calls for an operation: most worlds keep theirs in memory.
func ofLedger(op string) []iam.Request {
	on := func(action, rest string) iam.Request {
		return iam.Request{Action: "dynamodb:" + action, Resource: inHub("dynamodb", table+rest)}
	}
	switch op {
	case "Load", "Fleet", "Digest", "Digested", "Reported":
		return []iam.Request{on("GetItem", "")}
	case "In":
		return []iam.Request{on("Query", "")}
	case "Arrive", "Report":
		q := on("PutItem", "")
		q.Context = map[string][]string{"dynamodb:LeadingKeys": {doctorKey}}
		return []iam.Request{q}
	case "DueDigests":
		return []iam.Request{on("Query", "/index/due")}
	case "Due", "Orders":
		return []iam.Request{on("Query", "/index/due"), on("BatchGetItem", "")}
	}
	return []iam.Request{on("PutItem", "")}
}

// entered is the role that a call assumes, and how its trust policy is asked.
func entered(c *world.Call) (role string, q iam.Request, is bool) {
	in, is := c.In.(*sts.AssumeRoleInput)
	if !is {
		return "", q, false
	}
	caller := "arn:aws:iam::" + deployedHub + ":role/" + c.Principal[strings.LastIndexByte(c.Principal, '/')+1:]
	return (*in.RoleArn)[strings.LastIndexByte(*in.RoleArn, '/')+1:], iam.Request{Action: "sts:AssumeRole", Context: map[string][]string{
		"aws:PrincipalArn": {caller}, "aws:PrincipalOrgID": {"o-exampleorgid"}, "sts:ExternalId": {cmp.Or(aws.ToString(in.ExternalId), "a-shared-word")}, // worlds' functions are not told it
	}}, true
}
