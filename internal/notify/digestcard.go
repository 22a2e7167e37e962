package notify

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
)

// What a card shows of a list; the rest is in the e-mail.
const (
	mostNamed = 5 // clusters of a group
	mostTold  = 4 // findings with what to do
)

// spanned is a value in a code span, cut so that a line of several stays readable.
func spanned(value string) string {
	return code(plain.Cut(value, inTitleLimit, plain.Ellipsis))
}

// card is the digest for a chat, in a thread of its owner.
func (d digest) card() card {
	line := d.headline(code(short(d.owner())))
	c := card{
		Version: "1.0", Source: "custom", ID: inert(d.Key),
		Content: content{
			TextType: "client-markdown", Title: d.emoji() + " " + line, Description: d.description(), NextSteps: d.nextSteps(),
			Keywords: []string{"vpc-cni", "digest", d.worst().String()},
		},
		Metadata: metadata{
			ThreadID: threadOfOwner(d.Owner), Summary: line, EventType: string(guard.DigestCode), RelatedResources: d.resources(),
			AdditionalContext: map[string]string{},
		},
	}
	for name, value := range d.attributes() {
		c.Metadata.AdditionalContext[name] = inert(value)
	}
	return c
}

func (d digest) emoji() string {
	switch {
	case d.Stand[guard.Critical] > 0:
		return "🚨"
	case d.Stand[guard.Warning] > 0, d.hidden > 0:
		return "⚠"
	case d.Stand[guard.Info] > 0:
		return "ℹ"
	}
	return "✅"
}

// description is a short form of the text: e-mail has all. Lines that do not fit are counted.
func (d digest) description() string {
	lines := []string{"In numbers:"}
	for _, f := range d.numbers() {
		if f.Name == "by finding" {
			f.Value = d.byFinding(spanned)
		}
		if f.Value != "" {
			lines = append(lines, "- "+f.Name+": "+f.Value)
		}
	}
	for p := isNew; p <= isSilenced; p++ {
		for n, g := range d.groups(p) {
			if n == 0 {
				lines = append(lines, "", p.title())
			}
			lines = append(lines, "- "+d.named(g))
		}
	}
	for n, f := range d.Hidden {
		if n == 0 {
			lines = append(lines, "", "Not checked:")
		}
		lines = append(lines, joined("- "+code(f.Name)+": ", []string{code(f.Value)}))
	}
	last := "\n\nWhat to do:"
	for n, a := range d.advice(spanned) {
		if n == mostTold {
			last += "\n- More is in the e-mail."
			break
		}
		last += "\n- " + a
	}
	last += "\n\n" + d.alarms()
	return fitted(lines, cardLimit-utf8.RuneCountInString(last)) + last
}

// named is a group in one line, with the worst of its clusters by name.
func (d digest) named(g group) string {
	line := g.headline(spanned, d.At)
	if len(g.items) == 1 {
		return line
	}
	var names []string
	for _, i := range g.items[:min(mostNamed, len(g.items))] {
		names = append(names, code(short(label(i.Cluster))))
	}
	line += ": " + strings.Join(names, ", ")
	if more := len(g.items) - len(names); more > 0 {
		line += fmt.Sprintf(" and %d more", more)
	}
	ending := 0
	for _, i := range g.items {
		if endsSoon(i.Muted, d.At) {
			ending++
		}
	}
	if ending > 0 {
		line += fmt.Sprintf("; %d muted until within a day, and told again then", ending)
	}
	return line
}

func (d digest) nextSteps() []string {
	var commands []string
	for _, c := range d.commands() {
		commands = append(commands, strings.Join(c, " "))
	}
	i, found := d.first()
	if !found {
		return chatSteps(commands, "")
	}
	return chatSteps(append(commands, strings.Join(mute(i.Cluster, i.Finding, week), " ")), link(i.Cluster))
}

// notice is the digest for a pager, which does nothing with it: it opens no incident and resolves none.
func (d digest) notice() notice {
	name := plain.Cut("cniguard digest "+d.Owner, alarmNameLimit, plain.Ellipsis)
	var in cluster.ID
	if cluster.IsAccount(d.Owner) {
		in.Account = d.Owner
	}
	n := newAlarm(name, in, string(guard.DigestCode))
	n.AlarmDescription, n.NewStateReason = d.alarms(), plain.Cut(d.headline(d.owner()), reasonLimit, plain.Ellipsis)
	n.OldStateValue, n.NewStateValue = stateNeither, stateNeither
	n.Configured, n.StateChangeTime = alarmTime(d.At), alarmTime(d.At)
	return n
}
