package capacity

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"net/netip"
	"slices"
)

// perPrefix is the number of addresses in the /28 prefix that EC2 assigns to an interface, and an interface's one slot holds
// (EC2 user guide, "Prefix delegation for Amazon EC2 network interfaces").
const perPrefix = 16

// ReservationKind says for whom a range of a subnet is set aside: ReservationType of EC2 CreateSubnetCidrReservation.
type ReservationKind string

const (
	// ForPrefixes is a range that EC2 takes prefixes from and should give no single addresses out of; people have seen an
	// interface's own address in one all the same (amazon-vpc-cni-k8s #3087).
	ForPrefixes ReservationKind = "prefix"
	// Explicit is a range that EC2 gives nothing out of by itself: only who names an address gets it.
	Explicit ReservationKind = "explicit"
)

// Reservation is a subnet CIDR reservation (VPC user guide, "Subnet CIDR reservations"). It may cover addresses in use: they stay so.
type Reservation struct {
	Range netip.Prefix
	Kind  ReservationKind
}

// Occupancy is what of a subnet's IPv4 range is in use and what is set aside, in any order; what is there twice counts once.
// What lies outside the range, as IPv6 addresses do, is passed over and counted in Blocks.Strays.
type Occupancy struct {
	CIDR         string         // the subnet's IPv4 range
	Addresses    []netip.Addr   // the single addresses of all interfaces: primary and secondary
	Prefixes     []netip.Prefix // the prefixes of all interfaces; they may be of any length
	Reservations []Reservation  // where two overlap, which EC2 does not allow, Explicit counts
}

// Blocks counts the aligned /28 blocks of a subnet. The first four addresses and the last one are AWS's own (VPC user guide,
// "Subnet sizing"), so that the first and the last block can never be assigned. Nor is one taken to be that an explicit reservation
// touches, or that reservations for prefixes cover in part.
type Blocks struct {
	Open     int `json:"open,omitempty"`     // free, outside every reservation
	Reserved int `json:"reserved,omitempty"` // free, in a reservation for prefixes
	// Total is the number of blocks that would be free if nothing were in use, under the reservations as they are.
	Total int `json:"total,omitempty"`
	// ForPrefixes is how many of Total lie in reservations for prefixes.
	ForPrefixes int `json:"forPrefixes,omitempty"`
	// Packed is the number of blocks that would be free if the single addresses in use were moved together.
	Packed int `json:"packed,omitempty"`
	// Addresses is the number of free addresses, without AWS's own and without those in explicit reservations. In a subnet without
	// reservations it is what DescribeSubnets calls AvailableIpAddressCount, which hides fragmentation.
	Addresses int `json:"free,omitempty"`
	// Prefixes is the number of entries of Occupancy.Prefixes.
	Prefixes int `json:"prefixes,omitempty"`
	// Strays is the number of entries, used or reserved, that lie outside the subnet's range.
	Strays int `json:"strays,omitempty"`
	// Largest is the largest aligned range that consists of Open blocks, the lowest of several; the zero Prefix where there is none. It is
	// what a reservation for prefixes can keep together.
	Largest netip.Prefix `json:"largest,omitzero"`
}

// Free is the number of blocks that may be assigned now, if EC2 goes on to the open ones when the reservations for prefixes are full.
func (b Blocks) Free() int { return b.Open + b.Reserved }

// Assured is the number of blocks that can be assigned now by what is documented: in a subnet with a reservation for prefixes EC2
// takes them from there, in others from anywhere (EC2 user guide, "Prefix delegation for Amazon EC2 network interfaces";
// amazon-vpc-cni-k8s #2749 says the same). Whether it goes on to the rest when the reservation is full is not documented; so this,
// and not Free, is what an alarm should judge.
func (b Blocks) Assured() int {
	if b.ForPrefixes > 0 {
		return b.Reserved
	}
	return b.Open
}

// Pool is the number of blocks that Assured counts the free ones of: those in reservations for prefixes, or where there are none, all.
func (b Blocks) Pool() int {
	if b.ForPrefixes > 0 {
		return b.ForPrefixes
	}
	return b.Total
}

// Utilization is the share of Pool that is not assured, in percent from 0 to 100; 100 for a subnet too small to have any block.
func (b Blocks) Utilization() float64 {
	if b.Pool() == 0 {
		return 100
	}
	return percent(b.Pool(), b.Assured())
}

// Lost is the number of blocks that fragmentation costs: as many more would be free if single addresses were moved together. Fewer
// than three count as none: the first and the last block, which no prefix can have, hold single addresses of as many others, so that even
// where these lie as tightly as they can, one or two would be won.
func (b Blocks) Lost() int {
	if lost := b.Packed - b.Free(); lost > 2 {
		return lost
	}
	return 0
}

