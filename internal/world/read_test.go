package world_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cniguard/cniguard/internal/world"
)

var cluster1, vpcCNI = aws.String("prod"), aws.String("vpc-cni")

func TestReadingACluster(t *testing.T) {
	s := set(t, 1, with(func(s *world.Spec) { s.Clusters[0].AutoMode, s.Clusters[0].IPv6 = true, true }))
	s.at(time.Minute, func(ctx context.Context, c *world.Client) {
		got, err := c.DescribeCluster(ctx, &eks.DescribeClusterInput{Name: cluster1})
		if err != nil {
			t.Fatal(err)
		}
		want := &types.Cluster{
			Name: cluster1, Arn: aws.String("arn:aws:eks:eu-central-1:111122223333:cluster/prod"), Status: types.ClusterStatusActive,
			Version: aws.String("1.21"), PlatformVersion: aws.String("eks.1"), CreatedAt: aws.Time(noon), Tags: map[string]string{"team": "shop"},
			Endpoint:     aws.String("https://902745A2743A8479CE985EDE3047D853.gr7.eu-central-1.eks.amazonaws.com"),
			AccessConfig: &types.AccessConfigResponse{AuthenticationMode: types.AuthenticationModeApiAndConfigMap},
			ResourcesVpcConfig: &types.VpcConfigResponse{VpcId: aws.String("vpc-1"), SubnetIds: []string{"subnet-a", "subnet-b"},
				EndpointPublicAccess: true, PublicAccessCidrs: []string{"0.0.0.0/0"}},
			ComputeConfig: &types.ComputeConfigResponse{Enabled: aws.Bool(true)},
			KubernetesNetworkConfig: &types.KubernetesNetworkConfigResponse{
				IpFamily: types.IpFamilyIpv6, ElasticLoadBalancing: &types.ElasticLoadBalancing{Enabled: aws.Bool(true)}},
		}
		ignore := cmpopts.IgnoreUnexported(types.Cluster{}, types.VpcConfigResponse{}, types.ComputeConfigResponse{}, types.KubernetesNetworkConfigResponse{}, types.ElasticLoadBalancing{},
			types.AccessConfigResponse{}, types.Certificate{})
		want.CertificateAuthority = got.Cluster.CertificateAuthority // see TestEKSTellsHowAClustersOwnAPIIsReached
		if diff := cmp.Diff(want, got.Cluster, ignore); diff != "" {
			t.Errorf("DescribeCluster differs (-want +got):\n%s", diff)
		}
		a := addonOf(t, ctx, c)
		if prefix := "arn:aws:eks:eu-central-1:111122223333:addon/prod/vpc-cni/"; !strings.HasPrefix(*a.AddonArn, prefix) {
			t.Errorf("the add-on's ARN is %s; want %sUUID", *a.AddonArn, prefix)
		}
		n, err := c.DescribeNodegroup(ctx, &eks.DescribeNodegroupInput{ClusterName: cluster1, NodegroupName: aws.String("ng-2")})
		if err != nil || !slices.Equal(n.Nodegroup.Subnets, []string{"subnet-b"}) {
			t.Errorf("DescribeNodegroup gave %v, %v", n, err)
		}
		f, err := c.DescribeFargateProfile(ctx, &eks.DescribeFargateProfileInput{ClusterName: cluster1, FargateProfileName: aws.String("fp-1")})
		if err != nil || !slices.Equal(f.FargateProfile.Subnets, []string{"subnet-b"}) {
			t.Errorf("DescribeFargateProfile gave %v, %v", f, err)
		}
	})
}

// Fact 2.2/not-found.
func TestWhatIsNotThereIsNotFound(t *testing.T) {
	s := set(t, 1, with(func(s *world.Spec) { s.Clusters[0].Addon = nil }))
	other := aws.String("other")
	s.at(0, func(ctx context.Context, c *world.Client) {
		_, cluster := c.DescribeCluster(ctx, &eks.DescribeClusterInput{Name: other})
		_, addon := c.DescribeAddon(ctx, &eks.DescribeAddonInput{ClusterName: cluster1, AddonName: vpcCNI})
		_, groups := c.ListNodegroups(ctx, &eks.ListNodegroupsInput{ClusterName: other})
		_, group := c.DescribeNodegroup(ctx, &eks.DescribeNodegroupInput{ClusterName: cluster1, NodegroupName: other})
		_, profile := c.DescribeFargateProfile(ctx, &eks.DescribeFargateProfileInput{ClusterName: cluster1, FargateProfileName: other})
		_, updates := c.ListUpdates(ctx, &eks.ListUpdatesInput{Name: cluster1, AddonName: vpcCNI})
		_, elsewhere := s.Client(caller, hubAccount, "eu-west-1").DescribeCluster(ctx, &eks.DescribeClusterInput{Name: cluster1})
		_, foreign := s.Client(caller, "444455556666", hubRegion).DescribeCluster(ctx, &eks.DescribeClusterInput{Name: cluster1})
		for what, err := range map[string]error{"cluster": cluster, "add-on": addon, "node groups": groups, "node group": group, "profile": profile,
			"updates": updates, "a cluster in another region": elsewhere, "a cluster in another account": foreign} {
			if code(err) != "404 ResourceNotFoundException" {
				t.Errorf("%s: %s; want 404 ResourceNotFoundException", what, code(err))
			}
		}
	})
}

