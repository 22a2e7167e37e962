package hub

import (
	"slices"

	"github.com/cniguard/cniguard/internal/guard"
)

// Opens says who or what can open a gate that is shut. Name is what a command calls the cluster.
func Opens(r guard.Reason, name string) string {
	until := "by itself, at " + r.Until.UTC().Format(instant)
	switch {
	case r.Fault:
		return "by itself, at a check that can read it; where access is denied, whoever grants the role that action"
	case r.ByApproval:
		return openers(name)["approval"]
	case r.Gate == "denial":
		return "who denied it, with an approval; or " + until
	case r.Gate == "exemption":
		return openers(name)[r.Gate] + "; or " + until
	case !r.Until.IsZero():
		return until
	}
	return openers(name)[r.Gate]
}

// openers says for each gate of guard.Gates who can open it.
func openers(name string) map[string]string {
	approve := "a person: cniguard approve " + name + " --because WHY"
	return map[string]string{
		"approval":      approve,
		"set aside":     approve,
		"gap":           approve,
		"moved back":    approve,
		"mode":          "the policy's author, with mode approve or auto for this cluster",
		"halt":          "a person: cniguard resume --because WHY",
		"owner":         "the add-on's owner updates it there, or by hand where a tool only changed it last; without one, the policy's author, with owner: cniguard",
		"path":          "the policy's author, with another target; or EKS, with another list of compatible versions",
		"catalogue":     "the policy's author, with another target; or EKS, with another list of compatible versions",
		"configuration": "whoever changes the add-on's configuration to what the version takes: aws eks describe-addon-configuration shows its schema",
		"alarm":         "by itself, minutes after the alarm stands and is OK; in ALARM, whoever frees addresses in the pod subnets; off, the policy's author",
		"room":          "whoever frees addresses in that subnet, or gives the pods another one",
		"ready":         "by itself, when EKS calls cluster and add-on ACTIVE, without health issues; else whoever runs the cluster",
		"in flight":     "by itself, when that update has ended",
		"open update":   "by itself, when EKS has ended that update; AWS support, where it never does",
		"role":          "whoever gives the add-on a role of the cluster's own account: aws eks update-addon --service-account-role-arn ROLE",
		"soak":          "by itself, in time",
		"breaker":       "a person, once the failed updates are understood: cniguard resume --because WHY",
		"wave":          "by itself, when the waves before are done and were watched",
		"budget":        "by itself, when others have ended; or the policy's author, with a larger rollout.budget",
		"denial":        "who denied it, with an approval",
		"exemption":     "the policy's author, without the exemption",
		"freeze":        "by itself, when the freeze ends; or the policy's author",
		"window":        "by itself, with the next window; or the policy's author",
	}
}

// StillShut are the gates that hold a plan's update after an approval too.
func StillShut(p guard.Plan) []guard.Reason {
	var shut []guard.Reason
	for _, h := range p.Held {
		if h.Action.Kind == guard.StartUpdate {
			shut = append(shut, h.By...)
		}
	}
	return slices.DeleteFunc(shut, func(r guard.Reason) bool { return r.ByApproval })
}
