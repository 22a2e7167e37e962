// Package remedy_test runs what `cniguard fix` prints: the AWS CLI, in a POSIX shell, against the simulated EKS on the network. Then the next
// check must say fine.
package remedy_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/policy/source"
	"github.com/cniguard/cniguard/internal/remedy"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
	"github.com/cniguard/cniguard/tests/e2e/wire"
)

const account = "111122223333"

// clockEnv says where sleep, which is this test's binary, asks for time to pass.
const clockEnv = "CNIGUARD_TEST_CLOCK"

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "sleep" {
		os.Exit(sleep(os.Args[1]))
	}
	os.Exit(m.Run())
}

// sleep lets virtual time pass instead of real time.
func sleep(seconds string) int {
	answer, err := http.Get(os.Getenv(clockEnv) + "?for=" + seconds + "s")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		fmt.Fprintln(os.Stderr, answer.Status)
		return 1
	}
	return 0
}

// scene is cniguard in a world that is on the network, and a person's shell.
type scene struct {
	*testing.T
	run  *simulate.Run
	aws  *wire.Handler
	id   cluster.ID
	dir  string // where the person's files are
	env  []string
	took time.Duration // of virtual time, for each request
}

// set opens a world with one cluster. Change describes it further.
func set(t *testing.T, region string, change func(*world.Spec, *world.Cluster)) *scene {
	t.Helper()
	bin := tools(t)
	s := &scene{T: t, id: cluster.ID{Account: account, Region: region, Name: "prod"}, dir: t.TempDir(), took: 65 * time.Second}
	rules, err := source.Read("policy.yaml", fmt.Appendf(nil, "version: 1\nfleet: [{account: %q, regions: [%s]}]\ndefaults: {floor: v1.15.0}\n", account, region))
	if err != nil {
		t.Fatal(err)
	}
	s.run, err = simulate.Start(spec(s.id, change), rules, simulate.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.run.Close)
	s.run.For(3 * time.Minute) // the first sweep
	who := "arn:" + cluster.PartitionOf(region).Name + ":iam::" + account + ":role/platform-team"
	keys, err := s.run.World.Config(who, account, region).Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.aws = wire.New(s.run.World)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.env = []string{
		"PATH=" + bin + ":/usr/bin:/bin", "HOME=" + s.dir, "AWS_ENDPOINT_URL_EKS=" + server.URL, clockEnv + "=" + server.URL + "/clock",
		"AWS_ACCESS_KEY_ID=" + keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + keys.SecretAccessKey, "AWS_SESSION_TOKEN=" + keys.SessionToken,
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1",
	}
	return s
}

// spec is a world of one cluster with two nodes and room for them.
func spec(id cluster.ID, change func(*world.Spec, *world.Cluster)) world.Spec {
	s := world.Spec{
		Start: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC), Hub: world.Hub{Account: account, Region: id.Region},
		VPCs: []world.VPC{{ID: "vpc-1", Account: account, Region: id.Region,
			Subnets: []world.Subnet{{ID: "subnet-1", CIDR: "10.0.0.0/20", Zone: id.Region + "a"}, {ID: "subnet-2", CIDR: "10.0.16.0/20", Zone: id.Region + "b"}}}},
		Clusters: []world.Cluster{{
			Name: id.Name, Account: account, Region: id.Region, Kubernetes: "1.28", VPC: "vpc-1",
			Nodegroups: []world.Nodegroup{{Name: "ng", Subnets: []string{"subnet-1", "subnet-2"}}},
		}},
		Catalogues: map[string][]world.Catalogue{"1.28": {
			{Version: "v1.15.5-eksbuild.1", Compatible: true, Default: true}, {Version: "v1.14.1-eksbuild.1", Compatible: true},
			{Version: "v1.13.4-eksbuild.1", Compatible: true},
		}},
	}
	s.Behaviour.OneMinor, s.Behaviour.ConfigDropped = true, true // the strictest of what EKS may do
	s.Behaviour.UpdateStarts = world.Range{Min: 20 * time.Second, Max: 40 * time.Second}
	change(&s, &s.Clusters[0])
	return s
}

// ServeHTTP answers what the CLI asks, and lets time pass for each request and for each sleep.
func (s *scene) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/clock" {
		s.pass(s.took)
		s.aws.ServeHTTP(w, r)
		return
	}
	d, err := time.ParseDuration(r.URL.Query().Get("for"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.pass(d)
	w.WriteHeader(http.StatusNoContent)
}

func (s *scene) pass(d time.Duration) { s.aws.With(func(*world.World) { s.run.For(d) }) }

// tools is a folder with the AWS CLI and a sleep for virtual time; the test is skipped where there is no CLI, but fails in CI.
func tools(t *testing.T) string {
	t.Helper()
	aws, err := filepath.Abs("../../.venv/bin/aws")
	if err != nil {
		t.Fatal(err)
	}
	switch _, err := os.Stat(aws); {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is not there, and CI skips nothing: make .venv", aws)
	default:
		t.Skipf("%s is not there: make .venv", aws)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	for name, target := range map[string]string{"aws": aws, "sleep": self} {
		if err := os.Symlink(target, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(bin, "kubectl"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return bin
}

// plan is what cniguard would decide now, and what it rests on.
func (s *scene) plan() (in guard.Input, plan guard.Plan) {
	s.Helper()
	var err error
	s.aws.With(func(*world.World) { in, plan, err = s.run.Plan(s.id) })
	if err != nil {
		s.Fatal(err)
	}
	return in, plan
}

// sh runs parts of a fix in one shell, whose files they find in its folder. kubectl does nothing: there is no cluster.
func (s *scene) sh(parts ...remedy.Part) (output string, err error) {
	s.Helper()
	script := []string{"set -eu"}
	for _, p := range parts {
		for _, f := range p.Files {
			if err := os.WriteFile(filepath.Join(s.dir, f.Name), []byte(f.Text), 0o600); err != nil {
				s.Fatal(err)
			}
		}
		script = append(script, p.Run...)
	}
	sh := exec.Command("sh", "-c", strings.Join(script, "\n"))
	sh.Dir, sh.Env = s.dir, s.env
	out, err := sh.CombinedOutput()
	return string(out), err
}

// does runs a whole step, which must succeed.
func (s *scene) does(step remedy.Step) {
	s.Helper()
	if out, err := s.sh(step.Before, step.Change, step.Wait, step.After); err != nil {
		s.Fatalf("%s to %s: %v\n%s", step.From, step.To, err, out)
	} else if !strings.Contains(out, step.To) || !strings.Contains(out, "ACTIVE") {
		s.Errorf("%s to %s does not show what proves it:\n%s", step.From, step.To, out)
	}
}

func (s *scene) addon() world.Addon {
	s.Helper()
	var is world.Addon
	s.aws.With(func(w *world.World) { is, _ = w.Addon(s.id) })
	return is
}
