package notify_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/notify"
)

var update = flag.Bool("update", false, "write the golden files")

var now = time.Date(2026, 11, 23, 3, 12, 0, 0, time.UTC)

// sample is a message as guard makes them: of a cluster that observes, with a path, an hour after the finding was first seen.
func sample(code guard.Code, severity guard.Severity, pairs ...string) guard.Message {
	return guard.Message{
		Key: "b9f1c2d3-7", Thread: "b9f1c2d3", News: guard.Opened, Owner: "payments",
		Cluster: cluster.ID{Account: "111122223333", Region: "eu-central-1", Name: "prod-eu"},
		Finding: guard.Finding{Code: code, Severity: severity, Facts: facts(pairs...), Print: "never shown"},
		Verdict: guard.Verdict{
			Word:     "outdated",
			Install:  guard.Answer{Word: "managed", Because: "EKS add-on vpc-cni, ACTIVE"},
			Version:  guard.Answer{Word: "outdated", Because: "v1.7.5-eksbuild.2 is below the floor v1.8.0"},
			Capacity: guard.Answer{Word: "fine", Because: "pod subnet subnet-0a1 is 41.2 % used"},
			Change:   guard.Answer{Word: "waiting", Because: "the policy's mode for this cluster is observe"},
		},
		Version: "v1.7.5-eksbuild.2",
		Role:    "arn:aws:iam::111122223333:role/prod-eu-cni",
		Path:    []string{"v1.8.0-eksbuild.1", "v1.9.3-eksbuild.7"},
		Held:    []guard.Reason{{Gate: "mode", Text: "the policy's mode for this cluster is observe"}},
		Mode:    "observe",
		First:   now.Add(-65 * time.Minute),
		At:      now,
	}
}

// facts are pairs of name and value.
func facts(pairs ...string) []guard.Fact {
	var fs []guard.Fact
	for p := range slices.Chunk(pairs, 2) {
		fs = append(fs, guard.Fact{Name: p[0], Value: p[1]})
	}
	return fs
}

