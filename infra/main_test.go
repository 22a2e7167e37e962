package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cniguard/cniguard/internal/bundle"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"infra": main})
}

// TestScripts starts the app as the CDK's command does. Each script finds the zip of a small program where make build puts the
// Lambda's; those that synthesize need Node, and only CI insists on it.
func TestScripts(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil && os.Getenv("CI") != "" {
		t.Fatal("the CDK needs Node: ", err)
	}
	var release bytes.Buffer
	if err := bundle.Pack(&release, bundle.File{Name: bundle.Program, Executable: true, Content: []byte("#!/bin/sh\n")}); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", RequireExplicitExec: true, RequireUniqueNames: true, UpdateScripts: os.Getenv("UPD") != "",
		Setup: func(e *testscript.Env) error {
			e.Setenv("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
			if err := os.Mkdir(filepath.Join(e.WorkDir, "dist"), 0o755); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(e.WorkDir, "dist", "remediator-arm64.zip"), release.Bytes(), 0o600)
		},
	})
}
