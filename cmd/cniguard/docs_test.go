package main

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/hub"
	"github.com/cniguard/cniguard/internal/remedy"
	"github.com/cniguard/cniguard/internal/simulate"
)

// documented reads a table of a document by the head of its first column: the cells of each row.
func documented(t *testing.T, file, head string) [][]string {
	t.Helper()
	doc, err := os.ReadFile("../../docs/" + file)
	if err != nil {
		t.Fatal(err)
	}
	doc, _, _ = cut(doc, "\n## Reference\n")
	_, table, ok := cut(doc, "\n| "+head+" |")
	if !ok {
		t.Fatalf("docs/%s has no table of %s", file, head)
	}
	table, _, _ = cut(table, "\n\n")
	var rows [][]string
	for _, line := range strings.Split(string(table), "\n")[2:] {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		cells[0] = strings.Trim(cells[0], "`")
		rows = append(rows, cells)
	}
	return rows
}

func cut(doc []byte, at string) (before, after []byte, found bool) {
	b, a, ok := strings.Cut(string(doc), at)
	return []byte(b), []byte(a), ok
}

func firstCells(rows [][]string) []string {
	var names []string
	for _, r := range rows {
		names = append(names, r[0])
	}
	return names
}

func TestTheDocumentHasEveryCommandInItsWords(t *testing.T) {
	var want, have [][]string
	for _, row := range documented(t, "commands.md", "command") {
		have = append(have, row[:2])
	}
	for _, c := range command().Commands() {
		if c.IsAvailableCommand() {
			want = append(want, []string{c.Name(), c.Short})
		}
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("(- in the code, + in docs/commands.md):\n%s", diff)
	}
}

func TestTheDocumentHasEveryKindOfLine(t *testing.T) {
	var want []string
	for _, w := range simulate.Whats() {
		want = append(want, string(w))
	}
	if diff := cmp.Diff(want, firstCells(documented(t, "simulate.md", "what"))); diff != "" {
		t.Errorf("(- in the code, + in docs/simulate.md):\n%s", diff)
	}
}

func TestTheDocumentHasEveryFieldOfTheLinesWithItsType(t *testing.T) {
	for _, table := range []struct {
		file, head string
		of         reflect.Type
	}{
		{"simulate.md", "field", reflect.TypeFor[simulate.Line]()}, {"simulate.md", "field of `start`", reflect.TypeFor[opening]()},
		{"simulate.md", "field of `end`", reflect.TypeFor[ending]()}, {"simulate.md", "field of a row", reflect.TypeFor[simulate.Row]()},
		{"simulate.md", "field of `report`", reflect.TypeFor[simulate.Report]()}, {"simulate.md", "field of `changes`", reflect.TypeFor[simulate.Changes]()},
		{"simulate.md", "field of `pages`", reflect.TypeFor[simulate.Pages]()}, {"simulate.md", "field of `cost`", reflect.TypeFor[simulate.Cost]()},
		{"simulate.md", "field of `summary`", reflect.TypeFor[simulate.Summary]()}, {"commands.md", "field", reflect.TypeFor[hub.Status]()},
		{"commands.md", "field of `sweeps`", reflect.TypeFor[hub.Sweeps]()}, {"messages.md", "field of a coverage", reflect.TypeFor[check.Coverage]()},
		{"commands.md", "field of a cluster", reflect.TypeFor[hub.Standing]()}, {"commands.md", "field of a failure", reflect.TypeFor[hub.Failure]()},
		{"fix.md", "field", reflect.TypeFor[hub.Fix]()}, {"fix.md", "field of a step", reflect.TypeFor[remedy.Step]()},
		{"fix.md", "field of a part", reflect.TypeFor[remedy.Part]()},
	} {
		var want, have []string
		for _, f := range reflect.VisibleFields(table.of) {
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); f.IsExported() && name != "-" && !f.Anonymous {
				want = append(want, name+": "+kindOf(f.Type))
			}
		}
		for _, row := range documented(t, table.file, table.head) {
			have = append(have, row[0]+": "+row[1])
		}
		slices.Sort(want)
		slices.Sort(have)
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("%s (- in the code, + in docs/%s):\n%s", table.head, table.file, diff)
		}
	}
}

