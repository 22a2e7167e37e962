package cloud_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/fault"
)

// networkInterface is an interface in a subnet, with addresses and prefixes.
func networkInterface(subnet string, addresses []string, prefixes ...string) ec2types.NetworkInterface {
	n := ec2types.NetworkInterface{SubnetId: &subnet}
	for _, a := range addresses {
		n.PrivateIpAddresses = append(n.PrivateIpAddresses, ec2types.NetworkInterfacePrivateIpAddress{PrivateIpAddress: &a})
	}
	for _, p := range prefixes {
		n.Ipv4Prefixes = append(n.Ipv4Prefixes, ec2types.Ipv4PrefixSpecification{Ipv4Prefix: &p})
	}
	return n
}

func reservation(cidr string, kind ec2types.SubnetCidrReservationType) ec2types.SubnetCidrReservation {
	return ec2types.SubnetCidrReservation{Cidr: &cidr, ReservationType: kind}
}

// The subnets of occupied, and one without an IPv4 range.
var (
	subnetA = capacity.Subnet{ID: "subnet-a", CIDR: "10.0.0.0/24"}
	subnetB = capacity.Subnet{ID: "subnet-b", CIDR: "10.0.1.0/26"}
	subnetC = capacity.Subnet{ID: "subnet-c"}
)

// occupied is a fake with interfaces in two subnets, on two pages, and three reservations in one of them, on two.
func occupied(t *testing.T) *fake {
	f := healthy(t)
	f.interfaces = []ec2types.NetworkInterface{
		networkInterface("subnet-a", []string{"10.0.0.33", "10.0.0.49"}, "10.0.0.64/28", "10.0.0.80/28"),
		networkInterface("subnet-b", []string{"10.0.1.20"}),
		networkInterface("subnet-a", nil, "10.0.0.96/28"),
		networkInterface("subnet-x", []string{"10.0.2.4"}),
	}
	f.reservations = map[string][]ec2types.SubnetCidrReservation{"subnet-a": {
		reservation("10.0.0.128/28", ec2types.SubnetCidrReservationTypeExplicit),
		reservation("10.0.0.160/27", ec2types.SubnetCidrReservationTypePrefix),
		reservation("10.0.0.192/28", ec2types.SubnetCidrReservationTypePrefix),
	}}
	return f
}

func TestBlocksAreCountedFromAllInterfacesAndReservations(t *testing.T) {
	f := occupied(t)
	given := []capacity.Subnet{subnetA, subnetC, subnetB}
	got, err := f.cloud().Blocks(t.Context(), unit, given)
	if err != nil {
		t.Fatal(err)
	}
	a, b := got["subnet-a"], got["subnet-b"]
	// Of 16 blocks the first and the last cannot be assigned, nor the one set aside: 13. Of these three are for prefixes, all free; of the ten
	// others two have an address and three are prefixes.
	if a.Total != 13 || a.ForPrefixes != 3 || a.Reserved != 3 || a.Open != 5 || a.Prefixes != 3 || a.Strays != 0 {
		t.Errorf("subnet-a: %+v", a)
	}
	if b.Total != 2 || b.Open != 1 || b.Reserved != 0 || b.Prefixes != 0 {
		t.Errorf("subnet-b: %+v", b)
	}
	if len(got) != 2 {
		t.Errorf("blocks of %d subnets; want none of the one without IPv4", len(got))
	}
	if diff := cmp.Diff([]capacity.Subnet{subnetA, subnetC, subnetB}, given); diff != "" {
		t.Errorf("what was given is changed (-want +got)\n%s", diff)
	}
}

func TestWhatIsAskedForBlocks(t *testing.T) {
	f := occupied(t)
	if _, err := f.cloud().Blocks(t.Context(), unit, []capacity.Subnet{subnetA, subnetC, subnetB}); err != nil {
		t.Fatal(err)
	}
	filters := []ec2types.Filter{{Name: aws.String("subnet-id"), Values: []string{"subnet-a", "subnet-b"}}}
	most := aws.Int32(1000)
	if diff := cmp.Diff([]*ec2.DescribeNetworkInterfacesInput{{Filters: filters, MaxResults: most}, {Filters: filters, MaxResults: most, NextToken: aws.String("2")}},
		sent[*ec2.DescribeNetworkInterfacesInput](f, "DescribeNetworkInterfaces"), serde()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]*ec2.GetSubnetCidrReservationsInput{
		{SubnetId: aws.String("subnet-a"), MaxResults: most}, {SubnetId: aws.String("subnet-a"), MaxResults: most, NextToken: aws.String("2")},
		{SubnetId: aws.String("subnet-b"), MaxResults: most},
	}, sent[*ec2.GetSubnetCidrReservationsInput](f, "GetSubnetCidrReservations"), serde()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if waited := f.clock.Now().Sub(start); waited != 2*time.Second {
		t.Errorf("waited for %d calls; want 2", waited/time.Second)
	}
	for op, calls := range f.calls {
		for _, c := range calls {
			if c.role != access.Observer {
				t.Errorf("%s is called by %s", op, c.role)
			}
		}
	}
}

