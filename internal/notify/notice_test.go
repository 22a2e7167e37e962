package notify_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/notify"
)

// notice is a change of an alarm's state, as CloudWatch tells it.
type notice struct {
	AlarmName, AlarmDescription, AWSAccountId, NewStateValue, NewStateReason, StateChangeTime, Region, AlarmArn, OldStateValue string

	AlarmConfigurationUpdatedTimestamp string
	OKActions, AlarmActions            []string
	InsufficientDataActions            []string
	Trigger                            map[string]any
}

func checkNotice(t *testing.T, s notify.Shape, m guard.Message) {
	t.Helper()
	var n notice
	read(t, s.Alarm, &n)
	begins := map[string]bool{"ALARM": strings.HasPrefix(s.Subject, "ALARM: "), "OK": strings.HasPrefix(s.Subject, "OK: ")}
	begins["INSUFFICIENT_DATA"] = !begins["ALARM"] && !begins["OK"]
	if !begins[n.NewStateValue] {
		t.Errorf("the state is %s, and the subject %q", n.NewStateValue, s.Subject)
	}
	if over := m.News == guard.Recovered || m.News == guard.Closed; (n.NewStateValue == "OK") != over {
		t.Errorf("the state is %s for %q", n.NewStateValue, m.News)
	}
	for text, limit := range map[string]int{n.AlarmName: 255, n.AlarmDescription: 1024, n.NewStateReason: 1023} {
		if n := utf8.RuneCountInString(text); n > limit || n == 0 {
			t.Errorf("%d characters, want at most %d: %q", n, limit, text)
		}
	}
	if n.Trigger["Namespace"] != "CNIGuard" {
		t.Errorf("the trigger is %v", n.Trigger)
	}
}

// noticed is what a pager is told of a message.
func noticed(t *testing.T, m guard.Message) notice {
	t.Helper()
	var n notice
	read(t, notify.Render(m).Alarm, &n)
	return n
}

func TestAPagerOpensAnIncidentAndResolvesIt(t *testing.T) {
	for name, c := range map[string]struct {
		severity guard.Severity
		news     guard.News
		old, new string
		subject  string // begins so
	}{
		"a critical finding opens one":     {guard.Critical, guard.Opened, "OK", "ALARM", "ALARM: CRITICAL: prod-eu: "},
		"so does a warning":                {guard.Warning, guard.Opened, "OK", "ALARM", "ALARM: WARNING: prod-eu: "},
		"a change keeps it open":           {guard.Critical, guard.Changed, "ALARM", "ALARM", "ALARM: CRITICAL, changed: prod-eu: "},
		"a reminder keeps it open":         {guard.Critical, guard.Reminded, "ALARM", "ALARM", "ALARM: CRITICAL, reminder: prod-eu: "},
		"a recovery resolves it":           {guard.Critical, guard.Recovered, "ALARM", "OK", "OK: RECOVERED: prod-eu: "},
		"so does the end of the cluster":   {guard.Warning, guard.Closed, "ALARM", "OK", "OK: CLOSED: prod-eu: "},
		"nobody is woken for information":  {guard.Info, guard.Opened, "INSUFFICIENT_DATA", "INSUFFICIENT_DATA", "INFO: prod-eu: "},
		"nor for an update that starts":    {guard.Info, guard.Started, "INSUFFICIENT_DATA", "INSUFFICIENT_DATA", "UPDATE STARTED: prod-eu: "},
		"nor for one that is complete":     {guard.Info, guard.Updated, "INSUFFICIENT_DATA", "INSUFFICIENT_DATA", "UPDATED: prod-eu: "},
		"nor for a try that is made again": {guard.Critical, guard.NotDone, "INSUFFICIENT_DATA", "INSUFFICIENT_DATA", "UPDATE FAILED: prod-eu: "},
	} {
		t.Run(name, func(t *testing.T) {
			m := sample(guard.CapacityLow, c.severity)
			m.News = c.news
			n, subject := noticed(t, m), notify.Render(m).Subject
			if n.OldStateValue != c.old || n.NewStateValue != c.new {
				t.Errorf("from %s to %s, want from %s to %s", n.OldStateValue, n.NewStateValue, c.old, c.new)
			}
			if len(subject) < len(c.subject) || subject[:len(c.subject)] != c.subject {
				t.Errorf("the subject is %q, want it to begin with %q", subject, c.subject)
			}
		})
	}
}

func TestAnIncidentIsOneFindingOfOneCluster(t *testing.T) {
	opened := samples()["capacity-low"]
	over := opened
	over.News, over.Key, over.Version, over.Finding.Facts, over.Finding.Severity = guard.Recovered, "b9f1c2d3-9", "v1.8.0", facts("lasted", "2 h"), guard.Warning
	if a, b := noticed(t, opened), noticed(t, over); a.AlarmName != b.AlarmName || a.AlarmArn != b.AlarmArn {
		t.Errorf("opened as %q, and resolved as %q", a.AlarmArn, b.AlarmArn)
	}
	names := map[string]bool{}
	for _, change := range []func(*guard.Message){
		func(*guard.Message) {},
		func(m *guard.Message) { m.Cluster.Account = "444455556666" },
		func(m *guard.Message) { m.Cluster.Region = "us-east-1" },
		func(m *guard.Message) { m.Cluster.Name = "prod-us" },
		func(m *guard.Message) { m.Cluster.Name = "" },
		func(m *guard.Message) { m.Finding.Code = guard.MetricSilent },
	} {
		m := opened
		change(&m)
		names[noticed(t, m).AlarmName] = true
	}
	if len(names) != 6 {
		t.Errorf("6 matters have %d names: %v", len(names), names)
	}
}

func TestWhatOthersReadOfANoticeIsAsCloudWatchWritesIt(t *testing.T) {
	n := noticed(t, samples()["capacity-low"])
	got := []any{n.AWSAccountId, n.Region, n.AlarmArn, n.StateChangeTime, n.AlarmConfigurationUpdatedTimestamp, n.Trigger["Dimensions"], n.Trigger["Unit"]}
	want := []any{
		"111122223333", "eu-central-1", "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:cniguard capacity-low 111122223333/eu-central-1/prod-eu",
		"2026-11-23T03:12:00.000+0000", "2026-11-23T02:07:00.000+0000", []any{map[string]any{"name": "ClusterName", "value": "prod-eu"}}, nil,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for name, has := range map[string]bool{"update started": noticed(t, progress(guard.Started)).AlarmConfigurationUpdatedTimestamp != "", "actions": n.OKActions != nil && n.AlarmActions != nil && n.InsufficientDataActions != nil} {
		if !has {
			t.Errorf("%s: a field has no value", name)
		}
	}
}

func TestTheLinkOfANoticeIsNotCut(t *testing.T) {
	m := samples()["update-blocked"]
	m.Held = append(m.Held, guard.Reason{Gate: "gap", Text: "an approval opens this", ByApproval: true})
	m.Version = strings.Repeat("v", 60)
	m.Cluster.Name = strings.Repeat("ü", 68) // each is six characters of a link
	said := noticed(t, m).AlarmDescription
	link := "… https://eu-central-1.console.aws.amazon.com/eks/clusters/" + strings.Repeat("%C3%BC", 68) + "?region=eu-central-1"
	if !strings.HasSuffix(said, link) || utf8.RuneCountInString(said) > 1024 {
		t.Errorf("%d characters: %s", utf8.RuneCountInString(said), said)
	}
}
