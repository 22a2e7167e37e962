package plain_test

import (
	"os/exec"
	"testing"

	"github.com/cniguard/cniguard/internal/plain"
)

func TestAShellTakesAQuotedTextForOneWord(t *testing.T) {
	for text, want := range map[string]string{
		"arn:aws:iam::111122223333:role/cni": "arn:aws:iam::111122223333:role/cni",
		"A=b,c":                              "'A=b,c'",
		"":                                   "''",
		"two words":                          "'two words'",
		"it's":                               `'it'\''s'`,
		"$(touch x)":                         "'$(touch x)'",
		"a\nb":                               "'a\nb'",
		`\`:                                  `'\'`,
		"~":                                  "'~'",
		"ü":                                  "'ü'",
	} {
		got := plain.Quote(text)
		if got != want {
			t.Errorf("Quote(%q) = %s, want %s", text, got, want)
		}
		if out, err := exec.Command("sh", "-c", "printf '%s|' "+got).CombinedOutput(); err != nil || string(out) != text+"|" {
			t.Errorf("a shell makes %q of %s, want %q (%v)", out, got, text, err)
		}
	}
}
