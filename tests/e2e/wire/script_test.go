package wire_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	ekstypes "github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/cniguard/cniguard/internal/world"
)

func spec() world.Spec {
	return world.Spec{
		Start: time.Date(2026, 11, 23, 12, 0, 0, 125e6, time.UTC),
		Hub:   world.Hub{Account: account, Region: region},
		VPCs: []world.VPC{{
			ID: "vpc-1", Account: account, Region: region, CIDRs: []string{"10.0.0.0/16", "100.64.0.0/16"}, Routes: []string{"0.0.0.0/0"},
			Peers: []world.Peer{{VPC: "vpc-9", Account: "444455556666", CIDRs: []string{"10.9.0.0/16", "10.10.0.0/16"}}},
			Subnets: []world.Subnet{
				{ID: "subnet-1", CIDR: "10.0.1.0/24", Zone: "eu-central-1a", Tags: map[string]string{"a<b": `"c" & d`, "e": "f"}, Used: []world.Point{{Addresses: 100}},
					Layout: world.Scattered, Reservations: []world.Reservation{{CIDR: "10.0.1.64/26", Kind: world.ForPrefixes}, {CIDR: "10.0.1.240/28", Kind: world.Explicit}}},
				{ID: "subnet-2", Zone: "eu-central-1b"},
			},
		}},
		Clusters: []world.Cluster{
			{
				Name: "prod", Account: account, Region: region, Kubernetes: "1.33", VPC: "vpc-1", ControlPlane: []string{"subnet-2"},
				Tags: map[string]string{"Team": "platform"},
				Addon: &world.Addon{Version: "v1.18.5-eksbuild.1", Role: "arn:aws:iam::111122223333:role/cni", Configuration: `{"env":{"A":"ü \u2028 <b>"}}`,
					PodIdentities: []string{"arn:aws:eks:eu-central-1:111122223333:podidentityassociation/prod/a-1"},
					Issues:        []world.Issue{{Code: "AccessDenied", Message: "no <role>"}}},
				Nodegroups:      []world.Nodegroup{{Name: "ng 1/ä", Subnets: []string{"subnet-1"}}},
				FargateProfiles: []world.FargateProfile{{Name: "fp", Subnets: []string{"subnet-1", "subnet-2"}}},
				Instances: []world.Instance{
					{ID: "i-1", Subnets: []string{"subnet-1", "subnet-2"}, Type: "m5.xlarge", Addresses: []int{2}, Prefixes: []int{2}},
					{ID: "i-2", Subnets: []string{"subnet-1"}},
				},
				NodeMetrics: &world.NodeMetrics{ID: "prod", Assigned: []world.Point{{Addresses: 90}}, Total: []world.Point{{Addresses: 100}}, Max: []world.Point{{Addresses: 100}}},
			},
			{Name: "test", Account: account, Region: region, Kubernetes: "1.33", IPv6: true},
		},
		Catalogues: map[string][]world.Catalogue{"1.33": {
			{Version: "v1.19.0-eksbuild.1", Default: true, Compatible: true}, {Version: "v1.18.5-eksbuild.1", Compatible: true}, {Version: "v1.6.3-eksbuild.1"},
		}},
		Topics: []string{topic},
	}
}

// settled is how long a metric is published until ListMetrics has it, and more (API reference, ListMetrics).
const settled = 20 * time.Minute

// said is what a call came to: the SDK's output, or of its error what programs look at.
type said struct {
	Op     string
	Out    any
	Type   string // of the error
	Code   string
	Text   string
	Status int
}

