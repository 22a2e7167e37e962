package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cniguard/cniguard/internal/bundle"
)

var update = flag.Bool("update", false, "write the golden files and the scripts' expected output anew")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"cniguard": main})
}

// unended is an orders file whose last line has no end, which a script cannot hold.
const unended = `{"at": "1h", "kind": "halt", "by": "ana", "because": "why not"}`

// TestScripts runs what people type; each script finds the demo's files in the folder demo, sample events in events, orders in
// byhand.jsonl, zips of a small program in release.zip and of the head of one for amd64 in amd64.zip, and a hub that AWS leads to.
func TestScripts(t *testing.T) {
	release := zipOf(t, []byte("#!/bin/sh\n"))
	// e_machine, two bytes from the 18th on, is 62 for x86-64 (System V ABI, "ELF Header").
	amd64 := zipOf(t, append([]byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00\x01"), make([]byte, 43)...))
	known := demoLedger(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", Cmds: hubCommands(), UpdateScripts: *update, RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			openHub(e, known)
			if err := os.CopyFS(filepath.Join(e.WorkDir, "demo"), os.DirFS("demo")); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(e.WorkDir, "byhand.jsonl"), []byte(unended), 0o600); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(e.WorkDir, "release.zip"), release, 0o600); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(e.WorkDir, "amd64.zip"), amd64, 0o600); err != nil {
				return err
			}
			return os.CopyFS(filepath.Join(e.WorkDir, "events"), os.DirFS("../../events"))
		},
	})
}

// zipOf is the zip of a program.
func zipOf(t *testing.T, program []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := bundle.Pack(&out, bundle.File{Name: bundle.Program, Executable: true, Content: program}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// told is what a command prints, and what it complains of.
func told(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, complaints strings.Builder
	if err := run(args, &out, &complaints); err != nil {
		t.Errorf("cniguard %s: %v", strings.Join(args, " "), err)
	}
	return out.String(), complaints.String()
}

func TestTheDemoTellsItsStoryOnTwoScreens(t *testing.T) {
	story, complaints := told(t, "demo")
	const golden = "testdata/demo.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(story), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), story); diff != "" || complaints != "" {
		t.Errorf("(-golden +told):\n%s%s", diff, complaints)
	}
	lines := strings.Split(strings.TrimSuffix(story, "\n"), "\n")
	if len(lines) > 135 {
		t.Errorf("the story has %d lines", len(lines))
	}
	for _, l := range lines {
		if len([]rune(l)) > width || strings.ContainsAny(l, "\x1b\t\r") || strings.TrimRight(l, " ") != l {
			t.Errorf("a line is wide, coloured or ends in space: %q", l)
		}
	}
}

func TestTheDemoIsTheSameThroughTheSDK(t *testing.T) {
	direct, _ := told(t, "demo")
	sdk, _ := told(t, "demo", "--sdk")
	if diff := cmp.Diff(direct, sdk); diff != "" {
		t.Errorf("(-direct +sdk):\n%s", diff)
	}
}

// everyCommand calls f for each command, those below others too.
func everyCommand(c *cobra.Command, f func(*cobra.Command)) {
	f(c)
	for _, sub := range c.Commands() {
		everyCommand(sub, f)
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	everyCommand(command(), func(c *cobra.Command) {
		if c.Short == "" || c.Example == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: its Short is %q, its Example %q", c.CommandPath(), c.Short, c.Example)
		}
		for _, line := range strings.Split(c.Long+"\n"+c.Example, "\n") {
			if len(line) > 140 {
				t.Errorf("%s: a line of its help is too long: %q", c.CommandPath(), line)
			}
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s has no description", c.CommandPath(), f.Name)
			}
		})
	})
}

func TestExamplesAreCommandsWithFlagsThatThereAre(t *testing.T) {
	everyCommand(command(), func(c *cobra.Command) {
		for _, line := range strings.Split(c.Example, "\n") {
			line, _, _ = strings.Cut(line, " | ")
			line, _, _ = strings.Cut(line, " > ")
			words := strings.Fields(strings.ReplaceAll(line, `"`, ""))
			if words[0] != "cniguard" {
				t.Errorf("%s: %q is no example", c.CommandPath(), line)
				continue
			}
			found, rest, err := command().Find(words[1:])
			if err != nil {
				t.Errorf("%s: %q: %v", c.CommandPath(), line, err)
				continue
			}
			if err := found.ParseFlags(rest); err != nil {
				t.Errorf("%s: %q: %v", c.CommandPath(), line, err)
			}
			if c.HasParent() && !c.HasSubCommands() && found.Name() != c.Name() {
				t.Errorf("%s: %q is an example of another command", c.CommandPath(), line)
			}
		}
	})
}

func TestUsageLinesNameFlagsThatThereAre(t *testing.T) {
	everyCommand(command(), func(c *cobra.Command) {
		for _, word := range strings.Fields(strings.NewReplacer("[", " ", "]", " ").Replace(c.Use)) {
			if name, ok := strings.CutPrefix(word, "--"); ok && c.Flags().Lookup(name) == nil {
				t.Errorf("%s has no flag %s", c.CommandPath(), word)
			}
		}
	})
}
