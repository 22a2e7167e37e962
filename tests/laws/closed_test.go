package laws_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/eks"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/world"
)

// halting is how long before an update a halt must have been given to stop it: the program asks right before the call, which
// has a deadline of 10 seconds.
const halting = 12 * time.Second

// closed is law 3: nothing is updated unless its mode allows it and nobody forbids it, and what forbids could be read.
func closed(s *stage) law {
	const name = "Closed"
	failed := failures{}
	return law{name: name, told: failed.told, asked: func(id cluster.ID, u *ask) {
		s.tally["updates where mode, orders and halt were asked"]++
		a := s.clusters[id]
		if !watches(s.doc, id) {
			s.breaks(name, id, "an update to %s, but the cluster is not in the fleet", u.to)
			return
		}
		if !a.tags.any(u.at.Add(-lately), func(tags map[string]string) bool { return s.opened(id, tags, u) }) {
			s.breaks(name, id, "an update to %s, but the mode is %s and nobody approved it", u.to, settingsOf(s.doc, id, a.tags.now()).mode)
		}
		s.punctual(name, id, u)
		if key := s.refuses(id, u); key != "" {
			s.breaks(name, id, "an update to %s, which does not take the configuration that it sends: %s", u.to, key)
		}
		if in, _ := u.call.In.(*eks.UpdateAddonInput); in != nil && in.ServiceAccountRoleArn != nil && !strings.Contains(*in.ServiceAccountRoleArn, "::"+id.Account+":role/") {
			s.breaks(name, id, "an update to %s with a role that cannot be passed on: %s", u.to, *in.ServiceAccountRoleArn)
		}
		if !a.addon.any(u.at.Add(-lately), sound) {
			s.breaks(name, id, "an update to %s of an add-on that is not well: %s %v", u.to, a.addon.now().Status, a.addon.now().Issues)
		}
		if by := s.denied(id, u.at); by != "" {
			s.breaks(name, id, "an update to %s, but %s denied it", u.to, by)
		}
		if back, is := s.putBack(id, u, failed); is {
			s.breaks(name, id, "an update to %s, but somebody put the add-on back to %s after one that failed, and nobody approved since", u.to, back.To)
		}
		if by := s.halted(u.at); by != "" {
			s.breaks(name, id, "an update to %s, but %s halted the fleet", u.to, by)
		}
		for _, op := range unread(u.work, id, u.call) {
			if op == "cloudwatch:DescribeAlarms" && a.IPv6 {
				continue // capacity does not apply
			}
			s.breaks(name, id, "an update to %s, but %s failed before it", u.to, op)
		}
	}}
}

// refuses is a configuration value that an update sends and its version does not take; empty: there is none. A version has one schema,
// whatever the Kubernetes version that it is listed for.
func (s *stage) refuses(id cluster.ID, u *ask) string {
	in, _ := u.call.In.(*eks.UpdateAddonInput)
	if in == nil || in.ConfigurationValues == nil {
		return ""
	}
	s.tally["updates that send a configuration"]++
	var sent map[string]map[string]any
	if err := json.Unmarshal([]byte(*in.ConfigurationValues), &sent); err != nil {
		s.breaks("Closed", id, "an update to %s sends a configuration that is not JSON, and nobody could check it", u.to)
	}
	for _, list := range s.spec.Catalogues {
		for _, v := range list {
			for _, path := range v.Refuses {
				group, key, _ := strings.Cut(path, ".")
				if _, has := sent[group][key]; has && v.Version == u.to {
					return path
				}
			}
		}
	}
	return ""
}

// sound reports whether an add-on is one to update: it is well, or was not updated, or it suffers from nothing but that aws-node of its release
// does not become ready (facts-eks-vpc-cni 7.3).
func sound(a addon) bool {
	r, _ := read(a.Version)
	cured := slices.Contains([]string{"1.13.0", "1.13.1", "1.13.2", "1.14.0", "1.22.0", "1.22.1"}, fmt.Sprintf("%d.%d.%d", r[0], r[1], r[2]))
	others := slices.ContainsFunc(a.Issues, func(i world.Issue) bool { return i.Code != "InsufficientNumberOfReplicas" })
	return a.Status == "UPDATE_FAILED" || len(a.Issues) == 0 || cured && !others
}

