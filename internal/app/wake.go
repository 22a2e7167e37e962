package app

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/plain"
)

// EventBridge is what a bus needs of EventBridge.
type EventBridge interface {
	PutEvents(context.Context, *eventbridge.PutEventsInput, ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error)
}

const (
	perPut     = 10 // entries that PutEvents takes (EventBridge user guide, "Sending events with PutEvents")
	putTimeout = 10 * time.Second
)

// bus is the hub's event bus.
type bus struct {
	events EventBridge
	name   string // or ARN
	clock  clock.Clock
}

// waker puts triggers on the hub's bus; the rules bring them back as events.
type waker struct{ bus bus }

// NewWaker is the waker that a person uses, who reaches EventBridge with their own credentials. Name is the hub's bus.
func NewWaker(events EventBridge, name string, c clock.Clock) check.Waker {
	return waker{bus{events: events, name: name, clock: c}}
}

// Wake asks for work. Some of it may have been asked for although it returns an error.
func (w waker) Wake(ctx context.Context, ts ...event.Trigger) error {
	entries := make([]types.PutEventsRequestEntry, 0, len(ts))
	for _, t := range ts {
		source, detailType, detail, err := event.Encode(t)
		if err != nil {
			return err
		}
		entries = append(entries, types.PutEventsRequestEntry{Source: &source, DetailType: &detailType, Detail: aws.String(string(detail))})
	}
	return w.bus.put(ctx, entries...)
}

// put puts events on the bus, ten in a call. Some of them may be there although it returns an error: that EventBridge took a call does not
// mean that it took each of its events.
func (b bus) put(ctx context.Context, entries ...types.PutEventsRequestEntry) error {
	for batch := range slices.Chunk(entries, perPut) {
		if err := b.putBatch(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

func (b bus) putBatch(ctx context.Context, batch []types.PutEventsRequestEntry) error {
	ctx, cancel := b.clock.WithTimeout(ctx, putTimeout)
	defer cancel()
	for i := range batch {
		batch[i].EventBusName = &b.name
	}
	out, err := b.events.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: batch})
	if err != nil {
		return fmt.Errorf("put %d events on bus %s: %w", len(batch), b.name, access.Fault("events:PutEvents", err))
	}
	for _, e := range out.Entries {
		if e.ErrorCode != nil {
			f := &fault.Fault{Kind: fault.Retry, Op: "events:PutEvents", Code: plain.Clean(*e.ErrorCode, plain.Text), Text: plain.Clean(aws.ToString(e.ErrorMessage), plain.Text)}
			return fmt.Errorf("put events on bus %s, %d of %d refused: %w", b.name, out.FailedEntryCount, len(batch), f)
		}
	}
	return nil
}
