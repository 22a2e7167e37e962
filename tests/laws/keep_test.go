package laws_test

import (
	"slices"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/world"
)

// keep is law 5: role, pod identities and configuration survive every update of ours, whatever EKS does with what is left out;
// and so do fields that somebody else set in the cluster.
func keep(s *stage) law {
	const name = "Keep"
	ours := map[cluster.ID]*ask{}   // the last update, where it is ours
	had := map[cluster.ID][]addon{} // what the product may have read before it
	return law{
		name: name,
		started: func(id cluster.ID, u *ask) {
			ours[id], had[id] = u, slices.Clone(s.clusters[id].addon.since(u.at.Add(-lately)))
		},
		entry: func(e world.Entry) {
			if u, ok := e.Data.(world.Update); ok && ours[e.Cluster] != nil && u.ID != ours[e.Cluster].update.ID {
				delete(ours, e.Cluster) // somebody else's
			}
			is, ok := e.Data.(world.Addon)
			u := ours[e.Cluster]
			switch {
			case !ok || u == nil:
				return
			case is.Status == "CREATING" || is.Status == "DELETING": // another add-on comes
				delete(ours, e.Cluster)
				return
			}
			s.tally["add-ons seen after an update"]++
			was := had[e.Cluster]
			switch {
			case !slices.ContainsFunc(was, func(a addon) bool { return a.Role == is.Role }):
				s.breaks(name, e.Cluster, "the update to %s changed the role from %q to %q", u.to, u.before.Role, is.Role)
			case !slices.ContainsFunc(was, func(a addon) bool { return a.Configuration == is.Configuration }):
				s.breaks(name, e.Cluster, "the update to %s changed the configuration", u.to)
			case !slices.Equal(is.PodIdentities, u.before.PodIdentities):
				s.breaks(name, e.Cluster, "the update to %s changed the pod identities from %q to %q", u.to, u.before.PodIdentities, is.PodIdentities)
			case !slices.Equal(is.Conflicts, u.before.Conflicts):
				s.breaks(name, e.Cluster, "the update to %s reset what others had set: %q", u.to, u.before.Conflicts)
			}
			if is.Status != "UPDATING" {
				delete(ours, e.Cluster)
			}
		},
	}
}
