package relief

import (
	"cmp"
	"fmt"
	"slices"
	"sort"

	"github.com/cniguard/cniguard/internal/capacity"
)

// nodesFull reports whether the nodes, not only the subnets, are near their end: pods have four fifths of the addresses that the nodes
// could hold. The number is our convention.
func (f Facts) nodesFull() bool { return f.NodeMetrics.Max > 0 && f.NodeMetrics.Utilization() >= 80 }

// nodes is how many there are, held the addresses that they hold for pods.
func (f Facts) nodes() (nodes, held int) {
	for _, n := range f.Nodes {
		nodes += n.Count
		held += n.Count * heldBy(n)
	}
	return nodes, held
}

func heldBy(n capacity.Nodes) int { return n.Addresses + 16*n.Prefixes }

func (f Facts) typ(name string) (capacity.InstanceType, bool) {
	i := slices.IndexFunc(f.Types, func(t capacity.InstanceType) bool { return t.Name == name })
	if i < 0 {
		return capacity.InstanceType{}, false
	}
	return f.Types[i], true
}

// nodeTypes are the types that nodes have, as far as they are known.
func (f Facts) nodeTypes() []capacity.InstanceType {
	return slices.DeleteFunc(slices.Clone(f.Types), func(t capacity.InstanceType) bool {
		return !slices.ContainsFunc(f.Nodes, func(n capacity.Nodes) bool { return n.Type == t.Name })
	})
}

// recommended says how many pods the nodes' types have room for, now and with other settings.
func (f Facts) recommended(then Facts) string {
	var each []string
	for _, t := range f.nodeTypes() {
		each = append(each, fmt.Sprintf("%s %s now and %s then", name(t.Name), num(t.RecommendedPods(f.Mode)), num(t.RecommendedPods(then.Mode))))
	}
	if len(each) == 0 {
		return ""
	}
	return "Pods of a node, as AWS recommends: " + list(each, 5) + "."
}

// takesPrefixes reports whether a node of this type does.
func (f Facts) takesPrefixes(t capacity.InstanceType) bool { return f.Mode.PrefixDelegation && t.Nitro }

// group is nodes that hold the same, with the most pods that each can have.
type group struct {
	capacity.Nodes
	typ  capacity.InstanceType
	pods int
}

// groups are the nodes of which it can be told how many pods they have at most, the commonest first.
func (f Facts) groups() (told []group) {
	for _, n := range f.Nodes {
		if t, known := f.typ(n.Type); known {
			if pods, known := f.mostPods(n, t); known {
				told = append(told, group{n, t, pods})
			}
		}
	}
	slices.SortStableFunc(told, func(a, b group) int { return cmp.Compare(b.Count, a.Count) })
	return told
}

// mostPods is the largest number of pods that leaves a node holding what it holds: with more it would hold more. It is not known where
// nothing fits, as with an interface that is not for pods, and where a subnet may have kept the node from what it wants. A node that holds
// as many addresses as it is to have pods at most adds no more; then it may have as many pods.
func (f Facts) mostPods(n capacity.Nodes, t capacity.InstanceType) (pods int, known bool) {
	other := n.Prefixes
	if f.takesPrefixes(t) {
		other = n.Addresses
	}
	if other > 0 || f.Targets == (capacity.Targets{}) || !f.canGrow(t) {
		return 0, false
	}
	held, room := heldBy(n), t.PodAddresses(f.Mode)
	pods = sort.Search(room+1, func(p int) bool { return t.Pool(f.Mode, f.Targets, p).Addresses > held }) - 1
	pool := t.Pool(f.Mode, f.Targets, max(0, pods))
	interfaces := max(1, pool.Interfaces)
	if f.Mode.CustomNetworking {
		interfaces = 1 + pool.Interfaces
	}
	if pods < 0 || pool.Addresses != held || n.Interfaces != interfaces {
		return 0, false
	}
	if limit := t.RecommendedPods(f.Mode); held >= limit {
		pods = max(pods, min(limit, room))
	}
	return pods, true
}

// canGrow reports whether every pod subnet has what a node of this type takes next: an interface full of addresses, or one with a prefix.
func (f Facts) canGrow(t capacity.InstanceType) bool {
	for _, s := range f.Subnets {
		step := t.Addresses
		if f.takesPrefixes(t) {
			step = 17
			if f.Blocks[s.ID].Assured() < 1 {
				return false
			}
		}
		if s.Free < step {
			return false
		}
	}
	return len(f.Subnets) > 0
}

