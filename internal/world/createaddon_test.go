package world_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/world"
)

// alone is prod with an aws-node that somebody installed with Helm, and no add-on.
func alone(s *world.Spec) {
	s.Clusters[0].Addon = nil
	s.Clusters[0].DaemonSets = []world.DaemonSet{helm()}
}

// create asks for prod's add-on.
func create(ctx context.Context, c *world.Client, change func(*eks.CreateAddonInput)) (*eks.CreateAddonOutput, error) {
	in := &eks.CreateAddonInput{ClusterName: aws.String("prod"), AddonName: aws.String("vpc-cni"), AddonVersion: aws.String("v1.9.0-eksbuild.1")}
	if change != nil {
		change(in)
	}
	return c.CreateAddon(ctx, in)
}

// Facts 2.1/create-conflicts, 6.6/migrate.
func TestACreationTakesOverWhatSomebodyInstalledOnlyUnderOVERWRITE(t *testing.T) {
	for resolve, takes := range map[types.ResolveConflicts]bool{
		"": false, types.ResolveConflictsNone: false, types.ResolveConflictsPreserve: false, types.ResolveConflictsOverwrite: true,
	} {
		t.Run("with "+string(resolve), func(t *testing.T) {
			s := set(t, 1, with(alone))
			s.at(0, func(ctx context.Context, k *world.Client) {
				out, err := create(ctx, k, func(in *eks.CreateAddonInput) {
					in.ResolveConflicts, in.ServiceAccountRoleArn, in.Tags = resolve, aws.String(role), map[string]string{"a": "b"}
					in.ConfigurationValues = aws.String(`{"env":{"WARM_IP_TARGET":"5"}}`)
				})
				if err != nil || out.Addon.Status != types.AddonStatusCreating || *out.Addon.ServiceAccountRoleArn != role || out.Addon.Tags["a"] != "b" {
					t.Fatalf("%v, %+v", err, out)
				}
			})
			if before, _ := s.DaemonSet(prod); before.Managers[0].Name != "helm" {
				t.Errorf("while it is being created, %+v stands", before)
			}
			s.until(time.Hour)
			is, _ := s.Addon(prod)
			stands, _ := s.DaemonSet(prod)
			if !takes {
				if is.Status != "CREATE_FAILED" || is.Issues[0].Code != "ConfigurationConflict" || stands.Managers[0].Name != "helm" {
					t.Errorf("%+v, %+v", is, stands)
				}
				return
			}
			env := stands.Containers[0].Env
			ours := stands.Managers[0].Name == "eks" && env["WARM_IP_TARGET"] == "5" && env["WARM_ENI_TARGET"] == "1" && stands.Role == role
			if is.Status != "ACTIVE" || len(is.Conflicts) > 0 || !ours {
				t.Errorf("%+v, %+v", is, stands)
			}
		})
	}
}

