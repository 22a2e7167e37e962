package world_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	cloudtrailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	ekstypes "github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/world"
)

// The operations that the product uses, as the SDK's clients have them.
type (
	eksAPI interface {
		ListClusters(context.Context, *eks.ListClustersInput, ...func(*eks.Options)) (*eks.ListClustersOutput, error)
		DescribeCluster(context.Context, *eks.DescribeClusterInput, ...func(*eks.Options)) (*eks.DescribeClusterOutput, error)
		DescribeAddon(context.Context, *eks.DescribeAddonInput, ...func(*eks.Options)) (*eks.DescribeAddonOutput, error)
		DescribeAddonVersions(context.Context, *eks.DescribeAddonVersionsInput, ...func(*eks.Options)) (*eks.DescribeAddonVersionsOutput, error)
		ListNodegroups(context.Context, *eks.ListNodegroupsInput, ...func(*eks.Options)) (*eks.ListNodegroupsOutput, error)
		DescribeNodegroup(context.Context, *eks.DescribeNodegroupInput, ...func(*eks.Options)) (*eks.DescribeNodegroupOutput, error)
		ListFargateProfiles(context.Context, *eks.ListFargateProfilesInput, ...func(*eks.Options)) (*eks.ListFargateProfilesOutput, error)
		DescribeFargateProfile(context.Context, *eks.DescribeFargateProfileInput, ...func(*eks.Options)) (*eks.DescribeFargateProfileOutput, error)
		UpdateAddon(context.Context, *eks.UpdateAddonInput, ...func(*eks.Options)) (*eks.UpdateAddonOutput, error)
		ListUpdates(context.Context, *eks.ListUpdatesInput, ...func(*eks.Options)) (*eks.ListUpdatesOutput, error)
		DescribeUpdate(context.Context, *eks.DescribeUpdateInput, ...func(*eks.Options)) (*eks.DescribeUpdateOutput, error)
	}
	ec2API interface {
		DescribeSubnets(context.Context, *ec2.DescribeSubnetsInput, ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error)
		DescribeInstances(context.Context, *ec2.DescribeInstancesInput, ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error)
		GetSubnetCidrReservations(context.Context, *ec2.GetSubnetCidrReservationsInput, ...func(*ec2.Options)) (*ec2.GetSubnetCidrReservationsOutput, error)
		DescribeInstanceTypes(context.Context, *ec2.DescribeInstanceTypesInput, ...func(*ec2.Options)) (*ec2.DescribeInstanceTypesOutput, error)
		DescribeNetworkInterfaces(context.Context, *ec2.DescribeNetworkInterfacesInput, ...func(*ec2.Options)) (*ec2.DescribeNetworkInterfacesOutput, error)
		DescribeVpcs(context.Context, *ec2.DescribeVpcsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcsOutput, error)
		DescribeVpcPeeringConnections(context.Context, *ec2.DescribeVpcPeeringConnectionsInput, ...func(*ec2.Options)) (*ec2.DescribeVpcPeeringConnectionsOutput, error)
		DescribeRouteTables(context.Context, *ec2.DescribeRouteTablesInput, ...func(*ec2.Options)) (*ec2.DescribeRouteTablesOutput, error)
	}
	cloudwatchAPI interface {
		DescribeAlarms(context.Context, *cloudwatch.DescribeAlarmsInput, ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error)
		PutMetricAlarm(context.Context, *cloudwatch.PutMetricAlarmInput, ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricAlarmOutput, error)
		SetAlarmState(context.Context, *cloudwatch.SetAlarmStateInput, ...func(*cloudwatch.Options)) (*cloudwatch.SetAlarmStateOutput, error)
		DeleteAlarms(context.Context, *cloudwatch.DeleteAlarmsInput, ...func(*cloudwatch.Options)) (*cloudwatch.DeleteAlarmsOutput, error)
		GetMetricData(context.Context, *cloudwatch.GetMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error)
		ListMetrics(context.Context, *cloudwatch.ListMetricsInput, ...func(*cloudwatch.Options)) (*cloudwatch.ListMetricsOutput, error)
		TagResource(context.Context, *cloudwatch.TagResourceInput, ...func(*cloudwatch.Options)) (*cloudwatch.TagResourceOutput, error)
		ListTagsForResource(context.Context, *cloudwatch.ListTagsForResourceInput, ...func(*cloudwatch.Options)) (*cloudwatch.ListTagsForResourceOutput, error)
		PutMetricData(context.Context, *cloudwatch.PutMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricDataOutput, error)
	}
	snsAPI interface {
		Publish(context.Context, *sns.PublishInput, ...func(*sns.Options)) (*sns.PublishOutput, error)
	}
	dynamodbAPI interface {
		GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
		PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
		Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
		Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
		BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
	}
	cloudtrailAPI interface {
		LookupEvents(context.Context, *cloudtrail.LookupEventsInput, ...func(*cloudtrail.Options)) (*cloudtrail.LookupEventsOutput, error)
	}
	eventsAPI interface {
		PutEvents(context.Context, *eventbridge.PutEventsInput, ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error)
	}
)