// opened reports whether the mode for these tags lets an update go.
func (s *stage) opened(id cluster.ID, tags map[string]string, u *ask) bool {
	switch settingsOf(s.doc, id, tags).mode {
	case "auto":
		return true
	case "approve":
		return s.approved(id, u)
	}
	return false
}

// orders are what people ordered for a cluster, or for the fleet, up to an instant, oldest first.
func (s *stage) orders(id cluster.ID, until time.Time) []world.Order {
	var found []world.Order
	for _, o := range s.spec.Orders {
		if !start.Add(o.At).After(until) && (o.Name == "" || (cluster.ID{Account: o.Account, Region: o.Region, Name: o.Name}) == id) {
			found = append(found, o)
		}
	}
	slices.SortStableFunc(found, func(a, b world.Order) int { return int(a.At - b.At) })
	return found
}

// approved reports whether somebody approved an update, and did not deny it later.
func (s *stage) approved(id cluster.ID, u *ask) bool {
	given := s.orders(id, u.at)
	for i, o := range given {
		limit, _ := read(o.To)
		to, _ := read(u.to)
		if o.Kind == world.Approve && !expired(o, u.at.Add(-lately)) && (o.To == "" || limit.stretches(to)) && !slices.ContainsFunc(given[i:], func(later world.Order) bool {
			return later.Kind == world.Deny && later.By == o.By && start.Add(later.At).Before(u.at.Add(-lately))
		}) {
			return true
		}
	}
	return false
}

// stretches reports whether an approval up to a release lets an update to another one go: what is below it, or a later patch or build of its
// minor version.
func (r release) stretches(to release) bool { return !r.below(to) || r[0] == to[0] && r[1] == to[1] }

// denied is who denies updates of a cluster. Of each person the last word counts.
func (s *stage) denied(id cluster.ID, at time.Time) string {
	given := s.orders(id, at)
	for i, o := range given {
		if o.Kind == world.Deny && start.Add(o.At).Before(at.Add(-lately)) && !expired(o, at) &&
			!slices.ContainsFunc(given[i:], func(later world.Order) bool { return later.Kind == world.Approve && later.By == o.By }) {
			return o.By
		}
	}
	return ""
}

// expired reports whether an approval or a denial is over: each holds for seven days.
func expired(o world.Order, at time.Time) bool { return at.Sub(start.Add(o.At)) > 7*24*time.Hour }

// halted is who halted the fleet.
func (s *stage) halted(at time.Time) (by string) {
	for _, o := range s.orders(cluster.ID{}, at) {
		switch {
		case o.Kind == world.Halt && start.Add(o.At).Before(at.Add(-halting)):
			by = o.By
		case o.Kind == world.Resume:
			by = ""
		}
	}
	return by
}

// unread are the operations that an update rests on and that failed, the last time that its invocation called them. Where two
// copies of an invocation ran side by side nobody can tell their calls apart.
func unread(w *work, id cluster.ID, before *world.Call) []string {
	if w.doubled {
		return nil
	}
	var failed []string
	for _, op := range []string{"ledger:Load", "ledger:Orders", "ledger:Fleet", "eks:DescribeCluster", "eks:DescribeAddon", "eks:DescribeAddonConfiguration", "eks:ListUpdates", "cloudwatch:DescribeAlarms", "cloudtrail:LookupEvents"} {
		reads := slices.DeleteFunc(slices.Clone(w.calls), func(c *world.Call) bool {
			return meant(c) != op || c.Cluster != "" && c.Cluster != id.Name
		})
		reads = lastTries(reads)
		if op == "ledger:Fleet" && len(reads) > 1 && !reads[len(reads)-2].At.Before(before.At.Add(-lately)) && reads[len(reads)-2].Err != nil {
			failed = append(failed, "the first ledger:Fleet") // it is read once to decide, and once right before the call
		}
		if len(reads) == 0 && op == "eks:DescribeAddonConfiguration" {
			continue // there is nothing to check, or it was read before
		}
		if len(reads) == 0 || reads[len(reads)-1].Err != nil && !strings.Contains(reads[len(reads)-1].Err.Error(), "NotFound") {
			failed = append(failed, op)
		}
	}
	return failed
}

// lastTries are calls without those that were tried again.
func lastTries(calls []*world.Call) []*world.Call {
	var last []*world.Call
	for i, c := range calls {
		if i+1 == len(calls) || calls[i+1].Try == 1 {
			last = append(last, c)
		}
	}
	return last
}
