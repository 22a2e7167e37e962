package wire

import (
	"encoding/base64"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What a request says is a tree: a text, which numbers and instants are too, a list of trees ([]any), or trees by name
// (map[string]any). In query strings lists are trees by number.

// fill puts a tree into a value of an SDK type. Names may differ from the fields' in case, and be in the singular where the
// field is a list, as EC2's are. What has no field is an error.
func fill(v reflect.Value, said any) error {
	switch {
	case said == nil:
		return nil
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return fill(v.Elem(), said)
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]():
		return fillStruct(v, said)
	case v.Kind() == reflect.Interface:
		return fillUnion(v, said)
	case v.Kind() == reflect.Map:
		return fillMap(v, said)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		return fillSlice(v, said)
	}
	text, ok := said.(string)
	if !ok {
		return fmt.Errorf("%v where a %s is wanted", said, v.Type())
	}
	return fillScalar(v, text)
}

func fillStruct(v reflect.Value, said any) error {
	named, ok := said.(map[string]any)
	if !ok {
		return fmt.Errorf("%v where a %s is wanted", said, v.Type())
	}
	for name, part := range named {
		f := fieldOf(v, name)
		if !f.IsValid() {
			return fmt.Errorf("%s is not a field of %s", name, v.Type())
		}
		if err := fill(f, part); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func fieldOf(v reflect.Value, name string) reflect.Value {
	for _, want := range []string{name, name + "s"} {
		if f := v.FieldByNameFunc(func(have string) bool { return strings.EqualFold(have, want) }); f.IsValid() && f.CanSet() {
			return f
		}
	}
	return reflect.Value{}
}

func fillSlice(v reflect.Value, said any) error {
	list := items(said)
	v.Set(reflect.MakeSlice(v.Type(), len(list), len(list)))
	for i, part := range list {
		if err := fill(v.Index(i), part); err != nil {
			return fmt.Errorf("item %d: %w", i+1, err)
		}
	}
	return nil
}

// items are those of a list, in JSON a list, in query strings trees by number, AWS query puts them under "member" or "entry".
func items(said any) []any {
	named, ok := said.(map[string]any)
	if !ok {
		list, _ := said.([]any)
		return list
	}
	for _, key := range []string{"member", "entry"} {
		if inner, ok := named[key].(map[string]any); ok {
			named = inner
		}
	}
	numbers := slices.SortedFunc(maps.Keys(named), func(a, b string) int {
		x, _ := strconv.Atoi(a)
		y, _ := strconv.Atoi(b)
		return x - y
	})
	list := make([]any, len(numbers))
	for i, n := range numbers {
		list[i] = named[n]
	}
	return list
}

// fillMap fills a map, whose keys are texts. In query strings it is a list of entries with a name and a value.
func fillMap(v reflect.Value, said any) error {
	named, _ := said.(map[string]any)
	if entries, ok := named["entry"]; ok {
		named = map[string]any{}
		for _, e := range items(entries) {
			pair, _ := e.(map[string]any)
			key, _ := pair["Name"].(string)
			named[key] = pair["Value"]
		}
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(named)))
	for key, part := range named {
		value := reflect.New(v.Type().Elem()).Elem()
		if err := fill(value, part); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), value)
	}
	return nil
}

func fillScalar(v reflect.Value, text string) (err error) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		var b bool
		b, err = strconv.ParseBool(text)
		v.SetBool(b)
	case reflect.Int32, reflect.Int64:
		var n int64
		n, err = strconv.ParseInt(text, 10, v.Type().Bits())
		v.SetInt(n)
	case reflect.Float64:
		var f float64
		f, err = strconv.ParseFloat(text, 64)
		v.SetFloat(f)
	case reflect.Slice:
		var b []byte
		b, err = base64.StdEncoding.DecodeString(text)
		v.SetBytes(b)
	case reflect.Struct:
		var at time.Time
		at, err = instant(text)
		v.Set(reflect.ValueOf(at))
	default:
		err = fmt.Errorf("a %s cannot be read", v.Type())
	}
	return err
}

// instant reads an instant: seconds since 1970 as JSON and CBOR have them, or a date as query strings have it.
func instant(text string) (time.Time, error) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		return time.UnixMilli(int64(seconds*1000 + 0.5)).UTC(), nil
	}
	return time.Parse(time.RFC3339, text)
}
