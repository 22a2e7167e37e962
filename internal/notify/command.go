package notify

import (
	"cmp"
	"net/url"
	"strings"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
)

// command makes a shell command for a message, in parts between which a line may break. Every word that is not ours is quoted.
type command func(guard.Message) []string

// keepNote goes with every update command. The command sends the role, since UpdateAddon drops one that is not sent (API
// reference, UpdateAddon: "If you don't specify an existing IAM role, then the add-on uses the permissions assigned to the node
// IAM role"), and the configuration values, of which the reference does not say that they stay. They may be secret and are never in a message.
const keepNote = "The update command keeps the add-on's role, and its configuration values: it reads them where it runs, and they are not printed here."

// fixNote goes with the command that says how to make an update.
const fixNote = "cniguard fix has it step by step, in the words of the tool that installed vpc-cni."

// approveNote goes with an approval, where a gate waits for one.
const approveNote = "Or approve it: cniguard then makes the update, behind its gates."

// heldNote goes with an update command where cniguard itself would not update.
const heldNote = "Made by hand, the update asks none of the gates above."

func eks(verb string, m guard.Message) string { return "aws eks " + verb + region(m) }

func region(m guard.Message) string { return " --region " + plain.Quote(m.Cluster.Region) }

func name(m guard.Message) string { return plain.Quote(m.Cluster.Name) }

func describeAddon(m guard.Message) []string {
	return []string{eks("describe-addon", m), "--cluster-name " + name(m), "--addon-name vpc-cni"}
}

// updateAddon makes the next step as cniguard would: with role and configuration sent back. PRESERVE keeps what was set inside the cluster.
func updateAddon(m guard.Message) []string { return withConfig(m, next(m), guard.ConflictMode) }

// overwriteAddon makes the step that failed with a conflict, and gives up what others set; goBack goes to the version before it.
func overwriteAddon(m guard.Message) []string { return withConfig(m, next(m), "OVERWRITE") }
func goBack(m guard.Message) []string {
	return withConfig(m, factOf(m, "way back"), guard.ConflictMode)
}

// withConfig is an update that keeps role and configuration. The shell reads the configuration's values where they are, since they may be secret;
// where it cannot, nothing is updated. Written with "=" and in quotes they are one word in zsh as well.
func withConfig(m guard.Message, version, resolve string) []string {
	parts := []string{
		"if config=$(" + eks("describe-addon", m), "--cluster-name " + name(m), "--addon-name vpc-cni",
		`--query "addon.configurationValues || ''"`, "--output text);", "then " + eks("update-addon", m), "--cluster-name " + name(m), "--addon-name vpc-cni",
		"--addon-version " + plain.Quote(version), "--resolve-conflicts " + resolve,
	}
	if m.Role != "" {
		parts = append(parts, "--service-account-role-arn "+plain.Quote(m.Role))
	}
	return append(parts, `${config:+--configuration-values="$config"};`, "fi")
}

// listVersions are the versions that EKS lists as compatible with the cluster.
func listVersions(m guard.Message) []string {
	return []string{
		eks("describe-addon-versions", m), "--addon-name vpc-cni",
		"--kubernetes-version $(" + eks("describe-cluster", m), "--name " + name(m), "--query cluster.version", "--output text)",
		"--query 'addons[].addonVersions[?compatibilities].addonVersion'", "--output text",
	}
}

func describeCluster(m guard.Message) []string {
	return []string{eks("describe-cluster", m), "--name " + name(m), "--query 'cluster.{status:status,health:health}'"}
}

func listAddons(m guard.Message) []string {
	return []string{eks("list-addons", m), "--cluster-name " + name(m)}
}

func listClusters(m guard.Message) []string { return []string{eks("list-clusters", m)} }

func observerRole(guard.Message) []string {
	return []string{"aws iam get-role", "--role-name " + string(access.Observer)}
}

func updaterRole(guard.Message) []string {
	return []string{"aws iam get-role", "--role-name " + string(access.Updater)}
}

// describeConfiguration shows which configuration values the version takes.
func describeConfiguration(m guard.Message) []string {
	return []string{eks("describe-addon-configuration", m), "--addon-name vpc-cni", "--addon-version " + plain.Quote(next(m)), "--query configurationSchema", "--output text"}
}

