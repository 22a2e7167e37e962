package laws_test

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/world"
)

// unknownIsNotFine is law 8: what could not be read is never shown as fine, neither to people nor in the fleet's table, and a
// version is said to be fine only if it is.
func unknownIsNotFine(s *stage) law {
	const name = "Unknown is not fine"
	check := func(id cluster.ID, since time.Duration, where string, words map[string]string) {
		if id.Name == "" {
			return // it is about an account and region
		}
		hidden := s.hidden(id, since)
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
			check(l.id(), 0, "message "+l.News, map[string]string{"verdict": v.Word, "version": v.Version.Word, "capacity": v.Capacity.Word})
			a := s.clusters[l.id()]
			if a != nil {
				s.checkInstall(name, l, a)
			}
			if a != nil && v.Version.Word == "fine" && !a.addon.any(l.At.Add(-lately), func(is addon) bool { return s.isFine(a, is, l.At) }) &&
				!a.node.any(l.At.Add(-lately), func(is node) bool { return s.isSelfFine(a, is, l.At) }) {
				s.breaks(name, l.id(), "message %s: the version is fine, and it was %s", l.News, a.addon.now().Version)
			}
			if a != nil && v.Word == "fine" && a.sick(l.At.Add(-lately)) {
				s.breaks(name, l.id(), "message %s: the verdict is fine, and the add-on was %s", l.News, a.addon.now().Status)
			}
			if l.Finding == "addon-unhealthy" && !l.ends() && v.Word == "fine" {
				s.breaks(name, l.id(), "message %s: the verdict is fine beside an add-on that is not", l.News)
			}
		},
		end: func() {
			rows, err := s.run.Ledger.All(context.Background())
			if err != nil {
				s.breaks(name, cluster.ID{}, "the fleet's table cannot be read: %v", err)
			}
			for _, k := range rows {
				v := k.Record.Verdict
				check(k.Cluster, s.quiet, "the fleet's table", map[string]string{"verdict": v.Word, "version": v.Version.Word, "capacity": v.Capacity.Word})
				for part, answer := range map[string]guard.Answer{"install": v.Install, "version": v.Version, "capacity": v.Capacity, "change": v.Change} {
					if k.Record.Seen.IsZero() {
						continue // a first check is under way
					}
					if answer.Word == "" || answer.Because == "" {
						s.breaks(name, k.Cluster, "the fleet's table has no %s, or no reason for it: %q", part, answer)
					}
				}
				if t := k.Record.Told[guard.AddonUnhealthy]; !t.First.IsZero() && v.Word == guard.Fine {
					s.breaks(name, k.Cluster, "the fleet's table says fine, and the add-on is known to be unhealthy since %s", t.First.Format("15:04:05"))
				}
				if a := s.clusters[k.Cluster]; a != nil && v.Word == guard.Fine && a.sick(k.Record.Seen) {
					s.breaks(name, k.Cluster, "the fleet's table says fine, and the add-on was %s since %s", a.addon.now().Status, k.Record.Seen.Format("15:04:05"))
				}
				s.tally["rows of the fleet's table"]++
			}
		},
	}
}

// sick reports whether EKS has called the add-on of an ACTIVE cluster unhealthy all the time since t.
func (a *actual) sick(t time.Time) bool {
	return a.addon.all(t, addon.unhealthy) && a.state.all(t, func(st state) bool { return st.status == "ACTIVE" })
}

// isFine reports whether an add-on satisfied the floor.
func (s *stage) isFine(a *actual, is addon, at time.Time) bool {
	r, known := read(is.Version)
	return is.exists && known && a.tags.any(at.Add(-lately), func(tags map[string]string) bool { return !r.short(settingsOf(s.doc, a.id, tags).floor) })
}

// shut are the IAM actions that cniguard's roles do not get done for a cluster, from an offset on until the end: they are
// denied by a fault or for want of a grant, or the region is switched off, which is all of them: "*".
func (s *stage) shut(id cluster.ID, since time.Duration) map[string]bool {
	actions := map[string]bool{}
	for _, f := range s.spec.Faults {
		if f.Until == 0 && f.From <= since && f.Account == id.Account && (f.Region == "" || f.Region == id.Region) {
			actions[f.Service+":"+cmp.Or(f.Operation, "AssumeRole")] = true
		}
	}
	for _, d := range s.spec.Disabled {
		if d.Until == 0 && d.From <= since && d.Account == id.Account && d.Region == id.Region {
			actions["*"] = true
		}
	}
	for _, g := range s.spec.Grants {
		for _, action := range mayDo(g.Role) {
			if isMembers(g.Role) && !slices.Contains(g.Actions, action) {
				actions[action] = true
			}
		}
	}
	return actions
}

// isMembers reports whether a role is one in the accounts that are watched, and not one of the functions.
func isMembers(role string) bool { return role == "cniguard-observer" || role == "cniguard-updater" }

// dependsOnBlocks reports whether a node of a cluster has held a prefix all along, and the cluster's account has a pod subnet of its own: the
// account's eyes are those that count the blocks in it.
func (s *stage) dependsOnBlocks(a *actual) bool {
	if a.AutoMode && len(a.Nodegroups) == 0 {
		return false // its own nodes take single addresses, too
	}
	holds := slices.ContainsFunc(a.Instances, func(i world.Instance) bool {
		return i.From == 0 && i.Until == 0 && slices.ContainsFunc(i.Prefixes, func(n int) bool { return n > 0 })
	})
	return holds && slices.ContainsFunc(s.podSubnets(a, s.run.Now()), func(id string) bool { return s.ownerOf(id) == a.Account })
}

// hidden are the answers that nobody can give for a cluster, because what they rest on is shut.
func (s *stage) hidden(id cluster.ID, since time.Duration) map[string]bool {
	parts := map[string]bool{}
	hide := func(part string, is bool) {
		if is {
			parts[part] = true
		}
	}
	c := s.clusters[id]
	hide("version", c != nil && s.isHidden(c))
	for action := range s.shut(id, since) {
		switch action {
		case "eks:DescribeAddon":
			hide("version", c == nil || c.Addon != nil)
		case "eks:ListNodegroups", "eks:ListFargateProfiles", "ec2:DescribeSubnets", "ec2:DescribeInstances":
			hide("capacity", c == nil || !c.IPv6)
		case "eks:DescribeNodegroup":
			hide("capacity", c != nil && !c.IPv6 && len(c.Nodegroups) > 0)
		case "eks:DescribeFargateProfile":
			hide("capacity", c != nil && !c.IPv6 && len(c.FargateProfiles) > 0)
		case "ec2:DescribeNetworkInterfaces", "ec2:GetSubnetCidrReservations":
			hide("capacity", c != nil && !c.IPv6 && s.dependsOnBlocks(c))
		case "eks:DescribeCluster", "sts:AssumeRole", "*":
			hide("version", true)
			hide("capacity", true)
		}
	}
	return parts
}
