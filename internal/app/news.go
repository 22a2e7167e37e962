package app

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/event"
)

// news puts on the hub's bus what programs of others may want to know. No rule of cniguard lets it through, so it wakes nothing.
type news struct{ bus bus }

// Swept says that a sweep is finished.
func (n news) Swept(ctx context.Context, c check.Coverage) error {
	return n.say(ctx, event.SweepFinished, c)
}

// say puts one event on the bus.
func (n news) say(ctx context.Context, detailType string, detail any) error {
	data, err := json.Marshal(detail)
	if err != nil {
		return fmt.Errorf("write event %s: %w", detailType, err)
	}
	return n.bus.put(ctx, types.PutEventsRequestEntry{
		EventBusName: &n.bus.name, Source: aws.String(event.NewsSource), DetailType: &detailType, Detail: aws.String(string(data)),
	})
}
