package world

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// ListClusters is the method of the same name of the SDK's client.
func (c *Client) ListClusters(ctx context.Context, in *eks.ListClustersInput, _ ...func(*eks.Options)) (*eks.ListClustersOutput, error) {
	return invoke[eks.ListClustersOutput](ctx, c, "EKS", "ListClusters", in)
}

// DescribeCluster is the method of the same name of the SDK's client.
func (c *Client) DescribeCluster(ctx context.Context, in *eks.DescribeClusterInput, _ ...func(*eks.Options)) (*eks.DescribeClusterOutput, error) {
	return invoke[eks.DescribeClusterOutput](ctx, c, "EKS", "DescribeCluster", in)
}

// DescribeAddon is the method of the same name of the SDK's client.
func (c *Client) DescribeAddon(ctx context.Context, in *eks.DescribeAddonInput, _ ...func(*eks.Options)) (*eks.DescribeAddonOutput, error) {
	return invoke[eks.DescribeAddonOutput](ctx, c, "EKS", "DescribeAddon", in)
}

// DescribeAddonVersions is the method of the same name of the SDK's client.
func (c *Client) DescribeAddonVersions(ctx context.Context, in *eks.DescribeAddonVersionsInput, _ ...func(*eks.Options)) (*eks.DescribeAddonVersionsOutput, error) {
	return invoke[eks.DescribeAddonVersionsOutput](ctx, c, "EKS", "DescribeAddonVersions", in)
}

// DescribeAddonConfiguration is the method of the same name of the SDK's client.
func (c *Client) DescribeAddonConfiguration(ctx context.Context, in *eks.DescribeAddonConfigurationInput, _ ...func(*eks.Options)) (
	*eks.DescribeAddonConfigurationOutput, error,
) {
	return invoke[eks.DescribeAddonConfigurationOutput](ctx, c, "EKS", "DescribeAddonConfiguration", in)
}

// ListNodegroups is the method of the same name of the SDK's client.
func (c *Client) ListNodegroups(ctx context.Context, in *eks.ListNodegroupsInput, _ ...func(*eks.Options)) (*eks.ListNodegroupsOutput, error) {
	return invoke[eks.ListNodegroupsOutput](ctx, c, "EKS", "ListNodegroups", in)
}

// DescribeNodegroup is the method of the same name of the SDK's client.
func (c *Client) DescribeNodegroup(ctx context.Context, in *eks.DescribeNodegroupInput, _ ...func(*eks.Options)) (*eks.DescribeNodegroupOutput, error) {
	return invoke[eks.DescribeNodegroupOutput](ctx, c, "EKS", "DescribeNodegroup", in)
}

// ListFargateProfiles is the method of the same name of the SDK's client.
func (c *Client) ListFargateProfiles(ctx context.Context, in *eks.ListFargateProfilesInput, _ ...func(*eks.Options)) (*eks.ListFargateProfilesOutput, error) {
	return invoke[eks.ListFargateProfilesOutput](ctx, c, "EKS", "ListFargateProfiles", in)
}

// DescribeFargateProfile is the method of the same name of the SDK's client.
func (c *Client) DescribeFargateProfile(ctx context.Context, in *eks.DescribeFargateProfileInput, _ ...func(*eks.Options)) (*eks.DescribeFargateProfileOutput, error) {
	return invoke[eks.DescribeFargateProfileOutput](ctx, c, "EKS", "DescribeFargateProfile", in)
}

// UpdateAddon is the method of the same name of the SDK's client. Of the options the number of tries is followed.
func (c *Client) UpdateAddon(ctx context.Context, in *eks.UpdateAddonInput, opts ...func(*eks.Options)) (*eks.UpdateAddonOutput, error) {
	o := eks.Options{RetryMaxAttempts: retry.DefaultMaxAttempts}
	for _, f := range opts {
		f(&o)
	}
	return invokeAtMost[eks.UpdateAddonOutput](ctx, c, "EKS", "UpdateAddon", in, o.RetryMaxAttempts)
}

// CreateAddon is the method of the same name of the SDK's client.
func (c *Client) CreateAddon(ctx context.Context, in *eks.CreateAddonInput, _ ...func(*eks.Options)) (*eks.CreateAddonOutput, error) {
	return invoke[eks.CreateAddonOutput](ctx, c, "EKS", "CreateAddon", in)
}

// DeleteAddon is the method of the same name of the SDK's client.
func (c *Client) DeleteAddon(ctx context.Context, in *eks.DeleteAddonInput, _ ...func(*eks.Options)) (*eks.DeleteAddonOutput, error) {
	return invoke[eks.DeleteAddonOutput](ctx, c, "EKS", "DeleteAddon", in)
}

