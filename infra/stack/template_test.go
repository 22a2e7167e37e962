package stack_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The properties of a template are functions over its JSON, so that they can be asked of templates that were weakened on purpose.

// resource is one resource of a template.
type resource struct {
	id    string
	props map[string]any
	whole map[string]any
}

// ofType lists the resources of a type by id.
func ofType(template map[string]any, kind string) []resource {
	var all []resource
	resources, _ := template["Resources"].(map[string]any)
	for _, id := range slices.Sorted(maps.Keys(resources)) {
		whole := resources[id].(map[string]any)
		if props, _ := whole["Properties"].(map[string]any); whole["Type"] == kind {
			all = append(all, resource{id, props, whole})
		}
	}
	return all
}

// at is what stands at a path of names; nil: nothing does. Of a list it goes on with the first element.
func at(v any, path ...string) any {
	for _, name := range path {
		if list, ok := v.([]any); ok && len(list) > 0 {
			v = list[0]
		}
		fields, _ := v.(map[string]any)
		v = fields[name]
	}
	return v
}

// text is a value as one text: itself, "Queue.Arn" for an attribute, "Topic" for a reference, and what is filled in.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case map[string]any:
		if ref, ok := v["Ref"].(string); ok {
			return ref
		}
		if parts, ok := v["Fn::GetAtt"].([]any); ok {
			return text(parts[0]) + "." + text(parts[1])
		}
		if sub, ok := v["Fn::Sub"].(string); ok {
			return sub
		}
	case float64, bool:
		return fmt.Sprint(v)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// texts are the texts of a value or of a list of them.
func texts(v any) []string {
	list, ok := v.([]any)
	if !ok && v != nil {
		list = []any{v}
	}
	all := make([]string, len(list))
	for i, one := range list {
		all[i] = text(one)
	}
	return all
}

// said is one statement of a policy in a template.
type said struct {
	in, sid, effect string
	principals      map[string][]string // by kind: AWS, Service
	actions, on     []string
	condition       map[string]any
}

func (s said) String() string { return s.in + "/" + s.sid }

// value is what a condition wants of a key: of one operator, or of any where that is empty.
func (s said) value(operator, key string) []string {
	var all []string
	for op, keys := range s.condition {
		if fields, _ := keys.(map[string]any); (operator == "" || op == operator) && fields[key] != nil {
			all = append(all, texts(fields[key])...)
		}
	}
	return all
}

// statements lists the statements of all policies of a template, wherever they stand.
func statements(template map[string]any) []said {
	var all []said
	resources, _ := template["Resources"].(map[string]any)
	for _, id := range slices.Sorted(maps.Keys(resources)) {
		all = append(all, statementsIn(id, resources[id])...)
	}
	return all
}

func statementsIn(id string, v any) []said {
	var all []said
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			all = append(all, statementsIn(id, one)...)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if name != "Statement" {
				all = append(all, statementsIn(id, v[name])...)
				continue
			}
			for _, one := range v[name].([]any) {
				all = append(all, read(id, one.(map[string]any)))
			}
		}
	}
	return all
}

func read(id string, v map[string]any) said {
	s := said{in: id, sid: text(v["Sid"]), effect: text(v["Effect"]), actions: texts(v["Action"]), on: texts(v["Resource"]), principals: map[string][]string{}}
	s.condition, _ = v["Condition"].(map[string]any)
	if who, ok := v["Principal"].(map[string]any); ok {
		for kind, names := range who {
			s.principals[kind] = texts(names)
		}
	} else if v["Principal"] != nil {
		s.principals["AWS"] = texts(v["Principal"])
	}
	return s
}

// of lists the statements of one resource with an effect.
func of(all []said, id, effect string) []said {
	return slices.DeleteFunc(slices.Clone(all), func(s said) bool { return s.in != id || s.effect != effect })
}

// complaints are what is wrong with a template.
type complaints []string

func (c *complaints) add(format string, args ...any) { *c = append(*c, fmt.Sprintf(format, args...)) }

// want complains where two texts differ.
func (c *complaints) want(what, have, want string) {
	if have != want {
		c.add("%s is %q, want %q", what, have, want)
	}
}

func (c complaints) String() string { return strings.Join(c, "\n") }
