// Package hostile_test leads hostile texts through the whole product: a world in which everything that others may write is
// hostile, and a look at everything that comes out.
package hostile_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/cniguard/cniguard/internal/plain"
	"github.com/cniguard/cniguard/internal/policy/source"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
)

// secret is in the configuration of every add-on, and so is number.
const (
	secret = "sw0rdfish-5150"
	number = "8675309"
	config = `{"env":{"WARM_IP_TARGET":"5","TOKEN":"` + secret + `"},"port":` + number + `}`
)

// texts are hostile. Each holds EVIL, so that a test can tell that it came through, and FORGED where a line would be forged.
func texts() map[string]string {
	return map[string]string{
		"line breaks of every kind":  "EVIL\nFORGED\r\nFORGED\rFORGED\u2028FORGED\u2029FORGED\u0085FORGED\vFORGED",
		"a line of the log":          "EVIL\n" + `{"timestamp":"2026-03-02T08:00:00Z","level":"INFO","message":"FORGED"}` + "\n",
		"a section of a message":     "EVIL\n\nWhat to do:\n  FORGED\nFORGED",
		"colours and cursor moves":   "EVIL\x1b[2J\x1b[H\x1b[31m\x07\x08\x7f\u009b2J\x00",
		"a terminal's hyperlink":     "EVIL\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\\x1b]0;title\x07",
		"text that reads reversed":   "EVIL\u202egnp.exe\u202c \u2066x\u2069 \u200e\u200f\u061c",
		"what nobody sees":           "EVIL\u200b\u200d\ufeff\u00ad\U000e0041\U000e007f\ue000",
		"mentions":                   "EVIL <!channel> <!everyone> <@U0123> @channel @here @everyone <users/all> @\u200bchannel",
		"Markdown, HTML and a shell": "EVIL [x](https://evil.example) `x` <script>alert(1)</script> $(touch x) '; rm -rf / #",
		"ten kilobytes":              "EVIL" + strings.Repeat("A", 10_000),
		"ten kilobytes of words":     "EVIL " + strings.Repeat("FORGED ", 1400),
		"formats and placeholders":   "EVIL %s%d%!n {version} {{.}} ${x}",
	}
}

// written is a file of testdata with a text in its places.
func written(t *testing.T, file, text string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	quoted := func(v any) string {
		s, isText := v.(string)
		if !isText {
			b, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			s = string(b)
		}
		return strconv.QuoteToASCII(s) // which YAML reads too
	}
	type object = map[string]any
	const own = "cniguard-tagged-pod-subnets"
	return []byte(strings.NewReplacer(
		"{{text}}", quoted(text), "{{key}}", quoted(plain.Cut(text, 100, "")), "{{config}}", quoted(config), "{{echo}}", quoted(text+" refused: "+config+" because of "+secret),
		"{{malformed}}", quoted(object{"account": text, "region": text, "cluster": text, "why": text}),
		"{{health}}", quoted(object{"service": "EKS", "eventTypeCode": text, "eventTypeCategory": text, "eventArn": text, "eventRegion": text,
			"eventDescription": []object{{"language": "en_US", "latestDescription": text}}, "affectedEntities": []object{{"entityValue": text}}}),
		"{{addon}}", quoted(object{"clusterName": text, "addonName": text, "message": text}),
		"{{trail}}", quoted(object{"eventSource": "eks.amazonaws.com", "eventName": "UpdateAddon", "awsRegion": text, "errorMessage": text,
			"requestParameters": object{"name": text, "addonName": text, "configurationValues": config}}),
		"{{alarmarn}}", quoted("arn:aws:cloudwatch:eu-central-1:444455556666:alarm:"+own),
		"{{alarm}}", quoted(object{"alarmName": own, "state": object{"value": text, "reason": text, "timestamp": text}, "configuration": object{"description": text}}),
	).Replace(string(data)))
}

// forged are the beginnings of lines that only a text of others begins so.
func forged() []string {
	return []string{"FORGED", `{"timestamp":"2026-03-02T08:00:00Z","level":"INFO","message":"FORGED"`}
}

// check finds what must not come out in a text of several lines.
func check(t *testing.T, where, text string) {
	t.Helper()
	visible(t, where, text)
	if strings.Contains(text, strings.Repeat("A", 300)) || strings.Contains(text, strings.Repeat("FORGED ", 50)) {
		t.Errorf("%s: a text of more than 300 characters comes out: %.500q", where, text)
	}
	secrets(t, where, text)
}

// visible finds what nobody sees, and lines that are forged.
func visible(t *testing.T, where, text string) {
	t.Helper()
	for _, r := range text {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Errorf("%s: %U comes out: %.300q", where, r, text)
			return
		}
	}
	for line := range strings.Lines(text) {
		if slices.ContainsFunc(forged(), func(f string) bool { return strings.HasPrefix(line, f) }) {
			t.Errorf("%s: a line is forged: %.300q", where, line)
		}
	}
}

func secrets(t *testing.T, where, text string) {
	t.Helper()
	for _, value := range []string{secret, number, secret[:8]} {
		if strings.Contains(text, value) {
			t.Errorf("%s: the configuration value %s comes out: %.300q", where, value, text)
		}
	}
}

