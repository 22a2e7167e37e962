package world_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/world"
)

const (
	participant = "444455556666"
	stranger    = "777788889999"
)

// shared is a VPC with a participant: each of the two accounts has a cluster in it. It has a peer of the stranger's, and one of the world.
func shared(s *world.Spec) {
	s.VPCs = []world.VPC{
		{
			ID: "vpc-1", Account: hubAccount, Region: hubRegion, Shared: []string{participant},
			CIDRs: []string{"10.0.0.0/16", "100.64.0.0/16"}, Routes: []string{"0.0.0.0/0", "192.168.0.0/24"},
			Peers: []world.Peer{{VPC: "vpc-far", Account: stranger, CIDRs: []string{"10.9.0.0/16", "10.8.0.0/16"}}, {VPC: "vpc-2"}},
			Subnets: []world.Subnet{
				{ID: "subnet-1", CIDR: "10.0.1.0/24", Used: []world.Point{{Addresses: 30}}, Reservations: []world.Reservation{{CIDR: "10.0.1.64/26", Kind: world.ForPrefixes}, {CIDR: "10.0.1.128/28", Kind: world.Explicit}}},
				{ID: "subnet-2", CIDR: "100.64.0.0/24"},
			},
		},
		{ID: "vpc-2", Account: stranger, Region: hubRegion, Subnets: []world.Subnet{{ID: "subnet-3", CIDR: "10.2.0.0/24"}, {ID: "subnet-4", CIDR: "10.2.0.0/24"}}},
	}
	s.Clusters = []world.Cluster{
		{Name: "prod", Account: hubAccount, Region: hubRegion, Kubernetes: "1.33", VPC: "vpc-1", Instances: []world.Instance{
			{ID: "i-1", Subnets: []string{"subnet-1", "subnet-2"}, Addresses: []int{0, 2}}}},
		{Name: "guest", Account: participant, Region: hubRegion, Kubernetes: "1.33", VPC: "vpc-1", Instances: []world.Instance{
			{ID: "i-2", Type: "m5.xlarge", Subnets: []string{"subnet-1"}, Prefixes: []int{1}}}},
	}
}

// sees is what an account sees of the shared VPC, a line a call.
func sees(ctx context.Context, c *world.Client) (lines []string) {
	say := func(err error, parts []string) {
		if err != nil {
			parts = []string{code(err)}
		}
		lines = append(lines, strings.Join(parts, ", "))
	}
	interfaces, err := c.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{})
	var parts []string
	for _, i := range interfaces.NetworkInterfaces {
		parts = append(parts, *i.SubnetId+" "+*i.OwnerId+" "+held(i))
	}
	say(err, parts)
	reservations, err := c.GetSubnetCidrReservations(ctx, &ec2.GetSubnetCidrReservationsInput{SubnetId: aws.String("subnet-1")})
	parts = nil
	if err == nil {
		for _, r := range reservations.SubnetIpv4CidrReservations {
			parts = append(parts, *r.Cidr+" "+string(r.ReservationType))
		}
	}
	say(err, parts)
	vpcs, err := c.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{Filters: vpcFilter("vpc-id")})
	parts = nil
	for _, v := range vpcs.Vpcs {
		for _, r := range v.CidrBlockAssociationSet {
			parts = append(parts, *r.CidrBlock+" "+string(r.CidrBlockState.State))
		}
	}
	say(err, parts)
	tables, err := c.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: vpcFilter("vpc-id")})
	parts = nil
	for _, b := range tables.RouteTables {
		for _, r := range b.Routes {
			parts = append(parts, *r.DestinationCidrBlock+" "+aws.ToString(r.GatewayId))
		}
	}
	say(err, parts)
	peers, err := c.DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{Filters: vpcFilter("requester-vpc-info.vpc-id")})
	parts = nil
	for _, p := range peers.VpcPeeringConnections {
		part := *p.AccepterVpcInfo.VpcId + " " + *p.AccepterVpcInfo.OwnerId
		for _, r := range slices.Concat(p.RequesterVpcInfo.CidrBlockSet, p.AccepterVpcInfo.CidrBlockSet) {
			part += " " + *r.CidrBlock
		}
		parts = append(parts, part)
	}
	say(err, parts)
	return lines
}

