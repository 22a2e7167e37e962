package hub_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/hub"
	"github.com/cniguard/cniguard/internal/ledger"
	"github.com/cniguard/cniguard/internal/sim"
)

// bell is an alarm whose event comes to the ledger.
type bell struct {
	*ledger.Memory
	clock *sim.Clock
	after time.Duration    // that the event takes; negative: it never comes
	fails map[string]error // by method, and "looked n" of the n-th look into the ledger
	looks int
	stand map[string]time.Time // alarms that earlier doctors left, and when these were made
	did   []string             // what was asked of the alarm, with its name's kind
}

func (b *bell) do(ctx context.Context, what, name string) error {
	if _, is := alarm.Nonce(name); !is {
		what += " of " + name
	}
	b.did = append(b.did, what)
	if err := ctx.Err(); err != nil {
		return &fault.Fault{Kind: fault.Retry, Op: what, InDoubt: true, Text: err.Error()}
	}
	return b.fails[what]
}

func (b *bell) Make(ctx context.Context, name string) error { return b.do(ctx, "make", name) }

func (b *bell) Ring(ctx context.Context, name string) error {
	if err := b.do(ctx, "ring", name); err != nil || b.after < 0 {
		return err
	}
	nonce, _ := alarm.Nonce(name)
	if b.after == 0 {
		return b.Arrive(ctx, nonce, b.clock.Now())
	}
	b.clock.Spawn(context.Background(), "function", b.after, func(ctx context.Context) { _ = b.Arrive(ctx, nonce, b.clock.Now()) })
	return nil
}

func (b *bell) Remove(ctx context.Context, name string) error { return b.do(ctx, "remove", name) }

func (b *bell) Old(_ context.Context, before time.Time) ([]string, error) {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(b.stand)) {
		if b.stand[name].Before(before) {
			names = append(names, name)
		}
	}
	return names, b.fails["list"]
}

func (b *bell) Arrived(ctx context.Context, nonce string) (bool, error) {
	b.looks++
	if err := b.fails["first look"]; err != nil && b.looks == 1 {
		return false, err
	}
	if err := b.fails["later looks"]; err != nil && b.looks > 1 {
		return false, err
	}
	return b.Memory.Arrived(ctx, nonce)
}

func TestARoundTripSaysWhetherTheEventArrives(t *testing.T) {
	const never = -1
	denied := func(op string) error {
		return &fault.Fault{Kind: fault.Terminal, Op: op, Code: "AccessDenied", Need: op}
	}
	doubtful := &fault.Fault{Kind: fault.Retry, Op: "cloudwatch:PutMetricAlarm", InDoubt: true, Text: "timed out"}
	gone := errors.New("no network")
	all := []string{"make", "ring", "remove"}
	for _, c := range []struct {
		name  string
		after time.Duration
		fails map[string]error
		stop  time.Duration // when the person interrupts; 0: never
		wait  time.Duration
		want  string // without the alarm's nonce
		did   []string
		took  time.Duration
	}{
		{"it arrives", 5 * time.Second, nil, 0, time.Minute, "ok: an alarm's event arrived after 6 s", all, 6 * time.Second},
		{"it arrives with the last look", 60 * time.Second, nil, 0, time.Minute, "ok: an alarm's event arrived after 60 s", all, time.Minute},
		{"it comes too late", 61 * time.Second, nil, 0, time.Minute, "problem: the alarm's event did not arrive within 60 s", all, time.Minute},
		{"it never comes", never, nil, 0, 2 * time.Minute, "problem: the alarm's event did not arrive within 2 minutes", all, 2 * time.Minute},
		{"nobody wants to wait", 0, nil, 0, 0, "unknown: it was not tried", nil, 0},
		{"the person interrupts", never, nil, 9 * time.Second, time.Minute, "unknown: it was interrupted", all, 9 * time.Second},
		{"the ledger may not be read", 0, map[string]error{"first look": denied("dynamodb:GetItem")}, 0, time.Minute, "unknown: dynamodb:GetItem: AccessDenied", nil, 0},
		{"no alarm may be made", 0, map[string]error{"make": denied("cloudwatch:PutMetricAlarm")}, 0, time.Minute, "unknown: cloudwatch:PutMetricAlarm: AccessDenied", []string{"make"}, 0},
		{"an alarm that may be there is tried", 0, map[string]error{"make": doubtful}, 0, time.Minute, "ok: an alarm's event arrived after 0 s", all, 0},
		{"an alarm that may be there is removed", 0, map[string]error{"make": doubtful, "ring": gone}, 0, time.Minute, "unknown: cloudwatch:SetAlarmState: no network", all, 0},
		{"no state may be set", 0, map[string]error{"ring": denied("cloudwatch:SetAlarmState")}, 0, time.Minute, "unknown: cloudwatch:SetAlarmState: AccessDenied", all, 0},
		{"the ledger goes away", 0, map[string]error{"later looks": denied("dynamodb:GetItem")}, 0, time.Minute, "unknown: dynamodb:GetItem: AccessDenied", all, time.Minute},
		{"the alarm cannot be removed", 0, map[string]error{"remove": denied("cloudwatch:DeleteAlarms")}, 0, time.Minute,
			"problem: an alarm's event arrived after 0 s; and the alarm cniguard-doctor-NONCE could not be removed: cloudwatch:DeleteAlarms: AccessDenied", all, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock := sim.New(noon, 1)
			defer clock.Close()
			b := &bell{Memory: ledger.NewMemory(), clock: clock, after: c.after, fails: c.fails}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			if c.stop > 0 {
				ctx, stop = clock.WithTimeout(ctx, c.stop)
				defer stop()
			}
			d := hub.Doctor{Hub: hub.Hub{Ledger: b, Clock: clock, Now: noon}, Place: event.Unit{Account: "111122223333", Region: "eu-central-1"}, Probe: b, Wait: c.wait}
			var got hub.Diagnosis
			var took time.Duration
			clock.Spawn(ctx, "person", time.Nanosecond, func(ctx context.Context) {
				got, took = d.RoundTrip(ctx), clock.Now().Sub(noon).Truncate(time.Millisecond)
			})
			clock.Run(noon.Add(time.Hour))
			text := string(got.Health) + ": " + got.Text
			if i := strings.Index(text, "cniguard-doctor-"); i >= 0 {
				i += len("cniguard-doctor-")
				text = text[:i] + "NONCE" + text[i+26:]
			}
			if diff := cmp.Diff(c.want, text); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.did, b.did); diff != "" {
				t.Errorf("done to the alarm (-want +got):\n%s", diff)
			}
			if took != c.took || got.What != "alarm path" || got.Health == hub.Problem && got.Do == "" {
				t.Errorf("after %s, want %s: %+v", took, c.took, got)
			}
		})
	}
}

