package laws_test

import (
	"slices"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/world"
)

// failures are the updates of ours that people were told had failed, by id, and when they were told first.
type failures map[string]time.Time

func (f failures) told(l *letter) {
	if id := l.fact("update id"); l.News == "update failed" && f[id].IsZero() {
		f[id] = l.taken
	}
}

func ofOurs(u world.Update) bool { return strings.HasSuffix(u.By, ":role/cniguard-updater") }

// putBack is the update by which somebody else went back below one of ours that had failed, where nobody approved since; false: there is none.
// Whoever went back before we had said that it failed may have been the reason.
func (s *stage) putBack(id cluster.ID, u *ask, f failures) (world.Update, bool) {
	updates := slices.DeleteFunc(s.run.World.Updates(id), func(one world.Update) bool { return !one.Created.Before(u.at.Add(-lately)) })
	if len(updates) == 0 {
		return world.Update{}, false
	}
	last := updates[len(updates)-1]
	to, known := read(last.To)
	if ofOurs(last) || !known || last.Status != "Successful" || last.Ended.After(u.at.Add(-lately)) {
		return last, false
	}
	i := len(updates) - 1
	for i >= 0 && !ofOurs(updates[i]) {
		i--
	}
	if i < 0 || updates[i].Status != "Failed" {
		return last, false
	}
	failed, told := updates[i], f[updates[i].ID]
	aim, _ := read(failed.To)
	if told.IsZero() || !to.below(aim) || !last.Created.After(told) || len(updates) > i+1 && !updates[i+1].Created.After(told) {
		return last, false
	}
	return last, !slices.ContainsFunc(s.orders(id, u.at), func(o world.Order) bool {
		return o.Kind == world.Approve && start.Add(o.At).After(failed.Ended)
	})
}

// goBack has every first update of a cluster fail, and somebody put the add-on back to where it was, now and then.
func (s *scene) goBack(d dice, trouble time.Duration) {
	for _, c := range s.spec.Clusters {
		if c.Addon == nil {
			continue
		}
		s.spec.Updates = slices.Insert(s.spec.Updates, 0, world.UpdateScript{Cluster: c.Name, Outcome: world.Fail, Times: d.number(1, 2)})
		was := *c.Addon
		for range 3 {
			s.spec.Changes = append(s.spec.Changes, world.Change{
				At: d.span(12*time.Minute, min(trouble, 50*time.Minute)), Account: c.Account, Region: c.Region, Name: c.Name, Do: world.UpdateAddon,
				Addon: &world.Addon{Version: was.Version, Role: was.Role, Configuration: was.Configuration}, Resolve: "PRESERVE",
			})
		}
	}
}
