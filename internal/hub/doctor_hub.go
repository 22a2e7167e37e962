package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Topics is what Doctor needs of SNS.
type Topics interface {
	GetTopicAttributes(context.Context, *sns.GetTopicAttributesInput, ...func(*sns.Options)) (*sns.GetTopicAttributesOutput, error)
	ListSubscriptionsByTopic(context.Context, *sns.ListSubscriptionsByTopicInput, ...func(*sns.Options)) (*sns.ListSubscriptionsByTopicOutput, error)
}

// Keys is what Doctor needs of KMS.
type Keys interface {
	DescribeKey(context.Context, *kms.DescribeKeyInput, ...func(*kms.Options)) (*kms.DescribeKeyOutput, error)
	GetKeyPolicy(context.Context, *kms.GetKeyPolicyInput, ...func(*kms.Options)) (*kms.GetKeyPolicyOutput, error)
}

// Functions is what Doctor needs of Lambda.
type Functions interface {
	GetFunctionConfiguration(context.Context, *lambda.GetFunctionConfigurationInput, ...func(*lambda.Options)) (*lambda.GetFunctionConfigurationOutput, error)
}

// Depth is what Doctor needs of SQS.
type Depth interface {
	GetQueueUrl(context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error)
	GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error)
}

func (d Doctor) functions(ctx context.Context) []Diagnosis {
	var all []Diagnosis
	for _, name := range []string{"cniguard-urgent", "cniguard-bulk"} {
		what := "function " + name
		out, err := d.Lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name})
		switch {
		case err != nil:
			all = append(all, d.unanswered(what, "lambda:GetFunctionConfiguration", err))
		case out.State != lambdatypes.StateActive && out.State != lambdatypes.StateInactive: // inactive wakes up by itself
			all = append(all, problem(what, fmt.Sprintf("it is %s: %s", out.State, aws.ToString(out.StateReason)), "deploy the hub again"))
		default:
			all = append(all, fine(what, "deployed at "+aws.ToString(out.LastModified)))
		}
	}
	return all
}

func (d Doctor) failed(ctx context.Context) Diagnosis {
	const what = "failure queue"
	at, err := d.Queue.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(queue)})
	if err != nil {
		return d.unanswered(what, "sqs:GetQueueUrl", err)
	}
	const number = sqstypes.QueueAttributeNameApproximateNumberOfMessages
	out, err := d.Queue.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: at.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{number}})
	switch {
	case err != nil:
		return d.unanswered(what, "sqs:GetQueueAttributes", err)
	case out.Attributes[string(number)] != "0":
		return problem(what, "events that could not be handled: "+out.Attributes[string(number)], "cniguard failed list")
	}
	return fine(what, "it is empty")
}

// subscription is whether somebody gets the mails of the topic for people on call. Nobody does before they have confirmed it.
func (d Doctor) subscription(ctx context.Context) Diagnosis {
	const what = "subscriptions"
	topic := d.arn("sns", "cniguard-oncall")
	var pending, confirmed []string
	for token := (*string)(nil); ; {
		out, err := d.SNS.ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: &topic, NextToken: token})
		if err != nil {
			return d.unanswered(what, "sns:ListSubscriptionsByTopic", err)
		}
		for _, s := range out.Subscriptions {
			who := aws.ToString(s.Protocol) + " " + aws.ToString(s.Endpoint)
			if strings.HasPrefix(aws.ToString(s.SubscriptionArn), "arn:") {
				confirmed = append(confirmed, who)
			} else { // "PendingConfirmation", or "Deleted"
				pending = append(pending, who)
			}
		}
		if token = out.NextToken; aws.ToString(token) == "" {
			break
		}
	}
	switch {
	case len(pending) > 0:
		return problem(what, "not confirmed: "+strings.Join(pending, ", "),
			"who has that address follows the link in the mail of AWS Notifications; after three days deploy again for another")
	case len(confirmed) == 0:
		return problem(what, "nobody is subscribed to cniguard-oncall", "subscribe an address to it")
	}
	return fine(what, "confirmed: "+strings.Join(confirmed, ", "))
}

// key is whether messages can be encrypted: the topics have the key that the functions' roles may use, and its own policy lets CloudWatch
// in; else alarms on cniguard itself are lost in silence. That the roles may use it indeed shows in messages.
func (d Doctor) key(ctx context.Context) Diagnosis {
	const what, alias = "key", "alias/cniguard"
	out, err := d.KMS.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(alias)})
	switch {
	case err != nil:
		return d.unanswered(what, "kms:DescribeKey", err)
	case out.KeyMetadata.KeyState != kmstypes.KeyStateEnabled:
		return problem(what, alias+" is "+string(out.KeyMetadata.KeyState), "enable it in KMS: without it nobody is told anything")
	}
	policy, err := d.KMS.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: out.KeyMetadata.KeyId, PolicyName: aws.String("default")})
	if err != nil {
		return d.unanswered(what, "kms:GetKeyPolicy", err)
	}
	for _, action := range []string{"kms:Decrypt", "kms:GenerateDataKey"} {
		if !lets(aws.ToString(policy.Policy), "cloudwatch.amazonaws.com", action) {
			return problem(what, "the policy of "+alias+" does not let cloudwatch.amazonaws.com "+action, "deploy the hub again: alarms on cniguard itself reach nobody")
		}
	}
	return d.locks(ctx, []string{alias, d.arn("kms", alias), aws.ToString(out.KeyMetadata.Arn), aws.ToString(out.KeyMetadata.KeyId)})
}

// locks is whether the topics are encrypted with the key of these names, and none with another, which the functions may not use. What
// is published to a topic without any key arrives.
func (d Doctor) locks(ctx context.Context, names []string) Diagnosis {
	const what = "key"
	for _, topic := range []string{"cniguard-oncall", "cniguard-chat", "cniguard-machine"} {
		out, err := d.SNS.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: aws.String(d.arn("sns", topic))})
		if err != nil {
			return d.unanswered(what, "sns:GetTopicAttributes", err)
		}
		if key := out.Attributes["KmsMasterKeyId"]; key != "" && !slices.Contains(names, key) {
			return problem(what, "topic "+topic+" is encrypted with another key: "+key, "deploy the hub again: the functions may use "+names[0]+" only")
		}
	}
	return fine(what, names[0]+" is enabled, CloudWatch may use it, and no topic has another")
}

// oneOrMore is a JSON text or a list of them.
type oneOrMore []string

func (o *oneOrMore) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*o = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(o))
}

// lets reports whether a policy allows a service an action. Its conditions are not weighed.
func lets(policy, service, action string) bool {
	var doc struct {
		Statement []struct {
			Effect    string
			Principal struct{ Service oneOrMore }
			Action    oneOrMore
		}
	}
	_ = json.Unmarshal([]byte(policy), &doc) // a statement that is of another form lets nobody in
	for _, s := range doc.Statement {
		if s.Effect == "Allow" && slices.Contains(s.Principal.Service, service) && slices.ContainsFunc(s.Action, func(pattern string) bool {
			fits, _ := path.Match(pattern, action)
			return fits
		}) {
			return true
		}
	}
	return false
}
