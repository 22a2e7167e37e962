package remedy

import (
	"fmt"
	"strings"

	"github.com/cniguard/cniguard/internal/plain"
)

// The ClusterConfig that names the one add-on, and the same with its configuration values.
const (
	eksctlFile       = "vpc-cni-eksctl.yaml"
	eksctlValuesFile = "vpc-cni-eksctl-values.yaml"
)

// eksctl updates the add-on with a ClusterConfig: its flags know neither PRESERVE nor configuration values (eksctl documentation, "EKS add-ons").
func eksctl(f Facts) (Fix, error) {
	notes := []string{
		"The file names the one add-on, so that nothing else is changed. Carry its version over to the ClusterConfig that you keep.",
		"The commands take a file since eksctl's flags know neither resolveConflicts nor configuration values.",
	}
	if !f.Managed && f.serviceRole() == "" {
		notes = append(notes, "No role is known for aws-node."+
			" Without serviceAccountRoleARN eksctl makes one itself, in a stack of its own, where the cluster has an OIDC provider.")
	}
	fix := Fix{
		Method: Eksctl, Notes: f.notes(notes...),
		Checked: "The file is read by a YAML library, strictly, into the fields that eksctl documents, the commands by a shell," +
			" and what they say is done to a simulated cluster.",
		Unchecked: "eksctl itself did not read it: its Go module cannot be had where the checks run." +
			" That it sends all of it to EKS is as its documentation says.",
	}
	var err error
	fix.Steps, err = f.declared(f.eksctlStep)
	return fix, err
}

func (f Facts) eksctlStep(s *Step, i int) {
	s.Wait = f.settled(s.To)
	if f.takes(i) {
		s.Change = join(s.Change, f.config("create", s.To, i))
		return
	}
	s.Change, s.Back = f.config("update", s.To, i), join(f.config("update", s.From, i), f.settled(s.From))
}

// config has eksctl do what a ClusterConfig says.
func (f Facts) config(verb, version string, i int) Part {
	p := Part{Files: []File{{eksctlFile, f.clusterConfig(version, i)}}}
	run := func(file string) string {
		return plain.Command("eksctl", verb, "addon", "--config-file", file, "--wait")
	}
	if f.Managed && f.Configured {
		p.Say = []string{"The command adds the configuration values to the file. They may be secret: keep " + eksctlValuesFile + " out of the repository."}
		p.Run = []string{f.withValues() + " &&\n" + run(eksctlValuesFile)}
		return p
	}
	p.Run = []string{run(eksctlFile)}
	return p
}

// withValues adds the configuration values to the file, which a ClusterConfig cannot name. What the AWS CLI prints as JSON is a string of YAML too.
func (f Facts) withValues() string {
	return "{ cat " + eksctlFile + " && printf '    configurationValues: ' &&\n" +
		f.eks("describe-addon", "--query", "addon.configurationValues", "--output", "json") + "\n} > " + eksctlValuesFile
}

// clusterConfig is the file (eksctl documentation, "EKS add-ons" and "Config file schema").
func (f Facts) clusterConfig(to string, i int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata:\n  name: %s\n  region: %s\naddons:\n",
		doubleQuoted(f.Cluster.Name), doubleQuoted(f.Cluster.Region))
	fmt.Fprintf(&b, "  - name: vpc-cni\n    version: %s\n    resolveConflicts: %s\n", doubleQuoted(to), strings.ToLower(f.conflicts(i)))
	if role := f.serviceRole(); role != "" {
		fmt.Fprintf(&b, "    serviceAccountRoleARN: %s\n", doubleQuoted(role))
	}
	if values := f.translated(); values != "" {
		fmt.Fprintf(&b, "    configurationValues: %s\n", doubleQuoted(values))
	}
	return b.String()
}
