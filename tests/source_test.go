package tests_test

import (
	"go/ast"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// untested are the packages without a test file of their own, each with the reason.
func untested() map[string]string {
	return map[string]string{
		"functions/remediator":       "it has no logic; make size starts it",
		"tests/size/idle":            "it does nothing; the tests of tests/size start it",
		"events":                     "it has no code; the tests of internal/event decode every file",
		"internal/ledger/ledgertest": "it is the test that every ledger passes; the tests of internal/ledger start it",
	}
}

func sourceRules() []rule {
	rooms := []string{"internal/clock", "internal/sim", "internal/ledger/ledgertest"} // the last is all test
	return []rule{
		{
			"nobody reads the time, waits or starts a goroutine but clock and sim",
			func(h house) []string { return timed(h, rooms) },
			[]planted{
				{"internal/guard", "package guard\nimport \"time\"\nvar now = time.Now"},
				{"internal/app", "package app\nimport clock \"time\"\nfunc wait() { clock.Sleep(1) }"},
				{"internal/app", "package app\nimport . \"time\"\nfunc wait() { Sleep(1) }"},
				{"internal/cloud", "package cloud\nimport \"context\"\nfunc f(ctx context.Context) { context.WithTimeout(ctx, 1) }"},
				{"internal/check", "package check\nfunc f() { go f() }"},
				{"internal/check", "package check\nimport \"sync\"\nfunc f() { var wg sync.WaitGroup; wg.Go(f) }"},
				{"cmd/cniguard", "package main\nimport \"golang.org/x/sync/errgroup\"\nvar g errgroup.Group"},
			},
		},
		{
			"only programs read the environment's variables, and hand them in",
			using([]string{"cmd", "functions", "infra", "tests", "internal/tool"}, "os.Getenv", "os.LookupEnv", "os.Environ", "os.ExpandEnv"),
			[]planted{{"internal/app", "package app\nimport \"os\"\nvar region = os.Getenv(\"AWS_REGION\")"}},
		},
		{
			"only programs end the program",
			using([]string{"cmd", "functions", "infra", "tests", "internal/tool"}, "os.Exit", "log.Fatal", "log.Fatalf", "log.Fatalln"),
			[]planted{{"internal/app", "package app\nimport \"os\"\nfunc f() { os.Exit(1) }"}},
		},
		{
			"nothing panics but a simulation that cannot go on", panics,
			[]planted{{"internal/notify", "package notify\nfunc f() { panic(\"no\") }"}},
		},
		{
			"nothing happens at initialisation", inits,
			[]planted{{"internal/cni", "package cni\nfunc init() {}"}},
		},
		{
			"every package says what it is, once", undocumented,
			[]planted{
				{"internal/newcomer", "package newcomer"},
				{"internal/guard", "// Package guard is something else.\npackage guard"},
				{"cmd/newcomer", "// The newcomer.\npackage main"},
			},
		},
		{
			"every package has a test or a reason", withoutTest,
			[]planted{{"internal/newcomer", "package newcomer"}},
		},
		{
			"no name says only that something is done", vague,
			[]planted{
				{"internal/cloud", "package cloud\ntype SubnetManager struct{}"},
				{"internal/cloud", "package cloud\nfunc alarmHelper() {}"},
				{"internal/utils", "package utils"},
			},
		},
	}
}

func timed(h house, except []string) (broken []string) {
	doors := map[string][]string{
		"time":    {"*", "Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"},
		"context": {"*", "WithTimeout", "WithTimeoutCause", "WithDeadline", "WithDeadlineCause", "AfterFunc"},
	}
	h.each(except, func(pkg string, file *ast.File) {
		for _, name := range uses(file) {
			from, what, _ := strings.Cut(name, ".")
			if slices.Contains(doors[from], what) {
				broken = append(broken, finding(pkg, "it uses %s; take a clock.Clock", name))
			}
		}
		for _, spec := range file.Imports {
			if imported(spec) == "golang.org/x/sync/errgroup" {
				broken = append(broken, finding(pkg, "it imports errgroup; take clock.Parallel"))
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if _, ok := n.(*ast.GoStmt); ok {
				broken = append(broken, finding(pkg, "it has a go statement; take clock.Parallel"))
			}
			if call, ok := n.(*ast.CallExpr); ok {
				if sel, ok := call.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Go" {
					broken = append(broken, finding(pkg, "it calls a method Go, as sync.WaitGroup has; take clock.Parallel"))
				}
			}
			return true
		})
	})
	return broken
}

// using finds the packages outside of some folders that use names which only those may.
func using(except []string, names ...string) func(house) []string {
	return func(h house) (broken []string) {
		h.each(except, func(pkg string, file *ast.File) {
			for _, name := range uses(file) {
				if slices.Contains(names, name) {
					broken = append(broken, finding(pkg, "it uses %s", name))
				}
			}
		})
		return broken
	}
}

func panics(h house) (broken []string) {
	h.each([]string{"internal/sim", "internal/world", "tests"}, func(pkg string, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if f, ok := call.Fun.(*ast.Ident); ok && f.Name == "panic" {
					broken = append(broken, finding(pkg, "it panics"))
				}
			}
			return true
		})
	})
	return broken
}

func inits(h house) (broken []string) {
	h.each(nil, func(pkg string, file *ast.File) {
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				broken = append(broken, finding(pkg, "it has a func init"))
			}
		}
	})
	return broken
}

func undocumented(h house) (broken []string) {
	said := map[string]int{}
	h.each(nil, func(pkg string, file *ast.File) {
		start := "Package " + file.Name.Name + " "
		if file.Name.Name == "main" {
			start = "Command " + pkg[strings.LastIndex(pkg, "/")+1:] + " "
		}
		said[pkg] += strings.Count(file.Doc.Text(), start)
	})
	for _, pkg := range slices.Sorted(maps.Keys(said)) {
		if said[pkg] != 1 {
			broken = append(broken, finding(pkg, "its package comment is there %d times; want it once, as Package NAME or Command NAME", said[pkg]))
		}
	}
	return broken
}

func withoutTest(h house) (broken []string) {
	for _, pkg := range slices.Sorted(maps.Keys(h.packages)) {
		reason := untested()[pkg]
		switch {
		case h.packages[pkg].tests == 0 && reason == "":
			broken = append(broken, finding(pkg, "it has no test file"))
		case h.packages[pkg].tests > 0 && reason != "":
			broken = append(broken, finding(pkg, "it has a test file now; take it from the list of those without"))
		}
	}
	for pkg := range untested() {
		if !h.isOurs(pkg) {
			broken = append(broken, finding(pkg, "it does not exist; take it from the list of those without a test"))
		}
	}
	return broken
}

func vague(h house) (broken []string) {
	empty := regexp.MustCompile(`(?i)(manager|helper|util|processor)s?$`).MatchString
	h.each(nil, func(pkg string, file *ast.File) {
		if empty(file.Name.Name) {
			broken = append(broken, finding(pkg, "its name says nothing"))
		}
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if empty(d.Name.Name) {
					broken = append(broken, finding(pkg, "the name %s says nothing", d.Name.Name))
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if s, ok := s.(*ast.TypeSpec); ok && empty(s.Name.Name) {
						broken = append(broken, finding(pkg, "the name %s says nothing", s.Name.Name))
					}
				}
			}
		}
	})
	return broken
}
