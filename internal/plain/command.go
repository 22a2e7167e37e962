package plain

import (
	"strings"
	"unicode/utf8"
)

// widest is how many characters a line of a command has at most, unless one word is longer.
const widest = 110

// Command makes a command for a POSIX shell of its words, each quoted where it has to be, with a backslash where a line ends. A flag and its
// value stay together. At least one word is needed.
func Command(words ...string) string {
	var parts []string
	for i, w := range words {
		if i > 0 && strings.HasPrefix(words[i-1], "--") && !strings.HasPrefix(w, "--") {
			parts[len(parts)-1] += " " + Quote(w)
		} else {
			parts = append(parts, Quote(w))
		}
	}
	text, line := "", parts[0]
	for _, part := range parts[1:] {
		if utf8.RuneCountInString(line+" "+part+" \\") > widest {
			text, line = text+line+" \\\n", "    "+part
		} else {
			line += " " + part
		}
	}
	return text + line
}
