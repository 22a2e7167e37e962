package world

import (
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// confirms reports whether a point that was put now says what the state says already, so that no evaluation is due for it.
func (a *metricAlarm) confirms(d datum, now int64) bool {
	if len(a.inputs) == 1 {
		return a.agrees(d)
	}
	from := now + 1 - a.span()
	return d.minute >= from && d.minute <= now && a.holds(from, now+1)
}

// agrees reports whether a point of the one metric says what the state says. What is true of every point is then true of every
// period, except for sums and counts, which depend on how many points a period holds.
func (a *metricAlarm) agrees(d datum) bool {
	stat := a.inputs[0].stat
	return !adds(stat) && a.says(d.value(stat))
}

// adds reports whether a statistic depends on how many points a period holds.
func adds(s types.Statistic) bool {
	return s == types.StatisticSum || s == types.StatisticSampleCount
}

// says reports whether a value says what the state says.
func (a *metricAlarm) says(number float64) bool {
	return a.StateValue == types.StateValueOk && !a.breaches(number) || a.StateValue == types.StateValueAlarm && a.breaches(number)
}

// restless is the end of the next periods that could change the state without new data; false: only new data ever can.
func (a *metricAlarm) restless(end int64) (int64, bool) {
	if len(a.inputs) == 1 && len(a.inputs[0].runs) == 0 {
		return a.awaiting(end)
	}
	first := end - a.span()
	next := int64(never)
	for _, in := range a.inputs {
		next = min(next, in.next(first))
	}
	switch {
	case next == never:
		return 0, false
	case next >= end: // until then there is no data at all, as there was none now
		return next + 1, true
	}
	return end + a.calm(first, end) + 1, true
}

// calm is for how many minutes after an evaluation, whose periods begin at first, the state surely stays as it is: at most a day.
func (a *metricAlarm) calm(first, end int64) int64 {
	const day = 24 * 60
	calm := int64(day)
	for _, in := range a.inputs {
		calm = min(calm, in.dense(first, a.period)-end)
	}
	for calm > 0 && !a.holds(first, end+calm) {
		calm /= 2
	}
	return max(calm, 0)
}

// holds reports whether every period from one minute until another in which each metric has data says what the state says: even the
// extremes of the formula do.
func (a *metricAlarm) holds(from, until int64) bool {
	var between [mostMetrics]bounds
	for i, in := range a.inputs {
		b, some := in.bounds(from, until)
		if !some || adds(in.stat) {
			return false
		}
		between[i] = b
	}
	b, known := a.formula.within(between[:])
	return known && a.says(b.low) && a.says(b.high)
}

// awaiting is restless of an alarm on one metric that is only put.
func (a *metricAlarm) awaiting(end int64) (int64, bool) {
	s := a.inputs[0].series
	newest, any := s.newest()
	if !any || newest < end-a.span() {
		return 0, false
	}
	for i := len(s.points) - 1; i >= 0 && s.points[i].minute >= end-a.span(); i-- {
		if s.points[i].minute >= end || !a.agrees(s.points[i]) {
			return end + 1, true
		}
	}
	switch {
	case a.rule.Missing == "missing": // until there is no data left
		return max(newest+a.span(), end) + 1, true
	case a.rule.Missing == "breaching" && a.StateValue == types.StateValueOk,
		a.rule.Missing == "notBreaching" && a.StateValue == types.StateValueAlarm:
		return end + 1, true
	}
	return 0, false // missing periods confirm the state, or are ignored
}

// next is the first minute from one on in which something is published; never: in none, as far as is known.
func (s *series) next(from int64) int64 {
	next := int64(never)
	if at := s.from(from); at < len(s.points) {
		next = s.points[at].minute
	}
	for _, r := range s.runs {
		if at := max(from, r.begin); at < r.end {
			next = min(next, at)
		}
	}
	return next
}

// dense is the end of the last period of a length before which, from a minute on, no such period is without data.
func (s *series) dense(from, period int64) int64 {
	last := from - 1
	for _, p := range s.points[s.from(from):] {
		if p.minute <= last+period {
			last = max(last, p.minute)
		}
	}
	for _, r := range s.runs {
		if r.begin <= last+period {
			last = max(last, r.end-1)
		}
	}
	return last + period
}

// bounds are those of all values from one minute until before another; false: there are none.
func (s *series) bounds(from, until int64) (bounds, bool) {
	var all bounds
	some := false
	add := func(b bounds) {
		if some {
			b = b.and(all)
		}
		all, some = b, true
	}
	for _, p := range s.points[s.from(from):] {
		if p.minute < until {
			add(bounds{p.min, p.max})
		}
	}
	for _, r := range s.runs {
		if b, known := r.bounds(from, until); known {
			add(b)
		}
	}
	return all, some
}
