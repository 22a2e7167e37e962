package relief_test

import (
	"math/bits"
	"net/netip"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/relief"
)

// What follows counts what the package computes, and shares none of its arithmetic nor capacity's.

func slot(t capacity.InstanceType, m capacity.Mode) int {
	if m.PrefixDelegation && t.Nitro {
		return 16
	}
	return 1
}

// slots are the slots of each interface that pods may have addresses of.
func slots(t capacity.InstanceType, m capacity.Mode) (all []int) {
	for i := range t.Interfaces {
		if i > 0 || !m.CustomNetworking {
			all = append(all, t.Addresses-1)
		}
	}
	return all
}

func room(t capacity.InstanceType, m capacity.Mode) (n int) {
	for _, s := range slots(t, m) {
		n += s * slot(t, m)
	}
	return n
}

func recommended(t capacity.InstanceType, m capacity.Mode) int {
	n := room(t, m) + 2
	for (t.VCPUs < 30 && n > 110) || n > 250 {
		n--
	}
	return n
}

// rest fills slot by slot, as the CNI does, until the targets are met: how many interfaces and addresses a node then has for its pods.
func rest(t capacity.InstanceType, m capacity.Mode, w capacity.Targets, pods int) (interfaces, held int) {
	all, size := slots(t, m), slot(t, m)
	if w.ENI < 0 {
		w.ENI = 1
	}
	short := func() bool {
		idle := held - pods
		switch {
		case w.IP > 0 || w.Minimum > 0:
			return idle < w.IP || held < w.Minimum || idle < 0
		case size == 16:
			return idle < 16*w.Prefix || idle < 1
		default:
			return idle < w.ENI*(t.Addresses-1) || idle < 1
		}
	}
	each := w.IP == 0 && w.Minimum == 0 && size == 1 // a whole interface at a time
	for _, s := range all {
		if !short() {
			break
		}
		interfaces++
		for range s {
			if each || short() {
				held += size
			}
		}
	}
	return interfaces, held
}

func has(n capacity.Nodes) int { return n.Addresses + 16*n.Prefixes }

func find(f relief.Facts, name string) (capacity.InstanceType, bool) {
	for _, t := range f.Types {
		if t.Name == name {
			return t, true
		}
	}
	return capacity.InstanceType{}, false
}

// mostPods tries every number of pods.
func mostPods(f relief.Facts, n capacity.Nodes) (most int, known bool) {
	t, found := find(f, n.Type)
	if !found || f.Targets == (capacity.Targets{}) || len(f.Subnets) == 0 {
		return 0, false
	}
	prefixed := slot(t, f.Mode) == 16
	if prefixed && n.Addresses > 0 || !prefixed && n.Prefixes > 0 {
		return 0, false
	}
	for _, s := range f.Subnets {
		b, counted := f.Blocks[s.ID]
		if prefixed && (s.Free < 17 || !counted || assured(b) == 0) || !prefixed && s.Free < t.Addresses {
			return 0, false
		}
	}
	for p := range room(t, f.Mode) + 1 {
		interfaces, held := rest(t, f.Mode, f.Targets, p)
		switch {
		case f.Mode.CustomNetworking:
			interfaces++
		case interfaces == 0:
			interfaces = 1
		}
		if held == has(n) && interfaces == n.Interfaces {
			most, known = p, true
		}
	}
	if limit := recommended(t, f.Mode); known && has(n) >= limit {
		most = max(most, min(limit, room(t, f.Mode)))
	}
	return most, known
}

func assured(b capacity.Blocks) int {
	if b.ForPrefixes > 0 {
		return b.Reserved
	}
	return b.Open
}

// sums are what the nodes hold together.
func sums(f relief.Facts) (nodes, held, told, idle int, pods []int) {
	for _, n := range f.Nodes {
		nodes, held = nodes+n.Count, held+n.Count*has(n)
		if p, known := mostPods(f, n); known {
			told, idle, pods = told+n.Count, idle+n.Count*(has(n)-p), append(pods, p)
		}
	}
	return nodes, held, told, idle, pods
}

// proposed are the targets that a message names.
func proposed(f relief.Facts) capacity.Targets {
	nodes, _, _, _, pods := sums(f)
	minimum := 10
	switch {
	case f.NodeMetrics.Assigned > 0:
		minimum = 5
		for minimum*nodes < f.NodeMetrics.Assigned {
			minimum++
		}
	case len(pods) > 0:
		minimum = pods[0]
		for _, p := range pods {
			minimum = min(minimum, p)
		}
	}
	return capacity.Targets{IP: 5, Minimum: max(5, minimum)}
}

