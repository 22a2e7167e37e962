package guard_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/policy"
)

func TestOwnersAreFoundByTags(t *testing.T) {
	for _, c := range []struct{ key, value, owner string }{
		{"aws:cloudformation:stack-name", "eks", "CloudFormation"},
		{"alpha.eksctl.io/cluster-name", "prod", "eksctl"},
		{"ManagedBy", "Terraform", "Terraform"},
		{"managed-by", "opentofu", "opentofu"},
		{"terraform", "true", "Terraform"},
		{"pulumi:project", "net", "Pulumi"},
		{"app.kubernetes.io/managed-by", "Helm", "Helm"},
		{"terraform", "false", ""},
		{"ManagedBy", "the network team", "the network team"},
		{"managed-by", "terragrunt", "terragrunt"},
		{"managed-by", "cniguard", ""},
		{"env", "terraform", ""},
	} {
		for _, place := range []string{"add-on", "cluster"} {
			t.Run(c.key+"="+c.value+" on the "+place, func(t *testing.T) {
				in := outdated()
				tags := map[string]string{c.key: c.value, "team": "net"}
				if place == "add-on" {
					in.Seen.Addon.Value.Tags = tags
				} else {
					in.Seen.Cluster.Value.Tags = tags
				}
				p := guard.Decide(in)
				if c.owner == "" {
					if len(p.Held) > 0 {
						t.Errorf("held: %+v", p.Held)
					}
					return
				}
				if got := gates(p); !slices.Equal(got, []string{"owner"}) || !strings.Contains(p.Held[0].By[0].Text, c.owner) {
					t.Errorf("held: %+v", p.Held)
				}
			})
		}
	}
}

func TestToolsAreFoundByTheirUserAgents(t *testing.T) {
	for agent, want := range map[string][2]string{
		"APN/1.0 HashiCorp/1.0 Terraform/1.9.0 (+https://www.terraform.io) terraform-provider-aws/6.32.1": {"Terraform", "Terraform/1.9.0"},
		"terraform-provider-aws/6.32.1 (+https://registry.terraform.io/providers/hashicorp/aws)":          {"Terraform", "terraform-provider-aws/6.32.1"},
		"aws-sdk-go-v2/1.41.1 os/linux OpenTofu/1.8":                                                      {"Terraform", "OpenTofu/1.8"},
		"aws-sdk-go/1.44 (go1.20; linux; amd64) eksctl/0.143.0":                                           {"eksctl", "eksctl/0.143.0"},
		"APN/1.0 Pulumi/1.0 PulumiAwsNative/1.12":                                                         {"Pulumi", "Pulumi/1.0"},
		"APN/1.0 Pulumi/1.0 terraform-provider-aws/dev":                                                   {"Pulumi", "Pulumi/1.0"},
		"cloudformation.amazonaws.com":                                                                    {"CloudFormation", "cloudformation.amazonaws.com"},
		"aws-cli/2.31.0 md/awscrt os/linux":                                                               {},
		"Mozilla/5.0 (Macintosh) AppleWebKit":                                                             {},
		"aws-sdk-go-v2/1.47.7 os/linux lang/go":                                                           {},
		"eks.amazonaws.com":                                                                               {},
		"my-terraform/1.0":                                                                                {},
		"":                                                                                                {},
	} {
		if name, word := guard.Tool(agent); name != want[0] || word != want[1] {
			t.Errorf("%q is of %q, as %q says; want %q", agent, name, word, want)
		}
	}
}

// byTerraform is a cluster whose add-on Terraform changed last.
func byTerraform() *guard.LastChange {
	return &guard.LastChange{Call: "UpdateAddon", Tool: "Terraform", Agent: "Terraform/1.9.0", At: noon.Add(-48 * time.Hour)}
}

