package hub

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
)

// Sample is what became of the sample for one channel.
type Sample struct {
	Channel string
	Trial   *check.Trial // nil: nothing came back
	nonce   string
}

// sampleEvery is how often the ledger is asked for the outcomes.
const sampleEvery = time.Second

// Try has the urgent function tell a sample to each of these channels, and waits until it has noted what became of each, the time is
// over or ctx ends. By is who asks. What is known is returned with an error too: that nobody could be asked, or that the ledger could not be read.
func (h Hub) Try(ctx context.Context, channels []string, by string, wait time.Duration) ([]Sample, error) {
	var samples []Sample
	var wakes []event.Trigger
	for _, name := range channels {
		s := Sample{Channel: name, nonce: rand.Text()}
		samples = append(samples, s)
		wakes = append(wakes, event.Trigger{Kind: event.Test, Channel: name, Nonce: s.nonce, Why: "by " + by})
	}
	if err := h.listen(ctx, samples); err != nil { // nor could the outcome be seen
		return samples, err
	}
	if err := h.Waker.Wake(ctx, wakes...); err != nil {
		return samples, err
	}
	for end := h.Clock.Now().Add(wait); ; {
		err := h.listen(ctx, samples)
		waiting := slices.ContainsFunc(samples, func(s Sample) bool { return s.Trial == nil })
		switch {
		case !waiting || ctx.Err() != nil:
			return samples, ctx.Err()
		case !h.Clock.Now().Before(end):
			return samples, err
		}
		_ = h.Clock.Sleep(ctx, sampleEvery) // that ctx ended is seen above
	}
}

// listen asks for the outcomes that are not known yet.
func (h Hub) listen(ctx context.Context, samples []Sample) error {
	for i := range samples {
		if samples[i].Trial != nil {
			continue
		}
		var err error
		if samples[i].Trial, err = h.Ledger.Reported(ctx, samples[i].nonce); err != nil {
			return err
		}
	}
	return nil
}

// Taken reports whether the sample was taken.
func (s Sample) Taken() bool { return s.Trial != nil && s.Trial.Fault == nil }

// Absent reports whether the function has no such channel.
func (s Sample) Absent() bool {
	return s.Trial != nil && s.Trial.Fault != nil && s.Trial.Fault.Kind == fault.Skip
}

// Advice is what a person can do where the sample was not taken; empty where it was. It is about what the function may do: its role, not the
// person's.
func (s Sample) Advice() string {
	const again = "deploy the hub again"
	what := fmt.Sprintf("the topic cniguard-%s", s.Channel)
	if s.Channel == "bus" {
		what = "the bus cniguard"
	}
	switch f := s.fault(); {
	case s.Taken():
		return ""
	case s.Trial == nil:
		return "look at the rule cniguard-checks on the bus, at the log of cniguard-urgent, and with `cniguard failed list` at what it failed at; " +
			"`cniguard doctor` looks at the rest. Where an older cniguard is deployed, " + again
	case s.Absent():
		return again + ": the environment of cniguard-urgent does not name " + what
	case f.Code == "KMSDisabled", f.Code == "KMSInvalidState":
		return "enable the key alias/cniguard in KMS"
	case strings.HasPrefix(f.Code, "KMS") && f.Kind == fault.Terminal:
		return again + ": the function's role may not use the key of " + what + ", or the topic has another; `cniguard doctor` looks at the key"
	case f.Denied():
		return again + ": the function's role lacks " + f.Need + " on " + what + ", or somebody's policy denies it"
	case f.Code == "NotFound", f.Code == "NotFoundException", f.Code == "ResourceNotFoundException":
		return again + ": " + what + " is gone"
	case f.Kind == fault.Retry:
		return "try again in a minute; messages wait and are tried again by themselves"
	}
	return "look at " + what + ", and " + again + " if somebody has changed it"
}

func (s Sample) fault() *fault.Fault {
	if s.Trial == nil || s.Trial.Fault == nil {
		return &fault.Fault{}
	}
	return s.Trial.Fault
}
