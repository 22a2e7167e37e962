package world

import (
	"cmp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

func (w *World) putMetricAlarm(c *Call, in *cloudwatch.PutMetricAlarmInput) (*cloudwatch.PutMetricAlarmOutput, error) {
	if !w.admits(c, alarmPuts) {
		return nil, throttling()
	}
	watched, err := watchedBy(in)
	if err := cmp.Or(err, checkAlarm(in), checkWindow(in, watched.period), checkActions(c.Region, in), checkTags(in.Tags)); err != nil {
		return nil, err
	}
	k := alarmKey{c.Account, c.Region, *in.AlarmName}
	old := w.metrics.alarms[k]
	if old == nil && len(in.Tags) > 0 {
		if err := w.need(c, "cloudwatch:TagResource"); err != nil { // facts-aws 3.1
			return nil, err
		}
	}
	w.replace(old, w.newAlarm(c, in, watched))
	return &cloudwatch.PutMetricAlarmOutput{}, nil
}

// replace has an alarm stand, in the place of an old one unless that is nil.
func (w *World) replace(old, a *metricAlarm) {
	now := w.clock.Now()
	a.AlarmConfigurationUpdatedTimestamp = aws.Time(now)
	a.StateValue, a.StateReason = types.StateValueInsufficientData, aws.String("Unchecked: Initial alarm creation")
	a.StateUpdatedTimestamp, a.StateTransitionedTimestamp = aws.Time(now), aws.Time(now)
	operation := "create"
	if old != nil {
		operation = "update"
		// "When you update an existing alarm, its state is left unchanged" (API reference, PutMetricAlarm).
		a.StateValue, a.StateReason = old.StateValue, old.StateReason
		a.StateUpdatedTimestamp, a.StateTransitionedTimestamp = old.StateUpdatedTimestamp, old.StateTransitionedTimestamp
		a.tags = old.tags // "any tags you specify in this parameter are ignored"
		old.end()
	}
	for _, in := range a.inputs {
		in.keep = max(in.keep, a.span())
		if !slices.Contains(in.alarms, a) {
			in.alarms = append(in.alarms, a)
		}
	}
	w.metrics.alarms[alarmKey{a.account, a.region, *a.AlarmName}] = a
	w.publish(a.configured(operation, old), bestEffort)
	w.look(a, now)
}

// end takes an alarm out of evaluation.
func (a *metricAlarm) end() {
	a.gone = true
	for _, in := range a.inputs {
		in.alarms = slices.DeleteFunc(in.alarms, func(b *metricAlarm) bool { return a == b })
	}
}

func (w *World) newAlarm(c *Call, in *cloudwatch.PutMetricAlarmInput, watched watch) *metricAlarm {
	a := &metricAlarm{account: c.Account, region: c.Region, tags: tagged(nil, in.Tags), period: int64(watched.period) / 60, formula: watched.formula}
	for _, m := range watched.metrics {
		s := w.metrics.of(place{c.Account, c.Region}, *m.Metric.Namespace, *m.Metric.MetricName, m.Metric.Dimensions)
		a.inputs = append(a.inputs, input{s, types.Statistic(*m.Stat)})
	}
	a.MetricAlarm = types.MetricAlarm{
		AlarmName: in.AlarmName, AlarmArn: aws.String(alarmARN(c.Account, c.Region, *in.AlarmName)), AlarmDescription: in.AlarmDescription,
		ActionsEnabled: aws.Bool(in.ActionsEnabled == nil || *in.ActionsEnabled),
		AlarmActions:   slices.Clone(in.AlarmActions), OKActions: slices.Clone(in.OKActions),
		InsufficientDataActions: slices.Clone(in.InsufficientDataActions),
		Namespace:               in.Namespace, MetricName: in.MetricName, Dimensions: slices.Clone(in.Dimensions), Unit: in.Unit, Metrics: cloned(in.Metrics),
		Statistic: in.Statistic, Period: in.Period, EvaluationPeriods: in.EvaluationPeriods, DatapointsToAlarm: in.DatapointsToAlarm,
		ComparisonOperator: in.ComparisonOperator, Threshold: in.Threshold, TreatMissingData: in.TreatMissingData,
	}
	a.rule = Evaluation{Periods: int(*in.EvaluationPeriods), Points: int(*in.EvaluationPeriods), Missing: "missing"}
	if in.DatapointsToAlarm != nil {
		a.rule.Points = int(*in.DatapointsToAlarm)
	}
	if in.TreatMissingData != nil {
		a.rule.Missing = *in.TreatMissingData
	}
	return a
}

// checkAlarm holds a request against the limits of the API reference, PutMetricAlarm.
func checkAlarm(in *cloudwatch.PutMetricAlarmInput) error {
	periods := aws.ToInt32(in.EvaluationPeriods)
	switch {
	case *in.AlarmName == "" || len(*in.AlarmName) > 255:
		return invalid("AlarmName must have 1 to 255 characters.")
	case in.EvaluationWindow != nil || in.WarmUpConfiguration != nil || in.ActionConfiguration != nil:
		return invalid("EvaluationWindow, WarmUpConfiguration and ActionConfiguration are not simulated.")
	case in.Threshold == nil:
		return invalid("Threshold is required.")
	case !slices.Contains(in.ComparisonOperator.Values()[:4], in.ComparisonOperator):
		return invalid("ComparisonOperator must be one of %v.", in.ComparisonOperator.Values()[:4])
	case in.DatapointsToAlarm != nil && (*in.DatapointsToAlarm < 1 || *in.DatapointsToAlarm > periods):
		return invalid("DatapointsToAlarm must be 1 to EvaluationPeriods.")
	case in.TreatMissingData != nil && !slices.Contains([]string{"missing", "ignore", "breaching", "notBreaching"}, *in.TreatMissingData):
		return invalid("TreatMissingData must be missing, ignore, breaching or notBreaching.")
	case max(len(in.AlarmActions), len(in.OKActions), len(in.InsufficientDataActions)) > 5:
		return invalid("An alarm has at most five actions for a state.")
	}
	return nil
}

// checkWindow holds an alarm's period and number of periods against those limits.
func checkWindow(in *cloudwatch.PutMetricAlarmInput, period int32) error {
	periods := aws.ToInt32(in.EvaluationPeriods)
	window := time.Duration(period) * time.Duration(periods) * time.Second
	switch {
	case period <= 0 || period%60 != 0:
		return invalid("Period must be a multiple of 60 seconds.")
	case periods < 1 || window > 7*24*time.Hour || window > 24*time.Hour && period < 3600:
		return invalid("EvaluationPeriods times Period must be at most a day, or a week with a period of an hour or more.")
	}
	return nil
}
