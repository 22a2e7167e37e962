package event_test

import (
	"maps"
	"strconv"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
)

var (
	member = event.Unit{Account: "111122223333", Region: "eu-central-1"}
	hub    = event.Unit{Account: "444455556666", Region: "eu-central-1"}
	prodEU = cluster.ID{Account: "111122223333", Region: "eu-central-1", Name: "prod-eu"}
	testEU = cluster.ID{Account: "111122223333", Region: "eu-central-1", Name: "test-eu"}
	china  = cluster.ID{Account: "999900001111", Region: "cn-north-1", Name: "prod-cn"}
	gov    = cluster.ID{Account: "777788889999", Region: "us-gov-west-1", Name: "prod-gov"}

	foreign = cluster.ID{Account: "999999999999", Region: "eu-central-1", Name: "prod-eu"}
)

// sample is what is expected of a file in events/.
type sample struct {
	rule string // the one rule that lets it through; empty: none
	want event.Trigger
}

const id = "6c0f1a52-0000-4000-8000-000000000" // of an event; three digits follow

func at(clock string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05.999", "2026-11-23 "+clock)
	if err != nil {
		panic(err)
	}
	return t
}

// check is a check of one cluster that its own account and region tell of.
func check(n string, c cluster.ID, why, clock string) event.Trigger {
	return event.Trigger{Kind: event.Check, ID: id + n, From: event.Unit{Account: c.Account, Region: c.Region}, Why: why, Cluster: c, At: at(clock)}
}

func skip(n, why, clock string) event.Trigger {
	return event.Trigger{Kind: event.Skip, ID: id + n, From: member, Why: why, At: at(clock)}
}

func unknown(n, what string) event.Trigger {
	return event.Trigger{Kind: event.Skip, ID: id + n, Why: "unknown event: " + strconv.Quote(what)}
}

// swept is a faint sweep of the member's region.
func swept(n, why, clock string) event.Trigger {
	return event.Trigger{Kind: event.Sweeping, ID: id + n, From: member, Why: why, Unit: member, Run: "event " + id + n, Faint: true, At: at(clock)}
}

func samples() map[string]sample {
	all := map[string]sample{}
	for _, some := range []map[string]sample{calls(), addons(), healths(), alarms(), items(), wakeUps()} {
		maps.Copy(all, some)
	}
	return all
}

func calls() map[string]sample {
	replayed := check("009", prodEU, "CloudTrail UpdateAddon", "09:08:00")
	replayed.At = replayed.At.AddDate(0, 0, -3)
	return map[string]sample{
		"create-cluster.json":          {"eks-calls", check("001", prodEU, "CloudTrail CreateCluster", "09:00:00")},
		"create-cluster-china.json":    {"eks-calls", check("002", china, "CloudTrail CreateCluster", "09:01:00")},
		"update-cluster-version.json":  {"eks-calls", check("003", prodEU, "CloudTrail UpdateClusterVersion", "09:02:00")},
		"update-cluster-config.json":   {"eks-calls", check("083", prodEU, "CloudTrail UpdateClusterConfig", "09:53:00")},
		"create-access-entry.json":     {"", skip("081", `other call: "CreateAccessEntry"`, "09:51:00")},
		"associate-access-policy.json": {"eks-calls", check("082", prodEU, "CloudTrail AssociateAccessPolicy", "09:52:00")},
		"create-addon.json":            {"eks-calls", check("004", prodEU, "CloudTrail CreateAddon", "09:03:00")},
		"update-addon.json":            {"eks-calls", check("005", prodEU, "CloudTrail UpdateAddon", "09:04:00")},
		"update-addon-other.json":      {"", skip("006", `other add-on: "coredns"`, "09:05:00")},
		"update-addon-failed.json":     {"", skip("007", `failed UpdateAddon: "ResourceInUseException"`, "09:06:00")},
		"update-addon-encoded.json":    {"eks-calls", check("008", prodEU, "CloudTrail UpdateAddon", "09:07:00")},
		"update-addon-replayed.json":   {"eks-calls", replayed},
		"delete-addon.json":            {"eks-calls", check("010", prodEU, "CloudTrail DeleteAddon", "09:09:00")},
		"delete-cluster.json":          {"eks-calls", check("011", prodEU, "CloudTrail DeleteCluster", "09:10:00")},
		"other-call.json":              {"", skip("012", `other call: "CreateNodegroup"`, "09:11:00")},
		"fargate-termination.json":     {"", unknown("013", "aws.eks/EKS Fargate Pod Scheduled Termination")},
		"update-addon-own.json":        {"eks-calls", check("014", prodEU, "CloudTrail UpdateAddon", "09:13:00")},
		"update-addon-by-eks.json":     {"eks-calls", check("015", prodEU, "CloudTrail UpdateAddon", "09:14:00")},
		"service-event.json":           {"", unknown("016", "aws.eks/AWS Service Event via CloudTrail")},
		"update-addon-govcloud.json":   {"eks-calls", check("017", gov, "CloudTrail UpdateAddon", "09:16:00")},
	}
}

