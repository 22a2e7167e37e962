package kubernetes_test

import (
	"bytes"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/util/jsonpath"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/yaml"
)

func (b *bench) kubectl(w []string) string {
	b.Helper()
	has := func(word string) bool { return slices.Contains(w, word) }
	switch {
	case has("rollout"), has("diff"), has("--dry-run=server"), has("pods"):
		return ""
	case has("get"):
		return b.get(after(w, "--output"))
	case has("patch"):
		b.runs++
		b.patch(b.read(after(w, "--patch-file")))
	case has("--server-side"):
		b.runs++
		b.define(parse(b.T, []byte(b.stdin)))
	case has("apply"):
		b.runs++
		b.apply(b.kustomize(after(w, "-k")))
	case has("annotate"), has("label"):
		b.runs++
		b.mark(w)
	default:
		b.Fatalf("%q is not known here", w)
	}
	return ""
}

// get prints the DaemonSet as an output format of kubectl.
func (b *bench) get(format string) string {
	b.Helper()
	path, is := strings.CutPrefix(format, "jsonpath=")
	if !is {
		text, err := yaml.Marshal(b.live[node])
		if err != nil {
			b.Fatal(err)
		}
		return string(text)
	}
	var out bytes.Buffer
	p := jsonpath.New("get").AllowMissingKeys(true)
	if err := p.Parse(path); err != nil {
		b.Fatal(err)
	}
	if err := p.Execute(&out, map[string]any(b.live[node])); err != nil {
		b.Fatal(err)
	}
	return out.String()
}

// patch applies a strategic-merge patch to the DaemonSet.
func (b *bench) patch(text []byte) {
	b.Helper()
	change, err := yaml.YAMLToJSON(text)
	if err != nil {
		b.Fatal(err)
	}
	merged, err := strategicpatch.StrategicMergePatch(encode(b.T, b.live[node]), change, appsv1.DaemonSet{})
	if err != nil {
		b.Fatal(err)
	}
	b.live[node] = decode[object](b.T, merged)
}

func (b *bench) kustomize(dir string) objects {
	b.Helper()
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(b.files, dir)
	if err != nil {
		b.Fatal(err)
	}
	text, err := made.AsYaml()
	if err != nil {
		b.Fatal(err)
	}
	return parse(b.T, text)
}

// apply is kubectl apply: what was applied before and is not in the manifest goes, and what others set stays.
func (b *bench) apply(all objects) {
	b.Helper()
	for name, wanted := range all {
		current, stands := b.live[name]
		if !stands {
			b.live[name] = wanted
			continue
		}
		var before []byte
		if o := b.applied[name]; o != nil {
			before = encode(b.T, o)
		}
		var kind any
		switch strings.SplitN(name, "/", 2)[0] {
		case "DaemonSet":
			kind = appsv1.DaemonSet{}
		case "ServiceAccount":
			kind = corev1.ServiceAccount{}
		default:
			b.live[name] = wanted // the lists of the others are replaced as a whole
			continue
		}
		schema, err := strategicpatch.NewPatchMetaFromStruct(kind)
		if err != nil {
			b.Fatal(err)
		}
		change, err := strategicpatch.CreateThreeWayMergePatch(before, encode(b.T, wanted), encode(b.T, current), schema, true)
		if err != nil {
			b.Fatal(err)
		}
		merged, err := strategicpatch.StrategicMergePatch(encode(b.T, current), change, kind)
		if err != nil {
			b.Fatal(err)
		}
		b.live[name] = decode[object](b.T, merged)
	}
	if b.applied != nil {
		b.applied = all.clone(b.T)
	}
}

// define puts custom resource definitions in, as a server-side apply does that wins every conflict: marks of others stay.
func (b *bench) define(all objects) {
	b.Helper()
	if len(all) == 0 {
		b.Fatal("no objects passed to apply")
	}
	for name, o := range all {
		if stands := b.live[name]; stands != nil {
			o["metadata"] = stands["metadata"]
		}
		b.live[name] = o
	}
}

// mark sets annotations or labels of one object.
func (b *bench) mark(w []string) {
	b.Helper()
	i := max(slices.Index(w, "annotate"), slices.Index(w, "label"))
	kind, name, _ := strings.Cut(w[i+1], "/")
	names := map[string]string{
		"daemonset": "DaemonSet/", "serviceaccount": "ServiceAccount/", "clusterrole": "ClusterRole/", "clusterrolebinding": "ClusterRoleBinding/",
		"configmap": "ConfigMap/", "customresourcedefinition": "CustomResourceDefinition/",
	}
	o := b.live[names[kind]+name]
	if o == nil {
		b.Fatalf("there is no %s", w[i+1])
	}
	meta := o["metadata"].(map[string]any)
	field := map[string]string{"annotate": "annotations", "label": "labels"}[w[i]]
	marks, _ := meta[field].(map[string]any)
	if marks == nil {
		marks = map[string]any{}
		meta[field] = marks
	}
	for _, word := range w[i+2:] {
		if key, value, is := strings.Cut(word, "="); is {
			marks[key] = value
		}
	}
}
