package world

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// instance is an instance with what a look-up needs.
type instance struct {
	*Instance
	account string
	tag     types.Tag
	vpc     string
	ports   []*port
}

// port is a network interface of an instance.
type port struct {
	of                  *instance
	subnet              *subnet
	id                  string
	device              int32 // its index; 0 is the primary interface
	addresses, prefixes int   // beside its own address
}

func (w *World) openInstances() {
	n, count := &w.network, 0
	for i := range w.spec.Clusters {
		c := &w.spec.Clusters[i]
		p := place{c.Account, c.Region}
		for j := range c.Instances {
			one := &instance{Instance: &c.Instances[j], account: c.Account, tag: tagOf(c.Name, c.Instances[j].TagKey), vpc: c.VPC}
			for k, id := range one.Subnets {
				count++
				s := n.subnets[id]
				one.ports = append(one.ports, &port{one, s, fmt.Sprintf("eni-%017x", count), int32(k), at(one.Addresses, k), at(one.Prefixes, k)})
				s.ports = append(s.ports, one.ports[k])
			}
			n.instances[p] = append(n.instances[p], one)
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

func (i *Instance) runs(at time.Duration) bool { return i.From <= at && (i.Until == 0 || at < i.Until) }

// describeInstances finds running instances by filters, a page at a time, each in a reservation of its own.
func (w *World) describeInstances(c *Call, in *ec2.DescribeInstancesInput) (*ec2.DescribeInstancesOutput, error) {
	if in.InstanceIds != nil {
		return nil, modelled("ec2", "InvalidParameterCombination", "Instance IDs are not simulated.")
	}
	now := w.since()
	var found []*instance
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
		found = slices.DeleteFunc(found, func(i *instance) bool { return !fits(i) })
	}
	page, next, err := pageOf(w, found, asked{in.NextToken, in.MaxResults, 1000})
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeInstancesOutput{NextToken: next}
	for _, i := range page {
		out.Reservations = append(out.Reservations, types.Reservation{Instances: []types.Instance{i.describe(now)}})
	}
	return out, nil
}

// instanceFilter is what a filter lets through: EC2 API reference, DescribeInstances.
func instanceFilter(f types.Filter) (func(*instance) bool, error) {
	switch name := aws.ToString(f.Name); {
	case name == "instance-state-name":
		return func(*instance) bool { return slices.Contains(f.Values, "running") }, nil
	case name == "vpc-id":
		return func(i *instance) bool { return slices.Contains(f.Values, i.vpc) }, nil
	case name == "tag-key":
		return func(i *instance) bool { return slices.Contains(f.Values, *i.tag.Key) }, nil
	case strings.HasPrefix(name, "tag:"):
		return func(i *instance) bool { return name == "tag:"+*i.tag.Key && slices.Contains(f.Values, *i.tag.Value) }, nil
	}
	return nil, badFilter(f)
}

// usualType is the type of instances whose type nobody gave.
const usualType = "m5.large"

func (i *instance) describe(now time.Duration) types.Instance {
	d := types.Instance{
		InstanceId:   aws.String(i.ID),
		InstanceType: types.InstanceType(cmp.Or(i.Type, usualType)),
		Architecture: architectureOf(cmp.Or(i.Type, usualType)),
		VpcId:        aws.String(i.vpc),
		State:        &types.InstanceState{Code: aws.Int32(16), Name: types.InstanceStateNameRunning},
		Tags:         []types.Tag{i.tag},
	}
	for _, p := range i.ports {
		d.NetworkInterfaces = append(d.NetworkInterfaces, p.inInstance(now))
	}
	if len(i.ports) > 0 {
		d.SubnetId, d.PrivateIpAddress = aws.String(i.ports[0].subnet.ID), d.NetworkInterfaces[0].PrivateIpAddress
	}
	return d
}

// inInstance is the interface as DescribeInstances shows it.
func (p *port) inInstance(now time.Duration) types.InstanceNetworkInterface {
	shown := networkInterface{p.subnet, p, 0}.describe(now)
	d := types.InstanceNetworkInterface{
		NetworkInterfaceId: shown.NetworkInterfaceId,
		SubnetId:           shown.SubnetId,
		VpcId:              shown.VpcId,
		OwnerId:            shown.OwnerId,
		Status:             shown.Status,
		InterfaceType:      aws.String(string(shown.InterfaceType)),
		Attachment:         &types.InstanceNetworkInterfaceAttachment{DeviceIndex: aws.Int32(p.device), NetworkCardIndex: aws.Int32(0), Status: types.AttachmentStatusAttached},
		PrivateIpAddress:   shown.PrivateIpAddress,
	}
	for _, a := range shown.PrivateIpAddresses {
		d.PrivateIpAddresses = append(d.PrivateIpAddresses, types.InstancePrivateIpAddress{Primary: a.Primary, PrivateIpAddress: a.PrivateIpAddress})
	}
	for _, one := range shown.Ipv4Prefixes {
		d.Ipv4Prefixes = append(d.Ipv4Prefixes, types.InstanceIpv4Prefix{Ipv4Prefix: one.Ipv4Prefix})
	}
	return d
}
