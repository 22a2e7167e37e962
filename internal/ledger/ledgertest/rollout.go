package ledgertest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/guard"
)

func loadRollout(t *testing.T, l Ledger) guard.Rollout {
	t.Helper()
	r, err := l.Rollout(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func rolloutComesBack(t *testing.T, l Ledger) {
	if diff := cmp.Diff(guard.Rollout{}, loadRollout(t, l)); diff != "" {
		t.Errorf("before the first update: %s", diff)
	}
	slots := []guard.Slot{{Cluster: id("a"), Wave: "first", Step: "token", At: noon}}
	r := guard.Rollout{InFlight: slots, Started: slots, Failed: slots, Waves: []guard.Wave{{Name: "first", Clusters: 2, Done: 1, Last: noon}}, Looked: noon}
	if err := l.SaveRollout(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	r.Version = 1
	if diff := cmp.Diff(r, loadRollout(t, l)); diff != "" {
		t.Errorf("-saved +loaded:\n%s", diff)
	}
	if all, err := l.All(t.Context()); len(all) > 0 || err != nil {
		t.Errorf("it is taken for a record: %d, %v", len(all), err)
	}
}

// racingForSlots has many take a slot at a time: of each version one save holds.
func racingForSlots(t *testing.T, l Ledger) {
	const racers = 8
	var all sync.WaitGroup
	for i := range racers {
		all.Go(func() {
			for {
				r := loadRollout(t, l)
				err := l.SaveRollout(t.Context(), r.Take(id(fmt.Sprint("c", i)), "", guard.Step{Token: fmt.Sprint(i)}, noon))
				if err == nil {
					return
				}
				if !errors.Is(err, check.ErrConflict) {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if r := loadRollout(t, l); len(r.InFlight) != racers || r.Version != racers {
		t.Errorf("%d of %d slots, version %d", len(r.InFlight), racers, r.Version)
	}
}

// largestRollout is one with all that it may have.
func largestRollout(t *testing.T, l Ledger) {
	slots := func(n int) (all []guard.Slot) {
		for i := range n {
			all = append(all, guard.Slot{Cluster: id(strings.Repeat("n", 96) + fmt.Sprint(i)), Wave: strings.Repeat("ü", 64), Step: strings.Repeat("t", 32), At: noon})
		}
		return all
	}
	r := guard.Rollout{InFlight: slots(100), Started: slots(500), Failed: slots(200)}
	if err := l.SaveRollout(t.Context(), r); err != nil {
		t.Error(err)
	}
}
