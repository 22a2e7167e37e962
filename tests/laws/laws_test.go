// Package laws_test holds the laws of the design in random worlds. Each law is an observer over the world's history: calls
// with their principal, the true state, the messages that were delivered. None looks at what the product remembers, save the
// table that law 8 is about.
package laws_test

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cniguard/cniguard/internal/world"
)

// count is a number from the environment.
func count(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		t.Fatalf("%s is %q; want a number", name, text)
	}
	return n
}

// TestLaws holds all laws in LAWS_WORLDS random worlds, from the seed LAWS_SEED on. LAWS_SEED alone plays one of them and prints
// its history.
func TestLaws(t *testing.T) {
	first := uint64(count(t, "LAWS_SEED", 1))
	if os.Getenv("LAWS_SEED") != "" && os.Getenv("LAWS_WORLDS") == "" {
		replay(t, first)
		return
	}
	worlds := count(t, "LAWS_WORLDS", usual)
	sum := summary{tally: map[string]int{}, peak: map[string]height{}, used: map[string]bool{}}
	each(first, worlds, func(seed uint64) {
		s, err := hold(seed, twist{})
		sum.add(t, seed, s, err)
	})
	sum.check(t, worlds)
}

// each calls f for n seeds from the first on, side by side.
func each(first uint64, n int, f func(seed uint64)) {
	var taken atomic.Uint64
	var all sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		all.Go(func() {
			for i := taken.Add(1); i <= uint64(n); i = taken.Add(1) {
				f(first + i - 1)
			}
		})
	}
	all.Wait()
}

// replay plays one scene and prints all that happens.
func replay(t *testing.T, seed uint64) {
	s, err := hold(seed, twist{watch: func(e world.Entry) { fmt.Println(e) }})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range s.broken {
		t.Error(v)
	}
}

// hold plays a scene, and a calm one otherwise too.
func hold(seed uint64, t twist) (*stage, error) {
	s := draw(seed)
	st, err := play(s, t)
	if err != nil || !s.calm {
		return st, err
	}
	return st, st.holdHint(t)
}

// summary is what came of many scenes.
type summary struct {
	mu     sync.Mutex
	broken int
	tally  map[string]int
	peak   map[string]height
	used   map[string]bool
}

// height is the most of something, and the seed of the scene that had it.
type height struct {
	n    int
	seed uint64
}

func (sum *summary) add(t *testing.T, seed uint64, s *stage, err error) {
	sum.mu.Lock()
	defer sum.mu.Unlock()
	if err != nil {
		t.Errorf("seed %d: %v", seed, err)
		return
	}
	for what, n := range s.tally {
		sum.tally[what] += n
	}
	for what, n := range s.peak {
		if n > sum.peak[what].n {
			sum.peak[what] = height{n, seed}
		}
	}
	maps.Copy(sum.used, s.used)
	if len(s.broken) == 0 {
		return
	}
	if sum.broken++; sum.broken > 20 {
		return
	}
	for _, v := range s.broken[:min(3, len(s.broken))] {
		t.Errorf("seed %d: %s", seed, v)
	}
	t.Logf("LAWS_SEED=%d go test ./tests/laws -run 'TestLaws$' -v", seed)
}

// enough is how many worlds use everything that is granted: some calls are rare.
const enough = 1000

// check asks whether enough happened for the laws to say something.
func (sum *summary) check(t *testing.T, worlds int) {
	if sum.broken > 0 {
		t.Errorf("%d of %d worlds broke a law", sum.broken, worlds)
	}
	for _, what := range slices.Sorted(maps.Keys(sum.tally)) {
		t.Logf("%7d %s", sum.tally[what], what)
	}
	for _, what := range slices.Sorted(maps.Keys(sum.peak)) {
		t.Logf("%7d %s at most, with seed %d", sum.peak[what].n, what, sum.peak[what].seed)
	}
	if worlds >= enough {
		for _, g := range unused(sum.used) {
			t.Errorf("Least: %s, which no world used", g)
		}
	}
}
