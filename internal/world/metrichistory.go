package world

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// hour is the highest value of a metric in one hour.
type hour struct {
	at  int64 // hours since 1970
	max float64
}

// keepHours is for how long hours are kept. CloudWatch keeps them 455 days (user guide, "Metrics retention").
const keepHours = 16 * 24

// note keeps the highest value of a point's hour, and from time to time forgets hours that nobody may ask for any more.
func (s *series) note(d datum, now int64) {
	if len(s.hours) == cap(s.hours) {
		oldest, _ := slices.BinarySearchFunc(s.hours, now/60-keepHours, byHour)
		s.hours = slices.Delete(s.hours, 0, oldest)
	}
	s.hours = raise(s.hours, hour{d.minute / 60, d.max})
}

func byHour(h hour, at int64) int { return cmp.Compare(h.at, at) }

// raise has an hour's value among others, in their order, be at least this.
func raise(hours []hour, h hour) []hour {
	at, there := slices.BinarySearchFunc(hours, h.at, byHour)
	if !there {
		return slices.Insert(hours, at, h)
	}
	hours[at].max = math.Max(hours[at].max, h.max)
	return hours
}

// peaks are the highest values of the hours that begin at an instant or later, and before another, as far as they are known now.
func (s *series) peaks(from, until time.Time, now int64) []hour {
	after := func(t time.Time) int64 { return t.Add(-1).Unix()/3600 + 1 } // the first hour that does not begin before
	first, end := after(from), after(until)
	found := slices.DeleteFunc(slices.Clone(s.hours), func(h hour) bool { return h.at < first || h.at >= end })
	for _, r := range s.runs {
		for at := max(first, r.begin/60); at < end && at*60 <= min(now, r.end); at++ {
			if b, some := r.bounds(at*60, min(at*60+60, now+1)); some {
				found = raise(found, hour{at, b.high})
			}
		}
	}
	return found
}

// getMetricData answers with the highest value of each hour, of any number of metrics. Other statistics and periods and metric math are not
// simulated, nor is what is older than keepHours. A page has the next points of all metrics, in the order of the queries.
func (w *World) getMetricData(c *Call, in *cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) {
	if err := w.checkRange(in); err != nil {
		return nil, err
	}
	if err := checkQueries(in.MetricDataQueries); err != nil {
		return nil, err
	}
	given := 0 // in the pages before
	if in.NextToken != nil {
		var err error
		if given, err = strconv.Atoi(*in.NextToken); err != nil || given <= 0 {
			return nil, &types.InvalidNextToken{Message: aws.String("The next token specified is invalid.")}
		}
	}
	skip, room := given, int(cmp.Or(aws.ToInt32(in.MaxDatapoints), mostDatapoints))
	out := &cloudwatch.GetMetricDataOutput{}
	for _, q := range in.MetricDataQueries {
		found := w.hoursOf(c, q.MetricStat.Metric, in)
		before := min(skip, len(found))
		taken := min(room, len(found)-before)
		skip, room, given = skip-before, room-taken, given+taken
		r := resultOf(q, found[before:before+taken])
		if before+taken < len(found) {
			r.StatusCode = types.StatusCodePartialData
		}
		out.MetricDataResults = append(out.MetricDataResults, r)
	}
	if slices.ContainsFunc(out.MetricDataResults, func(r types.MetricDataResult) bool { return r.StatusCode == types.StatusCodePartialData }) {
		out.NextToken = aws.String(strconv.Itoa(given))
	}
	return out, nil
}

// mostDatapoints and mostQueries are limits of one call (API reference, GetMetricData).
const (
	mostDatapoints int32 = 100_800
	mostQueries    int   = 500
)

// hoursOf are the highest values of a metric's hours, in the order that is asked for.
func (w *World) hoursOf(c *Call, m *types.Metric, in *cloudwatch.GetMetricDataInput) []hour {
	s, known := w.metrics.series[metricKey{c.Account, c.Region, *m.Namespace, *m.MetricName, dimensionsOf(m.Dimensions)}]
	if !known {
		return nil
	}
	found := s.peaks(*in.StartTime, *in.EndTime, minuteOf(w.clock.Now()))
	if in.ScanBy != types.ScanByTimestampAscending {
		slices.Reverse(found)
	}
	return found
}

// resultOf is the answer to a query.
func resultOf(q types.MetricDataQuery, found []hour) types.MetricDataResult {
	r := types.MetricDataResult{
		Id: q.Id, Label: cmp.Or(q.Label, q.MetricStat.Metric.MetricName), StatusCode: types.StatusCodeComplete, Timestamps: []time.Time{}, Values: []float64{},
	}
	for _, h := range found {
		r.Timestamps, r.Values = append(r.Timestamps, time.Unix(h.at*3600, 0).UTC()), append(r.Values, h.max)
	}
	return r
}

// checkRange holds a request against the limits of the API reference, GetMetricData, and of what is simulated.
func (w *World) checkRange(in *cloudwatch.GetMetricDataInput) error {
	switch {
	case len(in.MetricDataQueries) < 1 || len(in.MetricDataQueries) > mostQueries:
		return invalid("The collection MetricDataQueries must have a size between 1 and %d.", mostQueries)
	case !in.StartTime.Before(*in.EndTime):
		return invalid("The parameter StartTime must be less than the parameter EndTime.")
	case in.StartTime.Before(w.clock.Now().Add(-keepHours*time.Hour)) || !in.StartTime.Equal(in.StartTime.Truncate(time.Hour)):
		return invalid("A StartTime of more than 16 days ago, or within an hour, is not simulated.")
	case in.MaxDatapoints != nil && (*in.MaxDatapoints < 1 || *in.MaxDatapoints > mostDatapoints):
		return invalid("MaxDatapoints must be between 1 and %d.", mostDatapoints)
	}
	return nil
}

func checkQueries(queries []types.MetricDataQuery) error {
	seen := map[string]bool{}
	for _, q := range queries {
		s := q.MetricStat
		switch {
		case !isQueryID(*q.Id) || seen[*q.Id]:
			return invalid("The id %q of a query is there twice, or is no lower-case letter with letters, digits and underscores behind it.", *q.Id)
		case q.Expression != nil || s == nil || q.AccountId != nil || q.Period != nil || q.ReturnData != nil && !*q.ReturnData:
			return invalid("Only metrics of the account itself are simulated.")
		case aws.ToString(s.Stat) != string(types.StatisticMaximum) || aws.ToInt32(s.Period) != 3600 || s.Unit != "":
			return invalid("The statistic %s over %d seconds is not simulated: only Maximum over 3600.", aws.ToString(s.Stat), aws.ToInt32(s.Period))
		case s.Metric == nil || aws.ToString(s.Metric.Namespace) == "" || aws.ToString(s.Metric.MetricName) == "":
			return invalid("A metric has a namespace and a name.")
		}
		seen[*q.Id] = true
	}
	return nil
}

// isQueryID reports whether a query may be called so (API reference, MetricDataQuery).
func isQueryID(id string) bool {
	return id != "" && len(id) <= 255 && id[0] >= 'a' && id[0] <= 'z' && strings.IndexFunc(id, func(r rune) bool { return !inWord(r) || r == '.' }) < 0
}