// script makes every call that the world knows, and calls that fail, with the SDK's own clients.
func script(ctx context.Context, cfg aws.Config) (all []said) {
	c := caller{ctx, &all}
	fleet := cfg.Copy()
	fleet.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), "arn:aws:iam::111122223333:role/cniguard-observer"))
	k := eks.NewFromConfig(fleet)

	call(c, k.ListClusters, &eks.ListClustersInput{MaxResults: aws.Int32(1)})
	call(c, k.ListClusters, &eks.ListClustersInput{NextToken: aws.String("page-1")})
	call(c, k.DescribeCluster, &eks.DescribeClusterInput{Name: aws.String("prod")})
	call(c, k.DescribeCluster, &eks.DescribeClusterInput{Name: aws.String("test")})
	call(c, k.DescribeCluster, &eks.DescribeClusterInput{Name: aws.String("none")})
	call(c, k.DescribeAddon, &eks.DescribeAddonInput{ClusterName: aws.String("prod"), AddonName: aws.String("vpc-cni")})
	call(c, k.DescribeAddon, &eks.DescribeAddonInput{ClusterName: aws.String("test"), AddonName: aws.String("vpc-cni")})
	call(c, k.DescribeAddonVersions, &eks.DescribeAddonVersionsInput{AddonName: aws.String("vpc-cni"), KubernetesVersion: aws.String("1.33"), Types: []string{"a", "b"}})
	call(c, k.DescribeAddonConfiguration, &eks.DescribeAddonConfigurationInput{AddonName: aws.String("vpc-cni"), AddonVersion: aws.String("v1.19.0-eksbuild.1")})
	call(c, k.DescribeAddonConfiguration, &eks.DescribeAddonConfigurationInput{AddonName: aws.String("vpc-cni"), AddonVersion: aws.String("v0.1.0")})
	call(c, k.ListNodegroups, &eks.ListNodegroupsInput{ClusterName: aws.String("prod")})
	call(c, k.DescribeNodegroup, &eks.DescribeNodegroupInput{ClusterName: aws.String("prod"), NodegroupName: aws.String("ng 1/ä")})
	call(c, k.ListFargateProfiles, &eks.ListFargateProfilesInput{ClusterName: aws.String("prod")})
	call(c, k.DescribeFargateProfile, &eks.DescribeFargateProfileInput{ClusterName: aws.String("prod"), FargateProfileName: aws.String("fp")})
	out := call(c, k.UpdateAddon, &eks.UpdateAddonInput{
		ClusterName: aws.String("prod"), AddonName: aws.String("vpc-cni"), AddonVersion: aws.String("v1.19.0-eksbuild.1"),
		ServiceAccountRoleArn: aws.String("arn:aws:iam::111122223333:role/cni"), ConfigurationValues: aws.String(`{"env":{"A":"ü \u2028 <b>"}}`),
		PodIdentityAssociations: []ekstypes.AddonPodIdentityAssociations{{RoleArn: aws.String(role), ServiceAccount: aws.String("aws-node")}},
		ResolveConflicts:        ekstypes.ResolveConflictsPreserve, ClientRequestToken: aws.String("token"),
	})
	call(c, k.UpdateAddon, &eks.UpdateAddonInput{ClusterName: aws.String("prod"), AddonName: aws.String("vpc-cni")})
	call(c, k.ListUpdates, &eks.ListUpdatesInput{Name: aws.String("prod"), AddonName: aws.String("vpc-cni")})
	if out != nil {
		call(c, k.DescribeUpdate, &eks.DescribeUpdateInput{Name: aws.String("prod"), AddonName: aws.String("vpc-cni"), UpdateId: out.Update.Id})
	}

	install(c, k)
	network(c, ec2.NewFromConfig(fleet))
	trail := cloudtrail.NewFromConfig(fleet)
	named := []trailtypes.LookupAttribute{{AttributeKey: trailtypes.LookupAttributeKeyEventName, AttributeValue: aws.String("UpdateAddon")}}
	call(c, trail.LookupEvents, &cloudtrail.LookupEventsInput{LookupAttributes: named, StartTime: aws.Time(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))})
	call(c, trail.LookupEvents, &cloudtrail.LookupEventsInput{MaxResults: aws.Int32(51)})
	watch(c, cloudwatch.NewFromConfig(fleet))

	people := sns.NewFromConfig(cfg)
	call(c, people.Publish, &sns.PublishInput{
		TopicArn: aws.String(topic), Subject: aws.String("a & b"), Message: aws.String(`{"default":"ü <x>=1&y"}`), MessageStructure: aws.String("json"),
		MessageAttributes: map[string]snstypes.MessageAttributeValue{
			"severity": {DataType: aws.String("String"), StringValue: aws.String("warning")}, "raw": {DataType: aws.String("Binary"), BinaryValue: []byte{0, 255}}},
	})
	call(c, people.Publish, &sns.PublishInput{TopicArn: aws.String(topic + "-other"), Message: aws.String("x")})
	call(c, people.Publish, &sns.PublishInput{TopicArn: aws.String(topic), Message: aws.String("x"), Subject: aws.String(strings.Repeat("x", 101))})
	call(c, eventbridge.NewFromConfig(cfg).PutEvents, &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{{
		Source: aws.String("cniguard"), DetailType: aws.String("Tick"), Detail: aws.String(`{"at":1}`), Time: aws.Time(spec().Start), Resources: []string{"a"},
		EventBusName: aws.String("default")}}})
	keep(c, dynamodb.NewFromConfig(cfg))
	call(c, sts.NewFromConfig(cfg).AssumeRole, &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::444455556666:role/x"), RoleSessionName: aws.String("s"), DurationSeconds: aws.Int32(3600)})
	call(c, sts.NewFromConfig(cfg).AssumeRole, &sts.AssumeRoleInput{RoleArn: aws.String("nonsense-nonsense-nonsense"), RoleSessionName: aws.String("s")})
	return all
}

