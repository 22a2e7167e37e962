package cloud_test

import (
	"context"
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
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

// connected is a fake whose VPC has two ranges, a peer on each side, a route, and three instance types.
func connected(t *testing.T) *fake {
	f := healthy(t)
	f.vpcs = []ec2types.Vpc{vpcOf("vpc-1", "10.0.0.0/16", "100.64.0.0/16"), vpcOf("vpc-2", "172.31.0.0/16")}
	f.peerings = []ec2types.VpcPeeringConnection{
		peering("pcx-1", ec2types.VpcPeeringConnectionStateReasonCodeActive, side("vpc-1", "10.0.0.0/16"), side("vpc-3", "10.3.0.0/16", "100.65.0.0/16")),
		peering("pcx-2", ec2types.VpcPeeringConnectionStateReasonCodeProvisioning, side("vpc-4", "10.4.0.0/16"), side("vpc-1", "10.0.0.0/16")),
		peering("pcx-3", ec2types.VpcPeeringConnectionStateReasonCodeDeleted, side("vpc-5", "10.5.0.0/16"), side("vpc-1", "10.0.0.0/16")),
		peering("pcx-4", ec2types.VpcPeeringConnectionStateReasonCodeActive, side("vpc-6", "10.6.0.0/16"), side("vpc-2", "172.31.0.0/16")),
	}
	f.tables = []ec2types.RouteTable{table("vpc-1", "10.0.0.0/16", "10.0.0.0/8", "192.168.0.0/16", "0.0.0.0/0"), table("vpc-2", "172.31.0.0/16")}
	f.sizes = []ec2types.InstanceTypeInfo{instanceType("m5.xlarge", 4, 4, 15), instanceType("m5.large", 2, 3, 10), instanceType("m5a.large", 2, 3, 10), instanceType("t3.micro", 2, 2, 2)}
	return f
}

func vpcOf(id string, ranges ...string) ec2types.Vpc {
	v := ec2types.Vpc{VpcId: &id, OwnerId: aws.String(prod.Account)}
	for _, r := range ranges {
		v.CidrBlockAssociationSet = append(v.CidrBlockAssociationSet, block(r, ec2types.VpcCidrBlockStateCodeAssociated))
	}
	return v
}

func block(cidr string, state ec2types.VpcCidrBlockStateCode) ec2types.VpcCidrBlockAssociation {
	return ec2types.VpcCidrBlockAssociation{CidrBlock: &cidr, CidrBlockState: &ec2types.VpcCidrBlockState{State: state}}
}

func side(vpc string, ranges ...string) *ec2types.VpcPeeringConnectionVpcInfo {
	s := &ec2types.VpcPeeringConnectionVpcInfo{VpcId: &vpc, OwnerId: aws.String(prod.Account)}
	for _, r := range ranges {
		s.CidrBlockSet = append(s.CidrBlockSet, ec2types.CidrBlock{CidrBlock: &r})
	}
	return s
}

func peering(id string, state ec2types.VpcPeeringConnectionStateReasonCode, from, to *ec2types.VpcPeeringConnectionVpcInfo) ec2types.VpcPeeringConnection {
	return ec2types.VpcPeeringConnection{VpcPeeringConnectionId: &id, Status: &ec2types.VpcPeeringConnectionStateReason{Code: state}, RequesterVpcInfo: from, AccepterVpcInfo: to}
}

func table(vpc string, to ...string) ec2types.RouteTable {
	t := ec2types.RouteTable{VpcId: &vpc}
	for _, r := range to {
		t.Routes = append(t.Routes, ec2types.Route{DestinationCidrBlock: &r})
	}
	return t
}

func instanceType(name string, vcpus, interfaces, addresses int32) ec2types.InstanceTypeInfo {
	return ec2types.InstanceTypeInfo{InstanceType: ec2types.InstanceType(name), Hypervisor: ec2types.InstanceTypeHypervisorNitro,
		VCpuInfo: &ec2types.VCpuInfo{DefaultVCpus: &vcpus},
		NetworkInfo: &ec2types.NetworkInfo{MaximumNetworkInterfaces: &interfaces, Ipv4AddressesPerInterface: &addresses, DefaultNetworkCardIndex: aws.Int32(0),
			NetworkCards: []ec2types.NetworkCardInfo{{NetworkCardIndex: aws.Int32(0), MaximumNetworkInterfaces: &interfaces}}}}
}

func prefixes(texts ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, t := range texts {
		all = append(all, netip.MustParsePrefix(t))
	}
	return all
}

func TestNetworkIsTheSizesOfTheNodesFamiliesAndTheRangesThatAreTaken(t *testing.T) {
	f := connected(t)
	got := f.cloud().Network(t.Context(), unit, "vpc-1", []string{"m5.large", "t3.micro", "m5.xlarge", "none"})
	want := &guard.Network{
		VPC: "vpc-1",
		Types: []capacity.InstanceType{
			{Name: "m5.large", Interfaces: 3, Addresses: 10, VCPUs: 2, Nitro: true},
			{Name: "m5.xlarge", Interfaces: 4, Addresses: 15, VCPUs: 4, Nitro: true},
			{Name: "t3.micro", Interfaces: 2, Addresses: 2, VCPUs: 2, Nitro: true},
		},
		Taken: prefixes("0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/16", "10.3.0.0/16", "10.4.0.0/16", "100.64.0.0/16", "100.65.0.0/16", "192.168.0.0/16"),
	}
	if diff := cmp.Diff(want, got.Value, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" || got.Fault != nil {
		t.Errorf("fault %v (-want +got)\n%s", got.Fault, diff)
	}
}

func TestWhatIsAskedOfANetwork(t *testing.T) {
	f := connected(t)
	f.cloud().Network(t.Context(), unit, "vpc-1", []string{"m5.large", "t3.micro", "m5.xlarge"})
	is := func(name string, values ...string) []ec2types.Filter {
		return []ec2types.Filter{{Name: &name, Values: values}}
	}
	live := is("status-code", "active", "provisioning", "pending-acceptance")[0]
	for op, want := range map[string][]any{
		"DescribeVpcs":        {&ec2.DescribeVpcsInput{Filters: is("vpc-id", "vpc-1")}},
		"DescribeRouteTables": {&ec2.DescribeRouteTablesInput{Filters: is("vpc-id", "vpc-1")}},
		"DescribeVpcPeeringConnections": {
			&ec2.DescribeVpcPeeringConnectionsInput{Filters: append(is("requester-vpc-info.vpc-id", "vpc-1"), live)},
			&ec2.DescribeVpcPeeringConnectionsInput{Filters: append(is("accepter-vpc-info.vpc-id", "vpc-1"), live)},
		},
		"DescribeInstanceTypes": {&ec2.DescribeInstanceTypesInput{Filters: is("instance-type", "m5.*", "t3.*")},
			&ec2.DescribeInstanceTypesInput{Filters: is("instance-type", "m5.*", "t3.*"), NextToken: aws.String("2")}},
	} {
		var got []any
		for _, c := range f.calls[op] {
			got = append(got, c.in)
			if c.role != access.Observer {
				t.Errorf("%s is called by %s", op, c.role)
			}
		}
		if diff := cmp.Diff(want, got, serde()); diff != "" {
			t.Errorf("%s (-want +got)\n%s", op, diff)
		}
	}
	if len(f.calls) != 4 {
		t.Errorf("%d operations; want 4", len(f.calls))
	}
}

func TestANetworkIsReadInOneRound(t *testing.T) {
	f := connected(t)
	f.sizes = f.sizes[:2] // one page
	f.cloud().Network(t.Context(), unit, "vpc-1", []string{"m5.large"})
	if waited := f.clock.Now().Sub(start); waited != time.Second || len(f.order) != 5 {
		t.Errorf("waited for %d of %d calls; want 1 of 5", waited/time.Second, len(f.order))
	}
}

func TestNodesOfNoKnownTypeNeedNoTypes(t *testing.T) {
	f := connected(t)
	got := f.cloud().Network(t.Context(), unit, "vpc-1", nil)
	if got.Fault != nil || got.Value.Types != nil || len(f.calls["DescribeInstanceTypes"]) != 0 {
		t.Errorf("got %+v after %d calls", got, len(f.calls["DescribeInstanceTypes"]))
	}
}

func TestANetworksPagesAreAllRead(t *testing.T) {
	f := connected(t)
	f.vpcs = []ec2types.Vpc{vpcOf("vpc-1", "10.0.0.0/16"), vpcOf("vpc-1", "10.1.0.0/16"), vpcOf("vpc-1", "10.2.0.0/16")}
	f.tables = []ec2types.RouteTable{table("vpc-1", "10.10.0.0/16"), table("vpc-1", "10.11.0.0/16"), table("vpc-1", "10.12.0.0/16")}
	f.peerings = nil
	for _, n := range []string{"20", "21", "22"} {
		f.peerings = append(f.peerings, peering("pcx-"+n, ec2types.VpcPeeringConnectionStateReasonCodeActive, side("vpc-1", "10.0.0.0/16"), side("vpc-"+n, "10."+n+".0.0/16")),
			peering("pcx-1"+n, ec2types.VpcPeeringConnectionStateReasonCodeActive, side("vpc-1"+n, "10.1"+n+".0.0/16"), side("vpc-1", "10.0.0.0/16")))
	}
	got := f.cloud().Network(t.Context(), unit, "vpc-1", nil).Value
	want := prefixes("10.0.0.0/16", "10.1.0.0/16", "10.2.0.0/16", "10.10.0.0/16", "10.11.0.0/16", "10.12.0.0/16",
		"10.20.0.0/16", "10.21.0.0/16", "10.22.0.0/16", "10.120.0.0/16", "10.121.0.0/16", "10.122.0.0/16")
	if !slices.Equal(got.Taken, want) || len(got.Unread) != 0 {
		t.Errorf("got %v, unread %q; want %v", got.Taken, got.Unread, want)
	}
}

func TestARangeThatCannotBeReadIsNamedAndHidesNoOther(t *testing.T) {
	const ranges, asked, asking, routes = "the ranges of vpc-1", "the peers that vpc-1 asked", "the peers that asked vpc-1", "the routes of vpc-1"
	theirs := event.Unit{Account: "444455556666", Region: prod.Region}
	active, pending := ec2types.VpcPeeringConnectionStateReasonCodeActive, ec2types.VpcPeeringConnectionStateReasonCodePendingAcceptance
	for name, c := range map[string]struct {
		change func(*fake)
		unit   event.Unit
		want   []string
	}{
		"everything can be read":           {func(*fake) {}, unit, nil},
		"VPCs may not be described":        {fails("DescribeVpcs", "UnauthorizedOperation"), unit, []string{ranges + " (UnauthorizedOperation)"}},
		"VPCs are throttled":               {fails("DescribeVpcs", "RequestLimitExceeded"), unit, []string{ranges + " (RequestLimitExceeded)"}},
		"peers may not be described":       {fails("DescribeVpcPeeringConnections", "UnauthorizedOperation"), unit, []string{asked + " (UnauthorizedOperation)", asking + " (UnauthorizedOperation)"}},
		"routes may not be described":      {fails("DescribeRouteTables", "UnauthorizedOperation"), unit, []string{routes + " (UnauthorizedOperation)"}},
		"routes are not answered for":      {func(f *fake) { f.fails["DescribeRouteTables"] = context.DeadlineExceeded }, unit, []string{routes + " (no answer)"}},
		"the VPC is not to be seen":        {func(f *fake) { f.vpcs = nil }, unit, []string{ranges + " (not seen)"}},
		"no route table is to be seen":     {func(f *fake) { f.tables = nil }, unit, []string{routes + " (not seen)"}},
		"the VPC is another account's":     {func(*fake) {}, theirs, []string{ranges + ": those of its peers, which only its owner 111122223333 sees"}},
		"a range that is none":             {func(f *fake) { f.vpcs[0] = vpcOf("vpc-1", "10.0.0.0/16", "10.0\n/16") }, unit, []string{ranges + ": 10.0 /16"}},
		"a range that is missing":          {func(f *fake) { f.vpcs[0].CidrBlockAssociationSet[1].CidrBlock = nil }, unit, []string{ranges + ": "}},
		"an IPv6 range among IPv4's":       {func(f *fake) { f.vpcs[0] = vpcOf("vpc-1", "10.0.0.0/16", "2001:db8::/56") }, unit, []string{ranges + ": 2001:db8::/56"}},
		"IPv4 as IPv6":                     {func(f *fake) { f.vpcs[0] = vpcOf("vpc-1", "10.0.0.0/16", "::ffff:10.9.0.0/112") }, unit, []string{ranges + ": ::ffff:10.9.0.0/112"}},
		"a peer that did not accept yet":   {func(f *fake) { f.peerings[0] = peering("pcx-1", pending, side("vpc-1", "10.0.0.0/16"), side("vpc-3")) }, unit, []string{asked + ": pcx-1"}},
		"a peer without ranges":            {func(f *fake) { f.peerings[1] = peering("pcx-2", active, side("vpc-4"), side("vpc-1", "10.0.0.0/16")) }, unit, []string{asking + ": pcx-2"}},
		"a peer's range that is none":      {func(f *fake) { f.peerings[0].AccepterVpcInfo = side("vpc-3", "?") }, unit, []string{asked + ": ?"}},
		"a prefix list, in several tables": {func(f *fake) { f.tables = append(f.tables, listed("pl-1"), listed("pl-2"), listed("pl-1")) }, unit, []string{routes + ": pl-1", routes + ": pl-2"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := connected(t)
			f.tables[0].Routes = append(f.tables[0].Routes, ec2types.Route{DestinationIpv6CidrBlock: aws.String("::/0")})
			c.change(f)
			got := f.cloud().Network(t.Context(), c.unit, "vpc-1", []string{"m5.large"})
			if got.Fault != nil {
				t.Fatal(got.Fault)
			}
			if !slices.Equal(got.Value.Unread, c.want) {
				t.Errorf("unread %q; want %q", got.Value.Unread, c.want)
			}
			if len(got.Value.Types) != 2 || len(got.Value.Taken) == 0 {
				t.Errorf("it hid what can be read: %+v", got.Value)
			}
		})
	}
}

// listed is a route table with a route to a prefix list.
func listed(id string) ec2types.RouteTable {
	return ec2types.RouteTable{VpcId: aws.String("vpc-1"), Routes: []ec2types.Route{{DestinationPrefixListId: &id, GatewayId: aws.String("vpce-1")}}}
}

func TestWhichRangesAreTaken(t *testing.T) {
	for state, want := range map[ec2types.VpcCidrBlockStateCode]bool{
		ec2types.VpcCidrBlockStateCodeAssociating: true, ec2types.VpcCidrBlockStateCodeAssociated: true, ec2types.VpcCidrBlockStateCodeDisassociating: true,
		ec2types.VpcCidrBlockStateCodeFailing: true, "new": true, "": true,
		ec2types.VpcCidrBlockStateCodeDisassociated: false, ec2types.VpcCidrBlockStateCodeFailed: false,
	} {
		f := connected(t)
		f.vpcs[0].CidrBlockAssociationSet = append(f.vpcs[0].CidrBlockAssociationSet, block("100.80.0.0/16", state))
		if state == "" {
			f.vpcs[0].CidrBlockAssociationSet[2].CidrBlockState = nil
		}
		got := f.cloud().Network(t.Context(), unit, "vpc-1", nil).Value
		if slices.Contains(got.Taken, netip.MustParsePrefix("100.80.0.0/16")) != want || len(got.Unread) > 0 {
			t.Errorf("a block that is %q: %v, unread %q", state, got.Taken, got.Unread)
		}
	}
	for state, want := range map[ec2types.RouteState]bool{ec2types.RouteStateActive: true, ec2types.RouteStateBlackhole: true} {
		f := connected(t)
		f.tables[0].Routes = []ec2types.Route{{DestinationCidrBlock: aws.String("100.80.0.0/16"), State: state}}
		if got := f.cloud().Network(t.Context(), unit, "vpc-1", nil).Value.Taken; slices.Contains(got, netip.MustParsePrefix("100.80.0.0/16")) != want {
			t.Errorf("a route that is %s: %v", state, got)
		}
	}
}

func TestTypesThatCannotBeReadHideTheNetwork(t *testing.T) {
	for with, want := range map[string]fault.Fault{
		"UnauthorizedOperation": {Kind: fault.Terminal, Need: "ec2:DescribeInstanceTypes"},
		"RequestLimitExceeded":  {Kind: fault.Retry},
	} {
		for _, passes := range []int{0, 1} { // the first page, or the second
			f := connected(t)
			f.fails["DescribeInstanceTypes"], f.passes = code(with), map[string]int{"DescribeInstanceTypes": passes}
			want.Op, want.Code, want.Text = "ec2:DescribeInstanceTypes", with, "because"
			got := f.cloud().Network(t.Context(), unit, "vpc-1", []string{"m5.large", "t3.micro"})
			if got.Value != nil || got.Fault == nil || *got.Fault != want {
				t.Errorf("%s after %d pages: %+v, %+v; want %+v", with, passes, got.Value, got.Fault, want)
			}
		}
	}
}

func TestASecondPageThatCannotBeReadHidesTheFirst(t *testing.T) {
	for op, want := range map[string]string{
		"DescribeVpcs":                  "the ranges of vpc-1 (Unavailable)",
		"DescribeRouteTables":           "the routes of vpc-1 (Unavailable)",
		"DescribeVpcPeeringConnections": "the peers that vpc-1 asked (Unavailable)",
	} {
		f := connected(t)
		f.vpcs = []ec2types.Vpc{vpcOf("vpc-1", "10.0.0.0/16"), vpcOf("vpc-1", "10.1.0.0/16"), vpcOf("vpc-1", "10.2.0.0/16")}
		f.tables = []ec2types.RouteTable{table("vpc-1", "10.10.0.0/16"), table("vpc-1"), table("vpc-1")}
		f.peerings = slices.Repeat(f.peerings[:1], 3)
		f.fails[op], f.passes = code("Unavailable"), map[string]int{op: 1}
		got := f.cloud().Network(t.Context(), unit, "vpc-1", nil).Value
		if !slices.Contains(got.Unread, want) {
			t.Errorf("unread %q; want %q", got.Unread, want)
		}
	}
}

func TestAnInstanceTypeIsWhatPodsCanUseOfIt(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*ec2types.InstanceTypeInfo)
		want   capacity.InstanceType
	}{
		"of several network cards the default one counts": {func(i *ec2types.InstanceTypeInfo) {
			i.NetworkInfo.MaximumNetworkInterfaces, i.NetworkInfo.DefaultNetworkCardIndex = aws.Int32(60), aws.Int32(1)
			i.NetworkInfo.NetworkCards = append(i.NetworkInfo.NetworkCards, ec2types.NetworkCardInfo{NetworkCardIndex: aws.Int32(1), MaximumNetworkInterfaces: aws.Int32(15)})
		}, capacity.InstanceType{Name: "m5.large", Interfaces: 15, Addresses: 10, VCPUs: 2, Nitro: true}},
		"without cards it is all":    {func(i *ec2types.InstanceTypeInfo) { i.NetworkInfo.NetworkCards = nil }, capacity.InstanceType{Name: "m5.large", Interfaces: 3, Addresses: 10, VCPUs: 2, Nitro: true}},
		"Xen takes no prefixes":      {func(i *ec2types.InstanceTypeInfo) { i.Hypervisor = ec2types.InstanceTypeHypervisorXen }, capacity.InstanceType{Name: "m5.large", Interfaces: 3, Addresses: 10, VCPUs: 2}},
		"bare metal takes prefixes":  {func(i *ec2types.InstanceTypeInfo) { i.Hypervisor, i.BareMetal = "", aws.Bool(true) }, capacity.InstanceType{Name: "m5.large", Interfaces: 3, Addresses: 10, VCPUs: 2, Nitro: true}},
		"an answer that is not full": {func(i *ec2types.InstanceTypeInfo) { i.VCpuInfo, i.NetworkInfo, i.Hypervisor = nil, nil, "" }, capacity.InstanceType{Name: "m5.large"}},
		"a name of many lines":       {func(i *ec2types.InstanceTypeInfo) { i.InstanceType = "m5.\n\x1b" }, capacity.InstanceType{Name: "m5.", Interfaces: 3, Addresses: 10, VCPUs: 2, Nitro: true}},
	} {
		t.Run(name, func(t *testing.T) {
			f := connected(t)
			f.sizes = []ec2types.InstanceTypeInfo{instanceType("m5.large", 2, 3, 10)}
			c.change(&f.sizes[0])
			got := f.cloud().Network(t.Context(), unit, "vpc-1", []string{"m5.large"})
			if diff := cmp.Diff([]capacity.InstanceType{c.want}, got.Value.Types); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
