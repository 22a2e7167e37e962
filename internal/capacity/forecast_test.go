package capacity_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/capacity"
)

// midnight is the now of the forecasts, a Tuesday.
var midnight = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

// drawn is a history of so many days up to midnight, with a point at half past each hour. The shape is of the days to midnight: -1 is a
// day before.
func drawn(days int, shape func(day float64) float64) []capacity.Point {
	points := make([]capacity.Point, 0, 24*days)
	for at := time.Duration(-days)*24*time.Hour + 30*time.Minute; at < 0; at += time.Hour {
		points = append(points, capacity.Point{At: midnight.Add(at), Percent: shape(at.Hours() / 24)})
	}
	return points
}

// daily is a history of one point a day, oldest first; the newest lies an hour before midnight.
func daily(percents ...float64) []capacity.Point {
	points := make([]capacity.Point, len(percents))
	for i, p := range percents {
		points[i] = capacity.Point{At: midnight.Add(-time.Hour - 24*time.Hour*time.Duration(len(percents)-1-i)), Percent: p}
	}
	return points
}

// perDay draws one number for each day, whatever the hour.
func perDay(r *rand.Rand, draw func(r *rand.Rand) float64) func(day float64) float64 {
	numbers := map[int]float64{}
	return func(day float64) float64 {
		d := int(math.Ceil(day)) // (-1, 0] is the newest
		if _, drawn := numbers[d]; !drawn {
			numbers[d] = draw(r)
		}
		return numbers[d]
	}
}

func uniform(width float64) func(r *rand.Rand) float64 {
	return func(r *rand.Rand) float64 { return width * (2*r.Float64() - 1) }
}

// weekend is true on Saturdays and Sundays: midnight begins a Tuesday.
func weekend(day float64) bool {
	at := midnight.Add(time.Duration(day * float64(24*time.Hour)))
	return at.Weekday() == time.Saturday || at.Weekday() == time.Sunday
}

func hour(day float64) float64 { _, part := math.Modf(day + 1000); return 24 * part }

func night(day float64) bool { return hour(day) < 6 || hour(day) > 20 }

// either is one of two levels.
func either(first bool, a, b float64) float64 {
	if first {
		return a
	}
	return b
}

func without(points []capacity.Point, gone func(i int) bool) []capacity.Point {
	kept := make([]capacity.Point, 0, len(points))
	for i, p := range points {
		if !gone(i) {
			kept = append(kept, p)
		}
	}
	return kept
}

// TestForecastIsWithinItsErrorOnTheShapesOfClusters states the error for each.
func TestForecastIsWithinItsErrorOnTheShapesOfClusters(t *testing.T) {
	seeded := rand.New(rand.NewPCG(6, 6))
	steady := func(d float64) float64 { return 80 + 2*d }
	noise := perDay(seeded, uniform(5))
	for name, c := range map[string]struct {
		history []capacity.Point
		days    float64 // that it really takes
		err     float64 // days that the forecast may be off
	}{
		"steady growth is met to the hour":                            {drawn(15, steady), 10, 0.05},
		"so is growth of which ten days are known":                    {drawn(10, steady), 10, 0.05},
		"a third of the points missing costs hours":                   {without(drawn(15, steady), func(int) bool { return seeded.IntN(3) == 0 }), 10, 0.3},
		"every fourth day missing costs nothing":                      {without(drawn(15, steady), func(i int) bool { return i/24%4 == 1 }), 10, 0.05},
		"a nightly scale-down to 20 % does not hide growth":           {drawn(15, func(d float64) float64 { return either(night(d), 20, steady(d)) }), 10, 1},
		"weekends 30 points lower do not hide growth":                 {drawn(15, func(d float64) float64 { return either(weekend(d), steady(d)-30, steady(d)) }), 10, 1},
		"noise of 5 points either way from day to day costs two days": {drawn(15, func(d float64) float64 { return steady(d) + noise(d) }), 10, 2},
		"of noise from hour to hour the peaks count, 5 points up":     {drawn(15, func(d float64) float64 { return steady(d) + uniform(5)(seeded) }), 7.5, 1},
		"growth that speeds up is forecast a day too late":            {drawn(15, func(d float64) float64 { return 45 + 0.2*(15+d)*(15+d) }), math.Sqrt(275) - 15, 1},
		"growth that slows down is forecast four days too early":      {drawn(15, func(d float64) float64 { return 110 - 60*math.Exp(-(15+d)/12) }), 12*math.Log(6) - 15, 4},
		"growth since a step up nine days ago is seen":                {drawn(15, func(d float64) float64 { return either(d < -9, steady(d)-30, steady(d)) }), 10, 0.1},
		"growth since a new subnet nine days ago is seen":             {drawn(15, func(d float64) float64 { return either(d < -9, steady(d)+30, steady(d)) }), 10, 0.1},
		"growth that began nine days ago after rest is seen":          {drawn(15, func(d float64) float64 { return max(62, steady(d)) }), 10, 1},
		"growth to which a weekend has come is not over":              {drawn(15, func(d float64) float64 { return either(weekend(d-1), 20, steady(d)) }), 10, 1},
		"where the line is at 100 % already it is zero days":          {drawn(15, func(d float64) float64 { return either(weekend(d-1), 20, 101+2*d) }), 0, 0},
		"an outage of the metric in the past, as 0 %, is passed by":   {drawn(15, func(d float64) float64 { return either(d > -6 && d <= -4, 0, steady(d)) }), 10, 0.1},
	} {
		t.Run(name, func(t *testing.T) {
			o, silence := capacity.Forecast(c.history, midnight)
			if silence != "" {
				t.Fatalf("silent: %s", silence)
			}
			if math.Abs(o.Days-c.days) > c.err {
				t.Errorf("%.2f days (%+v), want %.2f within %.2f", o.Days, o, c.days, c.err)
			}
		})
	}
}

