package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

var size, idle string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "size")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	size, idle = filepath.Join(dir, "size"), filepath.Join(dir, "idle")
	for program, source := range map[string]string{size: ".", idle: "./idle"} {
		if out, err := exec.Command("go", "build", "-o", program, source).CombinedOutput(); err != nil {
			panic(string(out))
		}
	}
	return m.Run()
}

// dist is a folder as make build leaves it, with a zip of that many bytes and a program for this machine.
func dist(t *testing.T, zip int64, program string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, runtime.GOARCH), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program, filepath.Join(dir, runtime.GOARCH, "bootstrap")); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "remediator-"+runtime.GOARCH+".zip")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, zip); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestAFunctionThatStartsIsMeasured(t *testing.T) {
	out, err := exec.Command(size, dist(t, 5_990_000, idle)).CombinedOutput()
	if err != nil {
		t.Fatalf("size: %v: %s", err, out)
	}
	for _, want := range []string{`zip 5\.99 MB \(bound 6 MB\)`, `start: \d+\.\d ms .* \d+\.\d times a function that does nothing`} {
		if runtime.GOOS != "linux" && strings.HasPrefix(want, "start") {
			want = "start: not measured"
		}
		if !regexp.MustCompile(want).Match(out) {
			t.Errorf("size says\n%swant %s", out, want)
		}
	}
}

func TestWhatCannotPassIsAnErrorThatSaysWhy(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "bootstrap")
	if err := os.WriteFile(broken, []byte("#!/bin/sh\necho CNIGUARD_TOPIC_ONCALL is not set\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	starting := dist(t, 1, broken)
	for _, c := range []struct{ name, dist, want string }{
		{"a zip above its bound", dist(t, 6_000_001, idle), "above its bound of 6 MB: " + runtime.GOARCH},
		{"a folder without a zip", t.TempDir(), "there is no remediator-*.zip"},
		{"a program that ends before its first poll", starting, "CNIGUARD_TOPIC_ONCALL is not set"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := exec.Command(size, c.dist).CombinedOutput()
			if runtime.GOOS != "linux" && c.dist == starting {
				return // no program is started there
			}
			if err == nil || !strings.Contains(string(out), c.want) {
				t.Errorf("size: %v:\n%swant an error that says %q", err, out, c.want)
			}
		})
	}
}
