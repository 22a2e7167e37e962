package world_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/world"
)

// seen is what the API shows of prod: the cluster's status and Kubernetes version, and the add-on's status and version.
func seen(ctx context.Context, c *world.Client) string {
	out, err := c.DescribeCluster(ctx, &eks.DescribeClusterInput{Name: cluster1})
	if err != nil {
		return code(err)
	}
	text := string(out.Cluster.Status) + " " + *out.Cluster.Version + " " + out.Cluster.Tags["team"]
	a, err := c.DescribeAddon(ctx, &eks.DescribeAddonInput{ClusterName: cluster1, AddonName: vpcCNI})
	if err != nil {
		return text + ", none"
	}
	return text + ", " + string(a.Addon.Status) + " " + *a.Addon.AddonVersion
}

// Facts 1.2/accepted, 2.2/deleting, 2.3/cluster-status, 3/carried.
func TestClustersComeAndGo(t *testing.T) {
	const hour, minute = time.Hour, time.Minute
	v9, v10 := &world.Addon{Version: "v1.9.0-eksbuild.1"}, &world.Addon{Version: "v1.10.4-eksbuild.1"}
	change := func(at time.Duration, c world.Change) func(*world.Spec) {
		return func(s *world.Spec) {
			c.At, c.Account, c.Region, c.Name = at, hubAccount, hubRegion, "prod"
			s.Changes = append(s.Changes, c)
		}
	}
	none := func(s *world.Spec) { s.Clusters[0].Addon = nil }
	tests := map[string]struct {
		spec []func(*world.Spec)
		want map[time.Duration]string
	}{
		"facts 1.2: a new cluster is ACTIVE after 4 to 7 minutes, and has no add-on before": {
			[]func(*world.Spec){func(s *world.Spec) { s.Clusters[0].CreatedAt = hour }},
			map[time.Duration]string{
				hour - 1: "404 ResourceNotFoundException", hour + 1: "CREATING 1.21 shop, none", hour + 4*minute - 1: "CREATING 1.21 shop, none",
				hour + 10*minute: "ACTIVE 1.21 shop, ACTIVE v1.9.0-eksbuild.1",
			}},
		"facts 2.2: the add-on of a cluster that is being deleted is not found": {
			[]func(*world.Spec){func(s *world.Spec) { s.Clusters[0].DeletedAt = hour }},
			map[time.Duration]string{
				hour - 1: "ACTIVE 1.21 shop, ACTIVE v1.9.0-eksbuild.1", hour + 1: "DELETING 1.21 shop, none", hour + 10*minute: "404 ResourceNotFoundException",
			}},
		"a cluster that is deleted while it is created does not come back": {
			[]func(*world.Spec){func(s *world.Spec) { s.Clusters[0].CreatedAt, s.Clusters[0].DeletedAt = hour, hour+minute }},
			map[time.Duration]string{hour + 2*minute: "DELETING 1.21 shop, none", 2 * hour: "404 ResourceNotFoundException"}},
		"a cluster that failed stays so": {
			[]func(*world.Spec){func(s *world.Spec) { s.Clusters[0].Status = "FAILED" }},
			map[time.Duration]string{hour: "FAILED 1.21 shop, ACTIVE v1.9.0-eksbuild.1"}},
		"somebody upgrades Kubernetes": {
			[]func(*world.Spec){change(hour, world.Change{Do: world.UpgradeCluster, Kubernetes: "1.22"})},
			map[time.Duration]string{hour + minute: "UPDATING 1.21 shop, ACTIVE v1.9.0-eksbuild.1", 2 * hour: "ACTIVE 1.22 shop, ACTIVE v1.9.0-eksbuild.1"}},
		"somebody creates the add-on": {
			[]func(*world.Spec){none, change(hour, world.Change{Do: world.CreateAddon, Addon: v9})},
			map[time.Duration]string{hour + 1: "ACTIVE 1.21 shop, CREATING v1.9.0-eksbuild.1", 2 * hour: "ACTIVE 1.21 shop, ACTIVE v1.9.0-eksbuild.1"}},
		"somebody creates an add-on that is there": {
			[]func(*world.Spec){change(hour, world.Change{Do: world.CreateAddon, Addon: v10})},
			map[time.Duration]string{hour + 1: "ACTIVE 1.21 shop, ACTIVE v1.9.0-eksbuild.1"}},
		"somebody updates the add-on": {
			[]func(*world.Spec){change(hour, world.Change{Do: world.UpdateAddon, Addon: v10})},
			map[time.Duration]string{hour + 1: "ACTIVE 1.21 shop, UPDATING v1.9.0-eksbuild.1", 2 * hour: "ACTIVE 1.21 shop, ACTIVE v1.10.4-eksbuild.1"}},
		"somebody deletes the add-on": {
			[]func(*world.Spec){change(hour, world.Change{Do: world.DeleteAddon})},
			map[time.Duration]string{hour + 1: "ACTIVE 1.21 shop, DELETING v1.9.0-eksbuild.1", 2 * hour: "ACTIVE 1.21 shop, none"}},
		"somebody deletes the add-on in the middle of an update": {
			[]func(*world.Spec){change(hour, world.Change{Do: world.UpdateAddon, Addon: v10}), change(hour+2*minute, world.Change{Do: world.DeleteAddon})},
			map[time.Duration]string{hour + minute: "ACTIVE 1.21 shop, UPDATING v1.9.0-eksbuild.1", 2 * hour: "ACTIVE 1.21 shop, none"}},
		"an update that somebody's deleting cuts short does not touch the next add-on": {
			[]func(*world.Spec){
				func(s *world.Spec) {
					s.Behaviour.UpdateTakes = world.Range{Min: 30 * minute, Max: 30 * minute}
				},
				change(hour, world.Change{Do: world.UpdateAddon, Addon: v10}), change(hour+2*minute, world.Change{Do: world.DeleteAddon}), change(hour+5*minute, world.Change{Do: world.CreateAddon, Addon: v9}),
			},
			map[time.Duration]string{2 * hour: "ACTIVE 1.21 shop, ACTIVE v1.9.0-eksbuild.1"}},
		"a deletion overtakes an update that has not begun to show": {
			[]func(*world.Spec){
				func(s *world.Spec) {
					s.Behaviour.UpdateStarts = world.Range{Min: 65 * time.Second, Max: 68 * time.Second}
				},
				change(hour, world.Change{Do: world.UpdateAddon, Addon: v10}), change(hour+minute, world.Change{Do: world.DeleteAddon}),
			},
			map[time.Duration]string{hour + minute + 1: "ACTIVE 1.21 shop, DELETING v1.9.0-eksbuild.1", hour + minute + 9*time.Second: "ACTIVE 1.21 shop, DELETING v1.9.0-eksbuild.1", 2 * hour: "ACTIVE 1.21 shop, none"}},
		"a deletion overtakes an update that ends meanwhile": {
			[]func(*world.Spec){
				func(s *world.Spec) {
					s.Behaviour.UpdateTakes = world.Range{Min: minute + 5*time.Second, Max: minute + 5*time.Second}
				},
				change(hour, world.Change{Do: world.UpdateAddon, Addon: v10}), change(hour+minute, world.Change{Do: world.DeleteAddon}),
			},
			map[time.Duration]string{hour + minute + 9*time.Second: "ACTIVE 1.21 shop, DELETING v1.9.0-eksbuild.1", 2 * hour: "ACTIVE 1.21 shop, none"}},
		"somebody tags the cluster": {
			[]func(*world.Spec){change(hour, world.Change{Do: world.TagCluster, Tags: map[string]string{"team": "bank"}})},
			map[time.Duration]string{hour + 1: "ACTIVE 1.21 bank, ACTIVE v1.9.0-eksbuild.1"}},
		"nobody does anything to a cluster that is not there": {
			[]func(*world.Spec){func(s *world.Spec) { s.Clusters[0].CreatedAt = 2 * hour }, change(hour, world.Change{Do: world.DeleteAddon})},
			map[time.Duration]string{3 * hour: "ACTIVE 1.21 shop, ACTIVE v1.9.0-eksbuild.1"}},
	}
	for name, test := range tests {
		for seed := range uint64(5) {
			t.Run(name, func(t *testing.T) {
				s := set(t, seed, with(test.spec...))
				for at, want := range test.want {
					s.plan(at, func(ctx context.Context, c *world.Client) {
						if got := seen(ctx, c); got != want {
							t.Errorf("at %s: %s; want %s", at, got, want)
						}
					})
				}
				s.until(4 * hour)
			})
		}
	}
}

