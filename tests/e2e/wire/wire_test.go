package wire_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
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
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cniguard/cniguard/internal/sim"
	"github.com/cniguard/cniguard/internal/world"
	"github.com/cniguard/cniguard/tests/e2e/wire"
)

const (
	account = "111122223333"
	region  = "eu-central-1"
	role    = "arn:aws:iam::111122223333:role/cniguard-urgent"
	topic   = "arn:aws:sns:eu-central-1:111122223333:cniguard"
)

func spec() world.Spec {
	return world.Spec{
		Start: time.Date(2026, 11, 23, 12, 0, 0, 125e6, time.UTC),
		Hub:   world.Hub{Account: account, Region: region},
		VPCs: []world.VPC{{ID: "vpc-1", Account: account, Region: region, Subnets: []world.Subnet{
			{ID: "subnet-1", CIDR: "10.0.1.0/24", Zone: "eu-central-1a", Tags: map[string]string{"a<b": `"c" & d`, "e": "f"}, Used: []world.Point{{Addresses: 100}}},
			{ID: "subnet-2", Zone: "eu-central-1b"},
		}}},
		Clusters: []world.Cluster{
			{
				Name: "prod", Account: account, Region: region, Kubernetes: "1.33", VPC: "vpc-1", ControlPlane: []string{"subnet-2"},
				Tags: map[string]string{"Team": "platform"},
				Addon: &world.Addon{Version: "v1.18.5-eksbuild.1", Role: "arn:aws:iam::111122223333:role/cni", Configuration: `{"env":{"A":"ü \u2028 <b>"}}`,
					PodIdentities: []string{"arn:aws:eks:eu-central-1:111122223333:podidentityassociation/prod/a-1"},
					Issues:        []world.Issue{{Code: "AccessDenied", Message: "no <role>"}}},
				Nodegroups:      []world.Nodegroup{{Name: "ng 1/ä", Subnets: []string{"subnet-1"}}},
				FargateProfiles: []world.FargateProfile{{Name: "fp", Subnets: []string{"subnet-1", "subnet-2"}}},
				Instances:       []world.Instance{{ID: "i-1", Subnets: []string{"subnet-1", "subnet-2"}}, {ID: "i-2", Subnets: []string{"subnet-1"}}},
			},
			{Name: "test", Account: account, Region: region, Kubernetes: "1.33", IPv6: true},
		},
		Catalogues: map[string][]world.Catalogue{"1.33": {
			{Version: "v1.19.0-eksbuild.1", Default: true, Compatible: true}, {Version: "v1.18.5-eksbuild.1", Compatible: true}, {Version: "v1.6.3-eksbuild.1"},
		}},
		Topics: []string{topic},
	}
}

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
	k, e, w := eks.NewFromConfig(fleet), ec2.NewFromConfig(fleet), cloudwatch.NewFromConfig(fleet)

	call(c, k.ListClusters, &eks.ListClustersInput{MaxResults: aws.Int32(1)})
	call(c, k.ListClusters, &eks.ListClustersInput{NextToken: aws.String("page-1")})
	call(c, k.DescribeCluster, &eks.DescribeClusterInput{Name: aws.String("prod")})
	call(c, k.DescribeCluster, &eks.DescribeClusterInput{Name: aws.String("test")})
	call(c, k.DescribeCluster, &eks.DescribeClusterInput{Name: aws.String("none")})
	call(c, k.DescribeAddon, &eks.DescribeAddonInput{ClusterName: aws.String("prod"), AddonName: aws.String("vpc-cni")})
	call(c, k.DescribeAddon, &eks.DescribeAddonInput{ClusterName: aws.String("test"), AddonName: aws.String("vpc-cni")})
	call(c, k.DescribeAddonVersions, &eks.DescribeAddonVersionsInput{AddonName: aws.String("vpc-cni"), KubernetesVersion: aws.String("1.33"), Types: []string{"a", "b"}})
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

	vpc := []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{"vpc-1", "vpc-2"}}}
	call(c, e.DescribeSubnets, &ec2.DescribeSubnetsInput{Filters: vpc, MaxResults: aws.Int32(1000)})
	call(c, e.DescribeSubnets, &ec2.DescribeSubnetsInput{SubnetIds: []string{"subnet-2", "subnet-3"}})
	call(c, e.DescribeInstances, &ec2.DescribeInstancesInput{MaxResults: aws.Int32(1), Filters: []ec2types.Filter{
		{Name: aws.String("tag-key"), Values: []string{"kubernetes.io/cluster/prod"}}, {Name: aws.String("instance-state-name"), Values: []string{"running"}}}})
	call(c, e.DescribeInstances, &ec2.DescribeInstancesInput{Filters: []ec2types.Filter{{Name: aws.String("nonsense"), Values: []string{"<&>"}}}})

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
	call(c, w.SetAlarmState, &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("full"), StateValue: cwtypes.StateValueAlarm, StateReason: aws.String("ü")})
	call(c, w.DescribeAlarms, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"full"}})
	call(c, w.DescribeAlarms, &cloudwatch.DescribeAlarmsInput{NextToken: aws.String("nonsense")})
	call(c, w.SetAlarmState, &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("none"), StateValue: cwtypes.StateValueAlarm, StateReason: aws.String("a")})
	call(c, w.SetAlarmState, &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("full"), StateValue: cwtypes.StateValueAlarm, StateReason: aws.String("ü")})
	call(c, w.DeleteAlarms, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"none"}})
	call(c, w.DeleteAlarms, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"full"}})

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

