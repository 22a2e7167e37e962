package cloud

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
)

const (
	historyOp = "cloudwatch:GetMetricData"
	// hour is the density of a history. CloudWatch keeps points of five minutes for 63 days and those of an hour for 455 (user guide,
	// "Metrics retention"), and what it asks money for is the metric, not the points.
	hour = time.Hour
	// mostOthers is how many other CLUSTER_IDs are named.
	mostOthers = 10
)

// History reads the highest value in each hour since an instant of the metric that the meter publishes for a cluster. A metric that
// has no values, or that nobody published, is no fault.
func (c *Cloud) History(ctx context.Context, id cluster.ID, since time.Time) guard.Reading[[]capacity.Point] {
	api := c.at(access.Observer, id.Account, id.Region).CloudWatch
	series, f := c.hourly(ctx, api, since, metrics{alarm.Namespace, alarm.Dimension, id.Name, []string{alarm.Subnets}})
	if f != nil {
		return guard.Hidden[[]capacity.Point](f)
	}
	points := []capacity.Point{}
	for _, v := range series[0] {
		points = append(points, capacity.Point{At: v.at, Percent: v.highest})
	}
	return guard.Read(points)
}

// NodeMetrics reads what cni-metrics-helper published in the last hour under a CLUSTER_ID, and under which others it does in the account and
// region: it may not be the cluster's name (amazon-vpc-cni-k8s, cmd/cni-metrics-helper, README: AWS_CLUSTER_ID, tags, k8s-cluster).
func (c *Cloud) NodeMetrics(ctx context.Context, id cluster.ID, helperID string) guard.Reading[*capacity.NodeMetrics] {
	api := c.at(access.Observer, id.Account, id.Region).CloudWatch
	ids, f := c.publishers(ctx, api)
	if f != nil {
		return guard.Hidden[*capacity.NodeMetrics](f)
	}
	others := slices.DeleteFunc(slices.Clone(ids), func(other string) bool { return other == helperID })
	h := &capacity.NodeMetrics{Others: others[:min(len(others), mostOthers)]}
	if len(others) == len(ids) {
		return guard.Read(h)
	}
	h.ID = helperID
	series, f := c.hourly(ctx, api, c.clock.Now().Add(-hour),
		metrics{alarm.HelperNamespace, alarm.HelperDimension, helperID, []string{alarm.HelperAssigned, alarm.HelperTotal, alarm.HelperMax}})
	if f != nil {
		return guard.Hidden[*capacity.NodeMetrics](f)
	}
	for i, into := range []*int{&h.Assigned, &h.Total, &h.Max} {
		for _, v := range series[i] {
			*into = max(*into, int(v.highest))
		}
	}
	return guard.Read(h)
}

// publishers are the CLUSTER_IDs under which cni-metrics-helper published of late, in order.
func (c *Cloud) publishers(ctx context.Context, api CloudWatch) ([]string, *fault.Fault) {
	var ids []string
	in := &cloudwatch.ListMetricsInput{
		Namespace: aws.String(alarm.HelperNamespace), MetricName: aws.String(alarm.HelperMax), RecentlyActive: types.RecentlyActivePt3h,
	}
	for out, f := range pages(ctx, c.clock, "cloudwatch:ListMetrics", cloudwatch.NewListMetricsPaginator(api, in)) {
		if f != nil {
			return nil, f
		}
		for _, m := range out.Metrics {
			// A metric with one more dimension is another metric.
			if len(m.Dimensions) == 1 && aws.ToString(m.Dimensions[0].Name) == alarm.HelperDimension {
				ids = append(ids, plain.Clean(aws.ToString(m.Dimensions[0].Value), plain.Text))
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// metrics are metrics of one thing, which their only dimension names.
type metrics struct {
	namespace, dimension, of string
	names                    []string
}

// queries ask for the highest value in each hour. Their ids are those of the names.
func (m metrics) queries() []types.MetricDataQuery {
	all := make([]types.MetricDataQuery, len(m.names))
	for i, name := range m.names {
		all[i] = types.MetricDataQuery{Id: aws.String(fmt.Sprintf("m%d", i)), MetricStat: &types.MetricStat{
			Metric: &types.Metric{
				Namespace:  &m.namespace,
				MetricName: &name,
				Dimensions: []types.Dimension{{Name: &m.dimension, Value: &m.of}},
			},
			Period: aws.Int32(int32(hour.Seconds())),
			Stat:   aws.String(string(types.StatisticMaximum)),
		}}
	}
	return all
}

// value is the highest value of an hour.
type value struct {
	at      time.Time // the hour's beginning
	highest float64
}

// hourly reads the highest value in each hour since an instant of metrics, in the order of their names.
func (c *Cloud) hourly(ctx context.Context, api CloudWatch, since time.Time, m metrics) ([][]value, *fault.Fault) {
	in := &cloudwatch.GetMetricDataInput{
		// On the hour, as the API reference advises for periods of an hour (GetMetricData, StartTime).
		StartTime:         aws.Time(since.Truncate(hour)),
		EndTime:           aws.Time(c.clock.Now()),
		ScanBy:            types.ScanByTimestampAscending,
		MetricDataQueries: m.queries(),
	}
	series, last := make([][]value, len(m.names)), make([]types.StatusCode, len(m.names))
	for out, f := range pages(ctx, c.clock, historyOp, cloudwatch.NewGetMetricDataPaginator(api, in)) {
		if f != nil {
			return nil, f
		}
		for _, r := range out.MetricDataResults {
			i := slices.IndexFunc(in.MetricDataQueries, func(q types.MetricDataQuery) bool { return *q.Id == aws.ToString(r.Id) })
			if i < 0 || len(r.Timestamps) != len(r.Values) {
				return nil, unanswered(historyOp)
			}
			for j, at := range r.Timestamps {
				series[i] = append(series[i], value{at, r.Values[j]})
			}
			last[i] = r.StatusCode
		}
	}
	for _, status := range last {
		if status != types.StatusCodeComplete { // a part is not the whole, and silence is no empty history
			return nil, &fault.Fault{Kind: fault.Retry, Op: historyOp, Code: plain.Clean(string(status), plain.Text), Text: "the answer is not complete"}
		}
	}
	return series, nil
}