func TestWhatIsTrueIsNoted(t *testing.T) {
	s := set(t, 1, with(func(s *world.Spec) { s.Clusters[0].DeletedAt = time.Hour }))
	s.at(0, func(ctx context.Context, c *world.Client) {
		if _, err := update(ctx, c, "v1.10.4-eksbuild.1"); err != nil {
			t.Error(err)
		}
	})
	s.until(2 * time.Hour)
	var got []string
	for _, e := range s.entries(world.Truth, "") {
		if e.Cluster != prod {
			t.Errorf("%s is not about prod", e)
		}
		got = append(got, e.What+": "+e.Text)
	}
	want := []string{
		"update: v1.9.0-eksbuild.1 to v1.10.4-eksbuild.1 started", "add-on: v1.9.0-eksbuild.1 UPDATING",
		"update: v1.9.0-eksbuild.1 to v1.10.4-eksbuild.1 Successful", "add-on: v1.10.4-eksbuild.1 ACTIVE", "cluster: DELETING", "cluster: deleted",
	}
	if !slices.Equal(got, want) {
		t.Errorf("noted %q; want %q", got, want)
	}
	if _, _, there := s.Cluster(prod); there {
		t.Error("the deleted cluster is there")
	}
	if ids := s.Clusters(); len(ids) != 1 || ids[0] != prod {
		t.Errorf("the clusters of the spec are %v", ids)
	}
}

