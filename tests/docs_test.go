package tests_test

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/app"
	"github.com/cniguard/cniguard/internal/policy"
)

// environment has every variable of a deployed function that works.
func environment(t *testing.T) map[string]string {
	t.Helper()
	p, err := policy.Compile(policy.Document{Version: 1, Fleet: []policy.Member{{Account: "111122223333", Regions: []string{"eu-central-1"}}}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "policy.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"CNIGUARD_FUNCTION": "urgent", "CNIGUARD_LEDGER": "memory",
		"CNIGUARD_TOPIC_ONCALL": "arn:aws:sns:eu-central-1:111122223333:cniguard-oncall", "CNIGUARD_TOPIC_CHAT": "arn:aws:sns:eu-central-1:111122223333:cniguard-chat",
		"CNIGUARD_TOPIC_MACHINE": "arn:aws:sns:eu-central-1:111122223333:cniguard-machine",
		"CNIGUARD_POLICY":        file, "CNIGUARD_BUS": "bus", "CNIGUARD_LOG_LEVEL": "debug", "CNIGUARD_EXTERNAL_ID": "id",
		"CNIGUARD_OBSERVER_ROLE": "observer", "CNIGUARD_UPDATER_ROLE": "updater",
		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token",
		"AWS_ENDPOINT_URL": "http://localhost:4566", "LAMBDA_TASK_ROOT": dir,
	}
}

// start starts the function's wiring with an environment, and says which variables it asked for.
func start(env map[string]string) (asked []string, err error) {
	names := map[string]bool{}
	_, err = app.FromLambda(func(name string) string { names[name] = true; return env[name] }, io.Discard)
	return slices.Collect(maps.Keys(names)), err
}

func TestTheLambdasVariablesAreThoseThatTheDocumentExplains(t *testing.T) {
	whole := environment(t)
	asked, err := start(whole)
	if err != nil {
		t.Fatalf("the environment that must work: %v", err)
	}
	askedOfNone, _ := start(nil)
	asked = slices.Concat(asked, askedOfNone)
	slices.Sort(asked)

	explained := variables(t)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(explained)), slices.Compact(asked)); diff != "" {
		t.Errorf("docs/lambda.md (-) and the program (+) differ:\n%s", diff)
	}
	for name, required := range explained {
		env := maps.Clone(whole)
		delete(env, name)
		if _, err := start(env); (err != nil) != required {
			t.Errorf("without %s: error %v; docs/lambda.md says required: %t", name, err, required)
		} else if required && !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v; want its name", name, err)
		}
	}
}

// variables are those of the table in docs/lambda.md, and whether it calls them required.
func variables(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\|.*\\| ([^|]*) \\|$").FindAllStringSubmatch(read(t, "../docs/lambda.md"), -1) {
		found[row[1]] = row[2] == "**required**"
	}
	return found
}

