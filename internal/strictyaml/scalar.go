package strictyaml

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// scalar reads the literal text of a node into v.
func (d *Doc) scalar(n *yaml.Node, field string, v reflect.Value) {
	if n.Kind != yaml.ScalarNode {
		d.report(d.Line(field), field, "is "+kind(n), "allowed: a single value")
		return
	}
	if err := set(v, n.Value); err != nil {
		var w wrong
		if !errors.As(err, &w) {
			w.text = printable(err.Error())
		}
		d.report(d.Line(field), field, w.text, w.hint)
	}
}

// wrong is a value that does not fit, with what would.
type wrong struct{ text, hint string }

func (w wrong) Error() string { return w.text + "; " + w.hint }

func not(what, text, example string) error {
	return wrong{quoted(text) + " is not " + what, "allowed: " + example}
}

// set parses text into v. Times and durations come first because their own text forms are narrower or unkind.
func set(v reflect.Value, text string) error {
	switch into := v.Addr().Interface().(type) {
	case *time.Time:
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return not("a time", text, "RFC 3339, as 2026-03-01T09:00:00Z")
		}
		*into = t
		return nil
	case *time.Duration:
		dur, ok := Duration(text)
		if !ok {
			return not("a duration", text, "numbers with units, as 90s, 15m, 6h, 30d or 1d12h")
		}
		*into = dur
		return nil
	case encoding.TextUnmarshaler:
		return into.UnmarshalText([]byte(text))
	}
	return setBasic(v, text)
}

func setBasic(v reflect.Value, text string) error {
	switch k := v.Kind(); {
	case k == reflect.String:
		v.SetString(text)
	case k == reflect.Bool:
		on, ok := boolean(text)
		if !ok {
			return not("a truth value", text, "true, false")
		}
		v.SetBool(on)
	case v.CanInt():
		i, err := strconv.ParseInt(text, 10, 64)
		if err != nil || v.OverflowInt(i) {
			return not("a whole number", text, "digits, as 42")
		}
		v.SetInt(i)
	case v.CanUint():
		i, err := strconv.ParseUint(text, 10, 64)
		if err != nil || v.OverflowUint(i) {
			return not("a whole number", text, "digits without a sign, as 42")
		}
		v.SetUint(i)
	case v.CanFloat():
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || v.OverflowFloat(f) {
			return not("a number", text, "digits, as 80 or 2.5")
		}
		v.SetFloat(f)
	default:
		return fmt.Errorf("a %s cannot be read from YAML", v.Type())
	}
	return nil
}

// boolean accepts what YAML 1.1 and 1.2 call truth values.
func boolean(text string) (value, ok bool) {
	switch strings.ToLower(text) {
	case "true", "yes", "on":
		return true, true
	case "false", "no", "off":
		return false, true
	}
	return false, false
}

// Duration reads Go's notation with days of 24 hours in front, as "1d12h".
func Duration(text string) (time.Duration, bool) {
	days, rest, ok := strings.Cut(text, "d")
	if !ok {
		dur, err := time.ParseDuration(text)
		return dur, err == nil
	}
	n, err := strconv.ParseInt(days, 10, 32)
	if err != nil || n < 0 || n > math.MaxInt64/int64(24*time.Hour) {
		return 0, false
	}
	whole := time.Duration(n) * 24 * time.Hour
	if rest == "" {
		return whole, true
	}
	part, err := time.ParseDuration(rest)
	if err != nil || part < 0 || part > math.MaxInt64-whole {
		return 0, false
	}
	return whole + part, true
}

// quoted is untrusted text in quotes, shortened to what a line of output can bear.
func quoted(text string) string {
	const most = 60
	if utf8.RuneCountInString(text) > most {
		text = string([]rune(text)[:most]) + "…"
	}
	return strconv.Quote(text)
}

// printable is text with what does not print escaped.
func printable(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strconv.IsPrint(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "\\u%04x", r)
		}
	}
	return b.String()
}
