package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/cniguard/cniguard/internal/event"
)

// topics are where people and programs are told. SNS picks a text by the subscriber's protocol, and pagers, chats and programs
// are all https: so each kind of reader has a topic of its own.
type topics struct {
	key     awskms.CfnKey
	oncall  awssns.CfnTopic // e-mail, sms, and pagers, which want the shape of a CloudWatch alarm
	chat    awssns.CfnTopic // Amazon Q Developer in chat applications
	machine awssns.CfnTopic // sqs, lambda, https: versioned JSON
}

func newTopics(scope constructs.Construct, c Config) topics {
	key := newKey(scope, c.Hub)
	newTopic := func(readers string, allowed ...statement) awssns.CfnTopic {
		topic := awssns.NewCfnTopic(scope, str("Topic-"+readers), &awssns.CfnTopicProps{
			TopicName:      str(topicName(readers)),
			DisplayName:    str(name), // the sender's name in an e-mail, and how an sms begins
			KmsMasterKeyId: key.AttrArn(),
		})
		awssns.NewCfnTopicPolicy(scope, str("TopicPolicy-"+readers), &awssns.CfnTopicPolicyProps{
			Topics:         &[]*string{topic.Ref()},
			PolicyDocument: policy(append(allowed, onlyTLS("sns:Publish", topicARN(c.Hub, readers)))...),
		})
		return topic
	}
	t := topics{key: key, oncall: newTopic("oncall", alarmsMay(c.Hub)), chat: newTopic("chat"), machine: newTopic("machine")}
	awssns.NewCfnSubscription(scope, str("Email"), &awssns.CfnSubscriptionProps{
		TopicArn: t.oncall.Ref(), Protocol: str("email"), Endpoint: str(c.Email),
	})
	return t
}

func topicName(readers string) string { return name + "-" + readers }

func topicARN(hub event.Unit, readers string) string { return arn(hub, "sns", topicName(readers)) }

// alarmsMay lets cniguard's alarms in the hub speak on the topic for people on call: those on the hub itself, and those on
// clusters there, where the policy's alarm.actions name it. The functions publish with their roles' permissions and need no
// statement here.
func alarmsMay(hub event.Unit) statement {
	return statement{
		"Sid": "FromAlarms", "Effect": "Allow", "Principal": service("cloudwatch.amazonaws.com"), "Action": "sns:Publish",
		"Resource": topicARN(hub, "oncall"), "Condition": forOwnAlarms(hub),
	}
}

// forOwnAlarms holds for calls that CloudWatch makes for an alarm of cniguard in the hub.
func forOwnAlarms(hub event.Unit) map[string]any {
	return map[string]any{
		"StringEquals": map[string]any{"aws:SourceAccount": hub.Account},
		"ArnLike":      map[string]any{"aws:SourceArn": arn(hub, "cloudwatch", "alarm:"+name+"*")},
	}
}

// newKey encrypts the topics. It has to be a customer-managed key: CloudWatch cannot publish under the one that AWS manages for
// SNS, and that fails in silence (SNS developer guide, "Encrypting Amazon SNS topics", compatibility with event sources).
func newKey(scope constructs.Construct, hub event.Unit) awskms.CfnKey {
	key := awskms.NewCfnKey(scope, str("Key"), &awskms.CfnKeyProps{
		Description:         str("The topics of cniguard"),
		EnableKeyRotation:   true,
		PendingWindowInDays: num(7), // nothing is kept under this key but messages on their way
		KeyPolicy: policy(
			statement{ // without it nobody could change the key ever again; it lets the functions' own policies count as well
				"Sid": "Account", "Effect": "Allow", "Principal": map[string]any{"AWS": rootARN(hub, hub.Account)}, "Action": "kms:*", "Resource": "*",
			},
			statement{
				"Sid": "Alarms", "Effect": "Allow", "Principal": service("cloudwatch.amazonaws.com"),
				"Action": []string{"kms:Decrypt", "kms:GenerateDataKey*"}, "Resource": "*", "Condition": forOwnAlarms(hub),
			},
		),
	})
	awskms.NewCfnAlias(scope, str("KeyAlias"), &awskms.CfnAliasProps{AliasName: str("alias/" + name), TargetKeyId: key.AttrKeyId()})
	return key
}
