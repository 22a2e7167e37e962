package world

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// When ListMetrics has a metric, in minutes (API reference, ListMetrics).
const (
	unseen    = 15           // after its first point; "up to" so long, and here always
	forgotten = 14 * 24 * 60 // after its last point
	recent    = 3 * 60       // the only choice of RecentlyActive; CloudWatch may be up to 50 minutes late
)

// listMetrics lists the metrics of an account and region in the order of their names, a page at a time.
func (w *World) listMetrics(c *Call, in *cloudwatch.ListMetricsInput) (*cloudwatch.ListMetricsOutput, error) {
	switch {
	case in.RecentlyActive != "" && in.RecentlyActive != types.RecentlyActivePt3h:
		return nil, wrongParameter("RecentlyActive")
	case len(in.Dimensions) > 10:
		return nil, wrongParameter("Dimensions")
	case in.IncludeLinkedAccounts != nil || in.OwningAccount != nil:
		return nil, invalid("IncludeLinkedAccounts and OwningAccount are not simulated.")
	}
	now := minuteOf(w.Now())
	var found []*series
	for _, s := range w.metrics.in[place{c.Account, c.Region}] {
		if s.fits(in) && s.shows(in.RecentlyActive, now) {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, func(a, b *series) int { return strings.Compare(a.order(), b.order()) })
	from, until, next, err := w.page(len(found), in.NextToken, nil, 500)
	if err != nil {
		return nil, wrongParameter("NextToken")
	}
	out := &cloudwatch.ListMetricsOutput{NextToken: next, Metrics: []types.Metric{}}
	for _, s := range found[from:until] {
		m := s.metric
		m.Dimensions = slices.Clone(m.Dimensions)
		out.Metrics = append(out.Metrics, m)
	}
	return out, nil
}

func (s *series) order() string {
	return *s.metric.Namespace + "\x00" + *s.metric.MetricName + "\x00" + dimensionsOf(s.metric.Dimensions)
}

// fits reports whether a request asks for a metric. It may have other dimensions than those asked for.
func (s *series) fits(in *cloudwatch.ListMetricsInput) bool {
	same := func(want, have *string) bool { return want == nil || *want == *have }
	return same(in.Namespace, s.metric.Namespace) && same(in.MetricName, s.metric.MetricName) &&
		!slices.ContainsFunc(in.Dimensions, func(f types.DimensionFilter) bool {
			return !slices.ContainsFunc(s.metric.Dimensions, func(d types.Dimension) bool {
				return aws.ToString(f.Name) == *d.Name && same(f.Value, d.Value)
			})
		})
}

// shows reports whether a metric was published lately, and not only just now.
func (s *series) shows(active types.RecentlyActive, now int64) bool {
	since, last := int64(never), int64(-never)
	if len(s.hours) > 0 {
		since, last = s.since, s.last
	}
	for _, r := range s.runs {
		if r.begin < min(r.end, now+1) {
			since, last = min(since, r.begin), max(last, min(r.end-1, now))
		}
	}
	age := int64(forgotten)
	if active != "" {
		age = recent
	}
	return now-since >= unseen && now-last <= age
}
