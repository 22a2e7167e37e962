// Package addonconfig tells which of an add-on's configuration values the schema of a version refuses. Values may be secret: what it says
// names keys and never values. It is pure, and reads no schema but the one it is given.
package addonconfig

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// ErrNotJSON says that configuration values are not JSON. EKS takes YAML too (EKS user guide, "Create an Amazon EKS add-on").
var ErrNotJSON = errors.New("the configuration is not JSON")

// Refused are the values that a schema refuses, as JSON pointers in order, as "/env/ENABLE_POD_ENI"; none: it takes them all. A value that
// the schema requires and that is not there is named too. The error is ErrNotJSON, or says why the schema cannot be used; it quotes no value.
func Refused(schema, values string) ([]string, error) {
	config, err := jsonschema.UnmarshalJSON(strings.NewReader(values))
	if err != nil {
		return nil, ErrNotJSON
	}
	compiled, err := compile(schema)
	if err != nil {
		return nil, err
	}
	err = compiled.Validate(config)
	var invalid *jsonschema.ValidationError
	switch {
	case err == nil:
		return nil, nil
	case !errors.As(err, &invalid):
		return nil, errors.New("the schema cannot be applied")
	}
	found := refused(invalid)
	slices.Sort(found)
	return slices.Compact(found), nil
}

// here is the name that the schema has in the compiler. Nothing is read from there.
const here = "schema:///configuration"

func compile(schema string) (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(schema))
	if err != nil {
		return nil, fmt.Errorf("the schema is not JSON: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(sealed{})
	if err := c.AddResource(here, doc); err != nil {
		return nil, fmt.Errorf("the schema cannot be used: %w", err)
	}
	compiled, err := c.Compile(here)
	if err != nil {
		return nil, fmt.Errorf("the schema cannot be used: %w", err)
	}
	return compiled, nil
}

// sealed loads nothing: a schema that leads to another document leads to an error, and neither to the network nor to a file. The
// meta-schemas of the drafts are part of the library.
type sealed struct{}

func (sealed) Load(string) (any, error) {
	return nil, errors.New("a schema may not refer to another document")
}

// refused are the places of what failed, at the depth at which one value is at fault. Which branch of an alternative was meant nobody can
// tell: there it is the value that fits none of them.
func refused(e *jsonschema.ValidationError) []string {
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		return pointers(e.InstanceLocation, k.Properties)
	case *kind.Required:
		return pointers(e.InstanceLocation, k.Missing)
	case *kind.AnyOf, *kind.OneOf:
		return pointers(e.InstanceLocation, nil)
	}
	if len(e.Causes) == 0 {
		return pointers(e.InstanceLocation, nil)
	}
	var found []string
	for _, cause := range e.Causes {
		found = append(found, refused(cause)...)
	}
	return found
}

// pointers are JSON pointers (RFC 6901) to keys of the object at a place; without keys, to the place itself.
func pointers(at, keys []string) []string {
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	var place strings.Builder
	for _, token := range at {
		place.WriteString("/" + escape.Replace(token))
	}
	if len(keys) == 0 {
		return []string{cmp.Or(place.String(), "/")}
	}
	found := make([]string, len(keys))
	for i, key := range keys {
		found[i] = place.String() + "/" + escape.Replace(key)
	}
	return found
}
