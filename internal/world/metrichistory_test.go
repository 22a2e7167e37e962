package world_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
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

// ofHours asks for the highest values of hours of the metric that put publishes.
func ofHours(from, until time.Time) *cloudwatch.GetMetricDataInput {
	return &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(from), EndTime: aws.Time(until), ScanBy: types.ScanByTimestampAscending,
		MetricDataQueries: []types.MetricDataQuery{{Id: aws.String("a"), MetricStat: &types.MetricStat{
			Metric: &types.Metric{Namespace: aws.String("CNIGuard"), MetricName: aws.String("Fullness"),
				Dimensions: []types.Dimension{{Name: aws.String("ClusterName"), Value: aws.String("prod")}}},
			Period: aws.Int32(3600), Stat: aws.String("Maximum"),
		}}},
	}
}

// read is all pages, each as "13:00=5 14:00=7 Complete".
func (s *stage) read(ctx context.Context, c *world.Client, in *cloudwatch.GetMetricDataInput) (pages []string) {
	for {
		out, err := c.GetMetricData(ctx, in)
		if err != nil {
			s.Errorf("get data: %v", err)
			return pages
		}
		r, words := out.MetricDataResults[0], []string{}
		for i, at := range r.Timestamps {
			words = append(words, fmt.Sprintf("%s=%g", at.Format("15:04"), r.Values[i]))
		}
		pages = append(pages, strings.Join(append(words, string(r.StatusCode)), " "))
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return pages
		}
	}
}