// all reads every page with next, and says how large they were.
func all[T any](t *testing.T, next func(token *string) ([]T, *string, error)) (items []T, sizes []int) {
	for token := (*string)(nil); ; {
		page, more, err := next(token)
		if err != nil {
			t.Error(err)
			return items, sizes
		}
		items, sizes = append(items, page...), append(sizes, len(page))
		if token = more; token == nil {
			return items, sizes
		}
	}
}

// crowded has five of everything.
func crowded(s *world.Spec) {
	house(s)
	c := &s.Clusters[0]
	c.Nodegroups, c.FargateProfiles, s.VPCs[0].Subnets = nil, nil, nil
	c.ControlPlane = nil
	for i := range 5 {
		id := fmt.Sprint("subnet-", i)
		s.VPCs[0].Subnets = append(s.VPCs[0].Subnets, world.Subnet{ID: id, CIDR: fmt.Sprintf("10.0.%d.0/24", i)})
		c.Nodegroups = append(c.Nodegroups, world.Nodegroup{Name: fmt.Sprint("ng-", i)})
		c.FargateProfiles = append(c.FargateProfiles, world.FargateProfile{Name: fmt.Sprint("fp-", i)})
		c.Instances = append(c.Instances, world.Instance{ID: fmt.Sprint("i-", i), Subnets: []string{id}})
	}
	for i := range 4 {
		other := world.Cluster{Name: fmt.Sprint("c-", 4-i), Account: hubAccount, Region: hubRegion, Kubernetes: "1.21"}
		s.Clusters = append(s.Clusters, other)
	}
	s.Behaviour.PageSize = 2
}

// Fact 2.5/pages.
func TestEverythingIsPaged(t *testing.T) {
	s := set(t, 1, crowded)
	five := aws.Int32(5)
	s.at(0, func(ctx context.Context, c *world.Client) {
		tests := map[string]func(token *string) ([]string, *string, error){
			"c-1 c-2 c-3 c-4 prod": func(token *string) ([]string, *string, error) {
				out, err := c.ListClusters(ctx, &eks.ListClustersInput{NextToken: token, MaxResults: five})
				return out.Clusters, out.NextToken, err
			},
			"ng-0 ng-1 ng-2 ng-3 ng-4": func(token *string) ([]string, *string, error) {
				out, err := c.ListNodegroups(ctx, &eks.ListNodegroupsInput{ClusterName: cluster1, NextToken: token})
				return out.Nodegroups, out.NextToken, err
			},
			"fp-0 fp-1 fp-2 fp-3 fp-4": func(token *string) ([]string, *string, error) {
				out, err := c.ListFargateProfiles(ctx, &eks.ListFargateProfilesInput{ClusterName: cluster1, NextToken: token})
				return out.FargateProfileNames, out.NextToken, err
			},
			"v1.11.4-eksbuild.1 v1.10.4-eksbuild.1 v1.10.0-eksbuild.1 v1.9.0-eksbuild.1 v1.8.0-eksbuild.1": func(token *string) ([]string, *string, error) {
				out, err := c.DescribeAddonVersions(ctx, &eks.DescribeAddonVersionsInput{AddonName: vpcCNI, KubernetesVersion: aws.String("1.21"), NextToken: token})
				var names []string
				for _, v := range out.Addons[0].AddonVersions {
					names = append(names, *v.AddonVersion)
				}
				return names, out.NextToken, err
			},
			"subnet-0 subnet-1 subnet-2 subnet-3 subnet-4": func(token *string) ([]string, *string, error) {
				out, err := c.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{NextToken: token, Filters: []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{"vpc-1"}}}})
				var names []string
				for _, v := range out.Subnets {
					names = append(names, *v.SubnetId)
				}
				return names, out.NextToken, err
			},
			"i-0 i-1 i-2 i-3 i-4": func(token *string) ([]string, *string, error) {
				out, err := c.DescribeInstances(ctx, &ec2.DescribeInstancesInput{NextToken: token})
				var names []string
				for _, v := range out.Reservations {
					names = append(names, *v.Instances[0].InstanceId)
				}
				return names, out.NextToken, err
			},
		}
		for want, next := range tests {
			items, sizes := all(t, next)
			if got := strings.Join(items, " "); got != want || !slices.Equal(sizes, []int{2, 2, 1}) {
				t.Errorf("read %q in pages of %v; want %q in pages of 2, 2, 1", got, sizes, want)
			}
		}
		if _, err := c.ListClusters(ctx, &eks.ListClustersInput{NextToken: aws.String("else")}); code(err) != "400 InvalidParameterException" {
			t.Errorf("a token that is none gave %s", code(err))
		}
	})
}

