package kube_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/guard"
)

// names is a list of DaemonSets by their metadata.
func names(all ...string) string {
	var items []string
	for _, name := range all {
		items = append(items, fmt.Sprintf(`{"metadata": {"name": %q}}`, name))
	}
	return partial("", items...)
}

func partial(next string, items ...string) string {
	return fmt.Sprintf(`{"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList", "metadata": {"continue": %q}, "items": [%s]}`, next, strings.Join(items, ","))
}

func TestWhichCNIsStandInPlaceOfAWSNode(t *testing.T) {
	whole := `{"apiVersion": "apps/v1", "kind": "DaemonSetList", "metadata": {}, "items": [{"metadata": {"name": "calico-node"}, "spec": {"template": {}}}]}`
	for name, c := range map[string]struct {
		body   string
		want   []string
		broken bool
	}{
		"Cilium":                                   {names("cilium", "cilium-envoy", "kube-proxy"), []string{"Cilium"}, false},
		"Calico, from the whole objects":           {whole, []string{"Calico"}, false},
		"the others that their projects name so":   {names("canal", "antrea-agent", "weave-net", "kube-router", "kube-ovn-cni"), []string{"Antrea", "Canal", "Kube-OVN", "Weave Net", "kube-router"}, false},
		"Flannel, once for all architectures":      {names("kube-flannel-ds-amd64", "kube-flannel-ds-arm64", "kube-flannel-ds"), []string{"Flannel"}, false},
		"none where only look-alikes stand":        {names("ciliumx", "Cilium", "node-calico", "kube-flannel", "kube-multus-ds", "aws-node-termination-handler"), nil, false},
		"none where nothing stands":                {names(), nil, false},
		"none where there are no items":            {`{"apiVersion": "apps/v1", "kind": "DaemonSetList"}`, nil, false},
		"nobody knows where there is another page": {partial("abc", `{"metadata": {"name": "cilium"}}`), nil, true},
		"nobody knows where aws-node came":         {names("cilium", "aws-node"), nil, true},
		"nobody knows where the VPC CNI has another name": {
			partial("", `{"metadata": {"name": "aws-vpc-cni", "labels": {"k8s-app": "aws-node"}}}`), nil, true,
		},
		"nobody knows from another list": {strings.Replace(names("cilium"), "PartialObjectMetadataList", "PodList", 1), nil, true},
		"nobody knows from one object":   {`{"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "cilium"}}`, nil, true},
		"nobody knows from no list":      {`{"apiVersion": "apps/v1", "kind": "DaemonSetList", "items": {"name": "cilium"}}`, nil, true},
		"nobody knows from too many":     {names(strings.Split(strings.Repeat("cilium ", 501), " ")...), nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.answers[pathNode] = absence(http.StatusNotFound, "NotFound", "daemonsets", "aws-node")
			s.answers[pathList] = found(c.body)
			got := s.read(t)
			if got.Fault != nil {
				if !c.broken || got.Fault.Code != guard.NotKubernetes && got.Fault.Code != guard.OddInstall {
					t.Errorf("%v", got.Fault)
				}
				return
			}
			if diff := cmp.Diff(c.want, got.Value.Others); diff != "" || c.broken || got.Value.Node != nil {
				t.Errorf("%+v, want unknown: %t; %s", got.Value, c.broken, diff)
			}
		})
	}
}

func TestWhichRoleAServiceAccountTakes(t *testing.T) {
	with := func(arn string) string {
		return fmt.Sprintf(`{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"annotations": {"eks.amazonaws.com/role-arn": %q}}}`, arn)
	}
	const irsa = "arn:aws-us-gov:iam::111122223333:role/eks/prod+cni=1,a.b@c-d_e"
	for name, c := range map[string]struct {
		body, want string
		unread     bool
	}{
		"the one of its annotation":   {with(irsa), irsa, false},
		"none without annotations":    {`{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {}}`, "", false},
		"none with an empty one":      {with(""), "", false},
		"unread, a user":              {with("arn:aws:iam::111122223333:user/eve"), "", true},
		"unread, more than an ARN":    {with(irsa + "; curl evil.example"), "", true},
		"unread, more than one line":  {with(irsa + "\n"), "", true},
		"unread, of another kind":     {strings.Replace(with(irsa), "ServiceAccount", "Secret", 1), "", true},
		"unread, of another version":  {strings.Replace(with(irsa), `"v1"`, `"v2"`, 1), "", true},
		"unread, a number":            {strings.Replace(with("X"), `"X"`, "1", 1), "", true},
		"unread, nothing that is one": {`[]`, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.answers[pathAccount] = found(c.body)
			node := s.read(t).Value.Node
			if node.Role != c.want || len(node.Unread) > 0 != c.unread {
				t.Errorf("role %q, unread %q; want %q, unread: %t", node.Role, node.Unread, c.want, c.unread)
			}
		})
	}
}

func TestWhichSubnetsTheENIConfigsName(t *testing.T) {
	of := func(next, items string) string {
		return fmt.Sprintf(`{"apiVersion": "crd.k8s.amazonaws.com/v1alpha1", "kind": "ENIConfigList", "metadata": {"continue": %q}, "items": [%s]}`, next, items)
	}
	one := `{"metadata": {"name": "eu-central-1b\u202e"}, "spec": {"subnet": "subnet-0b\u001b", "securityGroups": ["sg-1"]}}`
	two := `{"metadata": {"name": "eu-central-1a"}, "spec": {"subnet": "subnet-0a"}}`
	for name, c := range map[string]struct {
		body   string
		want   []guard.Fact
		unread bool
	}{
		"by name, cleaned":            {of("", one+","+two), []guard.Fact{{Name: "eu-central-1a", Value: "subnet-0a"}, {Name: "eu-central-1b", Value: "subnet-0b"}}, false},
		"none":                        {of("", ""), nil, false},
		"one that names no subnet":    {of("", `{"metadata": {"name": "a"}}`), []guard.Fact{{Name: "a"}}, false},
		"unread, more than one page":  {of("abc", one), nil, true},
		"unread, too many":            {of("", strings.Repeat(two+",", 500)+two), nil, true},
		"unread, of another kind":     {names("eu-central-1a"), nil, true},
		"unread, a subnet in a list":  {of("", `{"metadata": {"name": "a"}, "spec": {"subnet": ["subnet-0a"]}}`), nil, true},
		"unread, nothing that is one": {`null`, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.answers[pathNode] = found(customNetworking("true"))
			s.answers[pathConfigs] = found(c.body)
			node := s.read(t).Value.Node
			if diff := cmp.Diff(c.want, node.ENIConfigs); diff != "" || len(node.Unread) > 0 != c.unread {
				t.Errorf("unread %q, want unread: %t; %s", node.Unread, c.unread, diff)
			}
		})
	}
}
