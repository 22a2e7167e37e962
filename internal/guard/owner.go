package guard

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/policy"
)

// LastChange is the last CreateAddon or UpdateAddon of a cluster's vpc-cni that was not cniguard's own, as CloudTrail tells it.
type LastChange struct {
	Call  string    `json:"call,omitempty"`  // as "UpdateAddon"; empty: CloudTrail knows of none in its 90 days
	Tool  string    `json:"tool,omitempty"`  // what made it, as "Terraform"; empty: no tool that is known, such as a person at the console
	Agent string    `json:"agent,omitempty"` // the word of the user agent that says so, as "Terraform/1.9.0"; untrusted, cleaned and cut
	At    time.Time `json:"at,omitzero"`
}

// WantsLastChange reports whether it is to be asked who changed the add-on last: where all else lets the next step start. CloudTrail
// answers two look-ups a second for all who are in an account and region (CloudTrail API reference, LookupEvents).
func (in Input) WantsLastChange() bool {
	if in.asked() || shutMode(in).shut() {
		return false
	}
	in.Seen.LastChange = Read(&LastChange{})
	return slices.ContainsFunc(Decide(in).Actions, func(a Action) bool { return a.Kind == StartUpdate })
}

// asked reports whether it was asked who changed the add-on last. Until then no step starts.
func (in Input) asked() bool { return in.Seen.LastChange != Reading[*LastChange]{} }

// lastChange is who changed the add-on last, as it was read now or, where it was not, as the record has it: what another gate holds back
// is not asked about, and its owner is still its owner.
func (in Input) lastChange() *LastChange {
	if in.Seen.LastChange.Value != nil {
		return in.Seen.LastChange.Value
	}
	return in.Record.LastChange
}

// remembered is what a record keeps of it: a tool. All else is asked again, and opens nothing.
func (l *LastChange) remembered() *LastChange {
	if l == nil || l.Tool == "" {
		return nil
	}
	kept := *l
	return &kept
}

// tool is what makes calls of the EKS API for people who describe what they want elsewhere, and makes them again when it differs.
type tool struct {
	name  string
	words []string // with which a word of its user agent begins, in small letters
}

// tools are in the order in which they are looked for: Pulumi's provider for AWS is made of Terraform's. Their user agents, as CloudTrail
// has them: "APN/1.0 Pulumi/1.0 PulumiAwsNative/…" (pulumi-aws-native, provider.go); "APN/1.0 HashiCorp/1.0 Terraform/… terraform-provider-aws/…"
// (terraform-provider-aws, "Custom User-Agent Information"); "… eksctl/…" (eksctl, pkg/eks); the CDK too has CloudFormation make its calls,
// of which CloudTrail says only the service (CloudTrail user guide, "CloudTrail record contents", invokedBy).
func tools() []tool {
	return []tool{
		{"Pulumi", []string{"pulumi"}},
		{"Terraform", []string{"terraform/", "terraform-provider-", "opentofu/"}},
		{"eksctl", []string{"eksctl/"}},
		{"CloudFormation", []string{"cloudformation.amazonaws.com", "cloudcontrolapi.amazonaws.com"}},
	}
}

// Tool is the tool that a user agent tells of, and the word that tells it. Both are empty for people, and for what is not known: a user
// agent can be forged, so it is evidence against a change of ours, and never for one.
func Tool(userAgent string) (name, word string) {
	words := strings.FieldsFunc(userAgent, func(r rune) bool { return strings.ContainsRune(" \t,;()[]\"", r) })
	for _, t := range tools() {
		for _, w := range words {
			lower := strings.ToLower(w)
			if slices.ContainsFunc(t.words, func(begin string) bool { return strings.HasPrefix(lower, begin) }) {
				return t.name, w
			}
		}
	}
	return "", ""
}

// owner reads who manages something from its tags. CloudFormation sets its own; eksctl tags what it makes; Terraform and Pulumi
// leave no mark of their own, so that only their users' customary tags can tell. Whatever such a tag names is an owner, known to
// us or not.
func owner(tags map[string]string) (name, evidence string) {
	for _, key := range sortedKeys(tags) {
		lower, value := strings.ToLower(key), strings.ToLower(tags[key])
		switch {
		case strings.HasPrefix(lower, "aws:cloudformation:"):
			name = "CloudFormation"
		case strings.HasPrefix(lower, "alpha.eksctl.io/"), strings.HasPrefix(lower, "eksctl.cluster.k8s.io/"):
			name = "eksctl"
		case strings.HasPrefix(lower, "pulumi:"):
			name = "Pulumi"
		case lower == "terraform" && value != "false", strings.HasPrefix(lower, "terraform:"):
			name = "Terraform"
		case isManagedBy(lower) && value != "" && value != policy.Owned && value != "eks":
			name = tags[key]
		default:
			continue
		}
		return name, key + "=" + tags[key]
	}
	return "", ""
}

func isManagedBy(lower string) bool {
	switch strings.NewReplacer("-", "", "_", "", ":", "", "/", "", ".", "").Replace(lower) {
	case "managedby", "provisionedby", "provisioner", "appkubernetesiomanagedby", "iac", "iactool":
		return true
	}
	return false
}

func shutOwner(in Input) Reason {
	cluster, addon := in.Seen.Cluster, in.Seen.Addon
	switch {
	case cluster.Fault != nil:
		return hidden("the cluster's tags", cluster.Fault)
	case addon.Fault != nil:
		return hidden("the add-on's tags", addon.Fault)
	case cluster.Value == nil || addon.Value == nil:
		return Reason{Text: "there is no managed add-on"}
	}
	if name, evidence := owner(addon.Value.Tags); name != "" {
		return Reason{Text: fmt.Sprintf("the add-on belongs to %s (tag %s): change it there", name, evidence)}
	}
	if name, evidence := owner(cluster.Value.Tags); name != "" {
		return Reason{Text: fmt.Sprintf("the cluster belongs to %s (tag %s): change the add-on there", name, evidence)}
	}
	if f := in.Seen.LastChange.Fault; f != nil {
		return hidden("who changed the add-on last", f)
	}
	if l := in.lastChange(); l != nil && l.Tool != "" {
		return Reason{Text: fmt.Sprintf("%s changed the add-on last (%s on %s by %s): change it there", l.Tool, l.Call, l.At.UTC().Format("2006-01-02 15:04"), l.Agent)}
	}
	s := in.Settings
	if s.Fault == nil && s.Value.Mode == policy.Auto && s.Value.Owner != policy.Owned {
		return Reason{Text: "nobody is known to own the add-on; automatic updates need `owner: cniguard` in the policy"}
	}
	return Reason{}
}