// clients are those of one role in one region.
type clients struct {
	eks        eksAPI
	ec2        ec2API
	cloudwatch cloudwatchAPI
	sns        snsAPI
	events     eventsAPI
	dynamodb   dynamodbAPI
	cloudtrail cloudtrailAPI
	keys       aws.CredentialsProvider
}

// mount gives the clients of a role; those of the empty role are the hub's own.
type mount func(role, region string) clients

func direct(w *world.World) mount {
	base := w.Client(caller, hubAccount, hubRegion)
	return func(role, region string) clients {
		c := base.In(region)
		if role != "" {
			c = base.Assume(role, region)
		}
		return clients{c, c, c, c, c, c, c, c}
	}
}

func sdk(w *world.World) mount {
	base := w.Config(caller, hubAccount, hubRegion)
	client, roles := sts.NewFromConfig(base), map[string]aws.CredentialsProvider{}
	return func(role, region string) clients {
		cfg := base.Copy()
		cfg.Region = region
		if role != "" {
			if roles[role] == nil {
				roles[role] = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(client, role))
			}
			cfg.Credentials = roles[role]
		}
		return clients{
			eks.NewFromConfig(cfg), ec2.NewFromConfig(cfg), cloudwatch.NewFromConfig(cfg), sns.NewFromConfig(cfg), eventbridge.NewFromConfig(cfg), dynamodb.NewFromConfig(cfg),
			cloudtrail.NewFromConfig(cfg), cfg.Credentials,
		}
	}
}

// told is what a caller sees of each call.
type told struct{ lines []string }

func (l *told) say(what string, err error, out any) {
	l.lines = append(l.lines, fmt.Sprint(what, ": ", err, " ", out))
}

