package world

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	cloudtrailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	ekstypes "github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// field is a field that the SDK requires to be set.
type field struct {
	name string
	set  bool
}

// require is the SDK's error for fields that are not set; nil: all are.
func require(context string, fields ...field) error { return also(nil, context, fields...) }

// also adds fields that come behind what an error names already.
func also(err error, context string, fields ...field) error {
	wrong, ok := err.(smithy.InvalidParamsError)
	if !ok {
		wrong = smithy.InvalidParamsError{Context: context}
	}
	for _, f := range fields {
		if !f.set {
			wrong.Add(smithy.NewErrParamRequired(f.name))
		}
	}
	if wrong.Len() == 0 {
		return nil
	}
	return wrong
}

// missing is the SDK's error for an input that lacks what it requires: the validators of the SDK's services.
func missing(in any) error {
	switch in := in.(type) {
	case *eks.DescribeClusterInput:
		return require("DescribeClusterInput", field{"Name", in.Name != nil})
	case *eks.DescribeAddonInput:
		return require("DescribeAddonInput", field{"ClusterName", in.ClusterName != nil}, field{"AddonName", in.AddonName != nil})
	case *eks.DescribeAddonConfigurationInput:
		return require("DescribeAddonConfigurationInput", field{"AddonName", in.AddonName != nil}, field{"AddonVersion", in.AddonVersion != nil})
	case *eks.ListNodegroupsInput:
		return require("ListNodegroupsInput", field{"ClusterName", in.ClusterName != nil})
	case *eks.DescribeNodegroupInput:
		return require("DescribeNodegroupInput", field{"ClusterName", in.ClusterName != nil}, field{"NodegroupName", in.NodegroupName != nil})
	case *eks.ListFargateProfilesInput:
		return require("ListFargateProfilesInput", field{"ClusterName", in.ClusterName != nil})
	case *eks.DescribeFargateProfileInput:
		return require("DescribeFargateProfileInput", field{"ClusterName", in.ClusterName != nil}, field{"FargateProfileName", in.FargateProfileName != nil})
	case *eks.ListUpdatesInput:
		return require("ListUpdatesInput", field{"Name", in.Name != nil})
	case *eks.DescribeUpdateInput:
		return require("DescribeUpdateInput", field{"Name", in.Name != nil}, field{"UpdateId", in.UpdateId != nil})
	case *eks.UpdateAddonInput, *eks.CreateAddonInput, *eks.DeleteAddonInput:
		return missingInChange(in)
	case *ec2.GetSubnetCidrReservationsInput:
		return require("GetSubnetCidrReservationsInput", field{"SubnetId", in.SubnetId != nil})
	case *cloudwatch.PutMetricAlarmInput:
		return missingInAlarm(in)
	case *cloudwatch.DeleteAlarmsInput:
		return require("DeleteAlarmsInput", field{"AlarmNames", in.AlarmNames != nil})
	case *cloudwatch.SetAlarmStateInput:
		return require("SetAlarmStateInput", field{"AlarmName", in.AlarmName != nil}, field{"StateValue", in.StateValue != ""}, field{"StateReason", in.StateReason != nil})
	case *cloudwatch.TagResourceInput:
		err := require("TagResourceInput", field{"ResourceARN", in.ResourceARN != nil}, field{"Tags", in.Tags != nil})
		return nested(err, "TagResourceInput", "Tags", missingInTags(in.Tags))
	case *cloudwatch.ListTagsForResourceInput:
		return require("ListTagsForResourceInput", field{"ResourceARN", in.ResourceARN != nil})
	case *cloudwatch.ListMetricsInput:
		return nested(nil, "ListMetricsInput", "Dimensions", missingInFilters(in.Dimensions))
	case *cloudwatch.PutMetricDataInput:
		return nested(require("PutMetricDataInput", field{"Namespace", in.Namespace != nil}), "PutMetricDataInput", "MetricData", missingInData(in.MetricData))
	case *cloudwatch.GetMetricDataInput:
		err := nested(require("GetMetricDataInput", field{"MetricDataQueries", in.MetricDataQueries != nil}),
			"GetMetricDataInput", "MetricDataQueries", missingInQueries(in.MetricDataQueries))
		return also(err, "GetMetricDataInput", field{"StartTime", in.StartTime != nil}, field{"EndTime", in.EndTime != nil})
	case *sns.PublishInput:
		return require("PublishInput", field{"Message", in.Message != nil})
	case *eventbridge.PutEventsInput:
		return require("PutEventsInput", field{"Entries", in.Entries != nil})
	case *dynamodb.GetItemInput:
		return require("GetItemInput", field{"TableName", in.TableName != nil}, field{"Key", in.Key != nil})
	case *dynamodb.PutItemInput:
		return require("PutItemInput", field{"TableName", in.TableName != nil}, field{"Item", in.Item != nil})
	case *dynamodb.QueryInput:
		return require("QueryInput", field{"TableName", in.TableName != nil})
	case *dynamodb.ScanInput:
		return require("ScanInput", field{"TableName", in.TableName != nil})
	case *dynamodb.BatchGetItemInput:
		return nested(require("BatchGetItemInput", field{"RequestItems", in.RequestItems != nil}), "BatchGetItemInput", "RequestItems", missingInBatch(in.RequestItems))
	case *cloudtrail.LookupEventsInput:
		return nested(nil, "LookupEventsInput", "LookupAttributes", missingInAttributes(in.LookupAttributes))
	case *sts.AssumeRoleInput:
		return require("AssumeRoleInput", field{"RoleArn", in.RoleArn != nil}, field{"RoleSessionName", in.RoleSessionName != nil})
	}
	return nil
}

