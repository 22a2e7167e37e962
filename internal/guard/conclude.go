package guard

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/cniguard/cniguard/internal/fault"
)

// Schema is the version of the Record's form.
const Schema = 1

// Intend is the record to save before any action of the plan that must not happen twice; false: there is none. A step is in
// the ledger before UpdateAddon is called, so that a process that dies leaves a trace of what it was about to do.
func Intend(in Input, p Plan) (Record, bool) {
	rec := in.Record
	for _, a := range p.Actions {
		if a.Kind == StartUpdate {
			step := a.Step
			rec.Step, rec.Aside = &step, nil
			return rec, true
		}
	}
	return rec, false
}

// Conclude folds what was seen and done into the record, and puts what people are to be told into its outbox. It is the only
// place that speaks. Where another check saved in between, Input.Record is the newest record: what was done is still folded
// in, and what was seen only if it was seen later.
func Conclude(in Input, p Plan, done []Outcome) Record {
	c := conclusion{in: in, plan: p, done: done, rec: in.Record}
	c.rec.Schema = Schema
	c.rec.Told = maps.Clone(in.Record.Told)
	c.rec.Outbox = slices.Clone(in.Record.Outbox)
	if c.rec.Told == nil {
		c.rec.Told = map[Code]Told{}
	}
	c.outcomes()
	if in.Seen.At.Before(in.Record.Seen) {
		c.dueAt(in.Record.Due)
	} else {
		c.seen()
	}
	if c.rec.Step != nil {
		c.dueIn(ask(in.Now.Sub(c.rec.Step.Since)))
	}
	c.rec.Due = c.due
	return c.rec
}

// conclusion is a record in the making.
type conclusion struct {
	in   Input
	plan Plan
	done []Outcome
	rec  Record
	due  time.Time
}

func (c *conclusion) dueIn(after time.Duration) { c.dueAt(c.in.Now.Add(after)) }
func (c *conclusion) dueAt(t time.Time)         { c.due = earlier(c.due, t) }

// Wake is when this record must be looked at again at the latest; the zero time: the sweep is enough. While somebody acts or
// tells, it is when they must have finished.
func (r Record) Wake() time.Time {
	if !r.Busy.Until.IsZero() {
		return r.Busy.Until
	}
	return r.Due
}

// outcomes folds in what became of the plan's update.
func (c *conclusion) outcomes() {
	for _, o := range c.done {
		if o.Action.Kind != StartUpdate || c.rec.Step == nil || c.rec.Step.Token != o.Action.Step.Token || c.rec.Step.ID != "" {
			continue
		}
		switch f := o.Fault; {
		case o.Dry:
			c.rec.Step = nil
		case f == nil:
			c.started(o.ID)
		case f.InDoubt:
			// The step stays without an id; the next check settles it by what AWS says.
		case f.Kind == fault.Terminal:
			c.failed(failure{f.Code, f.Error()})
		default: // throttled, another update is open, halted in the last moment, or the row ended before: nothing was tried
			c.rec.Step = nil
			c.dueIn(c.again(later))
			c.plan.Held = append(slices.Clone(c.plan.Held), Held{Action: o.Action, By: []Reason{{Gate: "row", Text: f.Error()}}})
			c.plan.Verdict.Change = Answer{Waiting, f.Error()}
		}
	}
}

// seen folds in the snapshot: the step's progress, the verdict, the findings, and when to look again.
func (c *conclusion) seen() {
	c.progress()
	c.rec.Seen = c.in.Seen.At
	if c.plan.Verdict.Word != c.rec.Verdict.Word {
		c.rec.Since = c.in.Now
	}
	c.rec.Verdict, c.rec.Held, c.rec.Path = c.plan.Verdict, c.plan.Held, c.plan.Path
	if a := c.in.Seen.Addon; a.Fault == nil && c.in.Seen.Cluster.Fault == nil {
		c.rec.Version = ""
		if a.Value != nil {
			c.rec.Version = a.Value.Raw
		}
	}
	c.meter()
	c.returned()
	findings, blind := c.findings()
	c.dueAt(c.plan.Due)
	for _, f := range findings {
		c.open(f)
	}
	for _, code := range sortedKeys(c.rec.Told) {
		if !blind[code] && !slices.ContainsFunc(findings, func(f Finding) bool { return f.Code == code }) {
			c.recover(code)
		}
	}
	c.leave()
}