func TestForecastIsSilentWhereTheDaysCannotSay(t *testing.T) {
	seeded := rand.New(rand.NewPCG(9, 9))
	steady := func(d float64) float64 { return 80 + 2*d }
	noise := perDay(seeded, uniform(5))
	for name, c := range map[string]struct {
		history []capacity.Point
		want    capacity.Silence
	}{
		"no history is short":                                               {nil, capacity.Short},
		"nine days are short":                                               {drawn(9, steady), capacity.Short},
		"a history that is all older than 15 days is short":                 {without(drawn(30, steady), func(i int) bool { return i >= 24*15 }), capacity.Short},
		"points of the future are no history":                               {future(drawn(15, steady)), capacity.Short},
		"values that are no number are no history":                          {drawn(15, func(float64) float64 { return math.NaN() }), capacity.Short},
		"a metric that stopped a day ago is stale":                          {without(drawn(15, steady), func(i int) bool { return i >= 24*14 }), capacity.Stale},
		"a metric that stopped at 100 % a day ago is stale":                 {without(drawn(15, func(float64) float64 { return 100 }), func(i int) bool { return i >= 24*14 }), capacity.Stale},
		"100 % is full":                                                     {drawn(15, func(d float64) float64 { return min(100, 101+2*d) }), capacity.Full},
		"so is more":                                                        {drawn(15, func(d float64) float64 { return 120 + 2*d }), capacity.Full},
		"full is full, however short the history":                           {drawn(1, func(float64) float64 { return 100 }), capacity.Full},
		"a constant does not grow":                                          {drawn(15, func(float64) float64 { return 80 }), capacity.Flat},
		"noise does not grow":                                               {drawn(15, func(d float64) float64 { return 80 + noise(d) }), capacity.Flat},
		"shrinking is no growth":                                            {drawn(15, func(d float64) float64 { return 50 - 2*d }), capacity.Flat},
		"shrinking with noise is no growth":                                 {drawn(15, func(d float64) float64 { return 50 - 2*d + noise(d) }), capacity.Flat},
		"a step up five days ago ends the line":                             {drawn(15, func(d float64) float64 { return either(d < -5, 50, 80) }), capacity.Bent},
		"a step up ten days ago and then rest is no growth":                 {drawn(15, func(d float64) float64 { return either(d < -10, 50, 80) }), capacity.Flat},
		"a day's peak of long ago is no growth":                             {drawn(15, func(d float64) float64 { return either(d > -9 && d <= -8, 95, 70) }), capacity.Flat},
		"growth that has stopped for a week is no growth":                   {drawn(15, func(d float64) float64 { return min(80, 94+2*d) }), capacity.Flat},
		"a new subnet two days ago ends the line":                           {drawn(15, func(d float64) float64 { return either(d > -2, 40, steady(d)) }), capacity.Bent},
		"a low day is no weekend if nothing is known of a week ago":         {without(drawn(15, func(d float64) float64 { return either(weekend(d-1), 40, steady(d)) }), func(i int) bool { return i/24 == 7 }), capacity.Bent},
		"growth that has stopped bends the line; twelve days hold no other": {drawn(12, func(d float64) float64 { return min(80, 95+3*d) }), capacity.Bent},
		"growth of one to seven points a day is too uneven":                 {daily(60, 66, 61, 68, 60, 69, 64, 66, 62, 75, 63, 76, 64, 78, 70), capacity.Vague},
		"growth of 0.1 points a day from 60 % is far":                       {drawn(15, func(d float64) float64 { return 60 + 0.1*d }), capacity.Far},
		"31 days are far":                                                   {drawn(15, func(d float64) float64 { return 69 + d }), capacity.Far},
		"29 days are not":                                                   {drawn(15, func(d float64) float64 { return 71 + d }), ""},
	} {
		t.Run(name, func(t *testing.T) {
			o, silence := capacity.Forecast(c.history, midnight)
			if silence != c.want {
				t.Errorf("%q (%+v), want %q", silence, o, c.want)
			}
			if silence != "" && o != (capacity.Outlook{}) {
				t.Errorf("silent, and says %+v", o)
			}
		})
	}
}

