package cloud

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
)

// Network reads what says what helps a cluster in a VPC: the instance types of its nodes with the other sizes of their families, and the
// ranges that are taken there, as the unit's account sees them. A range that cannot be read is named; only types that cannot be read are a
// fault.
func (c *Cloud) Network(ctx context.Context, u event.Unit, vpc string, types []string) guard.Reading[*guard.Network] {
	r := surveyor{c.clock, c.at(access.Observer, u.Account, u.Region).EC2, u.Account, vpc}
	parts := []struct {
		what string
		read func(context.Context) ([]string, *fault.Fault)
	}{
		{"the ranges of " + vpc, r.ranges},
		{"the peers that " + vpc + " asked", r.peers("requester-vpc-info.vpc-id")},
		{"the peers that asked " + vpc, r.peers("accepter-vpc-info.vpc-id")},
		{"the routes of " + vpc, r.routes},
	}
	var sizes guard.Reading[[]capacity.InstanceType]
	tasks := []task{into(&sizes, func(ctx context.Context) ([]capacity.InstanceType, *fault.Fault) { return r.sizes(ctx, types) })}
	taken := make([]guard.Reading[[]string], len(parts))
	for i, p := range parts {
		tasks = append(tasks, into(&taken[i], p.read))
	}
	_ = c.clock.Parallel(ctx, tasks...)
	if sizes.Fault != nil {
		return guard.Hidden[*guard.Network](sizes.Fault)
	}
	n := &guard.Network{VPC: vpc, Types: sizes.Value}
	for i, p := range parts {
		take(n, p.what, taken[i])
	}
	slices.SortFunc(n.Taken, func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
	})
	n.Taken = slices.Compact(n.Taken)
	return guard.Read(n)
}

// take notes what was read of the ranges that are taken. What is no range stands for some that are not to be seen.
func take(n *guard.Network, what string, seen guard.Reading[[]string]) {
	if seen.Fault != nil {
		n.Unread = append(n.Unread, fmt.Sprintf("%s (%s)", what, cmp.Or(seen.Fault.Code, "no answer")))
	}
	slices.Sort(seen.Value)
	for _, text := range slices.Compact(seen.Value) {
		if p, ok := ipv4(text); ok {
			n.Taken = append(n.Taken, p)
		} else {
			n.Unread = append(n.Unread, what+": "+plain.Clean(text, plain.Text))
		}
	}
}

// surveyor reads the surroundings of one VPC.
type surveyor struct {
	clock        clock.Clock
	ec2          EC2
	account, vpc string
}

// unseen is the fault of a list of what every VPC has at least one of.
func unseen(op string) *fault.Fault {
	return &fault.Fault{Kind: fault.Skip, Op: op, Code: "not seen", Text: "the account does not see any"}
}

// ranges are the VPC's own. A block that was not added, or was taken away, is none; one on the way is. Of a VPC of another account, its peers
// are only for that one to see (VPC user guide, "Responsibilities and permissions for owners and participants").
func (s surveyor) ranges(ctx context.Context) (ranges []string, _ *fault.Fault) {
	const op = "ec2:DescribeVpcs"
	in := &ec2.DescribeVpcsInput{Filters: []ec2types.Filter{filter("vpc-id", s.vpc)}}
	for out, f := range pages(ctx, s.clock, op, ec2.NewDescribeVpcsPaginator(s.ec2, in)) {
		if f != nil {
			return nil, f
		}
		for _, v := range out.Vpcs {
			for _, b := range v.CidrBlockAssociationSet {
				if b.CidrBlockState == nil || b.CidrBlockState.State != ec2types.VpcCidrBlockStateCodeFailed &&
					b.CidrBlockState.State != ec2types.VpcCidrBlockStateCodeDisassociated {
					ranges = append(ranges, aws.ToString(b.CidrBlock))
				}
			}
			if owner := aws.ToString(v.OwnerId); len(ranges) > 0 && owner != s.account {
				ranges = append(ranges, "those of its peers, which only its owner "+owner+" sees")
			}
		}
	}
	if len(ranges) == 0 {
		return nil, unseen(op)
	}
	return ranges, nil
}