// Fact 2.5/empty.
func TestTheCatalogue(t *testing.T) {
	s := set(t, 1, with(func(s *world.Spec) {
		s.Catalogues["1.22"] = []world.Catalogue{{Version: "v1.12.0-eksbuild.1", Compatible: true}, {Version: "v1.11.4-eksbuild.1", Compatible: true, Default: true}}
	}))
	list := func(ctx context.Context, c *world.Client, in *eks.DescribeAddonVersionsInput) string {
		out, err := c.DescribeAddonVersions(ctx, in)
		if err != nil {
			return err.Error()
		}
		var parts []string
		for _, a := range out.Addons {
			for _, v := range a.AddonVersions {
				part := strings.TrimSuffix(*v.AddonVersion, "-eksbuild.1")
				for _, k := range v.Compatibilities {
					part += "/" + *k.ClusterVersion
					if k.DefaultVersion {
						part += "!"
					}
				}
				parts = append(parts, part)
			}
		}
		return strings.Join(parts, " ")
	}
	tests := map[string]struct {
		in   eks.DescribeAddonVersionsInput
		want string
	}{
		"facts 2.5: versions that cannot be installed are listed with no compatibility": {
			eks.DescribeAddonVersionsInput{AddonName: vpcCNI, KubernetesVersion: aws.String("1.21")},
			"v1.11.4/1.21 v1.10.4/1.21! v1.10.0/1.21 v1.9.0/1.21 v1.8.0"},
		"without a Kubernetes version all are listed": {
			eks.DescribeAddonVersionsInput{},
			"v1.11.4/1.21/1.22! v1.10.4/1.21! v1.10.0/1.21 v1.9.0/1.21 v1.8.0 v1.12.0/1.22"},
		"an unknown Kubernetes version has none": {eks.DescribeAddonVersionsInput{KubernetesVersion: aws.String("1.99")}, ""},
		"another add-on has none":                {eks.DescribeAddonVersionsInput{AddonName: aws.String("coredns")}, ""},
	}
	s.at(0, func(ctx context.Context, c *world.Client) {
		for name, test := range tests {
			if got := list(ctx, c, &test.in); got != test.want {
				t.Errorf("%s: listed %q; want %q", name, got, test.want)
			}
		}
	})
}

