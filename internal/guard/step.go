package guard

import (
	"strings"

	"github.com/cniguard/cniguard/internal/cni"
)

// progress is what has become of the record's step, as AWS tells it.
type progress int

const (
	noStep  progress = iota
	running          // or not known: it counts as in flight
	proved           // DescribeUpdate is Successful and the add-on is ACTIVE at that version
	failed
	lost // UpdateAddon was never called, or the add-on or the cluster is gone: nothing to wait for
)

// settle says what has become of the step, and why it failed.
func settle(in Input) (progress, failure) {
	step := in.Record.Step
	switch {
	case step == nil:
		return noStep, failure{}
	case in.Seen.Cluster.Fault == nil && in.Seen.Cluster.Value == nil:
		return lost, failure{Text: "the cluster is gone"}
	case in.Seen.Addon.Fault == nil && in.Seen.Addon.Value == nil && in.Seen.Cluster.Fault == nil:
		return lost, failure{Text: "the add-on is gone"}
	case in.Seen.Of != step.Token || in.Seen.Update.Fault != nil:
		return running, failure{}
	}
	u := in.Seen.Update.Value
	if u == nil {
		age, updating := in.Now.Sub(step.Since), inState(in.Seen.Addon, "UPDATING")
		switch {
		case step.ID == "" && age >= lostAfter && !updating:
			return lost, failure{Text: "UpdateAddon was not called"}
		case step.ID != "" && age >= StuckAfter && !updating:
			return lost, failure{Text: "EKS does not know the update any more"}
		}
		return running, failure{}
	}
	switch u.Status {
	case "Successful":
		return settleAddon(in, *step)
	case "Failed", "Cancelled":
		return failed, failure{Code: u.Code, Text: "EKS says the update " + strings.ToLower(u.Status) + ": " + orNone(u.Errors), Fields: u.Fields}
	}
	return running, failure{}
}

// settleAddon asks the add-on itself for the proof that an update marked Successful is complete.
func settleAddon(in Input, step Step) (progress, failure) {
	addon := in.Seen.Addon.Value
	if in.Seen.Addon.Fault != nil || addon == nil {
		return running, failure{}
	}
	switch {
	case addon.Status == "ACTIVE" && addon.Version == step.To:
		return proved, failure{}
	case cni.Compare(addon.Version, step.To) > 0:
		return lost, failure{Text: "somebody moved the add-on on"}
	case addon.Status == "DEGRADED" || addon.Status == "UPDATE_FAILED":
		return failed, failure{Code: addon.Status, Text: "EKS says the update was successful, but the add-on is " + addon.Status + ": " + orNone(addon.Issues)}
	case in.Now.Sub(step.Since) > StuckAfter && addon.Status == "ACTIVE":
		return failed, failure{Text: "EKS says the update was successful, but the add-on is at " + addon.Raw}
	}
	return running, failure{}
}

func inState(r Reading[*Addon], states ...string) bool {
	if r.Fault != nil || r.Value == nil {
		return false
	}
	for _, s := range states {
		if r.Value.Status == s {
			return true
		}
	}
	return false
}

func orNone(texts []string) string {
	if len(texts) == 0 {
		return "no reason was given"
	}
	return strings.Join(texts, "; ")
}
