package world

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"
)

// params are what DescribeUpdate tells of a request: what it set, also configuration values in the clear, in the order of the AWS CLI's
// examples of update-addon. How pod identity associations are written there is not published; they are left out.
func (ask wish) params() []types.UpdateParam {
	params := []types.UpdateParam{}
	add := func(kind types.UpdateParamType, value *string) {
		if value != nil {
			params = append(params, types.UpdateParam{Type: kind, Value: value})
		}
	}
	add(types.UpdateParamTypeAddonVersion, ask.version)
	add(types.UpdateParamTypeServiceAccountRoleArn, ask.role)
	add(types.UpdateParamTypeResolveConflicts, optional(string(ask.resolve)))
	add(types.UpdateParamTypeConfigurationValues, ask.config)
	return params
}

func (w *World) describe(u *Update) *types.Update {
	created := u.Created.Add(-w.spec.Behaviour.ClockBehind)
	d := &types.Update{
		Id: aws.String(u.ID), Status: types.UpdateStatus(u.Status), Type: types.UpdateTypeAddonUpdate, CreatedAt: &created,
		Params: slices.Clone(u.params), Errors: []types.ErrorDetail{},
	}
	if u.Issue.Code != "" {
		d.Errors = append(d.Errors, types.ErrorDetail{ErrorCode: types.ErrorCode(u.Issue.Code), ErrorMessage: aws.String(u.Issue.Message), ResourceIds: u.Issue.Resources})
	}
	return d
}

// listUpdates lists the ids of the add-on's updates, in no order of time: facts-eks-vpc-cni 2.4.
func (w *World) listUpdates(c *Call, in *eks.ListUpdatesInput) (*eks.ListUpdatesOutput, error) {
	found, err := w.cluster(c, in.Name)
	if err != nil {
		return nil, err
	}
	var ids []string
	if in.AddonName != nil {
		if _, err := w.clusterAddon(c, in.Name, in.AddonName); err != nil {
			return nil, err
		}
		for _, u := range found.updates {
			ids = append(ids, u.ID)
		}
	}
	slices.Sort(ids)
	ids, next, err := paged(w, ids, in.NextToken, in.MaxResults)
	return &eks.ListUpdatesOutput{UpdateIds: ids, NextToken: next}, err
}

// describeUpdate finds an update of an add-on only with the add-on's name: facts-eks-vpc-cni 2.4.
func (w *World) describeUpdate(c *Call, in *eks.DescribeUpdateInput) (*eks.DescribeUpdateOutput, error) {
	found, err := w.cluster(c, in.Name)
	if err != nil {
		return nil, err
	}
	for _, u := range found.updates {
		if u.ID == *in.UpdateId && in.AddonName != nil && *in.AddonName == vpcCNI {
			return &eks.DescribeUpdateOutput{Update: w.describe(u)}, nil
		}
	}
	return nil, modelled("eks", "ResourceNotFoundException", "No update found for ID: "+*in.UpdateId)
}
