package laws_test

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/world"
)

// addressEdges are what few clusters have of their addresses: prefixes, further alarms, cni-metrics-helper, and alarms that nobody hears.
func addressEdges() []edge {
	return []edge{
		{name: "nodes that take prefixes", set: (*scene).delegate, is: func(s *scene) bool {
			return slices.ContainsFunc(s.spec.Clusters, func(c world.Cluster) bool {
				return slices.ContainsFunc(c.Instances, func(i world.Instance) bool { return i.Prefixes != nil })
			})
		}},
		{name: "further alarms", set: func(s *scene, d dice, _ time.Duration) {
			further := some(d, d.number(1, 3), []string{"free-blocks", "days-left", "node-capacity"})
			s.doc.Defaults.FurtherAlarms = &further
		}, is: func(s *scene) bool { return s.doc.Defaults.FurtherAlarms != nil }},
		{name: "cni-metrics-helper", set: func(s *scene, d dice, _ time.Duration) {
			c := &s.spec.Clusters[d.IntN(len(s.spec.Clusters))]
			c.NodeMetrics = &world.NodeMetrics{
				ID: pick(d, "", "", "k8s-cluster"), Assigned: []world.Point{{Addresses: pick(d, 10, 90)}},
				Total: []world.Point{{Addresses: 100}}, Max: []world.Point{{Addresses: 100}},
			}
		}, is: func(s *scene) bool {
			return slices.ContainsFunc(s.spec.Clusters, func(c world.Cluster) bool { return c.NodeMetrics != nil })
		}},
		{name: "alarms that are not heard", set: func(s *scene, d dice, _ time.Duration) { s.spec.Behaviour.AlarmEventsLost = pick(d, .3, 1) },
			is: func(s *scene) bool { return s.spec.Behaviour.AlarmEventsLost > 0 }},
	}
}

// delegate gives a cluster nodes with prefixes, as many as the subnet holds in any case, in a subnet whose single addresses may lie in every
// block.
func (s *scene) delegate(d dice, _ time.Duration) {
	c := &s.spec.Clusters[d.IntN(len(s.spec.Clusters))]
	vpc := &s.spec.VPCs[slices.IndexFunc(s.spec.VPCs, func(v world.VPC) bool { return v.ID == c.VPC })]
	n := &vpc.Subnets[d.IntN(len(vpc.Subnets))]
	if d.chance(.5) {
		n.Layout = world.Scattered
	}
	prefixes := 0
	if blocksIn(n.CIDR) > 4 {
		prefixes = d.number(1, 2)
	}
	c.Instances = append(c.Instances, world.Instance{ID: "i-prefixes-" + c.Name + c.VPC, Subnets: []string{n.ID}, Prefixes: []int{prefixes}})
}

// crumble has each cluster have a node with a prefix, where its subnet has a block, and single addresses in each block of every subnet.
func crumble(s *scene) {
	for i := range s.spec.Clusters {
		c := &s.spec.Clusters[i]
		vpc := &s.spec.VPCs[slices.IndexFunc(s.spec.VPCs, func(v world.VPC) bool { return v.ID == c.VPC })]
		for j := range vpc.Subnets {
			n := &vpc.Subnets[j]
			n.Layout = world.Scattered
			if blocks := blocksIn(n.CIDR); blocks > 4 {
				n.Used = []world.Point{{Addresses: blocks + 16 + 10}}
				c.Instances = append(c.Instances, world.Instance{ID: "i-crumbs-" + c.Name + n.ID, Subnets: []string{n.ID}, Prefixes: []int{1}})
			}
		}
	}
}

// blocksIn is the number of /28 blocks of a range that can be given out: all but the two that AWS keeps addresses of.
func blocksIn(cidr string) int {
	p, err := netip.ParsePrefix(cidr)
	if err != nil || p.Bits() > 26 {
		return 0
	}
	return 1<<(28-p.Bits()) - 2
}

// held are the addresses that the instances of all clusters hold in a subnet at an instant.
func (s *stage) held(id string, at time.Time) (n int) {
	for _, a := range s.clusters {
		for _, i := range a.running(at) {
			for k, subnet := range i.Subnets {
				if subnet != id {
					continue
				}
				n++
				if k < len(i.Addresses) {
					n += i.Addresses[k]
				}
				if k < len(i.Prefixes) {
					n += 16 * i.Prefixes[k]
				}
			}
		}
	}
	return n
}

// takesPrefixes reports whether a node of a cluster holds a prefix.
func (s *stage) takesPrefixes(a *actual) bool {
	if a.AutoMode && len(a.Nodegroups) == 0 {
		return false // its own nodes take single addresses, too
	}
	return slices.ContainsFunc(a.running(s.run.Now()), func(i world.Instance) bool {
		return slices.ContainsFunc(i.Prefixes, func(n int) bool { return n > 0 })
	})
}