// stage is a world on the network.
type stage struct {
	*wire.Handler
	config aws.Config // of the SDK, as the role
}

func set(t *testing.T, change func(*world.Spec)) stage {
	t.Helper()
	s := spec()
	if change != nil {
		change(&s)
	}
	clock := sim.New(s.Start, 1)
	w, err := world.New(s, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(clock.Close)
	w.Record(true)
	w.CreateTable(ledger)
	keys, err := w.Config(role, account, region).Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h := wire.New(w)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return stage{h, aws.Config{
		Region: region, BaseEndpoint: &server.URL, HTTPClient: server.Client(),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return keys, nil }),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			})
		},
	}}
}

func (s stage) calls() (calls []*world.Call) {
	s.With(func(w *world.World) {
		for _, e := range w.History() {
			if e.Call != nil {
				calls = append(calls, e.Call)
			}
		}
	})
	return calls
}

var likeSDK = cmp.Options{
	cmpopts.EquateEmpty(),
	cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".ResultMetadata" }, cmp.Ignore()),
	cmp.FilterPath(func(p cmp.Path) bool {
		f, ok := p.Last().(cmp.StructField)
		return ok && strings.HasPrefix(f.Name(), "noSmithy")
	}, cmp.Ignore()),
}

func TestTheSDKHearsOverTheNetworkWhatItHearsFromTheWorldItself(t *testing.T) {
	clock := sim.New(spec().Start, 1)
	defer clock.Close()
	w, err := world.New(spec(), clock)
	if err != nil {
		t.Fatal(err)
	}
	w.Record(true)
	w.CreateTable(ledger)
	var want []said
	clock.Spawn(context.Background(), "direct", 0, func(ctx context.Context) { want = script(ctx, w.Config(role, account, region)) })
	clock.Run(clock.Now())

	s := set(t, nil)
	have := script(t.Context(), s.config)
	for i := range min(len(want), len(have)) {
		if diff := cmp.Diff(want[i], have[i], likeSDK); diff != "" {
			t.Errorf("%s (-world itself +network):\n%s", want[i].Op, diff)
		}
	}
	if len(want) != len(have) {
		t.Errorf("%d calls of the world itself, %d over the network", len(want), len(have))
	}

	var lines []string
	s.With(func(overNetwork *world.World) { lines = overNetwork.Lines() })
	if diff := cmp.Diff(w.Lines(), lines); diff != "" {
		t.Errorf("the world saw other calls (-itself +network):\n%s", diff)
	}
	called := map[string]bool{}
	for _, c := range s.calls() {
		called[c.Op] = true
	}
	for m := range reflect.TypeFor[*world.Client]().Methods() {
		if m.Type.IsVariadic() && !called[m.Name] {
			t.Errorf("%s was not called", m.Name)
		}
	}
}

func TestTheSDKsRetriesAreItsOwn(t *testing.T) {
	for _, c := range []struct {
		name, code string
		tries      []int
		failed     bool
	}{
		{"a throttled call is tried again", "ThrottlingException", []int{1, 2}, false},
		{"a connection that is reset is tried again", "ConnectionReset", []int{1, 2}, false},
		{"a refused call is not", "AccessDeniedException", []int{1}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := set(t, func(s *world.Spec) {
				s.Faults = []world.Fault{{Operation: "DescribeCluster", Code: c.code, Times: 1}}
			})
			_, err := eks.NewFromConfig(s.config).DescribeCluster(t.Context(), &eks.DescribeClusterInput{Name: aws.String("prod")})
			if (err != nil) != c.failed {
				t.Errorf("error %v; want one: %t", err, c.failed)
			}
			var tries []int
			for _, call := range s.calls() {
				tries = append(tries, call.Try)
			}
			if !slices.Equal(tries, c.tries) {
				t.Errorf("tries %v, want %v", tries, c.tries)
			}
		})
	}
}

