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
		outcome, issue = Fail, Issue{Code: string(types.AddonIssueCodeInsufficientNumberOfReplicas), Message: "aws-node does not start"}
	}
	if conflict, is := w.conflict(a, ask.resolve); is {
		outcome, issue = Fail, conflict
	}
	if ask.resolve == types.ResolveConflictsOverwrite {
		a.Conflicts = nil
	}
	if outcome == Hang {
		return
	}
	w.clock.After(w.between(w.spec.Behaviour.UpdateTakes.Min, w.spec.Behaviour.UpdateTakes.Max), func() { w.finish(c, a, u, outcome, issue) })
}

// conflict is what an update or a creation fails with where somebody else set fields of the add-on, in the words that people saw
// (amazon-vpc-cni-k8s #2150, #2607); false: it does not. What PRESERVE does about them is not documented further: facts-eks-vpc-cni 2.1.
func (w *World) conflict(a *addon, resolve types.ResolveConflicts) (Issue, bool) {
	passes := resolve == types.ResolveConflictsOverwrite || resolve == types.ResolveConflictsPreserve && !w.spec.Behaviour.PreserveConflicts
	if len(a.Conflicts) == 0 || passes {
		return Issue{}, false
	}
	return Issue{
		Code:    string(types.AddonIssueCodeConfigurationConflict),
		Message: "Conflicts found when trying to apply. Will not continue due to resolve conflicts mode. Conflicts:\n" + strings.Join(a.Conflicts, "\n"),
	}, true
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
	switch outcome {
	case Fail:
		u.Status, u.Issue = string(types.UpdateStatusFailed), issue
	case Cancel:
		u.Status = string(types.UpdateStatusCancelled)
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
		c.take()
		a.Version, a.Status, a.Issues = u.To, string(types.AddonStatusDegraded), []Issue{issue}
	case Cancel:
		a.Version, a.Status, event = u.From, string(types.AddonStatusActive), "EKS Addon Update Failed"
	default:
		c.take()
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