// everything calls every operation, right and wrong, with waits of its own.
func everything(ctx context.Context, s *stage, l *told, c clients) {
	for round := range 3 {
		_ = s.clock.Parallel(ctx,
			func(ctx context.Context) error {
				out, err := c.eks.DescribeCluster(ctx, &eks.DescribeClusterInput{Name: cluster1})
				l.say("cluster", err, out != nil && *out.Cluster.Name == "prod")
				return err
			},
			func(ctx context.Context) error {
				ctx, cancel := s.clock.WithTimeout(ctx, 300*time.Millisecond)
				defer cancel()
				out, err := c.eks.DescribeAddon(ctx, &eks.DescribeAddonInput{ClusterName: cluster1, AddonName: vpcCNI})
				l.say("add-on", err, out != nil && out.Addon.Status == ekstypes.AddonStatusActive)
				if _, err := c.ec2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: []string{"subnet-1"}}); err != nil {
					l.say("subnets in time", err, nil)
				}
				return err
			},
			func(ctx context.Context) error {
				out, err := c.cloudwatch.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String("a")})
				l.say("alarms", err, out != nil && len(out.MetricAlarms) == 0)
				return err
			})
		if _, err := c.eks.ListClusters(ctx, nil); err != nil {
			l.say("clusters", err, nil)
		}
		_, err := c.eks.DescribeAddonVersions(ctx, &eks.DescribeAddonVersionsInput{KubernetesVersion: aws.String("1.21")})
		l.say("versions", err, nil)
		_, err = c.eks.ListNodegroups(ctx, &eks.ListNodegroupsInput{ClusterName: cluster1})
		l.say("node groups", err, nil)
		_, err = c.eks.DescribeNodegroup(ctx, &eks.DescribeNodegroupInput{ClusterName: cluster1, NodegroupName: aws.String("none")})
		l.say("node group", err, nil)
		_, err = c.eks.ListFargateProfiles(ctx, &eks.ListFargateProfilesInput{ClusterName: cluster1})
		l.say("profiles", err, nil)
		_, err = c.eks.DescribeFargateProfile(ctx, &eks.DescribeFargateProfileInput{ClusterName: cluster1, FargateProfileName: aws.String("fp-1")})
		l.say("profile", err, nil)
		_, err = c.eks.UpdateAddon(ctx, &eks.UpdateAddonInput{ClusterName: cluster1, AddonName: vpcCNI, AddonVersion: aws.String("v1.10.4-eksbuild.1"),
			ServiceAccountRoleArn: aws.String(role), ConfigurationValues: aws.String("{}"), ResolveConflicts: ekstypes.ResolveConflictsPreserve})
		l.say("update", err, nil)
		updates, err := c.eks.ListUpdates(ctx, &eks.ListUpdatesInput{Name: cluster1, AddonName: vpcCNI})
		l.say("updates", err, updates != nil && len(updates.UpdateIds) > 0)
		_, err = c.eks.DescribeUpdate(ctx, &eks.DescribeUpdateInput{Name: cluster1, UpdateId: aws.String("none"), AddonName: vpcCNI})
		l.say("an update", err, nil)
		_, err = c.ec2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{})
		l.say("instances", err, nil)
		look(ctx, l, c.ec2)
		name := fmt.Sprint("alarm-", round)
		_, err = c.cloudwatch.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{AlarmName: &name, Namespace: aws.String("N"), MetricName: aws.String("M"), Statistic: cwtypes.StatisticMaximum,
			Period: aws.Int32(300), EvaluationPeriods: aws.Int32(3), ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold, Threshold: aws.Float64(80)})
		l.say("alarm", err, nil)
		_, err = c.cloudwatch.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String("N"), MetricData: []cwtypes.MetricDatum{{MetricName: aws.String("M"), Value: aws.Float64(99)}}})
		l.say("data", err, nil)
		watch(ctx, l, c.cloudwatch, name)
		_, err = c.cloudwatch.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{AlarmName: &name, StateValue: cwtypes.StateValueAlarm, StateReason: aws.String("r")})
		l.say("state", err, nil)
		_, err = c.cloudwatch.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{name}})
		l.say("no alarm", err, nil)
		_, err = c.sns.Publish(ctx, &sns.PublishInput{Message: aws.String("m"), TopicArn: aws.String("arn:aws:sns:eu-central-1:111122223333:t")})
		l.say("message", err, nil)
		events, err := c.events.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{{Source: aws.String("s"), DetailType: aws.String("t"), Detail: aws.String("{}")}}})
		l.say("events", err, events != nil && events.FailedEntryCount == 0)
		keep(ctx, l, c.dynamodb, fmt.Sprint(round))
		answer, err := s.ask(ctx, c.keys, question{})
		l.say("aws-node", err, answer.status)
		l.say("ledger", s.Through(ctx, caller, "ledger:Save", func() error { return nil }), nil)
	}
}

// look asks EC2 for what is around the pods.
func look(ctx context.Context, l *told, c ec2API) {
	r, err := c.GetSubnetCidrReservations(ctx, &ec2.GetSubnetCidrReservationsInput{SubnetId: aws.String("subnet-1")})
	l.say("reservations", err, r != nil && len(r.SubnetIpv4CidrReservations) == 1)
	i, err := c.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{MaxResults: aws.Int32(5)})
	l.say("interfaces", err, i != nil && i.NextToken != nil)
	t, err := c.DescribeInstanceTypes(ctx, &ec2.DescribeInstanceTypesInput{InstanceTypes: []ec2types.InstanceType{"m5.large", "m9.large"}})
	l.say("types", err, t != nil)
	v, err := c.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{"vpc-1"}})
	l.say("VPCs", err, v != nil && len(v.Vpcs) == 1)
	p, err := c.DescribeVpcPeeringConnections(ctx, &ec2.DescribeVpcPeeringConnectionsInput{})
	l.say("peers", err, p != nil && len(p.VpcPeeringConnections) == 1)
	b, err := c.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{MaxResults: aws.Int32(4)})
	l.say("routes", err, b != nil)
}

