package settings_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/infra/settings"
)

func TestTheDocumentHasEachOption(t *testing.T) {
	doc, err := os.ReadFile("../../docs/deploy.md")
	if err != nil {
		t.Fatal(err)
	}
	var have, want [][]string
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Za-z]+)` \\| ([^|]+) \\| ([^|]+) \\| [^|]+ \\|$").FindAllStringSubmatch(string(doc), -1) {
		have = append(have, row[1:])
	}
	for _, o := range settings.Options() {
		byDefault := "none"
		if o.Default != "" {
			byDefault = "`" + o.Default + "`"
		}
		if o.Required {
			byDefault = "**required**"
		}
		want = append(want, []string{o.Key, o.Allowed, byDefault})
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("docs/deploy.md (- in the code, + in the document):\n%s", diff)
	}
}

func TestMakeHandsOnEachOption(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	_, choices, _ := strings.Cut(string(makefile), "\nCHOICES := ")
	choices, _, _ = strings.Cut(choices, "\nvariable = ")
	have := regexp.MustCompile(`[A-Z_]+:[A-Za-z]+`).FindAllString(choices, -1)
	var want []string
	for _, o := range settings.Options() {
		variable := regexp.MustCompile(`[A-Z]`).ReplaceAllString(o.Key, "_$0")
		want = append(want, strings.ToUpper(variable)+":"+o.Key)
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("Makefile (- in the code, + in CHOICES):\n%s", diff)
	}
}
