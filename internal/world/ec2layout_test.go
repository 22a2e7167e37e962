package world_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cniguard/cniguard/internal/world"
)

// network is a world of one VPC with a subnet, and one cluster with instances in it.
func network(subnet world.Subnet, instances ...world.Instance) func(*world.Spec) {
	return func(s *world.Spec) {
		subnet.ID = "subnet-1"
		s.VPCs = []world.VPC{{ID: "vpc-1", Account: hubAccount, Region: hubRegion, Subnets: []world.Subnet{subnet}}}
		s.Clusters = []world.Cluster{{Name: "prod", Account: hubAccount, Region: hubRegion, Kubernetes: "1.33", VPC: "vpc-1", Instances: instances}}
		for i := range instances {
			instances[i].Subnets = []string{"subnet-1"}
		}
	}
}

// ports reads all interfaces that a client sees, by pages of five.
func ports(t *testing.T, ctx context.Context, c *world.Client, filters ...types.Filter) []types.NetworkInterface {
	t.Helper()
	found, _ := all(t, func(token *string) ([]types.NetworkInterface, *string, error) {
		out, err := c.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{MaxResults: aws.Int32(5), NextToken: token, Filters: filters})
		if err != nil {
			return nil, nil, err
		}
		return out.NetworkInterfaces, out.NextToken, nil
	})
	return found
}

// last is an address's last byte, or a prefix's.
func last(text string) string { return text[strings.LastIndexByte(text, '.')+1:] }

// held says what an interface holds, as "i-1: 20 21 16/28".
func held(i types.NetworkInterface) string {
	parts := []string{aws.ToString(i.Attachment.InstanceId) + ":"}
	for _, a := range i.PrivateIpAddresses {
		parts = append(parts, last(*a.PrivateIpAddress))
	}
	for _, p := range i.Ipv4Prefixes {
		parts = append(parts, last(*p.Ipv4Prefix))
	}
	return strings.Join(parts, " ")
}

func TestWhereTheAddressesLie(t *testing.T) {
	uses := func(n int) []world.Point { return []world.Point{{Addresses: n}} }
	for name, c := range map[string]struct {
		subnet    world.Subnet
		instances []world.Instance
		want      string
		free      int // addresses
		blocks    int
	}{
		"nothing is in use": {world.Subnet{CIDR: "10.0.0.0/26"}, nil, "", 59, 2},
		"others' are from the lowest on, ten to an interface": {
			world.Subnet{CIDR: "10.0.0.0/26", Used: uses(12)}, nil, ": 4 5 6 7 8 9 10 11 12 13, : 14 15", 47, 2},
		"scattered ones are in each block in turn, and four leave none": {
			world.Subnet{CIDR: "10.0.0.0/26", Used: uses(6), Layout: world.Scattered}, nil, ": 16 32 48 17 33 49", 53, 0},
		"an instance has its own address first, and counts among those in use": {
			world.Subnet{CIDR: "10.0.0.0/26", Used: uses(6)}, []world.Instance{{ID: "i-1", Addresses: []int{3}}}, "i-1: 4 5 6 7, : 8 9", 53, 2},
		"instances that hold more than are said to be in use do": {
			world.Subnet{CIDR: "10.0.0.0/26", Used: uses(2)}, []world.Instance{{ID: "i-1", Addresses: []int{3}}}, "i-1: 4 5 6 7", 55, 2},
		"a prefix is a block of 16, never that of AWS's own": {
			world.Subnet{CIDR: "10.0.0.0/26"}, []world.Instance{{ID: "i-1", Prefixes: []int{2}}, {ID: "i-2", Addresses: []int{1}}}, "i-1: 4 16/28 32/28, i-2: 5 6", 24, 0},
		"single addresses go around prefixes": {
			world.Subnet{CIDR: "10.0.0.0/26", Used: uses(32)}, []world.Instance{{ID: "i-1", Prefixes: []int{1}}},
			"i-1: 4 16/28, : 5 6 7 8 9 10 11 12 13 14, : 15 32 33 34 35", 27, 0},
		"prefixes are taken from reservations for them first, then from elsewhere": {
			world.Subnet{CIDR: "10.0.0.0/25", Reservations: []world.Reservation{{CIDR: "10.0.0.64/28", Kind: world.ForPrefixes}}},
			[]world.Instance{{ID: "i-1", Prefixes: []int{2}}}, "i-1: 4 64/28 16/28", 123 - 33, 4},
		"no single address is taken from any reservation, and none of an explicit one": {
			world.Subnet{CIDR: "10.0.0.0/26", Used: uses(14), Reservations: []world.Reservation{{CIDR: "10.0.0.16/28", Kind: world.ForPrefixes}, {CIDR: "10.0.0.8/29", Kind: world.Explicit}}},
			nil, ": 4 5 6 7 32 33 34 35 36 37, : 38 39 40 41", 45, 1},
		"others have no more than reservations leave": {
			world.Subnet{CIDR: "10.0.0.0/28", Used: uses(11), Reservations: []world.Reservation{{CIDR: "10.0.0.8/29", Kind: world.ForPrefixes}}}, nil, ": 4 5 6 7", 7, 0},
		"others have all that is outside of reservations": {
			world.Subnet{CIDR: "10.0.0.0/27", Used: uses(27), Reservations: []world.Reservation{{CIDR: "10.0.0.8/29", Kind: world.ForPrefixes}}}, nil,
			": 4 5 6 7 16 17 18 19 20 21, : 22 23 24 25 26 27 28 29 30", 8, 0},
		"a prefix in a reservation takes no room of others": {
			world.Subnet{CIDR: "10.0.0.0/26", Used: uses(28), Reservations: []world.Reservation{{CIDR: "10.0.0.16/28", Kind: world.ForPrefixes}, {CIDR: "10.0.0.32/27", Kind: world.Explicit}}},
			[]world.Instance{{ID: "i-1", Prefixes: []int{1}}}, "i-1: 4 16/28, : 5 6 7 8 9 10 11 12 13 14, : 15", 31, 0},
		"a block that a reservation for prefixes covers in part is no prefix": {
			world.Subnet{CIDR: "10.0.0.0/26", Reservations: []world.Reservation{{CIDR: "10.0.0.24/29", Kind: world.ForPrefixes}}},
			[]world.Instance{{ID: "i-1"}}, "i-1: 4", 58, 1},
		"an explicit reservation in a block keeps it from being a prefix": {
			world.Subnet{CIDR: "10.0.0.0/26", Reservations: []world.Reservation{{CIDR: "10.0.0.17/32", Kind: world.Explicit}}},
			[]world.Instance{{ID: "i-1", Prefixes: []int{1}}}, "i-1: 4 32/28", 42, 0},
		"an IPv6-only subnet has interfaces without addresses": {world.Subnet{}, []world.Instance{{ID: "i-1"}}, "i-1:", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, 1, network(c.subnet, c.instances...))
			s.at(0, func(ctx context.Context, k *world.Client) {
				var got []string
				for _, i := range ports(t, ctx, k) {
					got = append(got, held(i))
				}
				if diff := cmp.Diff(c.want, strings.Join(got, ", ")); diff != "" {
					t.Error(diff)
				}
				free, _ := s.SubnetFree("subnet-1")
				blocks, ok := s.FreeBlocks("subnet-1")
				if free != c.free || blocks != c.blocks || ok == (c.subnet.CIDR == "") {
					t.Errorf("%d addresses and %d blocks are free; want %d and %d", free, blocks, c.free, c.blocks)
				}
			})
		})
	}
}

