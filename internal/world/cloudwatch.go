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

// cloudwatchCalls are the simulated operations of CloudWatch. Not simulated are percentiles, anomaly detection, composite alarms, high
// resolution, and metric math but that of a formula: asking for them is an error.
func cloudwatchCalls() map[string]handler {
	return map[string]handler{
		"DescribeAlarms":      on((*World).describeAlarms),
		"PutMetricAlarm":      on((*World).putMetricAlarm),
		"DeleteAlarms":        on((*World).deleteAlarms),
		"SetAlarmState":       on((*World).setAlarmState),
		"TagResource":         on((*World).tagResource),
		"ListTagsForResource": on((*World).listTagsForResource),
		"PutMetricData":       on((*World).putMetricData),
		"GetMetricData":       on((*World).getMetricData),
		"ListMetrics":         on((*World).listMetrics),
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
	w.metrics = metrics{series: map[metricKey]*series{}, in: map[place][]*series{}, alarms: map[alarmKey]*metricAlarm{}, rates: map[alarmKey]*bucket{}}
	w.openRuns()
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
	m.Metrics = cloned(m.Metrics)
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
