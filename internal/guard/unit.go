package guard

import (
	"github.com/cniguard/cniguard/internal/fault"
)

// JudgeUnit is the plan for an account and region whose clusters were listed, or not. Its input has an ID without a name; the
// record under it remembers what was told, as a cluster's does. There is nothing to act on.
func JudgeUnit(in Input, f *fault.Fault) Plan {
	if f == nil {
		a := Answer{Fine, "the clusters can be listed"}
		return Plan{Verdict: Verdict{Word: Fine, Install: a, Version: a, Capacity: a, Change: Answer{Idle, a.Because}}}
	}
	a := Answer{Unknown, unread("the list of clusters", f)}
	finding := Finding{Code: UnitUnreadable, Severity: Warning, Print: f.Need, After: patience, Facts: []Fact{{"error", f.Error()}}}
	if f.Denied() {
		finding.After = 0 // nobody else says it, and it does not pass by itself
		finding.Facts = append([]Fact{{"need", f.Need}}, finding.Facts...)
	}
	return Plan{
		Verdict:  Verdict{Word: Unknown, Install: a, Version: a, Capacity: a, Change: Answer{Idle, "nothing is known to change"}},
		Findings: []Finding{finding},
		Due:      in.Now.Add(retryAfter(in, UnitUnreadable)),
	}
}