// nested adds the error of a field's value to that of the struct which has it.
func nested(err error, context, name string, inner error) error {
	if inner == nil {
		return err
	}
	wrong, ok := err.(smithy.InvalidParamsError)
	if !ok {
		wrong = smithy.InvalidParamsError{Context: context}
	}
	wrong.AddNested(name, inner.(smithy.InvalidParamsError))
	return wrong
}

func missingInBatch(wanted map[string]dynamodbtypes.KeysAndAttributes) error {
	var list error
	for _, name := range sorted(wanted) {
		list = nested(list, "BatchGetRequestMap", fmt.Sprintf("[%q]", name), require("KeysAndAttributes", field{"Keys", wanted[name].Keys != nil}))
	}
	return list
}

// missingInChange is that of the inputs that change an add-on.
func missingInChange(in any) error {
	switch in := in.(type) {
	case *eks.UpdateAddonInput:
		return missingInAddon("UpdateAddonInput", in.ClusterName, in.AddonName, in.PodIdentityAssociations)
	case *eks.CreateAddonInput:
		return missingInAddon("CreateAddonInput", in.ClusterName, in.AddonName, in.PodIdentityAssociations)
	case *eks.DeleteAddonInput:
		return missingInAddon("DeleteAddonInput", in.ClusterName, in.AddonName, nil)
	}
	return nil
}

func missingInAddon(context string, clusterName, name *string, associations []ekstypes.AddonPodIdentityAssociations) error {
	var list error
	for i, p := range associations {
		one := require("AddonPodIdentityAssociations", field{"ServiceAccount", p.ServiceAccount != nil}, field{"RoleArn", p.RoleArn != nil})
		list = nested(list, "AddonPodIdentityAssociationsList", fmt.Sprintf("[%d]", i), one)
	}
	err := require(context, field{"ClusterName", clusterName != nil}, field{"AddonName", name != nil})
	return nested(err, context, "PodIdentityAssociations", list)
}

func missingInDimensions(dimensions []cwtypes.Dimension) error {
	var list error
	for i, d := range dimensions {
		list = nested(list, "Dimensions", fmt.Sprintf("[%d]", i), require("Dimension", field{"Name", d.Name != nil}, field{"Value", d.Value != nil}))
	}
	return list
}

func missingInFilters(filters []cwtypes.DimensionFilter) error {
	var list error
	for i, f := range filters {
		list = nested(list, "DimensionFilters", fmt.Sprintf("[%d]", i), require("DimensionFilter", field{"Name", f.Name != nil}))
	}
	return list
}

func missingInAlarm(in *cloudwatch.PutMetricAlarmInput) error {
	err := require("PutMetricAlarmInput", field{"AlarmName", in.AlarmName != nil})
	err = nested(err, "PutMetricAlarmInput", "Dimensions", missingInDimensions(in.Dimensions))
	err = nested(err, "PutMetricAlarmInput", "Metrics", missingInQueries(in.Metrics))
	return nested(err, "PutMetricAlarmInput", "Tags", missingInTags(in.Tags))
}

func missingInAttributes(attributes []cloudtrailtypes.LookupAttribute) error {
	var list error
	for i, a := range attributes {
		one := require("LookupAttribute", field{"AttributeKey", a.AttributeKey != ""}, field{"AttributeValue", a.AttributeValue != nil})
		list = nested(list, "LookupAttributesList", fmt.Sprintf("[%d]", i), one)
	}
	return list
}

func missingInTags(tags []cwtypes.Tag) error {
	var list error
	for i, t := range tags {
		list = nested(list, "TagList", fmt.Sprintf("[%d]", i), require("Tag", field{"Key", t.Key != nil}, field{"Value", t.Value != nil}))
	}
	return list
}

func missingInData(data []cwtypes.MetricDatum) error {
	var list error
	for i := range data {
		one := require("MetricDatum", field{"MetricName", data[i].MetricName != nil})
		one = nested(one, "MetricDatum", "Dimensions", missingInDimensions(data[i].Dimensions))
		if s := data[i].StatisticValues; s != nil {
			set := require("StatisticSet", field{"SampleCount", s.SampleCount != nil}, field{"Sum", s.Sum != nil},
				field{"Minimum", s.Minimum != nil}, field{"Maximum", s.Maximum != nil})
			one = nested(one, "MetricDatum", "StatisticValues", set)
		}
		list = nested(list, "MetricData", fmt.Sprintf("[%d]", i), one)
	}
	return list
}

func missingInQueries(queries []cwtypes.MetricDataQuery) error {
	var list error
	for i, q := range queries {
		one := require("MetricDataQuery", field{"Id", q.Id != nil})
		if s := q.MetricStat; s != nil {
			stat := require("MetricStat", field{"Metric", s.Metric != nil})
			if s.Metric != nil {
				stat = nested(stat, "MetricStat", "Metric", nested(nil, "Metric", "Dimensions", missingInDimensions(s.Metric.Dimensions)))
			}
			stat = also(stat, "MetricStat", field{"Period", s.Period != nil}, field{"Stat", s.Stat != nil})
			one = nested(one, "MetricDataQuery", "MetricStat", stat)
		}
		list = nested(list, "MetricDataQueries", fmt.Sprintf("[%d]", i), one)
	}
	return list
}
