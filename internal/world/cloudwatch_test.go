package world_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/world"
)

func TestPutMetricAlarmIsLimitedToThreeASecondInAnAccountAndRegion(t *testing.T) {
	s := set(t, 1, nil)
	for i := range 9 {
		s.plan(0, func(ctx context.Context, c *world.Client) {
			if _, err := c.PutMetricAlarm(ctx, fullness(fmt.Sprint("alarm-", i))); err != nil {
				var api smithy.APIError
				if !errors.As(err, &api) || api.ErrorCode() != "Throttling" {
					t.Errorf("%v, want Throttling", err)
				}
			}
		})
	}
	s.plan(0, func(ctx context.Context, _ *world.Client) {
		if _, err := s.Client(caller, hubAccount, "eu-west-1").PutMetricAlarm(ctx, fullness("elsewhere")); err != nil {
			t.Errorf("in another region: %v", err)
		}
	})
	s.until(0)
	made := 0
	for i := range 9 {
		if _, ok := s.Alarm(hubAccount, hubRegion, fmt.Sprint("alarm-", i)); ok {
			made++
		}
	}
	if made != 3 {
		t.Errorf("%d alarms made at once, want 3", made)
	}
	s.until(5 * time.Minute)
}

func TestDescribeAlarmsPages(t *testing.T) {
	s := set(t, 1, func(spec *world.Spec) { spec.Behaviour.PageSize = 2 })
	for i := range 5 {
		s.alarm(time.Duration(i)*time.Second, fullness(fmt.Sprint("cniguard-", i)))
	}
	s.alarm(6*time.Second, fullness("other"))
	list := func(ctx context.Context, c *world.Client, in cloudwatch.DescribeAlarmsInput) (pages []string) {
		for {
			out, err := c.DescribeAlarms(ctx, &in)
			if err != nil {
				t.Error(err)
				return pages
			}
			var names []string
			for _, a := range out.MetricAlarms {
				names = append(names, *a.AlarmName)
			}
			pages = append(pages, strings.Join(names, " "))
			if in.NextToken = out.NextToken; in.NextToken == nil {
				return pages
			}
		}
	}
	s.at(time.Minute, func(ctx context.Context, c *world.Client) {
		for name, want := range map[string]struct {
			in    cloudwatch.DescribeAlarmsInput
			pages []string
		}{
			"by prefix": {cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String("cniguard-")}, []string{"cniguard-0 cniguard-1", "cniguard-2 cniguard-3", "cniguard-4"}},
			"by name":   {cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"other", "none", "cniguard-3"}}, []string{"cniguard-3 other"}},
			"one each":  {cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"other", "cniguard-3"}, MaxRecords: aws.Int32(1)}, []string{"cniguard-3", "other"}},
			"by state":  {cloudwatch.DescribeAlarmsInput{StateValue: types.StateValueOk}, []string{""}},
		} {
			if diff := cmp.Diff(want.pages, list(ctx, c, want.in)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	})
}

func TestWhatCloudWatchRefuses(t *testing.T) {
	alarm := func(change func(*cloudwatch.PutMetricAlarmInput)) func(context.Context, *world.Client) error {
		return func(ctx context.Context, c *world.Client) error {
			in := fullness("full")
			change(in)
			_, err := c.PutMetricAlarm(ctx, in)
			return err
		}
	}
	data := func(change func(*cloudwatch.PutMetricDataInput)) func(context.Context, *world.Client) error {
		return func(ctx context.Context, c *world.Client) error {
			in := &cloudwatch.PutMetricDataInput{Namespace: aws.String("CNIGuard"), MetricData: []types.MetricDatum{{MetricName: aws.String("m"), Value: aws.Float64(1)}}}
			change(in)
			_, err := c.PutMetricData(ctx, in)
			return err
		}
	}
	for name, c := range map[string]struct {
		call func(context.Context, *world.Client) error
		code string
	}{
		"more points than periods":    {alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.DatapointsToAlarm = aws.Int32(4) }), "ValidationError"},
		"a period of 90 seconds":      {alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.Period = aws.Int32(90) }), "ValidationError"},
		"a window of more than a day": {alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.EvaluationPeriods = aws.Int32(289) }), "ValidationError"},
		"an unknown treatment":        {alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.TreatMissingData = aws.String("fine") }), "ValidationError"},
		"an unknown statistic":        {alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.Statistic = "Median" }), "ValidationError"},
		"no threshold":                {alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.Threshold = nil }), "ValidationError"},
		"a name of 256 characters":    {alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.AlarmName = aws.String(strings.Repeat("a", 256)) }), "ValidationError"},
		"six actions":                 {alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.AlarmActions = make([]string, 6) }), "ValidationError"},
		"an action in another region": {alarm(func(in *cloudwatch.PutMetricAlarmInput) {
			in.OKActions = []string{"arn:aws:sns:eu-west-1:111122223333:ops"}
		}), "ValidationError"},
		"an action in another partition": {alarm(func(in *cloudwatch.PutMetricAlarmInput) {
			in.AlarmActions = []string{"arn:aws-cn:sns:eu-central-1:111122223333:ops"}
		}), "ValidationError"},
		"an action that is no ARN": {alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.InsufficientDataActions = []string{"ops"} }), "ValidationError"},
		"AWS's namespace":          {data(func(in *cloudwatch.PutMetricDataInput) { in.Namespace = aws.String("AWS/EKS") }), "InvalidParameterValue"},
		"1,001 points":             {data(func(in *cloudwatch.PutMetricDataInput) { in.MetricData = slices.Repeat(in.MetricData, 1001) }), "InvalidParameterValue"},
		"a point without a value":  {data(func(in *cloudwatch.PutMetricDataInput) { in.MetricData[0].Value = nil }), "InvalidParameterValue"},
		"a point of three weeks ago": {data(func(in *cloudwatch.PutMetricDataInput) {
			in.MetricData[0].Timestamp = aws.Time(noon.Add(-21 * 24 * time.Hour))
		}), "InvalidParameterValue"},
		"a point of three hours to come": {data(func(in *cloudwatch.PutMetricDataInput) {
			in.MetricData[0].Timestamp = aws.Time(noon.Add(3 * time.Hour))
		}), "InvalidParameterValue"},
		"names and a prefix at once": {func(ctx context.Context, c *world.Client) error {
			_, err := c.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"a"}, AlarmNamePrefix: aws.String("b")})
			return err
		}, "ValidationError"},
	} {
		t.Run(name, func(t *testing.T) {
			set(t, 1, nil).at(0, func(ctx context.Context, client *world.Client) {
				var api smithy.APIError
				if err := c.call(ctx, client); !errors.As(err, &api) || !strings.HasPrefix(api.ErrorCode(), c.code) {
					t.Errorf("%v, want %s", err, c.code)
				}
			})
		})
	}
}