// ListUpdates is the method of the same name of the SDK's client.
func (c *Client) ListUpdates(ctx context.Context, in *eks.ListUpdatesInput, _ ...func(*eks.Options)) (*eks.ListUpdatesOutput, error) {
	return invoke[eks.ListUpdatesOutput](ctx, c, "EKS", "ListUpdates", in)
}

// DescribeUpdate is the method of the same name of the SDK's client.
func (c *Client) DescribeUpdate(ctx context.Context, in *eks.DescribeUpdateInput, _ ...func(*eks.Options)) (*eks.DescribeUpdateOutput, error) {
	return invoke[eks.DescribeUpdateOutput](ctx, c, "EKS", "DescribeUpdate", in)
}

// DescribeSubnets is the method of the same name of the SDK's client.
func (c *Client) DescribeSubnets(ctx context.Context, in *ec2.DescribeSubnetsInput, _ ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error) {
	return invoke[ec2.DescribeSubnetsOutput](ctx, c, "EC2", "DescribeSubnets", in)
}

// DescribeInstances is the method of the same name of the SDK's client.
func (c *Client) DescribeInstances(ctx context.Context, in *ec2.DescribeInstancesInput, _ ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error) {
	return invoke[ec2.DescribeInstancesOutput](ctx, c, "EC2", "DescribeInstances", in)
}

// GetSubnetCidrReservations is the method of the same name of the SDK's client.
func (c *Client) GetSubnetCidrReservations(ctx context.Context, in *ec2.GetSubnetCidrReservationsInput, _ ...func(*ec2.Options)) (*ec2.GetSubnetCidrReservationsOutput, error) {
	return invoke[ec2.GetSubnetCidrReservationsOutput](ctx, c, "EC2", "GetSubnetCidrReservations", in)
}

// DescribeInstanceTypes is the method of the same name of the SDK's client.
func (c *Client) DescribeInstanceTypes(ctx context.Context, in *ec2.DescribeInstanceTypesInput, _ ...func(*ec2.Options)) (*ec2.DescribeInstanceTypesOutput, error) {
	return invoke[ec2.DescribeInstanceTypesOutput](ctx, c, "EC2", "DescribeInstanceTypes", in)
}

// DescribeNetworkInterfaces is the method of the same name of the SDK's client.
func (c *Client) DescribeNetworkInterfaces(ctx context.Context, in *ec2.DescribeNetworkInterfacesInput, _ ...func(*ec2.Options)) (*ec2.DescribeNetworkInterfacesOutput, error) {
	return invoke[ec2.DescribeNetworkInterfacesOutput](ctx, c, "EC2", "DescribeNetworkInterfaces", in)
}

// DescribeVpcs is the method of the same name of the SDK's client.
func (c *Client) DescribeVpcs(ctx context.Context, in *ec2.DescribeVpcsInput, _ ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error) {
	return invoke[ec2.DescribeVpcsOutput](ctx, c, "EC2", "DescribeVpcs", in)
}

// DescribeVpcPeeringConnections is the method of the same name of the SDK's client.
func (c *Client) DescribeVpcPeeringConnections(ctx context.Context, in *ec2.DescribeVpcPeeringConnectionsInput, _ ...func(*ec2.Options)) (
	*ec2.DescribeVpcPeeringConnectionsOutput, error,
) {
	return invoke[ec2.DescribeVpcPeeringConnectionsOutput](ctx, c, "EC2", "DescribeVpcPeeringConnections", in)
}

// DescribeRouteTables is the method of the same name of the SDK's client.
func (c *Client) DescribeRouteTables(ctx context.Context, in *ec2.DescribeRouteTablesInput, _ ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error) {
	return invoke[ec2.DescribeRouteTablesOutput](ctx, c, "EC2", "DescribeRouteTables", in)
}

// DescribeAlarms is the method of the same name of the SDK's client.
func (c *Client) DescribeAlarms(ctx context.Context, in *cloudwatch.DescribeAlarmsInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error) {
	return invoke[cloudwatch.DescribeAlarmsOutput](ctx, c, "CloudWatch", "DescribeAlarms", in)
}

// PutMetricAlarm is the method of the same name of the SDK's client.
func (c *Client) PutMetricAlarm(ctx context.Context, in *cloudwatch.PutMetricAlarmInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricAlarmOutput, error) {
	return invoke[cloudwatch.PutMetricAlarmOutput](ctx, c, "CloudWatch", "PutMetricAlarm", in)
}