// watch tags an alarm, puts one on a formula, and lists and reads the metrics of a helper.
func watch(ctx context.Context, l *told, c cloudwatchAPI, name string) {
	arn := "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:" + name
	_, err := c.TagResource(ctx, &cloudwatch.TagResourceInput{ResourceARN: &arn, Tags: tags("a", "b")})
	l.say("tag", err, nil)
	list, err := c.ListTagsForResource(ctx, &cloudwatch.ListTagsForResourceInput{ResourceARN: &arn})
	l.say("tags", err, list != nil && len(list.Tags) == 1)
	in := capacity("prod", cwtypes.StatisticMaximum)
	in.Tags = tags("a", "b")
	_, err = c.PutMetricAlarm(ctx, in)
	l.say("capacity", err, nil)
	alarms, err := c.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{*in.AlarmName}})
	l.say("capacity's alarm", err, alarms != nil && len(alarms.MetricAlarms) == 1 && len(alarms.MetricAlarms[0].Metrics) == 3)
	metrics, err := c.ListMetrics(ctx, &cloudwatch.ListMetricsInput{Namespace: aws.String("Kubernetes"), Dimensions: []cwtypes.DimensionFilter{filter("CLUSTER_ID", "prod")}})
	l.say("metrics", err, metrics != nil && len(metrics.Metrics) == 3)
	query := in.Metrics[1]
	query.ReturnData = nil
	query.MetricStat.Period = aws.Int32(3600)
	data, err := c.GetMetricData(ctx, &cloudwatch.GetMetricDataInput{StartTime: &noon, EndTime: aws.Time(noon.Add(time.Hour)), MetricDataQueries: []cwtypes.MetricDataQuery{query}})
	l.say("history", err, data != nil && len(data.MetricDataResults[0].Values) == 1)
}

// keep writes an item of a table, and reads it in every way.
func keep(ctx context.Context, l *told, c dynamodbAPI, sort string) {
	key := item("p", "a", "s", sort)
	_, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: tableName, Item: item("p", "a", "s", sort, "ip", "x", "is", sort, "token", rand.Text()),
		ConditionExpression: aws.String("attribute_not_exists(#p)"), ExpressionAttributeNames: map[string]string{"#p": "p"}})
	l.say("put", err, nil)
	one, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: tableName, Key: key})
	l.say("get", err, one != nil && one.Item != nil)
	in := query("#ip = :ip", map[string]string{"#ip": "ip"}, item(":ip", "x"))
	in.IndexName = aws.String("i")
	part, err := c.Query(ctx, in)
	l.say("query", err, part != nil && len(part.Items) > 1)
	_, err = c.Scan(ctx, &dynamodb.ScanInput{TableName: tableName, ConsistentRead: aws.Bool(true)})
	l.say("scan", err, nil)
	_, err = c.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]ddb.KeysAndAttributes{"t": {Keys: []map[string]ddb.AttributeValue{key, item("p", "a", "s", "none")}}}})
	l.say("batch", err, nil)
}

// rough makes a world in which much goes wrong.
func rough(s *world.Spec) {
	crowded(s)
	v := &s.VPCs[0]
	v.CIDRs, v.Peers = []string{"10.0.0.0/16"}, []world.Peer{{VPC: "vpc-peer", CIDRs: []string{"10.1.0.0/16"}}}
	v.Subnets[1].Reservations = []world.Reservation{{CIDR: "10.0.1.128/25", Kind: world.ForPrefixes}}
	v.Subnets[1].Used = []world.Point{{Addresses: 50}}
	s.Clusters[0].NodeMetrics = &world.NodeMetrics{Assigned: []world.Point{{Addresses: 70}, {At: time.Hour, Addresses: 99}}, Max: []world.Point{{Addresses: 100}}}
	s.Behaviour.AlarmEventsLost = 0.5
	s.Behaviour.Throttled, s.Behaviour.IndexLag, s.Behaviour.Unprocessed = 0.2, time.Second, 0.3
	s.Behaviour.Latency = world.Range{Min: 10 * time.Millisecond, Max: 200 * time.Millisecond}
	s.Faults = []world.Fault{
		{Service: "sts", Principal: "cniguard-updater", Code: "AccessDenied"},
		{Service: "sts", Principal: "cniguard-observer", Code: "ThrottlingException", Times: 2},
		{Service: "sts", Region: "eu-central-1", Principal: "cniguard-meter", Code: "ServiceUnavailable", Times: 4},
		{Operation: "DescribeInstances", Code: "ConnectionReset", Chance: 0.5},
		{Operation: "ListUpdates", Code: "ServerException", Chance: 0.5, After: true},
		{Operation: "DescribeCluster", Latency: 2 * time.Second, Chance: 0.3},
		{Operation: "Publish", Code: "AuthorizationError", Chance: 0.3},
	}
}

