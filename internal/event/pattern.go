package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Target is which of the two functions a rule sends its events to.
type Target string

const (
	// Urgent is the function for single clusters; it may update.
	Urgent Target = "urgent"
	// Bulk is the function for the work on many clusters.
	Bulk Target = "bulk"
)

// Rule is an EventBridge rule as it is deployed. No event matches two.
type Rule struct {
	Name        string // letters, digits, '.', '-' and '_'
	Description string
	Pattern     Pattern
	Target      Target
}

// Rules are all the rules, in a fixed order.
func Rules() []Rule {
	var all []Rule
	for _, f := range families() {
		all = append(all, f.rules()...)
	}
	return all
}

// Pattern is an EventBridge event pattern: what is wanted of an object's fields. All must be as wanted; fields without a
// filter may hold anything.
type Pattern map[string]Filter

// Filter is what is wanted of one field: Values, or a Pattern where the field is an object.
type Filter interface {
	matches(value any, present bool) bool
}

// Values are the alternatives for a field without fields of its own. There must be at least one.
type Values struct {
	Exact  []string
	Prefix string // what a string may begin with; empty: not an alternative
	Absent bool   // the field need not be there
}

// maxPattern is the most characters a pattern may have (EventBridge user guide, "Quotas": event pattern).
const maxPattern = 2048

// Matches reports whether EventBridge would let an event through, going by the filters used here (EventBridge user guide,
// "Content filtering"; aws/event-ruler README): names and strings are compared exactly and case matters; a prefix matches
// strings only; null is a value; of a list any element may match; a field that holds an object counts as absent, because
// only leaves exist. Patterns that reach into lists of objects are not modelled: they find no field there.
func (p Pattern) Matches(raw []byte) bool {
	var event map[string]any
	numbers := json.NewDecoder(bytes.NewReader(raw))
	numbers.UseNumber()
	return numbers.Decode(&event) == nil && p.matches(event, true)
}

func (p Pattern) matches(value any, _ bool) bool {
	fields, _ := value.(map[string]any)
	for name, want := range p {
		if have, present := fields[name]; !want.matches(have, present) {
			return false
		}
	}
	return true
}

func (v Values) matches(value any, present bool) bool {
	switch have := value.(type) {
	case string:
		return slices.Contains(v.Exact, have) || v.Prefix != "" && strings.HasPrefix(have, v.Prefix)
	case []any:
		return slices.ContainsFunc(have, func(one any) bool { return v.matches(one, true) })
	case map[string]any:
		return v.Absent
	}
	return v.Absent && !present
}

// MarshalJSON writes the pattern as EventBridge reads it. A pattern that is empty or too long for EventBridge is an error.
func (p Pattern) MarshalJSON() ([]byte, error) {
	if len(p) == 0 {
		return nil, errors.New("write event pattern: no field is asked for")
	}
	raw, err := json.Marshal(map[string]Filter(p))
	if n := utf8.RuneCount(raw); err == nil && n > maxPattern {
		return nil, fmt.Errorf("write event pattern: %d characters, at most %d are allowed", n, maxPattern)
	}
	return raw, err
}

// MarshalJSON writes the alternatives as EventBridge reads them.
func (v Values) MarshalJSON() ([]byte, error) {
	var all []any
	for _, s := range v.Exact {
		all = append(all, s)
	}
	if v.Prefix != "" {
		all = append(all, map[string]string{"prefix": v.Prefix})
	}
	if v.Absent {
		all = append(all, map[string]bool{"exists": false})
	}
	if len(all) == 0 {
		return nil, errors.New("write event pattern: no value is asked for")
	}
	return json.Marshal(all)
}
