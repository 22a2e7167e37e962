package guard

import "time"

// facts are what AWS Support has to know of a step to find its update; nothing of the configuration is in it.
func (s Step) facts() []Fact {
	return []Fact{
		{"step", s.From.String() + " to " + s.To.String()}, {"update id", s.ID}, {"started", s.Since.UTC().Format(time.RFC3339)}, {"request token", s.Token},
	}
}

// Stuck is the finding of the record's step that has not ended in time, with what the record has of it; false: there is none. A check also has
// how EKS says it stands.
func (r Record) Stuck(now time.Time) (Finding, bool) {
	if r.Step == nil || now.Sub(r.Step.Since) <= StuckAfter {
		return Finding{}, false
	}
	return Finding{Code: UpdateStuck, Severity: Warning, Print: r.Step.Token, Facts: r.Step.facts()}, true
}

// stands is how EKS says that a change of the add-on stands.
func (s *Snapshot) stands() []Fact {
	var facts []Fact
	if u := s.Update.Value; s.Update.Fault == nil && u != nil {
		facts = append(facts, Fact{"update status", u.Status})
	}
	if a := s.Addon.Value; s.Addon.Fault == nil && a != nil {
		facts = append(facts, Fact{"status", a.Status})
		for _, issue := range a.Issues {
			facts = append(facts, Fact{"issue", issue})
		}
	}
	return facts
}
