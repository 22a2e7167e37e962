package world

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/cluster"
)

func (v *validation) vpc(field string, vpc *VPC) {
	v.place(field, vpc.Account, vpc.Region)
	v.check(vpc.ID != "" && v.vpcs[vpc.ID] == nil, field+".id", quote(vpc.ID)+" is empty or taken", "want an id of its own")
	v.vpcs[vpc.ID] = vpc
	for i := range vpc.Shared {
		v.check(cluster.IsAccount(vpc.Shared[i]), fmt.Sprintf("%s.shared[%d]", field, i), quote(vpc.Shared[i])+" is not an account", "want twelve digits")
	}
	v.ranges(field+".cidrs", vpc.CIDRs)
	for i, r := range vpc.Routes {
		_, ok := rangeOf(r, 0, 32)
		v.check(ok, fmt.Sprintf("%s.routes[%d]", field, i), quote(r)+" is not a destination", "want an IPv4 range as 10.20.0.0/16")
	}
	for i := range vpc.Subnets {
		s, at := &vpc.Subnets[i], fmt.Sprintf("%s.subnets[%d]", field, i)
		v.check(s.ID != "" && v.subnets[s.ID] == nil, at+".id", quote(s.ID)+" is empty or taken", "want an id of its own")
		v.subnets[s.ID] = vpc
		v.subnet(at, s)
		v.check(s.CIDR == "" || len(vpc.CIDRs) == 0 || within(s.CIDR, vpc.CIDRs...), at+".cidr", quote(s.CIDR)+" is in none of the VPC's cidrs", "want a part of one of them")
	}
}

// rangeOf reads an IPv4 range of a size, written with its first address.
func rangeOf(text string, from, to int) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(text)
	return p, err == nil && p.Addr().Is4() && p.Masked() == p && p.Bits() >= from && p.Bits() <= to
}

// within reports whether a range is part of one of others.
func within(part string, of ...string) bool {
	p, err := netip.ParsePrefix(part)
	return err == nil && slices.ContainsFunc(of, func(whole string) bool {
		w, err := netip.ParsePrefix(whole)
		return err == nil && w.Bits() <= p.Bits() && w.Contains(p.Addr())
	})
}

// ranges checks those of a VPC, which must not overlap.
func (v *validation) ranges(field string, all []string) {
	for i, text := range all {
		at := fmt.Sprintf("%s[%d]", field, i)
		_, ok := rangeOf(text, 16, 28)
		v.check(ok, at, quote(text)+" is not a VPC's range", "want an IPv4 range from /16 to /28 as 10.0.0.0/16")
		v.check(!ok || !overlaps(all[:i], text), at, quote(text)+" overlaps another of them", "want ranges apart")
	}
}

func overlaps(some []string, one string) bool {
	return within(one, some...) || slices.ContainsFunc(some, func(s string) bool { return within(s, one) })
}

// peers checks the VPCs that each is peered with, when all are known.
func (v *validation) peers() {
	pairs := map[[2]string]bool{}
	for i := range v.spec.VPCs {
		vpc := &v.spec.VPCs[i]
		for j, p := range vpc.Peers {
			at := fmt.Sprintf("vpcs[%d].peers[%d]", i, j)
			pair := [2]string{min(vpc.ID, p.VPC), max(vpc.ID, p.VPC)}
			v.check(p.VPC != "" && p.VPC != vpc.ID && !pairs[pair], at+".vpc",
				quote(p.VPC)+" is empty, the VPC itself, or its peer already", "want another VPC's id, at one of the two")
			pairs[pair] = true
			if p.VPC != vpc.ID {
				v.peer(at, vpc, p)
			}
		}
	}
}

// peer checks one. VPCs whose ranges overlap cannot be peered (VPC peering guide, "VPC peering limitations").
func (v *validation) peer(field string, vpc *VPC, p Peer) {
	ranges := p.CIDRs
	if known := v.vpcs[p.VPC]; known != nil {
		v.check(len(p.CIDRs) == 0 && (p.Account == "" || p.Account == known.Account), field+".cidrs",
			"are given for a VPC of the world, or another account", "want its id alone")
		ranges = known.ranges()
	} else {
		v.check(len(p.CIDRs) > 0, field+".cidrs", "is missing", "want the peer's IPv4 ranges, as the world does not have the VPC")
		v.check(p.Account == "" || cluster.IsAccount(p.Account), field+".account", quote(p.Account)+" is not an account", "want twelve digits")
		v.ranges(field+".cidrs", p.CIDRs)
	}
	for _, r := range ranges {
		v.check(!overlaps(vpc.ranges(), r), field+".vpc", "its range "+r+" overlaps the VPC's", "want ranges apart, as EC2 does")
	}
}

