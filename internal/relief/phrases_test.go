package relief_test

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/relief"
)

// phrase is a part of a text with numbers in it: N stands for a number, T for a type, W for a word, [ ] for what may be left out. What of them it ought to say is counted
// anew; names says which type or subnet the phrase is about, and is given what W and T stand for.
type phrase struct {
	form    string
	want    func(f relief.Facts, names []string) []int
	pattern *regexp.Regexp
}

func compiled(form string) *regexp.Regexp {
	form = regexp.QuoteMeta(form)
	for word, stands := range map[string]string{"N": `(\d[\d,]*)`, "T": `([mtp]\d\.\w+)`, "W": `([\w./-]+)`} {
		form = regexp.MustCompile(`\b`+word+`\b`).ReplaceAllLiteralString(form, stands)
	}
	form = regexp.MustCompile(`\b(address|node|pod|block|zone|subnet)_`).ReplaceAllString(form, `$1(?:s|es)?`)
	return regexp.MustCompile(strings.NewReplacer(`\[`, `(?:`, `\]`, `)?`).Replace(form))
}

func phrases() []phrase {
	all := slices.Concat(warmPhrases(), sizePhrases(), prefixPhrases(), customPhrases(), reservationPhrases(), morePhrases())
	for i := range all {
		all[i].pattern = compiled(all[i].form)
	}
	return all
}

func warmPhrases() []phrase {
	settings := func(f relief.Facts, _ []string) []int { w := proposed(f); return []int{w.IP, w.Minimum} }
	return []phrase{
		{form: "warm_IP=N, least=N would free at least N of N held address_ in all pod subnets together", want: func(f relief.Facts, names []string) []int {
			_, held, _, _, _ := sums(f)
			if len(f.Subnets) < 2 {
				return nil
			}
			return append(settings(f, nil), freed(f), held)
		}},
		{form: "warm_IP=N, least=N would free at least N of N held address_", want: func(f relief.Facts, names []string) []int {
			_, held, _, _, _ := sums(f)
			if len(f.Subnets) > 1 {
				return nil // the next
			}
			return append(settings(f, nil), freed(f), held)
		}},
		{form: "With warm_IP=N, least=N a node keeps at most N idle address_ if pods", want: func(f relief.Facts, _ []string) []int {
			w := proposed(f)
			return []int{w.IP, w.Minimum, w.Minimum + 15}
		}},
		{form: "With warm_IP=N, least=N a node keeps at most N idle address_", want: func(f relief.Facts, _ []string) []int {
			w := proposed(f)
			return []int{w.IP, w.Minimum, w.Minimum}
		}},
		{form: "(warm_ENI=N)", want: func(f relief.Facts, _ []string) []int {
			if f.Targets.ENI < 0 {
				return []int{1}
			}
			return []int{f.Targets.ENI}
		}},
		{form: "(warm_prefix=N)", want: func(f relief.Facts, _ []string) []int { return []int{f.Targets.Prefix} }},
		{form: "(warm_IP=N, least=N)", want: func(f relief.Facts, _ []string) []int { return []int{f.Targets.IP, f.Targets.Minimum} }},
		{form: "warm_IP=N, least=N", want: settings},
		{form: "least is the N of the CNI's", want: func(relief.Facts, []string) []int { return []int{10} }},
		{form: "and no less than N.", want: func(relief.Facts, []string) []int { return []int{5} }},
		{form: "More than N pods that come", want: func(relief.Facts, []string) []int { return []int{5} }},
		{form: "Nodes hold N address_ for pods", want: func(f relief.Facts, _ []string) []int {
			_, held, _, _, _ := sums(f)
			return []int{held}
		}},
		{form: "By what they hold, at least N idle on N of N node_:", want: func(f relief.Facts, _ []string) []int {
			nodes, _, told, idle, _ := sums(f)
			return []int{idle, told, nodes}
		}},
		{form: "That frees at least N address_", want: func(f relief.Facts, _ []string) []int { return []int{freed(f)} }},
		{form: "pods have N of N address_: N idle", want: func(f relief.Facts, _ []string) []int {
			return []int{f.NodeMetrics.Assigned, f.NodeMetrics.Total, f.NodeMetrics.Total - f.NodeMetrics.Assigned}
		}},
		{form: "warm_IP is N and least N already, and nothing shows that N and N would free any", want: func(f relief.Facts, _ []string) []int {
			if n := freed(f); n > 0 {
				return []int{n}
			}
			return append([]int{f.Targets.IP, f.Targets.Minimum}, settings(f, nil)...)
		}},
	}
}

