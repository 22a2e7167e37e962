package cloud_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/fault"
)

// published is the metric that cni-metrics-helper publishes under a CLUSTER_ID, with further dimensions.
func published(id string, further ...string) cwtypes.Metric {
	m := cwtypes.Metric{Namespace: aws.String("Kubernetes"), MetricName: aws.String("maxIPAddresses"),
		Dimensions: []cwtypes.Dimension{{Name: aws.String("CLUSTER_ID"), Value: &id}}}
	for _, name := range further {
		m.Dimensions = append(m.Dimensions, cwtypes.Dimension{Name: &name, Value: aws.String("x")})
	}
	return m
}

// helped is a fake with cni-metrics-helper in the cluster prod and in two others, and what it published in an hour and the next.
func helped(t *testing.T) *fake {
	f := healthy(t)
	other := published("prod")
	other.MetricName = aws.String("addReqCount")
	f.metrics = []cwtypes.Metric{published("test"), published("prod"), other, published("blue\n"), published("test")}
	f.history = []cwtypes.MetricDataResult{series("m0", 10, 12.9), series("m1", 30, 20), series("m2", 58)}
	return f
}

func series(id string, values ...float64) cwtypes.MetricDataResult {
	r := hours(start.Add(-time.Hour), cwtypes.StatusCodeComplete, values...)
	r.Id = &id
	return r
}

func TestWhatTheHelperPublishesIsReadUnderItsID(t *testing.T) {
	f := helped(t)
	got := f.cloud().NodeMetrics(t.Context(), prod, "prod")
	want := &capacity.NodeMetrics{ID: "prod", Assigned: 12, Total: 30, Max: 58, Others: []string{"blue", "test"}}
	if diff := cmp.Diff(want, got.Value); diff != "" || got.Fault != nil {
		t.Errorf("%v (-want +got)\n%s", got.Fault, diff)
	}
	for op, calls := range f.calls {
		for _, c := range calls {
			if c.role != access.Observer {
				t.Errorf("%s is called by %s", op, c.role)
			}
		}
	}
}

func TestWhatIsAskedOfTheHelper(t *testing.T) {
	f := helped(t)
	f.metrics = f.metrics[:2] // one page
	f.history = []cwtypes.MetricDataResult{series("m0"), series("m1"), series("m2")}
	f.clock.(*ticks).now = start.Add(8 * time.Minute)
	f.cloud().NodeMetrics(t.Context(), prod, "prod")
	list := []*cloudwatch.ListMetricsInput{{Namespace: aws.String("Kubernetes"), MetricName: aws.String("maxIPAddresses"), RecentlyActive: cwtypes.RecentlyActivePt3h}}
	if diff := cmp.Diff(list, sent[*cloudwatch.ListMetricsInput](f, "ListMetrics"), serde()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	query := func(id, name string) cwtypes.MetricDataQuery {
		return cwtypes.MetricDataQuery{Id: &id, MetricStat: &cwtypes.MetricStat{Period: aws.Int32(3600), Stat: aws.String("Maximum"),
			Metric: &cwtypes.Metric{Namespace: aws.String("Kubernetes"), MetricName: &name, Dimensions: published("prod").Dimensions}}}
	}
	want := &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(start.Add(-time.Hour)), EndTime: aws.Time(start.Add(8*time.Minute + time.Second)), ScanBy: cwtypes.ScanByTimestampAscending,
		MetricDataQueries: []cwtypes.MetricDataQuery{query("m0", "assignIPAddresses"), query("m1", "totalIPAddresses"), query("m2", "maxIPAddresses")},
	}
	calls := sent[*cloudwatch.GetMetricDataInput](f, "GetMetricData")
	if diff := cmp.Diff(want, calls[0], serde()); diff != "" || len(calls) != 3 {
		t.Errorf("%d calls, want one a page; the first (-want +got)\n%s", len(calls), diff)
	}
}

func TestAHelperThatPublishesUnderOtherIDsIsNotAskedForValues(t *testing.T) {
	for name, c := range map[string]struct {
		metrics []cwtypes.Metric
		others  []string
	}{
		"nobody publishes":                             {nil, nil},
		"only under others":                            {[]cwtypes.Metric{published("test"), published("prod2")}, []string{"prod2", "test"}},
		"with one more dimension it is another metric": {[]cwtypes.Metric{published("prod", "node")}, nil},
		"by another dimension": {[]cwtypes.Metric{{Namespace: aws.String("Kubernetes"), MetricName: aws.String("maxIPAddresses"),
			Dimensions: []cwtypes.Dimension{{Name: aws.String("ClusterName"), Value: aws.String("prod")}}}}, nil},
		"by none": {[]cwtypes.Metric{{Namespace: aws.String("Kubernetes"), MetricName: aws.String("maxIPAddresses")}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := helped(t)
			f.metrics = c.metrics
			got := f.cloud().NodeMetrics(t.Context(), prod, "prod")
			if got.Fault != nil || got.Value.ID != "" || got.Value.Max != 0 || !slices.Equal(got.Value.Others, c.others) || len(f.calls["GetMetricData"]) != 0 {
				t.Errorf("got %+v, %+v after %d calls for values; want others %q", got.Value, got.Fault, len(f.calls["GetMetricData"]), c.others)
			}
		})
	}
}

