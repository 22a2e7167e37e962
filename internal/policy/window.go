package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// window is a span of the day on some days of the week.
type window struct {
	days     [7]bool // from Monday on: on which it begins
	from, to int     // minutes of the day; beyond 24 hours it ends on the next day
	zone     *time.Location
}

const day = 24 * 60 // minutes

func weekdays() []string { return []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"} }

// weekday is a day of the week, from Monday on.
func weekday(t time.Time) int { return (int(t.Weekday()) + 6) % 7 }

func (w window) holds(at time.Time) bool {
	local := at.In(w.zone)
	today, minute := weekday(local), minuteOf(local)
	return w.days[today] && minute >= w.from && minute < w.to || w.days[(today+6)%7] && minute < w.to-day
}

func (w window) turn(at time.Time) time.Time { return turns(at, w.zone, w.from, w.to%day) }

// String reads "Mon-Thu,Sat 22:00-04:00 Europe/Berlin".
func (w window) String() string {
	to := w.to
	if to > day {
		to -= day
	}
	return fmt.Sprintf("%s %02d:%02d-%02d:%02d %s", strings.Join(w.runs(), ","), w.from/60, w.from%60, to/60, to%60, w.zone)
}

// runs are the days, those that follow each other as one.
func (w window) runs() (runs []string) {
	names := weekdays()
	for from := 0; from < len(names); from++ {
		if !w.days[from] {
			continue
		}
		to := from
		for to+1 < len(names) && w.days[to+1] {
			to++
		}
		run := names[from]
		if to > from {
			run += "-" + names[to]
		}
		runs, from = append(runs, run), to
	}
	return runs
}

// readWindow reads days, times and a zone. The mistake has no field.
func readWindow(text string) (window, *Mistake) {
	parts := strings.Fields(text)
	if len(parts) < 2 || len(parts) > 3 || strings.Contains(text, apart[:1]) {
		return window{}, &Mistake{Text: fmt.Sprintf("%q is not a window", text),
			Hint: `allowed: days, times and a zone, as "Mon-Thu 09:00-16:00 Europe/Berlin"; without a zone it is UTC`}
	}
	w := window{zone: time.UTC}
	if m := w.readDays(parts[0]); m != nil {
		return w, m
	}
	if m := w.readTimes(parts[1]); m != nil {
		return w, m
	}
	if len(parts) == 3 {
		zone, ok := zoneOf(parts[2])
		if !ok {
			return w, &Mistake{Text: fmt.Sprintf("%q is not a time zone", parts[2]), Hint: zones}
		}
		w.zone = zone
	}
	return w, nil
}

// readDays reads "Mon-Thu,Sat"; Fri-Mon is over the weekend.
func (w *window) readDays(text string) *Mistake {
	for run := range strings.SplitSeq(text, ",") {
		first, last, several := strings.Cut(run, "-")
		if !several {
			last = first
		}
		from, to := dayNamed(first), dayNamed(last)
		for i, at := range []int{from, to} {
			if at < 0 {
				return &Mistake{Text: fmt.Sprintf("%q is not a day of the week", []string{first, last}[i]),
					Hint: "allowed: " + strings.Join(weekdays(), ", ") + "; several as Mon-Thu or Mon,Wed"}
			}
		}
		for at := from; ; at = (at + 1) % 7 {
			if w.days[at] = true; at == to {
				break
			}
		}
	}
	return nil
}

func dayNamed(name string) int {
	return slices.IndexFunc(weekdays(), func(d string) bool { return strings.EqualFold(d, name) })
}

// readTimes reads "09:00-16:00"; 22:00-04:00 ends on the next day.
func (w *window) readTimes(text string) *Mistake {
	first, last, _ := strings.Cut(text, "-")
	from, okFrom := clockTime(first)
	to, okTo := clockTime(last)
	if last == "24:00" {
		to, okTo = day, true
	}
	if !okFrom || !okTo {
		return &Mistake{Text: fmt.Sprintf("%q is not a span of the day", text), Hint: "allowed: as 09:00-16:00, or over midnight as 22:00-04:00; the whole day is 00:00-24:00"}
	}
	if to < from {
		to += day
	}
	w.from, w.to = from, to
	switch long := to - from; {
	case long == 0:
		return &Mistake{Text: text + " is empty: the window never opens", Hint: "allowed: an end after the beginning; the whole day is 00:00-24:00"}
	case long < shortest:
		return &Mistake{Text: fmt.Sprintf("%s lasts %d minutes, and cniguard looks every 5: the window may never open for it", text, long),
			Hint: fmt.Sprintf("allowed: %d minutes at least", shortest)}
	}
	return nil
}

// clockTime is a time of day in minutes.
func clockTime(text string) (minutes int, ok bool) {
	t, err := time.Parse("15:04", text)
	return minuteOf(t), err == nil && len(text) == len("15:04")
}
