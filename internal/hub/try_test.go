package hub_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/hub"
	"github.com/cniguard/cniguard/internal/ledger"
	"github.com/cniguard/cniguard/internal/sim"
)

// trier is a function that notes what becomes of samples, each after its time; a channel without one gets none.
type trier struct {
	*ledger.Memory
	clock  *sim.Clock
	after  map[string]time.Duration
	faults map[string]*fault.Fault
	asleep error // of whoever wakes it
	unread error // of whoever looks into the ledger
	asked  []string
}

func (f *trier) Wake(_ context.Context, ts ...event.Trigger) error {
	for _, t := range ts {
		f.asked = append(f.asked, fmt.Sprintf("%s %s %s", t.Kind, t.Channel, t.Why))
		if d, answers := f.after[t.Channel]; answers {
			f.clock.Spawn(context.Background(), "function", d, func(ctx context.Context) {
				_ = f.Report(ctx, t.Nonce, check.Trial{At: f.clock.Now(), Fault: f.faults[t.Channel]})
			})
		}
	}
	return f.asleep
}

func (f *trier) Reported(ctx context.Context, nonce string) (*check.Trial, error) {
	if f.unread != nil {
		return nil, f.unread
	}
	return f.Memory.Reported(ctx, nonce)
}

func TestTryingChannelsWaitsUntilTheOutcomeOfEachIsKnown(t *testing.T) {
	gone := &fault.Fault{Kind: fault.Terminal, Op: "sns:Publish", Code: "NotFound"}
	channels := []string{"oncall", "chat"}
	asked := []string{"test oncall by Ops/ana", "test chat by Ops/ana"}
	for _, c := range []struct {
		name  string
		trier trier
		want  []string // each channel with its outcome
		err   string
		asked []string
		took  time.Duration
	}{
		{"both are taken", trier{after: map[string]time.Duration{"oncall": 1500 * time.Millisecond, "chat": 3500 * time.Millisecond}},
			[]string{"oncall taken", "chat taken"}, "", asked, 4 * time.Second},
		{"one is refused", trier{after: map[string]time.Duration{"oncall": 500 * time.Millisecond, "chat": 0}, faults: map[string]*fault.Fault{"oncall": gone}},
			[]string{"oncall sns:Publish: NotFound", "chat taken"}, "", asked, time.Second},
		{"one never comes back", trier{after: map[string]time.Duration{"chat": time.Second}},
			[]string{"oncall nothing", "chat taken"}, "", asked, 30 * time.Second},
		{"nobody can be asked", trier{asleep: errors.New("no bus")}, []string{"oncall nothing", "chat nothing"}, "no bus", asked, 0},
		{"the ledger cannot be read", trier{unread: errors.New("no table")}, []string{"oncall nothing", "chat nothing"}, "no table", nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock := sim.New(noon, 1)
			defer clock.Close()
			f := &c.trier
			f.Memory, f.clock = ledger.NewMemory(), clock
			var got []string
			var err error
			var took time.Duration
			clock.Spawn(t.Context(), "person", time.Nanosecond, func(ctx context.Context) {
				var samples []hub.Sample
				samples, err = hub.Hub{Ledger: f, Waker: f, Clock: clock, Now: noon}.Try(ctx, channels, "Ops/ana", 30*time.Second)
				took = clock.Now().Sub(noon).Truncate(time.Millisecond)
				for _, s := range samples {
					outcome := "nothing"
					if s.Taken() {
						outcome = "taken"
					} else if s.Trial != nil {
						outcome = s.Trial.Fault.Error()
					}
					got = append(got, s.Channel+" "+outcome)
				}
			})
			clock.Run(noon.Add(time.Hour))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
				t.Errorf("the error is %v", err)
			}
			if diff := cmp.Diff(c.asked, f.asked); diff != "" || took != c.took {
				t.Errorf("it took %s, and asked (-want +got):\n%s", took, diff)
			}
		})
	}
}

func TestWhatCanBeDoneAboutASampleThatWasNotTaken(t *testing.T) {
	for name, c := range map[string]struct {
		channel string
		trial   *check.Trial
		want    string // a part of it
	}{
		"it was taken":             {"chat", &check.Trial{}, ""},
		"nothing came back":        {"chat", nil, "log of cniguard-urgent"},
		"there is no such channel": {"chat", &check.Trial{Fault: &fault.Fault{Kind: fault.Skip}}, "does not name the topic cniguard-chat"},
		"the topic is gone":        {"chat", &check.Trial{Fault: &fault.Fault{Kind: fault.Terminal, Code: "NotFound"}}, "the topic cniguard-chat is gone"},
		"the bus is gone":          {"bus", &check.Trial{Fault: &fault.Fault{Kind: fault.Terminal, Code: "ResourceNotFoundException"}}, "the bus cniguard is gone"},
		"access is denied":         {"oncall", &check.Trial{Fault: &fault.Fault{Kind: fault.Terminal, Code: "AuthorizationError", Need: "sns:Publish"}}, "lacks sns:Publish on the topic cniguard-oncall"},
		"the key shuts it out":     {"oncall", &check.Trial{Fault: &fault.Fault{Kind: fault.Terminal, Code: "KMSAccessDenied"}}, "may not use the key of the topic cniguard-oncall"},
		"the key is disabled":      {"oncall", &check.Trial{Fault: &fault.Fault{Kind: fault.Terminal, Code: "KMSDisabled"}}, "enable the key alias/cniguard"},
		"it was throttled":         {"oncall", &check.Trial{Fault: &fault.Fault{Kind: fault.Retry, Code: "KMSThrottling"}}, "try again in a minute"},
		"it was refused otherwise": {"machine", &check.Trial{Fault: &fault.Fault{Kind: fault.Terminal, Code: "InvalidParameter"}}, "look at the topic cniguard-machine"},
	} {
		got := hub.Sample{Channel: c.channel, Trial: c.trial}.Advice()
		if !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
