package tests_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/cniguard/cniguard"

// house is all of this module's packages, by their path below the module, as "internal/guard", and what other packages import.
type house struct {
	packages map[string]room
	others   map[string][]string // import path → imports
}

// room is one of this module's packages. Its source is that of its files which are no tests.
type room struct {
	files       []*ast.File
	tests       int      // files
	testImports []string // of its tests only
}

// load asks go list for the packages, with the Lambda's build tag.
func load(t *testing.T) house {
	t.Helper()
	list := exec.Command("go", "list", "-deps", "-tags=lambda.norpc",
		"-json=ImportPath,Dir,Imports,GoFiles,TestGoFiles,XTestGoFiles,TestImports,XTestImports", "./...")
	list.Dir = ".."
	var stderr bytes.Buffer
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, stderr.String())
	}
	h := house{map[string]room{}, map[string][]string{}}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath, Dir                                                        string
			Imports, GoFiles, TestGoFiles, XTestGoFiles, TestImports, XTestImports []string
		}
		if err := d.Decode(&p); err == io.EOF {
			return h
		} else if err != nil {
			t.Fatal(err)
		}
		below, ours := strings.CutPrefix(p.ImportPath, module+"/")
		if !ours {
			h.others[p.ImportPath] = p.Imports
			continue
		}
		r := room{tests: len(p.TestGoFiles) + len(p.XTestGoFiles), testImports: slices.Concat(p.TestImports, p.XTestImports)}
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			r.files = append(r.files, f)
		}
		h.packages[below] = r
	}
}

// with is the house with one more file in a package, which may be new.
func (h house) with(t *testing.T, pkg, source string) house {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "planted.go", source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	r := h.packages[pkg]
	r.files = append(slices.Clone(r.files), f)
	packages := maps.Clone(h.packages)
	packages[pkg] = r
	return house{packages, h.others}
}

// below are the packages in a folder or in any of its folders, in order.
func (h house) below(folders ...string) []string {
	var in []string
	for _, pkg := range slices.Sorted(maps.Keys(h.packages)) {
		if slices.ContainsFunc(folders, func(f string) bool { return isBelow(pkg, f) }) {
			in = append(in, pkg)
		}
	}
	return in
}

func isBelow(pkg, folder string) bool { return pkg == folder || strings.HasPrefix(pkg, folder+"/") }

// imports are a package's, ours as paths below the module.
func (h house) imports(pkg string) []string {
	r, ours := h.packages[pkg]
	if !ours {
		return h.others[pkg]
	}
	var all []string
	for _, f := range r.files {
		for _, spec := range f.Imports {
			all = append(all, imported(spec))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func imported(spec *ast.ImportSpec) string {
	full, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return spec.Path.Value
	}
	return strings.TrimPrefix(full, module+"/")
}

// reach is every package that a package needs, itself too, each with the way to it.
func (h house) reach(pkg string) map[string]string {
	ways := map[string]string{pkg: pkg}
	for queue := []string{pkg}; len(queue) > 0; queue = queue[1:] {
		for _, next := range h.imports(queue[0]) {
			if _, seen := ways[next]; !seen {
				ways[next] = ways[queue[0]] + " → " + next
				queue = append(queue, next)
			}
		}
	}
	return ways
}

// isOurs and isStandard tell an import's origin: this module, the standard library, or neither.
func (h house) isOurs(pkg string) bool { _, ours := h.packages[pkg]; return ours }

func (h house) isStandard(pkg string) bool {
	first, _, _ := strings.Cut(pkg, "/")
	return !h.isOurs(pkg) && !strings.Contains(first, ".")
}

// each calls f for every file of the packages that are in none of the given folders.
func (h house) each(except []string, f func(pkg string, file *ast.File)) {
	for _, pkg := range slices.Sorted(maps.Keys(h.packages)) {
		if slices.ContainsFunc(except, func(folder string) bool { return isBelow(pkg, folder) }) {
			continue
		}
		for _, file := range h.packages[pkg].files {
			f(pkg, file)
		}
	}
}

// uses are the names that a file takes from other packages, as "time.Now", whatever the file calls the package.
func uses(file *ast.File) []string {
	names := map[string]string{}
	var used []string
	for _, spec := range file.Imports {
		from := imported(spec)
		switch {
		case spec.Name == nil:
			names[path.Base(from)] = from
		case spec.Name.Name == ".":
			used = append(used, from+".*")
		default:
			names[spec.Name.Name] = from
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && names[x.Name] != "" {
				used = append(used, names[x.Name]+"."+sel.Sel.Name)
			}
		}
		return true
	})
	return used
}

// finding is one finding of a rule.
func finding(pkg, format string, args ...any) string {
	return pkg + ": " + fmt.Sprintf(format, args...)
}
