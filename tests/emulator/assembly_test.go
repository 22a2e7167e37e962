package emulator_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/cniguard/cniguard/internal/bundle"
)

// rules is the policy that is deployed: a person approves what is done to prod.
const rules = `
version: 1
fleet:
  - {account: "` + hub + `", regions: [` + region + `]}
  - {account: "` + member + `", regions: [` + region + `]}
defaults:
  floor: v1.19.0
rules:
  - name: a person approves
    match: {clusters: [prod]}
    set: {mode: approve, owner: cniguard}
`

// folder has the assembly, which is what the CDK makes of the app, for as long as the tests run.
var folder string

func TestMain(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "assembly"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// once makes the assembly for all tests.
var once = sync.OnceValue(func() error { return synthesize(folder) })

// synthesized is the folder of the assembly.
func synthesized(t *testing.T) string {
	t.Helper()
	needs(t, "node", "install Node.js, which the CDK runs on")
	if err := once(); err != nil {
		t.Fatal(err)
	}
	return folder
}

// synthesize does what `make synth` does. The function's program, which must be for Lambda's machine, is a script that is
// replaced by the program for this machine.
func synthesize(dir string) error {
	work := filepath.Join(dir, "work")
	program, release, policy := filepath.Join(work, "bootstrap"), filepath.Join(work, "release.zip"), filepath.Join(work, "policy.yaml")
	err := os.Mkdir(work, 0o700)
	if err == nil {
		err = os.WriteFile(policy, []byte(rules), 0o600)
	}
	if err == nil {
		err = pack(release, bundle.File{Name: bundle.Program, Executable: true, Content: []byte("#!/bin/sh\n")})
	}
	if err != nil {
		return err
	}
	context, err := json.Marshal(map[string]string{
		"account": hub, "region": region, "policy": policy, "zip": release, "email": "oncall@example.com",
		"updates": "true", "passRoles": podRole, "logLevel": "debug",
	})
	if err != nil {
		return err
	}
	err = run("go", []string{"GOFLAGS=", "CGO_ENABLED=0"}, "build", "-tags=lambda.norpc", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-gcflags=github.com/aws/aws-sdk-go-v2/...=-l", "-o", program, "./functions/remediator")
	if err == nil {
		err = run("go", nil, "build", "-o", filepath.Join(work, "cniguard"), "./cmd/cniguard")
	}
	if err == nil {
		err = run("go", []string{"CDK_OUTDIR=" + dir, "CDK_CONTEXT_JSON=" + string(context), "TMPDIR=" + work}, "run", "./infra")
	}
	if err == nil {
		err = replaceProgram(dir, program)
	}
	return err
}

// replaceProgram puts a program into the function's zip, beside the policy that is there.
func replaceProgram(dir, program string) error {
	content, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	assets, err := filepath.Glob(filepath.Join(dir, "asset.*.zip"))
	if err != nil || len(assets) != 1 {
		return fmt.Errorf("find the function's zip: %q, %w", assets, err)
	}
	old, err := zip.OpenReader(assets[0])
	if err != nil {
		return err
	}
	policy, err := fs.ReadFile(old, bundle.Policy)
	if err := errors.Join(err, old.Close()); err != nil {
		return err
	}
	return pack(assets[0], bundle.File{Name: bundle.Program, Executable: true, Content: content}, bundle.File{Name: bundle.Policy, Content: policy})
}

// pack writes a zip.
func pack(name string, files ...bundle.File) error {
	var out bytes.Buffer
	if err := bundle.Pack(&out, files...); err != nil {
		return err
	}
	return os.WriteFile(name, out.Bytes(), 0o600)
}

// run runs a command in the repository's folder, with more variables in its environment.
func run(name string, environment []string, arguments ...string) error {
	c := exec.Command(name, arguments...)
	c.Dir, c.Env = root, append(os.Environ(), environment...)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", c, err, out)
	}
	return nil
}

// templates are the files of all templates.
func templates(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(synthesized(t), "*.template.json"))
	if err != nil || len(files) < 2 {
		t.Fatalf("templates: %q, %v", files, err)
	}
	return files
}

// resources are those of the hub's template, by type.
func resources(t *testing.T, kind string) (all []map[string]any) {
	t.Helper()
	var template struct {
		Resources map[string]struct {
			Type       string
			Properties map[string]any
		}
	}
	read(t, filepath.Join(synthesized(t), "cniguard.template.json"), &template)
	for _, r := range template.Resources {
		if r.Type == kind {
			all = append(all, r.Properties)
		}
	}
	return all
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(content, into)
	}
	if err != nil {
		t.Fatalf("read %s: %v", file, err)
	}
}
