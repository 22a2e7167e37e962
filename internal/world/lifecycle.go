package world

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/eks/types"
)

// soon does something after a duration between two.
func (w *World) soon(least, most time.Duration, f func()) { w.clock.After(w.between(least, most), f) }

// somebody is who does what the product does not do.
func somebody(c *eksCluster) string { return "arn:aws:iam::" + c.Account + ":role/platform-team" }

// did tells CloudTrail what somebody did to a cluster.
func (w *World) did(c *eksCluster, op string, request map[string]any) {
	request["name"] = c.Name
	w.trail(c.id(), somebody(c), op, request, map[string]any{})
}

func (w *World) clusterTruth(c *eksCluster, text string) { w.truth(c.id(), "cluster", nil, text) }

// create has somebody create a cluster. It is ACTIVE 4 to 7 minutes later (facts-eks-vpc-cni 1.2), and only then can its
// add-on be installed. How long the other changes take here is of that order.
func (w *World) create(c *eksCluster) {
	w.exist(c, types.ClusterStatusCreating)
	w.clusterTruth(c, "CREATING")
	w.did(c, "CreateCluster", map[string]any{"version": c.Kubernetes})
	w.soon(4*time.Minute, 7*time.Minute, func() {
		if c.status != types.ClusterStatusCreating {
			return
		}
		c.status = types.ClusterStatusActive
		if c.Status != "" {
			c.status = types.ClusterStatus(c.Status)
		}
		w.clusterTruth(c, string(c.status))
		if c.Addon != nil {
			w.createAddon(c, c.Addon)
		}
	})
}

// delete has somebody delete a cluster. Its add-on is not found from then on: facts-eks-vpc-cni 2.2.
func (w *World) delete(c *eksCluster) {
	if c.status == "" {
		return
	}
	c.status, c.addon = types.ClusterStatusDeleting, nil
	w.clusterTruth(c, "DELETING")
	w.did(c, "DeleteCluster", map[string]any{})
	w.soon(2*time.Minute, 8*time.Minute, func() {
		c.status, c.updates = "", nil
		w.clusterTruth(c, "deleted")
	})
}

// change has somebody do something to a cluster, if it is there and AWS would let them.
func (w *World) change(ch *Change) {
	c := w.clusters.byID[ch.id()]
	if c.status != types.ClusterStatusActive {
		return
	}
	switch ch.Do {
	case UpgradeCluster:
		w.upgrade(c, ch.Kubernetes)
	case CreateAddon:
		if c.addon == nil {
			w.createAddon(c, ch.Addon)
		}
	case UpdateAddon:
		if c.addon != nil {
			// Refused or not: it is somebody else's call.
			_, _ = w.update(c, wish{version: &ch.Addon.Version, role: optional(ch.Addon.Role), config: optional(ch.Addon.Configuration), by: somebody(c)})
		}
	case DeleteAddon:
		if c.addon != nil {
			w.deleteAddon(c)
		}
	case TagCluster:
		c.tags = ch.Tags
		w.clusterTruth(c, "tagged")
		w.did(c, "TagResource", map[string]any{"resourceArn": c.id().ARN()})
	}
}

func (w *World) upgrade(c *eksCluster, kubernetes string) {
	c.status = types.ClusterStatusUpdating
	w.clusterTruth(c, "UPDATING")
	w.did(c, "UpdateClusterVersion", map[string]any{"version": kubernetes})
	w.soon(8*time.Minute, 15*time.Minute, func() {
		if c.status == types.ClusterStatusUpdating {
			c.status, c.kubernetes = types.ClusterStatusActive, kubernetes
			w.clusterTruth(c, "ACTIVE with Kubernetes "+kubernetes)
		}
	})
}

func (w *World) createAddon(c *eksCluster, described *Addon) {
	w.install(c, described)
	a := c.addon
	status := a.Status
	a.Status = string(types.AddonStatusCreating)
	w.addonTruth(c)
	w.did(c, "CreateAddon", map[string]any{"addonName": vpcCNI, "addonVersion": a.Version})
	w.soon(30*time.Second, 2*time.Minute, func() {
		if c.addon == a && a.Status == string(types.AddonStatusCreating) {
			a.Status, a.modified = status, w.Now()
			w.addonTruth(c)
			w.addonEvent(c.id(), "EKS Addon Creation Succeeded")
		}
	})
}

func (w *World) deleteAddon(c *eksCluster) {
	a := c.addon
	a.Status = string(types.AddonStatusDeleting)
	w.addonTruth(c)
	w.did(c, "DeleteAddon", map[string]any{"addonName": vpcCNI})
	w.soon(10*time.Second, time.Minute, func() {
		if c.addon == a {
			c.addon, c.updates = nil, nil
			w.truth(c.id(), "add-on", nil, "deleted")
			w.addonEvent(c.id(), "EKS Addon Deletion Succeeded")
		}
	})
}
