package capacity_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/capacity"
)

// The examples of docs/eni-and-ip-target.md in amazon-vpc-cni-k8s at v1.22.4, all of them.
func TestPoolsOfSecondaryAddressesAreThoseOfTheDocuments(t *testing.T) {
	types := instanceTypes(t)
	for _, c := range []struct {
		typ     string
		targets capacity.Targets
		pods    int
		want    capacity.Pool
	}{
		{"t3.small", capacity.Targets{ENI: 1}, 0, capacity.Pool{Interfaces: 1, Addresses: 3, Idle: 3}},
		{"t3.small", capacity.Targets{ENI: 1}, 5, capacity.Pool{Interfaces: 3, Addresses: 9, Idle: 4}},
		{"t3.small", capacity.Targets{ENI: 1}, 9, capacity.Pool{Interfaces: 3, Addresses: 9, Idle: 0}},
		{"t3.small", capacity.Targets{IP: 1, Minimum: 1}, 0, capacity.Pool{Interfaces: 1, Addresses: 1, Idle: 1}},
		{"t3.small", capacity.Targets{IP: 1, Minimum: 1}, 5, capacity.Pool{Interfaces: 2, Addresses: 6, Idle: 1}},
		{"t3.small", capacity.Targets{IP: 1, Minimum: 1}, 9, capacity.Pool{Interfaces: 3, Addresses: 9, Idle: 0}},
		{"t3.small", capacity.Targets{IP: 2, Minimum: 5}, 0, capacity.Pool{Interfaces: 2, Addresses: 5, Idle: 5}},
		{"t3.small", capacity.Targets{IP: 2, Minimum: 5}, 5, capacity.Pool{Interfaces: 3, Addresses: 7, Idle: 2}},
		{"t3.small", capacity.Targets{IP: 2, Minimum: 5}, 9, capacity.Pool{Interfaces: 3, Addresses: 9, Idle: 0}},
		{"p3dn.24xlarge", capacity.Targets{ENI: 1}, 0, capacity.Pool{Interfaces: 1, Addresses: 49, Idle: 49}},
		{"p3dn.24xlarge", capacity.Targets{ENI: 1}, 3, capacity.Pool{Interfaces: 2, Addresses: 98, Idle: 95}},
		{"p3dn.24xlarge", capacity.Targets{ENI: 1}, 95, capacity.Pool{Interfaces: 3, Addresses: 147, Idle: 52}},
		{"p3dn.24xlarge", capacity.Targets{IP: 5, Minimum: 10}, 0, capacity.Pool{Interfaces: 1, Addresses: 10, Idle: 10}},
		{"p3dn.24xlarge", capacity.Targets{IP: 5, Minimum: 10}, 7, capacity.Pool{Interfaces: 1, Addresses: 12, Idle: 5}},
		{"p3dn.24xlarge", capacity.Targets{IP: 5, Minimum: 10}, 15, capacity.Pool{Interfaces: 1, Addresses: 20, Idle: 5}},
		{"p3dn.24xlarge", capacity.Targets{IP: 5, Minimum: 10}, 45, capacity.Pool{Interfaces: 2, Addresses: 50, Idle: 5}},
	} {
		t.Run(fmt.Sprintf("%s with %+v and %d pods", c.typ, c.targets, c.pods), func(t *testing.T) {
			if diff := cmp.Diff(c.want, types[c.typ].Pool(capacity.Mode{}, c.targets, c.pods)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// The examples of docs/prefix-and-ip-target.md in amazon-vpc-cni-k8s at v1.22.4, all of them. Two things there do not agree with
// the text beside them, nor with pkg/ipamd: MINIMUM_IP_TARGET 20 is said to be as good as 32, but the row without pods has 1 prefix (and
// 2 on its interface); and p3dn.24xlarge is given 2 or 3 interfaces, of which all but one are empty.
func TestPoolsOfPrefixesAreThoseOfTheDocuments(t *testing.T) {
	types := instanceTypes(t)
	for _, c := range []struct {
		typ                              string
		targets                          capacity.Targets
		pods, interfaces, prefixes, idle int
	}{
		{"t3.small", capacity.Targets{Prefix: 1}, 0, 1, 1, 16},
		{"t3.small", capacity.Targets{Prefix: 1}, 5, 1, 2, 27},
		{"t3.small", capacity.Targets{Prefix: 1}, 16, 1, 2, 16},
		{"t3.small", capacity.Targets{Prefix: 1}, 17, 1, 3, 31},
		{"t3.small", capacity.Targets{Prefix: 1}, 58, 2, 5, 22},
		{"t3.small", capacity.Targets{IP: 1, Minimum: 1}, 0, 1, 1, 16},
		{"t3.small", capacity.Targets{IP: 1, Minimum: 1}, 5, 1, 1, 11},
		{"t3.small", capacity.Targets{IP: 1, Minimum: 1}, 17, 1, 2, 15},
		{"t3.small", capacity.Targets{IP: 1, Minimum: 1}, 58, 2, 4, 6},
		{"t3.small", capacity.Targets{IP: 7, Minimum: 20}, 0, 1, 1, 16},
		{"t3.small", capacity.Targets{IP: 7, Minimum: 20}, 5, 1, 2, 27},
		{"t3.small", capacity.Targets{IP: 7, Minimum: 20}, 17, 1, 2, 15},
		{"t3.small", capacity.Targets{IP: 7, Minimum: 20}, 58, 2, 5, 22},
		{"p3dn.24xlarge", capacity.Targets{Prefix: 1}, 0, 1, 1, 16},
		{"p3dn.24xlarge", capacity.Targets{Prefix: 1}, 3, 2, 2, 29},
		{"p3dn.24xlarge", capacity.Targets{Prefix: 1}, 95, 3, 7, 17},
		{"p3dn.24xlarge", capacity.Targets{IP: 5, Minimum: 10}, 0, 1, 1, 16},
		{"p3dn.24xlarge", capacity.Targets{IP: 5, Minimum: 10}, 7, 1, 1, 9},
		{"p3dn.24xlarge", capacity.Targets{IP: 5, Minimum: 10}, 15, 1, 2, 17},
		{"p3dn.24xlarge", capacity.Targets{IP: 5, Minimum: 10}, 45, 2, 4, 19},
	} {
		t.Run(fmt.Sprintf("%s with %+v and %d pods", c.typ, c.targets, c.pods), func(t *testing.T) {
			got := types[c.typ].Pool(capacity.Mode{PrefixDelegation: true}, c.targets, c.pods)
			want := capacity.Pool{Interfaces: c.interfaces, Addresses: 16 * c.prefixes, Idle: c.idle}
			if c.targets.Minimum == 20 && c.pods == 0 {
				want.Addresses, want.Idle = 32, 32
			}
			if c.typ == "p3dn.24xlarge" {
				want.Interfaces = 1
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestPool(t *testing.T) {
	small := capacity.InstanceType{Interfaces: 3, Addresses: 4, Nitro: true} // t3.small: 3 addresses an interface, 9 in all
	old := capacity.InstanceType{Interfaces: 3, Addresses: 4}
	prefix, custom := capacity.Mode{PrefixDelegation: true}, capacity.Mode{CustomNetworking: true}
	for name, c := range map[string]struct {
		typ     capacity.InstanceType
		mode    capacity.Mode
		targets capacity.Targets
		pods    int
		want    capacity.Pool
	}{
		"by default an interface is spare":                     {small, capacity.Mode{}, capacity.DefaultTargets(), 3, capacity.Pool{Interfaces: 2, Addresses: 6, Idle: 3}},
		"with prefixes a prefix":                               {small, prefix, capacity.DefaultTargets(), 3, capacity.Pool{Interfaces: 1, Addresses: 32, Idle: 29}},
		"without Nitro an interface again":                     {old, prefix, capacity.DefaultTargets(), 3, capacity.Pool{Interfaces: 2, Addresses: 6, Idle: 3}},
		"without a target the next is added when none is left": {small, capacity.Mode{}, capacity.Targets{}, 3, capacity.Pool{Interfaces: 2, Addresses: 6, Idle: 3}},
		"and no sooner":                                        {small, capacity.Mode{}, capacity.Targets{}, 2, capacity.Pool{Interfaces: 1, Addresses: 3, Idle: 1}},
		"prefixes the same way":                                {small, prefix, capacity.Targets{}, 16, capacity.Pool{Interfaces: 1, Addresses: 32, Idle: 16}},
		"a target in addresses puts one in interfaces aside":   {small, capacity.Mode{}, capacity.Targets{ENI: 2, IP: 1}, 1, capacity.Pool{Interfaces: 1, Addresses: 2, Idle: 1}},
		"and one in prefixes":                                  {small, prefix, capacity.Targets{Prefix: 3, Minimum: 16}, 4, capacity.Pool{Interfaces: 1, Addresses: 16, Idle: 12}},
		"a minimum is held whatever runs":                      {small, capacity.Mode{}, capacity.Targets{Minimum: 4}, 0, capacity.Pool{Interfaces: 2, Addresses: 4, Idle: 4}},
		"custom networking has an interface less":              {small, custom, capacity.Targets{ENI: 9}, 1, capacity.Pool{Interfaces: 2, Addresses: 6, Idle: 5}},
		"where there is none nothing is held":                  {capacity.InstanceType{Interfaces: 1, Addresses: 4}, custom, capacity.Targets{ENI: 1}, 5, capacity.Pool{}},
		"a type that is not known holds nothing known":         {capacity.InstanceType{}, prefix, capacity.DefaultTargets(), 5, capacity.Pool{}},
		"a negative target in interfaces is the default":       {small, capacity.Mode{}, capacity.Targets{ENI: -1}, 1, capacity.Pool{Interfaces: 2, Addresses: 6, Idle: 5}},
		"a negative one in addresses is none":                  {small, capacity.Mode{}, capacity.Targets{IP: -5, Minimum: 2}, 4, capacity.Pool{Interfaces: 2, Addresses: 4}},
		"and so is one in prefixes":                            {small, prefix, capacity.Targets{Prefix: -5}, 4, capacity.Pool{Interfaces: 1, Addresses: 16, Idle: 12}},
		"an absurd target takes what there is":                 {small, prefix, capacity.Targets{Prefix: math.MaxInt}, 1, capacity.Pool{Interfaces: 3, Addresses: 144, Idle: 143}},
		"so does one in addresses":                             {small, capacity.Mode{}, capacity.Targets{IP: math.MaxInt}, 9, capacity.Pool{Interfaces: 3, Addresses: 9}},
		"and one in interfaces":                                {small, capacity.Mode{}, capacity.Targets{ENI: math.MaxInt / 2}, -1, capacity.Pool{Interfaces: 3, Addresses: 9, Idle: 9}},
		"more pods than addresses leave none idle":             {small, capacity.Mode{}, capacity.DefaultTargets(), math.MaxInt, capacity.Pool{Interfaces: 3, Addresses: 9}},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.typ.Pool(c.mode, c.targets, c.pods)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if got.Taken() != c.want.Addresses+c.want.Interfaces {
				t.Errorf("%d taken", got.Taken())
			}
		})
	}
}

// The pool is where a node comes to rest that gets its pods one by one and adds step by step, as ipamd does.
func TestPoolIsWhereAGrowingNodeComesToRest(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		typ := capacity.InstanceType{Interfaces: 1 + r.IntN(6), Addresses: 2 + r.IntN(12), Nitro: r.IntN(4) > 0}
		mode := modes()[r.IntN(4)]
		targets := capacity.Targets{ENI: r.IntN(4), Prefix: r.IntN(4)}
		if r.IntN(2) == 0 {
			targets.IP, targets.Minimum = 1+r.IntN(20), r.IntN(40)
		}
		n := newNode(typ, mode, targets)
		for pods := range typ.PodAddresses(mode) + 1 {
			n.settle()
			want := capacity.Pool{Interfaces: len(n.slots), Addresses: n.held(), Idle: n.held() - pods}
			if diff := cmp.Diff(want, typ.Pool(mode, targets, pods)); diff != "" {
				t.Fatalf("%+v, %+v, %+v, %d pods: -want +got:\n%s", typ, mode, targets, pods, diff)
			}
			n.pods++
		}
	}
}

// node is an instance with the CNI on it: how many slots of each of its interfaces hold an address or a prefix.
type node struct {
	targets               capacity.Targets
	slots                 []int
	interfaces, per, size int // at most so many interfaces, slots of one, addresses of a slot
	pods                  int
}

func newNode(typ capacity.InstanceType, mode capacity.Mode, targets capacity.Targets) *node {
	n := &node{targets: targets, interfaces: typ.Interfaces, per: typ.Addresses - 1, size: 1}
	if mode.PrefixDelegation && typ.Nitro {
		n.size = 16
	}
	if mode.CustomNetworking {
		n.interfaces--
	} else {
		n.slots = []int{0}
	}
	return n
}

func (n *node) held() int {
	sum := 0
	for _, s := range n.slots {
		sum += s
	}
	return sum * n.size
}

// need is the number of slots to add next; 0: the pool is not too low.
func (n *node) need() int {
	free := n.held() - n.pods
	switch {
	case n.targets.IP > 0 || n.targets.Minimum > 0:
		short := max(n.targets.IP-free, n.targets.Minimum-n.held(), 0)
		return int(math.Ceil(float64(short) / float64(n.size)))
	case n.size == 16 && (free < 16*n.targets.Prefix || free == 0):
		return max(1, n.targets.Prefix-free/16)
	case n.size == 1 && (free < n.per*n.targets.ENI || free == 0):
		return n.per
	}
	return 0
}

// settle adds, to the first interface with room, else on a new one, until nothing is needed or nothing fits.
func (n *node) settle() {
	for need := n.need(); need > 0; need = n.need() {
		last := len(n.slots) - 1
		if last < 0 || n.slots[last] == n.per {
			if len(n.slots) == n.interfaces {
				return
			}
			n.slots = append(n.slots, 0)
			last++
		}
		n.slots[last] += min(need, n.per-n.slots[last])
	}
}
