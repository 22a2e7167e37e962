package relief_test

import (
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/relief"
)

func codes() []string {
	return []string{"custom-networking", "instance-size", "more-nodes", "prefix-delegation", "reservation", "warm-targets"}
}

func TestWhateverTheFactsAreTheHelpIsWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 6))
	for i := range 1500 {
		f := absurd(r)
		if i%3 == 0 {
			f = some(r)
		}
		lawful(t, f)
		if t.Failed() {
			t.Fatalf("%+v", f)
		}
	}
}

func lawful(t *testing.T, f relief.Facts) {
	t.Helper()
	all, found, refused := relief.All(f), []string(nil), false
	for _, h := range all {
		found = append(found, h.Code)
		whole := h.Line != "" && h.Effect != "" && h.Risk != "" && len(h.Commands) > 0
		empty := h.Line == "" && h.Effect == "" && h.Risk == "" && len(h.Commands) == 0 && len(h.Files) == 0
		if h.Title == "" || h.Not == "" && !whole || h.Not != "" && !empty {
			t.Errorf("neither help nor a reason: %+v", h)
		}
		if refused && h.Not == "" {
			t.Errorf("%s comes after what does not help", h.Code)
		}
		refused = h.Not != ""
		readable(t, h.Line, 160)
		readable(t, h.Effect, 5000)
		readable(t, h.Risk, 5000)
		readable(t, h.Not, 1000)
	}
	slices.Sort(found)
	if !slices.Equal(found, codes()) {
		t.Errorf("%q", found)
	}
	line := relief.Line(f)
	readable(t, line, 160)
	if best := all[0]; (line == "") != (best.Not != "") || !strings.HasPrefix(line, best.Line) {
		t.Errorf("line %q for %+v", line, best)
	}
}

// negative is a number below zero; a hyphen in a name is none.
var negative = regexp.MustCompile(`(^|[\s=(])-\d`)

func readable(t *testing.T, text string, longest int) {
	t.Helper()
	odd := strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
	if odd || utf8.RuneCountInString(text) > longest || negative.MatchString(text) || strings.Contains(text, "%!") {
		t.Errorf("%q", text)
	}
}

func FuzzAll(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) { lawful(t, absurd(rand.New(rand.NewPCG(a, b)))) })
}

// A bound holds for every number of pods that the nodes may have: whoever is believed must not be let down.
func TestTheBoundOfWhatIsFreedHoldsForEveryClusterThatLooksTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 6))
	freed := regexp.MustCompile(`WARM_IP_TARGET=(\d+), MINIMUM_IP_TARGET=(\d+) would free at least ([\d,]+) of`)
	told := 0
	for range 800 {
		f := some(r)
		f.AutoMode, f.Version, f.NodeMetrics, f.Nodes = false, cni.Parse("v1.20.4"), capacity.NodeMetrics{}, nil
		f.Targets = pick(r, capacity.DefaultTargets(), capacity.Targets{ENI: 2, Prefix: 3})
		before, pods := 0, []int(nil)
		for range 1 + r.IntN(3) {
			typ := pick(r, f.Types...)
			p := r.IntN(min(room(typ, f.Mode), recommended(typ, f.Mode)-2) + 1)
			interfaces, held := rest(typ, f.Mode, f.Targets, p)
			n := capacity.Nodes{Type: typ.Name, Count: 1 + r.IntN(9), Interfaces: max(1, interfaces), Addresses: held}
			if f.Mode.CustomNetworking {
				n.Interfaces = 1 + interfaces
			}
			if slot(typ, f.Mode) == 16 {
				n.Addresses, n.Prefixes = 0, held/16
			}
			f.Nodes, pods, before = append(f.Nodes, n), append(pods, p), before+n.Count*held
		}
		m := freed.FindStringSubmatch(relief.All(f)[0].Line)
		if m == nil {
			continue
		}
		told++
		after := 0
		for i, n := range f.Nodes {
			typ, _ := find(f, n.Type)
			_, held := rest(typ, f.Mode, capacity.Targets{IP: number(m[1]), Minimum: number(m[2])}, pods[i])
			after += n.Count * held
		}
		if before-after < number(m[3]) {
			t.Fatalf("%s; with %v pods it is %d: %+v", m[0], pods, before-after, f)
		}
	}
	if told < 50 {
		t.Errorf("only %d bounds", told)
	}
}

