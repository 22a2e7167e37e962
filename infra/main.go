// Command infra is the CDK app: it reads what a deployment may choose from the CDK's context (docs/deploy.md), and synthesizes
// the stacks. What is wrong is told in a line each, before any construct exists.
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cniguard/cniguard/infra/settings"
	"github.com/cniguard/cniguard/infra/stack"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/plain"
)

func main() {
	if err := run(os.Getenv, plain.Writer(os.Stdout)); err != nil {
		fmt.Fprintln(plain.Writer(os.Stderr), err)
		os.Exit(1)
	}
}

func run(getenv func(string) string, stdout io.Writer) error {
	context, err := contextOf(getenv)
	if err != nil {
		return err
	}
	d, err := settings.Read(settings.Source{
		Context: context, ReadFile: os.ReadFile, Now: clock.Real{}.Now(),
		Known: event.Unit{Account: getenv("CDK_DEFAULT_ACCOUNT"), Region: getenv("CDK_DEFAULT_REGION")},
	})
	if err := errors.Join(err, findNode(getenv)); err != nil {
		return err
	}
	out := cmp.Or(getenv("CDK_OUTDIR"), "cdk.out")
	if err := synthesize(d, out); err != nil {
		return err
	}
	for _, line := range outlook(d.Config, filepath.Base(out)) {
		fmt.Fprintln(stdout, line)
	}
	return nil
}

// contextOf is the context as the CDK's command hands it over: in a variable, and what is too long for that in a file.
func contextOf(getenv func(string) string) (map[string]any, error) {
	context := map[string]any{}
	if text := getenv("CDK_CONTEXT_JSON"); text != "" {
		if err := json.Unmarshal([]byte(text), &context); err != nil {
			return nil, fmt.Errorf("read CDK_CONTEXT_JSON: want a JSON object: %w", err)
		}
	}
	file := getenv("CONTEXT_OVERFLOW_LOCATION_ENV")
	if file == "" {
		return context, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read CONTEXT_OVERFLOW_LOCATION_ENV: %w", err)
	}
	more := map[string]any{}
	if err := json.Unmarshal(data, &more); err != nil {
		return nil, fmt.Errorf("read CONTEXT_OVERFLOW_LOCATION_ENV: want a JSON object: %w", err)
	}
	maps.Copy(context, more)
	return context, nil
}

// oldestNode is the oldest major version of Node that the CDK still starts on (aws-cdk-lib 2.270, jsii 1.139). It warns on 20,
// whose support has ended, so people are told to install 22.
const oldestNode = 20

// findNode asks for Node where the CDK will look for it: without it, or with one that is too old, the first construct would panic.
func findNode(getenv func(string) string) error {
	const hint = "install Node.js 22 or newer (https://nodejs.org)"
	name := cmp.Or(getenv("JSII_NODE"), "node")
	out, err := exec.Command(name, "--version").Output()
	if err != nil {
		return fmt.Errorf("ask %s for its version: %w; %s", name, err, hint)
	}
	version := strings.TrimSpace(string(out))
	major, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	if n, err := strconv.Atoi(major); err != nil || n < oldestNode {
		return fmt.Errorf("ask %s for its version: %.40q is too old for the CDK; %s", name, version, hint)
	}
	return nil
}

// synthesize writes with the CDK, whose errors come as panics, with a stack of JavaScript that is of no use to who deploys.
func synthesize(d settings.Deployment, out string) (err error) {
	// What jsii unpacks goes where it can be removed. Its own Close would do that and end Node, but waits for Node twice and prints
	// that one of the two failed; Node ends by itself with this process.
	scratch, err := os.MkdirTemp("", "cniguard")
	if err != nil {
		return fmt.Errorf("start the CDK: %w", err)
	}
	defer os.RemoveAll(scratch) //nolint:errcheck // it is in the system's folder for such files
	if err := os.Setenv("TMPDIR", scratch); err != nil {
		return fmt.Errorf("start the CDK: %w", err)
	}
	defer func() {
		if failed := recover(); failed != nil {
			first, _, _ := strings.Cut(fmt.Sprint(failed), "\n")
			err = fmt.Errorf("synthesize: %s", first)
		}
	}()
	return write(d, out)
}

// write puts the templates and the Lambda's zip into a folder, beside them the member's template for accounts that the CDK does
// not reach.
func write(d settings.Deployment, out string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("write the templates: %w", err)
	}
	d.Config.Zip = filepath.Join(out, "remediator.zip")
	if err := os.WriteFile(d.Config.Zip, d.Zip, 0o644); err != nil {
		return fmt.Errorf("write the Lambda's zip: %w", err)
	}
	member, err := stack.MemberTemplate(d.Config)
	if err != nil {
		return err
	}
	var readable bytes.Buffer
	if err := json.Indent(&readable, member, "", " "); err != nil {
		return fmt.Errorf("write the member's template: %w", err)
	}
	if err := os.WriteFile(filepath.Join(out, "cniguard-member.template.json"), readable.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write the member's template: %w", err)
	}
	app := stack.NewApp(out)
	hub, err := stack.NewHub(app, d.Config)
	if err != nil {
		return err
	}
	if err := stack.NewMembers(app, hub, d.Config, member); err != nil {
		return err
	}
	app.Synth(nil)
	return nil
}