func TestAddressesComeAndGoWithInstancesAndNights(t *testing.T) {
	night := []world.Point{{At: 0, Addresses: 40}, {At: time.Hour, Addresses: 40}, {At: 2 * time.Hour, Addresses: 10}}
	s := set(t, 1, network(world.Subnet{CIDR: "10.0.0.0/25", Used: night},
		world.Instance{ID: "i-1", Addresses: []int{9}}, world.Instance{ID: "i-2", Prefixes: []int{1}, From: 30 * time.Minute, Until: 90 * time.Minute}))
	for at, want := range map[time.Duration]string{
		0:                "i-1 10, 83 free in 4 blocks",
		30 * time.Minute: "i-1 10, i-2 17, 83 free in 4 blocks",
		time.Hour:        "i-1 10, i-2 17, 83 free in 4 blocks",
		75 * time.Minute: "i-1 10, i-2 17, 90 free in 4 blocks",
		90 * time.Minute: "i-1 10, 98 free in 5 blocks",
		2 * time.Hour:    "i-1 10, 113 free in 6 blocks",
	} {
		s.plan(at, func(ctx context.Context, k *world.Client) {
			var parts []string
			for _, i := range ports(t, ctx, k) {
				if id := aws.ToString(i.Attachment.InstanceId); id != "" {
					parts = append(parts, fmt.Sprint(id, " ", len(i.PrivateIpAddresses)+16*len(i.Ipv4Prefixes)))
				}
			}
			free, _ := s.SubnetFree("subnet-1")
			blocks, _ := s.FreeBlocks("subnet-1")
			parts = append(parts, fmt.Sprint(free, " free in ", blocks, " blocks"))
			if got := strings.Join(parts, ", "); got != want {
				t.Errorf("at %s: %s; want %s", at, got, want)
			}
		})
	}
	s.until(3 * time.Hour)
}

