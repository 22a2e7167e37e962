package capacity

import (
	"math"
	"slices"
)

// pairSlopes are the slopes between all pairs of days, in percentage points a day, in ascending order.
func pairSlopes(days []day) []float64 {
	s := make([]float64, 0, len(days)*(len(days)-1)/2)
	for i, newer := range days {
		for _, older := range days[i+1:] {
			s = append(s, (newer.percent-older.percent)/float64(older.age-newer.age))
		}
	}
	slices.Sort(s)
	return s
}

// levels are what each day makes of the level now, in percent, if it grows by the slope.
func levels(days []day, slope float64) []float64 {
	l := make([]float64, len(days))
	for i, d := range days {
		l[i] = d.percent + slope*float64(d.age)
	}
	return l
}

// straight reports whether a line of this slope describes the days: no step does so better, and they change from one side of the line
// to the other as often as by chance (Wald and Wolfowitz 1940, the number of runs, at 4 %). With a bend or a wandering level they stay on one
// side for long, and then the interval, which takes the days for independent, would be too narrow. Half a percentage point is no side.
func straight(days []day, slope float64) bool {
	at := levels(days, slope)
	if stepped(days, deviation(at)) {
		return false
	}
	line := middle(at)
	var above, below, runs float64
	side := 0
	for _, l := range at {
		last := side
		switch {
		case l > line+slack:
			side = 1
			above++
		case l < line-slack:
			side = -1
			below++
		}
		if side != last {
			runs++
		}
	}
	if above == 0 || below == 0 {
		return true
	}
	n, pairs := above+below, 2*above*below
	sigma := math.Sqrt(pairs * (pairs - n) / (n * n * (n - 1)))
	return runs >= 1+pairs/n-1.75*sigma
}

// stepped reports whether two levels describe the days clearly better than a line with this deviation: a step, and rest before
// and after it for three days at least.
func stepped(days []day, line float64) bool {
	percents := levels(days, 0)
	for at := 3; at <= len(percents)-3; at++ {
		if deviation(percents[:at])+deviation(percents[at:]) < 0.7*line {
			return true
		}
	}
	return false
}

// deviation is the sum of the values' distances from their median.
func deviation(values []float64) float64 {
	at, sum := middle(values), 0.0
	for _, v := range values {
		sum += math.Abs(v - at)
	}
	return sum
}

// strays is how many of the slopes between n days may lie beyond the true one, on each side, with a chance of at most 2.5 %: the days
// being independent, as many as inversions in a random order of n (Kendall 1938).
func strays(n int) int {
	orders := []float64{1} // by their inversions; exact: 15! is below 2^53
	total := 1.0
	for m := 2; m <= n; m++ {
		next := make([]float64, len(orders)+m-1)
		for inversions, count := range orders {
			for more := range m {
				next[inversions+more] += count
			}
		}
		orders, total = next, total*float64(m)
	}
	k := 0
	for sum := orders[0]; sum+orders[k+1] <= 0.025*total; sum += orders[k] {
		k++
	}
	return k
}

// middle is the median.
func middle(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}
