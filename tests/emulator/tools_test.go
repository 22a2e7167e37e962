// Package emulator_test deploys the synthesized templates for real onto an AWS that this project did not write: ministack, which
// creates stacks, enforces IAM's policies, delivers events and runs the function's program as a process. What ministack does
// not do as AWS does is a table: see lacks.
package emulator_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// root is the repository's folder.
const root = "../.."

// patience is how long, in real time, anything may take: no measure, but the end of what hangs.
const patience = 2 * time.Minute

// needs skips the test where a program or a file is not there, saying how to get it. In CI, where nothing is skipped, it fails.
func needs(t *testing.T, what, remedy string) {
	t.Helper()
	_, err := os.Stat(what)
	if !filepath.IsAbs(what) {
		_, err = exec.LookPath(what)
	}
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is not there, and CI skips nothing: %s", what, remedy)
	default:
		t.Skipf("%s is not there: %s", what, remedy)
	}
}

// tool is the path of something that make installs in the repository's folder.
func tool(t *testing.T, path, remedy string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	needs(t, path, remedy)
	return path
}

// python is a program of the virtual environment.
func python(t *testing.T, program string) string {
	t.Helper()
	return tool(t, filepath.Join(".venv", "bin", program), "make .venv")
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}
