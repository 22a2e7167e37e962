package capacity

import (
	"cmp"
	"slices"
)

// Zone is the pod subnets of one availability zone together. An interface can only be in its instance's zone (EC2 user guide,
// "Elastic network interfaces"), so that the pods of a node have no use for what is free in another zone.
type Zone struct {
	Name    string   // as "eu-central-1a"; empty: not known
	Subnets []string // the ids, in order
	Usable  int      // addresses that can be given out
	Free    int      // addresses
}

// Utilization is the share of usable addresses in use, in percent from 0 to 100.
func (z Zone) Utilization() float64 { return percent(z.Usable, z.Free) }

// Zones are the zones of the pod subnets that have an IPv4 range, in the order of their names. A subnet whose zone is not known
// stands for itself, so that no other can hide it.
func (p Pods) Zones() []Zone {
	subnets := slices.DeleteFunc(slices.Clone(p.Subnets), func(s Subnet) bool { return s.Usable() == 0 })
	slices.SortFunc(subnets, func(a, b Subnet) int { return cmp.Or(cmp.Compare(a.Zone, b.Zone), cmp.Compare(a.ID, b.ID)) })
	var zones []Zone
	for _, s := range subnets {
		if n := len(zones); n == 0 || s.Zone == "" || zones[n-1].Name != s.Zone {
			zones = append(zones, Zone{Name: s.Zone})
		}
		z := &zones[len(zones)-1]
		z.Subnets = append(z.Subnets, s.ID)
		z.Usable += s.Usable()
		z.Free += min(max(0, s.Free), s.Usable())
	}
	return zones
}

// WorstZone is the fullest zone; of equals, the one with fewer free addresses, then the first by name and subnet.
// It is false when no pod subnet has an IPv4 range.
func (p Pods) WorstZone() (Zone, bool) {
	zones := p.Zones()
	if len(zones) == 0 {
		return Zone{}, false
	}
	return slices.MinFunc(zones, func(a, b Zone) int {
		return cmp.Or(cmp.Compare(b.Utilization(), a.Utilization()), cmp.Compare(a.Free, b.Free))
	}), true
}
