package app_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/notify"
)

const nonce = "K3QZ7M2VXWPLT5ORJAYB6DNHCE" // of own-test.json

// asks is the sample event in which a person asks for a sample of a message, for a channel and sent so long ago.
func asks(t *testing.T, channel string, ago time.Duration) json.RawMessage {
	t.Helper()
	raw := altered(t, "own-test.json", `"chat"`, `"`+channel+`"`)
	return json.RawMessage(strings.Replace(string(raw), "2026-11-23T09:32:00Z", time.Now().Add(-ago).UTC().Format(time.RFC3339), 1))
}

// reported is what the ledger has of the sample, without its time.
func (h *hub) reported() *check.Trial {
	h.t.Helper()
	got, err := h.Reported(h.t.Context(), nonce)
	if err != nil {
		h.t.Fatal(err)
	}
	if got != nil {
		if ago := time.Since(got.At); ago < 0 || ago > time.Minute {
			h.t.Errorf("it was %s ago", ago)
		}
		got.At = time.Time{}
	}
	return got
}

func TestASampleIsToldToItsChannelOnlyAndItsOutcomeNoted(t *testing.T) {
	for _, channel := range append(notify.Channels(), notify.Bus) {
		h := newHub(t)
		h.topics[notify.Chat], h.topics[notify.Machine] = "arn:aws:sns:eu-central-1:444455556666:cniguard-chat", "arn:aws:sns:eu-central-1:444455556666:cniguard-machine"
		for range 2 { // an event may come twice
			if err := h.app().Handle(t.Context(), asks(t, string(channel), 0)); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(&check.Trial{}, h.reported()); diff != "" {
			t.Errorf("%s: noted (-want +got):\n%s", channel, diff)
		}
		told := slices.Clone(h.at)
		for _, e := range h.news {
			told = append(told, aws.ToString(e.DetailType)+" on the bus")
		}
		want := []string{h.topics[channel]}
		if channel == notify.Bus {
			want = []string{"Test on the bus"}
		}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Errorf("%s: told (-want +got):\n%s", channel, diff)
		}
		for _, subject := range h.published {
			if subject != "TEST: account 444455556666 in eu-central-1: a person tries this channel; nothing is wrong" {
				t.Errorf("%s: the subject is %q", channel, subject)
			}
		}
		if kept, err := h.All(t.Context()); err != nil || len(kept)+len(h.asked)+len(h.batches) > 0 {
			t.Errorf("%s: records %v, %v, roles %v, %d wake-ups", channel, kept, err, h.asked, len(h.batches))
		}
	}
}

func TestASampleThatIsNotTakenIsAnAnswerAndNoFailure(t *testing.T) {
	h := newHub(t)
	h.refuse = "InternalFailure"
	if err := h.app().Handle(t.Context(), asks(t, "bus", 0)); err != nil {
		t.Fatal(err)
	}
	want := &check.Trial{Fault: &fault.Fault{Kind: fault.Retry, Op: "events:PutEvents", Code: "InternalFailure"}}
	if diff := cmp.Diff(want, h.reported()); diff != "" || len(h.news) != 1 {
		t.Errorf("%d tries, noted (-want +got):\n%s", len(h.news), diff)
	}
	if diff := cmp.Diff(map[string]int{}, h.counts()); diff != "" { // nobody is to be woken for it
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}

func TestASampleForAChannelThatIsNotThereIsNotSent(t *testing.T) {
	h := newHub(t)
	if err := h.app().Handle(t.Context(), asks(t, "chat", 0)); err != nil {
		t.Fatal(err)
	}
	want := &check.Trial{Fault: &fault.Fault{Kind: fault.Skip, Text: "the function has no such channel"}}
	if diff := cmp.Diff(want, h.reported()); diff != "" || len(h.published)+len(h.news) > 0 {
		t.Errorf("published %v, noted (-want +got):\n%s", h.published, diff)
	}
}

func TestNobodyIsToldASampleThatNobodyWaitsForOrMayAskFor(t *testing.T) {
	for name, c := range map[string]struct {
		event json.RawMessage
		count string
	}{
		"a replay of last week's":    {asks(t, "oncall", 7*24*time.Hour), "Skipped"},
		"one that a member asks for": {json.RawMessage(strings.ReplaceAll(string(asks(t, "oncall", 0)), hubAccount, "111122223333")), "Refused"},
	} {
		h := newHub(t)
		if err := h.app().Handle(t.Context(), c.event); err != nil {
			t.Fatal(err)
		}
		if got := h.reported(); got != nil || len(h.published) > 0 {
			t.Errorf("%s: published %v, noted %+v", name, h.published, got)
		}
		if diff := cmp.Diff(map[string]int{c.count: 1}, h.counts()); diff != "" {
			t.Errorf("%s: counted (-want +got):\n%s", name, diff)
		}
	}
}

// unread is a ledger that cannot be read.
type unread struct{ *hub }

func (unread) Reported(context.Context, string) (*check.Trial, error) {
	return nil, &fault.Fault{Kind: fault.Retry, Op: "dynamodb:GetItem"}
}

func TestASampleIsNotSentWhereNobodyKnowsWhetherItWasSentBefore(t *testing.T) {
	h := newHub(t)
	h.ledger = unread{h}
	if err := h.app().Handle(t.Context(), asks(t, "oncall", 0)); fault.Of(err) == nil {
		t.Errorf("the error is %v: Lambda would not try again", err)
	}
	if len(h.published) > 0 {
		t.Errorf("published %v", h.published)
	}
}
