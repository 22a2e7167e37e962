package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/event"
)

// SQS is what Failed uses of the failure queue.
type SQS interface {
	GetQueueUrl(context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error)
	ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	ChangeMessageVisibility(context.Context, *sqs.ChangeMessageVisibilityInput, ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error)
	DeleteMessage(context.Context, *sqs.DeleteMessageInput, ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error)
}

// Lambda is what Failed uses of Lambda.
type Lambda interface {
	Invoke(context.Context, *lambda.InvokeInput, ...func(*lambda.Options)) (*lambda.InvokeOutput, error)
}

// Failed is the failure queue.
type Failed struct {
	SQS    SQS
	Lambda Lambda
	Waker  check.Waker // sends again what a schedule could not send
	Now    time.Time   // AWS's time when the person began: what comes into the queue much later is not touched
}

const (
	queue = "cniguard-failed"
	// taken is for how many seconds a message that is read is hidden from others. It is given back as soon as it is not needed.
	taken = 60
	// most is how many messages are read at once.
	most = 1000
	// later is how long after the person began a message is one of a newer failure, as of what was just retried: Lambda waits for
	// a minute before it tries again (Lambda developer guide, "How Lambda handles errors and retries with asynchronous invocation").
	later = time.Minute
)

// ErrMore is that messages were left in the queue, unread.
var ErrMore = fmt.Errorf("queue %s has more than the %d messages that were read", queue, most)

// Fate is what became of a failure.
type Fate struct {
	Failure Failure
	Err     error // nil: it was retried or dropped, and is out of the queue
}

// List reads what is in the queue, oldest first, and leaves it there: others are kept from a message for as long as the list takes.
// Nothing but its count of receives changes, on which the queue does not act. More says that these are the first that came, and not all.
func (f Failed) List(ctx context.Context) (found []Failure, more bool, err error) {
	url, found, err := f.read(ctx)
	err = errors.Join(err, f.giveBack(ctx, url, found))
	return found[:min(most, len(found))], len(found) > most, err
}

// Retry has the function handle the events again, and takes those out of the queue that Lambda took. No ids: all.
func (f Failed) Retry(ctx context.Context, ids ...string) ([]Fate, error) {
	return f.each(ctx, ids, f.invoke)
}

// Drop takes messages out of the queue. No ids: all.
func (f Failed) Drop(ctx context.Context, ids ...string) ([]Fate, error) {
	return f.each(ctx, ids, func(context.Context, Failure) error { return nil })
}

// each does something with the chosen messages. No ids: it reads until there is nothing that it has not tried.
func (f Failed) each(ctx context.Context, ids []string, do func(context.Context, Failure) error) ([]Fate, error) {
	var fates []Fate
	tried := map[string]bool{}
	once := func(ctx context.Context, one Failure) error {
		tried[one.ID] = true
		return do(ctx, one)
	}
	for {
		some, more, err := f.some(ctx, func(found []Failure) ([]string, error) {
			return choose(slices.DeleteFunc(slices.Clone(found), func(one Failure) bool { return tried[one.ID] || one.At.After(f.Now.Add(later)) }), ids)
		}, once)
		fates = append(fates, some...)
		switch {
		case err != nil && more && len(ids) > 0: // what was not found may be among those unread
			return fates, errors.Join(err, ErrMore)
		case err != nil || !more || len(ids) > 0:
			return fates, err
		case len(some) == 0:
			return fates, ErrMore
		}
	}
}

// some does something with the messages that are picked of those that are read, deletes those where it worked, and gives all others
// back. More says that not all were read.
func (f Failed) some(ctx context.Context, pick func([]Failure) ([]string, error), do func(context.Context, Failure) error) (fates []Fate, more bool, err error) {
	url, found, err := f.read(ctx)
	var chosen []string
	if err == nil {
		chosen, err = pick(found)
	}
	more = len(found) > most
	left := slices.DeleteFunc(found, func(one Failure) bool {
		if !slices.Contains(chosen, one.ID) || err != nil || ctx.Err() != nil {
			return false
		}
		err := do(ctx, one)
		if err == nil {
			err = f.remove(ctx, url, one)
		}
		fates = append(fates, Fate{one, err})
		return err == nil
	})
	return fates, more, errors.Join(err, f.giveBack(ctx, url, left))
}

