package world_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/world"
)

// list is all pages of metrics, each metric as "Namespace/Name{dimension=value …}".
func (s *stage) list(ctx context.Context, c *world.Client, in cloudwatch.ListMetricsInput) (pages []string) {
	for {
		out, err := c.ListMetrics(ctx, &in)
		if err != nil {
			s.Errorf("list metrics: %v", err)
			return pages
		}
		var names []string
		for _, m := range out.Metrics {
			var dimensions []string
			for _, d := range m.Dimensions {
				dimensions = append(dimensions, *d.Name+"="+*d.Value)
			}
			names = append(names, *m.Namespace+"/"+*m.MetricName+"{"+strings.Join(dimensions, " ")+"}")
		}
		pages = append(pages, strings.Join(names, " "))
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return pages
		}
	}
}

func filter(name string, value ...string) types.DimensionFilter {
	f := types.DimensionFilter{Name: &name}
	if len(value) > 0 {
		f.Value = &value[0]
	}
	return f
}

func TestListMetricsFilters(t *testing.T) {
	s := set(t, 1, helped(world.NodeMetrics{ID: "k8s-cluster"}, func(spec *world.Spec) {
		abroad := spec.Clusters[0]
		abroad.Region, abroad.NodeMetrics = "eu-west-1", &world.NodeMetrics{}
		spec.Clusters = append(spec.Clusters, abroad)
	}))
	s.at(0, func(ctx context.Context, c *world.Client) {
		s.put(ctx, c, noon, 50)
		s.tell(ctx, c, "b", 1)
		s.tell(ctx, c, "a", 1)
		if _, err := c.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String("Test"), MetricData: []types.MetricDatum{
			{MetricName: aws.String("a"), Value: aws.Float64(1)},
			{MetricName: aws.String("a"), Value: aws.Float64(1), Dimensions: []types.Dimension{
				{Name: aws.String("ClusterName"), Value: aws.String("prod")}, {Name: aws.String("Zone"), Value: aws.String("a")},
			}},
		}}); err != nil {
			t.Error(err)
		}
	})
	s.alarm(time.Second, onFormula("m", "a+nothing", "a", "nothing")) // an alarm on it does not make a metric
	const of, helper = "{ClusterName=prod}", "{CLUSTER_ID=k8s-cluster}"
	s.at(time.Hour, func(ctx context.Context, c *world.Client) {
		for name, l := range map[string]struct {
			in   cloudwatch.ListMetricsInput
			want string
		}{
			"all of an account and region": {cloudwatch.ListMetricsInput{}, "CNIGuard/Fullness" + of + " Kubernetes/assignIPAddresses" + helper + " Kubernetes/maxIPAddresses" + helper +
				" Kubernetes/totalIPAddresses" + helper + " Test/a{} Test/a" + of + " Test/a{ClusterName=prod Zone=a} Test/b" + of},
			"by namespace":           {cloudwatch.ListMetricsInput{Namespace: aws.String("CNIGuard")}, "CNIGuard/Fullness" + of},
			"by name":                {cloudwatch.ListMetricsInput{MetricName: aws.String("maxIPAddresses")}, "Kubernetes/maxIPAddresses" + helper},
			"by a part of a name":    {cloudwatch.ListMetricsInput{MetricName: aws.String("max")}, ""},
			"by dimension and value": {cloudwatch.ListMetricsInput{MetricName: aws.String("a"), Dimensions: []types.DimensionFilter{filter("Zone", "a")}}, "Test/a{ClusterName=prod Zone=a}"},
			"by a dimension of any value, beside others": {cloudwatch.ListMetricsInput{Namespace: aws.String("Test"), Dimensions: []types.DimensionFilter{filter("ClusterName")}},
				"Test/a" + of + " Test/a{ClusterName=prod Zone=a} Test/b" + of},
			"by two dimensions":            {cloudwatch.ListMetricsInput{Dimensions: []types.DimensionFilter{filter("Zone"), filter("ClusterName", "prod")}}, "Test/a{ClusterName=prod Zone=a}"},
			"by a dimension's other value": {cloudwatch.ListMetricsInput{Dimensions: []types.DimensionFilter{filter("ClusterName", "dev")}}, ""},
		} {
			if diff := cmp.Diff([]string{l.want}, s.list(ctx, c, l.in)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		abroad := s.list(ctx, s.Client(caller, hubAccount, "eu-west-1"), cloudwatch.ListMetricsInput{MetricName: aws.String("maxIPAddresses")})
		if diff := cmp.Diff([]string{"Kubernetes/maxIPAddresses{CLUSTER_ID=prod}"}, abroad); diff != "" {
			t.Errorf("another region: %s", diff)
		}
	})
}

func TestWhenListMetricsHasAMetric(t *testing.T) {
	const week = 7 * day
	s := set(t, 1, helped(world.NodeMetrics{StopsAt: week}, func(spec *world.Spec) { spec.Clusters[0].CreatedAt = day }))
	for _, at := range []time.Duration{0, time.Hour, 5 * week} {
		s.publish(at, 50)
	}
	for _, c := range []struct {
		at          time.Duration
		any, lively string
		what        string
	}{
		{14 * time.Minute, "", "", "a new metric takes up to 15 minutes to appear"},
		{15 * time.Minute, "CNIGuard", "CNIGuard", "and then is there"},
		{4 * time.Hour, "CNIGuard", "CNIGuard", "its last point is three hours old"},
		{4*time.Hour + time.Minute, "CNIGuard", "", "its last point is older than three hours"},
		{day + 14*time.Minute, "CNIGuard", "", "the helper runs, for less than 15 minutes"},
		{day + 15*time.Minute, "CNIGuard Kubernetes", "Kubernetes", "the helper's metrics are there"},
		{week + 179*time.Minute, "CNIGuard Kubernetes", "Kubernetes", "the helper has stopped three hours ago"},
		{week + 180*time.Minute, "CNIGuard Kubernetes", "", "the helper has stopped more than three hours ago"},
		{2*week + time.Hour, "CNIGuard Kubernetes", "", "two weeks after the last point"},
		{2*week + time.Hour + time.Minute, "Kubernetes", "", "more than two weeks after it"},
		{3*week - time.Minute, "Kubernetes", "", "two weeks after the helper's last point"},
		{3 * week, "", "", "more than two weeks after it"},
		{5*week + 14*time.Minute, "", "", "a metric that comes back is new"},
		{5*week + 15*time.Minute, "CNIGuard", "CNIGuard", "and appears as such"},
	} {
		s.at(c.at, func(ctx context.Context, k *world.Client) {
			for active, want := range map[types.RecentlyActive]string{"": c.any, types.RecentlyActivePt3h: c.lively} {
				got := strings.Join(s.list(ctx, k, cloudwatch.ListMetricsInput{RecentlyActive: active}), " ")
				for _, namespace := range []string{"CNIGuard", "Kubernetes"} {
					if strings.Contains(got, namespace) != strings.Contains(want, namespace) {
						t.Errorf("%s, %s, recently active %q: %q, want those of %q", c.at, c.what, active, got, want)
					}
				}
			}
		})
	}
}

func TestListMetricsPages(t *testing.T) {
	s := set(t, 1, func(spec *world.Spec) { spec.Behaviour.PageSize = 1000 })
	s.at(0, func(ctx context.Context, c *world.Client) {
		for i := range 3 {
			in := &cloudwatch.PutMetricDataInput{Namespace: aws.String("Test")}
			for j := range 400 {
				in.MetricData = append(in.MetricData, types.MetricDatum{MetricName: aws.String(fmt.Sprintf("m%04d", 400*i+j)), Value: aws.Float64(1)})
			}
			if _, err := c.PutMetricData(ctx, in); err != nil {
				t.Error(err)
			}
		}
	})
	s.at(time.Hour, func(ctx context.Context, c *world.Client) {
		var sizes []int
		pages := s.list(ctx, c, cloudwatch.ListMetricsInput{})
		for _, p := range pages {
			sizes = append(sizes, len(strings.Fields(p)))
		}
		if diff := cmp.Diff([]int{500, 500, 200}, sizes); diff != "" {
			t.Error(diff)
		}
		if last := pages[len(pages)-1]; !strings.HasPrefix(last, "Test/m1000{}") || !strings.HasSuffix(last, "Test/m1199{}") {
			t.Errorf("the last page is %.20s … , want the names in order", last)
		}
	})
}

func TestWhatListMetricsRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		in   cloudwatch.ListMetricsInput
		code string
	}{
		"another time than three hours": {cloudwatch.ListMetricsInput{RecentlyActive: "PT1H"}, "400 InvalidParameterValue"},
		"eleven dimensions":             {cloudwatch.ListMetricsInput{Dimensions: make11()}, "400 InvalidParameterValue"},
		"a token of another":            {cloudwatch.ListMetricsInput{NextToken: aws.String("nonsense")}, "400 InvalidParameterValue"},
		"other accounts":                {cloudwatch.ListMetricsInput{IncludeLinkedAccounts: aws.Bool(true)}, "400 ValidationError"},
	} {
		set(t, 1, nil).at(0, func(ctx context.Context, k *world.Client) {
			if _, err := k.ListMetrics(ctx, &c.in); !strings.HasPrefix(code(err), c.code) {
				t.Errorf("%s: %s, want %s", name, code(err), c.code)
			}
		})
	}
}

func make11() (filters []types.DimensionFilter) {
	for i := range 11 {
		filters = append(filters, filter(fmt.Sprint(i)))
	}
	return filters
}