func addons() map[string]sample {
	return map[string]sample{
		"addon-arn-only.json":       {"eks-addons", check("040", prodEU, "EKS Addon Update Succeeded", "10:00:00")},
		"addon-detail-only.json":    {"eks-addons", check("041", prodEU, "EKS Addon Creation Succeeded", "10:01:00")},
		"addon-arn-and-detail.json": {"eks-addons", check("042", prodEU, "EKS Addon Health Degraded", "10:02:00")},
		"addon-neither.json":        {"eks-addons", swept("043", "EKS Addon Health Restored", "10:03:00")},
		"addon-hyphens.json":        {"eks-addons", check("044", prodEU, "EKS Addon Update Failed", "10:04:00")},
		"addon-underscores.json":    {"eks-addons", check("045", prodEU, "EKS Addon Deletion Succeeded", "10:05:00")},
		"addon-arn-in-detail.json":  {"eks-addons", check("046", prodEU, "EKS Addon Deletion Failed", "10:06:00")},
		"addon-other.json":          {"eks-addons", skip("047", `other add-on: "coredns"`, "10:07:00")},
		"addon-china.json":          {"eks-addons", check("048", china, "EKS Addon Update Succeeded", "10:08:00")},
		"addon-govcloud.json":       {"eks-addons", check("049", gov, "EKS Addon Update Succeeded", "10:09:00")},
	}
}

func healths() map[string]sample {
	const lifecycle, notification = `Health "AWS_EKS_PLANNED_LIFECYCLE_EVENT"`, `Health "AWS_EKS_OPERATIONAL_NOTIFICATION"`
	jobs, zeta := prodEU, prodEU
	jobs.Name, zeta.Name = "prod-jobs", "zeta"
	backup := check("062", prodEU, lifecycle, "10:20:02")
	backup.From.Region = "us-west-2"
	organization := check("066", prodEU, lifecycle, "10:24:00")
	organization.From = hub
	return map[string]sample{
		"health-several.json": {"eks-health", event.Trigger{Kind: event.Checks, ID: id + "060", From: member, Why: lifecycle,
			Clusters: []cluster.ID{prodEU, jobs, testEU}, At: at("10:20:00")}},
		"health-page.json":          {"eks-health", check("061", zeta, lifecycle, "10:20:01")},
		"health-backup.json":        {"eks-health", backup},
		"health-name.json":          {"eks-health", check("063", prodEU, notification, "10:21:00")},
		"health-unknown.json":       {"eks-health", swept("064", notification, "10:22:00")},
		"health-public.json":        {"", skip("065", `not about one account: "PUBLIC"`, "10:23:00")},
		"health-organization.json":  {"eks-health", organization},
		"health-other-service.json": {"", skip("067", `other service: "EC2"`, "10:25:00")},
		"health-china.json":         {"eks-health", check("068", china, lifecycle, "10:26:00")},
	}
}

// rang is a check because one of the cluster's alarms went to ALARM.
func rang(n, clock string) event.Trigger {
	t := check(n, prodEU, `alarm is "ALARM"`, clock)
	t.Rang = true
	return t
}

func alarms() map[string]sample {
	updated := check("025", prodEU, `alarm's configuration: "update"`, "09:24:00")
	updated.Faint = true
	probe := event.Trigger{Kind: event.Probe, ID: id + "027", From: hub, Why: `doctor's alarm is "ALARM"`, Nonce: "K3QZ7M2VXWPLT5ORJAYB6DNHCE", At: at("09:26:01.345")}
	return map[string]sample{
		"alarm-to-alarm.json":    {"ip-alarms", rang("020", "09:20:12.345")},
		"alarm-to-ok.json":       {"ip-alarms", check("021", prodEU, `alarm is "OK"`, "10:20:12.345")},
		"alarm-foreign.json":     {"", skip("022", `other alarm: "orders-queue-age"`, "09:21:12")},
		"alarm-contributor.json": {"ip-alarms", rang("023", "09:22:12.345")},
		"alarm-created.json":     {"", skip("024", `alarm created: "cniguard-prod-eu-pod-subnets"`, "09:23:00")},
		"alarm-updated.json":     {"ip-alarms", updated},
		"alarm-probe.json":       {"ip-alarms", probe},
		"alarm-deleted.json":     {"ip-alarms", check("026", prodEU, `alarm's configuration: "delete"`, "09:25:00")},
	}
}

func items() map[string]sample {
	return map[string]sample{
		"config-addon.json":       {"config-items", check("070", prodEU, "Config AWS::EKS::Addon", "10:30:00")},
		"config-cluster.json":     {"config-items", check("071", prodEU, "Config AWS::EKS::Cluster", "10:31:00")},
		"config-addon-other.json": {"config-items", skip("072", `other add-on: "coredns"`, "10:32:00")},
		"config-other.json":       {"", skip("073", `other resource: "AWS::EC2::Subnet"`, "10:33:00")},
	}
}