func future(points []capacity.Point) []capacity.Point {
	later := slices.Clone(points)
	for i := range later {
		later[i].At = later[i].At.AddDate(0, 1, 0)
	}
	return later
}

// anyHistory is a random one, often with growth, and with what a metric can do to it.
func anyHistory(r *rand.Rand) []capacity.Point {
	level, slope, amount, depth := 100*r.Float64(), 6*r.Float64()-2, 6*r.Float64(), 30*r.Float64()*float64(r.IntN(2))
	noise, step, missing := perDay(r, uniform(amount)), -20*r.Float64(), r.IntN(4)
	history := drawn(r.IntN(20), func(d float64) float64 {
		return level + slope*d + noise(d) - either(weekend(d), depth, 0) + either(d < step, 20*float64(r.IntN(2)), 0)
	})
	return without(history, func(int) bool { return r.IntN(10) < missing })
}

func TestForecastHoldsWhateverItIsGiven(t *testing.T) {
	spoke := 0
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 3))
		history := anyHistory(r)
		o, silence := capacity.Forecast(history, midnight)
		switch {
		case silence != "":
			if o != (capacity.Outlook{}) {
				t.Fatalf("seed %d: silent, and says %+v", seed, o)
			}
		case o.Low < 0 || o.Days < o.Low || o.High < o.Days || math.IsInf(o.High, 0) || o.Slope <= 0 || o.Days > capacity.Horizon:
			t.Fatalf("seed %d: %+v", seed, o)
		default:
			spoke++
		}
		for what, same := range map[string][]capacity.Point{
			"the order":                      shuffled(r, history),
			"duplicates":                     slices.Concat(history, history[:len(history)/2]),
			"values that are no number":      slices.Concat(history, []capacity.Point{{At: midnight, Percent: math.NaN()}}),
			"what is older than 15 days":     slices.Concat(history, []capacity.Point{{At: midnight.AddDate(0, 0, -15), Percent: 90}, {Percent: 90}}),
			"what lies in the future":        slices.Concat(history, []capacity.Point{{At: midnight.Add(1), Percent: 90}, {At: midnight.AddDate(900, 0, 0), Percent: 90}}),
			"lower values beside the values": slices.Concat(history, lowered(history)),
		} {
			if again, silent := capacity.Forecast(same, midnight); again != o || silent != silence {
				t.Fatalf("seed %d: %s changed %+v %q to %+v %q", seed, what, o, silence, again, silent)
			}
		}
		const later = 1234567 * time.Second
		moved := slices.Clone(history)
		for i := range moved {
			moved[i].At = moved[i].At.Add(later).In(time.FixedZone("UTC-5", -5*3600))
		}
		if again, silent := capacity.Forecast(moved, midnight.Add(later)); again != o || silent != silence {
			t.Fatalf("seed %d: another time changed %+v %q to %+v %q", seed, o, silence, again, silent)
		}
	}
	if spoke < 200 {
		t.Errorf("spoke only %d times: these histories hold too little", spoke)
	}
}

