package world_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/world"
)

// fullness is an alarm as cniguard makes it: two of three periods of five minutes at 80 or more.
func fullness(name string) *cloudwatch.PutMetricAlarmInput {
	return &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String(name), Namespace: aws.String("CNIGuard"), MetricName: aws.String("Fullness"),
		Dimensions: []types.Dimension{{Name: aws.String("ClusterName"), Value: aws.String("prod")}},
		Statistic:  types.StatisticMaximum, Period: aws.Int32(300), EvaluationPeriods: aws.Int32(3), DatapointsToAlarm: aws.Int32(2),
		ComparisonOperator: types.ComparisonOperatorGreaterThanOrEqualToThreshold, Threshold: aws.Float64(80),
	}
}

func (s *stage) alarm(offset time.Duration, in *cloudwatch.PutMetricAlarmInput) {
	s.at(offset, func(ctx context.Context, c *world.Client) {
		if _, err := c.PutMetricAlarm(ctx, in); err != nil {
			s.Errorf("put alarm: %v", err)
		}
	})
}

// publish has a point of the alarm's metric published at an offset, stamped with it.
func (s *stage) publish(offset time.Duration, value float64) {
	s.plan(offset, func(ctx context.Context, c *world.Client) { s.put(ctx, c, noon.Add(offset), value) })
}

func (s *stage) put(ctx context.Context, c *world.Client, stamp time.Time, value float64) {
	_, err := c.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String("CNIGuard"), MetricData: []types.MetricDatum{{
		MetricName: aws.String("Fullness"), Timestamp: aws.Time(stamp), Value: aws.Float64(value),
		Dimensions: []types.Dimension{{Name: aws.String("ClusterName"), Value: aws.String("prod")}},
	}}})
	if err != nil {
		s.Errorf("put data: %v", err)
	}
}

func (s *stage) states() string {
	return timeline(s.entries(world.Truth, "alarm"), func(e world.Entry) string { return string(e.Data.(world.AlarmChange).To) })
}

// Points come every five minutes from the first minute on: X is at the threshold, 0 below it, - not published.
func TestAlarmOverTime(t *testing.T) {
	for _, c := range []struct {
		name, points, missing string
		want                  string
	}{
		{"the first good point ends insufficient data a minute after it", "0", "", "1m0s OK, 26m0s INSUFFICIENT_DATA"},
		{"one breaching point does not alarm until the next could not help", "X", "", "6m0s ALARM, 26m0s INSUFFICIENT_DATA"},
		{"the second breaching point alarms a minute after it", "0 X X X", "", "1m0s OK, 11m0s ALARM, 41m0s INSUFFICIENT_DATA"},
		{"one breaching point between good ones does not alarm", "0 X 0 0", "", "1m0s OK, 41m0s INSUFFICIENT_DATA"},
		{"the alarm recovers with the second good point of three", "X X X 0 0 0", "", "6m0s ALARM, 21m0s OK, 51m0s INSUFFICIENT_DATA"},
		{"a gap of one period is bridged by older data", "0 0 0 - 0 0", "", "1m0s OK, 51m0s INSUFFICIENT_DATA"},
		{"a gap in an alarm keeps it", "X X X - X X", "", "6m0s ALARM, 51m0s INSUFFICIENT_DATA"},
		{"missing data that is ignored keeps the state", "X X X", "ignore", "6m0s ALARM"},
		{"missing data that is good ends the alarm", "X X X", "notBreaching", "0s OK, 6m0s ALARM, 31m0s OK"},
		{"missing data that is breaching alarms before the first point and after the last", "0 0 0", "breaching", "0s ALARM, 6m0s OK, 31m0s ALARM"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := set(t, 1, nil)
			in := fullness("full")
			if c.missing != "" {
				in.TreatMissingData = aws.String(c.missing)
			}
			s.alarm(0, in)
			for i, p := range strings.Fields(c.points) {
				if p != "-" {
					s.publish(time.Duration(5*i)*time.Minute+time.Second, map[string]float64{"X": 80, "0": 79.9}[p])
				}
			}
			s.until(24 * time.Hour)
			if got := s.states(); got != c.want {
				t.Errorf("%s:\n got %s\nwant %s", c.points, got, c.want)
			}
		})
	}
}

