package app

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/notify"
)

// herald tells programs that listen on the hub's bus. It is a topic like those of SNS: each message goes to it once, and again with the
// same key where nobody can know whether it went.
type herald struct{ bus bus }

// Tell puts a message on the bus. The error has a *fault.Fault in its chain.
func (h herald) Tell(ctx context.Context, m guard.Message) error {
	return h.put(ctx, notify.EventOf(m))
}

// TellDigest puts a digest on the bus. The error has a *fault.Fault in its chain.
func (h herald) TellDigest(ctx context.Context, d guard.Digest) error {
	return h.put(ctx, notify.EventOfDigest(d))
}

func (h herald) put(ctx context.Context, e notify.Event) error {
	return h.bus.put(ctx, types.PutEventsRequestEntry{
		Source: aws.String(event.NewsSource), DetailType: &e.Type, Detail: &e.Detail, Resources: e.Resources, Time: &e.At,
	})
}

// Swept puts on the bus what a finished sweep came to.
func (h herald) Swept(ctx context.Context, c check.Coverage) error {
	detail, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("write event %s: %w", event.SweepFinished, err)
	}
	return h.put(ctx, notify.Event{Type: event.SweepFinished, Detail: string(detail), At: c.Closed})
}
