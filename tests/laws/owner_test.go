package laws_test

import (
	"maps"
	"slices"

	"github.com/cniguard/cniguard/internal/cluster"
)

// owner is law 10: what a tool is known to own, by tags or because it changed it last, is not updated behind its back, and what nobody is known to own is updated
// automatically only where the policy says that cniguard owns it.
func owner(s *stage) law {
	const name = "Owner"
	owned := func(tags map[string]string) bool {
		return slices.ContainsFunc(ownerTags(), func(mark map[string]string) bool { return maps.Equal(mark, tags) })
	}
	return law{name: name, asked: func(id cluster.ID, u *ask) {
		a, when := s.clusters[id], u.at.Add(-lately)
		if a.addon.all(when, func(a addon) bool { return owned(a.Tags) }) {
			s.breaks(name, id, "an update to %s, but the add-on is tagged %v", u.to, a.addon.now().Tags)
		}
		if a.tags.all(when, owned) {
			s.breaks(name, id, "an update to %s, but the cluster is tagged %v", u.to, a.tags.now())
		}
		if by := s.tool(id, u.at); by != "" {
			s.breaks(name, id, "an update to %s, but %s updated it last", u.to, by)
		}
		if a.tags.all(when, func(tags map[string]string) bool {
			st := settingsOf(s.doc, id, tags)
			return st.mode == "auto" && !st.owned
		}) {
			s.breaks(name, id, "an automatic update to %s, but nobody is known to own the add-on", u.to)
		}
	}}
}
