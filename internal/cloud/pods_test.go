package cloud_test

import (
	gocmp "cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/fault"
)

func TestPodSubnetsSayByWhatTheyWereFound(t *testing.T) {
	owned := map[string]string{"kubernetes.io/cluster/prod": "owned"}
	for name, c := range map[string]struct {
		change func(*fake)
		want   map[string][]string
	}{
		"node groups on several pages": {
			func(f *fake) {
				f.groups = map[string][]string{"a": {"subnet-a"}, "b": {"subnet-b"}, "c": {"subnet-c", "subnet-a"}}
			},
			map[string][]string{"subnet-a": {"node group a", "node group c"}, "subnet-b": {"node group b"}, "subnet-c": {"node group c"}},
		},
		"Fargate profiles on several pages": {
			func(f *fake) {
				f.groups = nil
				f.profiles = map[string][]string{"a": {"subnet-a"}, "b": {"subnet-b"}, "c": {"subnet-c"}}
			},
			map[string][]string{"subnet-a": {"Fargate profile a"}, "subnet-b": {"Fargate profile b"}, "subnet-c": {"Fargate profile c"}},
		},
		"the later interfaces of instances, which pods use with custom networking": {
			func(f *fake) { f.groups, f.nodes = nil, []node{{owned, "running", []string{"subnet-a", "subnet-c"}}} },
			map[string][]string{"subnet-a": {"instances"}, "subnet-c": {"instances"}},
		},
		"instances on several pages, with any of the tags and in any state that keeps addresses": {
			func(f *fake) {
				f.groups = nil
				f.nodes = []node{
					{owned, "running", []string{"subnet-a"}},
					{owned, "stopped", []string{"subnet-a"}},
					{owned, "pending", []string{"subnet-control"}},
					{map[string]string{"eks:cluster-name": "prod"}, "stopping", []string{"subnet-b"}},
					{map[string]string{"eks:eks-cluster-name": "prod"}, "running", []string{"subnet-c"}},
				}
			},
			map[string][]string{"subnet-a": {"instances"}, "subnet-b": {"instances"}, "subnet-c": {"instances"}, "subnet-control": {"instances"}},
		},
		"instances of other clusters and those that are no more do not count": {
			func(f *fake) {
				f.nodes = []node{
					{map[string]string{"kubernetes.io/cluster/test": "owned", "eks:cluster-name": "test"}, "running", []string{"subnet-c"}},
					{map[string]string{"eks:eks-cluster-name": "prod2"}, "running", []string{"subnet-c"}},
					{owned, "terminated", []string{"subnet-c"}},
				}
			},
			map[string][]string{"subnet-a": {"node group ng-1"}, "subnet-b": {"node group ng-1"}},
		},
		"a subnet that several found": {
			func(f *fake) {
				f.groups, f.profiles = map[string][]string{"ng-1": {"subnet-a"}}, map[string][]string{"fp": {"subnet-a"}}
				f.nodes = []node{{owned, "running", []string{"subnet-a"}}, {map[string]string{"eks:cluster-name": "prod"}, "running", []string{"subnet-a"}}}
			},
			map[string][]string{"subnet-a": {"node group ng-1", "Fargate profile fp", "instances"}},
		},
		"a node group that was deleted since it was listed": {
			func(f *fake) {
				f.groups, f.vanishes = map[string][]string{"ng-1": {"subnet-a"}, "old": {"subnet-b"}}, "old"
			},
			map[string][]string{"subnet-a": {"node group ng-1"}},
		},
		"a Fargate profile that was deleted since it was listed": {
			func(f *fake) { f.profiles, f.vanishes = map[string][]string{"old": {"subnet-c"}}, "old" },
			map[string][]string{"subnet-a": {"node group ng-1"}, "subnet-b": {"node group ng-1"}},
		},
		"a subnet without IPv4 addresses": {
			func(f *fake) {
				s := subnet("subnet-b", 0)
				s.CidrBlock = nil
				f.subnets = []ec2types.Subnet{subnet("subnet-a", 20), s}
			},
			map[string][]string{"subnet-a": {"node group ng-1"}},
		},
		"subnets of another VPC": {
			func(f *fake) {
				s := subnet("subnet-b", 1)
				s.VpcId = aws.String("vpc-2")
				f.subnets = []ec2types.Subnet{subnet("subnet-a", 20), s}
			},
			map[string][]string{"subnet-a": {"node group ng-1"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := healthy(t)
			c.change(f)
			pods := f.cloud().Observe(t.Context(), prod).Pods
			if pods.Fault != nil {
				t.Fatal(pods.Fault)
			}
			got := map[string][]string{}
			for _, s := range pods.Value.Subnets {
				got[s.ID] = s.By
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if pods.Value.Exempt != "" {
				t.Errorf("exempt: %s", pods.Value.Exempt)
			}
		})
	}
}

func TestPodSubnetsThatCannotBeKnown(t *testing.T) {
	denied := func(op string) fault.Fault {
		return fault.Fault{Kind: fault.Terminal, Op: op, Code: "AccessDenied", Need: op, Text: "because"}
	}
	for name, c := range map[string]struct {
		change func(*fake)
		want   fault.Fault
	}{
		"node groups may not be listed":      {fails("ListNodegroups", "AccessDenied"), denied("eks:ListNodegroups")},
		"node groups may not be described":   {fails("DescribeNodegroup", "AccessDenied"), denied("eks:DescribeNodegroup")},
		"Fargate profiles may not be listed": {fails("ListFargateProfiles", "AccessDenied"), denied("eks:ListFargateProfiles")},
		"instances may not be described":     {fails("DescribeInstances", "AccessDenied"), denied("ec2:DescribeInstances")},
		"subnets may not be described":       {fails("DescribeSubnets", "AccessDenied"), denied("ec2:DescribeSubnets")},
		"a Fargate profile may not be described": {func(f *fake) {
			f.profiles = map[string][]string{"fp": {"subnet-c"}}
			fails("DescribeFargateProfile", "AccessDenied")(f)
		}, denied("eks:DescribeFargateProfile")},
		"a throttle hides them as well": {fails("ListNodegroups", "ThrottlingException"),
			fault.Fault{Kind: fault.Retry, Op: "eks:ListNodegroups", Code: "ThrottlingException", Text: "because"}},
		"a missing permission is named before a throttle": {func(f *fake) {
			fails("ListNodegroups", "ThrottlingException")(f)
			fails("DescribeInstances", "AccessDenied")(f)
		}, denied("ec2:DescribeInstances")},
		"nothing tells which they are, and the control plane's are not taken": {func(f *fake) { f.groups = nil },
			fault.Fault{Kind: fault.Skip, Text: "no node group, Fargate profile or tagged instance tells which subnets the pods use"}},
		"none of those found is in the VPC": {func(f *fake) { f.groups = map[string][]string{"ng-1": {"subnet-y", "subnet-x"}} },
			fault.Fault{Kind: fault.Skip, Text: "none of the subnets subnet-x, subnet-y is to be seen in the cluster's VPC vpc-1 with IPv4 addresses"}},
		"none of those found has IPv4 addresses": {func(f *fake) {
			s := subnet("subnet-b", 0)
			s.CidrBlock = nil
			f.groups, f.subnets = map[string][]string{"ng-1": {"subnet-b"}}, []ec2types.Subnet{s}
		}, fault.Fault{Kind: fault.Skip, Text: "none of the subnets subnet-b is to be seen in the cluster's VPC vpc-1 with IPv4 addresses"}},
		"EKS names no VPC": {func(f *fake) { f.cluster.ResourcesVpcConfig = nil },
			fault.Fault{Kind: fault.Skip, Text: "EKS names no VPC of the cluster"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := healthy(t)
			c.change(f)
			pods := f.cloud().Observe(t.Context(), prod).Pods
			got := gocmp.Or(pods.Fault, pods.Value.Partly)
			if diff := cmp.Diff(&c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if (pods.Fault != nil) != (len(pods.Value.Subnets) == 0) {
				t.Errorf("fault %v with subnets %v", pods.Fault, pods.Value.Subnets)
			}
		})
	}
}

func fails(op, with string) func(*fake) { return func(f *fake) { f.fails[op] = code(with) } }

func TestAnIPv6ClusterIsExemptAndItsSubnetsAreNotRead(t *testing.T) {
	f := healthy(t)
	f.cluster.KubernetesNetworkConfig = &types.KubernetesNetworkConfigResponse{IpFamily: types.IpFamilyIpv6}
	f.fails["DescribeInstances"] = code("AccessDenied")
	seen := f.cloud().Observe(t.Context(), prod)
	if seen.Pods.Fault != nil || seen.Pods.Value.Exempt == "" {
		t.Errorf("pods %+v, cluster %+v", seen.Pods, seen.Cluster.Value)
	}
	if n := len(f.calls["DescribeSubnets"]) + len(f.calls["DescribeNodegroup"]); n != 0 {
		t.Errorf("%d calls for subnets that do not matter", n)
	}
	if len(seen.Catalogue.Value) != 2 {
		t.Errorf("the catalogue is needed all the same; got %+v", seen.Catalogue)
	}
}

func TestNodeGroupsAreReadEightSideBySide(t *testing.T) {
	f := healthy(t)
	f.groups = map[string][]string{}
	for i := range 17 {
		f.groups[fmt.Sprint("ng-", i)] = []string{"subnet-a"}
	}
	f.versions, f.subnets = nil, []ec2types.Subnet{subnet("subnet-a", 1)}
	f.cloud().Observe(t.Context(), prod)
	// The list has nine pages; then come 8, 8 and 1 descriptions.
	if waited := f.clock.Now().Sub(start); waited != (9+3)*time.Second {
		t.Errorf("waited for %d calls; want 12", waited/time.Second)
	}
}

func TestOnlyTheVPCsSubnetsAreAskedFor(t *testing.T) {
	f := healthy(t)
	f.cloud().Observe(t.Context(), prod)
	for _, in := range sent[*ec2.DescribeSubnetsInput](f, "DescribeSubnets") {
		if len(in.Filters) != 1 || *in.Filters[0].Name != "vpc-id" || !slices.Equal(in.Filters[0].Values, []string{"vpc-1"}) {
			t.Errorf("filters %+v", in.Filters)
		}
	}
	if n := len(f.calls["DescribeSubnets"]); n != 2 {
		t.Errorf("%d calls; want one for each of two pages", n)
	}
}

func TestSubnetsHaveTheirOwnerAndTheTagsOfTheCNIAlone(t *testing.T) {
	f := healthy(t)
	shared := subnet("subnet-a", 20)
	shared.OwnerId = aws.String("999900001111")
	for key, value := range map[string]string{"Name": "secret", "kubernetes.io/role/cni": "1\n\x1b", "kubernetes.io/role/cni2": "1", "kubernetes.io/role/elb": "1",
		"cni.networking.k8s.aws/cluster/prod": "shared", "cni.networking.k8s.aws/cluster": ""} {
		shared.Tags = append(shared.Tags, ec2types.Tag{Key: &key, Value: &value})
	}
	f.subnets = []ec2types.Subnet{shared, subnet("subnet-b", 30)}
	pods := f.cloud().Observe(t.Context(), prod).Pods.Value.Subnets
	want := []capacity.Subnet{
		{ID: "subnet-a", CIDR: "10.0.0.0/24", Zone: "eu-central-1a", Free: 20, By: []string{"node group ng-1"}, Owner: "999900001111",
			Tags: map[string]string{"kubernetes.io/role/cni": "1", "cni.networking.k8s.aws/cluster/prod": "shared"}},
		{ID: "subnet-b", CIDR: "10.0.0.0/24", Zone: "eu-central-1a", Free: 30, By: []string{"node group ng-1"}},
	}
	if diff := cmp.Diff(want, pods); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestTheControlPlanesSubnetsAreApart(t *testing.T) {
	v6 := subnet("subnet-6", 0)
	v6.CidrBlock = nil
	for name, c := range map[string]struct {
		change func(*fake)
		want   []string
		fault  fault.Kind // 0: none
	}{
		"those that EKS names":                  {func(*fake) {}, []string{"subnet-a", "subnet-control"}, 0},
		"also where no pod subnet is found":     {func(f *fake) { f.groups = nil }, []string{"subnet-a", "subnet-control"}, 0},
		"one that is gone is not to be seen":    {func(f *fake) { f.subnets = f.subnets[:1] }, []string{"subnet-control"}, 0},
		"one without IPv4 is left out":          {func(f *fake) { f.subnets = []ec2types.Subnet{v6} }, nil, 0},
		"what cannot be read is hidden":         {fails("DescribeSubnets", "AccessDenied"), nil, fault.Terminal},
		"so are those of an unreadable cluster": {fails("DescribeCluster", "ThrottlingException"), nil, fault.Retry},
		"of an IPv6 cluster none is read": {func(f *fake) {
			f.cluster.KubernetesNetworkConfig = &types.KubernetesNetworkConfigResponse{IpFamily: types.IpFamilyIpv6}
		}, nil, fault.Skip},
	} {
		t.Run(name, func(t *testing.T) {
			f := healthy(t)
			f.cluster.ResourcesVpcConfig.SubnetIds = []string{"subnet-control", "subnet-gone", "subnet-a", "subnet-6"}
			c.change(f)
			got := f.cloud().Observe(t.Context(), prod).ControlPlane
			var ids []string
			for _, s := range got.Value {
				ids = append(ids, s.ID)
			}
			if !slices.Equal(ids, c.want) || (got.Fault == nil) != (c.fault == 0) || got.Fault != nil && got.Fault.Kind != c.fault {
				t.Errorf("%q, fault %v", ids, got.Fault)
			}
		})
	}
}
