package laws_test

import (
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/world"
)

// proof is law 6: "updated" is said only after the update is Successful and the add-on was ACTIVE at that version.
func proof(s *stage) law {
	const name = "Proof"
	done := map[string]bool{} // ids of updates that were successful
	started := map[cluster.ID][]*ask{}
	return law{
		name:    name,
		started: func(id cluster.ID, u *ask) { started[id] = append(started[id], u) },
		entry: func(e world.Entry) {
			if u, ok := e.Data.(world.Update); ok && u.Status == "Successful" {
				done[u.ID] = true
			}
		},
		told: func(l *letter) {
			if l.News != "updated" {
				return
			}
			to := l.fact("to")
			for _, u := range started[l.id()] {
				if u.to == to && done[u.update.ID] && s.clusters[l.id()].addon.any(u.at, func(a addon) bool {
					return a.Version == to && a.Status == "ACTIVE"
				}) {
					return
				}
			}
			s.breaks(name, l.id(), "people were told that it is updated to %q, and it never was", to)
		},
	}
}
