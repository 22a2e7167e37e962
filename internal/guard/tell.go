package guard

import (
	"slices"
	"strconv"
	"time"

	"github.com/cniguard/cniguard/internal/fault"
)

// findings are the plan's, and those that come from what was done.
func (c *conclusion) findings() ([]Finding, map[Code]bool) {
	found, blind := slices.Clone(c.plan.Findings), c.plan.Blind
	for _, o := range c.done {
		if o.Action.Kind == StartUpdate {
			if f, is := c.untaken(o); is && !slices.ContainsFunc(found, func(f Finding) bool { return f.Code == UpdateBlocked }) {
				found = append(found, f)
			}
			continue
		}
		if o.Fault == nil {
			if o.Action.Kind == PutAlarm {
				c.dueIn(later) // does it get data?
			}
			continue
		}
		f := Finding{Code: AlarmFailed, Severity: Warning, Print: o.Fault.Op + ":" + o.Fault.Code, After: patience, Facts: []Fact{
			{"alarm", o.Action.Alarm.Name}, {"error", o.Fault.Error()},
		}}
		if o.Fault.Kind == fault.Terminal {
			f.After = deniedAfter
		}
		if o.Fault.Denied() {
			f.Facts = append(f.Facts, Fact{"need", o.Fault.Need})
		}
		found = append(found, f)
		c.dueIn(retryAfter(c.in, AlarmFailed))
		break
	}
	return found, blind
}

// open speaks of a finding if it is time: on opening, on change, and again at its interval.
func (c *conclusion) open(f Finding) {
	t, known := c.rec.Told[f.Code]
	if !known {
		t = Told{First: c.in.Now}
	}
	news, again := News(""), c.in.Now.Sub(t.Last)
	every := remindAfter(f.Severity)
	switch {
	case t.Times == 0 && c.in.Now.Sub(t.First) >= f.After:
		news = Opened
	case t.Times == 0:
	case t.Print != f.Print || t.Severity != f.Severity:
		news = Changed
	case every > 0 && again >= every:
		news = Reminded
	}
	t.Print, t.Severity = f.Print, f.Severity
	if news != "" {
		t.Times, t.Last = t.Times+1, c.in.Now
	}
	c.rec.Told[f.Code] = t
	if news != "" {
		c.say(news, f)
	}
	switch {
	case t.Times == 0:
		c.dueAt(t.First.Add(f.After))
	case every > 0:
		c.dueAt(t.Last.Add(every))
	}
}

// recover ends a finding, and says so if anything was said of it.
func (c *conclusion) recover(code Code) {
	t := c.rec.Told[code]
	if t.Times > 0 {
		f := Finding{Code: code, Severity: t.Severity, Print: t.Print,
			Facts: []Fact{{"lasted", minutes(c.in.Now.Sub(t.First))}}}
		if c.plan.Verdict.Word == Gone {
			c.say(Closed, f)
		} else {
			c.say(Recovered, f)
		}
	}
	delete(c.rec.Told, code)
}

// say puts one message into the outbox.
func (c *conclusion) say(news News, f Finding) {
	thread := digest(c.in.ID.ARN(), string(f.Code), c.rec.Told[f.Code].First.UTC().Format(time.RFC3339Nano))
	first := c.rec.Told[f.Code].First
	if f.Code == UpdateProgress {
		thread, first = digest(c.in.ID.ARN(), string(f.Code), f.Print), time.Time{}
	}
	c.rec.Sent++
	m := Message{
		Key: thread + "-" + strconv.Itoa(c.rec.Sent), Thread: thread, News: news, Cluster: c.in.ID, Finding: f,
		Verdict: c.plan.Verdict, Path: c.plan.Path, First: first, At: c.in.Now, Version: c.rec.Version,
	}
	if a := c.in.Seen.Addon; a.Fault == nil && a.Value != nil {
		m.Version, m.Role = a.Value.Raw, a.Value.Role
	}
	if s := c.in.Settings; s.Fault == nil {
		m.Mode = string(s.Value.Mode)
	}
	for _, o := range c.done {
		if o.Fault == nil {
			m.Done = append(m.Done, o.Action.String())
		}
	}
	for _, h := range c.plan.Held {
		if h.Action.Kind == StartUpdate {
			m.Held = h.By
		}
	}
	c.post(m)
}

// mostUnsent bounds an outbox, so that the record stays far below what DynamoDB takes.
const mostUnsent = 40

// post puts a message into the outbox, where it takes the place of an unsent one that says less of the same matter. So the outbox
// of a topic that is gone does not grow with every reminder, and the other topics get each. When it is full, the oldest matter that is
// over is forgotten.
func (c *conclusion) post(m Message) {
	again := func(n News) bool { return n == Changed || n == Reminded }
	for i, unsent := range c.rec.Outbox {
		if unsent.Thread != m.Thread || !again(m.News) {
			continue
		}
		if m.News == Reminded && len(unsent.Got) == 0 {
			return // what waits to be told says it
		}
		if again(unsent.News) {
			c.rec.Outbox[i] = m
			return
		}
	}
	c.rec.Outbox = append(c.rec.Outbox, m)
	if len(c.rec.Outbox) > mostUnsent {
		over := func(m Message) bool {
			return m.News == Recovered || m.News == Closed || m.News == Updated || m.News == NotDone
		}
		oldest := c.rec.Outbox[max(0, slices.IndexFunc(c.rec.Outbox, over))].Thread
		c.rec.Outbox = slices.DeleteFunc(c.rec.Outbox, func(m Message) bool { return m.Thread == oldest })
	}
}
