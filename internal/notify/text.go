package notify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

const width = 72 // columns

// text lays the message out. Its order is that of the questions of a person who was woken by it.
func text(m guard.Message, w words) string {
	var p page
	p.add("", headline(m, w, label(m.Cluster)))
	p.section("What was seen:")
	p.facts(seen(m))
	if w.means != "" {
		p.section("What it means:")
		p.add("  ", w.means)
	}
	p.deeds(m)
	p.section("What to do:")
	p.add("  ", w.do)
	if len(w.run) > 0 {
		p.section("Commands, for account " + m.Cluster.Account + ":")
	}
	for _, c := range w.run {
		p.command(c(m))
	}
	p.section("Console:")
	p.WriteString("  " + link(m.Cluster) + "\n")
	p.support(m)
	p.section("Reference:")
	p.facts([]guard.Fact{{Name: "finding", Value: string(m.Finding.Code)}, {Name: "thread", Value: m.Thread}, {Name: "message", Value: m.Key}})
	p.silence(m)
	return p.String()
}

// seen is where and when, the finding's facts, and how the cluster stands as a whole. A fact that is the text of a gate is
// left to the gates.
func seen(m guard.Message) []guard.Fact {
	facts := []guard.Fact{
		{Name: "cluster", Value: m.Cluster.Name + " (" + m.Cluster.Region + ", account " + m.Cluster.Account + ")"},
		{Name: "owned by", Value: m.Owner}, // not "owner": a gate is called so
		{Name: "seen", Value: minute(m.At)},
	}
	if m.Cluster.Name == "" {
		facts[0] = guard.Fact{Name: "where", Value: label(m.Cluster)}
	}
	if m.Owner == m.Cluster.Account {
		facts[1].Value = "" // it is said already
	}
	if lasted := m.At.Sub(m.First); !m.First.IsZero() && lasted >= time.Minute {
		facts = append(facts, guard.Fact{Name: "first seen", Value: minute(m.First) + ", " + span(lasted) + " before"})
	}
	if !slices.ContainsFunc(m.Finding.Facts, func(f guard.Fact) bool { return f.Value == m.Version }) {
		facts = append(facts, guard.Fact{Name: "vpc-cni", Value: m.Version})
	}
	for _, f := range m.Finding.Facts {
		if !slices.ContainsFunc(m.Held, func(r guard.Reason) bool { return r.Gate == f.Name && r.Text == f.Value }) {
			facts = append(facts, f)
		}
	}
	return append(facts, guard.Fact{Name: "verdict", Value: verdictLine(m.Verdict)}, guard.Fact{Name: "mode", Value: m.Mode})
}

// verdictLine is the verdict's word with the words of the answers that there are.
func verdictLine(v guard.Verdict) string {
	var answers []string
	for _, a := range []struct{ name, word string }{
		{"install", v.Install.Word}, {"version", v.Version.Word}, {"capacity", v.Capacity.Word}, {"change", v.Change.Word},
	} {
		if a.word != "" {
			answers = append(answers, a.name+" "+a.word)
		}
	}
	if len(answers) == 0 {
		return v.Word
	}
	return v.Word + " (" + strings.Join(answers, ", ") + ")"
}

// deeds adds what cniguard did, will do, or why it does not. While a step is made or a finding ends, the gates are no news.
func (p *page) deeds(m guard.Message) {
	p.section("What cniguard does:")
	for _, d := range m.Done {
		p.add("  Action: ", d)
	}
	p.add("  ", intent(m, asIs))
	if settled(m) {
		return
	}
	for _, r := range m.Held {
		p.add("  - ", r.Gate+": "+shut(r))
	}
}

// shut is why a gate is shut, and until when.
func shut(r guard.Reason) string {
	if r.Until.IsZero() {
		return r.Text
	}
	return r.Text + " (until " + minute(r.Until) + ")"
}

// settled reports whether the message tells of something that has happened, not of something that stands.
func settled(m guard.Message) bool {
	_, step := steps[m.News]
	return step || ended(m.News)
}

