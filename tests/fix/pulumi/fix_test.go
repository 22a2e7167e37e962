package pulumi_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/remedy"
	"github.com/cniguard/cniguard/internal/world"
)

func fixed(t *testing.T, f remedy.Facts) remedy.Fix {
	t.Helper()
	fix, err := remedy.For(f, remedy.Pulumi)
	if err != nil {
		t.Fatal(err)
	}
	return fix
}

// printed is a file of the first step.
func printed(t *testing.T, fix remedy.Fix, name string) string {
	t.Helper()
	files := fix.Steps[0].Before.Files
	i := slices.IndexFunc(files, func(f remedy.File) bool { return f.Name == name })
	if i < 0 {
		t.Fatalf("there is no file %s", name)
	}
	return files[i].Text
}

func TestPulumiLeadsAllTheWay(t *testing.T) {
	for name, l := range languages() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			programs := map[string]string{}
			for name, s := range scenes() {
				programs[name] = printed(t, fixed(t, s.facts()), l.file)
			}
			commands := l.prepare(t, programs)
			for name, s := range scenes() {
				t.Run(name, func(t *testing.T) { lead(t, s, commands[name]) })
			}
		})
	}
}

// lead does what each step says, and its way back without consequences.
func lead(t *testing.T, s scene, command []string) {
	d, has, changes := open(t, s), map[string]any(nil), []world.Change{}
	if s.managed {
		has = s.inputs("v1.17.1-eksbuild.1") // what pulumi import reads
	}
	for i, step := range fixed(t, s.facts()).Steps {
		got := d.imported(t, d.do(t, step.Before))
		if want := "aws:eks/addon:Addon vpc-cni " + s.cluster + ":vpc-cni"; s.managed && i == 0 && got != want || (!s.managed || i > 0) && got != "" {
			t.Errorf("step %d imports %q, want %q", i+1, got, want)
		}
		if again := d.imported(t, d.do(t, step.Before)); again != "" {
			t.Errorf("step %d imports %q once more", i+1, again)
		}
		wants := up(t, s, d, step.Change, command, step.To)
		changes = append(changes, s.provide(t, has, wants, i+1))
		d.do(t, step.Wait)
		if s.managed || i > 0 {
			up(t, s, d, step.Back, command, step.From)
		}
		d.do(t, step.After)
		has = wants
	}
	s.close(t, changes)
}

// up runs a part that ends in pulumi up, and the program as that command would; the arguments must be those of the facts at a version.
func up(t *testing.T, s scene, d desk, p remedy.Part, command []string, version string) map[string]any {
	t.Helper()
	calls := d.do(t, p)
	if len(calls) != 3 || calls[1][1] != "preview" || calls[2][1] != "up" {
		t.Fatalf("it calls %q", calls)
	}
	for _, c := range calls[1:] {
		targets(t, c[slices.Index(c, "--target")+1])
	}
	got := run(t, command, d.configuration(t))
	want := made{"aws:eks/addon:Addon", "vpc-cni", s.inputs(version), nil}
	if s.config != "" {
		want.Secrets = []string{"configurationValues"}
	}
	got.Secrets = append([]string(nil), got.Secrets...)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the program asks for (-want +got):\n%s", diff)
	}
	return got.Inputs
}

// targets holds that a target is the add-on, also as a part of a component, and nothing else: ** stands for anything (pulumi up --help).
func targets(t *testing.T, target string) {
	t.Helper()
	matches := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(target), `\*\*`, ".*") + "$")
	for urn, want := range map[string]bool{
		"urn:pulumi:dev::shop::aws:eks/addon:Addon::vpc-cni":                   true,
		"urn:pulumi:dev::shop::eks:index:Cluster$aws:eks/addon:Addon::vpc-cni": true,
		"urn:pulumi:dev::shop::aws:eks/addon:Addon::coredns":                   false,
		"urn:pulumi:dev::shop::aws:eks/addon:Addon::vpc-cni-metrics":           false,
		"urn:pulumi:dev::shop::aws:eks/cluster:Cluster::vpc-cni":               false,
	} {
		if matches.MatchString(urn) != want {
			t.Errorf("target %s takes %s: %t, want %t", target, urn, !want, want)
		}
	}
}

func TestHostileTextsComeBackAsTheyAre(t *testing.T) {
	bad, facts := hostile(), map[string]remedy.Facts{}
	for i := 0; i < len(bad); i += 2 {
		f := scenes()["self-managed in eu-central-1"].facts()
		f.Cluster.Name, f.Node.Role, f.Node.Env = bad[i], bad[(i+1)%len(bad)], []guard.Fact{{Name: bad[i], Value: bad[(i+1)%len(bad)]}}
		facts[bad[i]] = f
	}
	for name, l := range languages() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			programs := map[string]string{}
			for first, f := range facts {
				programs[first] = printed(t, fixed(t, f), l.file)
			}
			for first, command := range l.prepare(t, programs) {
				d, role := open(t, scene{}), facts[first].Node.Role
				d.write(t, "config/vpcCniVersion", "v1")
				d.write(t, "secret/vpcCniValues", role)
				got := run(t, command, d.configuration(t)).Inputs
				for text, came := range map[string]any{first: got["clusterName"], role: got["serviceAccountRoleArn"]} {
					if came != string([]rune(text)) {
						t.Errorf("%q came back as %q", text, came)
					}
				}
			}
		})
	}
}

func TestAShellSeesNoMoreThanTheNames(t *testing.T) {
	for _, bad := range hostile() {
		if strings.ContainsRune(bad, 0) {
			continue // no shell has such a word
		}
		s := scene{bad, "eu-central-1", true, values}
		d := open(t, s)
		if got, want := d.imported(t, d.do(t, fixed(t, s.facts()).Steps[0].Before)), "aws:eks/addon:Addon vpc-cni "+bad+":vpc-cni"; got != want {
			t.Errorf("it imports %q, want %q", got, want)
		}
	}
}

// hostile are texts that a language may take for something else.
func hostile() []string {
	return []string{
		"$(touch pwned)", "`touch pwned`", "a'b", `"; touch pwned; "`, "a\nb\r\t", "\x00\x1b[31m\x7f", "../../etc/passwd", "--debug", "{{.}}",
		"${x}", "$${x}", "$$", "$", "%{y}", "#{z}",
		"名前 \U0001f680", "\u2028\u2029\u0085\ufeff", "*", "~", "# a", ": b", "- c", "null", "\xff\xfe", "a\\", "%s%d", "*/", strings.Repeat("x\"\\", 3400),
	}
}