// holdsPrefix reports whether a node of a cluster holds a prefix in a subnet.
func (s *stage) holdsPrefix(a *actual, id string) bool {
	return slices.ContainsFunc(a.running(s.run.Now()), func(i world.Instance) bool {
		k := slices.Index(i.Subnets, id)
		return k >= 0 && k < len(i.Prefixes) && i.Prefixes[k] > 0
	})
}

// blocks says what people should know of a cluster's /28 blocks.
func (s *stage) blocks(a *actual) must {
	if !s.takesPrefixes(a) || a.IPv6 {
		return closedNow
	}
	set, used := settingsOf(s.doc, a.id, a.tags.now()), -1.0
	fargate := map[string]bool{}
	for _, f := range a.FargateProfiles {
		for _, id := range f.Subnets {
			fargate[id] = true
		}
	}
	nodes, kept := s.nodeSubnets(a, s.run.Now()), false
	pods, named := s.podSubnets(a, s.run.Now()), s.configured(a)
	if len(pods) == 0 {
		return either // what was low is not known to have blocks
	}
	for _, id := range pods {
		free, known := s.run.World.FreeBlocks(id)
		total := blocksIn(s.subnets[id].CIDR)
		switch {
		case s.ownerOf(id) != a.Account: // nobody in the fleet sees its interfaces
		case fargate[id] && !slices.Contains(nodes, id):
		case s.subnets[id].Tags[roleTag] == "0": // pods are kept out, unless some hold prefixes there
			kept = true
		case s.isCustom(a) && !slices.Contains(named, id) && !s.holdsPrefix(a, id): // it may have no more of the cluster's than nodes' own addresses
			kept = true
		case !known || total == 0:
			used = 100
		default:
			used = max(used, 100*float64(total-free)/float64(total))
		}
	}
	switch {
	case used >= set.warning:
		return openNow
	case used > set.warning-2.5 || kept || s.setsNetwork(a):
		return either
	}
	return closedNow
}

// setsNetwork reports whether a cluster's settings could say more of prefixes or of custom networking than its nodes do.
func (s *stage) setsNetwork(a *actual) bool {
	_, _, env, _ := s.discovers(a)
	return s.isCustom(a) || env["ENABLE_PREFIX_DELEGATION"] != ""
}

// isCustom reports whether a cluster's pods take their addresses from the subnets that ENIConfigs name, and from no other.
func (s *stage) isCustom(a *actual) bool {
	_, _, env, _ := s.discovers(a)
	return env["AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG"] == "true" || strings.Contains(a.addon.now().Configuration, "CUSTOM_NETWORK")
}

func (s *stage) ownerOf(id string) string {
	for _, v := range s.spec.VPCs {
		if slices.ContainsFunc(v.Subnets, func(n world.Subnet) bool { return n.ID == id }) {
			return v.Account
		}
	}
	return ""
}

// furtherNames are the names of the alarms that a cluster may have beside that on its pod subnets.
func furtherNames(id cluster.ID) map[string]string {
	return map[string]string{
		"free-blocks": "cniguard-" + id.Name + "-free-blocks", "days-left": "cniguard-" + id.Name + "-days-left", "node-capacity": "cniguard-" + id.Name + "-node-capacity",
	}
}

// checkFurther compares the further alarms of a cluster with what the policy wants.
func (s *stage) checkFurther(law string, a *actual) {
	status, set := a.state.now().status, settingsOf(s.doc, a.id, a.tags.now())
	if status != "" && status != "ACTIVE" || status == "ACTIVE" && set.alarms && len(s.podSubnets(a, s.run.Now())) == 0 {
		return
	}
	for kind, name := range furtherNames(a.id) {
		_, stands := s.run.World.Alarm(a.Account, a.Region, name)
		wanted := status == "ACTIVE" && set.alarms && !a.IPv6 && slices.Contains(set.further, kind)
		switch kind {
		case "free-blocks":
			wanted = wanted && s.takesPrefixes(a) && slices.ContainsFunc(s.podSubnets(a, s.run.Now()), func(id string) bool { return s.ownerOf(id) == a.Account })
			if s.setsNetwork(a) {
				continue
			}
		case "node-capacity":
			wanted = wanted && s.helped(a)
			if s.isLong() || a.NodeMetrics != nil { // when it is found depends on when it is looked for
				continue
			}
		}
		s.tally["further alarms compared at the end"]++
		if wanted != stands {
			s.breaks(law, a.id, "alarm %s stands: %t, wanted: %t", name, stands, wanted)
		}
	}
}

// helped reports whether some cni-metrics-helper publishes under a cluster's name.
func (s *stage) helped(a *actual) bool {
	return slices.ContainsFunc(s.spec.Clusters, func(c world.Cluster) bool {
		return c.NodeMetrics != nil && c.Account == a.Account && c.Region == a.Region && (c.NodeMetrics.ID == a.Name || c.NodeMetrics.ID == "" && c.Name == a.Name)
	})
}
