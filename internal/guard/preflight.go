package guard

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
)

// Preflight is what only the gates of a step that may be taken want to know.
type Preflight struct {
	Configuration Reading[*Configuration] // nil: not asked for; see WantsConfiguration, WantsEnvironment
	Open          Reading[*Open]          // nil: not asked for; see WantsOpen
}

// Open are the updates of the add-on that EKS has not ended, whoever asked for them.
type Open struct {
	Updates []Update
	Unseen  int // how many more updates there are than were looked at: one of them may be open
}

// Configuration is what the schema of a version says of the add-on's configuration values, or of those that the environment of an aws-node would
// make that EKS does not manage. It holds none of the values.
type Configuration struct {
	Of      cni.Version // whose schema it is
	Refused []string    // what it refuses, as JSON pointers, as "/env/ENABLE_POD_ENI"; untrusted
	NotJSON bool        // the values are not JSON, so that they were not checked
}

// nextStep is the step that Decide judges, and what holds it; false: none is wanted, or the mode lets none go.
func (in Input) nextStep() (Step, []Reason, bool) {
	if shutMode(in).shut() || !in.Seen.Cluster.Value.lives() {
		return Step{}, nil, false
	}
	d := draft{in: in, plan: Plan{Blind: map[Code]bool{}}}
	d.update()
	for _, a := range d.plan.Actions {
		return a.Step, nil, true
	}
	for _, h := range d.plan.Held {
		return h.Action.Step, h.By, true
	}
	return Step{}, nil, false
}

// WantsConfiguration is the version whose schema the add-on's configuration values are to be checked against: that of a step which the
// policy's mode may let go. False: there is no such step, or there are no values. A person who is asked to approve reads what it says.
func (in Input) WantsConfiguration() (cni.Version, bool) {
	s, _, wanted := in.nextStep()
	return s.To, wanted && in.checksConfiguration(s)
}

// checksConfiguration reports whether the mode may let a step go and there are values to check for it: every schema takes none at all.
func (in Input) checksConfiguration(s Step) bool {
	addon := in.Seen.Addon
	return !shutMode(in).shut() && s.To.Known() && addon.Fault == nil && addon.Value != nil && strings.TrimSpace(addon.Value.Config) != ""
}

// shutConfiguration lets no update send values that its version refuses: EKS would refuse the update (amazon-vpc-cni-k8s #2173).
func shutConfiguration(in Input, s Step) Reason {
	if !in.checksConfiguration(s) {
		return Reason{} // where it is not for want of values, the gates of mode, path and readiness say it
	}
	seen := in.Seen.Configuration
	switch {
	case seen.Fault != nil:
		return hidden("the schema of "+s.To.String(), seen.Fault)
	case seen.Value == nil || seen.Value.Of != s.To:
		return Reason{Text: fmt.Sprintf("the add-on's configuration was not checked against the schema of %s", s.To)}
	case len(seen.Value.Refused) > 0:
		return Reason{Text: fmt.Sprintf("%s does not take what the add-on's configuration sets: %s; take it out, or give it the form that the schema wants",
			s.To, few(seen.Value.Refused, 5))}
	case seen.Value.NotJSON && !approved(in, s, time.Time{}):
		return Reason{ByApproval: true, Text: fmt.Sprintf("the add-on's configuration is not JSON, so that it was not checked against the schema of %s; "+
			"an approval opens this", s.To)}
	}
	return Reason{}
}

// WantsOpen reports whether the add-on's updates are still to be looked at: where a step is about to be taken. It costs a call for every update
// that there was, since EKS lists them in no order.
func (in Input) WantsOpen() bool {
	if in.Seen.Open != (Reading[*Open]{}) {
		return false
	}
	_, by, wanted := in.nextStep()
	return wanted && !slices.ContainsFunc(by, func(r Reason) bool { return r.Gate != openUpdate })
}

const openUpdate = "open update"

