package kube

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
)

// networks are the DaemonSets in kube-system of CNIs that run on EKS in place of aws-node, by the name that their own manifests give
// them. Multus is none: it calls another. A CNI that an operator installs stands in a namespace of its own, which is not read.
var networks = map[string]string{
	"antrea-agent": "Antrea", "calico-node": "Calico", "canal": "Canal", "cilium": "Cilium", "kube-flannel-ds": "Flannel",
	"kube-ovn-cni": "Kube-OVN", "kube-router": "kube-router", "weave-net": "Weave Net",
}

// page is how many objects a list may have: as many as are asked for at once.
const page = 500

type list struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   metadata `json:"metadata"`
	Items      []struct {
		Metadata metadata `json:"metadata"`
		Spec     struct {
			Subnet string `json:"subnet"` // of an ENIConfig
		} `json:"spec"`
	} `json:"items"`
}

// decodeList reads a list, whole or not at all, of one of the given kinds, as "apps/v1 DaemonSetList".
func decodeList(body []byte, kinds ...string) (list, error) {
	l, err := decode[list](body)
	switch {
	case err != nil:
		return l, err
	case !slices.Contains(kinds, l.APIVersion+" "+l.Kind):
		return l, fmt.Errorf("apiVersion, kind: want %s", strings.Join(kinds, " or "))
	case l.Metadata.Continue != "" || len(l.Items) > page:
		return l, fmt.Errorf("the list is longer than one page of %d", page)
	}
	return l, nil
}

// readOthers names the CNIs whose DaemonSet stands in kube-system, in order, from a list of DaemonSets or of their metadata. It is an
// error where the VPC CNI itself is among them under another name, which the chart allows, or as aws-node, unless that is known.
func readOthers(body []byte, known bool) ([]string, error) {
	all, err := decodeList(body, "meta.k8s.io/v1 PartialObjectMetadataList", "apps/v1 DaemonSetList")
	if err != nil {
		return nil, fmt.Errorf("read the DaemonSets of kube-system: %w", err)
	}
	odd := func(why string) error { return fmt.Errorf("read the DaemonSets of kube-system: %w", oddity(why)) }
	var found []string
	for _, d := range all.Items {
		name := d.Metadata.Name
		switch {
		case name == "aws-node" && !known:
			return nil, odd("metadata.name: one is aws-node, which was not there before")
		case name != "aws-node" && d.Metadata.Labels["k8s-app"] == "aws-node":
			return nil, odd("metadata.labels, k8s-app: one of another name says aws-node")
		}
		if strings.HasPrefix(name, "kube-flannel-ds-") { // one for each architecture, as it was until 2020
			name = "kube-flannel-ds"
		}
		if network, is := networks[name]; is {
			found = append(found, network)
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

type serviceAccount struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   metadata `json:"metadata"`
}

// roleARN is what an annotation for IAM roles for service accounts names.
var roleARN = regexp.MustCompile(`^arn:[a-z-]+:iam::[0-9]{12}:role/[\w+=,.@/-]{1,600}$`)

// readServiceAccount reads the ARN of the IAM role that the pods of a service account take; empty: they take none this way.
func readServiceAccount(body []byte) (role string, err error) {
	account, err := decode[serviceAccount](body)
	role = account.Metadata.Annotations["eks.amazonaws.com/role-arn"]
	switch {
	case err != nil:
	case account.APIVersion != "v1" || account.Kind != "ServiceAccount":
		err = errors.New("apiVersion, kind: want v1 ServiceAccount")
	case role != "" && !roleARN.MatchString(role):
		err = errors.New("metadata.annotations, eks.amazonaws.com/role-arn: want the ARN of a role")
	default:
		return role, nil
	}
	return "", fmt.Errorf("read the service account of aws-node: %w", err)
}

// readENIConfigs reads the subnet of each ENIConfig, by name.
func readENIConfigs(body []byte) ([]guard.Fact, error) {
	all, err := decodeList(body, "crd.k8s.amazonaws.com/v1alpha1 ENIConfigList")
	if err != nil {
		return nil, fmt.Errorf("read the ENIConfigs: %w", err)
	}
	var configs []guard.Fact
	for _, c := range all.Items {
		configs = append(configs, guard.Fact{Name: plain.Clean(c.Metadata.Name, longestName), Value: plain.Clean(c.Spec.Subnet, longestName)})
	}
	slices.SortFunc(configs, func(a, b guard.Fact) int { return strings.Compare(a.Name, b.Name) })
	return configs, nil
}