// returned forgets failed tries once there is nothing left to update: the next update is a new matter.
func (c *conclusion) returned() {
	readable := c.in.Seen.Cluster.Fault == nil && c.in.Seen.Addon.Fault == nil
	if readable && (c.plan.Verdict.Change.Word == Idle || c.plan.Verdict.Change.Word == Gone) {
		c.rec.Aside, c.rec.Failed = nil, Failed{}
	}
}

// leave marks the record of a cluster that is gone once nothing of ours is left behind.
func (c *conclusion) leave() {
	c.rec.Gone = false
	if c.plan.Verdict.Word != Gone {
		return
	}
	left := len(c.plan.Held) > 0 || slices.ContainsFunc(c.done, func(o Outcome) bool { return o.Fault != nil })
	c.rec.Gone = !left
	if left {
		c.dueIn(retryAfter(c.in, AlarmFailed))
	}
}

// progress folds in what AWS says of the step in flight.
func (c *conclusion) progress() {
	step := c.rec.Step
	in := c.in
	in.Record = c.rec
	p, why := settle(in)
	if p == noStep {
		return
	}
	if u := in.Seen.Update.Value; in.Seen.Of == step.Token && u != nil && step.ID == "" {
		c.started(u.ID)
		step = c.rec.Step
	}
	switch p {
	case proved:
		c.rec.Proved = Proved{Version: step.To.String(), At: c.in.Now}
		c.rec.Failed, c.rec.Step = Failed{}, nil
		c.say(Updated, c.stepFinding(*step, Info, nil))
		c.dueIn(Soak + soon)
	case failed:
		c.failed(why)
	case lost:
		c.rec.Step = nil
		c.dueIn(c.again(soon))
	}
}

// refused is the print of an update that EKS does not take: throttled, busy, credentials that are not valid, or no answer.
const refused = "refused"

// again is when a step is tried again that EKS did not take: after this time at first, an hour in the end.
func (c *conclusion) again(after time.Duration) time.Duration {
	if c.in.Record.Told[UpdateBlocked].Print != refused {
		return after
	}
	return retryAfter(c.in, UpdateBlocked)
}

// untaken finds an update that EKS does not take, and gives no reason that counts as a failed try. Nobody would hear of it else.
func (c *conclusion) untaken(o Outcome) (Finding, bool) {
	f, s := o.Fault, o.Action.Step
	if o.Dry || f == nil || f.Kind != fault.Retry {
		return Finding{}, false
	}
	return Finding{Code: UpdateBlocked, Severity: Warning, Print: refused, After: patience, Facts: []Fact{
		{"wanted", s.From.String() + " to " + s.To.String()}, {"refused", f.Error()},
	}}, true
}

// started notes the update's id and says that it started, once.
func (c *conclusion) started(id string) {
	step := *c.rec.Step
	step.ID = id
	if !step.Told {
		step.Told = true
		c.say(Started, c.stepFinding(step, Info, nil))
	}
	c.rec.Step = &step
}

