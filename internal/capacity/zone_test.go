package capacity_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/capacity"
)

func TestZones(t *testing.T) {
	const small, large = "10.0.0.0/28", "10.0.1.0/24" // 11 and 251 usable addresses
	for name, c := range map[string]struct {
		subnets []capacity.Subnet
		want    []capacity.Zone
		worst   string // its name
	}{
		"no subnets have no zones": {},
		"subnets without IPv4 addresses have none": {
			subnets: []capacity.Subnet{{ID: "a", Zone: "z1"}, {ID: "b", Zone: "z2", CIDR: "2001:db8::/64"}},
		},
		"a full zone does not hide behind an empty one": {
			subnets: []capacity.Subnet{{ID: "b", Zone: "z2", CIDR: large, Free: 251}, {ID: "a", Zone: "z1", CIDR: small, Free: 0}},
			want: []capacity.Zone{
				{Name: "z1", Subnets: []string{"a"}, Usable: 11, Free: 0},
				{Name: "z2", Subnets: []string{"b"}, Usable: 251, Free: 251},
			},
			worst: "z1",
		},
		"a full subnet is helped by an empty one of its zone": {
			subnets: []capacity.Subnet{
				{ID: "c", Zone: "z2", CIDR: large, Free: 100}, {ID: "b", Zone: "z1", CIDR: large, Free: 251}, {ID: "a", Zone: "z1", CIDR: small},
			},
			want: []capacity.Zone{
				{Name: "z1", Subnets: []string{"a", "b"}, Usable: 262, Free: 251},
				{Name: "z2", Subnets: []string{"c"}, Usable: 251, Free: 100},
			},
			worst: "z2",
		},
		"subnets whose zone is not known do not help each other": {
			subnets: []capacity.Subnet{{ID: "b", CIDR: large, Free: 251}, {ID: "a", CIDR: small, Free: 1}, {ID: "c", Zone: "z1", CIDR: small, Free: 5}},
			want: []capacity.Zone{
				{Subnets: []string{"a"}, Usable: 11, Free: 1},
				{Subnets: []string{"b"}, Usable: 251, Free: 251},
				{Name: "z1", Subnets: []string{"c"}, Usable: 11, Free: 5},
			},
			worst: "",
		},
		"more free addresses than a subnet has do not help its neighbour": {
			subnets: []capacity.Subnet{{ID: "a", Zone: "z1", CIDR: small, Free: 9000}, {ID: "b", Zone: "z1", CIDR: large, Free: -9000}},
			want:    []capacity.Zone{{Name: "z1", Subnets: []string{"a", "b"}, Usable: 262, Free: 11}},
			worst:   "z1",
		},
		"of equally full zones the one with fewer free addresses is the worst": {
			subnets: []capacity.Subnet{{ID: "a", Zone: "z1", CIDR: large, Free: 251}, {ID: "b", Zone: "z2", CIDR: small, Free: 11}},
			want: []capacity.Zone{
				{Name: "z1", Subnets: []string{"a"}, Usable: 251, Free: 251},
				{Name: "z2", Subnets: []string{"b"}, Usable: 11, Free: 11},
			},
			worst: "z2",
		},
		"of equal zones the first by name is the worst": {
			subnets: []capacity.Subnet{{ID: "a", Zone: "z2", CIDR: small}, {ID: "b", Zone: "z1", CIDR: small}},
			want: []capacity.Zone{
				{Name: "z1", Subnets: []string{"b"}, Usable: 11}, {Name: "z2", Subnets: []string{"a"}, Usable: 11},
			},
			worst: "z1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			pods := capacity.Pods{Subnets: c.subnets}
			if diff := cmp.Diff(c.want, pods.Zones()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			worst, found := pods.WorstZone()
			if worst.Name != c.worst || found != (len(c.want) > 0) {
				t.Errorf("%+v, %v; want %q", worst, found, c.worst)
			}
		})
	}
}

// The worst zone is at least as full as all together, and at most as full as the worst subnet; every address is in one zone.
func TestTheWorstZoneIsBetweenTheSumAndTheWorstSubnet(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 6))
	for range 3000 {
		pods := zoned(r)
		order := fmt.Sprint(pods.Subnets)
		worstZone, found := pods.WorstZone()
		worst, any := pods.Worst()
		if found != any {
			t.Fatalf("a worst zone: %v, a worst subnet: %v, of %+v", found, any, pods.Subnets)
		}
		sum := capacity.Zone{}
		for _, z := range pods.Zones() {
			sum.Usable += z.Usable
			sum.Free += z.Free
			if z.Utilization() > worstZone.Utilization() {
				t.Fatalf("%+v is fuller than %+v", z, worstZone)
			}
		}
		usable, free := 0, 0
		for _, s := range pods.Subnets {
			usable += s.Usable()
			free += min(max(0, s.Free), s.Usable())
		}
		if sum.Usable != usable || sum.Free != free {
			t.Fatalf("the zones have %+v, the subnets %d usable and %d free", sum, usable, free)
		}
		if u := worstZone.Utilization(); sum.Utilization() > u || u > worst.Utilization() {
			t.Fatalf("sum %v %%, worst zone %v %%, worst subnet %v %%, of %+v", sum.Utilization(), u, worst.Utilization(), pods.Subnets)
		}
		if fmt.Sprint(pods.Subnets) != order {
			t.Fatal("the subnets are in another order than before")
		}
		r.Shuffle(len(pods.Subnets), func(i, j int) { pods.Subnets[i], pods.Subnets[j] = pods.Subnets[j], pods.Subnets[i] })
		if again, _ := pods.WorstZone(); cmp.Diff(worstZone, again) != "" {
			t.Fatalf("in another order %+v, before %+v", again, worstZone)
		}
	}
}

// zoned are some subnets in some zones, of some of which the zone is not known.
func zoned(r *rand.Rand) capacity.Pods {
	var pods capacity.Pods
	for n := range r.IntN(8) {
		s := capacity.Subnet{ID: fmt.Sprint("subnet-", n), Zone: []string{"", "z1", "z2", "z3"}[r.IntN(4)]}
		if r.IntN(6) > 0 {
			s.CIDR = fmt.Sprintf("10.%d.0.0/%d", n, 16+r.IntN(13))
		}
		s.Free = r.IntN(s.Usable()+21) - 10
		pods.Subnets = append(pods.Subnets, s)
	}
	return pods
}
