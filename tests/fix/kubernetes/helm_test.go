package kubernetes_test

import (
	"strings"
	"testing"

	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/remedy"
)

// An aws-node that kubectl installed becomes Helm's, with its settings and its role, and the next steps keep both.
func TestHelmTakesOverAndKeepsWhatWasRead(t *testing.T) {
	b := newBench(t, manifest(t, "v1.12.6"))
	b.setEnv("WARM_IP_TARGET", "5")
	b.setEnv("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "true")
	f := facts(t, b.live, "eu-central-1", "v1.13.4-eksbuild.1", "v1.14.1-eksbuild.1", "v1.18.5-eksbuild.1")
	f.Node.Role = "arn:aws:iam::111122223333:role/cni"
	for _, s := range fixOf(t, f, remedy.Helm).Steps {
		b.take(s)
		if b.env("WARM_IP_TARGET") != "5" || b.env("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG") != "true" || b.env("ENABLE_IPv4") != "true" {
			t.Errorf("%s: settings: %s", s.To, encode(t, b.live[node]))
		}
		if role := b.live[account]["metadata"].(map[string]any)["annotations"].(map[string]any)["eks.amazonaws.com/role-arn"]; role != f.Node.Role {
			t.Errorf("%s: role %v", s.To, role)
		}
	}
}

// underHelm is a bench with an aws-node that Helm installed as the release my-cni.
func underHelm(t *testing.T, version string, own map[string]any) *bench {
	t.Helper()
	b := newBench(t, parse(t, []byte(strings.ReplaceAll(string(manifestText(t, "v1.18.5")), "v1.18.5", version))))
	for _, kind := range []string{node, account} {
		meta := b.live[kind]["metadata"].(map[string]any)
		meta["annotations"] = map[string]any{"meta.helm.sh/release-name": "my-cni", "meta.helm.sh/release-namespace": "kube-system"}
		meta["labels"] = map[string]any{"app.kubernetes.io/managed-by": "Helm"}
	}
	if own["originalMatchLabels"] != true {
		b.live[node]["spec"].(map[string]any)["selector"] = map[string]any{"matchLabels": map[string]any{"app.kubernetes.io/instance": "my-cni"}}
	}
	b.release = own
	return b
}

func helmFacts(t *testing.T, b *bench, path ...string) remedy.Facts {
	t.Helper()
	f := facts(t, b.live, "us-west-2", path...)
	f.Node.By = guard.Installer{Name: "Helm", Evidence: []string{"annotation meta.helm.sh/release-name=my-cni"}}
	return f
}

func TestTheDefinitionOfENIConfigOutlivesTheChartThatHasIt(t *testing.T) {
	b := underHelm(t, "v1.11.2", map[string]any{})
	b.chart = cni.Parse("v1.1.17")
	for _, s := range fixOf(t, helmFacts(t, b, "v1.12.6-eksbuild.1", "v1.13.4-eksbuild.1"), remedy.Helm).Steps {
		b.take(s)
	}
	if b.live["CustomResourceDefinition/eniconfigs.crd.k8s.amazonaws.com"] == nil {
		t.Error("it is gone, and every ENIConfig with it")
	}
}

// Helm installs the definitions of a chart with a release, and never again: those of the node agent come by themselves.
func TestTheNodeAgentsDefinitionComesWithTheReleaseThatNeedsIt(t *testing.T) {
	const policies = "CustomResourceDefinition/policyendpoints.networking.k8s.aws"
	b := underHelm(t, "v1.13.4", map[string]any{"originalMatchLabels": true})
	delete(b.live, policies)
	b.take(fixOf(t, helmFacts(t, b, "v1.14.1-eksbuild.1"), remedy.Helm).Steps[0])
	if b.live[policies] == nil {
		t.Error("the node agent has no policyendpoints to read")
	}
}

// A release of Helm keeps its own values, but for the images: whatever names them there gives way.
func TestHelmKeepsTheValuesOfARelease(t *testing.T) {
	for name, c := range map[string]struct {
		own      map[string]any
		from, to string
	}{
		"parts of the image": {map[string]any{"image": map[string]any{"tag": "v1.13.4", "region": "eu-west-1"}}, "v1.13.4", "v1.14.1"},
		"the whole image": {map[string]any{
			"image": map[string]any{"override": "old.example/amazon-k8s-cni:v1"}, "init": map[string]any{"image": map[string]any{"override": "old.example/x:v1"}},
		}, "v1.13.4", "v1.14.1"},
		"the repository":                 {map[string]any{"image": map[string]any{"overrideRepository": "old.example/amazon-k8s-cni"}}, "v1.18.5", "v1.22.4"},
		"the whole image of an old one":  {map[string]any{"image": map[string]any{"override": "old.example/amazon-k8s-cni:v1"}}, "v1.10.2", "v1.11.2"},
		"none at all, as Helm says null": {nil, "v1.18.5", "v1.22.4"},
	} {
		t.Run(name, func(t *testing.T) {
			own := map[string]any{"env": map[string]any{"WARM_IP_TARGET": "7"}, "originalMatchLabels": true}
			for key, value := range c.own {
				own[key] = value
			}
			if c.own == nil {
				own = nil
			}
			b := underHelm(t, c.from, own)
			f := helmFacts(t, b, c.to+"-eksbuild.1")
			b.take(fixOf(t, f, remedy.Helm).Steps[0])
			if got, want := b.image("aws-node"), defaultRegistry+"/amazon-k8s-cni:"+c.to; got != want {
				t.Errorf("image %s, want %s", got, want)
			}
			if got := b.env("WARM_IP_TARGET"); own != nil && got != "7" {
				t.Errorf("WARM_IP_TARGET %s", got)
			}
		})
	}
}