func TestLinksInDocumentsLeadSomewhere(t *testing.T) {
	for name, text := range documents(t) {
		for _, l := range deadLinks(name, text) {
			t.Errorf("%s: nothing is at %s", name, l)
		}
	}
	planted := "[a](https://example.com/x) [b](absent.md) [c](lambda.md#no-such-part) [d](lambda.md#environment)"
	if diff := cmp.Diff([]string{"absent.md", "lambda.md#no-such-part"}, deadLinks("../docs/planted.md", planted)); diff != "" {
		t.Errorf("dead links that were planted:\n%s", diff)
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func deadLinks(name, text string) (dead []string) {
	for _, m := range link.FindAllStringSubmatch(text, -1) {
		u, err := url.Parse(m[1])
		if err == nil && u.Scheme != "" {
			continue
		}
		if err != nil || !leads(name, text, u) {
			dead = append(dead, m[1])
		}
	}
	return dead
}

func leads(from, text string, u *url.URL) bool {
	if u.Path != "" {
		to := filepath.Join(filepath.Dir(from), filepath.FromSlash(u.Path))
		data, err := os.ReadFile(to)
		if err != nil {
			_, err := os.Stat(to)
			return err == nil && u.Fragment == ""
		}
		text = string(data)
	}
	return u.Fragment == "" || slices.Contains(headings(text), u.Fragment)
}

// headings are the names by which a document's headings are linked.
func headings(text string) (names []string) {
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		plain := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		names = append(names, strings.ReplaceAll(plain, " ", "-"))
	}
	return names
}

// An alarm's description ends in a link to what to do about it.
func TestEachAlarmLeadsToItsPartOfTheRunbook(t *testing.T) {
	_, page, _ := strings.Cut(alarm.Runbook, "/blob/main/")
	text := read(t, "../"+strings.TrimSuffix(page, "#"))
	for _, k := range alarm.Kinds() {
		_, part, found := strings.Cut(text, "\n## "+string(k)+"\n")
		part, _, _ = strings.Cut(part, "\n## ")
		if n := len(slices.DeleteFunc(headings(text), func(name string) bool { return name != string(k) })); !found || n != 1 {
			t.Errorf("%s has %d parts #%s; want one", page, n, k)
		}
		for _, says := range []string{"**It means**", "**Look first**", "```sh\n", "**What helps**", "`cniguard explain`", "**Do not**"} {
			if !strings.Contains(part, says) {
				t.Errorf("%s: the part on %s does not have %s", page, k, says)
			}
		}
	}
}

func TestWhatDocumentsMakeIsInTheMakefile(t *testing.T) {
	makefile := read(t, "../Makefile")
	targets := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z0-9]+):.* ## .+$`).FindAllStringSubmatch(makefile, -1) {
		targets[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`(?m)^\.PHONY: (.*)$`).FindAllStringSubmatch(makefile, -1) {
		if m[1] != "always" && !targets[m[1]] {
			t.Errorf("Makefile: %s has no help", m[1])
		}
	}
	for name, text := range documents(t) {
		for _, m := range regexp.MustCompile("(?m)(?:^|`)make ([a-z0-9]+)").FindAllStringSubmatch(text, -1) {
			if !targets[m[1]] {
				t.Errorf("%s: make %s is no target of the Makefile", name, m[1])
			}
		}
	}
	if len(targets) < 10 {
		t.Errorf("%d targets; want all of the Makefile's", len(targets))
	}
}

func TestTheMapInTheReadmeIsTheHouse(t *testing.T) {
	readme := read(t, "../README.md")
	_, house, found := strings.Cut(readme, "\n## The house\n")
	if !found {
		t.Fatal("README.md has no part that is called The house")
	}
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("`([a-z/]+)`").FindAllStringSubmatch(house, -1) {
		named[m[1]] = true
	}
	h := load(t)
	for _, pkg := range slices.Sorted(maps.Keys(h.packages)) {
		if !isBelow(pkg, "tests") && !named[pkg] && !named[strings.TrimPrefix(pkg, "internal/")] {
			t.Errorf("README.md: the map does not name %s", pkg)
		}
	}
	for name := range named {
		if below, ok := strings.CutPrefix(name, "internal/"); ok && !h.isOurs(name) {
			t.Errorf("README.md: the map names internal/%s, which does not exist", below)
		}
	}
}

func TestNoFileKnowsTheMachineItWasWrittenOn(t *testing.T) {
	home := regexp.MustCompile(`(^|[^A-Za-z0-9._-])/(home|root|Users|work)/[a-z]`)
	for name, text := range documents(t) {
		if m := home.FindString(text); m != "" {
			t.Errorf("%s: %s", name, m)
		}
	}
	if !home.MatchString("see /home/me/notes") {
		t.Error("a path that was planted is not seen")
	}
}

// documents are all Markdown files, by their path from here.
func documents(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != ".." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "cdk.out"):
			return fs.SkipDir
		case filepath.Ext(name) == ".md":
			found[name] = read(t, name)
		}
		return nil
	})
	if err != nil || len(found) == 0 {
		t.Fatal(fmt.Errorf("read the documents: %d found: %w", len(found), err))
	}
	return found
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
