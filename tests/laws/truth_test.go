package laws_test

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/world"
)

// lately is how old what a check has read may be when it acts: its calls have deadlines of 10 seconds, and the ledger may be
// slow. Whoever changes something within it may find that a check acted on what was before.
const lately = 3 * time.Minute

// course is something that changes in the course of time.
type course[T any] struct {
	at []time.Time
	is []T
}

func (c *course[T]) set(at time.Time, v T) { c.at, c.is = append(c.at, at), append(c.is, v) }

// now is what it is; the zero value before anything was set.
func (c *course[T]) now() (v T) {
	if n := len(c.is); n > 0 {
		v = c.is[n-1]
	}
	return v
}

// when is what it was at an instant, after all that happened then.
func (c *course[T]) when(t time.Time) (v T) {
	for i := range c.at {
		if !c.at[i].After(t) {
			v = c.is[i]
		}
	}
	return v
}

// since is all that it was from a time on until now.
func (c *course[T]) since(t time.Time) []T {
	first := len(c.at)
	for first > 0 {
		first--
		if !c.at[first].After(t) {
			break
		}
	}
	return c.is[first:]
}

// any reports whether it was so at an instant since t.
func (c *course[T]) any(t time.Time, is func(T) bool) bool {
	return slices.ContainsFunc(c.since(t), is)
}

// all reports whether it was so all the time since t.
func (c *course[T]) all(t time.Time, is func(T) bool) bool {
	return !c.any(t, func(v T) bool { return !is(v) })
}

// addon is the managed add-on as it truly is; there is none when it does not exist.
type addon struct {
	world.Addon
	exists bool
}

// replaced is how long the last update of the add-on took that has ended.
func (a *actual) replaced() (took time.Duration) {
	for i, was := range a.addon.is {
		if was.Status == "UPDATING" && i+1 < len(a.addon.is) {
			took = a.addon.at[i+1].Sub(a.addon.at[i])
		}
	}
	return took
}

// state is a cluster's status and Kubernetes version; empty: there is no cluster.
type state struct{ status, kubernetes string }

// actual is a cluster in the course of time, as it truly is.
type actual struct {
	world.Cluster
	id    cluster.ID
	state course[state]
	tags  course[map[string]string]
	addon course[addon]
	node  course[node]
	alarm course[*types.MetricAlarm] // nil: none
}

// begin notes what is there when the scene begins.
func (s *stage) begin() {
	s.clusters = map[cluster.ID]*actual{}
	for _, c := range s.spec.Clusters {
		a := &actual{Cluster: c, id: cluster.ID{Account: c.Account, Region: c.Region, Name: c.Name}}
		s.clusters[a.id] = a
		a.tags.set(start, c.Tags)
		s.look(a)
		a.alarm.set(start, nil)
	}
	s.subnets = map[string]*world.Subnet{}
	for i := range s.spec.VPCs {
		for j := range s.spec.VPCs[i].Subnets {
			s.subnets[s.spec.VPCs[i].Subnets[j].ID] = &s.spec.VPCs[i].Subnets[j]
		}
	}
}

// look notes how a cluster and its add-on stand now.
func (s *stage) look(a *actual) {
	now := s.run.Now()
	status, kubernetes, _ := s.run.World.Cluster(a.id)
	if was := a.state.now(); len(a.state.is) == 0 || was != (state{status, kubernetes}) {
		a.state.set(now, state{status, kubernetes})
	}
	is, ok := s.run.World.Addon(a.id)
	a.addon.set(now, addon{is, ok})
	stands, there := s.run.World.DaemonSet(a.id)
	a.node.set(now, node{stands, there})
}

// follow keeps the clusters' courses, before any law sees the entry.
func (s *stage) follow(e world.Entry) {
	if a := s.clusters[e.Cluster]; a != nil && e.Kind == world.Truth {
		switch e.What {
		case "cluster", "add-on", "update", "daemonset":
			s.look(a)
			if e.Text == "tagged" {
				a.tags.set(e.At, s.newTags(a.id, e.At))
			}
		case "alarm":
			s.lookAtAlarm(a)
		}
	}
	if c := e.Call; c != nil && c.Effect && (c.Op == "PutMetricAlarm" || c.Op == "DeleteAlarms") {
		for _, a := range s.clusters {
			if a.Account == c.Account && a.Region == c.Region {
				s.lookAtAlarm(a)
			}
		}
	}
}

