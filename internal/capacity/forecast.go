package capacity

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Point is one value of the metric of a cluster's fullest pod subnet.
type Point struct {
	At      time.Time
	Percent float64 // of the usable addresses in use, from 0 to 100; what is beyond is cut
}

// Outlook says when the fullest pod subnet will be full if it goes on growing as it does. Days count from the forecast's now.
type Outlook struct {
	Days float64 `json:"days,omitempty"` // until the line through the days' peaks reaches 100 %; 0: it is there
	// Low and High are the days for the fastest and the slowest growth that fit the history (95 % of slopes, which takes in the true day
	// nine times in ten). High is never infinite: where no growth fits as well, Forecast is silent.
	Low   float64 `json:"low,omitempty"`
	High  float64 `json:"high,omitempty"`
	Slope float64 `json:"slope,omitempty"` // percentage points a day
}

// String reads "about 9 days, between 7 and 14", to follow "full in": Days to the nearest whole day, at least 1, Low rounded down, High
// up. It is "about 9 days" where these are one number, and "less than a day" where High is.
func (o Outlook) String() string {
	about, low, high := max(1, int(math.Round(o.Days))), int(math.Floor(tenths(o.Low))), int(math.Ceil(tenths(o.High)))
	unit := "days"
	if about == 1 {
		unit = "day"
	}
	switch {
	case tenths(o.High) < 1:
		return "less than a day"
	case low == about && high == about:
		return fmt.Sprintf("about %d %s", about, unit)
	}
	return fmt.Sprintf("about %d %s, between %d and %d", about, unit, low, high)
}

// tenths rounds, so that 9.0000001 days are not rounded up to 10.
func tenths(days float64) float64 { return math.Round(10*days) / 10 }

// Silence is why there is no forecast, in words that follow "no forecast: ". It is empty when there is one.
type Silence string

// The reasons for silence. Full is the only one with an Outlook that means something: zero days.
const (
	Short Silence = "fewer than 10 days of history"
	Stale Silence = "the metric had no value for a day"
	Full  Silence = "it is full already"
	Bent  Silence = "it has not followed one line for a week"
	Flat  Silence = "no growth that stands out from its ups and downs"
	Vague Silence = "it grows too unevenly to say when it is full"
	Far   Silence = "more than 30 days ahead"
)

// History is how much of the past counts for a forecast.
const History = historyDays * 24 * time.Hour

// Horizon is how many days a forecast looks ahead at most: twice its history.
const Horizon = 2 * historyDays

const (
	historyDays = 15  // days that count, each of 24 hours, of which the newest ends with now
	leastDays   = 10  // with a value, for a forecast
	week        = 7   // days that a line is drawn through, at least
	slack       = 0.5 // percentage points that are no matter: about one address of a /24
	spread      = 4   // the fastest growth that fits over the slowest, at most
)

// Forecast says in how many days the fullest pod subnet is full, from the history of its metric: one Maximum an hour for 15 days is what
// CloudWatch keeps longest (455 days, GetMetricData), any density does. Neither the order of the points nor duplicates matter; points that
// are no number, lie after now or are older than 15 days do not count.
//
// The method is made for few, rough days. Each day is its maximum, so that a nightly scale-down does not hide growth; days far below
// the others, as weekends are, drop out. Growth is the median of the slopes between all pairs of days (Theil 1950), with the 95 %
// interval that Kendall's rank statistic gives it (Sen 1968). Where one line does not describe the days, because of a step or a bend, only
// the newer half counts, down to a week.
//
// Peaks are known to the day, so Days may be one too many. Growth that speeds up is forecast too late, growth that slows down too early, each
// by as much as it bends within the last week: ask again each day.
func Forecast(history []Point, now time.Time) (Outlook, Silence) {
	all := peaks(history, now)
	switch {
	case len(all) > 0 && all[0].age == 0 && all[0].percent >= 100:
		return Outlook{}, Full
	case len(all) < leastDays:
		return Outlook{}, Short
	case all[0].age > 0:
		return Outlook{}, Stale
	}
	days := busy(all)
	if days[0].age > 0 && !lowAWeekAgo(all, days) {
		return Outlook{}, Bent // the newest day fell, and that is no weekend
	}
	for ; len(days) >= week; days = days[:(len(days)+1)/2] {
		if slopes := pairSlopes(days); straight(days, middle(slopes)) {
			return outlook(days, slopes)
		}
	}
	return Outlook{}, Bent
}

// outlook draws the median line, and the flattest and the steepest that fit, on to 100 %.
func outlook(days []day, slopes []float64) (Outlook, Silence) {
	outer := strays(len(days))
	slow, slope, fast := slopes[outer], middle(slopes), slopes[len(slopes)-1-outer]
	until := func(slope float64) float64 { return max(0, (100-middle(levels(days, slope)))/slope) }
	switch {
	case slow <= 0:
		return Outlook{}, Flat
	case fast > spread*slow:
		return Outlook{}, Vague
	case until(slope) > Horizon:
		return Outlook{}, Far
	}
	return Outlook{Days: until(slope), Low: until(fast), High: until(slow), Slope: slope}, ""
}

// day is the peak of 24 hours.
type day struct {
	age     int // 0: the 24 hours up to now
	percent float64
}

// peaks are the days that have a value, the newest first.
func peaks(history []Point, now time.Time) []day {
	highest := [historyDays]float64{}
	for i := range highest {
		highest[i] = math.NaN()
	}
	for _, p := range history {
		age := now.Sub(p.At)
		if age < 0 || age >= historyDays*24*time.Hour || math.IsNaN(p.Percent) {
			continue
		}
		if h := &highest[age/(24*time.Hour)]; !(p.Percent <= *h) {
			*h = p.Percent
		}
	}
	days := make([]day, 0, historyDays)
	for age, percent := range highest {
		if !math.IsNaN(percent) {
			days = append(days, day{age, min(max(percent, 0), 100)})
		}
	}
	return days
}

// busy are the days without those that lie further below the line than three standard deviations, as estimated from the median
// deviation (1.4826 of it is one for normal noise: Hampel 1974). High days stay: peaks are what fills a subnet.
func busy(days []day) []day {
	at := levels(days, middle(pairSlopes(days)))
	line := middle(at)
	off := make([]float64, len(at))
	for i, l := range at {
		off[i] = math.Abs(l - line)
	}
	floor := line - 3*1.4826*middle(off) - slack
	kept := make([]day, 0, len(days))
	for i, d := range days {
		if at[i] >= floor {
			kept = append(kept, d)
		}
	}
	return kept
}

// lowAWeekAgo reports whether the day a week before the newest one is known, and dropped out of the busy days.
func lowAWeekAgo(all, busy []day) bool {
	aWeekAgo := func(d day) bool { return d.age == week }
	return slices.ContainsFunc(all, aWeekAgo) && !slices.ContainsFunc(busy, aWeekAgo)
}
