package e2e_test

import (
	"encoding/json"
	"io/fs"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/events"
	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/world"
)

func TestThreeEventsOneOfThemMalformed(t *testing.T) {
	t.Parallel()
	s := set(t, nil)
	f := s.function(event.Urgent, observing, nil)

	malformed := f.invoke(sample(t, "malformed/name-missing.json"))
	if e := malformed.failure(); e.Type == "" || !strings.Contains(e.Message, "detail.requestParameters.name: want a cluster's name") {
		t.Errorf("%s %s, want an error with its type that names the field", malformed.word, malformed.body)
	}
	if cause := malformed.header.Get("Lambda-Runtime-Function-Xray-Error-Cause"); !json.Valid([]byte(cause)) {
		t.Errorf("the error's cause for X-Ray is %q", cause)
	}
	f.succeeds(sample(t, "update-addon.json"))
	f.succeeds(sample(t, "update-addon-other.json"))

	if state := s.alarm(); state != "INSUFFICIENT_DATA" {
		t.Errorf("the alarm's state is %q, want a new alarm's", state)
	}
	want := map[string]float64{"Checks": 1, "AlarmsPut": 1, "Told": 2, "Skipped": 1, "Malformed": 1}
	if diff := cmp.Diff(want, f.counts()); diff != "" {
		t.Errorf("counts (-want +have):\n%s", diff)
	}
}

func TestAnOutdatedClusterGetsItsAlarmAndIsToldOnce(t *testing.T) {
	t.Parallel()
	s := set(t, nil)
	f := s.function(event.Urgent, observing, nil)
	f.succeeds(sample(t, "update-addon.json"))

	if diff := cmp.Diff([]string{subject}, s.subjects(machine)); diff != "" {
		t.Fatalf("subjects (-want +have):\n%s", diff)
	}
	checkMessage(t, s.toldTo(machine)[0])
	s.aws.With(func(w *world.World) {
		a, found := w.Alarm(prod.Account, prod.Region, alarm.PodSubnets.Name(prod))
		if !found || aws.ToFloat64(a.Threshold) != 80 || aws.ToString(a.MetricName) != alarm.Subnets {
			t.Errorf("the alarm is %+v", a)
		}
	})

	for _, again := range []string{"update-addon.json", "update-addon.json", "update-addon-replayed.json", "update-addon-encoded.json", "own-check.json"} {
		f.succeeds(sample(t, again))
	}
	if diff := cmp.Diff([]string{subject}, s.subjects(machine)); diff != "" {
		t.Errorf("subjects after the same event again (-want +have):\n%s", diff)
	}
	if n := s.count("cloudwatch:PutMetricAlarm"); n != 1 {
		t.Errorf("the alarm was put %d times, want once", n)
	}
	if n := s.count("eks:DescribeAddon"); n != 6 {
		t.Errorf("the add-on was read %d times, want once for each event", n)
	}
}

// checkMessage holds a message against what subscribers and the documentation expect.
func checkMessage(t *testing.T, m *sns.PublishInput) {
	t.Helper()
	var message struct{ Schema, Lane, Finding string }
	if err := json.Unmarshal([]byte(aws.ToString(m.Message)), &message); err != nil {
		t.Errorf("the message is %q: %v", aws.ToString(m.Message), err)
	}
	if message.Schema != "cniguard.message/1" || message.Lane != "digest" || message.Finding != "version-outdated" || m.MessageStructure != nil {
		t.Errorf("the message is %+v of structure %q, want one for programs that waits for the digest of people", message, aws.ToString(m.MessageStructure))
	}
	attributes := map[string]string{}
	for name, a := range m.MessageAttributes {
		attributes[name] = aws.ToString(a.StringValue)
	}
	want := map[string]string{
		"severity": "warning", "account": prod.Account, "region": prod.Region, "cluster": prod.Name, "finding": "version-outdated", "news": "opened",
		"state": "open", "owner": prod.Account, "action": "act",
	}
	if diff := cmp.Diff(want, attributes); diff != "" {
		t.Errorf("attributes (-want +have):\n%s", diff)
	}
}

