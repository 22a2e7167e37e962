package world_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"

	"github.com/cniguard/cniguard/internal/world"
)

// Fact 2.1/schema.
func TestASchemaIsOfAVersionWhateverTheCluster(t *testing.T) {
	s := set(t, 1, with(func(s *world.Spec) {
		s.Catalogues["1.33"] = []world.Catalogue{{Version: "v1.10.4-eksbuild.1", Refuses: []string{"env.LATER"}}}
		s.Catalogues["1.21"][1].Refuses = []string{"env.OLD", "cri"}
	}))
	s.at(0, func(ctx context.Context, k *world.Client) {
		out, err := k.DescribeAddonConfiguration(ctx, &eks.DescribeAddonConfigurationInput{AddonName: aws.String("vpc-cni"), AddonVersion: aws.String("v1.10.4-eksbuild.1")})
		if err != nil {
			t.Fatal(err)
		}
		var schema struct {
			Definitions struct {
				VpcCni struct {
					Properties map[string]struct{ Properties map[string]any }
				}
			}
		}
		if err := json.Unmarshal([]byte(*out.ConfigurationSchema), &schema); err != nil {
			t.Fatal(err)
		}
		keys := schema.Definitions.VpcCni.Properties
		if _, cri := keys["cri"]; !cri || len(keys["env"].Properties) != 2 {
			t.Error(*out.ConfigurationSchema)
		}
		for addon, version := range map[string]string{"vpc-cni": "v0.1.0", "coredns": "v1.10.4-eksbuild.1"} {
			_, err := k.DescribeAddonConfiguration(ctx, &eks.DescribeAddonConfigurationInput{AddonName: &addon, AddonVersion: &version})
			if got := code(err); got != "404 ResourceNotFoundException" {
				t.Errorf("%s %s: %s", addon, version, got)
			}
		}
	})
}

func TestAnUpdateIsHeldToASchemaThatWasGiven(t *testing.T) {
	const schema = `{"$ref":"#/definitions/VpcCni","definitions":{
		"Env":{"additionalProperties":false,"properties":{"A":{"type":"string"},"N":{"type":["number","null"]}},"type":"object"},
		"VpcCni":{"additionalProperties":{"type":"integer"},"properties":{"env":{"$ref":"#/definitions/Env"},"list":{"type":"array"},"on":{"type":"boolean"}}}}}`
	for config, want := range map[string]string{
		`{"env":{"A":"1","N":null},"list":[],"on":true,"more":7}`: "",
		`{"env":{"N":1.5}}`:  "",
		`{"env":{"N":3}}`:    "",
		`{"env":{"B":"1"}}`:  "$.env.B: is not defined in the schema",
		`{"env":{"A":true}}`: "$.env.A: boolean found, string expected",
		`{"env":[]}`:         "$.env: array found, object expected",
		`{"env":{"N":"x"}}`:  `$.env.N: string found, ["number","null"] expected`,
		`{"more":7.5}`:       "$.more: number found, integer expected",
	} {
		s := set(t, 1, with(func(s *world.Spec) { s.Catalogues["1.21"][1].Schema = schema }))
		s.at(0, func(ctx context.Context, k *world.Client) {
			_, err := update(ctx, k, "v1.10.4-eksbuild.1", func(in *eks.UpdateAddonInput) { in.ConfigurationValues = &config })
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s gives %v; want %q", config, err, want)
			}
		})
	}
}

func TestASchemaIsAJSONObjectAndStandsAlone(t *testing.T) {
	for name, v := range map[string]world.Catalogue{
		"catalogues.1.21[0].schema":  {Version: "v1.9.0-eksbuild.1", Compatible: true, Schema: "type: object"},
		"catalogues.1.21[0].refuses": {Version: "v1.9.0-eksbuild.1", Compatible: true, Schema: "{}", Refuses: []string{"a"}},
	} {
		spec := world.Spec{Catalogues: map[string][]world.Catalogue{"1.21": {v}}}
		if err := spec.Validate(); err == nil || !strings.Contains(err.Error(), name+":") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Fact 2.5/architecture.
func TestVersionsAndInstancesHaveArchitectures(t *testing.T) {
	s := set(t, 1, with(func(s *world.Spec) { s.Catalogues["1.21"][1].Architectures = []string{"amd64"} }))
	s.at(0, func(ctx context.Context, k *world.Client) {
		out, err := k.DescribeAddonVersions(ctx, &eks.DescribeAddonVersionsInput{AddonName: aws.String("vpc-cni"), KubernetesVersion: aws.String("1.21")})
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range out.Addons[0].AddonVersions {
			if want := map[bool]string{true: "amd64", false: "amd64 arm64"}[i == 1]; strings.Join(v.Architecture, " ") != want {
				t.Errorf("%s is for %v; want %s", *v.AddonVersion, v.Architecture, want)
			}
		}
	})
}
