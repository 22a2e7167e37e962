package world

import (
	"cmp"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"
)

// createAddonByCall starts the creation of an add-on. What EKS answers is in facts-eks-vpc-cni 2.1 and 2.2, what becomes of an aws-node that
// EKS does not manage in 6.6.
func (w *World) createAddonByCall(c *Call, in *eks.CreateAddonInput) (*eks.CreateAddonOutput, error) {
	found, err := w.cluster(c, in.ClusterName)
	if err != nil {
		return nil, err
	}
	if in.ServiceAccountRoleArn != nil {
		if err := w.need(c, "iam:PassRole"); err != nil {
			return nil, err
		}
	}
	by, version := caller{principal: c.Principal}, cmp.Or(aws.ToString(in.AddonVersion), w.standard(found.kubernetes))
	if err := w.uncreatable(found, in, version); err != nil {
		w.refused(found.id(), by, "CreateAddon", err, map[string]any{"name": found.Name, "addonName": *in.AddonName, "addonVersion": version})
		return nil, err
	}
	described := &Addon{
		Version: version, Role: aws.ToString(in.ServiceAccountRoleArn), Configuration: aws.ToString(in.ConfigurationValues), Tags: maps.Clone(in.Tags),
		PodIdentities: associations(c, found, in.PodIdentityAssociations), Conflicts: found.othersFields(),
	}
	resolve := in.ResolveConflicts
	if resolve == types.ResolveConflictsPreserve {
		resolve = types.ResolveConflictsNone // on creation it is like NONE
	}
	if resolve == types.ResolveConflictsOverwrite {
		described.Conflicts = nil
	}
	w.createAddon(found, described, resolve, by)
	return &eks.CreateAddonOutput{Addon: found.addon.describe(found.Name)}, nil
}

// standard is the version that EKS installs where none is asked for.
func (w *World) standard(kubernetes string) string {
	list := w.spec.Catalogues[kubernetes]
	if i := slices.IndexFunc(list, func(v Catalogue) bool { return v.Default }); i >= 0 {
		return list[i].Version
	}
	return ""
}

// uncreatable is why EKS does not start a creation; nil: it does.
func (w *World) uncreatable(c *eksCluster, in *eks.CreateAddonInput, version string) error {
	parameter := func(text string) error { return modelled("eks", "InvalidParameterException", text) }
	switch {
	case *in.AddonName != vpcCNI:
		return parameter("Addon specified is not supported")
	case c.addon != nil:
		return modelled("eks", "ResourceInUseException", "Addon already exists.")
	case c.status != types.ClusterStatusActive && c.status != types.ClusterStatusUpdating:
		return modelled("eks", "InvalidRequestException", "Cluster "+c.Name+" is in "+string(c.status)+" state")
	case in.ServiceAccountRoleArn != nil && *in.ServiceAccountRoleArn == "":
		return parameter("ServiceAccountRoleArn must have a length of at least 1")
	case !w.compatible(c.kubernetes, version):
		return parameter("Addon version specified is not supported in " + c.kubernetes + " kubernetes version")
	}
	return w.unfitting(version, aws.ToString(in.ConfigurationValues))
}

// othersFields are the fields of an aws-node that stands already and that somebody else than EKS set: EKS would set them too, which is a conflict
// until it takes them over.
func (c *eksCluster) othersFields() []string {
	for _, s := range c.applied {
		others := len(s.Managers) == 0 || slices.ContainsFunc(s.Managers, func(m Writer) bool { return m.Name != "eks" })
		if s.Name == awsNode && others {
			return []string{"DaemonSet.apps " + awsNode + ` - .spec.template.spec.containers[name="` + awsNode + `"].image`}
		}
	}
	return nil
}

// associations are the ARNs that EKS gives pod identity associations; nil: none were said.
func associations(c *Call, of *eksCluster, said []types.AddonPodIdentityAssociations) []string {
	if said == nil {
		return nil
	}
	arns := make([]string, len(said))
	for i, p := range said {
		arns[i] = "arn:aws:eks:" + c.Region + ":" + c.Account + ":podidentityassociation/" + of.Name + "/" + *p.ServiceAccount
	}
	return arns
}

// deleteAddonByCall starts the deletion of an add-on. With preserve its software stays, and nobody manages it: facts-eks-vpc-cni 3.
func (w *World) deleteAddonByCall(c *Call, in *eks.DeleteAddonInput) (*eks.DeleteAddonOutput, error) {
	found, err := w.clusterAddon(c, in.ClusterName, in.AddonName)
	if err != nil {
		return nil, err
	}
	w.deleteAddon(found, in.Preserve, caller{principal: c.Principal})
	return &eks.DeleteAddonOutput{Addon: found.addon.describe(found.Name)}, nil
}