func TestAnswersAreNobodysState(t *testing.T) {
	s := set(t, 1, house)
	s.at(0, func(ctx context.Context, c *world.Client) {
		a := addonOf(t, ctx, c)
		a.Tags["a"], a.PodIdentityAssociations[0], *a.AddonVersion, *a.ServiceAccountRoleArn = "x", "x", "x", "x"
		out, err := c.DescribeCluster(ctx, &eks.DescribeClusterInput{Name: cluster1})
		if err != nil {
			t.Fatal(err)
		}
		out.Cluster.Tags["team"], out.Cluster.ResourcesVpcConfig.SubnetIds[0], *out.Cluster.Name = "x", "x", "x"
		again := addonOf(t, ctx, c)
		if again.Tags["a"] != "b" || again.PodIdentityAssociations[0] == "x" || aws.ToString(again.AddonVersion) == "x" || aws.ToString(again.ServiceAccountRoleArn) == "x" {
			t.Error("changing an answer changed the add-on")
		}
		if out, err = c.DescribeCluster(ctx, &eks.DescribeClusterInput{Name: cluster1}); err != nil || out.Cluster.Tags["team"] == "x" || out.Cluster.ResourcesVpcConfig.SubnetIds[0] == "x" || *out.Cluster.Name == "x" {
			t.Error("changing an answer changed the cluster", err)
		}
	})
}

func TestOthersAreRolesOfTheClustersPartition(t *testing.T) {
	id := cluster.ID{Account: hubAccount, Region: "cn-north-1", Name: "prod"}
	s := set(t, 1, func(s *world.Spec) {
		s.Clusters = []world.Cluster{{Name: id.Name, Account: id.Account, Region: id.Region, Kubernetes: "1.33", Addon: &world.Addon{Version: "v1.19.0-eksbuild.1"}}}
		s.Catalogues = map[string][]world.Catalogue{"1.33": {{Version: "v1.20.4-eksbuild.1", Compatible: true}}}
		s.Changes = []world.Change{{At: time.Hour, Account: id.Account, Region: id.Region, Name: id.Name, Do: world.UpdateAddon,
			Addon: &world.Addon{Version: "v1.20.4-eksbuild.1"}}}
	})
	s.until(2 * time.Hour)
	if all := s.Updates(id); len(all) != 1 || all[0].By != "arn:aws-cn:iam::111122223333:role/platform-team" {
		t.Errorf("updates %+v", all)
	}
}