// play has several processes do everything in a mount, and gives the history and what they saw.
func play(t *testing.T, seed uint64, spec func(*world.Spec), m func(*world.World) mount, crash int) []string {
	s := set(t, seed, spec).furnish()
	l, as := &told{}, m(s.World)
	if crash > 0 {
		s.CrashAt(crash, crash%2 == 0)
	}
	for i, role := range []string{"", observer, strings.Replace(observer, "observer", "updater", 1), strings.Replace(observer, "observer", "meter", 1)} {
		s.clock.Spawn(t.Context(), role, time.Duration(i)*time.Second, func(ctx context.Context) {
			ctx, cancel := s.clock.WithTimeout(ctx, 15*time.Second)
			defer cancel()
			everything(ctx, s, l, as(role, hubRegion))
		})
		s.clock.Spawn(t.Context(), role, 20*time.Second, func(ctx context.Context) { everything(ctx, s, l, as(role, "eu-west-1")) })
	}
	s.until(time.Hour)
	return append(s.Lines(), l.lines...)
}

func TestBothMountsAreOneWorld(t *testing.T) {
	for seed := range uint64(6) {
		viaSDK, straight := play(t, seed, rough, sdk, 0), play(t, seed, rough, direct, 0)
		if diff := cmp.Diff(viaSDK, straight); diff != "" {
			t.Fatalf("seed %d differs (-SDK +direct):\n%s", seed, diff)
		}
		text := strings.Join(viaSDK, "\n")
		for _, want := range []string{"try 3", "exceeded maximum number of attempts", "context deadline exceeded", "failed to refresh cached credentials", "connection reset", "done, but"} {
			if !strings.Contains(text, want) {
				t.Errorf("seed %d has no %q; the scenario is to cover it", seed, want)
			}
		}
	}
}

func TestBothMountsRunOutOfRetriesAlike(t *testing.T) {
	spec := faults(world.Fault{Operation: "DescribeCluster", Code: "ThrottlingException", Chance: 0.9})
	var histories [2][]string
	for i, m := range []func(*world.World) mount{sdk, direct} {
		s := set(t, 1, spec)
		l, c := &told{}, m(s.World)("", hubRegion)
		s.at(0, func(ctx context.Context, _ *world.Client) {
			for range 150 {
				_, err := c.eks.DescribeCluster(ctx, &eks.DescribeClusterInput{Name: cluster1})
				l.say("cluster", err, nil)
				_, err = c.eks.ListClusters(ctx, &eks.ListClustersInput{})
				l.say("clusters", err, nil)
			}
		})
		s.until(24 * time.Hour)
		histories[i] = append(s.Lines(), l.lines...)
	}
	if diff := cmp.Diff(histories[0], histories[1]); diff != "" {
		t.Errorf("the mounts differ (-SDK +direct):\n%s", diff)
	}
	if !strings.Contains(strings.Join(histories[0], "\n"), "retry quota exceeded") {
		t.Error("the SDK's quota of retries was never used up; the scenario is to cover it")
	}
}

