package notify_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/notify"
)

// card is a custom notification of Amazon Q Developer in chat applications.
type card struct {
	Version, Source, ID string
	Content             struct {
		TextType, Title, Description string
		NextSteps, Keywords          []string
	}
	Metadata struct {
		ThreadID, Summary, EventType string
		RelatedResources             []string
		AdditionalContext            map[string]string
	}
}

func checkCard(t *testing.T, text string, m guard.Message) {
	t.Helper()
	var c card
	read(t, text, &c)
	if c.Version != "1.0" || c.Source != "custom" || c.Content.TextType != "client-markdown" {
		t.Errorf("it is no custom notification: %s", text)
	}
	for text, limit := range map[string]int{c.Content.Title: 250, c.Metadata.Summary: 250, c.Content.Description: 3000} {
		if n := utf8.RuneCountInString(text); n > limit || n == 0 {
			t.Errorf("%d characters, want at most %d: %q", n, limit, text)
		}
	}
	for _, line := range slices.Concat([]string{c.Content.Title, c.Metadata.Summary}, c.Content.NextSteps, strings.Split(c.Content.Description, "\n")) {
		if !strings.HasPrefix(line, "https://") {
			checkMarked(t, line)
		}
	}
	for _, one := range slices.Concat(c.Content.NextSteps, c.Content.Keywords, c.Metadata.RelatedResources) {
		if n := utf8.RuneCountInString(one); n == 0 || n > 452 || strings.ContainsAny(one, "<>&@\n") {
			t.Errorf("not a step, a keyword or a resource: %q", one)
		}
	}
}

// checkMarked holds a line against Slack's markup and Markdown: what others wrote is in code spans, which are closed.
func checkMarked(t *testing.T, line string) {
	t.Helper()
	if strings.ContainsAny(line, "<>&@") || strings.Count(line, "`")%2 != 0 || strings.Contains(line, "``") {
		t.Errorf("a mention, a link or an open code span: %q", line)
	}
	outside, marked := "", false
	for part := range strings.SplitSeq(line, "`") {
		if !marked {
			outside += part
		}
		marked = !marked
	}
	if strings.ContainsAny(outside, `*_~[]|\#`) {
		t.Errorf("markup outside of code spans: %q", line)
	}
	for _, evil := range []string{"evil", "rm -rf", "日本", "🚀", "xxxx"} {
		if strings.Contains(outside, evil) {
			t.Errorf("a text of others outside of code spans: %q", line)
		}
	}
}

// chatPage is a card as a chat shows it, with what it does not show below.
func chatPage(t *testing.T, text string) string {
	t.Helper()
	var c card
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	page := c.Content.Title + "\n\n" + c.Content.Description + "\n\nNext steps\n"
	for _, step := range c.Content.NextSteps {
		page += "* " + step + "\n"
	}
	context, err := json.Marshal(c.Metadata.AdditionalContext)
	if err != nil {
		t.Fatal(err)
	}
	return page + fmt.Sprintf("Keywords: %s\n\nid: %s\nthread: %s, %s, %s\nresources: %s\ncontext: %s\n", strings.Join(c.Content.Keywords, ", "),
		c.ID, c.Metadata.ThreadID, c.Metadata.EventType, c.Metadata.Summary, strings.Join(c.Metadata.RelatedResources, ", "), context)
}