// peers reads the ranges of the other VPCs of the peering connections in which this one is on a side. Those of a VPC that was asked are not
// to be seen before its owner accepts (boto3 #326).
func (s surveyor) peers(side string) func(context.Context) ([]string, *fault.Fault) {
	return func(ctx context.Context) (ranges []string, _ *fault.Fault) {
		in := &ec2.DescribeVpcPeeringConnectionsInput{Filters: []ec2types.Filter{
			filter(side, s.vpc), filter("status-code", "active", "provisioning", "pending-acceptance"),
		}}
		for out, f := range pages(ctx, s.clock, "ec2:DescribeVpcPeeringConnections", ec2.NewDescribeVpcPeeringConnectionsPaginator(s.ec2, in)) {
			if f != nil {
				return nil, f
			}
			for _, p := range out.VpcPeeringConnections {
				ranges = append(ranges, s.other(p)...)
			}
		}
		return ranges, nil
	}
}

// other are the ranges of the other side of a peering connection, or its name where they are not to be seen.
func (s surveyor) other(p ec2types.VpcPeeringConnection) (ranges []string) {
	for _, side := range []*ec2types.VpcPeeringConnectionVpcInfo{p.RequesterVpcInfo, p.AccepterVpcInfo} {
		if side == nil || aws.ToString(side.VpcId) == s.vpc {
			continue
		}
		for _, b := range side.CidrBlockSet {
			ranges = append(ranges, aws.ToString(b.CidrBlock))
		}
	}
	if len(ranges) == 0 {
		return []string{aws.ToString(p.VpcPeeringConnectionId)}
	}
	return ranges
}

// routes are the IPv4 destinations in the VPC's route tables, also of those that lead nowhere now. What a prefix list holds is not read.
func (s surveyor) routes(ctx context.Context) (ranges []string, _ *fault.Fault) {
	const op = "ec2:DescribeRouteTables"
	in := &ec2.DescribeRouteTablesInput{Filters: []ec2types.Filter{filter("vpc-id", s.vpc)}}
	for out, f := range pages(ctx, s.clock, op, ec2.NewDescribeRouteTablesPaginator(s.ec2, in)) {
		if f != nil {
			return nil, f
		}
		for _, t := range out.RouteTables {
			for _, r := range t.Routes {
				if to := cmp.Or(aws.ToString(r.DestinationCidrBlock), aws.ToString(r.DestinationPrefixListId)); to != "" {
					ranges = append(ranges, to)
				}
			}
		}
	}
	if len(ranges) == 0 {
		return nil, unseen(op)
	}
	return ranges, nil
}

// sizes are the instance types of the families of some, ordered by name.
func (s surveyor) sizes(ctx context.Context, types []string) ([]capacity.InstanceType, *fault.Fault) {
	var patterns []string
	for _, t := range types {
		if family, _, ok := strings.Cut(t, "."); ok {
			patterns = append(patterns, family+".*")
		}
	}
	if len(patterns) == 0 {
		return nil, nil
	}
	slices.Sort(patterns)
	var sizes []capacity.InstanceType
	in := &ec2.DescribeInstanceTypesInput{Filters: []ec2types.Filter{filter("instance-type", slices.Compact(patterns)...)}}
	for out, f := range pages(ctx, s.clock, "ec2:DescribeInstanceTypes", ec2.NewDescribeInstanceTypesPaginator(s.ec2, in)) {
		if f != nil {
			return nil, f
		}
		for _, t := range out.InstanceTypes {
			sizes = append(sizes, size(t))
		}
	}
	slices.SortFunc(sizes, func(a, b capacity.InstanceType) int { return cmp.Compare(a.Name, b.Name) })
	return sizes, nil
}

// size is what EC2 says of an instance type. Of the network cards the default one counts.
func size(t ec2types.InstanceTypeInfo) capacity.InstanceType {
	s := capacity.InstanceType{
		Name:  plain.Clean(string(t.InstanceType), plain.Text),
		Nitro: t.Hypervisor == ec2types.InstanceTypeHypervisorNitro || aws.ToBool(t.BareMetal),
	}
	if t.VCpuInfo != nil {
		s.VCPUs = int(aws.ToInt32(t.VCpuInfo.DefaultVCpus))
	}
	n := t.NetworkInfo
	if n == nil {
		return s
	}
	s.Interfaces, s.Addresses = int(aws.ToInt32(n.MaximumNetworkInterfaces)), int(aws.ToInt32(n.Ipv4AddressesPerInterface))
	for _, card := range n.NetworkCards {
		if aws.ToInt32(card.NetworkCardIndex) == aws.ToInt32(n.DefaultNetworkCardIndex) {
			s.Interfaces = int(aws.ToInt32(card.MaximumNetworkInterfaces))
		}
	}
	return s
}