// shutOpen waits for an update that is open though the add-on is still, or again, ACTIVE: it starts some time after it was asked for (eksctl
// #7269), and of two at once nobody could tell what came of which.
func shutOpen(in Input, s Step) Reason {
	switch seen := in.Seen.Open; {
	case seen.Fault != nil:
		return hidden("the add-on's updates", seen.Fault)
	case seen.Value == nil:
		return Reason{Text: "the add-on's updates were not looked at"}
	case len(seen.Value.Updates) > 0:
		u := seen.Value.Updates[0]
		return Reason{Text: fmt.Sprintf("the update %s of the add-on is open since %s", u.ID, u.Created.UTC().Format("2006-01-02 15:04"))}
	case seen.Value.Unseen > 0 && !approved(in, s, time.Time{}):
		return Reason{ByApproval: true, Text: fmt.Sprintf("EKS lists %d updates of the add-on more than cniguard looks at, and one may be open; "+
			"an approval opens this", seen.Value.Unseen)}
	}
	return Reason{}
}

// foreign is why a release does not run on all nodes of the cluster; none: nothing says so. One of which EKS lists no architectures is not
// judged by them, and one that is for every architecture that EKS has nodes of runs on any.
func (in Input) foreign(r cni.Release) Reason {
	all, has, hosts := cni.Architectures{AMD64: true, ARM64: true}, r.Architectures, in.Seen.Hosts
	switch {
	case has == all || has == cni.Architectures{}:
		return Reason{}
	case hosts.Fault != nil:
		return hidden("the nodes' architectures", hosts.Fault)
	case hosts.Value.Architectures.AMD64 && !has.AMD64:
		return Reason{Text: fmt.Sprintf("EKS has %s for arm64 only, and the cluster has amd64 nodes", r.Version)}
	case hosts.Value.Architectures.ARM64 && !has.ARM64:
		return Reason{Text: fmt.Sprintf("EKS has %s for amd64 only, and the cluster has arm64 nodes", r.Version)}
	}
	return Reason{}
}

// shutRole lets no update send a role that EKS cannot take: one of another account or partition cannot be passed on (IAM user guide, "Grant a
// user permissions to pass a role"). Whether the updater may pass a role of this account is IAM's to say; it does when the update is called for.
func shutRole(in Input, _ Step) Reason {
	addon := in.Seen.Addon
	if addon.Fault != nil || addon.Value == nil || addon.Value.Role == "" {
		return Reason{} // there is none, or the gate of readiness says it
	}
	want := "arn:" + cluster.PartitionOf(in.ID.Region).Name + ":iam::" + in.ID.Account + ":role/"
	name, ours := strings.CutPrefix(addon.Value.Role, want)
	if !ours || name == "" || strings.HasPrefix(name, "/") || strings.HasSuffix(name, "/") || strings.ContainsFunc(name, notInRole) {
		return Reason{Text: fmt.Sprintf("the add-on's role is not one of the cluster's account, %sNAME, so that it cannot be passed on; give the add-on another",
			want)}
	}
	return Reason{}
}

// notInRole reports whether a character is neither in names nor in paths of roles (IAM API reference, CreateRole). Paths may have more of ASCII
// than what is written here; AWS's own do not.
func notInRole(r rune) bool {
	return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_+=,.@-/", r)
}

// shutHealth lets a step be taken only from an add-on that is ACTIVE and has no health issues when it is read right before, so also after the
// soak of a step that was proved; and from one that is DEGRADED, or has issues, by nothing but what the step cures.
func shutHealth(a Addon, s Step) Reason {
	issues := few(a.Issues, 3)
	switch {
	case a.Status != "ACTIVE" && a.Status != "DEGRADED":
		return Reason{Text: "the add-on is " + a.Status}
	case cures(s, a.Issues), a.Status == "ACTIVE" && issues == "":
		return Reason{}
	case issues == "":
		return Reason{Text: "the add-on is " + a.Status + ", and EKS gives no reason"}
	}
	return Reason{Text: "the add-on is " + a.Status + ": " + issues}
}

// cures reports whether a step leads from a release whose aws-node is known not to become ready to one of which that is not known, and the
// issues are nothing but that.
func cures(s Step, issues []string) bool {
	return len(issues) > 0 && s.From.Unready() && !s.To.Unready() && !slices.ContainsFunc(issues, func(issue string) bool {
		code, _, _ := strings.Cut(issue, ":")
		return code != "InsufficientNumberOfReplicas"
	})
}
