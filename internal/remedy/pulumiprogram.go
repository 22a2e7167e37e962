package remedy

import (
	"fmt"
	"strconv"
	"strings"
)

// pulumiLanguage is how one of Pulumi's languages writes the arguments of a resource.
type pulumiLanguage struct {
	text            func(string) string // a literal
	version, values string              // what stands in the stack's configuration
	yes             string
	line            func(name, value string) string
}

// pulumiArguments are the arguments of aws.eks.Addon (Pulumi Registry, "aws.eks.Addon"). With preserve, aws-node runs on where somebody deletes
// the resource: without it no pod gets an address.
func (f Facts) pulumiArguments(l pulumiLanguage) string {
	var b strings.Builder
	add := func(name, value string) { b.WriteString(l.line(name, value)) }
	add("clusterName", l.text(f.Cluster.Name))
	add("addonName", l.text("vpc-cni"))
	add("addonVersion", l.version)
	if role := f.serviceRole(); role != "" {
		add("serviceAccountRoleArn", l.text(role))
	}
	if f.hasValues() {
		add("configurationValues", l.values)
	}
	if !f.Managed {
		add("resolveConflictsOnCreate", l.text("OVERWRITE"))
	}
	add("resolveConflictsOnUpdate", l.text("PRESERVE"))
	add("preserve", l.yes)
	return b.String()
}

// pulumiGo is a file of a program in Go, as gofmt writes it.
func (f Facts) pulumiGo() string {
	return `package main

import (
	"github.com/pulumi/pulumi-aws/sdk/v7/go/aws/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

// vpcCNI is the add-on vpc-cni. Call it in the function that pulumi.Run runs.
func vpcCNI(ctx *pulumi.Context) (*eks.Addon, error) {
	settings := config.New(ctx, "")
	return eks.NewAddon(ctx, "vpc-cni", &eks.AddonArgs{
` + f.pulumiArguments(pulumiLanguage{
		text:    func(s string) string { return "pulumi.String(" + strconv.Quote(string([]rune(s))) + ")" },
		version: `pulumi.String(settings.Require("` + pulumiVersion + `"))`,
		values:  `settings.RequireSecret("` + pulumiValues + `")`,
		yes:     "pulumi.Bool(true)",
		line: func(name, value string) string {
			return fmt.Sprintf("\t\t%-*s %s,\n", len("ResolveConflictsOnUpdate:"), strings.ToUpper(name[:1])+name[1:]+":", value)
		},
	}) + `	})
}
`
}

// pulumiTypeScript is a module of a program in TypeScript.
func (f Facts) pulumiTypeScript() string {
	return `// Import it where your program begins: import "./vpc-cni";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

const settings = new pulumi.Config();

export const vpcCni = new aws.eks.Addon("vpc-cni", {
` + f.pulumiArguments(pulumiLanguage{
		text:    jsonQuoted,
		version: `settings.require("` + pulumiVersion + `")`,
		values:  `settings.requireSecret("` + pulumiValues + `")`,
		yes:     "true",
		line:    func(name, value string) string { return "    " + name + ": " + value + ",\n" },
	}) + `});
`
}

// pulumiYAML is a part of Pulumi.yaml. A dollar sign stands twice: alone it would begin a reference (Pulumi documentation, "Pulumi YAML language").
func (f Facts) pulumiYAML() string {
	secret := ""
	if f.hasValues() {
		secret = "  " + pulumiValues + ":\n    type: string\n    secret: true\n"
	}
	return `# A part of Pulumi.yaml, with the resources and the config that stand there.
config:
  ` + pulumiVersion + `:
    type: string
` + secret + `resources:
  vpc-cni:
    type: aws:eks:Addon
    properties:
` + f.pulumiArguments(pulumiLanguage{
		text:    func(s string) string { return doubleQuoted(strings.ReplaceAll(s, "$", "$$")) },
		version: "${" + pulumiVersion + "}",
		values:  "${" + pulumiValues + "}",
		yes:     "true",
		line:    func(name, value string) string { return "      " + name + ": " + value + "\n" },
	})
}