// Facts 2.2/exists, 2.2/unsupported, 2.1/schema.
func TestACreationIsRefused(t *testing.T) {
	const parameter = "400 InvalidParameterException"
	may := func(action string) func(*world.Spec) {
		return func(s *world.Spec) {
			alone(s)
			s.Grants = []world.Grant{{Role: caller[strings.LastIndexByte(caller, '/')+1:], Actions: []string{action}}}
		}
	}
	failed := func(s *world.Spec) { alone(s); s.Clusters[0].Status = "FAILED" }
	older := func(s *world.Spec) { alone(s); s.Catalogues["1.21"][3].Refuses = []string{"env.OLD"} }
	named := func(name string) func(*eks.CreateAddonInput) {
		return func(in *eks.CreateAddonInput) { in.AddonName = &name }
	}
	in := func(name string) func(*eks.CreateAddonInput) {
		return func(in *eks.CreateAddonInput) { in.ClusterName = &name }
	}
	at := func(version string) func(*eks.CreateAddonInput) {
		return func(in *eks.CreateAddonInput) { in.AddonVersion = &version }
	}
	as := func(role string) func(*eks.CreateAddonInput) {
		return func(in *eks.CreateAddonInput) { in.ServiceAccountRoleArn = &role }
	}
	configured := func(values string) func(*eks.CreateAddonInput) {
		return func(in *eks.CreateAddonInput) { in.ConfigurationValues = &values }
	}
	for name, c := range map[string]struct {
		spec       func(*world.Spec)
		change     func(*eks.CreateAddonInput)
		want, text string
	}{
		"of what is there":                          {func(*world.Spec) {}, nil, "409 ResourceInUseException", "Addon already exists."},
		"of another add-on":                         {alone, named("other"), parameter, "Addon specified is not supported"},
		"in a cluster that is not there":            {alone, in("other"), "404 ResourceNotFoundException", "other"},
		"of a version that does not fit":            {alone, at("v1.8.0-eksbuild.1"), parameter, "1.21"},
		"with an empty role":                        {alone, as(""), parameter, "at least 1"},
		"in a cluster that is not ACTIVE":           {failed, nil, "400 InvalidRequestException", "FAILED"},
		"with a role that it may not pass":          {may("eks:CreateAddon"), as(role), "403 AccessDeniedException", "iam:PassRole"},
		"by somebody who may not create it":         {may("iam:PassRole"), nil, "403 AccessDeniedException", "eks:CreateAddon"},
		"with values that the schema does not know": {older, configured(`{"env":{"OLD":"1"}}`), parameter, "$.env.OLD"},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, 1, with(c.spec))
			s.at(0, func(ctx context.Context, k *world.Client) {
				if _, err := create(ctx, k, c.change); code(err) != c.want || !strings.Contains(err.Error(), c.text) {
					t.Errorf("%v, want %s with %q", err, c.want, c.text)
				}
			})
		})
	}
}

func TestACreationWithoutAVersionTakesTheDefault(t *testing.T) {
	s := set(t, 1, with(alone))
	s.at(0, func(ctx context.Context, k *world.Client) {
		out, err := create(ctx, k, func(in *eks.CreateAddonInput) { in.AddonVersion = nil })
		if err != nil || *out.Addon.AddonVersion != "v1.10.4-eksbuild.1" {
			t.Errorf("%v, %+v", err, out)
		}
	})
}

// Fact 3/escape.
func TestAnAddonIsDeletedWithItsSoftwarePreservedAndCreatedAnew(t *testing.T) {
	s := set(t, 1, with(func(s *world.Spec) { s.Clusters[0].Tags = nil }))
	remove := func(preserve bool) func(context.Context, *world.Client) {
		return func(ctx context.Context, k *world.Client) {
			out, err := k.DeleteAddon(ctx, &eks.DeleteAddonInput{ClusterName: aws.String("prod"), AddonName: aws.String("vpc-cni"), Preserve: preserve})
			if err != nil || out.Addon.Status != types.AddonStatusDeleting {
				t.Fatalf("%v, %+v", err, out)
			}
		}
	}
	before, _ := s.DaemonSet(prod)
	s.at(0, remove(true))
	s.until(time.Hour)
	after, stands := s.DaemonSet(prod)
	if _, managed := s.Addon(prod); managed || !stands {
		t.Fatalf("managed: %t, there: %t", managed, stands)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	s.at(time.Hour, func(ctx context.Context, k *world.Client) {
		if _, err := create(ctx, k, func(in *eks.CreateAddonInput) { in.AddonVersion = aws.String("v1.11.4-eksbuild.1") }); err != nil {
			t.Fatal(err)
		}
	})
	s.until(2 * time.Hour)
	if is, _ := s.Addon(prod); is.Status != "ACTIVE" || is.Version != "v1.11.4-eksbuild.1" {
		t.Errorf("%+v", is)
	}
	s.at(2*time.Hour, remove(false))
	s.until(3 * time.Hour)
	if _, stands := s.DaemonSet(prod); stands {
		t.Error("without --preserve the software stays")
	}
}
