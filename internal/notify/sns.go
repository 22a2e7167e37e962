package notify

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/guard"
)

// Channel is whom a topic is for. SNS chooses the shape by a subscription's protocol, not by the subscriber, and pagers, chats
// and programs are all HTTPS: so each channel needs a topic of its own.
type Channel string

// The channels.
const (
	OnCall  Channel = "oncall"  // people, by e-mail, SMS and pager
	Chat    Channel = "chat"    // Amazon Q Developer in chat applications
	Machine Channel = "machine" // programs, by SQS, Lambda and HTTPS
)

// Channels are all channels.
func Channels() []Channel { return []Channel{OnCall, Chat, Machine} }

// publishWithin is the deadline of one publish with all tries of the SDK.
const publishWithin = 10 * time.Second

// Publisher is the one call of SNS that is made; *sns.Client is one.
type Publisher interface {
	Publish(ctx context.Context, in *sns.PublishInput, opts ...func(*sns.Options)) (*sns.PublishOutput, error)
}

// Topic tells a channel through a standard topic. FIFO topics take no e-mail or SMS subscriptions and are not supported.
type Topic struct {
	client  Publisher
	channel Channel
	arn     string
	clock   clock.Clock
}

// New publishes for a channel to the topic with that ARN, which must be in the client's region.
func New(client Publisher, to Channel, arn string, clk clock.Clock) *Topic {
	return &Topic{client: client, channel: to, arn: arn, clock: clk}
}

// Tell publishes a message once, with its attributes. The error is a *fault.Fault.
func (t *Topic) Tell(ctx context.Context, m guard.Message) error { return t.publish(ctx, Render(m)) }

// TellDigest publishes a digest once, with its attributes. The error is a *fault.Fault.
func (t *Topic) TellDigest(ctx context.Context, d guard.Digest) error {
	return t.publish(ctx, RenderDigest(d))
}

func (t *Topic) publish(ctx context.Context, shape Shape) error {
	ctx, cancel := t.clock.WithTimeout(ctx, publishWithin)
	defer cancel()
	in := &sns.PublishInput{
		TopicArn:          aws.String(t.arn),
		Subject:           aws.String(shape.Subject),
		MessageAttributes: map[string]types.MessageAttributeValue{},
	}
	switch t.channel {
	case Chat:
		in.Message = aws.String(shape.Chat)
	case Machine:
		in.Message = aws.String(shape.JSON)
	default:
		in.Message, in.MessageStructure = aws.String(shape.Envelope()), aws.String("json")
	}
	for name, value := range shape.Attributes {
		in.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
	}
	if _, err := t.client.Publish(ctx, in); err != nil {
		return access.Fault("sns:Publish", err)
	}
	return nil
}
