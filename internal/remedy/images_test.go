package remedy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/remedy"
)

// nodeAt are facts of an aws-node at a version, with a path of one step.
func nodeAt(m remedy.Method, from, to string) remedy.Facts {
	return managedFacts("eu-central-1", m, guard.ByHand{Kubernetes: "1.25", Listed: from, Path: []string{to}})
}

func onlyStep(t *testing.T, f remedy.Facts, m remedy.Method) remedy.Step {
	t.Helper()
	fix, err := remedy.For(f, m)
	if err != nil {
		t.Fatal(err)
	}
	if len(fix.Steps) != 1 {
		t.Fatalf("%d steps", len(fix.Steps))
	}
	return fix.Steps[0]
}

func TestImagesAloneChangeWhereThatIsSafe(t *testing.T) {
	same := func(*guard.DaemonSet) {}
	for name, c := range map[string]struct {
		from, to string
		change   func(*guard.DaemonSet)
		why      string // empty: it is safe
	}{
		"within a minor version":                  {"v1.7.5", "v1.7.10-eksbuild.1", same, ""},
		"to the next minor version":               {"v1.7.5", "v1.8.0-eksbuild.1", same, ""},
		"after v1.10.0":                           {"v1.10.1", "v1.11.4-eksbuild.1", same, ""},
		"up to the last before the agent":         {"v1.12.6", "v1.13.4-eksbuild.1", same, ""},
		"within a minor version that has agents":  {"v1.18.1", "v1.18.5-eksbuild.1", same, ""},
		"across v1.10.0":                          {"v1.9.3", "v1.10.4-eksbuild.1", same, "ENABLE_IPv4"},
		"across v1.10.0 by far":                   {"v1.7.5", "v1.13.4-eksbuild.1", same, "ENABLE_IPv4"},
		"across v1.14.0":                          {"v1.13.4", "v1.14.1-eksbuild.1", same, "v1.14.0"},
		"between minor versions that have agents": {"v1.18.5", "v1.19.6-eksbuild.1", same, "its own node agent"},
		"where the agent must be of the release":  {"v1.23.0", "v1.23.1-eksbuild.1", same, "v1.23.0"},
		"without an init container":               {"v1.7.5", "v1.8.0-eksbuild.1", func(d *guard.DaemonSet) { d.Init = "" }, "no init container"},
		"with an init container of another kind":  {"v1.7.5", "v1.8.0-eksbuild.1", func(d *guard.DaemonSet) { d.Init = "busybox:1" }, "no init container"},
		"with an init container of another release": {
			"v1.7.5", "v1.8.0-eksbuild.1", func(d *guard.DaemonSet) { d.Same = false }, "another release",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := nodeAt(remedy.Manifest, c.from, c.to)
			c.change(f.Node)
			s := onlyStep(t, f, remedy.Manifest)
			run, notes := strings.Join(s.Change.Run, "\n"), strings.Join(s.Notes, "\n")
			if patched, applied := strings.Contains(run, " patch daemonset "), strings.Contains(run, " apply -k "); patched == applied || patched != (c.why == "") {
				t.Errorf("patched %t, applied %t:\n%s", patched, applied, run)
			}
			if !strings.Contains(notes, c.why) || !strings.Contains(notes, "https://raw.githubusercontent.com/aws/amazon-vpc-cni-k8s/v1.") {
				t.Errorf("want %q and the manifest in:\n%s", c.why, notes)
			}
		})
	}
}

func TestTheRegistryOfTodayIsKept(t *testing.T) {
	const own = "602401143452.dkr.ecr.eu-central-1.amazonaws.com/"
	for name, c := range map[string]struct {
		image, init string
		want        []string
		note        string
	}{
		"EKS's own":             {own + "amazon-k8s-cni:v1.7.5-eksbuild.1", own + "amazon-k8s-cni-init:v1.7.5-eksbuild.1", []string{own + "amazon-k8s-cni-init:v1.8.0", own + "amazon-k8s-cni:v1.8.0"}, ""},
		"a mirror":              {"mirror.example:5000/eks/amazon-k8s-cni:v1.7.5", "mirror.example:5000/eks/amazon-k8s-cni-init:v1.7.5", []string{"mirror.example:5000/eks/amazon-k8s-cni-init:v1.8.0", "mirror.example:5000/eks/amazon-k8s-cni:v1.8.0"}, "must be there before"},
		"one for each image":    {"a.example/amazon-k8s-cni:v1.7.5", "b.example/amazon-k8s-cni-init:v1.7.5", []string{"b.example/amazon-k8s-cni-init:v1.8.0", "a.example/amazon-k8s-cni:v1.8.0"}, "must be there before"},
		"a digest gets a tag":   {own + "amazon-k8s-cni:v1.7.5@sha256:00", own + "amazon-k8s-cni-init:v1.7.5", []string{own + "amazon-k8s-cni-init:v1.8.0", own + "amazon-k8s-cni:v1.8.0"}, "pinned by a digest"},
		"what is no reference":  {"$(x)/amazon-k8s-cni:v1", own + "amazon-k8s-cni-init:v1.7.5", []string{own + "amazon-k8s-cni-init:v1.8.0", own + "amazon-k8s-cni:v1.8.0"}, "was not read"},
		"a name within another": {own + "not-amazon-k8s-cni:v1", own + "amazon-k8s-cni-init:v1.7.5", []string{own + "amazon-k8s-cni-init:v1.8.0", own + "amazon-k8s-cni:v1.8.0"}, "was not read"},
	} {
		t.Run(name, func(t *testing.T) {
			f := nodeAt(remedy.Manifest, "v1.7.5", "v1.8.0-eksbuild.1")
			f.Node.Image, f.Node.Init = c.image, c.init
			fix, err := remedy.For(f, remedy.Manifest)
			if err != nil {
				t.Fatal(err)
			}
			text := fix.Steps[0].Change.Files[0].Text
			for _, want := range c.want {
				if !strings.Contains(text, `image: "`+want+`"`) {
					t.Errorf("no %s in:\n%s", want, text)
				}
			}
			if notes := strings.Join(fix.Notes, "\n"); c.note == "" && notes != "" || !strings.Contains(notes, c.note) {
				t.Errorf("want %q in: %s", c.note, notes)
			}
		})
	}
}

