package kubernetes_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"sigs.k8s.io/yaml"

	"github.com/cniguard/cniguard/internal/cni"
)

func (b *bench) helm(w []string) string {
	b.Helper()
	switch {
	case w[1] == "get":
		text, err := yaml.Marshal(b.release)
		if err != nil {
			b.Fatal(err)
		}
		return string(text)
	case w[1] == "show" && w[2] == "crds":
		return b.crds(after(w, "--version"))
	case w[1] == "upgrade":
		b.upgrade(w)
	case w[1] == "status", w[1] == "show", w[1] == "history":
	default:
		b.Fatalf("%q is not known here", w)
	}
	return ""
}

// crds are the custom resource definitions that a version of the chart has beside its templates: those of the release's manifest. Where that is
// not at hand, those of the last one before it that is.
func (b *bench) crds(version string) string {
	b.Helper()
	last := "v1.12.6"
	for _, tag := range []string{"v1.14.1", "v1.18.5", "v1.22.4"} {
		if cni.Parse("v" + version).Satisfies(cni.Parse(tag)) {
			last = tag
		}
	}
	var text strings.Builder
	for name, o := range manifest(b.T, last) {
		if strings.HasPrefix(name, "CustomResourceDefinition/") {
			text.WriteString("---\n" + string(encode(b.T, o)) + "\n")
		}
	}
	return text.String()
}

// upgrade renders the stand-in of the chart with Helm's own library, and has it replace what stands.
func (b *bench) upgrade(w []string) {
	b.Helper()
	values := map[string]any{}
	for i, word := range w {
		if word == "--values" {
			file, err := chartutil.ReadValues(b.read(w[i+1]))
			if err != nil {
				b.Fatal(err)
			}
			values = chartutil.MergeTables(file, values)
		}
	}
	all := b.render(after(w, "--install"), after(w, "--version"), values)
	b.owned(after(w, "--install"), all)
	if slices.Contains(w, "--dry-run") {
		return
	}
	b.runs++
	b.definitions(after(w, "--version"))
	b.release = values
	for name, o := range all {
		meta := o["metadata"].(map[string]any)
		for field, marks := range helmMarks(after(w, "--install")) {
			old, _ := meta[field].(map[string]any)
			if old == nil {
				old = map[string]any{}
			}
			for key, value := range marks {
				old[key] = value
			}
			meta[field] = old
		}
		b.live[name] = o
	}
}

// definitions takes the definition of ENIConfig away where Helm does: it was among the templates of a chart below 1.2.1 and is not any more, and
// nothing tells Helm to keep it (aws/eks-charts #907).
func (b *bench) definitions(version string) {
	b.Helper()
	const definition = "CustomResourceDefinition/eniconfigs.crd.k8s.amazonaws.com"
	before, moved := b.chart, cni.Version{Major: 1, Minor: 2, Patch: 1}
	b.chart = cni.Parse("v" + version)
	crd, _ := b.release["crd"].(map[string]any)
	if !before.Known() || before.Satisfies(moved) || !b.chart.Satisfies(moved) || crd["create"] == false || b.live[definition] == nil {
		return
	}
	if marks, _ := b.live[definition]["metadata"].(map[string]any)["annotations"].(map[string]any); marks["helm.sh/resource-policy"] != "keep" {
		delete(b.live, definition)
	}
}

func helmMarks(release string) map[string]map[string]any {
	return map[string]map[string]any{
		"annotations": {"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": "kube-system"}, "labels": {"app.kubernetes.io/managed-by": "Helm"},
	}
}

// owned holds, as Helm does, that what stands is the release's own, and that no selector changes.
func (b *bench) owned(release string, all objects) {
	b.Helper()
	for name, o := range all {
		stands := b.live[name]
		if stands == nil {
			continue
		}
		for field, marks := range helmMarks(release) {
			has, _ := stands["metadata"].(map[string]any)[field].(map[string]any)
			for key, value := range marks {
				if has[key] != value {
					b.Fatalf("%s cannot be imported into the release: %s %s is %v", name, field, key, has[key])
				}
			}
		}
		if name == node {
			selector := func(o object) string {
				spec := o["spec"].(map[string]any)["selector"]
				text, _ := json.Marshal(spec)
				return string(text)
			}
			if selector(stands) != selector(o) {
				b.Fatalf("the selector is immutable: %s to %s", selector(stands), selector(o))
			}
		}
	}
}

func (b *bench) render(release, version string, values map[string]any) objects {
	b.Helper()
	chart, err := loader.LoadDir("../testdata/chart")
	if err != nil {
		b.Fatal(err)
	}
	chart.Metadata.Version, chart.Metadata.AppVersion = version, "v"+version
	all, err := chartutil.ToRenderValues(chart, values, chartutil.ReleaseOptions{Name: release, Namespace: "kube-system", IsUpgrade: true}, nil)
	if err != nil {
		b.Fatal(err)
	}
	files, err := engine.Render(chart, all)
	if err != nil {
		b.Fatal(err)
	}
	made := objects{}
	for name, text := range files {
		if filepath.Ext(name) == ".yaml" {
			for key, o := range parse(b.T, []byte(text)) {
				made[key] = o
			}
		}
	}
	return made
}
