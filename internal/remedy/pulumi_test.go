package remedy_test

import (
	"encoding/json"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/remedy"
)

// FuzzPulumi holds that each language's parser reads the texts of the facts as they are, and that the commands hold none of the values. What runs the
// programs is in tests/fix/pulumi.
func FuzzPulumi(f *testing.F) {
	f.Add("prod", "arn:aws:iam::111122223333:role/cni", "5", true, true)
	f.Add("a\"b\n$(id) ${x} $$ %{y} {{z}} \\ \u2028 \x00\xff", "'`", strings.Repeat("$", 50), false, true)
	f.Fuzz(func(t *testing.T, name, role, value string, managed, configured bool) {
		name, role = string([]rune(name)), string([]rune(role)) // AWS answers in UTF-8
		facts := remedy.Facts{
			Cluster: cluster.ID{Account: "111122223333", Region: "eu-central-1", Name: name}, Version: cni.Parse("v1.17.1-eksbuild.1"),
			ByHand: guard.ByHand{Managed: managed, Role: role, Configured: configured, Listed: "v1.17.1-eksbuild.1", Path: []string{"v1.18.5-eksbuild.1"}},
			Node:   &guard.DaemonSet{Role: role, Env: []guard.Fact{{Name: "WARM_IP_TARGET", Value: value}}},
		}
		fix, err := remedy.For(facts, remedy.Pulumi)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"clusterName": name, "addonName": "vpc-cni", "resolveConflictsOnUpdate": "PRESERVE"}
		if role != "" {
			want["serviceAccountRoleArn"] = role
		}
		if !managed {
			want["resolveConflictsOnCreate"] = "OVERWRITE"
		}
		read := map[string]func(*testing.T, string) map[string]string{"vpc_cni.go": goLiterals, "vpc-cni.ts": scriptLiterals, "vpc-cni.yaml": yamlLiterals}
		for _, file := range fix.Steps[0].Before.Files {
			if read[file.Name] == nil {
				continue
			}
			got := read[file.Name](t, file.Text)
			for key, text := range want {
				if got[key] != text {
					t.Errorf("%s has the %s %q, want %q", file.Name, key, got[key], text)
				}
			}
			if len(got) != len(want) {
				t.Errorf("%s has %q, want %q", file.Name, got, want)
			}
			delete(read, file.Name)
		}
		if len(read) > 0 {
			t.Errorf("there is no file for %d languages", len(read))
		}
	})
}

// goLiterals are the arguments with a literal in a file as gofmt writes it, by their names in other languages.
func goLiterals(t *testing.T, text string) map[string]string {
	t.Helper()
	if neat, err := format.Source([]byte(text)); err != nil || string(neat) != text {
		t.Fatalf("gofmt writes otherwise, %v:\n%s", err, text)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "vpc_cni.go", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		pair, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		if call := pair.Value.(*ast.CallExpr); len(call.Args) == 1 {
			key := pair.Key.(*ast.Ident).Name
			if l, ok := call.Args[0].(*ast.BasicLit); ok && key != "ConfigurationValues" {
				if all[strings.ToLower(key[:1])+key[1:]], err = strconv.Unquote(l.Value); err != nil {
					t.Error(err)
				}
			}
		}
		return true
	})
	return all
}

// scriptLiterals are the arguments with a literal. A string of JSON is one of JavaScript (ECMAScript 2019, 12.8.4).
func scriptLiterals(t *testing.T, text string) map[string]string {
	t.Helper()
	all := map[string]string{}
	_, rest, _ := strings.Cut(text, "aws.eks.Addon(")
	for line := range strings.Lines(rest) {
		key, value, _ := strings.Cut(strings.TrimSuffix(strings.TrimSpace(line), ","), ": ")
		var literal string
		if json.Unmarshal([]byte(value), &literal) == nil {
			all[key] = literal
		}
	}
	return all
}

// yamlLiterals are the properties that are no reference, as Pulumi reads them: of two dollar signs one stays.
func yamlLiterals(t *testing.T, text string) map[string]string {
	t.Helper()
	var program struct {
		Resources map[string]struct{ Properties map[string]yaml.Node }
	}
	if err := yaml.Unmarshal([]byte(text), &program); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	all := map[string]string{}
	for key, value := range program.Resources["vpc-cni"].Properties {
		bare := strings.ReplaceAll(value.Value, "$$", "")
		if value.Style == yaml.DoubleQuotedStyle && !strings.Contains(bare, "$") {
			all[key] = strings.ReplaceAll(value.Value, "$$", "$")
		}
	}
	return all
}

func TestPulumiTakesNothingInThatIsThere(t *testing.T) {
	for name, f := range goldenCases() {
		facts := f("eu-central-1", remedy.Pulumi)
		fix, err := remedy.For(facts, remedy.Pulumi)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range fix.Steps {
			imports := slices.IndexFunc(s.Before.Run, func(c string) bool { return strings.Contains(c, "pulumi import") })
			if got, want := imports >= 0, facts.Managed && i == 0; got != want {
				t.Errorf("%s, step %d: it imports: %t, want %t", name, i+1, got, want)
			}
			if imports >= 0 && !strings.HasPrefix(s.Before.Run[imports], "pulumi stack export | grep -F ") {
				t.Errorf("%s: it does not look whether it is there: %s", name, s.Before.Run[imports])
			}
		}
	}
}
