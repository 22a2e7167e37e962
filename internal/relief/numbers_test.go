package relief_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/relief"
)

// lists are the phrases that are about any type; they may be there for several.
func lists(f relief.Facts) []string {
	var all []string
	custom, both := f, delegated(f)
	custom.Mode.CustomNetworking = true
	for _, t := range f.Types {
		all = append(all,
			fmt.Sprintf("%s %d now and %d then", t.Name, recommended(t, f.Mode), recommended(t, custom.Mode)),
			fmt.Sprintf("%s %d now and %d then", t.Name, recommended(t, f.Mode), recommended(t, both.Mode)),
			fmt.Sprintf("%s %d", t.Name, recommended(t, f.Mode)))
	}
	for _, n := range f.Nodes {
		p, known := mostPods(f, n)
		for _, addresses := range []string{"address", "addresses"} {
			if known {
				all = append(all, fmt.Sprintf("%d %s with %s %s, of which at most %s in use and at least %s idle each",
					n.Count, n.Type, thousands(has(n)), addresses, thousands(p), thousands(has(n)-p)))
			}
		}
	}
	for _, s := range f.Subnets {
		all = append(all, "Account "+s.Owner+" shares "+s.ID)
	}
	return all
}

// thousands is a number below a million as the texts write it.
func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

// constants are what has digits and is no number of the cluster.
func constants(f relief.Facts) []string {
	return append(zonesAndRanges(f), []string{
		"EC2", "ec2 commands", "IPv4", "/28", "needs v1.9.0", "below v1.9.0", "needs v1.6.0", "below v1.10.2", "from v1.8.0 on", f.Version.String() + " runs", "the routes of vpc-0a1", "the peers of vpc-0a1",
		"type m5.large", "type m5.xlarge", "family of m5.2xlarge", "family of t2.2xlarge", "family of m5.xlarge", "family of t2.xlarge", "family of p4.4xlarge",
		"and m5.large is none", "and t2.large is none", "and t2.xlarge is none", "and t2.2xlarge is none",
	}...)
}

func zonesAndRanges(f relief.Facts) (all []string) {
	if len(f.Subnets) == 0 {
		return nil
	}
	zones, used := map[string]bool{}, 0
	for _, s := range f.Subnets {
		used += 1<<(32-netip.MustParsePrefix(s.CIDR).Bits()) - 5 - s.Free
		zones[s.Zone] = true
	}
	block, length := plan(f, used, len(zones))
	for parts := 1; parts < len(zones); parts *= 2 {
		length--
	}
	return []string{block.String(), fmt.Sprintf("find a free /%d in 100.64.0.0/10: all of it is taken", length)}
}

// reader reads the texts about a cluster.
type reader struct {
	facts relief.Facts
	all   []phrase
	known []string       // what has numbers beside the phrases
	said  map[string]int // how often each phrase was
}

// Every number of every text is one that a test computes from the facts, by counting.
func TestEveryNumberIsCountedAnew(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 7))
	all, said := phrases(), map[string]int{}
	for range 900 {
		f := some(r)
		rd := reader{f, all, slices.Concat(lists(f), constants(f)), said}
		slices.SortStableFunc(rd.known, func(a, b string) int { return len(b) - len(a) }) // "13 m5.large" has "3 m5.large" in it
		for _, h := range relief.All(f) {
			for _, s := range []string{h.Line, h.Effect, h.Risk, h.Not} {
				rd.read(t, s)
			}
		}
		rd.read(t, relief.Line(f))
		if t.Failed() {
			t.Fatalf("%+v", f)
		}
	}
	for _, p := range all {
		if said[p.form] == 0 {
			t.Errorf("never said: %s", p.form)
		}
	}
}

func (rd reader) read(t *testing.T, text string) {
	t.Helper()
	rest := strings.NewReplacer("WARM_IP_TARGET", "warm_IP", "MINIMUM_IP_TARGET", "least", "WARM_ENI_TARGET", "warm_ENI", "WARM_PREFIX_TARGET", "warm_prefix",
		"it is the 10 of the CNI's", "least is the 10 of the CNI's").Replace(text)
	for _, p := range rd.all {
		for _, m := range p.pattern.FindAllStringSubmatch(rest, -1) {
			var got []int
			var names []string
			for _, s := range m[1:] {
				if n, err := strconv.Atoi(strings.ReplaceAll(s, ",", "")); err == nil {
					got = append(got, n)
				} else {
					names = append(names, s)
				}
			}
			if diff := cmp.Diff(p.want(rd.facts, names), got); diff != "" {
				t.Errorf("%q in %q: -want +got:\n%s", p.form, text, diff)
			}
			rd.said[p.form]++
		}
		rest = p.pattern.ReplaceAllString(rest, "·")
	}
	for _, s := range rd.known {
		rest = strings.ReplaceAll(rest, s, "·")
	}
	if strings.ContainsAny(rest, "0123456789") {
		t.Errorf("numbers that no test counts: %q of %q", rest, text)
	}
}
