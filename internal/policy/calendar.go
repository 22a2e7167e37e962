package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Windows are when an update may start, in one spelling and order, with "; " between two: a list that can be compared. Empty: at any time.
type Windows string

// Freezes are spans of dates in which no update starts, whatever the windows say, as Windows. Empty: there is none.
type Freezes string

const (
	apart      = "; "       // between two spans
	always     = "any time" // the text of no window
	mostSpans  = 20         // in a list
	shortest   = 10         // minutes of a window: the tick comes every 5, and what is due a minute after it opens may wait for a second one
	longFreeze = 366        // days
)

// Opens is the first instant from now on at which an update may start, as far as windows and freezes tell. The zero time: nobody knows, since a
// zone could not be loaded.
func (s Settings) Opens(now time.Time) time.Time {
	windows, wrong := all(string(s.Windows), readWindow)
	freezes, alsoWrong := all(string(s.Freezes), readFreeze)
	if wrong || alsoWrong {
		return time.Time{}
	}
	return opens(now, windows, freezes)
}

// Open reports whether an update may start, as far as the windows tell.
func (w Windows) Open(now time.Time) bool {
	windows, wrong := all(string(w), readWindow)
	return !wrong && isOpen(windows, now)
}

// Thaws is the first instant from now on at which no freeze holds: now, if none does. The zero time: nobody knows, as Settings.Opens.
func (f Freezes) Thaws(now time.Time) time.Time {
	freezes, wrong := all(string(f), readFreeze)
	if wrong {
		return time.Time{}
	}
	return opens(now, nil, freezes)
}

// include reports whether all of others are among them.
func (f Freezes) include(others Freezes) bool { return includes(string(f), string(others)) }

// within reports whether they are some of the others, so that an update may start at no other time.
func (w Windows) within(others Windows) bool {
	return w != "" && (others == "" || includes(string(others), string(w)))
}

func includes(list, others string) bool {
	have := strings.Split(list, apart)
	return others == "" || !slices.ContainsFunc(strings.Split(others, apart), func(s string) bool { return !slices.Contains(have, s) })
}

// calendarFields say when an update may start.
func calendarFields() []field {
	return []field{
		{
			name: "windows", allowed: "a list of windows", sep: apart, empty: always,
			list:    func(s *Set) **[]string { return &s.Windows },
			parse:   func(s *Settings, text string) bool { s.Windows = windowsOf(text); return true }, // checked one by one
			text:    func(s Settings) string { return cmp.Or(string(s.Windows), always) },
			copy:    func(to *Settings, from Settings) { to.Windows = from.Windows },
			tighter: func(a, b Settings) bool { return a.Windows != b.Windows && a.Windows.within(b.Windows) },
		},
		{
			name: "freezes", allowed: "a list of freezes", sep: apart,
			list:    func(s *Set) **[]string { return &s.Freezes },
			parse:   func(s *Settings, text string) bool { s.Freezes = freezesOf(text); return true }, // checked one by one
			text:    func(s Settings) string { return cmp.Or(string(s.Freezes), none) },
			copy:    func(to *Settings, from Settings) { to.Freezes = from.Freezes },
			tighter: func(a, b Settings) bool { return a.Freezes != b.Freezes && a.Freezes.include(b.Freezes) },
		},
	}
}

// span is a window or a freeze.
type span interface {
	// holds reports whether the clocks of its zone show a time in it.
	holds(time.Time) bool
	// turn is an instant after this one, before which holds answers as it does now.
	turn(time.Time) time.Time
	String() string
}

// all reads the text of a list. It is wrong where the zones of this process are not those of the one that checked the policy.
func all[S span](text string, read func(string) (S, *Mistake)) (spans []S, wrong bool) {
	if text == "" {
		return nil, false
	}
	for one := range strings.SplitSeq(text, apart) {
		s, m := read(one)
		spans, wrong = append(spans, s), wrong || m != nil
	}
	return spans, wrong
}

func isOpen(windows []window, at time.Time) bool {
	return len(windows) == 0 || slices.ContainsFunc(windows, func(w window) bool { return w.holds(at) })
}

// opens goes from turn to turn until a window is open and nothing is frozen. That comes: a freeze has an end, and a window opens each week.
func opens(at time.Time, windows []window, freezes []freeze) time.Time {
	for {
		frozen := slices.IndexFunc(freezes, func(f freeze) bool { return f.holds(at) })
		switch {
		case frozen >= 0:
			at = freezes[frozen].turn(at)
		case isOpen(windows, at):
			return at.UTC()
		default:
			next := windows[0].turn(at)
			for _, w := range windows[1:] {
				if t := w.turn(at); t.Before(next) {
					next = t
				}
			}
			at = next
		}
	}
}

// turns is the first instant after another at which the clocks of a zone show one of these minutes of the day, or midnight, or are changed. Between
// two changes of the clocks they run as time does, so that it is exact.
func turns(at time.Time, zone *time.Location, minutes ...int) time.Time {
	local := at.In(zone)
	past := time.Duration(minuteOf(local))*time.Minute + time.Duration(local.Second())*time.Second + time.Duration(local.Nanosecond())
	wait := 24*time.Hour - past
	for _, m := range minutes {
		if until := time.Duration(m)*time.Minute - past; until > 0 {
			wait = min(wait, until)
		}
	}
	next := at.Add(wait)
	// Beyond the table of changes Go 1.26 ends a leap year a day early, so that an end may not come after.
	if _, change := local.ZoneBounds(); change.After(at) && change.Before(next) {
		return change
	}
	return next
}

func minuteOf(local time.Time) int { return local.Hour()*60 + local.Minute() }

// windowsOf reads windows that were written, in any order and spelling. What is none is left out: it is a mistake of its own.
func windowsOf(text string) Windows { return Windows(spelled(text, readWindow)) }

func freezesOf(text string) Freezes { return Freezes(spelled(text, readFreeze)) }

func spelled[S span](text string, read func(string) (S, *Mistake)) string {
	var right []string
	for one := range strings.SplitSeq(text, apart) {
		if s, m := read(one); m == nil {
			right = append(right, s.String())
		}
	}
	slices.Sort(right)
	return strings.Join(slices.Compact(right), apart)
}

// calendar checks windows and freezes entry by entry.
func (c *checker) calendar(at string, s Set) {
	spans(c, at+".windows", deref(s.Windows), readWindow)
	spans(c, at+".freezes", deref(s.Freezes), readFreeze)
}

func spans[S span](c *checker, at string, written []string, read func(string) (S, *Mistake)) {
	if len(written) > mostSpans {
		c.mistake(at, fmt.Sprintf("are %d", len(written)), fmt.Sprintf("allowed: up to %d", mostSpans))
		return
	}
	seen := map[string]bool{}
	for i, one := range written {
		place := fmt.Sprintf("%s[%d]", at, i)
		s, m := read(one)
		switch {
		case m != nil:
			c.mistake(place, m.Text, m.Hint)
		case seen[s.String()]:
			c.mistake(place, s.String()+" is in the list already", "allowed: once")
		default:
			seen[s.String()] = true
		}
	}
}

// zoneOf is a zone by its name; false: there is none.
func zoneOf(name string) (*time.Location, bool) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return time.UTC, false
	}
	return zone, true
}

const zones = "allowed: a name of the IANA's time zones, as Europe/Berlin or UTC"
