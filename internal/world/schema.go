package world

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
)

// describeAddonConfiguration gives the schema of a version that DescribeAddonVersions lists. It is of the version, whatever the cluster
// (API reference, DescribeAddonConfiguration).
func (w *World) describeAddonConfiguration(_ *Call, in *eks.DescribeAddonConfigurationInput) (*eks.DescribeAddonConfigurationOutput, error) {
	listed := false
	for _, list := range w.spec.Catalogues {
		listed = listed || slices.ContainsFunc(list, func(c Catalogue) bool { return c.Version == *in.AddonVersion })
	}
	if *in.AddonName != vpcCNI || !listed {
		return nil, modelled("eks", "ResourceNotFoundException", "No addon configuration found for "+*in.AddonName+" "+*in.AddonVersion)
	}
	return &eks.DescribeAddonConfigurationOutput{
		AddonName: in.AddonName, AddonVersion: in.AddonVersion, ConfigurationSchema: aws.String(w.schema(*in.AddonVersion)),
	}, nil
}

// schema is the schema of a version's configuration values, in the form of AWS's own: facts-eks-vpc-cni 2.1.
func (w *World) schema(version string) string {
	var refuses []string
	for _, kubernetes := range sorted(w.spec.Catalogues) {
		for _, c := range w.spec.Catalogues[kubernetes] {
			switch {
			case c.Version != version:
			case c.Schema != "":
				return c.Schema
			default:
				refuses = append(refuses, c.Refuses...)
			}
		}
	}
	root := map[string]any{"type": "object"}
	for _, path := range refuses {
		at := root
		for key := range strings.SplitSeq(path, ".") {
			properties, _ := at["properties"].(map[string]any)
			if properties == nil {
				properties = map[string]any{}
				at["properties"] = properties
			}
			next, _ := properties[key].(map[string]any)
			if next == nil {
				next = map[string]any{}
				properties[key] = next
			}
			at = next
		}
		at["not"] = map[string]any{}
	}
	text, _ := json.Marshal(map[string]any{ // of maps and strings only, which always have a JSON form
		"$ref": "#/definitions/VpcCni", "$schema": "http://json-schema.org/draft-06/schema#", "definitions": map[string]any{"VpcCni": root},
	})
	return string(text)
}

// unfit is what EKS finds wrong with configuration values for a version; empty: nothing. It reads of a schema what AWS's schemas of vpc-cni
// have, and of values that are YAML nothing: how EKS words what is wrong with them is not known.
func (w *World) unfit(version, config string) string {
	values, isJSON := object(config)
	if !isJSON {
		return ""
	}
	schema, _ := object(w.schema(version))
	return reader{schema}.unfit("$", schema, values)
}

// object is a JSON object; false: the text is none.
func object(text string) (values map[string]any, ok bool) {
	return values, json.Unmarshal([]byte(text), &values) == nil && values != nil
}

// reader reads a schema.
type reader struct{ root map[string]any }

// unfit is the first thing that a schema refuses in a value, in the words of people's reports (amazon-vpc-cni-k8s #2173).
func (r reader) unfit(at string, schema map[string]any, value any) string {
	if ref, ok := schema["$ref"].(string); ok {
		schema = r.definition(ref)
	}
	if _, refused := schema["not"]; refused {
		return at + ": is not defined in the schema and the schema does not allow additional properties"
	}
	if wants, has := schema["type"]; has && !ofType(wants, kindOf(value)) {
		text, _ := json.Marshal(wants)
		return at + ": " + kindOf(value) + " found, " + strings.Trim(string(text), `"`) + " expected"
	}
	properties, _ := schema["properties"].(map[string]any)
	within, _ := value.(map[string]any)
	for _, key := range sorted(within) {
		next, known := properties[key].(map[string]any)
		if more, is := schema["additionalProperties"].(map[string]any); !known && is {
			next, known = more, true
		}
		if schema["additionalProperties"] == false && !known {
			return at + "." + key + ": is not defined in the schema and the schema does not allow additional properties"
		}
		if wrong := r.unfit(at+"."+key, next, within[key]); wrong != "" {
			return wrong
		}
	}
	return ""
}

// definition is what a reference within the schema, as "#/definitions/Env", leads to.
func (r reader) definition(ref string) map[string]any {
	at := r.root
	for key := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		at, _ = at[key].(map[string]any)
	}
	return at
}

// ofType reports whether a type is what a schema wants, or one of them. Every integer is a number.
func ofType(wants any, is string) bool {
	if list, several := wants.([]any); several {
		return slices.ContainsFunc(list, func(one any) bool { return ofType(one, is) })
	}
	return wants == is || wants == "number" && is == "integer"
}

func kindOf(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
	}
	return "number"
}
