// Package pulumi_test holds the fixes in Pulumi's three languages against Pulumi's own SDKs and its interpreter of YAML, and does what they say to the
// simulated AWS. It is a module of its own: the AWS provider's SDK takes a minute to compile.
package pulumi_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/policy/source"
	"github.com/cniguard/cniguard/internal/remedy"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
)

const (
	account = "444455556666"
	// values have what a shell or a parser may spoil: quotes, a backslash, a reference, white space at the end.
	values = "{\"env\": {\n  \"WARM_IP_TARGET\": \"5\", \"ANNOTATE_POD_IP\": \"a\\\"'\\\\ $(id) ${x} %{y}\\u2028\"\n}}  "
)

// scene is a cluster whose VPC CNI is outdated.
type scene struct {
	cluster, region string
	managed         bool
	config          string // configuration values; for an aws-node that EKS does not manage, what they become
}

func scenes() map[string]scene {
	all := map[string]scene{}
	for _, region := range []string{"eu-central-1", "us-gov-west-1", "cn-north-1"} {
		all["managed with values in "+region] = scene{"pay_ments-1", region, true, values}
		all["managed without values in "+region] = scene{"pay_ments-1", region, true, ""}
		all["self-managed in "+region] = scene{"pay_ments-1", region, false, "{\n  \"env\": {\n    \"WARM_ENI_TARGET\": \"1\"\n  }\n}"}
	}
	return all
}

func (s scene) id() cluster.ID {
	return cluster.ID{Account: account, Region: s.region, Name: s.cluster}
}

func (s scene) role() string {
	return fmt.Sprintf("arn:%s:iam::%s:role/payments-cni", cluster.PartitionOf(s.region).Name, account)
}

// facts are what cniguard knows of it.
func (s scene) facts() remedy.Facts {
	f := remedy.Facts{Cluster: s.id(), Version: cni.Parse("v1.17.1-eksbuild.1"), ByHand: guard.ByHand{
		Kubernetes: "1.29", Managed: s.managed, Listed: "v1.17.1-eksbuild.1", Path: []string{"v1.18.5-eksbuild.1", "v1.19.2-eksbuild.1"}, Why: "the floor",
	}}
	if s.managed {
		f.Role, f.Configured = s.role(), s.config != ""
		return f
	}
	f.Version = cni.Parse("v1.17.1")
	f.Node = &guard.DaemonSet{Version: f.Version, Role: s.role(), Env: []guard.Fact{{Name: "WARM_ENI_TARGET", Value: "1"}}}
	return f
}

// inputs are the arguments that the provider must get at a version.
func (s scene) inputs(version string) map[string]any {
	all := map[string]any{
		"clusterName": s.cluster, "addonName": "vpc-cni", "addonVersion": version, "serviceAccountRoleArn": s.role(),
		"resolveConflictsOnUpdate": "PRESERVE", "preserve": true,
	}
	if s.config != "" {
		all["configurationValues"] = s.config
	}
	if !s.managed {
		all["resolveConflictsOnCreate"] = "OVERWRITE"
	}
	return all
}

// spec is the world of the scene, in which somebody else does the changes.
func (s scene) spec(changes []world.Change) world.Spec {
	c := world.Cluster{Name: s.cluster, Account: account, Region: s.region, Kubernetes: "1.29", VPC: "vpc-main",
		Nodegroups: []world.Nodegroup{{Name: "pay", Subnets: []string{"subnet-a"}}}}
	if s.managed {
		c.Addon = &world.Addon{Version: "v1.17.1-eksbuild.1", Role: s.role(), Configuration: s.config,
			Conflicts: []string{"DaemonSet.apps aws-node - .spec.template.spec.tolerations"}}
	} else {
		c.API.Readers = []string{"cniguard-observer"}
		c.DaemonSets = []world.DaemonSet{{Name: "aws-node", ServiceAccount: "aws-node", Role: s.role(), Managers: []world.Writer{{Name: "helm"}},
			Containers: []world.Container{{Name: "aws-node", Image: "registry.example/amazon-k8s-cni:v1.17.1", Env: map[string]string{"WARM_ENI_TARGET": "1"}}}}}
	}
	listed := func(v string) world.Catalogue { return world.Catalogue{Version: v, Compatible: true} }
	return world.Spec{
		Start: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC), Hub: world.Hub{Account: "111122223333", Region: s.region},
		VPCs: []world.VPC{{ID: "vpc-main", Account: account, Region: s.region, Subnets: []world.Subnet{
			{ID: "subnet-a", CIDR: "10.0.0.0/22", Zone: s.region + "a", Used: []world.Point{{Addresses: 100}}}}}},
		Clusters:   []world.Cluster{c},
		Catalogues: map[string][]world.Catalogue{"1.29": {listed("v1.19.2-eksbuild.1"), listed("v1.18.5-eksbuild.1"), listed("v1.17.1-eksbuild.1")}},
		Changes:    changes, Behaviour: world.Behaviour{OneMinor: true},
	}
}

// close does the changes to the world, and holds that cniguard finds the version fine after the last and not before.
func (s scene) close(t *testing.T, changes []world.Change) {
	t.Helper()
	p, err := source.Read("policy.yaml", fmt.Appendf(nil,
		"version: 1\nfleet:\n  - {account: %q, regions: [%s]}\ndefaults: {mode: observe, floor: v1.19.0}\n", account, s.region))
	if err != nil {
		t.Fatal(err)
	}
	run, err := simulate.Start(s.spec(changes), p, simulate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	verdict := func() guard.Answer {
		kept, err := run.Ledger.All(t.Context())
		if err != nil || len(kept) != 1 {
			t.Fatalf("%d records, %v", len(kept), err)
		}
		return kept[0].Record.Verdict.Version
	}
	run.For(changes[len(changes)-1].At - time.Minute)
	if got := verdict(); got.Word != "outdated" {
		t.Errorf("before the last step the version is %+v", got)
	}
	run.For(12 * time.Hour)
	if got := verdict(); got.Word != "fine" {
		t.Errorf("after the last step the version is %+v", got)
	}
	a, _ := run.World.Addon(s.id())
	if a.Version != "v1.19.2-eksbuild.1" || a.Status != "ACTIVE" || a.Role != s.role() || a.Configuration != s.config {
		t.Errorf("the add-on is %+v", a)
	}
}

// provide is what the provider does to EKS for a resource that has one set of arguments and is to have another; nil: it has none yet. It sends the
// role always, and what has changed (terraform-provider-aws, internal/service/eks/addon.go).
func (s scene) provide(t *testing.T, has, wants map[string]any, n int) world.Change {
	t.Helper()
	text := func(key string) string { v, _ := wants[key].(string); return v }
	c := world.Change{At: time.Duration(n) * 4 * time.Hour, Account: account, Region: s.region, Name: text("clusterName"), Do: world.CreateAddon,
		Resolve: text("resolveConflictsOnCreate"),
		Addon:   &world.Addon{Version: text("addonVersion"), Role: text("serviceAccountRoleArn"), Configuration: text("configurationValues")}}
	if has == nil {
		return c
	}
	if has["clusterName"] != wants["clusterName"] || has["addonName"] != wants["addonName"] {
		t.Errorf("the resource is replaced: %v, %v", has, wants)
	}
	c.Do, c.Resolve = world.UpdateAddon, text("resolveConflictsOnUpdate")
	if has["configurationValues"] == wants["configurationValues"] {
		c.Addon.Configuration = ""
	}
	return c
}
