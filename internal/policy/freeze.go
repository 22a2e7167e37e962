package policy

import (
	"fmt"
	"strings"
	"time"
)

// freeze is a span of dates, the last one included.
type freeze struct {
	first, last time.Time // midnight in UTC, for their dates only
	zone        *time.Location
}

func (f freeze) holds(at time.Time) bool {
	y, m, d := at.In(f.zone).Date()
	date := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	return !date.Before(f.first) && !date.After(f.last)
}

func (f freeze) turn(at time.Time) time.Time { return turns(at, f.zone) }

// String reads "2026-12-18 to 2027-01-06 Europe/Berlin".
func (f freeze) String() string {
	return f.first.Format(time.DateOnly) + " to " + f.last.Format(time.DateOnly) + " " + f.zone.String()
}

// readFreeze reads a date, or two with "to" between them, and a zone. The mistake has no field.
func readFreeze(text string) (freeze, *Mistake) {
	parts := strings.Fields(text)
	if len(parts) == 0 || strings.Contains(text, apart[:1]) {
		return freeze{}, notFreeze(text)
	}
	first, last, zone := parts[0], parts[0], parts[1:]
	if len(parts) > 1 && parts[1] == "to" {
		if len(parts) < 3 {
			return freeze{}, notFreeze(text)
		}
		last, zone = parts[2], parts[3:]
	}
	f := freeze{zone: time.UTC}
	var m *Mistake
	if f.first, m = date(first); m != nil {
		return f, m
	}
	if f.last, m = date(last); m != nil {
		return f, m
	}
	switch days := int(f.last.Sub(f.first).Hours()/24) + 1; {
	case days < 1:
		return f, &Mistake{Text: fmt.Sprintf("%s to %s ends before it begins", first, last), Hint: "allowed: the earlier date first"}
	case days > longFreeze:
		return f, &Mistake{Text: fmt.Sprintf("%s to %s is %d days", first, last, days), Hint: fmt.Sprintf("allowed: up to %d; mode: observe has no end", longFreeze)}
	case len(zone) > 1:
		return f, notFreeze(text)
	case len(zone) == 1:
		var ok bool
		if f.zone, ok = zoneOf(zone[0]); !ok {
			return f, &Mistake{Text: fmt.Sprintf("%q is not a time zone", zone[0]), Hint: zones}
		}
	}
	return f, nil
}

func notFreeze(text string) *Mistake {
	return &Mistake{Text: fmt.Sprintf("%q is not a freeze", text),
		Hint: `allowed: dates and a zone, as "2026-12-18 to 2027-01-06 Europe/Berlin", or one date; without a zone it is UTC`}
}

// date reads a day of the calendar.
func date(text string) (time.Time, *Mistake) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return t, &Mistake{Text: fmt.Sprintf("%q is not a date", text), Hint: "allowed: a day of the calendar, as 2026-12-18"}
	}
	return t, nil
}
