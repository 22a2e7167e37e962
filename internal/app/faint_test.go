package app_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/app"
	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/policy"
)

func TestAnEventAboutSeveralClustersIsSentAsOneCheckEach(t *testing.T) {
	h := newHub(t)
	if err := h.app().Handle(t.Context(), sample(t, "health-several.json")); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, w := range h.woken() {
		if w.Kind != event.Check {
			t.Errorf("asked for %s", w.Kind)
		}
		names = append(names, w.Cluster.Name)
	}
	if diff := cmp.Diff([]string{"prod-eu", "prod-jobs", "test-eu"}, names); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
	if len(h.asked) > 0 {
		t.Errorf("took the roles %v", h.asked)
	}
}

// handed is the sweep that urgent asks bulk for when an event names no cluster.
func handed(t *testing.T) event.Trigger {
	t.Helper()
	h := newHub(t)
	if err := h.app().Handle(t.Context(), sample(t, "addon-neither.json")); err != nil {
		t.Fatal(err)
	}
	woken := h.woken()
	if len(woken) != 1 || len(h.asked) > 0 {
		t.Fatalf("asked for %v, took the roles %v", woken, h.asked)
	}
	return woken[0]
}

func TestUrgentHandsASweepOn(t *testing.T) {
	have := handed(t)
	want := event.Trigger{
		Kind: event.Sweeping, ID: "0", From: event.Unit{Account: hubAccount, Region: "eu-central-1"}, Why: "EKS Addon Health Restored",
		Unit: event.Unit{Account: prodEU.Account, Region: prodEU.Region}, Run: "event 6c0f1a52-0000-4000-8000-000000000043", Faint: true,
		At: time.Date(2026, 11, 23, 10, 3, 0, 0, time.UTC),
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("handed on (-want +got):\n%s", diff)
	}
}

// swept is the event that Bulk gets of what urgent handed on.
func swept(t *testing.T, after string) []byte {
	t.Helper()
	asked := handed(t)
	asked.After = after
	source, detailType, detail, err := event.Encode(asked)
	if err != nil {
		t.Fatal(err)
	}
	return []byte(`{"id":"1","account":"` + hubAccount + `","region":"eu-central-1","time":"2026-11-23T10:03:01Z",` +
		`"source":"` + source + `","detail-type":"` + detailType + `","detail":` + string(detail) + `}`)
}

func TestAFaintHintIsLeftOutWhereEverythingWasLookedAtAMomentAgo(t *testing.T) {
	other := cluster.ID{Account: prodEU.Account, Region: prodEU.Region, Name: "test-eu"}
	left := map[string]int{"Skipped": 1}
	sweep, again := map[string]int{"NotListed": 1}, map[string]int{"NotListed": 1, "Checks": 2, "Unknown": 2}
	checked := map[string]int{"Checks": 1, "Unknown": 1}
	type ages map[cluster.ID]time.Duration
	for name, c := range map[string]struct {
		function event.Target
		event    []byte
		seen     ages
		want     map[string]int
	}{
		"a sweep of which nothing is known":                       {event.Bulk, swept(t, ""), nil, sweep},
		"a sweep of clusters that were all looked at just now":    {event.Bulk, swept(t, ""), ages{prodEU: time.Minute, other: 14 * time.Minute}, left},
		"a sweep of clusters of which one was not":                {event.Bulk, swept(t, ""), ages{prodEU: time.Minute, other: 16 * time.Minute}, again},
		"a sweep that goes on":                                    {event.Bulk, swept(t, "a"), ages{prodEU: time.Minute, other: time.Minute}, again},
		"a sweep of the schedule":                                 {event.Bulk, altered(t, "own-sweeping.json", "prod-049", "a"), ages{prodEU: time.Minute, other: time.Minute}, again},
		"a sweep that urgent would hand on":                       {event.Urgent, sample(t, "addon-neither.json"), ages{prodEU: time.Minute}, left},
		"an alarm that was changed by hand":                       {event.Urgent, sample(t, "alarm-updated.json"), ages{prodEU: time.Hour}, checked},
		"an alarm of which nothing is known":                      {event.Urgent, sample(t, "alarm-updated.json"), nil, checked},
		"an alarm that was changed by the check a moment ago":     {event.Urgent, sample(t, "alarm-updated.json"), ages{prodEU: time.Second}, left},
		"an alarm that was deleted, however short the time":       {event.Urgent, sample(t, "alarm-deleted.json"), ages{prodEU: time.Second}, checked},
		"an alarm that went off, however short the time":          {event.Urgent, sample(t, "alarm-to-alarm.json"), ages{prodEU: time.Second}, checked},
		"a call that changed the cluster, however short the time": {event.Urgent, sample(t, "update-addon-own.json"), ages{prodEU: time.Second}, checked},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHub(t)
			h.function = c.function
			for id, age := range c.seen {
				h.remember(id, func(r *guard.Record) { r.Seen = time.Now().Add(-age) })
			}
			if err := h.app().Handle(t.Context(), c.event); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, h.work()); diff != "" {
				t.Errorf("counted (-want +got):\n%s", diff)
			}
		})
	}
}

