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

// publishWithin is the deadline of one publish with all tries of the SDK.
const publishWithin = 10 * time.Second

// Publisher is the one call of SNS that is made; *sns.Client is one.
type Publisher interface {
	Publish(ctx context.Context, in *sns.PublishInput, opts ...func(*sns.Options)) (*sns.PublishOutput, error)
}

// SNS tells people through a standard topic. FIFO topics take no e-mail or SMS subscriptions and are not supported.
type SNS struct {
	client Publisher
	topic  string
	clock  clock.Clock
}

// New publishes to the topic with that ARN, which must be in the client's region.
func New(client Publisher, topicARN string, clk clock.Clock) *SNS {
	return &SNS{client: client, topic: topicARN, clock: clk}
}

// Tell publishes a message once, with its attributes. The error is a *fault.Fault.
func (s *SNS) Tell(ctx context.Context, m guard.Message) error {
	ctx, cancel := s.clock.WithTimeout(ctx, publishWithin)
	defer cancel()
	shape := Render(m)
	in := &sns.PublishInput{
		TopicArn:          aws.String(s.topic),
		Subject:           aws.String(shape.Subject),
		Message:           aws.String(shape.Envelope()),
		MessageStructure:  aws.String("json"),
		MessageAttributes: map[string]types.MessageAttributeValue{},
	}
	for name, value := range shape.Attributes {
		in.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
	}
	if _, err := s.client.Publish(ctx, in); err != nil {
		return access.Fault("sns:Publish", err)
	}
	return nil
}
