package relief_test

import (
	"net/netip"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/relief"
)

func morePhrases() []phrase {
	full := func(f relief.Facts) (pods, interfaces, held int) {
		t := commonest(f).typ
		interfaces, held = rest(t, f.Mode, f.Targets, capped(f, t))
		return capped(f, t), interfaces, held
	}
	return []phrase{
		{form: "the nodes are N % full", want: func(f relief.Facts, _ []string) []int {
			if nodesFull(f) {
				return nil
			}
			return []int{100 * f.NodeMetrics.Assigned / f.NodeMetrics.Max}
		}},
		{form: "more nodes: each further T has room for N pod_; full, it takes at least N address_", want: func(f relief.Facts, _ []string) []int {
			pods, interfaces, held := full(f)
			return []int{pods, interfaces + held}
		}},
		{form: "Each further T has room for N pod_ with an address of its own, and takes at least N address_ of its pod subnet when it is full (N for pods, N of the interfaces)", want: func(f relief.Facts, _ []string) []int {
			pods, interfaces, held := full(f)
			return []int{pods, interfaces + held, held, interfaces}
		}},
		{form: "W has N free address_.", want: func(f relief.Facts, names []string) []int {
			if emptiest(f).ID != names[0] {
				return nil
			}
			return []int{emptiest(f).Free}
		}},
		{form: "a further T takes at least N address_ when it is full, and W has N", want: func(f relief.Facts, names []string) []int {
			_, interfaces, held := full(f)
			if s := emptiest(f); s.ID != names[1] || s.Free >= interfaces+held {
				return nil
			}
			return []int{interfaces + held, emptiest(f).Free}
		}},
		{form: "a further T takes at least N /28 block_ when it is full, and W has N", want: func(f relief.Facts, names []string) []int {
			_, _, held := full(f)
			if id, b, _, _ := poorest(f); id != names[1] || 16*assured(b) >= held {
				return nil
			}
			_, b, _, _ := poorest(f)
			return []int{held / 16, assured(b)}
		}},
		{form: "W has no room", want: func(f relief.Facts, names []string) []int {
			if s, found := cramped(f); !found || s.ID != names[0] || survives(f) {
				return []int{-1}
			}
			return nil
		}},
	}
}

// emptiest is the subnet with the fewest free addresses.
func emptiest(f relief.Facts) (found capacity.Subnet) {
	for i, s := range f.Subnets {
		if i == 0 || s.Free < found.Free {
			found = s
		}
	}
	return found
}

func nodesFull(f relief.Facts) bool {
	return f.NodeMetrics.ID != "" && 5*f.NodeMetrics.Assigned >= 4*f.NodeMetrics.Max
}

// cramped is the first subnet in which neither sixteen addresses nor a quarter are free.
func cramped(f relief.Facts) (capacity.Subnet, bool) {
	for _, s := range f.Subnets {
		if usable := 1<<(32-netip.MustParsePrefix(s.CIDR).Bits()) - 5; s.Free < 16 && 4*s.Free < usable {
			return s, true
		}
	}
	return capacity.Subnet{}, false
}

// survives reports whether it is v1.10.2 or newer.
func survives(f relief.Facts) bool {
	v := f.Version
	return v.Major > 1 || v.Major == 1 && (v.Minor > 10 || v.Minor == 10 && v.Patch >= 2)
}