// install makes the calls with which people install an add-on and remove it.
func install(c caller, k *eks.Client) {
	for range 2 { // the second is refused
		call(c, k.CreateAddon, &eks.CreateAddonInput{
			ClusterName: aws.String("test"), AddonName: aws.String("vpc-cni"), AddonVersion: aws.String("v1.18.5-eksbuild.1"),
			ServiceAccountRoleArn: aws.String("arn:aws:iam::111122223333:role/cni"), ConfigurationValues: aws.String(`{"env":{"A":"ü \u2028 <b>"}}`),
			PodIdentityAssociations: []ekstypes.AddonPodIdentityAssociations{{RoleArn: aws.String(role), ServiceAccount: aws.String("aws-node")}},
			ResolveConflicts:        ekstypes.ResolveConflictsOverwrite, Tags: map[string]string{"a b": "ü/"}, ClientRequestToken: aws.String("token"),
		})
	}
	for _, preserve := range []bool{true, false} {
		call(c, k.DeleteAddon, &eks.DeleteAddonInput{ClusterName: aws.String("test"), AddonName: aws.String("vpc-cni"), Preserve: preserve})
	}
}

// network makes every call of EC2.
func network(c caller, e *ec2.Client) {
	vpc := []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{"vpc-1", "vpc-2"}}}
	call(c, e.DescribeSubnets, &ec2.DescribeSubnetsInput{Filters: vpc, MaxResults: aws.Int32(1000)})
	call(c, e.DescribeSubnets, &ec2.DescribeSubnetsInput{SubnetIds: []string{"subnet-2", "subnet-3"}})
	call(c, e.DescribeInstances, &ec2.DescribeInstancesInput{MaxResults: aws.Int32(5), Filters: []ec2types.Filter{
		{Name: aws.String("tag-key"), Values: []string{"kubernetes.io/cluster/prod"}}, {Name: aws.String("instance-state-name"), Values: []string{"running"}}}})
	call(c, e.DescribeInstances, &ec2.DescribeInstancesInput{Filters: []ec2types.Filter{{Name: aws.String("nonsense"), Values: []string{"<&>"}}}})
	call(c, e.DescribeNetworkInterfaces, &ec2.DescribeNetworkInterfacesInput{
		Filters: []ec2types.Filter{{Name: aws.String("subnet-id"), Values: []string{"subnet-1", "subnet-2"}}}, MaxResults: aws.Int32(5)})
	call(c, e.DescribeNetworkInterfaces, &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{"eni-1"}})
	call(c, e.GetSubnetCidrReservations, &ec2.GetSubnetCidrReservationsInput{SubnetId: aws.String("subnet-1")})
	call(c, e.GetSubnetCidrReservations, &ec2.GetSubnetCidrReservationsInput{SubnetId: aws.String("subnet-3")})
	call(c, e.DescribeInstanceTypes, &ec2.DescribeInstanceTypesInput{InstanceTypes: []ec2types.InstanceType{"m5.xlarge", "m5.metal", "p4d.24xlarge"}})
	call(c, e.DescribeInstanceTypes, &ec2.DescribeInstanceTypesInput{
		Filters: []ec2types.Filter{{Name: aws.String("instance-type"), Values: []string{"m5.*"}}}, NextToken: aws.String("page-1"), MaxResults: aws.Int32(5)})
	call(c, e.DescribeInstanceTypes, &ec2.DescribeInstanceTypesInput{InstanceTypes: []ec2types.InstanceType{"m5.none"}})
	call(c, e.DescribeVpcs, &ec2.DescribeVpcsInput{VpcIds: []string{"vpc-1"}})
	call(c, e.DescribeVpcs, &ec2.DescribeVpcsInput{VpcIds: []string{"vpc-1", "vpc-2"}})
	call(c, e.DescribeVpcPeeringConnections, &ec2.DescribeVpcPeeringConnectionsInput{
		Filters: []ec2types.Filter{{Name: aws.String("requester-vpc-info.vpc-id"), Values: []string{"vpc-1"}}}})
	call(c, e.DescribeVpcPeeringConnections, &ec2.DescribeVpcPeeringConnectionsInput{Filters: vpc})
	call(c, e.DescribeRouteTables, &ec2.DescribeRouteTablesInput{Filters: vpc})
	call(c, e.DescribeRouteTables, &ec2.DescribeRouteTablesInput{RouteTableIds: []string{"rtb-1"}})
}

