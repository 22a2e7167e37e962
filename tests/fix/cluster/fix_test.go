package cluster_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/remedy"
)

const role = "arn:aws:iam::444455556666:role/cni"

// settings are what the owner set, which must come through every step: also what a shell, YAML or kustomize might take for something else.
var settings = map[string]string{
	"WARM_IP_TARGET": "5", "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true", "ENI_CONFIG_LABEL_DEF": "a/\"b\" 'c' `d` $d ${e} %{f} {{ g }}\\ h: # i é",
}

// walk goes all steps of a fix. After each its way back is gone, where there is one, and the step once more.
func walk(t *testing.T, d desk, fix remedy.Fix) {
	t.Helper()
	for _, s := range fix.Steps {
		was, before := d.images(), d.sh(generation(d))
		if out := d.do(s.Before); !strings.Contains(out, "/amazon-k8s-cni:"+s.From+"\n") {
			t.Errorf("before the step to %s nothing shows %s:\n%s", s.To, s.From, out)
		}
		if d.sh(generation(d)) != before {
			t.Errorf("what stands before the step to %s changes something", s.To)
		}
		forth(t, d, s)
		if len(s.Back.Run) == 0 {
			t.Logf("%s to %s: %s", s.From, s.To, s.Back.Say)
			continue
		}
		d.do(s.Back)
		if got := d.images(); got != was {
			t.Errorf("back from %s the images are %q, want %q", s.To, got, was)
		}
		if fix.Method == remedy.Helm {
			d.do(s.Before)
		}
		forth(t, d, s)
	}
}

func generation(d desk) string {
	return d.kubectl("get", "daemonset", "aws-node", "--namespace", "kube-system", "--output", "'jsonpath={.metadata.generation}'")
}

// forth makes a step, which must prove itself and keep what the owner set.
func forth(t *testing.T, d desk, s remedy.Step) {
	t.Helper()
	d.do(s.Change, s.Wait)
	shown := strings.Split(d.do(s.After), "\n")
	for _, container := range []string{"aws-node ", "aws-vpc-cni-init "} {
		if !slices.ContainsFunc(shown, func(l string) bool { return strings.HasPrefix(l, container) && strings.HasSuffix(l, ":"+s.To) }) {
			t.Errorf("after the step to %s nothing shows its image:\n%s", s.To, strings.Join(shown, "\n"))
		}
	}
	n := d.node()
	if n.Version.String() != s.To || !n.Same || !n.Settled {
		t.Errorf("after the step to %s cniguard reads %+v", s.To, n)
	}
	for name, want := range settings {
		if got, _ := d.variable(name); got != want {
			t.Errorf("after the step to %s %s is %q, want %q", s.To, name, got, want)
		}
	}
}

// install is an aws-node of a release, applied with kubectl, that its owner changed.
func install(t *testing.T, tag string) desk {
	t.Helper()
	d := open(t)
	d.write("release.yaml", d.manifest(tag))
	d.sh(d.kubectl("apply", "-f", "release.yaml"))
	d.set(settings)
	return d
}

func TestKubectlLeadsAllTheWay(t *testing.T) {
	d := install(t, "v1.7.10")
	walk(t, d, d.fix(remedy.Manifest, role, "v1.8.0-eksbuild.1", "v1.9.3-eksbuild.1", "v1.12.6-eksbuild.2", "v1.13.4-eksbuild.1", "v1.14.1-eksbuild.1",
		"v1.18.5-eksbuild.1", "v1.22.4-eksbuild.1"))
	if got := d.sh(annotated(d)); got != role {
		t.Errorf("the service account has the role %q", got)
	}
}

func annotated(d desk) string {
	return d.kubectl("get", "serviceaccount", "aws-node", "--namespace", "kube-system",
		"--output", `'jsonpath={.metadata.annotations.eks\.amazonaws\.com/role-arn}'`)
}

// Helm takes over what kubectl installed, and goes on by itself.
func TestHelmLeadsAllTheWay(t *testing.T) {
	d := install(t, "v1.12.6")
	d.publish(map[string]string{"1.13.4": "v1.13.4", "1.14.1": "v1.14.1", "1.18.5": "v1.18.5"})
	walk(t, d, d.fix(remedy.Helm, role, "v1.13.4-eksbuild.1", "v1.14.1-eksbuild.1", "v1.18.5-eksbuild.1"))
	if got := d.sh(annotated(d)); got != role {
		t.Errorf("the service account has the role %q", got)
	}
}

// What EKS took over goes back to what it was, and Helm lets go of what it has no say in any more.
func TestEKSTakesOverAndLetsGo(t *testing.T) {
	d := open(t)
	d.publish(map[string]string{"1.13.4": "v1.13.4"})
	d.helm("1.13.4")
	step := d.fix(remedy.Addon, role, "v1.14.1-eksbuild.1").Steps[0]
	was := d.node()
	if out := d.do(step.Before); !strings.Contains(out, `{"k8s-app":"aws-node"}`) {
		t.Errorf("before it nothing shows the selector:\n%s", out)
	}
	d.write("managed", "")
	if _, err := d.try(step.Before.Run...); err == nil {
		t.Error("what EKS manages already can be taken over")
	}
	for _, f := range step.Change.Files {
		d.write(f.Name, f.Text)
	}
	d.set(map[string]string{"WARM_IP_TARGET": "", "ENI_CONFIG_LABEL_DEF": ""}) // EKS sets what it is not told to its own
	if out := d.do(step.After); !strings.Contains(out, `<           value: "5"`) {
		t.Errorf("the proof does not show what changed:\n%s", out)
	}
	if out, err := d.try("helm status my-cni --namespace kube-system --kube-context " + id.ARN()); err == nil || !strings.Contains(out, "not found") {
		t.Errorf("Helm has its release still: %v\n%s", err, out)
	}
	d.do(step.Back)
	if is := d.node(); !cmp.Equal(is.Env, was.Env) || is.Image != was.Image {
		t.Errorf("it is %+v, and was %+v", is, was)
	}
}

// A release that Helm has keeps its values, gets the definitions that it lacks, and can go back.
func TestHelmUpdatesItsRelease(t *testing.T) {
	d := open(t)
	d.publish(map[string]string{"1.13.4": "v1.13.4", "1.14.1": "v1.14.1", "1.18.5": "v1.18.5"})
	d.helm("1.13.4")
	const definitions = "customresourcedefinition --output name"
	if out := d.sh(d.kubectl("get", definitions)); strings.Contains(out, "policyendpoints") {
		t.Fatalf("it has what the next release brings: %s", out)
	}
	walk(t, d, d.fix(remedy.Helm, "", "v1.14.1-eksbuild.1", "v1.18.5-eksbuild.1"))
	if out := d.sh(d.kubectl("get", definitions)); !strings.Contains(out, "policyendpoints") || !strings.Contains(out, "eniconfigs") {
		t.Errorf("the node agent lacks its definition: %s", out)
	}
}
