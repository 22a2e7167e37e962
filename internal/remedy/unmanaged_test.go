package remedy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
	"github.com/cniguard/cniguard/internal/remedy"
)

// inside are the methods for an aws-node that EKS does not manage.
var inside = []remedy.Method{remedy.Manifest, remedy.Helm}

// words are what a POSIX shell makes of commands: each command that it runs, with its words. None is the real one.
func words(t testing.TB, commands []string) (all [][]string) {
	t.Helper()
	dir := t.TempDir()
	var script strings.Builder
	for _, tool := range []string{"aws", "kubectl", "helm", "curl", "mkdir", "cp"} {
		script.WriteString(tool + `() { printf '%s\0' ` + tool + ` "$@" >&3; printf '\1\0' >&3; }` + "\n")
	}
	script.WriteString(strings.Join(commands, "\n") + "\n")
	file := filepath.Join(dir, "script")
	if err := os.WriteFile(file, []byte(script.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("sh", "-n", file).CombinedOutput(); err != nil {
		t.Fatalf("sh -n: %v: %s\n%s", err, out, script.String())
	}
	sh := exec.Command("sh", "-c", "exec 3>&1; PATH= . ./script")
	sh.Dir = dir
	out, err := sh.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s\n%s", err, out, script.String())
	}
	for one := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x01\x00"), "\x01\x00") {
		all = append(all, strings.Split(strings.TrimSuffix(one, "\x00"), "\x00"))
	}
	return all
}

// commands are all of a fix, and files all that it has written.
func commands(fix remedy.Fix) (run []string, files []remedy.File) {
	for _, s := range fix.Steps {
		for _, p := range stepParts(s) {
			run, files = append(run, p.Run...), append(files, p.Files...)
		}
	}
	return run, files
}

// hostileFacts are of an aws-node whose every text is one that breaks what is not quoted.
func hostileFacts(m remedy.Method, bad string, adopt bool) remedy.Facts {
	f := managedFacts("eu-central-1", m, guard.ByHand{
		Kubernetes: "1.28", Listed: "v1.13.4-eksbuild.1", Path: []string{"v1.14.1-eksbuild.1", "v1.15.5-eksbuild.1"},
	})
	f.Cluster = cluster.ID{Account: "111122223333", Region: bad, Name: bad}
	f.Node.Role, f.Node.Image, f.Node.Init = bad, bad, bad
	f.Node.Env = []guard.Fact{{Name: "WARM_IP_TARGET", Value: bad}, {Name: hostileName(bad), Value: "1"}}
	f.Node.Unread = []string{bad}
	f.Node.By.Evidence = []string{"annotation meta.helm.sh/release-name=" + bad}
	if adopt {
		f.Node.By = guard.Installer{}
	}
	return f
}

// hostileName is the name of a variable: a key of YAML has at most 1024 characters, and those that cniguard reads have at most 37.
func hostileName(bad string) string { return plain.Cut(whole(bad), 100, "") + "X" }

