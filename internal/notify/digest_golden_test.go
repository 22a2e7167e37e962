package notify_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/notify"
)

// morning is when the digests of the tests are due.
var morning = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// item is a matter of a cluster in Frankfurt that is known since a while, as the news or as what stands.
func item(name string, code guard.Code, severity guard.Severity, news guard.News, since time.Duration, pairs ...string) guard.Item {
	i := guard.Item{
		Thread: "t-" + name, News: news, Cluster: cluster.ID{Account: "111122223333", Region: "eu-central-1", Name: name}, Finding: code, Severity: severity,
		First: morning.Add(-since), At: morning.Add(-since), Version: "v1.7.5-eksbuild.2", Next: "v1.8.0-eksbuild.1", Facts: facts(pairs...),
	}
	if news != "" {
		i.Key = i.Thread + "-1"
	}
	return i
}

const low, day = guard.CapacityLow, 24 * time.Hour

// digests are the samples of digests by name.
func digests() map[string]guard.Digest {
	base := guard.Digest{Key: "digest-payments-2026-11-23", Owner: "payments", At: morning, Clusters: 6, Alarms: 7, USD: 2.5}
	quiet, over, hidden, elsewhere, silent, none := base, base, base, base, base, base

	muted := item("legacy", guard.VersionOutdated, guard.Warning, "", 40*day)
	muted.Muted = &guard.Order{Kind: guard.Muting, By: "arn:aws:sts::444455556666:assumed-role/ops/ana@example.com", Because: "moves to another account this week",
		At: morning.Add(-6 * day), Until: morning.Add(19 * time.Hour)}
	soon := item("batch", guard.CapacitySoon, guard.Warning, "", 3*day, "full in", "about 6 days, between 5 and 8", "used", "75.7 %")
	soon.Version = "v1.19.2-eksbuild.1"
	quiet.Open, quiet.Stand, quiet.Kinds = []guard.Item{soon, muted}, map[guard.Severity]int{guard.Warning: 2}, map[guard.Code]int{guard.CapacitySoon: 1, guard.VersionOutdated: 1}

	gone := item("web", low, guard.Warning, guard.Recovered, 5*time.Hour, "lasted", "3 h")
	gone.At = morning.Add(-2 * time.Hour)
	closed := item("old", guard.VersionOutdated, guard.Warning, guard.Closed, 90*day)
	closed.At = morning.Add(-7 * time.Hour)
	step := func(name string, news guard.News) guard.Item {
		return item(name, guard.UpdateProgress, guard.Info, news, 9*time.Hour, "from", "v1.7.5-eksbuild.2", "to", "v1.8.0-eksbuild.1")
	}
	changed := item("batch", low, guard.Warning, guard.Changed, 12*day, "worst subnet", "subnet-0a1b2c3d4e5f67890 (10.0.0.0/24, eu-central-1a)", "used", "88.1 %")
	blind := item("prod", guard.MetricSilent, guard.Warning, guard.Opened, 6*time.Hour, "alarm", "cniguard-prod-pod-subnets", "state", "INSUFFICIENT_DATA")
	failed := step("batch", guard.NotDone)
	failed.Facts = append(failed.Facts, guard.Fact{Name: "error", Value: "EKS says the update failed: InsufficientNumberOfReplicas: 2 of 6 aws-node pods are not ready"})
	over.News = []guard.Item{changed, blind, failed, step("api", guard.Updated), step("web", guard.Updated), gone, closed}
	over.Began, over.Ended, over.Stand, over.Kinds = 2, 2, map[guard.Severity]int{guard.Warning: 2}, map[guard.Code]int{low: 1, guard.MetricSilent: 1}

	unit := item("", guard.UnitUnreadable, guard.Warning, "", 2*day, "need", "sts:AssumeRole")
	unit.Version, unit.Next = "", ""
	hidden.Owner, hidden.Open, hidden.Stand, hidden.Clusters = "111122223333", []guard.Item{unit}, map[guard.Severity]int{guard.Warning: 1}, 2
	hidden.Kinds, hidden.Key = map[guard.Code]int{guard.UnitUnreadable: 1}, "digest-111122223333-2026-11-23"
	hidden.Hidden = facts("111122223333/eu-central-1", "the clusters could not be listed: sts:AssumeRole: AccessDenied: assume role "+
		"arn:aws:iam::111122223333:role/cniguard-observer: not authorized", "111122223333/eu-west-1/closing", "not checked for 14 hours")

	china, gov := item("shop", low, guard.Critical, guard.Opened, 2*time.Hour, "used", "97.0 %"), item("tax", low, guard.Critical, "", 30*time.Hour, "used", "95.4 %")
	china.Cluster.Region, china.Cluster.Account, gov.Cluster.Region = "cn-north-1", "222233334444", "us-gov-west-1"
	gov.Acked = &guard.Order{Kind: guard.Acknowledging, By: "AROAEXAMPLE:bo", Because: "new subnets come on Tuesday", At: morning.Add(-20 * time.Hour), Until: morning.Add(4 * time.Hour)}
	elsewhere.News, elsewhere.Open, elsewhere.Began = []guard.Item{china}, []guard.Item{gov}, 1
	elsewhere.Stand, elsewhere.Kinds = map[guard.Severity]int{guard.Critical: 2}, map[guard.Code]int{low: 2}

	for n := range 30 {
		i := item(fmt.Sprintf("team-%02d", n), guard.VersionOutdated, guard.Warning, "", 20*day)
		i.Muted = &guard.Order{By: "ana", Because: "the update is planned for December", At: morning.Add(-2 * day), Until: morning.Add(9 * day)}
		if n == 12 {
			i.Muted.Until = morning.Add(12 * time.Hour)
		}
		silent.Open = append(silent.Open, i)
	}
	silent.Omitted, silent.Clusters, silent.Stand = 25, 60, map[guard.Severity]int{guard.Warning: 50, guard.Info: 5}
	silent.Kinds = map[guard.Code]int{guard.VersionOutdated: 50, guard.InstallUnknown: 5}
	return map[string]guard.Digest{
		"first-sweep": firstSweep(), "quiet-day": quiet, "news-only": over, "not-checked": hidden, "partitions": elsewhere, "left-out": silent, "all-well": none,
	}
}

