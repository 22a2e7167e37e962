package stack

import (
	"cmp"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/telemetry"
)

// alarmPrefix begins the names of the alarms on cniguard itself. It is not the one of the alarms on clusters, "cniguard-": those
// wake the program, which may change and delete them.
const alarmPrefix = name + "hub-"

// metric is a metric of CloudWatch with its one dimension.
type metric struct{ namespace, name, dimension, value string }

func ofLambda(f event.Target, name string) metric {
	return metric{"AWS/Lambda", name, "FunctionName", functionName(f)}
}

func ofProgram(f event.Target, c telemetry.Counter) metric {
	return metric{telemetry.Namespace, c.String(), "Function", string(f)}
}

func ofTopic(readers, name string) metric {
	return metric{"AWS/SNS", name, "TopicName", topicName(readers)}
}

func ofQueue(name string) metric { return metric{"AWS/SQS", name, "QueueName", failedQueue} }

// watch is one alarm on cniguard itself: a metric's statistic of a period is at or above a limit, in some of the last periods.
type watch struct {
	name, about string
	metric      metric
	statistic   string  // Sum, Maximum; a percentile, as p99
	period      int     // in seconds; 0: five minutes
	periods     int     // that are looked at; 0: one
	points      int     // so many of them; 0: all
	limit       float64 // 0: one
	absent      bool    // the alarm is that the metric stays below the limit, or is not there
	warmUp      int     // how long a new hub has for its first data, where that is the alarm, in minutes; 0: twenty
}

// watches are the alarms of a hub. What is lost for good, and what keeps people from being told, is one data point away from a
// page; what Lambda tries again by itself has to go on for a quarter of an hour. No event fails that long: it is in the failure
// queue by then, which has an alarm of its own.
func watches() []watch {
	all := []watch{
		{name: "failed", metric: ofQueue("ApproximateNumberOfMessagesVisible"), statistic: "Maximum",
			about: "The failure queue holds events that were not handled. `cniguard failed list` shows why; retry or drop them."},
		{name: "ledger", metric: ofProgram(event.Bulk, telemetry.LedgerFailed), statistic: "Sum", periods: 2,
			about: "The tick, which reads the ledger every five minutes, cannot. Nothing is changed and little is told until it can. Look at the log of bulk."},
		{name: "tick", metric: ofProgram(event.Bulk, telemetry.Ticks), statistic: "Sum", periods: 3, absent: true,
			about: "No tick for 15 minutes: nothing that was put off is looked at again. Look at the schedules of the group cniguard, and at the log of bulk."},
		{name: "meter", metric: ofProgram(event.Bulk, telemetry.Meters), statistic: "Sum", periods: 3, absent: true,
			about: "No meter for 15 minutes: alarms on clusters get no data. Look at the schedules of the group cniguard, and at the log of bulk."},
		// A sweep comes every six hours and takes a while: in 13 hours two have not finished. A row of periods of an hour may have up to a week, one of
		// shorter ones up to a day (CloudWatch API reference, PutMetricAlarm: Period).
		{name: "sweep", metric: ofProgram(event.Bulk, telemetry.Sweeps), statistic: "Sum", period: 60 * 60, periods: 13, absent: true, warmUp: 13 * 60,
			about: "No sweep finished for 13 hours: some account and region was not swept to its end. `cniguard status` names it; look at the log of bulk."},
		{name: "overdue", metric: ofProgram(event.Bulk, telemetry.Overdue), statistic: "Maximum", periods: 3,
			about: "A cluster was not checked for two sweeps, 12 hours. `cniguard status` names it; look at the log of bulk."},
		{name: "waiting", metric: ofProgram(event.Bulk, telemetry.Waiting), statistic: "Maximum", periods: 3,
			about: "Messages wait for more than an hour, or for a digest that should have been sent. Look at the logs for what could not be published, and at the topics."},
	}
	for _, f := range targets() {
		all = append(all, watchesOn(f)...)
	}
	for _, readers := range []string{"oncall", "chat", "machine"} {
		all = append(all, watch{name: "undelivered-" + readers, metric: ofTopic(readers, "NumberOfNotificationsFailed"), statistic: "Sum",
			about: "SNS gave up on a subscriber of the topic " + topicName(readers) + ": somebody was not told. Look at its subscriptions."})
	}
	return all
}

