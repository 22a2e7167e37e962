package event_test

import (
	"testing"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
)

func FuzzDecode(f *testing.F) {
	for name := range samples() {
		f.Add(read(f, name))
	}
	for name := range malformed() {
		f.Add(read(f, name))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		have, err := event.Decode(raw)
		for _, r := range event.Rules() {
			r.Pattern.Matches(raw)
		}
		if err != nil {
			if have != (event.Trigger{}) {
				t.Fatalf("an error and a trigger: %+v", have)
			}
			return
		}
		if have.Kind == event.Skip {
			if have.Why == "" {
				t.Fatal("skipped without a reason")
			}
			return
		}
		if !cluster.IsAccount(have.From.Account) || !cluster.IsRegion(have.From.Region) || have.ID == "" || have.At.IsZero() {
			t.Fatalf("half an envelope: %+v", have)
		}
		id := have.Cluster
		whole := cluster.IsAccount(id.Account) && cluster.IsRegion(id.Region) && cluster.IsName(id.Name)
		if have.Kind == event.Check && !whole {
			t.Fatalf("a check of no cluster: %+v", have)
		}
		if _, _, _, err := event.Encode(have); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
	})
}
