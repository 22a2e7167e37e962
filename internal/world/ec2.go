package world

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/cniguard/cniguard/internal/cluster"
)

func ec2Calls() map[string]handler {
	return map[string]handler{
		"DescribeSubnets":   on((*World).describeSubnets),
		"DescribeInstances": on((*World).describeInstances),
	}
}

// place is one account in one region.
type place struct{ account, region string }

// subnet is a subnet with what a look-up needs.
type subnet struct {
	*Subnet
	vpc *VPC
}

// network is the subnets, and the instances of the clusters, of every account that sees them.
type network struct {
	subnets   map[string]subnet // by id
	in        map[place][]subnet
	instances map[place][]instance
}

type instance struct {
	*Instance
	tag types.Tag
	vpc string
}

func (w *World) openNetwork() {
	n := &w.network
	n.subnets, n.in, n.instances = map[string]subnet{}, map[place][]subnet{}, map[place][]instance{}
	for i := range w.spec.VPCs {
		vpc := &w.spec.VPCs[i]
		for j := range vpc.Subnets {
			s := subnet{&vpc.Subnets[j], vpc}
			n.subnets[s.ID] = s
			for _, account := range append([]string{vpc.Account}, vpc.Shared...) {
				p := place{account, vpc.Region}
				n.in[p] = append(n.in[p], s)
			}
		}
	}
	for i := range w.spec.Clusters {
		c := &w.spec.Clusters[i]
		p := place{c.Account, c.Region}
		for j := range c.Instances {
			n.instances[p] = append(n.instances[p], instance{&c.Instances[j], tagOf(c.Name, c.Instances[j].TagKey), c.VPC})
		}
	}
}

// tagOf is the tag that names an instance's cluster: facts-eks-vpc-cni 9.
func tagOf(name, key string) types.Tag {
	if own := "kubernetes.io/cluster/" + name; key == "" || key == own {
		return types.Tag{Key: aws.String(own), Value: aws.String("owned")}
	}
	return types.Tag{Key: aws.String(key), Value: aws.String(name)}
}

// SubnetFree is how many IPv4 addresses are free in a subnet now; false: there is no such subnet, or it has none at all.
func (w *World) SubnetFree(id string) (int, bool) {
	s, ok := w.network.subnets[id]
	if !ok || !s.exists(w.since()) || s.CIDR == "" {
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

// free is the number of unused addresses at a time.
func (s *Subnet) free(at time.Duration) int {
	return min(max(0, s.usable()-used(s.Used, at)), s.usable())
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
	var found []subnet
	for _, s := range w.network.in[place{c.Account, c.Region}] {
		if s.exists(w.since()) && (in.SubnetIds == nil || slices.Contains(in.SubnetIds, s.ID)) {
			found = append(found, s)
		}
	}
	for _, id := range in.SubnetIds {
		if !slices.ContainsFunc(found, func(s subnet) bool { return s.ID == id }) {
			return nil, modelled("ec2", "InvalidSubnetID.NotFound", "The subnet ID '"+id+"' does not exist")
		}
	}
	for _, f := range in.Filters {
		key := func(s subnet) string { return s.vpc.ID }
		switch aws.ToString(f.Name) {
		case "vpc-id":
		case "subnet-id":
			key = func(s subnet) string { return s.ID }
		default:
			return nil, badFilter(f)
		}
		found = slices.DeleteFunc(found, func(s subnet) bool { return !slices.Contains(f.Values, key(s)) })
	}
	from, until, next, err := w.page(len(found), in.NextToken, in.MaxResults, 1000)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeSubnetsOutput{NextToken: next, Subnets: make([]types.Subnet, 0, until-from)}
	for _, s := range found[from:until] {
		out.Subnets = append(out.Subnets, s.describe(c.Account, w.since()))
	}
	return out, nil
}

func badFilter(f types.Filter) error {
	return modelled("ec2", "InvalidParameterValue", "The filter '"+aws.ToString(f.Name)+"' is invalid")
}

// describe is what an account sees of a subnet. A participant of a shared VPC does not see the owner's tags: facts-eks-vpc-cni 9.
func (s subnet) describe(account string, at time.Duration) types.Subnet {
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

func (i *Instance) runs(at time.Duration) bool { return i.From <= at && (i.Until == 0 || at < i.Until) }

// describeInstances finds running instances by filters, a page at a time, each in a reservation of its own.
func (w *World) describeInstances(c *Call, in *ec2.DescribeInstancesInput) (*ec2.DescribeInstancesOutput, error) {
	if in.InstanceIds != nil {
		return nil, modelled("ec2", "InvalidParameterCombination", "Instance IDs are not simulated.")
	}
	now := w.since()
	var found []instance
	for _, i := range w.network.instances[place{c.Account, c.Region}] {
		if i.runs(now) {
			found = append(found, i)
		}
	}
	for _, f := range in.Filters {
		fits, err := instanceFilter(f)
		if err != nil {
			return nil, err
		}
		found = slices.DeleteFunc(found, func(i instance) bool { return !fits(i) })
	}
	from, until, next, err := w.page(len(found), in.NextToken, in.MaxResults, 1000)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeInstancesOutput{NextToken: next}
	for _, i := range found[from:until] {
		out.Reservations = append(out.Reservations, types.Reservation{Instances: []types.Instance{i.describe()}})
	}
	return out, nil
}

// instanceFilter is what a filter lets through: EC2 API reference, DescribeInstances.
func instanceFilter(f types.Filter) (func(instance) bool, error) {
	switch name := aws.ToString(f.Name); {
	case name == "instance-state-name":
		return func(instance) bool { return slices.Contains(f.Values, "running") }, nil
	case name == "vpc-id":
		return func(i instance) bool { return slices.Contains(f.Values, i.vpc) }, nil
	case name == "tag-key":
		return func(i instance) bool { return slices.Contains(f.Values, *i.tag.Key) }, nil
	case strings.HasPrefix(name, "tag:"):
		return func(i instance) bool { return name == "tag:"+*i.tag.Key && slices.Contains(f.Values, *i.tag.Value) }, nil
	}
	return nil, badFilter(f)
}

func (i instance) describe() types.Instance {
	d := types.Instance{
		InstanceId: aws.String(i.ID),
		VpcId:      aws.String(i.vpc),
		State:      &types.InstanceState{Code: aws.Int32(16), Name: types.InstanceStateNameRunning},
		Tags:       []types.Tag{i.tag},
	}
	for n, id := range i.Subnets {
		d.NetworkInterfaces = append(d.NetworkInterfaces, types.InstanceNetworkInterface{
			NetworkInterfaceId: aws.String(fmt.Sprintf("eni-%s-%d", i.ID, n)),
			SubnetId:           aws.String(id),
			VpcId:              aws.String(i.vpc),
		})
		if n == 0 {
			d.SubnetId = aws.String(id)
		}
	}
	return d
}
