package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// maxRules bounds the work of Compile, which compares rules with each other.
const maxRules = 1000

// Load reads the compiled form and checks all of it again. The error is of type Mistakes where the policy is wrong.
func Load(data []byte) (*Policy, error) {
	var doc Document
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&doc); err != nil {
		return nil, fmt.Errorf("read compiled policy: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read compiled policy: more text follows it")
	}
	return Compile(doc)
}

// Compile checks a policy and makes it ready for use. The error is of type Mistakes and holds all of them.
func Compile(doc Document) (*Policy, error) {
	c := checker{names: map[string]bool{}}
	c.version(doc.Version)
	if len(doc.Rules) > maxRules {
		c.mistake("rules", fmt.Sprintf("are %d", len(doc.Rules)), fmt.Sprintf("allowed: up to %d", maxRules))
		return nil, c.mistakes
	}
	c.units = c.fleet(doc.Fleet)
	p := &Policy{units: c.units, defaults: rule{by: "defaults", trusted: true}}
	c.digest(p, doc.Digest)
	p.rollout = c.rollout(doc.Rollout)
	c.names = map[string]bool{}
	p.defaults.set, p.defaults.gives = c.set("defaults", doc.Defaults)
	known := []rule{whole(p.defaults)}
	c.fit("defaults", known[0], nil)
	for i, written := range doc.Rules {
		at := fmt.Sprintf("rules[%d]", i)
		r := c.rule(at, written)
		c.reach(at+".match", r.match, p.units)
		c.fit(at+".set", r, known)
		p.rules, known = append(p.rules, r), append(known, r)
	}
	c.exemptions(p, doc.Exemptions)
	if len(c.mistakes) > 0 {
		return nil, c.mistakes
	}
	text, err := json.Marshal(canonical(doc, p))
	if err != nil {
		return nil, fmt.Errorf("write compiled policy: %w", err)
	}
	p.text = text
	return p, nil
}

// whole is the policy's defaults on top of the built-in ones, as a rule that gives every field.
func whole(defaults rule) rule {
	s := BuiltIn()
	for i, f := range fields() {
		if defaults.gives[i] {
			f.copy(&s, defaults.set)
		}
	}
	defaults.set, defaults.gives = s, slices.Repeat([]bool{true}, len(defaults.gives))
	return defaults
}

// canonical is the document with every setting in its one spelling.
func canonical(doc Document, p *Policy) Document {
	doc.Defaults = p.defaults.written()
	doc.Rules = slices.Clone(doc.Rules)
	for i := range doc.Rules {
		doc.Rules[i].Set = p.rules[i].written()
	}
	doc.Exemptions = slices.Clone(doc.Exemptions)
	for i := range doc.Exemptions {
		doc.Exemptions[i].Findings = strings.Fields(p.exemptions[i].exempt.Findings)
	}
	return doc
}

// written is what a rule gives, in the spelling of a document.
func (r rule) written() Set {
	var s Set
	for i, f := range fields() {
		if r.gives[i] {
			f.give(&s, f.text(r.set))
		}
	}
	return s
}

// copied keeps a compiled rule apart from the document it came from.
func (m Match) copied() Match {
	return Match{slices.Clone(m.Accounts), slices.Clone(m.Regions), slices.Clone(m.Clusters), maps.Clone(m.Tags)}
}
