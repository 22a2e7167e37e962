package notify

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
)

// How much of others' words a message carries, in runes. The body repeats each text up to six times, and escaping may make
// four bytes of a rune: 4,000 runes and what they come with stay below half of the 256 KiB that SNS takes.
const (
	textLimit  = plain.Text
	nameLimit  = 100  // one name; EKS allows 100 characters for a cluster
	wordLimit  = 60   // one word of ours, or a version
	roleLimit  = 700  // a role's ARN: 512 characters of path and 64 of name, which must not be cut
	allowance  = 4000 // all texts of one message
	entryPrice = 16   // what an entry of a list costs beside its text
)

// cleaner spends a message's allowance. What is left out when it is spent is counted.
type cleaner struct{ left, dropped int }

func (c *cleaner) clean(s string, limit int) string {
	return c.spend(tidy(s, max(0, min(limit, c.left))))
}

// tidy is a text of others in one line of at most limit runes, safe to print and to forward.
func tidy(s string, limit int) string {
	return plain.Cut(mentionless(plain.Clean(s, len(s))), limit, plain.Ellipsis)
}

func (c *cleaner) spend(s string) string {
	c.left -= utf8.RuneCountInString(s)
	return s
}

// mentionless breaks by a space what calls many people in a chat, where somebody forwards a message to one: "@ channel". They are
// the mentions of Slack, Discord and Google Chat. Other marks of chats and of Markdown do nothing until somebody clicks on them,
// and stay: mail and terminals show texts as they are, and the shapes for chats escape what their chat reads.
func mentionless(s string) string {
	if !strings.ContainsAny(s, "<@") {
		return s
	}
	return strings.NewReplacer("<!", "< !", "<@", "< @", "<users/", "< users/", "@channel", "@ channel", "@here", "@ here",
		"@everyone", "@ everyone").Replace(s)
}

// clean is the message with every text in it made safe to print, in the order of importance, within the allowance. When
// entries had to be left out, a last fact says how many.
func clean(m guard.Message) guard.Message {
	c := &cleaner{left: allowance}
	m.Cluster.Account = c.clean(m.Cluster.Account, wordLimit)
	m.Cluster.Region = c.clean(m.Cluster.Region, wordLimit)
	m.Cluster.Name = c.clean(m.Cluster.Name, nameLimit)
	m.Owner = c.clean(m.Owner, nameLimit)
	m.Key, m.Thread = c.clean(m.Key, textLimit), c.clean(m.Thread, textLimit)
	m.News = guard.News(c.clean(string(m.News), wordLimit))
	m.Finding.Code = guard.Code(c.clean(string(m.Finding.Code), wordLimit))
	m.Version, m.Mode = c.clean(m.Version, wordLimit), c.clean(m.Mode, wordLimit)
	m.Role = c.spend(plain.Clean(m.Role, roleLimit)) // it goes into a command, which must stay right
	m.Verdict.Word = c.clean(m.Verdict.Word, wordLimit)
	for _, a := range []*guard.Answer{&m.Verdict.Install, &m.Verdict.Version, &m.Verdict.Capacity, &m.Verdict.Change} {
		a.Word, a.Because = c.clean(a.Word, wordLimit), c.clean(a.Because, textLimit)
	}
	m.Finding.Facts = each(c, m.Finding.Facts, func(f guard.Fact) guard.Fact {
		return guard.Fact{Name: c.clean(f.Name, wordLimit), Value: c.clean(f.Value, textLimit)}
	})
	m.Held = each(c, m.Held, func(r guard.Reason) guard.Reason {
		r.Gate, r.Text = c.clean(r.Gate, wordLimit), c.clean(r.Text, textLimit)
		return r
	})
	m.Path = each(c, m.Path, func(s string) string { return c.clean(s, wordLimit) })
	m.Done = each(c, m.Done, func(s string) string { return c.clean(s, textLimit) })
	if c.dropped > 0 {
		m.Finding.Facts = append(m.Finding.Facts, guard.Fact{Name: "left out", Value: fmt.Sprintf("%d more entries, to keep this short", c.dropped)})
	}
	return m
}

// each cleans the entries of a list while the allowance lasts. The list is a new one: the message is the caller's.
func each[T any](c *cleaner, in []T, clean func(T) T) []T {
	out := make([]T, 0, min(len(in), allowance/entryPrice))
	for i, v := range in {
		if c.left <= 0 {
			c.dropped += len(in) - i
			break
		}
		c.left -= entryPrice
		out = append(out, clean(v))
	}
	return out
}
