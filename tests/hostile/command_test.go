package hostile_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// command builds the command, and returns how to run it in a folder of its own.
func command(t *testing.T) func(folder string, args ...string) (stdout, stderr string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "cniguard")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", program, "github.com/cniguard/cniguard/cmd/cniguard")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the command: %v: %s", err, out)
	}
	return func(folder string, args ...string) (string, string) {
		t.Helper()
		var out, complaints strings.Builder
		c := exec.Command(program, args...)
		c.Dir, c.Stdout, c.Stderr = folder, &out, &complaints
		var exit *exec.ExitError
		if err := c.Run(); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return out.String(), complaints.String()
	}
}

func TestNothingHostileComesOutOfTheCommand(t *testing.T) {
	cniguard := command(t)
	var all string
	for _, text := range texts() {
		if len(text) < 1000 {
			all += text + "\n"
		}
	}
	for name, text := range map[string]string{"everything": all, "ten kilobytes": texts()["ten kilobytes"]} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			put := func(file string, data []byte) {
				if err := os.WriteFile(filepath.Join(folder, file), data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			put("world.yaml", written(t, "world.yaml", text))
			put("policy.yaml", written(t, "policy.yaml", text))
			put("wrong.yaml", []byte(strings.ReplaceAll(string(written(t, "world.yaml", text)), "name: tagged", "name: "+quotedName(text))))
			put("event.json", sample(t, text))
			stage := []string{"--world", "world.yaml", "--policy", "policy.yaml"}
			arg := strings.ReplaceAll(text, "\x00", "") // no argument can hold it
			for what, args := range map[string][]string{
				"simulate":          append([]string{"simulate", "--for", "8h"}, stage...),
				"simulate as JSON":  append([]string{"simulate", "--for", "8h", "--json"}, stage...),
				"explain tagged":    append([]string{"explain", "tagged", "--at", "7h"}, stage...),
				"explain strange":   append([]string{"explain", "strange", "--at", "7h"}, stage...),
				"explain degraded":  append([]string{"explain", "degraded", "--at", "7h"}, stage...),
				"explain failing":   append([]string{"explain", "failing", "--at", "7h"}, stage...),
				"plan unreadable":   append([]string{"plan", "unreadable", "--at", "7h"}, stage...),
				"replay":            append([]string{"replay", "event.json"}, stage...),
				"approve":           append([]string{"approve", "tagged", "--at", "6h", "--because", arg, "--by", arg}, stage...),
				"a cluster unknown": append([]string{"plan", arg}, stage...),
				"a command unknown": {arg},
				"a wrong file":      {"simulate", "--world", "wrong.yaml", "--policy", "policy.yaml"},
			} {
				stdout, stderr := cniguard(folder, args...)
				check(t, what+", stdout", stdout)
				visible(t, what+", stderr", stderr) // where it complains of an argument, as long as the argument is
				secrets(t, what+", stderr", stderr)
				if !strings.Contains(stdout+stderr, "EVIL") {
					t.Errorf("%s: the text came out nowhere:\n%s%s", what, stdout, stderr)
				}
				if what == "simulate as JSON" {
					for line := range strings.Lines(stdout) {
						checkJSON(t, what, line)
					}
				}
			}
		})
	}
}

// quotedName is a text as a name in a world file.
func quotedName(text string) string {
	b, _ := json.Marshal(strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if r > '~' || r == 0x7f {
			return 'x'
		}
		return r
	}, text), "x"))
	return string(b)
}

// sample is a hostile event that a rule lets through.
func sample(t *testing.T, text string) []byte {
	t.Helper()
	b, err := json.Marshal(map[string]any{
		"version": "0", "id": text, "source": "aws.eks", "detail-type": "EKS Addon Update Failed", "account": "444455556666",
		"region": "eu-central-1", "time": "2026-03-02T08:00:00Z", "resources": []string{text},
		"detail": map[string]any{"clusterName": text, "addonName": "vpc-cni", "message": text},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}
