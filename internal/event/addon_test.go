package event_test

import (
	"encoding/json"
	"testing"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
)

// Facts 1.1/shapes, 1.1/neither.
func TestEventsOfAddons(t *testing.T) {
	const (
		neither  = "addon-neither.json"
		restored = "EKS Addon Health Restored"
		both     = "addon-arn-and-detail.json"
		degraded = "EKS Addon Health Degraded"
		inDetail = "addon-arn-in-detail.json"
	)
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	arn := func(kind string) string { return "arn:aws:eks:eu-central-1:111122223333:" + kind }
	found := func(sample, field string, value any, why string) variant {
		return variant{sample: sample, field: field, value: value, kind: event.Check, why: why, id: prodEU}
	}
	clueless := func(sample, field string, value any, why string) variant {
		return variant{sample: sample, field: field, value: value, kind: event.Sweeping, why: why, unit: member}
	}
	skipped := func(sample, field string, value any, name string) variant {
		return variant{sample: sample, field: field, value: value, kind: event.Skip, why: `other add-on: "` + name + `"`}
	}
	for title, v := range map[string]variant{
		"the cluster is called cluster":            found(neither, "detail.cluster", "prod-eu", restored),
		"the cluster is called name":               found(neither, "detail.name", "prod-eu", restored),
		"the cluster is called ClusterName":        found(neither, "detail.ClusterName", "prod-eu", restored),
		"the cluster is called CLUSTER_NAME":       found(neither, "detail.CLUSTER_NAME", "prod-eu", restored),
		"the cluster is an ARN in cluster":         found(neither, "detail.cluster", prodEU.ARN(), restored),
		"the cluster is an ARN in any field":       found(neither, "detail.resourceId", prodEU.ARN(), restored),
		"the add-on is an ARN in any field":        found(neither, "detail.addonArn", arn("addon/prod-eu/vpc-cni/1"), restored),
		"the ARN in resources is of the cluster":   found(neither, "resources", []string{prodEU.ARN()}, restored),
		"the ARN has no UUID":                      found(neither, "resources", []string{arn("addon/prod-eu/vpc-cni")}, restored),
		"the cluster's ARN comes twice":            found(neither, "resources", []string{prodEU.ARN(), arn("addon/prod-eu/vpc-cni/1")}, restored),
		"there is more in resources":               found(neither, "resources", []any{"default/my-deployment", 7, nil, "arn:aws:iam::111122223333:role/x", prodEU.ARN()}, restored),
		"the detail names another cluster":         found(both, "detail.clusterName", "other", degraded),
		"the detail names another add-on":          found(both, "detail.addonName", "coredns", degraded),
		"the detail has an ARN of another account": found(both, "detail.clusterArn", foreign.ARN(), degraded),
		"the detail has a field of another form":   found(both, "detail.clusterName", []string{"x"}, degraded),
		"the resources are missing":                found(both, "resources", nil, degraded),
		"the resources are a text":                 found(both, "resources", arn("addon/prod-eu/coredns/1"), degraded),
		"an ARN in the detail goes before a name":  found(inDetail, "detail.clusterName", "other", "EKS Addon Deletion Failed"),
		"the detail is missing":                    found("addon-arn-only.json", "detail", nil, "EKS Addon Update Succeeded"),
		"the detail is a list":                     found("addon-arn-only.json", "detail", []int{1}, "EKS Addon Update Succeeded"),

		"neither, and no detail":                       clueless(neither, "detail", nil, restored),
		"neither, and the detail is null":              clueless(neither, "detail", raw("null"), restored),
		"only the add-on's name is there":              clueless(neither, "detail.addonName", "vpc-cni", restored),
		"the name is the add-on's":                     clueless(neither, "detail.name", "vpc-cni", restored),
		"the cluster's name is none":                   clueless(neither, "detail.clusterName", "prod eu", restored),
		"the cluster's name is empty":                  clueless(neither, "detail.clusterName", "", restored),
		"the cluster's name is a number":               clueless(neither, "detail.clusterName", 7, restored),
		"the ARN is of a region of another partition":  clueless(neither, "resources", []string{"arn:aws-cn:eks:eu-central-1:111122223333:cluster/prod-eu"}, restored),
		"the ARN is of EKS, but of nothing in cluster": clueless(neither, "resources", []string{"arn:aws:eks::aws:cluster-access-policy/AmazonEKSEventPolicy"}, restored),
		"the name is deeper than anybody looks":        clueless(neither, "detail.addon", map[string]string{"clusterName": "prod-eu"}, restored),

		"the detail names another add-on of a cluster": skipped("addon-detail-only.json", "detail.addonName", "coredns", "coredns"),
		"the detail calls the add-on addon":            skipped(neither, "detail.addon", "kube-proxy", "kube-proxy"),
		"another add-on and nothing else":              skipped(neither, "detail.addon-name", "coredns", "coredns"),
		"the ARN is of another add-on":                 skipped(both, "resources", []string{arn("addon/prod-eu/coredns/1")}, "coredns"),
		"the cluster's ARN is there too":               skipped(both, "resources", []string{prodEU.ARN(), arn("addon/prod-eu/coredns/1")}, "coredns"),

		"two clusters are named": {sample: both, field: "resources", value: []string{testEU.ARN(), prodEU.ARN()},
			kind: event.Checks, why: degraded, ids: []cluster.ID{prodEU, testEU}},
		"an ARN in resources is of another account": {sample: both, field: "resources", value: []string{prodEU.ARN(), foreign.ARN()},
			err: "resources: want ARNs of EKS of 111122223333 in eu-central-1, have " + `"` + foreign.ARN()},
		"the only ARN in the detail is of another account": {sample: neither, field: "detail.arn", value: foreign.ARN(),
			err: "detail: want ARNs of EKS of 111122223333 in eu-central-1, have " + `"` + foreign.ARN()},
	} {
		t.Run(title, v.run)
	}
}

// Fact 1.1/types.
func TestEveryDocumentedEventOfAnAddonIsKnown(t *testing.T) {
	for _, what := range []string{"Creation Succeeded", "Creation Failed", "Update Succeeded", "Update Failed",
		"Deletion Succeeded", "Deletion Failed", "Health Degraded", "Health Restored"} {
		v := variant{sample: "addon-arn-only.json", field: "detail-type", value: "EKS Addon " + what, kind: event.Check, why: "EKS Addon " + what, id: prodEU}
		t.Run(what, v.run)
	}
}

func TestOfTwoSpellingsTheSameOneCountsEachTime(t *testing.T) {
	raw := with(t, "addon-neither.json", "detail", json.RawMessage(`{"clusterName":"b","cluster_name":"c","cluster-name":"a"}`))
	for range 50 {
		have, err := event.Decode(raw)
		if err != nil || have.Cluster.Name != "a" {
			t.Fatalf("have %q, %v", have.Cluster.Name, err)
		}
	}
}
