package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/policy"
)

const (
	rounds     = 20
	startLimit = 30 * time.Second // for one start: no measure, but the end of a program that never polls
)

// starts prints how long the program takes from its start to its first poll, and as a multiple of the idle function's time. The
// two take turns, so that what else the machine does slows both.
func starts(ctx context.Context, w io.Writer, program string) error {
	dir, err := os.MkdirTemp("", "size")
	if err != nil {
		return fmt.Errorf("measure starts: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // the system removes temporary folders
	idle, err := buildIdle(ctx, dir)
	if err != nil {
		return err
	}
	env, err := environment(dir)
	if err != nil {
		return err
	}
	var ours, theirs []time.Duration
	for range rounds {
		for _, p := range []struct {
			program string
			times   *[]time.Duration
		}{{idle, &theirs}, {program, &ours}} {
			took, err := start(ctx, p.program, env)
			if err != nil {
				return err
			}
			*p.times = append(*p.times, took)
		}
	}
	return report(w, median(ours), median(theirs))
}

func report(w io.Writer, ours, idle time.Duration) error {
	warning := ""
	if ours > startBound {
		warning = "; WARNING: above its bound, which a busy machine can cause"
	}
	_, err := fmt.Fprintf(w, "start: %.1f ms to the first poll (median of %d, bound %.0f ms), %.1f times a function that does nothing (%.1f ms)%s\n",
		milli(ours), rounds, milli(startBound), float64(ours)/float64(idle), milli(idle), warning)
	return err
}

func milli(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func median(ds []time.Duration) time.Duration {
	ds = slices.Sorted(slices.Values(ds))
	return (ds[(len(ds)-1)/2] + ds[len(ds)/2]) / 2
}

// start runs a function's program until it polls the runtime API, and says how long that took.
func start(ctx context.Context, program string, env []string) (time.Duration, error) {
	var c clock.Real
	ctx, cancel := c.WithTimeout(ctx, startLimit)
	defer cancel()
	var polled atomic.Pointer[time.Time]
	runtimeAPI := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if now := c.Now(); strings.HasSuffix(r.URL.Path, "/runtime/invocation/next") {
			polled.CompareAndSwap(nil, &now)
			cancel() // ends the program
		}
		<-r.Context().Done()
	}))
	defer runtimeAPI.Close()

	var output bytes.Buffer
	command := exec.CommandContext(ctx, program)
	command.Env = append(slices.Clone(env), "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(runtimeAPI.URL, "http://"))
	command.Stdout, command.Stderr = &output, &output
	started := c.Now()
	err := command.Run()
	if at := polled.Load(); at != nil {
		return at.Sub(started), nil
	}
	return 0, fmt.Errorf("start %s: it ended before it polled the runtime API: %w: %s", program, err, output.String())
}

// environment is what a deployed function finds, with a policy for a fleet of 100 accounts. docs/lambda.md describes it.
func environment(dir string) ([]string, error) {
	doc := policy.Document{Version: 1}
	for i := range 100 {
		account := fmt.Sprintf("%012d", 111122220000+i)
		doc.Fleet = append(doc.Fleet, policy.Member{Account: account, Regions: []string{"eu-central-1", "us-east-1"}})
	}
	compiled, err := policy.Compile(doc)
	if err != nil {
		return nil, fmt.Errorf("measure starts: %w", err)
	}
	text, err := json.Marshal(compiled)
	if err != nil {
		return nil, fmt.Errorf("measure starts: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "policy.json"), text, 0o600); err != nil {
		return nil, fmt.Errorf("measure starts: %w", err)
	}
	return []string{
		"AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=example", "AWS_SESSION_TOKEN=example",
		"CNIGUARD_FUNCTION=urgent", "CNIGUARD_TOPIC_ONCALL=arn:aws:sns:eu-central-1:111122223333:cniguard-oncall", "CNIGUARD_LEDGER=memory",
		"LAMBDA_TASK_ROOT=" + dir,
	}, nil
}

// buildIdle builds the idle function as make builds the remediator.
func buildIdle(ctx context.Context, dir string) (string, error) {
	program := filepath.Join(dir, "idle")
	command := exec.CommandContext(ctx, "go", "build", "-tags=lambda.norpc", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", program,
		"github.com/cniguard/cniguard/tests/size/idle")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the idle function: %w: %s", err, out)
	}
	return program, nil
}
