package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/notify"
)

var (
	_ check.Teller     = (*notify.Topic)(nil)
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

func TestTellPublishesOnceInTheShapeOfItsChannel(t *testing.T) {
	m := sample(guard.CapacityLow, guard.Critical, "used", "96.8 %")
	arn, shape := "arn:aws:sns:eu-central-1:999900001111:cniguard", notify.Render(m)
	for channel, want := range map[notify.Channel]sns.PublishInput{
		notify.OnCall:  {Message: aws.String(shape.Envelope()), MessageStructure: aws.String("json")}, // by protocol
		notify.Chat:    {Message: aws.String(shape.Chat)},
		notify.Machine: {Message: aws.String(shape.JSON)},
	} {
		t.Run(string(channel), func(t *testing.T) {
			sent := &topic{}
			if err := notify.New(sent, channel, arn, clock.Real{}).Tell(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			if len(sent.got) != 1 {
				t.Fatalf("%d publishes", len(sent.got))
			}
			want.TopicArn, want.Subject = aws.String(arn), aws.String(shape.Subject)
			want.MessageAttributes = map[string]types.MessageAttributeValue{}
			for name, value := range map[string]string{"severity": "critical", "finding": "capacity-low", "news": "opened", "state": "open",
				"account": "111122223333", "region": "eu-central-1", "cluster": "prod-eu", "owner": "payments", "action": "act"} {
				want.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
			}
			unexported := cmpopts.IgnoreUnexported(sns.PublishInput{}, types.MessageAttributeValue{})
			if diff := cmp.Diff(&want, sent.got[0], unexported); diff != "" {
				t.Errorf("-want +published:\n%s", diff)
			}
		})
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
			err := notify.New(&topic{fail: c.fail}, notify.OnCall, "arn:aws:sns:eu-central-1:999900001111:t", clock.Real{}).Tell(t.Context(), guard.Message{})
			if diff := cmp.Diff(&c.want, fault.Of(err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTellWaitsTenSecondsAtMost(t *testing.T) {
	clk := &patience{}
	err := notify.New(&topic{hang: true}, notify.OnCall, "arn:aws:sns:eu-central-1:999900001111:t", clk).Tell(t.Context(), guard.Message{})
	if f := fault.Of(err); f == nil || f.Kind != fault.Retry {
		t.Errorf("got %v (%v)", err, errors.Unwrap(err))
	}
	if diff := cmp.Diff([]time.Duration{10 * time.Second}, clk.asked); diff != "" {
		t.Error(diff)
	}
}

func TestAMessageAboutAnAccountAndRegionNamesNoCluster(t *testing.T) {
	m := sample(guard.UnitUnreadable, guard.Warning)
	m.Cluster.Name = ""
	var said struct{ Cluster, ClusterARN, Console string }
	if err := json.Unmarshal([]byte(notify.Render(m).JSON), &said); err != nil {
		t.Fatal(err)
	}
	if said.Cluster != "" || said.ClusterARN != "" || !strings.HasSuffix(said.Console, "/eks/clusters/?region=eu-central-1") {
		t.Errorf("%+v", said)
	}
}