func vpcFilter(name string) []types.Filter {
	return []types.Filter{{Name: &name, Values: []string{"vpc-1"}}}
}

// VPC user guide, "Responsibilities and permissions for owners and participants".
func TestWhatAccountsSeeOfASharedVPC(t *testing.T) {
	s := set(t, 1, shared)
	ranges, routes := "10.0.0.0/16 associated, 100.64.0.0/16 associated", "10.0.0.0/16 local, 100.64.0.0/16 local, 0.0.0.0/0 , 192.168.0.0/24 "
	guest := "subnet-1 444455556666 i-2: 5 64/28"
	far, near := "vpc-far 777788889999 10.0.0.0/16 100.64.0.0/16 10.9.0.0/16 10.8.0.0/16", "vpc-2 777788889999 10.0.0.0/16 100.64.0.0/16 10.2.0.0/24"
	for account, want := range map[string][]string{
		hubAccount: {
			"subnet-1 111122223333 i-1: 4, " + guest + ", subnet-1 111122223333 : 6 7 8 9 10 11 12 13 14 15, subnet-1 111122223333 : 16 17, subnet-2 111122223333 i-1: 4 5 6",
			"10.0.1.64/26 prefix, 10.0.1.128/28 explicit", ranges, routes, far + ", " + near,
		},
		participant: {guest, "", ranges, routes, ""},
		stranger:    {"", "400 InvalidSubnetID.NotFound", "", "", far + ", " + near},
	} {
		s.at(0, func(ctx context.Context, _ *world.Client) {
			if diff := cmp.Diff(want, sees(ctx, s.Client(caller, account, hubRegion))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", account, diff)
			}
			for n, line := range sees(ctx, s.Client(caller, account, "eu-west-1")) {
				if line != "" && n != 1 {
					t.Errorf("%s sees in another region: %s", account, line)
				}
			}
		})
	}
}