func TestSubnetsWithoutIPv4NeedNoCallForBlocks(t *testing.T) {
	f := occupied(t)
	for _, subnets := range [][]capacity.Subnet{nil, {subnetC}} {
		if got, err := f.cloud().Blocks(t.Context(), unit, subnets); err != nil || len(got) != 0 || len(f.calls) != 0 {
			t.Errorf("%v, %v after %v", got, err, f.calls)
		}
	}
}

func TestBlocksOfManySubnetsAreReadEightSideBySide(t *testing.T) {
	f := occupied(t)
	f.interfaces, f.reservations = nil, nil
	var subnets []capacity.Subnet
	for i := range 450 {
		id, cidr := fmt.Sprintf("subnet-%03d", i), fmt.Sprintf("10.%d.%d.0/24", i/256, i%256)
		subnets = append(subnets, capacity.Subnet{ID: id, CIDR: cidr})
		if i%150 == 0 {
			f.interfaces = append(f.interfaces, networkInterface(id, []string{cidr[:len(cidr)-len("0/24")] + "20"}))
		}
	}
	got, err := f.cloud().Blocks(t.Context(), unit, subnets)
	if err != nil || len(got) != 450 {
		t.Fatalf("%d subnets, %v", len(got), err)
	}
	for i, s := range subnets {
		if want := 14 - map[bool]int{true: 1}[i%150 == 0]; got[s.ID].Open != want {
			t.Errorf("%s: %+v; want %d open", s.ID, got[s.ID], want)
		}
	}
	var sizes []int
	for _, in := range sent[*ec2.DescribeNetworkInterfacesInput](f, "DescribeNetworkInterfaces") {
		sizes = append(sizes, len(in.Filters[0].Values))
	}
	if want := []int{200, 200, 50}; !slices.Equal(sizes, want) || len(f.calls["GetSubnetCidrReservations"]) != 450 {
		t.Errorf("calls for %v subnets, %d for reservations; want %v and 450", sizes, len(f.calls["GetSubnetCidrReservations"]), want)
	}
	if waited, want := f.clock.Now().Sub(start), 57*time.Second; waited != want { // 450 / 8
		t.Errorf("waited for %d calls; want %d", waited/time.Second, want/time.Second)
	}
}

func TestWhatCannotBeReadLeavesNoBlocksKnown(t *testing.T) {
	const interfaces, reservations = "DescribeNetworkInterfaces", "GetSubnetCidrReservations"
	for name, c := range map[string]struct {
		change func(*fake)
		want   fault.Fault
	}{
		"interfaces may not be described": {fails(interfaces, "UnauthorizedOperation"), denied(interfaces)},
		"reservations may not be read":    {fails(reservations, "UnauthorizedOperation"), denied(reservations)},
		"interfaces are throttled": {fails(interfaces, "RequestLimitExceeded"),
			fault.Fault{Kind: fault.Retry, Op: "ec2:" + interfaces, Code: "RequestLimitExceeded", Text: "because"}},
		"reservations are not answered for": {func(f *fake) { f.fails[reservations] = context.DeadlineExceeded },
			fault.Fault{Kind: fault.Retry, Op: "ec2:" + reservations, Text: "context deadline exceeded"}},
		"the second page of interfaces": {func(f *fake) {
			f.passes = map[string]int{interfaces: 1}
			fails(interfaces, "UnauthorizedOperation")(f)
		}, denied(interfaces)},
		"the second page of reservations": {func(f *fake) {
			f.passes = map[string]int{reservations: 1}
			fails(reservations, "UnauthorizedOperation")(f)
		}, denied(reservations)},
		"a missing permission is named before a throttle": {func(f *fake) {
			fails(reservations, "RequestLimitExceeded")(f)
			fails(interfaces, "UnauthorizedOperation")(f)
		}, denied(interfaces)},
	} {
		t.Run(name, func(t *testing.T) {
			f := occupied(t)
			c.change(f)
			got, err := f.cloud().Blocks(t.Context(), unit, []capacity.Subnet{subnetA, subnetB})
			if ft := fault.Of(err); ft == nil || *ft != c.want || got != nil {
				t.Fatalf("%v, %+v; want %+v", got, ft, c.want)
			}
			if want := "count the /28 blocks of 2 subnets of 111122223333 in eu-central-1: " + c.want.Error(); err.Error() != want {
				t.Errorf("got %v; want %s", err, want)
			}
		})
	}
}

func denied(op string) fault.Fault {
	return fault.Fault{Kind: fault.Terminal, Op: "ec2:" + op, Code: "UnauthorizedOperation", Need: "ec2:" + op, Text: "because"}
}