// watch makes every call of CloudWatch.
func watch(c caller, w *cloudwatch.Client) {
	call(c, w.PutMetricAlarm, &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("full"), AlarmDescription: aws.String("ü"), Namespace: aws.String("N"), MetricName: aws.String("M"),
		Dimensions: []cwtypes.Dimension{{Name: aws.String("ClusterName"), Value: aws.String("prod")}}, Statistic: cwtypes.StatisticMaximum,
		Period: aws.Int32(300), EvaluationPeriods: aws.Int32(3), DatapointsToAlarm: aws.Int32(2), Threshold: aws.Float64(-80.5), ActionsEnabled: aws.Bool(false),
		ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanOrEqualToThreshold, TreatMissingData: aws.String("missing"),
		AlarmActions: []string{topic}, Tags: []cwtypes.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
	})
	call(c, w.PutMetricAlarm, &cloudwatch.PutMetricAlarmInput{AlarmName: aws.String("wrong"), Period: aws.Int32(7)})
	call(c, w.PutMetricData, &cloudwatch.PutMetricDataInput{Namespace: aws.String("N"), MetricData: many(1000)}) // more than 10 KB: it is compressed
	call(c, w.PutMetricData, &cloudwatch.PutMetricDataInput{Namespace: aws.String("AWS/N")})
	hours := &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(spec().Start.Add(-24 * time.Hour).Truncate(time.Hour)), EndTime: aws.Time(spec().Start.Add(24 * time.Hour)), ScanBy: cwtypes.ScanByTimestampAscending,
		MetricDataQueries: []cwtypes.MetricDataQuery{{Id: aws.String("a"), MetricStat: &cwtypes.MetricStat{
			Metric: &cwtypes.Metric{Namespace: aws.String("N"), MetricName: aws.String("M"), Dimensions: many(1)[0].Dimensions}, Period: aws.Int32(3600), Stat: aws.String("Maximum")}}},
	}
	call(c, w.GetMetricData, hours)
	call(c, w.GetMetricData, &cloudwatch.GetMetricDataInput{StartTime: hours.EndTime, EndTime: hours.StartTime, MetricDataQueries: hours.MetricDataQueries})
	call(c, w.GetMetricData, &cloudwatch.GetMetricDataInput{StartTime: hours.StartTime, EndTime: hours.EndTime, MetricDataQueries: hours.MetricDataQueries, NextToken: aws.String("?")})
	call(c, w.SetAlarmState, &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("full"), StateValue: cwtypes.StateValueAlarm, StateReason: aws.String("ü")})
	call(c, w.DescribeAlarms, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"full"}})
	call(c, w.DescribeAlarms, &cloudwatch.DescribeAlarmsInput{NextToken: aws.String("nonsense")})
	call(c, w.SetAlarmState, &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("none"), StateValue: cwtypes.StateValueAlarm, StateReason: aws.String("a")})
	call(c, w.SetAlarmState, &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("full"), StateValue: cwtypes.StateValueAlarm, StateReason: aws.String("ü")})
	call(c, w.DeleteAlarms, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"none"}})
	call(c, w.DeleteAlarms, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"full"}})
	ofNodes(c, w)
}

