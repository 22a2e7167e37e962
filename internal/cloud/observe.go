package cloud

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
)

// addonName is the add-on's name in EKS.
const addonName = "vpc-cni"

// look is one reading of one cluster. The fields of a stage may be used when the stage is over.
type look struct {
	*Cloud
	Clients
	id cluster.ID

	// the first stage
	cluster          guard.Reading[*types.Cluster]
	addon            guard.Reading[*types.Addon]
	alarms           guard.Reading[[]alarm.Standing]
	groups, profiles guard.Reading[[]string]
	tagged           []guard.Reading[tagged] // by the tags in marks

	// the second stage
	sources   []guard.Reading[source] // of the node groups, then of the Fargate profiles
	subnets   guard.Reading[[]capacity.Subnet]
	catalogue guard.Reading[[]cni.Release]
}

// Observe reads one cluster with the observer's role. Faults are in the readings.
func (c *Cloud) Observe(ctx context.Context, id cluster.ID) guard.Snapshot {
	seen := guard.Snapshot{At: c.clock.Now()}
	l := &look{Cloud: c, Clients: c.at(access.Observer, id.Account, id.Region), id: id}
	l.first(ctx)
	l.second(ctx)

	seen.Cluster = guard.Reading[*guard.Cluster]{Value: toCluster(l.cluster.Value), Fault: l.cluster.Fault}
	seen.Addon = guard.Reading[*guard.Addon]{Value: toAddon(l.addon.Value), Fault: l.addon.Fault}
	seen.Catalogue = l.catalogue
	seen.Pods, seen.ControlPlane = l.pods(), l.controlPlane()
	seen.Alarms = l.alarms
	seen.Hosts = l.hosts()
	return seen
}

func (l *look) first(ctx context.Context) {
	filters := marks(l.id.Name)
	l.tagged = make([]guard.Reading[tagged], len(filters))
	tasks := []task{
		into(&l.cluster, l.readCluster),
		into(&l.addon, l.readAddon),
		into(&l.alarms, l.readAlarms),
		into(&l.groups, l.listNodegroups),
		into(&l.profiles, l.listFargateProfiles),
	}
	for i, f := range filters {
		tasks = append(tasks, into(&l.tagged[i], l.instancesWith(f)))
	}
	_ = l.clock.Parallel(ctx, tasks...)
	// "No addon" and "no cluster" are the same ResourceNotFoundException.
	if l.cluster.Fault != nil && l.addon.Fault == nil && l.addon.Value == nil {
		l.addon.Fault = l.cluster.Fault
	}
}

func (l *look) second(ctx context.Context) {
	var tasks []task
	if l.foregone() == nil {
		tasks = append(clock.Limit(sideBySide, l.describeSources()), into(&l.subnets, l.readSubnets))
	}
	switch {
	case l.cluster.Fault != nil:
		l.catalogue.Fault = l.cluster.Fault
	case l.addon.Fault != nil:
		l.catalogue.Fault = l.addon.Fault
	case l.cluster.Value == nil || l.addon.Value == nil:
		l.catalogue.Fault = &fault.Fault{Kind: fault.Skip, Text: "there is no managed add-on to find versions for"}
	default:
		tasks = append(tasks, func(ctx context.Context) error {
			l.catalogue = l.Catalogue(ctx, l.id, aws.ToString(l.cluster.Value.Version))
			return nil
		})
	}
	if len(tasks) > 0 {
		_ = l.clock.Parallel(ctx, tasks...)
	}
}

func (l *look) readCluster(ctx context.Context) (*types.Cluster, *fault.Fault) {
	const op = "eks:DescribeCluster"
	out, f := call(l.clock, op, l.EKS.DescribeCluster)(ctx, &eks.DescribeClusterInput{Name: &l.id.Name})
	switch {
	case absent(f):
		return nil, nil
	case f != nil:
		return nil, f
	case out.Cluster == nil:
		return nil, unanswered(op)
	}
	return out.Cluster, nil
}

func (l *look) readAddon(ctx context.Context) (*types.Addon, *fault.Fault) {
	const op = "eks:DescribeAddon"
	out, f := call(l.clock, op, l.EKS.DescribeAddon)(ctx, &eks.DescribeAddonInput{ClusterName: &l.id.Name, AddonName: aws.String(addonName)})
	switch {
	case absent(f):
		return nil, nil
	case f != nil:
		return nil, f
	case out.Addon == nil:
		return nil, unanswered(op)
	}
	return out.Addon, nil
}

func toCluster(c *types.Cluster) *guard.Cluster {
	if c == nil {
		return nil
	}
	return &guard.Cluster{
		Status:     string(c.Status),
		Kubernetes: aws.ToString(c.Version),
		AutoMode:   c.ComputeConfig != nil && aws.ToBool(c.ComputeConfig.Enabled),
		VPC:        vpc(c),
		Tags:       c.Tags,
		API:        toAPI(c),
	}
}

// toAPI is how the cluster's own API is reached. A certificate authority that cannot be decoded is none, and so trusts nobody.
func toAPI(c *types.Cluster) guard.API {
	api := guard.API{Endpoint: aws.ToString(c.Endpoint)}
	if c.CertificateAuthority != nil {
		if pem, err := base64.StdEncoding.DecodeString(aws.ToString(c.CertificateAuthority.Data)); err == nil {
			api.CA = string(pem)
		}
	}
	if c.AccessConfig != nil {
		api.Authentication = string(c.AccessConfig.AuthenticationMode)
	}
	if net := c.ResourcesVpcConfig; net != nil {
		api.Private, api.PublicCIDRs = !net.EndpointPublicAccess, net.PublicAccessCidrs
	}
	return api
}

func isIPv6(c *types.Cluster) bool {
	return c.KubernetesNetworkConfig != nil && c.KubernetesNetworkConfig.IpFamily == types.IpFamilyIpv6
}

func toAddon(a *types.Addon) *guard.Addon {
	if a == nil {
		return nil
	}
	raw := aws.ToString(a.AddonVersion)
	v := &guard.Addon{
		Version: cni.Parse(raw),
		Raw:     plain.Clean(raw, plain.Text),
		Status:  string(a.Status),
		Role:    aws.ToString(a.ServiceAccountRoleArn),
		Config:  aws.ToString(a.ConfigurationValues),
		Tags:    a.Tags,
	}
	if a.Health != nil {
		for _, i := range a.Health.Issues {
			v.Issues = append(v.Issues, string(i.Code)+": "+told(aws.ToString(i.Message)+about(i.ResourceIds), v.Config))
		}
	}
	return v
}

// Clusters lists the names of a unit's clusters that sort after the given name, in order, all of them.
func (c *Cloud) Clusters(ctx context.Context, u event.Unit, after string) ([]string, error) {
	k := c.at(access.Observer, u.Account, u.Region)
	var names []string
	for out, f := range pages(ctx, c.clock, "eks:ListClusters", eks.NewListClustersPaginator(k.EKS, &eks.ListClustersInput{})) {
		if f != nil {
			return nil, fmt.Errorf("list clusters of %s in %s: %w", u.Account, u.Region, f)
		}
		names = append(names, out.Clusters...)
	}
	slices.Sort(names)
	first, found := slices.BinarySearch(names, after)
	if found {
		first++
	}
	return names[first:], nil
}
