package tests_test

import (
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/policy/source"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
)

// TestAHealthyCheckWaitsForThreeCalls counts the critical path: where every call takes one second, a healthy and unchanged
// check takes three, or once a day four with the history of the metric, and of the ledger it writes one record, whether that is in
// memory or in a table.
func TestAHealthyCheckWaitsForThreeCalls(t *testing.T) {
	for name, table := range map[string]bool{"in memory": false, "in a table": true} {
		t.Run(name, func(t *testing.T) {
			r := healthy(t, table)
			waits(t, r, 3*time.Second)
			r.For(21*time.Hour + 10*time.Minute) // 23 hours after the second check, and before the sweep
			waits(t, r, 4*time.Second)
			waits(t, r, 3*time.Second)
		})
	}
}

// waits has a cluster checked once, and wants this time to pass.
func waits(t *testing.T, r *simulate.Run, want time.Duration) {
	t.Helper()
	saves, calls := 0, 0
	var began, took = map[string]time.Time{}, time.Duration(0)
	r.World.Watch(func(e world.Entry) {
		switch try, _ := e.Data.(world.Try); {
		case e.Kind == world.Called && e.Call.Service != "sts":
			calls++
			if e.Call.Op == "Save" || e.Call.Op == "PutItem" {
				saves++
			}
		case e.Kind == world.Invoked && e.What == "start":
			began[try.Request] = e.At
		case e.Kind == world.Invoked:
			took = e.At.Sub(began[try.Request])
		}
	})
	check := []byte(`{"version":"0","id":"1","detail-type":"Check Requested","source":"cniguard","account":"111122223333","time":"2026-03-02T10:00:00Z",` +
		`"region":"eu-central-1","resources":[],"detail":{"account":"111122223333","region":"eu-central-1","name":"prod"}}`)
	if err := r.Wake(check); err != nil {
		t.Fatal(err)
	}
	r.For(time.Minute)
	if took != want {
		t.Errorf("the check waited %v for calls of one second each, want %v", took, want)
	}
	if saves != 1 {
		t.Errorf("%d saves, want 1", saves)
	}
	t.Logf("%d calls, %v", calls, took)
}

// healthy is a run whose one cluster was checked before, with all environments warm, between two ticks.
func healthy(t *testing.T, table bool) *simulate.Run {
	t.Helper()
	p, err := source.Read("policy.yaml", []byte("version: 1\nfleet: [{account: \"111122223333\", regions: [eu-central-1]}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	second := world.Range{Min: time.Second, Max: time.Second}
	r, err := simulate.Start(world.Spec{
		Start: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC),
		Hub:   world.Hub{Account: "111122223333", Region: "eu-central-1"},
		VPCs: []world.VPC{{ID: "vpc-1", Account: "111122223333", Region: "eu-central-1", Subnets: []world.Subnet{
			{ID: "subnet-a", CIDR: "10.0.1.0/24", Zone: "eu-central-1a"}, {ID: "subnet-b", CIDR: "10.0.2.0/24", Zone: "eu-central-1b"},
		}}},
		Clusters: []world.Cluster{{
			Name: "prod", Account: "111122223333", Region: "eu-central-1", Kubernetes: "1.33", VPC: "vpc-1",
			Addon:      &world.Addon{Version: "v1.20.4-eksbuild.1"},
			Nodegroups: []world.Nodegroup{{Name: "a", Subnets: []string{"subnet-a"}}, {Name: "b", Subnets: []string{"subnet-b"}}},
		}},
		Catalogues: map[string][]world.Catalogue{"1.33": {{Version: "v1.20.4-eksbuild.1", Default: true, Compatible: true}}},
		Behaviour:  world.Behaviour{Latency: second},
	}, p, simulate.Options{Seed: 1, Table: table})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	r.For(2*time.Hour + 2*time.Minute)
	return r
}
