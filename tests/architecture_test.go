// Package tests_test holds what crosses packages: the rules of the house, that the documents say what the code does, and, in
// folders of their own, the laws and the Lambda's measures.
package tests_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// rule is one sentence about the house, how to find what breaks it, and files that do.
type rule struct {
	name   string
	broken func(house) []string
	by     []planted
}

// planted is a file that breaks a rule, in the package that it would be in.
type planted struct{ pkg, source string }

func TestTheHouseKeepsItsRules(t *testing.T) {
	h := load(t)
	for _, r := range slices.Concat(importRules(), sourceRules()) {
		t.Run(r.name, func(t *testing.T) {
			for _, b := range r.broken(h) {
				t.Error(b)
			}
			for _, p := range r.by {
				if found := r.broken(h.with(t, p.pkg, p.source)); !slices.ContainsFunc(found, func(b string) bool { return strings.Contains(b, p.pkg) }) {
					t.Errorf("the rule does not see this in %s, it finds %q:\n%s", p.pkg, found, p.source)
				}
			}
		})
	}
}

// layers are all packages of internal, from the top: each imports from layers below its own only. A new package gets its place
// here. What is not in internal is above all of it.
func layers() [][]string {
	return [][]string{
		{"internal/simulate", "internal/tool/zip"},
		{"internal/app", "internal/world", "internal/policy/source", "internal/bundle", "internal/hub", "internal/ledger/ledgertest"},
		{"internal/cloud", "internal/kube", "internal/notify", "internal/ledger"},
		{"internal/check"}, // it declares the interfaces that the layer above has
		{"internal/remedy", "internal/telemetry"},
		{"internal/guard"},
		{"internal/policy", "internal/access", "internal/sim"},
		{"internal/event", "internal/relief"},
		{"internal/alarm", "internal/capacity", "internal/cni", "internal/eksauth"},
		{"internal/addonconfig", "internal/cluster", "internal/fault", "internal/clock", "internal/plain", "internal/strictyaml"},
	}
}

const (
	semver     = "github.com/Masterminds/semver/v3"
	jsonschema = "github.com/santhosh-tekuri/jsonschema/v6"
	sdk        = "github.com/aws/aws-sdk-go-v2"
)