func TestInstancesShowTheInterfacesThatAreDescribed(t *testing.T) {
	s := set(t, 1, shared)
	s.at(0, func(ctx context.Context, c *world.Client) {
		var want, got []string
		for _, i := range ports(t, ctx, c, types.Filter{Name: aws.String("attachment.instance-id"), Values: []string{"i-*"}}) {
			if *i.OwnerId == hubAccount {
				want = append(want, fmt.Sprint(*i.NetworkInterfaceId, *i.SubnetId, *i.Attachment.DeviceIndex, *i.PrivateIpAddress, i.InterfaceType, " ", held(i)))
			}
		}
		for _, account := range []string{hubAccount, participant} {
			out, err := s.Client(caller, account, hubRegion).DescribeInstances(ctx, &ec2.DescribeInstancesInput{})
			if err != nil {
				t.Fatal(err)
			}
			one := out.Reservations[0].Instances[0]
			if want := map[string]types.InstanceType{hubAccount: "m5.large", participant: "m5.xlarge"}[account]; one.InstanceType != want {
				t.Errorf("%s is an %s; want %s", *one.InstanceId, one.InstanceType, want)
			}
			for _, i := range one.NetworkInterfaces {
				same := types.NetworkInterface{Attachment: &types.NetworkInterfaceAttachment{InstanceId: one.InstanceId}}
				for _, a := range i.PrivateIpAddresses {
					same.PrivateIpAddresses = append(same.PrivateIpAddresses, types.NetworkInterfacePrivateIpAddress{PrivateIpAddress: a.PrivateIpAddress})
				}
				for _, p := range i.Ipv4Prefixes {
					same.Ipv4Prefixes = append(same.Ipv4Prefixes, types.Ipv4PrefixSpecification{Ipv4Prefix: p.Ipv4Prefix})
				}
				if account == hubAccount {
					got = append(got, fmt.Sprint(*i.NetworkInterfaceId, *i.SubnetId, *i.Attachment.DeviceIndex, *i.PrivateIpAddress, *i.InterfaceType, " ", held(same)))
				} else if held(same) != "i-2: 5 64/28" {
					t.Errorf("the guest's instance has %s", held(same))
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || len(want) != 2 {
			t.Errorf("DescribeNetworkInterfaces (-) and DescribeInstances (+):\n%s", diff)
		}
	})
}

func TestWhatEC2IsAskedWrong(t *testing.T) {
	s := set(t, 1, shared)
	unknown, tooFew := []types.Filter{{Name: aws.String("vpc")}}, aws.Int32(4)
	s.at(0, func(ctx context.Context, c *world.Client) {
		got := map[string]error{}
		_, got["InvalidParameterValue: interfaces by a filter that is none"] = c.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{Filters: unknown})
		_, got["InvalidParameterValue: interfaces, four in a page"] = c.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{MaxResults: tooFew})
		_, got["InvalidParameterValue: interfaces, 1001 in a page"] = c.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{MaxResults: aws.Int32(1001)})
		_, got["InvalidParameterCombination: interfaces by ids"] = c.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{"eni-1"}})
		_, got["InvalidVpcID.NotFound: a VPC that is none"] = c.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{"vpc-1", "vpc-9"}})
		_, got["InvalidVpcID.NotFound: a VPC of another account"] = c.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{"vpc-2"}})
		_, got["InvalidParameterValue: VPCs by a filter that is none"] = c.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{Filters: unknown})
		_, got["InvalidParameterValue: route tables by a filter that is none"] = c.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: unknown})
		_, got["InvalidParameterValue: route tables, 101 in a page"] = c.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{MaxResults: aws.Int32(101)})
		_, got["InvalidParameterValue: peers by a filter that is none"] = c.DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{Filters: unknown})
		_, got["InvalidParameterValue: reservations by a filter"] = c.GetSubnetCidrReservations(ctx, &ec2.GetSubnetCidrReservationsInput{SubnetId: aws.String("subnet-1"), Filters: unknown})
		_, got["InvalidSubnetID.NotFound: reservations of a subnet that is none"] = c.GetSubnetCidrReservations(ctx, &ec2.GetSubnetCidrReservationsInput{SubnetId: aws.String("subnet-9")})
		for name, err := range got {
			if want, _, _ := strings.Cut(name, ":"); code(err) != "400 "+want {
				t.Errorf("%s gave %s", name, code(err))
			}
		}
		status := []types.Filter{{Name: aws.String("status-code"), Values: []string{"pending-acceptance"}}, {Name: aws.String("accepter-vpc-info.vpc-id"), Values: []string{"vpc-2"}}}
		for n, values := range [][]string{{"pending-acceptance"}, {"active"}} {
			status[0].Values = values
			if out, err := c.DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{Filters: status}); err != nil || len(out.VpcPeeringConnections) != n {
				t.Errorf("%d connections are %s, %v; want %d", len(out.VpcPeeringConnections), values, err, n)
			}
		}
	})
}

