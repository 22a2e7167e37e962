package cloud

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
)

func (l *look) readAlarms(ctx context.Context) ([]alarm.Standing, *fault.Fault) {
	var standing []alarm.Standing
	in := &cloudwatch.DescribeAlarmsInput{AlarmNames: alarm.Names(l.id)}
	for out, f := range pages(ctx, l.clock, "cloudwatch:DescribeAlarms", cloudwatch.NewDescribeAlarmsPaginator(l.CloudWatch, in)) {
		if f != nil {
			return nil, f
		}
		for _, a := range out.MetricAlarms {
			standing = append(standing, alarm.Standing{Spec: toSpec(a), State: alarm.State(a.StateValue), Since: since(a)})
		}
	}
	return standing, nil
}

// since is when an alarm came into its state: StateTransitionedTimestamp, where CloudWatch says it. The other one moves with what it
// knows of the evaluation, too (API reference, MetricAlarm).
func since(a types.MetricAlarm) time.Time {
	if a.StateTransitionedTimestamp != nil {
		return *a.StateTransitionedTimestamp
	}
	return aws.ToTime(a.StateUpdatedTimestamp)
}

// fromSpec is the call that makes an alarm so. It sets no Unit, because an alarm with one sees only data with the same. Its tags
// count when the alarm is made; CloudWatch ignores them when it is changed.
func fromSpec(s alarm.Spec) *cloudwatch.PutMetricAlarmInput {
	in := &cloudwatch.PutMetricAlarmInput{
		AlarmName:          &s.Name,
		AlarmDescription:   &s.Description,
		EvaluationPeriods:  aws.Int32(int32(s.Evaluation)),
		DatapointsToAlarm:  aws.Int32(int32(s.Points)),
		ComparisonOperator: types.ComparisonOperator(s.Comparison),
		Threshold:          &s.Threshold,
		TreatMissingData:   &s.Missing,
		ActionsEnabled:     aws.Bool(true),
		AlarmActions:       s.Actions,
		OKActions:          s.Actions,
		Tags:               tags(s),
	}
	if s.Expression != "" { // then it takes none of the other settings of a metric (CloudWatch API reference, PutMetricAlarm, Metrics)
		in.Metrics = queries(s)
		return in
	}
	in.Namespace, in.MetricName, in.Dimensions = &s.Namespace, &s.Metric, dimensions(s)
	in.Statistic, in.Period = types.Statistic(s.Statistic), aws.Int32(int32(s.Period))
	return in
}

func dimensions(s alarm.Spec) []types.Dimension {
	var all []types.Dimension
	for _, name := range slices.Sorted(maps.Keys(s.Dimensions)) {
		all = append(all, types.Dimension{Name: aws.String(name), Value: aws.String(s.Dimensions[name])})
	}
	return all
}

// queries are the metrics of an alarm on an expression, by their ids, and at last the expression.
func queries(s alarm.Spec) []types.MetricDataQuery {
	var all []types.MetricDataQuery
	for _, id := range slices.Sorted(maps.Keys(s.Terms)) {
		all = append(all, types.MetricDataQuery{Id: aws.String(id), ReturnData: aws.Bool(false), MetricStat: &types.MetricStat{
			Metric: &types.Metric{Namespace: &s.Namespace, MetricName: aws.String(s.Terms[id]), Dimensions: dimensions(s)},
			Period: aws.Int32(int32(s.Period)), Stat: &s.Statistic,
		}})
	}
	return append(all, types.MetricDataQuery{Id: aws.String("result"), Expression: &s.Expression, ReturnData: aws.Bool(true)})
}

func tags(s alarm.Spec) []types.Tag {
	all := make([]types.Tag, 0, len(s.Tags))
	for _, key := range slices.Sorted(maps.Keys(s.Tags)) {
		all = append(all, types.Tag{Key: aws.String(key), Value: aws.String(s.Tags[key])})
	}
	return all
}