// failed ends the step, counts the try, and sets the cluster aside after the last.
func (c *conclusion) failed(why failure) {
	step := *c.rec.Step
	c.rec.Step = nil
	c.rec.Failed = Failed{To: step.To.String(), Tries: step.Try, Last: c.in.Now}
	facts := []Fact{{"error", why.Text}, {"code", why.Code}, {"try", fmt.Sprintf("%d of %d", step.Try, max(MaxTries, step.Try))}}
	switch {
	case why.final():
		c.aside(fmt.Sprintf("the update to %s failed with %s, which no further try cures", step.To, why.Code))
		facts = append(facts, Fact{"next", "set aside, since another try would fail too, until a person approves again"})
	case step.Try >= MaxTries:
		c.aside(fmt.Sprintf("%d tries to update to %s failed", step.Try, step.To))
		facts = append(facts, Fact{"next", "set aside until a person approves again"})
	default:
		facts = append(facts, Fact{"next", "one more try in " + minutes(RetryAfter)})
		c.dueIn(RetryAfter + soon)
	}
	c.say(NotDone, c.stepFinding(step, Critical, facts))
}

func (c *conclusion) aside(why string) {
	c.rec.Aside = &Aside{Text: why, At: c.in.Now}
	c.dueIn(soon)
}

func (c *conclusion) stepFinding(s Step, severity Severity, facts []Fact) Finding {
	facts = append([]Fact{{"from", s.From.String()}, {"to", s.To.String()}}, facts...)
	if s.ID != "" {
		facts = append(facts, Fact{"update id", s.ID})
	}
	return Finding{Code: UpdateProgress, Severity: severity, Print: s.Matter, Facts: facts}
}

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

// meter notes what the meter needs until the next check. What could not be read stays as it was.
func (c *conclusion) meter() {
	pods, settings := c.in.Seen.Pods, c.in.Settings
	switch {
	case c.plan.Verdict.Word == Gone, pods.Fault == nil && pods.Value.Exempt != "":
		c.rec.Meter = Meter{}
	case pods.Fault != nil && pods.Fault.Kind == fault.Skip: // there are none to be found any more
		c.rec.Meter.Subnets = nil
	case c.in.Seen.Cluster.Fault == nil && pods.Fault == nil && settings.Fault == nil && len(pods.Value.Subnets) > 0:
		s, ids := settings.Value, pods.Value.IDs()
		if pods.Value.Partly != nil { // what was found before may be among those that are hidden now
			ids = slices.Compact(slices.Sorted(slices.Values(slices.Concat(ids, c.rec.Meter.Subnets))))
		}
		c.rec.Meter = Meter{Subnets: ids, Warning: s.Warning, Critical: s.Critical, Publish: s.Alarms, Level: c.level()}
	}
}

// level is what the meter compares with: the capacity answer, or what was measured where that is not judged, as while a cluster is
// deleted. Else the meter would ask for a check every time.
func (c *conclusion) level() string {
	word, s := c.plan.Verdict.Capacity.Word, c.in.Settings.Value
	if worst, any := c.in.Seen.Pods.Value.Worst(); any && word == Unknown {
		return Level(worst.Utilization(), s.Warning, s.Critical, c.in.Record.Meter.Level)
	}
	return word
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
		if o.Fault == nil && !o.Dry {
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

// post puts a message into the outbox, where it takes the place of an unsent one that says less of the same matter. So the outbox
// of a topic that is gone does not grow with every reminder.
func (c *conclusion) post(m Message) {
	again := func(n News) bool { return n == Changed || n == Reminded }
	for i, unsent := range c.rec.Outbox {
		if unsent.Thread != m.Thread || !again(m.News) {
			continue
		}
		if m.News == Reminded {
			return // what waits to be told says it
		}
		if again(unsent.News) {
			c.rec.Outbox[i] = m
			return
		}
	}
	c.rec.Outbox = append(c.rec.Outbox, m)
}

// String says in a few words what the action changes.
func (a Action) String() string {
	switch a.Kind {
	case PutAlarm:
		return "put alarm " + a.Alarm.Name
	case DropAlarm:
		return "drop alarm " + a.Alarm.Name
	}
	if !a.Step.To.Known() {
		return "update vpc-cni from " + a.Step.From.String()
	}
	return "update vpc-cni from " + a.Step.From.String() + " to " + a.Step.To.String()
}
