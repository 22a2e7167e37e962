package remedy

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// yamlText quotes a text for YAML, whatever is in it: double quotes, with an escape for all that is not printable ASCII or a letter, mark,
// number, symbol or punctuation (YAML 1.2.2, 5.7). What is no UTF-8 becomes U+FFFD, as in JSON.
func yamlText(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case unicode.IsPrint(r) && r != utf8.RuneError:
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// indented is a text with spaces before each of its lines.
func indented(text string, spaces int) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	return strings.Repeat(" ", spaces) + strings.Join(lines, "\n"+strings.Repeat(" ", spaces)) + "\n"
}
