package world

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"
	"time"
)

// perPrefix is the number of addresses of a /28, the size of the prefixes that EC2 assigns to interfaces (EC2 user guide, "Prefix
// delegation for Amazon EC2 network interfaces").
const perPrefix = 16

// span is a part of a subnet's range, by offsets from its first address, up to and without the last.
type span struct {
	from, until int
	kind        ReservationKind
}

// plot is a subnet's range, and what of it is set aside.
type plot struct {
	size  int
	spans []span
}

// own is what AWS keeps for itself: the first four addresses and the last (VPC user guide, "Subnet sizing").
const own ReservationKind = "AWS"

// plot is nothing for an IPv6-only subnet.
func (s *Subnet) plot() plot {
	r, ok := rangeOf(s.CIDR, 16, 28)
	if !ok {
		return plot{}
	}
	size := 1 << (32 - r.Bits())
	p := plot{size, []span{{0, 4, own}, {size - 1, size, own}}}
	for _, one := range s.Reservations {
		if part, ok := rangeOf(one.CIDR, 16, 32); ok {
			from := number(part.Addr()) - number(r.Addr())
			p.spans = append(p.spans, span{from, from + 1<<(32-part.Bits()), one.Kind})
		}
	}
	return p
}

// of says for what an address is set aside; empty: for nothing.
func (p plot) of(offset int) ReservationKind {
	for _, s := range p.spans {
		if s.from <= offset && offset < s.until {
			return s.kind
		}
	}
	return ""
}

// count is how many addresses are set aside for something; for "": for nothing.
func (p plot) count(kind ReservationKind) (n int) {
	for offset := range p.size {
		if p.of(offset) == kind {
			n++
		}
	}
	return n
}

// blocks are those that prefixes may be, by their first addresses: those in reservations for prefixes, and those outside of every one.
func (p plot) blocks() (reserved, open []int) {
	for first := 0; first < p.size; first += perPrefix {
		kind := p.of(first)
		mixed := false
		for offset := first; offset < first+perPrefix; offset++ {
			mixed = mixed || p.of(offset) != kind
		}
		switch {
		case mixed:
		case kind == ForPrefixes:
			reserved = append(reserved, first)
		case kind == "":
			open = append(open, first)
		}
	}
	return reserved, open
}

// holding is what the instances of the clusters hold in a subnet from a time on, all together.
type holding struct {
	from              time.Duration
	prefixes, singles int
}

func (h holding) addresses() int { return perPrefix*h.prefixes + h.singles }

// holdings is what the instances hold in each subnet, in the order of time. Copies count, those that are still to be made too.
func (s *Spec) holdings() map[string][]holding {
	changes := map[string][]holding{}
	for i := range s.Clusters {
		c := &s.Clusters[i]
		for j := range c.Instances {
			one := &c.Instances[j]
			if one.Until != 0 && one.Until <= one.From {
				continue
			}
			n := max(1, c.Copies) * max(1, one.Copies)
			for k, id := range one.Subnets {
				prefixes, singles := n*at(one.Prefixes, k), n*(1+at(one.Addresses, k))
				changes[id] = append(changes[id], holding{one.From, prefixes, singles})
				if one.Until != 0 {
					changes[id] = append(changes[id], holding{one.Until, -prefixes, -singles})
				}
			}
		}
	}
	for id, list := range changes {
		changes[id] = summed(list)
	}
	return changes
}

// at is an item of a list that may be too short for it.
func at(list []int, i int) int {
	if i < len(list) {
		return list[i]
	}
	return 0
}

// summed makes what is held out of what is added to it, one for each time.
func summed(changes []holding) []holding {
	slices.SortStableFunc(changes, func(a, b holding) int { return cmp.Compare(a.from, b.from) })
	held := changes[:1]
	for _, c := range changes[1:] {
		last := held[len(held)-1]
		next := holding{c.from, last.prefixes + c.prefixes, last.singles + c.singles}
		if c.from == last.from {
			held[len(held)-1] = next
		} else {
			held = append(held, next)
		}
	}
	return held
}

// layout is where the addresses lie that are held in a subnet. It is made anew whenever an instance comes or goes, out of what
// is held then: first the prefixes, from the lowest block on, those in reservations first (EC2 user guide, "Prefix delegation for
// Amazon EC2 network interfaces"), then the single addresses in the subnet's Layout, those of the instances before those of others.
type layout struct {
	step     int // of the subnet's holdings
	prefixes map[*port][]int
	singles  map[*port][]int
	others   []int // the single addresses that no instance has, in the order in which others take them
}

// layout makes it only for who asks for interfaces: the number of free addresses needs none.
func (s *subnet) layout(now time.Duration) *layout {
	step := s.step(now)
	if s.laid != nil && s.laid.step == step {
		return s.laid
	}
	l := &layout{step: step, prefixes: map[*port][]int{}, singles: map[*port][]int{}}
	p := s.plot()
	reserved, open := p.blocks()
	blocks := slices.Concat(reserved, open)
	taken := min(s.holds(now).prefixes, len(blocks))
	singles := s.order(p, blocks[:taken])
	for _, one := range s.ports {
		if one.of.runs(now) && s.CIDR != "" {
			l.prefixes[one], blocks = blocks[:one.prefixes], blocks[one.prefixes:]
			l.singles[one], singles = singles[:1+one.addresses], singles[1+one.addresses:]
		}
	}
	l.others = singles
	s.laid = l
	return l
}

// order are the single addresses that prefixes leave, in the order in which they are taken.
func (s *subnet) order(p plot, prefixes []int) []int {
	used := map[int]bool{}
	for _, first := range prefixes {
		used[first] = true
	}
	var all []int
	for offset := range p.size {
		if p.of(offset) == "" && !used[offset&^(perPrefix-1)] {
			all = append(all, offset)
		}
	}
	if s.Layout == Scattered {
		slices.SortStableFunc(all, func(a, b int) int { return a%perPrefix - b%perPrefix })
	}
	return all
}

// step is which of the subnet's holdings is that of now; -1: nothing is held yet.
func (s *subnet) step(now time.Duration) int {
	after, _ := slices.BinarySearchFunc(s.held, now, func(h holding, now time.Duration) int {
		if h.from <= now {
			return -1
		}
		return 1
	})
	return after - 1
}

func (s *subnet) holds(now time.Duration) holding {
	if step := s.step(now); step >= 0 {
		return s.held[step]
	}
	return holding{}
}

// others is how many single addresses others than the instances have: the rest of those in use, as far as reservations leave room.
func (s *subnet) others(now time.Duration) int {
	held := s.holds(now)
	room := s.singles - held.singles - perPrefix*max(0, held.prefixes-s.reserved)
	return max(0, min(used(s.Used, now)-held.addresses(), room))
}

// free is the number of unused addresses.
func (s *subnet) free(now time.Duration) int {
	return max(0, s.usable()-s.holds(now).addresses()-s.others(now))
}

// address is the one at an offset.
func (s *subnet) address(offset int) netip.Addr {
	var four [4]byte
	binary.BigEndian.PutUint32(four[:], uint32(s.base+offset))
	return netip.AddrFrom4(four)
}

// number is an IPv4 address as a number.
func number(a netip.Addr) int {
	four := a.As4()
	return int(binary.BigEndian.Uint32(four[:]))
}
