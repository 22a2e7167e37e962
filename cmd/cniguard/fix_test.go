package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/hub"
	"github.com/cniguard/cniguard/internal/plain"
	"github.com/cniguard/cniguard/internal/remedy"
)

// odd is a value that a line of others could hide in, and nasty has what no output shows.
const (
	odd   = "two\nlines\nStep 9 of 9: all is done"
	nasty = "a\u202eb\U000e0041c"
)

// someFix has every part of a fix, and texts that others gave in each.
func someFix() hub.Fix {
	files := func(name, text string) []remedy.File { return []remedy.File{{Name: name, Text: text}} }
	return hub.Fix{
		Cluster: "111122223333/eu-central-1/prod", Seen: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), Because: "Terraform\nowns it",
		Room: []remedy.Part{{Say: []string{"Make room."}, Run: []string{"aws ec2 describe-subnets"}, Files: files("merged.json", "{}\n")}},
		Fix: remedy.Fix{
			Method: remedy.Terraform, Notes: []string{"Mind this: " + strings.Repeat("word ", 600) + "the end."},
			Steps: []remedy.Step{{
				From: "v1.7.5-eksbuild.2", To: "v1.8.0-eksbuild.1", Notes: []string{"A note of the step."},
				Before: remedy.Part{Say: []string{"Look."}, Run: []string{"aws eks describe-addon \\\n    --cluster-name " + plain.Quote(odd)}},
				Change: remedy.Part{Files: files("vpc-cni.tf", "resource \"aws_eks_addon\" \"x\" {\n\tname = \"to\"\n}\n"), Run: []string{"terraform plan", "terraform apply"}},
				Wait:   remedy.Part{Say: []string{"Wait."}},
				After:  remedy.Part{Run: []string{"echo " + plain.Quote(nasty)}},
				Back:   remedy.Part{Say: []string{"Go back."}, Files: files("vpc-cni.tf", "# from\n")},
			}, {From: "v1.8.0-eksbuild.1", To: "v1.9.3-eksbuild.1", Change: remedy.Part{Run: []string{"terraform apply"}}}},
			Checked: "hcl", Unchecked: "the provider",
		},
		Left: []string{"v1.10.4-eksbuild.1"},
	}
}

func printed(f hub.Fix) string {
	var out bytes.Buffer
	printFix(plain.Writer(&out), f)
	return out.String()
}