func TestWhatCannotBeUnderstoodLeavesNoBlocksKnown(t *testing.T) {
	holds := func(addresses []string, prefixes ...string) func(*fake) {
		return func(f *fake) {
			f.interfaces = append(f.interfaces, networkInterface("subnet-b", addresses, prefixes...))
		}
	}
	keeps := func(cidr string, kind ec2types.SubnetCidrReservationType) func(*fake) {
		return func(f *fake) {
			f.reservations["subnet-b"] = []ec2types.SubnetCidrReservation{reservation(cidr, kind)}
		}
	}
	const interfaces, reservations = "ec2:DescribeNetworkInterfaces: ", "ec2:GetSubnetCidrReservations: "
	for name, c := range map[string]struct {
		change func(*fake)
		want   string // of the fault
	}{
		"an address":               {holds([]string{"10.0.1.21", "10.0\n.1"}), interfaces + "an address of an interface is not understood: 10.0 .1"},
		"an IPv6 address":          {holds([]string{"2001:db8::1"}), interfaces + "an address of an interface is not understood: 2001:db8::1"},
		"an IPv4 address as IPv6":  {holds([]string{"::ffff:10.0.1.21"}), interfaces + "an address of an interface is not understood: ::ffff:10.0.1.21"},
		"an address that is empty": {holds([]string{""}), interfaces + "an address of an interface is not understood: "},
		"an address that is missing": {func(f *fake) { f.interfaces[0].PrivateIpAddresses[1].PrivateIpAddress = nil },
			interfaces + "an address of an interface is not understood: "},
		"a prefix":               {holds(nil, "10.0.1.16"), interfaces + "a prefix of an interface is not understood: 10.0.1.16"},
		"an IPv6 prefix":         {holds(nil, "2001:db8::/80"), interfaces + "a prefix of an interface is not understood: 2001:db8::/80"},
		"a prefix that is empty": {func(f *fake) { f.interfaces[0].Ipv4Prefixes[0].Ipv4Prefix = nil }, interfaces + "a prefix of an interface is not understood: "},
		"a reservation":          {keeps("10.0.1.16/99", ec2types.SubnetCidrReservationTypePrefix), reservations + "a reservation is not understood: 10.0.1.16/99"},
		"an IPv6 reservation":    {keeps("2001:db8::/80", ec2types.SubnetCidrReservationTypePrefix), reservations + "a reservation is not understood: 2001:db8::/80"},
		"a reservation's kind":   {keeps("10.0.1.16/28", "shared\n"), `count the /28 blocks of subnet "10.0.1.0/26": reservation 0 is of the unknown kind "shared\n"`},
	} {
		t.Run(name, func(t *testing.T) {
			f := occupied(t)
			c.change(f)
			got, err := f.cloud().Blocks(t.Context(), unit, []capacity.Subnet{subnetA, subnetB})
			if ft := fault.Of(err); ft == nil || ft.Kind != fault.Terminal || ft.Error() != c.want || got != nil {
				t.Errorf("%v, %+v; want %s", got, ft, c.want)
			}
		})
	}
}

// astray answers with an interface of no subnet that was asked for.
type astray struct {
	client
	subnet *string
}

func (a astray) DescribeNetworkInterfaces(context.Context, *ec2.DescribeNetworkInterfacesInput, ...func(*ec2.Options)) (*ec2.DescribeNetworkInterfacesOutput, error) {
	return &ec2.DescribeNetworkInterfacesOutput{NetworkInterfaces: []ec2types.NetworkInterface{{SubnetId: a.subnet}}}, nil
}

func TestAnInterfaceOfAnotherSubnetLeavesNoBlocksKnown(t *testing.T) {
	for _, subnet := range []*string{nil, aws.String("subnet-x")} {
		f := occupied(t)
		got, err := cloudOf(astray{client{fake: f}, subnet}, f.clock).Blocks(t.Context(), unit, []capacity.Subnet{subnetA})
		if ft := fault.Of(err); ft == nil || ft.Kind != fault.Terminal || ft.Op != "ec2:DescribeNetworkInterfaces" || got != nil {
			t.Errorf("%v: %v, %+v", aws.ToString(subnet), got, ft)
		}
	}
}

// The addresses of a whole subnet arrive in any order and on any number of pages; the count is that of the addresses themselves.
func TestBlocksAreThoseOfTheAddressesHoweverTheyArePaged(t *testing.T) {
	f := occupied(t)
	f.interfaces, f.reservations = nil, nil
	var all capacity.Occupancy
	all.CIDR = subnetA.CIDR
	for i := range 7 {
		addr := netip.AddrFrom4([4]byte{10, 0, 0, byte(20 + 31*i)})
		all.Addresses = append(all.Addresses, addr)
		f.interfaces = append([]ec2types.NetworkInterface{networkInterface("subnet-a", []string{addr.String()})}, f.interfaces...)
	}
	want, err := all.Blocks()
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.cloud().Blocks(t.Context(), unit, []capacity.Subnet{subnetA})
	if err != nil || got["subnet-a"] != want || len(f.calls["DescribeNetworkInterfaces"]) != 4 {
		t.Errorf("%+v, %v after %d calls; want %+v after 4", got["subnet-a"], err, len(f.calls["DescribeNetworkInterfaces"]), want)
	}
}

func TestASubnetThatIsGoneHidesNoOther(t *testing.T) {
	f := occupied(t)
	f.fails["GetSubnetCidrReservations"] = code("InvalidSubnetID.NotFound")
	if got, err := f.cloud().Blocks(t.Context(), unit, []capacity.Subnet{subnetA}); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
}
