package laws_test

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/world"
)

// hint is law 1: no decision rests on an event's content. Here: what is not understood, and what nobody may ask for, makes no
// call at all, and what is malformed ends in the failure queue with its error. That events only speed things up is told by
// playing a calm scene otherwise; see hold.
func hint(s *stage) law {
	const name = "Hint"
	idle := map[string]string{} // request id → why it must not do anything
	probes := map[string]bool{} // request id: it may leave a note, and do nothing else
	return law{
		name: name,
		entry: func(e world.Entry) {
			if e.Kind != world.Invoked {
				return
			}
			t := e.Data.(world.Try)
			if slices.ContainsFunc(s.raw, func(e rawEvent) bool { return e.probe && e.text == string(t.Event) }) {
				probes[t.Request] = true
				s.tally["probes"]++
				return
			}
			if why := s.meaningless(t.Event); why != "" {
				idle[t.Request] = why
				s.tally["events that mean nothing"]++
			}
		},
		called: func(c *world.Call, _ *work) {
			if why := idle[c.Invocation]; why != "" {
				s.breaks(name, cluster.ID{}, "an event that %s led to a call: %s", why, c)
			}
			if probes[c.Invocation] && !isNote(c) {
				s.breaks(name, cluster.ID{}, "a probe led to more than its note: %s", c)
			}
		},
		end: func() {
			for _, e := range s.raw {
				if s.run.Now().Sub(start) > e.at+lately*5 {
					s.hintKept(name, e)
				}
			}
		},
	}
}

// isNote reports whether a call writes that a probe arrived.
func isNote(c *world.Call) bool {
	all := requests(c)
	return len(all) == 1 && all[0].Action == "dynamodb:PutItem" && slices.Equal(all[0].Context["dynamodb:LeadingKeys"], []string{doctorKey})
}

// meaningless says why an event must lead to nothing; empty: it may.
func (s *stage) meaningless(event []byte) string {
	for _, e := range s.raw {
		switch {
		case e.text != string(event):
		case e.malformed:
			return "is malformed"
		default:
			return "is none of cniguard's business"
		}
	}
	if bytes.Contains(event, []byte(`"account":"`+strayAccount+`","time"`)) {
		return "comes from an account outside of the fleet"
	}
	if bytes.Contains(event, []byte(probed)) { // the hub's are above
		return "is a probe, and not the hub's"
	}
	if bytes.Contains(event, []byte(`"detail-type":"Sweep"`)) && !bytes.Contains(event, []byte(`"account":"`+hubAccount+`"`)) {
		return "asks for a sweep and is not from the hub"
	}
	return ""
}

// hintKept checks where an event that should never have arrived ended up.
func (s *stage) hintKept(law string, e rawEvent) {
	i := slices.IndexFunc(s.run.World.FailureQueue(), func(f world.Failure) bool { return string(f.Event) == e.text })
	switch {
	case e.probe: // it is one where the ledger failed three times
	case !e.malformed && i >= 0:
		s.breaks(law, cluster.ID{}, "an event that is none of cniguard's business was an error: %s", s.run.World.FailureQueue()[i].Error)
	case e.malformed && i < 0:
		s.breaks(law, cluster.ID{}, "a malformed event is not in the failure queue: %s", e.text)
	case e.malformed && s.run.World.FailureQueue()[i].Error == "":
		s.breaks(law, cluster.ID{}, "a malformed event is in the failure queue without its error: %s", e.text)
	}
}

// ends is how the updates of a scene went: of each cluster the add-on's last version, and those that we moved it to.
func (s *stage) ends() map[cluster.ID]string {
	all := map[cluster.ID]string{}
	for id := range s.clusters {
		a, _ := s.run.World.Addon(id)
		all[id] = fmt.Sprintf("%s %s", a.Version, a.Status)
	}
	return all
}

// holdHint plays a calm scene without its events, and with all of them twice. The add-ons must end at the same versions, and
// by as many updates.
func (s *stage) holdHint(t twist) error {
	t.watch = nil
	for what, change := range map[string]func(*world.Behaviour){
		"without events": func(b *world.Behaviour) { b.EventsLost, b.EventsDoubled, b.InvocationsDoubled = 1, 0, 0 },
		"with events":    func(b *world.Behaviour) { b.EventsLost, b.EventsDoubled, b.InvocationsDoubled = 0, 0, 0 },
		"twice":          func(b *world.Behaviour) { b.EventsLost, b.EventsDoubled, b.InvocationsDoubled = 0, .4, .4 },
	} {
		other := s.scene
		change(&other.spec.Behaviour)
		o, err := play(other, t)
		if err != nil {
			return err
		}
		s.broken = append(s.broken, o.broken...)
		s.tally["calm scenes played otherwise"]++
		for id, end := range s.ends() {
			if other := o.ends()[id]; other != end {
				s.breaks("Hint", id, "it ends at %s, and %s at %s", end, what, other)
			}
		}
	}
	return nil
}