func TestSubnets(t *testing.T) {
	hour := time.Hour
	s := set(t, 1, with(func(s *world.Spec) {
		s.VPCs[0].Shared = []string{"444455556666"}
		s.VPCs[0].Subnets = append(s.VPCs[0].Subnets,
			world.Subnet{ID: "subnet-ramp", CIDR: "10.0.3.0/28", Tags: map[string]string{"b": "2", "a": "1"}, Used: []world.Point{{At: hour, Addresses: 1}, {At: 3 * hour, Addresses: 11}, {At: 4 * hour, Addresses: 0}}},
			world.Subnet{ID: "subnet-6"}, world.Subnet{ID: "subnet-gone", CIDR: "10.0.4.0/28", DeletedAt: hour})
	}))
	look := func(ctx context.Context, c *world.Client, ids ...string) string {
		out, err := c.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: ids})
		if err != nil {
			return code(err)
		}
		var parts []string
		for _, n := range out.Subnets {
			part := fmt.Sprint(*n.SubnetId, " ", aws.ToString(n.CidrBlock), " ", *n.AvailableIpAddressCount, " ", *n.Ipv6Native)
			for _, tag := range n.Tags {
				part += " " + *tag.Key + *tag.Value
			}
			parts = append(parts, part)
		}
		return strings.Join(parts, ", ")
	}
	for at, want := range map[time.Duration]string{
		0: "10", hour: "10", 2 * hour: "5", 3 * hour: "0", 3*hour + 30*time.Minute: "5", 9 * hour: "11",
	} {
		s.plan(at, func(ctx context.Context, c *world.Client) {
			if got := look(ctx, c, "subnet-ramp"); got != "subnet-ramp 10.0.3.0/28 "+want+" false a1 b2" {
				t.Errorf("at %s: %s; want %s free", at, got, want)
			}
			if free, ok := s.SubnetFree("subnet-ramp"); fmt.Sprint(free) != want || !ok {
				t.Errorf("at %s: truly %d free; want %s", at, free, want)
			}
		})
	}
	s.plan(2*hour, func(ctx context.Context, c *world.Client) {
		if got := look(ctx, c, "subnet-6"); got != "subnet-6  0 true" {
			t.Errorf("facts 4.3: an IPv6-only subnet is %q", got)
		}
		for _, id := range []string{"subnet-gone", "subnet-else"} {
			if got := look(ctx, c, "subnet-a", id); got != "400 InvalidSubnetID.NotFound" {
				t.Errorf("one unknown id of two gave %s", got)
			}
		}
		guest := s.Client(caller, "444455556666", hubRegion)
		if got := look(ctx, guest, "subnet-ramp"); got != "subnet-ramp 10.0.3.0/28 5 false" {
			t.Errorf("facts 9: a participant of a shared VPC sees %q; want no tags", got)
		}
		stranger := s.Client(caller, "777788889999", hubRegion)
		if got := look(ctx, stranger, "subnet-ramp"); got != "400 InvalidSubnetID.NotFound" {
			t.Errorf("another account sees %q", got)
		}
		_, err := c.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{Filters: []ec2types.Filter{{Name: aws.String("vpc")}}})
		if code(err) != "400 InvalidParameterValue" {
			t.Errorf("an unknown filter gave %s", code(err))
		}
	})
	s.until(10 * hour)
}

func TestInstances(t *testing.T) {
	s := set(t, 1, with(func(s *world.Spec) {
		s.Clusters[0].Instances = []world.Instance{
			{ID: "i-1", Subnets: []string{"subnet-a", "subnet-b"}},
			{ID: "i-2", Subnets: []string{"subnet-b"}, TagKey: "eks:cluster-name"},
			{ID: "i-3", Subnets: []string{"subnet-b"}, TagKey: "eks:eks-cluster-name", From: time.Hour, Until: 2 * time.Hour},
		}
	}))
	filter := func(name string, values ...string) ec2types.Filter {
		return ec2types.Filter{Name: &name, Values: values}
	}
	tests := []struct {
		at      time.Duration
		filters []ec2types.Filter
		want    string
	}{
		{0, nil, "i-1 i-2"},
		{time.Hour, nil, "i-1 i-2 i-3"},
		{2 * time.Hour, nil, "i-1 i-2"},
		{0, []ec2types.Filter{filter("tag-key", "kubernetes.io/cluster/prod", "x"), filter("instance-state-name", "pending", "running")}, "i-1"},
		{0, []ec2types.Filter{filter("tag:eks:cluster-name", "prod")}, "i-2"},
		{0, []ec2types.Filter{filter("tag:eks:cluster-name", "other")}, ""},
		{0, []ec2types.Filter{filter("instance-state-name", "stopped")}, ""},
		{time.Hour, []ec2types.Filter{filter("tag-key", "eks:eks-cluster-name"), filter("vpc-id", "vpc-1")}, "i-3"},
		{0, []ec2types.Filter{filter("vpc-id", "vpc-2")}, ""},
		{0, []ec2types.Filter{filter("tag-kye", "x")}, "400 InvalidParameterValue"},
	}
	for _, test := range tests {
		s.plan(test.at, func(ctx context.Context, c *world.Client) {
			got := ""
			out, err := c.DescribeInstances(ctx, &ec2.DescribeInstancesInput{Filters: test.filters})
			if err != nil {
				got = code(err)
			} else {
				for _, r := range out.Reservations {
					got += " " + *r.Instances[0].InstanceId
				}
			}
			if got = strings.TrimSpace(got); got != test.want {
				t.Errorf("at %s with %d filters: %q; want %q", test.at, len(test.filters), got, test.want)
			}
		})
	}
	s.at(0, func(ctx context.Context, c *world.Client) {
		out, err := c.DescribeInstances(ctx, &ec2.DescribeInstancesInput{MaxResults: aws.Int32(5)})
		if err != nil {
			t.Fatal(err)
		}
		var subnets []string
		for _, n := range out.Reservations[0].Instances[0].NetworkInterfaces {
			subnets = append(subnets, *n.SubnetId)
		}
		if !slices.Equal(subnets, []string{"subnet-a", "subnet-b"}) {
			t.Errorf("the interfaces are in %v", subnets)
		}
	})
	s.until(3 * time.Hour)
}
