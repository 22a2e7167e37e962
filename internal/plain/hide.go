package plain

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// Hidden stands for a value that Hide took out.
const Hidden = "(hidden)"

// recognisable is from how many runes on a value is told from other text: "2" and "true" are in every second sentence.
const recognisable = 5

// Hide takes the values of an add-on's configuration out of a text: EKS may quote what it refuses, and values may be secret. The
// names of keys stay, so that the text still says what is wrong. Values of fewer than five characters stay too. A value that the
// end of a text cut by Clean or Cut leaves a part of goes as well. The configuration is what EKS takes: JSON or YAML.
func Hide(text, config string) string {
	all := values(config)
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) }) // a value may be part of another
	for _, v := range all {
		text = strings.ReplaceAll(text, v, Hidden)
	}
	for _, v := range all {
		text = hideEnd(text, v)
	}
	return text
}

// hideEnd takes out the beginning of a value at the end of a text that was cut.
func hideEnd(text, value string) string {
	body, cut := strings.CutSuffix(text, Ellipsis)
	if !cut {
		return text
	}
	for end := len(value) - 1; end >= recognisable; end-- {
		if rest, ok := strings.CutSuffix(body, value[:end]); ok {
			return rest + Hidden + Ellipsis
		}
	}
	return text
}

// values are the recognisable values of a configuration, each as it is and as JSON writes it.
func values(config string) []string {
	var tree any
	d := json.NewDecoder(strings.NewReader(config))
	d.UseNumber()
	var found []string
	if err := d.Decode(&tree); err == nil {
		found = leaves(tree)
	} else {
		found = yamlValues(config)
	}
	for _, v := range slices.Clone(found) {
		written, _ := json.Marshal(v) // a string always has a JSON form
		found = append(found, strings.Trim(string(written), `"`), Clean(v, len(v)))
	}
	found = slices.DeleteFunc(found, func(v string) bool { return utf8.RuneCountInString(v) < recognisable || v == "false" })
	slices.Sort(found)
	return slices.Compact(found)
}

func leaves(tree any) (found []string) {
	switch v := tree.(type) {
	case map[string]any:
		for _, child := range v {
			found = append(found, leaves(child)...)
		}
	case []any:
		for _, child := range v {
			found = append(found, leaves(child)...)
		}
	case string:
		found = append(found, v)
	case json.Number:
		found = append(found, v.String())
	}
	return found
}

// yamlValues are what stands behind the keys and dashes of a YAML text. The Lambda links no YAML; hiding too much is no harm.
func yamlValues(config string) (found []string) {
	for _, part := range strings.FieldsFunc(config, func(r rune) bool { return strings.ContainsRune("\r\n{}[],", r) }) {
		part = strings.TrimLeft(part, " \t-")
		if _, value, keyed := strings.Cut(part, ": "); keyed {
			part = value
		} else if strings.HasSuffix(part, ":") {
			continue
		}
		found = append(found, strings.Trim(part, " \t'\"|>"))
	}
	return found
}
