package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/event"
)

// checker collects mistakes while a document is compiled.
type checker struct {
	names    map[string]bool // of the rules so far
	units    []event.Unit    // of the fleet
	mistakes Mistakes
}

func (c *checker) mistake(field, text, hint string) {
	c.mistakes = append(c.mistakes, Mistake{field, text, hint})
}

func (c *checker) version(v int) {
	switch v {
	case 0:
		c.mistake("version", "is missing", "allowed: 1")
	case 1:
	default:
		c.mistake("version", fmt.Sprintf("is %d", v), "allowed: 1")
	}
}

const (
	anAccount = `allowed: twelve digits, as "111122223333"`
	aRegion   = "allowed: a region, as eu-central-1"
)

// fleet checks the members and lists their accounts and regions in order.
func (c *checker) fleet(members []Member) []event.Unit {
	if len(members) == 0 {
		c.mistake("fleet", "names no account", `allowed: a list, as [{account: "111122223333", regions: [eu-central-1]}]`)
	}
	seen := map[event.Unit]bool{}
	for i, m := range members {
		at := fmt.Sprintf("fleet[%d]", i)
		if !cluster.IsAccount(m.Account) {
			c.mistake(at+".account", fmt.Sprintf("%q is not an account", m.Account), anAccount)
		}
		if len(m.Regions) == 0 {
			c.mistake(at+".regions", "names no region", "allowed: a list, as [eu-central-1]")
		}
		for j, region := range m.Regions {
			unit, place := event.Unit{Account: m.Account, Region: region}, fmt.Sprintf("%s.regions[%d]", at, j)
			if !cluster.IsRegion(region) {
				c.mistake(place, fmt.Sprintf("%q is not a region", region), aRegion)
			}
			if seen[unit] {
				c.mistake(place, fmt.Sprintf("%s of %s is in the fleet already", region, m.Account), "allowed: once")
			}
			seen[unit] = true
		}
	}
	return slices.SortedFunc(maps.Keys(seen), func(a, b event.Unit) int {
		return strings.Compare(a.Account+a.Region, b.Account+b.Region)
	})
}

// set parses settings, and says which of fields() are given and right.
func (c *checker) set(at string, written Set) (Settings, []bool) {
	var s Settings
	table := fields()
	gives := make([]bool, len(table))
	for i, f := range table {
		text, given := f.given(&written)
		if !given {
			continue
		}
		if gives[i] = f.parse(&s, text); !gives[i] {
			c.mistake(at+"."+f.name, fmt.Sprintf("%q is not a value of %s", text, f.name), "allowed: "+f.allowed)
		}
	}
	c.topics(at+".alarmActions", deref(written.AlarmActions))
	c.kinds(at+".furtherAlarms", deref(written.FurtherAlarms))
	c.calendar(at, written)
	if note, bad := cni.Parse(s.Target.String()).Bad(); bad {
		c.mistake(at+".target", fmt.Sprintf("%s is known bad: it %s (%s)", s.Target, note.Problem, note.URL), "allowed: another version")
	}
	return s, gives
}

// rule checks one rule by itself.
func (c *checker) rule(at string, written Rule) rule {
	c.name(at+".name", written.Name, "rule")
	c.match(at+".match", written.Match)
	byTags := written.Match.Tags != nil
	if written.TrustTags && !byTags {
		c.mistake(at+".trustTags", "the rule does not select by tags", "allowed: only beside match.tags")
	}
	if written.Set == (Set{}) {
		c.mistake(at+".set", "sets nothing", "allowed: at least one of "+strings.Join(names(), ", "))
	}
	r := rule{by: fmt.Sprintf("rule %q", written.Name), match: written.Match.copied(), trusted: written.TrustTags || !byTags}
	r.set, r.gives = c.set(at+".set", written.Set)
	for i, f := range fields() {
		if r.gives[i] && !r.trusted && !f.tighter(r.set, loosest()) {
			c.mistake(at+".set."+f.name, f.text(r.set)+" can only loosen, and a rule that selects by tags only tightens",
				"add trustTags: true to the rule if whoever tags a cluster may decide this")
		}
	}
	return r
}

// name checks what no two things of a kind may share: kind is rule or wave.
func (c *checker) name(at, name, kind string) {
	switch {
	case name == "":
		c.mistake(at, "is missing", "allowed: a name that no other "+kind+" has")
	case utf8.RuneCountInString(name) > 64 || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		c.mistake(at, fmt.Sprintf("%q is not a name", name), "allowed: up to 64 characters that print")
	case c.names[name]:
		c.mistake(at, fmt.Sprintf("%q is the name of an earlier %s", name, kind), "allowed: a name that no other "+kind+" has")
	}
	c.names[name] = true
}

// fit checks the settings of a rule that must fit each other. Where a rule gives only one of a pair, the other is what some
// earlier rule gave: it must fit all of those whose clusters the rule may select too. Then every cluster's settings fit, for
// a rule that only tightens takes the lower of two pairs that fit, or narrows one.
func (c *checker) fit(at string, r rule, earlier []rule) {
	for _, p := range pairs() {
		a, b := index(p.names[0]), index(p.names[1])
		switch {
		case r.gives[a] && r.gives[b]:
			if !p.fits(r.set) {
				c.mistake(at+"."+p.names[0], describe(r.set, a, b)+" do not fit: "+p.must, "")
			}
		case r.gives[a]:
			c.fitOne(at, r, clash{p, a, b}, earlier)
		case r.gives[b]:
			c.fitOne(at, r, clash{p, b, a}, earlier)
		}
	}
}

// clash is a pair of which a rule gives one field and an earlier rule the other.
type clash struct {
	pair
	here, there int // in fields()
}

func (c *checker) fitOne(at string, r rule, pair clash, earlier []rule) {
	table := fields()
	for _, e := range earlier {
		if !e.gives[pair.there] || !e.match.meets(r.match) {
			continue
		}
		both := e.set
		table[pair.here].copy(&both, r.set)
		if !pair.fits(both) {
			c.mistake(at+"."+table[pair.here].name,
				fmt.Sprintf("%s does not fit %s of %s: %s", describe(r.set, pair.here), describe(e.set, pair.there), e.by, pair.must),
				"set "+table[pair.there].name+" in this rule too")
			return
		}
	}
}
