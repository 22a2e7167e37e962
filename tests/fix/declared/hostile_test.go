package declared_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
	"go.yaml.in/yaml/v3"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/remedy"
)

// hostile are texts that one of the languages, or a shell, takes for more than a text.
func hostile() []string {
	return []string{
		"it's", `say "no"`, `back\slash\`, "two\nlines\r\n", "$(touch x) `touch x` $HOME !!", "${file(\"/etc/passwd\")} $${x} $$${x} %{ if true }x%{ endif } %%{",
		"{{ .Values }} {{x}}", "- a: b # c", "null", "~", "0x1f", "", " ", "-f", "--help", "tab\tbell\a\x1b[2J\x7f",
		"\u2028\u2029\u0085\ufeff\u202e\ufffe\U000e0001", "e\u0301 ü 🦊",
		"!Ref x", "*a &b |", "</script> <!-- */ //", "a|b;c&d>e<f", strings.Repeat("10 kB \"'$\n", 1024),
	}
}

// spoiled are facts of which every text that others wrote is this one.
func spoiled(managed bool, bad string) remedy.Facts {
	f := scene{region: "eu-central-1", managed: managed, config: values}.facts()
	f.Cluster.Name, f.Cluster.Region, f.Role, f.Gaps, f.Unchecked = bad, bad, bad, []string{bad}, bad
	if f.Node != nil {
		f.Node.Role, f.Node.Unread, f.Refused = bad, []string{bad}, []string{bad + "x"}
		f.Node.Env = []guard.Fact{{Name: "A" + bad, Value: bad + "."}}
	}
	return f
}

// kept are the configuration values that the facts become, as a file has them.
func kept(t *testing.T, f remedy.Facts) string {
	t.Helper()
	if f.Managed {
		return values
	}
	return jsonIndented(t, map[string]any{"env": map[string]string{f.Node.Env[0].Name: f.Node.Env[0].Value}})
}

func TestHostileTextsComeBackAsTheyAre(t *testing.T) {
	for _, managed := range []bool{true, false} {
		for i, bad := range hostile() {
			comesBack(t, managed, bad, i%2 == 0 == managed) // each is run once: programs take their time
		}
	}
}

// comesBack has every file of the first step read, and finds in it what the facts are.
func comesBack(t *testing.T, managed bool, bad string, run bool) {
	t.Helper()
	f := spoiled(managed, bad)
	want := wish{bad, "v1.18.5-eksbuild.1", bad, kept(t, f), "PRESERVE"}
	file := func(s remedy.Step, name string) string {
		for _, file := range slices.Concat(s.Before.Files, s.Change.Files) {
			if file.Name == name {
				return file.Text
			}
		}
		return values
	}
	first := func(m remedy.Method) remedy.Step {
		fix, err := remedy.For(f, m)
		if err != nil {
			t.Fatal(err)
		}
		return fix.Steps[0]
	}
	tf := first(remedy.Terraform)
	got := parse(t, file(tf, "vpc-cni.tf"), func(name string) string { return file(tf, name) }).resource(t)
	same := func(what, got, want string) {
		if got != cty.StringVal(want).AsString() { // HCL normalises every text to NFC
			t.Errorf("of %q the %s is %q, want %q", bad, what, got, want)
		}
	}
	same("cluster", got["cluster_name"], want.cluster)
	same("role", got["service_account_role_arn"], want.role)
	same("values", got["configuration_values"], want.config)
	if managed {
		_, id := parse(t, file(tf, "vpc-cni-import.tf"), nil).imports(t)
		same("id", id, bad+":vpc-cni")
	}
	ek := want
	if managed {
		ek.config = "" // the commands add them
	} else {
		ek.conflicts = "OVERWRITE"
	}
	if got := config(t, scene{region: bad}, file(first(remedy.Eksctl), "vpc-cni-eksctl.yaml")); got != ek {
		t.Errorf("eksctl reads %+v, want %+v", got, ek)
	}
	cfn := first(remedy.CloudFormation)
	want.version, want.conflicts = cfn.To, ek.conflicts
	var text template
	if err := yaml.Unmarshal([]byte(file(cfn, "vpc-cni-stack.yaml")), &text); err != nil {
		t.Fatal(err)
	}
	if got := wanted(t, text, values); got != want {
		t.Errorf("CloudFormation reads %+v, want %+v", got, want)
	}
	if run {
		hostileDesk(t, f, cfn, want)
	}
}

// hostileDesk runs what is printed, and holds that each program gets the names as they are, and Node too.
func hostileDesk(t *testing.T, f remedy.Facts, cfn remedy.Step, want wish) {
	t.Helper()
	d := open(t, scene{managed: f.Managed, config: want.config})
	for _, m := range []remedy.Method{remedy.Terraform, remedy.Eksctl, remedy.CloudFormation} {
		fix, err := remedy.For(f, m)
		if err != nil {
			t.Fatal(err)
		}
		s, named := fix.Steps[0], 0
		for i, p := range []remedy.Part{s.Before, s.Change, s.Wait, s.After, s.Back} {
			d.write(t, "status", "ACTIVE "+[]string{s.To, s.From}[i/4]+"\n")
			for _, c := range d.do(t, p) {
				for _, name := range []string{"--region", "--cluster-name", "--name"} {
					if slices.Contains(c, name) {
						named++
						if flag(c, name) != want.cluster {
							t.Errorf("%s is %q in %q", name, flag(c, name), c)
						}
					}
				}
			}
		}
		if named == 0 {
			t.Errorf("%s names no cluster", m)
		}
	}
	d.do(t, cfn.Before)
	if got, ran := construct(t, filepath.Join(d.dir, "work"), d.read(t, "vpc-cni-stack.ts")); ran && got != want {
		t.Errorf("the CDK reads %+v, want %+v", got, want)
	}
	if strays, _ := filepath.Glob(filepath.Join(d.dir, "work", "x")); len(strays) > 0 {
		t.Error("a text was run")
	}
}

func TestCloudFormationHasNoWordsForAReference(t *testing.T) {
	for _, managed := range []bool{true, false} {
		if fix, err := remedy.For(spoiled(managed, "{{resolve:ssm:x}}"), remedy.CloudFormation); err == nil {
			t.Errorf("%+v", fix)
		}
	}
}

func FuzzFiles(f *testing.F) {
	for _, bad := range hostile() {
		f.Add(true, bad)
		f.Add(false, bad)
	}
	f.Fuzz(func(t *testing.T, managed bool, bad string) {
		if bad = strings.ToValidUTF8(bad, "?"); !strings.Contains(bad, "{{resolve:") && !strings.HasSuffix(bad, "…") {
			comesBack(t, managed, bad, false)
		}
	})
}
