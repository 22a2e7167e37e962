package cloud

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eks"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
)

// marks are the filters for the tags by which an instance is known to belong to a cluster: the one that the cloud provider
// asks for, that of managed node groups, and that of Auto Mode and Karpenter. Filters of one call are ANDed, hence three calls.
func marks(name string) []ec2types.Filter {
	return []ec2types.Filter{
		filter("tag-key", "kubernetes.io/cluster/"+name),
		filter("tag:eks:cluster-name", name),
		filter("tag:eks:eks-cluster-name", name),
	}
}

func filter(name string, values ...string) ec2types.Filter {
	return ec2types.Filter{Name: &name, Values: values}
}

func (l *look) listNodegroups(ctx context.Context) ([]string, *fault.Fault) {
	var names []string
	for out, f := range pages(ctx, l.clock, "eks:ListNodegroups",
		eks.NewListNodegroupsPaginator(l.EKS, &eks.ListNodegroupsInput{ClusterName: &l.id.Name})) {
		if f != nil {
			return nil, f
		}
		names = append(names, out.Nodegroups...)
	}
	return names, nil
}

func (l *look) listFargateProfiles(ctx context.Context) ([]string, *fault.Fault) {
	var names []string
	for out, f := range pages(ctx, l.clock, "eks:ListFargateProfiles",
		eks.NewListFargateProfilesPaginator(l.EKS, &eks.ListFargateProfilesInput{ClusterName: &l.id.Name})) {
		if f != nil {
			return nil, f
		}
		names = append(names, out.FargateProfileNames...)
	}
	return names, nil
}

// tagged is what the instances with one mark tell.
type tagged struct {
	subnets []string
	nodes   map[string]capacity.Nodes // one each, by the instance's id
	archs   []string                  // of the instances, as EKS names them, some often
}

// instancesWith reads the subnets of all interfaces of the instances with a mark, and what they hold. With custom networking and enhanced
// subnet discovery the later interfaces, which pods use, are in other subnets than the first.
func (l *look) instancesWith(mark ec2types.Filter) func(context.Context) (tagged, *fault.Fault) {
	return func(ctx context.Context) (tagged, *fault.Fault) {
		found, nodes := map[string]bool{}, map[string]capacity.Nodes{}
		var archs []string
		for out, f := range pages(ctx, l.clock, "ec2:DescribeInstances", ec2.NewDescribeInstancesPaginator(l.EC2, &ec2.DescribeInstancesInput{
			Filters:    []ec2types.Filter{mark, filter("instance-state-name", "pending", "running", "stopping", "stopped")},
			MaxResults: aws.Int32(1000),
		})) {
			if f != nil {
				return tagged{}, f
			}
			for _, r := range out.Reservations {
				for _, i := range r.Instances {
					note(found, i)
					nodes[aws.ToString(i.InstanceId)] = node(i)
					archs = append(archs, architecture(i))
				}
			}
		}
		return tagged{slices.Sorted(maps.Keys(found)), nodes, archs}, nil
	}
}

// architecture is an instance's, as EKS names that of an add-on's images; empty: EC2 says none that EKS has nodes of.
func architecture(i ec2types.Instance) string {
	switch i.Architecture {
	case ec2types.ArchitectureValuesX8664:
		return "amd64"
	case ec2types.ArchitectureValuesArm64:
		return "arm64"
	}
	return ""
}

func note(found map[string]bool, i ec2types.Instance) {
	if i.SubnetId != nil {
		found[*i.SubnetId] = true
	}
	for _, n := range i.NetworkInterfaces {
		if n.SubnetId != nil {
			found[*n.SubnetId] = true
		}
	}
}

// node is what an instance holds.
func node(i ec2types.Instance) capacity.Nodes {
	n := capacity.Nodes{Type: plain.Clean(string(i.InstanceType), plain.Text), Count: 1, Interfaces: len(i.NetworkInterfaces)}
	for _, each := range i.NetworkInterfaces {
		n.Addresses += max(0, len(each.PrivateIpAddresses)-1)
		n.Prefixes += len(each.Ipv4Prefixes)
	}
	return n
}

// nodes counts the instances that hold the same, in the order of their types and what they hold.
func (l *look) nodes() []capacity.Nodes {
	each, alike := map[string]capacity.Nodes{}, map[capacity.Nodes]int{}
	for _, t := range l.tagged {
		maps.Copy(each, t.Value.nodes) // an instance may have several marks
	}
	for _, n := range each {
		alike[n]++
	}
	var all []capacity.Nodes
	for n, count := range alike {
		n.Count = count
		all = append(all, n)
	}
	slices.SortFunc(all, func(a, b capacity.Nodes) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Interfaces, b.Interfaces),
			cmp.Compare(a.Addresses, b.Addresses), cmp.Compare(a.Prefixes, b.Prefixes))
	})
	return all
}

// lists are the faults of what lists the cluster's hosts; nil each: it was read.
func (l *look) lists() []*fault.Fault {
	return append(faults(l.tagged), l.groups.Fault, l.profiles.Fault)
}

// hosts is what runs the pods, as far as the lists tell.
func (l *look) hosts() guard.Reading[guard.Hosts] {
	if f := gravest(l.lists()); f != nil {
		return guard.Hidden[guard.Hosts](f)
	}
	var archs []string
	for _, t := range l.tagged {
		archs = append(archs, t.Value.archs...)
	}
	return guard.Read(guard.Hosts{
		Nodegroups: len(l.groups.Value) > 0,
		Fargate:    len(l.profiles.Value) > 0,
		Instances:  slices.ContainsFunc(l.tagged, func(t guard.Reading[tagged]) bool { return len(t.Value.nodes) > 0 }),
		Nodes:      l.nodes(),

		Architectures: architectures(archs),
	})
}
