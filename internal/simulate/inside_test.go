package simulate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
)

// selfManaged is the demo's world, in which the cluster legacy has an aws-node of Helm instead of an add-on.
func selfManaged(t *testing.T, change func(*world.Spec, *world.Cluster)) world.Spec {
	t.Helper()
	s := demoWorld(t)
	s.Changes = slices.DeleteFunc(s.Changes, func(c world.Change) bool { return c.Name == "legacy" })
	i := slices.IndexFunc(s.Clusters, func(c world.Cluster) bool { return c.Name == "legacy" })
	c := &s.Clusters[i]
	c.Addon, c.API.Readers, c.API.ENIConfigs = nil, []string{"cniguard-observer"}, true
	c.ENIConfigs = []world.ENIConfig{{Name: "eu-central-1a", Subnet: "subnet-legacy"}}
	c.DaemonSets = []world.DaemonSet{{
		Name: "aws-node", Annotations: map[string]string{"meta.helm.sh/release-name": "aws-vpc-cni"}, Managers: []world.Writer{{Name: "helm"}},
		Containers: []world.Container{{Name: "aws-node", Image: "602401143452.dkr.ecr.eu-central-1.amazonaws.com/amazon-k8s-cni:v1.7.5",
			Env: map[string]string{"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true"}}},
		ServiceAccount: "aws-node", Role: "arn:aws:iam::444455556666:role/cni",
	}}
	change(&s, c)
	return s
}

// legacy is what is known of the cluster legacy: the words for its install and version, and what stands there.
func legacy(t *testing.T, r *simulate.Run) string {
	t.Helper()
	for _, k := range records(t, r) {
		if k.Cluster != demoCluster("legacy") {
			continue
		}
		known := k.Record.Verdict.Install.Word + ", " + k.Record.Verdict.Version.Word
		if n := k.Record.Node; n != nil {
			known += fmt.Sprintf(": %s by %s, %s, %v, unread %v", n.Version, n.By.Name, n.Role, n.ENIConfigs, n.Unread)
		}
		return known
	}
	return "nothing"
}

func TestAClustersOwnAPIIsReadAlikeInBothMounts(t *testing.T) {
	const read = "self-managed, outdated: v1.7.5 by Helm, arn:aws:iam::444455556666:role/cni, [{eu-central-1a subnet-legacy}], unread []"
	grant := func(s *world.Spec) {
		id := demoCluster("legacy")
		s.Changes = append(s.Changes, world.Change{At: 2 * hour, Account: id.Account, Region: id.Region, Name: id.Name, Do: world.GrantAccess, Role: "cniguard-observer"})
	}
	for name, c := range map[string]struct {
		change      func(*world.Spec, *world.Cluster)
		first, then string
		by          time.Duration // when it is known; zero: after the next sweeps
	}{
		"where the observer may":              {func(*world.Spec, *world.Cluster) {}, read, read, 0},
		"where somebody lets the observer in": {func(s *world.Spec, c *world.Cluster) { c.API.Readers = nil; grant(s) }, "unknown, unknown", read, 2*hour + 5*time.Minute}, // the events of AWS wake it
		"where nobody does":                   {func(_ *world.Spec, c *world.Cluster) { c.API.Readers = nil }, "unknown, unknown", "unknown, unknown", 0},
		"where no way leads to it":            {func(_ *world.Spec, c *world.Cluster) { c.API.Endpoint = world.PrivateEndpoint }, "unknown, unknown", "unknown, unknown", 0},
		"where nothing that is known stands":  {func(_ *world.Spec, c *world.Cluster) { c.DaemonSets = nil }, "unknown, unknown", "unknown, unknown", 0},
		"where nothing stands nor has to":     {func(_ *world.Spec, c *world.Cluster) { c.DaemonSets, c.Nodegroups = nil, nil }, "none, not applicable", "none, not applicable", 0},
		"where much goes wrong": {func(s *world.Spec, _ *world.Cluster) {
			s.Faults = append(s.Faults, world.Fault{Service: "kubernetes", Code: "ServiceUnavailable", Until: hour + 30*time.Minute},
				world.Fault{Service: "sts", Principal: "cniguard-observer", Code: "AccessDenied", Chance: 0.3, Until: hour + 30*time.Minute},
				world.Fault{Operation: "GetServiceAccount", Code: "ConnectionReset", Times: 1})
		}, "unknown, unknown", read, 0},
	} {
		t.Run(name, func(t *testing.T) {
			run := func(sdk bool) (history []string) {
				r, lines := start(t, selfManaged(t, c.change), demoRules(t), simulate.Options{Seed: 3, SDK: sdk})
				r.World.Record(true)
				r.For(hour)
				if got := legacy(t, r); got != c.first {
					t.Errorf("after an hour %s; want %s", got, c.first)
				}
				by := c.by
				if by == 0 {
					by = 15 * hour
				}
				r.For(by - hour)
				if got := legacy(t, r); got != c.then {
					t.Errorf("after %s %s; want %s", by, got, c.then)
				}
				for _, l := range *lines {
					history = append(history, fmt.Sprint(l))
				}
				return append(history, r.World.Lines()...)
			}
			direct := run(false)
			if diff := cmp.Diff(direct, run(true)); diff != "" {
				t.Errorf("(-direct +sdk):\n%.3000s", diff)
			}
			if !strings.Contains(strings.Join(direct, "\n"), "call kubernetes:GetDaemonSet 444455556666/eu-central-1 by arn:aws:iam::444455556666:role/cniguard-observer") {
				t.Error("it was not asked")
			}
		})
	}
}
