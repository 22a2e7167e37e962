package world

import (
	"net/netip"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/cniguard/cniguard/internal/cluster"
)

func ec2Calls() map[string]handler {
	return map[string]handler{
		"DescribeSubnets":               on((*World).describeSubnets),
		"GetSubnetCidrReservations":     on((*World).getSubnetCidrReservations),
		"DescribeInstances":             on((*World).describeInstances),
		"DescribeInstanceTypes":         on((*World).describeInstanceTypes),
		"DescribeNetworkInterfaces":     on((*World).describeNetworkInterfaces),
		"DescribeVpcs":                  on((*World).describeVpcs),
		"DescribeVpcPeeringConnections": on((*World).describeVpcPeeringConnections),
		"DescribeRouteTables":           on((*World).describeRouteTables),
	}
}

// place is one account in one region.
type place struct{ account, region string }

// subnet is a subnet with what a look-up needs.
type subnet struct {
	*Subnet
	vpc    *VPC
	number int // among all of the world
	base   int // its first address

	ports    []*port   // the interfaces of instances, whenever they run
	held     []holding // what these hold, in the order of time
	singles  int       // addresses that may be used one by one: neither AWS's nor in a reservation
	reserved int       // blocks in reservations for prefixes
	laid     *layout   // the last that was asked for
}

// network is what is in EC2 for every account that sees it.
type network struct {
	subnets   map[string]*subnet // by id
	in        map[place][]*subnet
	vpcs      map[place][]*VPC
	instances map[place][]*instance
	peerings  []peering
}

func (w *World) openNetwork() {
	w.network = network{subnets: map[string]*subnet{}, in: map[place][]*subnet{}, vpcs: map[place][]*VPC{}, instances: map[place][]*instance{}}
	n, held := &w.network, w.spec.holdings()
	for i := range w.spec.VPCs {
		vpc := &w.spec.VPCs[i]
		accounts := append([]string{vpc.Account}, vpc.Shared...)
		for _, account := range accounts {
			p := place{account, vpc.Region}
			n.vpcs[p] = append(n.vpcs[p], vpc)
		}
		for j := range vpc.Subnets {
			s := &subnet{Subnet: &vpc.Subnets[j], vpc: vpc, number: len(n.subnets) + 1}
			s.held = held[s.ID]
			s.measure()
			n.subnets[s.ID] = s
			for _, account := range accounts {
				p := place{account, vpc.Region}
				n.in[p] = append(n.in[p], s)
			}
		}
	}
	w.openInstances()
	w.openPeerings()
}

// measure counts what may be used, which only reservations make more than an easy sum.
func (s *subnet) measure() {
	if r, err := netip.ParsePrefix(s.CIDR); err == nil {
		s.base, s.singles = number(r.Addr()), s.usable()
	}
	if len(s.Reservations) > 0 {
		p := s.plot()
		blocks, _ := p.blocks()
		s.singles, s.reserved = p.count(""), len(blocks)
	}
}

// SubnetFree is how many IPv4 addresses are free in a subnet now; false: there is no such subnet, or it has none at all.
func (w *World) SubnetFree(id string) (int, bool) {
	s := w.network.subnets[id]
	if s == nil || !s.exists(w.since()) || s.CIDR == "" {
		return 0, false
	}
	return s.free(w.since()), true
}

func (s *Subnet) exists(at time.Duration) bool { return s.DeletedAt == 0 || at < s.DeletedAt }

// usable is the number of addresses of a subnet less the five that AWS keeps (VPC user guide, "Subnet sizing").
func (s *Subnet) usable() int {
	p, err := netip.ParsePrefix(s.CIDR)
	if err != nil {
		return 0
	}
	return 1<<(32-p.Bits()) - 5
}

func used(points []Point, at time.Duration) int {
	after, _ := slices.BinarySearchFunc(points, at, func(p Point, at time.Duration) int { return int(min(max(p.At-at, -1), 1)) })
	switch {
	case len(points) == 0:
		return 0
	case after == 0:
		return points[0].Addresses
	case after == len(points):
		return points[after-1].Addresses
	}
	a, b := points[after-1], points[after]
	share := float64(at-a.At) / float64(b.At-a.At)
	return a.Addresses + int(share*float64(b.Addresses-a.Addresses))
}

// describeSubnets finds subnets by ids, or by filters of VPC or id. An id that does not exist, or that the account does not see, fails the
// whole call (EC2 API reference, "Error codes": InvalidSubnetID.NotFound).
func (w *World) describeSubnets(c *Call, in *ec2.DescribeSubnetsInput) (*ec2.DescribeSubnetsOutput, error) {
	now := w.since()
	var found []*subnet
	for _, s := range w.network.in[place{c.Account, c.Region}] {
		if s.exists(now) && (in.SubnetIds == nil || slices.Contains(in.SubnetIds, s.ID)) {
			found = append(found, s)
		}
	}
	for _, id := range in.SubnetIds {
		if !slices.ContainsFunc(found, func(s *subnet) bool { return s.ID == id }) {
			return nil, modelled("ec2", "InvalidSubnetID.NotFound", "The subnet ID '"+id+"' does not exist")
		}
	}
	found, err := filtered(found, in.Filters, map[string]func(*subnet) string{
		"vpc-id":    func(s *subnet) string { return s.vpc.ID },
		"subnet-id": func(s *subnet) string { return s.ID },
	})
	if err != nil {
		return nil, err
	}
	page, next, err := pageOf(w, found, asked{in.NextToken, in.MaxResults, 1000})
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeSubnetsOutput{NextToken: next, Subnets: make([]types.Subnet, 0, len(page))}
	for _, s := range page {
		out.Subnets = append(out.Subnets, s.describe(c.Account, now))
	}
	return out, nil
}

// describe is what an account sees of a subnet. A participant of a shared VPC does not see the owner's tags: facts-eks-vpc-cni 9.
func (s *subnet) describe(account string, at time.Duration) types.Subnet {
	d := types.Subnet{
		SubnetId:         aws.String(s.ID),
		SubnetArn:        aws.String("arn:" + cluster.PartitionOf(s.vpc.Region).Name + ":ec2:" + s.vpc.Region + ":" + s.vpc.Account + ":subnet/" + s.ID),
		VpcId:            aws.String(s.vpc.ID),
		OwnerId:          aws.String(s.vpc.Account),
		AvailabilityZone: aws.String(s.Zone),
		State:            types.SubnetStateAvailable,
		Ipv6Native:       aws.Bool(s.CIDR == ""),
	}
	d.AvailableIpAddressCount = aws.Int32(0)
	if s.CIDR != "" {
		d.CidrBlock, d.AvailableIpAddressCount = aws.String(s.CIDR), aws.Int32(int32(s.free(at)))
	}
	if account == s.vpc.Account {
		for _, k := range sorted(s.Tags) {
			d.Tags = append(d.Tags, types.Tag{Key: aws.String(k), Value: aws.String(s.Tags[k])})
		}
	}
	return d
}
