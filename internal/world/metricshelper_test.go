package world_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/strictyaml"
	"github.com/cniguard/cniguard/internal/world"
)

const day = 24 * time.Hour

// helped is a world with one cluster, prod, that has a metrics helper.
func helped(h world.NodeMetrics, more ...func(*world.Spec)) func(*world.Spec) {
	return func(spec *world.Spec) {
		spec.Clusters = []world.Cluster{{Name: "prod", Account: hubAccount, Region: hubRegion, Kubernetes: "1.33", NodeMetrics: &h}}
		for _, f := range more {
			f(spec)
		}
	}
}

// capacity is an alarm on the share of the nodes' addresses that pods have, as a person makes it (facts-eks-vpc-cni 4.1): two of three periods of five minutes.
func capacity(id string, stat types.Statistic) *cloudwatch.PutMetricAlarmInput {
	in := onFormula("capacity", "IF(max>0,100*assigned/max,0)", "assigned", "max")
	in.EvaluationPeriods, in.DatapointsToAlarm, in.Threshold = aws.Int32(3), aws.Int32(2), aws.Float64(80)
	in.ComparisonOperator = types.ComparisonOperatorGreaterThanOrEqualToThreshold
	for i, name := range []string{"assignIPAddresses", "maxIPAddresses"} {
		in.Metrics[i+1].MetricStat = &types.MetricStat{Period: aws.Int32(300), Stat: aws.String(string(stat)), Metric: &types.Metric{
			Namespace: aws.String("Kubernetes"), MetricName: aws.String(name), Dimensions: []types.Dimension{{Name: aws.String("CLUSTER_ID"), Value: aws.String(id)}},
		}}
	}
	return in
}

