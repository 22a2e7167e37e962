package emulator_test

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/cniguard/cniguard/internal/event"
)

// logOf is what a function wrote, as CloudWatch Logs has it.
func (e *emulator) logOf(function event.Target) string {
	e.Helper()
	ctx := context.WithoutCancel(e.Context()) // it is read when the test has failed, too
	client := cloudwatchlogs.NewFromConfig(e.as(hub))
	group := aws.String("/aws/lambda/cniguard-" + string(function))
	streams, err := client.DescribeLogStreams(ctx, &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: group})
	if err != nil {
		e.Fatal(err)
	}
	var lines strings.Builder
	for _, s := range streams.LogStreams {
		out, err := client.GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{LogGroupName: group, LogStreamName: s.LogStreamName})
		if err != nil {
			e.Fatal(err)
		}
		for _, ev := range out.Events {
			lines.WriteString(*ev.Message + "\n")
		}
	}
	return lines.String()
}

// woken is how often a function did work of a kind: the emulator writes the log of an invocation when that is over.
func (e *emulator) woken(function event.Target, kind event.Kind) (times int) {
	e.Helper()
	for line := range strings.Lines(e.logOf(function)) {
		if hasAll(line, []string{`"woken"`, `"kind":"` + string(kind) + `"`}) {
			times++
		}
	}
	return times
}
