package cloud_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

func TestObserveReadsAHealthyCluster(t *testing.T) {
	f := healthy(t)
	f.alarms = []cwtypes.MetricAlarm{standing(kept(prod))}
	spec := kept(prod)
	spec.Tags = nil // are not shown
	want := guard.Snapshot{
		At: start,
		Cluster: guard.Read(&guard.Cluster{Status: "ACTIVE", Kubernetes: "1.33", VPC: "vpc-1", Tags: map[string]string{"team": "a"}, API: guard.API{
			Endpoint: "https://4F1A.gr7.eu-central-1.eks.amazonaws.com", CA: "PEM", Authentication: "API", PublicCIDRs: []string{"198.51.100.0/24"},
		}}),
		Addon: guard.Read(&guard.Addon{Version: cni.Version{Major: 1, Minor: 19, Build: 1}, Raw: "v1.19.0-eksbuild.1", Status: "ACTIVE",
			Role: "arn:aws:iam::111122223333:role/cni", Config: `{"env":{}}`, Tags: map[string]string{"owner": "b"}}),
		Catalogue: guard.Read([]cni.Release{
			{Version: cni.Version{Major: 1, Minor: 20, Build: 1}, Default: true},
			{Version: cni.Version{Major: 1, Minor: 19, Build: 1}},
		}),
		Pods: guard.Read(capacity.Pods{Subnets: []capacity.Subnet{
			{ID: "subnet-a", CIDR: "10.0.0.0/24", Zone: "eu-central-1a", Free: 20, By: []string{"node group ng-1"}},
			{ID: "subnet-b", CIDR: "10.0.0.0/24", Zone: "eu-central-1a", Free: 30, By: []string{"node group ng-1"}},
		}, Rest: []capacity.Subnet{
			{ID: "subnet-c", CIDR: "10.0.0.0/24", Zone: "eu-central-1a", Free: 40}, {ID: "subnet-control", CIDR: "10.0.0.0/24", Zone: "eu-central-1a", Free: 10},
		}}),
		ControlPlane: guard.Read([]capacity.Subnet{{ID: "subnet-control", CIDR: "10.0.0.0/24", Zone: "eu-central-1a", Free: 10}}),
		Alarms:       guard.Read([]alarm.Standing{{Spec: spec, State: alarm.OK, Since: start}}),
		Hosts:        guard.Read(guard.Hosts{Nodegroups: true}),
	}
	if diff := cmp.Diff(want, f.cloud().Observe(t.Context(), prod)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if want := []string{"cniguard-observer 111122223333 eu-central-1"}; !slices.Equal(f.opened, want) {
		t.Errorf("opened %v; want %v", f.opened, want)
	}
}

// A cluster that answers with less is one that nobody can read: never one that everybody can.
func TestHowAClustersOwnAPIIsReached(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*types.Cluster)
		want   guard.API
	}{
		"inside of its VPC": {func(c *types.Cluster) { c.ResourcesVpcConfig.EndpointPublicAccess = false },
			guard.API{Endpoint: "https://4F1A.gr7.eu-central-1.eks.amazonaws.com", CA: "PEM", Authentication: "API", Private: true, PublicCIDRs: []string{"198.51.100.0/24"}}},
		"not yet": {func(c *types.Cluster) {
			c.Endpoint, c.CertificateAuthority, c.AccessConfig, c.ResourcesVpcConfig = nil, nil, nil, nil
		}, guard.API{}},
		"with an authority that is none": {func(c *types.Cluster) {
			c.CertificateAuthority.Data, c.AccessConfig, c.ResourcesVpcConfig = aws.String("%%%"), nil, nil
		}, guard.API{Endpoint: "https://4F1A.gr7.eu-central-1.eks.amazonaws.com"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := healthy(t)
			c.change(f.cluster)
			if diff := cmp.Diff(c.want, f.cloud().Observe(t.Context(), prod).Cluster.Value.API); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestAHealthyCheckWaitsForTwoCalls(t *testing.T) {
	f := healthy(t)
	f.versions = f.versions[:2] // one page
	f.groups = map[string][]string{"ng-1": {"subnet-a"}, "ng-2": {"subnet-b"}}
	f.subnets = f.subnets[1:3]
	f.cloud().Observe(t.Context(), prod)
	if waited := f.clock.Now().Sub(start); waited != 2*time.Second {
		t.Errorf("waited for %d calls; want 2", waited/time.Second)
	}
}

// Fact 2.2/not-found.
func TestObserveTellsAbsenceFromBlindness(t *testing.T) {
	denied := func(op string) *fault.Fault {
		return &fault.Fault{Kind: fault.Terminal, Op: op, Code: "AccessDeniedException", Need: op, Text: "because"}
	}
	throttled := func(op string) *fault.Fault {
		return &fault.Fault{Kind: fault.Retry, Op: op, Code: "ThrottlingException", Text: "because"}
	}
	type parts struct{ Cluster, Addon, Catalogue, Pods, Alarms *fault.Fault }
	skip := &fault.Fault{Kind: fault.Skip}
	for name, c := range map[string]struct {
		change     func(*fake)
		want       parts
		hasCluster bool
		hasAddon   bool
	}{
		"a cluster without the managed add-on": {
			change:     func(f *fake) { f.addon = nil },
			want:       parts{Catalogue: skip},
			hasCluster: true,
		},
		"a cluster that does not exist": {
			change: func(f *fake) { f.cluster, f.addon = nil, nil },
			want:   parts{Catalogue: skip, Pods: skip},
		},
		"no add-on of a cluster that could not be read may be no cluster": {
			change: func(f *fake) { f.addon, f.fails["DescribeCluster"] = nil, code("ThrottlingException") },
			want: parts{Cluster: throttled("eks:DescribeCluster"), Addon: throttled("eks:DescribeCluster"),
				Catalogue: throttled("eks:DescribeCluster"), Pods: throttled("eks:DescribeCluster")},
		},
		"an add-on is there although its cluster could not be read": {
			change: func(f *fake) { f.fails["DescribeCluster"] = code("AccessDeniedException") },
			want: parts{Cluster: denied("eks:DescribeCluster"), Catalogue: denied("eks:DescribeCluster"),
				Pods: denied("eks:DescribeCluster")},
			hasAddon: true,
		},
		"an add-on that may not be read": {
			change:     func(f *fake) { f.fails["DescribeAddon"] = code("AccessDeniedException") },
			want:       parts{Addon: denied("eks:DescribeAddon"), Catalogue: denied("eks:DescribeAddon")},
			hasCluster: true,
		},
		"a catalogue that may not be read": {
			change:     func(f *fake) { f.fails["DescribeAddonVersions"] = code("AccessDeniedException") },
			want:       parts{Catalogue: denied("eks:DescribeAddonVersions")},
			hasCluster: true, hasAddon: true,
		},
		"alarms that may not be read": {
			change:     func(f *fake) { f.fails["DescribeAlarms"] = code("AccessDeniedException") },
			want:       parts{Alarms: denied("cloudwatch:DescribeAlarms")},
			hasCluster: true, hasAddon: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := healthy(t)
			c.change(f)
			seen := f.cloud().Observe(t.Context(), prod)
			got := parts{seen.Cluster.Fault, seen.Addon.Fault, seen.Catalogue.Fault, seen.Pods.Fault, seen.Alarms.Fault}
			anyText := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Text" }, cmp.Comparer(func(a, b string) bool { return a == b || a == "" || b == "" }))
			if diff := cmp.Diff(c.want, got, anyText); diff != "" {
				t.Errorf("faults (-want +got)\n%s", diff)
			}
			if (seen.Cluster.Value != nil) != c.hasCluster || (seen.Addon.Value != nil) != c.hasAddon {
				t.Errorf("cluster %v, add-on %v", seen.Cluster.Value, seen.Addon.Value)
			}
		})
	}
}

func TestObserveSaysWhatRunsThePods(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*fake)
		want   guard.Reading[guard.Hosts]
	}{
		"node groups": {func(*fake) {}, guard.Read(guard.Hosts{Nodegroups: true})},
		"Fargate profiles": {func(f *fake) { f.groups, f.profiles = nil, map[string][]string{"fp": {"subnet-c"}} },
			guard.Read(guard.Hosts{Fargate: true})},
		"node groups of an IPv6 cluster": {func(f *fake) {
			f.cluster.KubernetesNetworkConfig = &types.KubernetesNetworkConfigResponse{IpFamily: types.IpFamilyIpv6}
		}, guard.Read(guard.Hosts{Nodegroups: true})},
		"instances of some architectures, one with several marks and one of which EC2 says nothing": {func(f *fake) {
			both := map[string]string{"kubernetes.io/cluster/prod": "owned", "eks:cluster-name": "prod"}
			f.nodes = []node{{both, "running", []string{"subnet-a"}}, {both, "stopped", []string{"subnet-a"}}, {both, "running", []string{"subnet-b"}}}
			f.detail = func(n int, i *ec2types.Instance) {
				i.Architecture = []ec2types.ArchitectureValues{"arm64", "", "arm64"}[n]
			}
		}, guard.Read(guard.Hosts{
			Nodegroups: true, Instances: true, Nodes: []capacity.Nodes{{Count: 3, Interfaces: 1}}, Architectures: cni.Architectures{ARM64: true},
		})},
		"instances of both": {func(f *fake) {
			mine := map[string]string{"eks:cluster-name": "prod"}
			f.nodes = []node{{mine, "running", []string{"subnet-a"}}, {mine, "running", []string{"subnet-b"}}}
			f.detail = func(n int, i *ec2types.Instance) {
				i.Architecture = []ec2types.ArchitectureValues{"x86_64", "arm64"}[n]
			}
		}, guard.Read(guard.Hosts{
			Nodegroups: true, Instances: true, Nodes: []capacity.Nodes{{Count: 2, Interfaces: 1}}, Architectures: cni.Architectures{AMD64: true, ARM64: true},
		})},
		"what cannot be listed is not known": {fails("ListNodegroups", "AccessDenied"), guard.Hidden[guard.Hosts](
			&fault.Fault{Kind: fault.Terminal, Op: "eks:ListNodegroups", Code: "AccessDenied", Need: "eks:ListNodegroups", Text: "because"})},
	} {
		t.Run(name, func(t *testing.T) {
			f := healthy(t)
			c.change(f)
			if diff := cmp.Diff(c.want, f.cloud().Observe(t.Context(), prod).Hosts); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// Fact 2.3/issues.
func TestObserveReadsTheNetworkModeAndHealth(t *testing.T) {
	f := healthy(t)
	f.cluster.ComputeConfig = &types.ComputeConfigResponse{Enabled: aws.Bool(true)}
	f.addon.AddonVersion = aws.String("v1.19.0-private")
	f.addon.ServiceAccountRoleArn, f.addon.ConfigurationValues = nil, nil
	f.addon.Health = &types.AddonHealth{Issues: []types.AddonIssue{
		{Code: types.AddonIssueCodeInsufficientNumberOfReplicas, Message: aws.String("1 of 2")}, {Code: types.AddonIssueCodeAccessDenied}}}
	seen := f.cloud().Observe(t.Context(), prod)
	if !seen.Cluster.Value.AutoMode {
		t.Errorf("cluster %+v; want Auto Mode", seen.Cluster.Value)
	}
	if seen.Pods.Fault != nil || seen.Pods.Value.Exempt != "" || len(seen.Pods.Value.Subnets) != 2 {
		t.Errorf("the pods of an Auto Mode cluster use subnets too; got %+v", seen.Pods)
	}
	a := seen.Addon.Value
	if a.Version.Known() || a.Raw != "v1.19.0-private" || a.Role != "" || a.Config != "" {
		t.Errorf("add-on %+v", a)
	}
	if want := []string{"InsufficientNumberOfReplicas: 1 of 2", "AccessDenied: "}; !slices.Equal(a.Issues, want) {
		t.Errorf("issues %q; want %q", a.Issues, want)
	}
}

func TestAnEmptyAnswerIsNotAbsence(t *testing.T) {
	f := healthy(t)
	f.cluster, f.addon = nil, nil
	seen := cloudOf(empty{client{fake: f}}, f.clock).Observe(t.Context(), prod)
	if seen.Cluster.Fault == nil || seen.Cluster.Fault.Kind != fault.Retry || seen.Addon.Fault == nil {
		t.Errorf("cluster %+v, add-on %+v; want faults", seen.Cluster, seen.Addon)
	}
}

// Facts 2.5/pages, 2.5/regional, 2.7/gentle.
func TestCatalogueIsKeptForAnHour(t *testing.T) {
	f := healthy(t)
	c, virtual := f.cloud(), f.clock.(*ticks)
	asked := func(id cluster.ID, kubernetes string, after time.Duration) int {
		f.calls = map[string][]call{}
		f.cluster.Version = &kubernetes
		virtual.now = virtual.now.Add(after)
		if seen := c.Observe(t.Context(), id); seen.Catalogue.Fault != nil {
			t.Fatal(seen.Catalogue.Fault)
		}
		return len(f.calls["DescribeAddonVersions"])
	}
	elsewhere := cluster.ID{Account: prod.Account, Region: "us-east-1", Name: "prod"}
	other := cluster.ID{Account: "444455556666", Region: prod.Region, Name: "prod"}
	for _, step := range []struct {
		name       string
		id         cluster.ID
		kubernetes string
		after      time.Duration
		calls      int
	}{
		{"the first check reads both pages", prod, "1.33", 0, 2},
		{"the next check reads none", prod, "1.33", 50 * time.Minute, 0},
		{"another account in the region neither", other, "1.33", 0, 0},
		{"another Kubernetes version is another listing", prod, "1.21", 0, 2},
		{"another region is another listing", elsewhere, "1.33", 0, 2},
		{"after an hour it is read again", prod, "1.33", 10 * time.Minute, 2},
	} {
		if got := asked(step.id, step.kubernetes, step.after); got != step.calls {
			t.Errorf("%s: %d calls; want %d", step.name, got, step.calls)
		}
	}
}

func TestAFailedCatalogueIsNotKept(t *testing.T) {
	f := healthy(t)
	c := f.cloud()
	f.fails["DescribeAddonVersions"] = code("ThrottlingException")
	if c.Observe(t.Context(), prod).Catalogue.Fault == nil {
		t.Error("want a fault")
	}
	delete(f.fails, "DescribeAddonVersions")
	if got := c.Observe(t.Context(), prod).Catalogue; got.Fault != nil || len(got.Value) != 2 {
		t.Errorf("got %+v", got)
	}
}

func TestACatalogueBelongsToItsSnapshot(t *testing.T) {
	c := healthy(t).cloud()
	first := c.Observe(t.Context(), prod).Catalogue.Value
	first[0] = cni.Release{}
	if second := c.Observe(t.Context(), prod).Catalogue.Value; second[0] == first[0] {
		t.Error("what one check did to its listing is seen by the next")
	}
}

func TestAlarmsAreReadByTheirExactNamesInOneCall(t *testing.T) {
	f := healthy(t)
	f.cloud().Observe(t.Context(), prod)
	want := []*cloudwatch.DescribeAlarmsInput{{AlarmNames: []string{
		"cniguard-prod-pod-subnets", "cniguard-prod-free-blocks", "cniguard-prod-days-left", "cniguard-prod-node-capacity"}}}
	if diff := cmp.Diff(want, sent[*cloudwatch.DescribeAlarmsInput](f, "DescribeAlarms"), serde()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAChangeOfAnAlarmByHandIsSeen(t *testing.T) {
	plain, told := kept(prod), kept(prod)
	told.Actions = []string{"arn:other", "arn:topic"}
	for name, c := range map[string]struct {
		want   alarm.Spec
		change func(*cwtypes.MetricAlarm)
		differ []string
	}{
		"nothing was changed":                       {plain, func(*cwtypes.MetricAlarm) {}, nil},
		"nothing was changed where people are told": {told, func(*cwtypes.MetricAlarm) {}, nil},
		"defaults that CloudWatch leaves out": {func() alarm.Spec { s := plain; s.Points = s.Evaluation; return s }(),
			func(a *cwtypes.MetricAlarm) { a.DatapointsToAlarm, a.TreatMissingData = nil, nil }, nil},
		"actions in another order": {told, func(a *cwtypes.MetricAlarm) {
			a.AlarmActions = []string{"arn:topic", "arn:other"}
			a.OKActions = []string{"arn:other", "arn:topic"}
		}, nil},
		"an action was added": {told, func(a *cwtypes.MetricAlarm) {
			a.AlarmActions, a.OKActions = append(a.AlarmActions, "arn:x"), append(a.OKActions, "arn:x")
		}, []string{"actions"}},
		"the threshold":                    {plain, func(a *cwtypes.MetricAlarm) { a.Threshold = aws.Float64(99) }, []string{"threshold"}},
		"the cluster it watches":           {plain, func(a *cwtypes.MetricAlarm) { a.Dimensions[0].Value = aws.String("test") }, []string{"dimensions"}},
		"a unit that matches no data":      {plain, func(a *cwtypes.MetricAlarm) { a.Unit = cwtypes.StandardUnitCount }, []string{"statistic"}},
		"a percentile":                     {plain, func(a *cwtypes.MetricAlarm) { a.Statistic, a.ExtendedStatistic = "", aws.String("p90") }, []string{"statistic"}},
		"its range goes by the wall clock": {plain, func(a *cwtypes.MetricAlarm) { a.EvaluationWindow = &cwtypes.EvaluationWindowMemberWallClockWindow{} }, []string{"statistic"}},
		"its range slides, as by default":  {plain, func(a *cwtypes.MetricAlarm) { a.EvaluationWindow = &cwtypes.EvaluationWindowMemberSlidingWindow{} }, nil},
		"it does not warm up": {plain, func(a *cwtypes.MetricAlarm) {
			a.WarmUpConfiguration = &cwtypes.WarmUpConfiguration{WarmUpPeriodDurationInMinutes: aws.Int32(0)}
		}, nil},
		"an action was removed":          {told, func(a *cwtypes.MetricAlarm) { a.AlarmActions = nil }, []string{"actions"}},
		"the recovery is no longer told": {told, func(a *cwtypes.MetricAlarm) { a.OKActions = nil }, []string{"actions"}},
		"an action on missing data":      {plain, func(a *cwtypes.MetricAlarm) { a.InsufficientDataActions = []string{"arn:x"} }, []string{"actions"}},
		"the actions were switched off":  {told, func(a *cwtypes.MetricAlarm) { a.ActionsEnabled = aws.Bool(false) }, []string{"actions"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := healthy(t)
			a := standing(c.want)
			c.change(&a)
			f.alarms = []cwtypes.MetricAlarm{a}
			got := f.cloud().Observe(t.Context(), prod).Alarms
			if got.Fault != nil || len(got.Value) != 1 {
				t.Fatalf("got %+v", got)
			}
			if diff := cmp.Diff(c.differ, alarm.Differs(c.want, got.Value[0].Spec)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// standing is an alarm as CloudWatch has it after PutMetricAlarm.
func standing(s alarm.Spec) cwtypes.MetricAlarm {
	return cwtypes.MetricAlarm{
		AlarmName: &s.Name, AlarmDescription: &s.Description, Namespace: &s.Namespace, MetricName: &s.Metric,
		Dimensions: []cwtypes.Dimension{{Name: aws.String("ClusterName"), Value: aws.String(s.Dimensions["ClusterName"])}},
		Statistic:  cwtypes.Statistic(s.Statistic), Period: aws.Int32(int32(s.Period)), EvaluationPeriods: aws.Int32(int32(s.Evaluation)),
		DatapointsToAlarm: aws.Int32(int32(s.Points)), ComparisonOperator: cwtypes.ComparisonOperator(s.Comparison), Threshold: &s.Threshold,
		TreatMissingData: &s.Missing, AlarmActions: s.Actions, OKActions: s.Actions, ActionsEnabled: aws.Bool(true),
		StateValue: cwtypes.StateValueOk, StateUpdatedTimestamp: &start,
	}
}

func TestClustersListsAllPagesInOrder(t *testing.T) {
	f := healthy(t)
	f.clusters = []string{"d", "b", "a", "e", "c"}
	unit := event.Unit{Account: prod.Account, Region: prod.Region}
	for after, want := range map[string][]string{
		"":   {"a", "b", "c", "d", "e"},
		"b":  {"c", "d", "e"},
		"bb": {"c", "d", "e"},
		"e":  {},
	} {
		got, err := f.cloud().Clusters(t.Context(), unit, after)
		if err != nil || !cmp.Equal(want, got) {
			t.Errorf("after %q: %v, %v; want %v", after, got, err, want)
		}
	}
	f.fails["ListClusters"] = code("AccessDeniedException")
	_, err := f.cloud().Clusters(t.Context(), unit, "")
	if ft := fault.Of(err); !ft.Denied() || ft.Need != "eks:ListClusters" {
		t.Errorf("got %v; want it denied", err)
	}
}

func TestADeadlineIsNeverLaterThanTheCallers(t *testing.T) {
	f := healthy(t)
	ctx, cancel := context.WithDeadline(t.Context(), start.Add(3*time.Second))
	defer cancel()
	var got time.Time
	cloudOf(deadlines{client{fake: f}, func(d time.Time) { got = d }}, f.clock).Observe(ctx, prod)
	if want := start.Add(3 * time.Second); !got.Equal(want) {
		t.Errorf("the call's deadline is %s; want the caller's, %s", got, want)
	}
}

func TestOneCloudServesManyChecks(t *testing.T) {
	f := healthy(t)
	f.clock = &still{}
	f.groups = map[string][]string{}
	for _, n := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"} {
		f.groups["ng-"+n] = []string{"subnet-a", "subnet-b"}
	}
	f.updates = []types.Update{{Id: aws.String("u1"), Type: types.UpdateTypeAddonUpdate, CreatedAt: &start}}
	c := f.cloud()
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			seen := c.Observe(t.Context(), prod)
			if seen.Pods.Fault != nil || len(seen.Pods.Value.Subnets) != 2 || len(seen.Catalogue.Value) != 2 {
				t.Errorf("got %+v", seen)
			}
			c.Settle(t.Context(), prod, guard.Step{})
			c.Do(t.Context(), prod, guard.Action{Kind: guard.PutAlarm, Alarm: kept(prod)})
		})
	}
	wg.Wait()
	if len(f.opened) != 1 {
		t.Errorf("clients were made %d times; want once", len(f.opened))
	}
}