func TestAPrintedFixIsReadTopDown(t *testing.T) {
	f := someFix()
	f.Notes, f.Steps[0].Before.Run = []string{"Mind this."}, []string{"aws eks describe-addon"}
	f.Steps[0].After = remedy.Part{}
	const want = `  111122223333/eu-central-1/prod: from v1.7.5-eksbuild.2 to v1.10.4-eksbuild.1 in 3 steps, with terraform,
  since Terraform owns it. The cluster was read at 2026-03-02 12:00 UTC.
  - Mind this.

  First make room, 1 of 1
  Make room.

  The file merged.json:

{}

aws ec2 describe-subnets

  == Step 1 of 3: v1.7.5-eksbuild.2 to v1.8.0-eksbuild.1
  - A note of the step.

  Before (nothing is changed)
  Look.

aws eks describe-addon

  Change

  The file vpc-cni.tf:

resource "aws_eks_addon" "x" {
    name = "to"
}

terraform plan

terraform apply

  Wait
  Wait.

  The way back
  Go back.

  The file vpc-cni.tf:

# from

  == Step 2 of 3: v1.8.0-eksbuild.1 to v1.9.3-eksbuild.1

  Change

terraform apply

  After that: v1.10.4-eksbuild.1. --path has every step.

  Checked: hcl
  Not machine-checked: the provider
`
	if diff := cmp.Diff(want, printed(f)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// What begins at the margin is a command or a file, whole and as it is; a line of others cannot pose as one of ours.
func TestWhatBeginsAtTheMarginIsToBePasted(t *testing.T) {
	f := someFix()
	text, rest := printed(f), ""
	for _, step := range f.Steps {
		for _, p := range []remedy.Part{step.Before, step.Change, step.Wait, step.After, step.Back} {
			for _, c := range p.Run {
				rest += "\n" + c + "\n"
				if !strings.ContainsFunc(c, unseen) && !strings.Contains(text, "\n\n"+c+"\n") {
					t.Errorf("%q is not there as it is", c)
				}
			}
			for _, file := range p.Files {
				rest += "\n" + strings.ReplaceAll(file.Text, "\t", "    ") + "\n"
			}
		}
	}
	for _, p := range f.Room {
		rest += strings.Join(p.Run, "\n") + "\n" + p.Files[0].Text
	}
	for line := range strings.Lines(text) {
		hidden := strings.Contains(line, "abc") // what no output shows
		if line != "\n" && !strings.HasPrefix(line, "  ") && !strings.Contains(rest, line) && !hidden {
			t.Errorf("at the margin: %q", line)
		}
	}
	if !strings.Contains(text, "  It has characters that cannot be shown: take it from --out or --json.\necho 'abc'\n") {
		t.Error("that a command is not shown whole is not said")
	}
	if !strings.Contains(text, "the end.\n") {
		t.Error("a long note is cut")
	}
}

func TestAFixInJSONHasWhatNoOutputShows(t *testing.T) {
	var out bytes.Buffer
	if err := printExact(plain.Writer(&out), someFix()); err != nil {
		t.Fatal(err)
	}
	var got hub.Fix
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(someFix(), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// tree are the files below a folder with their text, and the folders with a slash.
func tree(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == folder {
			return err
		}
		name, _ := filepath.Rel(folder, path)
		if d.IsDir() {
			all[name+"/"] = ""
			return nil
		}
		text, err := os.ReadFile(path)
		all[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAFixIsWrittenWholeAndOverwritesNothing(t *testing.T) {
	here := t.TempDir()
	folder := filepath.Join(here, "deep", "fix")
	write := func(to string, f hub.Fix, want string) {
		t.Helper()
		var out bytes.Buffer
		err := writeFix(&out, to, f)
		text := out.String()
		if err != nil {
			text = err.Error()
		}
		if ok, _ := regexp.MatchString(want, text); !ok {
			t.Errorf("%s\nwant %s", text, want)
		}
	}
	write(folder, someFix(), `(?s)^Written: .*fix\.txt\nWritten: .*0-room/merged\.json\nWritten: .*1-v1\.8\.0-eksbuild\.1/vpc-cni\.tf\nWritten: .*/back/vpc-cni\.tf\n$`)
	got := tree(t, here)
	var text bytes.Buffer
	sheet{out: &text, written: true}.fix(someFix())
	want := map[string]string{
		"deep/": "", "deep/fix/": "", "deep/fix/fix.txt": text.String(), "deep/fix/0-room/": "", "deep/fix/0-room/merged.json": "{}\n",
		"deep/fix/1-v1.8.0-eksbuild.1/": "", "deep/fix/1-v1.8.0-eksbuild.1/vpc-cni.tf": someFix().Steps[0].Change.Files[0].Text,
		"deep/fix/1-v1.8.0-eksbuild.1/back/": "", "deep/fix/1-v1.8.0-eksbuild.1/back/vpc-cni.tf": "# from\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
	for _, says := range []string{
		nasty, odd, "  The file vpc-cni.tf.\n", "  The file vpc-cni.tf stands in back there: it takes the place of the one of that name.\n",
		"  The file merged.json stands in 0-room: copy it to where you run the commands.\n",
		"  Its files stand in 1-v1.8.0-eksbuild.1: copy each to where you run the commands. That is one folder for all\n  steps.\n",
	} {
		if n := strings.Count(text.String(), says); n != 1 {
			t.Errorf("fix.txt does not say %q:\n%s", says, text.String())
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "1-v1.8.0-eksbuild.1", "vpc-cni-values.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	write(folder, someFix(), "^The same is in .* already\n$")
	other := someFix()
	other.Steps[0].Back.Files[0].Text = "# another\n"
	before := tree(t, here)
	write(folder, other, `^--out .*: it has files already, and fix\.txt is not among them as it would be written|back/vpc-cni\.tf is not among them as it would be written; nothing is overwritten`)
	write(filepath.Join(folder, "fix.txt"), someFix(), "it is a file; want a folder")
	write(filepath.Join(folder, "fix.txt", "below"), someFix(), "^--out: .*not a directory")
	write(filepath.Join(here, "deep"), someFix(), "it has files already")
	twice := someFix()
	twice.Steps[0].Wait.Files = []remedy.File{{Name: "vpc-cni.tf", Text: "# a third\n"}}
	write(filepath.Join(here, "new"), twice, "two files named 1-v1.8.0-eksbuild.1/vpc-cni.tf")
	for _, name := range []string{"../evil", "/evil", "", ".", "a/b"} {
		evil := someFix()
		evil.Steps[0].Change.Files[0].Name = name
		write(filepath.Join(here, "new"), evil, "is no name of a file")
	}
	locked := filepath.Join(here, "locked")
	if err := os.Mkdir(locked, 0o500); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		write(filepath.Join(locked, "fix"), someFix(), "permission denied")
	}
	before["locked/"] = ""
	if diff := cmp.Diff(before, tree(t, here)); diff != "" {
		t.Errorf("what was refused left something (-before +after):\n%s", diff)
	}
	empty := filepath.Join(here, "empty")
	if err := os.Mkdir(empty, 0o755); err != nil {
		t.Fatal(err)
	}
	write(empty, someFix(), "^Written: ")
	evil := someFix()
	evil.Steps[0].To = "../../x\n"
	if got := folderOf(1, evil.Steps[0]); got != "1-.._.._x_" {
		t.Errorf("the folder of a step is %q", got)
	}
}
