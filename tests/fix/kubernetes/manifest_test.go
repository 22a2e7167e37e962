package kubernetes_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/kube"
	"github.com/cniguard/cniguard/internal/remedy"
)

// facts are what cniguard reads of the objects of a cluster, as its own reader reads them.
func facts(t *testing.T, live objects, region string, path ...string) remedy.Facts {
	t.Helper()
	text, err := json.Marshal(live[node])
	if err != nil {
		t.Fatal(err)
	}
	d, _, err := kube.ReadDaemonSet(text)
	if err != nil {
		t.Fatal(err)
	}
	return remedy.Facts{
		Cluster: cluster.ID{Account: "111122223333", Region: region, Name: "prod"}, Version: d.Version, Node: &d,
		ByHand: guard.ByHand{Kubernetes: "1.24", Listed: d.Version.String(), Path: path},
	}
}

func fixOf(t *testing.T, f remedy.Facts, m remedy.Method) remedy.Fix {
	t.Helper()
	fix, err := remedy.For(f, m)
	if err != nil {
		t.Fatal(err)
	}
	return fix
}

// take does a step, and holds that its own commands prove it.
func (b *bench) take(s remedy.Step) {
	b.Helper()
	if out := b.do(s.Before); !strings.Contains(out, "/amazon-k8s-cni:"+s.From+"\n") {
		b.Errorf("before the step to %s nothing shows %s:\n%s", s.To, s.From, out)
	}
	runs := b.runs
	b.do(s.Change)
	if b.runs == runs {
		b.Errorf("the step to %s changed nothing", s.To)
	}
	b.do(s.Wait)
	out := b.do(s.After)
	for _, want := range []string{"aws-node ", "aws-vpc-cni-init "} {
		i := slices.IndexFunc(strings.Split(out, "\n"), func(l string) bool { return strings.HasPrefix(l, want) && strings.HasSuffix(l, ":"+s.To) })
		if i < 0 {
			b.Errorf("after the step to %s:\n%s", s.To, out)
		}
	}
}

// bare changes both images and nothing else, whether that is safe or not.
func bare(b *bench, to string) {
	const registry = "602401143452.dkr.ecr.us-west-2.amazonaws.com/"
	b.patch([]byte(fmt.Sprintf("spec:\n  template:\n    spec:\n      initContainers:\n      - {name: aws-vpc-cni-init, image: %[1]samazon-k8s-cni-init:%[2]s}\n"+
		"      containers:\n      - {name: aws-node, image: %[1]samazon-k8s-cni:%[2]s}\n", registry, to)))
}

// What stays away where the images alone change is what the step says, and where it is more, the step refuses to.
func TestWhatImagesAloneLeaveBehind(t *testing.T) {
	for _, c := range []struct {
		from, to string
		left     []string
		why      string // why the step applies the release's manifest; empty: the images alone change
	}{
		{"v1.7.10", "v1.9.3", []string{
			"aws-node variable DISABLE_NETWORK_RESOURCE_PROVISIONING", "aws-node variable ENABLE_PREFIX_DELEGATION", "aws-node variable WARM_PREFIX_TARGET",
		}, ""},
		{"v1.9.3", "v1.12.6", []string{
			"aws-node privileges", "aws-node variable ENABLE_IPv4", "aws-node variable ENABLE_IPv6", "aws-node variable MY_POD_NAME",
			"aws-vpc-cni-init variable ENABLE_IPv6",
		}, "ENABLE_IPv4 and ENABLE_IPv6"},
		{"v1.12.6", "v1.14.1", []string{"container aws-eks-nodeagent", "volume bpf-pin-path"}, "the node agent aws-eks-nodeagent"},
		{"v1.14.1", "v1.18.5", []string{
			"aws-eks-nodeagent image", "aws-node variable ANNOTATE_POD_IP", "aws-node variable ENABLE_SUBNET_DISCOVERY",
			"aws-node variable NETWORK_POLICY_ENFORCING_MODE", "aws-node variable VPC_CNI_VERSION",
		}, "node agent beside aws-node, and the ClusterRole"},
		{"v1.18.5", "v1.22.4", []string{
			"aws-eks-nodeagent image", "aws-node variable ENABLE_IMDS_ONLY_MODE", "aws-node variable ENABLE_MULTI_NIC", "aws-node variable VPC_CNI_VERSION",
		}, "node agent beside aws-node, and the ClusterRole"},
	} {
		t.Run(c.from+" to "+c.to, func(t *testing.T) {
			from, to := manifest(t, c.from), manifest(t, c.to)
			s := fixOf(t, facts(t, from, "us-west-2", c.to+"-eksbuild.1"), remedy.Manifest).Steps[0]
			notes := strings.Join(s.Notes, "\n")
			b := newBench(t, from)
			if c.why == "" {
				b.take(s)
				for _, named := range []string{"variables", "rules of the ClusterRole"} {
					if !strings.Contains(notes, named) {
						t.Errorf("%q is not named in: %s", named, notes)
					}
				}
			} else {
				bare(b, c.to)
				if !strings.Contains(notes, c.why) {
					t.Errorf("%q is not named in: %s", c.why, notes)
				}
			}
			if diff := cmp.Diff(c.left, differences(t, b.live.daemonSet(t), to.daemonSet(t))); diff != "" {
				t.Errorf("what images alone leave behind (-want +got):\n%s", diff)
			}
			if cmp.Equal(from[rules]["rules"], to[rules]["rules"]) {
				t.Error("the ClusterRole did not change")
			}
		})
	}
}

