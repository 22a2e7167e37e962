package plain_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/cniguard/cniguard/internal/plain"
)

func TestClean(t *testing.T) {
	cases := map[string]struct {
		in    string
		limit int
		want  string
	}{
		"an ordinary text stays as it is":                 {"prod-eu is ACTIVE", 300, "prod-eu is ACTIVE"},
		"accents, Chinese and emoji are text":             {"Zürich 集群 🚀", 300, "Zürich 集群 🚀"},
		"line breaks and tabs become one space":           {"a\r\n\tb", 300, "a b"},
		"Unicode line separators become a space":          {"a\u2028b\u2029c\u0085d", 300, "a b c d"},
		"white space at the ends goes":                    {" \n a \n ", 300, "a"},
		"escape sequences lose their escape":              {"\x1b[31mred\x1b[0m", 300, "[31mred[0m"},
		"bidirectional overrides go":                      {"abc\u202egnp.exe\u202c \u2066x\u2069", 300, "abcgnp.exe x"},
		"zero-width characters and a BOM go":              {"pa\u200bss\ufeffw\u200dord\u00ad", 300, "password"},
		"tag characters go":                               {"x\U000e0041\U000e007f", 300, "x"},
		"invalid UTF-8 becomes the replacement character": {"a\xffb", 300, "a\ufffdb"},
		"an invisible rune between spaces leaves one":     {"a \u200b b", 300, "a b"},
		"a text of just the limit is whole":               {"abcde", 5, "abcde"},
		"a longer one is cut between runes":               {"äöüéà!", 5, "äöüé…"},
		"no space stands before the cut":                  {"abc defg", 5, "abc…"},
		"a limit of one leaves the mark":                  {"abc", 1, "…"},
		"a limit of zero leaves nothing":                  {"abc", 0, ""},
		"a negative limit leaves nothing":                 {"abc", -3, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := plain.Clean(c.in, c.limit); got != c.want {
				t.Errorf("Clean(%q, %d) = %q, want %q", c.in, c.limit, got, c.want)
			}
		})
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\r\n\u202eb\xff", 3)
	f.Add(strings.Repeat("x ", 400), 300)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit %= 1000
		got := plain.Clean(s, limit)
		if n := utf8.RuneCountInString(got); n > max(limit, 0) {
			t.Errorf("%d runes, limit %d", n, limit)
		}
		if !utf8.ValidString(got) || strings.Contains(got, "  ") || strings.TrimSpace(got) != got {
			t.Errorf("not one tidy line: %q", got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
				t.Errorf("%U in %q", r, got)
			}
		}
		if again := plain.Clean(got, limit); again != got {
			t.Errorf("cleaned twice: %q, once: %q", again, got)
		}
	})
}
