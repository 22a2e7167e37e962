package guard

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/plain"
)

// ByHand is what a person needs to know to update the VPC CNI of a cluster without cniguard. It holds no configuration values, which may be secret.
type ByHand struct {
	Kubernetes string   `json:"kubernetes,omitempty"` // the cluster's version, as "1.33"
	Managed    bool     `json:"managed,omitempty"`    // EKS manages the add-on
	Tool       string   `json:"tool,omitempty"`       // who installed it, or changed it last, as "Terraform"; untrusted, cleaned and cut; empty: nothing tells
	Role       string   `json:"role,omitempty"`       // service-account role ARN of the managed add-on; empty: the node role
	Configured bool     `json:"configured,omitempty"` // the managed add-on has configuration values
	Prefixes   bool     `json:"prefixes,omitempty"`   // nodes take /28 prefixes, or may: then there is no way back below v1.9.0
	Room       string   `json:"room,omitempty"`       // why aws-node had better not restart now; empty: it may, or how full the subnets are is not known
	Listed     string   `json:"listed,omitempty"`     // the compatible release that has the installed version; empty: EKS lists none, so that there is no way back to it
	Path       []string `json:"path,omitempty"`       // the releases to go through, as EKS lists them, whoever installed it; empty: see Why
	Gaps       []string `json:"gaps,omitempty"`       // the steps that skip minor versions, a sentence each
	Why        string   `json:"why,omitempty"`        // the path in words, or why there is none; empty: there is nothing to change
	// Refused are the variables of an aws-node that EKS does not manage which the schema of the first release on the path, or of Listed, refuses as
	// configuration values.
	Refused   []string `json:"refused,omitempty"`
	Unchecked string   `json:"unchecked,omitempty"` // why they were not held against a schema; empty: they were, or there are none
}

// byHand says what a person who updates the VPC CNI needs to know: of a managed add-on where an update is wanted, of another always, since it can
// be handed over to EKS.
func (d *draft) byHand() {
	in, node := d.in, d.in.Seen.selfManaged()
	switch addon := in.Seen.Addon; {
	case in.Settings.Fault != nil:
	case addon.Fault == nil && addon.Value != nil:
		if d.path.Code != "" {
			d.plan.ByHand = in.ofManaged(*addon.Value, d.path)
		}
	case node != nil:
		d.plan.ByHand = in.ofSelfManaged(*node)
	case in.Node() != nil: // it could not be read now, and is known from before
		d.plan.ByHand = in.Record.ByHand
	}
}

func (in Input) ofManaged(addon Addon, path cni.Path) ByHand {
	b := in.handed(path)
	b.Managed, b.Role, b.Configured = true, addon.Role, strings.TrimSpace(addon.Config) != ""
	for _, r := range in.Seen.Catalogue.Value {
		if r.Version == addon.Version {
			b.Listed = r.Version.String()
		}
	}
	name, _ := owner(addon.Tags)
	if name == "" {
		name, _ = owner(in.Seen.Cluster.Value.Tags)
	}
	if l := in.lastChange(); name == "" && l != nil {
		name = l.Tool
	}
	b.Tool = plain.Clean(name, longestTool)
	return b
}

// longestTool is how many characters are kept of the name of a tool, which a tag may give.
const longestTool = 64

func (in Input) ofSelfManaged(node DaemonSet) ByHand {
	b := in.handed(in.pathOf(node))
	b.Tool, b.Listed = plain.Clean(node.By.Name, longestTool), newest(node.Version, in.Seen.Catalogue.Value)
	of, seen := b.first(), in.Seen.Configuration
	switch {
	case len(node.Env) == 0 || of == "":
	case in.knowsRefused(node, of):
		b.Refused = in.Record.ByHand.Refused
	case seen.Fault != nil:
		b.Unchecked = unread("the schema of "+of, seen.Fault)
	case seen.Value == nil || seen.Value.Of.String() != of:
		b.Unchecked = "the schema of " + of + " was not read"
	default:
		b.Refused = refusedOf(node.Env, seen.Value.Refused)
	}
	return b
}

