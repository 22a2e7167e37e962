package event_test

import (
	"encoding/json"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/events"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
)

func TestEverySampleIsExpectedAndEveryExpectationHasASample(t *testing.T) {
	for dir, want := range map[string][]string{
		"*.json":           slices.Sorted(maps.Keys(samples())),
		"captures/*.json":  slices.Sorted(maps.Keys(captures())),
		"malformed/*.json": slices.Sorted(maps.Keys(malformed())),
	} {
		have, err := fs.Glob(events.Files, dir)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("%s: -expected +in events/\n%s", dir, diff)
		}
	}
}

// Facts 1.1/fargate, 1.2/echo, 1.2/service-role, 1.2/upgrade, 1.3/none, 1.4/pages, 1.5/time, 1.7/amazon.
func TestEverySampleAndEveryCaptureAsksForWhatItShould(t *testing.T) {
	all := samples()
	maps.Copy(all, captures())
	for name, s := range all {
		t.Run(name, func(t *testing.T) {
			have, err := event.Decode(read(t, name))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(s.want, have); diff != "" {
				t.Errorf("-want +have\n%s", diff)
			}
		})
	}
}

func TestEveryMalformedSampleGivesAnErrorThatNamesTheField(t *testing.T) {
	for name, want := range malformed() {
		t.Run(name, func(t *testing.T) {
			refused(t, read(t, name), want)
		})
	}
}

func TestWhatIsNoEventAtAllIsAnError(t *testing.T) {
	for name, c := range map[string]struct{ raw, want string }{
		"nothing":                {"", "have nothing"},
		"null":                   {"null", "have nothing"},
		"a list":                 {"[]", `want an object, have a list`},
		"a string":               {`"aws.eks"`, `want an object, have a string`},
		"an empty object":        {"{}", "source: want who sent the event"},
		"no detail-type":         {`{"source":"aws.eks"}`, "detail-type: want what the event tells"},
		"a source in a list":     {`{"source":["aws.eks"],"detail-type":"x"}`, "source: want a string, have a list"},
		"one byte over the size": {strings.Repeat(" ", 1<<20-1) + "{}", "1048577 bytes, at most 1048576 are allowed"},
	} {
		t.Run(name, func(t *testing.T) { refused(t, []byte(c.raw), c.want) })
	}
}

func TestAnEventOfTheLargestSizeIsRead(t *testing.T) {
	raw := read(t, "update-addon.json")
	raw = append(raw, strings.Repeat(" ", 1<<20-len(raw))...)
	if have, err := event.Decode(raw); err != nil || have.Kind != event.Check {
		t.Errorf("have %v, %v", have.Kind, err)
	}
}

