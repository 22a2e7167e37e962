package guard

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/policy"
)

// exemptionGate is shut where the policy exempts the cluster from updates.
const exemptionGate = "exemption"

// renewable is how long before the end of an exemption people are told that it ends: a new policy may take a while to be agreed on.
const renewable = 14 * 24 * time.Hour

// exempt is the policy's exemption of the cluster, where one is in force; nil: there is none, or the policy could not be read.
func (in Input) exempt() *policy.Exempt {
	if e := in.Settings.Value.Exempt; in.Settings.Fault == nil && e.Holds(in.Now) {
		return &e
	}
	return nil
}

// shutExemption lets no step go in a cluster that the policy exempts from updates.
func shutExemption(in Input, _ Step) Reason {
	if f := in.Settings.Fault; f != nil {
		return hidden("the policy", f)
	}
	e := in.exempt()
	if e == nil {
		return Reason{}
	}
	return Reason{Text: fmt.Sprintf("exempted by %s: %s", e.Owner, e.Because), Until: e.Until}
}

// words are people's on a finding, and before them the policy's: an exemption that mutes it. It is as old as can be, so that a person can take it
// back, and it ends with the exemption.
func (in Input) words(code Code) []Order {
	e := in.exempt()
	if e == nil || !e.Mutes(string(code)) {
		return in.Orders.Value
	}
	return append(slices.Clone(in.Orders.Value), Order{
		Kind: Muting, Finding: code, By: "the policy's exemption of " + e.Owner, Because: e.Because, Until: e.Until,
	})
}

// exemption finds one that ends soon.
func (d *draft) exemption() {
	if d.in.Settings.Fault != nil {
		d.blind(ExemptionEnds)
		return
	}
	e := d.in.exempt()
	if e == nil || e.Until.Sub(d.in.Now) > renewable {
		return
	}
	f := Finding{Code: ExemptionEnds, Severity: Warning, Print: e.Owner + ";" + e.LastDay(), Facts: []Fact{
		{"exempted by", e.Owner}, {"because", e.Because}, {"last day", e.LastDay()},
	}}
	if e.Findings != "" {
		f.Facts = append(f.Facts, Fact{"mutes", strings.ReplaceAll(e.Findings, " ", ", ")})
	}
	d.find(f)
}
