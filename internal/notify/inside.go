package notify

import (
	"cmp"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
)

// doors are what to do where cniguard could not read a cluster's own API, by the code of what kept it out.
var doors = map[string]words{
	guard.NoEntry: {
		wrong: "which CNI runs is unknown: cniguard has no access entry",
		do: "Give cniguard's observer role an access entry that lets it read in kube-system; it shows no Secrets. If the role has one already, see that it was " +
			"given to this very role, and that the clock of cniguard's functions is right." + orIgnore,
		run: []command{createEntry, allowReading},
	},
	guard.OldMode: {
		wrong: "which CNI runs is unknown: the cluster knows aws-auth only",
		do: "Switch the cluster to API_AND_CONFIG_MAP, which keeps the ConfigMap and cannot be undone, wait until that is done, and give cniguard's observer role " +
			"an access entry; or map the role in aws-auth to a group that may read in kube-system." + orIgnore,
		run: []command{allowEntries, waitActive, createEntry, allowReading},
	},
	guard.NotAllowed: {
		wrong: "which CNI runs is unknown: the access entry allows too little",
		do:    "Let the observer role's access entry read in kube-system." + orIgnore,
		run:   []command{allowReading, listPolicies},
	},
	guard.PrivateEndpoint: {
		wrong: "which CNI runs is unknown: the cluster's endpoint is private",
		do:    "Deploy cniguard's functions into a VPC that reaches the endpoint (functionSubnets), or look after the version by hand." + orIgnore,
		run:   []command{endpoint},
	},
	guard.ClosedEndpoint: {
		wrong: "which CNI runs is unknown: the cluster's endpoint is open to some addresses only",
		do:    "Deploy cniguard's functions into a VPC (functionSubnets), and add the address of its NAT gateway to the cluster's publicAccessCidrs." + orIgnore,
		run:   []command{endpoint},
	},
	guard.WrongCA: {
		wrong: "which CNI runs is unknown: what answers is not the cluster",
		do: "What answers at the cluster's endpoint is not signed by the cluster's own authority, so nothing was sent to it. Look for a proxy or a firewall " +
			"that opens TLS between cniguard's functions and the cluster." + seeDocs,
		run: []command{endpoint},
	},
	guard.NotKubernetes: {
		wrong: "which CNI runs is unknown: what answers is no Kubernetes API",
		do:    "Look for a proxy between cniguard's functions and the cluster." + seeDocs,
		run:   []command{endpoint},
	},
	guard.NoKnownCNI: {
		wrong: "the cluster has nodes, and no CNI that is known",
		do: "See what runs the network: in another namespace, as an operator installs it, cniguard does not look. Nodes without any CNI are not Ready, and " +
			"their pods do not start." + orIgnore,
		run: []command{kubeconfig, networks},
	},
	guard.OddInstall: {
		wrong: "which CNI runs is unknown: aws-node is not as the VPC CNI's own",
		do:    "See what the error names, and judge this install by hand." + orIgnore,
		run:   []command{kubeconfig, networks},
	},
	guard.NoEndpoint: {
		wrong: "which CNI runs is unknown: EKS names no endpoint",
		do:    "See whether the cluster is healthy." + seeDocs,
		run:   []command{endpoint},
	},
}

const (
	seeDocs  = " More is in docs/self-managed.md."
	orIgnore = " Or set `selfManaged: ignore` in the policy." + seeDocs
)

// byHand are the texts of the findings on what EKS does not manage: neither EKS nor cniguard updates it.
var byHand = map[guard.Code]words{
	guard.VersionOutdated: {
		do: "See that the pod subnets have room, then update aws-node where it is installed from, one minor version at a time; or make it an EKS add-on, with " +
			"its role and its environment carried over. " + fixNote,
		run: []command{kubeconfig, daemonSet, fix},
	},
	guard.VersionUnknown: {
		do:  "See which image aws-node runs, and judge a private build by hand. An image tag as v1.18.5, or VPC_CNI_VERSION in its environment, tells cniguard.",
		run: []command{kubeconfig, daemonSet},
	},
	guard.UpdateStuck: {
		do:  "See which aws-node pods are not ready or still of the old version, and why; with the update strategy OnDelete each waits for somebody to delete it.",
		run: []command{kubeconfig, rollout, nodePods},
	},
	guard.ReleaseBad: {
		do:  "See that the pod subnets have room, then move to a release that has the fix, where aws-node is installed from. " + fixNote,
		run: []command{kubeconfig, daemonSet, fix},
	},
}

// unasked is the words of a recovery that nobody saw: the policy does not want to know any more.
func (w words) unasked(m guard.Message) words {
	ours := byHand[m.Finding.Code].do != "" || m.Finding.Code == guard.InstallUnknown || m.Finding.Code == guard.ImagesDiffer
	if ours && m.Verdict.Install.Word == guard.Unknown {
		w.right = "nobody looks any more whether " + string(m.Finding.Code) + " is over: {install}"
	}
	return w
}

// networks shows all that may be a CNI.
func networks(guard.Message) []string {
	return []string{"kubectl get daemonsets -A -o wide"}
}

func rollout(guard.Message) []string {
	return []string{"kubectl -n kube-system rollout status daemonset aws-node"}
}

// principal is the observer role that was not let in.
func principal(m guard.Message) string {
	return "--principal-arn " + plain.Quote(cmp.Or(factOf(m, "role"), "OBSERVER_ROLE_ARN"))
}

func createEntry(m guard.Message) []string {
	return []string{eks("create-access-entry", m), "--cluster-name " + name(m), principal(m)}
}

// allowReading associates the view policy, which has no Secrets; AmazonEKSAdminViewPolicy has (EKS user guide, "Review access policy
// permissions").
func allowReading(m guard.Message) []string {
	return []string{
		eks("associate-access-policy", m), "--cluster-name " + name(m), principal(m),
		"--policy-arn arn:" + cluster.PartitionOf(m.Cluster.Region).Name + ":eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
		"--access-scope type=namespace,namespaces=kube-system",
	}
}

func listPolicies(m guard.Message) []string {
	return []string{eks("list-associated-access-policies", m), "--cluster-name " + name(m), principal(m)}
}

func allowEntries(m guard.Message) []string {
	return []string{eks("update-cluster-config", m), "--name " + name(m), "--access-config authenticationMode=API_AND_CONFIG_MAP"}
}

// waitActive waits for a change of the cluster's configuration, which EKS makes while it calls the cluster UPDATING.
func waitActive(m guard.Message) []string {
	return []string{eks("wait cluster-active", m), "--name " + name(m)}
}

func endpoint(m guard.Message) []string {
	return []string{
		eks("describe-cluster", m), "--name " + name(m),
		"--query 'cluster.[status,endpoint,resourcesVpcConfig.[endpointPublicAccess,endpointPrivateAccess,publicAccessCidrs]]'",
	}
}
