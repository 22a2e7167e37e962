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

// EventBridge is what the waker needs of EventBridge.
type EventBridge interface {
	PutEvents(context.Context, *eventbridge.PutEventsInput, ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error)
}

const (
	perPut     = 10 // entries that PutEvents takes (EventBridge user guide, "Sending events with PutEvents")
	putTimeout = 10 * time.Second
)

// waker puts triggers on the hub's bus; the rules bring them back as events.
type waker struct {
	events EventBridge
	bus    string
	clock  clock.Clock
}

// NewWaker is the waker that a person uses, who reaches EventBridge with their own credentials. Bus is the hub's.
func NewWaker(events EventBridge, bus string, c clock.Clock) check.Waker {
	return &waker{events: events, bus: bus, clock: c}
}

// Wake asks for work. Some of it may have been asked for although it returns an error.
func (w *waker) Wake(ctx context.Context, ts ...event.Trigger) error {
	entries := make([]types.PutEventsRequestEntry, 0, len(ts))
	for _, t := range ts {
		source, detailType, detail, err := event.Encode(t)
		if err != nil {
			return err
		}
		entries = append(entries, types.PutEventsRequestEntry{
			EventBusName: &w.bus, Source: &source, DetailType: &detailType, Detail: aws.String(string(detail)),
		})
	}
	for batch := range slices.Chunk(entries, perPut) {
		if err := w.put(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

func (w *waker) put(ctx context.Context, batch []types.PutEventsRequestEntry) error {
	ctx, cancel := w.clock.WithTimeout(ctx, putTimeout)
	defer cancel()
	out, err := w.events.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: batch})
	if err != nil {
		return fmt.Errorf("put %d wake-ups on bus %s: %w", len(batch), w.bus, access.Fault("events:PutEvents", err))
	}
	for _, e := range out.Entries {
		if e.ErrorCode != nil {
			f := &fault.Fault{Kind: fault.Retry, Op: "events:PutEvents", Code: plain.Clean(*e.ErrorCode, plain.Text), Text: plain.Clean(aws.ToString(e.ErrorMessage), plain.Text)}
			return fmt.Errorf("put wake-ups on bus %s, %d of %d refused: %w", w.bus, out.FailedEntryCount, len(batch), f)
		}
	}
	return nil
}
