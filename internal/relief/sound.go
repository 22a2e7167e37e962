package relief

import (
	"net/netip"
	"slices"
	"strings"
	"unicode"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/cni"
)

// most is what no count of a cluster can exceed; products of two such counts fit an int.
const most = 1_000_000

// sound are the facts without those that cannot be, which are as good as not known, and with names that can be printed in a line.
func (f Facts) sound() Facts {
	f.Cluster.Region, f.Cluster.Name, f.VPC = printable(f.Cluster.Region), printable(f.Cluster.Name), printable(f.VPC)
	if cni.Parse(f.Version.String()) != f.Version {
		f.Version = cni.Version{}
	}
	f.Unread = slices.Clone(f.Unread)
	for i, s := range f.Unread {
		f.Unread[i] = short(printable(s), 100)
	}
	if f.Targets.ENI < 0 {
		f.Targets.ENI = capacity.DefaultTargets().ENI
	}
	f.Targets.IP, f.Targets.Minimum, f.Targets.Prefix = max(0, f.Targets.IP), max(0, f.Targets.Minimum), max(0, f.Targets.Prefix)
	f.Nodes, f.Types, f.Subnets = soundNodes(f.Nodes), soundTypes(f.Types), soundSubnets(f.Subnets)
	f.Blocks = soundBlocks(f.Subnets, f.Blocks)
	if h := f.NodeMetrics; h.ID == "" || h.Assigned < 0 || h.Assigned > h.Total || h.Max < 1 || max(h.Total, h.Max) > most*16 {
		f.NodeMetrics = capacity.NodeMetrics{}
	}
	return f
}

// soundNodes are the nodes, or none where any of them cannot be: a sum over the others would be wrong.
func soundNodes(all []capacity.Nodes) []capacity.Nodes {
	all = slices.Clone(all)
	for i, n := range all {
		if n.Count < 1 || min(n.Interfaces, n.Addresses, n.Prefixes) < 0 || max(n.Count, n.Interfaces, n.Addresses, n.Prefixes) > most {
			return nil
		}
		all[i].Type = printable(n.Type)
	}
	return all
}

func soundTypes(all []capacity.InstanceType) (sound []capacity.InstanceType) {
	for _, t := range all {
		t.Name = printable(t.Name)
		known := slices.ContainsFunc(sound, func(s capacity.InstanceType) bool { return s.Name == t.Name })
		if !known && t.Name != "" && min(t.Interfaces, t.Addresses) > 0 && max(t.Interfaces, t.Addresses) <= 1000 && t.VCPUs >= 0 && t.VCPUs <= most {
			sound = append(sound, t)
		}
	}
	return sound
}

// soundSubnets are those with an IPv4 range: the others give pods none of the addresses that this package is about.
func soundSubnets(all []capacity.Subnet) (sound []capacity.Subnet) {
	for _, s := range all {
		if s.Usable() == 0 {
			continue
		}
		s.ID, s.Zone, s.Owner = printable(s.ID), printable(s.Zone), printable(s.Owner)
		s.Free = min(max(0, s.Free), s.Usable())
		sound = append(sound, s)
	}
	return sound
}

// soundBlocks are the counts of the subnets that are asked about.
func soundBlocks(subnets []capacity.Subnet, all map[string]capacity.Blocks) map[string]capacity.Blocks {
	sound := map[string]capacity.Blocks{}
	for _, s := range subnets {
		b, found := all[s.ID]
		possible := min(b.Open, b.Reserved, b.ForPrefixes, b.Packed, b.Total) >= 0 &&
			max(b.Open, b.Reserved, b.ForPrefixes, b.Packed, b.Total) <= s.Usable()/16 && b.Free() <= min(b.Total, b.Packed)
		if !found || !possible {
			continue
		}
		if r, p := netip.MustParsePrefix(s.CIDR), b.Largest; !p.IsValid() || p.Bits() > 28 || p.Bits() < r.Bits() || !r.Overlaps(p) || blocksOf(p) > b.Open {
			b.Largest = netip.Prefix{}
		}
		sound[s.ID] = b
	}
	return sound
}

// blocksOf is the number of /28 blocks of a range.
func blocksOf(p netip.Prefix) int { return 1 << (28 - p.Bits()) }

// printable is s in one line.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}
