package kube_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/guard"
)

const (
	configs = `{"apiVersion": "crd.k8s.amazonaws.com/v1alpha1", "kind": "ENIConfigList", "items": [
		{"metadata": {"name": "eu-central-1a"}, "spec": {"subnet": "subnet-0a"}}, {"metadata": {"name": "eu-central-1b"}, "spec": {"subnet": "subnet-0b"}}]}`
	cilium = `{"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList", "items": [{"metadata": {"name": "cilium"}}, {"metadata": {"name": "kube-proxy"}}]}`
)

func TestOnlyWhatIsNeededIsAskedFor(t *testing.T) {
	for name, c := range map[string]struct {
		arrange func(*scene)
		want    []string
	}{
		"aws-node, then its service account": {func(*scene) {}, []string{pathNode, pathAccount}},
		"the service account that the pods name": {
			func(s *scene) {
				s.answers[pathNode] = found(strings.Replace(object("DaemonSet", nil), `"serviceAccountName":"aws-node"`, `"serviceAccountName":"cni"`, 1))
			},
			[]string{pathNode, accounts + "cni"},
		},
		"the service account default where the pods name none": {
			func(s *scene) {
				s.answers[pathNode] = found(strings.Replace(object("DaemonSet", nil), `,"serviceAccountName":"aws-node"`, "", 1))
			},
			[]string{pathNode, accounts + "default"},
		},
		"the ENIConfigs with custom networking": {
			func(s *scene) { s.answers[pathNode] = found(customNetworking("true")) }, []string{pathNode, pathAccount, pathConfigs},
		},
		"the ENIConfigs where the variable is true as the CNI reads it": {
			func(s *scene) { s.answers[pathNode] = found(customNetworking("1")) }, []string{pathNode, pathAccount, pathConfigs},
		},
		"no ENIConfigs where the variable is false": {
			func(s *scene) { s.answers[pathNode] = found(customNetworking("false")) }, []string{pathNode, pathAccount},
		},
		"no ENIConfigs where the CNI takes the variable for false": {
			func(s *scene) { s.answers[pathNode] = found(customNetworking("yes")) }, []string{pathNode, pathAccount},
		},
		"the other DaemonSets where there is no aws-node": {
			func(s *scene) {
				s.answers[pathNode] = absence(http.StatusNotFound, "NotFound", "daemonsets", "aws-node")
			}, []string{pathNode, pathList},
		},
		"the other DaemonSets where aws-node runs on no node": {
			func(s *scene) { s.answers[pathNode] = found(switchedOff()) }, []string{pathNode, pathAccount, pathList},
		},
		"the other DaemonSets where nothing says on how many nodes aws-node runs": {
			func(s *scene) {
				s.answers[pathNode] = found(strings.Replace(object("DaemonSet", nil), `"status"`, `"was"`, 1))
			},
			[]string{pathNode, pathAccount, pathList},
		},
		"nothing more where aws-node cannot be read": {
			func(s *scene) { s.answers[pathNode] = refusal(http.StatusForbidden, "Forbidden") }, []string{pathNode},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			c.arrange(s)
			s.read(t)
			got := s.paths()
			slices.Sort(got[1:]) // those beside the DaemonSet are side by side
			for i := range c.want {
				c.want[i] = "GET " + c.want[i]
			}
			slices.Sort(c.want[1:])
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatIsRead(t *testing.T) {
	type seen struct {
		Image, Role string
		Configs     []guard.Fact
		Others      []string
		Unread      []string
	}
	image := "602401143452.dkr.ecr.eu-central-1.amazonaws.com/amazon-k8s-cni:v1.7.5"
	cni := "arn:aws:iam::111122223333:role/cni"
	facts := []guard.Fact{{Name: "eu-central-1a", Value: "subnet-0a"}, {Name: "eu-central-1b", Value: "subnet-0b"}}
	for name, c := range map[string]struct {
		arrange func(*scene)
		want    seen
	}{
		"the DaemonSet and the role of its service account": {func(*scene) {}, seen{Image: image, Role: cni}},
		"the ENIConfigs of custom networking": {
			func(s *scene) {
				s.answers[pathConfigs] = found(configs)
				s.answers[pathNode] = found(customNetworking("true"))
			},
			seen{Image: image, Role: cni, Configs: facts},
		},
		"Cilium in the place of aws-node": {
			func(s *scene) {
				s.answers[pathNode], s.answers[pathList] = absence(http.StatusNotFound, "NotFound", "daemonsets", "aws-node"), found(cilium)
			},
			seen{Others: []string{"Cilium"}},
		},
		"nothing in the place of aws-node": {
			func(s *scene) {
				s.answers[pathNode] = absence(http.StatusNotFound, "NotFound", "daemonsets", "aws-node")
				s.answers[pathList] = found(`{"apiVersion": "apps/v1", "kind": "DaemonSetList", "items": []}`)
			},
			seen{},
		},
		"Cilium beside an aws-node that is switched off": {
			func(s *scene) {
				s.answers[pathNode], s.answers[pathList] = found(switchedOff()), found(names("aws-node", "cilium"))
			},
			seen{Image: image, Role: cni, Others: []string{"Cilium"}},
		},
		"other DaemonSets that may not be read hide nothing": {
			func(s *scene) {
				s.answers[pathNode], s.answers[pathList] = found(switchedOff()), refusal(http.StatusForbidden, "Forbidden")
			},
			seen{Image: image, Role: cni, Unread: []string{"kubernetes:ListDaemonSets: Forbidden: HOST answered 403 to " + role + " for daemonsets"}},
		},
		"a second VPC CNI beside one that is switched off hides nothing": {
			func(s *scene) {
				s.answers[pathNode] = found(switchedOff())
				s.answers[pathList] = found(partial("", `{"metadata": {"name": "aws-node"}}`, `{"metadata": {"name": "cni", "labels": {"k8s-app": "aws-node"}}}`))
			},
			seen{Image: image, Role: cni, Unread: []string{
				"kubernetes:ListDaemonSets: OddInstall: HOST has a DaemonSet that is not as the VPC CNI's own: metadata.labels, k8s-app: one of another name says aws-node",
			}},
		},
		"a service account that may not be read hides nothing": {
			func(s *scene) { s.answers[pathAccount] = refusal(http.StatusForbidden, "Forbidden") },
			seen{Image: image, Unread: []string{"kubernetes:GetServiceAccount: Forbidden: HOST answered 403 to " + role + " for serviceaccounts aws-node"}},
		},
		"a service account that is not there hides nothing": {
			func(s *scene) {
				s.answers[pathAccount] = absence(http.StatusNotFound, "NotFound", "serviceaccounts", "aws-node")
			},
			seen{Image: image, Unread: []string{"kubernetes:GetServiceAccount: NotFound: there are no serviceaccounts aws-node"}},
		},
		"ENIConfigs that may not be read hide nothing": {
			func(s *scene) {
				s.answers[pathConfigs], s.answers[pathNode] = refusal(http.StatusForbidden, "Forbidden"), found(customNetworking("true"))
			},
			seen{Image: image, Role: cni, Unread: []string{"kubernetes:ListENIConfigs: Forbidden: HOST answered 403 to " + role + " for eniconfigs"}},
		},
		"ENIConfigs that the API does not know hide nothing": {
			func(s *scene) { s.answers[pathNode] = found(customNetworking("true")) },
			seen{Image: image, Role: cni, Unread: []string{"kubernetes:ListENIConfigs: NotKubernetes: HOST answered 404 without saying what it has not found"}},
		},
		"what cannot be read is named in the same order always": {
			func(s *scene) {
				s.answers[pathConfigs], s.answers[pathNode] = refusal(http.StatusServiceUnavailable, ""), found(customNetworking("true"))
				s.answers[pathAccount] = found("<html>")
			},
			seen{Image: image, Unread: []string{
				"kubernetes:GetServiceAccount: NotKubernetes: HOST answered what was not asked for: read the service account of aws-node: want JSON",
				"kubernetes:ListENIConfigs: 503: HOST answered 503",
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			c.arrange(s)
			got := s.read(t)
			if got.Fault != nil {
				t.Fatal(got.Fault)
			}
			is := seen{Others: got.Value.Others}
			if n := got.Value.Node; n != nil {
				is.Image, is.Role, is.Configs = n.Image, n.Role, n.ENIConfigs
				for _, line := range n.Unread {
					is.Unread = append(is.Unread, s.withoutHost(line))
				}
			}
			if diff := cmp.Diff(c.want, is); diff != "" {
				t.Error(diff)
			}
			if (got.Value.Node != nil) != (c.want.Image != "") {
				t.Errorf("there is a DaemonSet: %v", got.Value.Node)
			}
		})
	}
}

func TestARequestSaysNoMoreThanItMust(t *testing.T) {
	s := newScene(t)
	s.answers[pathNode] = found(customNetworking("true"))
	s.answers[pathConfigs] = found(configs)
	s.read(t)
	if len(s.asked) != 3 {
		t.Fatalf("%d requests", len(s.asked))
	}
	for _, r := range s.asked {
		var names []string
		for name := range r.Header {
			names = append(names, name)
		}
		slices.Sort(names)
		if diff := cmp.Diff([]string{"Accept", "Authorization", "User-Agent"}, names); diff != "" {
			t.Errorf("%s: %s", r.URL, diff)
		}
		if r.Header.Get("User-Agent") != "cniguard" || r.Header.Get("Accept") != "application/json" || r.ProtoMajor != 2 || r.ContentLength != 0 {
			t.Errorf("%s: %s %q, length %d", r.URL, r.Proto, r.Header, r.ContentLength)
		}
	}
}

func TestAListIsAskedForWithoutItsSpecifications(t *testing.T) {
	s := newScene(t)
	s.answers[pathNode], s.answers[pathList] = absence(http.StatusNotFound, "NotFound", "daemonsets", "aws-node"), found(cilium)
	s.read(t)
	want := "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
	if got := s.asked[1].Header.Get("Accept"); got != want {
		t.Errorf("Accept %q, want %q", got, want)
	}
}