func TestAnEmptyListIsSentAsOne(t *testing.T) {
	s := set(t, nil)
	updates, err := eks.NewFromConfig(s.config).ListUpdates(t.Context(), &eks.ListUpdatesInput{Name: aws.String("prod"), AddonName: aws.String("vpc-cni")})
	if err != nil || updates.UpdateIds == nil {
		t.Errorf("ListUpdates: %+v, %v", updates, err)
	}
	elsewhere := []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{"vpc-2"}}}
	subnets, err := ec2.NewFromConfig(s.config).DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{Filters: elsewhere})
	if err != nil || subnets.Subnets == nil {
		t.Errorf("DescribeSubnets: %+v, %v", subnets, err)
	}
}

func TestTimePassesOnlyAsCallsTakeIt(t *testing.T) {
	s := set(t, func(s *world.Spec) {
		s.Behaviour.Latency = world.Range{Min: 1500 * time.Millisecond, Max: 1500 * time.Millisecond}
	})
	if _, err := eks.NewFromConfig(s.config).ListClusters(t.Context(), &eks.ListClustersInput{}); err != nil {
		t.Fatal(err)
	}
	s.With(func(w *world.World) {
		if took := w.Now().Sub(spec().Start); took != 1500*time.Millisecond {
			t.Errorf("the call took %s of virtual time, want 1.5s", took)
		}
	})
}

func TestWhatIsNoCallIsRefused(t *testing.T) {
	s := set(t, nil)
	server := httptest.NewServer(s)
	defer server.Close()
	keys, err := s.config.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sign := func(key, service string) string {
		return "AWS4-HMAC-SHA256 Credential=" + key + "/20261123/eu-central-1/" + service + "/aws4_request, SignedHeaders=host, Signature=0"
	}
	known, form, target, rpc := keys.AccessKeyID, "Content-Type: application/x-www-form-urlencoded", "X-Amz-Target: AWSEvents.PutEvents", "Smithy-Protocol: rpc-v2-cbor"
	for _, c := range []struct {
		name, method, path, header, auth, body string
		status                                 int
		want                                   string
	}{
		{"not signed", "GET", "/clusters", "", "", "", 400, "MissingAuthenticationToken"},
		{"a key that nobody has", "GET", "/clusters", "", sign("AKIANOBODY", "eks"), "", 403, "UnrecognizedClientException"},
		{"a key that nobody has, for EC2", "POST", "/", form, sign("AKIANOBODY", "ec2"), "Action=DescribeSubnets", 401, "<Code>AuthFailure</Code>"},
		{"a path that is none of EKS's", "GET", "/clusters/prod/identity", "", sign(known, "eks"), "", 404, "not found"},
		{"an operation of another service than it is signed for", "GET", "/clusters", "", sign(known, "ec2"), "", 400, "UnknownOperationException"},
		{"an operation that is not simulated", "POST", "/", form, sign(known, "ec2"), "Action=DescribeVpcs", 400, "<Code>UnknownOperationException</Code>"},
		{"a form without an action", "POST", "/", form, sign(known, "ec2"), "Version=1", 400, "no Action"},
		{"a field that does not exist", "POST", "/clusters/prod/addons/vpc-cni/update", "", sign(known, "eks"), `{"addonVersio":"v1"}`, 400, "addonVersio is not a field"},
		{"a text where a list is wanted", "POST", "/clusters/prod/addons/vpc-cni/update", "", sign(known, "eks"), `{"podIdentityAssociations":["x"]}`, 400, "ValidationException"},
		{"a field that is missing", "POST", "/", target, sign(known, "events"), `{}`, 400, "ValidationException"},
		{"a body that is cut off", "POST", "/", target, sign(known, "events"), `{"Entries":[`, 400, "ValidationException"},
		{"no number where one is wanted", "GET", "/clusters?maxResults=many", "", sign(known, "eks"), "", 400, "ValidationException"},
		{"an operation in CBOR that is not simulated", "POST", "/service/GraniteServiceVersion20100801/operation/ListDashboards", rpc, sign(known, "monitoring"), "", 400,
			"X-Amzn-Query-Error: UnknownOperationException;Sender"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), c.method, server.URL+c.path, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", c.auth)
			if name, value, found := strings.Cut(c.header, ": "); found {
				r.Header.Set(name, value)
			}
			answer, err := server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			var body strings.Builder
			if err := answer.Write(&body); err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode != c.status || !strings.Contains(body.String(), c.want) {
				t.Errorf("status %d, want %d with %q:\n%s", answer.StatusCode, c.status, c.want, body.String())
			}
		})
	}
	if calls := s.calls(); len(calls) > 0 {
		t.Errorf("the world was called: %v", calls)
	}
}
