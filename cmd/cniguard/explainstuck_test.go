package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/hub"
)

func TestExplainHasTheTextForSupportOfAStepThatIsStuck(t *testing.T) {
	began := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	step := guard.Step{From: cni.Parse("v1.7.5-eksbuild.2"), To: cni.Parse("v1.8.0-eksbuild.1"), ID: "u-1", Token: "token", Since: began}
	x := hub.Explanation{At: began.Add(time.Hour), Cluster: cluster.ID{Account: "111122223333", Region: "eu-central-1", Name: "prod"}, Record: guard.Record{Step: &step}}
	const want = `
For a case with AWS Support
  A change of an EKS add-on does not end.
  Cluster: arn:aws:eks:eu-central-1:111122223333:cluster/prod
  Add-on: vpc-cni
  Update id: u-1
  Versions: v1.7.5-eksbuild.2 to v1.8.0-eksbuild.1
  Started: 2026-03-02T12:00:00Z
  Client request token: token
`
	shown := func() string {
		var out bytes.Buffer
		explain(&out, x, nil, "prod")
		return out.String()
	}
	if got := shown(); !strings.Contains(got, want) {
		t.Errorf("of what the ledger has:\n%s", got)
	}
	f, _ := x.Record.Stuck(x.At)
	f.Facts = append(f.Facts, guard.Fact{Name: "status", Value: "UPDATING\x1b[2J"})
	x.Plan.Findings = []guard.Finding{f}
	if got := shown(); !strings.Contains(got, "\n  Status of the add-on: UPDATING[2J\n") {
		t.Errorf("of what was read:\n%s", got)
	}
	x.Plan.Findings, x.At = nil, began.Add(time.Minute)
	if got := shown(); strings.Contains(got, "AWS Support") {
		t.Errorf("of a step that is in time:\n%s", got)
	}
}
