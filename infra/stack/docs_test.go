package stack_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/telemetry"
)

// section is a part of a document, from its heading to the next of the same rank.
func section(t *testing.T, file, heading string) string {
	t.Helper()
	doc, err := os.ReadFile("../../docs/" + file)
	if err != nil {
		t.Fatal(err)
	}
	_, part, found := strings.Cut(string(doc), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("docs/%s has no part %q", file, heading)
	}
	part, _, _ = strings.Cut(part, "\n## ")
	return part
}

// alarmsIn are the names of alarms on cniguard itself that a text has.
func alarmsIn(text string) []string {
	names := regexp.MustCompile("`cniguardhub-[a-z-]+[a-z]`").FindAllString(text, -1)
	for i := range names {
		names[i] = strings.Trim(names[i], "`")
	}
	slices.Sort(names)
	return names
}

func TestTheDocumentHasEachAlarmOnCniguardItself(t *testing.T) {
	var want []string
	for _, a := range ofType(hub(t, least(t)), "AWS::CloudWatch::Alarm") {
		want = append(want, text(a.props["AlarmName"]))
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, alarmsIn(section(t, "messages.md", "Alarms on cniguard itself"))); diff != "" {
		t.Errorf("docs/messages.md (- in the template, + in the document):\n%s", diff)
	}
}

func TestTheDocumentHasEachMetricWithItsAlarms(t *testing.T) {
	on := map[string][]string{}
	for _, a := range ofType(hub(t, least(t)), "AWS::CloudWatch::Alarm") {
		if metric := text(a.props["MetricName"]); text(a.props["Namespace"]) == telemetry.Namespace {
			on[metric] = append(on[metric], text(a.props["AlarmName"]))
		}
	}
	var want, have []string
	for _, c := range telemetry.Counters() {
		slices.Sort(on[c.String()])
		want = append(want, fmt.Sprintf("%s %v", c, on[c.String()]))
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Za-z]+)` \\|[^|]*\\|([^|]*)\\|$").FindAllStringSubmatch(section(t, "lambda.md", "What it says"), -1) {
		have = append(have, fmt.Sprintf("%s %v", row[1], alarmsIn(row[2])))
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("docs/lambda.md (- in the program and the template, + in the document):\n%s", diff)
	}
}

// hubCost is the fixed cost of a hub, as the document has it.
func hubCost(t *testing.T, cost string) (sum string, alarms, metrics int) {
	t.Helper()
	row := regexp.MustCompile(`\| the hub itself \| ([0-9.]+) \| (\d+) alarms at 0\.10; at most (\d+) metrics at 0\.30; a key 1\.00; a dashboard 3\.00 \|`).FindStringSubmatch(cost)
	if row == nil {
		t.Fatal("docs/deploy.md has no row of what the hub itself costs")
	}
	if _, err := fmt.Sscan(row[2]+" "+row[3], &alarms, &metrics); err != nil {
		t.Fatal(err)
	}
	return row[1], alarms, metrics
}

func TestTheCostOfTheHubIsThatOfItsAlarms(t *testing.T) {
	have, said, metrics := hubCost(t, section(t, "deploy.md", "Cost"))
	alarms := len(ofType(hub(t, least(t)), "AWS::CloudWatch::Alarm"))
	if sum := fmt.Sprintf("%.2f", 0.10*float64(alarms)+0.30*float64(metrics)+1+3); said != alarms || have != sum {
		t.Errorf("docs/deploy.md says %d alarms and %s; there are %d, which makes %s", said, have, alarms, sum)
	}
}

// rates are the sums of what the document has for each cluster's alarm, for the rest of each cluster and for each unit.
func rates(t *testing.T, cost string) (alarm, clusters, units float64) {
	t.Helper()
	for _, row := range regexp.MustCompile(`(?m)^\| ([^|]+) \| ([0-9.]+) ([CU]) \|`).FindAllStringSubmatch(cost, -1) {
		into := &clusters
		switch {
		case row[3] == "U":
			into = &units
		case row[1] == "the alarm of each cluster" || row[1] == "the metric that it watches":
			into = &alarm
		}
		var usd float64
		if _, err := fmt.Sscan(row[2], &usd); err != nil {
			t.Fatal(err)
		}
		*into += usd
	}
	return alarm, clusters, units
}

func TestTheCostOfAnExampleIsASum(t *testing.T) {
	cost := section(t, "deploy.md", "Cost")
	hub, _, _ := hubCost(t, cost)
	alarm, clusters, units := rates(t, cost)
	examples := regexp.MustCompile(`(?m)^(?:\| [0-9,.]+ ){8}\|$`).FindAllString(cost, -1)
	for _, example := range examples {
		var n [8]float64
		cells := strings.Fields(strings.NewReplacer("|", "", ",", "").Replace(example))
		for i := range n {
			if _, err := fmt.Sscan(cells[i], &n[i]); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{hub, fmt.Sprintf("%.2f", n[2]+n[3]+n[4]+n[5]), fmt.Sprintf("%.2f", n[6]/n[0])}
		for i, sum := range []float64{alarm * n[0], units * n[1], clusters * n[0]} {
			want = slices.Insert(want, i, fmt.Sprintf("%.2f", sum))
		}
		if diff := cmp.Diff(want, cells[2:]); diff != "" {
			t.Errorf("docs/deploy.md: %s (-want +have):\n%s", example, diff)
		}
	}
	if len(examples) == 0 {
		t.Error("docs/deploy.md has no example of what all costs")
	}
}

func TestTheCostOfAnAlarmIsItsKinds(t *testing.T) {
	cost := section(t, "deploy.md", "Cost")
	each, _, _ := rates(t, cost)
	have := []string{fmt.Sprintf("%s %.2f", alarm.PodSubnets, each)}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| ([0-9.]+)").FindAllStringSubmatch(cost, -1) {
		have = append(have, row[1]+" "+row[2])
	}
	var want []string
	for _, k := range alarm.Kinds() {
		want = append(want, fmt.Sprintf("%s %.2f", k, k.USD()))
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("docs/deploy.md (- in the program, + in the document):\n%s", diff)
	}
}
