package emulator_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// lack is something that the emulator does not do as AWS does, and what the tests do about it: one of answer and alter; neither where a test
// does it itself.
type lack struct {
	name    string
	pattern string // of requests for EKS that the front answers
	answer  func(*front) http.HandlerFunc
	alter   func(template map[string]any, region string) int // alters a template, and says at how many places
	still   func(*emulator) bool                             // asks the emulator itself
}

// lacks are the exceptions. Each fails a test once nothing needs it any more.
func lacks() []lack {
	return []lack{
		{
			name:    "EKS does not list the versions of an add-on",
			pattern: "GET /addons/supported-versions", answer: describeAddonVersions,
			still: func(e *emulator) bool {
				_, err := e.eks().DescribeAddonVersions(e.Context(), &eks.DescribeAddonVersionsInput{})
				return isUnrouted(err)
			},
		},
		{
			name:    "EKS has no schemas of configuration values",
			pattern: "GET /addons/configuration-schemas", answer: describeAddonConfiguration,
			still: func(e *emulator) bool {
				_, err := e.eks().DescribeAddonConfiguration(e.Context(), &eks.DescribeAddonConfigurationInput{
					AddonName: aws.String("vpc-cni"), AddonVersion: aws.String(releases()[0]),
				})
				return isUnrouted(err)
			},
		},
		{
			name:    "EKS has no Fargate profiles",
			pattern: "GET /clusters/{cluster}/fargate-profiles", answer: listFargateProfiles,
			still: func(e *emulator) bool {
				_, err := e.eks().ListFargateProfiles(e.Context(), &eks.ListFargateProfilesInput{ClusterName: aws.String("c")})
				return isUnrouted(err)
			},
		},
		{
			name:    "EKS does not list updates",
			pattern: "GET /clusters/{cluster}/updates", answer: listUpdates,
			still: func(e *emulator) bool {
				_, err := e.eks().ListUpdates(e.Context(), &eks.ListUpdatesInput{Name: aws.String("c")})
				return isUnrouted(err)
			},
		},
		{
			name:    "EKS does not tell of an update that it made",
			pattern: "GET /clusters/{cluster}/updates/{update}", answer: describeUpdate,
			still: func(e *emulator) bool {
				_, err := e.eks().DescribeUpdate(e.Context(), &eks.DescribeUpdateInput{Name: aws.String("c"), UpdateId: aws.String("u")})
				return isUnrouted(err)
			},
		},
		{
			name:  "CloudFormation's conditions do not know the region",
			alter: nameRegion,
			still: func(e *emulator) bool {
				e.create(e.as(hub), "conditional", `{"Conditions": {"Here": {"Fn::Equals": [{"Ref": "AWS::Region"}, "`+region+`"]}},
					"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Condition": "Here", "Properties": {"QueueName": "conditional"}}}}`)
				_, err := sqs.NewFromConfig(e.as(hub)).GetQueueUrl(e.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("conditional")})
				return err != nil
			},
		},
		{
			name:  "IAM takes a session's ARN for aws:PrincipalArn, which is its role's (IAM user guide, global condition keys)",
			alter: nameSessions,
			still: func(e *emulator) bool {
				trust := `{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "` + hub + `"}, "Condition": {"ArnEquals": {"aws:PrincipalArn": "` + arnOf("first") + `"}}}`
				e.create(e.as(hub), "chain", roles(map[string]any{
					"first":  role(byAccount, `{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}`),
					"second": role(trust, ""),
				}))
				_, err := sts.NewFromConfig(e.assume("first")).AssumeRole(e.Context(), assuming("second"))
				return isDenied(err)
			},
		},
		{
			name:  "IAM takes every call of EKS for one on the cluster, where the call is on an add-on or a node group (Service Authorization Reference)",
			alter: permitOnClusters,
			still: func(e *emulator) bool {
				e.create(e.as(hub), "reader", roles(map[string]any{
					"reader": role(byAccount, `{"Effect": "Allow", "Action": "eks:DescribeAddon", "Resource": "arn:aws:eks:*:*:addon/*/vpc-cni/*"}`),
				}))
				_, err := eks.NewFromConfig(e.assume("reader")).DescribeAddon(e.Context(), &eks.DescribeAddonInput{ClusterName: aws.String("c"), AddonName: aws.String("vpc-cni")})
				return isDenied(err)
			},
		},
		{
			name:  "IAM knows no dynamodb:LeadingKeys",
			alter: forget("dynamodb:LeadingKeys"),
			still: func(e *emulator) bool {
				e.create(e.as(hub), "writer", roles(map[string]any{
					"writer": role(byAccount, `{"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "*", "Condition": {"ForAnyValue:StringEquals": {"dynamodb:LeadingKeys": "a"}}}`),
				}))
				_, err := dynamodb.NewFromConfig(e.assume("writer")).PutItem(e.Context(), &dynamodb.PutItemInput{
					TableName: aws.String("t"), Item: map[string]ddbtypes.AttributeValue{"pk": &ddbtypes.AttributeValueMemberS{Value: "a"}},
				})
				return isDenied(err)
			},
		},
		{
			name:  "IAM knows no events:detail-type",
			alter: forget("events:detail-type"),
			still: func(e *emulator) bool { return e.deniesWhere("events:detail-type", "typist") },
		},
		{
			name:  "IAM knows no events:source",
			alter: forget("events:source"),
			still: func(e *emulator) bool { return e.deniesWhere("events:source", "sender") },
		},
		{
			name:  "CloudWatch does not tell EventBridge of an alarm's new state, which the test then does",
			still: (*emulator).alarmsAreSilent,
		},
	}
}

