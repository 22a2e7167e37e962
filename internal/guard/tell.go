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

// open speaks of a finding if it is time: on opening, on change, and while it is critical again at its interval. What is muted is not spoken of.
func (c *conclusion) open(f Finding) {
	t, known := c.rec.Told[f.Code]
	if !known {
		t = c.begin(f.Code)
	}
	t.Word, t.Now = c.in.word(f.Code, t.Word), 0
	t = c.swing(t, f.Severity)
	news := c.news(t, f)
	switch {
	case t.muted() && t.Times > 0, c.eases(t):
		t.Now = f.Severity // what people know stays as it is
	case t.muted():
		t.Print, t.Severity = f.Print, f.Severity
	default:
		t.Print, t.Severity = f.Print, f.Severity
		if news != "" {
			t.Times, t.Last = t.Times+1, c.in.Now
			c.say(news, f, t.First)
		}
	}
	c.rec.Told[f.Code] = t
	c.lookAgain(t, f)
}

// swing notes that a finding is less bad than people know, or as bad again. One that was is worse again within a day comes back, as one does that
// was over.
func (c *conclusion) swing(t Told, now Severity) Told {
	switch {
	case t.Times == 0:
	case now < t.Severity:
		if t.Lower.IsZero() {
			t.Lower = c.in.Now
		}
		if !c.eases(t) {
			t.Lower, t.Eased = time.Time{}, c.in.Now
		}
	case !t.Lower.IsZero(), now > t.Severity && c.in.Now.Sub(t.Eased) < flaps:
		t.Back++
		t.Lower = time.Time{}
	}
	return t
}

// eases reports whether a finding is less bad than people know, and not for long enough to be believed.
func (c *conclusion) eases(t Told) bool {
	return !t.Lower.IsZero() && c.in.Now.Before(t.Lower.Add(t.calm()))
}

// lookAgain has a finding looked at when there may be something to say of it.
func (c *conclusion) lookAgain(t Told, f Finding) {
	switch {
	case t.muted():
		c.dueAt(t.Word.Until)
	case t.Times == 0:
		c.dueAt(t.First.Add(f.After))
	case c.eases(t):
		c.dueAt(t.Lower.Add(t.calm()))
	case f.Severity == Critical && t.acked():
		c.dueAt(t.Word.Until)
	case f.Severity == Critical:
		c.dueAt(t.Last.Add(remindEvery))
	}
}

// begin is a finding that was not there at the last check. One that comes back before people were told that it went was never away for
// them.
func (c *conclusion) begin(code Code) Told {
	past, known := c.rec.Past[code]
	switch {
	case known && !past.Out:
		delete(c.rec.Past, code)
		past.Back++
		return past.Told
	case known && c.in.Now.Sub(past.Over) < flaps:
		return Told{First: c.in.Now, Back: past.Back + 1}
	}
	return Told{First: c.in.Now}
}

// news is what there is to say of a finding, as far as it is not muted.
func (c *conclusion) news(t Told, f Finding) News {
	switch {
	case t.Times == 0 && c.in.Now.Sub(t.First) >= f.After:
		return Opened
	case t.Times == 0:
	case t.Print != f.Print, t.Severity != f.Severity:
		return Changed
	case f.Severity == Critical && !t.acked() && c.in.Now.Sub(t.Last) >= remindEvery:
		return Reminded
	}
	return ""
}

// word is a person's on a finding, where one is in force. While what people say cannot be read, the one that was read last holds as long as it was
// to hold, and nothing else silences anything.
func (in Input) word(code Code, last *Order) *Order {
	switch {
	case in.Orders.Fault == nil:
		return Word(in.words(code), code, in.Now)
	case last != nil && last.Holds(in.Now):
		return last
	}
	return nil
}

// muted reports whether a finding is not told at the moment.
func (t Told) muted() bool { return t.Word != nil && t.Word.Kind == Muting }

// ahead is how far a person's clock may be behind.
const ahead = time.Minute

// acked reports whether somebody has acknowledged all that was told of a finding.
func (t Told) acked() bool {
	return t.Word != nil && t.Word.Kind == Acknowledging && !t.Last.After(t.Word.At.Add(ahead))
}

// recover ends a finding. That it is over is said if anything was said of it, and once it is believed.
func (c *conclusion) recover(code Code) {
	past := Past{Told: c.rec.Told[code], Over: c.in.Now}
	if past.Over.Sub(past.First) >= flaps {
		past.Back = 0 // it has long stopped coming and going
	}
	delete(c.rec.Told, code)
	if past.Times > 0 {
		c.rec.Past[code] = past
	}
}

// past says what is over, and forgets what has been over for long.
func (c *conclusion) past(blind map[Code]bool) {
	gone := c.plan.Verdict.Word == Gone
	for _, code := range sortedKeys(c.rec.Past) {
		past := c.rec.Past[code]
		switch quiet := past.Believed(); {
		case past.Out && c.in.Now.Sub(past.Over) >= flaps:
			delete(c.rec.Past, code)
			continue
		case past.Out || blind[code]:
			continue
		case !gone && c.in.Now.Before(quiet):
			c.dueAt(quiet)
			continue
		}
		news := Recovered
		if gone {
			news = Closed
		}
		past.Out = true
		c.rec.Past[code] = past
		c.say(news, Finding{Code: code, Severity: past.Severity, Print: past.Print, Facts: []Fact{{"lasted", minutes(past.Over.Sub(past.First))}}}, past.First)
	}
}

// thread names a matter: a finding of a cluster from its beginning to its end.
func (c *conclusion) thread(code Code, first time.Time) string {
	return digest(c.in.ID.ARN(), string(code), first.UTC().Format(time.RFC3339Nano))
}

// say puts one message into the outbox. First is when its finding began.
func (c *conclusion) say(news News, f Finding, first time.Time) {
	thread := c.thread(f.Code, first)
	if f.Code == UpdateProgress {
		thread, first = digest(c.in.ID.ARN(), string(f.Code), f.Print), time.Time{}
	}
	c.rec.Sent++
	m := Message{
		Key: thread + "-" + strconv.Itoa(c.rec.Sent), Thread: thread, News: news, Cluster: c.in.ID, Owner: c.rec.Owner, Finding: f,
		Verdict: c.plan.Verdict, Path: c.plan.Path, First: first, At: c.in.Now, Version: c.rec.Version,
	}
	if !urgent(f.Code, f.Severity) {
		m.Lane = InDigest
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

// MayWait is how long a topic may lack what it is to be told at once.
const MayWait = time.Hour

// mayGather is how long a message may wait for a digest, which is due once a day.
const mayGather = 26 * time.Hour

// Late reports whether people should have a message by now.
func (m Message) Late(now time.Time) bool {
	may := MayWait
	if m.Lane == InDigest {
		may = mayGather
	}
	return now.Sub(m.At) > may
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
			return m.News == Recovered || m.News == Closed || m.News == Updated || m.News == NotDone || m.News == Lost
		}
		oldest := c.rec.Outbox[max(0, slices.IndexFunc(c.rec.Outbox, over))].Thread
		c.rec.Outbox = slices.DeleteFunc(c.rec.Outbox, func(m Message) bool { return m.Thread == oldest })
	}
}
