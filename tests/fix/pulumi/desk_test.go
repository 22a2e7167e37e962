package pulumi_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cniguard/cniguard/internal/remedy"
)

// desk is a folder in which the printed commands run in a shell. The programs that they name are a script that writes down how it was called.
type desk struct{ dir string }

// script stands in for the programs. As Pulumi's command does, it keeps what is set in the stack's configuration, a value of its standard input too,
// and what is imported in the stack's state.
const script = `#!/bin/sh
{ printf '%s\0' "${0##*/}" "$@"; printf '\n\0'; } >> "$DESK/log"
case "${0##*/} $1 $2 $3" in
"pulumi config set --secret") cat > "$DESK/secret/$4" ;;
"pulumi config set "*) printf %s "$4" > "$DESK/config/$3" ;;
"pulumi stack export "*) cat "$DESK/state" ;;
"aws eks describe-addon "*) case "$*" in
	*"addon.configurationValues --output text"*) cat "$DESK/values" && echo ;;
	*"addon.[addonVersion, status]"*) echo "there is none" >&2; exit 254 ;;
	*) echo shown ;;
	esac ;;
esac
`

func open(t *testing.T, s scene) desk {
	t.Helper()
	d := desk{t.TempDir()}
	for _, dir := range []string{"bin", "work", "config", "secret"} {
		if err := os.Mkdir(filepath.Join(d.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	d.write(t, "values", s.config)
	d.write(t, "state", "{}\n")
	for _, name := range []string{"aws", "kubectl", "pulumi"} {
		d.write(t, "bin/"+name, script)
	}
	return d
}

func (d desk) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// do writes a part's files and runs its commands, each in a shell of its own, and returns how programs were called. The question whether there is
// an add-on may be answered with no.
func (d desk) do(t *testing.T, p remedy.Part) (calls [][]string) {
	t.Helper()
	for _, f := range p.Files {
		d.write(t, "work/"+f.Name, f.Text)
	}
	d.write(t, "log", "")
	for _, command := range p.Run {
		sh := exec.Command("sh", "-c", command)
		sh.Dir = filepath.Join(d.dir, "work")
		sh.Env = append(os.Environ(), "DESK="+d.dir, "PATH="+filepath.Join(d.dir, "bin")+":"+os.Getenv("PATH"))
		asks := strings.HasPrefix(command, "aws eks describe-addon ") && !strings.Contains(command, "--query")
		if out, err := sh.CombinedOutput(); err != nil && !asks {
			t.Errorf("%v: %s\n%s", err, out, command)
		}
	}
	log, err := os.ReadFile(filepath.Join(d.dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range strings.Split(string(log), "\n\x00") {
		if call != "" {
			calls = append(calls, strings.Split(strings.TrimSuffix(call, "\x00"), "\x00"))
		}
	}
	return calls
}

// imported is what was imported, as "TYPE NAME ID"; the state has it from then on.
func (d desk) imported(t *testing.T, calls [][]string) string {
	t.Helper()
	i := slices.IndexFunc(calls, func(c []string) bool { return len(c) > 5 && c[0] == "pulumi" && c[1] == "import" })
	if i < 0 {
		return ""
	}
	id, err := json.Marshal(calls[i][4])
	if err != nil {
		t.Fatal(err)
	}
	d.write(t, "state", "{\n    \"id\": "+string(id)+",\n}\n")
	return strings.Join(calls[i][2:5], " ")
}

// configuration is that of the stack, and which of it is secret, as programs get it: in their environment.
func (d desk) configuration(t *testing.T) []string {
	t.Helper()
	all, secrets := map[string]string{}, []string{}
	for _, kind := range []string{"config", "secret"} {
		entries, err := os.ReadDir(filepath.Join(d.dir, kind))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			text, err := os.ReadFile(filepath.Join(d.dir, kind, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			all["shop:"+e.Name()] = strings.TrimSuffix(string(text), "\n") // Pulumi takes one line break off the end
			if kind == "secret" {
				secrets = append(secrets, "shop:"+e.Name())
			}
		}
	}
	keys, err := json.Marshal(secrets)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return append(os.Environ(), "PULUMI_CONFIG="+string(text), "PULUMI_CONFIG_SECRET_KEYS="+string(keys))
}
