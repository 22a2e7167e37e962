package world

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/cniguard/cniguard/internal/cluster"
)

// metricAlarm is an alarm with what evaluates it. A put of the same name makes a new one that takes over the state.
type metricAlarm struct {
	types.MetricAlarm
	account, region string
	tags            map[string]string
	rule            Evaluation
	period          int64 // minutes
	formula         *formula
	inputs          []input   // what the formula is over
	due             time.Time // of the next evaluation; zero: none until data comes
	gone            bool      // deleted or replaced
}

// AlarmChange is the Data of a Truth entry about an alarm.
type AlarmChange struct {
	Name     string
	From, To types.StateValue
}

// Alarm is an alarm as it stands; false: there is none of this name.
func (w *World) Alarm(account, region, name string) (types.MetricAlarm, bool) {
	a, ok := w.metrics.alarms[alarmKey{account, region, name}]
	if !ok {
		return types.MetricAlarm{}, false
	}
	return a.shown(), true
}

// cluster is what an alarm is about, where a metric of it has a dimension ClusterName or is that of a metrics helper.
func (a *metricAlarm) cluster() cluster.ID {
	for _, in := range a.inputs {
		for _, d := range in.metric.Dimensions {
			if *d.Name == "ClusterName" {
				return cluster.ID{Account: a.account, Region: a.region, Name: *d.Value}
			}
		}
		if len(in.runs) > 0 {
			return in.runs[0].cluster
		}
	}
	return cluster.ID{}
}

// span is how many minutes an evaluation looks back.
func (a *metricAlarm) span() int64 { return int64(a.rule.Periods+lookBack) * a.period }

// breaches reports whether a value is on the wrong side of the threshold.
func (a *metricAlarm) breaches(value float64) bool {
	switch threshold := *a.Threshold; a.ComparisonOperator {
	case types.ComparisonOperatorGreaterThanThreshold:
		return value > threshold
	case types.ComparisonOperatorLessThanThreshold:
		return value < threshold
	case types.ComparisonOperatorLessThanOrEqualToThreshold:
		return value <= threshold
	default:
		return value >= threshold
	}
}

// see reads the periods that end at a minute, the oldest first. Periods slide: CloudWatch evaluates every minute on the
// periods that end there (CloudWatch user guide, "Evaluating an alarm").
func (a *metricAlarm) see(end int64) []Period {
	seen := make([]Period, a.rule.Periods+lookBack)
	var came [mostMetrics]reading
	for i := range seen {
		from := end - int64(len(seen)-i)*a.period
		for j, in := range a.inputs {
			came[j] = reading{}
			if d := in.over(from, from+a.period); d.count > 0 {
				came[j] = reading{d.value(in.stat), true}
			}
		}
		switch v := a.formula.at(came[:]); {
		case !v.there:
			seen[i] = NoData
		case a.breaches(v.number):
			seen[i] = Breaching
		default:
			seen[i] = Within
		}
	}
	return seen
}

// window is the end of the periods that are evaluated at an instant, or next after it, and that evaluation's instant.
func (w *World) window(after time.Time) (end int64, at time.Time) {
	delay := w.spec.Behaviour.AlarmDelay
	at = after.Add(-delay).Truncate(time.Minute)
	if at.Before(after.Add(-delay)) {
		at = at.Add(time.Minute)
	}
	return minuteOf(at) + 1, at.Add(delay)
}

// look has an alarm evaluated at the first evaluation from an instant on, unless it is evaluated before that anyway. So an
// alarm costs nothing while nothing can change it.
func (w *World) look(a *metricAlarm, from time.Time) {
	end, at := w.window(from)
	if !a.due.IsZero() && !at.Before(a.due) {
		return
	}
	a.due = at
	w.clock.After(at.Sub(w.clock.Now()), func() {
		if a.gone || !a.due.Equal(at) {
			return
		}
		a.due = time.Time{}
		w.evaluate(a, end)
		if next, ok := a.restless(end); ok {
			w.look(a, at.Add(time.Duration(next-end)*time.Minute))
		}
	})
}

// evaluate brings an alarm into the state that the periods ending at a minute call for.
func (w *World) evaluate(a *metricAlarm, end int64) {
	seen := a.see(end)
	now := a.rule.State(seen, a.StateValue)
	if now != a.StateValue {
		w.enter(a, now, a.reason(now, seen))
	}
}

// enter has an alarm come into another state, and tells of it.
func (w *World) enter(a *metricAlarm, now types.StateValue, reason string) {
	was := stateOf(a)
	a.StateValue, a.StateReason = now, &reason
	a.StateUpdatedTimestamp = aws.Time(w.clock.Now())
	a.StateTransitionedTimestamp = a.StateUpdatedTimestamp
	w.truth(a.cluster(), "alarm", AlarmChange{*a.AlarmName, was.Value, now}, fmt.Sprintf("%s %s -> %s", *a.AlarmArn, was.Value, now))
	w.publish(a.changed(was), forwarded)
	w.tell(a, was)
}

// setAlarmState sets a state that holds until an evaluation finds another one (API reference, SetAlarmState).
func (w *World) setAlarmState(c *Call, in *cloudwatch.SetAlarmStateInput) (*cloudwatch.SetAlarmStateOutput, error) {
	a, ok := w.metrics.alarms[alarmKey{c.Account, c.Region, *in.AlarmName}]
	switch {
	case !slices.Contains(in.StateValue.Values(), in.StateValue):
		return nil, invalid("StateValue must be one of %v.", in.StateValue.Values())
	case in.StateReasonData != nil:
		return nil, invalid("StateReasonData is not simulated.")
	case !ok:
		return nil, &types.ResourceNotFound{Message: aws.String("The named resource does not exist: " + *in.AlarmName)}
	case in.StateValue != a.StateValue:
		w.enter(a, in.StateValue, *in.StateReason)
		w.look(a, w.clock.Now())
	}
	return &cloudwatch.SetAlarmStateOutput{}, nil
}

// reason is the text that CloudWatch gives for a state, in the main.
func (a *metricAlarm) reason(now types.StateValue, seen []Period) string {
	real, breaching := 0, 0
	for _, p := range seen[lookBack:] {
		if p != NoData {
			real++
		}
		if p == Breaching {
			breaching++
		}
	}
	switch {
	case real == 0 && now == types.StateValueInsufficientData:
		return fmt.Sprintf("Insufficient Data: %d datapoints were unknown.", a.rule.Periods)
	case now == types.StateValueAlarm:
		return fmt.Sprintf("Threshold Crossed: %d out of the last %d datapoints breached the threshold (%g); missing data counts as %s.",
			breaching, a.rule.Periods, *a.Threshold, a.rule.Missing)
	}
	return fmt.Sprintf("Threshold Crossed: %d out of the last %d datapoints did not breach the threshold (%g); missing data counts as %s.",
		real-breaching, a.rule.Periods, *a.Threshold, a.rule.Missing)
}
