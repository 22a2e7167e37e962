package stack_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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

// The fixed cost of a hub is a sum, and each example of what all costs has it.
func TestTheCostOfTheHubIsThatOfItsAlarms(t *testing.T) {
	cost := section(t, "deploy.md", "Cost")
	row := regexp.MustCompile(`\| the hub itself \| ([0-9.]+) \| (\d+) alarms at 0\.10; at most (\d+) metrics at 0\.30; a key 1\.00; a dashboard 3\.00 \|`).FindStringSubmatch(cost)
	if row == nil {
		t.Fatal("docs/deploy.md has no row of what the hub itself costs")
	}
	alarms, metrics := len(ofType(hub(t, least(t)), "AWS::CloudWatch::Alarm")), 0
	if _, err := fmt.Sscan(row[3], &metrics); err != nil {
		t.Fatal(err)
	}
	sum := fmt.Sprintf("%.2f", 0.10*float64(alarms)+0.30*float64(metrics)+1+3)
	if row[2] != fmt.Sprint(alarms) || row[1] != sum {
		t.Errorf("docs/deploy.md says %s alarms and %s; there are %d, which makes %s", row[2], row[1], alarms, sum)
	}
	examples := regexp.MustCompile(`(?m)^(?:\| [0-9,.]+ ){8}\|$`).FindAllString(cost, -1)
	for _, example := range examples {
		cells := strings.Fields(strings.NewReplacer("|", "", ",", "").Replace(example))
		var n [8]float64
		for i := range n {
			if _, err := fmt.Sscan(cells[i], &n[i]); err != nil {
				t.Fatal(err)
			}
		}
		if whole := fmt.Sprintf("%.2f", n[2]+n[3]+n[4]+n[5]); cells[5] != sum || cells[6] != whole || cells[7] != fmt.Sprintf("%.2f", n[6]/n[0]) {
			t.Errorf("docs/deploy.md: %s: the hub is %s, together %s", example, sum, whole)
		}
	}
	if len(examples) == 0 {
		t.Error("docs/deploy.md has no example of what all costs")
	}
}
