package kube_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/cniguard/cniguard/internal/guard"
)

// worst is a DaemonSet whose every text is as long as can be, of one character, and of which nothing beside it can be read but too many
// ENIConfigs.
func (s *scene) worst(t *testing.T, character string) *guard.DaemonSet {
	t.Helper()
	long := strings.Repeat(character, 2000)
	var env []map[string]any
	for _, name := range []string{
		"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "CLUSTER_NAME", "DISABLE_METRICS", "DISABLE_NETWORK_RESOURCE_PROVISIONING", "ENABLE_IPv4", "ENABLE_IPv6",
		"ENABLE_MULTI_NIC", "ENABLE_POD_ENI", "ENABLE_PREFIX_DELEGATION", "ENABLE_SUBNET_DISCOVERY", "ENI_CONFIG_ANNOTATION_DEF", "ENI_CONFIG_LABEL_DEF",
		"IP_COOLDOWN_PERIOD", "MAX_ENI", "MINIMUM_IP_TARGET", "WARM_ENI_TARGET", "WARM_IP_TARGET", "WARM_PREFIX_TARGET",
	} {
		env = append(env, map[string]any{"name": name, "value": strings.Repeat(character, 100)}) // of a longer one nothing is kept
	}
	for i := range 60 {
		env = append(env, map[string]any{"name": fmt.Sprint("OTHER_", i, long)})
	}
	env[0]["value"] = "true"
	d := daemonSetOf(long+"/amazon-k8s-cni", nil)
	nodeOf(d)["env"], nodeOf(d)["envFrom"] = env, []struct{}{{}}
	pod := d["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)
	pod["initContainers"] = []map[string]any{{"name": "aws-vpc-cni-init", "image": long}}
	pod["containers"] = append(pod["containers"].([]map[string]any), map[string]any{"name": "aws-eks-nodeagent", "image": long})
	labels := map[string]string{}
	for i := range 20 {
		labels[fmt.Sprintf("aws.cdk.eks/prune-%d-%s", i, long)] = long
	}
	d["metadata"].(map[string]any)["labels"] = labels
	s.answers[pathNode] = found(encode(d))
	s.answers[accounts+"default"] = found(object("ServiceAccount", map[string]string{"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/" + strings.Repeat("r", 600)}))
	long = strings.Repeat(character, 100) // an answer has at most 2 MB
	var items []map[string]any
	for i := range 500 {
		items = append(items, map[string]any{"metadata": map[string]any{"name": fmt.Sprint(i, long)}, "spec": map[string]any{"subnet": long}})
	}
	s.answers[pathConfigs] = found(encode(map[string]any{"apiVersion": "crd.k8s.amazonaws.com/v1alpha1", "kind": "ENIConfigList", "items": items}))
	got := s.read(t)
	if got.Fault != nil {
		t.Fatal(got.Fault)
	}
	return got.Value.Node
}

// A record keeps the first 30 ENIConfigs, and a line about the others.
func TestTheRecordOfADaemonSetIsSmallAtItsWorst(t *testing.T) {
	for name, c := range map[string]struct {
		character string
		most      int // bytes of JSON
	}{
		"three bytes a character":                {"語", 40_000},
		"the character that JSON writes longest": {"<", 64_000},
	} {
		t.Run(name, func(t *testing.T) {
			node := newScene(t).worst(t, c.character)
			if len(node.ENIConfigs) != 500 || len(node.By.Evidence) != 12 || len(node.Env) != 18 || len(node.Other) != 31 {
				t.Fatalf("it is not the worst: %d ENIConfigs, %d lines of evidence, %d variables, %d others; %q",
					len(node.ENIConfigs), len(node.By.Evidence), len(node.Env), len(node.Other), node.Unread)
			}
			if last := node.Other[30]; last != "and 30 more" {
				t.Errorf("the last of 60 further variables reads %q", last)
			}
			bounded(t, *node)
			node.ENIConfigs = node.ENIConfigs[:30]
			kept, err := json.Marshal(node)
			if err != nil || len(kept) > c.most {
				t.Errorf("%d bytes, want at most %d; %v", len(kept), c.most, err)
			}
		})
	}
}