func TestTheChartOfARelease(t *testing.T) {
	for to, want := range map[string]struct{ version, note string }{
		"v1.8.0-eksbuild.1": {"1.1.7", ""}, "v1.9.3-eksbuild.1": {"1.1.8", "Chart 1.1.8, of v1.9.0, is near"}, "v1.10.4-eksbuild.1": {"1.1.14", "of v1.10.2"},
		"v1.11.0-eksbuild.1": {"1.1.17", "of v1.11.2"}, "v1.12.6-eksbuild.2": {"1.2.8", ""}, "v1.12.1-eksbuild.1": {"1.2.0", "of v1.12.0"},
		"v1.13.4-eksbuild.1": {"1.13.4", ""}, "v1.18.1-eksbuild.1": {"1.18.1", ""}, "v1.22.4-eksbuild.3": {"1.22.4", ""},
	} {
		t.Run(to, func(t *testing.T) {
			s := onlyStep(t, nodeAt(remedy.Helm, "v1.7.5", to), remedy.Helm)
			upgrade := words(t, s.Change.Run[len(s.Change.Run)-1:])[0]
			if i := slices.Index(upgrade, "--version"); upgrade[i+1] != want.version {
				t.Errorf("chart %s, want %s", upgrade[i+1], want.version)
			}
			if notes := strings.Join(s.Notes, "\n"); strings.Contains(notes, "No chart is known") != (want.note != "") || !strings.Contains(notes, want.note) {
				t.Errorf("want %q in: %s", want.note, notes)
			}
		})
	}
	if _, err := remedy.For(nodeAt(remedy.Helm, "v1.5.3", "v1.6.4-eksbuild.1"), remedy.Helm); err == nil || !strings.Contains(err.Error(), "--with manifest") {
		t.Errorf("where no chart is near: %v", err)
	}
}

// Up to v1.12.0 the definition of ENIConfig is a template of the chart: aws/eks-charts #907.
func TestHelmKeepsTheDefinitionOfENIConfig(t *testing.T) {
	for _, c := range []struct {
		from, to string
		kept     bool
	}{{"v1.12.0", "v1.12.6", true}, {"v1.11.2", "v1.12.6", true}, {"v1.12.2", "v1.12.6", false}, {"v1.10.2", "v1.11.2", false}} {
		s := onlyStep(t, nodeAt(remedy.Helm, c.from, c.to), remedy.Helm)
		kept := slices.IndexFunc(s.Change.Run, func(r string) bool { return strings.Contains(r, "helm.sh/resource-policy=keep") })
		upgrade := slices.IndexFunc(s.Change.Run, func(r string) bool { return strings.HasPrefix(r, "helm upgrade") })
		if kept >= 0 != c.kept || kept > upgrade {
			t.Errorf("%s to %s: %q", c.from, c.to, s.Change.Run)
		}
	}
}

func TestWhoComesBackIsNamed(t *testing.T) {
	for _, m := range inside {
		for by, named := range map[string]bool{"Flux": true, "Argo CD": true, "Terraform": true, "kubectl": false, "": false, "EKS bootstrap": false, "Helm": m == remedy.Manifest} {
			f := nodeAt(m, "v1.7.5", "v1.8.0-eksbuild.1")
			f.Node.By = guard.Installer{Name: by, Confidence: guard.Likely}
			fix, err := remedy.For(f, m)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(strings.Join(fix.Notes, "\n"), "takes back"); got != named {
				t.Errorf("%s by %q: %q", m, by, fix.Notes)
			}
		}
	}
}

func TestNothingWasReadOfAwsNode(t *testing.T) {
	for _, m := range inside {
		f := nodeAt(m, "v1.7.5", "v1.8.0-eksbuild.1")
		f.Node = nil
		fix, err := remedy.For(f, m)
		if err != nil {
			t.Fatal(err)
		}
		if text := printed(fix); !strings.Contains(text, "amazon-k8s-cni:v1.8.0") && !strings.Contains(text, `tag: "v1.8.0"`) && !strings.Contains(text, `newTag: "v1.8.0"`) {
			t.Error(text)
		}
	}
}
