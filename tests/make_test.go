package tests_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// made is what make says. Nothing of a make that runs the tests is handed on.
func made(t *testing.T, arguments ...string) (string, error) {
	t.Helper()
	c := exec.Command("make", append([]string{"--no-print-directory", "-C", ".."}, arguments...)...)
	c.Env = append(os.Environ(), "MAKEFLAGS=", "MAKEOVERRIDES=", "EMAIL=of.the@environment.example")
	out, err := c.CombinedOutput()
	return string(out), err
}

func TestMakeTellsWhatIsWrongBeforeItCompiles(t *testing.T) {
	policy := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(policy, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		arguments []string
		want      []string // the beginning of each line
	}{
		"nothing is given": {nil, []string{"make: POLICY is missing: ", "make: EMAIL is missing: "}},
		"the policy is not there": {[]string{"POLICY=none.yaml", "EMAIL=a@example.com"},
			[]string{"make: POLICY=none.yaml: there is no such file"}},
		"a variable has another name": {[]string{"POLICY=" + policy, "EMAIL=a@example.com", "ORGANISATION=o-exampleorgid", "REGIONS=eu-west-1"},
			[]string{"make: ORGANISATION is not known; allowed: POLICY EMAIL ", "make: REGIONS is not known; allowed: POLICY EMAIL "}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, goal := range []string{"synth", "diff", "deploy", "destroy"} {
				out, err := made(t, append([]string{goal}, c.arguments...)...)
				lines := strings.Split(out, "\n")
				for i, want := range c.want {
					if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
						t.Errorf("make %s: want the line %q in:\n%s", goal, want, out)
					}
				}
				if err == nil || strings.Contains(out, "go build") {
					t.Errorf("make %s went on: %v\n%s", goal, err, out)
				}
			}
		})
	}
}

func TestMakeHandsValuesOnAsTheyAre(t *testing.T) {
	const odd = `o'brien, "$HOME" & co@example.com`
	out, err := made(t, "-n", "-j2", "CI=true", "deploy", "POLICY=../it's.yaml", "EMAIL="+odd, "ZIP=z.zip")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, command, _ := strings.Cut(out, "node_modules/.bin/cdk ")
	arguments, err := exec.Command("bash", "-c", `printf '%s\n' `+command).Output()
	want := "deploy\n--all\n-c\npolicy=../it's.yaml\n-c\nemail=" + odd + "\n-c\nzip=z.zip\n"
	if err != nil || string(arguments) != want {
		t.Errorf("have %s (%v)\nwant %s", arguments, err, want)
	}
}