func TestWhatIsInEC2IsPaged(t *testing.T) {
	s := set(t, 1, func(s *world.Spec) {
		s.Behaviour.PageSize = 2
		for i := range 5 {
			v := world.VPC{ID: fmt.Sprint("vpc-", i), Account: hubAccount, Region: hubRegion, Peers: []world.Peer{{VPC: fmt.Sprint("vpc-far-", i), CIDRs: []string{"10.9.0.0/16"}}}}
			v.Subnets = []world.Subnet{{ID: fmt.Sprint("subnet-", i), CIDR: fmt.Sprintf("10.0.%d.0/24", i), Used: []world.Point{{Addresses: 1}}}}
			for j := range 5 {
				v.Subnets[0].Reservations = append(v.Subnets[0].Reservations, world.Reservation{CIDR: fmt.Sprintf("10.0.%d.%d/28", i, 32+16*j), Kind: world.Explicit})
			}
			s.VPCs = append(s.VPCs, v)
		}
	})
	s.at(0, func(ctx context.Context, c *world.Client) {
		for what, next := range map[string]func(token *string) ([]string, *string, error){
			"interfaces": func(token *string) ([]string, *string, error) {
				out, err := c.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{NextToken: token})
				return texts(out.NetworkInterfaces, func(i types.NetworkInterface) *string { return i.NetworkInterfaceId }), out.NextToken, err
			},
			"reservations": func(token *string) ([]string, *string, error) {
				out, err := c.GetSubnetCidrReservations(ctx, &ec2.GetSubnetCidrReservationsInput{SubnetId: aws.String("subnet-2"), NextToken: token})
				return texts(out.SubnetIpv4CidrReservations, func(r types.SubnetCidrReservation) *string { return r.SubnetCidrReservationId }), out.NextToken, err
			},
			"types": func(token *string) ([]string, *string, error) {
				family := []types.Filter{{Name: aws.String("instance-type"), Values: []string{"m5.*"}}}
				out, err := c.DescribeInstanceTypes(ctx, &ec2.DescribeInstanceTypesInput{Filters: family, NextToken: token})
				return texts(out.InstanceTypes, func(i types.InstanceTypeInfo) *string { return aws.String(string(i.InstanceType)) }), out.NextToken, err
			},
			"VPCs": func(token *string) ([]string, *string, error) {
				out, err := c.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{NextToken: token})
				return texts(out.Vpcs, func(v types.Vpc) *string { return v.VpcId }), out.NextToken, err
			},
			"peers": func(token *string) ([]string, *string, error) {
				out, err := c.DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{NextToken: token})
				return texts(out.VpcPeeringConnections, func(p types.VpcPeeringConnection) *string { return p.VpcPeeringConnectionId }), out.NextToken, err
			},
			"route tables": func(token *string) ([]string, *string, error) {
				out, err := c.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{NextToken: token})
				return texts(out.RouteTables, func(b types.RouteTable) *string { return b.RouteTableId }), out.NextToken, err
			},
		} {
			items, sizes := all(t, next)
			if slices.Sort(items); len(slices.Compact(items)) != 5 || !slices.Equal(sizes, []int{2, 2, 1}) {
				t.Errorf("%s are %q in pages of %v; want five in pages of 2, 2, 1", what, items, sizes)
			}
		}
	})
}

func texts[T any](items []T, text func(T) *string) (all []string) {
	for _, one := range items {
		all = append(all, *text(one))
	}
	return all
}

