package cloud

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eks"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

// source is something whose subnets are pod subnets.
type source struct {
	by      string // as "node group ng-1"
	subnets []string
}

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

// instancesWith reads the subnets of all interfaces of the instances with a mark. With custom networking and enhanced subnet
// discovery the later interfaces, which pods use, are in other subnets than the first.
func (l *look) instancesWith(mark ec2types.Filter) func(context.Context) ([]string, *fault.Fault) {
	return func(ctx context.Context) ([]string, *fault.Fault) {
		found := map[string]bool{}
		for out, f := range pages(ctx, l.clock, "ec2:DescribeInstances", ec2.NewDescribeInstancesPaginator(l.EC2, &ec2.DescribeInstancesInput{
			Filters:    []ec2types.Filter{mark, filter("instance-state-name", "pending", "running", "stopping", "stopped")},
			MaxResults: aws.Int32(1000),
		})) {
			if f != nil {
				return nil, f
			}
			for _, r := range out.Reservations {
				for _, i := range r.Instances {
					note(found, i)
				}
			}
		}
		return slices.Sorted(maps.Keys(found)), nil
	}
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

// describeSources are the tasks that read the subnets of each node group and Fargate profile. One that was deleted since it was
// listed has none.
func (l *look) describeSources() []task {
	groups, profiles := l.groups.Value, l.profiles.Value
	l.sources = make([]guard.Reading[source], len(groups)+len(profiles))
	tasks := make([]task, 0, len(l.sources))
	for i, name := range groups {
		tasks = append(tasks, into(&l.sources[i], l.nodegroup(name)))
	}
	for i, name := range profiles {
		tasks = append(tasks, into(&l.sources[len(groups)+i], l.fargateProfile(name)))
	}
	return tasks
}

func (l *look) nodegroup(name string) func(context.Context) (source, *fault.Fault) {
	return func(ctx context.Context) (source, *fault.Fault) {
		const op = "eks:DescribeNodegroup"
		out, f := call(l.clock, op, l.EKS.DescribeNodegroup)(ctx, &eks.DescribeNodegroupInput{ClusterName: &l.id.Name, NodegroupName: &name})
		switch {
		case absent(f):
			return source{}, nil
		case f != nil:
			return source{}, f
		case out.Nodegroup == nil:
			return source{}, unanswered(op)
		}
		return source{"node group " + name, out.Nodegroup.Subnets}, nil
	}
}

func (l *look) fargateProfile(name string) func(context.Context) (source, *fault.Fault) {
	return func(ctx context.Context) (source, *fault.Fault) {
		const op = "eks:DescribeFargateProfile"
		out, f := call(l.clock, op, l.EKS.DescribeFargateProfile)(ctx,
			&eks.DescribeFargateProfileInput{ClusterName: &l.id.Name, FargateProfileName: &name})
		switch {
		case absent(f):
			return source{}, nil
		case f != nil:
			return source{}, f
		case out.FargateProfile == nil:
			return source{}, unanswered(op)
		}
		return source{"Fargate profile " + name, out.FargateProfile.Subnets}, nil
	}
}

func (l *look) readSubnets(ctx context.Context) ([]capacity.Subnet, *fault.Fault) {
	return l.describeSubnets(ctx, l.EC2, filter("vpc-id", l.vpc()))
}

func (l *look) vpc() string {
	if l.cluster.Value == nil || l.cluster.Value.ResourcesVpcConfig == nil {
		return ""
	}
	return aws.ToString(l.cluster.Value.ResourcesVpcConfig.VpcId)
}

// foregone is the reading that stands without looking at subnets: the pod subnets do not matter, or cannot be known. Nil: look.
func (l *look) foregone() *guard.Reading[capacity.Pods] {
	hide := func(f *fault.Fault) *guard.Reading[capacity.Pods] { return &guard.Reading[capacity.Pods]{Fault: f} }
	switch {
	case l.cluster.Fault != nil:
		return hide(l.cluster.Fault)
	case l.cluster.Value == nil:
		return hide(&fault.Fault{Kind: fault.Skip, Text: "there is no such cluster"})
	case isIPv6(l.cluster.Value):
		return &guard.Reading[capacity.Pods]{Value: capacity.Pods{
			Exempt: "IPv6 cluster: pods take addresses from a /80 prefix of each node, which does not run out"}}
	case l.vpc() == "":
		return hide(&fault.Fault{Kind: fault.Skip, Text: "EKS names no VPC of the cluster"})
	}
	return nil
}

func (l *look) lists() []guard.Reading[[]string] {
	return append([]guard.Reading[[]string]{l.groups, l.profiles}, l.tagged...)
}

// hosts is what runs the pods, as far as the lists tell.
func (l *look) hosts() guard.Reading[guard.Hosts] {
	if f := gravest(l.lists()); f != nil {
		return guard.Hidden[guard.Hosts](f)
	}
	return guard.Read(guard.Hosts{
		Nodegroups: len(l.groups.Value) > 0,
		Fargate:    len(l.profiles.Value) > 0,
		Instances:  slices.ContainsFunc(l.tagged, func(t guard.Reading[[]string]) bool { return len(t.Value) > 0 }),
	})
}

// gravest is the fault to name of several readings: one of a missing permission before any other. Each of them leaves the set of
// pod subnets incomplete, and the fullest subnet might be the one that is missing. What was found counts all the same: a full
// subnet must not be hidden by a list that could not be read.
func gravest[T any](rs []guard.Reading[T]) *fault.Fault {
	var first *fault.Fault
	for _, r := range rs {
		if r.Fault.Denied() {
			return r.Fault
		}
		first = cmp.Or(first, r.Fault)
	}
	return first
}

// pods joins what was found. The control plane's own subnets are never taken for pod subnets, nor is one without IPv4 addresses.
func (l *look) pods() guard.Reading[capacity.Pods] {
	if known := l.foregone(); known != nil {
		return *known
	}
	if l.subnets.Fault != nil {
		return guard.Hidden[capacity.Pods](l.subnets.Fault)
	}
	by := l.found()
	pods := capacity.Pods{Partly: cmp.Or(gravest(l.lists()), gravest(l.sources))}
	for _, s := range l.subnets.Value {
		switch {
		case s.Usable() == 0:
		case by[s.ID] == nil:
			pods.Rest = append(pods.Rest, s)
		default:
			s.By = by[s.ID]
			pods.Subnets = append(pods.Subnets, s)
		}
	}
	switch {
	case len(pods.Subnets) == 0 && pods.Partly != nil:
		return guard.Hidden[capacity.Pods](pods.Partly)
	case len(by) == 0:
		return guard.Hidden[capacity.Pods](&fault.Fault{Kind: fault.Skip,
			Text: "no node group, Fargate profile or tagged instance tells which subnets the pods use"})
	case len(pods.Subnets) == 0:
		return guard.Hidden[capacity.Pods](&fault.Fault{Kind: fault.Skip, Text: fmt.Sprintf(
			"none of the subnets %s is to be seen in the cluster's VPC %s with IPv4 addresses", strings.Join(slices.Sorted(maps.Keys(by)), ", "), l.vpc())})
	}
	return guard.Read(pods)
}

// found is by what each subnet was found.
func (l *look) found() map[string][]string {
	by := map[string][]string{}
	sources := make([]source, 0, len(l.sources)+len(l.tagged))
	for _, s := range l.sources {
		sources = append(sources, s.Value)
	}
	for _, t := range l.tagged {
		sources = append(sources, source{"instances", t.Value})
	}
	for _, s := range sources {
		for _, id := range s.subnets {
			if !slices.Contains(by[id], s.by) {
				by[id] = append(by[id], s.by)
			}
		}
	}
	return by
}