// freed tries every number of pods that a node may have, and takes the least that is freed.
func freed(f relief.Facts) int {
	w, nodes, held := proposed(f), 0, 0
	byNodes := 0
	for _, n := range f.Nodes {
		nodes, held = nodes+n.Count, held+n.Count*has(n)
		most, known := mostPods(f, n)
		if !known {
			continue
		}
		t, _ := find(f, n.Type)
		least := has(n)
		for p := range most + 1 {
			_, then := rest(t, f.Mode, w, p)
			least = min(least, has(n)-then)
		}
		if slot(t, f.Mode) == 16 && f.Targets.IP+f.Targets.Minimum > 0 {
			least = min(least, 0)
		}
		byNodes += n.Count * least
	}
	if f.NodeMetrics.ID == "" || f.Mode.PrefixDelegation {
		return max(0, byNodes)
	}
	byHelper := min(held, f.NodeMetrics.Total) - f.NodeMetrics.Assigned
	for range nodes {
		byHelper -= max(w.IP, w.Minimum)
	}
	return max(0, byNodes, byHelper)
}

// lowest tries one block of 100.64.0.0/10 after the other.
func lowest(f relief.Facts, length int) netip.Prefix {
	p := netip.PrefixFrom(netip.MustParseAddr("100.64.0.0"), length)
next:
	for netip.MustParsePrefix("100.64.0.0/10").Contains(p.Addr()) {
		for _, taken := range f.Taken {
			if taken.Bits() >= 8 && taken.Overlaps(p) {
				p = after(p)
				continue next
			}
		}
		return p
	}
	return netip.Prefix{}
}

// after is the next range of the same size.
func after(p netip.Prefix) netip.Prefix {
	a := p.Addr().As4()
	n := uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 | uint32(a[3])
	n += 1 << (32 - p.Bits())
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), p.Bits())
}

// plan is the block and the length of the subnets of custom networking: the smallest subnets that do for twice what is used in all zones but one.
func plan(f relief.Facts, used, zones int) (block netip.Prefix, length int) {
	wider := bits.Len(uint(zones - 1))
	for length = 28; length > 16+wider; length-- {
		if (1<<(32-length)-5)*max(1, zones-1) >= 2*used {
			break
		}
	}
	return lowest(f, length-wider), length
}

// load is the commonest type's nodes.
type load struct {
	typ                     capacity.InstanceType
	nodes, pods             int
	held, interfaces, spare int
	full                    bool
}

func commonest(f relief.Facts) (l load) {
	for _, t := range f.Types {
		nodes := 0
		for _, n := range f.Nodes {
			if n.Type == t.Name {
				nodes += n.Count
			}
		}
		if nodes > l.nodes {
			l = load{typ: t, nodes: nodes}
		}
	}
	told, all := 0, 0
	for _, n := range f.Nodes {
		all += n.Count
		if n.Type != l.typ.Name {
			continue
		}
		l.held += n.Count * has(n)
		l.interfaces += n.Count * n.Interfaces
		if f.Mode.CustomNetworking {
			l.interfaces -= n.Count
		}
		if p, known := mostPods(f, n); known {
			told, l.pods = told+n.Count, l.pods+n.Count*p
		}
	}
	if h := f.NodeMetrics; h.ID != "" && all == l.nodes && h.Total >= l.held && h.Assigned <= l.held && (told < all || h.Assigned < l.pods) {
		l.pods, told = h.Assigned, l.nodes
	}
	if told < l.nodes {
		l.full, l.pods = true, l.nodes*capped(f, l.typ)
		l.interfaces, l.held = evenly(f, l.typ, l.nodes, l.pods)
	}
	l.spare = l.held - l.pods
	return l
}

func capped(f relief.Facts, t capacity.InstanceType) int {
	return min(room(t, f.Mode), recommended(t, f.Mode)-2)
}

// evenly deals the pods out to the nodes one by one.
func evenly(f relief.Facts, t capacity.InstanceType, nodes, pods int) (interfaces, held int) {
	has := make([]int, nodes)
	for i := range pods {
		has[i%nodes]++
	}
	for _, p := range has {
		i, h := rest(t, f.Mode, f.Targets, p)
		interfaces, held = interfaces+i, held+h
	}
	return interfaces, held
}

// needed is how many nodes of a type give the vCPUs and the room.
func needed(f relief.Facts, l load, t capacity.InstanceType) int {
	nodes := 1
	for nodes*t.VCPUs < l.nodes*l.typ.VCPUs || nodes*capped(f, t) < l.pods {
		nodes++
	}
	return nodes
}