// firstSweep finds 400 outdated clusters, and three that run out of addresses.
func firstSweep() guard.Digest {
	d := guard.Digest{
		Key: "digest-platform-2026-11-23", Owner: "platform", At: morning, Clusters: 412, Began: 403, Stand: map[guard.Severity]int{guard.Critical: 3, guard.Warning: 400},
		Kinds: map[guard.Code]int{guard.VersionOutdated: 400, low: 3}, Alarms: 812, USD: 325.4, Omitted: 203,
		Hidden: facts("999900001111/us-east-1", "the clusters could not be listed: sts:AssumeRole: AccessDenied"),
	}
	for n := range 3 {
		d.News = append(d.News, item(fmt.Sprintf("prod-%d", n), low, guard.Critical, guard.Opened, 40*time.Minute, "worst subnet", "subnet-0a1 (10.0.0.0/24)", "used", fmt.Sprintf("9%d.4 %%", 9-n)))
	}
	for n := range guard.MostItems - 3 {
		i := item(fmt.Sprintf("fleet-%03d", n), guard.VersionOutdated, guard.Warning, guard.Opened, 35*time.Minute, "installed", "v1.7.5-eksbuild.2", "floor", "v1.8.0")
		i.Version = fmt.Sprintf("v1.7.%d-eksbuild.1", n%9)
		d.News = append(d.News, i)
	}
	return d
}

// addDigests adds the golden files of digests: the text, the chat's card and what else is sent.
func (p pages) addDigests(t *testing.T) {
	t.Helper()
	for name, d := range digests() {
		s := notify.RenderDigest(d)
		attributes, err := json.Marshal(s.Attributes)
		if err != nil {
			t.Fatal(err)
		}
		p["digest/"+name] = fmt.Sprintf("Subject: %s\nSMS: %s\nAttributes: %s\n\n%s", s.Subject, s.SMS, attributes, s.Text)
		p["chat/digest-"+name] = chatPage(t, s.Chat)
		var alarm bytes.Buffer
		if err := json.Indent(&alarm, []byte(s.Alarm), "", "  "); err != nil {
			t.Fatal(err)
		}
		p["pager/digest-"+name] = alarm.String() + "\n"
	}
}