func wakeUps() map[string]sample {
	asked := check("030", prodEU, "meter: critical", "09:30:00")
	asked.From = hub
	return map[string]sample{
		"news-finding-opened.json": {"", unknown("090", "cniguard.news/Finding Opened")},
		"own-check.json":           {"checks", asked},
		"own-test.json": {"checks", event.Trigger{Kind: event.Test, ID: id + "033", From: hub,
			Why: "by Ops/ana", Nonce: "K3QZ7M2VXWPLT5ORJAYB6DNHCE", Channel: "chat", At: at("09:32:00")}},
		"own-tick.json": {"bulk-work", event.Trigger{Kind: event.Tick, ID: "tick-2026-11-23T09:30:00Z", From: hub,
			Why: "cniguard Tick", At: at("09:30:00")}},
		"own-meter.json": {"bulk-work", event.Trigger{Kind: event.Meter, ID: "meter-2026-11-23T09:30:00Z", From: hub,
			Why: "cniguard Meter", At: at("09:30:00")}},
		"own-metering.json": {"bulk-work", event.Trigger{Kind: event.Metering, ID: id + "031", From: hub,
			Why: "cniguard Metering", Unit: member, At: at("09:30:00")}},
		"own-sweep.json": {"bulk-work", event.Trigger{Kind: event.Sweep, ID: "sweep-2026-11-23T12:00:00Z", From: hub,
			Why: "cniguard Sweep", At: at("12:00:00")}},
		"own-sweeping.json": {"bulk-work", event.Trigger{Kind: event.Sweeping, ID: id + "032", From: hub,
			Why: "cniguard Sweeping", Unit: member, Run: "2026-11-23T12:00:00Z", After: "prod-049", At: at("12:00:00")}},
		"own-digest.json": {"bulk-work", event.Trigger{Kind: event.Digest, ID: id + "033", From: hub, Why: "cniguard Digest", At: at("09:00:00")}},
		"own-digest-again.json": {"bulk-work", event.Trigger{Kind: event.Digest, ID: id + "034", From: hub, Why: "cniguard Digest",
			Owner: "payments", At: at("09:00:00")}},
		"news-sweep-finished.json": {"", unknown("090", "cniguard.news/Sweep Finished")},
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
	const (
		addon  = `read event "6c0f1a52-0000-4000-8000-000000000040" (aws.eks/EKS Addon Update Succeeded): `
		health = `read event "6c0f1a52-0000-4000-8000-000000000060" (aws.health/AWS Health Event): `
		item   = `read event "6c0f1a52-0000-4000-8000-000000000070" (aws.config/Config Configuration Item Change): `
		arns   = `want ARNs of EKS of 111122223333 in eu-central-1, have `
	)
	return map[string]string{
		"malformed/addon-arn-of-another-region.json":   addon + "resources: " + arns + `"arn:aws:eks:us-east-1:111122223333:addon/prod-eu/vpc-cni/b2c7d0f"`,
		"malformed/addon-arn-of-another-account.json":  `read event "6c0f1a52-0000-4000-8000-000000000046" (aws.eks/EKS Addon Deletion Failed): detail: ` + arns + `"arn:aws:eks:eu-central-1:999999999999:cluster/prod-eu"`,
		"malformed/alarm-operation-missing.json":       `read event "6c0f1a52-0000-4000-8000-000000000026" (aws.cloudwatch/CloudWatch Alarm Configuration Change): detail.operation: want what was done to the alarm, have nothing`,
		"malformed/config-arn-of-another-account.json": item + "resources: " + arns + `"arn:aws:eks:eu-central-1:999999999999:addon/prod-eu/vpc-cni/b2c7"`,
		"malformed/config-type-missing.json":           item + "detail.configurationItem.resourceType: want a type of resource, have nothing",
		"malformed/health-entities-no-list.json":       health + "detail.affectedEntities: want a list, have an object",
		"malformed/health-entity-is-a-number.json":     health + "detail.affectedEntities.entityValue: want a string, have a number",
		"malformed/health-region.json":                 health + `detail.eventRegion: want a region, have "global"`,
		"malformed/health-service-missing.json":        health + "detail.service: want the service that is affected, have nothing",

		"malformed/account-missing.json":          call + "account: want an account id of twelve digits, have nothing",
		"malformed/alarm-of-another-cluster.json": change + `detail.configuration.metrics.metricStat.metric.dimensions.ClusterName: want the alarm's cluster prod-eu, have "test"`,
		"malformed/alarm-time.json":               change + `detail.state.timestamp: want a time as 2006-01-02T15:04:05.000-0700, have "yesterday"`,
		"malformed/arn-of-another-account.json":   arn + name + `"arn%3Aaws%3Aeks%3Aeu-central-1%3A999999999999%3Acluster%2Fprod-e"`,
		"malformed/test-of-no-channel.json":       `read event "6c0f1a52-0000-4000-8000-000000000033" (cniguard/Test Requested): detail.channel: want the name of a channel, have "arn:aws:sns:eu-central-1:111122223333:other"`,
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
