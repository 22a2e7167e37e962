package policy_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/policy"
)

func withCalendar(t *testing.T, windows, freezes []string) policy.Settings {
	t.Helper()
	return compile(t, document(policy.Set{Windows: &windows, Freezes: &freezes})).For(prod(), nil)
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// A window is open while the clocks of its zone show a time in it: what they leave out is never shown, and what comes twice is shown twice.
// In 2026 the clocks are set in Berlin on 29 March and 25 October, in New York on 8 March and 1 November, and on Lord Howe Island, by half an
// hour, on 5 April (back) and 4 October (forward).
func TestUpdatesMayStartWhileAWindowIsOpenAndNothingIsFrozen(t *testing.T) {
	only := func(list ...string) []string { return list }
	for name, c := range map[string]struct {
		windows, freezes []string
		now, opens       string // opens is the same as now where it is open
	}{
		"nothing is said": {nil, nil, "2026-03-02T03:00:00Z", "2026-03-02T03:00:00Z"},

		"it opens with its first second":      {only("Mon 09:00-16:00"), nil, "2026-03-02T08:59:59Z", "2026-03-02T09:00:00Z"},
		"it is open in its first second":      {only("Mon 09:00-16:00"), nil, "2026-03-02T09:00:00Z", "2026-03-02T09:00:00Z"},
		"it is open in its last second":       {only("Mon 09:00-16:00"), nil, "2026-03-02T15:59:59Z", "2026-03-02T15:59:59Z"},
		"its end is not in it":                {only("Mon 09:00-16:00"), nil, "2026-03-02T16:00:00Z", "2026-03-09T09:00:00Z"},
		"a part of a second is waited for":    {only("Mon 09:00-16:00"), nil, "2026-03-02T08:59:59.5Z", "2026-03-02T09:00:00Z"},
		"days over the weekend":               {only("Fri-Mon 09:00-16:00"), nil, "2026-03-03T09:00:00Z", "2026-03-06T09:00:00Z"},
		"two days and no others":              {only("Mon,Thu 09:00-16:00"), nil, "2026-03-02T17:00:00Z", "2026-03-05T09:00:00Z"},
		"the whole day ends at midnight":      {only("Mon 00:00-24:00"), nil, "2026-03-03T00:00:00Z", "2026-03-09T00:00:00Z"},
		"an end at midnight may be written 0": {only("Mon 22:00-00:00"), nil, "2026-03-02T23:59:00Z", "2026-03-02T23:59:00Z"},
		"of two windows the next one":         {only("Fri 09:00-16:00", "Tue 12:00-13:00"), nil, "2026-03-02T12:00:00Z", "2026-03-03T12:00:00Z"},

		"over midnight it belongs to the day on which it begins": {only("Mon 22:00-04:00"), nil, "2026-03-03T03:59:00Z", "2026-03-03T03:59:00Z"},
		"and not to the day on which it ends":                    {only("Mon 22:00-04:00"), nil, "2026-03-02T03:59:00Z", "2026-03-02T22:00:00Z"},
		"from Sunday to Monday":                                  {only("Sun 22:00-04:00"), nil, "2026-03-02T03:59:00Z", "2026-03-02T03:59:00Z"},

		"in Berlin it is an hour earlier":               {only("Mon 09:00-16:00 Europe/Berlin"), nil, "2026-03-02T07:00:00Z", "2026-03-02T08:00:00Z"},
		"and two in summer":                             {only("Mon 09:00-16:00 Europe/Berlin"), nil, "2026-07-06T05:00:00Z", "2026-07-06T07:00:00Z"},
		"Monday comes first where the day begins first": {only("Mon 00:00-01:00 Pacific/Auckland"), nil, "2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z"},

		"Berlin leaves out the whole window: a week later":  {only("Sun 02:00-03:00 Europe/Berlin"), nil, "2026-03-28T12:00:00Z", "2026-04-05T00:00:00Z"},
		"Berlin leaves out its beginning: it opens with 03": {only("Sun 02:30-04:00 Europe/Berlin"), nil, "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"},
		"Berlin shows it for the first time":                {only("Sun 02:00-02:30 Europe/Berlin"), nil, "2026-10-24T12:00:00Z", "2026-10-25T00:00:00Z"},
		"Berlin shows it for the second time":               {only("Sun 02:00-02:30 Europe/Berlin"), nil, "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z"},
		"Berlin shows it twice, and not thrice":             {only("Sun 02:00-02:30 Europe/Berlin"), nil, "2026-10-25T01:30:00Z", "2026-11-01T01:00:00Z"},
		"Berlin sets the clocks back in the middle of it":   {only("Sun 02:15-03:00 Europe/Berlin"), nil, "2026-10-25T01:05:00Z", "2026-10-25T01:15:00Z"},

		"New York leaves out its beginning":      {only("Sun 02:30-04:00 America/New_York"), nil, "2026-03-08T00:00:00Z", "2026-03-08T07:00:00Z"},
		"New York shows it for the second time":  {only("Sun 01:00-01:30 America/New_York"), nil, "2026-11-01T05:30:00Z", "2026-11-01T06:00:00Z"},
		"New York's night, over the change":      {only("Sat 22:00-04:00 America/New_York"), nil, "2026-03-08T07:59:00Z", "2026-03-08T07:59:00Z"},
		"and its end, an hour earlier than ever": {only("Sat 22:00-04:00 America/New_York"), nil, "2026-03-08T08:00:00Z", "2026-03-15T02:00:00Z"},

		"Lord Howe leaves out half an hour":                          {only("Sun 02:00-02:45 Australia/Lord_Howe"), nil, "2026-10-03T12:00:00Z", "2026-10-03T15:30:00Z"},
		"Lord Howe leaves out the whole window":                      {only("Sun 02:00-02:30 Australia/Lord_Howe"), nil, "2026-10-03T15:30:00Z", "2026-10-10T15:00:00Z"},
		"Lord Howe shows it for the second time, half an hour on":    {only("Sun 01:30-01:45 Australia/Lord_Howe"), nil, "2026-04-04T14:45:00Z", "2026-04-04T15:00:00Z"},
		"Lord Howe shows the end of it again while it is open still": {only("Sun 01:00-02:00 Australia/Lord_Howe"), nil, "2026-04-04T15:29:00Z", "2026-04-04T15:29:00Z"},

		"a freeze begins with its first date":      {nil, only("2026-12-18 to 2027-01-06"), "2026-12-17T23:59:59Z", "2026-12-17T23:59:59Z"},
		"its last date is in it":                   {nil, only("2026-12-18 to 2027-01-06"), "2027-01-06T12:00:00Z", "2027-01-07T00:00:00Z"},
		"a freeze of one date":                     {nil, only("2026-12-24"), "2026-12-24T00:00:00Z", "2026-12-25T00:00:00Z"},
		"dates are those of its zone":              {nil, only("2026-12-24 Europe/Berlin"), "2026-12-23T23:00:00Z", "2026-12-24T23:00:00Z"},
		"a freeze that ends into another":          {nil, only("2026-12-24 to 2026-12-26", "2026-12-27 to 2027-01-01"), "2026-12-25T00:00:00Z", "2027-01-02T00:00:00Z"},
		"and one in a zone further west":           {nil, only("2026-12-24", "2026-12-25 America/New_York"), "2026-12-24T12:00:00Z", "2026-12-25T00:00:00Z"},
		"a freeze over the change of the clocks":   {nil, only("2026-03-28 to 2026-03-29 Europe/Berlin"), "2026-03-28T12:00:00Z", "2026-03-29T22:00:00Z"},
		"midnight that Beirut leaves out":          {nil, only("2026-03-28 Asia/Beirut"), "2026-03-28T12:00:00Z", "2026-03-28T22:00:00Z"},
		"a freeze wins over an open window":        {only("Mon-Sun 09:00-16:00"), only("2026-03-02"), "2026-03-02T10:00:00Z", "2026-03-03T09:00:00Z"},
		"a window that is open when a freeze ends": {only("Mon-Sun 22:00-04:00"), only("2026-03-02"), "2026-03-02T10:00:00Z", "2026-03-03T00:00:00Z"},
		"windows that a freeze covers are skipped": {only("Mon 09:00-16:00 Europe/Berlin"), only("2026-12-18 to 2027-01-06 Europe/Berlin"), "2026-12-15T00:00:00Z", "2027-01-11T08:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			s, now := withCalendar(t, c.windows, c.freezes), instant(t, c.now)
			if got := s.Opens(now); !got.Equal(instant(t, c.opens)) {
				t.Errorf("opens at %s, want %s", got.Format(time.RFC3339), c.opens)
			}
			if may := s.Windows.Open(now) && s.Freezes.Thaws(now).Equal(now); may != (c.now == c.opens) {
				t.Errorf("may an update start? %v", may)
			}
		})
	}
}

