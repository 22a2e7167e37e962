package laws_test

import (
	"os"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/world"
)

// Worlds make little garbage that lives long; to collect it less often makes them a third faster.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}

// history is all that happens in a scene, a line an entry.
func history(t *testing.T, seed uint64, tw twist) (lines []string, s *stage) {
	t.Helper()
	tw.watch = func(e world.Entry) { lines = append(lines, e.String()) }
	s, err := play(draw(seed), tw)
	if err != nil {
		t.Fatal(err)
	}
	return lines, s
}

// TestOneSeedIsOneHistory plays scenes again, on one processor and on two.
func TestOneSeedIsOneHistory(t *testing.T) {
	for seed := uint64(1); seed <= 6; seed++ {
		want, _ := history(t, seed, twist{})
		for _, processors := range []int{1, 2} {
			before := runtime.GOMAXPROCS(processors)
			got, _ := history(t, seed, twist{})
			runtime.GOMAXPROCS(before)
			sameHistory(t, seed, want, got)
		}
	}
}

// TestTheSDKMakesTheSameHistory plays LAWS_SDK scenes with the SDK's own clients, that of the ledger's table among them. All laws hold, and line by line the history is
// that of the world's clients.
func TestTheSDKMakesTheSameHistory(t *testing.T) {
	worlds := count(t, "LAWS_SDK", 6)
	each(uint64(count(t, "LAWS_SEED", 1)), worlds, func(seed uint64) {
		want, _ := history(t, seed, twist{table: true})
		got, s := history(t, seed, twist{table: true, sdk: true})
		sameHistory(t, seed, want, got)
		for _, v := range s.broken {
			t.Errorf("seed %d: %s", seed, v)
		}
	})
}

func sameHistory(t *testing.T, seed uint64, want, got []string) {
	t.Helper()
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			t.Errorf("seed %d: entry %d (-want +got):\n%s", seed, i, cmp.Diff(want[i], got[i]))
			return
		}
	}
	if len(want) != len(got) {
		t.Errorf("seed %d: %d entries, want %d", seed, len(got), len(want))
	}
}