func sizePhrases() []phrase {
	return []phrase{
		{form: "nodes are N % full: N pod_ per T, N per T", want: func(f relief.Facts, names []string) []int {
			to, _ := find(f, names[0])
			l := commonest(f)
			return []int{100 * f.NodeMetrics.Assigned / f.NodeMetrics.Max, recommended(to, f.Mode), recommended(l.typ, f.Mode)}
		}},
		{form: "N T instead of N T would take N address_ instead of N with N pod_ spread evenly", want: func(f relief.Facts, names []string) []int {
			to, _ := find(f, names[0])
			l := commonest(f)
			nodes := needed(f, l, to)
			i, h := evenly(f, to, nodes, l.pods)
			return []int{nodes, l.nodes, i + h, l.interfaces + l.held, l.pods}
		}},
		{form: "N T with at most N pod_ take[s] N address_ (N for pods, at least N of these idle, N of the interfaces)", want: func(f relief.Facts, _ []string) []int {
			l := commonest(f)
			if l.full {
				return nil
			}
			return []int{l.nodes, l.pods, l.held + l.interfaces, l.held, l.spare, l.interfaces}
		}},
		{form: "N T with at most N pod_ would take, if all were full, N address_ (N for pods, N of these idle, N of the interfaces)", want: func(f relief.Facts, _ []string) []int {
			l := commonest(f)
			if !l.full {
				return nil
			}
			return []int{l.nodes, l.pods, l.held + l.interfaces, l.held, l.spare, l.interfaces}
		}},
		{form: "N T with the same vCPUs and as many pods, spread evenly, would take N address_ (N for pods, N of these idle, N of the interfaces)", want: func(f relief.Facts, names []string) []int {
			to, _ := find(f, names[0])
			l := commonest(f)
			nodes := needed(f, l, to)
			i, h := evenly(f, to, nodes, l.pods)
			return []int{nodes, i + h, h, h - l.pods, i}
		}},
		{form: "pods have N of the N address_ that the nodes could hold", want: func(f relief.Facts, _ []string) []int { return []int{f.NodeMetrics.Assigned, f.NodeMetrics.Max} }},
	}
}

func delegated(f relief.Facts) relief.Facts {
	f.Mode.PrefixDelegation = true
	return f
}

// taken is what a node of the commonest type takes with its share of the pods.
func taken(f, as relief.Facts) (pods, addresses int) {
	l := commonest(f)
	for pods*l.nodes < l.pods {
		pods++
	}
	i, h := rest(l.typ, as.Mode, as.Targets, pods)
	return pods, i + h
}

// lost is what fragmentation costs a subnet; the first and the last block hold the addresses of two others.
func lost(b capacity.Blocks) int {
	if n := b.Packed - b.Open - b.Reserved; n > 2 {
		return n
	}
	return 0
}

// poorest are the blocks of the subnet with the fewest, and its share of the nodes.
func poorest(f relief.Facts) (id string, b capacity.Blocks, share, nodes int) {
	nodes, _, _, _, _ = sums(f)
	for share*len(f.Subnets) < nodes {
		share++
	}
	for _, s := range f.Subnets {
		if now, known := f.Blocks[s.ID]; known && (id == "" || assured(now) < assured(b)) {
			id, b = s.ID, now
		}
	}
	return id, b, share, nodes
}

func prefixPhrases() []phrase {
	prices := func(f relief.Facts) (pods, now, then int) {
		pods, now = taken(f, f)
		_, then = taken(f, delegated(f))
		return pods, now, then
	}
	return []phrase{
		{form: "prefix delegation: N pod_ per T instead of N", want: func(f relief.Facts, _ []string) []int {
			l := commonest(f)
			return []int{recommended(l.typ, delegated(f).Mode), recommended(l.typ, f.Mode)}
		}},
		{form: "; with N pod_ it takes at least N address_ instead of N", want: func(f relief.Facts, _ []string) []int {
			pods, now, then := prices(f)
			return []int{pods, then, now}
		}},
		{form: "prefix delegation: T with N pod_ takes N address_ instead of N if they", want: func(f relief.Facts, _ []string) []int {
			pods, now, then := prices(f)
			return []int{pods, then, now}
		}},
		{form: "T with N pod_ takes N address_ of its subnet now, and at least N then", want: func(f relief.Facts, _ []string) []int {
			pods, now, then := prices(f)
			return []int{pods, now, then}
		}},
		{form: "T with N pod_ takes N now, and at least N then", want: func(f relief.Facts, _ []string) []int {
			pods, now, then := prices(f)
			if then <= now || nodesFull(f) {
				return nil
			}
			return []int{pods, now, then}
		}},
		{form: "W has N free /28 block_ for its share of the nodes (N of N), each of which takes at least one; fragmentation costs N more", want: func(f relief.Facts, names []string) []int {
			id, b, share, nodes := poorest(f)
			if id != names[0] || assured(b) >= share {
				return nil
			}
			return []int{assured(b), share, nodes, lost(b)}
		}},
		{form: "W has N free /28 block_ for its share of the nodes (N of N), each of which takes at least one", want: func(f relief.Facts, names []string) []int {
			id, b, share, nodes := poorest(f)
			if id != names[0] || assured(b) >= share || lost(b) > 0 {
				return nil
			}
			return []int{assured(b), share, nodes}
		}},
		{form: "W has N free /28 block_ for its share of the nodes (N of N); fragmentation costs N more", want: func(f relief.Facts, names []string) []int {
			id, b, share, nodes := poorest(f)
			if id != names[0] {
				return nil
			}
			return []int{assured(b), share, nodes, lost(b)}
		}},
		{form: "W has N free /28 block_ for its share of the nodes (N of N)", want: func(f relief.Facts, names []string) []int {
			id, b, share, nodes := poorest(f)
			if id != names[0] || lost(b) > 0 {
				return nil
			}
			return []int{assured(b), share, nodes}
		}},
		{form: "AWS recommends N pod_ per T with it and without", want: func(f relief.Facts, _ []string) []int { return []int{recommended(commonest(f).typ, f.Mode)} }},
		{form: "prefix delegation lacks /28 blocks", want: func(f relief.Facts, _ []string) []int {
			if _, b, share, _ := poorest(f); assured(b) >= max(1, share) {
				return []int{assured(b)}
			}
			return nil
		}},
		{form: "not before W has room", want: func(f relief.Facts, names []string) []int {
			if s, found := cramped(f); !found || s.ID != names[0] || survives(f) {
				return []int{-1}
			}
			return nil
		}},
	}
}

