package relief

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/cniguard/cniguard/internal/capacity"
)

// most subnets that reservations are proposed for at a time: each has to be thought about.
const mostReserved = 3

// reservation keeps single addresses out of what is still in one piece, so that nodes with prefix delegation find /28 blocks there.
func reservation(f Facts) Help {
	const code, title = "reservation", "a reservation for prefixes"
	broken := f.broken()
	switch lost := f.lost(); {
	case f.AutoMode:
		return none(code, title, autoMode)
	case !f.Mode.PrefixDelegation:
		return none(code, title, "it is of use with prefix delegation only")
	case len(f.Blocks) == 0:
		return none(code, title, "the /28 blocks of the pod subnets are not known")
	case lost == 0:
		return none(code, title, "fragmentation costs no /28 block in the pod subnets that are known")
	case len(broken) == 0:
		return none(code, title, "fragmentation costs %s, and where it does no free block is left to reserve", count(lost, "/28 block"))
	}
	first := broken[0]
	h := Help{Code: code, Title: title}
	h.Line = short(fmt.Sprintf("reserve %s of %s: it %s", f.Blocks[first.ID].Largest, name(first.ID), keeps(f.Blocks[first.ID])), longest)
	h.Effect = "EC2 then gives no single addresses out of the range any more, and addresses in it that are in use stay until they are released. " +
		"By what is documented it takes prefixes from the reservations alone once a subnet has one."
	h.Risk = text("It makes no block free now, and leaves fewer single addresses to all else in the subnet. "+
		"The range is the largest as it was read: read it again before.", f.owner(broken))
	for _, s := range broken {
		b := f.Blocks[s.ID]
		h.Effect += fmt.Sprintf(" %s: reserving %s %s; fragmentation costs %s more.", name(s.ID), b.Largest, keeps(b), num(b.Lost()))
		h.Commands = append(h.Commands,
			f.aws("ec2", "describe-network-interfaces", "--filters", "Name=subnet-id,Values="+s.ID,
				"--query", "NetworkInterfaces[].[PrivateIpAddresses[].PrivateIpAddress, Ipv4Prefixes[].Ipv4Prefix]", "--output", "json"),
			f.aws("ec2", "get-subnet-cidr-reservations", "--subnet-id", s.ID),
			f.aws("ec2", "create-subnet-cidr-reservation", "--subnet-id", s.ID, "--cidr", b.Largest.String(), "--reservation-type", string(capacity.ForPrefixes)))
	}
	return h
}

// keeps says how many of the free blocks prefixes are sure to have with the largest range reserved, and the reservations that there are.
func keeps(b capacity.Blocks) string {
	kept := b.Reserved + blocksOf(b.Largest)
	said := fmt.Sprintf("keeps %s of %s for prefixes", num(kept), count(b.Free(), "free /28 block"))
	if b.Reserved > 0 {
		said += " with what is reserved"
	}
	switch others := b.Free() - kept; others {
	case 0:
		return said
	case 1:
		return said + "; the other may then not be used"
	default:
		return said + "; the other " + num(others) + " may then not be used"
	}
}

// lost is the number of /28 blocks that fragmentation costs the pod subnets of which it is known.
func (f Facts) lost() (lost int) {
	for _, b := range f.Blocks {
		lost += b.Lost()
	}
	return lost
}

// broken are the pod subnets in which fragmentation costs blocks and some are free outside reservations, the worst first.
func (f Facts) broken() []capacity.Subnet {
	subnets := slices.DeleteFunc(slices.Clone(f.Subnets), func(s capacity.Subnet) bool {
		b := f.Blocks[s.ID]
		return b.Lost() <= 0 || !b.Largest.IsValid()
	})
	slices.SortStableFunc(subnets, func(a, b capacity.Subnet) int { return cmp.Compare(f.Blocks[b.ID].Lost(), f.Blocks[a.ID].Lost()) })
	return subnets[:min(mostReserved, len(subnets))]
}