func webhooks(guard.Message) []string {
	return []string{"kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations"}
}

func listUpdates(m guard.Message) []string {
	return []string{eks("list-updates", m), "--name " + name(m), "--addon-name vpc-cni"}
}

func describeUpdate(m guard.Message) []string {
	id := cmp.Or(factOf(m, "update id"), "UPDATE_ID")
	return []string{eks("describe-update", m), "--name " + name(m), "--addon-name vpc-cni", "--update-id " + plain.Quote(id)}
}

// vpc and subnets show the free addresses of every subnet in the cluster's VPC.
func vpc(m guard.Message) []string {
	return []string{"vpc=$(" + eks("describe-cluster", m), "--name " + name(m), "--query cluster.resourcesVpcConfig.vpcId", "--output text)"}
}

func subnets(m guard.Message) []string {
	return []string{
		"aws ec2 describe-subnets" + region(m), `--filters "Name=vpc-id,Values=$vpc"`,
		"--query 'Subnets[].[SubnetId,CidrBlock,AvailableIpAddressCount]'", "--output table",
	}
}

// alarms shows the alarms that the finding names; where it names none, that on the pod subnets.
func alarms(m guard.Message) []string {
	names := "--alarm-names"
	for _, f := range m.Finding.Facts {
		if f.Name == "alarm" {
			names += " " + plain.Quote(f.Value)
		}
	}
	if names == "--alarm-names" {
		names += " " + plain.Quote(alarm.PodSubnets.Name(m.Cluster))
	}
	return []string{"aws cloudwatch describe-alarms" + region(m), names}
}

// explain says all that cniguard knows of the cluster, with what helps.
func explain(m guard.Message) []string {
	return []string{"cniguard explain " + plain.Quote(m.Cluster.String())}
}

// fix says how a person updates the VPC CNI with the tool that it was installed with.
func fix(m guard.Message) []string {
	return []string{"cniguard fix " + plain.Quote(m.Cluster.String())}
}

// doctor tries the way of an alarm's event to the hub.
func doctor(guard.Message) []string { return []string{"cniguard doctor"} }

// publisher shows the cni-metrics-helper of the cluster.
func publisher(guard.Message) []string {
	return []string{"kubectl -n kube-system get deployment cni-metrics-helper -o wide"}
}

// reservations shows what of the subnet that a finding names is reserved.
func reservations(m guard.Message) []string {
	id, _, _ := strings.Cut(factOf(m, "worst subnet"), " ")
	return []string{"aws ec2 get-subnet-cidr-reservations" + region(m), "--subnet-id " + plain.Quote(cmp.Or(id, "SUBNET_ID"))}
}

// eventRules shows the rules of the default bus, of which those of cniguard forward events to the hub.
func eventRules(m guard.Message) []string {
	return []string{"aws events list-rules" + region(m), "--name-prefix cniguard"}
}

func kubeconfig(m guard.Message) []string {
	return []string{eks("update-kubeconfig", m), "--name " + name(m)}
}

func daemonSet(guard.Message) []string {
	return []string{"kubectl -n kube-system get daemonset aws-node -o wide"}
}

// managedFields shows who set which field of aws-node.
func managedFields(guard.Message) []string {
	return []string{"kubectl -n kube-system get daemonset aws-node -o yaml", "--show-managed-fields"}
}

func nodeLogs(guard.Message) []string {
	return []string{"kubectl -n kube-system logs -l k8s-app=aws-node -c aws-node", "--tail 20 --prefix"}
}

func nodePods(guard.Message) []string {
	return []string{"kubectl -n kube-system get pods -l k8s-app=aws-node -o wide"}
}

// pending shows the pods that wait for an address: one in ContainerCreating is in phase Pending.
func pending(guard.Message) []string {
	return []string{"kubectl get pods -A -o wide", "--field-selector status.phase=Pending"}
}

// label is what a message calls its cluster. A message about an account and region has none.
func label(id cluster.ID) string {
	if id.Name == "" {
		return "account " + id.Account + " in " + id.Region
	}
	return id.Name
}

// link is the cluster's page in the console of its partition; that of all clusters, where a message is about a region.
func link(id cluster.ID) string {
	return cluster.ID{Region: url.QueryEscape(id.Region), Name: url.PathEscape(id.Name)}.ConsoleURL()
}
