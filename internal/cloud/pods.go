package cloud

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

// source is something whose subnets are pod subnets.
type source struct {
	by      string // as "node group ng-1"
	subnets []string
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
		return source{capacity.FargateBy + name, out.FargateProfile.Subnets}, nil
	}
}

func (l *look) readSubnets(ctx context.Context) ([]capacity.Subnet, *fault.Fault) {
	return l.describeSubnets(ctx, l.EC2, filter("vpc-id", vpc(l.cluster.Value)))
}

// vpc is the id of a cluster's VPC; empty: EKS names none.
func vpc(c *types.Cluster) string {
	if c == nil || c.ResourcesVpcConfig == nil {
		return ""
	}
	return aws.ToString(c.ResourcesVpcConfig.VpcId)
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
	case vpc(l.cluster.Value) == "":
		return hide(&fault.Fault{Kind: fault.Skip, Text: "EKS names no VPC of the cluster"})
	}
	return nil
}

// faults are those of several readings; nil each: it was read.
func faults[T any](rs []guard.Reading[T]) []*fault.Fault {
	all := make([]*fault.Fault, 0, len(rs))
	for _, r := range rs {
		all = append(all, r.Fault)
	}
	return all
}

// gravest is the fault to name of several: one of a missing permission before any other. Each of them leaves the set of
// pod subnets incomplete, and the fullest subnet might be the one that is missing. What was found counts all the same: a full
// subnet must not be hidden by a list that could not be read.
func gravest(faults []*fault.Fault) *fault.Fault {
	var first *fault.Fault
	for _, f := range faults {
		if f.Denied() {
			return f
		}
		first = cmp.Or(first, f)
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
	pods := capacity.Pods{Partly: gravest(append(l.lists(), faults(l.sources)...))}
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
			"none of the subnets %s is to be seen in the cluster's VPC %s with IPv4 addresses", strings.Join(slices.Sorted(maps.Keys(by)), ", "), vpc(l.cluster.Value))})
	}
	return guard.Read(pods)
}

// controlPlane are the subnets that EKS has for the control plane, as far as they are to be seen and have IPv4 addresses.
func (l *look) controlPlane() guard.Reading[[]capacity.Subnet] {
	if known := l.foregone(); known != nil {
		return guard.Hidden[[]capacity.Subnet](cmp.Or(known.Fault, &fault.Fault{Kind: fault.Skip, Text: known.Value.Exempt}))
	}
	var found []capacity.Subnet
	for _, s := range l.subnets.Value {
		if s.Usable() > 0 && slices.Contains(l.cluster.Value.ResourcesVpcConfig.SubnetIds, s.ID) {
			found = append(found, s)
		}
	}
	return guard.Reading[[]capacity.Subnet]{Value: found, Fault: l.subnets.Fault}
}

// found is by what each subnet was found.
func (l *look) found() map[string][]string {
	by := map[string][]string{}
	sources := make([]source, 0, len(l.sources)+len(l.tagged))
	for _, s := range l.sources {
		sources = append(sources, s.Value)
	}
	for _, t := range l.tagged {
		sources = append(sources, source{"instances", t.Value.subnets})
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
