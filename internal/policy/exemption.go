package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
)

// Exemption keeps cniguard from updating the clusters that it matches, until a day, in somebody's name.
type Exemption struct {
	Match    Match    `json:"match"`
	Findings []string `json:"findings,omitempty"` // that people are not told of meanwhile; none: they are told of all
	Owner    string   `json:"owner"`              // who answers for it
	Because  string   `json:"because"`
	Until    string   `json:"until"` // the last day on which it holds, in UTC, as 2027-01-31
}

// Exempt is the exemption of a cluster; the zero value: there is none. It can be compared.
type Exempt struct {
	Owner    string
	Because  string
	Findings string    // as Exemption.Findings, in the order of Exemptible, with a space between two
	Until    time.Time // it holds until then: the end of its last day
}

// Holds reports whether the exemption is in force.
func (e Exempt) Holds(now time.Time) bool { return now.Before(e.Until) }

// Mutes reports whether people are not told of a finding while the exemption holds.
func (e Exempt) Mutes(finding string) bool {
	return slices.Contains(strings.Fields(e.Findings), finding)
}

// LastDay is the day of Until, as a policy writes it.
func (e Exempt) LastDay() string { return e.Until.Add(-time.Second).Format(time.DateOnly) }

// Exemptible are the findings that an exemption may name: those of a version that stays as it is. Who is short of addresses must hear of it;
// a person can mute that, for days. They are codes of package guard, where a test compares them.
func Exemptible() []string {
	return []string{"version-outdated", "version-unknown", "images-differ", "release-known-bad", "update-set-aside"}
}

const (
	mostExemptions = 1000
	mostAhead      = 366 // days
)

// exemption is one compiled exemption.
type exemption struct {
	match  Match
	exempt Exempt
}

// exempt is the exemption of a cluster. Of several the one that ends last counts, with its findings and no others; of those the first.
func (p *Policy) exempt(id cluster.ID, tags map[string]string) Exempt {
	var last Exempt
	for _, e := range p.exemptions {
		if e.match.holds(id, tags) && e.exempt.Until.After(last.Until) {
			last = e.exempt
		}
	}
	return last
}

// origin explains an exemption as if it were a setting.
func (e Exempt) origin() Origin {
	return Origin{Field: "exemption", Value: fmt.Sprintf("no update up to %s: %s", e.LastDay(), e.Because), By: "exemption of " + e.Owner}
}

// exemptions checks all that does not depend on the day on which it is checked.
func (c *checker) exemptions(p *Policy, written []Exemption) {
	if len(written) > mostExemptions {
		c.mistake("exemptions", fmt.Sprintf("are %d", len(written)), fmt.Sprintf("allowed: up to %d", mostExemptions))
		return
	}
	for i, e := range written {
		p.exemptions = append(p.exemptions, c.exemption(fmt.Sprintf("exemptions[%d]", i), e, p.units))
	}
}

func (c *checker) exemption(at string, e Exemption, fleet []event.Unit) exemption {
	c.match(at+".match", e.Match)
	c.reach(at+".match", e.Match, fleet)
	c.exempted(at+".findings", e)
	c.sentence(at+".owner", e.Owner, 64, "who answers for it, as a team")
	c.sentence(at+".because", e.Because, 300, "the reason: others will read it")
	last, m := date(e.Until)
	switch {
	case e.Until == "":
		c.mistake(at+".until", "is missing", "allowed: the last day on which it holds, as 2027-01-31")
	case m != nil:
		c.mistake(at+".until", m.Text, m.Hint)
	}
	var findings []string
	for _, one := range Exemptible() {
		if slices.Contains(e.Findings, one) {
			findings = append(findings, one)
		}
	}
	return exemption{e.Match.copied(), Exempt{Owner: e.Owner, Because: e.Because, Findings: strings.Join(findings, " "), Until: last.AddDate(0, 0, 1)}}
}

// exempted checks the findings of an exemption.
func (c *checker) exempted(at string, e Exemption) {
	if len(e.Findings) > 0 && e.Match.Tags != nil {
		c.mistake(at, "are muted by an exemption that selects by tags, which whoever runs a cluster may change",
			"allowed: without match.tags; by tags an exemption keeps from updates, and mutes nothing")
	}
	for i, one := range e.Findings {
		place := fmt.Sprintf("%s[%d]", at, i)
		switch {
		case !slices.Contains(Exemptible(), one):
			c.mistake(place, fmt.Sprintf("%q cannot be exempted", one), "allowed: "+strings.Join(Exemptible(), ", ")+"; `cniguard mute` is for all findings, and for days")
		case slices.Contains(e.Findings[:i], one):
			c.mistake(place, one+" is in the list already", "allowed: once")
		}
	}
}

// sentence checks a text that people will read.
func (c *checker) sentence(at, text string, most int, what string) {
	switch {
	case strings.TrimSpace(text) == "":
		c.mistake(at, "is missing", "allowed: "+what)
	case utf8.RuneCountInString(text) > most || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		c.mistake(at, "is too long, or has characters that do not print", fmt.Sprintf("allowed: up to %d characters in one line", most))
	}
}

// Dated is what is wrong with a policy on the day on which a person hands it in: exemptions that are over, and those that end in more than a year.
// A policy that is deployed is not asked again: an exemption that is over then holds no more, and that is all.
func Dated(doc Document, now time.Time) Mistakes {
	var wrong Mistakes
	for i, e := range doc.Exemptions {
		last, m := date(e.Until)
		if m != nil {
			continue // said already
		}
		at := fmt.Sprintf("exemptions[%d].until", i)
		allowed := fmt.Sprintf("allowed: today, %s, to %s", now.UTC().Format(time.DateOnly), now.UTC().AddDate(0, 0, mostAhead).Format(time.DateOnly))
		switch {
		case !now.Before(last.AddDate(0, 0, 1)):
			wrong = append(wrong, Mistake{at, e.Until + " is over: the exemption holds no more", allowed + "; or take the exemption out"})
		case last.After(now.AddDate(0, 0, mostAhead)):
			wrong = append(wrong, Mistake{at, fmt.Sprintf("%s is more than %d days ahead", e.Until, mostAhead), allowed})
		}
	}
	return wrong
}
