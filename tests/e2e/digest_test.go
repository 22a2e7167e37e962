package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/event"
)

func TestWhatCanWaitIsToldToPeopleInOneDigest(t *testing.T) {
	t.Parallel()
	s := set(t, nil)
	at := time.Now().UTC().Truncate(time.Minute).Add(-12 * time.Hour) // no other instant of these hours comes while the test runs
	rules := observing + fmt.Sprintf("digest: {at: %q}\n", at.Format("15:04"))
	urgent, bulk := s.function(event.Urgent, rules, nil), s.function(event.Bulk, rules, nil)
	urgent.succeeds(sample(t, "update-addon.json"))
	if told := s.subjects(oncall); len(told) > 0 {
		t.Errorf("people were told %q, which can wait", told)
	}
	if waits := s.kept().Outbox; len(waits) != 1 || waits[0].Finding.Code != "version-outdated" {
		t.Fatalf("the outbox has %+v, want the message that waits for the digest", waits)
	}

	digest := []byte(strings.ReplaceAll(string(sample(t, "own-digest.json")), "2026-11-23T09:00:00Z", at.Format(time.RFC3339)))
	bulk.succeeds(digest)
	told := s.toldTo(oncall)
	if len(told) != 1 {
		t.Fatalf("people were told %q, want one digest", s.subjects(oncall))
	}
	if text := s.text(told[0]); attribute(told[0], "news") != "digest" || !strings.Contains(text, "v1.18.5-eksbuild.1 is older than the floor") {
		t.Errorf("people were told %q, want a digest with what waited:\n%s", attribute(told[0], "news"), text)
	}
	if waits := s.kept().Outbox; len(waits) > 0 {
		t.Errorf("after the digest the outbox has %+v", waits)
	}

	bulk.succeeds(digest)
	urgent.succeeds(sample(t, "update-addon.json"))
	var programs []string
	for _, m := range s.toldTo(machine) {
		programs = append(programs, attribute(m, "finding"))
	}
	if diff := cmp.Diff([]string{"version-outdated", "digest"}, programs); diff != "" {
		t.Errorf("what programs were told, after the same events again (-want +have):\n%s", diff)
	}
	if again := s.subjects(oncall); len(again) != 1 {
		t.Errorf("after the same events again people were told %q, want the digest once", again)
	}
}