func samples() map[string]guard.Message {
	low := []string{"worst subnet", "subnet-0a1b2c3d4e5f67890 (10.0.0.0/24, eu-central-1a)", "used", "96.8 %", "free", "8 addresses", "pod subnets", "4",
		"found by", "node group blue, instances", "shared with", "batch, staging", "worst zone", "eu-central-1a, 84.5 % used, 39 addresses free",
		"what helps", "WARM_IP_TARGET=5 would free at least 214 of 1,020 addresses in use"}
	ms := map[string]guard.Message{
		"version-outdated": sample(guard.VersionOutdated, guard.Warning, "installed", "v1.7.5-eksbuild.2", "floor", "v1.8.0", "Kubernetes", "1.21"),
		"version-updating": sample(guard.VersionOutdated, guard.Warning, "installed", "v1.7.5-eksbuild.2", "floor", "v1.8.0", "Kubernetes", "1.21"),
		"version-unknown":  sample(guard.VersionUnknown, guard.Warning, "installed", "v1.18-private.3", "floor", "v1.8.0", "Kubernetes", "1.33"),
		"install-unknown": sample(guard.InstallUnknown, guard.Info, "code", guard.NoEntry,
			"error", "kubernetes:GetDaemonSet: NoAccessEntry: the cluster's API answers 401 Unauthorized", "role", "arn:aws:iam::111122223333:role/cniguard-observer"),
		"install-unknown-slow": sample(guard.InstallUnknown, guard.Info, "code", guard.TooSlow,
			"error", "kubernetes:GetDaemonSet: Timeout: no answer within 5s"),
		"self-managed": sample(guard.VersionOutdated, guard.Warning, "installed", "v1.7.5", "floor", "v1.8.0", "Kubernetes", "1.21", "read from", "image tag",
			"image", "602401143452.dkr.ecr.eu-central-1.amazonaws.com/amazon-k8s-cni:v1.7.5", "installed by", "Helm (certain)",
			"evidence", "annotation meta.helm.sh/release-name=aws-vpc-cni"),
		"images-differ": sample(guard.ImagesDiffer, guard.Warning, "difference", "aws-node is v1.18.5, its init container v1.12.0",
			"image", "602401143452.dkr.ecr.eu-central-1.amazonaws.com/amazon-k8s-cni:v1.18.5",
			"init image", "602401143452.dkr.ecr.eu-central-1.amazonaws.com/amazon-k8s-cni-init:v1.12.0", "installed by", "kubectl (likely)"),
		"release-known-bad": sample(guard.ReleaseBad, guard.Warning, "installed", "v1.16.3-eksbuild.2", "problem", "livelock, high CPU",
			"fixed in", "v1.16.4", "see", "https://github.com/aws/amazon-vpc-cni-k8s/issues/2807"),
		"capacity-low":        sample(guard.CapacityLow, guard.Critical, low...),
		"capacity-low-silent": sample(guard.CapacityLow, guard.Warning, low...),
		"capacity-soon": sample(guard.CapacitySoon, guard.Warning, "full in", "about 6 days, between 5 and 8", "growth", "4.1 percentage points a day",
			"worst subnet", "subnet-0a1b2c3d4e5f67890 (10.0.0.0/24, eu-central-1a)", "used", "75.7 %", "forecast of", "2026-11-23T02:31:00Z"),
		"blocks-low": sample(guard.BlocksLow, guard.Critical, "worst subnet", "subnet-0a1b2c3d4e5f67890 (10.0.0.0/22, eu-central-1a)", "free /28 blocks", "2 of 62",
			"free addresses", "611 of 1019", "fragmented", "35 blocks lost", "what helps", "reserving the 2 free /28 blocks keeps single addresses out of them"),
		"nodes-full": sample(guard.NodesFull, guard.Warning, "alarm", "cniguard-prod-eu-node-capacity", "state", "ALARM", "since", "2026-11-23T02:40:00Z",
			"CLUSTER_ID", "prod-eu", "pods hold", "934 of 1080 that the nodes can hold (2026-11-23T02:31:00Z)"),
		"alarm-unheard":    sample(guard.AlarmUnheard, guard.Warning, "alarm", "cniguard-prod-eu-pod-subnets", "state", "ALARM", "since", "2026-11-23T02:40:00Z"),
		"capacity-unknown": sample(guard.CapacityUnknown, guard.Warning, "pod subnets", "no node group, Fargate profile or instance was found"),
		"control-plane-room": sample(guard.ControlPlaneRoom, guard.Warning, "subnet", "subnet-0c1b2c3d4e5f67890 (10.0.8.0/28, eu-central-1a)", "free", "2 addresses",
			"subnet", "subnet-0d1b2c3d4e5f67890 (10.0.8.16/28, eu-central-1b)", "free", "0 addresses"),
		"metric-silent": sample(guard.MetricSilent, guard.Warning, "alarm", "cniguard-prod-eu-pod-subnets", "state", "INSUFFICIENT_DATA",
			"since", "2026-11-23T02:40:00Z"),
		"alarm-failed": sample(guard.AlarmFailed, guard.Warning, "alarm", "cniguard-prod-eu-pod-subnets",
			"error", "cloudwatch:PutMetricAlarm: AccessDenied: User: arn:aws:sts::111122223333:assumed-role/cniguard-observer/cniguard is not authorized to perform: cloudwatch:PutMetricAlarm",
			"need", "cloudwatch:PutMetricAlarm"),
		"addon-unhealthy": sample(guard.AddonUnhealthy, guard.Warning, "status", "DEGRADED",
			"issue", "InsufficientNumberOfReplicas: The add-on is unhealthy because it doesn't have the desired number of replicas."),
		"unreadable": sample(guard.Unreadable, guard.Warning, "need", "eks:DescribeAddon",
			"add-on", "eks:DescribeAddon: AccessDeniedException: not authorized to perform: eks:DescribeAddon"),
		"unit-unreadable": sample(guard.UnitUnreadable, guard.Warning, "need", "sts:AssumeRole",
			"error", "sts:AssumeRole: AccessDenied: assume role arn:aws:iam::111122223333:role/cniguard-observer: not authorized"),
		"update-blocked": sample(guard.UpdateBlocked, guard.Warning, "wanted", "v1.7.5-eksbuild.2 to v1.8.0-eksbuild.1",
			"owner", "the cluster belongs to Terraform (tag ManagedBy=terraform): change the add-on there"),
		"update-stuck": sample(guard.UpdateStuck, guard.Warning, "step", "v1.7.5-eksbuild.2 to v1.8.0-eksbuild.1",
			"update id", "0f2bd9bb-1d5c-3c92-8ba1-8c5d0f5c9a6b", "started", "2026-11-23T02:31:00Z", "request token", "9d1f04c7d0a34d6c8a5f6b0c2f1e7a90",
			"update status", "InProgress", "status", "UPDATING", "issue", "InsufficientNumberOfReplicas: 2 of 6 aws-node pods are not ready"),
		"updates-halted":   sample(guard.UpdatesHalted, guard.Warning, "failed", "111122223333/eu-central-1/prod-a, 111122223333/eu-central-1/prod-b", "wave", "canary"),
		"update-set-aside": sample(guard.UpdateAside, guard.Warning, "because", "2 tries to update to v1.8.0-eksbuild.1 failed"),
		"exemption-ends": sample(guard.ExemptionEnds, guard.Warning, "exempted by", "payments", "because", "no change before the audit of 2026", "last day", "2026-11-30",
			"mutes", "version-outdated"),
		"not-a-code": sample("brand-new-finding", guard.Warning, "seen", "something new"),
	}
	edit := func(name string, change func(*guard.Message)) {
		m := ms[name]
		change(&m)
		ms[name] = m
	}
	edit("capacity-low", func(m *guard.Message) {
		m.Verdict.Word, m.Verdict.Capacity = "critical", guard.Answer{Word: "critical", Because: "pod subnet subnet-0a1b2c3d4e5f67890 is 96.8 % used"}
		m.Mode = "auto"
		m.Held = []guard.Reason{
			{Gate: "alarm", Text: "the IP alarm is in state ALARM"},
			{Gate: "room", Text: "pod subnet subnet-0a1b2c3d4e5f67890 has only 8 free addresses; restarting aws-node there may fail"},
			{Gate: "soak", Text: "v1.7.5-eksbuild.2 is watched for 30 minutes before the next step", Until: now.Add(12 * time.Minute)},
		}
	})
	edit("exemption-ends", func(m *guard.Message) {
		m.Mode, m.Lane = "auto", guard.InDigest
		m.Held = []guard.Reason{{Gate: "exemption", Text: "exempted by payments: no change before the audit of 2026", Until: now.Add(190 * time.Hour)}}
	})
	edit("capacity-soon", func(m *guard.Message) { m.Version, m.Path, m.Held = "v1.19.2-eksbuild.1", nil, nil })
	edit("capacity-low-silent", func(m *guard.Message) { m.Version, m.Path, m.Held = "v1.19.2-eksbuild.1", nil, nil })
	edit("version-unknown", func(m *guard.Message) { m.Version, m.Path, m.Held = "v1.18-private.3", nil, nil })
	for _, name := range []string{"install-unknown", "install-unknown-slow"} {
		edit(name, func(m *guard.Message) {
			m.Version, m.Role, m.Path, m.Held = "", "", nil, nil
			unknown := guard.Answer{Word: "unknown", Because: "EKS manages no add-on, and what runs instead could not be read"}
			m.Verdict.Word, m.Verdict.Install, m.Verdict.Version, m.Verdict.Change = "unknown", unknown, unknown, guard.Answer{Word: "idle", Because: "no update is wanted"}
		})
	}
	for name, version := range map[string]string{"self-managed": "v1.7.5", "images-differ": "v1.18.5"} {
		edit(name, func(m *guard.Message) {
			m.Version, m.Role, m.Path, m.Held = version, "", nil, nil
			m.Verdict.Install = guard.Answer{Word: "self-managed", Because: "DaemonSet aws-node; installed by Helm (certain)"}
			m.Verdict.Change = guard.Answer{Word: "idle", Because: "no update is wanted"}
		})
	}
	edit("release-known-bad", func(m *guard.Message) {
		m.Version, m.Path, m.Mode, m.Held = "v1.16.3-eksbuild.2", []string{"v1.16.4-eksbuild.2"}, "approve", nil
		m.Held = []guard.Reason{{Gate: "approval", Text: "it waits for an approval", ByApproval: true}}
	})
	edit("metric-silent", func(m *guard.Message) { m.Done = []string{"put alarm cniguard-prod-eu-pod-subnets"} })
	edit("unreadable", func(m *guard.Message) {
		m.Version, m.Path, m.Held, m.Verdict = "", nil, nil, guard.Verdict{Word: "unknown"}
	})
	edit("version-updating", func(m *guard.Message) {
		m.Held, m.Mode, m.Lane = nil, "auto", guard.InDigest
		m.Done = []string{"update vpc-cni from v1.7.5-eksbuild.2 to v1.8.0-eksbuild.1"}
	})
	edit("unit-unreadable", func(m *guard.Message) {
		m.Owner = m.Cluster.Account
		m.Cluster.Name, m.Version, m.Role, m.Path, m.Held, m.Mode = "", "", "", nil, nil, ""
		m.Verdict = guard.Verdict{Word: "unknown"}
	})
	edit("update-blocked", func(m *guard.Message) {
		m.Mode = "auto"
		m.Held = []guard.Reason{{Gate: "owner", Text: "the cluster belongs to Terraform (tag ManagedBy=terraform): change the add-on there"}}
	})
	return ms
}