func (v *validation) subnet(field string, s *Subnet) {
	_, ok := rangeOf(s.CIDR, 16, 28)
	fits := ok || s.CIDR == ""
	v.check(fits, field+".cidr", quote(s.CIDR)+" is not a subnet's range", "want an IPv4 range from /16 to /28 as 10.0.1.0/24, or nothing for an IPv6-only subnet")
	v.check(slices.Contains([]Layout{"", Packed, Scattered}, s.Layout), field+".layout", quote(string(s.Layout))+" is not a layout", "want packed or scattered")
	v.reservations(field+".reservations", s)
	most := 0
	if ok {
		most = s.usable()
	}
	if len(s.Reservations) > 0 {
		most -= s.plot().count(Explicit)
	}
	for i, u := range s.Used {
		at := fmt.Sprintf("%s.used[%d]", field, i)
		v.check(i == 0 || u.At > s.Used[i-1].At, at+".at", u.At.String()+" is not after the point before", "want points in the order of time")
		if fits {
			v.check(u.Addresses >= 0 && u.Addresses <= most, at+".addresses", fmt.Sprint(u.Addresses, " addresses do not fit"), fmt.Sprintf("want 0 to %d", most))
		}
	}
}

// reservations checks those of a subnet, which must not overlap (VPC user guide, "Subnet CIDR reservations").
func (v *validation) reservations(field string, s *Subnet) {
	var before []string
	for i, r := range s.Reservations {
		at := fmt.Sprintf("%s[%d]", field, i)
		_, ok := rangeOf(r.CIDR, 16, 32)
		v.check(ok && within(r.CIDR, s.CIDR), at+".cidr", quote(r.CIDR)+" is not a part of the subnet's range", "want one as 10.0.1.64/26, in "+quote(s.CIDR))
		v.check(!overlaps(before, r.CIDR), at+".cidr", quote(r.CIDR)+" overlaps another reservation", "want reservations apart")
		v.check(r.Kind == ForPrefixes || r.Kind == Explicit, at+".kind", quote(string(r.Kind))+" is not a kind of reservation", "want prefix or explicit")
		before = append(before, r.CIDR)
	}
}

// instance checks the type of one, and what its interfaces hold.
func (v *validation) instance(field string, c *Cluster, i *Instance) {
	v.uses(field+".subnets", c, i.Subnets)
	v.copies(field, i.Copies)
	t, ok := typeOf(cmp.Or(i.Type, usualType))
	if !ok {
		var names []string
		for _, one := range instanceTypes() {
			names = append(names, one.name)
		}
		v.check(false, field+".type", quote(i.Type)+" is not an instance type of the world", "want one of "+strings.Join(names, ", "))
		return
	}
	v.check(len(i.Subnets) <= t.interfaces*t.cards, field+".subnets",
		fmt.Sprint(len(i.Subnets), " interfaces are too many"), fmt.Sprintf("want at most the %d of %s", t.interfaces*t.cards, t.name))
	v.listed(field+".addresses", i, i.Addresses)
	v.listed(field+".prefixes", i, i.Prefixes)
	for n, id := range i.Subnets {
		slots := at(i.Addresses, n) + at(i.Prefixes, n)
		v.check(slots < t.addresses, fmt.Sprintf("%s.addresses[%d]", field, n),
			fmt.Sprint("and prefixes are ", slots), fmt.Sprintf("want at most %d on an interface of %s", t.addresses-1, t.name))
		v.check(t.takesPrefixes() || at(i.Prefixes, n) == 0, fmt.Sprintf("%s.prefixes[%d]", field, n), "is not for "+t.name, "want a type of Nitro")
		v.check(slots == 0 || v.subnets[id] == nil || v.subnets[id].subnet(id).CIDR != "", fmt.Sprintf("%s.addresses[%d]", field, n),
			"are for the IPv6-only "+quote(id), "want none there")
	}
}

// subnet is one of the VPC's own.
func (v *VPC) subnet(id string) *Subnet {
	return &v.Subnets[slices.IndexFunc(v.Subnets, func(s Subnet) bool { return s.ID == id })]
}

// listed checks a list of what each interface holds.
func (v *validation) listed(field string, i *Instance, list []int) {
	for n, one := range list {
		v.check(one >= 0, fmt.Sprintf("%s[%d]", field, n), fmt.Sprint(one, " is negative"), "want 0 or more")
		v.check(n < len(i.Subnets), fmt.Sprintf("%s[%d]", field, n), "is of no interface", fmt.Sprintf("want at most %d, as there are subnets", len(i.Subnets)))
	}
}

// room checks that what the instances hold fits the subnets, at all times.
func (v *validation) room() {
	held := v.spec.holdings()
	for i := range v.spec.VPCs {
		for j := range v.spec.VPCs[i].Subnets {
			s := &v.spec.VPCs[i].Subnets[j]
			v.fits(fmt.Sprintf("vpcs[%d].subnets[%d]", i, j), s, held[s.ID])
		}
	}
}

// fits checks one subnet. One that is IPv6-only has room for every instance.
func (v *validation) fits(field string, s *Subnet, held []holding) {
	p := s.plot()
	if len(held) == 0 || p.size == 0 {
		return
	}
	reserved, open := p.blocks()
	singles := p.count("")
	for _, h := range held {
		room := singles - perPrefix*max(0, h.prefixes-len(reserved))
		if h.prefixes <= len(reserved)+len(open) && h.singles <= room {
			continue
		}
		v.check(false, field, fmt.Sprintf("the instances hold %d prefixes and %d addresses at %s, which do not fit", h.prefixes, h.singles, h.from),
			fmt.Sprintf("want at most %d prefixes, or %d addresses, or fewer of both", len(reserved)+len(open), singles))
		return
	}
}