func TestBothMountsValidateAlike(t *testing.T) {
	s := set(t, 1, house)
	a, b := sdk(s.World)("", hubRegion), direct(s.World)("", hubRegion)
	dimension := []cwtypes.Dimension{{Name: aws.String("n")}, {}}
	calls := map[string]func(ctx context.Context, c clients) error{
		"DescribeCluster": func(ctx context.Context, c clients) error { _, err := c.eks.DescribeCluster(ctx, nil); return err },
		"DescribeAddon": func(ctx context.Context, c clients) error {
			_, err := c.eks.DescribeAddon(ctx, &eks.DescribeAddonInput{})
			return err
		},
		"ListNodegroups":      func(ctx context.Context, c clients) error { _, err := c.eks.ListNodegroups(ctx, nil); return err },
		"DescribeNodegroup":   func(ctx context.Context, c clients) error { _, err := c.eks.DescribeNodegroup(ctx, nil); return err },
		"ListFargateProfiles": func(ctx context.Context, c clients) error { _, err := c.eks.ListFargateProfiles(ctx, nil); return err },
		"DescribeFargateProfile": func(ctx context.Context, c clients) error {
			_, err := c.eks.DescribeFargateProfile(ctx, nil)
			return err
		},
		"ListUpdates":    func(ctx context.Context, c clients) error { _, err := c.eks.ListUpdates(ctx, nil); return err },
		"DescribeUpdate": func(ctx context.Context, c clients) error { _, err := c.eks.DescribeUpdate(ctx, nil); return err },
		"UpdateAddon":    func(ctx context.Context, c clients) error { _, err := c.eks.UpdateAddon(ctx, nil); return err },
		"UpdateAddon, inside": func(ctx context.Context, c clients) error {
			_, err := c.eks.UpdateAddon(ctx, &eks.UpdateAddonInput{ClusterName: cluster1, PodIdentityAssociations: make([]ekstypes.AddonPodIdentityAssociations, 2)})
			return err
		},
		"PutMetricAlarm": func(ctx context.Context, c clients) error {
			_, err := c.cloudwatch.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{Dimensions: dimension, Tags: make([]cwtypes.Tag, 2), Metrics: []cwtypes.MetricDataQuery{
				{MetricStat: &cwtypes.MetricStat{}}, {MetricStat: &cwtypes.MetricStat{Metric: &cwtypes.Metric{Dimensions: dimension}}},
			}})
			return err
		},
		"TagResource": func(ctx context.Context, c clients) error { _, err := c.cloudwatch.TagResource(ctx, nil); return err },
		"ListTagsForResource": func(ctx context.Context, c clients) error {
			_, err := c.cloudwatch.ListTagsForResource(ctx, nil)
			return err
		},
		"TagResource, inside": func(ctx context.Context, c clients) error {
			_, err := c.cloudwatch.TagResource(ctx, &cloudwatch.TagResourceInput{ResourceARN: aws.String("a"), Tags: make([]cwtypes.Tag, 2)})
			return err
		},
		"ListMetrics, inside": func(ctx context.Context, c clients) error {
			_, err := c.cloudwatch.ListMetrics(ctx, &cloudwatch.ListMetricsInput{Dimensions: make([]cwtypes.DimensionFilter, 2)})
			return err
		},
		"SetAlarmState": func(ctx context.Context, c clients) error {
			_, err := c.cloudwatch.SetAlarmState(ctx, nil)
			return err
		},
		"DeleteAlarms": func(ctx context.Context, c clients) error { _, err := c.cloudwatch.DeleteAlarms(ctx, nil); return err },
		"PutMetricData": func(ctx context.Context, c clients) error {
			_, err := c.cloudwatch.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{MetricData: []cwtypes.MetricDatum{{Dimensions: dimension, StatisticValues: &cwtypes.StatisticSet{}}}})
			return err
		},
		"GetMetricData": func(ctx context.Context, c clients) error { _, err := c.cloudwatch.GetMetricData(ctx, nil); return err },
		"GetMetricData, inside": func(ctx context.Context, c clients) error {
			_, err := c.cloudwatch.GetMetricData(ctx, &cloudwatch.GetMetricDataInput{MetricDataQueries: []cwtypes.MetricDataQuery{
				{MetricStat: &cwtypes.MetricStat{}}, {MetricStat: &cwtypes.MetricStat{Metric: &cwtypes.Metric{Dimensions: dimension}}},
			}})
			return err
		},
		"GetSubnetCidrReservations": func(ctx context.Context, c clients) error {
			_, err := c.ec2.GetSubnetCidrReservations(ctx, nil)
			return err
		},
		"LookupEvents, inside": func(ctx context.Context, c clients) error {
			_, err := c.cloudtrail.LookupEvents(ctx, &cloudtrail.LookupEventsInput{LookupAttributes: make([]cloudtrailtypes.LookupAttribute, 2)})
			return err
		},
		"Publish":   func(ctx context.Context, c clients) error { _, err := c.sns.Publish(ctx, nil); return err },
		"PutEvents": func(ctx context.Context, c clients) error { _, err := c.events.PutEvents(ctx, nil); return err },
		"GetItem":   func(ctx context.Context, c clients) error { _, err := c.dynamodb.GetItem(ctx, nil); return err },
		"PutItem":   func(ctx context.Context, c clients) error { _, err := c.dynamodb.PutItem(ctx, nil); return err },
		"Query":     func(ctx context.Context, c clients) error { _, err := c.dynamodb.Query(ctx, nil); return err },
		"Scan":      func(ctx context.Context, c clients) error { _, err := c.dynamodb.Scan(ctx, nil); return err },
		"BatchGetItem": func(ctx context.Context, c clients) error {
			_, err := c.dynamodb.BatchGetItem(ctx, nil)
			return err
		},
		"BatchGetItem, inside": func(ctx context.Context, c clients) error {
			_, err := c.dynamodb.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]ddb.KeysAndAttributes{"t": {}}})
			return err
		},
	}
	s.at(0, func(ctx context.Context, _ *world.Client) {
		for name, call := range calls {
			want, got := call(ctx, a), call(ctx, b)
			if want == nil || got == nil || want.Error() != got.Error() {
				t.Errorf("%s without its fields: the SDK says %v, the direct mount %v", name, want, got)
			}
		}
	})
	if n := len(s.entries(world.Called, "")); n > 0 {
		t.Errorf("%d calls that are not valid were made", n)
	}
}

