package world

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/eks/types"

	"github.com/cniguard/cniguard/internal/cluster"
)

const awsNode = "aws-node"

// inside is what stands in a cluster now, and who may look at it.
type inside struct {
	endpoint, authority string
	// applied are DaemonSets by name, but for the aws-node of the managed add-on while nobody else touched it.
	applied          []standing
	readers, entries []string // names of roles
}

// standing is a DaemonSet as it stands now.
type standing struct {
	DaemonSet
	created, changed time.Time
	generation       int
}

// age is how old DaemonSets are that are there at the start of a world.
const age = 365 * 24 * time.Hour

// furnish puts into a cluster that comes to be what the spec has in it.
func (c *eksCluster) furnish(now time.Time) {
	c.applied, c.readers, c.entries = nil, slices.Clone(c.API.Readers), slices.Clone(c.API.Entries)
	if c.CreatedAt == 0 {
		now = now.Add(-age)
	}
	for _, d := range c.DaemonSets {
		c.apply(d, now)
	}
}

// apply has a DaemonSet stand, in place of the one of its name.
func (c *eksCluster) apply(d DaemonSet, now time.Time) {
	s := standing{d, now, now, 1}
	for _, by := range d.Managers {
		if by.After > 0 {
			s.generation++
		}
	}
	at, before := slices.BinarySearchFunc(c.applied, d.Name, func(s standing, name string) int { return cmp.Compare(s.Name, name) })
	if before {
		s.created, s.generation = c.applied[at].created, c.applied[at].generation+s.generation
		c.applied[at] = s
		return
	}
	c.applied = slices.Insert(c.applied, at, s)
}

// take removes the aws-node that somebody applied: EKS deletes it with an add-on, and puts its own in its place when it installs or updates one.
func (c *eksCluster) take() {
	c.applied = slices.DeleteFunc(c.applied, func(s standing) bool { return s.Name == awsNode })
}

// standing are the DaemonSets of kube-system, by name.
func (c *eksCluster) standing() []standing {
	all := slices.Clone(c.applied)
	at, own := slices.BinarySearchFunc(all, awsNode, func(s standing, name string) int { return cmp.Compare(s.Name, name) })
	if a := c.addon; a != nil && !own && a.Status != string(types.AddonStatusCreating) && a.Status != string(types.AddonStatusCreateFailed) {
		all = slices.Insert(all, at, standing{a.daemonSet(c.Region), a.created, a.modified, 1 + len(c.updates)})
	}
	return all
}

// DaemonSet is the aws-node of a cluster as it truly stands, whoever manages it; false: there is none.
func (w *World) DaemonSet(id cluster.ID) (DaemonSet, bool) {
	c := w.clusters.byID[id]
	if c == nil || c.status == "" {
		return DaemonSet{}, false
	}
	for _, s := range c.standing() {
		if s.Name == awsNode {
			return s.DaemonSet, true
		}
	}
	return DaemonSet{}, false
}

// apply has somebody apply a DaemonSet.
func (w *World) apply(c *eksCluster, d DaemonSet) {
	c.apply(d, w.Now())
	w.truth(c.id(), "daemonset", d, d.Name+" applied")
}

// leave ends a cluster's add-on. Its DaemonSet goes with it, or stays as it is (EKS user guide, "Remove an Amazon EKS add-on from a cluster").
func (w *World) leave(c *eksCluster, preserve bool) {
	left, stands := w.DaemonSet(c.id())
	all := c.standing()
	c.addon, c.updates = nil, nil
	switch {
	case !preserve:
		c.take()
	case stands:
		c.applied = all // with the times at which EKS made and last changed it
	}
	w.truth(c.id(), "add-on", nil, "deleted")
	if preserve && stands {
		w.truth(c.id(), "daemonset", left, awsNode+" stays behind")
	}
}

// nodes is how many nodes of a cluster are for DaemonSets: one for each node group, and each running instance. Those of EKS Auto Mode,
// which are known by their tag, run none of aws-node: its affinity keeps it off them.
func (w *World) nodes(c *eksCluster) int {
	n := len(c.Nodegroups)
	for i := range c.Instances {
		if one := &c.Instances[i]; one.runs(w.since()) && (!c.AutoMode || one.TagKey != "eks:eks-cluster-name") {
			n++
		}
	}
	return n
}

// daemonSet is what EKS installs for the add-on. The registry is that of most regions (facts-eks-vpc-cni 6.2), the labels are those of
// the Helm chart (6.3), and the node agent has a version line of its own (6.1).
func (a *addon) daemonSet(region string) DaemonSet {
	registry := "602401143452.dkr.ecr." + region + "." + cluster.PartitionOf(region).DNS + "/"
	upstream, _, _ := strings.Cut(a.Version, "-")
	env := map[string]string{"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "false", "ENABLE_PREFIX_DELEGATION": "false", "VPC_CNI_VERSION": upstream, "WARM_ENI_TARGET": "1"}
	maps.Copy(env, a.env())
	d := DaemonSet{
		Name: awsNode,
		Labels: map[string]string{
			"app.kubernetes.io/instance": "aws-vpc-cni", "app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/name": awsNode,
			"app.kubernetes.io/version": upstream, "helm.sh/chart": "aws-vpc-cni-" + strings.TrimPrefix(upstream, "v"), "k8s-app": awsNode,
		},
		Managers:       []Writer{{Name: "eks", Operation: "Apply"}},
		InitContainers: []Container{{Name: "aws-vpc-cni-init", Image: registry + "amazon-k8s-cni-init:" + a.Version}},
		Containers:     []Container{{Name: awsNode, Image: registry + "amazon-k8s-cni:" + a.Version, Env: env}},
		ServiceAccount: awsNode,
		Role:           a.Role,
	}
	if slices.Compare(numbersOf(a.Version), []int{1, 14, 0}) >= 0 {
		d.Containers = append(d.Containers, Container{Name: "aws-eks-nodeagent", Image: registry + "amazon/aws-network-policy-agent:v1.2.1-eksbuild.1"})
	}
	return d
}

// env is the environment that the add-on's configuration sets.
func (a *addon) env() map[string]string {
	var values struct {
		Env map[string]string `json:"env"`
	}
	_ = json.Unmarshal([]byte(a.Configuration), &values) // a configuration that is none sets nothing
	return values.Env
}
