package laws_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/policy"
	"github.com/cniguard/cniguard/internal/world"
)

// calendarEdges are when a policy lets updates start, and whom it exempts from them. The first day of every scene is a Monday.
func calendarEdges() []edge {
	return []edge{
		{name: "windows", set: (*scene).drawWindows, is: func(s *scene) bool { return s.doc.Defaults.Windows != nil }},
		{name: "a freeze", set: func(s *scene, d dice, _ time.Duration) {
			first := start.AddDate(0, 0, d.number(-2, 1))
			freeze := first.Format(time.DateOnly) + " to " + first.AddDate(0, 0, d.number(0, 3)).Format(time.DateOnly) + " " + pick(d, calendarZones()...)
			s.doc.Defaults.Freezes = &[]string{freeze}
		}, is: func(s *scene) bool { return s.doc.Defaults.Freezes != nil }},
		{name: "exemptions", set: (*scene).exempt, is: func(s *scene) bool { return s.doc.Exemptions != nil }},
	}
}

func calendarZones() []string { return []string{"UTC", "Asia/Kolkata", "America/New_York"} }

// offset is how far the clocks of a zone are from UTC: New York's were set on 8 March 2026, at 7 o'clock UTC.
func offset(zone string, at time.Time) time.Duration {
	switch {
	case zone == "Asia/Kolkata":
		return 5*time.Hour + 30*time.Minute
	case zone == "America/New_York" && at.Before(time.Date(2026, 3, 8, 7, 0, 0, 0, time.UTC)):
		return -5 * time.Hour
	case zone == "America/New_York":
		return -4 * time.Hour
	}
	return 0
}

// drawWindows lets updates start at some time of the scene, of each day or of some days.
func (s *scene) drawWindows(d dice, trouble time.Duration) {
	zone := pick(d, calendarZones()...)
	at := start.Add(d.span(0, trouble)).Add(offset(zone, start))
	windows := []string{fmt.Sprintf("%s %s-%s %s", pick(d, "Mon-Sun", "Mon-Sun", "Mon", "Tue-Sun", "Wed,Sat-Mon"),
		at.Format("15:04"), at.Add(d.span(10*time.Minute, 5*time.Hour)).Format("15:04"), zone)}
	s.doc.Defaults.Windows = &windows
}

// exempt draws exemptions by clusters, accounts and tags: some that are over, that end in the course of a scene, and soon after.
func (s *scene) exempt(d dice, _ time.Duration) {
	c := pick(d, s.spec.Clusters...)
	for i := range d.number(1, 2) {
		e := policy.Exemption{Owner: fmt.Sprintf("owner-%d", i), Because: "the laws", Until: pick(d, "2026-03-01", "2026-03-02", "2026-03-05", "2026-03-20", "2026-12-31")}
		switch d.IntN(3) {
		case 0:
			e.Match.Clusters = []string{c.Name}
		case 1:
			e.Match.Accounts = []string{s.doc.Fleet[0].Account}
		default:
			e.Match.Tags = map[string]string{"risk": "high"}
		}
		if e.Match.Tags == nil && d.chance(.5) {
			e.Findings = []string{"version-outdated"}
		}
		s.doc.Exemptions = append(s.doc.Exemptions, e)
	}
}

// untimely is why no update may start at an instant, by the windows and the freezes of the document; empty: one may.
func (s *stage) untimely(at time.Time) string {
	if f := s.doc.Defaults.Freezes; f != nil && slices.ContainsFunc(*f, func(text string) bool { return isFrozen(text, at) }) {
		return "updates were frozen"
	}
	if w := s.doc.Defaults.Windows; w != nil && !slices.ContainsFunc(*w, func(text string) bool { return isOpenAt(text, at) }) {
		return "no window was open"
	}
	return ""
}

// isFrozen reads "2026-03-02 to 2026-03-04 UTC".
func isFrozen(text string, at time.Time) bool {
	w := strings.Fields(text)
	today := at.Add(offset(w[3], at)).UTC().Format(time.DateOnly)
	return w[0] <= today && today <= w[2]
}

// isOpenAt reads "Wed,Sat-Mon 22:00-04:00 UTC", minute by minute of the week.
func isOpenAt(text string, at time.Time) bool {
	w := strings.Fields(text)
	var fromHour, fromMinute, toHour, toMinute int
	if _, err := fmt.Sscanf(w[1], "%d:%d-%d:%d", &fromHour, &fromMinute, &toHour, &toMinute); err != nil {
		return false
	}
	from, to := fromHour*60+fromMinute, toHour*60+toMinute
	if to <= from {
		to += 24 * 60
	}
	shown := at.Add(offset(w[2], at)).UTC()
	for back := range 2 {
		begun := shown.AddDate(0, 0, -back)
		minute := shown.Hour()*60 + shown.Minute() + back*24*60
		if named(w[0], begun.Weekday()) && from <= minute && minute < to {
			return true
		}
	}
	return false
}

