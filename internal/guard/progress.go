package guard

import (
	"cmp"
	"fmt"
	"time"

	"github.com/cniguard/cniguard/internal/fault"
)

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
		c.rec.Failed, c.rec.Broken, c.rec.Step = Failed{}, Broken{}, nil
		c.say(Updated, c.stepFinding(*step, Info, nil), time.Time{})
		c.dueIn(Soak + soon)
	case failed:
		c.failed(why)
	case lost:
		c.lost(*step, why)
	}
}

// lost ends a step of which nothing more can be learned. Whoever was told that it started is told that, too.
func (c *conclusion) lost(step Step, why failure) {
	c.rec.Step = nil
	c.dueIn(c.again(soon))
	if !step.Told {
		return
	}
	next := "it plans anew from what EKS shows now"
	if c.in.Seen.Addon.Value == nil {
		next = "nothing, since what was updated is gone"
	}
	facts := append([]Fact{{"outcome", "unknown: " + why.Text}}, c.in.Seen.stands()...)
	c.say(Lost, c.stepFinding(step, Warning, append(facts, Fact{"next", next})), time.Time{})
}

// refused is the print of an update that EKS does not take, be it throttled, busy, without valid credentials or an answer, or that the ledger has
// no slot for.
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
	if f == nil || f.Kind != fault.Retry {
		return Finding{}, false
	}
	facts := []Fact{{"wanted", s.From.String() + " to " + s.To.String()}, {"refused", f.Error()}, {"code", cmp.Or(f.Cause, f.Code)}}
	if f.Denied() {
		facts = append(facts, Fact{"need", f.Need})
	}
	return Finding{Code: UpdateBlocked, Severity: Warning, Print: refused, After: patience, Facts: facts}, true
}

// started notes the update's id and says that it started, once.
func (c *conclusion) started(id string) {
	step := *c.rec.Step
	step.ID, c.rec.Aside = id, nil // until EKS has taken the step, what set the cluster aside stands
	if !step.Told {
		step.Told = true
		c.say(Started, c.stepFinding(step, Info, step.leaves()), time.Time{})
	}
	c.rec.Step = &step
}

// failed ends the step, counts the try, and sets the cluster aside after the last.
func (c *conclusion) failed(why failure) {
	step := *c.rec.Step
	c.rec.Step = nil
	c.rec.Failed = Failed{To: step.To.String(), Tries: step.Try, Last: c.in.Now}
	facts := append(why.facts(), Fact{"try", fmt.Sprintf("%d of %d", step.Try, max(MaxTries, step.Try))})
	if step.ID != "" { // else EKS did not take it, and nothing changed
		c.rec.Broken = Broken{To: step.To.String(), At: c.in.Now}
		if way := c.in.back(step); len(way) > 0 {
			c.rec.Broken.Left = step.From.String() // at least; whoever goes back may be quicker than the next check
			facts = append(facts, way...)
		}
	}
	switch {
	case c.in.arrived(step):
		c.aside(fmt.Sprintf("the update to %s failed, and the add-on is at that version", step.To))
		facts = append(facts, Fact{"next", "set aside, since the add-on is at that version already, until a person approves again"})
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
	c.dueIn(soon) // did it stop the updates of the fleet?
	c.say(NotDone, c.stepFinding(step, Critical, facts), time.Time{})
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