// The share rises from 40 % to 100 % in ten days, by a hundredth in four hours. It first shows 80 at 6d16h, and 79 again at 12d.
func TestAnAlarmOnAHelpersMetricsChangesItsStateByItself(t *testing.T) {
	h := world.NodeMetrics{
		Assigned: []world.Point{{Addresses: 40}, {At: 10 * day, Addresses: 100}, {At: 12*day - time.Minute, Addresses: 100}, {At: 12 * day, Addresses: 79}},
		Max:      []world.Point{{Addresses: 100}},
	}
	for name, c := range map[string]struct {
		change func(*world.Spec)
		id     string
		stat   types.Statistic
		want   string
	}{
		// A period is as long as five minutes, and each minute has one that ends in it: the second that breaches ends five minutes after the first.
		"it alarms with the second period that is full, and recovers": {nil, "prod", types.StatisticMaximum, "1m0s OK, 160h6m0s ALARM, 288h10m0s OK"},
		"the average is behind":                                       {nil, "prod", types.StatisticAverage, "1m0s OK, 160h10m0s ALARM, 288h10m0s OK"},
		"sums of both are doubled alike":                              {nil, "prod", types.StatisticSum, "1m0s OK, 160h10m0s ALARM, 288h10m0s OK"},
		"a helper that stops is no data when the last period is past": {func(s *world.Spec) { s.Clusters[0].NodeMetrics.StopsAt = 7 * day }, "prod", types.StatisticMaximum, "1m0s OK, 160h6m0s ALARM, 168h25m0s INSUFFICIENT_DATA"},
		"so is that of a cluster that is deleted":                     {func(s *world.Spec) { s.Clusters[0].DeletedAt = 7 * day }, "prod", types.StatisticMaximum, "1m0s OK, 160h6m0s ALARM, 168h25m0s INSUFFICIENT_DATA"},
		"a cluster that is created later publishes from then on":      {func(s *world.Spec) { s.Clusters[0].CreatedAt = day }, "prod", types.StatisticMaximum, "24h1m0s OK, 160h6m0s ALARM, 288h10m0s OK"},
		"another id is another metric":                                {func(s *world.Spec) { s.Clusters[0].NodeMetrics.ID = "k8s-cluster" }, "prod", types.StatisticMaximum, ""},
		"the id may be another than the name":                         {func(s *world.Spec) { s.Clusters[0].NodeMetrics.ID = "k8s-cluster" }, "k8s-cluster", types.StatisticMaximum, "1m0s OK, 160h6m0s ALARM, 288h10m0s OK"},
		"a cluster without one publishes nothing":                     {func(s *world.Spec) { s.Clusters[0].NodeMetrics = nil }, "prod", types.StatisticMaximum, ""},
		"a world that starts within a minute publishes from the next": {func(s *world.Spec) { s.Start = noon.Add(-30 * time.Second) }, "prod", types.StatisticMaximum, "1m0s OK, 160h6m0s ALARM, 288h10m0s OK"},
		"two clusters of one id are one metric, of which one is fuller": {func(s *world.Spec) {
			other := s.Clusters[0]
			other.Name, other.NodeMetrics = "other", &world.NodeMetrics{ID: "prod", Assigned: []world.Point{{Addresses: 90}}, StopsAt: 2 * time.Hour}
			s.Clusters = append(s.Clusters, other)
		}, "prod", types.StatisticMaximum, "6m0s ALARM, 2h10m0s OK, 160h6m0s ALARM, 288h10m0s OK"},
	} {
		t.Run(name, func(t *testing.T) {
			h := h
			s := set(t, 1, helped(h, func(spec *world.Spec) {
				if c.change != nil {
					c.change(spec)
				}
			}))
			got := s.hear("aws.cloudwatch")
			s.alarm(0, capacity(c.id, c.stat))
			events := s.clock.Run(noon.Add(20 * day))
			if states := s.states(); states != c.want {
				t.Errorf("got %s\nwant %s", states, c.want)
			}
			for _, e := range s.entries(world.Truth, "alarm") {
				if e.Cluster.Name != "prod" {
					t.Errorf("%s is about cluster %q", e.Text, e.Cluster.Name)
				}
			}
			if sent := strings.Count(strings.Join(*got, ""), "CloudWatch Alarm State Change"); sent != len(s.entries(world.Truth, "alarm")) {
				t.Errorf("%d events of %s", sent, s.states())
			}
			if c.stat != types.StatisticSum && events > 300 {
				t.Errorf("it took %d events in twenty days, want at most 300", events)
			}
		})
	}
}

// Two points a minute are ten in a period of five.
func TestAHelpersSumsAreDoubled(t *testing.T) {
	for stat, want := range map[types.Statistic]float64{
		types.StatisticSum: 400, types.StatisticSampleCount: 10, types.StatisticAverage: 40, types.StatisticMaximum: 40, types.StatisticMinimum: 40,
	} {
		s := set(t, 1, helped(world.NodeMetrics{Assigned: []world.Point{{Addresses: 40}}}))
		for i, operator := range []types.ComparisonOperator{types.ComparisonOperatorGreaterThanThreshold, types.ComparisonOperatorGreaterThanOrEqualToThreshold} {
			in := fullness(fmt.Sprint("alarm-", i))
			in.Namespace, in.MetricName, in.Dimensions = aws.String("Kubernetes"), aws.String("assignIPAddresses"), capacity("prod", "").Metrics[1].MetricStat.Metric.Dimensions
			in.Statistic, in.Threshold, in.ComparisonOperator = stat, aws.Float64(want), operator
			s.alarm(0, in)
		}
		s.until(time.Hour)
		for i, want := range []types.StateValue{ok, alarmed} {
			if a, _ := s.Alarm(hubAccount, hubRegion, fmt.Sprint("alarm-", i)); a.StateValue != want {
				t.Errorf("%s %s is %s, want %s", stat, a.ComparisonOperator, a.StateValue, want)
			}
		}
	}
}

