package world

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// ranges are the VPC's IPv4 ranges, the primary first.
func (v *VPC) ranges() []string {
	if len(v.CIDRs) > 0 {
		return v.CIDRs
	}
	var all []string
	for _, s := range v.Subnets {
		if s.CIDR != "" && !slices.Contains(all, s.CIDR) {
			all = append(all, s.CIDR)
		}
	}
	return all
}

// describeVpcs finds VPCs by ids, or by filter. Participants may describe a shared one too (VPC user guide, "Responsibilities and
// permissions for owners and participants"). An id that does not exist, or that the account does not see, fails the whole call (EC2 API
// reference, "Error codes": InvalidVpcID.NotFound).
func (w *World) describeVpcs(c *Call, in *ec2.DescribeVpcsInput) (*ec2.DescribeVpcsOutput, error) {
	found := slices.Clone(w.network.vpcs[place{c.Account, c.Region}])
	for _, id := range in.VpcIds {
		if !slices.ContainsFunc(found, func(v *VPC) bool { return v.ID == id }) {
			return nil, modelled("ec2", "InvalidVpcID.NotFound", "The vpc ID '"+id+"' does not exist")
		}
	}
	found = slices.DeleteFunc(found, func(v *VPC) bool { return in.VpcIds != nil && !slices.Contains(in.VpcIds, v.ID) })
	page, next, err := vpcsOf(w, found, in.Filters, asked{in.NextToken, in.MaxResults, 1000})
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeVpcsOutput{NextToken: next}
	for _, v := range page {
		out.Vpcs = append(out.Vpcs, v.describe())
	}
	return out, nil
}

// vpcsOf are VPCs that a filter of vpc-id lets through, a page of them.
func vpcsOf(w *World, all []*VPC, filters []types.Filter, page asked) ([]*VPC, *string, error) {
	found, err := filtered(all, filters, map[string]func(*VPC) string{"vpc-id": func(v *VPC) string { return v.ID }})
	if err != nil {
		return nil, nil, err
	}
	return pageOf(w, found, page)
}

func (v *VPC) describe() types.Vpc {
	d := types.Vpc{VpcId: aws.String(v.ID), OwnerId: aws.String(v.Account), State: types.VpcStateAvailable, IsDefault: aws.Bool(false)}
	for n, r := range v.ranges() {
		if n == 0 {
			d.CidrBlock = aws.String(r)
		}
		d.CidrBlockAssociationSet = append(d.CidrBlockAssociationSet, types.VpcCidrBlockAssociation{
			AssociationId:  aws.String(fmt.Sprintf("vpc-cidr-assoc-%s-%d", v.ID, n)),
			CidrBlock:      aws.String(r),
			CidrBlockState: &types.VpcCidrBlockState{State: types.VpcCidrBlockStateCodeAssociated},
		})
	}
	return d
}

// describeRouteTables finds route tables by VPC: each has its main one, for all of its subnets. Participants may describe that of a shared
// VPC too (VPC user guide, "Responsibilities and permissions for owners and participants").
func (w *World) describeRouteTables(c *Call, in *ec2.DescribeRouteTablesInput) (*ec2.DescribeRouteTablesOutput, error) {
	if in.RouteTableIds != nil {
		return nil, modelled("ec2", "InvalidParameterCombination", "Route table IDs are not simulated.")
	}
	all := slices.Clone(w.network.vpcs[place{c.Account, c.Region}])
	page, next, err := vpcsOf(w, all, in.Filters, asked{in.NextToken, in.MaxResults, 100})
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeRouteTablesOutput{NextToken: next}
	for _, v := range page {
		out.RouteTables = append(out.RouteTables, v.routeTable())
	}
	return out, nil
}

