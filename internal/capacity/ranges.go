package capacity

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"net/netip"
	"slices"
)

const (
	largest  = 16 // prefix length of the largest IPv4 block of a VPC and of the largest subnet
	smallest = 28 // and of the smallest (VPC user guide, "VPC CIDR blocks" and "Subnet sizing")
)

// PodSpace is where ranges for custom networking are looked for: the shared address space 100.64.0.0/10 (RFC 6598). A block of it can be
// added to every VPC, whatever ranges that has, whereas the ranges of RFC 1918 and 198.19.0.0/16 are restricted (VPC user guide, "IPv4
// CIDR block association restrictions"; that 198.19.0.0/16 is refused beside the others: aws-eks-best-practices issue 633). No
// page was found on which AWS uses a part of it itself. Others do: Tailscale, kops, and providers of internet access.
func PodSpace() netip.Prefix { return netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64, 0, 0}), 10) }

// PodRange is a free range for custom networking: one secondary CIDR block for the VPC and in it a subnet for each zone.
type PodRange struct {
	Block   netip.Prefix
	Subnets []netip.Prefix // one a zone, from the start of the block on
}

// FindPodRange finds the lowest block of PodSpace that overlaps none of the taken ranges and has room for a subnet of this prefix length
// in each zone.
//
// Taken are all ranges that pods may have to reach: the VPC's own, its peers', the other VPCs' behind a transit or Direct Connect gateway,
// and the destinations in the VPC's route tables. EC2 refuses a block that overlaps a CIDR block of the VPC or of a peer, or that is as
// large as a route's destination or larger (VPC user guide, "VPC CIDR blocks"). A block inside a wider destination it takes, and the
// VPC then no longer reaches what is there; so that counts as taken as well, except for destinations wider than a /8, which
// are default routes or parts of one. IPv6 ranges are passed over. An error names what is not allowed, or the largest block that is free.
func FindPodRange(taken []netip.Prefix, zones, length int) (PodRange, error) {
	if err := allowed(taken, zones, length); err != nil {
		return PodRange{}, fmt.Errorf("find a pod range: %w", err)
	}
	claims := slices.DeleteFunc(slices.Clone(taken), func(p netip.Prefix) bool { return p.Bits() < 8 })
	want := length - roomFor(zones)
	block, found := Free(PodSpace(), claims, want)
	if !found {
		return PodRange{}, fmt.Errorf("find a free /%d in %s: %s", want, PodSpace(), freest(claims, want+1))
	}
	r := PodRange{Block: block, Subnets: make([]netip.Prefix, zones)}
	at, _ := span(block)
	for i := range r.Subnets {
		r.Subnets[i] = prefix(at+int64(i)*size(length), length)
	}
	return r, nil
}

// allowed checks what FindPodRange is given, and names all mistakes.
func allowed(taken []netip.Prefix, zones, length int) error {
	var mistakes []error
	for _, p := range taken {
		if !p.IsValid() || p.Addr().Is4In6() {
			mistakes = append(mistakes, fmt.Errorf("taken: %v: allowed are IPv4 and IPv6 ranges", p))
		}
	}
	if most := 1 << (smallest - largest); zones < 1 || zones > most {
		mistakes = append(mistakes, fmt.Errorf("zones: %d: allowed are 1 to %d", zones, most))
	} else if shortest := largest + roomFor(zones); length < shortest || length > smallest {
		mistakes = append(mistakes, fmt.Errorf("subnet: /%d: allowed are /%d to /%d: a block of the VPC, a /%d at most, holds one for each zone",
			length, shortest, smallest, largest))
	}
	return errors.Join(mistakes...)
}

// roomFor is how many bits longer the prefix of one of n equal parts of a block is than the block's: 2 for three or four parts.
func roomFor(n int) int { return bits.Len(uint(max(0, n-1))) }

// freest says which block is the largest free one from this prefix length on.
func freest(claims []netip.Prefix, length int) string {
	for ; length <= smallest; length++ {
		if block, found := Free(PodSpace(), claims, length); found {
			return fmt.Sprintf("the largest free block is %s", block)
		}
	}
	return "all of it is taken"
}

// Free finds the lowest range of this prefix length within an IPv4 range that overlaps none of the taken ones. IPv6 ranges
// overlap none. It is false where there is none, and for a length that is shorter than within's or beyond 32.
func Free(within netip.Prefix, taken []netip.Prefix, length int) (netip.Prefix, bool) {
	if !within.Addr().Is4() || length < within.Bits() || length > 32 {
		return netip.Prefix{}, false
	}
	ranges := slices.DeleteFunc(slices.Clone(taken), func(p netip.Prefix) bool { return !within.Overlaps(p) })
	slices.SortFunc(ranges, func(a, b netip.Prefix) int { return a.Masked().Addr().Compare(b.Masked().Addr()) })
	at, room := span(within)
	end, step := at+room, size(length)
	for _, p := range ranges {
		from, n := span(p)
		if from >= at+step {
			break // so do all that follow
		}
		at = max(at, (from+n+step-1)/step*step)
	}
	if at >= end {
		return netip.Prefix{}, false
	}
	return prefix(at, length), true
}

// SubnetLength is the prefix length of a pod subnet for each zone: the smallest subnet that holds, after one zone has failed, its share
// of twice as many addresses as the cluster's pods use now. Where a VPC block has no room for such subnets it is the largest that it has
// room for, as long as these hold what is used now, with an error if not. The factor is our convention; AWS publishes none. Addresses
// are counted as EC2 counts them: with those that are kept warm, and 16 for each prefix.
func SubnetLength(addresses, zones int) (int, error) {
	if addresses < 0 || zones < 1 {
		return 0, fmt.Errorf("size pod subnets: %d addresses in %d zones: allowed are 0 and more in 1 and more", addresses, zones)
	}
	shortest := largest + roomFor(zones)
	for length := smallest; length >= shortest && addresses <= int(size(largest)); length-- {
		usable := int(size(length)) - 5
		if usable*max(1, zones-1) >= 2*addresses || length == shortest && usable*zones >= addresses {
			return length, nil
		}
	}
	return 0, fmt.Errorf("size pod subnets: %d addresses in %d zones: a block of a VPC, a /%d at most, has no room for them", addresses, zones, largest)
}

// size is the number of addresses of a prefix length.
func size(length int) int64 { return 1 << (32 - length) }

// prefix is the range of this length that begins at the address.
func prefix(first int64, length int) netip.Prefix {
	var a [4]byte
	binary.BigEndian.PutUint32(a[:], uint32(first))
	return netip.PrefixFrom(netip.AddrFrom4(a), length)
}
