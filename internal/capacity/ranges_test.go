package capacity_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/capacity"
)

func texts(ranges []netip.Prefix) []string {
	t := make([]string, len(ranges))
	for i, p := range ranges {
		t[i] = p.String()
	}
	return t
}

func TestFindPodRange(t *testing.T) {
	for name, c := range map[string]struct {
		taken         []string
		zones, length int
		block         string
		subnets       []string
	}{
		"where nothing is taken it is the first":             {nil, 3, 18, "100.64.0.0/16", []string{"100.64.0.0/18", "100.64.64.0/18", "100.64.128.0/18"}},
		"the ranges of an ordinary VPC are elsewhere":        {[]string{"10.0.0.0/16", "192.168.0.0/16"}, 2, 17, "100.64.0.0/16", []string{"100.64.0.0/17", "100.64.128.0/17"}},
		"one zone has the block for itself":                  {nil, 1, 16, "100.64.0.0/16", []string{"100.64.0.0/16"}},
		"four zones fill the block":                          {nil, 4, 20, "100.64.0.0/18", []string{"100.64.0.0/20", "100.64.16.0/20", "100.64.32.0/20", "100.64.48.0/20"}},
		"the smallest block of a VPC holds one subnet":       {nil, 1, 28, "100.64.0.0/28", []string{"100.64.0.0/28"}},
		"it begins after what is taken, at its own multiple": {[]string{"100.64.0.0/20"}, 2, 19, "100.64.64.0/18", []string{"100.64.64.0/19", "100.64.96.0/19"}},
		"a gap that is large enough is used":                 {[]string{"100.64.0.0/18", "100.64.128.0/17"}, 1, 18, "100.64.64.0/18", []string{"100.64.64.0/18"}},
		"a gap that is too small is not":                     {[]string{"100.64.0.0/18", "100.64.128.0/17"}, 1, 17, "100.65.0.0/17", []string{"100.65.0.0/17"}},
		"one address taken in the middle is respected":       {[]string{"100.64.7.7/32"}, 1, 16, "100.65.0.0/16", []string{"100.65.0.0/16"}},
		"bits of the host do not matter":                     {[]string{"100.64.77.77/16"}, 1, 16, "100.65.0.0/16", []string{"100.65.0.0/16"}},
		"ranges may be nested, doubled and in any order":     {[]string{"100.65.0.0/16", "100.64.0.0/28", "100.64.0.0/16", "100.65.0.0/16"}, 1, 16, "100.66.0.0/16", []string{"100.66.0.0/16"}},
		"the last block is found":                            {[]string{"100.64.0.0/11", "100.96.0.0/12", "100.112.0.0/13", "100.120.0.0/14", "100.124.0.0/15", "100.126.0.0/16"}, 1, 16, "100.127.0.0/16", []string{"100.127.0.0/16"}},
		"a default route claims nothing":                     {[]string{"0.0.0.0/0"}, 1, 16, "100.64.0.0/16", []string{"100.64.0.0/16"}},
		"nor do its halves":                                  {[]string{"0.0.0.0/1", "128.0.0.0/1"}, 1, 16, "100.64.0.0/16", []string{"100.64.0.0/16"}},
		"IPv6 ranges are elsewhere":                          {[]string{"::/0", "2001:db8::/32"}, 1, 16, "100.64.0.0/16", []string{"100.64.0.0/16"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := capacity.FindPodRange(prefixes(c.taken...), c.zones, c.length)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(append([]string{c.block}, c.subnets...), append([]string{got.Block.String()}, texts(got.Subnets)...)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFindPodRangeSaysWhyThereIsNone(t *testing.T) {
	for name, c := range map[string]struct {
		taken         []netip.Prefix
		zones, length int
		want          string
	}{
		"all is taken":                       {prefixes("100.64.0.0/10"), 3, 18, "find a free /16 in 100.64.0.0/10: all of it is taken"},
		"a route of a /8 takes all of it":    {prefixes("100.0.0.0/8"), 1, 28, "find a free /28 in 100.64.0.0/10: all of it is taken"},
		"two halves take all of it":          {prefixes("100.96.0.0/11", "100.64.0.0/11"), 1, 20, "find a free /20 in 100.64.0.0/10: all of it is taken"},
		"what is free is too small":          {prefixes("100.64.0.0/11", "100.112.0.0/12", "100.96.0.0/13", "100.104.0.0/14", "100.108.0.0/15", "100.110.0.0/16", "100.111.0.0/17"), 1, 16, "find a free /16 in 100.64.0.0/10: the largest free block is 100.111.128.0/17"},
		"three large subnets in one block":   {nil, 3, 17, "find a pod range: subnet: /17: allowed are /18 to /28: a block of the VPC, a /16 at most, holds one for each zone"},
		"a subnet larger than any":           {nil, 1, 15, "find a pod range: subnet: /15: allowed are /16 to /28: a block of the VPC, a /16 at most, holds one for each zone"},
		"a subnet smaller than any":          {nil, 1, 29, "find a pod range: subnet: /29: allowed are /16 to /28: a block of the VPC, a /16 at most, holds one for each zone"},
		"no zones":                           {nil, 0, 20, "find a pod range: zones: 0: allowed are 1 to 4096"},
		"more zones than subnets":            {nil, 4097, 28, "find a pod range: zones: 4097: allowed are 1 to 4096"},
		"a range that is none, and no zones": {[]netip.Prefix{{}}, -1, 20, "find a pod range: taken: invalid Prefix: allowed are IPv4 and IPv6 ranges\nzones: -1: allowed are 1 to 4096"},
		"a range that hides behind IPv6":     {prefixes("::ffff:100.64.0.0/106"), 1, 20, "find a pod range: taken: ::ffff:100.64.0.0/106: allowed are IPv4 and IPv6 ranges"},
		"lengths that overflow are refused":  {nil, math.MaxInt, math.MinInt, fmt.Sprintf("find a pod range: zones: %d: allowed are 1 to 4096", math.MaxInt)},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := capacity.FindPodRange(c.taken, c.zones, c.length)
			if err == nil || err.Error() != c.want {
				t.Errorf("%v, %v\nwant %s", got, err, c.want)
			}
		})
	}
}

// TestFreeIsTheFirstOfAll asks each address of small universes whether it is taken.
func TestFreeIsTheFirstOfAll(t *testing.T) {
	found, none := 0, 0
	for seed := range uint64(20000) {
		r := rand.New(rand.NewPCG(seed, 5))
		within := netip.PrefixFrom(netip.AddrFrom4([4]byte{255, 255, 255, byte(64 * r.IntN(4))}), 24+r.IntN(3)).Masked()
		taken := make([]netip.Prefix, r.IntN(12))
		for i := range taken {
			taken[i] = netip.PrefixFrom(netip.AddrFrom4([4]byte{255, 255, byte(255 - r.IntN(5)/4), byte(r.IntN(256))}), 25+r.IntN(8))
		}
		length := 23 + r.IntN(11)
		order := slices.Clone(taken)
		got, ok := capacity.Free(within, taken, length)
		want, exists := lowest(within, taken, length)
		if got != want || ok != exists {
			t.Fatalf("seed %d: a free /%d in %s without %v is %v, %v; want %v, %v", seed, length, within, taken, got, ok, want, exists)
		}
		if !slices.Equal(order, taken) {
			t.Fatalf("seed %d: the taken ranges were changed", seed)
		}
		if ok {
			found++
		} else {
			none++
		}
	}
	if found < 4000 || none < 4000 {
		t.Errorf("%d found and %d not: these universes hold too little", found, none)
	}
}

// lowest tries every address of the range.
func lowest(within netip.Prefix, taken []netip.Prefix, length int) (netip.Prefix, bool) {
	if length > 32 || length < within.Bits() {
		return netip.Prefix{}, false
	}
	for start := within.Addr(); within.Contains(start); start = start.Next() {
		block := netip.PrefixFrom(start, length)
		if block.Masked() != block {
			continue
		}
		free := true
		for a := start; a.IsValid() && block.Contains(a); a = a.Next() {
			free = free && !slices.ContainsFunc(taken, func(p netip.Prefix) bool { return p.Contains(a) })
		}
		if free {
			return block, true
		}
	}
	return netip.Prefix{}, false
}

func TestFreeRefusesWhatIsNoIPv4Range(t *testing.T) {
	for _, within := range append(prefixes("2001:db8::/32", "::ffff:10.0.0.0/104"), netip.Prefix{}) {
		if got, ok := capacity.Free(within, nil, 28); ok {
			t.Errorf("%v in %v", got, within)
		}
	}
}

// TestAPodRangeHoldsItsPromises on random VPCs with many neighbours.
func TestAPodRangeHoldsItsPromises(t *testing.T) {
	refused := 0
	for seed := range uint64(5000) {
		r := rand.New(rand.NewPCG(seed, 4))
		taken := make([]netip.Prefix, r.IntN(200))
		for i := range taken {
			taken[i] = netip.PrefixFrom(netip.AddrFrom4([4]byte{100, byte(60 + r.IntN(70)), byte(r.IntN(256)), 0}), 5+r.IntN(21)).Masked()
			if r.IntN(8) > 0 {
				taken[i] = netip.PrefixFrom(taken[i].Addr(), 16+r.IntN(10)).Masked()
			}
		}
		zones := 1 + r.IntN(6)
		length := 19 + r.IntN(10)
		order := slices.Clone(taken)
		got, err := capacity.FindPodRange(taken, zones, length)
		if !slices.Equal(order, taken) {
			t.Fatalf("seed %d: the taken ranges were changed", seed)
		}
		if err != nil {
			refused++
			continue
		}
		vpc := append(slices.Clone(taken), got.Block)
		if i := slices.IndexFunc(taken, func(p netip.Prefix) bool { return p.Bits() >= 8 && p.Overlaps(got.Block) }); i >= 0 {
			t.Fatalf("seed %d: %s overlaps %s", seed, got.Block, taken[i])
		}
		if !capacity.PodSpace().Overlaps(got.Block) || got.Block.Bits() < 16 || got.Block.Bits() > 28 || len(got.Subnets) != zones {
			t.Fatalf("seed %d: %+v", seed, got)
		}
		for i, s := range got.Subnets {
			if s.Bits() != length || s != s.Masked() || !got.Block.Contains(s.Addr()) || slices.ContainsFunc(got.Subnets[:i], s.Overlaps) {
				t.Fatalf("seed %d: subnet %s of %+v", seed, s, got)
			}
		}
		if again, err := capacity.FindPodRange(vpc, zones, length); err == nil && again.Block.Overlaps(got.Block) {
			t.Fatalf("seed %d: %s is given away twice", seed, got.Block)
		}
	}
	if refused < 50 || refused > 4000 {
		t.Errorf("%d of 5000 refused: these VPCs are too much alike", refused)
	}
}

func TestSubnetLength(t *testing.T) {
	for name, c := range map[string]struct{ addresses, zones, want int }{
		"no pods need the smallest":                                         {0, 3, 28},
		"eleven addresses in three zones fill two /28":                      {11, 3, 28},
		"the twelfth needs the next size":                                   {12, 3, 27},
		"2,000 in three zones: two zones hold 4,000":                        {2000, 3, 21},
		"2,000 in two zones: one holds 4,000":                               {2000, 2, 20},
		"one zone has no other: it holds 4,000":                             {2000, 1, 20},
		"40,000 in three zones: a /16 has no room for twice, but for these": {40000, 3, 18},
		"three /18 are full with 49,137":                                    {49137, 3, 18},
		"a /16 is full with 65,531":                                         {65531, 1, 16},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := capacity.SubnetLength(c.addresses, c.zones); err != nil || got != c.want {
				t.Errorf("/%d, %v; want /%d", got, err, c.want)
			}
		})
	}
	for _, c := range [][2]int{{49138, 3}, {65532, 1}, {-1, 3}, {100, 0}, {1, 5000}, {math.MaxInt, 3}, {1, math.MaxInt}} {
		if got, err := capacity.SubnetLength(c[0], c[1]); err == nil || !strings.HasPrefix(err.Error(), fmt.Sprintf("size pod subnets: %d addresses in %d zones: ", c[0], c[1])) {
			t.Errorf("%v: /%d, %v", c, got, err)
		}
	}
}

func TestASubnetOfThisLengthIsTheSmallestThatHoldsItsShareAndFindsARange(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 12))
		addresses, zones := r.IntN(1<<r.IntN(16)+1), 1+r.IntN(6)
		length, err := capacity.SubnetLength(addresses, zones)
		if err != nil {
			continue
		}
		if _, err := capacity.FindPodRange(nil, zones, length); err != nil {
			t.Fatalf("%d addresses in %d zones: %v", addresses, zones, err)
		}
		left := max(1, zones-1)
		usable := func(length int) int { return capacity.Subnet{CIDR: fmt.Sprintf("100.64.0.0/%d", length)}.Usable() }
		_, larger := capacity.FindPodRange(nil, zones, length-1)
		if usable(length)*left < 2*addresses && (larger == nil || usable(length)*zones < addresses) {
			t.Fatalf("%d addresses in %d zones do not fit /%d", addresses, zones, length)
		}
		if length < 28 && usable(length+1)*left >= 2*addresses {
			t.Fatalf("%d addresses in %d zones fit /%d, but got /%d", addresses, zones, length+1, length)
		}
	}
}

func BenchmarkFree(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	taken := make([]netip.Prefix, 1000)
	for i := range taken {
		taken[i] = netip.PrefixFrom(netip.AddrFrom4([4]byte{100, byte(64 + r.IntN(64)), byte(r.IntN(256)), 0}), 24)
	}
	for b.Loop() {
		capacity.Free(capacity.PodSpace(), taken, 16)
	}
}
