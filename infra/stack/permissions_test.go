package stack_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cniguard/cniguard/infra/stack"
	"github.com/cniguard/cniguard/internal/alarm"
)

// grant is one action on one resource, as a line.
func grant(effect, action, on string, condition map[string]any) string {
	line := effect + " " + action + " on " + on
	if len(condition) > 0 {
		line += " if " + text(condition)
	}
	return line
}

// documented is the table of docs/lambda.md, "Permissions", for the roles of a member, by their ids in the template. What is
// written as code in its third column are resources or, beside others, a condition: `*`, where `KEY` is `VALUE`.
func documented(t *testing.T, c stack.Config) map[string][]string {
	t.Helper()
	doc, err := os.ReadFile("../../docs/lambda.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(doc), "\n## Permissions\n")
	all, id := map[string][]string{}, ""
	code := func(cell string) (found []string) {
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cell, -1) {
			found = append(found, m[1])
		}
		return found
	}
	for _, row := range regexp.MustCompile(`(?m)^\|([^|]*)\|([^|]*)\|([^|]*)\|$`).FindAllStringSubmatch(table, -1) {
		if who := strings.Trim(row[1], " `"); who != "" {
			id = map[string]string{"cniguard-observer": "Observer", "cniguard-updater": "Updater"}[who]
		}
		on, condition := code(row[3]), map[string]any(nil)
		if strings.Contains(row[3], ", where `") {
			key, value := on[len(on)-2], on[len(on)-1]
			on, condition = on[:len(on)-2], map[string]any{"StringEquals": map[string]any{key: value}}
		}
		if len(on) == 0 {
			on = c.PassRoles // "the add-ons' roles"
		}
		for _, action := range code(row[2]) {
			service, _, _ := strings.Cut(action, ":")
			for _, resource := range on {
				if resource != "*" && !strings.HasPrefix(resource, "arn:") {
					resource = "arn:aws:" + service + ":*:${AWS::AccountId}:" + resource
				}
				all[id] = append(all[id], grant("Allow", action, resource, condition))
			}
		}
	}
	delete(all, "") // the functions' own roles
	if !c.Updates {
		delete(all, "Updater")
	}
	other := map[string]any{"ForAnyValue:StringLike": map[string]any{"cloudwatch:AlarmActions": "*"}}
	if len(c.AlarmTopics) > 0 {
		other = map[string]any{"ForAnyValue:StringNotEquals": map[string]any{"cloudwatch:AlarmActions": c.AlarmTopics}}
	}
	alarms := "arn:aws:cloudwatch:*:${AWS::AccountId}:alarm:" + alarm.Prefix + "*"
	tags := map[string]any{"ForAnyValue:StringNotEquals": map[string]any{"aws:TagKeys": []string{"cluster", "made-by", "owner", "policy"}}}
	all["Observer"] = append(all["Observer"], grant("Deny", "cloudwatch:PutMetricAlarm", alarms, other), grant("Deny", "cloudwatch:TagResource", alarms, tags))
	all["Forwarder"] = []string{grant("Allow", "events:PutEvents", "arn:aws:events:eu-central-1:444455556666:event-bus/cniguard", nil)}
	for id := range all {
		slices.Sort(all[id])
	}
	return all
}