func importRules() []rule {
	return []rule{
		{
			"a package imports from lower layers only", misplaced,
			[]planted{
				{"internal/guard", "package guard\nimport _ \"github.com/cniguard/cniguard/internal/check\""},
				{"internal/cloud", "package cloud\nimport _ \"github.com/cniguard/cniguard/internal/notify\""},
				{"internal/check", "package check\nimport _ \"github.com/cniguard/cniguard/internal/ledger\""},
				{"internal/newcomer", "package newcomer"},
				{"internal/cluster", "package cluster\nimport _ \"github.com/cniguard/cniguard/cmd/cniguard\""},
			},
		},
		{
			"nothing that guard reaches imports an SDK, a context, the network or the system", impure,
			[]planted{
				{"internal/guard", "package guard\nimport _ \"context\""},
				{"internal/cni", "package cni\nimport _ \"net/http\""},
				{"internal/policy", "package policy\nimport _ \"os\""},
				{"internal/alarm", "package alarm\nimport _ \"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types\""},
				{"internal/guard", "package guard\nimport _ \"github.com/cniguard/cniguard/internal/clock\""},
			},
		},
		{
			"the pure packages need only the standard library, cni semver too", notPlain,
			[]planted{
				{"internal/event", "package event\nimport _ \"github.com/aws/aws-lambda-go/events\""},
				{"internal/fault", "package fault\nimport _ \"github.com/Masterminds/semver/v3\""},
				{"internal/cluster", "package cluster\nimport _ \"github.com/google/go-cmp/cmp\""},
			},
		},
		{
			"a function reaches no simulation, no command line, no words for people's own tools, no YAML and no template", linked("functions",
				"internal/world", "internal/sim", "internal/simulate", "internal/hub", "internal/remedy", sdk+"/config", "internal/strictyaml", "internal/policy/source", "internal/tool",
				"github.com/spf13", "go.yaml.in", "gopkg.in", "text/template", "html/template", "testing"),
			[]planted{
				{"internal/app", "package app\nimport _ \"github.com/cniguard/cniguard/internal/sim\""},
				{"functions/remediator", "package main\nimport _ \"github.com/spf13/cobra\""},
				{"internal/app", "package app\nimport _ \"github.com/aws/aws-sdk-go-v2/config\""},
				{"internal/notify", "package notify\nimport _ \"text/template\""},
				{"internal/notify", "package notify\nimport _ \"github.com/cniguard/cniguard/internal/remedy\""},
				{"internal/policy", "package policy\nimport _ \"go.yaml.in/yaml/v3\""},
			},
		},
		{
			"a function links the SDK, the Lambda library, semver, jsonschema with what it needs, and no other module", extraModules,
			[]planted{{"internal/telemetry", "package telemetry\nimport _ \"example.com/logging\""}},
		},
		{
			"only addonconfig knows JSON schemas", onlyIn([]string{"internal/addonconfig"}, jsonschema),
			[]planted{{"internal/world", "package world\nimport _ \"github.com/santhosh-tekuri/jsonschema/v6\""}},
		},
		{
			"the simulated AWS shares no arithmetic with the product", linked("internal/world",
				"internal/app", "internal/check", "internal/guard", "internal/policy", "internal/capacity", "internal/cni", "internal/cloud"),
			[]planted{{"internal/world", "package world\nimport _ \"github.com/cniguard/cniguard/internal/capacity\""}},
		},
		{
			"only infra imports the CDK", onlyIn([]string{"infra"}, "github.com/aws/aws-cdk-go", "github.com/aws/jsii-runtime-go", "github.com/aws/constructs-go", "github.com/cdklabs"),
			[]planted{{"internal/event", "package event\nimport _ \"github.com/aws/aws-cdk-go/awscdk/v2\""}},
		},
		{
			"nothing but infra imports infra", onlyIn([]string{"infra"}, "infra"),
			[]planted{{"internal/app", "package app\nimport _ \"github.com/cniguard/cniguard/infra/stack\""}},
		},
		{
			"the product knows EKS, EC2 and CloudWatch in cloud only; world and simulate stand for them, access's tests classify their errors",
			onlyIn([]string{"internal/cloud", "internal/world", "internal/simulate", "internal/access", "tests"}, sdk+"/service/eks", sdk+"/service/ec2", sdk+"/service/cloudwatch"),
			[]planted{
				{"internal/app", "package app\nimport _ \"github.com/aws/aws-sdk-go-v2/service/eks\""},
				{"internal/check", "package check\nimport _ \"github.com/aws/aws-sdk-go-v2/service/ec2/types\""},
			},
		},
		{
			"the product knows DynamoDB in ledger only, for which app and the command make the client",
			onlyIn([]string{"internal/ledger", "internal/app", "internal/world", "internal/simulate", "internal/access", "cmd", "infra", "tests"}, sdk+"/service/dynamodb"),
			[]planted{{"internal/check", "package check\nimport _ \"github.com/aws/aws-sdk-go-v2/service/dynamodb\""}},
		},
		{
			"only ledger and the simulated AWS know DynamoDB's items, and nothing writes them by reflection",
			func(h house) []string {
				items := onlyIn([]string{"internal/ledger", "internal/world", "internal/simulate", "tests"}, sdk+"/service/dynamodb/types")
				return slices.Concat(items(h), onlyIn(nil, sdk+"/feature/dynamodb")(h))
			},
			[]planted{
				{"internal/app", "package app\nimport _ \"github.com/aws/aws-sdk-go-v2/service/dynamodb/types\""},
				{"internal/ledger", "package ledger\nimport _ \"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue\""},
			},
		},
		{
			"access itself knows no service but STS", directly("internal/access", sdk+"/service", sdk+"/service/sts"),
			[]planted{{"internal/access", "package access\nimport _ \"github.com/aws/aws-sdk-go-v2/service/eks/types\""}},
		},
	}
}

