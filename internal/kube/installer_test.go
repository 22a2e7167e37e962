package kube_test

import (
	"testing"

	"github.com/cniguard/cniguard/internal/kube"
)

// Fact 6.7/left.
func TestALabelAloneIsAGuess(t *testing.T) {
	const changed = "2024-05-06T07:08:09Z"
	type marks = map[string]string
	flux, cdk := marks{"kustomize.toolkit.fluxcd.io/name": "network"}, marks{"aws.cdk.eks/prune-c8": ""}
	for name, c := range map[string]struct {
		labels, annotations marks
		managers            []map[string]any
		by                  string
	}{
		"Flux's":                              {flux, nil, nil, "Flux (guess)"},
		"Pulumi's":                            {marks{"app.kubernetes.io/managed-by": "pulumi"}, nil, nil, "Pulumi (guess)"},
		"the CDK's":                           {cdk, nil, nil, "AWS CDK (guess)"},
		"kapp's":                              {marks{"kapp.k14s.io/app": "1"}, nil, nil, "kapp (guess)"},
		"beside the hand of somebody else":    {flux, nil, []map[string]any{manager("kubectl-edit", changed, true)}, "kubectl (likely)"},
		"beside a hand that nobody knows":     {flux, nil, []map[string]any{manager("acme", changed, true)}, "Flux (guess)"},
		"but not with a hand on other fields": {flux, nil, []map[string]any{manager("kustomize-controller", changed, false)}, "Flux (likely)"},
		"and is certain with one on the image": {
			flux, nil, []map[string]any{manager("kustomize-controller", changed, true)}, "Flux (certain)",
		},
		"nor the CDK's with kubectl's hand, which it runs": {cdk, nil, []map[string]any{manager("kubectl-client-side-apply", changed, true)}, "AWS CDK (likely)"},
		"and kubectl's hand without the label is not the CDK's": {
			nil, nil, []map[string]any{manager("kubectl-client-side-apply", changed, true)}, "kubectl (likely)",
		},
		"while an annotation names the release": {nil, marks{"meta.helm.sh/release-name": "cni"}, nil, "Helm (likely)"},
		"and another this object": {
			nil, marks{"argocd.argoproj.io/tracking-id": "cni:apps/DaemonSet:kube-system/aws-node"}, nil, "Argo CD (likely)",
		},
		"an annotation beside a label counts for its own installer": {flux, marks{"meta.helm.sh/release-name": "cni"}, nil, "Helm (likely)"},
	} {
		t.Run(name, func(t *testing.T) {
			d := daemonSetOf("amazon-k8s-cni:v1.7.5", nil)
			m := d["metadata"].(map[string]any)
			m["labels"], m["annotations"], m["managedFields"] = c.labels, c.annotations, c.managers
			ds, _, err := kube.ReadDaemonSet([]byte(encode(d)))
			if err != nil || ds.By.String() != c.by {
				t.Errorf("by %s, want %s; %v", ds.By, c.by, err)
			}
		})
	}
}
