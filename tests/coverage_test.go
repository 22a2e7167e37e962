package tests_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/coverage.md anew")

// fact is what docs/facts-eks-vpc-cni.md says, with the tests that stand on it, or the reason why there is none.
type fact struct {
	id, text, reason string
	tests            []string // links
}

// section is the heading of the document that the fact stands below.
func (f fact) section() string { section, _, _ := strings.Cut(f.id, "/"); return section }

func TestCoverageOfTheFactsIsWritten(t *testing.T) {
	facts := readFacts(t, read(t, "facts.txt"))
	cited := citations(t, "..")
	for _, wrong := range join(facts, cited) {
		t.Error(wrong)
	}
	want := table(facts)
	const doc = "../docs/coverage.md"
	if *update {
		if err := os.WriteFile(doc, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(read(t, doc), want); diff != "" {
		t.Errorf("docs/coverage.md is stale (-it +tests); make golden writes it anew:\n%s", diff)
	}
}

func TestEverySectionOfTheFactsIsCovered(t *testing.T) {
	have := map[string]bool{}
	for _, f := range readFacts(t, read(t, "facts.txt")) {
		have[f.section()] = true
	}
	document := read(t, "../docs/facts-eks-vpc-cni.md")
	want := map[string]bool{"3": true} // it has no parts
	for _, m := range regexp.MustCompile(`(?m)^### ([1267]\.\d+)`).FindAllStringSubmatch(document, -1) {
		want[m[1]] = true
	}
	if diff := cmp.Diff(want, have); diff != "" || len(want) < 20 {
		t.Errorf("sections of the document (-) and of facts.txt (+):\n%s", diff)
	}
}

func TestWhatIsWrongWithCitationsIsFound(t *testing.T) {
	const facts = "1.1/a one\n1.1/b two\n  there is a reason\n1.1/c three\n1.1/d four\n  there is a reason\n"
	dir := t.TempDir()
	source := "package x_test\n\n// Fact 1.1/z.\nfunc TestA(t *testing.T) {\n\t// Facts 1.1/a, 1.1/b.\n}\n\n// Fact 1.1/a.\nvar x int\n\n// fact 1.1/a\nfunc TestB(t *testing.T) {}\n"
	if err := os.WriteFile(filepath.Join(dir, "x_test.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	got := join(readFacts(t, facts), citations(t, dir))
	want := []string{
		"1.1/b has a test, x.TestA, and a reason why it has none",
		"1.1/c has neither a test nor a reason",
		"x.TestA cites 1.1/z, which is no fact of facts.txt",
		"x_test.go:11: a citation reads: // Fact 1.1/a.",
		"x_test.go:8: a citation stands in no test",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// readFacts reads the format that the head of facts.txt describes.
func readFacts(t *testing.T, text string) []*fact {
	t.Helper()
	var facts []*fact
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		id, said, _ := strings.Cut(line, " ")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == ' ' && len(facts) > 0 && facts[len(facts)-1].reason == "":
			facts[len(facts)-1].reason = strings.TrimSpace(line)
		case !regexp.MustCompile(`^(`+factID+`)$`).MatchString(id) || said == "":
			t.Fatalf("facts.txt: %q is neither a fact nor a reason", line)
		case slices.ContainsFunc(facts, func(f *fact) bool { return f.id == id }):
			t.Fatalf("facts.txt: %s is there twice", id)
		default:
			facts = append(facts, &fact{id: id, text: said})
		}
	}
	return facts
}

const factID = `\d(?:\.\d)?/[a-z0-9.-]*[a-z0-9]`

var (
	citation = regexp.MustCompile(`^// Facts? (` + factID + `(?:, ` + factID + `)*)\.$`)
	nearly   = regexp.MustCompile(`(?i)^// ?facts? ` + factID)
)

// cited is a citation: what a test cites, or what is wrong with a comment that looks like one.
type cited struct{ test, link, id, wrong string }

// citations are those of all tests below a folder.
func citations(t *testing.T, root string) (all []cited) {
	t.Helper()
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return fs.SkipDir
		case !strings.HasSuffix(name, "_test.go"):
			return nil
		}
		below, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		all = append(all, inFile(t, name, filepath.ToSlash(below))...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// inFile are the citations of a file. Below is its path as people write it.
func inFile(t *testing.T, name, below string) (all []cited) {
	t.Helper()
	source, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(bytes.ToLower(source), []byte("// fact")) {
		return nil
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	pkg := strings.TrimSuffix(file.Name.Name, "_test")
	for _, group := range file.Comments {
		for _, comment := range group.List {
			place := fmt.Sprintf("%s:%d", below, set.Position(comment.Pos()).Line)
			ids, test := citation.FindStringSubmatch(comment.Text), testAt(file, comment.Pos())
			switch {
			case ids == nil && nearly.MatchString(comment.Text):
				all = append(all, cited{wrong: place + ": a citation reads: // Fact 1.1/a."})
			case ids != nil && test == "":
				all = append(all, cited{wrong: place + ": a citation stands in no test"})
			case ids != nil:
				for _, id := range strings.Split(ids[1], ", ") {
					all = append(all, cited{test: pkg + "." + test, link: fmt.Sprintf("[%s.%s](../%s)", pkg, test, below), id: id})
				}
			}
		}
	}
	return all
}

// testAt is the test whose body or comment is at a place; empty: none.
func testAt(file *ast.File, pos token.Pos) string {
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "Test") && !strings.HasPrefix(f.Name.Name, "Fuzz") {
			continue
		}
		from := f.Pos()
		if f.Doc != nil {
			from = f.Doc.Pos()
		}
		if from <= pos && pos < f.End() {
			return f.Name.Name
		}
	}
	return ""
}

// join gives each fact the tests that cite it, and says in order what is wrong.
func join(facts []*fact, all []cited) (wrong []string) {
	for _, c := range all {
		i := slices.IndexFunc(facts, func(f *fact) bool { return f.id == c.id })
		switch {
		case c.wrong != "":
			wrong = append(wrong, c.wrong)
		case i < 0:
			wrong = append(wrong, fmt.Sprintf("%s cites %s, which is no fact of facts.txt", c.test, c.id))
		case facts[i].reason != "":
			wrong = append(wrong, fmt.Sprintf("%s has a test, %s, and a reason why it has none", c.id, c.test))
		case !slices.Contains(facts[i].tests, c.link):
			facts[i].tests = append(facts[i].tests, c.link)
		}
	}
	for _, f := range facts {
		slices.Sort(f.tests)
		if len(f.tests) == 0 && f.reason == "" {
			wrong = append(wrong, f.id+" has neither a test nor a reason")
		}
	}
	slices.Sort(wrong)
	return wrong
}

// table is the document: a row for each fact.
func table(facts []*fact) string {
	tested := 0
	for _, f := range facts {
		if len(f.tests) > 0 {
			tested++
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, `# Which test stands on which fact

Made by the tests from tests/facts.txt and from what tests cite: do not edit it; `+"`make golden`"+` writes it anew. The facts are those of
sections 1, 2, 3 and 7 of [facts-eks-vpc-cni.md](facts-eks-vpc-cni.md), which says how sure each is. %d of %d have a test.
`, tested, len(facts))
	section := ""
	for _, f := range facts {
		if f.section() != section {
			section = f.section()
			fmt.Fprintf(&b, "\n## %s\n\n| fact | | test |\n|---|---|---|\n", section)
		}
		by := strings.Join(f.tests, ", ")
		if by == "" {
			by = "not covered because " + f.reason
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", strings.TrimPrefix(f.id, section+"/"), f.text, by)
	}
	return b.String()
}
