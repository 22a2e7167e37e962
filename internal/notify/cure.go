package notify

import (
	"slices"

	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

// refused are the texts of an update that EKS does not take, and gives no reason that a person can clear.
var refused = words{
	wrong: "an update of vpc-cni is wanted, and EKS does not take it",
	means: "The cluster stays at {version}. {full}",
	do: "See the error above. cniguard tries again by itself, at least once an hour; what lasts is for whoever looks after its updater role, " +
		"or for AWS support.",
	run: []command{describeAddon, listUpdates},
}

// unfit are the texts of an update whose version does not take the add-on's configuration, or whose configuration was not checked.
var unfit = words{
	do: "See what the schema of {next} takes, and take out of the add-on's configuration, or change, what is named above. Configuration that is YAML " +
		"is not checked: compare it yourself, then approve the update.",
	run: []command{describeAddon, describeConfiguration},
}

// cures are what to do about an update that ended as guard.Endings tell, by code, and about one that EKS does not take at the moment. One that is
// not here is treated as any other.
var cures = map[string]words{
	"ResourceInUseException": {
		wrong: "an update of vpc-cni is wanted, and another change is open",
		do: "EKS makes one change of an add-on at a time, and the open one is not cniguard's: see whose it is, and whether it ends. cniguard asks again " +
			"by itself, at least once an hour.",
		run: []command{listUpdates, describeAddon},
	},
	fault.NoSlot: {
		wrong: "an update of vpc-cni is wanted, and cniguard's ledger does not take it",
		means: "No cluster is updated while the fleet's updates cannot be written down: more than the budget could start at once. The cluster stays at {version}. {full}",
		do: "This is about cniguard's own DynamoDB table in the hub, not about the cluster. Allow the role of cniguard's urgent function the action under " +
			"\"need\", if one is named above, on the table and its key; else see the error. cniguard tries again by itself, at least once an hour.",
		run: []command{explain, doctor},
	},
	fault.OneMinor: {
		do: "EKS goes up one minor version at a time, and this step is more. See which versions it lists for the cluster: where none lies in between, " +
			"upgrade Kubernetes first, or go around it by hand as docs/runbook.md says; then approve the update again.",
		run: []command{describeAddon, listVersions, approveUpdate},
	},
	"ConfigurationConflict": {
		do: "Somebody set the fields that are named above, and EKS does not take them back. Remove them from the aws-node DaemonSet, or " +
			"set them as configuration values of the add-on, then approve the update again. cniguard fix has the update by hand.",
		run: []command{describeUpdate, describeAddon, kubeconfig, managedFields, fix, approveUpdate},
	},
	"InvalidParameterException": {
		do: "EKS refuses what the update asks for; the error names it. Where it is a configuration value that the new version does not know, " +
			"take it out of the add-on's configuration, then approve the update again.",
		run: []command{describeAddon, describeConfiguration, approveUpdate},
	},
	"AccessDeniedException": {
		do: "Allow cniguard's updater role the action under \"need\": eks:UpdateAddon on the add-on, or iam:PassRole on the add-on's own role, for " +
			"eks.amazonaws.com.",
		run: []command{updaterRole, describeAddon},
	},
	"AccessDenied": {
		do: "Where the error begins with sts:AssumeRole, see that cniguard's updater role exists in the account under the name that is configured, and " +
			"trusts the role of cniguard's urgent function. Else EKS itself was denied: see the error, and the add-on's health.",
		run: []command{updaterRole, describeAddon},
	},
	"AdmissionRequestDenied": {
		do:  "An admission webhook or policy in the cluster refuses the change; the error names it. Let it pass, then approve the update again.",
		run: []command{describeUpdate, kubeconfig, webhooks, approveUpdate},
	},
	"UnsupportedAddonModification": {
		do:  "EKS does not make this change of the add-on; the error says why. Clear that, or ask AWS Support, then approve the update again.",
		run: []command{describeUpdate, describeAddon, approveUpdate},
	},
	"AddonSubscriptionNeeded": {
		do:  "EKS wants a subscription for this add-on, which vpc-cni never needed: ask AWS Support, then approve the update again.",
		run: []command{describeUpdate, describeAddon, approveUpdate},
	},
	"InsufficientNumberOfReplicas": {
		do: "Some aws-node pods do not become ready: see which, and what their last lines say. Usual causes: a full subnet, below v1.10.2; a permission that " +
			"the add-on's role lacks; an image that the node cannot pull; a node that is not healthy.",
		run: []command{describeUpdate, kubeconfig, nodePods, nodeLogs},
	},
	"ClusterUnreachable": {
		do: "EKS could not reach the cluster's own API: see that the cluster is healthy, and that no security group, webhook or access entry of EKS's was " +
			"changed.",
		run: []command{describeUpdate, describeCluster},
	},
	"UPDATE_FAILED": unhealthy,
	"DEGRADED":      unhealthy,
}

// unhealthy is an add-on that is not healthy after an update that EKS calls Successful.
var unhealthy = words{
	means: "EKS calls the update complete, and the add-on not healthy: on nodes where aws-node does not run, new pods get no network.",
	do:    "Read the add-on's health issues in the error, then see which aws-node pods are not ready, and what their last lines say.",
	run:   []command{describeAddon, kubeconfig, nodePods, nodeLogs},
}

// byPerson says of an update that failed what a person may do that cniguard never does: overwrite what others set, and go back to the version
// before, unless that is not offered. Where the add-on was not read, the role that such a command must keep is not known.
func (w words) byPerson(m guard.Message) words {
	if m.News != guard.NotDone || m.Verdict.Install.Word != guard.Managed {
		return w
	}
	if factOf(m, "code") == "ConfigurationConflict" {
		w.do += " The command with OVERWRITE gives them up, so that they get EKS's values; cniguard never runs it."
		w.run = slices.Concat(w.run, []command{overwriteAddon})
	}
	switch {
	case cni.Parse(factOf(m, "way back")).Known():
		w.do += " To go back, run the command with {back}: it keeps role and configuration, and restarts aws-node once more. cniguard then leaves the add-on " +
			"there until a person approves."
		w.run = slices.Concat(w.run, []command{goBack})
	case factOf(m, "no way back") != "":
		w.do += " Do not go back to the version before: see \"no way back\" above."
	}
	return w
}