func TestTheAlarmsOfEarlierDoctorsAreRemoved(t *testing.T) {
	const first, second, fresh = "cniguard-doctor-AAAAAAAAAAAAAAAAAAAAAAAAAA", "cniguard-doctor-BBBBBBBBBBBBBBBBBBBBBBBBBB", "cniguard-doctor-CCCCCCCCCCCCCCCCCCCCCCCCCC"
	denied := func(op string) error {
		return &fault.Fault{Kind: fault.Terminal, Op: op, Code: "AccessDenied", Need: op}
	}
	old := map[string]time.Time{first: noon.Add(-time.Hour), second: noon.Add(-10*time.Minute - time.Second), fresh: noon.Add(-10 * time.Minute)}
	for _, c := range []struct {
		name  string
		stand map[string]time.Time
		fails map[string]error
		wait  time.Duration
		want  string
		did   []string // before the round trip
	}{
		{"there are none", nil, nil, time.Minute, "ok: no earlier doctor left one", nil},
		{"one that somebody may wait for stays", map[string]time.Time{fresh: old[fresh]}, nil, time.Minute, "ok: no earlier doctor left one", nil},
		{"the old ones go", old, nil, time.Minute, "ok: removed, as earlier doctors left them: " + first + ", " + second, []string{"remove", "remove"}},
		{"they are only named by who makes no alarm", old, nil, 0, "problem: earlier doctors left " + first + ", " + second, nil},
		{"they cannot be removed", map[string]time.Time{first: old[first]}, map[string]error{"remove": denied("cloudwatch:DeleteAlarms")}, time.Minute,
			"problem: could not be removed: " + first + ": cloudwatch:DeleteAlarms: AccessDenied", []string{"remove"}},
		{"they cannot be listed", old, map[string]error{"list": denied("cloudwatch:DescribeAlarms")}, time.Minute, "unknown: cloudwatch:DescribeAlarms: AccessDenied", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock := sim.New(noon, 1)
			defer clock.Close()
			b := &bell{Memory: ledger.NewMemory(), clock: clock, stand: c.stand, fails: c.fails}
			d := doctorOf(account{}, b)
			d.Wait, d.Clock = c.wait, clock
			var all []hub.Diagnosis
			clock.Spawn(t.Context(), "person", 0, func(ctx context.Context) { all = d.Examine(ctx) })
			clock.Run(noon.Add(time.Hour))
			if diff := cmp.Diff(c.want, says(t, "abandoned alarms", all)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			before, _, _ := strings.Cut(strings.Join(b.did, " "), "make")
			if got := strings.Fields(before); !slices.Equal(got, c.did) {
				t.Errorf("did %v, want %v", got, c.did)
			}
		})
	}
}
