package plain_test

import (
	"strings"
	"testing"

	"github.com/cniguard/cniguard/internal/plain"
)

func TestHideTakesTheValuesOfAConfigurationOutOfAText(t *testing.T) {
	const secret, config = "sw0rdfish, really", `{"env":{"TOKEN":"sw0rdfish, really","WARM_IP_TARGET":"5","PORT":61678},"list":[{"a":"tab\there"}],"x":false}`
	for name, c := range map[string]struct{ text, config, want string }{
		"a value goes and its key stays":                {"$.env.TOKEN: " + secret + " is not allowed", config, "$.env.TOKEN: (hidden) is not allowed"},
		"a number goes":                                 {"port 61678 is taken", config, "port (hidden) is taken"},
		"the whole configuration goes value by value":   {config, config, `{"env":{"TOKEN":"(hidden)","WARM_IP_TARGET":"5","PORT":(hidden)},"list":[{"a":"(hidden)"}],"x":false}`},
		"a value goes after its white space was folded": {"see tab here", config, "see (hidden)"},
		"what is too short to tell from words stays":    {"5 of 5 are false", config, "5 of 5 are false"},
		"a longer value goes before one that it holds":  {"abcdefgh abcde", `["abcde","abcdefgh"]`, "(hidden) (hidden)"},
		"a part that a cut left goes":                   {plain.Cut("no: "+secret, 16, plain.Ellipsis), config, "no: (hidden)…"},
		"the same part of a text that was not cut":      {"no: sw0rdfish, ", config, "no: sw0rdfish, "},
		"YAML too": {"sw0rdfish second third", "env:\n  TOKEN: 'sw0rdfish'\n  OTHER:\n  - second\n  flow: {a: third}\n", "(hidden) (hidden) (hidden)"},
		"without a configuration nothing is hidden": {"fine", "", "fine"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := plain.Hide(c.text, c.config); got != c.want {
				t.Errorf("Hide(%q) = %q, want %q", c.text, got, c.want)
			}
		})
	}
}

func FuzzHide(f *testing.F) {
	f.Add("ask $.env.A: secret", `{"env":{"A":"secret"}}`)
	f.Add("cut off secr…", "a: secret")
	f.Fuzz(func(t *testing.T, text, config string) {
		plain.Hide(text, config)
		if got := plain.Hide(text+config, ""); got != text+config {
			t.Errorf("without a configuration %q became %q", text+config, got)
		}
	})
}

func TestWriterLetsLinesThroughAndNothingInvisible(t *testing.T) {
	var b strings.Builder
	w := plain.Writer(&b)
	for _, text := range []string{"one\n", "\x1b]8;;https://evil.example\x07two\x1b[2J\u202e\u200b\r\n", "drei ü\t\n"} {
		if n, err := w.Write([]byte(text)); n != len(text) || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	if want := "one\n]8;;https://evil.exampletwo[2J\ndrei ü\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}
