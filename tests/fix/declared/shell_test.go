package declared_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cniguard/cniguard/internal/remedy"
)

// desk is a folder in which the printed commands run in a shell. The programs that they name are a script that writes down how it was called, and
// answers what is asked of the add-on.
type desk struct {
	dir     string
	managed bool
}

// program is that script. The status of the add-on is what a test wrote last.
const program = `#!/bin/sh
set -- "${0##*/}" "$@"
printf '%s\0' "$@" > "$DESK/calls/$(printf %06d "$(ls "$DESK/calls" | wc -l)")"
case "$*" in
*"addon.status, addon.addonVersion"*) cat "$DESK/status" ;;
*ParameterValue*) cat "$DESK/values.parameters" ;;
*"addon.configurationValues --output json"*) cat "$DESK/values.json" ;;
*"addon.configurationValues --output text"*) cat "$DESK/values" && echo ;;
"aws eks describe-addon "*"addon.[addonVersion, status]"*) test "$MANAGED" = true ;;
*--query*) echo shown ;;
esac
`

func open(t *testing.T, s scene) desk {
	t.Helper()
	d := desk{t.TempDir(), s.managed}
	d.forget(t)
	d.write(t, "values", s.config)
	d.write(t, "values.json", jsonOf(t, s.config)+"\n")
	d.write(t, "values.parameters", jsonOf(t, []map[string]string{{"ParameterKey": "ConfigurationValues", "ParameterValue": s.config}}))
	for _, name := range []string{"aws", "terraform", "eksctl", "kubectl", "sleep"} {
		d.write(t, "bin/"+name, program)
	}
	return d
}

// forget empties the folder of the calls.
func (d desk) forget(t *testing.T) {
	t.Helper()
	calls := filepath.Join(d.dir, "calls")
	if err := errors.Join(os.RemoveAll(calls), os.Mkdir(calls, 0o755)); err != nil {
		t.Fatal(err)
	}
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (d desk) write(t *testing.T, name, text string) {
	t.Helper()
	name = filepath.Join(d.dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

func (d desk) read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(d.dir, "work", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// do writes a part's files and runs its commands, each in a shell of its own, and returns how programs were called.
func (d desk) do(t *testing.T, p remedy.Part) [][]string {
	t.Helper()
	d.write(t, "work/.keep", "")
	for _, f := range p.Files {
		d.write(t, "work/"+f.Name, f.Text)
	}
	d.forget(t)
	for _, command := range p.Run {
		sh := exec.Command("sh", "-c", command)
		sh.Dir = filepath.Join(d.dir, "work")
		sh.Env = append(os.Environ(), "DESK="+d.dir, fmt.Sprint("MANAGED=", d.managed), "PATH="+filepath.Join(d.dir, "bin")+":"+os.Getenv("PATH"))
		if out, err := sh.CombinedOutput(); err != nil {
			t.Errorf("%v: %s\n%s", err, out, command)
		}
	}
	return d.calls(t)
}

// calls are how programs were called since the folder of the calls was emptied.
func (d desk) calls(t *testing.T) [][]string {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(d.dir, "calls", "*"))
	if err != nil {
		t.Fatal(err)
	}
	var calls [][]string
	for _, log := range logs {
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		calls = append(calls, strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00"))
	}
	return calls
}

// call is the one call that begins with these words; nil: none does.
func call(t *testing.T, calls [][]string, words ...string) []string {
	t.Helper()
	var found []string
	for _, c := range calls {
		if len(c) >= len(words) && slices.Equal(c[:len(words)], words) {
			if found != nil {
				t.Errorf("%q is called twice", words)
			}
			found = c
		}
	}
	return found
}

// flag is the value of a flag; empty: it is not there.
func flag(call []string, name string) string {
	if i := slices.Index(call, name); i >= 0 && i+1 < len(call) {
		return call[i+1]
	}
	return ""
}

// fixed is the fix, whose commands a shell reads.
func fixed(t *testing.T, f remedy.Facts, m remedy.Method) remedy.Fix {
	t.Helper()
	fix, err := remedy.For(f, m)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range fix.Steps {
		for _, p := range []remedy.Part{s.Before, s.Change, s.Wait, s.After, s.Back} {
			for _, command := range p.Run {
				sh := exec.Command("sh", "-n")
				sh.Stdin = strings.NewReader(command)
				if out, err := sh.CombinedOutput(); err != nil {
					t.Errorf("%v: %s\n%s", err, out, command)
				}
			}
		}
	}
	return fix
}

// exit is how a command ends.
func (d desk) exit(t *testing.T, command string) int {
	t.Helper()
	sh := exec.Command("sh", "-c", command)
	sh.Env = append(os.Environ(), "DESK="+d.dir, fmt.Sprint("MANAGED=", d.managed), "PATH="+filepath.Join(d.dir, "bin")+":"+os.Getenv("PATH"))
	if err := sh.Run(); sh.ProcessState == nil {
		t.Fatal(err)
	}
	return sh.ProcessState.ExitCode()
}

func jsonIndented(t *testing.T, v any) string {
	t.Helper()
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