func TestAnAlarmSeesDataThatWasThereBeforeIt(t *testing.T) {
	s := set(t, 1, nil)
	s.publish(0, 90)
	s.publish(5*time.Minute, 90)
	s.alarm(7*time.Minute, fullness("full"))
	s.until(8 * time.Minute)
	if got := s.states(); got != "7m0s ALARM" {
		t.Error(got)
	}
}

func TestANewThresholdKeepsTheStateUntilTheNextEvaluation(t *testing.T) {
	s := set(t, 1, nil)
	s.alarm(0, fullness("full"))
	for i := range 4 {
		s.publish(time.Duration(5*i)*time.Minute, 85)
	}
	s.until(16 * time.Minute)
	higher := fullness("full")
	higher.Threshold = aws.Float64(90)
	s.alarm(16*time.Minute+30*time.Second, higher)
	if a, _ := s.Alarm(hubAccount, hubRegion, "full"); a.StateValue != types.StateValueAlarm || *a.Threshold != 90 {
		t.Errorf("right after the put: %s at %g, want ALARM at 90", a.StateValue, *a.Threshold)
	}
	s.until(17 * time.Minute)
	if a, _ := s.Alarm(hubAccount, hubRegion, "full"); a.StateValue != types.StateValueOk {
		t.Errorf("after the next minute: %s, want OK", a.StateValue)
	}
	s.publish(20*time.Minute, 85)
	s.until(time.Hour)
	if got := s.states(); got != "6m0s ALARM, 17m0s OK, 46m0s INSUFFICIENT_DATA" {
		t.Errorf("the alarm that was replaced goes on: %s", got)
	}
}

func TestAStateThatIsSetHoldsUntilTheNextEvaluation(t *testing.T) {
	for missing, want := range map[string]string{
		"ignore":       "1s ALARM",
		"missing":      "1s ALARM, 1m0s INSUFFICIENT_DATA",
		"notBreaching": "0s OK, 1s ALARM, 1m0s OK",
	} {
		t.Run(missing, func(t *testing.T) {
			s := set(t, 1, nil)
			in := fullness("full")
			in.TreatMissingData = &missing
			s.alarm(0, in)
			s.at(time.Second, func(ctx context.Context, c *world.Client) {
				for range 2 { // the second changes nothing
					if _, err := c.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{
						AlarmName: in.AlarmName, StateValue: types.StateValueAlarm, StateReason: aws.String("a test"),
					}); err != nil {
						t.Error(err)
					}
				}
			})
			s.until(time.Hour)
			if got := s.states(); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestAStateThatCannotBeSetIsRefused(t *testing.T) {
	s := set(t, 1, nil)
	s.alarm(0, fullness("full"))
	s.at(time.Second, func(ctx context.Context, c *world.Client) {
		reason := aws.String("a test")
		var missing *types.ResourceNotFound
		if _, err := c.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("none"), StateValue: types.StateValueAlarm, StateReason: reason}); !errors.As(err, &missing) {
			t.Errorf("of no alarm: %v, want ResourceNotFound", err)
		}
		if _, err := c.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("full"), StateValue: "FULL", StateReason: reason}); err == nil {
			t.Error("a state that there is not was set")
		}
	})
	s.until(time.Minute)
	if got := s.states(); got != "" {
		t.Errorf("changed to %s", got)
	}
}