func customPhrases() []phrase {
	used := func(f relief.Facts) (used, zones int) {
		seen := map[string]bool{}
		for _, s := range f.Subnets {
			used += 1<<(32-netip.MustParsePrefix(s.CIDR).Bits()) - 5 - s.Free
			seen[s.Zone] = true
		}
		return used, len(seen)
	}
	rooms := func(f relief.Facts) (n, zones, length int) {
		u, zones := used(f)
		_, length = plan(f, u, zones)
		for range zones {
			n += 1<<(32-length) - 5
		}
		return n, zones, length
	}
	isBlock := func(f relief.Facts, names []string) bool {
		u, zones := used(f)
		block, _ := plan(f, u, zones)
		return names[0] == block.String()
	}
	return []phrase{
		{form: "custom networking: W is free (N address_ in N zone_)", want: func(f relief.Facts, names []string) []int {
			n, zones, _ := rooms(f)
			if !isBlock(f, names) || len(f.Unread) > 0 {
				return nil
			}
			return []int{n, zones}
		}},
		{form: "custom networking: W is free as far as could be read (N address_ in N zone_)", want: func(f relief.Facts, names []string) []int {
			n, zones, _ := rooms(f)
			if !isBlock(f, names) || len(f.Unread) == 0 {
				return nil
			}
			return []int{n, zones}
		}},
		{form: "The pod subnets have N address_ in use, in N zone_", want: func(f relief.Facts, _ []string) []int { u, zones := used(f); return []int{u, zones} }},
		{form: "a /N of it in each zone has room for N address_, N in all", want: func(f relief.Facts, _ []string) []int {
			n, zones, length := rooms(f)
			return []int{length, n / zones, n}
		}},
	}
}

func reservationPhrases() []phrase {
	piece := func(b capacity.Blocks) (n int) {
		for p := netip.PrefixFrom(b.Largest.Addr(), 28); b.Largest.IsValid() && b.Largest.Overlaps(p); p = after(p) {
			n++
		}
		return n
	}
	keeps := func(f relief.Facts, id, reserve string) (numbers []int, lost int) {
		b := f.Blocks[id]
		if b.Largest.String() != reserve {
			return nil, 0
		}
		kept, free := piece(b)+b.Reserved, b.Open+b.Reserved
		numbers = []int{kept, free}
		if free-kept > 1 {
			numbers = append(numbers, free-kept)
		}
		return numbers, b.Packed - free
	}
	return []phrase{
		{form: "reserve W of W: it keeps N of N free /28 block_ for prefixes[ with what is reserved][; the other[ N] may then not be used]", want: func(f relief.Facts, names []string) []int {
			numbers, _ := keeps(f, names[1], names[0])
			return numbers
		}},
		{form: "W: reserving W keeps N of N free /28 block_ for prefixes[ with what is reserved][; the other[ N] may then not be used]; fragmentation costs N more", want: func(f relief.Facts, names []string) []int {
			numbers, lost := keeps(f, names[0], names[1])
			return append(numbers, lost)
		}},
		{form: "fragmentation costs N /28 block_, and where it does", want: func(f relief.Facts, _ []string) []int {
			all := 0
			for _, b := range f.Blocks {
				all += lost(b)
			}
			return []int{all}
		}},
	}
}