var hostile = []string{
	"it's", `a"b`, "a\nb", "$(touch x)", "`touch x`", "${HOME}", "%{if}", "{{ .Values.x }}", `\`, `\\"`, "a\x00b", "\x1b[2J", "\u2028", "\u202e", "\ufeff", "é\xff",
	"#", ": ", "- a", "- a\n- b", "~", "null", "<<", "&a", "*a", "!!int 1", "'", "|", ">", "--flag", "-f", "a b", "; rm -rf /", "a\\\nb", strings.Repeat("x'\"$", 2500),
}

// A shell and YAML see the texts as texts, and nothing else. NUL cannot be a part of a command, and the words here end with it.
func TestHostileTextsStayTexts(t *testing.T) {
	for _, m := range inside {
		for _, bad := range hostile {
			for _, adopt := range []bool{true, false} {
				checkHostile(t, hostileFacts(m, bad, adopt), m, bad, adopt)
			}
		}
	}
}

func checkHostile(t testing.TB, f remedy.Facts, m remedy.Method, bad string, adopt bool) {
	t.Helper()
	fix, err := remedy.For(f, m)
	if err != nil {
		t.Fatal(err)
	}
	run, files := commands(fix)
	if !strings.Contains(bad, "\x00") {
		named := 0
		for _, w := range words(t, run) {
			for flag, at := range map[string]int{"--region": 1, "--name": 1} {
				if i := slices.Index(w, flag); w[0] == "aws" && w[i+at] != bad {
					t.Errorf("%s of %q, want %q", flag, w, bad)
				}
			}
			if w[0] == "helm" && w[1] == "status" && !adopt && bad != "" {
				named++
				if w[2] != bad {
					t.Errorf("release of %q, want %q", w, bad)
				}
			}
		}
		if m == remedy.Helm && !adopt && bad != "" && named == 0 {
			t.Error("the release is nowhere named")
		}
	}
	found := ""
	for _, file := range files {
		if filepath.Base(file.Name) != file.Name || strings.HasPrefix(file.Name, ".") {
			t.Errorf("file %q", file.Name)
		}
		var tree any
		if err := yaml.Unmarshal([]byte(file.Text), &tree); err != nil {
			t.Fatalf("%s of %.100q: %v\n%.3000s", file.Name, bad, err, file.Text)
		}
		found += leavesOf(t, tree)
	}
	if m == remedy.Helm && !adopt {
		return // the settings are in Helm's own values
	}
	for _, want := range []string{"WARM_IP_TARGET=" + whole(bad), hostileName(bad) + "=1", "eks.amazonaws.com/role-arn=" + whole(bad)} {
		if !strings.Contains(found, "\x00"+want+"\x00") && bad != "" {
			t.Errorf("no %q came through YAML", plain.Cut(want, 200, plain.Ellipsis))
		}
	}
}

// whole is a text as YAML and JSON can have it.
func whole(s string) string { return string([]rune(s)) }

// leavesOf are the keys and values of a tree of YAML, also of patches within it and of lists of names and values, each between NULs.
func leavesOf(t testing.TB, tree any) string {
	t.Helper()
	found := ""
	switch v := tree.(type) {
	case map[string]any:
		if name, is := v["name"].(string); is {
			if value, is := v["value"].(string); is {
				found += "\x00" + name + "=" + value + "\x00"
			}
		}
		for key, child := range v {
			text, is := child.(string)
			if is && key == "patch" {
				var patch any
				if err := yaml.Unmarshal([]byte(text), &patch); err != nil {
					t.Fatal(err)
				}
				found += leavesOf(t, patch)
			} else if is {
				found += "\x00" + key + "=" + text + "\x00"
			} else {
				found += leavesOf(t, child)
			}
		}
	case []any:
		for _, child := range v {
			found += leavesOf(t, child)
		}
	}
	return found
}

func FuzzUnmanaged(f *testing.F) {
	for _, bad := range hostile {
		f.Add(bad, "v1.9.3", "v1.10.4", true)
	}
	f.Add("x", "v1.6.0-rc1", "v2.0.0-eksbuild.1", false)
	f.Fuzz(func(t *testing.T, bad, from, to string, adopt bool) {
		for _, m := range inside {
			facts := hostileFacts(m, bad, adopt)
			facts.Version, facts.Path = cni.Parse(from), []string{to}
			if !facts.Version.Known() || !cni.Parse(to).Known() {
				continue
			}
			fix, err := remedy.For(facts, m)
			if err != nil {
				continue // there is no chart
			}
			run, files := commands(fix)
			if len(run) < 8 {
				t.Errorf("%d commands", len(run))
			}
			for _, file := range files {
				var tree any
				if err := yaml.Unmarshal([]byte(file.Text), &tree); err != nil {
					t.Errorf("%s: %v\n%s", file.Name, err, file.Text)
				}
			}
		}
	})
}
