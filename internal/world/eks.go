package world

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"

	"github.com/cniguard/cniguard/internal/cluster"
)

func eksCalls() map[string]handler {
	return map[string]handler{
		"ListClusters":               on((*World).listClusters),
		"DescribeCluster":            on((*World).describeCluster),
		"DescribeAddon":              on((*World).describeAddon),
		"DescribeAddonVersions":      on((*World).describeAddonVersions),
		"DescribeAddonConfiguration": on((*World).describeAddonConfiguration),
		"ListNodegroups":             on((*World).listNodegroups),
		"DescribeNodegroup":          on((*World).describeNodegroup),
		"ListFargateProfiles":        on((*World).listFargateProfiles),
		"DescribeFargateProfile":     on((*World).describeFargateProfile),
		"UpdateAddon":                on((*World).updateAddon),
		"CreateAddon":                on((*World).createAddonByCall),
		"DeleteAddon":                on((*World).deleteAddonByCall),
		"ListUpdates":                on((*World).listUpdates),
		"DescribeUpdate":             on((*World).describeUpdate),
	}
}

const vpcCNI = "vpc-cni"

// eksCluster is a cluster as it stands now.
type eksCluster struct {
	*Cluster   // as it was described; its Kubernetes, Status, Tags and Addon are only the first ones
	kubernetes string
	status     types.ClusterStatus // empty: it does not exist
	tags       map[string]string
	created    time.Time
	addon      *addon    // nil: none
	updates    []*Update // of the add-on, oldest first
	inside
}

// addon is an add-on as it stands now.
type addon struct {
	Addon
	arn               string
	created, modified time.Time
	busy              bool // an update is open
}

// clusters are all clusters, those too that do not exist at the moment.
type clusters struct {
	byID   map[cluster.ID]*eksCluster
	byHost map[string]*eksCluster  // by the endpoint of their own APIs
	in     map[place][]*eksCluster // ordered by name
}

func (w *World) openClusters() {
	n := len(w.spec.Clusters)
	w.clusters = clusters{byID: make(map[cluster.ID]*eksCluster, n), byHost: make(map[string]*eksCluster, n), in: map[place][]*eksCluster{}}
	for i := range w.spec.Clusters {
		c := &eksCluster{Cluster: &w.spec.Clusters[i]}
		p := place{c.Account, c.Region}
		w.clusters.byID[c.id()] = c
		w.clusters.in[p] = append(w.clusters.in[p], c)
		w.Expose(c.id(), endpointOf(c.id()), authority)
		if c.CreatedAt == 0 {
			w.exist(c, types.ClusterStatus(cmp.Or(c.Status, string(types.ClusterStatusActive))))
			w.install(c, c.Addon)
		} else {
			w.at(c.CreatedAt, func() { w.create(c) })
		}
		if c.DeletedAt > 0 {
			w.at(c.DeletedAt, func() { w.delete(c) })
		}
	}
	for _, list := range w.clusters.in {
		slices.SortFunc(list, func(a, b *eksCluster) int { return cmp.Compare(a.Name, b.Name) })
	}
	for i := range w.spec.Changes {
		w.at(w.spec.Changes[i].At, func() { w.change(&w.spec.Changes[i]) })
	}
}

// exist makes a cluster exist. Its maps are shared with the spec: they are only ever replaced.
func (w *World) exist(c *eksCluster, status types.ClusterStatus) {
	c.kubernetes, c.status, c.tags, c.created = c.Kubernetes, status, c.Tags, w.Now()
	c.furnish(w.Now())
}

// install puts an add-on into a cluster, as it was described.
func (w *World) install(c *eksCluster, a *Addon) {
	if a == nil {
		return
	}
	c.addon = &addon{Addon: *a, created: w.Now(), modified: w.Now()}
	c.addon.arn = "arn:" + cluster.PartitionOf(c.Region).Name + ":eks:" + c.Region + ":" + c.Account + ":addon/" + c.Name + "/" + vpcCNI + "/" + w.uuid()
	c.addon.Status = cmp.Or(a.Status, string(types.AddonStatusActive))
}

// uuid is an identifier in no order.
func (w *World) uuid() string {
	a, b := w.rand.Uint64(), w.rand.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-9%03x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>48&0xfff, b&(1<<48-1))
}

// Cluster is a cluster's status as EKS writes it, and its Kubernetes version; false: it does not exist.
func (w *World) Cluster(id cluster.ID) (status, kubernetes string, ok bool) {
	c := w.clusters.byID[id]
	if c == nil || c.status == "" {
		return "", "", false
	}
	return string(c.status), c.kubernetes, true
}

