package cluster_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/kube"
	"github.com/cniguard/cniguard/internal/remedy"
)

// desk is a person's shell, with the cluster as one that has no VPC CNI at first. Tests that have one take turns.
type desk struct {
	*testing.T
	dir string
	env []string
	// charts is where the chart repository is.
	charts string
}

// The AWS CLI says here whether EKS manages the add-on, which the file managed tells, and nothing else. What curl fetches are manifests of releases that are at hand.
const (
	awsScript = `#!/bin/sh
case "$*" in
*"eks describe-addon "*) test -e managed && exit; echo "no such add-on" >&2; exit 254 ;;
esac
`
	curlScript = `#!/bin/sh
tag=${4#https://raw.githubusercontent.com/aws/amazon-vpc-cni-k8s/}
test "$1 $2" = "-fsSL -o" && exec cp "$MANIFESTS/aws-k8s-cni-${tag%%/*}.yaml" "$3"
`
)

func open(t *testing.T) desk {
	t.Helper()
	if kubeconfig == "" {
		t.Skipf("%s is not there: make .tools/kubernetes", programs)
	}
	d := desk{T: t, dir: t.TempDir()}
	bin := t.TempDir()
	for name, text := range map[string]string{"aws": awsScript, "curl": curlScript} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	path := func(name string) string {
		whole, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		return whole
	}
	d.env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "HOME="+t.TempDir(), "MANIFESTS="+path(manifests),
		"PATH="+bin+":"+path(programs)+":"+os.Getenv("PATH"))
	t.Cleanup(func() {
		d.sh(d.kubectl("delete", "daemonset,serviceaccount,configmap,secret", "--namespace", "kube-system", "--all"),
			d.kubectl("delete", "clusterrole,clusterrolebinding", "aws-node", "--ignore-not-found"),
			d.kubectl("delete", "customresourcedefinition", "--all"))
	})
	return d
}

func (d desk) kubectl(words ...string) string {
	return "kubectl --context " + id.ARN() + " " + strings.Join(words, " ")
}

// sh runs commands in one shell, which ends at the first that fails.
func (d desk) sh(commands ...string) string {
	d.Helper()
	out, err := d.try(commands...)
	if err != nil {
		d.Fatalf("%v\n%s\n%s", err, strings.Join(commands, "\n"), out)
	}
	return out
}

func (d desk) try(commands ...string) (string, error) {
	sh := exec.Command("sh", "-c", "set -eu\n"+strings.ReplaceAll(strings.Join(commands, "\n"), chartRepository, d.charts))
	sh.Dir, sh.Env = d.dir, d.env
	out, err := sh.CombinedOutput()
	return string(out), err
}

// do writes the files of parts and runs their commands.
func (d desk) do(parts ...remedy.Part) (out string) {
	d.Helper()
	for _, p := range parts {
		for _, f := range p.Files {
			d.write(f.Name, f.Text)
		}
		out += d.sh(p.Run...)
	}
	return out
}

func (d desk) write(name, text string) {
	d.Helper()
	name = filepath.Join(d.dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		d.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		d.Fatal(err)
	}
}

// node is the aws-node of the cluster as cniguard's own reader reads it.
func (d desk) node() guard.DaemonSet {
	d.Helper()
	node, _, err := kube.ReadDaemonSet([]byte(d.sh(d.kubectl("get", "daemonset", "aws-node", "--namespace", "kube-system", "--output", "json"))))
	if err != nil {
		d.Fatal(err)
	}
	return node
}

// fix is what cniguard says of that aws-node.
func (d desk) fix(m remedy.Method, role string, path ...string) remedy.Fix {
	d.Helper()
	node := d.node()
	node.Role = role
	fix, err := remedy.For(remedy.Facts{
		Cluster: id, Version: node.Version, Node: &node,
		ByHand: guard.ByHand{Kubernetes: "1.25", Listed: node.Version.String() + "-eksbuild.1", Path: path},
	}, m)
	if err != nil {
		d.Fatal(err)
	}
	return fix
}

