package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/notify"
)

// waiting has a cluster's record hold a message that nobody was told.
func (h *hub) waiting() guard.Message {
	m := guard.Message{Key: "b9f1c2d3-7", Thread: "b9f1c2d3", News: guard.Reminded, Cluster: prodEU, At: time.Date(2026, 11, 23, 3, 12, 0, 0, time.UTC),
		Finding: guard.Finding{Code: guard.VersionOutdated, Severity: guard.Warning}}
	h.remember(prodEU, func(r *guard.Record) { r.Outbox = append(r.Outbox, m) })
	return m
}

func TestWhatIsToldIsAlsoAnEventOnTheBus(t *testing.T) {
	h := newHub(t)
	m := h.waiting()
	if err := h.app().Handle(t.Context(), sample(t, "own-check.json")); err != nil {
		t.Fatal(err)
	}
	if len(h.news) != 1 {
		t.Fatalf("%d events", len(h.news))
	}
	e := h.news[0]
	got := []string{aws.ToString(e.EventBusName), aws.ToString(e.Source), aws.ToString(e.DetailType), fmt.Sprint(e.Resources, e.Time), aws.ToString(e.Detail)}
	want := []string{"watch", "cniguard.news", "Finding Reminded", fmt.Sprint([]string{"arn:aws:eks:eu-central-1:111122223333:cluster/prod-eu"}, m.At),
		notify.Render(m).JSON}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +put:\n%s", diff)
	}
	if !json.Valid([]byte(aws.ToString(e.Detail))) || len(h.batches) > 0 {
		t.Errorf("the detail is %s, and there are %d wake-ups", aws.ToString(e.Detail), len(h.batches))
	}
	if k, err := h.Load(t.Context(), prodEU); err != nil || len(k.Record.Outbox) > 0 {
		t.Errorf("still to be told: %+v, %v", k.Record.Outbox, err)
	}
}

func TestABusThatRefusesHoldsBackNobodyElse(t *testing.T) {
	h := newHub(t)
	h.refuse = "InternalFailure"
	h.waiting()
	for range 2 {
		if err := h.app().Handle(t.Context(), sample(t, "own-check.json")); err != nil {
			t.Fatal(err)
		}
	}
	k, err := h.Load(t.Context(), prodEU)
	if err != nil || len(k.Record.Outbox) != 1 {
		t.Fatalf("to be told: %+v, %v", k.Record.Outbox, err)
	}
	left := k.Record.Outbox[0]
	if diff := cmp.Diff([]string{"oncall"}, left.Got); diff != "" || left.Tries != 2 || len(h.published) != 1 {
		t.Errorf("after %d tries, %d publishes, it is with (-want +got):\n%s", left.Tries, len(h.published), diff)
	}
	h.refuse = ""
	if err := h.app().Handle(t.Context(), sample(t, "own-check.json")); err != nil {
		t.Fatal(err)
	}
	if k, err = h.Load(t.Context(), prodEU); err != nil || len(k.Record.Outbox) > 0 || len(h.published) != 1 {
		t.Errorf("to be told: %+v, %v, after %d publishes", k.Record.Outbox, err, len(h.published))
	}
	for _, e := range h.news {
		if diff := cmp.Diff(aws.ToString(h.news[0].Detail), aws.ToString(e.Detail)); diff != "" {
			t.Errorf("a further try says something else:\n%s", diff)
		}
	}
}

func TestAnEventForOthersThatComesBackAsksForNothing(t *testing.T) {
	h := newHub(t)
	h.waiting()
	if err := h.app().Handle(t.Context(), sample(t, "own-check.json")); err != nil {
		t.Fatal(err)
	}
	e := h.news[0]
	raw, err := json.Marshal(map[string]any{"id": "1", "source": e.Source, "detail-type": e.DetailType, "detail": json.RawMessage(aws.ToString(e.Detail)),
		"account": hubAccount, "region": "eu-central-1", "time": "2026-11-23T09:30:00Z"})
	if err != nil {
		t.Fatal(err)
	}
	if trigger, err := event.Decode(raw); err != nil || trigger.Kind != event.Skip {
		t.Errorf("it asks for %+v, %v", trigger, err)
	}
}

func TestADigestIsAnEventToo(t *testing.T) {
	h := newHub(t)
	topics := h.app().Engine("me", nil).Topics
	last := topics[len(topics)-1]
	if last.Name != "bus" || !last.Programs {
		t.Fatalf("the last topic is %+v", last)
	}
	d := guard.Digest{Key: "k", Owner: "team-a", At: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	if err := last.TellDigest(context.Background(), d); err != nil {
		t.Fatal(err)
	}
	if len(h.news) != 1 || aws.ToString(h.news[0].DetailType) != "Digest" || !h.news[0].Time.Equal(d.At) || aws.ToString(h.news[0].Detail) != notify.RenderDigest(d).JSON {
		t.Errorf("put %+v", h.news)
	}
}