func TestTheEnvelopeOfAKnownEventMustBeWhole(t *testing.T) {
	for name, c := range map[string]struct {
		field string
		value any
		want  string
	}{
		"the id is missing":                {"id", nil, "id: want the event's id, have nothing"},
		"the account is too short":         {"account", "1111", `account: want an account id of twelve digits, have "1111"`},
		"the account is a number":          {"account", 111122223333, "account: want a string, have a number"},
		"the region is empty":              {"region", "", "region: want a region, have nothing"},
		"the region is no region":          {"region", "here", `region: want a region, have "here"`},
		"the time is missing":              {"time", nil, "time: want a time as 2006-01-02T15:04:05Z07:00, have nothing"},
		"the detail is null":               {"detail", json.RawMessage("null"), "detail: want an object, have nothing"},
		"the detail is a string":           {"detail", "{}", "detail: want an object, have a string"},
		"the source differs in case only":  {"source", "AWS.EKS", ""},
		"the detail-type is of another":    {"detail-type", "CloudWatch Alarm State Change", ""},
		"the version is of another format": {"version", "1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			raw := with(t, "update-addon.json", c.field, c.value)
			if c.want != "" {
				refused(t, raw, c.want)
			} else if _, err := event.Decode(raw); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestErrorsAndReasonsStayShortWhateverTheEventSays(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	for _, c := range []struct{ sample, field string }{
		{"update-addon.json", "id"},
		{"update-addon.json", "source"},
		{"update-addon.json", "account"},
		{"update-addon.json", "detail.eventName"},
		{"update-addon.json", "detail.errorCode"},
		{"update-addon.json", "detail.requestParameters.name"},
		{"update-addon.json", "detail.requestParameters.addonName"},
		{"alarm-to-alarm.json", "detail.alarmName"},
		{"alarm-to-alarm.json", "detail.state.value"},
		{"alarm-updated.json", "detail.operation"},
		{"addon-neither.json", "id"},
		{"addon-detail-only.json", "detail.addonName"},
		{"addon-detail-only.json", "detail.clusterName"},
		{"health-several.json", "detail.service"},
		{"health-several.json", "detail.eventScopeCode"},
		{"health-several.json", "detail.eventTypeCode"},
		{"health-several.json", "detail.eventRegion"},
		{"health-several.json", "detail.affectedAccount"},
		{"config-addon.json", "detail.configurationItem.resourceType"},
		{"own-check.json", "detail.why"},
	} {
		have, err := event.Decode(with(t, c.sample, c.field, long))
		if err != nil && len(err.Error()) > 400 || len(have.Why) > 200 || len(have.Run) > 100 {
			t.Errorf("%s: %s: %d bytes of reason, %d of run, error %.100v…", c.sample, c.field, len(have.Why), len(have.Run), err)
		}
	}
}

func TestAnAccountMayAskForItsOwnClustersAndTheHubForEverything(t *testing.T) {
	other := event.Unit{Account: "999999999999", Region: "eu-central-1"}
	for name, c := range map[string]struct {
		t    event.Trigger
		want bool
	}{
		"a member tells of its own cluster":            {event.Trigger{Kind: event.Check, From: member, Cluster: prodEU}, true},
		"the hub asks for a member's cluster":          {event.Trigger{Kind: event.Check, From: hub, Cluster: prodEU}, true},
		"a member asks for another's cluster":          {event.Trigger{Kind: event.Check, From: other, Cluster: prodEU}, false},
		"a member asks for a sweep":                    {event.Trigger{Kind: event.Sweep, From: member}, false},
		"a member asks for more than a check of it":    {event.Trigger{Kind: event.Sweep, From: member, Cluster: prodEU}, false},
		"a member asks for a sweep of its own account": {event.Trigger{Kind: event.Sweeping, From: member, Unit: member}, false},
		"an event names a member's clusters":           {event.Trigger{Kind: event.Checks, From: member, Clusters: []cluster.ID{prodEU, testEU}}, true},
		"an event names another's among a member's":    {event.Trigger{Kind: event.Checks, From: member, Clusters: []cluster.ID{prodEU, foreign}}, false},
		"the organisation's view names members":        {event.Trigger{Kind: event.Checks, From: hub, Clusters: []cluster.ID{prodEU, foreign}}, true},
		"an event of a member names no cluster":        {event.Trigger{Kind: event.Sweeping, From: member, Unit: member, Faint: true}, true},
		"an event of a member names another's unit":    {event.Trigger{Kind: event.Sweeping, From: member, Unit: other, Faint: true}, false},
		"the hub's schedule":                           {event.Trigger{Kind: event.Tick, From: hub}, true},
		"the hub's own doctor asks for a note":         {event.Trigger{Kind: event.Probe, From: hub, Nonce: "n"}, true},
		"a member asks for a note":                     {event.Trigger{Kind: event.Probe, From: member, Nonce: "n"}, false},
		"the hub's own person tries a channel":         {event.Trigger{Kind: event.Test, From: hub, Channel: "chat"}, true},
		"a member tries a channel":                     {event.Trigger{Kind: event.Test, From: member, Channel: "chat"}, false},
		"anybody asks for nothing":                     {event.Trigger{Kind: event.Skip, From: other}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if have := c.t.Permitted(hub.Account); have != c.want {
				t.Errorf("have %v", have)
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, name := range []string{"update-addon.json", "alarm-to-alarm.json", "own-tick.json", "fargate-termination.json", "addon-arn-and-detail.json", "health-several.json"} {
		raw := read(b, name)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := event.Decode(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := events.Files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// with is a sample with one field changed; nil takes the field away.
func with(t testing.TB, name, path string, value any) []byte {
	t.Helper()
	var whole map[string]any
	if err := json.Unmarshal(read(t, name), &whole); err != nil {
		t.Fatal(err)
	}
	fields := strings.Split(path, ".")
	last := len(fields) - 1
	object := whole
	for _, f := range fields[:last] {
		object = object[f].(map[string]any)
	}
	object[fields[last]] = value
	if value == nil {
		delete(object, fields[last])
	}
	raw, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func refused(t *testing.T, raw []byte, want string) {
	t.Helper()
	have, err := event.Decode(raw)
	if err == nil {
		t.Fatalf("no error, but %+v", have)
	}
	if !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "read event") {
		t.Errorf("want …%s\nhave %v", want, err)
	}
	if !cmp.Equal(have, event.Trigger{}) {
		t.Errorf("an error and a trigger: %+v", have)
	}
}
