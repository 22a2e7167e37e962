package notify_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/notify"
)

var (
	_ check.Teller     = (*notify.SNS)(nil)
	_ notify.Publisher = (*sns.Client)(nil)
)

// topic is SNS as far as Publish goes.
type topic struct {
	got  []*sns.PublishInput
	fail error
	hang bool
}

func (t *topic) Publish(ctx context.Context, in *sns.PublishInput, _ ...func(*sns.Options)) (*sns.PublishOutput, error) {
	t.got = append(t.got, in)
	if t.hang {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return &sns.PublishOutput{}, t.fail
}

// patience is a clock that notes the time-outs asked for and lets them pass at once.
type patience struct {
	clock.Real
	asked []time.Duration
}

func (p *patience) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	p.asked = append(p.asked, d)
	return context.WithTimeout(ctx, 0)
}

func TestTellPublishesOnceInTheShapeOfEachProtocol(t *testing.T) {
	sent := &topic{}
	m := sample(guard.CapacityLow, guard.Critical, "used", "96.8 %")
	arn := "arn:aws:sns:eu-central-1:999900001111:cniguard"
	if err := notify.New(sent, arn, clock.Real{}).Tell(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if len(sent.got) != 1 {
		t.Fatalf("%d publishes", len(sent.got))
	}
	in, shape := sent.got[0], notify.Render(m)
	got := []string{aws.ToString(in.TopicArn), aws.ToString(in.Subject), aws.ToString(in.MessageStructure), aws.ToString(in.Message)}
	if diff := cmp.Diff([]string{arn, shape.Subject, "json", shape.Envelope()}, got); diff != "" {
		t.Error(diff)
	}
	if in.MessageGroupId != nil || in.MessageDeduplicationId != nil {
		t.Error("fields of FIFO topics are set")
	}
	attributes := map[string]string{}
	for name, a := range in.MessageAttributes {
		if aws.ToString(a.DataType) != "String" {
			t.Errorf("attribute %s is a %s", name, aws.ToString(a.DataType))
		}
		attributes[name] = aws.ToString(a.StringValue)
	}
	want := map[string]string{"severity": "critical", "finding": "capacity-low", "news": "opened", "account": "111122223333",
		"region": "eu-central-1", "cluster": "prod-eu"}
	if diff := cmp.Diff(want, attributes); diff != "" {
		t.Error(diff)
	}
}

func TestTellClassifiesItsErrors(t *testing.T) {
	cases := map[string]struct {
		fail error
		want fault.Fault
	}{
		"a topic that may not be published to": {
			&types.AuthorizationErrorException{Message: aws.String("no")},
			fault.Fault{Kind: fault.Terminal, Op: "sns:Publish", Code: "AuthorizationError", Need: "sns:Publish", Text: "no"},
		},
		"throttling": {
			&types.ThrottledException{Message: aws.String("slow down")},
			fault.Fault{Kind: fault.Retry, Op: "sns:Publish", Code: "Throttled", Text: "slow down"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			err := notify.New(&topic{fail: c.fail}, "arn:aws:sns:eu-central-1:999900001111:t", clock.Real{}).Tell(t.Context(), guard.Message{})
			if diff := cmp.Diff(&c.want, fault.Of(err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTellWaitsTenSecondsAtMost(t *testing.T) {
	clk := &patience{}
	err := notify.New(&topic{hang: true}, "arn:aws:sns:eu-central-1:999900001111:t", clk).Tell(t.Context(), guard.Message{})
	if f := fault.Of(err); f == nil || f.Kind != fault.Retry {
		t.Errorf("got %v (%v)", err, errors.Unwrap(err))
	}
	if diff := cmp.Diff([]time.Duration{10 * time.Second}, clk.asked); diff != "" {
		t.Error(diff)
	}
}