// Clusters are the ids of all clusters of the spec, those too that do not exist at the moment, in order.
func (w *World) Clusters() []cluster.ID {
	return slices.SortedFunc(maps.Keys(w.clusters.byID), cluster.Compare)
}

// Addon is the managed vpc-cni of a cluster as it truly is; false: there is none.
func (w *World) Addon(id cluster.ID) (Addon, bool) {
	c := w.clusters.byID[id]
	if c == nil || c.addon == nil {
		return Addon{}, false
	}
	return c.addon.Addon, true
}

// PodSubnets are the ids of the subnets in which a cluster's nodes are now, in order: those of its node groups and of its
// running instances.
func (w *World) PodSubnets(id cluster.ID) []string {
	c := w.clusters.byID[id]
	if c == nil {
		return nil
	}
	var ids []string
	for _, n := range c.Nodegroups {
		ids = append(ids, n.Subnets...)
	}
	for i := range c.Instances {
		if c.Instances[i].runs(w.since()) {
			ids = append(ids, c.Instances[i].Subnets...)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// errNoCluster and errNoAddon are of one type; only DescribeCluster tells which it is: facts-eks-vpc-cni 2.2.
func errNoCluster(name string) error {
	return modelled("eks", "ResourceNotFoundException", "No cluster found for name: "+name+".")
}

func errNoAddon(c *eksCluster, name string) error {
	return modelled("eks", "ResourceNotFoundException", "No addon: "+name+" found in cluster: "+c.Name)
}

// cluster finds the cluster that a call names.
func (w *World) cluster(c *Call, name *string) (*eksCluster, error) {
	found := w.clusters.byID[cluster.ID{Account: c.Account, Region: c.Region, Name: *name}]
	if found == nil || found.status == "" {
		return nil, errNoCluster(*name)
	}
	return found, nil
}

// clusterAddon finds the add-on that a call names.
func (w *World) clusterAddon(c *Call, clusterName, name *string) (*eksCluster, error) {
	found, err := w.cluster(c, clusterName)
	if err == nil && (found.addon == nil || *name != vpcCNI) {
		return nil, errNoAddon(found, *name)
	}
	return found, err
}

func (w *World) listClusters(c *Call, in *eks.ListClustersInput) (*eks.ListClustersOutput, error) {
	var names []string
	for _, one := range w.clusters.in[place{c.Account, c.Region}] {
		if one.status != "" {
			names = append(names, one.Name)
		}
	}
	names, next, err := paged(w, names, in.NextToken, in.MaxResults)
	return &eks.ListClustersOutput{Clusters: names, NextToken: next}, err
}

// paged is one page of names. EKS gives at most 100.
func paged(w *World, names []string, token *string, most *int32) ([]string, *string, error) {
	from, until, next, err := w.page(len(names), token, most, 100)
	if err != nil {
		return nil, nil, err
	}
	return names[from:until], next, nil
}

func (w *World) describeCluster(c *Call, in *eks.DescribeClusterInput) (*eks.DescribeClusterOutput, error) {
	found, err := w.cluster(c, in.Name)
	if err != nil {
		return nil, err
	}
	return &eks.DescribeClusterOutput{Cluster: found.describe()}, nil
}

func (c *eksCluster) describe() *types.Cluster {
	family := types.IpFamilyIpv4
	if c.IPv6 {
		family = types.IpFamilyIpv6
	}
	d := &types.Cluster{
		Name:               aws.String(c.Name),
		Arn:                aws.String(c.id().ARN()),
		Status:             c.status,
		Version:            aws.String(c.kubernetes),
		PlatformVersion:    aws.String("eks.1"),
		CreatedAt:          aws.Time(c.created),
		Tags:               maps.Clone(c.tags),
		AccessConfig:       &types.AccessConfigResponse{AuthenticationMode: c.mode()},
		ResourcesVpcConfig: c.network(),
		ComputeConfig:      &types.ComputeConfigResponse{Enabled: aws.Bool(c.AutoMode)},
		KubernetesNetworkConfig: &types.KubernetesNetworkConfigResponse{
			IpFamily:             family,
			ElasticLoadBalancing: &types.ElasticLoadBalancing{Enabled: aws.Bool(c.AutoMode)},
		},
		CertificateAuthority: &types.Certificate{},
	}
	if c.hasAPI() {
		d.Endpoint = aws.String(c.endpoint)
		d.CertificateAuthority.Data = aws.String(base64.StdEncoding.EncodeToString([]byte(c.authority)))
	}
	return d
}

// optional is a string as EKS answers it: left out where there is none.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
