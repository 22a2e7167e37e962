package stack_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/alarm"
)

// What can go wrong with cniguard is watched, and told without cniguard.
func alarmsReachPeople(template map[string]any) (c complaints) {
	want := map[string]string{
		"failed":  "AWS/SQS ApproximateNumberOfMessagesVisible QueueName=cniguard-failed Maximum 1x300 >= 1 notBreaching",
		"ledger":  "CNIGuard LedgerFailed Function=bulk Sum 2x300 >= 1 notBreaching",
		"overdue": "CNIGuard Overdue Function=bulk Maximum 3x300 >= 1 notBreaching",
		"waiting": "CNIGuard Waiting Function=bulk Maximum 3x300 >= 1 notBreaching",
		"meter":   "CNIGuard Meters Function=bulk Sum 3x300 < 1 breaching",
		"sweep":   "CNIGuard Sweeps Function=bulk Sum 13x3600 < 1 breaching",
		"tick":    "CNIGuard Ticks Function=bulk Sum 3x300 < 1 breaching",
	}
	for _, readers := range []string{"oncall", "chat", "machine"} {
		want["undelivered-"+readers] = "AWS/SNS NumberOfNotificationsFailed TopicName=cniguard-" + readers + " Sum 1x300 >= 1 notBreaching"
	}
	for f, limit := range map[string]string{"urgent": "240000", "bulk": "720000"} {
		want[f+"-errors"] = "AWS/Lambda Errors FunctionName=cniguard-" + f + " Sum 3x300 >= 1 notBreaching"
		want[f+"-throttles"] = "AWS/Lambda Throttles FunctionName=cniguard-" + f + " Sum 3x300 >= 1 notBreaching"
		want[f+"-dropped"] = "AWS/Lambda AsyncEventsDropped FunctionName=cniguard-" + f + " Sum 1x300 >= 1 notBreaching"
		want[f+"-unkept"] = "AWS/Lambda DestinationDeliveryFailures FunctionName=cniguard-" + f + " Sum 1x300 >= 1 notBreaching"
		want[f+"-slow"] = "AWS/Lambda Duration FunctionName=cniguard-" + f + " p99 1x900 >= " + limit + " notBreaching"
		want[f+"-untold"] = "CNIGuard TellFailed Function=" + f + " Sum 2 of 12x300 >= 1 notBreaching"
	}
	have := map[string]string{}
	for _, a := range ofType(template, "AWS::CloudWatch::Alarm") {
		name := strings.TrimPrefix(text(a.props["AlarmName"]), "cniguardhub-")
		have[name] = watched(a.props)
		c.want(name+": tells", fmt.Sprint(texts(a.props["AlarmActions"])), "[Topiconcall]")
		if text(a.props["TreatMissingData"]) == "breaching" && !warmsUp(a.props) {
			c.add("%s pages when it is deployed", name)
		}
		if text(a.props["AlarmDescription"]) == "" {
			c.add("%s does not say what to do", name)
		}
	}
	if diff := cmp.Diff(want, have); diff != "" {
		c.add("alarms (-want +got):\n%s", diff)
	}
	return c
}

// warmsUp reports whether a new alarm waits for as long as it looks back at least, so that no data yet is not taken for none any more.
func warmsUp(p map[string]any) bool {
	var minutes, periods, seconds int
	_, err := fmt.Sscan(text(at(p, "WarmUpConfiguration", "WarmUpPeriodDurationInMinutes"))+" "+text(p["EvaluationPeriods"])+" "+text(p["Period"]), &minutes, &periods, &seconds)
	return err == nil && minutes*60 >= periods*seconds && minutes <= 2*24*60
}

// watched is an alarm in a line.
func watched(p map[string]any) string {
	sign := map[string]string{"GreaterThanOrEqualToThreshold": ">=", "LessThanThreshold": "<"}[text(p["ComparisonOperator"])]
	periods := text(p["EvaluationPeriods"])
	if points := text(p["DatapointsToAlarm"]); points != periods {
		periods = points + " of " + periods
	}
	return fmt.Sprintf("%s %s %s=%s %s%s %sx%s %s %s %s", text(p["Namespace"]), text(p["MetricName"]), text(at(p["Dimensions"], "Name")), text(at(p["Dimensions"], "Value")),
		text(p["Statistic"]), text(p["ExtendedStatistic"]), periods, text(p["Period"]), sign, text(p["Threshold"]), text(p["TreatMissingData"]))
}

// An alarm on cniguard itself that had the prefix of those on clusters would wake the program, which may also delete it.
func TestTheHubsOwnAlarmsAreNoneOfTheClusters(t *testing.T) {
	for _, a := range ofType(hub(t, least(t)), "AWS::CloudWatch::Alarm") {
		if name := text(a.props["AlarmName"]); strings.HasPrefix(name, alarm.Prefix) {
			t.Errorf("%s has the prefix of the alarms that the program keeps", name)
		}
	}
}
