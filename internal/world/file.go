package world

import (
	"errors"

	"github.com/cniguard/cniguard/internal/strictyaml"
)

// ReadSpec reads a world from YAML; docs/simulate.md has every field. The keys are those of Spec, and what is said of
// behaviour changes Likely. The error is a strictyaml.Errors with every mistake at once, those of Spec.Validate too, each
// with its line in the file, whose name is only for messages. Copies are made: the Spec has each cluster and instance by itself.
func ReadSpec(file string, data []byte) (Spec, error) {
	spec := Spec{Behaviour: Likely()}
	doc, _ := strictyaml.Decode(file, data, &spec) // its mistakes come again with those of Validate
	var found Mistakes
	errors.As(spec.Validate(), &found)
	later := make([]strictyaml.Mistake, len(found))
	for i, m := range found {
		later[i] = doc.Mistake(m.Field, m.Text, m.Hint)
	}
	if err := doc.Err(later...); err != nil {
		return spec, err
	}
	return spec.copied(), nil
}
