package notify

// refused are the texts of an update that EKS does not take, and gives no reason that a person can clear.
var refused = words{
	wrong: "an update of vpc-cni is wanted, and EKS does not take it",
	means: "The cluster stays at {version}. {full}",
	do: "See the error above. cniguard tries again by itself, at least once an hour; what lasts is for whoever looks after its updater role, " +
		"or for AWS support.",
	run: []command{describeAddon, listUpdates},
}

// cures are what to do about an update that failed with an error of EKS, by its code, where it is more than to look.
var cures = map[string]words{
	"ConfigurationConflict": {
		do: "Somebody set the fields that are named in the error, and EKS does not take them back. Remove them from the aws-node DaemonSet, or " +
			"set them as configuration values of the add-on, then approve the update again. To overwrite them is to lose them.",
		run: []command{describeUpdate, describeAddon, kubeconfig, daemonSet, approveUpdate},
	},
	"InvalidParameterException": {
		do: "EKS refuses what the update asks for; the error names it. Where it is a configuration value that the new version does not know, " +
			"take it out of the add-on's configuration, then approve the update again.",
		run: []command{describeAddon, describeConfiguration, approveUpdate},
	},
	"AccessDeniedException": {
		do:  "Allow cniguard's updater role the action that the error names: eks:UpdateAddon, and iam:PassRole for the add-on's own role.",
		run: []command{updaterRole, describeAddon},
	},
	"AccessDenied": {
		do: "See that cniguard's updater role exists in the account under the name that is configured, and trusts the role of cniguard's " +
			"urgent function.",
		run: []command{updaterRole},
	},
	"AdmissionRequestDenied": {
		do:  "An admission webhook or policy in the cluster refuses the change; the error names it. Let it pass, then approve the update again.",
		run: []command{describeUpdate, kubeconfig, webhooks, approveUpdate},
	},
}
