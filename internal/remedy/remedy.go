// Package remedy says how a person updates the VPC CNI of a cluster with the tool that it was installed with: what to look at before, what
// to run or to change, how to wait, what proves it, and the way back. All of it is ready to paste. It is pure.
package remedy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
)

// Method is a tool by which the VPC CNI is installed.
type Method string

// The methods.
const (
	Manifest       Method = "manifest"       // kubectl, with a release's manifest
	Helm           Method = "helm"           // the chart eks/aws-vpc-cni
	Addon          Method = "addon"          // the EKS managed add-on, with the AWS CLI
	Eksctl         Method = "eksctl"         // the managed add-on, in eksctl's words
	Terraform      Method = "terraform"      // aws_eks_addon, or the module terraform-aws-eks
	Pulumi         Method = "pulumi"         // aws.eks.Addon
	CloudFormation Method = "cloudformation" // AWS::EKS::Addon, or the CDK
)

// Methods are all methods, in the order of their documentation.
func Methods() []Method {
	return []Method{Manifest, Helm, Addon, Eksctl, Terraform, Pulumi, CloudFormation}
}

// Facts are what is known of a cluster and its VPC CNI.
type Facts struct {
	Cluster cluster.ID
	Version cni.Version      // installed; not Known: nothing can be said
	Node    *guard.DaemonSet // the aws-node that EKS does not manage, as it was read last; nil: none is known
	guard.ByHand
}

// Fix is how a cluster's VPC CNI is updated with one method.
type Fix struct {
	Method Method   `json:"method"`
	Notes  []string `json:"notes"` // what to know before the first step, in sentences
	Steps  []Step   `json:"steps"` // each proves itself before the next begins
	// Checked says by which tool the text was checked; where Unchecked is not empty, that says what was not, and why.
	Checked   string `json:"checked"`
	Unchecked string `json:"unchecked,omitempty"`
}

// Step leads from one version to the next.
type Step struct {
	From   string   `json:"from"`
	To     string   `json:"to"` // as EKS lists them, or as the release is tagged: what the method has to name
	Notes  []string `json:"notes,omitempty"`
	Before Part     `json:"before"` // what must be so; nothing is changed
	Change Part     `json:"change"`
	Wait   Part     `json:"wait"`  // until it is done; fails where it did not work
	After  Part     `json:"after"` // what proves it
	Back   Part     `json:"back"`  // the way back; without commands it says why there is none
}

// Part is a part of a step, told in this order.
type Part struct {
	Say   []string `json:"say,omitempty"`   // sentences
	Files []File   `json:"files,omitempty"` // to write, into the folder where the commands are run
	Run   []string `json:"run,omitempty"`   // commands for a POSIX shell, each a whole
}

// File is a file that commands name, or that is a part of what people keep elsewhere.
type File struct {
	Name string `json:"name"` // as "vpc-cni.tf"
	Text string `json:"text"`
}

// For is the fix of a cluster with one method. An error says why there is none, and what there is instead.
func For(f Facts, m Method) (Fix, error) {
	render, ok := renderers()[m]
	if !ok {
		return Fix{}, fmt.Errorf("there is no method %q; there are %s", m, names())
	}
	if err := f.check(m); err != nil {
		return Fix{}, err
	}
	return render(f)
}

func names() string {
	var all []string
	for _, m := range Methods() {
		all = append(all, string(m))
	}
	return strings.Join(all, ", ")
}

// check is why a method cannot be used on a cluster.
func (f Facts) check(m Method) error {
	inside := m == Manifest || m == Helm
	switch {
	case f.Managed && inside:
		return fmt.Errorf("EKS manages the add-on of %s, and would take back what %s changes; use --with addon, or the tool that made the add-on", f.Cluster.Name, m)
	case !f.Version.Known():
		return fmt.Errorf("which version of the VPC CNI runs in %s is not known", f.Cluster.Name)
	case len(f.Path) == 0 && (f.Managed || inside || f.Listed == ""):
		return fmt.Errorf("there is nothing to change in %s: %s", f.Cluster.Name, f.Why)
	}
	return nil
}

// releases are what the steps lead to, as EKS lists them. An install that EKS takes over at its own version has one step.
func (f Facts) releases() []cni.Version {
	if len(f.Path) == 0 {
		return []cni.Version{cni.Parse(f.Listed)}
	}
	var all []cni.Version
	for _, v := range f.Path {
		all = append(all, cni.Parse(v))
	}
	return all
}

// tag is a release as it is tagged where EKS does not build it: "v1.20.4" for "v1.20.4-eksbuild.1".
func tag(v cni.Version) string { return fmt.Sprintf("v%d.%d.%d", v.Major, v.Minor, v.Patch) }

// way are the steps with their versions, and nothing else yet.
func (f Facts) way(text func(cni.Version) string) []Step {
	from := f.Version
	var steps []Step
	for _, to := range f.releases() {
		steps = append(steps, Step{From: text(from), To: text(to)})
		from = to
	}
	return steps
}

// gapNotes are the steps that skip minor versions: upstream advises one at a time.
func (f Facts) gapNotes() (notes []string) {
	for _, gap := range f.Gaps {
		notes = append(notes, "Some minor versions are skipped: "+plain.Clean(gap, plain.Text)+".")
	}
	return notes
}

// renderers are the methods' own.
func renderers() map[Method]func(Facts) (Fix, error) {
	return map[Method]func(Facts) (Fix, error){
		Manifest: manifest, Helm: helm, Addon: addon, Eksctl: eksctl, Terraform: terraform, Pulumi: pulumi, CloudFormation: cloudFormation,
	}
}

// Suggest is the method that fits who installed the VPC CNI, or changed it last, as far as that left marks: a tag may name it in any case.
func Suggest(f Facts, tool string) Method {
	for m, words := range map[Method][]string{
		Terraform: {"Terraform"}, Pulumi: {"Pulumi"}, CloudFormation: {"CloudFormation", "AWS CDK"}, Eksctl: {"eksctl"}, Helm: {"Helm"},
	} {
		if slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, tool) }) && (m != Helm || !f.Managed) {
			return m
		}
	}
	if f.Managed {
		return Addon
	}
	return Manifest
}
