package laws_test

import (
	"slices"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/world"
)

// answer draws what people say of findings: they mute and acknowledge them, and take it back.
func (s *scene) answer(d dice, trouble time.Duration) {
	if s.calm || !d.chance(.3) {
		return
	}
	for range d.number(1, 4) {
		c := pick(d, s.spec.Clusters...)
		o := world.Order{
			At: d.span(time.Minute, trouble-time.Minute), Kind: pick(d, world.Mute, world.Mute, world.Ack, world.Unmute), By: pick(d, "ann", "bob"), Because: "the laws",
			Account: c.Account, Region: c.Region, Name: c.Name, Finding: pick(d, "capacity-low", "capacity-low", "version-outdated", "addon-unhealthy"),
		}
		if o.Kind != world.Unmute {
			o.For = pick(d, 30*time.Minute, 2*time.Hour, 48*time.Hour)
		}
		s.spec.Orders = append(s.spec.Orders, o)
	}
}

// word is the newest of people's words on a finding that holds at an instant; empty: there is none, or it was taken back. A person's newer word
// takes the place of their older one, also when it has ended.
func (s *stage) word(id cluster.ID, finding string, at time.Time) world.OrderKind {
	given := s.orders(id, at)
	kind := world.OrderKind("")
	for i, o := range given {
		mine := func(later world.Order) bool { return later.By == o.By && later.Finding == o.Finding }
		if o.Finding == finding && !slices.ContainsFunc(given[i+1:], mine) && (o.Kind == world.Unmute || at.Before(start.Add(o.At+o.For))) {
			kind = o.Kind
		}
	}
	if kind == "" && s.exempts(id, finding, at) {
		return world.Mute // the policy's word is older than any person's
	}
	return kind
}

// muted reports whether a finding was muted at an instant, and long enough before for everybody to know.
func (s *stage) muted(id cluster.ID, finding string, at time.Time) bool {
	for t := at.Add(-lately); !t.After(at); t = t.Add(time.Minute) {
		if s.word(id, finding, t) != world.Mute {
			return false
		}
	}
	return true
}

// checkSilence checks that nobody is told of what is muted, but that it is over. Who could not read the orders does not know that it is.
func (s *stage) checkSilence(law string, letters []*letter) {
	if s.isCrippled() {
		return
	}
	for _, l := range letters {
		deaf := slices.ContainsFunc(s.deaf, func(at time.Time) bool { return at.Sub(l.At).Abs() < time.Minute })
		if !deaf && s.muted(l.id(), l.Finding, l.At) {
			s.tally["messages of what is muted"]++
			if !l.ends() {
				s.breaks(law, l.id(), "%s of %s (%s) is told at %s, and it was muted", l.News, l.Finding, l.Severity, l.At.Format("15:04:05"))
			}
		}
	}
}