// handed is what an update needs to know whoever installed what it updates.
func (in Input) handed(path cni.Path) ByHand {
	b := ByHand{
		Kubernetes: in.Seen.Cluster.Value.Kubernetes, Gaps: path.Gaps, Why: path.Why, Room: shutRoom(in).Text,
		Prefixes: in.Seen.Hosts.Fault != nil || in.Seen.takesPrefixes(),
	}
	for _, v := range path.Steps {
		b.Path = append(b.Path, v.String())
	}
	if f := in.Seen.Catalogue.Fault; f != nil && path.Code != cni.FromUnknown {
		b.Why = unread("the list of compatible versions", f)
	}
	return b
}

// first is the release that the first step leads to; empty: there is none. EKS may take over an aws-node at its own version.
func (b ByHand) first() string {
	if len(b.Path) > 0 {
		return b.Path[0]
	}
	return b.Listed
}

// newest is the newest build of a version among the releases that are compatible; empty: there is none.
func newest(v cni.Version, catalogue []cni.Release) string {
	var found cni.Version
	for _, r := range catalogue {
		same := r.Version
		same.Build = v.Build
		if v.Known() && same == v && r.Version.Build > found.Build {
			found = r.Version
		}
	}
	if !found.Known() {
		return ""
	}
	return found.String()
}

// selfManaged is the aws-node that EKS does not manage and that runs the network, as it was read now; nil: there is none, or it was not.
func (s Snapshot) selfManaged() *DaemonSet {
	inside := s.Inside
	if s.Addon.Fault != nil || s.Addon.Value != nil || inside.Fault != nil || inside.Value == nil || s.switchedOff() {
		return nil
	}
	return inside.Value.Node
}

// pathOf is the way of an aws-node that EKS does not manage to the policy's target.
func (in Input) pathOf(node DaemonSet) cni.Path {
	s := in.Settings.Value
	return cni.Plan(node.Version, s.Floor, s.Target, in.Seen.Catalogue.Value)
}

// WantsCatalogue reports whether the compatible releases are to be read for an aws-node that EKS does not manage, to say how a person updates it.
func (in Input) WantsCatalogue() bool {
	node := in.Seen.selfManaged()
	return in.Settings.Fault == nil && node != nil && node.Version.Known()
}

// WantsEnvironment is the release whose schema the environment of an aws-node is to be held against that EKS does not manage, and that environment
// as configuration values. False: there is none, or the record has what came of it.
func (in Input) WantsEnvironment() (of cni.Version, values string, wanted bool) {
	node := in.Seen.selfManaged()
	if !in.WantsCatalogue() || len(node.Env) == 0 || in.Seen.Catalogue.Fault != nil {
		return of, "", false
	}
	b := in.handed(in.pathOf(*node))
	b.Listed = newest(node.Version, in.Seen.Catalogue.Value)
	if of = cni.Parse(b.first()); !of.Known() || in.knowsRefused(*node, of.String()) {
		return of, "", false
	}
	env := map[string]string{}
	for _, f := range node.Env {
		env[f.Name] = f.Value
	}
	text, _ := json.Marshal(map[string]any{"env": env}) // texts always have a JSON form
	return of, string(text), true
}

// knowsRefused reports whether the record has what the schema of a release refuses of an environment: neither of the two changes by itself.
func (in Input) knowsRefused(node DaemonSet, of string) bool {
	was, known := in.Record.ByHand, in.Record.Node
	return known != nil && was.Unchecked == "" && was.first() == of && slices.Equal(known.Env, node.Env)
}

// refusedOf are the variables of an environment that JSON pointers of a schema's refusals lead to, as "/env/ENABLE_IPv4". A pointer to all of them
// means each.
func refusedOf(env []Fact, pointers []string) []string {
	var names []string
	for _, f := range env {
		if slices.ContainsFunc(pointers, func(p string) bool { return p == "/" || p == "/env" || p == "/env/"+f.Name }) {
			names = append(names, f.Name)
		}
	}
	return names
}
