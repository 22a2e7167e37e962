package strictyaml

import (
	"encoding"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// value reads a node into v. Where the node is not what v needs, it reports the mistake and leaves v as it is.
func (d *Doc) value(n *yaml.Node, field string, v reflect.Value) {
	if text := forbidden(n); text != "" {
		d.report(n.Line, field, text, "write the value out")
		return
	}
	if isNull(n) {
		d.report(d.Line(field), field, "has no value", `give one or leave the key out; the text null is written "null"`)
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, field, v.Elem())
		return
	}
	if _, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		d.scalar(n, field, v)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.object(n, field, v)
	case reflect.Slice:
		d.list(n, field, v)
	case reflect.Map:
		d.table(n, field, v)
	default:
		d.scalar(n, field, v)
	}
}

// forbidden says what of YAML a node uses that is not read, or nothing.
func forbidden(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.AliasNode:
		return "aliases (*name) are not read"
	case n.Anchor != "":
		return "anchors (&name) are not read"
	case n.Style&yaml.TaggedStyle != 0:
		return "tags (!name) are not read"
	}
	return ""
}

// isNull reports whether a node has no value: nothing, ~ or null.
func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// kind names what a node is, for people.
func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys and values"
	case yaml.SequenceNode:
		return "a list"
	}
	return quoted(n.Value)
}

// entry is one key of a mapping with its value.
type entry struct {
	key   string
	field string
	value *yaml.Node
}

// entries lists the keys of a mapping, each once, and notes their lines. It reports what is not a mapping or not a key.
func (d *Doc) entries(n *yaml.Node, field string) []entry {
	if n.Kind != yaml.MappingNode {
		d.report(d.Line(field), field, "is "+kind(n), `allowed: keys and values, as "key: value"`)
		return nil
	}
	var found []entry
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if text := badKey(key); text != "" {
			d.report(key.Line, field, text, "allowed: plain keys")
			continue
		}
		path := join(field, key.Value)
		if line, twice := first[key.Value]; twice {
			d.report(key.Line, path, fmt.Sprintf("is given twice, first in line %d", line), "allowed: once")
			continue
		}
		first[key.Value] = key.Line
		d.lines[path] = key.Line
		found = append(found, entry{key.Value, path, n.Content[i+1]})
	}
	return found
}

func badKey(key *yaml.Node) string {
	switch {
	case key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge":
		return "merge keys (<<) are not read"
	case forbidden(key) != "":
		return forbidden(key)
	case key.Kind != yaml.ScalarNode || isNull(key):
		return "a key is not text"
	}
	return ""
}

func (d *Doc) object(n *yaml.Node, field string, v reflect.Value) {
	fields := keys(v.Type())
	for _, e := range d.entries(n, field) {
		at, known := fields[e.key]
		if !known {
			d.report(d.Line(e.field), e.field, unknownKey, Suggest(e.key, slices.Collect(maps.Keys(fields))))
			continue
		}
		d.value(e.value, e.field, v.Field(at))
	}
}

func (d *Doc) list(n *yaml.Node, field string, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		d.report(d.Line(field), field, "is "+kind(n), "allowed: a list, as [one, two]")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		path := fmt.Sprintf("%s[%d]", field, i)
		d.lines[path] = item.Line
		d.value(item, path, v.Index(i))
	}
}

func (d *Doc) table(n *yaml.Node, field string, v reflect.Value) {
	if v.Type().Key().Kind() != reflect.String {
		d.report(d.Line(field), field, fmt.Sprintf("a %s cannot be read from YAML", v.Type()), "")
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, e := range d.entries(n, field) {
		item := reflect.New(v.Type().Elem()).Elem()
		d.value(e.value, e.field, item)
		v.SetMapIndex(reflect.ValueOf(e.key).Convert(v.Type().Key()), item)
	}
}

// keys maps the keys that a struct is read from to the indices of its fields.
func keys(t reflect.Type) map[string]int {
	found := map[string]int{}
	for i := range t.NumField() {
		if !t.Field(i).IsExported() {
			continue
		}
		tag, ok := t.Field(i).Tag.Lookup("yaml")
		if !ok {
			tag = t.Field(i).Tag.Get("json")
		}
		if name, _, _ := strings.Cut(tag, ","); name != "" && name != "-" {
			found[name] = i
		}
	}
	return found
}

// Suggest is the hint for a key that is none of the allowed names: all of them, and before them the one that is probably meant.
func Suggest(key string, names []string) string {
	names = slices.Sorted(slices.Values(names))
	hint := "allowed: " + strings.Join(names, ", ")
	if near := nearest(key, names); near != "" {
		hint = "did you mean " + near + "? " + hint
	}
	return hint
}

func join(field, key string) string {
	if field == "" {
		return key
	}
	return field + "." + key
}