func TestEveryExceptionIsStillNeeded(t *testing.T) {
	t.Parallel()
	e := start(t)
	altered := map[string]int{}
	for _, file := range templates(t) {
		for _, l := range lacks() {
			if l.alter != nil {
				var tree map[string]any
				read(t, file, &tree)
				altered[l.name] += l.alter(tree, region)
			}
		}
	}
	for _, l := range lacks() {
		if !l.still(e) {
			t.Errorf("the emulator does this by now, take it out of lacks: %s", l.name)
		}
		if l.alter != nil && altered[l.name] == 0 {
			t.Errorf("no template needs to be altered because of this any more, take it out of lacks: %s", l.name)
		}
	}
}

// deniesWhere reports whether a new role may put no event that is as a condition on a key wants it.
func (e *emulator) deniesWhere(key, name string) bool {
	e.create(e.as(hub), name, roles(map[string]any{
		name: role(byAccount, `{"Effect": "Allow", "Action": "events:PutEvents", "Resource": "*", "Condition": {"ForAnyValue:StringEquals": {"`+key+`": "a"}}}`),
	}))
	_, err := eventbridge.NewFromConfig(e.assume(name)).PutEvents(e.Context(), &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{
		{Source: aws.String("a"), DetailType: aws.String("a"), Detail: aws.String("{}")},
	}})
	return isDenied(err)
}

// eks is the emulator itself, without the front.
func (e *emulator) eks() *eks.Client {
	return eks.NewFromConfig(e.as(hub), func(o *eks.Options) { o.BaseEndpoint = &e.url })
}

func isUnrouted(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && strings.HasPrefix(api.ErrorMessage(), "No route for ")
}

func isDenied(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && strings.HasPrefix(api.ErrorCode(), "AccessDenied")
}

// alarmsAreSilent has an alarm change its state, and then another event happen, which arrives alone.
func (e *emulator) alarmsAreSilent() bool {
	e.Helper()
	s := &stage{emulator: e}
	e.create(e.as(hub), "listener", `{"Resources": {
		"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "heard"}},
		"Rule": {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {"source": ["aws.cloudwatch", "after"]},
			"Targets": [{"Id": "heard", "Arn": "arn:aws:sqs:`+region+`:`+hub+`:heard"}]}}}}`)
	client := cloudwatch.NewFromConfig(e.as(hub))
	_, err := client.PutMetricAlarm(e.Context(), &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("a"), Namespace: aws.String("n"), MetricName: aws.String("m"), Statistic: cwtypes.StatisticMaximum, Period: aws.Int32(60),
		EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1), ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold,
	})
	if err == nil {
		_, err = client.SetAlarmState(e.Context(), &cloudwatch.SetAlarmStateInput{
			AlarmName: aws.String("a"), StateValue: cwtypes.StateValueAlarm, StateReason: aws.String("r"),
		})
	}
	if err != nil {
		e.Fatal(err)
	}
	s.put(e.as(hub), "default", "after", "event", "{}")
	q, heard := s.queue("heard"), ""
	eventually(e.T, "the event after it arrives", func() bool {
		heard += strings.Join(q.take(), "\n")
		return strings.Contains(heard, `"after"`)
	})
	return !strings.Contains(heard, `"aws.cloudwatch"`)
}