// named reports whether a day of the week is among "Wed,Sat-Mon".
func named(days string, day time.Weekday) bool {
	const week = "SunMonTueWedThuFriSatSunMonTueWedThuFriSat"
	for run := range strings.SplitSeq(days, ",") {
		first, last, several := strings.Cut(run, "-")
		if !several {
			last = first
		}
		from := strings.Index(week, first)
		to := from + strings.Index(week[from:], last)
		if strings.Contains(week[from:to+3], day.String()[:3]) {
			return true
		}
	}
	return false
}

// exemption is that of a cluster with these tags at an instant: of those that name it the one that ends last; false: none holds.
func (s *stage) exemption(id cluster.ID, tags map[string]string, at time.Time) (last policy.Exemption, holds bool) {
	for _, e := range s.doc.Exemptions {
		if selects(e.Match, id, tags) && e.Until > last.Until {
			last = e
		}
	}
	return last, at.UTC().Format(time.DateOnly) <= last.Until
}

// exempts reports whether the policy mutes a finding of a cluster. An exemption by tags mutes nothing.
func (s *stage) exempts(id cluster.ID, finding string, at time.Time) bool {
	tags := map[string]string(nil)
	if a := s.clusters[id]; a != nil {
		tags = a.tags.now()
	}
	e, holds := s.exemption(id, tags, at)
	return holds && slices.Contains(e.Findings, finding)
}

// punctual is the part of law 3 that is about when an update starts, and about clusters that are exempt. What an update rests on may have been read
// a little earlier.
func (s *stage) punctual(law string, id cluster.ID, u *ask) {
	why, by := "", ""
	for at := u.at; !at.Before(u.at.Add(-lately)); at = at.Add(-lately / 6) {
		if why = s.untimely(at); why == "" {
			break
		}
	}
	if !s.clusters[id].tags.any(u.at.Add(-lately), func(tags map[string]string) bool {
		e, holds := s.exemption(id, tags, u.at)
		by = e.Owner
		return !holds
	}) {
		s.breaks(law, id, "an update to %s, but %s exempted the cluster", u.to, by)
	}
	if why != "" {
		s.breaks(law, id, "an update to %s, but %s", u.to, why)
	}
	if s.doc.Defaults.Windows != nil || s.doc.Defaults.Freezes != nil {
		s.tally["updates in a window, and in no freeze"]++
	}
}

// endsSoon says whether people should know that a cluster's exemption ends.
func (s *stage) endsSoon(a *actual) must {
	e, holds := s.exemption(a.id, a.tags.now(), s.run.Now())
	if soon := s.run.Now().AddDate(0, 0, 14).Format(time.DateOnly); holds && e.Until < soon {
		return openNow
	} else if holds && e.Until == soon {
		return either
	}
	return closedNow
}

func defectsOfCalendar() []defect {
	forget := func(change func(*policy.Document)) twist {
		return twist{policy: func(doc policy.Document) policy.Document {
			change(&doc)
			return doc
		}}
	}
	return []defect{
		{law: "Closed", name: "a policy without its windows", plant: forget(func(doc *policy.Document) { doc.Defaults.Windows = nil }),
			where: func(s *scene) { s.doc.Defaults.Windows = &[]string{"Thu-Fri 09:00-16:00 Asia/Kolkata"} }, sees: "no window was open"},
		{law: "Closed", name: "a policy without its freezes", plant: forget(func(doc *policy.Document) { doc.Defaults.Freezes = nil }),
			where: func(s *scene) { s.doc.Defaults.Freezes = &[]string{"2026-03-02 to 2026-03-04 UTC"} }, sees: "updates were frozen"},
		{law: "Closed", name: "a policy without its exemptions", plant: forget(func(doc *policy.Document) { doc.Exemptions = nil }),
			where: func(s *scene) {
				s.doc.Exemptions = nil
				for _, c := range s.spec.Clusters {
					s.doc.Exemptions = append(s.doc.Exemptions, policy.Exemption{Match: policy.Match{Clusters: []string{c.Name}}, Owner: "a", Because: "b", Until: "2026-12-31"})
				}
			}, sees: "exempted the cluster"},
		{law: "Told", name: "a policy that mutes nothing", plant: forget(func(doc *policy.Document) {
			doc.Exemptions = slices.Clone(doc.Exemptions)
			for i := range doc.Exemptions {
				doc.Exemptions[i].Findings = nil
			}
		}), where: func(s *scene) {
			match := policy.Match{Accounts: []string{s.doc.Fleet[0].Account}}
			s.doc.Exemptions = []policy.Exemption{{Match: match, Findings: []string{"version-outdated"}, Owner: "a", Because: "b", Until: "2026-12-31"}}
			s.spec.Orders = slices.DeleteFunc(slices.Clone(s.spec.Orders), func(o world.Order) bool { return o.Finding != "" })
		}, sees: "and it was muted"},
	}
}
