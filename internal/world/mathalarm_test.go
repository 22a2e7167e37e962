package world_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cniguard/cniguard/internal/world"
)

// cell is what a metric or a formula came to in a period.
type cell struct {
	number float64
	there  bool
}

// drawn is a random formula over the metrics a, b and c: its text, and what it comes to.
type drawn struct {
	text   string
	of     func([]cell) cell
	series bool
}

func formula(r *rand.Rand, depth int) drawn {
	if kind := r.IntN(5); depth == 0 || kind == 0 {
		n := r.IntN(5)
		if n > 2 {
			return drawn{fmt.Sprint(n), func([]cell) cell { return cell{float64(n), true} }, false}
		}
		return drawn{"abc"[n : n+1], func(m []cell) cell { return m[n] }, true}
	} else if kind == 1 {
		return choice(condition(r, depth-1), formula(r, depth-1), formula(r, depth-1))
	}
	i, ops := r.IntN(4), []func(a, b float64) float64{
		func(a, b float64) float64 { return a + b }, func(a, b float64) float64 { return a - b },
		func(a, b float64) float64 { return a * b }, func(a, b float64) float64 { return a / b },
	}
	return pair(formula(r, depth-1), formula(r, depth-1), "+-*/"[i:i+1], ops[i])
}

func condition(r *rand.Rand, depth int) drawn {
	i, texts, ops := r.IntN(5), []string{">", ">=", "<", "<=", "=="}, []func(a, b float64) bool{
		func(a, b float64) bool { return a > b }, func(a, b float64) bool { return a >= b },
		func(a, b float64) bool { return a < b }, func(a, b float64) bool { return a <= b }, func(a, b float64) bool { return a == b },
	}
	return pair(formula(r, depth), formula(r, depth), texts[i], func(a, b float64) float64 {
		if ops[i](a, b) {
			return 1
		}
		return 0
	})
}

func pair(a, b drawn, op string, f func(a, b float64) float64) drawn {
	text := "(" + a.text + op + b.text + ")"
	if strings.ContainsAny(op, "<>=") {
		text = a.text + op + b.text
	}
	return drawn{text, func(m []cell) cell {
		x, y := a.of(m), b.of(m)
		if !x.there && !y.there || (!a.series || !b.series) && !(x.there && y.there) {
			return cell{}
		}
		if n := f(x.number, y.number); !math.IsNaN(n) && !math.IsInf(n, 0) {
			return cell{n, true}
		}
		return cell{}
	}, a.series || b.series}
}

func choice(c, yes, no drawn) drawn {
	return drawn{"IF(" + c.text + "," + yes.text + "," + no.text + ")", func(m []cell) cell {
		switch is := c.of(m); {
		case !is.there:
			return cell{}
		case is.number == 0:
			return no.of(m)
		default:
			y := yes.of(m)
			return cell{y.number, y.there || c.series}
		}
	}, c.series || yes.series || no.series}
}

// scene is a random alarm on a formula, and all points of its three metrics.
type scene struct {
	*stage
	in      *cloudwatch.PutMetricAlarmInput
	formula drawn
	stats   []types.Statistic
	points  [3][]point
}

// steps are random addresses over time.
func steps(r *rand.Rand) (points []world.Point) {
	for at := time.Duration(0); at < 5*time.Hour; at += time.Duration(1+r.IntN(9000)) * time.Second {
		points = append(points, world.Point{At: at, Addresses: r.IntN(7)})
	}
	return points
}

// described is a description at an offset: linear between its points.
func described(points []world.Point, at time.Duration) float64 {
	for i := len(points) - 1; i >= 0; i-- {
		p := points[i]
		switch {
		case p.At > at:
		case i == len(points)-1:
			return float64(p.Addresses)
		default:
			next := points[i+1]
			share := float64(at-p.At) / float64(next.At-p.At)
			return float64(p.Addresses + int(share*float64(next.Addresses-p.Addresses)))
		}
	}
	return 0
}

