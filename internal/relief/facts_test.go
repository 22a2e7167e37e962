package relief_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/relief"
)

// hostile are names that nobody should have, and that a shell, YAML or a line of text would trip over.
func hostile() []string {
	return []string{
		"$(touch pwned)", "`touch pwned`", "a'b", "a'; touch pwned; '", `"; touch pwned; "`, "a\nb", "\x00\x1b[31m", "../../etc/passwd", "--debug", "{{.}}",
		"名前", "a b", "", "\u2028", "*", "~", "#", "100 addresses in use", string(make([]byte, 300)), "\xff\xfe", "!1", "a\\", "%s%d",
	}
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// families are types of three sizes, the second on Nitro only by chance, small enough to count slot by slot, and a large one.
func families(r *rand.Rand) (types []capacity.InstanceType) {
	for _, family := range []string{"m5", "t2"} {
		t := capacity.InstanceType{Interfaces: 2 + r.IntN(2), Addresses: 4 + r.IntN(8), Nitro: family == "m5" || r.IntN(2) == 0, VCPUs: 2}
		for _, size := range []string{"large", "xlarge", "2xlarge"} {
			t.Name = family + "." + size
			types = append(types, t)
			t.Interfaces, t.Addresses, t.VCPUs = t.Interfaces+r.IntN(2), t.Addresses+r.IntN(5), t.VCPUs*2
		}
	}
	return append(types, capacity.InstanceType{Name: "p4.4xlarge", Interfaces: 8, Addresses: 30, Nitro: true, VCPUs: 16}) // 110 pods in every mode
}

// some are facts as a cluster may have them. The nodes hold what the CNI gives them, or what it does not.
func some(r *rand.Rand) relief.Facts {
	f := relief.Facts{
		Cluster:  cluster.ID{Account: "111122223333", Region: pick(r, "eu-central-1", "cn-north-1", "us-gov-west-1"), Name: "prod"},
		Version:  cni.Parse(pick(r, "v1.20.4-eksbuild.1", "v1.9.0", "v1.8.0", "v1.7.5-eksbuild.2", "v1.5.3", "latest")),
		Managed:  r.IntN(2) == 0,
		AutoMode: r.IntN(20) == 0,
		Mode:     capacity.Mode{CustomNetworking: r.IntN(4) == 0, PrefixDelegation: r.IntN(3) == 0},
		Targets:  pick(r, capacity.DefaultTargets(), capacity.DefaultTargets(), capacity.Targets{ENI: 1, Prefix: 3}, capacity.Targets{ENI: 1, IP: 9, Minimum: 20}, capacity.Targets{IP: 40}, capacity.Targets{ENI: -1}, capacity.Targets{}),
		Types:    families(r),
	}
	for range r.IntN(4) {
		f.Nodes = append(f.Nodes, nodes(r, f))
	}
	for i := range r.IntN(4) {
		s := capacity.Subnet{
			ID: fmt.Sprintf("subnet-0%c", 'a'+i), CIDR: fmt.Sprintf("10.0.%d.0/%d", 16*i, 20+r.IntN(7)), Zone: pick(r, "eu-central-1a", "eu-central-1b", "eu-central-1c"),
			Owner: pick(r, "", "", "111122223333", "444455556666"),
		}
		s.Free = r.IntN(pick(r, s.Usable(), s.Usable(), s.Usable(), 20) + 1)
		f.Subnets = append(f.Subnets, s)
	}
	f.Blocks = map[string]capacity.Blocks{}
	for _, s := range f.Subnets {
		if r.IntN(8) > 0 {
			f.Blocks[s.ID] = blocks(r, s)
		}
	}
	if r.IntN(2) == 0 {
		f.NodeMetrics = capacity.NodeMetrics{ID: "prod", Total: 1 + r.IntN(900)}
		f.NodeMetrics.Assigned, f.NodeMetrics.Max = r.IntN(f.NodeMetrics.Total+1), f.NodeMetrics.Total+r.IntN(100)
		if r.IntN(2) == 0 { // nodes that are full
			f.NodeMetrics.Assigned = f.NodeMetrics.Total - r.IntN(1+f.NodeMetrics.Total/10)
		}
	}
	if r.IntN(6) > 0 {
		f.VPC, f.Taken = "vpc-0a1", prefixes("10.0.0.0/16", fmt.Sprintf("100.%d.0.0/%d", 64+r.IntN(4), 10+r.IntN(10)), "0.0.0.0/0", "fd00::/8")
	}
	if r.IntN(3) == 0 {
		f.Unread = []string{"the routes of vpc-0a1 (AccessDenied)", "the peers of vpc-0a1 (Throttled)"}
	}
	return f
}

func nodes(r *rand.Rand, f relief.Facts) capacity.Nodes {
	t := pick(r, f.Types...)
	n := capacity.Nodes{Type: t.Name, Count: 1 + r.IntN(30), Interfaces: 1 + r.IntN(3), Addresses: r.IntN(30)}
	if r.IntN(5) > 0 {
		interfaces, held := rest(t, f.Mode, f.Targets, r.IntN(room(t, f.Mode)+1))
		n.Interfaces, n.Addresses = max(1, interfaces), held
		if f.Mode.CustomNetworking {
			n.Interfaces = interfaces + 1
		}
		if f.Mode.PrefixDelegation && t.Nitro {
			n.Addresses, n.Prefixes = 0, held/16
		}
	}
	if r.IntN(15) == 0 {
		n.Type = "p9.unknown"
	}
	return n
}

// blocks are those of a subnet with addresses in use at random.
func blocks(r *rand.Rand, s capacity.Subnet) capacity.Blocks {
	p := netip.MustParsePrefix(s.CIDR)
	o := capacity.Occupancy{CIDR: s.CIDR}
	some := r.IntN(20) * r.IntN(2)
	for a := p.Addr(); p.Contains(a); a = a.Next() {
		if r.IntN(40) < some {
			o.Addresses = append(o.Addresses, a)
		}
	}
	if r.IntN(3) == 0 {
		o.Reservations = []capacity.Reservation{{Range: netip.PrefixFrom(p.Addr(), 28-r.IntN(29-p.Bits())), Kind: capacity.ForPrefixes}}
	}
	b, err := o.Blocks()
	if err != nil {
		panic(err)
	}
	return b
}

// absurd are facts that no cluster has.
func absurd(r *rand.Rand) relief.Facts {
	f := some(r)
	n := func() int { return pick(r, 0, 1, -1, math.MaxInt, math.MinInt, 1_000_000, -16, 7, r.IntN(5000)) }
	s := func() string {
		return pick(r, append(hostile(), "m5.large", "eu-central-1a", "subnet-0a", "10.0.0.0/16")...)
	}
	for range 1 + r.IntN(6) {
		switch r.IntN(12) {
		case 0:
			f.Cluster = cluster.ID{Account: s(), Region: s(), Name: s()}
		case 1:
			f.Version = cni.Version{Major: n(), Minor: n(), Patch: n(), Pre: s(), Build: n()}
		case 2:
			f.Targets = capacity.Targets{ENI: n(), IP: n(), Minimum: n(), Prefix: n()}
		case 3:
			f.Nodes = append(f.Nodes, capacity.Nodes{Type: s(), Count: n(), Interfaces: n(), Addresses: n(), Prefixes: n()})
		case 4:
			f.Types = append(f.Types, capacity.InstanceType{Name: s(), Interfaces: n(), Addresses: n(), VCPUs: n(), Nitro: true})
		case 5:
			f.Types = append([]capacity.InstanceType{{Name: "m5.large", Interfaces: n(), Addresses: n(), VCPUs: n()}}, f.Types...)
		case 6:
			f.Subnets = append(f.Subnets, capacity.Subnet{ID: s(), CIDR: s(), Zone: s(), Free: n(), Owner: s()})
		case 7:
			f.Subnets = append(f.Subnets, capacity.Subnet{ID: "subnet-0a", CIDR: "10.0.0.0/16", Zone: "eu-central-1a", Free: n()})
		case 8:
			b := capacity.Blocks{Open: n(), Reserved: n(), Total: n(), ForPrefixes: n(), Packed: n(), Addresses: n()}
			b.Largest = pick(r, netip.Prefix{}, netip.MustParsePrefix("fd00::/64"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/32"))
			f.Blocks = map[string]capacity.Blocks{"subnet-0a": b, "subnet-0b": b, s(): b}
		case 9:
			f.NodeMetrics = capacity.NodeMetrics{ID: s(), Assigned: n(), Total: n(), Max: n()}
		case 10:
			f.VPC, f.Unread = s(), []string{s(), s(), s(), s(), s(), s(), s()}
		case 11:
			f.Taken = append(f.Taken, netip.Prefix{}, netip.PrefixFrom(netip.MustParseAddr("::ffff:10.0.0.0"), 100))
		}
	}
	return f
}