func TestADeletedAlarmIsNotEvaluated(t *testing.T) {
	s := set(t, 1, nil)
	s.alarm(0, fullness("full"))
	s.publish(0, 90)
	s.publish(5*time.Minute, 90)
	s.at(3*time.Minute, func(ctx context.Context, c *world.Client) {
		var missing *types.ResourceNotFound
		if _, err := c.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"full", "none"}}); !errors.As(err, &missing) {
			t.Errorf("with an unknown name: %v, want ResourceNotFound", err)
		}
		if _, ok := s.Alarm(hubAccount, hubRegion, "full"); !ok {
			t.Error("a call that failed has deleted an alarm")
		}
		if _, err := c.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"full"}}); err != nil {
			t.Error(err)
		}
	})
	s.until(time.Hour)
	if got := s.states(); got != "" {
		t.Errorf("changed to %s", got)
	}
}

// The world evaluates an alarm only when something can change it. This asks every minute, and must find the same.
func TestLazyEvaluationFindsWhatEvaluationEveryMinuteFinds(t *testing.T) {
	statistics := []types.Statistic{types.StatisticMaximum, types.StatisticMinimum, types.StatisticAverage, types.StatisticSum, types.StatisticSampleCount}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 0))
		s := set(t, seed, nil)
		in := fullness("full")
		in.Statistic = statistics[r.IntN(len(statistics))]
		in.Period = aws.Int32(int32(60 * (1 + r.IntN(6))))
		in.EvaluationPeriods = aws.Int32(int32(1 + r.IntN(4)))
		in.DatapointsToAlarm = aws.Int32(int32(1 + r.IntN(int(*in.EvaluationPeriods))))
		in.TreatMissingData = aws.String([]string{"missing", "ignore", "breaching", "notBreaching"}[r.IntN(4)])
		in.Threshold = aws.Float64(float64(r.IntN(4)))
		s.alarm(0, in)
		var points []point
		usual := float64(r.IntN(5))
		for at := time.Duration(0); at < 3*time.Hour; at += time.Duration(1+r.IntN(600)) * time.Second {
			p := point{at: at, value: usual}
			if r.IntN(4) == 0 {
				p.value = float64(r.IntN(5))
			}
			if r.IntN(8) == 0 {
				at += time.Duration(r.IntN(60)) * time.Minute // a gap
			}
			p.at += 300 * time.Millisecond
			points = append(points, p)
			stamp := p.at + time.Duration(r.IntN(3)-1)*time.Duration(r.IntN(4))*time.Minute // late, in time or early
			points[len(points)-1].at = max(0, stamp)
			points[len(points)-1].published = p.at
			s.plan(p.at, func(ctx context.Context, c *world.Client) { s.put(ctx, c, noon.Add(max(0, stamp)), p.value) })
		}
		was := types.StateValueInsufficientData
		for minute := range 6 * 60 {
			was = naive(in, points, minute, was)
			s.until(time.Duration(minute)*time.Minute + 500*time.Millisecond)
			if a, _ := s.Alarm(hubAccount, hubRegion, "full"); a.StateValue != was {
				t.Fatalf("seed %d, minute %d, %s of %d s, %d of %d, missing %s: %s, want %s\n%v", seed, minute, in.Statistic, *in.Period,
					*in.DatapointsToAlarm, *in.EvaluationPeriods, *in.TreatMissingData, a.StateValue, was, points)
			}
		}
	}
}

type point struct {
	at        time.Duration
	value     float64
	published time.Duration
}

// naive evaluates an alarm at a minute.
func naive(in *cloudwatch.PutMetricAlarmInput, points []point, minute int, was types.StateValue) types.StateValue {
	period, n := int(*in.Period)/60, int(*in.EvaluationPeriods)
	var seen []world.Period
	for i := n + 1; i >= 0; i-- {
		until := minute - 1 - i*period // the last minute of the period
		var values []float64
		for _, p := range points {
			m := int(p.at / time.Minute)
			if p.published < time.Duration(minute)*time.Minute && m > until-period && m <= until {
				values = append(values, p.value)
			}
		}
		switch {
		case len(values) == 0:
			seen = append(seen, world.NoData)
		case statistic(in.Statistic, values) >= *in.Threshold:
			seen = append(seen, world.Breaching)
		default:
			seen = append(seen, world.Within)
		}
	}
	return world.Evaluation{Periods: n, Points: int(*in.DatapointsToAlarm), Missing: *in.TreatMissingData}.State(seen, was)
}

