package stack_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/infra/stack"
	"github.com/cniguard/cniguard/internal/app"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/policy"
)

var hubUnit = event.Unit{Account: "444455556666", Region: "eu-central-1"}

// least is a hub for itself alone, with nothing chosen.
func least(t *testing.T) stack.Config {
	t.Helper()
	zip := filepath.Join(t.TempDir(), "remediator.zip")
	if err := os.WriteFile(zip, []byte("a small program"), 0o600); err != nil {
		t.Fatal(err)
	}
	return stack.Config{Hub: hubUnit, Fleet: []event.Unit{hubUnit}, Zip: zip, Email: "oncall@example.com", LogDays: 90, LogLevel: "info"}
}

// full is a hub with everything chosen that can be.
func full(t *testing.T) stack.Config {
	t.Helper()
	c := least(t)
	c.Fleet = append(c.Fleet, event.Unit{Account: "111122223333", Region: "eu-central-1"}, event.Unit{Account: "111122223333", Region: "eu-west-1"})
	c.Organization, c.Units = "o-exampleorgid", []string{"ou-exam-ple12345"}
	c.Updates, c.PassRoles = true, []string{"arn:aws:iam::*:role/eks/vpc-cni-*"}
	c.AlarmTopics, c.ExternalID = []string{"arn:aws:sns:eu-central-1:444455556666:cniguard-oncall"}, "a-shared-word"
	c.Urgent.Concurrency, c.Bulk.Concurrency = 20, 5
	for _, u := range c.Fleet {
		c.AccessEntries = append(c.AccessEntries, cluster.ID{Account: u.Account, Region: u.Region, Name: "prod-1"})
	}
	c.AccessEntries = append(c.AccessEntries, cluster.ID{Account: "111122223333", Region: "eu-west-1", Name: "prod_1"})
	c.Network = stack.Network{Subnets: []string{"subnet-0123456789abcdef0", "subnet-0fedcba9876543210"}, SecurityGroups: []string{"sg-0123456789abcdef0"}}
	c.LogDays, c.LogLevel = 30, "debug"
	return c
}

func hub(t *testing.T, c stack.Config) map[string]any {
	t.Helper()
	s, err := stack.NewHub(stack.NewApp(t.TempDir()), c)
	if err != nil {
		t.Fatal(err)
	}
	return template(t, s)
}

func TestTheHubIsWhatItIsKnownToBe(t *testing.T) {
	golden(t, "hub-least", hub(t, least(t)))
	golden(t, "hub-full", hub(t, full(t)))
}

func TestTheSameHubIsSynthesizedToTheSameBytes(t *testing.T) {
	c := full(t)
	synthesized := func() string {
		app := stack.NewApp(t.TempDir())
		if _, err := stack.NewHub(app, c); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(*app.Synth(nil).GetStackByName(str("cniguard")).TemplateFullPath())
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	if diff := cmp.Diff(synthesized(), synthesized()); diff != "" {
		t.Error(diff)
	}
}

func TestAHubInAnotherPartitionNamesNothingInTheCommercialOne(t *testing.T) {
	c := full(t)
	c.Hub.Region, c.AlarmTopics, c.PassRoles = "cn-north-1", nil, []string{"arn:aws-cn:iam::*:role/eks/vpc-cni-*"}
	c.Fleet, c.AccessEntries = []event.Unit{c.Hub}, []cluster.ID{{Account: c.Hub.Account, Region: c.Hub.Region, Name: "prod"}}
	raw, err := json.Marshal(hub(t, c))
	if err != nil {
		t.Fatal(err)
	}
	if i := bytes.Index(raw, []byte("arn:aws:")); i >= 0 {
		t.Errorf("…%s", raw[max(0, i-100):i+100])
	}
}

func TestConcurrencyIsReservedOnlyWhereItIsChosen(t *testing.T) {
	for name, c := range map[string]stack.Config{"": least(t), "5 20": full(t)} {
		var have []string
		for _, f := range ofType(hub(t, c), "AWS::Lambda::Function") {
			have = append(have, text(f.props["ReservedConcurrentExecutions"]))
		}
		if got := strings.TrimSpace(strings.Join(have, " ")); got != name {
			t.Errorf("reserved %q, want %q", got, name)
		}
	}
}

// A managed policy has at most 6,144 characters, and a role at most ten of them (IAM user guide, "IAM and AWS STS quotas"); a bus's
// policy has at most 10,240 (EventBridge user guide, "Quotas").
func TestAFleetFitsIntoWhatAWSHasRoomFor(t *testing.T) {
	c := full(t)
	c.Organization, c.Hub.Region, c.Fleet, c.AccessEntries = "", "us-gov-west-1", nil, nil
	for i := range 501 {
		c.Fleet = append(c.Fleet, event.Unit{Account: fmt.Sprintf("%012d", i), Region: "us-gov-west-1"})
	}
	if _, err := stack.NewHub(stack.NewApp(t.TempDir()), c); err == nil || !strings.Contains(err.Error(), "501 accounts") {
		t.Errorf("501 accounts: %v", err)
	}
	c.Fleet = c.Fleet[:500]
	template := hub(t, c)
	attached := map[string]int{}
	size := func(document any) int {
		raw, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		return len(raw)
	}
	for _, p := range ofType(template, "AWS::IAM::ManagedPolicy") {
		if n := size(p.props["PolicyDocument"]); n > 6144 {
			t.Errorf("%s has %d characters", p.id, n)
		}
		for _, role := range texts(p.props["Roles"]) {
			if attached[role]++; attached[role] > 10 {
				t.Errorf("%s has %d policies", role, attached[role])
			}
		}
	}
	if n := size(ofType(template, "AWS::Events::EventBus")[0].props["Policy"]); n > 10240 {
		t.Errorf("the bus's policy has %d characters", n)
	}
}

// What the template sets is what the program takes.
func TestFunctionsStartInTheirEnvironment(t *testing.T) {
	compiled, err := policy.Compile(policy.Document{Version: 1, Fleet: []policy.Member{{Account: hubUnit.Account, Regions: []string{hubUnit.Region}}}})
	if err != nil {
		t.Fatal(err)
	}
	file, err := json.Marshal(compiled)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "policy.json"), file, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, f := range ofType(hub(t, full(t)), "AWS::Lambda::Function") {
		set := at(f.props, "Environment", "Variables").(map[string]any)
		set["LAMBDA_TASK_ROOT"], set["AWS_REGION"] = folder, hubUnit.Region // by Lambda
		c, err := app.FromEnvironment(func(name string) string { return text(set[name]) })
		if err != nil || "cniguard-"+string(c.Function) != text(f.props["FunctionName"]) || c.Hub != hubUnit {
			t.Errorf("%s: as %s in %v: %v", f.id, c.Function, c.Hub, err)
		}
	}
}

func TestTheDashboardHasNoHolesAndNoOverlaps(t *testing.T) {
	var body struct {
		Widgets []struct{ X, Y, Width, Height int }
	}
	if err := json.Unmarshal([]byte(text(ofType(hub(t, least(t)), "AWS::CloudWatch::Dashboard")[0].props["DashboardBody"])), &body); err != nil {
		t.Fatal(err)
	}
	rows := map[int]int{}
	for _, w := range body.Widgets {
		if w.X != rows[w.Y] {
			t.Errorf("a widget at %d, %d begins where none ends", w.X, w.Y)
		}
		rows[w.Y] += w.Width
	}
	for y, width := range rows {
		if width != 24 {
			t.Errorf("the row at %d is %d wide", y, width)
		}
	}
}
