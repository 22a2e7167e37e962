package notify

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
)

// Limits of a card, in characters. Amazon Q takes 250 for a title and 8,000 for a description, and names none for the rest; a
// description beyond 3,000 does not fit one section of a message in Slack.
const (
	titleLimit   = 250
	cardLimit    = 3000
	stepLimit    = 450 // one of the next steps: a command that keeps role and configuration has 400
	pageLimit    = 300 // of a page's address
	inTitleLimit = 60  // one value in a headline
)

// card is a custom notification of Amazon Q Developer in chat applications (administrator guide, "Custom notifications"). What
// does not conform is dropped without a word, and so is what else comes to a topic for chats.
type card struct {
	Version  string   `json:"version"`
	Source   string   `json:"source"`
	ID       string   `json:"id,omitempty"`
	Content  content  `json:"content"`
	Metadata metadata `json:"metadata"`
}

type content struct {
	TextType    string   `json:"textType"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	NextSteps   []string `json:"nextSteps"`
	Keywords    []string `json:"keywords"`
}

type metadata struct {
	ThreadID          string            `json:"threadId,omitempty"`
	Summary           string            `json:"summary"`
	EventType         string            `json:"eventType,omitempty"`
	RelatedResources  []string          `json:"relatedResources"`
	AdditionalContext map[string]string `json:"additionalContext"`
}

// newCard writes a message in what Slack's markup and Markdown have in common: paragraphs, lists with hyphens, and values in
// code spans. Nothing of others stands outside of a code span.
func newCard(m guard.Message) card {
	w := wordsFor(m, func(value string) string { return code(plain.Cut(value, inTitleLimit, plain.Ellipsis)) })
	line := headline(m, w, code(short(label(m.Cluster))))
	c := card{
		Version: "1.0", Source: "custom", ID: inert(m.Key),
		Content: content{
			TextType: "client-markdown", Title: emoji(m) + " " + line, Description: description(m, w),
			NextSteps: nextSteps(m, w), Keywords: []string{"vpc-cni", m.Finding.Severity.String()},
		},
		Metadata: metadata{
			ThreadID: thread(m.Cluster), Summary: line, EventType: inert(string(m.Finding.Code)),
			RelatedResources: []string{}, AdditionalContext: map[string]string{},
		},
	}
	if m.Finding.Code != "" {
		c.Content.Keywords = append(c.Content.Keywords, inert(string(m.Finding.Code)))
	}
	if m.Cluster.Name != "" {
		c.Metadata.RelatedResources = append(c.Metadata.RelatedResources, inert(m.Cluster.ARN()))
	}
	for name, value := range attributes(m, w) {
		c.Metadata.AdditionalContext[name] = inert(value)
	}
	return c
}

// thread names the thread of a cluster, in which a chat shows all that is told of it; that of an account and region, where a message is
// about one. It is a hash, because Amazon Q does not say what a name of a thread may hold.
func thread(id cluster.ID) string {
	about := cmp.Or(arn(id), id.Account+"/"+id.Region)
	sum := sha256.Sum256([]byte(about))
	return hex.EncodeToString(sum[:16])
}

// description is what was seen, what it means, what cniguard does, and what to do. Lines that do not fit are counted.
func description(m guard.Message, w words) string {
	var lines []string
	if w.means != "" {
		lines = append(lines, w.means, "")
	}
	lines = append(lines, "What was seen:")
	for _, f := range seen(m) {
		if f.Value != "" {
			lines = append(lines, "- "+word(f.Name)+": "+code(f.Value))
		}
	}
	lines = append(lines, "", "What cniguard does:")
	for _, d := range m.Done {
		lines = append(lines, "- Action: "+code(d))
	}
	if len(m.Done) > 0 {
		lines = append(lines, "") // else Markdown takes what follows for a part of the list
	}
	lines = append(lines, intent(m, code))
	if !settled(m) {
		for _, r := range m.Held {
			lines = append(lines, "- "+word(r.Gate)+": "+code(shut(r)))
		}
	}
	last := "\n\nWhat to do: " + w.do
	return fitted(lines, cardLimit-utf8.RuneCountInString(last)) + last
}

// fitted joins the lines that fit into so many characters; a last one counts those that do not.
func fitted(lines []string, limit int) string {
	const count = 30 // what the last line takes at most
	var b strings.Builder
	for i, l := range lines {
		limit -= utf8.RuneCountInString(l) + 1
		if last := i == len(lines)-1; limit < 0 || limit < count && !last {
			fmt.Fprintf(&b, "- %d more lines", len(lines)-i)
			return b.String()
		}
		b.WriteString(l + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// nextSteps are the commands, those to silence it, and the cluster's page in the console.
func nextSteps(m guard.Message, w words) []string {
	var commands []string
	for _, c := range w.run {
		commands = append(commands, strings.Join(c(m), " "))
	}
	for _, s := range silencings(m) {
		commands = append(commands, strings.Join(s.run, " "))
	}
	return chatSteps(commands, link(m.Cluster))
}

// chatSteps are commands and a page for a chat; an empty page is none. What a chat cannot show as it is, or whole, is left out: it would be
// another command, or lead elsewhere.
func chatSteps(commands []string, page string) []string {
	steps := []string{}
	shows := func(step string, limit int) bool { return inert(step) == step && utf8.RuneCountInString(step) <= limit }
	for _, c := range commands {
		if shows(c, stepLimit) {
			steps = append(steps, code(c))
		}
	}
	if page != "" && shows(page, pageLimit) {
		steps = append(steps, page)
	}
	return steps
}

// emoji is the severity or the news at a glance.
func emoji(m guard.Message) string {
	switch {
	case ended(m.News), m.News == guard.Updated:
		return "✅"
	case m.News == guard.NotDone:
		return "❌"
	case m.Finding.Severity == guard.Critical:
		return "🚨"
	case m.Finding.Severity == guard.Warning:
		return "⚠"
	}
	return "ℹ"
}

// inert is a text without the marks that mean something even in a code span: they end it, or begin a mention or a link of
// Slack's. Each becomes a mark that looks like it, since what would escape one in Slack is shown by Teams as it is.
func inert(s string) string {
	return strings.NewReplacer("`", "ˋ", "<", "‹", ">", "›", "&", "＆", "@", "＠").Replace(s)
}

// code is a value in a code span.
func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + inert(s) + "`"
}

// word is a name as it is where it is made of ASCII letters, digits, spaces and hyphens; else it is in a code span.
func word(s string) string {
	odd := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != ' ' && r != '-'
	}
	if strings.ContainsFunc(s, odd) {
		return code(s)
	}
	return s
}
