package event_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cniguard/cniguard/internal/event"
)

func document(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile("../../" + path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// rows are the lines of tables by what stands first in them, without the ticks.
func rows(text string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(text) {
		if first, rest, ok := strings.Cut(strings.TrimPrefix(line, "| "), " | "); ok && strings.HasPrefix(line, "| `") {
			all[strings.Trim(first, "`")] = rest
		}
	}
	return all
}

func TestTheDocumentOfEventsHasARowForEachRuleWithAllItsDetailTypes(t *testing.T) {
	text := document(t, "docs/events.md")
	all := rows(text)
	for _, r := range event.Rules() {
		row, there := all[r.Name]
		if !there {
			t.Errorf("docs/events.md has no row for the rule %s", r.Name)
		}
		for _, field := range []string{"source", "detail-type"} {
			for _, value := range r.Pattern[field].(event.Values).Exact {
				if !strings.Contains(row, "`"+value+"`") {
					t.Errorf("the row of %s does not have the %s %s", r.Name, field, value)
				}
			}
		}
		delete(all, r.Name)
	}
	if len(all) > 0 {
		t.Errorf("docs/events.md has rows for %v, which are no rules", slices.Sorted(maps.Keys(all)))
	}
}

func TestTheDocumentOfEventsNamesWhatIsPassedOver(t *testing.T) {
	text := document(t, "docs/events.md")
	for name, s := range samples() {
		if _, what, unknown := strings.Cut(s.want.Why, "unknown event: "); unknown {
			_, detailType, _ := strings.Cut(strings.Trim(what, `"`), "/")
			if !strings.Contains(text, "`"+detailType+"`") {
				t.Errorf("%s: docs/events.md does not say that %s asks for nothing", name, detailType)
			}
		}
	}
}

func TestEverySampleIsExplained(t *testing.T) {
	have := rows(document(t, "events/README.md"))
	for name, s := range samples() {
		row, there := have[name]
		if !there {
			t.Errorf("events/README.md has no row for %s", name)
			continue
		}
		asks := strings.Split(row, " | ")[1]
		words := map[event.Kind]string{event.Skip: "nothing", event.Check: "check", event.Checks: "check of each", event.Probe: "note for the doctor"}
		if s.want.Faint && s.want.Kind == event.Sweeping {
			words[event.Sweeping] = "sweep of that account and region"
		}
		if word := words[s.want.Kind]; word != "" && asks != word {
			t.Errorf("%s: events/README.md says that it asks for %s; want %s", name, asks, word)
		}
	}
	for name := range have {
		if _, known := samples()[name]; strings.HasSuffix(name, ".json") && !known {
			t.Errorf("events/README.md explains %s, which is no sample", name)
		}
	}
	text := document(t, "events/captures/README.md")
	for name := range captures() {
		if !strings.Contains(text, "`"+strings.TrimPrefix(name, "captures/")+"`") {
			t.Errorf("events/captures/README.md does not give the source of %s", name)
		}
	}
}
