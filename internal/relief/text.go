package relief

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// longest is how many characters a line of a message has at most.
const longest = 160

// num writes a number with its thousands apart, as "1,020".
func num(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// count writes how many there are, as "1 node" and "20 nodes".
func count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	if strings.HasSuffix(one, "s") {
		return num(n) + " " + one + "es"
	}
	return num(n) + " " + one + "s"
}

// name is a name for a text, which may be cut; in commands none is.
func name(s string) string { return short(s, 32) }

// short is the beginning of s, of at most n characters.
func short(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// list names a few things, and how many more there are.
func list(all []string, few int) string {
	if len(all) <= few {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %s more", strings.Join(all[:few], ", "), num(len(all)-few))
}

// text makes one text of sentences; empty ones are left out.
func text(sentences ...string) string {
	var said []string
	for _, s := range sentences {
		if s != "" {
			said = append(said, s)
		}
	}
	return strings.Join(said, " ")
}

// upper begins a sentence with what is not one.
func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
