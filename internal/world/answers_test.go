package world_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/sim"
	"github.com/cniguard/cniguard/internal/world"
)

const tolerations = "DaemonSet.apps aws-node - .spec.template.spec.tolerations"

// Facts 2.1/none, 2.1/overwrite, 2.1/preserve.
func TestWhatBecomesOfFieldsThatSomebodySet(t *testing.T) {
	for name, c := range map[string]struct {
		resolve types.ResolveConflicts
		cures   bool // PRESERVE does
		fails   bool
		left    int
	}{
		"nothing said is as NONE":                  {"", true, true, 1},
		"NONE fails on them":                       {types.ResolveConflictsNone, true, true, 1},
		"PRESERVE leaves them":                     {types.ResolveConflictsPreserve, true, false, 1},
		"a switch: PRESERVE fails on them as well": {types.ResolveConflictsPreserve, false, true, 1},
		"OVERWRITE takes them back":                {types.ResolveConflictsOverwrite, false, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, 1, with(func(s *world.Spec) {
				s.Clusters[0].Addon.Conflicts = []string{tolerations}
				s.Behaviour.PreserveConflicts = !c.cures
			}))
			s.at(0, func(ctx context.Context, k *world.Client) {
				if _, err := update(ctx, k, "v1.10.4-eksbuild.1", func(in *eks.UpdateAddonInput) { in.ResolveConflicts = c.resolve }); err != nil {
					t.Fatal(err)
				}
			})
			s.until(time.Hour)
			is, _ := s.Addon(prod)
			u := s.Updates(prod)[0]
			if c.fails != (u.Status == "Failed") || c.fails != (is.Status == "UPDATE_FAILED") || len(is.Conflicts) != c.left {
				t.Errorf("the update %s, the add-on %s with %q", u.Status, is.Status, is.Conflicts)
			}
			if c.fails && (u.Issue.Code != "ConfigurationConflict" || !strings.HasSuffix(u.Issue.Message, "Conflicts:\n"+tolerations)) {
				t.Errorf("it fails with %+v", u.Issue)
			}
		})
	}
}

func TestACreationInConflictFails(t *testing.T) {
	s := set(t, 1, with(func(s *world.Spec) {
		s.Clusters[0].Addon = nil
		s.Behaviour.AddonEvents = true
		for i, resolve := range []string{"", "OVERWRITE"} {
			at := time.Duration(i)*time.Hour + time.Minute
			s.Changes = append(s.Changes,
				world.Change{At: at, Account: hubAccount, Region: hubRegion, Name: "prod", Do: world.CreateAddon, Resolve: resolve,
					Addon: &world.Addon{Version: "v1.10.4-eksbuild.1", Conflicts: []string{tolerations}}},
				world.Change{At: at + 30*time.Minute, Account: hubAccount, Region: hubRegion, Name: "prod", Do: world.DeleteAddon})
		}
	}))
	s.until(20 * time.Minute)
	if is, _ := s.Addon(prod); is.Status != "CREATE_FAILED" || len(is.Issues) != 1 || is.Issues[0].Code != "ConfigurationConflict" {
		t.Errorf("under NONE it is %+v", is)
	}
	s.until(80 * time.Minute)
	if is, _ := s.Addon(prod); is.Status != "ACTIVE" || len(is.Issues) != 0 {
		t.Errorf("under OVERWRITE it is %+v", is)
	}
}