func drawScene(t *testing.T, seed uint64) *scene {
	r := rand.New(rand.NewPCG(seed, 0))
	h := &world.NodeMetrics{ID: "x", Assigned: steps(r), Max: steps(r), StopsAt: time.Duration(r.IntN(8*3600)) * time.Second}
	created := time.Duration(max(0, r.IntN(7200)-3600)) * time.Second
	s := &scene{stage: set(t, seed, func(spec *world.Spec) {
		spec.Clusters = []world.Cluster{{Name: "prod", Account: hubAccount, Region: hubRegion, Kubernetes: "1.33", CreatedAt: created, NodeMetrics: h}}
	})}
	for s.formula = formula(r, 3); !s.formula.series; {
		s.formula = formula(r, 3)
	}
	s.in = onFormula("m", s.formula.text, "a", "b", "c")
	s.in.EvaluationPeriods = aws.Int32(int32(1 + r.IntN(4)))
	s.in.DatapointsToAlarm = aws.Int32(int32(1 + r.IntN(int(*s.in.EvaluationPeriods))))
	s.in.TreatMissingData = aws.String([]string{"missing", "ignore", "breaching", "notBreaching"}[r.IntN(4)])
	s.in.Threshold = aws.Float64(float64(r.IntN(7)))
	s.in.ComparisonOperator = s.in.ComparisonOperator.Values()[r.IntN(4)]
	period, calm := int32(60*(1+r.IntN(6))), r.IntN(2) == 0
	for i := range 3 {
		stat := s.in.Metrics[i+1].MetricStat
		one := types.Statistic("").Values()[r.IntN(5)]
		if calm {
			one = []types.Statistic{types.StatisticMaximum, types.StatisticAverage}[r.IntN(2)]
		}
		stat.Period, stat.Stat = aws.Int32(period), aws.String(string(one))
		s.stats = append(s.stats, one)
		switch r.IntN(3) {
		case 0:
			stat.Metric.Namespace, stat.Metric.MetricName = aws.String("Kubernetes"), aws.String("assignIPAddresses")
			s.points[i] = published(h.Assigned, created, h.StopsAt)
		case 1:
			stat.Metric.Namespace, stat.Metric.MetricName = aws.String("Kubernetes"), aws.String("maxIPAddresses")
			s.points[i] = published(h.Max, created, h.StopsAt)
		default:
			s.points[i] = s.publishes(r, i)
			continue
		}
		stat.Metric.Dimensions = []types.Dimension{{Name: aws.String("CLUSTER_ID"), Value: aws.String("x")}}
	}
	return s
}

// published is what a helper publishes, two points a minute.
func published(points []world.Point, from, until time.Duration) (all []point) {
	for at := time.Duration(0); at < 8*time.Hour; at += time.Minute {
		if at >= from && (until == 0 || at < until) {
			p := point{at: at, published: at, value: described(points, at)}
			all = append(all, p, p)
		}
	}
	return all
}

// publishes has random points of one of the metrics put, some late and some early.
func (s *scene) publishes(r *rand.Rand, metric int) (all []point) {
	usual, every := float64(r.IntN(7)), 1+r.IntN(600)
	for at := 300 * time.Millisecond; at < 4*time.Hour; at += time.Duration(1+r.IntN(every)) * time.Second {
		value := usual
		if r.IntN(20) == 0 {
			value = float64(r.IntN(7))
		}
		if r.IntN(30) == 0 {
			at += time.Duration(r.IntN(60)) * time.Minute // a gap
		}
		p := point{at: max(0, at+time.Duration(r.IntN(3)-1)*time.Duration(r.IntN(4))*time.Minute), published: at, value: value}
		all = append(all, p)
		s.plan(p.published, func(ctx context.Context, c *world.Client) {
			_, err := c.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String("Test"), MetricData: []types.MetricDatum{{
				MetricName: aws.String("abc"[metric : metric+1]), Value: &p.value, Timestamp: aws.Time(noon.Add(p.at)),
				Dimensions: []types.Dimension{{Name: aws.String("ClusterName"), Value: aws.String("prod")}},
			}}})
			if err != nil {
				s.Error(err)
			}
		})
	}
	return all
}

// state evaluates the alarm at a minute by definition.
func (s *scene) state(minute int, was types.StateValue) types.StateValue {
	period, n := int(*s.in.Metrics[1].MetricStat.Period)/60, int(*s.in.EvaluationPeriods)
	var seen []world.Period
	for i := n + 1; i >= 0; i-- {
		until := minute - 1 - i*period // the last minute of the period
		var came []cell
		for m, points := range s.points {
			var values []float64
			for _, p := range points {
				if at := int(p.at / time.Minute); p.published < time.Duration(minute)*time.Minute && at > until-period && at <= until {
					values = append(values, p.value)
				}
			}
			if len(values) == 0 {
				came = append(came, cell{})
			} else {
				came = append(came, cell{statistic(s.stats[m], values), true})
			}
		}
		seen = append(seen, s.period(s.formula.of(came)))
	}
	return world.Evaluation{Periods: n, Points: int(*s.in.DatapointsToAlarm), Missing: *s.in.TreatMissingData}.State(seen, was)
}

