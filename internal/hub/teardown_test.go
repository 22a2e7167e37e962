package hub_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/hub"
	"github.com/cniguard/cniguard/internal/ledger"
	"github.com/cniguard/cniguard/internal/sim"
)

func TestRemnants(t *testing.T) {
	after, before := noon.Add(time.Minute), noon.Add(-time.Minute)
	with := func(word string, seen time.Time, change func(*guard.Record)) guard.Record {
		rec := standing(word, seen)
		change(&rec)
		return rec
	}
	none := func(r *guard.Record) { r.Alarm = guard.NoAlarm }
	stands := func(r *guard.Record) { r.Alarm = guard.AlarmStands }
	for _, c := range []struct {
		name, cluster string
		rec           guard.Record
		want          string
	}{
		{"its alarm is gone", "a", with(guard.Fine, after, none), ""},
		{"its alarm was gone before the order, and may have come back", "a", with(guard.Fine, before, none),
			"it was not looked at since the order, last at 2026-03-02 11:59; is it still in the policy's fleet?"},
		{"a look that began as the order was given may not have seen it", "a", with(guard.Fine, noon, none),
			"it was not looked at since the order, last at 2026-03-02 12:00; is it still in the policy's fleet?"},
		{"it left the fleet without an alarm", "a", with(guard.Fine, noon.Add(-13*time.Hour), none), ""},
		{"a sweep may still come to it", "a", with(guard.Fine, noon.Add(-12*time.Hour), none),
			"it was not looked at since the order, last at 2026-03-02 00:00; is it still in the policy's fleet?"},
		{"it left the fleet with its alarm", "a", with(guard.Fine, noon.Add(-13*time.Hour), stands),
			"it was not looked at since the order, last at 2026-03-01 23:00; is it still in the policy's fleet?"},
		{"it left the fleet, and of its alarm nothing is known", "a", with(guard.Fine, noon.Add(-13*time.Hour), func(*guard.Record) {}),
			"it was not looked at since the order, last at 2026-03-01 23:00; is it still in the policy's fleet?"},
		{"it left the fleet while a check was making its alarm", "a", with(guard.Fine, noon.Add(-13*time.Hour), func(r *guard.Record) { none(r); r.Busy.Until = before }),
			"it was not looked at since the order, last at 2026-03-01 23:00; is it still in the policy's fleet?"},
		{"its alarm stands", "a", with(guard.Fine, after, stands), "its alarm stands"},
		{"its alarm cannot be removed", "a", with(guard.Fine, after, func(r *guard.Record) {
			stands(r)
			r.Told = map[guard.Code]guard.Told{guard.AlarmFailed: {Print: "cloudwatch:DeleteAlarms:AccessDenied"}}
		}), "its alarm could not be removed: cloudwatch:DeleteAlarms:AccessDenied"},
		{"its alarm cannot be read", "a", with(guard.Unknown, after, func(r *guard.Record) {
			r.Held = []guard.Held{{Action: guard.Action{Kind: guard.DropAlarm}, By: []guard.Reason{{Gate: "reading", Text: "the alarm could not be read: denied"}}}}
		}), "the alarm could not be read: denied"},
		{"a record of an older cniguard says nothing of alarms", "a", with(guard.Fine, after, func(*guard.Record) {}), "it is not known whether its alarm stands"},
		{"it went long ago", "a", with(guard.Gone, before, func(r *guard.Record) { r.Gone = true }), ""},
		{"it went, and its alarm was put again by a check that came late", "a", with(guard.Gone, after, func(r *guard.Record) { r.Gone = true; stands(r) }), "its alarm stands"},
		{"it went, and its alarm did not", "a", with(guard.Gone, after, stands), "its alarm stands"},
		{"an account that cannot be entered", "", with(guard.Unknown, after, func(*guard.Record) {}), "it is unknown"},
		{"an account that can be entered again", "", with(guard.Fine, before, func(*guard.Record) {}), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			left := hub.Remnants([]check.Kept{kept(c.cluster, c.rec)}, noon)
			if got := append(left, hub.Remnant{})[0].Why; got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// failing is a ledger whose records cannot be read from a look on.
type failing struct {
	*ledger.Memory
	from, looks int
}

func (f *failing) All(ctx context.Context) ([]check.Kept, error) {
	if f.looks++; f.looks >= f.from {
		return nil, errors.New("the ledger is away")
	}
	return f.Memory.All(ctx)
}

func TestATeardownIsAwaited(t *testing.T) {
	const never = 1000
	for _, c := range []struct {
		name     string
		goneAt   time.Duration // when the alarm is seen to be gone
		from     int           // the look from which on the ledger cannot be read
		left     int
		told     []int
		took     time.Duration
		mistaken bool
	}{
		{"until it is gone", 25 * time.Second, never, 0, []int{1, 0}, 30 * time.Second, false},
		{"until the time is over", time.Hour, never, 1, []int{1}, 10 * time.Minute, false},
		{"a ledger that goes away is asked again", 25 * time.Second, 2, 1, []int{1}, 10 * time.Minute, false},
		{"a ledger that was never there is an error", 25 * time.Second, 1, 0, nil, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			wall := sim.New(noon, 1)
			defer wall.Close()
			l := &failing{Memory: ledger.NewMemory(), from: c.from}
			ctx := context.Background()
			saved, err := l.Save(ctx, kept0("a", guard.Record{Alarm: guard.AlarmStands, Seen: noon}))
			if err != nil {
				t.Fatal(err)
			}
			wall.Spawn(ctx, "functions", c.goneAt, func(ctx context.Context) {
				saved.Record.Alarm, saved.Record.Seen = guard.NoAlarm, wall.Now()
				_, _ = l.Save(ctx, saved)
			})
			var left []hub.Remnant
			var told []int
			var took time.Duration
			wall.Spawn(ctx, "person", 0, func(ctx context.Context) {
				left, err = hub.Hub{Ledger: l, Clock: wall, Now: noon}.Await(ctx, noon, 10*time.Minute, func(n int) { told = append(told, n) })
				took = wall.Now().Sub(noon)
			})
			wall.Run(noon.Add(2 * time.Hour))
			if len(left) != c.left || (err != nil) != c.mistaken || took != c.took {
				t.Errorf("%v are left after %s, %v", left, took, err)
			}
			if diff := cmp.Diff(c.told, told); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
		})
	}
}

// kept0 is a record that was never saved.
func kept0(name string, rec guard.Record) check.Kept {
	k := kept(name, rec)
	k.Version = 0
	return k
}
