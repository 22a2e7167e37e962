package event_test

import (
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
)

var (
	member = event.Unit{Account: "111122223333", Region: "eu-central-1"}
	hub    = event.Unit{Account: "444455556666", Region: "eu-central-1"}
	prodEU = cluster.ID{Account: "111122223333", Region: "eu-central-1", Name: "prod-eu"}
)

// sample is what is expected of a file in events/.
type sample struct {
	rule string // the one rule that lets it through; empty: none
	want event.Trigger
}

func samples() map[string]sample {
	const id = "6c0f1a52-0000-4000-8000-0000000000"
	at := func(clock string) time.Time {
		t, err := time.Parse("2006-01-02 15:04:05.999", "2026-11-23 "+clock)
		if err != nil {
			panic(err)
		}
		return t
	}
	check := func(n, why, clock string) event.Trigger {
		return event.Trigger{Kind: event.Check, ID: id + n, From: member, Why: why, Cluster: prodEU, At: at(clock)}
	}
	skip := func(n, why, clock string) event.Trigger {
		return event.Trigger{Kind: event.Skip, ID: id + n, From: member, Why: why, At: at(clock)}
	}
	china := check("02", "CloudTrail CreateCluster", "09:01:00")
	china.From = event.Unit{Account: "999900001111", Region: "cn-north-1"}
	china.Cluster = cluster.ID{Account: "999900001111", Region: "cn-north-1", Name: "prod-cn"}
	replayed := check("09", "CloudTrail UpdateAddon", "09:08:00")
	replayed.At = replayed.At.AddDate(0, 0, -3)
	asked := check("30", "meter: critical", "09:30:00")
	asked.From = hub

	return map[string]sample{
		"create-cluster.json":         {"eks-calls", check("01", "CloudTrail CreateCluster", "09:00:00")},
		"create-cluster-china.json":   {"eks-calls", china},
		"update-cluster-version.json": {"eks-calls", check("03", "CloudTrail UpdateClusterVersion", "09:02:00")},
		"create-addon.json":           {"eks-calls", check("04", "CloudTrail CreateAddon", "09:03:00")},
		"update-addon.json":           {"eks-calls", check("05", "CloudTrail UpdateAddon", "09:04:00")},
		"update-addon-other.json":     {"", skip("06", `other add-on: "coredns"`, "09:05:00")},
		"update-addon-failed.json":    {"", skip("07", `failed UpdateAddon: "ResourceInUseException"`, "09:06:00")},
		"update-addon-encoded.json":   {"eks-calls", check("08", "CloudTrail UpdateAddon", "09:07:00")},
		"update-addon-replayed.json":  {"eks-calls", replayed},
		"delete-addon.json":           {"eks-calls", check("10", "CloudTrail DeleteAddon", "09:09:00")},
		"delete-cluster.json":         {"eks-calls", check("11", "CloudTrail DeleteCluster", "09:10:00")},
		"other-call.json":             {"", skip("12", `other call: "CreateNodegroup"`, "09:11:00")},
		"fargate-termination.json": {"", event.Trigger{Kind: event.Skip, ID: id + "13",
			Why: `unknown event: "aws.eks/EKS Fargate Pod Scheduled Termination"`}},
		"alarm-to-alarm.json": {"ip-alarms", check("20", `alarm is "ALARM"`, "09:20:12.345")},
		"alarm-to-ok.json":    {"ip-alarms", check("21", `alarm is "OK"`, "10:20:12.345")},
		"alarm-foreign.json":  {"", skip("22", `other alarm: "orders-queue-age"`, "09:21:12")},
		"own-check.json":      {"checks", asked},
		"own-tick.json": {"bulk-work", event.Trigger{Kind: event.Tick, ID: "tick-2026-11-23T09:30:00Z", From: hub,
			Why: "cniguard Tick", At: at("09:30:00")}},
		"own-meter.json": {"bulk-work", event.Trigger{Kind: event.Meter, ID: "meter-2026-11-23T09:30:00Z", From: hub,
			Why: "cniguard Meter", At: at("09:30:00")}},
		"own-metering.json": {"bulk-work", event.Trigger{Kind: event.Metering, ID: id + "31", From: hub,
			Why: "cniguard Metering", Unit: member, At: at("09:30:00")}},
		"own-sweep.json": {"bulk-work", event.Trigger{Kind: event.Sweep, ID: "sweep-2026-11-23T12:00:00Z", From: hub,
			Why: "cniguard Sweep", At: at("12:00:00")}},
		"own-sweeping.json": {"bulk-work", event.Trigger{Kind: event.Sweeping, ID: id + "32", From: hub,
			Why: "cniguard Sweeping", Unit: member, Run: "sweep-2026-11-23T12:00:00Z", After: "prod-049", At: at("12:00:00")}},
	}
}

// malformed is the error of each file in events/malformed/.
func malformed() map[string]string {
	const (
		call   = `read event "6c0f1a52-0000-4000-8000-000000000005" (aws.eks/AWS API Call via CloudTrail): `
		arn    = `read event "6c0f1a52-0000-4000-8000-000000000008" (aws.eks/AWS API Call via CloudTrail): `
		change = `read event "6c0f1a52-0000-4000-8000-000000000020" (aws.cloudwatch/CloudWatch Alarm State Change): `
		name   = `detail.requestParameters.name: want a cluster's name, or the ARN of a cluster of 111122223333 in eu-central-1, have `
	)
	return map[string]string{
		"malformed/account-missing.json":          call + "account: want an account id of twelve digits, have nothing",
		"malformed/alarm-of-another-cluster.json": change + `detail.configuration.metrics.metricStat.metric.dimensions.ClusterName: want the alarm's cluster prod-eu, have "test"`,
		"malformed/alarm-time.json":               change + `detail.state.timestamp: want a time as 2006-01-02T15:04:05.000-0700, have "yesterday"`,
		"malformed/arn-of-another-account.json":   arn + name + `"arn%3Aaws%3Aeks%3Aeu-central-1%3A999999999999%3Acluster%2Fprod-e"`,
		"malformed/check-without-cluster.json":    `read event "6c0f1a52-0000-4000-8000-000000000030" (cniguard/Check Requested): detail.name: want a cluster's name, have nothing`,
		"malformed/detail-missing.json":           call + "detail: want an object, have nothing",
		"malformed/name-badly-encoded.json":       call + name + `"prod%2"`,
		"malformed/name-is-a-number.json":         call + "detail.requestParameters.name: want a string, have a number",
		"malformed/name-missing.json":             call + name + "nothing",
		"malformed/name-not-allowed.json":         call + name + `"prod eu"`,
		"malformed/region-differs.json":           call + `detail.awsRegion: want the envelope's region eu-central-1, have "us-east-1"`,
		"malformed/source-missing.json":           `read event "6c0f1a52-0000-4000-8000-000000000005": source: want who sent the event, have nothing`,
		"malformed/sweeping-without-run.json":     `read event "6c0f1a52-0000-4000-8000-000000000032" (cniguard/Sweeping): detail.run: want what names the sweep, have nothing`,
		"malformed/trailing.json":                 `read event "": invalid character '}' after top-level value`,
		"malformed/truncated.json":                `read event "": unexpected end of JSON input`,
	}
}