func (s *scene) period(c cell) world.Period {
	breaches := map[types.ComparisonOperator]bool{
		types.ComparisonOperatorGreaterThanThreshold: c.number > *s.in.Threshold, types.ComparisonOperatorGreaterThanOrEqualToThreshold: c.number >= *s.in.Threshold,
		types.ComparisonOperatorLessThanThreshold: c.number < *s.in.Threshold, types.ComparisonOperatorLessThanOrEqualToThreshold: c.number <= *s.in.Threshold,
	}[s.in.ComparisonOperator]
	switch {
	case !c.there:
		return world.NoData
	case breaches:
		return world.Breaching
	}
	return world.Within
}

// The world evaluates an alarm only when something can change it. This asks every minute, of metrics that are put and of those of a helper.
func TestAnAlarmOnAFormulaIsAtEveryMinuteWhatItsDefinitionSays(t *testing.T) {
	changes := map[types.StateValue]int{}
	for seed := range uint64(200) {
		s := drawScene(t, seed)
		s.alarm(0, s.in)
		was := types.StateValueInsufficientData
		for minute := range 6 * 60 {
			now := s.state(minute, was)
			s.until(time.Duration(minute)*time.Minute + 500*time.Millisecond)
			if a, _ := s.Alarm(hubAccount, hubRegion, "m"); a.StateValue != now {
				t.Fatalf("seed %d, minute %d: %s, want %s\n%s %s %g, %v of %d s, %d of %d, missing %s", seed, minute, a.StateValue, now, s.formula.text,
					s.in.ComparisonOperator, *s.in.Threshold, s.stats, *s.in.Metrics[1].MetricStat.Period, *s.in.DatapointsToAlarm, *s.in.EvaluationPeriods, *s.in.TreatMissingData)
			}
			if now != was {
				changes[now]++
			}
			was = now
		}
	}
	if changes[ok] < 50 || changes[alarmed] < 50 || changes[noData] < 50 {
		t.Errorf("states were entered so often: %v; the scenario is to cover all", changes)
	}
}

func TestAnAlarmOnAFormulaIsDescribedAsItWasPut(t *testing.T) {
	s := set(t, 1, nil)
	in, want := onFormula("m", "IF(b>0,100*a/b,0)", "a", "b"), onFormula("m", "IF(b>0,100*a/b,0)", "a", "b").Metrics
	s.alarm(0, in)
	in.Metrics[1].MetricStat.Metric.Dimensions[0].Value = aws.String("changed afterwards")
	s.at(time.Second, func(ctx context.Context, c *world.Client) {
		for range 2 { // what is done to the first answer does not show in the second
			out, err := c.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"m"}})
			if err != nil {
				t.Error(err)
				return
			}
			a := out.MetricAlarms[0]
			if diff := cmp.Diff(want, a.Metrics, cmpopts.IgnoreUnexported(types.MetricDataQuery{}, types.MetricStat{}, types.Metric{}, types.Dimension{})); diff != "" {
				t.Error(diff)
			}
			if a.MetricName != nil || a.Namespace != nil || a.Period != nil || a.Statistic != "" || a.Dimensions != nil {
				t.Errorf("it has the fields of an alarm on one metric: %v", a)
			}
			a.Metrics[1].MetricStat.Metric.Dimensions[0].Value = aws.String("changed")
		}
	})
}

func TestTheEventOfAnAlarmOnAFormulaHasItsQueries(t *testing.T) {
	s := set(t, 1, nil)
	got := s.hear("aws.cloudwatch")
	s.alarm(0, onFormula("cniguard-prod-node-capacity", "100*a/b", "a", "b"))
	s.at(time.Second, func(ctx context.Context, c *world.Client) {
		s.tell(ctx, c, "a", 9)
		s.tell(ctx, c, "b", 10)
	})
	s.until(2 * time.Minute)
	var e struct {
		Detail struct {
			State         struct{ Value string }
			Configuration struct{ Metrics json.RawMessage }
		}
	}
	if len(*got) != 2 {
		t.Fatalf("%d events, want that of the creation and that of ALARM: %s", len(*got), *got)
	}
	if err := json.Unmarshal([]byte((*got)[1]), &e); err != nil || e.Detail.State.Value != "ALARM" {
		t.Fatal(err, (*got)[1])
	}
	stat := func(id string) string {
		return `{"id":"` + id + `","metricStat":{"metric":{"namespace":"Test","name":"` + id + `","dimensions":{"ClusterName":"prod"}},"period":60,"stat":"Maximum"},"returnData":false}`
	}
	want := `[{"id":"e1","expression":"100*a/b","label":"full","returnData":true},` + stat("a") + `,` + stat("b") + `]`
	if diff := cmp.Diff(want, string(e.Detail.Configuration.Metrics)); diff != "" {
		t.Error(diff)
	}
	if e := s.entries(world.Truth, "alarm")[0]; e.Cluster.Name != "prod" {
		t.Errorf("it is about cluster %q, want prod", e.Cluster.Name)
	}
}

