package hub_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/cniguard/cniguard/internal/hub"
)

// pile is a failure queue, whose messages come in their order.
type pile struct {
	left   []string        // bodies, by receipt; empty: deleted
	hidden map[string]bool // by receipt
	sent   time.Time       // when each came into the queue
	again  int             // how many of the invoked come back, a minute and a half later
	calls  int             // of the function
}

func pileOf(n int, body string) *pile {
	p := &pile{hidden: map[string]bool{}, sent: noon.Add(-time.Hour)}
	for range n {
		p.left = append(p.left, body)
	}
	return p
}

func (p *pile) deep() (n int) {
	for _, body := range p.left {
		if body != "" {
			n++
		}
	}
	return n
}

func (p *pile) GetQueueUrl(context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error) {
	return &sqs.GetQueueUrlOutput{}, nil
}

func (p *pile) ReceiveMessage(_ context.Context, in *sqs.ReceiveMessageInput, _ ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	out := &sqs.ReceiveMessageOutput{}
	for i, body := range p.left {
		id := strconv.Itoa(10000 + i)
		if body == "" || p.hidden[id] || len(out.Messages) == int(in.MaxNumberOfMessages) {
			continue
		}
		sent := p.sent
		if body == newer {
			sent = noon.Add(90 * time.Second)
		}
		p.hidden[id] = true
		out.Messages = append(out.Messages, types.Message{
			MessageId: &id, ReceiptHandle: &id, Body: &body, Attributes: map[string]string{"SentTimestamp": strconv.FormatInt(sent.UnixMilli(), 10)},
		})
	}
	return out, nil
}

func (p *pile) ChangeMessageVisibility(_ context.Context, in *sqs.ChangeMessageVisibilityInput, _ ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error) {
	delete(p.hidden, *in.ReceiptHandle)
	return &sqs.ChangeMessageVisibilityOutput{}, nil
}

func (p *pile) DeleteMessage(_ context.Context, in *sqs.DeleteMessageInput, _ ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error) {
	i, err := strconv.Atoi(*in.ReceiptHandle)
	p.left[i-10000] = ""
	delete(p.hidden, *in.ReceiptHandle)
	return &sqs.DeleteMessageOutput{}, err
}

func (p *pile) Invoke(context.Context, *lambda.InvokeInput, ...func(*lambda.Options)) (*lambda.InvokeOutput, error) {
	if p.calls++; p.calls <= p.again {
		p.left = append(p.left, newer)
	}
	return &lambda.InvokeOutput{}, nil
}

const (
	event1 = `{"requestContext": {"functionArn": "arn:aws:lambda:eu-central-1:111122223333:function:cniguard-bulk"}, "requestPayload": {"id": "1"}}`
	newer  = `{"requestContext": {"functionArn": "arn:aws:lambda:eu-central-1:111122223333:function:cniguard-bulk"}, "requestPayload": {"id": "2"}}`
	poison = `none of ours`
)

func TestAllOfALongQueueIsAll(t *testing.T) {
	retry := func(f hub.Failed, ctx context.Context, ids ...string) ([]hub.Fate, error) {
		return f.Retry(ctx, ids...)
	}
	drop := func(f hub.Failed, ctx context.Context, ids ...string) ([]hub.Fate, error) { return f.Drop(ctx, ids...) }
	for _, c := range []struct {
		name               string
		p                  *pile
		do                 func(hub.Failed, context.Context, ...string) ([]hub.Fate, error)
		ids                []string
		fates, left, calls int
		more               bool
	}{
		{"all are retried", pileOf(2503, event1), retry, nil, 2503, 0, 2503, false},
		{"all are dropped", pileOf(2503, poison), drop, nil, 2503, 0, 0, false},
		{"a thousand are all", pileOf(1000, event1), retry, nil, 1000, 0, 1000, false},
		{"what cannot be retried is tried once", pileOf(30, poison), retry, nil, 30, 30, 0, false},
		{"what cannot be retried hides the rest", pileOf(2503, poison), retry, nil, 1001, 2503, 0, true},
		{"what comes back is left", &pile{left: pileOf(1500, event1).left, hidden: map[string]bool{}, sent: noon, again: 700}, retry, nil, 1500, 700, 1500, false},
		{"one is found", pileOf(30, event1), retry, []string{"10007"}, 1, 29, 1, false},
		{"one may be among the unread", pileOf(2503, event1), retry, []string{"12001"}, 0, 2503, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			fates, err := c.do(hub.Failed{SQS: c.p, Lambda: c.p, Now: noon}, t.Context(), c.ids...)
			if fates := len(fates); fates != c.fates && (!c.more || fates < c.fates) || c.p.deep() != c.left || c.p.calls != c.calls {
				t.Errorf("%d fates, %d are left, %d calls", fates, c.p.deep(), c.p.calls)
			}
			if errors.Is(err, hub.ErrMore) != c.more || err != nil && !c.more {
				t.Error(err)
			}
			if len(c.p.hidden) > 0 {
				t.Errorf("%d are hidden", len(c.p.hidden))
			}
		})
	}
}

func TestAListSaysWhetherThereIsMore(t *testing.T) {
	for n, want := range map[int]string{0: "0 false", 999: "999 false", 1000: "1000 false", 1001: "1000 true", 1800: "1000 true"} {
		p := pileOf(n, event1)
		found, more, err := hub.Failed{SQS: p}.List(t.Context())
		if got := fmt.Sprint(len(found), more); got != want || err != nil || len(p.hidden) > 0 {
			t.Errorf("of %d: %s, want %s; %d are hidden, %v", n, got, want, len(p.hidden), err)
		}
	}
}
