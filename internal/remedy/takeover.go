package remedy

import (
	"fmt"

	"github.com/cniguard/cniguard/internal/plain"
)

const (
	schemaFile = "vpc-cni-schema.json"  // of a release's configuration values
	nodeBackup = "aws-node-before.yaml" // the DaemonSet as it was
	moreBackup = "aws-node-more-before.yaml"
)

// takeOver is the step with which EKS takes over an aws-node that it does not manage.
func (f Facts) takeOver(s Step, values string) Step {
	if f.Node.By.Name != "" {
		s.Notes = append(s.Notes, "Who installed aws-node: "+f.Node.By.String()+".")
	}
	s.Notes = append(s.Notes, "Let whatever installs aws-node go of it first, without deleting anything:"+
		" `helm uninstall`, or a manifest that is applied again, would undo this.")
	s.Before = f.beforeTakeOver(s, values != "")
	s.Change.Say = []string{"EKS replaces aws-node on a few nodes at a time. New pods on a node wait until it runs there again;" +
		" those that run keep their network."}
	if values != "" {
		s.Change.Files = []File{{valuesFile, values}}
	}
	words := append([]string{"--addon-version", s.To, "--resolve-conflicts", "OVERWRITE"}, f.sentAgain()...)
	s.Change.Run = []string{f.eks("create-addon", append(words, "--query", "addon.status", "--output", "text")...)}
	s.Wait = Part{
		Say: []string{"It ends with an error where the creation failed, or is not done after half an hour."},
		Run: []string{f.active()},
	}
	s.After = f.after(s)
	s.After.Say = append(s.After.Say, "The environment of aws-node must be what it was, but for new variables of the release.")
	s.After.Run = append(s.After.Run, f.getNode("yaml")+" | diff "+nodeBackup+" - || true")
	if f.Node.By.Name == "Helm" {
		s.After.Say = append(s.After.Say, "Where all is as it should be, the last command has Helm forget the release; it deletes nothing else.")
		s.After.Run = append(s.After.Run, f.kube("delete", "secret", "--selector", "owner=helm,name="+f.helmRelease()))
	}
	s.Back = f.letGo(s)
	return s
}

func (f Facts) beforeTakeOver(s Step, configured bool) Part {
	p := Part{
		Say: []string{
			"The first command fails where EKS manages the add-on already.",
			fmt.Sprintf("The backup in %s is the way back: keep it; where it stands already it is left as it is. %s has the service account and"+
				" the ConfigMap.", nodeBackup, moreBackup),
			`The selector must be {"k8s-app":"aws-node"}: it cannot be changed, and EKS cannot take over an aws-node that has another.`,
			"Hold the role in the annotation eks.amazonaws.com/role-arn of the service account against the role below.",
		},
		Run: []string{
			"if " + f.eks("describe-addon", "--query", "addon.[addonVersion, status]") + "; then echo 'EKS manages it already.' >&2; false; fi",
			f.eks("update-kubeconfig"),
			"[ -s " + nodeBackup + " ] || " + f.getNode("yaml") + " > " + nodeBackup,
			"[ -s " + moreBackup + " ] || " + f.kube("get", "serviceaccount/aws-node", "configmap/amazon-vpc-cni", "--ignore-not-found", "--output", "yaml") + " > " + moreBackup,
			f.getNode(selectorPath),
			f.kube("get", "serviceaccount", "aws-node", "--output", `jsonpath={.metadata.annotations.eks\.amazonaws\.com/role-arn}{"\n"}`),
			f.rolledOut("5m"),
		},
	}
	if configured {
		p.Say = append(p.Say, fmt.Sprintf("Each variable of %s must be a property of Env in %s, the schema of %s: else EKS refuses them all.",
			valuesFile, schemaFile, s.To))
		p.Run = append(p.Run, save(schemaFile,
			f.eks("describe-addon-configuration", "--addon-version", s.To, "--query", "configurationSchema", "--output", "text")))
	}
	return p
}

// active waits until EKS has taken over.
func (f Facts) active() string {
	return waiting{
		look: f.eks("describe-addon", "--output", "text"), what: "addon.status",
		done: "ACTIVE", failed: "CREATE_FAILED | DEGRADED | DELETING | DELETE_FAILED", errors: "addon.health.issues[].[code, message]",
	}.String()
}

// letGo is the way back from the take-over. A backup names the version of the object that it was read from, which the API would insist on. What
// EKS does not manage may go back further than EKS would, but not to what harms.
func (f Facts) letGo(s Step) Part {
	p := Part{Say: []string{
		"--preserve leaves the software running as it is, with EKS no longer managing it. Never leave it out: without it the network of new pods goes.",
	}}
	gone := f.eks("delete-addon", "--preserve", "--query", "addon.status", "--output", "text") + " && \\\n    " + f.eks("wait addon-deleted")
	if why := f.noWayBackInside(s); why != "" {
		p.Say = append(p.Say, "The release stays: "+why+".")
		p.Run = []string{gone}
		return p
	}
	p.Say = append(p.Say, "The first command ends by putting back the DaemonSet as it was. Where the service account had another role, put its annotation back too.")
	p.Run = []string{
		gone + " && \\\n    sed " + plain.Quote("/^  resourceVersion: /d; /^  uid: /d") + " " + nodeBackup + " | " + f.kubectl("replace", "-f", "-"),
		f.rolledOut("15m"),
	}
	return p
}