func TestAnEventThatAsksForNothingCallsNobody(t *testing.T) {
	t.Parallel()
	s := set(t, nil)
	f := s.function(event.Urgent, observing, nil)
	for _, name := range []string{"update-addon-other.json", "update-addon-failed.json", "other-call.json", "fargate-termination.json", "alarm-foreign.json"} {
		f.succeeds(sample(t, name))
	}
	f.succeeds([]byte(`{"source":"aws.s3","detail-type":"Object Created","detail":{}}`))
	if all := s.seen(anything); len(all) > 0 {
		t.Errorf("AWS was asked for %d things, first %s %s", len(all), all[0].method, all[0].path)
	}
	if diff := cmp.Diff(map[string]float64{"Skipped": 6}, f.counts()); diff != "" {
		t.Errorf("counts (-want +have):\n%s", diff)
	}
}

func TestAnEventThatMayNotAskIsRefused(t *testing.T) {
	t.Parallel()
	s := set(t, nil)
	f := s.function(event.Urgent, observing, nil)
	stranger := strings.ReplaceAll(string(sample(t, "own-check.json")), hub, "999999999999")
	f.succeeds([]byte(stranger))
	f.succeeds([]byte(strings.ReplaceAll(string(sample(t, "update-addon.json")), prod.Account, "999999999999"))) // not in the fleet
	if all := s.seen(anything); len(all) > 0 {
		t.Errorf("AWS was asked for %d things, first %s %s", len(all), all[0].method, all[0].path)
	}
	if diff := cmp.Diff(map[string]float64{"Refused": 2}, f.counts()); diff != "" {
		t.Errorf("counts (-want +have):\n%s", diff)
	}
}

func TestEveryMalformedEventIsAnErrorAndTheFunctionGoesOn(t *testing.T) {
	t.Parallel()
	s := set(t, nil)
	f := s.function(event.Urgent, observing, nil)
	files, err := fs.Glob(events.Files, "malformed/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		a := f.invoke(sample(t, file))
		if e := a.failure(); e.Type == "" || !strings.HasPrefix(e.Message, "read event") {
			t.Errorf("%s: %s %s, want an error of reading the event", file, a.word, a.body)
		}
	}
	if all := s.seen(anything); len(all) > 0 {
		t.Errorf("AWS was asked for %d things, first %s %s", len(all), all[0].method, all[0].path)
	}
	f.succeeds(sample(t, "create-cluster.json"))
	want := map[string]float64{"Malformed": float64(len(files)), "Checks": 1, "AlarmsPut": 1, "Told": 2}
	if diff := cmp.Diff(want, f.counts()); diff != "" {
		t.Errorf("counts (-want +have):\n%s", diff)
	}
	for line := range strings.Lines(f.stderr.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("a line on standard error is no JSON: %q", line)
		}
	}
}

func TestEveryLineOfTheLogBelongsToItsInvocation(t *testing.T) {
	t.Parallel()
	s := set(t, nil)
	f := s.function(event.Urgent, observing, nil)
	f.succeeds(sample(t, "update-addon.json"))
	f.succeeds(sample(t, "update-addon-other.json"))
	f.invoke(sample(t, "malformed/truncated.json"))

	metrics, told := 0, map[any]bool{}
	for _, l := range f.lines() {
		if l["_aws"] != nil {
			metrics++
			continue
		}
		told[l["requestId"]] = true
		if l["timestamp"] == nil || l["level"] == nil || l["message"] == nil {
			t.Errorf("a line lacks its timestamp, level or message: %v", l)
		}
	}
	want := map[any]bool{
		"8476a536-e9f4-11e8-9739-000000000001": true, "8476a536-e9f4-11e8-9739-000000000002": true, "8476a536-e9f4-11e8-9739-000000000003": true,
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("request ids of the lines (-want +have):\n%s", diff)
	}
	if metrics != 3 {
		t.Errorf("%d lines of metrics, want one an invocation", metrics)
	}
}
