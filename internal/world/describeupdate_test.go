package world_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/world"
)

// EKS answers with what it was given, also configuration values: the AWS CLI's examples of update-addon.
func TestAnUpdateTellsWhatItWasAskedFor(t *testing.T) {
	const config = `{"env":{"SECRET":"s3cr3t"}}`
	for name, c := range map[string]struct {
		version string
		ask     func(*eks.UpdateAddonInput)
		want    []string
	}{
		"everything": {"v1.10.4-eksbuild.1", func(in *eks.UpdateAddonInput) {
			in.ServiceAccountRoleArn, in.ResolveConflicts, in.ConfigurationValues = aws.String(role), types.ResolveConflictsPreserve, aws.String(config)
		}, []string{"AddonVersion v1.10.4-eksbuild.1", "ServiceAccountRoleArn " + role, "ResolveConflicts PRESERVE", "ConfigurationValues " + config}},
		"the version only":       {"v1.10.4-eksbuild.1", func(*eks.UpdateAddonInput) {}, []string{"AddonVersion v1.10.4-eksbuild.1"}},
		"the configuration only": {"", func(in *eks.UpdateAddonInput) { in.ConfigurationValues = aws.String(config) }, []string{"ConfigurationValues " + config}},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, 1, with(func(*world.Spec) {}))
			s.at(0, func(ctx context.Context, k *world.Client) {
				u, err := update(ctx, k, c.version, c.ask)
				if err != nil {
					t.Fatal(err)
				}
				again, err := k.DescribeUpdate(ctx, &eks.DescribeUpdateInput{Name: cluster1, AddonName: vpcCNI, UpdateId: u.Id})
				if err != nil {
					t.Fatal(err)
				}
				for what, params := range map[string][]types.UpdateParam{"UpdateAddon": u.Params, "DescribeUpdate": again.Update.Params} {
					var got []string
					for _, p := range params {
						got = append(got, string(p.Type)+" "+aws.ToString(p.Value))
					}
					if diff := cmp.Diff(c.want, got); diff != "" {
						t.Errorf("%s (-want +got):\n%s", what, diff)
					}
				}
			})
		})
	}
}