// DeleteAlarms is the method of the same name of the SDK's client.
func (c *Client) DeleteAlarms(ctx context.Context, in *cloudwatch.DeleteAlarmsInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.DeleteAlarmsOutput, error) {
	return invoke[cloudwatch.DeleteAlarmsOutput](ctx, c, "CloudWatch", "DeleteAlarms", in)
}

// SetAlarmState is the method of the same name of the SDK's client.
func (c *Client) SetAlarmState(ctx context.Context, in *cloudwatch.SetAlarmStateInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.SetAlarmStateOutput, error) {
	return invoke[cloudwatch.SetAlarmStateOutput](ctx, c, "CloudWatch", "SetAlarmState", in)
}

// PutMetricData is the method of the same name of the SDK's client.
func (c *Client) PutMetricData(ctx context.Context, in *cloudwatch.PutMetricDataInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricDataOutput, error) {
	return invoke[cloudwatch.PutMetricDataOutput](ctx, c, "CloudWatch", "PutMetricData", in)
}

// GetMetricData is the method of the same name of the SDK's client.
func (c *Client) GetMetricData(ctx context.Context, in *cloudwatch.GetMetricDataInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	return invoke[cloudwatch.GetMetricDataOutput](ctx, c, "CloudWatch", "GetMetricData", in)
}

// TagResource is the method of the same name of the SDK's client.
func (c *Client) TagResource(ctx context.Context, in *cloudwatch.TagResourceInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.TagResourceOutput, error) {
	return invoke[cloudwatch.TagResourceOutput](ctx, c, "CloudWatch", "TagResource", in)
}

// ListTagsForResource is the method of the same name of the SDK's client.
func (c *Client) ListTagsForResource(ctx context.Context, in *cloudwatch.ListTagsForResourceInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.ListTagsForResourceOutput, error) {
	return invoke[cloudwatch.ListTagsForResourceOutput](ctx, c, "CloudWatch", "ListTagsForResource", in)
}

// ListMetrics is the method of the same name of the SDK's client.
func (c *Client) ListMetrics(ctx context.Context, in *cloudwatch.ListMetricsInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.ListMetricsOutput, error) {
	return invoke[cloudwatch.ListMetricsOutput](ctx, c, "CloudWatch", "ListMetrics", in)
}

// Publish is the method of the same name of the SDK's client.
func (c *Client) Publish(ctx context.Context, in *sns.PublishInput, _ ...func(*sns.Options)) (*sns.PublishOutput, error) {
	return invoke[sns.PublishOutput](ctx, c, "SNS", "Publish", in)
}

// PutEvents is the method of the same name of the SDK's client.
func (c *Client) PutEvents(ctx context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	return invoke[eventbridge.PutEventsOutput](ctx, c, "EventBridge", "PutEvents", in)
}

// GetItem is the method of the same name of the SDK's client.
func (c *Client) GetItem(ctx context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	return invoke[dynamodb.GetItemOutput](ctx, c, "DynamoDB", "GetItem", in)
}

// PutItem is the method of the same name of the SDK's client.
func (c *Client) PutItem(ctx context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	return invoke[dynamodb.PutItemOutput](ctx, c, "DynamoDB", "PutItem", in)
}

// Query is the method of the same name of the SDK's client.
func (c *Client) Query(ctx context.Context, in *dynamodb.QueryInput, _ ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	return invoke[dynamodb.QueryOutput](ctx, c, "DynamoDB", "Query", in)
}

// Scan is the method of the same name of the SDK's client.
func (c *Client) Scan(ctx context.Context, in *dynamodb.ScanInput, _ ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	return invoke[dynamodb.ScanOutput](ctx, c, "DynamoDB", "Scan", in)
}

// BatchGetItem is the method of the same name of the SDK's client.
func (c *Client) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	return invoke[dynamodb.BatchGetItemOutput](ctx, c, "DynamoDB", "BatchGetItem", in)
}

// LookupEvents is the method of the same name of the SDK's client.
func (c *Client) LookupEvents(ctx context.Context, in *cloudtrail.LookupEventsInput, _ ...func(*cloudtrail.Options)) (*cloudtrail.LookupEventsOutput, error) {
	return invoke[cloudtrail.LookupEventsOutput](ctx, c, "CloudTrail", "LookupEvents", in)
}

// AssumeRole is the method of the same name of the SDK's client.
func (c *Client) AssumeRole(ctx context.Context, in *sts.AssumeRoleInput, _ ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	return invoke[sts.AssumeRoleOutput](ctx, c, "STS", "AssumeRole", in)
}