// progress is the news of an update.
func progress(news guard.News) guard.Message {
	pairs := []string{"from", "v1.7.5-eksbuild.2", "to", "v1.8.0-eksbuild.1"}
	m := sample(guard.UpdateProgress, guard.Info)
	m.News, m.Mode, m.First = news, "auto", time.Time{}
	m.Held = []guard.Reason{{Gate: "in flight", Text: "the update from v1.7.5-eksbuild.2 to v1.8.0-eksbuild.1 is in flight"}}
	m.Verdict.Change = guard.Answer{Word: "in flight", Because: "from v1.7.5-eksbuild.2 to v1.8.0-eksbuild.1"}
	switch news {
	case guard.Started:
		m.Done = []string{"update vpc-cni from v1.7.5-eksbuild.2 to v1.8.0-eksbuild.1"}
		pairs = append(pairs, "service-account role", "kept (digest e980bbc4)", "configuration", "none, as before",
			"conflict mode", "PRESERVE: fields that others set stay",
			"restarts", "aws-node on every node, a tenth of the nodes at a time; pods keep their network")
	case guard.Updated:
		m.Version = "v1.8.0-eksbuild.1"
	case guard.NotDone:
		m.Finding.Severity = guard.Critical
		pairs = append(pairs, "error", "EKS says the update failed: InsufficientNumberOfReplicas: 2 of 6 aws-node pods are not ready",
			"code", "InsufficientNumberOfReplicas", "try", "1 of 2", "way back", "v1.7.5-eksbuild.2", "but", "v1.7.5-eksbuild.2 is below the floor v1.8.0",
			"next", "one more try in 15 minutes")
	case guard.Lost:
		m.Finding.Severity = guard.Warning
		pairs = append(pairs, "outcome", "unknown: EKS does not know the update any more", "status", "ACTIVE",
			"next", "it plans anew from what EKS shows now")
	}
	m.Finding.Facts = facts(append(pairs, "update id", "0f2bd9bb-1d5c-3c92-8ba1-8c5d0f5c9a6b")...)
	return m
}