// work is what was counted, without what was told of it.
func (h *hub) work() map[string]int {
	counts := h.counts()
	delete(counts, "Told")
	return counts
}

func TestClustersThatAreGoneDoNotKeepAHintFromBeingFollowed(t *testing.T) {
	h := newHub(t)
	h.function = event.Bulk
	h.remember(prodEU, func(r *guard.Record) { r.Seen, r.Gone = time.Now(), true })
	if err := h.app().Handle(t.Context(), swept(t, "")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"NotListed": 1}, h.work()); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}

// forgetful is a ledger that cannot be read.
type forgetful struct{ *hub }

func (forgetful) In(context.Context, event.Unit) ([]check.Kept, error) { return nil, errors.New("no") }

func TestAHintIsFollowedWhenNobodyKnowsWhenItsClustersWereLookedAt(t *testing.T) {
	h := newHub(t)
	h.function = event.Bulk
	h.remember(prodEU, func(r *guard.Record) { r.Seen = time.Now() })
	a := app.New(app.Config{
		Function: h.function, Hub: event.Unit{Account: hubAccount, Region: "eu-central-1"}, Policy: compiled(t, policy.Document{Fleet: members()}),
	}, app.Parts{Connect: h.connect, SNS: h, Events: h, Ledger: forgetful{h}, Clock: clock.Real{}, Log: &h.log})
	if err := a.Handle(t.Context(), swept(t, "")); err == nil || !strings.Contains(err.Error(), "sweep") {
		t.Errorf("error %v, want that of the sweep", err)
	}
}

func TestAnAccountMayNotHaveAnotherAccountSwept(t *testing.T) {
	for name, raw := range map[string][]byte{
		"by an event of Health":    altered(t, "health-unknown.json", `"account": "111122223333"`, `"account": "999999999999"`),
		"by an event of a cluster": altered(t, "health-several.json", `"account": "111122223333"`, `"account": "999999999999"`),
	} {
		t.Run(name, func(t *testing.T) {
			h := newHub(t)
			if err := h.app().Handle(t.Context(), raw); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string]int{"Refused": 1}, h.counts()); diff != "" || len(h.woken()) > 0 {
				t.Errorf("asked for %v, counted (-want +got):\n%s", h.woken(), diff)
			}
		})
	}
}

// rude is a ledger whose errors are hostile.
type rude struct{ *hub }

func (rude) Due(context.Context, time.Time) ([]cluster.ID, error) {
	return nil, errors.New("no\nFORGED \x1b[2J\u202e" + strings.Repeat("A", 10_000))
}

func TestAnErrorThatLambdaPrintsIsOneLineThatForgesNothing(t *testing.T) {
	h := newHub(t)
	a := app.New(app.Config{
		Function: event.Bulk, Hub: event.Unit{Account: hubAccount, Region: "eu-central-1"}, Policy: compiled(t, policy.Document{Fleet: members()}),
	}, app.Parts{Connect: h.connect, SNS: h, Events: h, Ledger: rude{h}, Clock: clock.Real{}, Log: &h.log})
	_, err := a.Invoke(t.Context(), event.Scheduled(event.Tick, hubAccount, "eu-central-1", time.Now()))
	if err == nil || !strings.Contains(err.Error(), "no FORGED [2JA") || len(err.Error()) > 2100 || strings.ContainsAny(err.Error(), "\n\x1b\u202e") {
		t.Errorf("%.300q", err)
	}
}