func statistic(s types.Statistic, values []float64) float64 {
	low, high, sum := values[0], values[0], 0.0
	for _, v := range values {
		low, high, sum = min(low, v), max(high, v), sum+v
	}
	return map[types.Statistic]float64{
		types.StatisticMinimum: low, types.StatisticMaximum: high, types.StatisticSum: sum,
		types.StatisticSampleCount: float64(len(values)), types.StatisticAverage: sum / float64(len(values)),
	}[s]
}

func TestACalmAlarmCostsFewEvents(t *testing.T) {
	s := set(t, 1, nil)
	s.alarm(0, fullness("full"))
	const points = 2 * 24 * 12
	for i := range points {
		s.publish(time.Duration(5*i)*time.Minute, 50)
	}
	// A point costs two events, the start of its process and the call's latency. The rest are evaluations.
	if evaluations := s.clock.Run(noon.Add(48*time.Hour)) - 2*points; evaluations > points/3 {
		t.Errorf("%d evaluations for %d points", evaluations, points)
	}
}

// Facts 1.5/shape, 1.5/time.
func TestAnAlarmTellsItsBusAndItsTopics(t *testing.T) {
	s := set(t, 1, nil)
	var got [][]byte
	s.Deploy(world.Function{Name: "urgent", Timeout: time.Minute, Rules: event.Rules(), Boot: func() world.Handler {
		return func(_ context.Context, raw []byte) error { got = append(got, raw); return nil }
	}})
	in := fullness("cniguard-prod-pod-subnets")
	in.AlarmDescription, in.AlarmActions = aws.String("full"), []string{"arn:aws:sns:eu-central-1:111122223333:ops"}
	s.alarm(0, in)
	s.publish(0, 90)
	s.publish(5*time.Minute, 90)
	s.until(time.Hour)
	if len(got) != 2 {
		t.Fatalf("%d events, want ALARM and INSUFFICIENT_DATA:\n%s", len(got), got)
	}
	var e struct {
		ID, Time, Account, Region, Source string
		DetailType                        string `json:"detail-type"`
		Resources                         []string
		Detail                            struct {
			AlarmName            string
			State, PreviousState struct{ Value, Timestamp string }
			Configuration        struct {
				Metrics []struct {
					MetricStat struct {
						Period int
						Metric struct{ Dimensions map[string]string }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(got[0], &e); err != nil {
		t.Fatal(err)
	}
	have := fmt.Sprintf("%s %s %s %s %s %v | %s %s %s %s %s %v", e.Time, e.Account, e.Region, e.Source, e.DetailType, e.Resources,
		e.Detail.AlarmName, e.Detail.PreviousState.Value, e.Detail.PreviousState.Timestamp, e.Detail.State.Value, e.Detail.State.Timestamp,
		e.Detail.Configuration.Metrics[0].MetricStat.Metric.Dimensions)
	want := "2026-11-23T12:06:00Z 111122223333 eu-central-1 aws.cloudwatch CloudWatch Alarm State Change " +
		"[arn:aws:cloudwatch:eu-central-1:111122223333:alarm:cniguard-prod-pod-subnets] | cniguard-prod-pod-subnets " +
		"INSUFFICIENT_DATA 2026-11-23T12:00:00.000+0000 ALARM 2026-11-23T12:06:00.000+0000 map[ClusterName:prod]"
	if diff := cmp.Diff(want, have); diff != "" {
		t.Error(diff)
	}
	if told := s.entries(world.Published, ""); len(told) != 1 || !strings.Contains(told[0].Text, `ALARM: "cniguard-prod-pod-subnets"`) {
		t.Errorf("messages: %v, want one about ALARM", told)
	}
	if trigger, err := event.Decode(got[0]); err != nil || trigger.Cluster.Name != "prod" {
		t.Errorf("package event reads it as %+v, %v", trigger, err)
	}
}