// pages are the golden files of a message, a channel each, and in them a page for each state.
type pages map[string]string

func (p pages) add(t *testing.T, name string, m guard.Message) {
	t.Helper()
	s := notify.Render(m)
	p[name] += fmt.Sprintf("######## %s\nSubject: %s\nSMS: %s\n\n%s\n", m.News, s.Subject, s.SMS, s.Text)
	p["chat/"+name] += fmt.Sprintf("######## %s\n%s\n", m.News, chatPage(t, s.Chat))
	var alarm bytes.Buffer
	if err := json.Indent(&alarm, []byte(s.Alarm), "", "  "); err != nil {
		t.Fatal(err)
	}
	p["pager/"+name] += fmt.Sprintf("######## %s\n%s\n\n", m.News, alarm.String())
}

func TestGolden(t *testing.T) {
	files := pages{}
	for name, m := range samples() {
		for _, news := range []guard.News{guard.Opened, guard.Reminded, guard.Recovered} {
			m.News = news
			if news == guard.Reminded {
				m.First = now.Add(-29 * time.Hour)
			}
			if news == guard.Recovered {
				m.Finding.Facts, m.Held, m.Path = facts("lasted", "29h0m0s"), nil, nil
				m.Verdict.Word, m.Verdict.Version.Word, m.Verdict.Capacity.Word, m.Verdict.Change.Word = "fine", "fine", "fine", "idle"
			}
			files.add(t, name, m)
		}
	}
	gone := samples()["capacity-low"]
	gone.News, gone.Verdict, gone.Held, gone.Path = guard.Closed, guard.Verdict{Word: "gone"}, nil, nil
	files.add(t, "capacity-low", gone)
	for _, news := range []guard.News{guard.Started, guard.Updated, guard.NotDone, guard.Lost} {
		files.add(t, "update-progress", progress(news))
	}
	for _, m := range endings() {
		files.add(t, "update-failed", m)
	}
	untaken := samples()["update-blocked"]
	untaken.News, untaken.Held = guard.Opened, nil
	untaken.Finding.Facts = facts("wanted", "v1.7.5-eksbuild.2 to v1.8.0-eksbuild.1", "refused", "eks:UpdateAddon: ThrottlingException: Rate exceeded",
		"code", "ThrottlingException")
	files.add(t, "update-refused", untaken)
	untaken.Finding.Facts = facts("wanted", "v1.7.5-eksbuild.2 to v1.8.0-eksbuild.1",
		"refused", "eks:UpdateAddon: ResourceInUseException: Addon vpc-cni cannot be updated as it is currently in UPDATING state", "code", "ResourceInUseException")
	files.add(t, "update-refused", untaken)
	untaken.Finding.Facts = facts("wanted", "v1.7.5-eksbuild.2 to v1.8.0-eksbuild.1", "refused", "a slot could not be taken: save the fleet's updates: "+
		"dynamodb:PutItem: AccessDeniedException: not authorized to perform: dynamodb:PutItem", "code", fault.NoSlot, "need", "dynamodb:PutItem")
	files.add(t, "update-refused", untaken)
	files.addDigests(t)
	for name, got := range files {
		golden(t, filepath.Join("testdata", name+".golden"), got)
	}
	found := 0
	for _, pattern := range []string{"testdata/*.golden", "testdata/*/*.golden"} {
		some, _ := filepath.Glob(pattern)
		found += len(some)
	}
	if found != len(files) {
		t.Errorf("%d golden files for %d samples and channels", found, len(files))
	}
}

