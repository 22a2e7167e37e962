// Package e2e_test holds the Lambda's program, built as it ships, against the Lambda runtime API and AWS: both in the test, over
// HTTP on 127.0.0.1. AWS is the simulated one of package world, behind package wire.
package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/cniguard/cniguard/events"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/policy/source"
	"github.com/cniguard/cniguard/internal/sim"
	"github.com/cniguard/cniguard/internal/world"
	"github.com/cniguard/cniguard/tests/e2e/wire"
)

const (
	hub    = "444455556666" // whose events own-*.json are
	region = "eu-central-1"

	// The topics of people get at once what cannot wait, and a digest a day; that of programs gets everything at once.
	oncall  = "arn:aws:sns:eu-central-1:444455556666:cniguard-oncall"
	chat    = "arn:aws:sns:eu-central-1:444455556666:cniguard-chat"
	machine = "arn:aws:sns:eu-central-1:444455556666:cniguard-machine"

	podRole       = "arn:aws:iam::111122223333:role/aws-node"
	podIdentity   = "arn:aws:eks:eu-central-1:111122223333:podidentityassociation/prod-eu/a-1"
	configuration = `{"env":{"HTTP_PROXY":"http://aws-node:` + secret + `-configuration@proxy"}}`

	// subject is that of the message about prod, which people get with the digest.
	subject = "ALARM: WARNING: prod-eu: vpc-cni v1.18.5-eksbuild.1 is older than the floor"

	// secret is in all that must not be in the log.
	secret = "s3cr3t"
)

// prod is the cluster that the samples in events/ are about.
var prod = cluster.ID{Account: "111122223333", Region: region, Name: "prod-eu"}

// observing is a policy that changes nothing but alarms.
const observing = `
version: 1
fleet:
  - account: "111122223333"
    regions: [eu-central-1]
defaults:
  floor: v1.19.0
`

// stage is AWS and what was asked of it.
type stage struct {
	*testing.T
	aws *wire.Handler
	url string

	mu       sync.Mutex
	requests []request
	woken    map[event.Target][][]byte // events on the way to the functions
}

// set opens AWS with one cluster, whose vpc-cni is one minor version behind, and the rules that are deployed.
func set(t *testing.T, change func(*world.Spec)) *stage {
	t.Helper()
	spec := world.Spec{
		Start: time.Now().UTC().Truncate(time.Second), // the program's clock is the real one
		Hub:   world.Hub{Account: hub, Region: region},
		VPCs: []world.VPC{{ID: "vpc-1", Account: prod.Account, Region: region, Subnets: []world.Subnet{
			{ID: "subnet-1", CIDR: "10.0.1.0/24", Zone: "eu-central-1a", Used: []world.Point{{Addresses: 51}}},
		}}},
		Clusters: []world.Cluster{{
			Name: prod.Name, Account: prod.Account, Region: region, Kubernetes: "1.33", VPC: "vpc-1",
			Nodegroups: []world.Nodegroup{{Name: "ng-1", Subnets: []string{"subnet-1"}}},
			Addon: &world.Addon{
				Version: "v1.18.5-eksbuild.1", Role: podRole, Configuration: configuration, PodIdentities: []string{podIdentity},
			},
		}},
		Catalogues: map[string][]world.Catalogue{"1.33": {
			{Version: "v1.19.0-eksbuild.1", Default: true, Compatible: true}, {Version: "v1.18.5-eksbuild.1", Compatible: true},
		}},
		Topics: []string{oncall, chat, machine},
	}
	if change != nil {
		change(&spec)
	}
	clock := sim.New(spec.Start, 1)
	t.Cleanup(clock.Close)
	w, err := world.New(spec, clock)
	if err != nil {
		t.Fatal(err)
	}
	w.Record(true)
	w.CreateTable(world.Table{Name: "cniguard", Key: world.Key{Partition: "pk", Sort: "sk"}, Index: "due", IndexKey: world.Key{Partition: "due", Sort: "at"}})
	s := &stage{T: t, woken: map[event.Target][][]byte{}}
	s.deploy(w, event.Urgent)
	s.deploy(w, event.Bulk)
	s.aws = wire.New(w)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// deploy has the world's EventBridge keep a function's events for deliver.
func (s *stage) deploy(w *world.World, to event.Target) {
	w.Deploy(world.Function{
		Name: string(to), Timeout: time.Minute,
		Rules: slices.DeleteFunc(event.Rules(), func(r event.Rule) bool { return r.Target != to }),
		Boot: func() world.Handler {
			return func(_ context.Context, raw []byte) error {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.woken[to] = append(s.woken[to], raw)
				return nil
			}
		},
	})
}

// ServeHTTP notes a request and has AWS answer it.
func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller went away
	}
	s.mu.Lock()
	s.requests = append(s.requests, request{r.Method, r.URL.Path, r.Header.Clone(), body})
	s.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.aws.ServeHTTP(w, r)
}

// function starts a function with a policy, as docs/lambda.md describes its environment.
func (s *stage) function(which event.Target, rules string, change map[string]string) *function {
	s.Helper()
	env := s.environment(which, rules)
	maps.Copy(env, change)
	return start(s.T, env)
}

func (s *stage) environment(which event.Target, rules string) map[string]string {
	s.Helper()
	p, err := source.Read("policy.yaml", []byte(rules))
	if err != nil {
		s.Fatal(err)
	}
	compiled, err := json.Marshal(p)
	if err != nil {
		s.Fatal(err)
	}
	root := s.TempDir()
	if err := os.WriteFile(filepath.Join(root, "policy.json"), compiled, 0o600); err != nil {
		s.Fatal(err)
	}
	var keys aws.Credentials
	s.aws.With(func(w *world.World) {
		keys, err = w.Config("arn:aws:iam::"+hub+":role/cniguard-"+string(which), hub, region).Credentials.Retrieve(s.Context())
	})
	if err != nil {
		s.Fatal(err)
	}
	return map[string]string{
		"AWS_REGION": region, "AWS_ENDPOINT_URL": s.url, "LAMBDA_TASK_ROOT": root,
		"AWS_ACCESS_KEY_ID": keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY": secret + "-key", "AWS_SESSION_TOKEN": secret + "-session",
		"CNIGUARD_FUNCTION": string(which), "CNIGUARD_LEDGER": "arn:aws:dynamodb:" + region + ":" + hub + ":table/cniguard",
		"CNIGUARD_TOPIC_ONCALL": oncall, "CNIGUARD_TOPIC_MACHINE": machine,
		"CNIGUARD_EXTERNAL_ID": secret + "-external", "CNIGUARD_LOG_LEVEL": "debug",
	}
}

// deliver hands the functions the events that EventBridge has for them, until there are none. Those for functions that are not
// given stay.
func (s *stage) deliver(to map[event.Target]*function) {
	s.Helper()
	take := func() (event.Target, []byte) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, which := range []event.Target{event.Urgent, event.Bulk} {
			if waiting := s.woken[which]; len(waiting) > 0 && to[which] != nil {
				s.woken[which] = waiting[1:]
				return which, waiting[0]
			}
		}
		return "", nil
	}
	for which, raw := take(); raw != nil; which, raw = take() {
		to[which].succeeds(raw)
	}
}

// pass lets virtual time pass.
func (s *stage) pass(d time.Duration) {
	s.aws.With(func(w *world.World) { w.Clock().Run(w.Now().Add(d)) })
}

// sample is a file in events/.
func sample(t *testing.T, name string) []byte {
	t.Helper()
	raw, err := events.Files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
