package main_test

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var command string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "zip")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	command = filepath.Join(dir, "zip")
	if out, err := exec.Command("go", "build", "-o", command, ".").CombinedOutput(); err != nil {
		panic(string(out))
	}
	return m.Run()
}

// files writes a program and a policy, last changed at the given time, with the given permissions of the program.
func files(t *testing.T, changed time.Time, program os.FileMode) []string {
	t.Helper()
	dir := t.TempDir()
	names := []string{filepath.Join(dir, "bootstrap"), filepath.Join(dir, "policy.json")}
	for i, mode := range []os.FileMode{program, 0o600} {
		content := strings.Repeat("content of "+filepath.Base(names[i]), 1000)
		if err := os.WriteFile(names[i], []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(names[i], changed, changed); err != nil {
			t.Fatal(err)
		}
	}
	return names
}

func pack(t *testing.T, names []string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.zip")
	if text, err := exec.Command(command, append([]string{out}, names...)...).CombinedOutput(); err != nil {
		t.Fatalf("zip: %v: %s", err, text)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestTheSameFilesGiveTheSameBytes(t *testing.T) {
	old := pack(t, files(t, time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), 0o700))
	young := pack(t, files(t, time.Date(2031, 7, 9, 3, 4, 5, 6, time.UTC), 0o755))
	if !bytes.Equal(old, young) {
		t.Error("another folder, other times and other permissions of group and others gave other bytes")
	}
	if len(old) > 1000 {
		t.Errorf("%d bytes; want the repetitive files compressed", len(old))
	}
}

func TestTheZipHoldsWhatLambdaStarts(t *testing.T) {
	data := pack(t, files(t, time.Now(), 0o700))
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	type entry struct {
		Name    string
		Mode    os.FileMode
		Content string
	}
	var have []entry
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		have = append(have, entry{f.Name, f.Mode(), string(content[:len("content of ")+len(f.Name)])})
	}
	want := []entry{{"bootstrap", 0o755, "content of bootstrap"}, {"policy.json", 0o644, "content of policy.json"}}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Error(diff)
	}
}

func TestAFileThatIsMissingIsNamed(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.zip")
	text, err := exec.Command(command, out, filepath.Join(t.TempDir(), "absent")).CombinedOutput()
	if err == nil || !strings.Contains(string(text), "absent") || !strings.Contains(string(text), "pack ") {
		t.Errorf("zip of a missing file: %v: %s; want an error that names it", err, text)
	}
}