// The release's manifest goes in as it is, but for the registry, the settings and the role.
func TestTheReleaseManifestWithSettings(t *testing.T) {
	for _, c := range []struct{ of, from, to string }{
		{"v1.9.3", "v1.9.3", "v1.12.6"}, {"v1.12.6", "v1.12.6", "v1.14.1"}, {"v1.14.1", "v1.14.1", "v1.18.5"}, {"v1.18.5", "v1.18.5", "v1.22.4"},
		{"v1.12.6", "v1.13.4", "v1.14.1"}, {"v1.14.1", "v1.17.1", "v1.18.5"}, {"v1.18.5", "v1.21.1", "v1.22.4"}, // may go back
	} {
		for _, byKubectl := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s to %s, by kubectl %t", c.from, c.to, byKubectl), func(t *testing.T) {
				from := parse(t, bytes.ReplaceAll(manifestText(t, c.of), []byte(c.of), []byte(c.from)))
				b := newBench(t, from)
				b.setEnv("WARM_IP_TARGET", "5")
				b.setEnv("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "true")
				if byKubectl {
					b.applied = b.live.clone(t)
				}
				f := facts(t, b.live, "eu-central-1", c.to+"-eksbuild.1")
				f.Node.Role = "arn:aws:iam::111122223333:role/cni"
				s := fixOf(t, f, remedy.Manifest).Steps[0]
				b.take(s)
				want := manifest(t, c.to)
				if diff := cmp.Diff([]string{"aws-node variable AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG"}, differences(t, b.live.daemonSet(t), want.daemonSet(t))); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if b.env("WARM_IP_TARGET") != "5" || b.env("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG") != "true" || b.env("ENABLE_IPv4") != "true" {
					t.Errorf("settings: %s", encode(t, b.live[node]))
				}
				role := b.live[account]["metadata"].(map[string]any)["annotations"].(map[string]any)["eks.amazonaws.com/role-arn"]
				if role != f.Node.Role || !cmp.Equal(b.live[rules]["rules"], want[rules]["rules"]) {
					t.Errorf("role %v", role)
				}
				if c.of != c.from {
					b.back(s, from)
				}
			})
		}
	}
}

// back goes back, and holds that the images are those of before.
func (b *bench) back(s remedy.Step, before objects) {
	b.Helper()
	if len(s.Back.Run) == 0 {
		b.Fatalf("there is none: %s", s.Back.Say)
	}
	b.do(s.Back)
	was := newBench(b.T, before)
	for _, name := range []string{"aws-node", "aws-vpc-cni-init", "aws-eks-nodeagent"} {
		if got, want := b.image(name), was.image(name); got != want {
			b.Errorf("back from %s: %s has %q, want %q", s.To, name, got, want)
		}
	}
}

func (b *bench) setEnv(name, value string) {
	b.Helper()
	b.patch([]byte(fmt.Sprintf("spec:\n  template:\n    spec:\n      containers:\n      - name: aws-node\n        env:\n        - {name: %s, value: %q}\n", name, value)))
}

// Each region has its own registry, whatever that of the manifest is, and a mirror stays.
func TestImagesComeFromTheRightRegistry(t *testing.T) {
	for name, c := range map[string]struct{ region, at string }{
		"of most regions":      {"eu-central-1", "602401143452.dkr.ecr.eu-central-1.amazonaws.com"},
		"of a region's own":    {"me-south-1", "558608220178.dkr.ecr.me-south-1.amazonaws.com"},
		"of GovCloud, East":    {"us-gov-east-1", "151742754352.dkr.ecr.us-gov-east-1.amazonaws.com"},
		"of GovCloud, West":    {"us-gov-west-1", "013241004608.dkr.ecr.us-gov-west-1.amazonaws.com"},
		"of China, Beijing":    {"cn-north-1", "918309763551.dkr.ecr.cn-north-1.amazonaws.com.cn"},
		"of China, Ningxia":    {"cn-northwest-1", "961992271922.dkr.ecr.cn-northwest-1.amazonaws.com.cn"},
		"a mirror":             {"eu-central-1", "mirror.example:5000/eks"},
		"a mirror in GovCloud": {"us-gov-west-1", "mirror.example/a/b"},
	} {
		for _, m := range []remedy.Method{remedy.Manifest, remedy.Helm} {
			t.Run(fmt.Sprintf("%s, with %s", name, m), func(t *testing.T) {
				from := parse(t, []byte(strings.ReplaceAll(string(manifestText(t, "v1.14.1")), defaultRegistry, c.at)))
				b := newBench(t, from)
				b.take(fixOf(t, facts(t, from, c.region, "v1.18.5-eksbuild.1"), m).Steps[0])
				for container, want := range map[string]string{
					"aws-node": c.at + "/amazon-k8s-cni:v1.18.5", "aws-vpc-cni-init": c.at + "/amazon-k8s-cni-init:v1.18.5",
				} {
					if got := b.image(container); got != want {
						t.Errorf("%s has %s, want %s", container, got, want)
					}
				}
				if agent := b.image("aws-eks-nodeagent"); !strings.HasPrefix(agent, c.at+"/amazon/aws-network-policy-agent:v") {
					t.Errorf("the agent has %s", agent)
				}
			})
		}
	}
}
