package laws_test

import (
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/policy"
	"github.com/cniguard/cniguard/internal/world"
)

// limits is the budget of a scene's policy, with the defaults of docs/policy.md.
func (s *stage) limits() (region, account, fleet, starts, failures int) {
	of := func(n *int, usual int) int {
		if n != nil {
			return *n
		}
		return usual
	}
	b := s.doc.Rollout.Budget
	return of(b.Region, 1), of(b.Account, 2), of(b.Fleet, 5), of(b.Starts, 20), of(b.Failures, 2)
}

// budget is the part of law 3 that is about the fleet: no more updates at a time than the policy allows, and none after failures that nobody
// has answered.
func budget(s *stage) law {
	const name = "Closed"
	return law{name: name,
		started: func(id cluster.ID, u *ask) {
			region, account, fleet, starts, _ := s.limits()
			in := map[string]int{}
			s.tally["updates where the budget was asked"]++
			for _, o := range s.others(id) {
				if o.Status == "InProgress" {
					in["fleet"]++
					if o.id.Account == id.Account {
						in["account"]++
						if o.id.Region == id.Region {
							in["region"]++
						}
					}
				}
				if u.at.Sub(o.Created) < 24*time.Hour {
					in["day"]++
				}
			}
			if in["region"] >= region || in["account"] >= account || in["fleet"] >= fleet || in["day"] >= starts {
				s.breaks(name, id, "an update to %s, and others are in flight, or started in a day: %v", u.to, in)
			}
		},
		asked: func(id cluster.ID, u *ask) {
			_, _, _, _, most := s.limits()
			for _, failed := range s.unanswered(u.at) {
				if len(failed) >= most {
					s.breaks(name, id, "an update to %s, though updates of %v failed and nobody resumed", u.to, failed)
				}
			}
		},
	}
}

// update is an update of ours in the world.
type update struct {
	world.Update
	id cluster.ID
}

// others are the updates of ours of all clusters but one.
func (s *stage) others(than cluster.ID) (all []update) {
	for id := range s.clusters {
		for _, o := range s.run.World.Updates(id) {
			if id != than && strings.HasSuffix(o.By, ":role/cniguard-updater") {
				all = append(all, update{o, id})
			}
		}
	}
	return all
}

// unanswered are the clusters of which people were told long enough before that their update failed, since when nothing about them has changed and
// nobody resumed, by wave.
func (s *stage) unanswered(at time.Time) map[string][]cluster.ID {
	failed := map[string][]cluster.ID{}
	resumed := start
	for _, o := range s.spec.Orders {
		if given := start.Add(o.At); o.Kind == world.Resume && !given.After(at) && given.After(resumed) {
			resumed = given
		}
	}
	for id, a := range s.clusters {
		var last *letter
		for _, l := range s.letters {
			if l.id() == id && (l.News == "update failed" || l.News == "updated") {
				last = l
			}
		}
		if last == nil || last.News == "updated" || last.taken.After(at.Add(-lately)) || !last.At.After(resumed) {
			continue
		}
		is, tags := a.addon.now(), a.tags.now()
		same := a.addon.all(last.At, func(was addon) bool { return was.exists && was.Version == is.Version }) &&
			a.tags.all(last.At, func(was map[string]string) bool { return len(was) == len(tags) }) &&
			a.state.all(last.At, func(was state) bool { return was == a.state.now() && was.status == "ACTIVE" })
		if same && is.Version != last.fact("to") && modeRank(settingsOf(s.doc, id, tags).mode) > 0 {
			wave := ""
			for _, w := range s.doc.Rollout.Waves {
				if selects(w.Match, id, nil) {
					wave = w.Name
				}
			}
			failed[wave] = append(failed[wave], id)
		}
	}
	return failed
}

// budgetEdges are policies that let little happen at a time.
func budgetEdges() []edge {
	return []edge{
		{name: "a small budget", set: func(s *scene, d dice, _ time.Duration) {
			s.doc.Rollout.Budget = policy.BudgetDocument{
				Region: new(d.number(1, 2)), Account: new(d.number(1, 2)), Fleet: new(d.number(1, 2)), Starts: new(d.number(1, 4)), Failures: new(d.number(1, 2)),
			}
		}, is: func(s *scene) bool { return s.doc.Rollout.Budget.Starts != nil }},
		{name: "waves", set: func(s *scene, d dice, _ time.Duration) {
			for i, c := range s.spec.Clusters[:min(2, len(s.spec.Clusters))] {
				if i == 0 || c.Name != s.spec.Clusters[0].Name {
					s.doc.Rollout.Waves = append(s.doc.Rollout.Waves, policy.WaveDocument{
						Name: "of " + c.Name, Match: policy.Match{Clusters: []string{c.Name}}, Soak: pick(d, "0h", "30m"), Share: new(pick(d, 50, 100)),
					})
				}
			}
		}, is: func(s *scene) bool { return s.doc.Rollout.Waves != nil }},
	}
}