func TestNetworksThatCannotBe(t *testing.T) {
	for name, c := range map[string]struct { // the first mistake; others may follow from it
		change func(vpc *world.VPC, subnet *world.Subnet, i *world.Instance)
		want   string // field: beginning of the text
	}{
		"a range of a VPC that is too large":    {func(v *world.VPC, _ *world.Subnet, _ *world.Instance) { v.CIDRs[1] = "100.64.0.0/10" }, `vpcs[0].cidrs[1]: "100.64.0.0/10" is not a VPC's range`},
		"ranges of a VPC that overlap":          {func(v *world.VPC, _ *world.Subnet, _ *world.Instance) { v.CIDRs[1] = "10.0.128.0/20" }, `vpcs[0].cidrs[1]: "10.0.128.0/20" overlaps`},
		"a subnet outside of its VPC's ranges":  {func(v *world.VPC, _ *world.Subnet, _ *world.Instance) { v.CIDRs = v.CIDRs[:1] }, `vpcs[0].subnets[1].cidr: "100.64.0.0/24" is in none`},
		"a route to no range":                   {func(v *world.VPC, _ *world.Subnet, _ *world.Instance) { v.Routes[1] = "pl-1" }, `vpcs[0].routes[1]: "pl-1" is not a destination`},
		"a peer without an id":                  {func(v *world.VPC, _ *world.Subnet, _ *world.Instance) { v.Peers[0].VPC = "" }, `vpcs[0].peers[0].vpc: "" is empty`},
		"a peer of itself":                      {func(v *world.VPC, _ *world.Subnet, _ *world.Instance) { v.Peers[1].VPC = "vpc-1" }, `vpcs[0].peers[1].vpc: "vpc-1" is empty, the VPC itself`},
		"a peer that is one already":            {func(v *world.VPC, _ *world.Subnet, _ *world.Instance) { v.Peers[0] = world.Peer{VPC: "vpc-2"} }, `vpcs[0].peers[1].vpc: "vpc-2" is empty, the VPC itself, or its peer already`},
		"a foreign peer without ranges":         {func(v *world.VPC, _ *world.Subnet, _ *world.Instance) { v.Peers[0].CIDRs = nil }, "vpcs[0].peers[0].cidrs: is missing"},
		"a foreign peer of no account":          {func(v *world.VPC, _ *world.Subnet, _ *world.Instance) { v.Peers[0].Account = "me" }, `vpcs[0].peers[0].account: "me"`},
		"a peer of the world described again":   {func(v *world.VPC, _ *world.Subnet, _ *world.Instance) { v.Peers[1].CIDRs = []string{"10.2.0.0/16"} }, "vpcs[0].peers[1].cidrs: are given"},
		"a peer whose ranges overlap the VPC's": {func(v *world.VPC, _ *world.Subnet, _ *world.Instance) { v.Peers[0].CIDRs[1] = "10.0.3.0/24" }, "vpcs[0].peers[0].vpc: its range 10.0.3.0/24 overlaps"},
		"a layout that is none":                 {func(_ *world.VPC, s *world.Subnet, _ *world.Instance) { s.Layout = "random" }, `vpcs[0].subnets[0].layout: "random"`},
		"a reservation outside of the subnet":   {func(_ *world.VPC, s *world.Subnet, _ *world.Instance) { s.Reservations[0].CIDR = "10.0.2.0/26" }, `vpcs[0].subnets[0].reservations[0].cidr: "10.0.2.0/26" is not a part`},
		"a reservation larger than the subnet": {func(_ *world.VPC, s *world.Subnet, _ *world.Instance) {
			s.Reservations = s.Reservations[:1]
			s.Reservations[0].CIDR = "10.0.0.0/23"
		}, `vpcs[0].subnets[0].reservations[0].cidr: "10.0.0.0/23" is not a part`},
		"reservations that overlap":            {func(_ *world.VPC, s *world.Subnet, _ *world.Instance) { s.Reservations[1].CIDR = "10.0.1.96/28" }, `vpcs[0].subnets[0].reservations[1].cidr: "10.0.1.96/28" overlaps`},
		"a reservation for nobody":             {func(_ *world.VPC, s *world.Subnet, _ *world.Instance) { s.Reservations[1].Kind = "" }, `vpcs[0].subnets[0].reservations[1].kind: ""`},
		"addresses in use that are reserved":   {func(_ *world.VPC, s *world.Subnet, _ *world.Instance) { s.Used[0].Addresses = 236 }, "vpcs[0].subnets[0].used[0].addresses: 236 addresses do not fit"},
		"a type that is none":                  {func(_ *world.VPC, _ *world.Subnet, i *world.Instance) { i.Type = "m5.huge" }, `clusters[0].instances[0].type: "m5.huge"`},
		"more interfaces than the type has":    {func(_ *world.VPC, _ *world.Subnet, i *world.Instance) { i.Subnets = slices.Repeat(i.Subnets, 2) }, "clusters[0].instances[0].subnets: 4 interfaces"},
		"more addresses than an interface has": {func(_ *world.VPC, _ *world.Subnet, i *world.Instance) { i.Addresses, i.Prefixes = []int{8}, []int{2} }, "clusters[0].instances[0].addresses[0]: and prefixes are 10"},
		"fewer addresses than none":            {func(_ *world.VPC, _ *world.Subnet, i *world.Instance) { i.Prefixes = []int{-1} }, "clusters[0].instances[0].prefixes[0]: -1 is negative"},
		"addresses of no interface":            {func(_ *world.VPC, _ *world.Subnet, i *world.Instance) { i.Addresses = []int{0, 0, 1} }, "clusters[0].instances[0].addresses[2]: is of no interface"},
		"prefixes on a type that takes none":   {func(_ *world.VPC, _ *world.Subnet, i *world.Instance) { i.Type, i.Prefixes = "t2.medium", []int{1} }, "clusters[0].instances[0].prefixes[0]: is not for t2.medium"},
		"addresses in an IPv6-only subnet":     {func(v *world.VPC, _ *world.Subnet, _ *world.Instance) { v.Subnets[1].CIDR = "" }, `clusters[0].instances[0].addresses[1]: are for the IPv6-only "subnet-2"`},
		"more copies than there is room for":   {func(_ *world.VPC, _ *world.Subnet, i *world.Instance) { i.Copies = 100 }, "vpcs[0].subnets[1]: the instances hold 0 prefixes and 300 addresses at 0s"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := world.Spec{Start: noon, Hub: world.Hub{Account: hubAccount, Region: hubRegion}}
			shared(&spec)
			if err := spec.Validate(); err != nil {
				t.Fatal(err)
			}
			c.change(&spec.VPCs[0], &spec.VPCs[0].Subnets[0], &spec.Clusters[0].Instances[0])
			var found world.Mistakes
			errors.As(spec.Validate(), &found)
			if len(found) == 0 || !strings.HasPrefix(found[0].Field+": "+found[0].Text, c.want) || found[0].Hint == "" {
				t.Errorf("found %v; want %s", found, c.want)
			}
		})
	}
}