func shuffled(r *rand.Rand, points []capacity.Point) []capacity.Point {
	s := slices.Clone(points)
	r.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
	return s
}

func lowered(points []capacity.Point) []capacity.Point {
	l := slices.Clone(points)
	for i := range l {
		l[i].Percent -= 7
	}
	return l
}

func TestForecastCutsWhatIsNoPercentage(t *testing.T) {
	type answer struct {
		capacity.Outlook
		capacity.Silence
	}
	with := func(percent float64, at ...int) answer {
		percents := []float64{60, 62, 64, 66, 68, 70, 72, 74, 76, 78, 80, 82, 84, 86, 88}
		for _, i := range at {
			percents[i] = percent
		}
		o, silence := capacity.Forecast(daily(percents...), midnight)
		return answer{o, silence}
	}
	for beyond, cut := range map[float64]float64{math.Inf(1): 100, 1e300: 100, 101: 100, math.Inf(-1): 0, -1e300: 0, -5: 0} {
		for _, at := range [][]int{{3}, {0, 1}, {0, 1, 6, 9}, {5, 6, 7, 8, 9, 10}} {
			if got, want := with(beyond, at...), with(cut, at...); got != want {
				t.Errorf("%v on days %v is %+v, but %v is %+v", beyond, at, got, cut, want)
			}
		}
	}
}

func TestForecastFollowsTheUnits(t *testing.T) {
	of := func(level, slope float64) capacity.Outlook {
		noise := perDay(rand.New(rand.NewPCG(8, 8)), uniform(2))
		o, silence := capacity.Forecast(drawn(15, func(d float64) float64 { return level + slope*(d+noise(d)) }), midnight)
		if silence != "" {
			t.Fatalf("%v %% and %v a day: silent: %s", level, slope, silence)
		}
		return o
	}
	base := of(80, 2)
	for name, c := range map[string]struct {
		got         capacity.Outlook
		days, slope float64
	}{
		"growth at half the speed takes twice as long":        {of(80, 1), base.Days + 20/base.Slope, base.Slope / 2},
		"six points more save the time of six points' growth": {of(86, 2), base.Days - 6/base.Slope, base.Slope},
	} {
		t.Run(name, func(t *testing.T) {
			if math.Abs(c.got.Days-c.days) > 1e-9 || math.Abs(c.got.Slope-c.slope) > 1e-9 {
				t.Errorf("%+v, want %v days at %v, from %+v %v", c.got, c.days, c.slope, base, base.Slope)
			}
		})
	}
}

func TestOutlookIsInWholeDays(t *testing.T) {
	for want, o := range map[string]capacity.Outlook{
		"about 9 days, between 7 and 14":  {Days: 9.4, Low: 7.9, High: 13.2},
		"about 10 days, between 9 and 10": {Days: 9.5, Low: 9.2, High: 9.9},
		"about 9 days":                    {Days: 9, Low: 8.9999999, High: 9.0000001},
		"about 1 day, between 0 and 3":    {Days: 0.2, Low: 0, High: 2.1},
		"about 1 day":                     {Days: 1, Low: 1, High: 1},
		"about 1 day, between 1 and 2":    {Days: 1.4, Low: 1.3, High: 1.6},
		"less than a day":                 {Days: 0.5, Low: 0.2, High: 0.9},
	} {
		if got := o.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func BenchmarkForecast(b *testing.B) {
	for name, perHour := range map[string]int{"15 days of hours": 1, "15 days of 5 minutes": 12} {
		var history []capacity.Point
		for _, p := range drawn(15, func(d float64) float64 { return 80 + 2*d }) {
			for m := range perHour {
				history = append(history, capacity.Point{At: p.At.Add(time.Duration(m) * 5 * time.Minute), Percent: p.Percent})
			}
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				capacity.Forecast(history, midnight)
			}
		})
	}
}
