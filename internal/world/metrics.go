package world

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// metricKey names one metric of one account and region.
type metricKey struct{ account, region, namespace, name, dimensions string }

// datum is a point of a metric, stamped with its minute, the resolution of a standard metric.
type datum struct {
	minute               int64 // since 1970
	count, sum, min, max float64
}

// keepData is how long the points of a metric are kept at least; longer where an alarm looks further back.
const keepData = 180 // minutes

// series is one metric: its points in the order of time, and the alarms that watch it.
type series struct {
	metric      types.Metric
	points      []datum // those that were put
	runs        []*run  // those that metrics helpers publish
	keep        int64   // minutes
	hours       []hour  // of points, in their order
	since, last int64   // the minutes in which points were first put, or put again after two weeks without any, and last put
	alarms      []*metricAlarm
}

func minuteOf(t time.Time) int64 { return t.Unix() / 60 }

// add inserts a point in the order of time, and from time to time forgets those that nothing looks at any more.
func (s *series) add(d datum, now int64) {
	if len(s.points) == cap(s.points) {
		s.points = slices.Delete(s.points, 0, s.from(now-s.keep))
	}
	at := len(s.points)
	if at > 0 && s.points[at-1].minute > d.minute {
		at = s.from(d.minute)
	}
	s.points = slices.Insert(s.points, at, d)
	s.note(d, now)
	if now-s.last > forgotten {
		s.since = now
	}
	s.last = now
}

// from is the index of the first point that is not before a minute.
func (s *series) from(minute int64) int {
	at, _ := slices.BinarySearchFunc(s.points, minute, func(p datum, m int64) int { return cmp.Compare(p.minute, m) })
	return at
}

// over is all that was published from one minute until before another; a count of 0: nothing.
func (s *series) over(from, until int64) datum {
	total := datum{min: math.Inf(1), max: math.Inf(-1)}
	add := func(p datum) {
		total.count, total.sum = total.count+p.count, total.sum+p.sum
		total.min, total.max = math.Min(total.min, p.min), math.Max(total.max, p.max)
	}
	for i := len(s.points) - 1; i >= 0 && s.points[i].minute >= from; i-- {
		if s.points[i].minute < until {
			add(s.points[i])
		}
	}
	for _, r := range s.runs {
		r.over(from, until, add)
	}
	return total
}

// newest is the minute of the newest point; false: there is none.
func (s *series) newest() (int64, bool) {
	if len(s.points) == 0 {
		return 0, false
	}
	return s.points[len(s.points)-1].minute, true
}

// value is the statistic of what was published.
func (d datum) value(s types.Statistic) float64 {
	switch s {
	case types.StatisticSampleCount:
		return d.count
	case types.StatisticSum:
		return d.sum
	case types.StatisticMinimum:
		return d.min
	case types.StatisticMaximum:
		return d.max
	}
	return d.sum / d.count
}

// dimensionsOf is a canonical text of dimensions: a metric with other dimensions is another metric.
func dimensionsOf(dimensions []types.Dimension) string {
	if len(dimensions) == 1 {
		return aws.ToString(dimensions[0].Name) + "=" + aws.ToString(dimensions[0].Value)
	}
	sorted := slices.SortedFunc(slices.Values(dimensions), func(a, b types.Dimension) int { return cmp.Compare(aws.ToString(a.Name), aws.ToString(b.Name)) })
	text := ""
	for _, d := range sorted {
		text += aws.ToString(d.Name) + "=" + aws.ToString(d.Value) + "\x00"
	}
	return text
}

// metrics are the metrics and alarms of all accounts and regions.
type metrics struct {
	series map[metricKey]*series
	in     map[place][]*series // the same
	alarms map[alarmKey]*metricAlarm
	rates  map[alarmKey]*bucket // by operation in place of the alarm's name
}

func (m *metrics) of(at place, namespace, name string, dimensions []types.Dimension) *series {
	k := metricKey{at.account, at.region, namespace, name, dimensionsOf(dimensions)}
	s, ok := m.series[k]
	if !ok {
		s = &series{keep: keepData, metric: types.Metric{Namespace: &namespace, MetricName: &name, Dimensions: slices.Clone(dimensions)}}
		m.series[k] = s
		m.in[at] = append(m.in[at], s)
	}
	return s
}

func (w *World) putMetricData(c *Call, in *cloudwatch.PutMetricDataInput) (*cloudwatch.PutMetricDataOutput, error) {
	if !w.admits(c, dataPuts) {
		return nil, throttling()
	}
	if err := w.checkMetricData(in); err != nil {
		return nil, err
	}
	now := w.clock.Now()
	for _, m := range in.MetricData {
		d := datumOf(m, now)
		s := w.metrics.of(place{c.Account, c.Region}, *in.Namespace, *m.MetricName, m.Dimensions)
		s.add(d, minuteOf(now))
		for _, a := range s.alarms {
			if !a.confirms(d, minuteOf(now)) {
				w.look(a, now)
			}
		}
	}
	return &cloudwatch.PutMetricDataOutput{}, nil
}

// checkMetricData holds a request against the limits of the API reference, PutMetricData and MetricDatum.
func (w *World) checkMetricData(in *cloudwatch.PutMetricDataInput) error {
	const past, future = 14 * 24 * time.Hour, 2 * time.Hour
	bad := func(format string, args ...any) error {
		return &types.InvalidParameterValueException{Message: aws.String(fmt.Sprintf(format, args...))}
	}
	switch name := *in.Namespace; {
	case name == "" || len(name) > 255 || strings.HasPrefix(name, "AWS/") || name[0] == ':':
		return bad("The value %s for parameter Namespace is invalid.", name)
	case len(in.MetricData) > 1000:
		return bad("The collection MetricData must not have a size greater than 1000.")
	case len(in.EntityMetricData) > 0:
		return bad("EntityMetricData is not simulated.")
	}
	now := w.clock.Now()
	for i, m := range in.MetricData {
		switch {
		case aws.ToString(m.MetricName) == "" || len(*m.MetricName) > 255:
			return bad("The parameter MetricData.member.%d.MetricName is invalid.", i+1)
		case len(m.Dimensions) > 30:
			return bad("The collection MetricData.member.%d.Dimensions must not have a size greater than 30.", i+1)
		case (m.Value == nil) == (m.StatisticValues == nil) || m.Values != nil:
			return bad("The parameter MetricData.member.%d must have exactly one of Value and StatisticValues.", i+1)
		case m.Value != nil && (math.IsNaN(*m.Value) || math.IsInf(*m.Value, 0)):
			return bad("The value %g for parameter MetricData.member.%d.Value is invalid.", *m.Value, i+1)
		case m.Timestamp != nil && (m.Timestamp.Before(now.Add(-past)) || m.Timestamp.After(now.Add(future))):
			return bad("The parameter MetricData.member.%d.Timestamp must specify a time within the past two weeks and at most two hours ahead.", i+1)
		case slices.ContainsFunc(m.Dimensions, func(d types.Dimension) bool { return aws.ToString(d.Name) == "" || aws.ToString(d.Value) == "" }):
			return bad("The parameter MetricData.member.%d.Dimensions has an empty name or value.", i+1)
		}
	}
	return nil
}

func datumOf(m types.MetricDatum, now time.Time) datum {
	if m.Timestamp != nil {
		now = *m.Timestamp
	}
	if v := m.StatisticValues; v != nil {
		return datum{minuteOf(now), *v.SampleCount, *v.Sum, *v.Minimum, *v.Maximum}
	}
	return datum{minuteOf(now), 1, *m.Value, *m.Value, *m.Value}
}