func TestInstancesOfCopiedClustersAreOnesOfTheirOwn(t *testing.T) {
	s := set(t, 1, func(s *world.Spec) {
		shared(s)
		s.Clusters[0].Copies, s.Clusters[0].Instances[0].Copies = 3, 2
	})
	s.at(0, func(ctx context.Context, c *world.Client) {
		seen := map[string]int{}
		for _, i := range ports(t, ctx, c) {
			seen[aws.ToString(i.Attachment.InstanceId)]++
		}
		want := map[string]int{"": 1, "i-2": 1, "i-1-1-1": 2, "i-1-1-2": 2, "i-1-2-1": 2, "i-1-2-2": 2, "i-1-3-1": 2, "i-1-3-2": 2}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Errorf("interfaces by instance (-want +got):\n%s", diff)
		}
	})
}

func TestAnInstancesArchitectureIsThatOfItsType(t *testing.T) {
	for name, want := range map[string]types.ArchitectureValues{
		"": "x86_64", "m7g.large": "arm64", "c7gn.large": "arm64", "p4d.24xlarge": "x86_64", "m6i.large": "x86_64",
	} {
		s := set(t, 1, func(s *world.Spec) {
			shared(s)
			for i := range s.Clusters {
				for j := range s.Clusters[i].Instances {
					s.Clusters[i].Instances[j].Type = name
				}
			}
		})
		s.at(0, func(ctx context.Context, c *world.Client) {
			out, err := c.DescribeInstances(ctx, &ec2.DescribeInstancesInput{})
			if err != nil {
				t.Fatal(err)
			}
			if got := out.Reservations[0].Instances[0].Architecture; got != want {
				t.Errorf("%q is %s; want %s", name, got, want)
			}
		})
	}
}
