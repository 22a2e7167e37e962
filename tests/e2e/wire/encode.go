package wire

import (
	"reflect"
	"strings"
	"time"
)

// What an answer says is a tree too, of Go's own types: string, bool, int64, float64, []byte, time.Time, []any, map[string]any.

// naming is the name of a field of an SDK type on the wire.
type naming func(owner reflect.Type, f reflect.StructField) string

// answer is the tree of an SDK output. Of its own lists those too are sent that are empty, as services do.
func answer(output any, name naming) map[string]any {
	v := reflect.Indirect(reflect.ValueOf(output))
	tree := named(v, name)
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.Type.Kind() == reflect.Slice && v.Field(i).IsNil() {
			tree[name(v.Type(), f)] = []any{}
		}
	}
	return tree
}

// treeOf is the tree of a value of an SDK type. What is not set is left out.
func treeOf(v reflect.Value, name naming) any {
	switch v.Kind() {
	case reflect.Pointer:
		return treeOf(v.Elem(), name)
	case reflect.Interface:
		return union(v, name)
	case reflect.Struct:
		if at, ok := v.Interface().(time.Time); ok {
			return at
		}
		return named(v, name)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return v.Bytes()
		}
		list := make([]any, v.Len())
		for i := range list {
			list[i] = treeOf(v.Index(i), name)
		}
		return list
	case reflect.Map:
		all := map[string]any{}
		for key, value := range v.Seq2() {
			all[key.String()] = treeOf(value, name)
		}
		return all
	case reflect.Bool:
		return v.Bool()
	case reflect.Int32, reflect.Int64:
		return v.Int()
	case reflect.Float64:
		return v.Float()
	}
	return v.String()
}

func named(v reflect.Value, name naming) map[string]any {
	all := map[string]any{}
	for i := range v.NumField() {
		f, value := v.Type().Field(i), v.Field(i)
		unset := value.IsZero() && value.Kind() != reflect.Bool && value.Kind() != reflect.Int32
		if f.IsExported() && f.Name != "ResultMetadata" && !unset {
			all[name(v.Type(), f)] = treeOf(value, name)
		}
	}
	return all
}

// asIs names fields as the SDK does.
func asIs(_ reflect.Type, f reflect.StructField) string { return f.Name }

// camel names fields as EKS does.
func camel(_ reflect.Type, f reflect.StructField) string { return lowerFirst(f.Name) }

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// seconds are those since 1970, as JSON and CBOR carry instants.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
