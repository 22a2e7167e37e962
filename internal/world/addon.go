package world

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"
)

func (w *World) describeAddon(c *Call, in *eks.DescribeAddonInput) (*eks.DescribeAddonOutput, error) {
	found, err := w.clusterAddon(c, in.ClusterName, in.AddonName)
	if err != nil {
		return nil, err
	}
	return &eks.DescribeAddonOutput{Addon: found.addon.describe(found.Name)}, nil
}

func (a *addon) describe(clusterName string) *types.Addon {
	d := &types.Addon{
		AddonName: aws.String(vpcCNI), ClusterName: aws.String(clusterName), AddonArn: aws.String(a.arn),
		AddonVersion: aws.String(a.Version), Status: types.AddonStatus(a.Status), Health: &types.AddonHealth{Issues: []types.AddonIssue{}},
		ServiceAccountRoleArn: optional(a.Role), ConfigurationValues: optional(a.Configuration),
		PodIdentityAssociations: slices.Clone(a.PodIdentities), Tags: maps.Clone(a.Tags),
		CreatedAt: aws.Time(a.created), ModifiedAt: aws.Time(a.modified),
	}
	for _, i := range a.Issues {
		d.Health.Issues = append(d.Health.Issues, types.AddonIssue{Code: types.AddonIssueCode(i.Code), Message: aws.String(i.Message), ResourceIds: i.Resources})
	}
	return d
}

// describeAddonVersions lists the catalogue of one Kubernetes version or, without one, of all of them, a page of versions at a
// time. Versions that cannot be installed are listed too, with empty compatibilities: facts-eks-vpc-cni 2.5.
func (w *World) describeAddonVersions(_ *Call, in *eks.DescribeAddonVersionsInput) (*eks.DescribeAddonVersionsOutput, error) {
	out := &eks.DescribeAddonVersionsOutput{Addons: []types.AddonInfo{}}
	if in.AddonName != nil && *in.AddonName != vpcCNI {
		return out, nil
	}
	var versions []types.AddonVersionInfo
	for _, k := range sorted(w.spec.Catalogues) {
		if in.KubernetesVersion == nil || *in.KubernetesVersion == k {
			versions = merge(versions, k, w.spec.Catalogues[k])
		}
	}
	from, until, next, err := w.page(len(versions), in.NextToken, in.MaxResults, 100)
	if err != nil {
		return nil, err
	}
	if len(versions) > 0 {
		out.Addons = []types.AddonInfo{{
			AddonName: aws.String(vpcCNI), Type: aws.String("networking"), Owner: aws.String("aws"), Publisher: aws.String("eks"),
			AddonVersions: versions[from:until],
		}}
	}
	out.NextToken = next
	return out, nil
}

// merge adds the catalogue of a Kubernetes version.
func merge(versions []types.AddonVersionInfo, kubernetes string, list []Catalogue) []types.AddonVersionInfo {
	versions = slices.Grow(versions, len(list))
	merging := len(versions) > 0
	for i := range list {
		v, at := &list[i], -1
		if merging {
			at = slices.IndexFunc(versions, func(have types.AddonVersionInfo) bool { return *have.AddonVersion == v.Version })
		}
		if at < 0 {
			at = len(versions)
			versions = append(versions, types.AddonVersionInfo{
				AddonVersion: aws.String(v.Version), Architecture: architectures(v.Architectures), Compatibilities: []types.Compatibility{},
			})
		}
		if v.Compatible {
			versions[at].Compatibilities = append(versions[at].Compatibilities, types.Compatibility{
				ClusterVersion: aws.String(kubernetes), DefaultVersion: v.Default, PlatformVersions: []string{"*"},
			})
		}
	}
	return versions
}

// architectures are what EKS says of each release of vpc-cni, where nothing else is given.
func architectures(given []string) []string {
	if len(given) > 0 {
		return given
	}
	return []string{"amd64", "arm64"}
}

func (w *World) listNodegroups(c *Call, in *eks.ListNodegroupsInput) (*eks.ListNodegroupsOutput, error) {
	found, err := w.cluster(c, in.ClusterName)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, n := range found.Nodegroups {
		names = append(names, n.Name)
	}
	names, next, err := paged(w, names, in.NextToken, in.MaxResults)
	return &eks.ListNodegroupsOutput{Nodegroups: names, NextToken: next}, err
}

func (w *World) describeNodegroup(c *Call, in *eks.DescribeNodegroupInput) (*eks.DescribeNodegroupOutput, error) {
	found, err := w.cluster(c, in.ClusterName)
	if err != nil {
		return nil, err
	}
	for i := range found.Nodegroups {
		if n := &found.Nodegroups[i]; n.Name == *in.NodegroupName {
			return &eks.DescribeNodegroupOutput{Nodegroup: &types.Nodegroup{
				NodegroupName: aws.String(n.Name), ClusterName: aws.String(found.Name), Status: types.NodegroupStatusActive,
				Version: aws.String(found.kubernetes), Subnets: slices.Clone(n.Subnets),
			}}, nil
		}
	}
	return nil, modelled("eks", "ResourceNotFoundException", "No node group found for name: "+*in.NodegroupName+".")
}

func (w *World) listFargateProfiles(c *Call, in *eks.ListFargateProfilesInput) (*eks.ListFargateProfilesOutput, error) {
	found, err := w.cluster(c, in.ClusterName)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, n := range found.FargateProfiles {
		names = append(names, n.Name)
	}
	names, next, err := paged(w, names, in.NextToken, in.MaxResults)
	return &eks.ListFargateProfilesOutput{FargateProfileNames: names, NextToken: next}, err
}

func (w *World) describeFargateProfile(c *Call, in *eks.DescribeFargateProfileInput) (*eks.DescribeFargateProfileOutput, error) {
	found, err := w.cluster(c, in.ClusterName)
	if err != nil {
		return nil, err
	}
	for i := range found.FargateProfiles {
		if n := &found.FargateProfiles[i]; n.Name == *in.FargateProfileName {
			return &eks.DescribeFargateProfileOutput{FargateProfile: &types.FargateProfile{
				FargateProfileName: aws.String(n.Name), ClusterName: aws.String(found.Name), Status: types.FargateProfileStatusActive, Subnets: slices.Clone(n.Subnets),
			}}, nil
		}
	}
	return nil, modelled("eks", "ResourceNotFoundException", "No Fargate Profile found with name: "+*in.FargateProfileName+".")
}