func misplaced(h house) (broken []string) {
	place := map[string]int{}
	for i, layer := range layers() {
		for _, pkg := range layer {
			place[pkg] = i
			if !h.isOurs(pkg) {
				broken = append(broken, finding(pkg, "it has a layer and does not exist"))
			}
		}
	}
	for _, pkg := range h.below("internal") {
		own, placed := place[pkg]
		if !placed {
			broken = append(broken, finding(pkg, "it has no layer; give it one in layers"))
			continue
		}
		for _, used := range h.imports(pkg) {
			if layer, ok := place[used]; h.isOurs(used) && (!ok || layer <= own) {
				broken = append(broken, finding(pkg, "it imports %s, which is not in a layer below", used))
			}
		}
	}
	return broken
}

func impure(h house) (broken []string) {
	ways := h.reach("internal/guard")
	for _, pkg := range slices.Sorted(maps.Keys(ways)) {
		if strings.HasPrefix(pkg, "github.com/aws/") {
			broken = append(broken, ways[pkg])
		}
		if !h.isOurs(pkg) {
			continue // that fmt, say, reaches os is the standard library's own business
		}
		for _, used := range h.imports(pkg) {
			inert := used == "net/netip" || used == "net/url" // addresses and their text
			if !inert && slices.ContainsFunc([]string{"context", "net", "os", "syscall", "log"}, func(root string) bool { return isBelow(used, root) }) {
				broken = append(broken, ways[pkg]+" → "+used)
			}
		}
	}
	return broken
}

func notPlain(h house) (broken []string) {
	for _, pkg := range []string{"cluster", "fault", "plain", "alarm", "capacity", "cni", "event", "relief", "policy", "guard", "remedy"} {
		pkg = "internal/" + pkg
		for _, used := range h.imports(pkg) {
			if !h.isStandard(used) && !h.isOurs(used) && (pkg != "internal/cni" || used != semver) {
				broken = append(broken, finding(pkg, "it imports %s", used))
			}
		}
	}
	return broken
}

// linked finds the packages of a folder that reach others which they must not.
func linked(folder string, forbidden ...string) func(house) []string {
	return func(h house) (broken []string) {
		for _, pkg := range h.below(folder) {
			for used, way := range h.reach(pkg) {
				if slices.ContainsFunc(forbidden, func(f string) bool { return isBelow(used, f) }) {
					broken = append(broken, fmt.Sprintf("%s must not reach %s: %s", pkg, used, way))
				}
			}
		}
		slices.Sort(broken)
		return broken
	}
}

func extraModules(h house) (broken []string) {
	allowed := []string{sdk, "github.com/aws/smithy-go", "github.com/aws/aws-lambda-go", semver, jsonschema, "golang.org/x/text"}
	for _, pkg := range h.below("functions") {
		for used, way := range h.reach(pkg) {
			if !h.isOurs(used) && !h.isStandard(used) && !slices.ContainsFunc(allowed, func(m string) bool { return isBelow(used, m) }) {
				broken = append(broken, way)
			}
		}
	}
	slices.Sort(broken)
	return broken
}

// onlyIn finds the packages outside of some folders which import what only those may, in their tests too.
func onlyIn(folders []string, imports ...string) func(house) []string {
	return func(h house) (broken []string) {
		inside := h.below(folders...)
		for _, pkg := range slices.Sorted(maps.Keys(h.packages)) {
			if slices.Contains(inside, pkg) {
				continue
			}
			for _, used := range slices.Concat(h.imports(pkg), h.packages[pkg].testImports) {
				if slices.ContainsFunc(imports, func(i string) bool { return isBelow(strings.TrimPrefix(used, module+"/"), i) }) {
					broken = append(broken, finding(pkg, "it imports %s", used))
				}
			}
		}
		return broken
	}
}

// directly finds what a package imports, its tests aside, from a folder of which it may only have some.
func directly(pkg, folder string, allowed ...string) func(house) []string {
	return func(h house) (broken []string) {
		for _, used := range h.imports(pkg) {
			if isBelow(used, folder) && !slices.Contains(allowed, used) {
				broken = append(broken, finding(pkg, "it imports %s", used))
			}
		}
		return broken
	}
}
