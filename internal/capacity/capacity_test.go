package capacity_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/quick"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/capacity"
)

func TestUsable(t *testing.T) {
	for name, c := range map[string]struct {
		cidr string
		want int
	}{
		"a /28, the smallest subnet of a VPC, has 11": {"10.0.0.0/28", 11},
		"a /24 has 251":                                {"10.0.0.0/24", 251},
		"a /16, the largest, has 65531":                {"10.0.0.0/16", 65531},
		"the secondary range of pods counts the same":  {"100.64.0.0/19", 8187},
		"a /29 has 3":                                  {"10.0.0.0/29", 3},
		"what AWS keeps for itself is never below 0":   {"10.0.0.0/30", 0},
		"one address gives none":                       {"10.0.0.0/32", 0},
		"an IPv6 range gives none":                     {"2001:db8::/64", 0},
		"an IPv4 range in IPv6 spelling gives none":    {"::ffff:10.0.0.0/120", 0},
		"a subnet without an IPv4 range gives none":    {"", 0},
		"what is no range gives none":                  {"ten dot zero", 0},
		"an address without a length gives none":       {"10.0.0.0", 0},
		"a length beyond 32 gives none":                {"10.0.0.0/33", 0},
		"a negative length gives none":                 {"10.0.0.0/-1", 0},
		"host bits in the range do not change the sum": {"10.0.0.77/24", 251},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (capacity.Subnet{CIDR: c.cidr}).Usable(); got != c.want {
				t.Errorf("%q has %d, want %d", c.cidr, got, c.want)
			}
		})
	}
}

func TestUtilization(t *testing.T) {
	for name, c := range map[string]struct {
		cidr string
		free int
		want float64
	}{
		"an empty subnet is 0 % used":                       {"10.0.0.0/24", 251, 0},
		"a full subnet is 100 % used":                       {"10.0.0.0/24", 0, 100},
		"one address of eleven is one eleventh":             {"10.0.0.0/28", 10, 100.0 / 11},
		"more free addresses than there can be are 0 %":     {"10.0.0.0/28", 16, 0},
		"fewer free addresses than none are 100 %":          {"10.0.0.0/28", -1, 100},
		"a subnet without IPv4 addresses is not used":       {"2001:db8::/64", 0, 0},
		"a subnet whose range is garbage is taken for none": {"x", 7, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (capacity.Subnet{CIDR: c.cidr, Free: c.free}).Utilization(); got != c.want {
				t.Errorf("%v %%, want %v %%", got, c.want)
			}
		})
	}
}

func TestUtilizationStaysWithinItsBoundsAndFallsWithFreeAddresses(t *testing.T) {
	bounded := func(bits uint8, free int16) bool {
		s := capacity.Subnet{CIDR: fmt.Sprintf("10.0.0.0/%d", bits%40), Free: int(free)}
		more := s
		more.Free++
		u := s.Utilization()
		return u >= 0 && u <= 100 && more.Utilization() <= u
	}
	if err := quick.Check(bounded, &quick.Config{MaxCount: 2000}); err != nil {
		t.Error(err)
	}
}

func TestHasRoom(t *testing.T) {
	for name, c := range map[string]struct {
		cidr string
		free int
		want bool
	}{
		"sixteen free addresses are room":                                 {"10.0.0.0/24", 16, true},
		"fifteen of a large subnet are not":                               {"10.0.0.0/24", 15, false},
		"a quarter of a small subnet is room: three of eleven":            {"10.0.0.0/28", 3, true},
		"less than a quarter is not: two of eleven":                       {"10.0.0.0/28", 2, false},
		"a quarter of 59 is not reached by fourteen":                      {"10.0.0.0/26", 14, false},
		"a quarter of 59 is reached by fifteen":                           {"10.0.0.0/26", 15, true},
		"a full subnet has none":                                          {"10.0.0.0/28", 0, false},
		"a subnet without IPv4 addresses has none, whatever is free of 0": {"", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (capacity.Subnet{CIDR: c.cidr, Free: c.free}).HasRoom(); got != c.want {
				t.Errorf("%d of %s: %v, want %v", c.free, c.cidr, got, c.want)
			}
		})
	}
}

func TestPodsHaveRoomIfEverySubnetWithAddressesHas(t *testing.T) {
	roomy, full := capacity.Subnet{CIDR: "10.0.0.0/24", Free: 100}, capacity.Subnet{CIDR: "10.0.1.0/24", Free: 1}
	v6 := capacity.Subnet{CIDR: ""}
	for name, c := range map[string]struct {
		subnets []capacity.Subnet
		want    bool
	}{
		"no subnet lacks room where there is none": {nil, true},
		"all have room": {[]capacity.Subnet{roomy, roomy}, true},
		"one full subnet does not hide behind an empty":   {[]capacity.Subnet{roomy, full}, false},
		"nor in front of it":                              {[]capacity.Subnet{full, roomy}, false},
		"a subnet without IPv4 addresses is not asked":    {[]capacity.Subnet{v6, roomy}, true},
		"it does not excuse a full one beside it, either": {[]capacity.Subnet{v6, full}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if s, cramped := (capacity.Pods{Subnets: c.subnets}).Cramped(); cramped == c.want || cramped != (s.CIDR == full.CIDR) {
				t.Errorf("cramped %v: %+v", cramped, s)
			}
		})
	}
}

