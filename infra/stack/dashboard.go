package stack

import (
	"encoding/json"
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/telemetry"
)

// newDashboard shows how cniguard itself does, from what it is for at the top down to what it is made of.
func newDashboard(scope constructs.Construct, hub event.Unit) error {
	var widgets []widget
	y := 0
	for _, row := range rows(hub) {
		x, height := 0, 0
		for _, w := range row {
			w.X, w.Y = x, y
			x, height = x+w.Width, max(height, w.Height)
			widgets = append(widgets, w)
		}
		y += height
	}
	body, err := json.Marshal(map[string]any{"start": "-PT24H", "periodOverride": "inherit", "widgets": widgets})
	if err != nil {
		return fmt.Errorf("write the dashboard: %w", err)
	}
	awscloudwatch.NewCfnDashboard(scope, str("Dashboard"), &awscloudwatch.CfnDashboardProps{
		DashboardName: str(name), DashboardBody: str(string(body)),
	})
	return nil
}

// widget is a part of a dashboard (CloudWatch API reference, "Dashboard body structure and syntax"); a dashboard is 24 wide.
type widget struct {
	Type       string         `json:"type"`
	X          int            `json:"x"`
	Y          int            `json:"y"`
	Width      int            `json:"width"`
	Height     int            `json:"height"`
	Properties map[string]any `json:"properties"`
}

func rows(hub event.Unit) [][]widget {
	chart := func(title string, lines ...line) widget { return chart(hub, title, lines) }
	return [][]widget{
		{heading()},
		{standing(hub)},
		{
			chart("Clusters checked", perFunction(func(f event.Target) metric { return ofProgram(f, telemetry.Checks) }, "Sum")...),
			chart("People told", counted(telemetry.Told, telemetry.TellFailed)...),
			chart("Changes made", counted(telemetry.Updates, telemetry.AlarmsPut, telemetry.ActFailed)...),
		},
		{
			chart("Not known, not done", counted(telemetry.Unknown, telemetry.NotListed, telemetry.NotMetered,
				telemetry.Refused, telemetry.Malformed, telemetry.LedgerFailed)...),
			chart("Failures of the functions", append(perLambda("Errors", "Sum"), perLambda("AsyncEventsDropped", "Sum")...)...),
			chart("Failure queue", line{ofQueue("ApproximateNumberOfMessagesVisible"), "Maximum", "waiting for a person"}),
		},
		{
			chart("Duration, ms", append(perLambda("Duration", "p50"), perLambda("Duration", "p99")...)...),
			chart("At the same time", append(perLambda("ConcurrentExecutions", "Maximum"), perLambda("Throttles", "Sum")...)...),
			chart("Age of waiting events, ms", perLambda("AsyncEventAge", "Maximum")...),
		},
		{errorLines(hub)},
	}
}

func heading() widget {
	return widget{Type: "text", Width: 24, Height: 2, Properties: map[string]any{"markdown": "# cniguard\n" +
		"How cniguard itself does. How the clusters do is in its messages and in `cniguard status`. " +
		"**Urgent** checks single clusters and updates them, **bulk** works through the whole fleet."}}
}

// standing shows the alarms of the hub, those that changed last first.
func standing(hub event.Unit) widget {
	var all []string
	for _, a := range watches() {
		all = append(all, arn(hub, "cloudwatch", "alarm:"+alarmPrefix+a.name))
	}
	return widget{Type: "alarm", Width: 24, Height: 4, Properties: map[string]any{
		"title": "Alarms", "alarms": all, "sortBy": "stateUpdatedTimestamp", "states": []string{"ALARM", "INSUFFICIENT_DATA", "OK"},
	}}
}

// line is a metric in a chart.
type line struct {
	metric
	statistic, label string
}

func chart(hub event.Unit, title string, lines []line) widget {
	var metrics [][]any
	for _, l := range lines {
		metrics = append(metrics, []any{l.namespace, l.name, l.dimension, l.value, map[string]string{"stat": l.statistic, "label": l.label}})
	}
	return widget{Type: "metric", Width: 8, Height: 6, Properties: map[string]any{
		"title": title, "region": hub.Region, "view": "timeSeries", "period": 300, "metrics": metrics,
		"yAxis": map[string]any{"left": map[string]any{"min": 0}},
	}}
}

// perFunction is a metric of each function.
func perFunction(of func(event.Target) metric, statistic string) []line {
	var lines []line
	for _, f := range targets() {
		lines = append(lines, line{of(f), statistic, string(f)})
	}
	return lines
}

// perLambda is a metric that Lambda keeps of each function.
func perLambda(name, statistic string) []line {
	lines := perFunction(func(f event.Target) metric { return ofLambda(f, name) }, statistic)
	for i := range lines {
		lines[i].label += " " + name
		if statistic[0] == 'p' {
			lines[i].label += " " + statistic
		}
	}
	return lines
}

// counted are counters of the program, of each function.
func counted(counters ...telemetry.Counter) []line {
	var lines []line
	for _, c := range counters {
		for _, l := range perFunction(func(f event.Target) metric { return ofProgram(f, c) }, "Sum") {
			l.label += " " + c.String()
			lines = append(lines, l)
		}
	}
	return lines
}

// errorLines are the last lines that the functions logged as errors.
func errorLines(hub event.Unit) widget {
	query := ""
	for _, f := range targets() {
		query += fmt.Sprintf("SOURCE '%s' | ", logGroup(f))
	}
	return widget{Type: "log", Width: 24, Height: 8, Properties: map[string]any{
		"title": "Latest errors", "region": hub.Region, "view": "table",
		"query": query + `fields @timestamp, message, error | filter level = "ERROR" | sort @timestamp desc | limit 20`,
	}}
}
