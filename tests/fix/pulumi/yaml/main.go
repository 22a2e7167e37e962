// Command yaml runs a program in Pulumi YAML with Pulumi's own interpreter, and mocks in place of its engine. The interpreter needs an older SDK
// than the AWS provider's: so it is a module of its own. The arguments are the program's file and the arguments that aws:eks:Addon takes.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi-yaml/pkg/pulumiyaml"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const addon = "aws:eks/addon:Addon"

// provider is the AWS provider's package, as far as the programs need it.
type provider struct{ arguments []string }

func (p provider) LoadPackage(name string, _ *semver.Version) (pulumiyaml.Package, error) {
	if name != "aws" {
		return nil, fmt.Errorf("there is no package %s", name)
	}
	return p, nil
}

func (p provider) Close() {}

func (p provider) Name() string { return "aws" }

func (p provider) Version() *semver.Version { return nil }

func (p provider) ResolveResource(typ string) (pulumiyaml.ResourceTypeToken, error) {
	if typ != "aws:eks:Addon" && typ != addon {
		return "", fmt.Errorf("there is no resource %s", typ)
	}
	return addon, nil
}

func (p provider) ResolveFunction(typ string) (pulumiyaml.FunctionTypeToken, error) {
	return "", fmt.Errorf("there is no function %s", typ)
}

func (p provider) IsComponent(pulumiyaml.ResourceTypeToken) (bool, error) { return false, nil }

func (p provider) ResourceTypeHint(pulumiyaml.ResourceTypeToken) *schema.ResourceType {
	r := &schema.Resource{Token: addon}
	for _, name := range p.arguments {
		var t schema.Type = &schema.OptionalType{ElementType: schema.AnyType}
		if name == "clusterName" || name == "addonName" {
			t = schema.StringType
		}
		r.InputProperties = append(r.InputProperties, &schema.Property{Name: name, Type: t})
	}
	return &schema.ResourceType{Resource: r}
}

func (p provider) FunctionTypeHint(pulumiyaml.FunctionTypeToken) *schema.Function { return nil }

func (p provider) ResourceConstants(pulumiyaml.ResourceTypeToken) map[string]any { return nil }

func main() {
	play(func(ctx *pulumi.Context) error {
		text, err := os.ReadFile(os.Args[1])
		if err != nil {
			return err
		}
		program, wrong, err := pulumiyaml.LoadYAMLBytes(os.Args[1], append([]byte("name: shop\nruntime: yaml\n"), text...))
		if err != nil || wrong.HasErrors() {
			return fmt.Errorf("read %s: %w", os.Args[1], errors.Join(err, wrong))
		}
		return pulumiyaml.RunTemplate(ctx, program, nil, configured(ctx), provider{os.Args[2:]})
	})
}

// configured is the stack's configuration as the engine hands it to the interpreter.
func configured(ctx *pulumi.Context) resource.PropertyMap {
	var all map[string]string
	if err := json.Unmarshal([]byte(os.Getenv(pulumi.EnvConfig)), &all); err != nil {
		panic(err)
	}
	m := resource.PropertyMap{}
	for key, text := range all {
		value := resource.NewStringProperty(text)
		if ctx.IsConfigSecret(key) {
			value = resource.MakeSecret(value)
		}
		m[resource.PropertyKey(key)] = value
	}
	return m
}
