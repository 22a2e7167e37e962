package world

import "math"

// reading is what a metric, or a formula over metrics, came to in a period.
type reading struct {
	number float64
	there  bool // false: no data point, and number is 0
}

// at is a formula's value in a period in which the metrics came to those values. The rules for what is missing are those of the
// CloudWatch user guide, "Metric math syntax and functions" and "Using IF expressions":
//
//   - Of two time series one that misses a point counts as 0 there. Where both do, the result has none.
//   - A point that divides by zero is dropped.
//   - IF has no point where its condition has none; 0 where the condition is true and the second argument has no point; and none where
//     the condition is false and the third has none.
func (f *formula) at(metrics []reading) reading {
	switch f.op {
	case aMetric:
		return metrics[f.metric]
	case aNumber:
		return reading{f.number, true}
	case "IF":
		return f.chosen(metrics)
	}
	a, b := f.parts[0].at(metrics), f.parts[1].at(metrics)
	there := a.there && b.there
	if f.parts[0].series && f.parts[1].series {
		there = a.there || b.there
	}
	if !there {
		return reading{}
	}
	return whole(f.combine(a.number, b.number))
}

func (f *formula) chosen(metrics []reading) reading {
	condition := f.parts[0].at(metrics)
	switch {
	case !condition.there:
		return reading{}
	case condition.number == 0:
		return f.parts[2].at(metrics)
	}
	yes := f.parts[1].at(metrics)
	return reading{yes.number, yes.there || f.parts[0].series}
}

// whole is a reading, unless the number is none: a division by zero, or an overflow, whose point is dropped.
func whole(number float64) reading {
	if math.IsNaN(number) || math.IsInf(number, 0) {
		return reading{}
	}
	return reading{number, true}
}

func (f *formula) combine(a, b float64) float64 {
	truth := false
	switch f.op {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	case "/":
		return a / b
	case ">":
		truth = a > b
	case ">=":
		truth = a >= b
	case "<":
		truth = a < b
	case "<=":
		truth = a <= b
	case "==":
		truth = a == b
	}
	if truth {
		return 1
	}
	return 0
}

// bounds are the least and the greatest of some numbers.
type bounds struct{ low, high float64 }

func (b bounds) and(other bounds) bounds {
	return bounds{math.Min(b.low, other.low), math.Max(b.high, other.high)}
}

// within are bounds of a formula's value over periods in each of which every metric has data and stays within its bounds; false: none
// are known. They need not be the closest: an alarm is evaluated once too often then.
func (f *formula) within(metrics []bounds) (bounds, bool) {
	switch f.op {
	case aMetric:
		return metrics[f.metric], true
	case aNumber:
		return bounds{f.number, f.number}, true
	}
	a, known := f.parts[0].within(metrics)
	if !known {
		return bounds{}, false
	}
	if f.op == "IF" {
		return f.choices(a, metrics)
	}
	b, known := f.parts[1].within(metrics)
	if !known {
		return bounds{}, false
	}
	return f.spread(a, b)
}

// choices are the bounds of an IF whose condition has bounds.
func (f *formula) choices(condition bounds, metrics []bounds) (bounds, bool) {
	yes, known := f.parts[1].within(metrics)
	no, other := f.parts[2].within(metrics)
	switch {
	case condition.low > 0:
		return yes, known
	case condition.high == 0:
		return no, other
	}
	return yes.and(no), known && other
}

// spread are the bounds of an operation on two operands. An arithmetic one takes its extremes at theirs, unless a divisor may be zero.
// So does a comparison but ==, which then is true or false throughout, or may be either.
func (f *formula) spread(a, b bounds) (bounds, bool) {
	switch {
	case f.op == "/" && b.low <= 0 && b.high >= 0:
		return bounds{}, false
	case f.op == "==" && a.low <= b.high && b.low <= a.high && (a.low != a.high || b != a):
		return bounds{0, 1}, true
	}
	first := f.combine(a.low, b.low)
	all := bounds{first, first}
	for _, n := range []float64{f.combine(a.low, b.high), f.combine(a.high, b.low), f.combine(a.high, b.high)} {
		all = all.and(bounds{n, n})
	}
	return all, whole(all.low).there && whole(all.high).there
}