// random makes a subnet and instances of any kind; they may not fit.
func random(r *rand.Rand) func(*world.Spec) {
	bits := 22 + r.IntN(7)
	base := netip.AddrFrom4([4]byte{10, byte(r.IntN(200)), 0, 0})
	subnet := world.Subnet{CIDR: netip.PrefixFrom(base, bits).String(), Layout: []world.Layout{world.Packed, world.Scattered}[r.IntN(2)]}
	size := 1 << (32 - bits)
	for part := 1; part < 8; part++ {
		if r.IntN(4) == 0 {
			four := base.As4()
			offset := part * size / 8
			four[2], four[3] = byte(offset>>8), byte(offset)
			subnet.Reservations = append(subnet.Reservations, world.Reservation{
				CIDR: netip.PrefixFrom(netip.AddrFrom4(four), bits+3+r.IntN(max(1, 30-bits-3))).String(), Kind: []world.ReservationKind{world.ForPrefixes, world.Explicit}[r.IntN(2)],
			})
		}
	}
	for at := range time.Duration(r.IntN(4)) {
		subnet.Used = append(subnet.Used, world.Point{At: at * time.Hour, Addresses: r.IntN(size)})
	}
	var instances []world.Instance
	for i := range r.IntN(6) {
		one := world.Instance{ID: fmt.Sprint("i-", i), From: time.Duration(r.IntN(3)) * time.Hour, Addresses: []int{r.IntN(5)}, Prefixes: []int{r.IntN(5)}}
		if r.IntN(2) == 0 {
			one.Until = time.Duration(r.IntN(4)) * time.Hour
		}
		instances = append(instances, one)
	}
	return network(subnet, instances...)
}

func TestWhatIsShownIsWhatIsInUse(t *testing.T) {
	tried := 0
	for seed := uint64(1); tried < 120; seed++ {
		r := rand.New(rand.NewPCG(seed, 1))
		spec := world.Spec{Start: noon, Hub: world.Hub{Account: hubAccount, Region: hubRegion}}
		random(r)(&spec)
		if spec.Validate() != nil {
			continue // it does not fit
		}
		tried++
		s := set(t, seed, func(one *world.Spec) { one.VPCs, one.Clusters = spec.VPCs, spec.Clusters })
		for range 3 {
			at := s.Now().Sub(noon) + time.Duration(r.IntN(4000))*time.Second
			s.at(at, func(ctx context.Context, k *world.Client) {
				found := ports(t, ctx, k)
				if err := sound(s, &spec.VPCs[0].Subnets[0], found); err != nil {
					t.Errorf("seed %d at %s: %v", seed, at, err)
				}
				if diff := cmp.Diff(found, ports(t, ctx, k), cmpopts.IgnoreUnexported(types.NetworkInterface{}, types.NetworkInterfaceAttachment{}, types.NetworkInterfacePrivateIpAddress{}, types.Ipv4PrefixSpecification{})); diff != "" {
					t.Errorf("seed %d at %s: asked again (-first +again):\n%s", seed, at, diff)
				}
			})
		}
	}
}

// sound says what is wrong with the interfaces of a subnet.
func sound(s *stage, subnet *world.Subnet, found []types.NetworkInterface) error {
	r := netip.MustParsePrefix(subnet.CIDR)
	size := 1 << (32 - r.Bits())
	whose, ids := map[netip.Addr]string{}, map[string]bool{}
	take := func(a netip.Addr, kinds ...world.ReservationKind) error {
		n := slices.IndexFunc(subnet.Reservations, func(one world.Reservation) bool { return netip.MustParsePrefix(one.CIDR).Contains(a) })
		kind := world.ReservationKind("")
		if n >= 0 {
			kind = subnet.Reservations[n].Kind
		}
		switch offset := int(a.As4()[2])<<8 + int(a.As4()[3]); {
		case !r.Contains(a) || offset < 4 || offset == size-1:
			return fmt.Errorf("%s cannot be assigned", a)
		case whose[a] != "":
			return fmt.Errorf("%s is assigned twice", a)
		case !slices.Contains(kinds, kind):
			return fmt.Errorf("%s is in a reservation of kind %q", a, kind)
		}
		whose[a] = "somebody"
		return nil
	}
	for _, i := range found {
		if ids[*i.NetworkInterfaceId] || len(*i.NetworkInterfaceId) != 21 {
			return fmt.Errorf("%s is there twice, or no id", *i.NetworkInterfaceId)
		}
		ids[*i.NetworkInterfaceId] = true
		for n, a := range i.PrivateIpAddresses {
			if err := take(netip.MustParseAddr(*a.PrivateIpAddress), ""); err != nil || *a.Primary != (n == 0) {
				return fmt.Errorf("address %d: %w", n, err)
			}
		}
		for _, p := range i.Ipv4Prefixes {
			block := netip.MustParsePrefix(*p.Ipv4Prefix)
			if block.Bits() != 28 || block.Masked() != block {
				return fmt.Errorf("%s is no block", block)
			}
			for a := block.Addr(); block.Contains(a); a = a.Next() {
				if err := take(a, "", world.ForPrefixes); err != nil {
					return err
				}
			}
		}
	}
	if free, _ := s.SubnetFree(subnet.ID); free != size-5-len(whose) {
		return fmt.Errorf("%d are free, and %d of %d are shown", free, len(whose), size-5)
	}
	return nil
}