func TestACallWithAContextThatHasEndedIsNotMade(t *testing.T) {
	for name, m := range map[string]func(*world.World) mount{"SDK": sdk, "direct": direct} {
		s := set(t, 1, house)
		c := m(s.World)(observer, hubRegion)
		s.at(0, func(ctx context.Context, _ *world.Client) {
			ctx, cancel := s.clock.WithTimeout(ctx, 0)
			defer cancel()
			if _, err := c.eks.DescribeCluster(ctx, &eks.DescribeClusterInput{Name: cluster1}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s gave %v", name, err)
			}
		})
		if n := len(s.History()); n > 0 {
			t.Errorf("%s: the history has %q", name, s.Lines())
		}
	}
}

func TestWhatIsNotSimulatedIsNeverSent(t *testing.T) {
	s := set(t, 1, house)
	cfg := s.Config(caller, hubAccount, hubRegion)
	s.at(0, func(ctx context.Context, _ *world.Client) {
		if _, err := eks.NewFromConfig(cfg).ListAddons(ctx, &eks.ListAddonsInput{ClusterName: cluster1}); err == nil || !strings.Contains(err.Error(), "eks:ListAddons is not simulated") {
			t.Errorf("ListAddons gave %v", err)
		}
	})
	if _, err := cfg.HTTPClient.Do(nil); err == nil || //nolint:bodyclose // there is none
		!strings.Contains(err.Error(), "not sent") {
		t.Errorf("the HTTP client gave %v", err)
	}
}

func TestAnAccessKeyThatNobodyHasIsRefused(t *testing.T) {
	s := set(t, 1, house)
	cfg := s.Config(caller, hubAccount, hubRegion)
	cfg.Credentials = credentials.NewStaticCredentialsProvider("AKIANOBODY", "secret", "")
	s.at(0, func(ctx context.Context, _ *world.Client) {
		if _, err := eks.NewFromConfig(cfg).ListClusters(ctx, nil); code(err) != "403 UnrecognizedClientException" {
			t.Errorf("ListClusters gave %s", code(err))
		}
	})
}

func TestPrincipalsAreTheRolesThatWereAssumed(t *testing.T) {
	foreign := "arn:aws:iam::444455556666:role/cniguard-observer"
	for name, m := range map[string]func(*world.World) mount{"SDK": sdk, "direct": direct} {
		s := set(t, 1, house)
		as := m(s.World)
		s.at(0, func(ctx context.Context, _ *world.Client) {
			for _, role := range []string{"", observer, foreign, observer} {
				_, _ = as(role, "eu-west-1").eks.ListClusters(ctx, nil)
			}
		})
		var got []string
		for _, e := range s.entries(world.Called, "") {
			got = append(got, strings.Join([]string{e.Call.Action(), e.Call.Principal, e.Call.Account, e.Call.Region}, " "))
		}
		want := []string{
			"eks:ListClusters " + caller + " 111122223333 eu-west-1",
			"sts:AssumeRole " + caller + " 111122223333 eu-central-1", "eks:ListClusters " + observer + " 111122223333 eu-west-1",
			"sts:AssumeRole " + caller + " 111122223333 eu-central-1", "eks:ListClusters " + foreign + " 444455556666 eu-west-1",
			"eks:ListClusters " + observer + " 111122223333 eu-west-1",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: callers differ (-want +got):\n%s", name, diff)
		}
	}
}
