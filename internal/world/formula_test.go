package world_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"

	"github.com/cniguard/cniguard/internal/world"
)

// onFormula is an alarm on a formula over metrics of the names a, b and so on, whose ids are the same: one period of a minute.
func onFormula(name, formula string, metrics ...string) *cloudwatch.PutMetricAlarmInput {
	in := &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String(name), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(0), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
		Metrics: []types.MetricDataQuery{{Id: aws.String("e1"), Expression: aws.String(formula), Label: aws.String("full"), ReturnData: aws.Bool(true)}},
	}
	for _, m := range metrics {
		in.Metrics = append(in.Metrics, types.MetricDataQuery{Id: aws.String(m), ReturnData: aws.Bool(false), MetricStat: &types.MetricStat{
			Metric: &types.Metric{Namespace: aws.String("Test"), MetricName: aws.String(m), Dimensions: []types.Dimension{{Name: aws.String("ClusterName"), Value: aws.String("prod")}}},
			Period: aws.Int32(60), Stat: aws.String("Maximum"),
		}})
	}
	return in
}

// tell publishes a point of a metric of onFormula.
func (s *stage) tell(ctx context.Context, c *world.Client, metric string, value float64) {
	_, err := c.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String("Test"), MetricData: []types.MetricDatum{{
		MetricName: aws.String(metric), Value: aws.Float64(value), Timestamp: aws.Time(s.Now()),
		Dimensions: []types.Dimension{{Name: aws.String("ClusterName"), Value: aws.String("prod")}},
	}}})
	if err != nil {
		s.Errorf("put data: %v", err)
	}
}

// The rules for what is missing are those of the CloudWatch user guide, "Metric math syntax and functions" and "Using IF expressions".
func TestAFormulasValue(t *testing.T) {
	for _, c := range []struct {
		name, formula string
		data          string // the points of a, b, c and d in the minute; - is none
		want          string
	}{
		{"multiplication binds closer than addition", "a+b*c", "2 3 4 -", "14"},
		{"division binds closer than subtraction", "a-b/c", "20 8 4 -", "18"},
		{"operators of one rank bind to the left", "a-b-c/d*2", "20 3 8 4", "13"},
		{"parentheses bind closest", "(a+b)*(c-d)", "2 3 4 1", "15"},
		{"numbers are constants", "100*a/b", "1 8 - -", "12.5"},
		{"numbers may have fractions", "a+b*0.25", "1 8 - -", "3"},
		{"spaces do not matter", " 100 * a\t/ b ", "1 8 - -", "12.5"},

		{"a metric that misses a point counts as 0 beside one that has it", "a+b", "5 - - -", "5"},
		{"no point where no metric has one", "a+b", "- - - -", "none"},
		{"a metric with a number has no point where it has none", "a+1+b*0", "- - - -", "none"},
		{"a missing metric times a number is missing, and then 0", "100*a/b", "- 8 - -", "0"},
		{"a point that divides by zero is dropped", "100*a/b", "5 0 - -", "none"},
		{"a missing divisor is zero", "100*a/b", "5 - - -", "none"},
		{"nothing divided by nothing is dropped", "100*a/b", "0 0 - -", "none"},
		{"what was dropped counts as 0 in a sum", "c+a/b", "5 0 7 -", "7"},

		{"IF takes the second argument where the condition is true", "IF(b>0, 100*a/b, 7)", "5 20 - -", "25"},
		{"IF takes the third where it is false, whatever the second divides by", "IF(b>0, 100*a/b, 7)", "5 0 - -", "7"},
		{"IF has no point where its condition has none", "IF(b>0, 100*a/b, 7)", "5 - - -", "none"},
		{"IF is 0 where the condition is true and the second argument has no point", "IF(a>0, b, c)", "1 - 9 -", "0"},
		{"IF has no point where the condition is false and the third has none", "IF(a>0, b, c)", "0 9 - -", "none"},
		{"IF on numbers takes what the metric has", "IF(1>0, a, b)", "- 9 - -", "none"},
		{"a comparison takes a missing metric for 0", "IF(a<b, c, d)", "- 1 5 6", "5"},
		{"more than", "IF(a>b, 1, 2)+c*0", "4 4 0 -", "2"},
		{"more than or the same", "IF(a>=b, 1, 2)+c*0", "4 4 0 -", "1"},
		{"less than", "IF(a<b, 1, 2)+c*0", "4 4 0 -", "2"},
		{"less than or the same", "IF(a<=b, 1, 2)+c*0", "4 4 0 -", "1"},
		{"the same", "IF(a==b, 1, 2)+c*0", "4 4 0 -", "1"},
		{"not the same", "IF(a==b, 1, 2)+c*0", "4 5 0 -", "2"},
		{"an IF within an IF", "IF(a>1, IF(b>1, 1, 2), IF(b>1, 3, 4))", "0 2 - -", "3"},
		{"an IF within a sum", "10+IF(a>1, b, c)*2", "2 4 5 -", "18"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := set(t, 1, nil)
			s.at(0, func(ctx context.Context, k *world.Client) {
				for i, p := range strings.Fields(c.data) {
					var v float64
					if _, err := fmt.Sscan(p, &v); err == nil {
						s.tell(ctx, k, "abcd"[i:i+1], v)
					}
				}
			})
			s.until(time.Second) // the points are of the first minute, and the alarms are put within it
			var want float64
			_, err := fmt.Sscan(c.want, &want)
			more, least := onFormula("more", c.formula, "a", "b", "c", "d"), onFormula("at least", c.formula, "a", "b", "c", "d")
			least.ComparisonOperator = types.ComparisonOperatorGreaterThanOrEqualToThreshold
			more.Threshold, least.Threshold = &want, &want
			s.alarm(time.Second, more)
			s.alarm(time.Second, least)
			s.until(70 * time.Second)
			get := func(name string) types.StateValue {
				a, _ := s.Alarm(hubAccount, hubRegion, name)
				return a.StateValue
			}
			wanted := [2]types.StateValue{ok, alarmed}
			if err != nil {
				wanted = [2]types.StateValue{noData, noData}
			}
			if got := [2]types.StateValue{get("more"), get("at least")}; got != wanted {
				t.Errorf("%s with %s: > and >= %s are %v, want %v", c.formula, c.data, c.want, got, wanted)
			}
		})
	}
}

func TestFormulasThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ formula, want string }{
		"a search":                    {"SEARCH('{Test,ClusterName}', 'Maximum', 60)", "several time series"},
		"a function":                  {"MAX(a)-b", "the function MAX is not simulated"},
		"a function in small letters": {"if(a>b,a,b)", `no metric "if"`},
		"FILL":                        {"FILL(a,0)+b", "the function FILL is not simulated"},
		"an unknown metric":           {"a+z", `no metric "z"`},
		"another expression":          {"e1+a", `no metric "e1"`},
		"only a number":               {"1+2", "time series"},
		"nothing":                     {"", "1 to 2048 characters"},
		"too much":                    {"a" + strings.Repeat("+b", 1024), "1 to 2048 characters"},
		"an operator without its end": {"a+", "want a metric"},
		"two metrics in a row":        {"a b", `"b" is not expected`},
		"a parenthesis left open":     {"(a+b", `want ")"`},
		"a parenthesis too many":      {"a+b)", `")" is not expected`},
		"a power":                     {"a^2", `"^" is not expected`},
		"a sign":                      {"-a+b", `not "-"`},
		"a comparison outside of IF":  {"a>b", `">" is not expected`},
		"IF without a comparison":     {"IF(a, b, 1)", "want a comparison"},
		"IF with an unequal":          {"IF(a!=b, a, b)", "want a comparison"},
		"IF with one argument less":   {"IF(a>b, a)", `want ","`},
		"IF with one argument more":   {"IF(a>b, a, b, a)", `want ")"`},
		"logic":                       {"IF(a>b AND b>1, a, b)", `want ","`},
		"a list":                      {"[a,b]", `not "["`},
		"a number in scientific form": {"a*1e3", `not "1e3"`},
		"a number with two points":    {"a*1.2.3", `not "1.2.3"`},
	} {
		t.Run(name, func(t *testing.T) {
			set(t, 1, nil).at(0, func(ctx context.Context, k *world.Client) {
				_, err := k.PutMetricAlarm(ctx, onFormula("m", c.formula, "a", "b"))
				var api smithy.APIError
				if !errors.As(err, &api) || api.ErrorCode() != "ValidationError" || !strings.Contains(api.ErrorMessage(), c.want) {
					t.Errorf("%s: %v, want ValidationError with %s", c.formula, err, c.want)
				}
			})
		})
	}
}

func TestMetricListsThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*cloudwatch.PutMetricAlarmInput)
		want   string
	}{
		"a metric name beside it":                      {func(in *cloudwatch.PutMetricAlarmInput) { in.MetricName = aws.String("M") }, "MetricName should not be set if list of Metrics is set."},
		"a statistic beside it":                        {func(in *cloudwatch.PutMetricAlarmInput) { in.Statistic = types.StatisticSum }, "Statistic should not be set if list of Metrics is set."},
		"a period beside it":                           {func(in *cloudwatch.PutMetricAlarmInput) { in.Period = aws.Int32(60) }, "Period should not be set if list of Metrics is set."},
		"nothing returns data":                         {func(in *cloudwatch.PutMetricAlarmInput) { in.Metrics[0].ReturnData = aws.Bool(false) }, "Exactly one element"},
		"what is left out is true, so two return data": {func(in *cloudwatch.PutMetricAlarmInput) { in.Metrics[1].ReturnData = nil }, "Exactly one element"},
		"a metric returns the data": {func(in *cloudwatch.PutMetricAlarmInput) {
			in.Metrics[0].ReturnData, in.Metrics[1].ReturnData = aws.Bool(false), aws.Bool(true)
		}, "Only one expression over 2 to 10 metrics"},
		"one metric": {func(in *cloudwatch.PutMetricAlarmInput) { in.Metrics = in.Metrics[:2] }, "Only one expression over 2 to 10 metrics"},
		"eleven metrics": {func(in *cloudwatch.PutMetricAlarmInput) {
			in.Metrics = onFormula("m", "a", strings.Split("abcdefghijk", "")...).Metrics
		}, "2 to 10 metrics"},
		"an id twice":          {func(in *cloudwatch.PutMetricAlarmInput) { in.Metrics[2].Id = aws.String("a") }, "Invalid metrics list"},
		"an id with a capital": {func(in *cloudwatch.PutMetricAlarmInput) { in.Metrics[2].Id = aws.String("B") }, "Invalid metrics list"},
		"an id with a dash":    {func(in *cloudwatch.PutMetricAlarmInput) { in.Metrics[2].Id = aws.String("b-c") }, "Invalid metrics list"},
		"neither of two":       {func(in *cloudwatch.PutMetricAlarmInput) { in.Metrics[2].MetricStat = nil }, "exactly one of MetricStat and Expression"},
		"both of two":          {func(in *cloudwatch.PutMetricAlarmInput) { in.Metrics[0].MetricStat = in.Metrics[1].MetricStat }, "exactly one of MetricStat and Expression"},
		"different periods":    {func(in *cloudwatch.PutMetricAlarmInput) { in.Metrics[2].MetricStat.Period = aws.Int32(300) }, "different periods"},
		"a period of 90 seconds": {func(in *cloudwatch.PutMetricAlarmInput) {
			in.Metrics[1].MetricStat.Period, in.Metrics[2].MetricStat.Period = aws.Int32(90), aws.Int32(90)
		}, "multiple of 60"},
		"a percentile":          {func(in *cloudwatch.PutMetricAlarmInput) { in.Metrics[2].MetricStat.Stat = aws.String("p99") }, "Statistic must be one of"},
		"another account":       {func(in *cloudwatch.PutMetricAlarmInput) { in.Metrics[2].AccountId = aws.String("444455556666") }, "not simulated"},
		"a metric without name": {func(in *cloudwatch.PutMetricAlarmInput) { in.Metrics[2].MetricStat.Metric.MetricName = nil }, "MetricName"},
		"no threshold":          {func(in *cloudwatch.PutMetricAlarmInput) { in.Threshold = nil }, "Threshold"},
	} {
		t.Run(name, func(t *testing.T) {
			set(t, 1, nil).at(0, func(ctx context.Context, k *world.Client) {
				in := onFormula("m", "a+b", "a", "b")
				c.change(in)
				_, err := k.PutMetricAlarm(ctx, in)
				var api smithy.APIError
				if !errors.As(err, &api) || api.ErrorCode() != "ValidationError" || !strings.Contains(api.ErrorMessage(), c.want) {
					t.Errorf("%v, want ValidationError with %s", err, c.want)
				}
			})
		})
	}
}
