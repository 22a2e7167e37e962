package world_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/sim"
	"github.com/cniguard/cniguard/internal/world"
)

const (
	hubAccount = "111122223333"
	hubRegion  = "eu-central-1"
	caller     = "arn:aws:iam::111122223333:role/cniguard"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// stage is a world with nothing in it but what a test puts there.
type stage struct {
	*testing.T
	*world.World
	clock *sim.Clock
}

// set makes a world that starts at noon, records what happens, and answers at once.
func set(t *testing.T, seed uint64, change func(*world.Spec)) *stage {
	t.Helper()
	spec := world.Spec{Start: noon, Hub: world.Hub{Account: hubAccount, Region: hubRegion}}
	if change != nil {
		change(&spec)
	}
	clock := sim.New(spec.Start, seed)
	t.Cleanup(clock.Close)
	w, err := world.New(spec, clock)
	if err != nil {
		t.Fatal(err)
	}
	w.Record(true)
	return &stage{t, w, clock}
}

// at runs something with a client of the hub at an offset from noon, and then everything until then.
func (s *stage) at(offset time.Duration, f func(ctx context.Context, c *world.Client)) {
	s.plan(offset, f)
	s.until(offset)
}

// plan has something run with a client of the hub at an offset from noon.
func (s *stage) plan(offset time.Duration, f func(ctx context.Context, c *world.Client)) {
	s.clock.Spawn(context.Background(), "test", noon.Add(offset).Sub(s.Now()), func(ctx context.Context) {
		f(ctx, s.Client(caller, hubAccount, hubRegion))
	})
}

func (s *stage) until(offset time.Duration) { s.clock.Run(noon.Add(offset)) }

// entries are the recorded entries of a kind, each as "offset what text".
func (s *stage) entries(kind world.Kind, what string) []world.Entry {
	var found []world.Entry
	for _, e := range s.History() {
		if e.Kind == kind && (what == "" || e.What == what) {
			found = append(found, e)
		}
	}
	return found
}

// timeline tells a kind of entries as offsets and words, as "6m0s ALARM".
func timeline(entries []world.Entry, word func(world.Entry) string) string {
	var parts []string
	for _, e := range entries {
		parts = append(parts, e.At.Sub(noon).String()+" "+word(e))
	}
	return strings.Join(parts, ", ")
}
