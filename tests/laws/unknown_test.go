package laws_test

import (
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
)

// unknownIsNotFine is law 8: what could not be read is never shown as fine, neither to people nor in the fleet's table, and a
// version is said to be fine only if it is.
func unknownIsNotFine(s *stage) law {
	const name = "Unknown is not fine"
	check := func(id cluster.ID, where string, words map[string]string) {
		if id.Name == "" {
			return // it is about an account and region
		}
		hidden := s.hidden(id)
		for part := range hidden {
			if words[part] == "fine" {
				s.breaks(name, id, "%s: %s is fine, though it could never be read", where, part)
			}
		}
		if len(hidden) > 0 && words["verdict"] == "fine" {
			s.breaks(name, id, "%s: the verdict is fine, though not everything could be read", where)
		}
	}
	return law{
		name: name,
		told: func(l *letter) {
			v := l.Verdict
			check(l.id(), "message "+l.News, map[string]string{"verdict": v.Word, "version": v.Version.Word, "capacity": v.Capacity.Word})
			a := s.clusters[l.id()]
			if a != nil && v.Version.Word == "fine" && !a.addon.any(l.At.Add(-lately), func(is addon) bool { return s.isFine(a, is, l.At) }) {
				s.breaks(name, l.id(), "message %s: the version is fine, and it was %s", l.News, a.addon.now().Version)
			}
		},
		end: func() {
			for _, k := range s.run.Ledger.All() {
				v := k.Record.Verdict
				check(k.Cluster, "the fleet's table", map[string]string{"verdict": v.Word, "version": v.Version.Word, "capacity": v.Capacity.Word})
				for part, answer := range map[string]guard.Answer{"install": v.Install, "version": v.Version, "capacity": v.Capacity, "change": v.Change} {
					if k.Record.Seen.IsZero() {
						continue // a first check is under way
					}
					if answer.Word == "" || answer.Because == "" {
						s.breaks(name, k.Cluster, "the fleet's table has no %s, or no reason for it: %q", part, answer)
					}
				}
				s.tally["rows of the fleet's table"]++
			}
		},
	}
}

// isFine reports whether an add-on satisfied the floor.
func (s *stage) isFine(a *actual, is addon, at time.Time) bool {
	r, known := read(is.Version)
	return is.exists && known && a.tags.any(at.Add(-lately), func(tags map[string]string) bool { return !r.short(settingsOf(s.doc, a.id, tags).floor) })
}

// hidden are the answers that nobody can give for a cluster, because what they rest on is denied from the start to the end.
func (s *stage) hidden(id cluster.ID) map[string]bool {
	parts := map[string]bool{}
	for _, f := range s.spec.Faults {
		if f.Until > 0 || f.Account != id.Account || f.Region != "" && f.Region != id.Region {
			continue
		}
		c := s.clusters[id]
		switch f.Operation {
		case "DescribeAddon":
			parts["version"] = c == nil || c.Addon != nil
		case "ListNodegroups", "DescribeSubnets", "DescribeInstances":
			parts["capacity"] = c == nil || !c.IPv6
		case "DescribeCluster", "":
			parts["version"], parts["capacity"] = true, true
		}
	}
	for part, is := range parts {
		if !is {
			delete(parts, part)
		}
	}
	return parts
}
