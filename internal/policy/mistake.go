package policy

import "strings"

// Mistake is one thing that is wrong with a policy.
type Mistake struct {
	Field string // as "rules[3].set.mode"
	Text  string // what is wrong
	Hint  string // what is allowed, or what to do; may be empty
}

// Error reads "FIELD: what is wrong; what is allowed".
func (m Mistake) Error() string {
	text := m.Field + ": " + m.Text
	if m.Hint != "" {
		text += "; " + m.Hint
	}
	return text
}

// Mistakes is everything that is wrong with a policy. It is never empty as an error.
type Mistakes []Mistake

// Error lists the mistakes, each on a line of its own.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, mistake := range m {
		lines[i] = mistake.Error()
	}
	return strings.Join(lines, "\n")
}
