// Package notify makes one message of the domain into the shape that each channel wants, and publishes it to SNS.
//
// Text is written for a person who is woken by it: what is wrong, what was seen, what it means, what cniguard did or why it
// did not, what to do, and the command to do it with. Alarm says the same to a pager, Chat to a chat, JSON to a program;
// docs/messages.md is their contract.
//
// Names, versions, error texts and people's reasons are untrusted. They are cleaned once, at the start of Render and of RenderDigest;
// nothing behind that line sees a text that was not. In Text every line that does not start with a word of ours is indented, so that
// no text of others can pose as one.
package notify

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
)

// Limits of SNS (API reference, Publish): a subject has fewer than 100 ASCII characters, one SMS holds 140 bytes, and body and
// attributes together at most 256 KiB. The last is kept by what clean lets through.
const (
	subjectLimit = 99
	smsLimit     = 140
)

// Shape is one message in the shape of each channel.
type Shape struct {
	Subject string // of an e-mail, and what a pager goes by: ASCII, at most 99 characters
	Text    string // e-mail and terminal: UTF-8 at 72 columns; commands, addresses and long words may be longer
	SMS     string // ASCII, at most 140 bytes
	Alarm   string // pagers: JSON as CloudWatch tells a change of an alarm's state, one line
	Chat    string // chats: JSON of a custom notification of Amazon Q Developer in chat applications, one line
	JSON    string // programs: schema cniguard.message/1, or cniguard.digest/1 for a digest; one line
	// Attributes are what SNS filter policies can select by: severity, finding, news, state, account, region, cluster, owner,
	// action. An empty one is left out, because SNS refuses it.
	Attributes map[string]string
}

// Render gives a message its shapes. It is pure, and total: whatever the message holds, the limits are kept.
func Render(m guard.Message) Shape {
	m = clean(m)
	w := wordsFor(m, asIs)
	s := Shape{
		Subject:    ascii(subject(m, w), subjectLimit),
		Text:       text(m, w),
		SMS:        ascii(headline(m, w, place(m.Cluster)), smsLimit),
		Alarm:      encode(newNotice(m, w)),
		Chat:       encode(newCard(m)),
		JSON:       encode(newPayload(m, w)),
		Attributes: attributes(m, w),
	}
	return s
}

// place is a cluster with where it is, in the space of an SMS.
func place(id cluster.ID) string {
	if id.Name == "" {
		return label(id)
	}
	return short(id.Name) + " (" + id.Region + ", " + id.Account + ")"
}

// Envelope is the body for people on call, with MessageStructure=json: each SNS protocol with its shape, and "default" for all
// others.
func (s Shape) Envelope() string {
	return encode(map[string]string{"default": s.Text, "email": s.Text, "sms": s.SMS, "http": s.Alarm, "https": s.Alarm})
}

// encode writes JSON in one line. Strings, booleans, finite numbers and lists of them always encode, so that there is no error to
// return.
func encode[T payload | digestPayload | notice | card | map[string]string](v T) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // nobody embeds this in HTML, and \u003c is six bytes of the limit
	_ = e.Encode(v)
	return strings.TrimSuffix(b.String(), "\n")
}

// lead is the first word of a message: the news, where it says more than the severity.
func lead(m guard.Message) string {
	severity := strings.ToUpper(m.Finding.Severity.String())
	switch m.News {
	case guard.Recovered:
		return "RECOVERED"
	case guard.Closed:
		return "CLOSED"
	case guard.Started:
		return "UPDATE STARTED"
	case guard.Updated:
		return "UPDATED"
	case guard.NotDone:
		return "UPDATE FAILED"
	case guard.Lost:
		return "UPDATE LOST"
	case guard.Sampled:
		return "TEST"
	case guard.Reminded:
		return severity + ", reminder"
	case guard.Changed:
		return severity + ", changed"
	}
	return severity
}

// headline says in one line what is new, and of which cluster.
func headline(m guard.Message, w words, where string) string {
	return lead(m) + ": " + where + ": " + w.head(m.News)
}

// head is what is wrong, or that it is over.
func (w words) head(n guard.News) string {
	if ended(n) {
		return w.right
	}
	return w.wrong
}

// short keeps a long cluster name from pushing the news out of a subject.
func short(name string) string { return plain.Cut(name, 40, "...") }

// ascii is a line in printable ASCII of at most limit characters; what is not ASCII becomes a question mark.
func ascii(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	return plain.Cut(s, limit, "...")
}
