package simulate_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/policy"
	"github.com/cniguard/cniguard/internal/policy/source"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
)

const (
	demo     = "../../cmd/cniguard/demo/"
	eventful = "testdata/eventful"
	hour     = time.Hour
	day      = 24 * hour
)

func read(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// spec reads a world; the policy is read by rules.
func spec(t *testing.T, file string) world.Spec {
	t.Helper()
	s, err := world.ReadSpec(file, read(t, file))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func rules(t *testing.T, text string) *policy.Policy {
	t.Helper()
	p, err := source.Read("policy.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// demoWorld is the world of the command's demo, without its orders and without what others do.
func demoWorld(t *testing.T) world.Spec {
	t.Helper()
	s := spec(t, demo+"world.yaml")
	s.Orders, s.Changes = nil, nil
	return s
}

func demoRules(t *testing.T) *policy.Policy {
	t.Helper()
	return rules(t, string(read(t, demo+"policy.yaml")))
}

func demoCluster(name string) cluster.ID {
	return cluster.ID{Account: "444455556666", Region: "eu-central-1", Name: name}
}

// start makes a run that ends with the test. Its lines are in the slice.
func start(t *testing.T, s world.Spec, p *policy.Policy, o simulate.Options) (*simulate.Run, *[]simulate.Line) {
	t.Helper()
	lines := &[]simulate.Line{}
	o.Tell = func(l simulate.Line) { *lines = append(*lines, l) }
	r, err := simulate.Start(s, p, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r, lines
}

// of are the lines of a kind about a cluster, by its bare name; an empty name: about none.
func of(lines []simulate.Line, what simulate.What, name string) []simulate.Line {
	var found []simulate.Line
	for _, l := range lines {
		if l.What == what && l.Cluster[strings.LastIndexByte(l.Cluster, '/')+1:] == name {
			found = append(found, l)
		}
	}
	return found
}

// records are all that is remembered.
func records(t *testing.T, r *simulate.Run) []check.Kept {
	t.Helper()
	kept, err := r.Ledger.All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return kept
}
