package notify_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/notify"
)

func TestASampleIsMarkedInEachShapeAndWakesNobody(t *testing.T) {
	s := notify.Render(guard.Sample("test-1", "by Ops/ana", "444455556666", "eu-central-1", now))
	for shape, text := range map[string]string{"subject": s.Subject, "text": strings.Join(strings.Fields(s.Text), " "), "SMS": s.SMS} {
		if !strings.HasPrefix(text, "TEST: account 444455556666 in eu-central-1: a person tries this channel; nothing is wrong") {
			t.Errorf("%s: %s", shape, text)
		}
	}
	var alarm struct{ NewStateValue, NewStateReason string }
	var said struct{ News, Finding, Severity, Summary, Key, Cluster string }
	var card struct{ Content struct{ Title string } }
	for text, into := range map[string]any{s.Alarm: &alarm, s.JSON: &said, s.Chat: &card} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	if alarm.NewStateValue != "INSUFFICIENT_DATA" || !strings.HasPrefix(alarm.NewStateReason, "TEST: ") {
		t.Errorf("the pager gets %+v", alarm)
	}
	if said.News != "test" || said.Finding != "test" || said.Severity != "info" || said.Key != "test-1" || said.Cluster != "" || !strings.HasPrefix(said.Summary, "TEST: ") {
		t.Errorf("programs get %+v", said)
	}
	if !strings.Contains(card.Content.Title, "TEST: ") {
		t.Errorf("a chat gets %+v", card)
	}
	if s.Attributes["news"] != "test" || s.Attributes["severity"] != "info" || s.Attributes["account"] != "444455556666" {
		t.Errorf("attributes %v", s.Attributes)
	}
	for _, word := range []string{"by Ops/ana", "Nothing more: no other message belongs to this one.", "Tell who asked for it that it arrived."} {
		if !strings.Contains(s.Text, word) || strings.Contains(s.Text, "vpc-cni") {
			t.Errorf("want %q, and nothing of vpc-cni, in:\n%s", word, s.Text)
		}
	}
}
