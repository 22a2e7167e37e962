// Package policy turns a policy into the settings of one cluster, and says which rule gave each of them. It is pure and links
// no YAML: the Lambda reads the compiled JSON form, package policy/source reads what people write.
//
// The built-in defaults hold first, then the policy's own defaults, then its rules in the order they are written: of those
// that match a cluster, each sets what it names, so that the last one wins, field by field. One kind of rule is weaker. Tags
// can be changed by whoever runs a cluster, so a rule that selects by tags only ever tightens what holds at its place in the
// order, unless it says trustTags: true. Hence no tag loosens anything that the policy's author did not open to tags.
package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
)

// Policy is a policy that was found to be free of mistakes. It does not change; make one with Compile or Load.
type Policy struct {
	text     []byte // the compiled form
	units    []event.Unit
	defaults rule
	rules    []rule
	rollout  Rollout
	hours    Hours
	owners   map[string]Hours // of those whose digests are due at other hours
	ownHours []Hours          // the same, in the order of the policy

	exemptions []exemption
}

// rule is one compiled rule, or the defaults.
type rule struct {
	by      string // as Origin.By
	match   Match
	trusted bool // whether its settings hold even where they loosen
	set     Settings
	gives   []bool // which of fields() it gives
}

// For is the settings of a cluster with these tags.
func (p *Policy) For(id cluster.ID, tags map[string]string) Settings {
	s, _ := p.settle(id, tags)
	return s
}

// Origin says where the value of one setting comes from.
type Origin struct {
	Field string   // as "mode"
	Value string   // as a policy writes it
	By    string   // "built in", "defaults" or `rule "NAME"`
	Kept  []string // tag rules that matched and would have loosened it, as `rule "NAME"`
}

// Explain says for each setting of a cluster with these tags where it comes from, in a fixed order.
func (p *Policy) Explain(id cluster.ID, tags map[string]string) []Origin {
	_, origins := p.settle(id, tags)
	return origins
}

func (p *Policy) settle(id cluster.ID, tags map[string]string) (Settings, []Origin) {
	s, table := BuiltIn(), fields()
	origins := make([]Origin, 0, len(table)+1)
	for _, f := range table {
		origins = append(origins, Origin{Field: f.name, Value: f.text(s), By: "built in"})
	}
	apply := func(r rule) {
		for i, f := range table {
			switch {
			case !r.gives[i]:
			case r.trusted || f.tighter(r.set, s):
				f.copy(&s, r.set)
				origins[i] = Origin{Field: f.name, Value: f.text(s), By: r.by}
			case f.text(r.set) != f.text(s):
				origins[i].Kept = append(origins[i].Kept, r.by)
			}
		}
	}
	apply(p.defaults)
	for _, r := range p.rules {
		if r.match.holds(id, tags) {
			apply(r)
		}
	}
	if s.Exempt = p.exempt(id, tags); s.Exempt != (Exempt{}) {
		origins = append(origins, s.Exempt.origin())
	}
	return s, origins
}

// Units are the accounts and regions of the fleet, ordered by account and region. The slice is the caller's.
func (p *Policy) Units() []event.Unit { return slices.Clone(p.units) }

// Contains reports whether an account and region belong to the fleet. What does not is never changed.
func (p *Policy) Contains(account, region string) bool {
	return slices.Contains(p.units, event.Unit{Account: account, Region: region})
}

// MarshalJSON is the compiled form, which Load reads. Equal policies have equal forms.
func (p *Policy) MarshalJSON() ([]byte, error) { return slices.Clone(p.text), nil }

// Digest names the compiled form: 16 hexadecimal digits of its SHA-256, for logs and tags.
func (p *Policy) Digest() string {
	sum := sha256.Sum256(p.text)
	return hex.EncodeToString(sum[:8])
}