// ended reports whether the news is that a finding is over.
func ended(n guard.News) bool { return n == guard.Recovered || n == guard.Closed }

// intent is the one sentence on what comes next, with values as they stand in such a text.
func intent(m guard.Message, as func(string) string) string {
	var path []string
	for _, v := range m.Path {
		path = append(path, as(cni.Parse(v).String()))
	}
	to := ""
	if len(path) > 0 {
		to = " to " + strings.Join(path, ", then ")
	}
	switch {
	case m.News == guard.Recovered:
		return "It goes on watching."
	case m.News == guard.Sampled:
		return "Nothing more: no other message belongs to this one."
	case m.News == guard.Closed:
		return "It removes the cluster's alarm, and forgets the cluster."
	case m.News == guard.Started:
		return "It asks EKS every few minutes how the update stands."
	case m.News == guard.Updated:
		return "It watches this version for a while before any further step."
	case m.News == guard.NotDone, m.News == guard.Lost:
		return "Next: " + as(cmp.Or(factOf(m, "next"), "it looks again by itself")) + "."
	case factOf(m, "code") == fault.NoSlot:
		return "It tries again by itself to make the update" + to + "."
	case factOf(m, "refused") != "":
		return "It asks EKS again by itself for the update" + to + "."
	case len(m.Held) > 0:
		return "It would update vpc-cni" + to + ", but does not now:"
	case to != "":
		return "It updates vpc-cni" + to + "."
	}
	return "It looks again by itself, and says when this is over."
}

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// span writes a duration in its largest two units.
func span(d time.Duration) string {
	days, hours, minutes := int(d.Hours())/24, int(d.Hours())%24, int(d.Minutes())%60
	switch {
	case days > 0:
		return fmt.Sprintf("%d d %d h", days, hours)
	case hours > 0:
		return fmt.Sprintf("%d h %d min", hours, minutes)
	}
	return fmt.Sprintf("%d min", minutes)
}

// page is a text in the making.
type page struct{ strings.Builder }

func (p *page) section(title string) { p.WriteString("\n" + title + "\n") }

// facts adds a line for each fact that has a value, the values one below the other.
func (p *page) facts(facts []guard.Fact) {
	facts = slices.DeleteFunc(facts, func(f guard.Fact) bool { return f.Value == "" })
	column := 0
	for _, f := range facts {
		column = max(column, min(16, utf8.RuneCountInString(f.Name)))
	}
	for _, f := range facts {
		pad := strings.Repeat(" ", max(0, column-utf8.RuneCountInString(f.Name)))
		p.add("  "+f.Name+pad+"  ", f.Value)
	}
}

// command adds a command with a backslash where a line ends, to be pasted as it is.
func (p *page) command(parts []string) {
	line := "  "
	for i, part := range parts {
		switch {
		case i == 0:
			line += part
		case utf8.RuneCountInString(line+" "+part+" \\") > width:
			p.WriteString(line + " \\\n")
			line = "      " + part
		default:
			line += " " + part
		}
	}
	p.WriteString(line + "\n")
}

// add wraps s, which has single spaces only, between words. The lead opens the first line; the others are indented below
// what follows it, and by two columns at least, so that no line but the first can begin with a word of s.
func (p *page) add(lead, s string) {
	p.hang(lead, max(2, min(20, utf8.RuneCountInString(lead))), s)
}

// hang is add with the column at which further lines begin.
func (p *page) hang(lead string, further int, s string) {
	p.WriteString(lead)
	indent := strings.Repeat(" ", further)
	column, fresh := utf8.RuneCountInString(lead), true
	for word := range strings.SplitSeq(s, " ") {
		n := utf8.RuneCountInString(word)
		switch {
		case fresh:
		case column+1+n > width:
			p.WriteString("\n" + indent)
			column = len(indent)
		default:
			p.WriteByte(' ')
			column++
		}
		p.WriteString(word)
		column, fresh = column+n, false
	}
	p.WriteByte('\n')
}