// checkJSON reads a line of JSON, and checks it as it is and each text in it.
func checkJSON(t *testing.T, where, line string) map[string]any {
	t.Helper()
	check(t, where, line)
	var read map[string]any
	if err := json.Unmarshal([]byte(line), &read); err != nil {
		t.Errorf("%s: %v: %.300q", where, err, line)
	}
	each(read, func(s string) { check(t, where, s) })
	return read
}

// each calls f for every text in a JSON value.
func each(v any, f func(string)) {
	switch v := v.(type) {
	case string:
		f(v)
	case []any:
		for _, one := range v {
			each(one, f)
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			f(k)
			each(v[k], f)
		}
	}
}

// ran is what came out of a run of the hostile world.
type ran struct {
	messages []*sns.PublishInput
	log      bytes.Buffer
	lines    []simulate.Line
	*simulate.Run
}

func run(t *testing.T, text string) *ran {
	t.Helper()
	spec, err := world.ReadSpec("world.yaml", written(t, "world.yaml", text))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := source.Read("policy.yaml", written(t, "policy.yaml", text))
	if err != nil {
		t.Fatal(err)
	}
	var got ran
	got.Run, err = simulate.Start(spec, rules, simulate.Options{Seed: 1, Log: &got.log, Tell: func(l simulate.Line) { got.lines = append(got.lines, l) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(got.Close)
	got.World.Watch(func(e world.Entry) {
		if in, ok := e.Data.(*sns.PublishInput); ok && e.Kind == world.Published {
			got.messages = append(got.messages, in)
		}
	})
	got.For(8 * time.Hour)
	return &got
}

func TestNothingHostileComesOutOfTheFunctions(t *testing.T) {
	for name, text := range texts() {
		t.Run(name, func(t *testing.T) {
			got := run(t, text)
			checkMessages(t, got)
			checkLog(t, got)
			checkJournal(t, got)
			for _, f := range got.World.FailureQueue() {
				check(t, "failure queue", f.Error)
			}
			all, readErr := got.Ledger.All(t.Context())
			records, err := json.Marshal(all)
			if err := errors.Join(readErr, err); err != nil {
				t.Fatal(err)
			}
			secrets(t, "ledger", string(records))
		})
	}
}

func checkMessages(t *testing.T, got *ran) {
	t.Helper()
	through := map[string]int{}
	for _, in := range got.messages {
		check(t, "subject", aws.ToString(in.Subject))
		for name, value := range in.MessageAttributes {
			check(t, "attribute "+name, aws.ToString(value.StringValue))
		}
		topic := aws.ToString(in.TopicArn)[strings.LastIndexByte(aws.ToString(in.TopicArn), '-')+1:]
		each(checkJSON(t, topic, aws.ToString(in.Message)), func(body string) {
			if strings.HasPrefix(body, "{") {
				checkJSON(t, topic, body)
			}
			for _, mention := range []string{"<!", "<@", "<users/", "@channel", "@here", "@everyone"} {
				if strings.Contains(body, mention) {
					t.Errorf("%s: a mention comes out: %.300q", topic, body)
				}
			}
			if topic == "chat" && strings.ContainsAny(body, "<>@&") {
				t.Errorf("a chat's control character comes out: %.300q", body)
			}
		})
		if strings.Contains(*in.Message, "EVIL") {
			about := aws.ToString(in.MessageAttributes["cluster"].StringValue)
			if aws.ToString(in.MessageAttributes["news"].StringValue) == "digest" {
				about = "all in a digest"
			}
			through[topic+" "+about]++
		}
	}
	urgent := []string{"degraded", "failing", "refused", "all in a digest"}
	for topic, abouts := range map[string][]string{
		"oncall": urgent, "chat": urgent,
		// An empty name: of the account and region, whose clusters cannot be listed.
		"machine": append([]string{"", "tagged", "strange", "unreadable"}, urgent...),
	} {
		for _, about := range abouts {
			if through[topic+" "+about] == 0 {
				t.Errorf("the text came into no message to %s about %q: %v", topic, about, through)
			}
		}
	}
}

func checkLog(t *testing.T, got *ran) {
	t.Helper()
	through := map[string]bool{}
	for line := range strings.Lines(got.log.String()) {
		read := checkJSON(t, "log", line)
		message, _ := read["message"].(string)
		if _, metrics := read["_aws"]; !metrics && (read["level"] == nil || message == "") {
			t.Errorf("a line is neither a log line nor metrics: %.300q", line)
		}
		if strings.Contains(line, "EVIL") {
			through[message] = true
		}
	}
	for _, want := range []string{"checked", "message not published", "event not understood", "work failed", "unit not done"} {
		if !through[want] {
			t.Errorf("the text came into no line %q, but into %v", want, slices.Sorted(maps.Keys(through)))
		}
	}
}

func checkJournal(t *testing.T, got *ran) {
	t.Helper()
	through := map[simulate.What]bool{}
	for _, l := range got.lines {
		b, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		var read map[string]any
		if err := json.Unmarshal(b, &read); err != nil {
			t.Fatal(err)
		}
		each(read, func(s string) { check(t, "journal", s) })
		through[l.What] = through[l.What] || strings.Contains(string(b), "EVIL")
	}
	for _, what := range []simulate.What{simulate.Refused, simulate.HeldBack, simulate.Told, simulate.UpdateEnded, simulate.Ordered, simulate.OrderRefused, simulate.GivenUp} {
		if !through[what] {
			t.Errorf("the text came into no line %q", what)
		}
	}
}