// Fact 2.1/schema.
func TestAVersionRefusesTheConfigurationThatItDoesNotKnow(t *testing.T) {
	for config, want := range map[string]string{
		`{"env":{"OLD":"1"}}`: "400 InvalidParameterException", `{"env":{"NEW":"1"}}`: "ok", `{"OLD":"1"}`: "ok", `{"env":"OLD"}`: "ok", "not JSON": "ok",
	} {
		s := set(t, 1, with(func(s *world.Spec) { s.Catalogues["1.21"][1].Refuses = []string{"env.OLD"} }))
		s.at(0, func(ctx context.Context, k *world.Client) {
			_, err := update(ctx, k, "v1.10.4-eksbuild.1", func(in *eks.UpdateAddonInput) { in.ConfigurationValues = &config })
			if got := code(err); got != want {
				t.Errorf("%s gives %s; want %s", config, got, want)
			}
			if err != nil && !strings.Contains(err.Error(), "[$.env.OLD: is not defined in the schema and the schema does not allow additional properties]") {
				t.Errorf("it says %v", err)
			}
		})
	}
}

func TestTheServicesOfARegionThatIsOffKnowNoCredentials(t *testing.T) {
	s := set(t, 1, with(func(s *world.Spec) {
		s.Disabled = []world.Disabled{{Account: hubAccount, Region: hubRegion, From: time.Hour, Until: 2 * time.Hour}}
	}))
	answers := func(at time.Duration) (got []string) {
		s.at(at, func(ctx context.Context, k *world.Client) {
			_, one := k.ListClusters(ctx, &eks.ListClustersInput{})
			_, two := k.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{})
			_, three := k.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{})
			_, other := k.In("eu-west-1").ListClusters(ctx, &eks.ListClustersInput{})
			assumed := k.Assume("arn:aws:iam::444455556666:role/other", hubRegion) // the hub's STS answers, and another account is not off
			_, another := assumed.ListClusters(ctx, &eks.ListClustersInput{})
			got = []string{code(one), code(two), code(three), code(other), code(another)}
		})
		return got
	}
	on := []string{"ok", "ok", "ok", "ok", "ok"}
	off := []string{"403 UnrecognizedClientException", "401 AuthFailure", "403 InvalidClientTokenId", "ok", "ok"}
	for _, c := range []struct {
		at   time.Duration
		want []string
	}{{0, on}, {time.Hour, off}, {2 * time.Hour, on}} {
		if diff := cmp.Diff(c.want, answers(c.at)); diff != "" {
			t.Errorf("after %s (-want +got):\n%s", c.at, diff)
		}
	}
}

func TestATokenThatIsUsedAgain(t *testing.T) {
	for _, replayed := range []bool{true, false} {
		s := set(t, 1, with(func(s *world.Spec) { s.Behaviour.TokenReplayed = replayed }))
		ask := func(at time.Duration) (id, outcome string) {
			s.at(at, func(ctx context.Context, k *world.Client) {
				u, err := update(ctx, k, "v1.10.4-eksbuild.1", func(in *eks.UpdateAddonInput) { in.ClientRequestToken = aws.String("t") })
				if outcome = code(err); err == nil {
					id = *u.Id
				}
			})
			return id, outcome
		}
		first, _ := ask(0)
		again, busy := ask(time.Minute)
		later, _ := ask(time.Hour)
		if replayed && (again != first || later != first) || !replayed && (busy != "409 ResourceInUseException" || later == first) {
			t.Errorf("replayed %t: %q, %q (%s), %q", replayed, first, again, busy, later)
		}
	}
}

func TestEKSsClockMayBeBehind(t *testing.T) {
	s := set(t, 1, with(func(s *world.Spec) { s.Behaviour.ClockBehind = 50 * time.Second }))
	s.at(time.Hour, func(ctx context.Context, k *world.Client) {
		u, err := update(ctx, k, "v1.10.4-eksbuild.1")
		if err != nil || !u.CreatedAt.Equal(noon.Add(time.Hour-50*time.Second)) {
			t.Errorf("%v, %v", u, err)
		}
	})
}

