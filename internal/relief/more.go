package relief

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/cni"
)

// moreNodes adds nodes of the present type where those that there are have no addresses left for pods, and the subnets have.
func moreNodes(f Facts) Help {
	const code, title = "more-nodes", "more nodes"
	l, known := f.load()
	switch {
	case f.AutoMode:
		return none(code, title, autoMode)
	case f.NodeMetrics.Max == 0:
		return none(code, title, "how full the nodes are is not known")
	case !f.nodesFull():
		return none(code, title, "the nodes are %d %% full", int(f.NodeMetrics.Utilization()))
	case !known:
		return none(code, title, "no instance type of the nodes is known")
	case f.noRoom(l.typ) != "":
		return none(code, title, "%s", f.noRoom(l.typ))
	}
	pods, takes, blocks := f.perNode(l.typ), f.further(l.typ), ""
	if f.takesPrefixes(l.typ) {
		blocks = f.freeBlocks()
	}
	h := Help{Code: code, Title: title}
	h.Line = short(fmt.Sprintf("more nodes: each further %s has room for %s; full, it takes at least %s",
		name(l.typ.Name), count(pods, "pod"), count(takes.Taken(), "address")), longest)
	h.Effect = text(f.filled(), fmt.Sprintf("Each further %s has room for %s with an address of its own, and takes at least %s of its pod subnet "+
		"when it is full (%s for pods, %s of the interfaces).",
		name(l.typ.Name), count(pods, "pod"), count(takes.Taken(), "address"), num(takes.Addresses), num(takes.Interfaces)), f.leastFree(), blocks)
	h.Risk = text(f.start(), "Where an autoscaler makes the nodes, raise its limit instead. A node group makes nodes in each of its subnets: see that it is one with room. "+
		"EKS refuses a desiredSize above maxSize.")
	h.Commands = []string{
		f.aws("eks", "list-nodegroups", "--cluster-name", f.Cluster.Name),
		f.aws("eks", "update-nodegroup-config", "--cluster-name", f.Cluster.Name, "--nodegroup-name", "NODEGROUP_THAT_LIST_NODEGROUPS_SHOWS",
			"--scaling-config", "desiredSize=NUMBER_OF_NODES,maxSize=NUMBER_OF_NODES_AT_MOST"),
	}
	return h
}

// further is what one more node of a type takes of its pod subnet at least, when it is full.
func (f Facts) further(t capacity.InstanceType) capacity.Pool {
	return t.Pool(f.Mode, f.Targets, f.perNode(t))
}

// roomiestLast are the pod subnets, the one with the fewest free addresses first.
func (f Facts) roomiestLast() []capacity.Subnet {
	return slices.SortedStableFunc(slices.Values(f.Subnets), func(a, b capacity.Subnet) int { return cmp.Compare(a.Free, b.Free) })
}

// noRoom is why one more node of a type would not find its addresses in the worst pod subnet; empty: nothing speaks against it.
func (f Facts) noRoom(t capacity.InstanceType) string {
	takes := f.further(t)
	if s, known := f.fewest(); known && f.takesPrefixes(t) && 16*f.Blocks[s.ID].Assured() < takes.Addresses {
		return fmt.Sprintf("a further %s takes at least %s when it is full, and %s has %s",
			name(t.Name), count(takes.Addresses/16, "/28 block"), name(s.ID), num(f.Blocks[s.ID].Assured()))
	}
	for _, s := range f.roomiestLast() {
		if s.Free < takes.Taken() {
			return fmt.Sprintf("a further %s takes at least %s when it is full, and %s has %s",
				name(t.Name), count(takes.Taken(), "address"), name(s.ID), num(s.Free))
		}
	}
	return ""
}

// leastFree says how many addresses are free where there are fewest.
func (f Facts) leastFree() string {
	subnets := f.roomiestLast()
	if len(subnets) == 0 {
		return "How many addresses the pod subnets have free is not known."
	}
	return fmt.Sprintf("%s has %s.", name(subnets[0].ID), count(subnets[0].Free, "free address"))
}

// start is what becomes of new nodes whose aws-node does not survive a full subnet, where there is one.
func (f Facts) start() string {
	s, cramped := capacity.Pods{Subnets: f.Subnets}.Cramped()
	if !cramped || f.survives() {
		return ""
	}
	return name(s.ID) + " has no room: below " + cni.RecommendedFloor().String() + " aws-node crash-loops on a new node there."
}
