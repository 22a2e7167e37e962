// Package strictyaml reads one YAML document into a Go struct and reports everything that is wrong with it at once, each
// mistake with its file, line, field and what is allowed there.
//
// A scalar is its literal text, quoted or not: 011122223333 stays twelve digits for a string field, and "on" is on. What
// makes YAML surprising is refused: anchors, aliases, merge keys, tags, duplicate keys, keys without a value, a second
// document. Nothing is ever expanded, so a small file stays small.
//
// A struct field is read under the name in its yaml tag or, without one, its json tag; a field without either is not read.
// Fields may be strings, booleans, numbers, time.Time (RFC 3339), time.Duration (as "1d12h"), any encoding.TextUnmarshaler,
// and structs, slices, pointers and maps with string keys of these.
package strictyaml

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// MaxSize is the size in bytes that a document may have.
const MaxSize = 1 << 20

const unknownKey = "unknown key"

// Mistake is one thing that is wrong in a file.
type Mistake struct {
	File  string
	Line  int    // from 1; 0: of the file as a whole
	Field string // as "rules[3].set.mode"; empty: of the document as a whole
	Text  string // what is wrong
	Hint  string // what is allowed, or what to do; may be empty
}

// Error reads "FILE:LINE: FIELD: what is wrong; what is allowed".
func (m Mistake) Error() string {
	place := m.File
	if m.Line > 0 {
		place += ":" + strconv.Itoa(m.Line)
	}
	if m.Field != "" {
		place += ": " + printable(m.Field)
	}
	text := place + ": " + m.Text
	if m.Hint != "" {
		text += "; " + m.Hint
	}
	return text
}

// Errors is every mistake of a file in the order of its lines. It is never empty as an error.
type Errors []Mistake

// Error lists the mistakes, each on a line of its own.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, m := range e {
		lines[i] = m.Error()
	}
	return strings.Join(lines, "\n")
}

// Doc is a document that was read. It remembers where each field was written, for checks that come after reading.
type Doc struct {
	file     string
	lines    map[string]int
	mistakes Errors
}

// Decode reads a document into the struct that into points to. The error is of type Errors and holds all mistakes; what
// could be read is in into nevertheless, and the Doc is never nil, so that further checks can add to the mistakes.
func Decode(file string, data []byte, into any) (*Doc, error) {
	d := &Doc{file: file, lines: map[string]int{}}
	if root := d.parse(data); root != nil {
		d.value(root, "", reflect.ValueOf(into).Elem())
	}
	return d, d.Err()
}

// Err is all mistakes found on reading and those that checks found later, in the order of their lines, or nil. A later one
// is left out where it only follows from one found on reading: that "name" is missing, beside a misspelt "nam".
func (d *Doc) Err(later ...Mistake) error {
	all := slices.Clone(d.mistakes)
	for _, m := range later {
		if !slices.ContainsFunc(d.mistakes, func(found Mistake) bool { return d.explains(found, m) }) {
			all = append(all, m)
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortStableFunc(all, func(a, b Mistake) int { return cmp.Compare(a.Line, b.Line) })
	return all
}

// explains reports whether a mistake found on reading is the likely cause of a later one: nothing could be read at all, the
// field or what it belongs to could not, or an unknown key stands where the field is missed.
func (d *Doc) explains(found, later Mistake) bool {
	if found.Field == "" {
		return len(d.lines) <= 1
	}
	if rest, ok := strings.CutPrefix(later.Field, found.Field); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
		return true
	}
	if found.Text != unknownKey {
		return false
	}
	_, written := d.lines[later.Field]
	return parent(found.Field) == later.Field || !written && parent(found.Field) == parent(later.Field)
}

// Line is the line of a field such as "rules[3].set.mode" or, where the field is not in the file, of what it belongs to.
// It is 0 when the file could not be read at all.
func (d *Doc) Line(field string) int {
	for {
		if line, ok := d.lines[field]; ok || field == "" {
			return line
		}
		field = parent(field)
	}
}

// parent is the field that a field belongs to; empty for one of the document itself.
func parent(field string) string { return field[:max(0, strings.LastIndexAny(field, ".["))] }

// Mistake is a mistake in a field of this document.
func (d *Doc) Mistake(field, text, hint string) Mistake {
	return Mistake{File: d.file, Line: d.Line(field), Field: field, Text: text, Hint: hint}
}

// report notes a mistake in a line that may not be the field's own.
func (d *Doc) report(line int, field, text, hint string) {
	d.mistakes = append(d.mistakes, Mistake{File: d.file, Line: line, Field: field, Text: text, Hint: hint})
}

// parse returns the root node, or nil after reporting why there is none.
func (d *Doc) parse(data []byte) *yaml.Node {
	if len(data) > MaxSize {
		d.report(0, "", fmt.Sprintf("is %d bytes long", len(data)), fmt.Sprintf("allowed: up to %d", MaxSize))
		return nil
	}
	if at := invalidUTF8(data); at >= 0 {
		d.report(1+bytes.Count(data[:at], []byte("\n")), "", "is not UTF-8 text", "")
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := decoder.Decode(&doc); err != nil {
		d.syntax(err)
		return nil
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		d.report(second.Line, "", "a second document begins here", "allowed: one document in a file")
	case !errors.Is(err, io.EOF):
		d.syntax(err)
	}
	root := doc.Content[0]
	if isNull(root) {
		d.syntax(io.EOF)
		return nil
	}
	d.lines[""] = root.Line
	return root
}

// syntax reports what the YAML parser says, in the line that it names.
func (d *Doc) syntax(err error) {
	if errors.Is(err, io.EOF) {
		d.report(0, "", "is empty", "")
		return
	}
	line, text := 0, strings.TrimPrefix(err.Error(), "yaml: ")
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		number, after, _ := strings.Cut(rest, ": ")
		if n, err := strconv.Atoi(number); err == nil {
			line, text = n, after
		}
	}
	if strings.HasPrefix(text, "did not find expected") {
		line++ // yaml v3.0.4 counts lines from 0 in the errors of its parser, and from 1 in those of its scanner
	}
	hint := ""
	if strings.Contains(text, "cannot start any token") {
		hint = "indent with spaces, and quote text that begins with a special character"
	}
	d.report(line, "", "is not YAML: "+text, hint)
}

func invalidUTF8(data []byte) int {
	for at := 0; at < len(data); {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return -1
}