// toSpec reads an alarm. What a Spec has no field for, and cniguard never sets, is written where it makes a difference, so that a
// change by hand is seen.
func toSpec(a types.MetricAlarm) alarm.Spec {
	s := alarm.Spec{
		Name:        aws.ToString(a.AlarmName),
		Description: aws.ToString(a.AlarmDescription),
		Namespace:   aws.ToString(a.Namespace),
		Metric:      aws.ToString(a.MetricName),
		Dimensions:  dimensionsOf(a.Dimensions),
		Statistic:   strings.TrimSpace(string(a.Statistic) + aws.ToString(a.ExtendedStatistic) + " " + string(a.Unit)),
		Period:      int(aws.ToInt32(a.Period)),
		Evaluation:  int(aws.ToInt32(a.EvaluationPeriods)),
		Points:      int(aws.ToInt32(a.DatapointsToAlarm)),
		Comparison:  string(a.ComparisonOperator),
		Threshold:   aws.ToFloat64(a.Threshold),
		Missing:     cmp.Or(aws.ToString(a.TreatMissingData), "missing"),
		Actions:     actions(a),
	}
	if a.DatapointsToAlarm == nil {
		s.Points = s.Evaluation
	}
	if len(a.Metrics) > 0 {
		readQueries(&s, a.Metrics)
	}
	if _, wallClock := a.EvaluationWindow.(*types.EvaluationWindowMemberWallClockWindow); wallClock {
		s.Statistic += " by the wall clock"
	}
	if w := a.WarmUpConfiguration; w != nil && aws.ToInt32(w.WarmUpPeriodDurationInMinutes) != 0 {
		s.Missing += " and while it warms up"
	}
	return s
}

func dimensionsOf(dimensions []types.Dimension) map[string]string {
	var all map[string]string
	for _, d := range dimensions {
		if all == nil {
			all = map[string]string{}
		}
		all[aws.ToString(d.Name)] = aws.ToString(d.Value)
	}
	return all
}

// readQueries reads an alarm on an expression. Where its queries are not those that a Spec makes, the expression is taken for another.
func readQueries(s *alarm.Spec, have []types.MetricDataQuery) {
	s.Terms = map[string]string{}
	for _, q := range have {
		if m := q.MetricStat; m != nil && m.Metric != nil {
			s.Terms[aws.ToString(q.Id)] = aws.ToString(m.Metric.MetricName)
			s.Namespace, s.Dimensions = aws.ToString(m.Metric.Namespace), dimensionsOf(m.Metric.Dimensions)
			s.Statistic, s.Period = aws.ToString(m.Stat), int(aws.ToInt32(m.Period))
		}
		s.Expression = cmp.Or(s.Expression, aws.ToString(q.Expression))
	}
	if !reflect.DeepEqual(bare(have), bare(queries(*s))) {
		s.Expression += " of other queries"
	}
}

// bare are queries in the order of their ids, without labels, which change nothing but a graph.
func bare(queries []types.MetricDataQuery) []types.MetricDataQuery {
	all := slices.Clone(queries)
	for i, q := range all {
		all[i].Label, all[i].ReturnData = nil, aws.Bool(aws.ToBool(q.ReturnData))
	}
	slices.SortFunc(all, func(a, b types.MetricDataQuery) int { return cmp.Compare(aws.ToString(a.Id), aws.ToString(b.Id)) })
	return all
}

// actions are what an alarm tells on ALARM and on OK. CloudWatch promises no order, and none matters.
func actions(a types.MetricAlarm) []string {
	all, ok := slices.Clone(a.AlarmActions), slices.Clone(a.OKActions)
	slices.Sort(all)
	slices.Sort(ok)
	if !slices.Equal(all, ok) {
		all = append(all, "on OK: "+strings.Join(ok, ", "))
	}
	if len(a.InsufficientDataActions) > 0 {
		all = append(all, "on INSUFFICIENT_DATA: "+strings.Join(a.InsufficientDataActions, ", "))
	}
	if a.ActionsEnabled != nil && !*a.ActionsEnabled {
		all = append(all, "disabled")
	}
	return all
}

// Alarms lists the names of all alarms of cniguard for clusters in a unit, in order.
func (c *Cloud) Alarms(ctx context.Context, u event.Unit) ([]string, error) {
	k := c.at(access.Observer, u.Account, u.Region)
	var names []string
	in := &cloudwatch.DescribeAlarmsInput{
		AlarmNamePrefix: aws.String(alarm.Prefix), AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm}, MaxRecords: aws.Int32(100),
	}
	for out, f := range pages(ctx, c.clock, "cloudwatch:DescribeAlarms", cloudwatch.NewDescribeAlarmsPaginator(k.CloudWatch, in)) {
		if f != nil {
			return nil, fmt.Errorf("list the alarms of %s in %s: %w", u.Account, u.Region, f)
		}
		for _, a := range out.MetricAlarms {
			name := aws.ToString(a.AlarmName)
			if _, ours := alarm.Cluster(name); ours && alarm.Kept(aws.ToString(a.AlarmDescription)) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names, nil
}
