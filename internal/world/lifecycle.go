package world

import (
	"cmp"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/eks/types"

	"github.com/cniguard/cniguard/internal/cluster"
)

// soon does something after a duration between two.
func (w *World) soon(least, most time.Duration, f func()) { w.clock.After(w.between(least, most), f) }

// somebody is who does what the product does not do.
func somebody(c *eksCluster) string {
	return "arn:" + cluster.PartitionOf(c.Region).Name + ":iam::" + c.Account + ":role/platform-team"
}

// did tells CloudTrail what somebody did to a cluster.
func (w *World) did(c *eksCluster, op string, request map[string]any) {
	w.didBy(c, caller{principal: somebody(c)}, op, request)
}

// didBy tells CloudTrail so too, and who it was.
func (w *World) didBy(c *eksCluster, by caller, op string, request map[string]any) {
	request["name"] = c.Name
	w.trail(c.id(), by, op, request, map[string]any{})
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
			w.createAddon(c, c.Addon, types.ResolveConflictsOverwrite, caller{principal: somebody(c)}) // there is nothing yet to be in conflict with
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
			w.createAddon(c, ch.Addon, ch.resolve(), caller{somebody(c), ch.Agent})
		}
	case UpdateAddon:
		if c.addon != nil {
			// Refused or not: it is somebody else's call.
			_, _ = w.update(c, wish{
				version: &ch.Addon.Version, role: optional(ch.Addon.Role), config: optional(ch.Addon.Configuration), resolve: ch.resolve(),
				by: caller{somebody(c), ch.Agent},
			})
		}
	case DeleteAddon:
		if c.addon != nil {
			w.deleteAddon(c, ch.Preserve, caller{principal: somebody(c)})
		}
	case ChangeHealth:
		w.changeHealth(c, ch.Issues)
	case TagCluster:
		c.tags = ch.Tags
		w.clusterTruth(c, "tagged")
		w.did(c, "TagResource", map[string]any{"resourceArn": c.id().ARN()})
	case GrantAccess:
		w.grant(c, ch.Role)
	case ApplyDaemonSet:
		w.apply(c, *ch.DaemonSet)
	}
}

func (c *Change) resolve() types.ResolveConflicts {
	return types.ResolveConflicts(cmp.Or(c.Resolve, string(types.ResolveConflictsNone)))
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

// createAddon starts the creation of an add-on. One that is in conflict fails some five minutes later (facts-eks-vpc-cni 2.4).
func (w *World) createAddon(c *eksCluster, described *Addon, resolve types.ResolveConflicts, by caller) {
	w.install(c, described)
	a := c.addon
	status, least, most := a.Status, 30*time.Second, 2*time.Minute
	issue, failed := w.conflict(a, resolve)
	if failed {
		status, least, most = string(types.AddonStatusCreateFailed), 4*time.Minute, 6*time.Minute
	}
	a.Status = string(types.AddonStatusCreating)
	w.addonTruth(c)
	w.didBy(c, by, "CreateAddon", map[string]any{"addonName": vpcCNI, "addonVersion": a.Version})
	w.soon(least, most, func() {
		if c.addon == a && a.Status == string(types.AddonStatusCreating) {
			if failed {
				a.Issues = []Issue{issue}
			}
			w.created(c, status)
		}
	})
}

// created ends the creation of a cluster's add-on; one that is to stay in CREATING hangs.
func (w *World) created(c *eksCluster, status string) {
	c.addon.Status, c.addon.modified = status, w.Now()
	w.addonTruth(c)
	switch types.AddonStatus(status) {
	case types.AddonStatusCreating:
	case types.AddonStatusCreateFailed:
		w.addonEvent(c.id(), "EKS Addon Creation Failed")
	default:
		c.take()
		w.addonEvent(c.id(), "EKS Addon Creation Succeeded")
	}
}

// changeHealth has EKS find something wrong with an add-on at rest, or nothing any more.
func (w *World) changeHealth(c *eksCluster, issues []Issue) {
	status, event := types.AddonStatusActive, "EKS Addon Health Restored"
	if len(issues) > 0 {
		status, event = types.AddonStatusDegraded, "EKS Addon Health Degraded"
	}
	a := c.addon
	if a == nil || a.busy || a.Status != string(types.AddonStatusActive) && a.Status != string(types.AddonStatusDegraded) {
		return
	}
	a.Status, a.Issues, a.modified = string(status), issues, w.Now()
	w.addonTruth(c)
	w.addonEvent(c.id(), event)
}

func (w *World) deleteAddon(c *eksCluster, preserve bool, by caller) {
	a := c.addon
	a.Status = string(types.AddonStatusDeleting)
	w.addonTruth(c)
	request := map[string]any{"addonName": vpcCNI}
	if preserve {
		request["preserve"] = "true" // it comes from the query: facts-eks-vpc-cni 1.2
	}
	w.didBy(c, by, "DeleteAddon", request)
	w.soon(10*time.Second, time.Minute, func() {
		if c.addon == a {
			w.leave(c, preserve)
			w.addonEvent(c.id(), "EKS Addon Deletion Succeeded")
		}
	})
}
