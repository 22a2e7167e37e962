package cloud_test

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/cloud"
	"github.com/cniguard/cniguard/internal/cluster"
)

var (
	_ check.Observer = (*cloud.Cloud)(nil)
	_ check.Actor    = (*cloud.Cloud)(nil)
	_ check.Gauge    = (*cloud.Cloud)(nil)

	_ cloud.EKS        = (*eks.Client)(nil)
	_ cloud.EC2        = (*ec2.Client)(nil)
	_ cloud.CloudWatch = (*cloudwatch.Client)(nil)
	_ cloud.CloudTrail = (*cloudtrail.Client)(nil)
)

var prod = cluster.ID{Account: "111122223333", Region: "eu-central-1", Name: "prod"}

var start = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)

// ticks is a clock on which one AWS call takes one second and what runs side by side takes as long as its slowest, so that the
// time that passed is the number of calls that had to be waited for.
type ticks struct{ now time.Time }

func (c *ticks) Now() time.Time                                 { return c.now }
func (c *ticks) Sleep(_ context.Context, d time.Duration) error { c.now = c.now.Add(d); return nil }
func (c *ticks) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithDeadline(ctx, c.now.Add(d))
}

func (c *ticks) Parallel(ctx context.Context, fns ...func(context.Context) error) error {
	began, last := c.now, c.now
	for _, f := range fns {
		c.now = began
		if err := f(ctx); err != nil {
			return err
		}
		if c.now.After(last) {
			last = c.now
		}
	}
	c.now = last
	return nil
}

// node is an instance with its tags, and the subnets of its interfaces.
type node struct {
	tags    map[string]string
	state   string
	subnets []string
}

// fake is AWS in one account and region: it pages, two things a page, and filters as the services do, and remembers who asked for what.
type fake struct {
	t     *testing.T
	clock clock.Clock

	cluster  *types.Cluster
	addon    *types.Addon
	versions []types.AddonVersionInfo
	schemas  map[string]string // of configuration values, by version
	groups   map[string][]string
	profiles map[string][]string
	nodes    []node
	subnets  []ec2types.Subnet
	alarms   []cwtypes.MetricAlarm
	history  []cwtypes.MetricDataResult // a page each
	updates  []types.Update
	clusters []string
	fails    map[string]error // by operation
	passes   map[string]int   // by operation: how many calls pass before one fails
	vanishes string           // a node group or Fargate profile that is deleted after it was listed

	detail       func(n int, i *ec2types.Instance) // says more of the n-th node; nil: there is no more
	interfaces   []ec2types.NetworkInterface
	reservations map[string][]ec2types.SubnetCidrReservation // by subnet
	vpcs         []ec2types.Vpc
	peerings     []ec2types.VpcPeeringConnection
	tables       []ec2types.RouteTable
	sizes        []ec2types.InstanceTypeInfo
	metrics      []cwtypes.Metric
	trail        []trailtypes.Event // the latest first

	mu     sync.Mutex
	opened []string
	calls  map[string][]call
	order  []string // of the operations
}

// call is what was sent, and by whom.
type call struct {
	role access.Role
	in   any
	opts any
}

func missing(what string) error {
	return &types.ResourceNotFoundException{Message: aws.String("no " + what)}
}

func code(c string) error { return &smithy.GenericAPIError{Code: c, Message: "because"} }

// healthy is a cluster with one of everything, and nothing wrong.
func healthy(t *testing.T) *fake {
	return &fake{
		t: t, clock: &ticks{start}, fails: map[string]error{}, calls: map[string][]call{},
		cluster: &types.Cluster{
			Name: aws.String("prod"), Version: aws.String("1.33"), Status: types.ClusterStatusActive, Tags: map[string]string{"team": "a"},
			ResourcesVpcConfig: &types.VpcConfigResponse{
				VpcId: aws.String("vpc-1"), SubnetIds: []string{"subnet-control"}, EndpointPublicAccess: true, PublicAccessCidrs: []string{"198.51.100.0/24"},
			},
			Endpoint: aws.String("https://4F1A.gr7.eu-central-1.eks.amazonaws.com"), CertificateAuthority: &types.Certificate{Data: aws.String("UEVN")},
			AccessConfig: &types.AccessConfigResponse{AuthenticationMode: types.AuthenticationModeApi},
		},
		addon: &types.Addon{
			AddonName: aws.String("vpc-cni"), AddonVersion: aws.String("v1.19.0-eksbuild.1"), Status: types.AddonStatusActive,
			ServiceAccountRoleArn: aws.String("arn:aws:iam::111122223333:role/cni"), ConfigurationValues: aws.String(`{"env":{}}`),
			PodIdentityAssociations: []string{"arn:pia"}, Tags: map[string]string{"owner": "b"},
		},
		versions: []types.AddonVersionInfo{
			version("v1.20.0-eksbuild.1", types.Compatibility{ClusterVersion: aws.String("1.33"), DefaultVersion: true}),
			version("v1.19.0-eksbuild.1", types.Compatibility{ClusterVersion: aws.String("1.33")}),
			version("v1.8.0-eksbuild.1"),
			version("v1.7.5-eksbuild.2", types.Compatibility{ClusterVersion: aws.String("1.21"), DefaultVersion: true}),
		},
		groups:  map[string][]string{"ng-1": {"subnet-a", "subnet-b"}},
		subnets: []ec2types.Subnet{subnet("subnet-control", 10), subnet("subnet-a", 20), subnet("subnet-b", 30), subnet("subnet-c", 40)},
	}
}