func TestOfManyOtherHelpersTenAreNamed(t *testing.T) {
	f := helped(t)
	for i := range 30 {
		f.metrics = append(f.metrics, published(fmt.Sprintf("c%02d", 29-i)))
	}
	got := f.cloud().NodeMetrics(t.Context(), prod, "prod")
	want := []string{"blue", "c00", "c01", "c02", "c03", "c04", "c05", "c06", "c07", "c08"}
	if got.Fault != nil || got.Value.ID != "prod" || !slices.Equal(got.Value.Others, want) {
		t.Errorf("got %+v, %+v; want others %q", got.Value, got.Fault, want)
	}
}

func TestAHelperThatIsSilentSinceHasNoAddresses(t *testing.T) {
	f := helped(t)
	f.history = []cwtypes.MetricDataResult{series("m0"), series("m1"), series("m2", -3)}
	got := f.cloud().NodeMetrics(t.Context(), prod, "prod")
	if got.Fault != nil || got.Value.ID != "prod" || got.Value.Assigned != 0 || got.Value.Total != 0 || got.Value.Max != 0 {
		t.Errorf("got %+v, %+v", got.Value, got.Fault)
	}
}

func TestWhatTheHelperPublishesIsKnownWholeOrNotAtAll(t *testing.T) {
	part := series("m1", 30)
	part.StatusCode = cwtypes.StatusCodePartialData
	const list, data = "cloudwatch:ListMetrics", "cloudwatch:GetMetricData"
	for name, c := range map[string]struct {
		change func(*fake)
		want   fault.Fault
	}{
		"metrics may not be listed": {fails("ListMetrics", "AccessDenied"), fault.Fault{Kind: fault.Terminal, Op: list, Code: "AccessDenied", Need: list, Text: "because"}},
		"listing is throttled":      {fails("ListMetrics", "Throttling"), fault.Fault{Kind: fault.Retry, Op: list, Code: "Throttling", Text: "because"}},
		"the second page of the list": {func(f *fake) { f.passes = map[string]int{"ListMetrics": 1}; fails("ListMetrics", "Throttling")(f) },
			fault.Fault{Kind: fault.Retry, Op: list, Code: "Throttling", Text: "because"}},
		"values may not be read": {fails("GetMetricData", "AccessDenied"), fault.Fault{Kind: fault.Terminal, Op: data, Code: "AccessDenied", Need: data, Text: "because"}},
		"a second page of values": {func(f *fake) { f.passes = map[string]int{"GetMetricData": 1}; fails("GetMetricData", "Throttling")(f) },
			fault.Fault{Kind: fault.Retry, Op: data, Code: "Throttling", Text: "because"}},
		"one of three is missing": {func(f *fake) { f.history = f.history[:2] }, fault.Fault{Kind: fault.Retry, Op: data, Text: "the answer is not complete"}},
		"one of three is a part": {func(f *fake) { f.history[1] = part },
			fault.Fault{Kind: fault.Retry, Op: data, Code: "PartialData", Text: "the answer is not complete"}},
		"a fourth is there":   {func(f *fake) { f.history = append(f.history, series("m3", 1)) }, fault.Fault{Kind: fault.Retry, Op: data, Text: "the answer is empty"}},
		"one by another name": {func(f *fake) { f.history[1] = series("1", 1) }, fault.Fault{Kind: fault.Retry, Op: data, Text: "the answer is empty"}},
		"a value without its time": {func(f *fake) { f.history[2].Timestamps = nil },
			fault.Fault{Kind: fault.Retry, Op: data, Text: "the answer is empty"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := helped(t)
			c.change(f)
			got := f.cloud().NodeMetrics(t.Context(), prod, "prod")
			if got.Fault == nil || *got.Fault != c.want || got.Value != nil {
				t.Errorf("got %+v, %+v; want %+v", got.Value, got.Fault, c.want)
			}
		})
	}
}

func TestOneSeriesOnSeveralPagesIsReadWhole(t *testing.T) {
	f := helped(t)
	part := series("m0", 99)
	part.StatusCode = cwtypes.StatusCodePartialData
	f.history = append([]cwtypes.MetricDataResult{part}, f.history...)
	if got := f.cloud().NodeMetrics(t.Context(), prod, "prod"); got.Fault != nil || got.Value.Assigned != 99 || got.Value.Max != 58 {
		t.Errorf("got %+v, %+v", got.Value, got.Fault)
	}
}