func TestWhatAToolChangedLastIsItsOwn(t *testing.T) {
	const why = "Terraform changed the add-on last (UpdateAddon on 2026-02-28 12:00 by Terraform/1.9.0): change it there"
	for name, change := range map[string]func(*guard.Input){
		"in mode auto, though the policy says that cniguard owns it": func(*guard.Input) {},
		"where the policy says nothing of it":                        func(in *guard.Input) { in.Settings.Value.Owner = "" },
		"as it was read before, while it is not asked": func(in *guard.Input) {
			in.Seen.LastChange, in.Record.LastChange = guard.Reading[*guard.LastChange]{}, byTerraform()
		},
		"and no approval opens it": func(in *guard.Input) {
			in.Settings.Value.Mode = policy.Approve
			p := guard.Decide(*in)
			in.Orders = guard.Read([]guard.Order{{Kind: guard.Approval, By: "ann", At: noon.Add(-time.Hour), Until: noon.Add(time.Hour), Steps: p.Path, Keeps: p.Keeps}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := outdated()
			in.Seen.LastChange = guard.Read(byTerraform())
			change(&in)
			p := guard.Decide(in)
			if diff := cmp.Diff([]string{"owner"}, gates(p)); diff != "" || p.Held[0].By[0].Text != why {
				t.Errorf("held: %+v", p.Held)
			}
		})
	}
}

// Who opens it: a person who changes the add-on by hand, after whom no tool is the last one.
func TestAToolIsForgottenWhenSomebodyElseChangesTheAddon(t *testing.T) {
	in := outdated()
	in.Seen.LastChange = guard.Read(byTerraform())
	rec := guard.Conclude(in, guard.Decide(in), nil)
	if diff := cmp.Diff(byTerraform(), rec.LastChange); diff != "" {
		t.Fatalf("remembered (-want +got):\n%s", diff)
	}
	in.Record, in.Seen.LastChange = rec, guard.Hidden[*guard.LastChange](throttled("cloudtrail:LookupEvents"))
	if rec = guard.Conclude(in, guard.Decide(in), nil); rec.LastChange == nil {
		t.Error("what could not be read is forgotten")
	}
	in.Record, in.Seen.LastChange = rec, guard.Read(&guard.LastChange{Call: "UpdateAddon", At: noon.Add(-time.Hour)})
	p := guard.Decide(in)
	if !slices.Contains(actions(p), start) {
		t.Errorf("held: %+v", p.Held)
	}
	if rec = guard.Conclude(in, p, nil); rec.LastChange != nil {
		t.Errorf("still remembered: %+v", rec.LastChange)
	}
}

func TestWhoChangedTheAddonLastIsAskedRightBeforeAStepOnly(t *testing.T) {
	for name, c := range map[string]struct {
		from   func() guard.Input
		change func(*guard.Input)
		want   bool
	}{
		"all else is open":                     {outdated, func(*guard.Input) {}, true},
		"Terraform did it, as was read before": {outdated, func(in *guard.Input) { in.Record.LastChange = byTerraform() }, true},
		"no update is wanted":                  {fine, func(*guard.Input) {}, false},
		"the policy observes":                  {outdated, func(in *guard.Input) { in.Settings = guard.Read(policy.BuiltIn()) }, false},
		"another gate is shut":                 {outdated, func(in *guard.Input) { in.Seen.Pods.Value.Subnets[0].Free = 15 }, false},
		"nobody says that cniguard owns it":    {outdated, func(in *guard.Input) { in.Settings.Value.Owner = "" }, false},
		"a step is in flight":                  {outdated, func(in *guard.Input) { in.Record.Step = step("u-1") }, false},
		"it was asked":                         {outdated, func(in *guard.Input) { in.Seen.LastChange = guard.Read(byTerraform()) }, false},
		"it was asked in vain": {outdated, func(in *guard.Input) {
			in.Seen.LastChange = guard.Hidden[*guard.LastChange](&fault.Fault{Kind: fault.Retry})
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			in := c.from()
			in.Seen.LastChange = guard.Reading[*guard.LastChange]{}
			c.change(&in)
			if got := in.WantsLastChange(); got != c.want {
				t.Errorf("asked: %t, want %t", got, c.want)
			}
			p := guard.Decide(in)
			if slices.Contains(actions(p), start) {
				t.Error("the update starts without that")
			}
			if c.want && (len(gates(p)) != 1 || gates(p)[0] != "owner") {
				t.Errorf("held: %+v", p.Held)
			}
		})
	}
}

func TestAMissingPermissionToAskIsNamed(t *testing.T) {
	in := outdated()
	in.Seen.LastChange = guard.Hidden[*guard.LastChange](denied("cloudtrail:LookupEvents"))
	p := guard.Decide(in)
	i := slices.IndexFunc(p.Findings, func(f guard.Finding) bool { return f.Code == guard.Unreadable })
	if i < 0 || !slices.Contains(p.Findings[i].Facts, guard.Fact{Name: "need", Value: "cloudtrail:LookupEvents"}) {
		t.Errorf("found %+v", p.Findings)
	}
	if len(p.Held) != 1 || !strings.Contains(p.Held[0].By[0].Text, "who changed the add-on last could not be read") {
		t.Errorf("held: %+v", p.Held)
	}
}
