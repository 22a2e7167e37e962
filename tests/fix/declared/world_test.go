// Package declared_test holds the fixes that are files of Terraform, CloudFormation, the CDK and eksctl against those languages' own parsers, and does
// what they say to the simulated AWS.
package declared_test

import (
	"fmt"
	"strings"
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
	// values have what a shell or a parser may spoil: quotes, a backslash, a template of each language, white space at the end.
	values = "{\"env\": {\n  \"WARM_IP_TARGET\": \"5\", \"ANNOTATE_POD_IP\": \"a\\\"'\\\\ $(id) ${x} %{y}\\u2028\"\n}}  "
)

// tolerations are what somebody changed of aws-node, so that EKS is in conflict with it.
const tolerations = "DaemonSet.apps aws-node - .spec.template.spec.tolerations"

// scene is a cluster whose VPC CNI is outdated, in one region.
type scene struct {
	region  string
	managed bool
	config  string // configuration values; for an aws-node that EKS does not manage, what they become
}

func scenes() map[string]scene {
	all := map[string]scene{}
	for _, region := range []string{"eu-central-1", "us-gov-west-1", "cn-north-1"} {
		all["managed with values in "+region] = scene{region, true, values}
		all["managed without values in "+region] = scene{region, true, ""}
		all["self-managed in "+region] = scene{region, false, "{\n  \"env\": {\n    \"WARM_ENI_TARGET\": \"1\"\n  }\n}"}
	}
	return all
}

func (s scene) id() cluster.ID {
	return cluster.ID{Account: account, Region: s.region, Name: "pay_ments-1"}
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

// spec is the world of the scene, in which somebody else does the changes.
func (s scene) spec(changes []world.Change) world.Spec {
	c := world.Cluster{Name: s.id().Name, Account: account, Region: s.region, Kubernetes: "1.29", VPC: "vpc-main",
		Nodegroups: []world.Nodegroup{{Name: "pay", Subnets: []string{"subnet-a"}}}}
	if s.managed {
		c.Addon = &world.Addon{Version: "v1.17.1-eksbuild.1", Role: s.role(), Configuration: s.config,
			Conflicts: []string{tolerations}}
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
	last := changes[len(changes)-1].At
	run.For(last - time.Minute)
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

// wish is an add-on as a file wants it.
type wish struct{ cluster, version, role, config, conflicts string }

// change is what a tool then does: it sends what it has of them.
func (s scene) change(t *testing.T, w wish, do world.Deed, n int) world.Change {
	t.Helper()
	if w.cluster != s.id().Name || strings.TrimSpace(w.version) == "" {
		t.Errorf("it is about %q, version %q", w.cluster, w.version)
	}
	a := &world.Addon{Version: w.version, Role: w.role, Configuration: w.config}
	if do == world.CreateAddon {
		a.Conflicts = []string{tolerations}
		if w.conflicts == "PRESERVE" { // which is similar to NONE there, and may fail (EKS API reference, CreateAddon)
			t.Error("what others changed may end the creation")
		}
	}
	return world.Change{At: time.Duration(n) * 4 * time.Hour, Account: account, Region: s.region, Name: w.cluster, Do: do, Resolve: w.conflicts, Addon: a}
}
