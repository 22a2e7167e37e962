package remedy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// doubleQuoted is a text as a double-quoted string of HCL and of YAML alike: both read the same escapes (HCL native syntax specification,
// "Template Literals"; YAML 1.2.2, 5.7). A brace that HCL would take for the beginning of a template is escaped too. What is no UTF-8 becomes
// U+FFFD, as in JSON.
func doubleQuoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	last := rune(0)
	for _, r := range s {
		switch {
		case r == '"', r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '{' && (last == '$' || last == '%'):
			b.WriteString(`\u007b`)
		case unicode.IsPrint(r) && r != utf8.RuneError:
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		last = r
	}
	b.WriteByte('"')
	return b.String()
}

// indented is a text with spaces before each of its lines.
func indented(text string, spaces int) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	return strings.Repeat(" ", spaces) + strings.Join(lines, "\n"+strings.Repeat(" ", spaces)) + "\n"
}

// jsonQuoted is a text as a string of JSON, which is one of JavaScript and TypeScript too (ECMAScript 2019).
func jsonQuoted(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always has a JSON form
	return strings.TrimSuffix(b.String(), "\n")
}
