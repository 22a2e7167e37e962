package emulator_test

import (
	"encoding/json"
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/events"
	"github.com/cniguard/cniguard/internal/event"
)

func TestEventBridgeReadsTheRulesAsTheProgramDoes(t *testing.T) {
	t.Parallel()
	s := set(t)
	files, err := fs.Glob(events.Files, "*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		raw := sample(t, file)
		var want, forwarded []string
		for _, r := range event.Rules() {
			if r.Pattern.Matches([]byte(raw)) {
				want = append(want, "cniguard-"+r.Name)
			}
		}
		if !isOwn(t, raw) {
			forwarded = want
		}
		if diff := cmp.Diff(want, s.rulesFor("cniguard", raw)); diff != "" {
			t.Errorf("%s: rules of the bus cniguard that let it through (-want +have):\n%s", file, diff)
		}
		if diff := cmp.Diff(forwarded, s.rulesFor("default", raw)); diff != "" {
			t.Errorf("%s: rules of the default bus that let it through (-want +have):\n%s", file, diff)
		}
	}
}

// isOwn reports whether an event is one of cniguard's own, which no default bus has a rule for.
func isOwn(t *testing.T, raw string) bool {
	t.Helper()
	var envelope struct{ Source string }
	if err := json.Unmarshal([]byte(raw), &envelope); err != nil {
		t.Fatal(err)
	}
	return envelope.Source == "cniguard"
}
