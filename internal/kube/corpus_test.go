package kube_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/kube"
)

var update = flag.Bool("update", false, "write the golden files")

// corpus are the DaemonSets of testdata/corpus, by file name without its ending.
func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/corpus/*.json")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = body
	}
	return all
}

// Facts 6.1/named, 6.1/init, 6.1/agent, 6.1/tags, 6.1/env, 6.1/disagree, 6.2/suffix, 6.4/labels, 6.4/managers, 6.7/annotations, 6.7/overwrites.
func TestTheCorpusIsReadAsItsTableSays(t *testing.T) {
	const golden = "testdata/corpus.txt"
	var table strings.Builder
	bodies := corpus(t)
	for _, name := range slices.Sorted(maps.Keys(bodies)) {
		fmt.Fprintf(&table, "%s\n%s\n", name, row(bodies[name]))
	}
	if *update {
		if err := os.WriteFile(golden, []byte(table.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(table.String(), "\n")); diff != "" {
		t.Errorf("%s differs (-want +got); -update writes it anew, to be read line by line:\n%s", golden, diff)
	}
	if len(bodies) < 60 {
		t.Errorf("%d DaemonSets, want at least 60", len(bodies))
	}
}

// row is what is read of a DaemonSet, as the table has it. What is empty is left out.
func row(body []byte) string {
	ds, account, err := kube.ReadDaemonSet(body)
	if err != nil {
		return line("error", err.Error())
	}
	text := line("version", fmt.Sprintf("%s, from %s: %s", ds.Version, ds.Raw, ds.From)) + line("by", ds.By.String())
	for _, e := range ds.By.Evidence {
		text += line("", e)
	}
	if !ds.Same && ds.Differ == "" {
		text += line("differ", "nothing tells")
	}
	if ds.Desired > 0 || ds.Settled {
		text += line("nodes", fmt.Sprintf("%d of %d, settled: %t", ds.Updated, ds.Desired, ds.Settled))
	}
	text += line("differ", ds.Differ) + line("manifest", ds.Manifest) + line("image", ds.Image) + line("init", ds.Init) + line("agent", ds.Agent)
	for i, e := range ds.Env {
		text += line([]string{"env", ""}[min(i, 1)], e.Name+"="+e.Value)
	}
	if len(ds.Other) > 0 {
		text += line("other", strings.Join(ds.Other, " "))
	}
	for i, u := range ds.Unread {
		text += line([]string{"unread", ""}[min(i, 1)], u)
	}
	if account != "aws-node" {
		text += line("account", account)
	}
	return text
}

func line(name, value string) string {
	if value == "" {
		return ""
	}
	return fmt.Sprintf("  %-8s  %s\n", name, value)
}

// What is not a value of an environment that is kept is in no reading and in no error.
func TestNothingThatIsNobodysBusinessIsKept(t *testing.T) {
	found := 0
	for name, body := range corpus(t) {
		found += strings.Count(string(body), "hunter2") + strings.Count(string(body), "sw0rdfish")
		ds, account, err := kube.ReadDaemonSet(body)
		kept, marshalErr := json.Marshal(ds)
		if marshalErr != nil {
			t.Fatal(marshalErr)
		}
		for _, secret := range []string{"hunter2", "sw0rdfish"} {
			if text := string(kept) + account + fmt.Sprint(err); strings.Contains(text, secret) {
				t.Errorf("%s: %s is in %s", name, secret, text)
			}
		}
	}
	if found < 10 {
		t.Errorf("%d secrets in the corpus: the test tests nothing", found)
	}
}

// The manifests of the corpus are reduced. Where the whole ones stand beside the checkout, both read the same.
func TestReducedManifestsReadAsTheWholeOnes(t *testing.T) {
	const folder = "../../../shared/data/cni-manifests"
	if _, err := os.Stat(folder); err != nil {
		t.Skipf("the manifests of amazon-vpc-cni-k8s are not beside this checkout: %v", err)
	}
	bodies := corpus(t)
	for file, name := range map[string]string{
		"v1.7": "v1.7.10", "v1.9.3": "v1.9.3", "v1.12.6": "v1.12.6", "v1.14.1": "v1.14.1", "v1.18.5": "v1.18.5", "v1.22.4": "v1.22.4",
	} {
		t.Run(name, func(t *testing.T) {
			whole := wholeManifest(t, filepath.Join(folder, "aws-k8s-cni-"+file+".yaml"))
			if diff := cmp.Diff(row(whole), row(bodies["manifest-"+name])); diff != "" {
				t.Errorf("-whole +reduced:\n%s", diff)
			}
		})
	}
}

// wholeManifest is the DaemonSet of a manifest, as JSON.
func wholeManifest(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for d := yaml.NewDecoder(strings.NewReader(string(text))); ; {
		var manifest map[string]any
		if err := d.Decode(&manifest); err != nil {
			t.Fatalf("%s has no DaemonSet: %v", file, err)
		}
		if manifest["kind"] == "DaemonSet" {
			body, err := json.Marshal(manifest)
			if err != nil {
				t.Fatal(err)
			}
			return body
		}
	}
}

func TestWhatIsKeptOfAnEnormousDaemonSetIsBounded(t *testing.T) {
	text := strings.Repeat("x", 5000)
	d := daemonSetOf(text+"/amazon-k8s-cni:v1.7.5", map[string]string{"WARM_IP_TARGET": text})
	m := d["metadata"].(map[string]any)
	labels, annotations := map[string]string{}, map[string]string{"meta.helm.sh/release-name": text}
	var managers, env []map[string]any
	for i := range 3000 {
		labels[fmt.Sprintf("aws.cdk.eks/prune-%d", i)] = text[:20]
		annotations[fmt.Sprintf("acme.example/%d", i)] = text[:20]
		managers = append(managers, manager(fmt.Sprintf("kubectl-%d", i), "2026-01-01T00:00:00Z", true))
		env = append(env, map[string]any{"name": "WARM_ENI_TARGET", "value": fmt.Sprint(i)}, map[string]any{"name": fmt.Sprintf("ACME_%d", i), "value": text[:20]})
	}
	m["labels"], m["annotations"], m["managedFields"] = labels, annotations, managers
	nodeOf(d)["env"] = env
	ds, _, err := kube.ReadDaemonSet([]byte(encode(d)))
	if err != nil {
		t.Fatal(err)
	}
	want := []guard.Fact{{Name: "WARM_ENI_TARGET", Value: "2999"}}
	if diff := cmp.Diff(want, ds.Env); diff != "" || ds.Version.String() != "v1.7.5" || ds.By.Name != "AWS CDK" || len(ds.By.Evidence) != 12 {
		t.Errorf("%s, %s by %d lines, %s", ds.Version, ds.By, len(ds.By.Evidence), diff)
	}
	bounded(t, ds)
}

// daemonSetOf is an aws-node with one container.
func daemonSetOf(image string, env map[string]string) map[string]any {
	var variables []map[string]any
	for _, name := range slices.Sorted(maps.Keys(env)) {
		variables = append(variables, map[string]any{"name": name, "value": env[name]})
	}
	return map[string]any{
		"apiVersion": "apps/v1", "kind": "DaemonSet",
		"metadata": map[string]any{"name": "aws-node", "namespace": "kube-system", "creationTimestamp": "2021-03-02T09:00:00Z"},
		"spec": map[string]any{"template": map[string]any{"spec": map[string]any{
			"containers": []map[string]any{{"name": "aws-node", "image": image, "env": variables}},
		}}},
	}
}

func nodeOf(d map[string]any) map[string]any {
	spec := d["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)
	return spec["containers"].([]map[string]any)[0]
}

// manager is an entry of managedFields, of one who wrote the image of aws-node or its environment.
func manager(name, at string, image bool) map[string]any {
	fields := map[string]any{"f:env": map[string]any{".": map[string]any{}}}
	if image {
		fields["f:image"] = map[string]any{}
	}
	return map[string]any{
		"manager": name, "operation": "Update", "apiVersion": "apps/v1", "time": at, "fieldsType": "FieldsV1",
		"fieldsV1": map[string]any{"f:spec": map[string]any{"f:template": map[string]any{"f:spec": map[string]any{
			"f:containers": map[string]any{`k:{"name":"aws-node"}`: fields},
		}}}},
	}
}
