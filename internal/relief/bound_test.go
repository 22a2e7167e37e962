package relief_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/relief"
)

func TestFactsAreBoundedForARecord(t *testing.T) {
	ranges := func(n int, format string) (all []netip.Prefix) {
		for i := range n {
			all = append(all, netip.MustParsePrefix(fmt.Sprintf(format, i/250, i%250)))
		}
		return all
	}
	var f relief.Facts
	for i := range 5000 {
		f.Nodes = append(f.Nodes, capacity.Nodes{Type: "m5.24xlarge", Count: 1, Interfaces: 15, Addresses: i})
		f.Types = append(f.Types, capacity.InstanceType{Name: fmt.Sprintf("m%d.24xlarge", i), Interfaces: 15, Addresses: 50, Nitro: true, VCPUs: 96})
		f.Unread = append(f.Unread, fmt.Sprintf("the routes of vpc-%d (AccessDenied)", i))
	}
	f.Taken = ranges(5000, "100.64.%d.%d/32")
	got := f.Bounded()
	if text, err := json.Marshal(got); err != nil || len(text) > 30_000 {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	if len(got.Nodes) != 0 || len(got.Taken) != 1 || got.Taken[0] != capacity.PodSpace() || got.Unread[10] != "4990 more" {
		t.Errorf("%d kinds of nodes, taken %v, unread %v", len(got.Nodes), got.Taken, got.Unread)
	}
	if diff := cmp.Diff(got, got.Bounded(), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Errorf("bounding twice changes (-once +twice):\n%s", diff)
	}
	if len(f.Unread) != 5000 {
		t.Error("what was read was changed")
	}
	for name, c := range map[string]struct{ taken, want []netip.Prefix }{
		"what is not read stays so":     {nil, nil},
		"those in the way stay":         {append(ranges(3, "10.0.%d.%d/32"), ranges(2, "100.64.%d.%d/32")...), ranges(2, "100.64.%d.%d/32")},
		"a wide one is in the way":      {[]netip.Prefix{netip.MustParsePrefix("100.0.0.0/8")}, []netip.Prefix{netip.MustParsePrefix("100.0.0.0/8")}},
		"one stands for being read":     {ranges(300, "10.0.%d.%d/32"), ranges(1, "10.0.%d.%d/32")},
		"as many as there may be":       {ranges(100, "100.64.%d.%d/32"), ranges(100, "100.64.%d.%d/32")},
		"one more, and nothing is free": {ranges(101, "100.64.%d.%d/32"), []netip.Prefix{capacity.PodSpace()}},
	} {
		if diff := cmp.Diff(c.want, relief.Facts{Taken: c.taken}.Bounded().Taken, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