// Blocks counts the subnet's /28 blocks. It is an error when CIDR is no IPv4 range of /16 to /28, the sizes that a subnet can have,
// and when something cannot be understood: an address or range without a value, a reservation of an unknown kind. Then nothing is
// known, which is not the same as no blocks.
func (o Occupancy) Blocks() (Blocks, error) {
	g, err := o.ground()
	if err != nil {
		return Blocks{}, fmt.Errorf("count the /28 blocks of subnet %q: %w", o.CIDR, err)
	}
	b := g.count()
	b.Prefixes = len(o.Prefixes)
	return b, nil
}

// ground is a subnet's range, a mask for each block, with a bit for each address.
type ground struct {
	base             int64 // the first address
	single, prefixed []uint16
	kept             []uint16 // AWS's own, and explicit reservations
	reserved         []uint16 // for prefixes
	strays           int
}

func (o Occupancy) ground() (*ground, error) {
	p, err := netip.ParsePrefix(o.CIDR)
	if err != nil || !p.Addr().Is4() || p.Bits() < 16 || p.Bits() > 28 {
		return nil, errors.New("it must be an IPv4 range of /16 to /28")
	}
	first, size := span(p)
	n := size / perPrefix
	masks := make([]uint16, 4*n)
	g := &ground{base: first, single: masks[:n], prefixed: masks[n : 2*n], kept: masks[2*n : 3*n], reserved: masks[3*n:]}
	g.kept[0] |= 0b1111
	g.kept[n-1] |= 1 << 15
	for i, a := range o.Addresses {
		if !a.IsValid() {
			return nil, fmt.Errorf("address %d in use has no value", i)
		}
		g.mark(g.single, netip.PrefixFrom(a, a.BitLen()))
	}
	for i, p := range o.Prefixes {
		if !p.IsValid() {
			return nil, fmt.Errorf("prefix %d in use has no value", i)
		}
		g.mark(g.prefixed, p)
	}
	return g, g.reserve(o.Reservations)
}

func (g *ground) reserve(reservations []Reservation) error {
	for i, r := range reservations {
		if !r.Range.IsValid() {
			return fmt.Errorf("reservation %d has no range", i)
		}
		switch r.Kind {
		case ForPrefixes:
			g.mark(g.reserved, r.Range)
		case Explicit:
			g.mark(g.kept, r.Range)
		default:
			return fmt.Errorf("reservation %d is of the unknown kind %q", i, r.Kind)
		}
	}
	return nil
}

// mark sets the bits of the part of p that lies in the subnet.
func (g *ground) mark(masks []uint16, p netip.Prefix) {
	if !p.Addr().Is4() {
		g.strays++
		return
	}
	first, size := span(p)
	from := max(first-g.base, 0)
	to := min(first+size-g.base, int64(len(masks))*perPrefix)
	if from >= to {
		g.strays++
	}
	for from < to {
		low := from % perPrefix
		high := min(low+to-from, perPrefix)
		masks[from/perPrefix] |= uint16(1<<high - 1<<low)
		from += high - low
	}
}

// span is the first address and the number of addresses of an IPv4 range; bits of the host do not count.
func span(p netip.Prefix) (first, size int64) {
	a := p.Masked().Addr().As4()
	return int64(binary.BigEndian.Uint32(a[:])), 1 << (32 - p.Bits())
}

func (g *ground) count() Blocks {
	b := Blocks{Strays: g.strays}
	var within, loose, movable int // addresses: free in blocks that can become free, free elsewhere, in use singly in the former
	open := make([]bool, len(g.single))
	for i, single := range g.single {
		prefixed, kept, reserved := g.prefixed[i], g.kept[i], g.reserved[i]
		free := ^(single | prefixed | kept)
		b.Addresses += bits.OnesCount16(free)
		if kept != 0 || reserved != 0 && reserved != 1<<perPrefix-1 {
			loose += bits.OnesCount16(free &^ reserved)
			continue
		}
		open[i] = single|prefixed|reserved == 0
		b.add(single|prefixed == 0, reserved != 0)
		if prefixed != 0 {
			loose += bits.OnesCount16(free)
			continue
		}
		within += bits.OnesCount16(free)
		movable += bits.OnesCount16(single)
	}
	b.Packed = (within + min(loose, movable)) / perPrefix
	b.Largest = g.largest(open)
	return b
}

// largest is the lowest of the largest aligned ranges of open blocks. Two neighbours that are both open make one of the next size.
func (g *ground) largest(open []bool) (found netip.Prefix) {
	for length := smallest; ; length-- {
		first := slices.Index(open, true)
		if first < 0 {
			return found
		}
		found = prefix(g.base+int64(first)*size(length), length)
		pairs := make([]bool, len(open)/2)
		for i := range pairs {
			pairs[i] = open[2*i] && open[2*i+1]
		}
		open = pairs
	}
}

// add counts one more block that could be assigned if nothing were in use.
func (b *Blocks) add(free, reserved bool) {
	b.Total++
	switch {
	case reserved && free:
		b.ForPrefixes++
		b.Reserved++
	case reserved:
		b.ForPrefixes++
	case free:
		b.Open++
	}
}
