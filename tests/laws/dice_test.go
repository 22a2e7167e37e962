package laws_test

import (
	"math/rand/v2"
	"time"
)

// dice is the randomness that one scene is drawn with.
type dice struct{ *rand.Rand }

// The streams of randomness of one seed. Edges have one of their own, so that a world without any is not another one for them.
const (
	ofScene = 12
	ofEdges = 13
	ofHours = 14
	ofWords = 15
)

func cast(seed, stream uint64) dice { return dice{rand.New(rand.NewPCG(seed, stream))} }

func (d dice) chance(p float64) bool { return d.Float64() < p }

// span is a duration of whole seconds between two.
func (d dice) span(least, most time.Duration) time.Duration {
	if most <= least {
		return least
	}
	return (least + time.Duration(d.Int64N(int64(most-least)))).Truncate(time.Second)
}

// number is one from least to most, both included.
func (d dice) number(least, most int) int { return least + d.IntN(most-least+1) }

func pick[T any](d dice, of ...T) T { return of[d.IntN(len(of))] }

// some are n of the given things at most, in their order.
func some[T any](d dice, n int, of []T) []T {
	var taken []T
	for i, one := range of {
		if d.IntN(len(of)-i) < n-len(taken) {
			taken = append(taken, one)
		}
	}
	return taken
}
