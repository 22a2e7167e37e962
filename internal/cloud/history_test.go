package cloud_test

import (
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

// page of a history: the highest values of hours that follow each other, and how the answer ends.
func hours(first time.Time, status cwtypes.StatusCode, values ...float64) cwtypes.MetricDataResult {
	r := cwtypes.MetricDataResult{Id: aws.String("m0"), StatusCode: status, Values: values}
	for i := range values {
		r.Timestamps = append(r.Timestamps, first.Add(time.Duration(i)*time.Hour))
	}
	return r
}

func TestHistoryIsAllPagesOfOneMetric(t *testing.T) {
	f := healthy(t)
	f.history = []cwtypes.MetricDataResult{hours(start, cwtypes.StatusCodePartialData, 40, 41), hours(start.Add(2*time.Hour), cwtypes.StatusCodeComplete, 42)}
	got := f.cloud().History(t.Context(), prod, start.Add(-10*time.Hour-7*time.Minute))
	want := []capacity.Point{{At: start, Percent: 40}, {At: start.Add(time.Hour), Percent: 41}, {At: start.Add(2 * time.Hour), Percent: 42}}
	if diff := cmp.Diff(want, got.Value); diff != "" || got.Fault != nil {
		t.Errorf("%v (-want +got)\n%s", got.Fault, diff)
	}
	calls := sent[*cloudwatch.GetMetricDataInput](f, "GetMetricData")
	query := []cwtypes.MetricDataQuery{{Id: aws.String("m0"), MetricStat: &cwtypes.MetricStat{
		Metric: &cwtypes.Metric{Namespace: aws.String("CNIGuard"), MetricName: aws.String("WorstPodSubnetUtilization"),
			Dimensions: []cwtypes.Dimension{{Name: aws.String("ClusterName"), Value: aws.String("prod")}}},
		Period: aws.Int32(3600), Stat: aws.String("Maximum"),
	}}}
	first := &cloudwatch.GetMetricDataInput{StartTime: aws.Time(start.Add(-11 * time.Hour)), EndTime: aws.Time(start), ScanBy: cwtypes.ScanByTimestampAscending,
		MetricDataQueries: query}
	if diff := cmp.Diff(first, calls[0], serde()); diff != "" || len(calls) != 2 {
		t.Errorf("%d calls, want 2; the first (-want +got)\n%s", len(calls), diff)
	}
	for _, c := range f.calls["GetMetricData"] {
		if c.role != access.Observer {
			t.Errorf("asked as %v, want the observer", c.role)
		}
	}
}

func TestAMetricThatHasNoValuesIsNoFault(t *testing.T) {
	f := healthy(t)
	f.history = []cwtypes.MetricDataResult{hours(start, cwtypes.StatusCodeComplete)}
	if got := f.cloud().History(t.Context(), prod, start.Add(-time.Hour)); got.Fault != nil || len(got.Value) != 0 {
		t.Errorf("got %v, %v; want no points and no fault", got.Value, got.Fault)
	}
}

func TestAHistoryThatIsNotWholeIsHidden(t *testing.T) {
	for name, c := range map[string]struct {
		pages []cwtypes.MetricDataResult
		err   error
		want  fault.Fault
	}{
		"denied":          {nil, code("AccessDenied"), fault.Fault{Kind: fault.Terminal, Code: "AccessDenied", Text: "because", Need: "cloudwatch:GetMetricData"}},
		"throttled":       {nil, code("Throttling"), fault.Fault{Kind: fault.Retry, Code: "Throttling", Text: "because"}},
		"an empty answer": {nil, nil, fault.Fault{Kind: fault.Retry, Text: "the answer is not complete"}},
		"a part": {[]cwtypes.MetricDataResult{hours(start, cwtypes.StatusCodePartialData, 1)}, nil,
			fault.Fault{Kind: fault.Retry, Code: "PartialData", Text: "the answer is not complete"}},
		"an inner error": {[]cwtypes.MetricDataResult{hours(start, cwtypes.StatusCodeInternalError)}, nil,
			fault.Fault{Kind: fault.Retry, Code: "InternalError", Text: "the answer is not complete"}},
		"a value without its time": {[]cwtypes.MetricDataResult{{Id: aws.String("m0"), StatusCode: cwtypes.StatusCodeComplete, Values: []float64{1}}}, nil,
			fault.Fault{Kind: fault.Retry, Text: "the answer is empty"}},
		"another metric": {[]cwtypes.MetricDataResult{{Id: aws.String("m1"), StatusCode: cwtypes.StatusCodeComplete}}, nil,
			fault.Fault{Kind: fault.Retry, Text: "the answer is empty"}},
		"a metric that is not named": {[]cwtypes.MetricDataResult{{StatusCode: cwtypes.StatusCodeComplete}}, nil,
			fault.Fault{Kind: fault.Retry, Text: "the answer is empty"}},
		"a status of many lines": {[]cwtypes.MetricDataResult{hours(start, "a\nb", 1)}, nil,
			fault.Fault{Kind: fault.Retry, Code: "a b", Text: "the answer is not complete"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := healthy(t)
			f.history = c.pages
			if c.err != nil {
				f.fails["GetMetricData"] = c.err
			}
			c.want.Op = "cloudwatch:GetMetricData"
			got := f.cloud().History(t.Context(), prod, start.Add(-time.Hour))
			if got.Fault == nil || *got.Fault != c.want || got.Value != nil {
				t.Errorf("got %v, %+v; want %+v", got.Value, got.Fault, c.want)
			}
		})
	}
}
