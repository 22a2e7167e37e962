// Package plain makes text that others wrote safe to show in a line of ours. It uses the standard library only.
//
// Names, tags, versions and error messages come from people and from services that nobody here controls. A control character
// in them moves a terminal's cursor, a line break forges a line, and a bidirectional override makes a text read as its reverse.
package plain

import (
	"bytes"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Ellipsis stands at the end of a text that was cut.
const Ellipsis = "…"

// How much is shown, in runes.
const (
	Text = 300  // of one text that others wrote
	Line = 2000 // of a line that several texts make up
)

// Visible reports whether r may stand in a line: it is the ASCII space, or a letter, mark, number, symbol or punctuation.
// Control characters, line separators, bidirectional controls, zero-width and private-use characters are not visible.
func Visible(r rune) bool { return unicode.IsPrint(r) }

// Clean returns s as one line of at most limit runes: what is not visible is left out, runs of white space become one space,
// none stands at either end, invalid UTF-8 becomes U+FFFD, and a text that was cut ends in Ellipsis. Clean is idempotent.
func Clean(s string, limit int) string {
	var b strings.Builder
	space := false
	for _, r := range s {
		if unicode.IsSpace(r) {
			space = b.Len() > 0
			continue
		}
		if !Visible(r) {
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
	}
	return Cut(b.String(), limit, Ellipsis)
}

// Cut returns s with at most limit runes. One that is longer is cut between runes and ends in mark, which counts.
func Cut(s string, limit int, mark string) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	keep, end := limit-utf8.RuneCountInString(mark), 0
	if keep < 0 {
		return ""
	}
	for range keep {
		_, size := utf8.DecodeRuneInString(s[end:])
		end += size
	}
	return strings.TrimRight(s[:end], " ") + mark
}

// Writer hands on what is written to it without what is not visible; line breaks stay. It is the last guard of an output, not a
// substitute for Clean: a line break in a text of others forges a line all the same. No write may end within a character.
func Writer(to io.Writer) io.Writer { return writer{to} }

type writer struct{ to io.Writer }

func (w writer) Write(text []byte) (int, error) {
	_, err := w.to.Write(bytes.Map(func(r rune) rune {
		if r == '\n' || Visible(r) {
			return r
		}
		return -1
	}, text))
	return len(text), err
}