func TestTheHighestValueOfEachHourIsKept(t *testing.T) {
	s := set(t, 1, nil)
	for minute, value := range map[int]float64{1: 3, 59: 5, 30: 4, 60: 7, 130: 2, 125: 9, 241: 1} {
		s.publish(time.Duration(minute)*time.Minute, value)
	}
	s.at(5*time.Hour, func(ctx context.Context, c *world.Client) {
		s.put(ctx, c, noon.Add(62*time.Minute), 8) // late
		few := ofHours(noon, noon.Add(6*time.Hour))
		few.MaxDatapoints = aws.Int32(3)
		down := ofHours(noon, noon.Add(6*time.Hour))
		down.ScanBy = types.ScanByTimestampDescending
		none := ofHours(noon, noon.Add(6*time.Hour))
		none.MetricDataQueries[0].MetricStat.Metric.MetricName = aws.String("none")
		for name, c2 := range map[string]struct {
			in   *cloudwatch.GetMetricDataInput
			want []string
		}{
			"all":                       {ofHours(noon, noon.Add(6*time.Hour)), []string{"12:00=5 13:00=8 14:00=9 16:00=1 Complete"}},
			"the end is not in it":      {ofHours(noon.Add(time.Hour), noon.Add(2*time.Hour)), []string{"13:00=8 Complete"}},
			"three a page":              {few, []string{"12:00=5 13:00=8 14:00=9 PartialData", "16:00=1 Complete"}},
			"the newest first":          {down, []string{"16:00=1 14:00=9 13:00=8 12:00=5 Complete"}},
			"what nobody published":     {none, []string{"Complete"}},
			"before it was published":   {ofHours(noon.Add(-9*time.Hour), noon), []string{"Complete"}},
			"hours that have not begun": {ofHours(noon.Add(5*time.Hour), noon.Add(9*time.Hour)), []string{"Complete"}},
		} {
			if diff := cmp.Diff(c2.want, s.read(ctx, c, c2.in)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	})
}

func TestSeveralMetricsAreReadInOneCall(t *testing.T) {
	s := set(t, 1, helped(world.NodeMetrics{Max: []world.Point{{Addresses: 87}}, StopsAt: 2 * time.Hour}))
	for _, minute := range []int{0, 60, 120} {
		s.publish(time.Duration(minute)*time.Minute, float64(minute))
	}
	several := func(most int32) *cloudwatch.GetMetricDataInput {
		in := ofHours(noon, noon.Add(6*time.Hour))
		for id, name := range []string{"maxIPAddresses", "none"} {
			q := ofHours(noon, noon).MetricDataQueries[0]
			q.Id, q.MetricStat.Metric.MetricName = aws.String("bc"[id:id+1]), aws.String(name)
			q.MetricStat.Metric.Namespace, q.MetricStat.Metric.Dimensions = aws.String("Kubernetes"), []types.Dimension{{Name: aws.String("CLUSTER_ID"), Value: aws.String("prod")}}
			in.MetricDataQueries = append(in.MetricDataQueries, q)
		}
		if in.MetricDataQueries[1].Label = aws.String("could hold"); most > 0 {
			in.MaxDatapoints = &most
		}
		return in
	}
	s.at(5*time.Hour, func(ctx context.Context, c *world.Client) {
		for most, want := range map[int32][]string{
			0: {"a Fullness: 12:00=0 13:00=60 14:00=120 Complete, b could hold: 12:00=87 13:00=87 Complete, c none: Complete"},
			2: {
				"a Fullness: 12:00=0 13:00=60 PartialData, b could hold: PartialData, c none: Complete",
				"a Fullness: 14:00=120 Complete, b could hold: 12:00=87 PartialData, c none: Complete",
				"a Fullness: Complete, b could hold: 13:00=87 Complete, c none: Complete",
			},
		} {
			if diff := cmp.Diff(want, s.readAll(ctx, c, several(most))); diff != "" {
				t.Errorf("at most %d points: %s", most, diff)
			}
		}
		twice := several(0)
		twice.MetricDataQueries[2].Id = aws.String("b")
		if _, err := c.GetMetricData(ctx, twice); code(err) != "400 ValidationError" {
			t.Errorf("an id that is there twice: %s", code(err))
		}
		twice.MetricDataQueries = slices.Repeat(twice.MetricDataQueries, 200)
		if _, err := c.GetMetricData(ctx, twice); err == nil || !strings.Contains(err.Error(), "between 1 and 500") {
			t.Errorf("600 queries: %v", err)
		}
	})
}

// readAll is all pages of several metrics, each as "id label: 13:00=5 Complete, …".
func (s *stage) readAll(ctx context.Context, c *world.Client, in *cloudwatch.GetMetricDataInput) (pages []string) {
	for {
		out, err := c.GetMetricData(ctx, in)
		if err != nil {
			s.Errorf("get data: %v", err)
			return pages
		}
		var results []string
		for _, r := range out.MetricDataResults {
			words := []string{*r.Id + " " + *r.Label + ":"}
			for i, at := range r.Timestamps {
				words = append(words, fmt.Sprintf("%s=%g", at.Format("15:04"), r.Values[i]))
			}
			results = append(results, strings.Join(append(words, string(r.StatusCode)), " "))
		}
		pages = append(pages, strings.Join(results, ", "))
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return pages
		}
	}
}

// TestHoursAreThoseOfANaiveReader publishes at random for longer than hours are kept, and takes the maximum of all that was published.
func TestHoursAreThoseOfANaiveReader(t *testing.T) {
	const days = 20
	s, r := set(t, 1, nil), rand.New(rand.NewPCG(1, 2))
	highest := map[time.Time]float64{}
	for hour := range days * 24 {
		for range r.IntN(3) {
			offset, value := time.Duration(hour)*time.Hour+time.Duration(r.IntN(60))*time.Minute, float64(r.IntN(100))
			s.publish(offset, value)
			at := noon.Add(offset).Truncate(time.Hour)
			highest[at] = max(highest[at], value)
		}
	}
	s.at(days*24*time.Hour, func(ctx context.Context, c *world.Client) {
		from := noon.Add((days - 15) * 24 * time.Hour)
		out, err := c.GetMetricData(ctx, ofHours(from, noon.Add(days*24*time.Hour)))
		if err != nil {
			t.Error(err)
			return
		}
		got, want := map[time.Time]float64{}, map[time.Time]float64{}
		for i, at := range out.MetricDataResults[0].Timestamps {
			got[at] = out.MetricDataResults[0].Values[i]
		}
		for at, value := range highest {
			if !at.Before(from) {
				want[at] = value
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWhatOfAHistoryIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*cloudwatch.GetMetricDataInput)
		code   string
	}{
		"another statistic": {func(in *cloudwatch.GetMetricDataInput) {
			in.MetricDataQueries[0].MetricStat.Stat = aws.String("Average")
		}, "ValidationError"},
		"another period":       {func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries[0].MetricStat.Period = aws.Int32(300) }, "ValidationError"},
		"metric math":          {func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries[0].Expression = aws.String("a+b") }, "ValidationError"},
		"no query":             {func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries = []types.MetricDataQuery{} }, "ValidationError"},
		"the end at the start": {func(in *cloudwatch.GetMetricDataInput) { in.EndTime = in.StartTime }, "ValidationError"},
		"within an hour":       {func(in *cloudwatch.GetMetricDataInput) { in.StartTime = aws.Time(noon.Add(-90 * time.Minute)) }, "ValidationError"},
		"long ago":             {func(in *cloudwatch.GetMetricDataInput) { in.StartTime = aws.Time(noon.Add(-17 * 24 * time.Hour)) }, "ValidationError"},
		"no points at all":     {func(in *cloudwatch.GetMetricDataInput) { in.MaxDatapoints = aws.Int32(0) }, "ValidationError"},
		"a token of another":   {func(in *cloudwatch.GetMetricDataInput) { in.NextToken = aws.String("nonsense") }, "InvalidNextToken"},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, 1, nil)
			s.at(0, func(ctx context.Context, w *world.Client) {
				in := ofHours(noon.Add(-time.Hour), noon)
				c.change(in)
				_, err := w.GetMetricData(ctx, in)
				var api smithy.APIError
				if !errors.As(err, &api) || api.ErrorCode() != c.code {
					t.Errorf("got %v, want %s", err, c.code)
				}
			})
		})
	}
}
