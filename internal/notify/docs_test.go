package notify_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/notify"
)

const messagesPage = "../../docs/messages.md"

// block is the fenced block below a heading of the page.
func block(t *testing.T, page, heading, language string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("%s has no heading %q", messagesPage, heading)
	}
	_, rest, _ = strings.Cut(rest, "\n```"+language+"\n")
	body, _, ok := strings.Cut(rest, "\n```\n")
	if !ok {
		t.Fatalf("no block %q below %q", language, heading)
	}
	return body
}

// paths lists the names of the fields of a JSON value, as "verdict.install.word" and "held[].gate".
func paths(v any, prefix string) []string {
	switch v := v.(type) {
	case map[string]any:
		var all []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			at := strings.TrimPrefix(prefix+"."+name, ".")
			all = append(append(all, at), paths(v[name], at)...)
		}
		return all
	case []any:
		if len(v) > 0 {
			return paths(v[0], prefix+"[]")
		}
	}
	return nil
}

// documented is the digest of the page: one matter that is new, one that is muted, and an account that was not read.
func documented() guard.Digest {
	d := digests()["quiet-day"]
	fresh := item("prod-eu", guard.MetricSilent, guard.Warning, guard.Opened, 6*time.Hour, "alarm", "cniguard-prod-eu-pod-subnets", "state", "INSUFFICIENT_DATA")
	fresh.Key, fresh.Thread = "b9f1c2d3-7", "b9f1c2d3"
	d.News, d.Open, d.Began, d.Kinds = []guard.Item{fresh}, d.Open[1:], 1, map[guard.Code]int{guard.MetricSilent: 1, guard.VersionOutdated: 1}
	d.Hidden = facts("111122223333/us-east-1", "the clusters could not be listed: sts:AssumeRole: AccessDenied")
	return d
}

// checkFields compares the fields of a JSON with those of the table below a heading of the page.
func checkFields(t *testing.T, page, heading, sent string) {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(sent), &v); err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(page, "\n### "+heading+"\n")
	table, _, _ = strings.Cut(table, "\n## ")
	var documented []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(table, -1) {
		documented = append(documented, row[1])
	}
	slices.Sort(documented)
	have := paths(v, "")
	for i := range have {
		have[i] = strings.Replace(have[i], "standing[].", "news[].", 1) // documented once
	}
	slices.Sort(have)
	have = slices.Compact(have)
	if diff := cmp.Diff(have, documented); diff != "" {
		t.Errorf("-sent +documented:\n%s", diff)
	}
}

func TestPageOfMessagesIsTrue(t *testing.T) {
	raw, err := os.ReadFile(messagesPage)
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	m := samples()["capacity-low"]
	m.Done = []string{"put alarm cniguard-prod-eu-pod-subnets"}
	shape := notify.Render(m)

	digest := notify.RenderDigest(documented())

	for heading, sent := range map[string]string{"Pagers": shape.Alarm, "Chats": shape.Chat, "JSON": shape.JSON, "Digests": digest.JSON} {
		t.Run("its example is what is sent: "+heading, func(t *testing.T) {
			var got bytes.Buffer
			if err := json.Indent(&got, []byte(sent), "", "  "); err != nil {
				t.Fatal(err)
			}
			have := block(t, page, heading, "json")
			if *update && have != got.String() {
				page = strings.Replace(page, have, got.String(), 1)
				if err := os.WriteFile(messagesPage, []byte(page), 0o644); err != nil {
					t.Fatal(err)
				}
				have = got.String()
			}
			if diff := cmp.Diff(strings.Split(have, "\n"), strings.Split(got.String(), "\n")); diff != "" {
				t.Errorf("-page +sent:\n%s", diff)
			}
		})
	}

	for heading, sent := range map[string]string{"Fields": shape.JSON, "Fields of a digest": digest.JSON} {
		t.Run("its table has every field and no other: "+heading, func(t *testing.T) {
			checkFields(t, page, heading, sent)
		})
	}

	t.Run("its table of attributes has every attribute and no other", func(t *testing.T) {
		_, table, _ := strings.Cut(page, "\n## Attributes and filter policies\n")
		var documented []string
		for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(table, -1) {
			documented = append(documented, row[1])
		}
		slices.Sort(documented)
		if diff := cmp.Diff(slices.Sorted(maps.Keys(shape.Attributes)), documented); diff != "" {
			t.Errorf("-sent +documented:\n%s", diff)
		}
	})

	t.Run("its filter policy selects what it says", func(t *testing.T) {
		var policy map[string][]string
		if err := json.Unmarshal([]byte(block(t, page, "Attributes and filter policies", "json")), &policy); err != nil {
			t.Fatal(err)
		}
		passes := func(m guard.Message) bool {
			have := notify.Render(m).Attributes
			for name, values := range policy {
				if !slices.Contains(values, have[name]) {
					return false
				}
			}
			return true
		}
		over, warning := m, m
		over.News, warning.Finding.Severity = guard.Recovered, guard.Warning
		if len(policy) == 0 || len(policy) > 5 || !passes(m) || !passes(over) || passes(warning) || passes(progress(guard.Started)) {
			t.Errorf("%v: critical %v, its recovery %v, a warning %v, a started update %v", policy, passes(m), passes(over), passes(warning),
				passes(progress(guard.Started)))
		}
	})

	t.Run("it names every finding, severity and kind of news", func(t *testing.T) {
		words := []string{"info", "warning", "critical", string(guard.UpdateProgress), notify.Schema, notify.DigestSchema}
		for _, c := range guard.Codes() {
			words = append(words, string(c))
		}
		for _, n := range []guard.News{guard.Opened, guard.Changed, guard.Reminded, guard.Recovered, guard.Closed, guard.Started, guard.Updated, guard.NotDone, guard.Lost} {
			words = append(words, string(n))
		}
		for _, w := range words {
			if !strings.Contains(page, "`"+w+"`") {
				t.Errorf("`%s` is not on the page", w)
			}
		}
	})
}