// routeTable has a local route for each range of the VPC (VPC user guide, "Route table concepts"). The others lead to a transit gateway.
func (v *VPC) routeTable() types.RouteTable {
	id := "rtb-" + v.ID
	t := types.RouteTable{
		RouteTableId: aws.String(id), VpcId: aws.String(v.ID), OwnerId: aws.String(v.Account),
		Associations: []types.RouteTableAssociation{{Main: aws.Bool(true), RouteTableId: aws.String(id), RouteTableAssociationId: aws.String("rtbassoc-" + v.ID)}},
	}
	for _, r := range v.ranges() {
		t.Routes = append(t.Routes, types.Route{
			DestinationCidrBlock: aws.String(r), GatewayId: aws.String("local"), Origin: types.RouteOriginCreateRouteTable, State: types.RouteStateActive,
		})
	}
	for _, r := range v.Routes {
		t.Routes = append(t.Routes, types.Route{
			DestinationCidrBlock: aws.String(r), TransitGatewayId: aws.String("tgw-1"), Origin: types.RouteOriginCreateRoute, State: types.RouteStateActive,
		})
	}
	return t
}

// peering is an active VPC peering connection.
type peering struct {
	id                  string
	requester, accepter side
}

// side is a VPC of a peering connection.
type side struct {
	vpc string
	place
	ranges []string
}

func (w *World) openPeerings() {
	byID := map[string]*VPC{}
	for i := range w.spec.VPCs {
		byID[w.spec.VPCs[i].ID] = &w.spec.VPCs[i]
	}
	sideOf := func(v *VPC) side { return side{v.ID, place{v.Account, v.Region}, v.ranges()} }
	for i := range w.spec.VPCs {
		v := &w.spec.VPCs[i]
		for _, p := range v.Peers {
			other := side{p.VPC, place{cmp.Or(p.Account, v.Account), v.Region}, p.CIDRs}
			if known := byID[p.VPC]; known != nil {
				other = sideOf(known)
			}
			n := &w.network
			n.peerings = append(n.peerings, peering{fmt.Sprintf("pcx-%017x", len(n.peerings)+1), sideOf(v), other})
		}
	}
}

// describeVpcPeeringConnections finds those of which an account owns a side. Participants of a shared VPC see none: they are their owners'
// (VPC user guide, "Responsibilities and permissions for owners and participants").
func (w *World) describeVpcPeeringConnections(c *Call, in *ec2.DescribeVpcPeeringConnectionsInput) (*ec2.DescribeVpcPeeringConnectionsOutput, error) {
	if in.VpcPeeringConnectionIds != nil {
		return nil, modelled("ec2", "InvalidParameterCombination", "VPC peering connection IDs are not simulated.")
	}
	var all []peering
	for _, p := range w.network.peerings {
		if here := (place{c.Account, c.Region}); p.requester.place == here || p.accepter.place == here {
			all = append(all, p)
		}
	}
	found, err := filtered(all, in.Filters, map[string]func(peering) string{
		"requester-vpc-info.vpc-id": func(p peering) string { return p.requester.vpc },
		"accepter-vpc-info.vpc-id":  func(p peering) string { return p.accepter.vpc },
		"status-code":               func(peering) string { return string(types.VpcPeeringConnectionStateReasonCodeActive) },
	})
	if err != nil {
		return nil, err
	}
	page, next, err := pageOf(w, found, asked{in.NextToken, in.MaxResults, 1000})
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeVpcPeeringConnectionsOutput{NextToken: next}
	for _, p := range page {
		out.VpcPeeringConnections = append(out.VpcPeeringConnections, types.VpcPeeringConnection{
			VpcPeeringConnectionId: aws.String(p.id),
			RequesterVpcInfo:       p.requester.describe(),
			AccepterVpcInfo:        p.accepter.describe(),
			Status:                 &types.VpcPeeringConnectionStateReason{Code: types.VpcPeeringConnectionStateReasonCodeActive, Message: aws.String("Active")},
		})
	}
	return out, nil
}

func (s side) describe() *types.VpcPeeringConnectionVpcInfo {
	d := &types.VpcPeeringConnectionVpcInfo{VpcId: aws.String(s.vpc), OwnerId: aws.String(s.account), Region: aws.String(s.region)}
	for n, r := range s.ranges {
		if n == 0 {
			d.CidrBlock = aws.String(r)
		}
		d.CidrBlockSet = append(d.CidrBlockSet, types.CidrBlock{CidrBlock: aws.String(r)})
	}
	return d
}