// ofNodes makes the calls for an alarm on several metrics.
func ofNodes(c caller, w *cloudwatch.Client) {
	of := func(id, name string) cwtypes.MetricDataQuery {
		return cwtypes.MetricDataQuery{Id: &id, ReturnData: aws.Bool(false), MetricStat: &cwtypes.MetricStat{Period: aws.Int32(300), Stat: aws.String("Maximum"), Metric: &cwtypes.Metric{
			Namespace: aws.String("Kubernetes"), MetricName: &name, Dimensions: []cwtypes.Dimension{{Name: aws.String("CLUSTER_ID"), Value: aws.String("prod")}}}}}
	}
	share := cwtypes.MetricDataQuery{Id: aws.String("share"), Expression: aws.String("IF(limit > 0, 100 * assigned / limit, 0)"), ReturnData: aws.Bool(true)}
	metrics := []cwtypes.MetricDataQuery{of("assigned", "assignIPAddresses"), of("limit", "maxIPAddresses"), share}
	call(c, w.PutMetricAlarm, &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("nodes"), Metrics: metrics, EvaluationPeriods: aws.Int32(3), DatapointsToAlarm: aws.Int32(2), Threshold: aws.Float64(80),
		ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanOrEqualToThreshold, Tags: []cwtypes.Tag{{Key: aws.String("made-by"), Value: aws.String("cniguard")}},
	})
	call(c, w.DescribeAlarms, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"nodes"}})
	call(c, w.DescribeAlarms, &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String("no"), AlarmTypes: []cwtypes.AlarmType{cwtypes.AlarmTypeMetricAlarm}, MaxRecords: aws.Int32(100)})

	arn := aws.String("arn:aws:cloudwatch:eu-central-1:111122223333:alarm:nodes")
	call(c, w.TagResource, &cloudwatch.TagResourceInput{ResourceARN: arn, Tags: []cwtypes.Tag{{Key: aws.String("owner"), Value: aws.String("ü")}}})
	call(c, w.ListTagsForResource, &cloudwatch.ListTagsForResourceInput{ResourceARN: arn})
	call(c, w.TagResource, &cloudwatch.TagResourceInput{ResourceARN: aws.String(*arn + "-none"), Tags: []cwtypes.Tag{{Key: aws.String("a"), Value: aws.String("")}}})
	call(c, w.ListTagsForResource, &cloudwatch.ListTagsForResourceInput{ResourceARN: aws.String("nodes")})

	call(c, w.ListMetrics, &cloudwatch.ListMetricsInput{Namespace: aws.String("Kubernetes"), RecentlyActive: cwtypes.RecentlyActivePt3h,
		Dimensions: []cwtypes.DimensionFilter{{Name: aws.String("CLUSTER_ID"), Value: aws.String("prod")}}})
	call(c, w.ListMetrics, &cloudwatch.ListMetricsInput{Namespace: aws.String("none")})
	call(c, w.ListMetrics, &cloudwatch.ListMetricsInput{NextToken: aws.String("nonsense")})
	highest := func(id, name string) cwtypes.MetricDataQuery {
		q := of(id, name)
		q.ReturnData, q.MetricStat.Period = aws.Bool(true), aws.Int32(3600)
		return q
	}
	several := &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(spec().Start.Truncate(time.Hour)), EndTime: aws.Time(spec().Start.Add(settled)), ScanBy: cwtypes.ScanByTimestampDescending,
		MetricDataQueries: []cwtypes.MetricDataQuery{highest("a", "assignIPAddresses"), highest("b", "maxIPAddresses"), highest("c", "none")},
	}
	call(c, w.GetMetricData, several)
	call(c, w.GetMetricData, &cloudwatch.GetMetricDataInput{
		StartTime: several.StartTime, EndTime: several.EndTime, MetricDataQueries: several.MetricDataQueries, MaxDatapoints: aws.Int32(1)})
	call(c, w.GetMetricData, &cloudwatch.GetMetricDataInput{
		StartTime: several.StartTime, EndTime: several.EndTime, MetricDataQueries: []cwtypes.MetricDataQuery{highest("a", "m"), highest("a", "m")}})
}