// shown is what a chat is told of a message.
func shown(t *testing.T, m guard.Message) card {
	t.Helper()
	var c card
	if err := json.Unmarshal([]byte(notify.Render(m).Chat), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAClusterIsAThread(t *testing.T) {
	opened := samples()["capacity-low"]
	over, other := opened, samples()["version-outdated"]
	over.News, over.Key = guard.Recovered, "b9f1c2d3-9"
	other.Key, other.Thread = "0c77-10", "0c77"
	a, b, c := shown(t, opened), shown(t, over), shown(t, other)
	const prod = "1e6fdbb1a28176bd905d07be41fb3faa"
	if a.Metadata.ThreadID != prod || b.Metadata.ThreadID != prod || c.Metadata.ThreadID != prod || a.ID != opened.Key || b.ID != over.Key {
		t.Errorf("%s is in thread %s, %s in thread %s, and %s in thread %s", a.ID, a.Metadata.ThreadID, b.ID, b.Metadata.ThreadID, c.ID, c.Metadata.ThreadID)
	}
	want := map[string]string{
		"severity": "critical", "finding": "capacity-low", "news": "opened", "state": "open", "account": "111122223333", "region": "eu-central-1",
		"cluster": "prod-eu", "owner": "payments", "action": "act",
	}
	if diff := cmp.Diff(want, a.Metadata.AdditionalContext); diff != "" {
		t.Errorf("context (-want +got):\n%s", diff)
	}
}

func TestThreadsOfDifferentClustersDiffer(t *testing.T) {
	threads := map[string]bool{}
	for _, change := range []func(*guard.Message){
		func(*guard.Message) {},
		func(m *guard.Message) { m.Cluster.Account = "444455556666" },
		func(m *guard.Message) { m.Cluster.Region = "us-east-1" },
		func(m *guard.Message) { m.Cluster.Name = "prod-us" },
		func(m *guard.Message) { m.Cluster.Name = "" },
		func(m *guard.Message) { m.Cluster.Name, m.Cluster.Region = "", "us-east-1" },
	} {
		m := samples()["capacity-low"]
		change(&m)
		threads[shown(t, m).Metadata.ThreadID] = true
	}
	if len(threads) != 6 {
		t.Errorf("6 clusters and units have %d threads: %v", len(threads), threads)
	}
}

func TestTextsOfOthersAreInCodeSpansThatTheyCannotEnd(t *testing.T) {
	m := samples()["update-blocked"]
	m.Cluster.Name, m.Version = "a`*b*`", "_v1_<https://evil.example|x>"
	m.Held = []guard.Reason{{Gate: "owner_*", Text: "[x](https://evil.example) `"}}
	c := shown(t, m)
	for what, want := range map[string]string{
		"the name":    "- cluster: `aˋ*b*ˋ (eu-central-1, account 111122223333)`\n",
		"the version": "The cluster stays at `_v1_‹https://evil.example|x›`.",
		"a gate":      "- `owner_*`: `[x](https://evil.example) ˋ`\n",
	} {
		if !strings.Contains(c.Content.Description, want) {
			t.Errorf("%s: no %q in\n%s", what, want, c.Content.Description)
		}
	}
	if !strings.HasPrefix(c.Content.Title, "⚠ WARNING: `aˋ*b*ˋ`: ") {
		t.Errorf("the title is %q", c.Content.Title)
	}
}

func TestACommandThatAChatCannotShowAsItIsIsLeftOut(t *testing.T) {
	m := samples()["version-outdated"]
	steps := func() string { return strings.Join(shown(t, m).Content.NextSteps, "\n") }
	if s := steps(); !strings.Contains(s, "then aws eks update-addon --region eu-central-1 --cluster-name prod-eu ") || !strings.Contains(s, "\nhttps://eu-central-1.console.") {
		t.Errorf("the commands and the console are not among\n%s", s)
	}
	for _, role := range []string{"arn:aws:iam::1:role/`id`", "arn:aws:iam::1:role/a@b", "arn:aws:iam::1:role/" + strings.Repeat("x", 300)} {
		m.Role = role
		if s := steps(); strings.Contains(s, "update-addon") || !strings.Contains(s, "describe-addon") {
			t.Errorf("with the role %q:\n%s", role, s)
		}
	}
}

func TestLinesThatDoNotFitAreCounted(t *testing.T) {
	m := samples()["addon-unhealthy"]
	m.Finding.Facts = nil
	for i := range 30 {
		m.Finding.Facts = append(m.Finding.Facts, guard.Fact{Name: "issue", Value: fmt.Sprint(i, strings.Repeat(" long", 30))})
	}
	d := shown(t, m).Content.Description
	head, tail, cut := strings.Cut(d, " more lines\n\nWhat to do: ")
	if !cut || tail == "" {
		t.Fatalf("nothing is counted, or what to do is missing:\n%s", d)
	}
	left := head[strings.LastIndexByte(head, '-'):]
	whole := 0
	for i := range 30 {
		if strings.Contains(d, fmt.Sprintf("- issue: `%d long", i)) {
			whole++
		}
	}
	if whole < 5 || whole > 20 || left == "- 0" {
		t.Errorf("%d issues are shown, and %q more lines are counted", whole, left)
	}
}
