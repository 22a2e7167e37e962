package strictyaml_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/strictyaml"
)

// colour stands for every type with an UnmarshalText of its own.
type colour string

func (c *colour) UnmarshalText(text []byte) error {
	if string(text) != "red" && string(text) != "blue" {
		return fmt.Errorf("%s is not a colour; allowed: red, blue", text)
	}
	*c = colour(text)
	return nil
}

type point struct {
	At time.Duration `yaml:"at"`
	N  int           `yaml:"n"`
}

type sheet struct {
	Name   string            `yaml:"name"`
	Mode   *colour           `yaml:"mode"`
	On     bool              `yaml:"on"`
	Count  int8              `yaml:"count"`
	Size   uint              `yaml:"size"`
	Share  float64           `yaml:"share"`
	Start  time.Time         `yaml:"start"`
	Every  time.Duration     `yaml:"every"`
	Lines  []point           `yaml:"lines"`
	Tags   map[string]string `yaml:"tags"`
	Named  map[string]point  `yaml:"named"`
	Json   string            `json:"fromJSON"`
	Plain  string
	hidden string `yaml:"hidden"`
}

// The field is there to be refused.
var _ = sheet{}.hidden

func TestWhatIsRightIsRead(t *testing.T) {
	red := colour("red")
	for name, c := range map[string]struct {
		yaml string
		want sheet
	}{
		"text is literal, whatever YAML takes it for": {"name: 011122223333", sheet{Name: "011122223333"}},
		"text may be quoted":                          {`name: "null"`, sheet{Name: "null"}},
		"an empty text in quotes is a value":          {`name: ""`, sheet{}},
		"text may span lines":                         {"name: |\n  a\n  b\n", sheet{Name: "a\nb\n"}},
		"a type with its own text form uses it":       {"mode: red", sheet{Mode: &red}},
		"on is true":                                  {"on: on", sheet{On: true}},
		"Yes is true":                                 {"on: Yes", sheet{On: true}},
		"numbers are decimal":                         {"count: -128\nsize: 010\nshare: 2.5", sheet{Count: -128, Size: 10, Share: 2.5}},
		"a time is RFC 3339":                          {"start: 2026-03-01T09:00:00Z", sheet{Start: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}},
		"a duration may have days":                    {"every: 1d12h30m", sheet{Every: 36*time.Hour + 30*time.Minute}},
		"a duration may be days alone":                {"every: 30d", sheet{Every: 30 * 24 * time.Hour}},
		"a duration may be negative in Go's notation": {"every: -90s", sheet{Every: -90 * time.Second}},
		"lists hold structs":                          {"lines:\n- {at: 5m, n: 1}\n- n: 2\n", sheet{Lines: []point{{5 * time.Minute, 1}, {N: 2}}}},
		"an empty list is not a missing one":          {"lines: []", sheet{Lines: []point{}}},
		"maps hold text":                              {"tags: {a.b: c, 5: 6}", sheet{Tags: map[string]string{"a.b": "c", "5": "6"}}},
		"maps hold structs":                           {"named: {one: {n: 1}}", sheet{Named: map[string]point{"one": {N: 1}}}},
		"a json tag names a field without a yaml tag": {"fromJSON: x", sheet{Json: "x"}},
		"JSON is YAML":                                {`{"name": "x", "lines": [{"n": 1}]}`, sheet{Name: "x", Lines: []point{{N: 1}}}},
		"a byte order mark and comments do no harm":   {"\ufeff# hello\nname: x # y\n", sheet{Name: "x"}},
		"an empty mapping is a document":              {"{}", sheet{}},
	} {
		t.Run(name, func(t *testing.T) {
			var got sheet
			if _, err := strictyaml.Decode("f.yaml", []byte(c.yaml), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(sheet{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

const (
	keys   = "count, every, fromJSON, lines, mode, name, named, on, share, size, start, tags"
	noNull = `has no value; give one or leave the key out; the text null is written "null"`
)

func TestEachMistakeHasItsLineFieldAndWhatIsAllowed(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want string }{
		"a misspelt key":                  {"on: true\nnmae: x", "f.yaml:2: nmae: unknown key; did you mean name? allowed: " + keys},
		"a key with letters swapped":      {"no: true", "f.yaml:1: no: unknown key; did you mean on? allowed: " + keys},
		"a key that resembles none":       {"colour: x", "f.yaml:1: colour: unknown key; allowed: " + keys},
		"a key in the wrong case":         {"Name: x", "f.yaml:1: Name: unknown key; did you mean name? allowed: " + keys},
		"a field without a tag":           {"Plain: x", "f.yaml:1: Plain: unknown key; allowed: " + keys},
		"an unexported field":             {"hidden: x", "f.yaml:1: hidden: unknown key; allowed: " + keys},
		"an unknown key far inside":       {"lines:\n- n: 1\n- n: 2\n  att: 5m", "f.yaml:4: lines[1].att: unknown key; did you mean at? allowed: at, n"},
		"a key given twice":               {"name: a\non: true\nname: b", "f.yaml:3: name: is given twice, first in line 1; allowed: once"},
		"a map's key given twice":         {"tags: {a: b, a: c}", "f.yaml:1: tags.a: is given twice, first in line 1; allowed: once"},
		"text for a number":               {"count: many", `f.yaml:1: count: "many" is not a whole number; allowed: digits, as 42`},
		"a number that is too large":      {"count: 128", `f.yaml:1: count: "128" is not a whole number; allowed: digits, as 42`},
		"a fraction for a whole number":   {"count: 1.5", `f.yaml:1: count: "1.5" is not a whole number; allowed: digits, as 42`},
		"a hexadecimal number":            {"count: 0x10", `f.yaml:1: count: "0x10" is not a whole number; allowed: digits, as 42`},
		"a sign where none belongs":       {"size: -1", `f.yaml:1: size: "-1" is not a whole number; allowed: digits without a sign, as 42`},
		"a percent sign":                  {"share: 80%", `f.yaml:1: share: "80%" is not a number; allowed: digits, as 80 or 2.5`},
		"not a number":                    {"share: .nan", `f.yaml:1: share: ".nan" is not a number; allowed: digits, as 80 or 2.5`},
		"infinity":                        {"share: Inf", `f.yaml:1: share: "Inf" is not a number; allowed: digits, as 80 or 2.5`},
		"neither true nor false":          {"on: maybe", `f.yaml:1: on: "maybe" is not a truth value; allowed: true, false`},
		"a duration without a unit":       {"every: 30", `f.yaml:1: every: "30" is not a duration; allowed: numbers with units, as 90s, 15m, 6h, 30d or 1d12h`},
		"days after hours":                {"every: 12h1d", `f.yaml:1: every: "12h1d" is not a duration; allowed: numbers with units, as 90s, 15m, 6h, 30d or 1d12h`},
		"a duration beyond all time":      {"every: 106751d24h", `f.yaml:1: every: "106751d24h" is not a duration; allowed: numbers with units, as 90s, 15m, 6h, 30d or 1d12h`},
		"more days than time has":         {"every: 213504d", `f.yaml:1: every: "213504d" is not a duration; allowed: numbers with units, as 90s, 15m, 6h, 30d or 1d12h`},
		"a negative part after days":      {"every: 1d-1h", `f.yaml:1: every: "1d-1h" is not a duration; allowed: numbers with units, as 90s, 15m, 6h, 30d or 1d12h`},
		"a date for a time":               {"start: 2026-03-01", `f.yaml:1: start: "2026-03-01" is not a time; allowed: RFC 3339, as 2026-03-01T09:00:00Z`},
		"what a type's own text refuses":  {"\n\nmode: green", "f.yaml:3: mode: green is not a colour; allowed: red, blue"},
		"a list for a value":              {"name: [a]", "f.yaml:1: name: is a list; allowed: a single value"},
		"keys for a type of its own text": {"mode: {a: b}", "f.yaml:1: mode: is keys and values; allowed: a single value"},
		"a value for a list":              {"lines: x", `f.yaml:1: lines: is "x"; allowed: a list, as [one, two]`},
		"a value for keys":                {"lines:\n- x", `f.yaml:2: lines[0]: is "x"; allowed: keys and values, as "key: value"`},
		"a list for the document":         {"- a", `f.yaml:1: is a list; allowed: keys and values, as "key: value"`},
		"text for the document":           {"hello", `f.yaml:1: is "hello"; allowed: keys and values, as "key: value"`},
		"a key without a value":           {"name:\n", "f.yaml:1: name: " + noNull},
		"null":                            {"name: null", "f.yaml:1: name: " + noNull},
		"a list's entry without a value":  {"lines:\n-\n", "f.yaml:2: lines[0]: " + noNull},
		"an anchor":                       {"name: &a x", "f.yaml:1: name: anchors (&name) are not read; write the value out"},
		"a merge key":                     {"tags: {<<: {a: b}}", "f.yaml:1: tags: merge keys (<<) are not read; allowed: plain keys"},
		"a tag":                           {"name: !!binary aGk=", "f.yaml:1: name: tags (!name) are not read; write the value out"},
		"a list as key":                   {"? [a]\n: b", "f.yaml:1: a key is not text; allowed: plain keys"},
		"an anchored key":                 {"&a name: b", "f.yaml:1: anchors (&name) are not read; allowed: plain keys"},
		"an alias that names nothing":     {"name: *a", "f.yaml: is not YAML: unknown anchor 'a' referenced"},
		"a second document":               {"name: a\n---\nname: b", "f.yaml:2: a second document begins here; allowed: one document in a file"},
		"nonsense after the document":     {"name: a\n---\n{", "f.yaml:4: is not YAML: did not find expected node content"},
		"an entry where a key belongs":    {"on: true\nname: a\n- b", "f.yaml:3: is not YAML: did not find expected key"},
		"a key too deep":                  {"on: true\nname: a\n  count: 1", "f.yaml:3: is not YAML: mapping values are not allowed in this context"},
		"a tab for indentation":           {"lines:\n\t- n: 1", "f.yaml:2: is not YAML: found character that cannot start any token; indent with spaces, and quote text that begins with a special character"},
		"an unclosed bracket":             {"on: true\n\ntags: {a: b\nname: c", "f.yaml:3: is not YAML: did not find expected ',' or '}'"},
		"a control character":             {"name: a\x00b", "f.yaml: is not YAML: control characters are not allowed"},
		"bytes that are not UTF-8":        {"name: a\nname: \xff", "f.yaml:2: is not UTF-8 text"},
		"an empty file":                   {"", "f.yaml: is empty"},
		"nothing but comments":            {"# x\n", "f.yaml: is empty"},
		"an empty document":               {"---\n", "f.yaml: is empty"},
		"a file that is too large":        {"name: " + strings.Repeat("x", strictyaml.MaxSize), "f.yaml: is 1048582 bytes long; allowed: up to 1048576"},
		"a long value is cut":             {"count: " + strings.Repeat("é", 70), `f.yaml:1: count: "` + strings.Repeat("é", 60) + `…" is not a whole number; allowed: digits, as 42`},
		"what does not print is escaped":  {`"a\nb\e[31m": x`, `f.yaml:1: a\u000ab\u001b[31m: unknown key; allowed: ` + keys},
		"all mistakes are told at once, in order of lines": {
			"mode: green\nnamed:\n  x: {n: y}\ncount: z",
			"f.yaml:1: mode: green is not a colour; allowed: red, blue\n" +
				"f.yaml:3: named.x.n: \"y\" is not a whole number; allowed: digits, as 42\n" +
				"f.yaml:4: count: \"z\" is not a whole number; allowed: digits, as 42",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := strictyaml.Decode("f.yaml", []byte(c.yaml), new(sheet))
			if err == nil {
				t.Fatal("was read without a mistake")
			}
			if diff := cmp.Diff(c.want, err.Error()); diff != "" {
				t.Error(diff)
			}
			if errs := (strictyaml.Errors{}); !errors.As(err, &errs) || len(errs) == 0 {
				t.Errorf("the error is a %T", err)
			}
		})
	}
}

func TestAliasesAreNeverExpanded(t *testing.T) {
	var bomb strings.Builder
	bomb.WriteString("tags: &a0 {x: y}\n")
	for i := range 60 {
		fmt.Fprintf(&bomb, "k%d: &a%d [*a%d, *a%d]\n", i, i+1, i, i)
	}
	bomb.WriteString("lines: *a60\n")
	_, err := strictyaml.Decode("f.yaml", []byte(bomb.String()), new(sheet))
	if err == nil || !strings.Contains(err.Error(), "f.yaml:62: lines: aliases (*name) are not read; write the value out") {
		t.Errorf("got %v", err)
	}
}

func TestDeepNestingEndsInAMistake(t *testing.T) {
	for _, deep := range []string{
		"tags: " + strings.Repeat("[", 1<<19),
		"tags: " + strings.Repeat("{a: ", 1<<17),
		"tags: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000),
	} {
		if _, err := strictyaml.Decode("f.yaml", []byte(deep), new(sheet)); err == nil {
			t.Errorf("%.20s… was read without a mistake", deep)
		}
	}
}

func TestLaterMistakesFindTheirLine(t *testing.T) {
	const text = "name: x\nlines:\n- n: 1\n-\n  at: 5m\ntags:\n  a.b[0]: c\n"
	doc, err := strictyaml.Decode("f.yaml", []byte(text), new(sheet))
	if err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]int{
		"name": 1, "lines": 2, "lines[0]": 3, "lines[0].n": 3, "lines[1].at": 5, "tags.a.b[0]": 7,
		"lines[1].n": 5, "lines[7].n": 2, "missing": 1, "": 1,
	} {
		if got := doc.Line(field); got != want {
			t.Errorf("line of %q: got %d, want %d", field, got, want)
		}
	}
	const want = "f.yaml:2: lines: too few; add one\nf.yaml:5: lines[1].at: too soon"
	got := doc.Err(doc.Mistake("lines[1].at", "too soon", ""), doc.Mistake("lines", "too few", "add one"))
	if diff := cmp.Diff(want, got.Error()); diff != "" {
		t.Error(diff)
	}
	if err := doc.Err(); err != nil {
		t.Errorf("a document without mistakes has an error: %v", err)
	}
}

func TestALaterMistakeIsLeftOutWhereItOnlyFollows(t *testing.T) {
	const text = "named:\n  x: {m: 1}\n  y: {}\ncount: z\nlines: 5\n"
	for name, c := range map[string]struct {
		yaml, field string
		told        bool
	}{
		"a missing field beside an unknown key":         {text, "named.x.n", false},
		"the object that holds an unknown key":          {text, "named.x", false},
		"a missing field elsewhere":                     {text, "named.y.n", true},
		"the same field":                                {text, "count", false},
		"what belongs to a field that was not read":     {text, "lines[0].n", false},
		"a field whose name begins alike":               {text, "counter", true},
		"a missing field beside a value that was wrong": {text, "name", true},
		"any field of a file that is not YAML":          {"{", "name", false},
		"any field of an empty file":                    {"", "name", false},
		"a field of a file with a second document":      {"on: true\n---\na: b", "name", true},
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := strictyaml.Decode("f.yaml", []byte(c.yaml), new(sheet))
			if err == nil {
				t.Fatal("was read without a mistake")
			}
			told := strings.Contains(doc.Err(doc.Mistake(c.field, "LATER", "")).Error(), "LATER")
			if told != c.told {
				t.Errorf("told: got %v, want %v", told, c.told)
			}
		})
	}
}

func TestATypeThatCannotBeReadIsAMistakeNotAPanic(t *testing.T) {
	var odd struct {
		Func func()      `yaml:"func"`
		Any  any         `yaml:"any"`
		Map  map[int]int `yaml:"map"`
	}
	_, err := strictyaml.Decode("f.yaml", []byte("func: x\nany: x\nmap: {1: 2}"), &odd)
	const want = "f.yaml:1: func: a func() cannot be read from YAML\n" +
		"f.yaml:2: any: a interface {} cannot be read from YAML\n" +
		"f.yaml:3: map: a map[int]int cannot be read from YAML"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"name: x\nlines: [{at: 1d, n: 2}]\ntags: {a: b}", "a: &a [*a]", "<<: {}", "? |\n  x\n: y", "%TAG ! x\n---\n!a b", "name: \x80", "start: 2026-03-01T09:00:00Z",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := strictyaml.Decode("f.yaml", data, new(sheet))
		if doc == nil {
			t.Fatal("no Doc")
		}
		var errs strictyaml.Errors
		if err != nil && (!errors.As(err, &errs) || len(errs) == 0) {
			t.Fatalf("not a list of mistakes: %v", err)
		}
		for _, m := range errs {
			if m.Line < 0 || strings.ContainsAny(m.Error(), "\n\r\x1b") {
				t.Errorf("not a line of text: %q", m.Error())
			}
		}
	})
}