// Minute by minute, what the clocks show is compared with what is written, and the first minute in which an update may start with Opens.
func TestTheNextOpeningIsTheFirstMinuteInWhichTheClocksShowIt(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	later, frozen, back := 0, 0, 0
	for range 300 {
		zone := []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut", "Asia/Kolkata"}[r.IntN(6)]
		change := []string{"2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01"}[r.IntN(6)]
		at := instant(t, change+"T00:00:00Z").Add(time.Duration(r.IntN(3*24*60)-2*24*60) * time.Minute)
		names := []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}
		first, days, from, long := r.IntN(7), 1+r.IntN(3), r.IntN(24*60), 10+r.IntN(10*60)
		last := names[(first+days-1)%7]
		window := fmt.Sprintf("%s-%s %02d:%02d-%02d:%02d %s", names[first], last, from/60, from%60, (from+long)/60%24, (from+long)%60, zone)
		freeze := change + " " + zone
		s := withCalendar(t, []string{window}, []string{freeze})
		local, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		may := func(at time.Time) bool {
			shown := at.In(local)
			if shown.Format(time.DateOnly) == change {
				frozen++
				return false
			}
			for i := range days {
				begun := shown.Weekday().String()[:3] == names[(first+i)%7]
				yesterday := shown.AddDate(0, 0, -1).Weekday().String()[:3] == names[(first+i)%7]
				minute := shown.Hour()*60 + shown.Minute()
				if begun && minute >= from && minute < from+long || yesterday && minute+24*60 < from+long {
					return true
				}
			}
			return false
		}
		want := at
		for !may(want) {
			want = want.Add(time.Minute)
		}
		if got := s.Opens(at); !got.Equal(want) {
			t.Fatalf("%s, frozen on %s: at %s it opens at %s, want %s", window, freeze, at, got, want)
		}
		if want.After(at) {
			later++
		}
		if _, off := want.In(local).Zone(); off != func() int { _, o := at.In(local).Zone(); return o }() {
			back++
		}
	}
	if later < 100 || frozen < 100 || back < 20 {
		t.Errorf("%d openings were to come, %d minutes were frozen, %d openings were beyond a change of the clocks: it was hardly tried", later, frozen, back)
	}
}