// golden compares with a file, or writes it with -update.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s differs (-want +got); write it with -update and read it:\n%s", path, diff)
	}
}

func TestEveryFindingOfGuardHasTextsOfItsOwn(t *testing.T) {
	for _, code := range append(guard.Codes(), "no-such-code") {
		for _, news := range []guard.News{guard.Opened, guard.Recovered} {
			m := sample(code, guard.Warning)
			m.News = news
			generic := strings.Contains(notify.Render(m).Subject, string(code))
			if known := slices.Contains(guard.Codes(), code); generic == known {
				t.Errorf("%s, %s: texts of its own: %v", code, news, !generic)
			}
		}
	}
}

// Facts 7.2/crash-loop, 7.2/silent.
func TestImpactFollowsTheVersion(t *testing.T) {
	cases := map[string]struct{ version, has, hasNot string }{
		"before v1.10.2 aws-node crash-loops":             {"v1.10.1-eksbuild.1", "aws-node crash-loops", "silently"},
		"from v1.10.2 on it fails silently":               {"v1.10.2-eksbuild.1", "silently: nodes stay Ready", "crash"},
		"an unknown version may do either":                {"v1.10-custom", "on nodes that stay Ready, or, below v1.10.2", "silently"},
		"no version at all may do either":                 {"", "on nodes that stay Ready, or, below v1.10.2", "silently"},
		"version numbers are compared as numbers: v1.9.3": {"v1.9.3", "aws-node crash-loops", "silently"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			m := sample(guard.CapacityLow, guard.Critical)
			m.Version = c.version
			got := strings.Join(strings.Fields(notify.Render(m).Text), " ")
			if !strings.Contains(got, c.has) || strings.Contains(got, c.hasNot) {
				t.Errorf("want %q, not %q, in: %s", c.has, c.hasNot, got)
			}
		})
	}
}
