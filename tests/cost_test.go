package tests_test

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/cniguard/cniguard/internal/policy/source"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
)

// priced are the calls and things of CloudWatch that cost money, of a fleet in a month.
type priced struct {
	alarms, metrics, putData, describeAlarms, listMetrics, asked float64
}

// usd is what they cost, at the prices of docs/deploy.md.
func (p priced) usd() float64 {
	return 0.10*p.alarms + 0.30*p.metrics + (p.putData+p.describeAlarms+p.listMetrics+p.asked)*0.01/1000
}

// TestTheMonthlySumIsThatOfTheSimulatedCalls plays two days of fleets of 10 to 1,000 clusters in one account and region, each of which has room, and
// compares what its calls of CloudWatch cost in a month with the rows of docs/deploy.md. The first day makes the alarms; the second counts.
// COST_CLUSTERS=10000 adds a fleet of that size, which takes minutes.
func TestTheMonthlySumIsThatOfTheSimulatedCalls(t *testing.T) {
	sizes := []int{10, 100, 1000}
	if more, err := strconv.Atoi(os.Getenv("COST_CLUSTERS")); err == nil {
		sizes = append(sizes, more)
	}
	cluster, unit := documented(t)
	for _, n := range sizes {
		got := month(t, n)
		lists := math.Ceil(float64(n)/100) * 120 // pages of 100 alarms, which the document counts as one
		want := cluster*float64(n) + unit + (lists-120)*0.01/1000
		t.Logf("%6d clusters: %.2f USD a month (%+v)", n, got.usd(), got)
		if math.Abs(got.usd()-want) > 0.02*want {
			t.Errorf("%d clusters cost %.4f by their calls, and %.4f by docs/deploy.md", n, got.usd(), want)
		}
	}
}

// documented are the sums of the rows of docs/deploy.md that are CloudWatch's: for each cluster, and for each account and region.
func documented(t *testing.T) (cluster, unit float64) {
	t.Helper()
	text, err := os.ReadFile("../docs/deploy.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, m := range regexp.MustCompile(`(?m)^\| ([^|]+) \| ([0-9.]+) ([CU]) \|`).FindAllStringSubmatch(string(text), -1) {
		usd, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case !strings.Contains(m[1], "alarm") && !strings.Contains(m[1], "metric") && !strings.Contains(m[1], "publishing") && !strings.Contains(m[1], "reading it back"):
			continue
		case m[3] == "C":
			cluster += usd
		default:
			unit += usd
		}
		rows++
	}
	if rows != 6 {
		t.Fatalf("%d rows of docs/deploy.md are about CloudWatch, want 6", rows)
	}
	return cluster, unit
}

// month is thirty times the second day of a fleet.
func month(t *testing.T, clusters int) priced {
	t.Helper()
	spec, err := world.ReadSpec("world.yaml", fmt.Appendf(nil, `
start: 2026-03-02T08:00:00Z
hub: {account: "111122223333", region: eu-central-1}
vpcs:
  - {id: vpc-1, account: "111122223333", region: eu-central-1, subnets: [{id: subnet-1, cidr: 10.0.0.0/16, used: [{addresses: 100}]}]}
clusters:
  - {name: c, account: "111122223333", region: eu-central-1, kubernetes: "1.33", vpc: vpc-1, nodegroups: [{name: blue, subnets: [subnet-1]}],
     addon: {version: v1.19.0-eksbuild.1}, copies: %d}
catalogues:
  "1.33": [{version: v1.19.0-eksbuild.1, compatible: true, default: true}]
`, clusters))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := source.Read("policy.yaml", []byte("version: 1\nfleet: [{account: \"111122223333\", regions: [eu-central-1]}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := simulate.Start(spec, rules, simulate.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	r.For(26 * time.Hour)
	var day priced
	r.World.Watch(func(e world.Entry) {
		if e.Call == nil {
			return
		}
		switch in := e.Call.In.(type) {
		case *cloudwatch.PutMetricDataInput:
			day.putData++
		case *cloudwatch.DescribeAlarmsInput:
			day.describeAlarms++
		case *cloudwatch.ListMetricsInput:
			day.listMetrics++
		case *cloudwatch.GetMetricDataInput:
			day.asked += float64(len(in.MetricDataQueries))
		}
	})
	r.For(24 * time.Hour)
	sum := priced{putData: 30 * day.putData, describeAlarms: 30 * day.describeAlarms, listMetrics: 30 * day.listMetrics, asked: 30 * day.asked}
	sum.alarms = float64(len(r.World.AlarmNames("111122223333", "eu-central-1")))
	sum.metrics = sum.alarms
	return sum
}