// ledger is the table of cniguard.
var ledger = world.Table{Name: "cniguard", Key: world.Key{Partition: "pk", Sort: "sk"}, Index: "due", IndexKey: world.Key{Partition: "due", Sort: "at"}}

// keep makes every call of the ledger.
func keep(c caller, d *dynamodb.Client) {
	text := func(s string) ddbtypes.AttributeValue { return &ddbtypes.AttributeValueMemberS{Value: s} }
	key := map[string]ddbtypes.AttributeValue{"pk": text("UNIT#1"), "sk": text("prod")}
	item := map[string]ddbtypes.AttributeValue{
		"pk": text("UNIT#1"), "sk": text("prod"), "due": text("RECORD"), "at": text("2026"), "version": &ddbtypes.AttributeValueMemberN{Value: "1"},
		"steps": &ddbtypes.AttributeValueMemberL{Value: []ddbtypes.AttributeValue{text("ü"), text("")}},
	}
	put := &dynamodb.PutItemInput{
		TableName: &ledger.Name, Item: item, ConditionExpression: aws.String("attribute_not_exists(#pk)"), ExpressionAttributeNames: map[string]string{"#pk": "pk"},
	}
	call(c, d.PutItem, put)
	call(c, d.PutItem, put) // the condition fails
	call(c, d.GetItem, &dynamodb.GetItemInput{TableName: &ledger.Name, Key: key, ConsistentRead: aws.Bool(true)})
	call(c, d.GetItem, &dynamodb.GetItemInput{TableName: aws.String("none"), Key: key, ConsistentRead: aws.Bool(true)})
	call(c, d.Query, &dynamodb.QueryInput{
		TableName: &ledger.Name, IndexName: &ledger.Index, KeyConditionExpression: aws.String("#due = :due AND #at <= :now"),
		ExpressionAttributeNames:  map[string]string{"#due": "due", "#at": "at"},
		ExpressionAttributeValues: map[string]ddbtypes.AttributeValue{":due": text("RECORD"), ":now": text("2027")},
	})
	call(c, d.BatchGetItem, &dynamodb.BatchGetItemInput{RequestItems: map[string]ddbtypes.KeysAndAttributes{
		ledger.Name: {Keys: []map[string]ddbtypes.AttributeValue{key}, ConsistentRead: aws.Bool(true)},
	}})
	call(c, d.Scan, &dynamodb.ScanInput{TableName: &ledger.Name, ConsistentRead: aws.Bool(true)})
}

func many(n int) []cwtypes.MetricDatum {
	data := make([]cwtypes.MetricDatum, n)
	for i := range data {
		data[i] = cwtypes.MetricDatum{MetricName: aws.String("M"), Value: aws.Float64(81.25), Unit: cwtypes.StandardUnitPercent, Timestamp: aws.Time(spec().Start),
			Dimensions: []cwtypes.Dimension{{Name: aws.String("ClusterName"), Value: aws.String(fmt.Sprintf("prod-%d", i))}}}
	}
	return data
}

type caller struct {
	ctx context.Context
	all *[]said
}

func call[In, Out, Opt any](c caller, f func(context.Context, *In, ...func(*Opt)) (*Out, error), in *In) *Out {
	out, err := f(c.ctx, in)
	s := said{Op: reflect.TypeFor[Out]().Name()}
	if err == nil {
		s.Out = out
	} else {
		s.Text = err.Error()
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		s.Type, s.Code, s.Text = reflect.TypeOf(api).String(), api.ErrorCode(), api.ErrorMessage()
	}
	var answer interface{ HTTPStatusCode() int }
	if errors.As(err, &answer) {
		s.Status = answer.HTTPStatusCode()
	}
	*c.all = append(*c.all, s)
	return out
}
