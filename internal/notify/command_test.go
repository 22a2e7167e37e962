package notify_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/notify"
)

func TestLinkLeadsToTheConsoleOfThePartition(t *testing.T) {
	for region, want := range map[string]string{
		"eu-central-1":  "https://eu-central-1.console.aws.amazon.com/eks/clusters/prod-eu?region=eu-central-1",
		"cn-north-1":    "https://cn-north-1.console.amazonaws.cn/eks/clusters/prod-eu?region=cn-north-1",
		"us-gov-west-1": "https://us-gov-west-1.console.amazonaws-us-gov.com/eks/clusters/prod-eu?region=us-gov-west-1",
	} {
		m := sample(guard.CapacityLow, guard.Critical)
		m.Cluster.Region = region
		if got := notify.Render(m).Text; !strings.Contains(got, "\n  "+want+"\n") {
			t.Errorf("%s: no line %s in\n%s", region, want, got)
		}
	}
}

func TestLinkStaysInTheConsole(t *testing.T) {
	m := sample(guard.CapacityLow, guard.Critical)
	m.Cluster.Region, m.Cluster.Name = "evil.example/?x#", "a/../b?c=d&e#f g"
	want := "https://evil.example%2F%3Fx%23.console.aws.amazon.com/eks/clusters/a%2F..%2Fb%3Fc=d&e%23f%20g?region=evil.example%2F%3Fx%23"
	if got := notify.Render(m).Text; !strings.Contains(got, "\n  "+want+"\n") {
		t.Errorf("no line %s in\n%s", want, got)
	}
}

func TestUpdateCommandIsOfferedOnlyWithANextStep(t *testing.T) {
	cases := map[string]struct {
		path []string
		want bool
	}{
		"a path has a next step":                     {[]string{"v1.8.0-eksbuild.1"}, true},
		"no path has none":                           {nil, false},
		"what is no version is not put in a command": {[]string{"v1.8.0; rm -rf /"}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			m := sample(guard.VersionOutdated, guard.Warning)
			m.Path = c.path
			got := notify.Render(m)
			for _, part := range []string{"update-addon", "--service-account-role-arn", "--resolve-conflicts PRESERVE"} {
				if strings.Contains(got.Text, part) != c.want || strings.Contains(got.JSON, part) != c.want {
					t.Errorf("%q in the message: want %v\n%s", part, c.want, got.Text)
				}
			}
		})
	}
}

func TestUpdateCommandKeepsTheRole(t *testing.T) {
	m := sample(guard.VersionOutdated, guard.Warning)
	long := "arn:aws:iam::111122223333:role/" + strings.Repeat("p/", 255) + strings.Repeat("r", 64)
	for role, want := range map[string]string{"": "", "arn:aws:iam::111122223333:role/cni": "--service-account-role-arn arn:aws:iam::111122223333:role/cni \\\n", long: long} {
		m.Role = role
		if got := notify.Render(m).Text; !strings.Contains(got, want) || strings.Contains(got, "-arn arn:") != (role != "") {
			t.Errorf("role %q: no %q in\n%s", role, want, got)
		}
	}
}

// hardNames are names of clusters that a shell would take for something else.
var hardNames = []string{"prod-eu", "it's", `a"b`, "$(echo pwned)", "`echo pwned`", `back\slash`, "a; echo pwned", "*", "a b", "${HOME}", "#x", "日本"}

// TestCommandsPasteSafely runs the commands of a message in a shell whose aws prints its arguments.
func TestCommandsPasteSafely(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal(err) // there nothing is left out for lack of a tool
	}
	if err != nil {
		t.Skip("there is no sh")
	}
	for _, name := range hardNames {
		for _, code := range []guard.Code{guard.VersionOutdated, guard.CapacityLow, guard.UpdateStuck, guard.MetricSilent, guard.UpdateProgress} {
			m := sample(code, guard.Warning, "update id", name)
			if code == guard.UpdateProgress {
				m = ended("ConfigurationConflict", "x", "y", "way back", "v1.7.5-eksbuild.2", "update id", name)
			}
			m.Cluster.Name = name
			text := notify.Render(m).Text
			_, rest, _ := strings.Cut(text, "Commands, for account 111122223333:\n")
			commands, _, found := strings.Cut(rest, "\nConsole:")
			if !found {
				t.Fatalf("no commands in\n%s", text)
			}
			out, err := exec.Command(sh, "-c", "aws() { printf '<%s>\\n' \"$@\" >&2; }; kubectl() { :; }; cniguard() { :; }\n"+commands).CombinedOutput()
			if err != nil {
				t.Errorf("%s: %v: %s", name, err, out)
			}
			arguments := strings.Count(string(out), "<"+name+">\n") + strings.Count(string(out), "<cniguard-"+name+"-pod-subnets>\n")
			if want := strings.Count(string(out), "name") - strings.Count(string(out), "addon-name"); arguments < want || want == 0 || strings.Contains(string(out), "\npwned") {
				t.Errorf("%s, %s: %d of %d arguments are the name:\n%s", code, name, arguments, want, out)
			}
		}
	}
}

// What the update command sends is what cniguard itself would: facts-eks-vpc-cni 2.1.
func TestUpdateCommandSendsTheConfigurationBackAsItIs(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh")
	}
	m := sample(guard.VersionOutdated, guard.Warning)
	_, rest, _ := strings.Cut(notify.Render(m).Text, "  if config=")
	command, _, found := strings.Cut("if config="+rest, "; fi\n")
	if !found {
		t.Fatal("there is no update command")
	}
	for values, want := range map[string]string{
		`{"env":{"A":"it's $HOME \\"b\\" *"}}`: `<--configuration-values={"env":{"A":"it's $HOME \\"b\\" *"}}>`,
		"":                                     "",
	} {
		aws := "aws() { if [ $2 = describe-addon ]; then printf '%s' \"$VALUES\"; else printf '<%s>\\n' \"$@\"; fi; }\n"
		run := exec.Command(sh, "-c", aws+command+"; fi\n")
		run.Env = append(os.Environ(), "VALUES="+values)
		out, err := run.CombinedOutput()
		sent := strings.Contains(string(out), "<--configuration-values")
		if err != nil || !strings.Contains(string(out), "<update-addon>\n") || !strings.Contains(string(out), want) || sent != (want != "") {
			t.Errorf("%q, %v:\n%s", values, err, out)
		}
	}
	denied := exec.Command(sh, "-c", "aws() { [ $2 != describe-addon ] && echo updated; }\n"+command+"; fi\n")
	if out, _ := denied.CombinedOutput(); strings.Contains(string(out), "updated") {
		t.Error("it updates though the configuration could not be read")
	}
}