func number(s string) (n int) {
	for _, c := range strings.ReplaceAll(s, ",", "") {
		n = 10*n + int(c-'0')
	}
	return n
}

// reserved is a cluster in one subnet of which so many blocks are free, and the largest range is this.
func reserved(already, free int, largest string) relief.Facts {
	f := fragmented()
	f.Subnets = f.Subnets[:1]
	b := capacity.Blocks{Open: free - already, Reserved: already, ForPrefixes: already, Total: 254, Packed: 100, Largest: netip.MustParsePrefix(largest)}
	f.Blocks = map[string]capacity.Blocks{"subnet-0a": b}
	return f
}

func TestWhatHelps(t *testing.T) {
	with := func(change func(*relief.Facts)) relief.Facts { f := full(); change(&f); return f }
	old := func(version string) relief.Facts {
		return with(func(f *relief.Facts) { f.Version, f.Subnets[1].Free = cni.Parse(version), 40 })
	}
	crowded := func(change func(*relief.Facts)) relief.Facts {
		f := full()
		f.NodeMetrics = capacity.NodeMetrics{ID: "x", Assigned: 500, Total: 540, Max: 600}
		f.Nodes = []capacity.Nodes{{Type: "m5.large", Count: 20, Interfaces: 3, Addresses: 27}}
		f.Subnets[0].Free, f.Subnets[1].Free = 40, 30
		change(&f)
		return f
	}
	const restarts = "Every aws-node pod is restarted, and releases below v1.10.2 crash when they start on a subnet without free addresses: v1.9.0 runs. "
	for name, c := range map[string]struct {
		facts           relief.Facts
		code, not, says string // not: part of the reason; says: part of the line, effect or risk
	}{
		"a full subnet may keep nodes from growing, so that nothing is said of idle addresses": {
			with(func(f *relief.Facts) { f.Subnets[1].Free = 9 }), "warm-targets", "", "how many it would free is not known"},
		"without cni-metrics-helper and warm targets nothing is known of them": {
			with(func(f *relief.Facts) { f.Targets = capacity.Targets{} }), "warm-targets", "the warm targets that are set are not known", ""},
		"an interface that is not for pods makes the pods unknown": {
			with(func(f *relief.Facts) {
				f.Nodes = []capacity.Nodes{{Type: "m5.large", Count: 9, Interfaces: 3, Addresses: 18}}
			}), "warm-targets", "", "not known"},
		"MINIMUM_IP_TARGET came with v1.6.0": {
			old("v1.5.3"), "warm-targets", "needs v1.6.0, and v1.5.3 runs", ""},
		"targets that are set are not proposed again": {
			with(func(f *relief.Facts) { f.Targets = capacity.Targets{IP: 5, Minimum: 9} }), "warm-targets", "WARM_IP_TARGET is 5 and MINIMUM_IP_TARGET 9 already", ""},
		"below v1.10.2 a restart on a full subnet is an outage": {
			with(func(f *relief.Facts) { f.Version = cni.Parse("v1.9.0") }), "warm-targets",
			"not before subnet-0b has room: below v1.10.2 aws-node crash-loops when it restarts on a full subnet, and v1.9.0 runs", ""},
		"so it may be where nobody knows the version": {
			with(func(f *relief.Facts) { f.Version = cni.Version{} }), "custom-networking",
			"not before subnet-0b has room: below v1.10.2 aws-node crash-loops when it restarts on a full subnet, and which version runs is not known", ""},
		"from v1.10.2 on it is none": {
			with(func(f *relief.Facts) { f.Version = cni.Parse("v1.10.2") }), "warm-targets", "", "Every aws-node pod is restarted. The CNI"},
		"where there is room the restart is the first risk":                  {old("v1.9.0"), "warm-targets", "", "\n" + restarts},
		"the first of custom networking":                                     {old("v1.9.0"), "custom-networking", "", "\n" + restarts},
		"new nodes on a full subnet start the same release":                  {crowded(func(f *relief.Facts) { f.Version, f.Subnets[1].Free = cni.Parse("v1.9.0"), 3 }), "instance-size", "", "\nsubnet-0b has no room: below v1.10.2 aws-node crash-loops on a new node there."},
		"nodes that are full have no interface to spare":                     {crowded(func(*relief.Facts) {}), "custom-networking", "the nodes are full, and it takes an interface from each", ""},
		"nor are they helped by what others hold where subnets have room":    {crowded(func(*relief.Facts) {}), "warm-targets", "the subnets have room; it gives nodes no more", ""},
		"but it may make room for a further node":                            {crowded(func(f *relief.Facts) { f.Subnets[1].Free = 29 }), "warm-targets", "", "not known"},
		"a further node is what full nodes need":                             {crowded(func(*relief.Facts) {}), "more-nodes", "", "more nodes: each further m5.large has room for 27 pods; full, it takes at least 30 addresses"},
		"where every subnet has room for it":                                 {crowded(func(f *relief.Facts) { f.Subnets[1].Free = 29 }), "more-nodes", "a further m5.large takes at least 30 addresses when it is full, and subnet-0b has 29", ""},
		"and blocks, where it takes prefixes":                                {crowded(func(f *relief.Facts) { f.Mode.PrefixDelegation, f.Subnets[0].Free, f.Subnets[1].Free = true, 200, 200 }), "more-nodes", "a further m5.large takes at least 8 /28 blocks when it is full, and subnet-0b has 0", ""},
		"nodes that are not full need no more":                               {crowded(func(f *relief.Facts) { f.NodeMetrics.Max = 1000 }), "more-nodes", "the nodes are 50 % full", ""},
		"nor is anything said of nodes that nobody counts":                   {full(), "more-nodes", "how full the nodes are is not known", ""},
		"for the sake of full nodes prefix delegation may take more":         {crowded(func(f *relief.Facts) { f.Blocks = nil; f.NodeMetrics.Assigned = 490 }), "prefix-delegation", "", "110 pods per m5.large instead of 29"},
		"for addresses it is no help where it takes more":                    {with(func(f *relief.Facts) { f.Blocks = nil }), "prefix-delegation", "it takes more addresses of the subnets: m5.large with 13 pods takes 30 now, and at least 33 then", ""},
		"a zone with many blocks does not stand for one with few":            {with(func(f *relief.Facts) { f.Blocks["subnet-0a"] = capacity.Blocks{Open: 14, Total: 14, Packed: 14} }), "prefix-delegation", "subnet-0b has 0 free /28 blocks for its share of the nodes (10 of 20)", ""},
		"what would be won by moving addresses that lie together is no cost": {with(func(f *relief.Facts) { f.Mode.PrefixDelegation = true }), "reservation", "fragmentation costs no /28 block in the pod subnets that are known", ""},
		"one block is one":          {reserved(1, 6, "10.0.20.64/26"), "reservation", "", "it keeps 5 of 6 free /28 blocks for prefixes with what is reserved; the other may then not be used"},
		"nothing is left over":      {reserved(0, 4, "10.0.20.64/26"), "reservation", "", "it keeps 4 of 4 free /28 blocks for prefixes\n"},
		"what is left over is said": {reserved(0, 12, "10.0.20.64/26"), "reservation", "", "it keeps 4 of 12 free /28 blocks for prefixes; the other 8 may then not be used\n"},
		"prefix delegation came with v1.9.0": {
			old("v1.8.0-eksbuild.1"), "prefix-delegation", "it needs v1.9.0, and v1.8.0-eksbuild.1 runs", ""},
		"it needs Nitro": {
			with(func(f *relief.Facts) { f.Types[0].Nitro = false }), "prefix-delegation", "m5.large is none", ""},
		"blocks that are not known do not speak against it": {
			crowded(func(f *relief.Facts) {
				f.Blocks = map[string]capacity.Blocks{"subnet-0a": {Open: 10, Total: 14, Packed: 14}}
			}), "prefix-delegation", "", "subnet-0a has 10 free /28 blocks for its share of the nodes (10 of 20); fragmentation costs 4 more. How many others have is not known."},
		"custom networking needs every zone": {
			with(func(f *relief.Facts) { f.Subnets[0].Zone = "" }), "custom-networking", "the zone of subnet-0a is not known", ""},
		"a zone is no path": {
			with(func(f *relief.Facts) { f.Subnets[0].Zone = "../../x" }), "custom-networking", "the zone of subnet-0a is not known", ""},
		"it needs the ranges of the VPC": {
			with(func(f *relief.Facts) { f.Taken = nil }), "custom-networking", "the ranges of the VPC are not known", ""},
		"a pod subnet is not free, whatever was read of its VPC": {
			with(func(f *relief.Facts) { f.Subnets[0].CIDR, f.Taken = "100.64.0.0/24", prefixes("10.0.0.0/16") }), "custom-networking", "", "100.64.8.0/21 is free"},
		"there may be no range left": {
			with(func(f *relief.Facts) { f.Taken = prefixes("100.64.0.0/10") }), "custom-networking", "all of it is taken", ""},
		"IPv6 subnets have none of the addresses that it is about": {
			with(func(f *relief.Facts) { f.Subnets[0].CIDR, f.Subnets[1].CIDR = "", "" }), "custom-networking", "no pod subnet with IPv4 addresses is known", ""},
		"a type with one interface would be left without": {
			with(func(f *relief.Facts) { f.Types[0].Interfaces = 1 }), "custom-networking", "m5.large has one interface", ""},
		"below v1.8.0 security groups have to be named": {
			old("v1.7.5"), "custom-networking", "", "add spec.securityGroups"},
		"who owns a shared subnet has to act": {
			with(func(f *relief.Facts) { f.Subnets[0].Owner = "444455556666" }), "custom-networking", "", "only the owner can run the ec2 commands"},
		"what was not read is named": {
			with(func(f *relief.Facts) { f.Unread = []string{"the peers of vpc-0a1 (AccessDenied)"} }), "custom-networking", "", "Not read: the peers of vpc-0a1 (AccessDenied)."},
		"a reservation needs something in one piece": {
			func() relief.Facts {
				f := fragmented()
				for id, b := range f.Blocks {
					b.Largest = netip.Prefix{}
					f.Blocks[id] = b
				}
				return f
			}(), "reservation", "where it does no free block is left to reserve", ""},
		"larger nodes that take more addresses do not help": {
			with(func(f *relief.Facts) {
				f.Types = f.Types[:2]
				f.Nodes = []capacity.Nodes{{Type: "m5.large", Count: 20, Interfaces: 3, Addresses: 27}}
			}), "instance-size", "would take 600 addresses", ""},
		"nodes that are full need room, whatever the subnets take": {
			with(func(f *relief.Facts) {
				f.NodeMetrics = capacity.NodeMetrics{ID: "x", Assigned: 500, Total: 540, Max: 600}
			}), "instance-size", "", "nodes are 83 % full: 58 pods per m5.xlarge, 29 per m5.large"},
	} {
		t.Run(name, func(t *testing.T) {
			i := slices.IndexFunc(relief.All(c.facts), func(h relief.Help) bool { return h.Code == c.code })
			h := relief.All(c.facts)[i]
			if (h.Not == "") != (c.not == "") || !strings.Contains(h.Not, c.not) || !strings.Contains(h.Line+"\n"+h.Effect+"\n"+h.Risk, c.says) {
				t.Errorf("%+v", h)
			}
		})
	}
}