// load is the nodes of the commonest type whose figures are known, with the most pods that they can have, and what they take of the subnets.
type load struct {
	typ         capacity.InstanceType
	nodes, pods int
	takes       capacity.Pool // Idle is the least
	full        bool          // it is not known how many pods at most: they are taken to be full
}

// load is false where no type of the nodes is known, or none that has room for pods.
func (f Facts) load() (load, bool) {
	byType := map[string]int{}
	for _, n := range f.Nodes {
		byType[n.Type] += n.Count
	}
	var l load
	for _, t := range f.Types {
		if n := byType[t.Name]; n > l.nodes && f.perNode(t) > 0 {
			l.typ, l.nodes = t, n
		}
	}
	if l.nodes == 0 {
		return load{}, false
	}
	for _, n := range f.Nodes {
		if n.Type == l.typ.Name {
			l.takes.Addresses += n.Count * heldBy(n)
			l.takes.Interfaces += n.Count * f.podInterfaces(n)
		}
	}
	pods, known := f.podsOf(l)
	if !known {
		l.pods, l.full = l.nodes*f.perNode(l.typ), true
		l.takes = f.spread(l.typ, l.nodes, l.pods)
		return l, true
	}
	l.pods, l.takes.Idle = pods, l.takes.Addresses-pods
	return l, true
}

// podInterfaces is how many interfaces of a node are in pod subnets: with custom networking the primary one is not.
func (f Facts) podInterfaces(n capacity.Nodes) int {
	if f.Mode.CustomNetworking {
		return max(0, n.Interfaces-1)
	}
	return n.Interfaces
}

// podsOf is the most pods that the nodes of a load can have: by what each holds, or, where all nodes are of that type, by
// cni-metrics-helper, which then knows of no fewer addresses than they hold.
func (f Facts) podsOf(l load) (pods int, known bool) {
	told := 0
	for _, g := range f.groups() {
		if g.Type == l.typ.Name {
			told, pods = told+g.Count, pods+g.Count*g.pods
		}
	}
	nodes, held := f.nodes()
	if h := f.NodeMetrics; h.Max > 0 && nodes == l.nodes && h.Total >= held && h.Assigned <= held && (told < nodes || h.Assigned < pods) {
		return h.Assigned, true
	}
	return pods, told == l.nodes
}

// perNode is how many pods with an address of their own a node is to have at most.
func (f Facts) perNode(t capacity.InstanceType) int {
	return min(t.PodAddresses(f.Mode), max(0, t.RecommendedPods(f.Mode)-2))
}

// spread is what nodes hold together whose pods are spread evenly.
func (f Facts) spread(t capacity.InstanceType, nodes, pods int) capacity.Pool {
	few, more := t.Pool(f.Mode, f.Targets, pods/nodes), t.Pool(f.Mode, f.Targets, pods/nodes+1)
	m := pods % nodes
	n := nodes - m
	return capacity.Pool{
		Interfaces: n*few.Interfaces + m*more.Interfaces,
		Addresses:  n*few.Addresses + m*more.Addresses,
		Idle:       n*few.Idle + m*more.Idle,
	}
}

// fewest is the pod subnet with the fewest /28 blocks that can be assigned, of those of which it is known; false: of none.
func (f Facts) fewest() (capacity.Subnet, bool) {
	known := slices.DeleteFunc(slices.Clone(f.Subnets), func(s capacity.Subnet) bool { _, counted := f.Blocks[s.ID]; return !counted })
	if len(known) == 0 {
		return capacity.Subnet{}, false
	}
	return slices.MinFunc(known, func(a, b capacity.Subnet) int { return cmp.Compare(f.Blocks[a.ID].Assured(), f.Blocks[b.ID].Assured()) }), true
}

// share is how many of the nodes a pod subnet has if they are spread evenly.
func (f Facts) share() int {
	nodes, _ := f.nodes()
	return parts(nodes, max(1, len(f.Subnets)))
}

// fewBlocks reports whether a pod subnet has fewer free /28 blocks than its share of the nodes, of which each takes at least one.
func (f Facts) fewBlocks() bool {
	s, known := f.fewest()
	return known && f.Blocks[s.ID].Assured() < max(1, f.share())
}
