package cloud_test

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

func (c client) DescribeAlarms(ctx context.Context, in *cloudwatch.DescribeAlarmsInput, o ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error) {
	if err := c.record(ctx, "DescribeAlarms", in, o); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []cwtypes.MetricAlarm
	for _, a := range c.alarms {
		name := aws.ToString(a.AlarmName)
		if slices.Contains(in.AlarmNames, name) || in.AlarmNamePrefix != nil && strings.HasPrefix(name, *in.AlarmNamePrefix) {
			found = append(found, a)
		}
	}
	some, next := page(found, in.NextToken)
	return &cloudwatch.DescribeAlarmsOutput{MetricAlarms: some, NextToken: next}, nil
}

// PutMetricAlarm keeps the alarm, if CloudWatch would take it.
func (c client) PutMetricAlarm(ctx context.Context, in *cloudwatch.PutMetricAlarmInput, o ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricAlarmOutput, error) {
	if err := c.record(ctx, "PutMetricAlarm", in, o); err != nil {
		return nil, err
	}
	single := in.Namespace != nil || in.MetricName != nil || in.Dimensions != nil || in.Period != nil || in.Statistic != "" || in.Unit != ""
	if single == (in.Metrics != nil) {
		c.t.Errorf("alarm %s: a metric's settings: %t, and metrics: %v; want one of both", *in.AlarmName, single, in.Metrics)
	}
	c.checkIDs(in.Metrics)
	watched := slices.DeleteFunc(slices.Clone(in.Metrics), func(q cwtypes.MetricDataQuery) bool { return !aws.ToBool(q.ReturnData) })
	if in.Metrics != nil && len(watched) != 1 {
		c.t.Errorf("alarm %s watches %d results", *in.AlarmName, len(watched))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alarms = append(slices.DeleteFunc(c.alarms, func(a cwtypes.MetricAlarm) bool { return *a.AlarmName == *in.AlarmName }), cwtypes.MetricAlarm{
		AlarmName: in.AlarmName, AlarmDescription: in.AlarmDescription, Namespace: in.Namespace, MetricName: in.MetricName, Dimensions: in.Dimensions,
		Statistic: in.Statistic, Period: in.Period, Metrics: in.Metrics, EvaluationPeriods: in.EvaluationPeriods, DatapointsToAlarm: in.DatapointsToAlarm,
		ComparisonOperator: in.ComparisonOperator, Threshold: in.Threshold, TreatMissingData: in.TreatMissingData, ActionsEnabled: in.ActionsEnabled,
		AlarmActions: in.AlarmActions, OKActions: in.OKActions, InsufficientDataActions: in.InsufficientDataActions,
		StateValue: cwtypes.StateValueInsufficientData, StateUpdatedTimestamp: &start,
	})
	return &cloudwatch.PutMetricAlarmOutput{}, nil
}

// checkIDs holds queries to the form of an id (CloudWatch API reference, MetricDataQuery), each of its own.
func (c client) checkIDs(queries []cwtypes.MetricDataQuery) {
	seen := map[string]bool{}
	for _, q := range queries {
		if id := aws.ToString(q.Id); seen[id] || !regexp.MustCompile(`^[a-z][A-Za-z0-9_]*$`).MatchString(id) {
			c.t.Errorf("the id %q of a query is there twice, or of no allowed form", id)
		}
		seen[aws.ToString(q.Id)] = true
	}
}

func (c client) DeleteAlarms(ctx context.Context, in *cloudwatch.DeleteAlarmsInput, o ...func(*cloudwatch.Options)) (*cloudwatch.DeleteAlarmsOutput, error) {
	return &cloudwatch.DeleteAlarmsOutput{}, c.record(ctx, "DeleteAlarms", in, o)
}

func (c client) TagResource(ctx context.Context, in *cloudwatch.TagResourceInput, o ...func(*cloudwatch.Options)) (*cloudwatch.TagResourceOutput, error) {
	return &cloudwatch.TagResourceOutput{}, c.record(ctx, "TagResource", in, o)
}

func (c client) PutMetricData(ctx context.Context, in *cloudwatch.PutMetricDataInput, o ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricDataOutput, error) {
	return &cloudwatch.PutMetricDataOutput{}, c.record(ctx, "PutMetricData", in, o)
}

func (c client) GetMetricData(ctx context.Context, in *cloudwatch.GetMetricDataInput, o ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	if err := c.record(ctx, "GetMetricData", in, o); err != nil {
		return nil, err
	}
	c.checkIDs(in.MetricDataQueries)
	if len(c.history) == 0 {
		return &cloudwatch.GetMetricDataOutput{}, nil
	}
	i := 0
	if in.NextToken != nil {
		i, _ = strconv.Atoi(*in.NextToken)
	}
	out := &cloudwatch.GetMetricDataOutput{MetricDataResults: c.history[i : i+1]}
	if i+1 < len(c.history) {
		out.NextToken = aws.String(strconv.Itoa(i + 1))
	}
	return out, nil
}

func (c client) ListMetrics(ctx context.Context, in *cloudwatch.ListMetricsInput, o ...func(*cloudwatch.Options)) (*cloudwatch.ListMetricsOutput, error) {
	if err := c.record(ctx, "ListMetrics", in, o); err != nil {
		return nil, err
	}
	var found []cwtypes.Metric
	for _, m := range c.metrics {
		if *m.Namespace == *in.Namespace && *m.MetricName == *in.MetricName {
			found = append(found, m)
		}
	}
	some, next := page(found, in.NextToken)
	return &cloudwatch.ListMetricsOutput{Metrics: some, NextToken: next}, nil
}
