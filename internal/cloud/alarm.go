package cloud

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/fault"
)

func (l *look) readAlarms(ctx context.Context) ([]alarm.Standing, *fault.Fault) {
	var standing []alarm.Standing
	in := &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{alarm.Name(l.id)}}
	for out, f := range pages(ctx, l.clock, "cloudwatch:DescribeAlarms", cloudwatch.NewDescribeAlarmsPaginator(l.CloudWatch, in)) {
		if f != nil {
			return nil, f
		}
		for _, a := range out.MetricAlarms {
			standing = append(standing, alarm.Standing{Spec: toSpec(a), State: alarm.State(a.StateValue), Since: aws.ToTime(a.StateUpdatedTimestamp)})
		}
	}
	return standing, nil
}

// fromSpec is the call that makes an alarm so. It sets no Unit, because an alarm with one sees only data with the same. Its tags
// count when the alarm is made; CloudWatch ignores them when it is changed.
func fromSpec(id cluster.ID, s alarm.Spec) *cloudwatch.PutMetricAlarmInput {
	in := &cloudwatch.PutMetricAlarmInput{
		AlarmName:          &s.Name,
		AlarmDescription:   &s.Description,
		Namespace:          &s.Namespace,
		MetricName:         &s.Metric,
		Statistic:          types.Statistic(s.Statistic),
		Period:             aws.Int32(int32(s.Period)),
		EvaluationPeriods:  aws.Int32(int32(s.Evaluation)),
		DatapointsToAlarm:  aws.Int32(int32(s.Points)),
		ComparisonOperator: types.ComparisonOperator(s.Comparison),
		Threshold:          &s.Threshold,
		TreatMissingData:   &s.Missing,
		ActionsEnabled:     aws.Bool(true),
		AlarmActions:       s.Actions,
		OKActions:          s.Actions,
		Tags: []types.Tag{
			{Key: aws.String("cluster"), Value: &id.Name},
			{Key: aws.String("made-by"), Value: aws.String("cniguard")},
		},
	}
	for _, name := range slices.Sorted(maps.Keys(s.Dimensions)) {
		in.Dimensions = append(in.Dimensions, types.Dimension{Name: aws.String(name), Value: aws.String(s.Dimensions[name])})
	}
	return in
}

// toSpec reads an alarm. What a Spec has no field for, and cniguard never sets, is written where it makes a difference, so that a
// change by hand is seen.
func toSpec(a types.MetricAlarm) alarm.Spec {
	s := alarm.Spec{
		Name:        aws.ToString(a.AlarmName),
		Description: aws.ToString(a.AlarmDescription),
		Namespace:   aws.ToString(a.Namespace),
		Metric:      aws.ToString(a.MetricName),
		Statistic:   strings.TrimSpace(string(a.Statistic) + aws.ToString(a.ExtendedStatistic) + " " + string(a.Unit)),
		Period:      int(aws.ToInt32(a.Period)),
		Evaluation:  int(aws.ToInt32(a.EvaluationPeriods)),
		Points:      int(aws.ToInt32(a.DatapointsToAlarm)),
		Comparison:  string(a.ComparisonOperator),
		Threshold:   aws.ToFloat64(a.Threshold),
		Missing:     aws.ToString(a.TreatMissingData),
		Actions:     actions(a),
	}
	if a.DatapointsToAlarm == nil {
		s.Points = s.Evaluation
	}
	if a.TreatMissingData == nil {
		s.Missing = "missing"
	}
	for _, d := range a.Dimensions {
		if s.Dimensions == nil {
			s.Dimensions = map[string]string{}
		}
		s.Dimensions[aws.ToString(d.Name)] = aws.ToString(d.Value)
	}
	return s
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