// watchesOn are the alarms of one function.
func watchesOn(f event.Target) []watch {
	n, limit := string(f), 0.8*float64(timeout(f)*1000)
	return []watch{
		{name: n + "-errors", metric: ofLambda(f, "Errors"), statistic: "Sum", periods: 3,
			about: "The function " + n + " has been failing for 15 minutes. Its log says at what."},
		{name: n + "-throttles", metric: ofLambda(f, "Throttles"), statistic: "Sum", periods: 3,
			about: "The function " + n + " has been held back for 15 minutes: the account's concurrency, or the one reserved for it, is used up."},
		{name: n + "-dropped", metric: ofLambda(f, "AsyncEventsDropped"), statistic: "Sum",
			about: "Lambda dropped events of the function " + n + ". If they are not in the failure queue, the next sweep has to find out what they said."},
		{name: n + "-unkept", metric: ofLambda(f, "DestinationDeliveryFailures"), statistic: "Sum",
			about: "Lambda could not put failed events of the function " + n + " into the failure queue: they are lost."},
		{name: n + "-slow", metric: ofLambda(f, "Duration"), statistic: "p99", period: 15 * 60, limit: limit,
			about: "The function " + n + " takes more than 80 % of its time-out: soon it will be cut off."},
		// What could not be published is tried again after 4, 8, 16 … minutes (package check, retell): no row of periods has a try each.
		{name: n + "-untold", metric: ofProgram(f, telemetry.TellFailed), statistic: "Sum", periods: 12, points: 2,
			about: "The function " + n + " failed to publish again and again within an hour. They wait in the ledger. Look at its log: is a topic gone, or the key denied?"},
	}
}

// newAlarms makes the alarms. They tell the people on call directly, and say nothing when all is well again: each one would say so
// once already when it is made.
func newAlarms(scope constructs.Construct, oncall *string) {
	const fiveMinutes = 5 * 60
	for _, a := range watches() {
		props := awscloudwatch.CfnAlarmProps{
			AlarmName: str(alarmPrefix + a.name), AlarmDescription: str(a.about), AlarmActions: &[]any{oncall},
			Namespace: str(a.metric.namespace), MetricName: str(a.metric.name),
			Dimensions:         []any{awscloudwatch.CfnAlarm_DimensionProperty{Name: str(a.metric.dimension), Value: str(a.metric.value)}},
			Period:             num(cmp.Or(a.period, fiveMinutes)),
			EvaluationPeriods:  num(max(a.periods, 1)),
			Threshold:          ptr(max(a.limit, 1)),
			ComparisonOperator: str("GreaterThanOrEqualToThreshold"),
			TreatMissingData:   str("notBreaching"), // what never happens is not counted
			DatapointsToAlarm:  num(cmp.Or(a.points, max(a.periods, 1))),
		}
		if strings.HasPrefix(a.statistic, "p") {
			props.ExtendedStatistic = str(a.statistic)
		} else {
			props.Statistic = str(a.statistic)
		}
		if a.absent {
			props.ComparisonOperator, props.TreatMissingData = str("LessThanThreshold"), str("breaching")
			// A new hub gets the time in which its first ticks come: a deployment must not page. CloudWatch takes up to two days (CloudFormation
			// template reference, AWS::CloudWatch::Alarm WarmUpConfiguration).
			props.WarmUpConfiguration = awscloudwatch.CfnAlarm_WarmUpConfigurationProperty{WarmUpPeriodDurationInMinutes: num(cmp.Or(a.warmUp, 20))}
		}
		awscloudwatch.NewCfnAlarm(scope, str("Alarm-"+a.name), &props)
	}
}