func TestWorst(t *testing.T) {
	for name, c := range map[string]struct {
		subnets []capacity.Subnet
		want    string // id; empty: there is none
	}{
		"no subnets have no worst":                          {nil, ""},
		"subnets without IPv4 addresses have no worst":      {[]capacity.Subnet{{ID: "a"}, {ID: "b", CIDR: "2001:db8::/64"}}, ""},
		"the fullest counts, not the one with fewest free":  {[]capacity.Subnet{{ID: "a", CIDR: "10.0.0.0/28", Free: 5}, {ID: "b", CIDR: "10.0.1.0/24", Free: 20}}, "b"},
		"of equally full ones the one with fewer addresses": {[]capacity.Subnet{{ID: "a", CIDR: "10.0.0.0/24", Free: 251}, {ID: "b", CIDR: "10.0.1.0/28", Free: 11}}, "b"},
		"of equal ones the lower id":                        {[]capacity.Subnet{{ID: "b", CIDR: "10.0.0.0/24"}, {ID: "a", CIDR: "10.0.1.0/24"}}, "a"},
		"one without IPv4 addresses is passed over":         {[]capacity.Subnet{{ID: "a"}, {ID: "b", CIDR: "10.0.1.0/24", Free: 251}}, "b"},
	} {
		t.Run(name, func(t *testing.T) {
			got, any := capacity.Pods{Subnets: c.subnets}.Worst()
			if got.ID != c.want || any != (c.want != "") {
				t.Errorf("%q, %v; want %q", got.ID, any, c.want)
			}
		})
	}
}

// random is a handful of subnets, many of them equally full.
func random(r *rand.Rand) []capacity.Subnet {
	subnets := make([]capacity.Subnet, r.IntN(6))
	for i, n := range r.Perm(len(subnets)) {
		cidr := []string{"10.0.0.0/28", "10.0.0.0/24", "2001:db8::/64", ""}[r.IntN(4)]
		subnets[i] = capacity.Subnet{ID: fmt.Sprintf("subnet-%d", n), CIDR: cidr, Free: []int{0, 5, 11, 251}[r.IntN(4)]}
	}
	return subnets
}

func TestWorstIsAMaximumInWhateverOrderTheSubnetsCome(t *testing.T) {
	maximum := func(seed uint64) bool {
		r := rand.New(rand.NewPCG(seed, 1))
		p := capacity.Pods{Subnets: random(r)}
		worst, any := p.Worst()
		shuffled := slices.Clone(p.Subnets)
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		again, _ := capacity.Pods{Subnets: shuffled}.Worst()
		if diff := cmp.Diff(worst, again); diff != "" {
			t.Logf("the order decides (-first +shuffled):\n%s", diff)
			return false
		}
		withIPv4 := slices.DeleteFunc(slices.Clone(p.Subnets), func(s capacity.Subnet) bool { return s.Usable() == 0 })
		fuller := func(s capacity.Subnet) bool { return s.Utilization() > worst.Utilization() }
		return any == (len(withIPv4) > 0) && !slices.ContainsFunc(withIPv4, fuller)
	}
	if err := quick.Check(maximum, &quick.Config{MaxCount: 2000}); err != nil {
		t.Error(err)
	}
}

func TestIDsAreInOrderAndLeaveTheSubnetsAsTheyAre(t *testing.T) {
	p := capacity.Pods{Subnets: []capacity.Subnet{{ID: "c"}, {ID: "a"}, {ID: "b"}}}
	if diff := cmp.Diff([]string{"a", "b", "c"}, p.IDs()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if p.Subnets[0].ID != "c" {
		t.Error("listing the ids sorted the subnets themselves")
	}
	if ids := (capacity.Pods{}).IDs(); len(ids) != 0 {
		t.Errorf("no subnets have the ids %v", ids)
	}
}

func TestWhatIsCountedIsAPodSubnetOnceAndNoOtherAnyMore(t *testing.T) {
	p := capacity.Pods{
		Subnets: []capacity.Subnet{{ID: "a", By: []string{"node group ng"}}, {ID: "b", By: []string{"instances"}}},
		Rest:    []capacity.Subnet{{ID: "c"}, {ID: "d"}, {ID: "e"}},
	}
	before := slices.Clone(p.Rest)
	p.Count("tag", func(s capacity.Subnet) bool { return s.ID == "b" || s.ID == "d" })
	p.Count("nobody", func(capacity.Subnet) bool { return false })
	want := capacity.Pods{
		Subnets: []capacity.Subnet{{ID: "a", By: []string{"node group ng"}}, {ID: "b", By: []string{"instances", "tag"}}, {ID: "d", By: []string{"tag"}}},
		Rest:    []capacity.Subnet{{ID: "c"}, {ID: "e"}},
	}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if before[1].By != nil {
		t.Error("what was read before is changed")
	}
}