func TestACalmAlarmOnAFormulaCostsFewEvents(t *testing.T) {
	s := set(t, 1, nil)
	in := onFormula("m", "IF(b>0,100*a/b,0)", "a", "b")
	in.Threshold = aws.Float64(80)
	for i := range in.Metrics[1:] {
		in.Metrics[i+1].MetricStat.Period = aws.Int32(300)
	}
	s.alarm(0, in)
	const points = 2 * 24 * 12
	for i := range points {
		s.plan(time.Duration(5*i)*time.Minute, func(ctx context.Context, c *world.Client) {
			s.tell(ctx, c, "a", 50)
			s.tell(ctx, c, "b", 100)
		})
	}
	// Two points cost three events, the start of their process and the calls' latencies. The rest are evaluations.
	if evaluations := s.clock.Run(noon.Add(48*time.Hour)) - 3*points; evaluations > points+10 {
		t.Errorf("%d evaluations for %d pairs of points", evaluations, points)
	}
}

// The extremes of the addresses say that nothing changes, and what is between them says otherwise: assigned rises from 0 to 8, one each hour.
func TestAnAlarmOnAFormulaDoesNotTrustExtremesAlone(t *testing.T) {
	for name, c := range map[string]struct{ formula, want string }{
		"a divisor that passes through zero": {"IF(10/(assigned-max)>5, 1, 0)", "1m0s OK, 4h21m0s INSUFFICIENT_DATA, 5h6m0s ALARM, 6h6m0s OK"},
		"a quotient that passes infinity":    {"10/(assigned-max)-5", "1m0s OK, 4h21m0s INSUFFICIENT_DATA, 5h6m0s ALARM, 6h6m0s OK"},
		"two that are equal for an hour":     {"IF(assigned==max, 1, 0)", "1m0s OK, 4h6m0s ALARM, 5h6m0s OK"},
		"a condition that becomes true":      {"IF(assigned>6, max, 0)", "1m0s OK, 7h6m0s ALARM"},
		"a condition that becomes false":     {"IF(assigned<6, 0, max)", "1m0s OK, 6h6m0s ALARM"},
		"a product that falls below zero":    {"(assigned-3)*(assigned-6)*(0-1)", "1m0s OK, 4h6m0s ALARM, 6h6m0s OK"},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, 1, helped(world.NodeMetrics{
				Assigned: []world.Point{{}, {At: 8 * time.Hour, Addresses: 8}}, Max: []world.Point{{Addresses: 4}},
			}))
			in := capacity("prod", types.StatisticMaximum)
			in.Metrics[0].Expression, in.Threshold, in.ComparisonOperator = aws.String(c.formula), aws.Float64(0), types.ComparisonOperatorGreaterThanThreshold
			s.alarm(0, in)
			s.until(day)
			if got := s.states(); got != c.want {
				t.Errorf("%s:\n got %s\nwant %s", c.formula, got, c.want)
			}
		})
	}
}

func TestAPointThatIsAheadOfItsTimeIsSeenInItsMinute(t *testing.T) {
	s := set(t, 1, nil)
	in := onFormula("m", "a+b", "a", "b")
	in.Threshold = aws.Float64(5)
	for _, q := range in.Metrics[1:] {
		q.MetricStat.Period = aws.Int32(600)
	}
	s.alarm(0, in)
	for at := time.Duration(0); at <= time.Hour; at += 10 * time.Minute { // so that it is calm
		s.at(at, func(ctx context.Context, c *world.Client) {
			s.tell(ctx, c, "a", 1)
			s.tell(ctx, c, "b", 1)
		})
	}
	s.at(62*time.Minute+time.Second, func(ctx context.Context, c *world.Client) {
		if _, err := c.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String("Test"), MetricData: []types.MetricDatum{{
			MetricName: aws.String("a"), Value: aws.Float64(9), Timestamp: aws.Time(noon.Add(65 * time.Minute)),
			Dimensions: []types.Dimension{{Name: aws.String("ClusterName"), Value: aws.String("prod")}},
		}}}); err != nil {
			t.Error(err)
		}
	})
	s.until(68 * time.Minute)
	if got := s.states(); got != "1m0s OK, 1h6m0s ALARM" {
		t.Error(got)
	}
}
