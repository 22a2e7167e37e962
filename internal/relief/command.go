package relief

import (
	"encoding/json"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/plain"
)

// aws makes a command of the AWS CLI for the cluster's region.
func (f Facts) aws(service, verb string, words ...string) string {
	return plain.Command(append([]string{"aws", service, verb, "--region", f.Cluster.Region}, words...)...)
}

// kubeconfig makes sure that the kubectl commands after it are about this cluster.
func (f Facts) kubeconfig() string {
	return f.aws("eks", "update-kubeconfig", "--name", f.Cluster.Name)
}

const (
	added  = "vpc-cni-add.json"    // the settings to add
	merged = "vpc-cni-merged.json" // what a person makes of these and of those that are set; the command fails until it is there
)

// setting is a variable of the container aws-node.
type setting struct{ name, value string }

// set makes the commands that give variables of aws-node a value, and the file that goes with them. UpdateAddon drops a role that is
// not sent, and replaces all configuration values (EKS API reference, UpdateAddon): so both are shown first.
func (f Facts) set(settings ...setting) ([]string, []File) {
	if !f.Managed {
		words := []string{"kubectl", "set", "env", "daemonset", "aws-node", "-n", "kube-system"}
		for _, s := range settings {
			words = append(words, s.name+"="+s.value)
		}
		return []string{plain.Command(words...)}, nil
	}
	env := map[string]string{}
	for _, s := range settings {
		env[s.name] = s.value
	}
	config, _ := json.MarshalIndent(map[string]map[string]string{"env": env}, "", "  ") // strings always have a JSON form
	addon := []string{"--cluster-name", f.Cluster.Name, "--addon-name", "vpc-cni"}
	return []string{
		f.aws("eks", "describe-addon", append(addon, "--query", "addon.{role: serviceAccountRoleArn, configuration: configurationValues}")...),
		f.aws("eks", "update-addon", append(addon, "--resolve-conflicts", "PRESERVE",
			"--service-account-role-arn", "ROLE_THAT_DESCRIBE_ADDON_SHOWS", "--configuration-values", "file://"+merged)...),
	}, []File{{added, string(config) + "\n"}}
}

// change is set on its own, with kubectl for this cluster where it is used.
func (f Facts) change(settings ...setting) ([]string, []File) {
	commands, files := f.set(settings...)
	if !f.Managed {
		commands = append([]string{f.kubeconfig()}, commands...)
	}
	return commands, files
}

// care is what to mind when variables of aws-node are set.
func (f Facts) care() string {
	if f.Managed {
		return "Merge " + added + " by hand with the configuration that describe-addon shows, save it as " + merged +
			" and send the role that it shows: what is not sent is lost. Leave --service-account-role-arn out only where it shows null." +
			" PRESERVE keeps a value that was set with kubectl." +
			" Whoever owns the add-on (CloudFormation, Terraform, eksctl) has to set the same."
	}
	return "Whoever installs aws-node (a manifest, Helm, Terraform) has to set the same, or its next run takes it back."
}

// survives reports whether the release that runs is known to start on a subnet without free addresses: amazon-vpc-cni-k8s #1830.
func (f Facts) survives() bool { return f.Version.Satisfies(cni.RecommendedFloor()) }

// Outage is why aws-node may not be changed now: it restarts with each change. Empty: it may.
func (f Facts) Outage() string {
	s, cramped := capacity.Pods{Subnets: f.Subnets}.Cramped()
	if !cramped || f.survives() {
		return ""
	}
	runs := "which version runs is not known"
	if f.Version.Known() {
		runs = f.Version.String() + " runs"
	}
	return "not before " + name(s.ID) + " has room: below " + cni.RecommendedFloor().String() + " aws-node crash-loops when it restarts on a full subnet, and " + runs
}

// restart is what new settings do to the nodes. It comes before all other risks.
func (f Facts) restart() string {
	if f.survives() {
		return "Every aws-node pod is restarted."
	}
	crash := "Every aws-node pod is restarted, and releases below " + cni.RecommendedFloor().String() + " crash when they start on a subnet without free addresses"
	if f.Version.Known() {
		return crash + ": " + f.Version.String() + " runs."
	}
	return crash + "; which runs is not known."
}

// owner says who has to run the EC2 commands where subnets are another account's, which alone can change them (VPC user guide, "Share
// your VPC subnets with other accounts").
func (f Facts) owner(subnets []capacity.Subnet) string {
	for _, s := range subnets {
		if s.Owner != "" && s.Owner != f.Cluster.Account {
			return "Account " + name(s.Owner) + " shares " + name(s.ID) + ": only the owner can run the ec2 commands there."
		}
	}
	return ""
}
