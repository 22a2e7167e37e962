package world

import (
	"cmp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/eks/types"
)

// roll restarts aws-node on every node with the new version, and says how that will end.
func (w *World) roll(c *eksCluster, a *addon, u *Update, ask wish) {
	if c.addon != a || a.Status == string(types.AddonStatusDeleting) {
		return
	}
	w.keep(a, ask)
	a.Status, a.modified = string(types.AddonStatusUpdating), w.Now()
	if w.spec.Behaviour.VersionMovesEarly {
		a.Version = u.To
	}
	w.addonTruth(c)
	outcome, issue := w.outcome(c, u)
	if subnet, full := w.full(c); full && slices.Compare(numbersOf(u.To), []int{1, 10, 2}) < 0 {
		// Below v1.10.2 aws-node exits at its start when its subnet is full (amazon-vpc-cni-k8s #1830): facts-eks-vpc-cni 7.2.
		w.truth(c.id(), "outage", Outage{u.To, subnet}, u.To+" crash-loops on the full subnet "+subnet)
		outcome, issue = Fail, Issue{string(types.AddonIssueCodeInsufficientNumberOfReplicas), "aws-node does not start"}
	}
	if outcome == Hang {
		return
	}
	w.clock.After(w.between(w.spec.Behaviour.UpdateTakes.Min, w.spec.Behaviour.UpdateTakes.Max), func() { w.finish(c, a, u, outcome, issue) })
}

func numbersOf(version string) []int { n := numbers(version); return n[:] }

// keep is what becomes of what the add-on had: facts-eks-vpc-cni 2.1.
func (w *World) keep(a *addon, ask wish) {
	switch {
	case ask.role != nil:
		a.Role = *ask.role
	case !w.spec.Behaviour.RoleKept:
		a.Role = ""
	}
	switch {
	case ask.config != nil:
		a.Configuration = *ask.config
	case w.spec.Behaviour.ConfigDropped:
		a.Configuration = ""
	}
	if ask.pods != nil {
		a.PodIdentities = ask.pods
	}
}

// full is a pod subnet without a free address. Pods of IPv6 clusters do not take IPv4 addresses.
func (w *World) full(c *eksCluster) (string, bool) {
	if c.IPv6 {
		return "", false
	}
	for _, id := range w.PodSubnets(c.id()) {
		if free, ok := w.SubnetFree(id); ok && free == 0 {
			return id, true
		}
	}
	return "", false
}

// outcome is how an update is to end.
func (w *World) outcome(c *eksCluster, u *Update) (Outcome, Issue) {
	for i, s := range w.spec.Updates {
		if s.Cluster != "" && s.Cluster != c.Name || !strings.HasPrefix(u.To, s.To) || s.Times > 0 && w.scripted[i] >= s.Times {
			continue
		}
		w.scripted[i]++
		s.Issue.Code = cmp.Or(s.Issue.Code, string(types.AddonIssueCodeInsufficientNumberOfReplicas))
		return s.Outcome, s.Issue
	}
	return Succeed, Issue{}
}

// finish ends an update. That a degraded add-on's update is Successful is not documented; its software was rolled out.
func (w *World) finish(c *eksCluster, a *addon, u *Update, outcome Outcome, issue Issue) {
	u.Status, u.Ended = string(types.UpdateStatusSuccessful), w.Now()
	if outcome == Fail {
		u.Status, u.Issue = string(types.UpdateStatusFailed), issue
	}
	if c.addon != a || a.Status == string(types.AddonStatusDeleting) {
		return
	}
	a.busy, a.modified, a.Issues = false, w.Now(), nil
	event := "EKS Addon Update Succeeded"
	switch outcome {
	case Fail:
		a.Status, a.Issues, event = string(types.AddonStatusUpdateFailed), []Issue{issue}, "EKS Addon Update Failed"
	case Degrade:
		a.Version, a.Status, a.Issues = u.To, string(types.AddonStatusDegraded), []Issue{issue}
	default:
		a.Version, a.Status = u.To, string(types.AddonStatusActive)
	}
	w.truth(c.id(), "update", *u, u.From+" to "+u.To+" "+u.Status)
	w.addonTruth(c)
	w.addonEvent(c.id(), event)
	if outcome == Degrade {
		w.addonEvent(c.id(), "EKS Addon Health Degraded")
	}
}

func (w *World) addonTruth(c *eksCluster) {
	w.truth(c.id(), "add-on", c.addon.Addon, c.addon.Version+" "+c.addon.Status)
}
