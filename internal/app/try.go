package app

import (
	"context"
	"slices"
	"time"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/telemetry"
)

// late is after how long nobody waits for a sample any more: what comes then is a replay, or was held up for so long that a person would
// only wonder at it.
const late = 5 * time.Minute

// try tells a sample to one topic, as any message is told to it, and notes what became of it for the person who waits. That it was not
// taken is the answer that the person wants, and nothing that would be tried again.
func (a *App) try(ctx context.Context, e check.Engine, t event.Trigger) error {
	before, err := a.parts.Ledger.Reported(ctx, t.Nonce)
	if err != nil {
		return err
	}
	now := a.parts.Clock.Now()
	if before != nil || now.Sub(t.At) > late {
		e.Counts.Add(telemetry.Skipped, 1)
		a.log.InfoContext(ctx, "left out", "event", t.ID, "why", "the sample was sent before, or nobody waits for it any more")
		return nil
	}
	f := a.sample(ctx, e.Topics, t, now)
	if f != nil {
		a.log.WarnContext(ctx, "sample not taken", "event", t.ID, "topic", t.Channel, "error", f.Error())
	}
	return a.parts.Ledger.Report(ctx, t.Nonce, check.Trial{At: a.parts.Clock.Now(), Fault: f})
}

// sample tells it to the topic of that name.
func (a *App) sample(ctx context.Context, topics []check.Topic, t event.Trigger, now time.Time) *fault.Fault {
	i := slices.IndexFunc(topics, func(one check.Topic) bool { return one.Name == t.Channel })
	if i < 0 {
		return &fault.Fault{Kind: fault.Skip, Text: "the function has no such channel"}
	}
	err := topics[i].Tell(ctx, guard.Sample("test-"+t.Nonce, t.Why, a.hub(ctx), a.config.Hub.Region, now))
	if f := fault.Of(err); err == nil || f != nil {
		return f
	}
	return &fault.Fault{Kind: fault.Retry, Text: err.Error()}
}
