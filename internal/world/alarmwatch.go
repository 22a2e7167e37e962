package world

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// watch is what an alarm watches: a formula over metrics of one period, in seconds. That of an alarm on one metric is the metric itself.
type watch struct {
	formula *formula
	metrics []types.MetricStat
	period  int32
}

// input is a metric that an alarm watches, and the statistic of it.
type input struct {
	*series
	stat types.Statistic
}

// mostMetrics is how many metrics a formula of an alarm may have (facts-aws 3.1).
const mostMetrics = 10

// watchedBy is what a request would have an alarm watch.
func watchedBy(in *cloudwatch.PutMetricAlarmInput) (watch, error) {
	switch {
	case in.ExtendedStatistic != nil || in.ThresholdMetricId != nil || in.EvaluationCriteria != nil:
		return watch{}, invalid("Percentiles, anomaly detection and PromQL are not simulated.")
	case len(in.Metrics) > 0:
		return mathOf(in)
	}
	m := types.MetricStat{
		Metric: &types.Metric{Namespace: in.Namespace, MetricName: in.MetricName, Dimensions: in.Dimensions},
		Period: in.Period, Stat: aws.String(string(in.Statistic)),
	}
	return watch{&formula{op: aMetric, series: true}, []types.MetricStat{m}, aws.ToInt32(in.Period)}, checkStat(&m)
}

// mathOf is what an alarm on a formula watches: two metrics or more, and one expression over them that returns data. The messages are
// CloudWatch's where others saw them (cfn-lint #766 and #1944, terraform-provider-aws #29894).
func mathOf(in *cloudwatch.PutMetricAlarmInput) (watch, error) {
	for _, f := range []field{
		{"Namespace", in.Namespace != nil}, {"MetricName", in.MetricName != nil}, {"Dimensions", in.Dimensions != nil},
		{"Period", in.Period != nil}, {"Unit", in.Unit != ""}, {"Statistic", in.Statistic != ""},
	} {
		if f.set {
			return watch{}, invalid("%s should not be set if list of Metrics is set.", f.name)
		}
	}
	returning := slices.DeleteFunc(slices.Clone(in.Metrics), func(q types.MetricDataQuery) bool { return q.ReturnData != nil && !*q.ReturnData })
	switch {
	case len(returning) != 1:
		return watch{}, invalid("Exactly one element of the metrics list should return data.")
	case returning[0].Expression == nil || len(in.Metrics) < 3 || len(in.Metrics) > mostMetrics+1:
		return watch{}, invalid("Only one expression over 2 to %d metrics is simulated.", mostMetrics)
	}
	w, ids := watch{}, map[string]int{}
	for _, q := range in.Metrics {
		if err := w.add(q, ids); err != nil {
			return watch{}, err
		}
	}
	f, err := parseFormula(*returning[0].Expression, ids)
	if err != nil {
		return watch{}, err
	}
	w.formula = f
	return w, nil
}

// add adds a query's metric, if it is no expression, and notes its id.
func (w *watch) add(q types.MetricDataQuery, ids map[string]int) error {
	_, taken := ids[*q.Id]
	switch m := q.MetricStat; {
	case !isQueryID(*q.Id) || taken:
		return invalid("Invalid metrics list: the id %q is there twice, or is no lower-case letter with letters, digits and underscores behind it.", *q.Id)
	case (m == nil) == (q.Expression == nil):
		return invalid("Invalid metrics list: %s must have exactly one of MetricStat and Expression.", *q.Id)
	case q.AccountId != nil || q.Period != nil:
		return invalid("AccountId and Period of a query are not simulated.")
	case m == nil:
		return nil
	case len(w.metrics) > 0 && aws.ToInt32(m.Period) != w.period:
		return invalid("Metrics of different periods are not simulated.")
	default:
		ids[*q.Id] = len(w.metrics)
		w.metrics, w.period = append(w.metrics, *m), aws.ToInt32(m.Period)
		return checkStat(m)
	}
}

// checkStat holds a metric and its statistic against the limits of the API reference, MetricStat.
func checkStat(m *types.MetricStat) error {
	stat := types.Statistic(aws.ToString(m.Stat))
	switch {
	case aws.ToString(m.Metric.Namespace) == "" || aws.ToString(m.Metric.MetricName) == "":
		return invalid("Namespace and MetricName are required.")
	case !slices.Contains(stat.Values(), stat):
		return invalid("Statistic must be one of %v.", stat.Values())
	case len(m.Metric.Dimensions) > 30:
		return invalid("A metric has at most 30 dimensions.")
	}
	return nil
}

// cloned are queries that share nothing that others may change.
func cloned(queries []types.MetricDataQuery) []types.MetricDataQuery {
	all := slices.Clone(queries)
	for i := range all {
		if s := all[i].MetricStat; s != nil {
			stat, metric := *s, *s.Metric
			metric.Dimensions = slices.Clone(metric.Dimensions)
			stat.Metric = &metric
			all[i].MetricStat = &stat
		}
	}
	return all
}
