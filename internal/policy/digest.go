package policy

import (
	"fmt"
	"time"
	_ "time/tzdata" // the Lambda's image has no time zones: ADR 0010
)

// Hours are when digests are due: at a time of each day, in a time zone.
type Hours struct {
	hour, minute int
	zone         *time.Location
}

// String names them, as "09:00 Europe/Berlin".
func (h Hours) String() string { return fmt.Sprintf("%02d:%02d %s", h.hour, h.minute, h.zone) }

// Last is the last instant at which digests were due, until now. On a day whose clocks leave the time out, it is as long after midnight as the
// time would have been.
func (h Hours) Last(now time.Time) time.Time {
	day := now.In(h.zone)
	for back := 0; ; back-- {
		if at := time.Date(day.Year(), day.Month(), day.Day()+back, h.hour, h.minute, 0, 0, h.zone); !at.After(now) {
			return at.UTC()
		}
	}
}

// DigestHours are all that there are, each once: those of everybody first.
func (p *Policy) DigestHours() []Hours {
	all, seen := []Hours{}, map[string]bool{}
	for _, h := range append([]Hours{p.hours}, p.ownHours...) {
		if !seen[h.String()] {
			seen[h.String()] = true
			all = append(all, h)
		}
	}
	return all
}

// DigestHoursOf are those of an owner.
func (p *Policy) DigestHoursOf(owner string) Hours {
	if h, ok := p.owners[owner]; ok {
		return h
	}
	return p.hours
}

// digest checks when digests are due.
func (c *checker) digest(p *Policy, d Digest) {
	p.hours = c.hours("digest", d.At, d.Zone, Hours{hour: 9, zone: time.UTC})
	p.owners = map[string]Hours{}
	for i, o := range d.Owners {
		at := fmt.Sprintf("digest.owners[%d]", i)
		_, twice := p.owners[o.Owner]
		switch {
		case o.Owner == "":
			c.mistake(at+".owner", "is missing", "allowed: an owner, as the tag of its clusters says, or an account")
		case twice:
			c.mistake(at+".owner", fmt.Sprintf("%q has an entry already", o.Owner), "allowed: once")
		case o.At == "" && o.Zone == "":
			c.mistake(at, "says nothing", "allowed: at, zone or both")
		}
		h := c.hours(at, o.At, o.Zone, p.hours)
		p.owners[o.Owner], p.ownHours = h, append(p.ownHours, h)
	}
}

func (c *checker) hours(field, at, zone string, h Hours) Hours {
	if at != "" {
		t, err := time.Parse("15:04", at)
		if err != nil || len(at) != len("15:04") {
			c.mistake(field+".at", fmt.Sprintf("%q is not a time of day", at), `allowed: "00:00" to "23:59"`)
		}
		h.hour, h.minute = t.Hour(), t.Minute()
	}
	if zone != "" {
		loc, ok := zoneOf(zone)
		if !ok {
			c.mistake(field+".zone", fmt.Sprintf("%q is not a time zone", zone), zones)
		}
		h.zone = loc
	}
	return h
}