func TestAQuietHelperCostsNothing(t *testing.T) {
	s := set(t, 1, helped(world.NodeMetrics{Assigned: []world.Point{{Addresses: 40}}, Max: []world.Point{{Addresses: 100}}}))
	s.alarm(0, capacity("prod", types.StatisticMaximum))
	if events := s.clock.Run(noon.Add(60 * day)); events > 100 {
		t.Errorf("%d events in 60 days, want one or two a day", events)
	}
}

// The assigned addresses rise by one in ten minutes for a day, fall at once, and end.
func TestTheHistoryOfAHelpersMetrics(t *testing.T) {
	h := world.NodeMetrics{Assigned: []world.Point{{Addresses: 0}, {At: day, Addresses: 144}, {At: day + time.Minute, Addresses: 7}}, StopsAt: day + 90*time.Minute}
	s := set(t, 1, helped(h))
	in := ofHours(noon.Add(-3*time.Hour), noon.Add(3*day))
	in.MetricDataQueries[0].MetricStat.Metric = capacity("prod", "").Metrics[1].MetricStat.Metric
	for _, c := range []struct {
		at   time.Duration
		want string
	}{
		{0, "12:00=0 Complete"},
		{19 * time.Minute, "12:00=1 Complete"},
		{20 * time.Minute, "12:00=2 Complete"},
		{3*time.Hour - time.Second, "12:00=5 13:00=11 14:00=17 Complete"},
		{3 * time.Hour, "12:00=5 13:00=11 14:00=17 15:00=18 Complete"},
	} {
		s.at(c.at, func(ctx context.Context, k *world.Client) {
			if diff := cmp.Diff([]string{c.want}, s.read(ctx, k, in)); diff != "" {
				t.Errorf("after %s: %s", c.at, diff)
			}
		})
	}
	s.at(5*day, func(ctx context.Context, k *world.Client) {
		in.StartTime = aws.Time(noon.Add(day - 2*time.Hour))
		if diff := cmp.Diff([]string{"10:00=137 11:00=143 12:00=144 13:00=7 Complete"}, s.read(ctx, k, in)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestMistakesInAHelperAreReportedWithTheirLines(t *testing.T) {
	const head = "start: 2026-11-23T12:00:00Z\nhub: {account: \"111122223333\", region: eu-central-1}\nclusters:\n- name: prod\n  account: \"111122223333\"\n  region: eu-central-1\n  kubernetes: \"1.33\"\n  metricsHelper:\n"
	for name, c := range map[string]struct{ line, want string }{
		"points that are not in order":       {"max: [{at: 2d, addresses: 1}, {at: 1d, addresses: 1}]", "w.yaml:9: clusters[0].metricsHelper.max[1].at: 24h0m0s is not after the point before"},
		"fewer addresses than none":          {"assigned: [{at: 0s, addresses: -1}]", "w.yaml:9: clusters[0].metricsHelper.assigned[0].addresses: is negative"},
		"an end before the start":            {"stopsAt: -1h", "w.yaml:9: clusters[0].metricsHelper.stopsAt: is negative"},
		"an id that CloudWatch would refuse": {"id: \":prod\"", `w.yaml:9: clusters[0].metricsHelper.id: ":prod" is not the value of a metric's dimension`},
		"an id in other letters":             {"id: \"prød\"", `w.yaml:9: clusters[0].metricsHelper.id: "prød" is not the value of a metric's dimension`},
		"an unknown key":                     {"used: []", "w.yaml:9: clusters[0].metricsHelper.used: unknown key"},
	} {
		_, err := world.ReadSpec("w.yaml", []byte(head+"    "+c.line+"\n"))
		var found strictyaml.Errors
		if !errors.As(err, &found) || len(found) != 1 || !strings.HasPrefix(found[0].Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	_, err := world.ReadSpec("w.yaml", []byte(strings.Replace(head, "  metricsHelper:\n", "", 1)+"behaviour:\n  alarmEventsLost: 2\n"))
	if err == nil || !strings.HasPrefix(err.Error(), "w.yaml:9: behaviour.alarmEventsLost: 2 is not a chance; want 0 to 1") {
		t.Error(err)
	}
}
