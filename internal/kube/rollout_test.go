package kube_test

import (
	"strings"
	"testing"

	"github.com/cniguard/cniguard/internal/kube"
)

// Fact 6.7/rollout.
func TestHowFarADaemonSetIsRolledOut(t *testing.T) {
	for name, c := range map[string]struct {
		status           string
		desired, updated int
		settled          bool
	}{
		"to all nodes":                               {`{"desiredNumberScheduled":3,"updatedNumberScheduled":3,"observedGeneration":2}`, 3, 3, true},
		"to some of the nodes":                       {`{"desiredNumberScheduled":3,"updatedNumberScheduled":1,"observedGeneration":2}`, 3, 1, false},
		"to none yet, which Kubernetes leaves out":   {`{"desiredNumberScheduled":3,"observedGeneration":2}`, 3, 0, false},
		"to all nodes, as it was specified before":   {`{"desiredNumberScheduled":3,"updatedNumberScheduled":3,"observedGeneration":1}`, 3, 3, false},
		"to more nodes than are to have it now":      {`{"desiredNumberScheduled":2,"updatedNumberScheduled":3,"observedGeneration":2}`, 2, 3, true},
		"to no node, as it is specified":             {`{"desiredNumberScheduled":0,"observedGeneration":2}`, 0, 0, true},
		"nobody knows, before its controller saw it": {`{"desiredNumberScheduled":0}`, 0, 0, false},
		"nobody knows, where the status is empty":    {`{}`, 0, 0, false},
		"nobody knows, where there is no status":     {`null`, 0, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			body := strings.Replace(encode(daemonSetOf("amazon-k8s-cni:v1.7.5", nil)), `"metadata":{`, `"status":`+c.status+`,"metadata":{"generation":2,`, 1)
			ds, _, err := kube.ReadDaemonSet([]byte(body))
			if err != nil || ds.Desired != c.desired || ds.Updated != c.updated || ds.Settled != c.settled {
				t.Errorf("%d of %d, settled: %t; %v", ds.Updated, ds.Desired, ds.Settled, err)
			}
		})
	}
	d := daemonSetOf("amazon-k8s-cni:v1.7.5", nil)
	if ds, _, err := kube.ReadDaemonSet([]byte(encode(d))); err != nil || ds.Settled || ds.Desired != 0 {
		t.Errorf("without a status: %+v, %v", ds, err)
	}
}

func TestWhetherTheInitContainerIsOfTheSameRelease(t *testing.T) {
	const digest = "@sha256:4f2a4f2a4f2a4f2a4f2a4f2a4f2a4f2a4f2a4f2a4f2a4f2a4f2a4f2a4f2a4f2a"
	for name, c := range map[string]struct {
		main, setup string
		same        bool
		differ      string
	}{
		"there is none":                        {"amazon-k8s-cni:v1.6.3", "", true, ""},
		"there is none, beside an unknown one": {"amazon-k8s-cni:latest", "", true, ""},
		"the same":                             {"amazon-k8s-cni:v1.12.6", "amazon-k8s-cni-init:v1.12.6", true, ""},
		"another build of the same":            {"amazon-k8s-cni:v1.12.6-eksbuild.2", "amazon-k8s-cni-init:v1.12.6-eksbuild.1", true, ""},
		"the same, of another registry":        {"amazon-k8s-cni:v1.12.6-eksbuild.2", "mirror.example:5000/a/amazon-k8s-cni-init:1.12.6", true, ""},
		"the same, beside digests":             {"amazon-k8s-cni:v1.12.6" + digest, "amazon-k8s-cni-init:v1.12.6" + digest, true, ""},
		"another release":                      {"amazon-k8s-cni:v1.12.6", "amazon-k8s-cni-init:v1.12.5", false, "aws-node is v1.12.6, its init container v1.12.5"},
		"a candidate of the release":           {"amazon-k8s-cni:v1.12.6", "amazon-k8s-cni-init:v1.12.6-rc1", false, "aws-node is v1.12.6, its init container v1.12.6-rc1"},
		"two tags of which nobody knows what":  {"amazon-k8s-cni:latest", "amazon-k8s-cni-init:stable", false, "aws-node is tagged latest, its init container stable"},
		"one tag of which nobody knows what":   {"amazon-k8s-cni:latest", "amazon-k8s-cni-init:latest", false, ""},
		"digests, of which nobody knows what":  {"amazon-k8s-cni" + digest, "amazon-k8s-cni-init" + digest, false, ""},
		"a digest beside a version":            {"amazon-k8s-cni:v1.12.6", "amazon-k8s-cni-init" + digest, false, ""},
		"the version of something else":        {"amazon-k8s-cni:v1.12.6", "acme-init:v1.12.6", false, ""},
		"an init container without an image":   {"amazon-k8s-cni:v1.12.6", " ", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := daemonSetOf(c.main, nil)
			if c.setup != "" {
				d["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)["initContainers"] = []map[string]any{{"name": "aws-vpc-cni-init", "image": c.setup}}
			}
			ds, _, err := kube.ReadDaemonSet([]byte(encode(d)))
			if err != nil || ds.Same != c.same || ds.Differ != c.differ {
				t.Errorf("same: %t, differs: %q; %v", ds.Same, ds.Differ, err)
			}
		})
	}
}