func TestACancelledUpdateLeavesTheAddonAsItWas(t *testing.T) {
	s := set(t, 1, with(func(s *world.Spec) {
		s.Behaviour.VersionMovesEarly = true
		s.Updates = []world.UpdateScript{{Outcome: world.Cancel}}
	}))
	s.at(0, func(ctx context.Context, k *world.Client) { _, _ = update(ctx, k, "v1.10.4-eksbuild.1") })
	s.until(time.Hour)
	if is, _ := s.Addon(prod); is.Version != "v1.9.0-eksbuild.1" || is.Status != "ACTIVE" || s.Updates(prod)[0].Status != "Cancelled" {
		t.Errorf("%+v, %+v", is, s.Updates(prod))
	}
}

func TestCopiesAreNumbered(t *testing.T) {
	const file = `
start: 2026-11-23T12:00:00Z
hub: {account: "111122223333", region: eu-central-1}
vpcs: [{id: vpc-1, account: "111122223333", region: eu-central-1, subnets: [{id: subnet-1, cidr: 10.0.0.0/24}]}]
clusters:
  - {name: one, account: "111122223333", region: eu-central-1, kubernetes: "1.33"}
  - {name: many, account: "111122223333", region: eu-central-1, kubernetes: "1.33", copies: 3, vpc: vpc-1, instances: [{id: i-a, subnets: [subnet-1], copies: 2}]}
orders: [{kind: deny, account: "111122223333", region: eu-central-1, name: many-3, by: ana, because: no}]
`
	spec, err := world.ReadSpec("w.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range spec.Clusters {
		names = append(names, c.Name)
		for _, i := range c.Instances {
			names = append(names, i.ID)
		}
	}
	if diff := cmp.Diff("one many-1 i-a-1-1 i-a-1-2 many-2 i-a-2-1 i-a-2-2 many-3 i-a-3-1 i-a-3-2", strings.Join(names, " ")); diff != "" {
		t.Error(diff)
	}
	for field, want := range map[string]string{
		"copies: 3": "copies: 3", "copies: 20001": "clusters[1].copies", "copies: -1": "clusters[1].copies", "copies: 2": "orders[0].name",
	} {
		_, err := world.ReadSpec("w.yaml", []byte(strings.Replace(file, "copies: 3", field, 1)))
		if field == want && err != nil || field != want && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := world.ReadSpec("w.yaml", []byte(strings.Replace(file, "name: one", "name: many-2", 1))); err == nil {
		t.Error("a copy may have the name of another cluster")
	}
	clock := sim.New(spec.Start, 1)
	defer clock.Close()
	w, err := world.New(spec, clock)
	if err != nil || len(w.Clusters()) != 4 || fmt.Sprint(w.PodSubnets(cluster.ID{Account: hubAccount, Region: hubRegion, Name: "many-2"})) != "[subnet-1]" {
		t.Errorf("%v", err)
	}
}

// Fact 2.3/addon-status.
func TestTheHealthOfAnAddonAtRestChanges(t *testing.T) {
	health := func(at time.Duration, issues ...world.Issue) func(*world.Spec) {
		return func(s *world.Spec) {
			s.Changes = append(s.Changes, world.Change{At: at, Account: hubAccount, Region: hubRegion, Name: "prod", Do: world.ChangeHealth, Issues: issues})
		}
	}
	s := set(t, 1, with(health(time.Hour, world.Issue{Code: "AccessDenied"}), health(2*time.Hour)))
	for at, want := range map[time.Duration]string{90 * time.Minute: "DEGRADED", 150 * time.Minute: "ACTIVE"} {
		s.at(at, func(ctx context.Context, k *world.Client) {
			out, err := k.DescribeAddon(ctx, &eks.DescribeAddonInput{ClusterName: aws.String("prod"), AddonName: aws.String("vpc-cni")})
			if err != nil {
				t.Fatal(err)
			}
			if is := out.Addon; string(is.Status) != want || (len(is.Health.Issues) == 1) != (want == "DEGRADED") {
				t.Errorf("after %s it is %s with %d issues; want %s", at, is.Status, len(is.Health.Issues), want)
			}
		})
	}
}