// images are those of aws-node's containers.
func (d desk) images() [3]string {
	d.Helper()
	n := d.node()
	return [3]string{n.Image, n.Init, n.Agent}
}

// env is the value of a variable of aws-node; false: it has none.
func (d desk) variable(name string) (string, bool) {
	d.Helper()
	for _, v := range d.node().Env {
		if v.Name == name {
			return v.Value, true
		}
	}
	return "", false
}

// set changes variables of aws-node, as its owner did once.
func (d desk) set(variables map[string]string) {
	d.Helper()
	var env []map[string]string
	for name, value := range variables {
		env = append(env, map[string]string{"name": name, "value": value})
	}
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"template": map[string]any{"spec": map[string]any{
		"containers": []any{map[string]any{"name": "aws-node", "env": env}},
	}}}})
	if err != nil {
		d.Fatal(err)
	}
	d.write("owner.json", string(patch))
	d.sh(d.kubectl("patch", "daemonset", "aws-node", "--namespace", "kube-system", "--patch-file", "owner.json"))
}

// manifest is that of a release. Kubernetes 1.22 took the first version of custom resource definitions away.
func (d desk) manifest(tag string) string {
	d.Helper()
	file := map[string]string{"v1.7.10": "v1.7"}[tag]
	if file == "" {
		file = tag
	}
	text, err := os.ReadFile(filepath.Join(manifests, "aws-k8s-cni-"+file+".yaml"))
	if err != nil {
		d.Fatal(err)
	}
	var kept []string
	for part := range strings.SplitSeq(string(text), "\n---\n") {
		if !strings.Contains(part, "apiextensions.k8s.io/v1beta1") {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "\n---\n")
}

// helm installs a version of the chart as the release my-cni, with the settings of its owner.
func (d desk) helm(version string) {
	d.Helper()
	tag := map[string]any{"tag": "v" + version}
	own, err := json.Marshal(map[string]any{"env": settings, "image": tag, "init": map[string]any{"image": tag}, "originalMatchLabels": true})
	if err != nil {
		d.Fatal(err)
	}
	d.write("own.yaml", string(own))
	d.sh("helm install my-cni aws-vpc-cni --repo " + chartRepository + " --version " + version + " --values own.yaml --namespace kube-system --kube-context " + id.ARN())
}

const chartRepository = "https://aws.github.io/eks-charts"

// publish serves versions of the stand-in of the chart, by the version and the release that each is of. The definitions that it has beside its
// templates are those of the release's manifest, or of the last one before it that is at hand.
func (d *desk) publish(charts map[string]string) {
	d.Helper()
	for version, release := range charts {
		dir := filepath.Join(d.dir, "charts", version)
		if err := os.CopyFS(dir, os.DirFS("../testdata/chart")); err != nil {
			d.Fatal(err)
		}
		if release := cni.Parse(release); !release.Satisfies(cni.Version{Major: 1, Minor: 14}) {
			d.sh("sed -i.bak 's/^  enabled: true$/  enabled: false/' charts/" + version + "/values.yaml")
		}
		d.write(filepath.Join("charts", version, "crds", "all.yaml"), d.definitions(release))
		d.sh(fmt.Sprintf("helm package %s --version %s --app-version %s --destination charts", dir, version, release))
	}
	d.sh("helm repo index charts")
	server := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(d.dir, "charts"))))
	d.Cleanup(server.Close)
	d.charts = server.URL
}

func (d desk) definitions(release string) string {
	d.Helper()
	last := "v1.12.6"
	for _, tag := range []string{"v1.14.1", "v1.18.5"} {
		if cni.Parse(release).Satisfies(cni.Parse(tag)) {
			last = tag
		}
	}
	var kept []string
	for part := range strings.SplitSeq(d.manifest(last), "\n---\n") {
		if strings.Contains(part, "kind: CustomResourceDefinition") {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "\n---\n")
}
