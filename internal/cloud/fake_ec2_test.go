package cloud_test

import (
	"context"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// pass are those that all filters let through. What a filter may ask of one is by the filter's name.
func pass[T any](c client, all []T, filters []ec2types.Filter, have func(T) map[string][]string) []T {
	return slices.DeleteFunc(slices.Clone(all), func(v T) bool {
		return slices.ContainsFunc(filters, func(f ec2types.Filter) bool {
			values, known := have(v)[*f.Name]
			if tag := strings.HasPrefix(*f.Name, "tag:"); !known && !tag || len(f.Values) > 200 {
				c.t.Errorf("EC2 knows no filter %s with %d values here", *f.Name, len(f.Values))
			}
			return !slices.ContainsFunc(f.Values, func(pattern string) bool {
				return slices.ContainsFunc(values, func(value string) bool { ok, err := path.Match(pattern, value); return ok && err == nil })
			})
		})
	})
}

func (c client) DescribeInstances(ctx context.Context, in *ec2.DescribeInstancesInput, o ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error) {
	if err := c.record(ctx, "DescribeInstances", in, o); err != nil {
		return nil, err
	}
	numbered := make([]int, len(c.nodes))
	for i := range numbered {
		numbered[i] = i
	}
	var found []ec2types.Reservation
	for _, n := range pass(c, numbered, in.Filters, func(n int) map[string][]string {
		have := map[string][]string{"instance-state-name": {c.nodes[n].state}, "tag-key": nil}
		for key, value := range c.nodes[n].tags {
			have["tag-key"] = append(have["tag-key"], key)
			have["tag:"+key] = []string{value}
		}
		return have
	}) {
		i := ec2types.Instance{InstanceId: aws.String("i-" + strconv.Itoa(n)), SubnetId: &c.nodes[n].subnets[0]}
		for _, s := range c.nodes[n].subnets {
			i.NetworkInterfaces = append(i.NetworkInterfaces, ec2types.InstanceNetworkInterface{SubnetId: &s})
		}
		if c.detail != nil {
			c.detail(n, &i)
		}
		found = append(found, ec2types.Reservation{Instances: []ec2types.Instance{i}})
	}
	some, next := page(found, in.NextToken)
	return &ec2.DescribeInstancesOutput{Reservations: some, NextToken: next}, nil
}

func (c client) DescribeSubnets(ctx context.Context, in *ec2.DescribeSubnetsInput, o ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error) {
	if err := c.record(ctx, "DescribeSubnets", in, o); err != nil {
		return nil, err
	}
	some, next := page(pass(c, c.subnets, in.Filters, func(s ec2types.Subnet) map[string][]string {
		return map[string][]string{"vpc-id": {*s.VpcId}, "subnet-id": {*s.SubnetId}}
	}), in.NextToken)
	return &ec2.DescribeSubnetsOutput{Subnets: some, NextToken: next}, nil
}

func (c client) DescribeNetworkInterfaces(ctx context.Context, in *ec2.DescribeNetworkInterfacesInput, o ...func(*ec2.Options)) (*ec2.DescribeNetworkInterfacesOutput, error) {
	if err := c.record(ctx, "DescribeNetworkInterfaces", in, o); err != nil {
		return nil, err
	}
	some, next := page(pass(c, c.interfaces, in.Filters, func(n ec2types.NetworkInterface) map[string][]string {
		return map[string][]string{"subnet-id": {aws.ToString(n.SubnetId)}}
	}), in.NextToken)
	return &ec2.DescribeNetworkInterfacesOutput{NetworkInterfaces: some, NextToken: next}, nil
}

func (c client) GetSubnetCidrReservations(ctx context.Context, in *ec2.GetSubnetCidrReservationsInput, o ...func(*ec2.Options)) (*ec2.GetSubnetCidrReservationsOutput, error) {
	if err := c.record(ctx, "GetSubnetCidrReservations", in, o); err != nil {
		return nil, err
	}
	some, next := page(c.reservations[*in.SubnetId], in.NextToken)
	return &ec2.GetSubnetCidrReservationsOutput{SubnetIpv4CidrReservations: some, NextToken: next, SubnetIpv6CidrReservations: []ec2types.SubnetCidrReservation{
		{Cidr: aws.String("2001:db8::/80"), ReservationType: ec2types.SubnetCidrReservationTypePrefix}}}, nil
}

func (c client) DescribeVpcs(ctx context.Context, in *ec2.DescribeVpcsInput, o ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error) {
	if err := c.record(ctx, "DescribeVpcs", in, o); err != nil {
		return nil, err
	}
	some, next := page(pass(c, c.vpcs, in.Filters, func(v ec2types.Vpc) map[string][]string {
		return map[string][]string{"vpc-id": {*v.VpcId}}
	}), in.NextToken)
	return &ec2.DescribeVpcsOutput{Vpcs: some, NextToken: next}, nil
}

func (c client) DescribeVpcPeeringConnections(ctx context.Context, in *ec2.DescribeVpcPeeringConnectionsInput, o ...func(*ec2.Options)) (*ec2.DescribeVpcPeeringConnectionsOutput, error) {
	if err := c.record(ctx, "DescribeVpcPeeringConnections", in, o); err != nil {
		return nil, err
	}
	some, next := page(pass(c, c.peerings, in.Filters, func(p ec2types.VpcPeeringConnection) map[string][]string {
		return map[string][]string{"requester-vpc-info.vpc-id": {*p.RequesterVpcInfo.VpcId}, "accepter-vpc-info.vpc-id": {*p.AccepterVpcInfo.VpcId},
			"status-code": {string(p.Status.Code)}}
	}), in.NextToken)
	return &ec2.DescribeVpcPeeringConnectionsOutput{VpcPeeringConnections: some, NextToken: next}, nil
}

func (c client) DescribeRouteTables(ctx context.Context, in *ec2.DescribeRouteTablesInput, o ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error) {
	if err := c.record(ctx, "DescribeRouteTables", in, o); err != nil {
		return nil, err
	}
	some, next := page(pass(c, c.tables, in.Filters, func(t ec2types.RouteTable) map[string][]string {
		return map[string][]string{"vpc-id": {*t.VpcId}}
	}), in.NextToken)
	return &ec2.DescribeRouteTablesOutput{RouteTables: some, NextToken: next}, nil
}

func (c client) DescribeInstanceTypes(ctx context.Context, in *ec2.DescribeInstanceTypesInput, o ...func(*ec2.Options)) (*ec2.DescribeInstanceTypesOutput, error) {
	if err := c.record(ctx, "DescribeInstanceTypes", in, o); err != nil {
		return nil, err
	}
	some, next := page(pass(c, c.sizes, in.Filters, func(t ec2types.InstanceTypeInfo) map[string][]string {
		return map[string][]string{"instance-type": {string(t.InstanceType)}}
	}), in.NextToken)
	return &ec2.DescribeInstanceTypesOutput{InstanceTypes: some, NextToken: next}, nil
}
