package remedy_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/remedy"
)

// echo stands for the programs that an addon fix runs: each call of the AWS CLI leaves its words, and shows that all is done.
const echo = `
aws() {
    printf '%s\0' "$@" >> argv; printf '\1\0' >> argv
    case "$*" in *update.status*) echo Successful ;; *) echo ACTIVE ;; esac
}
kubectl() { cat > /dev/null; }
sleep() { :; }
`

// called are the words of each call of the AWS CLI in the parts of a fix, as a POSIX shell makes them. Nothing else may have run.
func called(t testing.TB, fix remedy.Fix) (calls [][]string) {
	t.Helper()
	dir := t.TempDir()
	script := []string{echo}
	for _, s := range fix.Steps {
		for _, p := range stepParts(s) {
			script = append(script, strings.Join(p.Run, " </dev/null\n")+"\n")
		}
	}
	file := filepath.Join(dir, "script")
	if err := os.WriteFile(file, []byte(strings.Join(script, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("sh", "-n", file).CombinedOutput(); err != nil {
		t.Fatalf("sh -n: %v: %s\n%s", err, out, script)
	}
	sh := exec.Command("sh", file)
	sh.Dir = dir
	if out, err := sh.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, e := range entries(t, dir) {
		if !slices.Contains([]string{"script", "argv", "vpc-cni-values.json", "vpc-cni-schema.json", "aws-node-before.yaml", "aws-node-more-before.yaml"}, e) {
			t.Fatalf("something ran: %q", e)
		}
	}
	argv, err := os.ReadFile(filepath.Join(dir, "argv"))
	if err != nil {
		t.Fatal(err)
	}
	for one := range strings.SplitSeq(strings.TrimSuffix(string(argv), "\x01\x00"), "\x01\x00") {
		calls = append(calls, strings.Split(strings.TrimSuffix(one, "\x00"), "\x00"))
	}
	return calls
}

func entries(t testing.TB, dir string) (names []string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names
}

// addonFacts are of a managed add-on, or of an aws-node with one variable, all of it named by others.
func addonFacts(managed bool, name, region, role, value string) remedy.Facts {
	f := remedy.Facts{
		Cluster: cluster.ID{Account: "111122223333", Region: region, Name: name}, Version: cni.Parse("v1.13.4-eksbuild.1"),
		ByHand: guard.ByHand{Kubernetes: "1.28", Managed: managed, Role: role, Configured: true, Listed: "v1.13.4-eksbuild.1",
			Path: []string{"v1.14.1-eksbuild.1", "v1.15.5-eksbuild.1"}},
	}
	if !managed {
		f.Role, f.Configured = "", false
		f.Node = &guard.DaemonSet{
			Version: f.Version, Role: role, Env: []guard.Fact{{Name: "A", Value: value}}, By: guard.Installer{Name: "Helm", Confidence: guard.Likely},
		}
	}
	return f
}

// survives holds that a shell hands on what others named as it is, and that the file says the same of a value.
func survives(t testing.TB, managed bool, name, region, role, value string) {
	t.Helper()
	fix, err := remedy.For(addonFacts(managed, name, region, role, value), remedy.Addon)
	if err != nil {
		t.Fatal(err)
	}
	changes := 0
	for _, words := range called(t, fix) {
		want := map[string]string{"--region": region, "--name": name, "--cluster-name": name, "--service-account-role-arn": role}
		if slices.Contains([]string{"update-addon", "create-addon"}, words[1]) {
			changes++
		}
		for i, word := range words[:len(words)-1] {
			if w, is := want[word]; is && words[i+1] != w {
				t.Fatalf("%s is %q, want %q in %q", word, words[i+1], w, words)
			}
		}
	}
	if changes < len(fix.Steps) {
		t.Fatalf("%d changes in %d steps", changes, len(fix.Steps))
	}
	if managed || strings.HasSuffix(value, "…") {
		return
	}
	var got struct{ Env map[string]string }
	if err := json.Unmarshal([]byte(fix.Steps[0].Change.Files[0].Text), &got); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(map[string]string{"A": value}, got.Env); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
}

func TestAShellTakesTheAddonFixAsItIs(t *testing.T) {
	for _, bad := range []string{
		"it's", `a"b`, "$(touch x)", "`touch x`", "${HOME}", "a\nb\n", `\`, "; touch x #", "--help", "-", "", "%s%n", "{{.}}", "\u2028\u202e", "\x1b[2J", "~", "*",
		strings.Repeat(`'"$(touch x)\`, 800),
	} {
		for _, managed := range []bool{true, false} {
			role := bad
			if role == "" {
				role = "arn" // without a role none is sent
			}
			survives(t, managed, bad, bad, role, bad)
		}
	}
}

func FuzzAddon(f *testing.F) {
	f.Add(true, "prod", "eu-central-1", "arn:aws:iam::111122223333:role/cni", "5")
	f.Add(false, "it's", "$(touch x)", "a\nb", "\u2028\\\"")
	f.Fuzz(func(t *testing.T, managed bool, name, region, role, value string) {
		if strings.ContainsAny(name+region+role+value, "\x00\x01") || !utf8.ValidString(value) || role == "" || slices.Contains([]string{name, region}, "--name") {
			t.Skip() // no word of a command holds these
		}
		survives(t, managed, name, region, role, value)
	})
}

func TestAnAddonFixSendsWhatAnUpdateWouldDrop(t *testing.T) {
	for _, managed := range []bool{true, false} {
		fix, err := remedy.For(addonFacts(managed, "prod", "eu-central-1", "arn:aws:iam::111122223333:role/cni", "5"), remedy.Addon)
		if err != nil {
			t.Fatal(err)
		}
		for _, words := range called(t, fix) {
			want := map[string]string{"update-addon": "PRESERVE", "create-addon": "OVERWRITE"}[words[1]]
			if want == "" {
				continue
			}
			if i := slices.Index(words, "--resolve-conflicts"); words[i+1] != want {
				t.Errorf("want %s: %q", want, words)
			}
			if !slices.Contains(words, "--service-account-role-arn") || !slices.Contains(words, "file://vpc-cni-values.json") {
				t.Errorf("the role or the values are lost: %q", words)
			}
		}
	}
}

// Fact 3/down.
func TestAnAddonFixSaysWhyThereIsNoWayBack(t *testing.T) {
	f := addonFacts(true, "prod", "eu-central-1", "arn", "")
	f.Version, f.Listed, f.Path = cni.Parse("v1.11.4-eksbuild.1"), "", []string{"v1.12.6-eksbuild.2"}
	fix, err := remedy.For(f, remedy.Addon)
	if err != nil {
		t.Fatal(err)
	}
	if back := fix.Steps[0].Back; len(back.Run) > 0 || len(back.Say) != 1 || !strings.HasPrefix(back.Say[0], "There is no way back: ") {
		t.Errorf("%+v", back)
	}
}

func TestWhatATakeOverWouldLoseIsNamed(t *testing.T) {
	f := addonFacts(false, "prod", "eu-central-1", "", "x")
	f.Node.Env = append(f.Node.Env, guard.Fact{Name: "B", Value: "1"})
	f.Node.Image = "mirror.example/eks/amazon-k8s-cni:v1.13.4"
	f.Node.Unread, f.Refused, f.Unchecked = []string{"C: its value stands elsewhere"}, []string{"A", "B"}, "EKS gave no schema"
	fix, err := remedy.For(f, remedy.Addon)
	if err != nil {
		t.Fatal(err)
	}
	notes := strings.Join(fix.Notes, "\n")
	for _, want := range []string{
		"v1.14.1-eksbuild.1 refuses A, B:", "EKS gave no schema.", "from mirror.example/eks, and EKS takes them from 602401143452.dkr.ecr.eu-central-1.amazonaws.com:", "C: its value stands elsewhere.", "No role of the service account",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("no note with %q:\n%s", want, notes)
		}
	}
	if files := fix.Steps[0].Change.Files; len(files) > 0 || strings.Contains(fix.Steps[0].Change.Run[0], "--configuration-values") {
		t.Errorf("nothing is translated, but %+v", fix.Steps[0].Change)
	}
	f.Node = nil
	if _, err := remedy.For(f, remedy.Addon); err == nil {
		t.Error("an aws-node that nobody read is taken over")
	}
}
