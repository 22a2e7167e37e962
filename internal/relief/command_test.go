package relief_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/relief"
)

// argv is what a POSIX shell makes of commands: the words of each. Nothing of them is run but printf.
func argv(t *testing.T, commands []string) (all [][]string) {
	t.Helper()
	var script strings.Builder
	for _, c := range commands {
		script.WriteString(`printf '%s\0' ` + c + "\nprintf '\\1\\0'\n")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "script")
	if err := os.WriteFile(file, []byte(script.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("sh", "-n", file).CombinedOutput(); err != nil {
		t.Fatalf("sh -n: %v: %s\n%s", err, out, script.String())
	}
	sh := exec.Command("sh", file)
	sh.Dir = dir
	out, err := sh.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, script.String())
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Fatalf("something ran: %v %v", entries, err)
	}
	for one := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x01\x00"), "\x01\x00") {
		all = append(all, strings.Split(strings.TrimSuffix(one, "\x00"), "\x00"))
	}
	return all
}

// follows is the word that follows another.
func follows(words []string, word string) (string, bool) {
	i := slices.Index(words, word)
	if i < 0 || i+1 == len(words) {
		return "", false
	}
	return words[i+1], true
}

func TestAShellSeesNoMoreThanTheNames(t *testing.T) {
	for _, bad := range hostile() {
		if !utf8.ValidString(bad) || strings.ContainsFunc(bad, func(r rune) bool { return !unicode.IsPrint(r) }) {
			continue // such runes are replaced; the next test has them
		}
		for _, f := range []relief.Facts{full(), fragmented(), selfManaged()} {
			f.Cluster = cluster.ID{Account: "111122223333", Region: bad, Name: bad}
			f.VPC = bad
			f.Types = slices.Clone(f.Types)
			f.Types[1].Name = "m5." + bad
			for i := range f.Subnets {
				f.Blocks = map[string]capacity.Blocks{bad: f.Blocks[f.Subnets[i].ID]}
				f.Subnets[i].ID = bad
			}
			for _, h := range relief.All(f) {
				if h.Not != "" {
					continue
				}
				flags := []string{"--region", "--cluster-name", "--vpc-id"}
				if h.Code == "reservation" {
					flags = append(flags, "--subnet-id")
				}
				for i, words := range argv(t, h.Commands) {
					for _, flag := range flags {
						if got, found := follows(words, flag); found && got != bad {
							t.Errorf("%s is %q, want %q in %s", flag, got, bad, h.Commands[i])
						}
					}
				}
			}
		}
	}
}

func TestEveryCommandIsComplete(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 6))
	for range 40 {
		f := absurd(r)
		if r.IntN(2) == 0 {
			f = some(r)
		}
		for _, h := range relief.All(f) {
			if h.Not == "" {
				complete(t, f, h)
			}
		}
		if t.Failed() {
			t.Fatalf("%+v", f)
		}
	}
}

func complete(t *testing.T, f relief.Facts, h relief.Help) {
	t.Helper()
	kubeconfig := false
	for i, words := range argv(t, h.Commands) {
		c := h.Commands[i]
		_, regional := follows(words, "--region")
		switch {
		case words[0] == "aws" && !regional:
			t.Errorf("no region: %s", c)
		case words[0] == "aws" && words[2] == "update-kubeconfig":
			kubeconfig = true
		case words[0] == "kubectl" && !kubeconfig:
			t.Errorf("for which cluster? %s", c)
		case words[0] != "aws" && words[0] != "kubectl":
			t.Errorf("%s", c)
		}
		if bare := strings.ReplaceAll(c, " \\\n    ", " "); strings.Contains(bare, "\n") || strings.Contains(c, "arn:aws:") || strings.Contains(c, "amazonaws.com") {
			t.Errorf("%s", c)
		}
		if words[0] == "aws" && words[2] == "update-addon" {
			keeps(t, f, h, i, words)
		}
		if file, found := follows(words, "-f"); found && !slices.ContainsFunc(h.Files, func(f relief.File) bool { return f.Name == file }) {
			t.Errorf("no file %s", file)
		}
	}
	for _, file := range h.Files {
		if filepath.Base(file.Name) != file.Name || file.Text == "" || strings.HasPrefix(file.Name, ".") {
			t.Errorf("file %+v", file)
		}
		if strings.HasSuffix(file.Name, ".json") && !json.Valid([]byte(file.Text)) {
			t.Errorf("%s", file.Text)
		}
	}
}

func TestLongCommandsAreWrapped(t *testing.T) {
	r, wrapped := rand.New(rand.NewPCG(8, 6)), 0
	for i := range 300 {
		f := some(r)
		if i < 3 {
			f = []relief.Facts{full(), fragmented(), selfManaged()}[i]
		}
		for _, h := range relief.All(f) {
			for _, c := range h.Commands {
				lines := strings.Split(c, "\n")
				for i, line := range lines {
					last, single := i == len(lines)-1, len(strings.Fields(strings.TrimSuffix(line, " \\"))) <= 2 || strings.Contains(line, "--query")
					if utf8.RuneCountInString(line) > 110 && !single || strings.HasSuffix(line, " \\") == last || i > 0 && !strings.HasPrefix(line, "    ") {
						t.Fatalf("line %d of\n%s", i, c)
					}
				}
				wrapped += len(lines) - 1
			}
		}
	}
	if wrapped == 0 {
		t.Error("none was")
	}
}

// keeps holds that an update sends the role and merged values, and comes after the command that shows them.
func keeps(t *testing.T, f relief.Facts, h relief.Help, i int, words []string) {
	t.Helper()
	role, sent := follows(words, "--service-account-role-arn")
	values, _ := follows(words, "--configuration-values")
	conflicts, _ := follows(words, "--resolve-conflicts")
	shown := slices.ContainsFunc(h.Commands[:i], func(c string) bool { return strings.HasPrefix(c, "aws eks describe-addon ") })
	given := slices.ContainsFunc(h.Files, func(f relief.File) bool { return "file://"+f.Name == values })
	if !sent || role == "" || !shown || conflicts != "PRESERVE" || given || !f.Managed {
		t.Errorf("the role, or what is configured, may be lost: %s", h.Commands[i])
	}
}

func TestEveryZoneHasItsENIConfig(t *testing.T) {
	f := full()
	f.Subnets = append(f.Subnets, capacity.Subnet{ID: "subnet-0c", CIDR: "10.0.3.0/24", Zone: "eu-central-1a", Free: 9})
	i := slices.IndexFunc(relief.All(f), func(h relief.Help) bool { return h.Code == "custom-networking" })
	h := relief.All(f)[i]
	var names []string
	for _, file := range h.Files {
		names = append(names, file.Name)
	}
	if want := []string{"eniconfig-eu-central-1a.yaml", "eniconfig-eu-central-1b.yaml", "vpc-cni-add.json"}; !slices.Equal(names, want) {
		t.Fatalf("%q, want %q", names, want)
	}
	for _, c := range h.Commands {
		if zone, found := follows(strings.Fields(c), "--availability-zone"); found && !strings.Contains(h.Files[0].Text+h.Files[1].Text, "name: \""+zone+"\"") {
			t.Errorf("no ENIConfig for %s", zone)
		}
	}
}
