// Package source reads the policy that people write, YAML or JSON, and says where each of its mistakes is.
package source

import (
	"errors"
	"time"

	"github.com/cniguard/cniguard/internal/policy"
	"github.com/cniguard/cniguard/internal/strictyaml"
)

// Read reads a policy file. The error is of type strictyaml.Errors and holds every mistake with its line.
func Read(file string, data []byte) (*policy.Policy, error) {
	return read(file, data, nil)
}

// HandedIn is as Read, for a policy that a person hands in to be deployed: exemptions that are over by now are mistakes too, and those that end
// in more than a year.
func HandedIn(file string, data []byte, now time.Time) (*policy.Policy, error) {
	return read(file, data, func(doc policy.Document) policy.Mistakes { return policy.Dated(doc, now) })
}

func read(file string, data []byte, more func(policy.Document) policy.Mistakes) (*policy.Policy, error) {
	var written policy.Document
	doc, unread := strictyaml.Decode(file, data, &written)
	p, err := policy.Compile(written)
	var mistakes policy.Mistakes
	if !errors.As(err, &mistakes) && err != nil {
		return nil, err
	}
	if more != nil {
		mistakes = append(mistakes, more(written)...)
	}
	placed := make([]strictyaml.Mistake, len(mistakes))
	for i, m := range mistakes {
		placed[i] = doc.Mistake(m.Field, m.Text, m.Hint)
	}
	if unread != nil || len(mistakes) > 0 {
		return nil, doc.Err(placed...)
	}
	return p, nil
}
