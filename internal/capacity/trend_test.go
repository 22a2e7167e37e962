package capacity_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cniguard/cniguard/internal/capacity"
)

// critical are the least values of Kendall's S with a chance of at most 2.5 % on one side, by the number of days, from the published
// tables (Kaarsemaker and van Wijngaarden 1953; Hollander and Wolfe, Nonparametric Statistical Methods, table A.30).
var critical = map[int]int{10: 23, 11: 27, 12: 30, 13: 34, 14: 37, 15: 41}

// TestForecastIsTheTheilSenLineAndItsInterval compares with the definition, written out: every slope, the middle one, and those whose ranks the
// tables give. The noise is within half a point, so that all days count and none is off the line.
func TestForecastIsTheTheilSenLineAndItsInterval(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 11))
		n := 10 + r.IntN(6)
		slope, level := 0.5+3*r.Float64(), 70+20*r.Float64()
		percents := make([]float64, n)
		for i := range percents {
			percents[i] = level - slope*float64(n-1-i) + uniform(0.2)(r)
		}
		slopes := allSlopes(percents)
		outer := (len(slopes) - critical[n]) / 2
		until := func(slope float64) float64 {
			var now []float64
			for i, p := range percents {
				now = append(now, p+slope*float64(n-1-i))
			}
			return (100 - median(now)) / slope
		}
		want := capacity.Outlook{Days: until(median(slopes)), Slope: median(slopes), Low: until(slopes[len(slopes)-1-outer]), High: until(slopes[outer])}
		if want.Days > capacity.Horizon {
			continue
		}
		got, silence := capacity.Forecast(daily(percents...), midnight)
		if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-9)); diff != "" || silence != "" {
			t.Fatalf("seed %d, %d days %v: %s (-want +got):\n%s", seed, n, percents, silence, diff)
		}
	}
}

func allSlopes(percents []float64) []float64 {
	var slopes []float64
	for i := range percents {
		for j := range i {
			slopes = append(slopes, (percents[i]-percents[j])/float64(i-j))
		}
	}
	slices.Sort(slopes)
	return slopes
}

func median(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	if len(v)%2 == 1 {
		return v[len(v)/2]
	}
	return (v[len(v)/2-1] + v[len(v)/2]) / 2
}

// TestForecastIsSilentOnNoise: around 90 %, with weekends and without. Each seed is one cluster.
func TestForecastIsSilentOnNoise(t *testing.T) {
	for name, draw := range map[string]func(r *rand.Rand) float64{
		"of 5 points either way": uniform(5), "normal": func(r *rand.Rand) float64 { return 3 * r.NormFloat64() }, "of 1 point": uniform(1),
	} {
		for _, weekends := range []float64{0, 6, 20} {
			t.Run(fmt.Sprintf("%s, weekends %v points lower", name, weekends), func(t *testing.T) {
				const seeds = 1000
				silent := 0
				for seed := range uint64(seeds) {
					r := rand.New(rand.NewPCG(seed, 1))
					noise, phase := perDay(r, draw), float64(r.IntN(7))
					history := drawn(15, func(d float64) float64 { return 90 + noise(d) - either(weekend(d+phase), weekends, 0) })
					if _, silence := capacity.Forecast(history, midnight); silence != "" {
						silent++
					}
				}
				t.Logf("silent on %d of %d seeds", silent, seeds)
				if silent < seeds*97/100 {
					t.Errorf("silent on %d of %d seeds only", silent, seeds)
				}
			})
		}
	}
}

// TestForecastTakesNoStepForGrowth: from 65 % up, with noise of 2 points either way, on any day of the 15.
func TestForecastTakesNoStepForGrowth(t *testing.T) {
	for _, step := range []float64{10, 20, 30} {
		for age := 1; age < 15; age++ {
			const seeds = 500
			spoke := 0
			for seed := range uint64(seeds) {
				r := rand.New(rand.NewPCG(seed, 9))
				percents := make([]float64, 15)
				for i := range percents {
					percents[i] = 65 + uniform(2)(r) + either(i >= 15-age, step, 0)
				}
				if _, silence := capacity.Forecast(daily(percents...), midnight); silence == "" {
					spoke++
				}
			}
			if spoke > seeds*3/100 {
				t.Errorf("a step of %v points %d days ago: spoke on %d of %d seeds", step, age, spoke, seeds)
			}
		}
	}
}

// TestForecastSpeaksOfGrowthWithNoise: the true day is within the interval about as often as its 95 % promise (the uncertainty of
// the level takes some of it), and hardly ever is a straight line taken for a bent one, which would cost half the days.
func TestForecastSpeaksOfGrowthWithNoise(t *testing.T) {
	for _, slope := range []float64{1, 2, 3} {
		t.Run(fmt.Sprintf("%v points a day", slope), func(t *testing.T) {
			const seeds = 1000
			spoke, within, whole := 0, 0, 0
			for seed := range uint64(seeds) {
				noise := perDay(rand.New(rand.NewPCG(seed, 2)), uniform(5))
				percents := make([]float64, 15)
				for i := range percents {
					percents[i] = 100 - slope*float64(24-i) + noise(float64(i))
				}
				o, silence := capacity.Forecast(daily(percents...), midnight)
				if silence != "" {
					continue
				}
				spoke++
				if o.Low <= 10 && 10 <= o.High {
					within++
				}
				if math.Abs(o.Slope-median(allSlopes(percents))) < 1e-9 {
					whole++
				}
			}
			t.Logf("spoke on %d of %d seeds; the day was within on %d; all days counted on %d", spoke, seeds, within, whole)
			if spoke < seeds*9/10 || within < spoke*9/10 || whole < spoke*93/100 {
				t.Errorf("spoke on %d of %d seeds; the day was within on %d; all days counted on %d", spoke, seeds, within, whole)
			}
		})
	}
}

// TestADayFarBelowTheLineIsAsIfItWereMissing: noise of one point either way has a median deviation of half a point, so that three standard
// deviations are about 2.2 points.
func TestADayFarBelowTheLineIsAsIfItWereMissing(t *testing.T) {
	for below, want := range map[float64]bool{0: false, 1.5: false, 4: true, 60: true} {
		noise, percents := rand.New(rand.NewPCG(1, 2)), make([]float64, 15)
		for i := range percents {
			percents[i] = 60 + 2*float64(i) + uniform(1)(noise)
		}
		percents[4] = 68 - below
		history := daily(percents...)
		got, _ := capacity.Forecast(history, midnight)
		missing, _ := capacity.Forecast(without(history, func(i int) bool { return i == 4 }), midnight)
		if (got == missing) != want || got.Days == 0 {
			t.Errorf("%v points below: %+v; missing: %+v", below, got, missing)
		}
	}
}