func TestACalendarHasOneSpelling(t *testing.T) {
	s := withCalendar(t, []string{"Tue,mon,WED 22:00-00:00", "Fri-Mon 09:00-16:00  Europe/Berlin"}, []string{"2027-01-01", "2026-12-24 to 2026-12-26 UTC"})
	if s.Windows != "Mon,Fri-Sun 09:00-16:00 Europe/Berlin; Mon-Wed 22:00-24:00 UTC" || s.Freezes != "2026-12-24 to 2026-12-26 UTC; 2027-01-01 to 2027-01-01 UTC" {
		t.Errorf("windows %q, freezes %q", s.Windows, s.Freezes)
	}
}

// A rule that selects by tags takes effect where it leaves updates less time.
func TestTagsOnlyTightenTheCalendar(t *testing.T) {
	day, night, later := "Mon-Fri 09:00-16:00 UTC", "Mon-Sun 22:00-04:00 UTC", "Sat-Sun 00:00-24:00 UTC"
	xmas, easter := "2026-12-18 to 2027-01-06 UTC", "2026-04-03 to 2026-04-06 UTC"
	list := func(l ...string) *[]string { return &l }
	for name, c := range map[string]struct {
		defaults, tagged policy.Set
		windows, freezes string
	}{
		"a window where there is none":             {policy.Set{}, policy.Set{Windows: list(day)}, day, ""},
		"one of the windows that there are":        {policy.Set{Windows: list(day, night)}, policy.Set{Windows: list(night)}, night, ""},
		"another window is not tighter":            {policy.Set{Windows: list(day)}, policy.Set{Windows: list(night)}, day, ""},
		"one of them and another is not either":    {policy.Set{Windows: list(day, night)}, policy.Set{Windows: list(day, later)}, day + "; " + night, ""},
		"a freeze where there is none":             {policy.Set{}, policy.Set{Freezes: list(xmas)}, "", xmas},
		"all freezes that there are, and one more": {policy.Set{Freezes: list(xmas)}, policy.Set{Freezes: list(xmas, easter)}, "", easter + "; " + xmas},
		"another freeze is not tighter":            {policy.Set{Freezes: list(xmas)}, policy.Set{Freezes: list(easter)}, "", xmas},
	} {
		t.Run(name, func(t *testing.T) {
			p := compile(t, document(c.defaults, policy.Rule{Name: "a", Match: tagged("env", "prod"), Set: c.tagged}))
			if s := p.For(prod(), map[string]string{"env": "prod"}); string(s.Windows) != c.windows || string(s.Freezes) != c.freezes {
				t.Errorf("windows %q, freezes %q", s.Windows, s.Freezes)
			}
		})
	}
	for _, set := range []policy.Set{{Windows: list()}, {Freezes: list()}} {
		rule := policy.Rule{Name: "a", Match: tagged("env", "prod"), Set: set}
		if _, err := policy.Compile(document(policy.Set{}, rule)); err == nil || !strings.Contains(err.Error(), "can only loosen") {
			t.Errorf("%+v: %v", set, err)
		}
	}
}

func TestALongCalendarIsQuick(t *testing.T) {
	var windows, freezes []string
	for i := range 20 {
		windows = append(windows, fmt.Sprintf("Sun 02:%02d-02:%02d Australia/Lord_Howe", i, i+10))
		freezes = append(freezes, fmt.Sprintf("%d-01-01 to %d-12-31 Asia/Beirut", 2026+i, 2026+i))
	}
	s := withCalendar(t, windows, slices.Compact(freezes))
	if at := s.Opens(instant(t, "2026-01-01T12:00:00Z")); at.Year() != 2046 {
		t.Errorf("opens at %s", at)
	}
}
