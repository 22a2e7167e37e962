package laws_test

import (
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/world"
)

// oneStep is law 4: at most one update of ours in flight per cluster, and none of anybody else's that could be seen; one minor version a step where one is compatible; never
// down; never to a release that is not listed as compatible, or known bad. What people are told to do by hand is no other way.
func oneStep(s *stage) law {
	const name = "One step"
	return law{
		name:  name,
		saved: s.handed(name),
		asked: func(id cluster.ID, u *ask) {
			if !u.call.Effect && slices.ContainsFunc(s.run.World.Updates(id), func(o world.Update) bool {
				return strings.HasSuffix(o.By, ":role/cniguard-updater") && o.Status == "InProgress"
			}) {
				s.breaks(name, id, "a second update, to %s, while one of ours is in flight", u.to)
			}
			for _, o := range s.run.World.Updates(id) {
				if o.Status == "InProgress" && !strings.HasSuffix(o.By, ":role/cniguard-updater") && o.Created.Before(u.at.Add(-lately)) {
					s.breaks(name, id, "an update to %s, while that of %s is open", u.to, o.By)
				}
			}
			to, known := read(u.to)
			switch {
			case !known || to.bad():
				s.breaks(name, id, "an update to %s, which is known to be bad, or no release", u.to)
			case !s.clusters[id].state.any(u.at.Add(-lately), func(st state) bool {
				return slices.Contains(compatible(s.spec.Catalogues[st.kubernetes]), to)
			}):
				s.breaks(name, id, "an update to %s, which is not compatible with Kubernetes %s", u.to, s.clusters[id].state.now().kubernetes)
			case s.imageless(id, u):
				s.breaks(name, id, "an update to %s, which arm64 nodes of the cluster have no image of", u.to)
			}
		},
		started: func(id cluster.ID, u *ask) {
			// Somebody else may have moved the add-on in between.
			if !s.clusters[id].addon.any(u.at.Add(-lately), func(was addon) bool { return s.isStep(id, was.Version, u.to) }) {
				s.breaks(name, id, "an update from %s to %s is no step", u.before.Version, u.to)
			}
		},
	}
}

// imageless reports whether nodes that ran before an update was decided have no image of its version.
func (s *stage) imageless(id cluster.ID, u *ask) bool {
	c, at := s.clusters[id], u.at.Sub(start)
	for _, i := range c.Instances {
		if i.Type == graviton && i.From < at-lately && (i.Until == 0 || i.Until > at) {
			s.tally["updates beside nodes of arm64"]++
			return slices.ContainsFunc(s.spec.Catalogues[c.state.now().kubernetes], func(v world.Catalogue) bool {
				return v.Version == u.to && v.Architectures != nil && !slices.Contains(v.Architectures, "arm64")
			})
		}
	}
	return false
}

// isStep reports whether a way is up, and to the next minor version that has a good release.
func (s *stage) isStep(id cluster.ID, from, to string) bool {
	a, known := read(from)
	b, _ := read(to)
	if !known || !a.below(b) || a[0] != b[0] {
		return false
	}
	return s.clusters[id].state.any(start, func(st state) bool {
		return !slices.ContainsFunc(compatible(s.spec.Catalogues[st.kubernetes]), func(r release) bool {
			return r[1] > a[1] && r[1] < b[1] && !r.bad()
		})
	})
}