// choose finds the messages whose ids begin with the given ones; all of them where none is given.
func choose(found []Failure, ids []string) (chosen []string, err error) {
	var wrong []error
	for _, id := range ids {
		var fits []string
		for _, one := range found {
			if strings.HasPrefix(one.ID, id) {
				fits = append(fits, one.ID)
			}
		}
		switch len(fits) {
		case 1:
			chosen = append(chosen, fits[0])
		case 0:
			wrong = append(wrong, fmt.Errorf("find message %q: the queue has none whose id begins so; `cniguard failed list` shows them", id))
		default:
			wrong = append(wrong, fmt.Errorf("find message %q: %d ids begin so: %s", id, len(fits), strings.Join(fits, ", ")))
		}
	}
	if len(ids) == 0 {
		for _, one := range found {
			chosen = append(chosen, one.ID)
		}
	}
	return chosen, errors.Join(wrong...)
}

// read receives until nothing new comes, or more than most. A message that comes twice is one, with its newest receipt.
func (f Failed) read(ctx context.Context) (url string, found []Failure, err error) {
	at, err := f.SQS.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(queue)})
	if err != nil {
		return "", nil, fmt.Errorf("find queue %s: %w", queue, access.Fault("sqs:GetQueueUrl", err))
	}
	url = aws.ToString(at.QueueUrl)
	for fresh := true; fresh && len(found) <= most; {
		out, err := f.SQS.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &url, MaxNumberOfMessages: 10, VisibilityTimeout: taken, WaitTimeSeconds: 1, MessageAttributeNames: []string{"All"},
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameSentTimestamp},
		})
		if err != nil {
			return url, found, fmt.Errorf("read queue %s: %w", queue, access.Fault("sqs:ReceiveMessage", err))
		}
		fresh = false
		for _, m := range out.Messages {
			one := failureOf(m)
			if i := slices.IndexFunc(found, func(f Failure) bool { return f.ID == one.ID }); i >= 0 {
				found[i].receipt = one.receipt
				continue
			}
			found, fresh = append(found, one), true
		}
	}
	slices.SortStableFunc(found, func(a, b Failure) int { return a.At.Compare(b.At) })
	return url, found, nil
}

// giveBack lets others see messages again at once, also when the person has gone.
func (f Failed) giveBack(ctx context.Context, url string, left []Failure) error {
	for _, one := range left {
		_, err := f.SQS.ChangeMessageVisibility(context.WithoutCancel(ctx), &sqs.ChangeMessageVisibilityInput{
			QueueUrl: &url, ReceiptHandle: &one.receipt, VisibilityTimeout: 0,
		})
		var free *types.MessageNotInflight // others see it already
		if err != nil && !errors.As(err, &free) {
			return fmt.Errorf("give messages back to queue %s, which else hides them for %d s: %w", queue, taken, access.Fault("sqs:ChangeMessageVisibility", err))
		}
	}
	return nil
}

func (f Failed) remove(ctx context.Context, url string, one Failure) error {
	_, err := f.SQS.DeleteMessage(context.WithoutCancel(ctx), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: &one.receipt})
	if err != nil {
		return fmt.Errorf("delete message %s: %w", one.ID, access.Fault("sqs:DeleteMessage", err))
	}
	return nil
}

// invoke hands the event to its function as EventBridge did: asynchronously. Only cniguard's own functions are called, whatever a
// message says. What a schedule could not send never became an event; it is sent again.
func (f Failed) invoke(ctx context.Context, one Failure) error {
	if kind, ok := one.scheduled(); ok {
		return f.Waker.Wake(ctx, event.Trigger{Kind: kind})
	}
	name, ok := one.name()
	if !ok || name != "cniguard-urgent" && name != "cniguard-bulk" {
		return fmt.Errorf("retry message %s: it is for %q, which is no function of cniguard", one.ID, one.Function)
	}
	_, err := f.Lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, InvocationType: lambdatypes.InvocationTypeEvent, Payload: one.Payload})
	if err != nil {
		return fmt.Errorf("invoke %s: %w", name, access.Fault("lambda:InvokeFunction", err))
	}
	return nil
}