func version(v string, compatible ...types.Compatibility) types.AddonVersionInfo {
	return types.AddonVersionInfo{AddonVersion: &v, Compatibilities: compatible}
}

func subnet(id string, free int32) ec2types.Subnet {
	return ec2types.Subnet{SubnetId: &id, VpcId: aws.String("vpc-1"), CidrBlock: aws.String("10.0.0.0/24"),
		AvailabilityZone: aws.String("eu-central-1a"), AvailableIpAddressCount: &free}
}

func (f *fake) cloud() *cloud.Cloud {
	return cloud.New(func(role access.Role, account, region string) cloud.Clients {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.opened = append(f.opened, string(role)+" "+account+" "+region)
		c := client{f, role}
		return cloud.Clients{EKS: c, EC2: c, CloudWatch: c, CloudTrail: c, Role: "arn:aws:iam::" + account + ":role/" + string(role)}
	}, f.clock)
}

// client is the fake in the hands of one role.
type client struct {
	*fake
	role access.Role
}

// record notes a call, lets its second pass, and holds it to its deadline.
func (c client) record(ctx context.Context, op string, in, opts any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[op] = append(c.calls[op], call{c.role, in, opts})
	c.order = append(c.order, op)
	end, ok := ctx.Deadline()
	if left := end.Sub(c.clock.Now()); !ok || left <= 0 || left > 10*time.Second {
		c.t.Errorf("%s is called with a deadline in %s (%t); want one within 10 s", op, left, ok)
	}
	if virtual, ok := c.clock.(*ticks); ok {
		virtual.now = virtual.now.Add(time.Second)
	}
	if len(c.calls[op]) <= c.passes[op] {
		return nil
	}
	return c.fails[op]
}

// serde lets inputs and answers of the SDK be compared.
func serde() cmp.Option {
	return cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".noSmithyDocumentSerde" }, cmp.Ignore())
}

// page is the page that a token stands for, and the token of the next one.
func page[T any](all []T, token *string) ([]T, *string) {
	from, _ := strconv.Atoi(aws.ToString(token))
	to := min(from+2, len(all))
	if to == len(all) {
		return all[from:], nil
	}
	return all[from:to], aws.String(strconv.Itoa(to))
}

func (c client) DescribeCluster(ctx context.Context, in *eks.DescribeClusterInput, o ...func(*eks.Options)) (*eks.DescribeClusterOutput, error) {
	if err := c.record(ctx, "DescribeCluster", in, o); err != nil {
		return nil, err
	}
	if c.cluster == nil || *in.Name != *c.cluster.Name {
		return nil, missing("cluster")
	}
	return &eks.DescribeClusterOutput{Cluster: c.cluster}, nil
}

func (c client) DescribeAddon(ctx context.Context, in *eks.DescribeAddonInput, o ...func(*eks.Options)) (*eks.DescribeAddonOutput, error) {
	if err := c.record(ctx, "DescribeAddon", in, o); err != nil {
		return nil, err
	}
	if c.addon == nil || *in.AddonName != *c.addon.AddonName || *in.ClusterName != "prod" {
		return nil, missing("addon")
	}
	return &eks.DescribeAddonOutput{Addon: c.addon}, nil
}

func (c client) DescribeAddonVersions(ctx context.Context, in *eks.DescribeAddonVersionsInput, o ...func(*eks.Options)) (*eks.DescribeAddonVersionsOutput, error) {
	if err := c.record(ctx, "DescribeAddonVersions", in, o); err != nil {
		return nil, err
	}
	some, next := page(c.versions, in.NextToken)
	return &eks.DescribeAddonVersionsOutput{Addons: []types.AddonInfo{{AddonName: in.AddonName, AddonVersions: some}}, NextToken: next}, nil
}