func (s *stage) lookAtAlarm(a *actual) {
	alarm, ok := s.run.World.Alarm(a.Account, a.Region, alarmName(a.id))
	if !ok {
		a.alarm.set(s.run.Now(), nil)
		return
	}
	a.alarm.set(s.run.Now(), &alarm)
}

func alarmName(id cluster.ID) string { return "cniguard-" + id.Name + "-pod-subnets" }

// newTags are those that somebody gave a cluster at an instant.
func (s *stage) newTags(id cluster.ID, at time.Time) map[string]string {
	for _, ch := range s.spec.Changes {
		if ch.Do == world.TagCluster && start.Add(ch.At).Equal(at) && (cluster.ID{Account: ch.Account, Region: ch.Region, Name: ch.Name}) == id {
			return maps.Clone(ch.Tags)
		}
	}
	return nil
}

// nodeSubnets are the subnets with IPv4 addresses in which a cluster has nodes at an instant, podSubnets those of its Fargate
// profiles too.
func (s *stage) nodeSubnets(a *actual, at time.Time) []string {
	var ids []string
	for _, n := range a.Nodegroups {
		ids = append(ids, n.Subnets...)
	}
	for _, i := range a.running(at) {
		ids = append(ids, i.Subnets...)
	}
	return s.standing(ids, at)
}

func (s *stage) podSubnets(a *actual, at time.Time) []string {
	ids := s.nodeSubnets(a, at)
	for _, f := range a.FargateProfiles {
		ids = append(ids, s.standing(f.Subnets, at)...)
	}
	if len(ids) > 0 {
		ids = append(ids, s.standing(s.configured(a), at)...)
		ids = append(ids, s.standing(s.tagged(a, ids), at)...)
	}
	return ids
}

// running are the instances of a cluster that run at an instant.
func (a *actual) running(at time.Time) []world.Instance {
	return slices.DeleteFunc(slices.Clone(a.Instances), func(i world.Instance) bool {
		return at.Before(start.Add(i.From)) || i.Until > 0 && !at.Before(start.Add(i.Until))
	})
}

// standing are those of the subnets that are there at an instant and have IPv4 addresses.
func (s *stage) standing(ids []string, at time.Time) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		n := s.subnets[id]
		return n.CIDR == "" || n.DeletedAt > 0 && !at.Before(start.Add(n.DeletedAt))
	})
}

// usable are the addresses of a range that can be given out: all but the five that AWS keeps.
func usable(cidr string) int {
	p, err := netip.ParsePrefix(cidr)
	if err != nil {
		return 0
	}
	return 1<<(32-p.Bits()) - 5
}

// free are a subnet's unused addresses at an instant.
func (s *stage) free(id string, at time.Time) int {
	sub := s.subnets[id]
	return usable(sub.CIDR) - max(addresses(sub.Used, at.Sub(start)), s.held(id, at))
}

func addresses(points []world.Point, at time.Duration) int {
	if len(points) == 0 {
		return 0
	}
	before := points[0]
	for _, p := range points {
		if p.At > at {
			if p.At == before.At || at < before.At {
				return before.Addresses
			}
			share := float64(at-before.At) / float64(p.At-before.At)
			return before.Addresses + int(share*float64(p.Addresses-before.Addresses))
		}
		before = p
	}
	return before.Addresses
}

// room reports whether aws-node could be restarted on a subnet at an instant: 16 addresses are free, or a quarter of it.
func (s *stage) room(id string, at time.Time) bool {
	free := s.free(id, at)
	return free >= 16 || 4*free >= usable(s.subnets[id].CIDR)
}

// hadRoom reports whether a subnet had room at an instant since t. Use changes in straight lines, and often in a second.
func (s *stage) hadRoom(id string, t time.Time) bool {
	for at := s.run.Now(); !at.Before(t); at = at.Add(-5 * time.Second) {
		if s.room(id, at) {
			return true
		}
	}
	return false
}

// fullest is how full the fullest of a cluster's pod subnets is, in percent; false: it has none.
func (s *stage) fullest(a *actual, at time.Time) (percent float64, any bool) {
	for _, id := range s.podSubnets(a, at) {
		most := usable(s.subnets[id].CIDR)
		percent, any = max(percent, 100*float64(most-s.free(id, at))/float64(most)), true
	}
	return percent, any
}