func kindOf(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "time"
	case t.Kind() == reflect.Pointer:
		return kindOf(t.Elem())
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return "list of objects"
	case t.Kind() == reflect.Slice:
		return "list of " + kindOf(t.Elem())
	case t.Kind() == reflect.Map:
		return kindOf(t.Elem()) + " by key"
	}
	return map[reflect.Kind]string{
		reflect.String: "text", reflect.Bool: "yes/no", reflect.Int: "number", reflect.Uint64: "number", reflect.Float64: "number", reflect.Struct: "object",
	}[t.Kind()]
}

func TestEveryLineIsAsDocumented(t *testing.T) {
	out, _ := told(t, "simulate", "--world", "demo/world.yaml", "--policy", "demo/policy.yaml", "--for", "3d", "--json")
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	fields, last := firstCells(documented(t, "simulate.md", "field")), time.Time{}
	strictly(t, lines[0], &opening{})
	strictly(t, lines[len(lines)-1], &ending{})
	for _, text := range lines[1 : len(lines)-1] {
		var l simulate.Line
		strictly(t, text, &l)
		if l.At.Before(last) || l.Text == "" || !slices.Contains(simulate.Whats(), l.What) {
			t.Errorf("not in order, without text, or of no known kind: %s", text)
		}
		if (l.What == simulate.Told || l.What == simulate.ForDigest) != (l.News != "" && l.Finding != "" && l.Severity != "" && l.Message != "") || (l.What == simulate.HeldBack) != (len(l.Gates) > 0) {
			t.Errorf("fields of another kind of line, or none of its own: %s", text)
		}
		last = l.At
		var have map[string]any
		strictly(t, text, &have)
		for name := range have {
			if !slices.Contains(fields, name) {
				t.Errorf("the document has no field %s", name)
			}
		}
	}
}

// strictly reads one line of JSON into a value that has all of its fields.
func strictly(t *testing.T, line string, into any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Errorf("%s: %v", line, err)
	}
}

// The document's orders are in the form in which they are read.
func TestTheDocumentsOrdersCanBeRead(t *testing.T) {
	doc, err := os.ReadFile("../../docs/simulate.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile("(?m)^\\{\"at\".*$").FindAll(doc, -1)
	if len(lines) == 0 {
		t.Fatal("there are none")
	}
	file := t.TempDir() + "/orders.jsonl"
	for _, l := range lines {
		if err := os.WriteFile(file, append(l, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
		s := stage{world: "demo/world.yaml", policy: "demo/policy.yaml", orders: file}
		if _, err := s.read(os.Stderr); err != nil {
			t.Error(err)
		}
	}
}

// The document's example of a report is what the command prints at its end; -update writes it anew.
func TestTheDocumentsExampleIsWhatSimulateSays(t *testing.T) {
	const file, begin = "../../docs/simulate.md", "$ cniguard simulate --world demo/world.yaml --policy demo/policy.yaml --for 7d\n…\n"
	doc, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(doc), begin)
	shown, after, closed := strings.Cut(rest, "```\n")
	if !found || !closed {
		t.Fatal("docs/simulate.md has no example")
	}
	out, _ := told(t, "simulate", "--world", "demo/world.yaml", "--policy", "demo/policy.yaml", "--for", "7d")
	_, want, _ := strings.Cut(out, "What this policy did in 7d\n")
	want = "What this policy did in 7d\n" + want
	if *update {
		if err := os.WriteFile(file, []byte(before+begin+want+"```\n"+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("(-printed +in the document):\n%s", diff)
	}
}
