package relief_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/relief"
)

// A record of the ledger holds the facts: an item of DynamoDB has room for 400 kB, and each is read at every check.
func TestManyFactsFitARecord(t *testing.T) {
	f := full()
	f.Nodes, f.Types, f.Subnets, f.Taken, f.Blocks = nil, nil, nil, nil, map[string]capacity.Blocks{}
	for i := range 40 {
		s := capacity.Subnet{ID: fmt.Sprintf("subnet-0123456789abcde%02x", i), CIDR: fmt.Sprintf("100.64.%d.0/20", 100+i), Zone: "ap-southeast-2c", Free: 4000 + i}
		f.Subnets = append(f.Subnets, s)
		f.Blocks[s.ID] = capacity.Blocks{Open: 201, Total: 254, Packed: 221, Addresses: 4000 + i, Prefixes: 20, Largest: netip.MustParsePrefix("100.64.200.0/22")}
	}
	for i := range 12 {
		f.Types = append(f.Types, capacity.InstanceType{Name: fmt.Sprintf("m5dn.%dxlarge", 10+i), Interfaces: 15, Addresses: 50, Nitro: true, VCPUs: 96})
		f.Nodes = append(f.Nodes, capacity.Nodes{Type: f.Types[i].Name, Count: 100, Interfaces: 12, Prefixes: 100})
	}
	for i := range 60 {
		f.Taken = append(f.Taken, netip.MustParsePrefix(fmt.Sprintf("192.168.%d.0/24", 100+i)))
	}
	text, err := json.Marshal(f)
	if err != nil || len(text) > 12_000 {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}

func TestFactsSurviveARecord(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 6))
	for range 100 {
		f := some(r)
		text, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		var got relief.Facts
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		same := cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })
		if diff := cmp.Diff(f, got, same, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
		if relief.Line(got) != relief.Line(f) {
			t.Fatalf("%q, want %q", relief.Line(got), relief.Line(f))
		}
	}
}

func TestNothingKnownIsAShortRecord(t *testing.T) {
	text, err := json.Marshal(relief.Facts{})
	if want := `{"cluster":{"account":"","region":"","name":""}}`; string(text) != want || err != nil {
		t.Errorf("%s, %v; want %s", text, err, want)
	}
}