func (c client) DescribeAddonConfiguration(ctx context.Context, in *eks.DescribeAddonConfigurationInput, o ...func(*eks.Options)) (
	*eks.DescribeAddonConfigurationOutput, error,
) {
	if err := c.record(ctx, "DescribeAddonConfiguration", in, o); err != nil {
		return nil, err
	}
	schema, known := c.schemas[*in.AddonVersion]
	if !known || *in.AddonName != "vpc-cni" {
		return nil, missing("configuration")
	}
	return &eks.DescribeAddonConfigurationOutput{AddonName: in.AddonName, AddonVersion: in.AddonVersion, ConfigurationSchema: &schema}, nil
}

func (c client) ListNodegroups(ctx context.Context, in *eks.ListNodegroupsInput, o ...func(*eks.Options)) (*eks.ListNodegroupsOutput, error) {
	if err := c.record(ctx, "ListNodegroups", in, o); err != nil {
		return nil, err
	}
	some, next := page(slices.Sorted(maps.Keys(c.groups)), in.NextToken)
	return &eks.ListNodegroupsOutput{Nodegroups: some, NextToken: next}, nil
}

func (c client) DescribeNodegroup(ctx context.Context, in *eks.DescribeNodegroupInput, o ...func(*eks.Options)) (*eks.DescribeNodegroupOutput, error) {
	if err := c.record(ctx, "DescribeNodegroup", in, o); err != nil {
		return nil, err
	}
	if *in.NodegroupName == c.vanishes {
		return nil, missing("node group")
	}
	return &eks.DescribeNodegroupOutput{Nodegroup: &types.Nodegroup{Subnets: c.groups[*in.NodegroupName]}}, nil
}

func (c client) ListFargateProfiles(ctx context.Context, in *eks.ListFargateProfilesInput, o ...func(*eks.Options)) (*eks.ListFargateProfilesOutput, error) {
	if err := c.record(ctx, "ListFargateProfiles", in, o); err != nil {
		return nil, err
	}
	some, next := page(slices.Sorted(maps.Keys(c.profiles)), in.NextToken)
	return &eks.ListFargateProfilesOutput{FargateProfileNames: some, NextToken: next}, nil
}

func (c client) DescribeFargateProfile(ctx context.Context, in *eks.DescribeFargateProfileInput, o ...func(*eks.Options)) (*eks.DescribeFargateProfileOutput, error) {
	if err := c.record(ctx, "DescribeFargateProfile", in, o); err != nil {
		return nil, err
	}
	if *in.FargateProfileName == c.vanishes {
		return nil, missing("Fargate profile")
	}
	return &eks.DescribeFargateProfileOutput{FargateProfile: &types.FargateProfile{Subnets: c.profiles[*in.FargateProfileName]}}, nil
}

func (c client) ListClusters(ctx context.Context, in *eks.ListClustersInput, o ...func(*eks.Options)) (*eks.ListClustersOutput, error) {
	if err := c.record(ctx, "ListClusters", in, o); err != nil {
		return nil, err
	}
	some, next := page(c.clusters, in.NextToken)
	return &eks.ListClustersOutput{Clusters: some, NextToken: next}, nil
}

func (c client) ListUpdates(ctx context.Context, in *eks.ListUpdatesInput, o ...func(*eks.Options)) (*eks.ListUpdatesOutput, error) {
	if err := c.record(ctx, "ListUpdates", in, o); err != nil {
		return nil, err
	}
	var ids []string
	for _, u := range c.updates {
		ids = append(ids, *u.Id)
	}
	some, next := page(ids, in.NextToken)
	return &eks.ListUpdatesOutput{UpdateIds: some, NextToken: next}, nil
}

func (c client) DescribeUpdate(ctx context.Context, in *eks.DescribeUpdateInput, o ...func(*eks.Options)) (*eks.DescribeUpdateOutput, error) {
	if err := c.record(ctx, "DescribeUpdate", in, o); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(c.updates, func(u types.Update) bool { return *u.Id == *in.UpdateId })
	if i < 0 || aws.ToString(in.AddonName) != "vpc-cni" { // EKS finds an add-on's update only with the add-on's name
		return nil, missing("update")
	}
	return &eks.DescribeUpdateOutput{Update: &c.updates[i]}, nil
}

func (c client) UpdateAddon(ctx context.Context, in *eks.UpdateAddonInput, o ...func(*eks.Options)) (*eks.UpdateAddonOutput, error) {
	if err := c.record(ctx, "UpdateAddon", in, o); err != nil {
		return nil, err
	}
	return &eks.UpdateAddonOutput{Update: &types.Update{Id: aws.String("update-1"), Status: types.UpdateStatusInProgress}}, nil
}

// sent are the inputs of an operation's calls.
func sent[In any](f *fake, op string) []In {
	var ins []In
	for _, c := range f.calls[op] {
		ins = append(ins, c.in.(In))
	}
	return ins
}
