package world

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"

	"github.com/cniguard/cniguard/internal/cluster"
)

// cloudwatchCalls are the simulated operations of CloudWatch. Not simulated are metric math, percentiles, anomaly
// detection, composite alarms and high resolution: asking for them is an error.
func cloudwatchCalls() map[string]handler {
	return map[string]handler{
		"DescribeAlarms": on((*World).describeAlarms),
		"PutMetricAlarm": on((*World).putMetricAlarm),
		"DeleteAlarms":   on((*World).deleteAlarms),
		"SetAlarmState":  on((*World).setAlarmState),
		"PutMetricData":  on((*World).putMetricData),
	}
}

// Calls a second in one account and region (CloudWatch user guide, "CloudWatch service quotas").
const (
	alarmPuts = 3
	dataPuts  = 500
)

// invalid is CloudWatch's answer to input that its model allows and it does not.
func invalid(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationError", Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient}
}

type alarmKey struct{ account, region, name string }

// bucket lets so many calls through in a second.
type bucket struct {
	tokens float64
	at     time.Time
}

// admits reports whether a call is within the rate of its operation in its account and region, in calls a second.
func (w *World) admits(c *Call, rate float64) bool {
	k, now := alarmKey{c.Account, c.Region, c.Op}, w.Now()
	b, ok := w.metrics.rates[k]
	if !ok {
		b = &bucket{tokens: rate}
		w.metrics.rates[k] = b
	}
	b.tokens, b.at = min(rate, b.tokens+rate*now.Sub(b.at).Seconds()), now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

func throttling() error {
	return &smithy.GenericAPIError{Code: "Throttling", Message: "Rate exceeded", Fault: smithy.FaultClient}
}

func (w *World) openCloudWatch() {
	w.metrics = metrics{series: map[metricKey]*series{}, alarms: map[alarmKey]*metricAlarm{}, rates: map[alarmKey]*bucket{}}
}

func (w *World) putMetricAlarm(c *Call, in *cloudwatch.PutMetricAlarmInput) (*cloudwatch.PutMetricAlarmOutput, error) {
	if !w.admits(c, alarmPuts) {
		return nil, throttling()
	}
	if err := cmp.Or(checkAlarm(in), checkActions(c.Region, in)); err != nil {
		return nil, err
	}
	now, k := w.clock.Now(), alarmKey{c.Account, c.Region, *in.AlarmName}
	a := newAlarm(c, in)
	a.AlarmConfigurationUpdatedTimestamp = aws.Time(now)
	a.StateValue, a.StateReason = types.StateValueInsufficientData, aws.String("Unchecked: Initial alarm creation")
	a.StateUpdatedTimestamp, a.StateTransitionedTimestamp = aws.Time(now), aws.Time(now)
	operation, old := "create", w.metrics.alarms[k]
	if old != nil {
		operation = "update"
		// "When you update an existing alarm, its state is left unchanged" (API reference, PutMetricAlarm).
		a.StateValue, a.StateReason = old.StateValue, old.StateReason
		a.StateUpdatedTimestamp, a.StateTransitionedTimestamp = old.StateUpdatedTimestamp, old.StateTransitionedTimestamp
		old.end()
	}
	a.series = w.metrics.of(metricKey{c.Account, c.Region, *in.Namespace, *in.MetricName, dimensionsOf(in.Dimensions)})
	a.series.keep = max(a.series.keep, a.span())
	a.series.alarms = append(a.series.alarms, a)
	w.metrics.alarms[k] = a
	w.publish(a.configured(operation, old), bestEffort)
	w.look(a, now)
	return &cloudwatch.PutMetricAlarmOutput{}, nil
}

// end takes an alarm out of evaluation.
func (a *metricAlarm) end() {
	a.gone = true
	a.series.alarms = slices.DeleteFunc(a.series.alarms, func(b *metricAlarm) bool { return a == b })
}

func newAlarm(c *Call, in *cloudwatch.PutMetricAlarmInput) *metricAlarm {
	a := &metricAlarm{account: c.Account, region: c.Region, period: int64(*in.Period) / 60}
	a.MetricAlarm = types.MetricAlarm{
		AlarmName: in.AlarmName, AlarmArn: aws.String(alarmARN(c.Account, c.Region, *in.AlarmName)), AlarmDescription: in.AlarmDescription,
		ActionsEnabled: aws.Bool(in.ActionsEnabled == nil || *in.ActionsEnabled),
		AlarmActions:   slices.Clone(in.AlarmActions), OKActions: slices.Clone(in.OKActions),
		InsufficientDataActions: slices.Clone(in.InsufficientDataActions),
		Namespace:               in.Namespace, MetricName: in.MetricName, Dimensions: slices.Clone(in.Dimensions), Unit: in.Unit,
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
	period, periods := aws.ToInt32(in.Period), aws.ToInt32(in.EvaluationPeriods)
	window := time.Duration(period) * time.Duration(periods) * time.Second
	switch {
	case *in.AlarmName == "" || len(*in.AlarmName) > 255:
		return invalid("AlarmName must have 1 to 255 characters.")
	case in.Metrics != nil || in.ExtendedStatistic != nil || in.ThresholdMetricId != nil || in.EvaluationCriteria != nil:
		return invalid("Only alarms on one metric and one statistic are simulated.")
	case in.EvaluationWindow != nil || in.WarmUpConfiguration != nil || in.ActionConfiguration != nil:
		return invalid("EvaluationWindow, WarmUpConfiguration and ActionConfiguration are not simulated.")
	case aws.ToString(in.Namespace) == "" || aws.ToString(in.MetricName) == "" || in.Threshold == nil:
		return invalid("Namespace, MetricName and Threshold are required.")
	case !slices.Contains(in.Statistic.Values(), in.Statistic):
		return invalid("Statistic must be one of %v.", in.Statistic.Values())
	case !slices.Contains(in.ComparisonOperator.Values()[:4], in.ComparisonOperator):
		return invalid("ComparisonOperator must be one of %v.", in.ComparisonOperator.Values()[:4])
	case period <= 0 || period%60 != 0:
		return invalid("Period must be a multiple of 60 seconds.")
	case periods < 1 || window > 7*24*time.Hour || window > 24*time.Hour && period < 3600:
		return invalid("EvaluationPeriods times Period must be at most a day, or a week with a period of an hour or more.")
	case in.DatapointsToAlarm != nil && (*in.DatapointsToAlarm < 1 || *in.DatapointsToAlarm > periods):
		return invalid("DatapointsToAlarm must be 1 to EvaluationPeriods.")
	case in.TreatMissingData != nil && !slices.Contains([]string{"missing", "ignore", "breaching", "notBreaching"}, *in.TreatMissingData):
		return invalid("TreatMissingData must be missing, ignore, breaching or notBreaching.")
	case max(len(in.AlarmActions), len(in.OKActions), len(in.InsufficientDataActions)) > 5:
		return invalid("An alarm has at most five actions for a state.")
	case len(in.Dimensions) > 30 || len(in.Tags) > 50:
		return invalid("An alarm has at most 30 dimensions and 50 tags.")
	}
	return nil
}

func (w *World) deleteAlarms(c *Call, in *cloudwatch.DeleteAlarmsInput) (*cloudwatch.DeleteAlarmsOutput, error) {
	if len(in.AlarmNames) > 100 {
		return nil, invalid("At most 100 alarms can be deleted in one call.")
	}
	// "In the event of an error, no alarms are deleted" (API reference, DeleteAlarms).
	for _, name := range in.AlarmNames {
		if _, ok := w.metrics.alarms[alarmKey{c.Account, c.Region, name}]; !ok {
			return nil, &types.ResourceNotFound{Message: aws.String("The named resource does not exist: " + name)}
		}
	}
	for _, name := range in.AlarmNames {
		k := alarmKey{c.Account, c.Region, name}
		if a, ok := w.metrics.alarms[k]; ok {
			a.end()
			delete(w.metrics.alarms, k)
			w.publish(a.configured("delete", nil), bestEffort)
		}
	}
	return &cloudwatch.DeleteAlarmsOutput{}, nil
}

// describeAlarms lists metric alarms by name or prefix in the order of their names, a page at a time.
func (w *World) describeAlarms(c *Call, in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
	switch {
	case in.AlarmNames != nil && in.AlarmNamePrefix != nil:
		return nil, invalid("AlarmNames and AlarmNamePrefix must not be given together.")
	case len(in.AlarmNames) > 100:
		return nil, invalid("At most 100 alarm names can be given.")
	case in.MaxRecords != nil && (*in.MaxRecords < 1 || *in.MaxRecords > 100):
		return nil, invalid("MaxRecords must be 1 to 100.")
	case in.ActionPrefix != nil || in.ChildrenOfAlarmName != nil || in.ParentsOfAlarmName != nil:
		return nil, invalid("ActionPrefix, ChildrenOfAlarmName and ParentsOfAlarmName are not simulated.")
	}
	found := w.alarmsOf(c, in)
	usual := int32(50)
	from, until, next, err := w.page(len(found), in.NextToken, cmp.Or(in.MaxRecords, &usual), 100)
	if err != nil {
		return nil, &types.InvalidNextToken{Message: aws.String(err.Error())}
	}
	out := &cloudwatch.DescribeAlarmsOutput{NextToken: next}
	for _, a := range found[from:until] {
		out.MetricAlarms = append(out.MetricAlarms, a.shown())
	}
	return out, nil
}

// shown is what others may see of an alarm, and change without changing it.
func (a *metricAlarm) shown() types.MetricAlarm {
	m := a.MetricAlarm
	m.AlarmActions, m.OKActions = slices.Clone(m.AlarmActions), slices.Clone(m.OKActions)
	m.InsufficientDataActions, m.Dimensions = slices.Clone(m.InsufficientDataActions), slices.Clone(m.Dimensions)
	return m
}

// alarmsOf are the alarms that a request asks for.
func (w *World) alarmsOf(c *Call, in *cloudwatch.DescribeAlarmsInput) []*metricAlarm {
	var found []*metricAlarm
	take := func(a *metricAlarm) {
		if in.StateValue == "" || a.StateValue == in.StateValue {
			found = append(found, a)
		}
	}
	if in.AlarmNames != nil {
		for _, name := range in.AlarmNames {
			if a, ok := w.metrics.alarms[alarmKey{c.Account, c.Region, name}]; ok {
				take(a)
			}
		}
	} else {
		for k, a := range w.metrics.alarms {
			if k.account == c.Account && k.region == c.Region && strings.HasPrefix(k.name, aws.ToString(in.AlarmNamePrefix)) {
				take(a)
			}
		}
	}
	slices.SortFunc(found, func(a, b *metricAlarm) int { return strings.Compare(*a.AlarmName, *b.AlarmName) })
	return slices.Compact(found)
}

func alarmARN(account, region, name string) string {
	return "arn:" + cluster.PartitionOf(region).Name + ":cloudwatch:" + region + ":" + account + ":alarm:" + name
}
