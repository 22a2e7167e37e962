package event_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
)

func FuzzDecode(f *testing.F) {
	for name := range samples() {
		f.Add(read(f, name))
	}
	for name := range captures() {
		f.Add(read(f, name))
	}
	for name := range malformed() {
		f.Add(read(f, name))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		have, err := event.Decode(raw)
		matching(raw)
		again, _ := event.Decode(raw)
		if !cmp.Equal(have, again) {
			t.Fatalf("the same event asks for different things: %+v and %+v", have, again)
		}
		switch {
		case err != nil && !cmp.Equal(have, event.Trigger{}):
			t.Fatalf("an error and a trigger: %+v", have)
		case err != nil:
		case have.Kind == event.Skip && have.Why == "":
			t.Fatal("skipped without a reason")
		case have.Kind != event.Skip:
			whole(t, have)
		}
	})
}

// whole holds a trigger against what those who act on it rely on.
func whole(t *testing.T, have event.Trigger) {
	t.Helper()
	if !cluster.IsAccount(have.From.Account) || !cluster.IsRegion(have.From.Region) || have.ID == "" || have.At.IsZero() {
		t.Fatalf("half an envelope: %+v", have)
	}
	if have.Faint && have.Kind != event.Check && have.Kind != event.Sweeping {
		t.Fatalf("a faint %s: %+v", have.Kind, have)
	}
	sent := []event.Trigger{have}
	switch have.Kind {
	case event.Probe:
		sent = nil
		if nonce, ours := alarm.Nonce(alarm.Probe(have.Nonce)); !ours || nonce != have.Nonce {
			t.Fatalf("a probe that no doctor sends: %+v", have)
		}
	case event.Checks:
		sent = have.Each()
		ordered := slices.SortedFunc(slices.Values(have.Clusters), cluster.Compare)
		if len(sent) < 2 || !slices.Equal(slices.Compact(ordered), have.Clusters) {
			t.Fatalf("not several clusters, each once and in order: %+v", have)
		}
	}
	for _, one := range sent {
		if _, _, _, err := event.Encode(one); err != nil {
			t.Fatalf("what was read cannot be sent: %v", err)
		}
	}
}
