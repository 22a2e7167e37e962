package notify

import (
	"cmp"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
)

// doors are what to do where cniguard could not read a cluster's own API, by the code of what kept it out.
var doors = map[string]words{
	guard.NoEntry: {
		do: "Give cniguard's observer role an access entry that lets it read in kube-system, or set `selfManaged: ignore` in the policy. The entry shows no " +
			"Secrets. If the role has one already, see that the clock of cniguard's functions is right.",
		run: []command{createEntry, allowReading},
	},
	guard.OldMode: {
		do: "The cluster knows the aws-auth ConfigMap only. Switch it to API_AND_CONFIG_MAP, which keeps the ConfigMap and cannot be undone, then give " +
			"cniguard's observer role an access entry; or map the role in aws-auth to a group that may read in kube-system.",
		run: []command{allowEntries, createEntry, allowReading},
	},
	guard.NotAllowed: {
		do:  "The observer role has an access entry, and it allows too little. Let it read in kube-system.",
		run: []command{allowReading, listPolicies},
	},
	guard.PrivateEndpoint: {
		do: "The cluster's API answers inside of its VPC only. Give cniguard's functions a VPC that reaches it, open the public endpoint to them, or set " +
			"`selfManaged: ignore` in the policy and look after the version by hand.",
		run: []command{endpoint},
	},
	guard.ClosedEndpoint: {
		do: "The cluster's public endpoint is open to some addresses only. Give cniguard's functions a VPC whose NAT gateway has an address that is open, and " +
			"add it to publicAccessCidrs.",
		run: []command{endpoint},
	},
	guard.WrongCA: {
		do: "What answers at the cluster's endpoint is not signed by the cluster's own authority, so nothing was sent to it. Look for a proxy or a firewall " +
			"that opens TLS between cniguard's functions and the cluster.",
		run: []command{endpoint},
	},
	guard.NotKubernetes: {
		do: "What answers at the cluster's endpoint is not its Kubernetes API. Look for a proxy between cniguard's functions and the cluster, and for an " +
			"aws-node that is not as the VPC CNI's own.",
		run: []command{endpoint, kubeconfig, daemonSet},
	},
	guard.NoEndpoint: {
		do:  "EKS names no endpoint that can be used. See whether the cluster is healthy.",
		run: []command{endpoint},
	},
}

// door is the words of a message with what to do about what kept cniguard out of the cluster. What may pass by itself has none.
func (w words) door(m guard.Message) words {
	if w2, known := doors[factOf(m, "code")]; known {
		w.do, w.run = w2.do, w2.run
	}
	return w
}

// byHand are the texts of the findings on what EKS does not manage: neither EKS nor cniguard updates it.
var byHand = map[guard.Code]words{
	guard.VersionOutdated: {
		do: "See that the pod subnets have room, then update aws-node where it is installed from, one minor version at a time; or make it an EKS add-on, with " +
			"its role and its environment carried over.",
		run: []command{kubeconfig, daemonSet},
	},
	guard.VersionUnknown: {
		do:  "See which image aws-node runs, and judge a private build by hand. An image tag as v1.18.5, or VPC_CNI_VERSION in its environment, tells cniguard.",
		run: []command{kubeconfig, daemonSet},
	},
	guard.ReleaseBad: {
		do:  "See that the pod subnets have room, then move to a release that has the fix, where aws-node is installed from.",
		run: []command{kubeconfig, daemonSet},
	},
}

// self is the words of a message about an install that EKS does not manage.
func (w words) self(m guard.Message) words {
	if w2, known := byHand[m.Finding.Code]; known && m.Verdict.Install.Word == guard.SelfManaged {
		w.do, w.run, w.update = w2.do, w2.run, false
	}
	return w
}

// principal is the observer role that was not let in.
func principal(m guard.Message) string {
	return "--principal-arn " + quote(cmp.Or(factOf(m, "role"), "OBSERVER_ROLE_ARN"))
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

func endpoint(m guard.Message) []string {
	return []string{
		eks("describe-cluster", m), "--name " + name(m),
		"--query 'cluster.[status,endpoint,resourcesVpcConfig.[endpointPublicAccess,endpointPrivateAccess,publicAccessCidrs]]'",
	}
}
