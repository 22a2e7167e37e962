package guard

import (
	"fmt"
	"slices"

	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/fault"
)

// Ending is one way in which a step ends without success. What people should do about it, and with which commands, is in package notify under
// the same code.
type Ending struct {
	// Code is EKS's error code of the call or of the update, the add-on's status after an update that was called Successful, or the cause that
	// package access found.
	Code string
	// Final is true when the same step fails again until a person changes something in the cluster or its configuration, so that a second try
	// would only restart aws-node once more (EKS API reference, "ErrorDetail"; for the refused parameter, UpdateAddon).
	Final bool
}

// Endings are the ways that are told apart. Any other is not final. What is refused since another change is open, or the service is busy, is no
// ending: the step is asked for again.
func Endings() []Ending {
	return []Ending{
		{Code: fault.OneMinor, Final: true},
		{Code: "InvalidParameterException", Final: true},
		{Code: "AccessDeniedException"}, // permissions take minutes to arrive
		{Code: "AccessDenied"},
		{Code: "ConfigurationConflict", Final: true},
		{Code: "AdmissionRequestDenied", Final: true},
		{Code: "UnsupportedAddonModification", Final: true},
		{Code: "AddonSubscriptionNeeded", Final: true},
		{Code: "InsufficientNumberOfReplicas"},
		{Code: "ClusterUnreachable"},
		{Code: "UPDATE_FAILED"},
		{Code: "DEGRADED", Final: true}, // it is at that version
	}
}

// failure is why a step failed.
type failure struct {
	Code   string   // as Ending.Code; empty: EKS gave none
	Text   string   // untrusted
	Need   string   // the IAM action that was missing; empty: none was
	Fields []string // of a conflict; untrusted
}

func (f failure) final() bool {
	return slices.ContainsFunc(Endings(), func(e Ending) bool { return e.Code == f.Code && e.Final })
}

const mostFields = 8 // of a conflict, in a message

func (f failure) facts() []Fact {
	facts := []Fact{{"error", f.Text}, {"code", f.Code}}
	if f.Need != "" {
		facts = append(facts, Fact{"need", f.Need})
	}
	for i, field := range f.Fields {
		if i == mostFields {
			facts = append(facts, Fact{"fields", fmt.Sprintf("%d more", len(f.Fields)-i)})
			break
		}
		facts = append(facts, Fact{"field", field})
	}
	return facts
}

// arrived reports whether the add-on is at a step's version, so that there is nothing to try again.
func (in Input) arrived(s Step) bool {
	a := in.Seen.Addon
	return a.Fault == nil && a.Value != nil && a.Value.Version == s.To
}

// broken notes at which version a failed step of ours left the add-on UPDATE_FAILED or DEGRADED.
func (c *conclusion) broken() {
	b, addon := &c.rec.Broken, c.in.Seen.Addon
	if b.To != "" && inState(addon, "UPDATE_FAILED", "DEGRADED") && cni.Compare(addon.Value.Version, cni.Parse(b.Left)) > 0 {
		b.Left = addon.Value.Version.String()
	}
}

// shutPutBack does not repeat a step that failed once a person has put the add-on back: it is ACTIVE again below that step's version, or below
// the version at which the step left it.
func shutPutBack(in Input, s Step) string {
	b := in.Record.Broken
	switch left := cni.Parse(b.Left); {
	case !left.Known() || cni.Compare(s.From, cni.Parse(b.To)) >= 0:
		return ""
	case !inState(in.Seen.Addon, "ACTIVE") && cni.Compare(s.From, left) >= 0:
		return "" // as the step left it
	case approved(in, s, b.At):
		return ""
	}
	return fmt.Sprintf("the update to %s failed on %s, and the add-on was put back to %s since; %sa new approval opens this",
		b.To, b.At.UTC().Format("2006-01-02 15:04"), s.From, unfit(in, s, b.At))
}

// back says how to go back from a step that failed to the version before it, or why that is not offered.
func (in Input) back(s Step) []Fact {
	seen := in.Seen
	if seen.Addon.Fault == nil && inState(seen.Addon, "ACTIVE") && seen.Addon.Value.Version == s.From {
		return nil // EKS went back by itself
	}
	if why := in.noWayBack(s); why != "" {
		return []Fact{{"no way back", why}}
	}
	facts := []Fact{{"way back", s.From.String()}}
	for _, m := range in.retreat(s).Mind() {
		facts = append(facts, Fact{"but", m})
	}
	return facts
}

func (in Input) noWayBack(s Step) string {
	seen, pods := in.Seen, in.Seen.Pods
	switch {
	case seen.Cluster.Fault != nil || seen.Cluster.Value == nil || seen.Addon.Fault != nil || seen.Addon.Value == nil:
		return "the cluster or the add-on could not be read, so that it is not known what to keep"
	case seen.Catalogue.Fault != nil:
		return unread("the list of compatible versions", seen.Catalogue.Fault)
	}
	if why := in.retreat(s).Shut(); why != "" || s.From.Satisfies(cni.RecommendedFloor()) {
		return why
	}
	if pods.Fault != nil {
		return unread("the pod subnets", pods.Fault)
	}
	return shutRoom(in).Text // below v1.10.2 aws-node crash-loops where it restarts on a full subnet
}

func (in Input) retreat(s Step) cni.Retreat {
	seen := in.Seen
	r := cni.Retreat{
		From: s.To, To: s.From, Kubernetes: seen.Cluster.Value.Kubernetes, Catalogue: seen.Catalogue.Value,
		Prefixes: seen.Hosts.Fault != nil || seen.takesPrefixes(),
	}
	if in.Settings.Fault == nil {
		r.Floor = in.Settings.Value.Floor
	}
	return r
}
