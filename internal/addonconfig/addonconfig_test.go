package addonconfig_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/addonconfig"
)

func schema(t *testing.T, version string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + version + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Fact 2.1/schema.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name, version, values string
		want                  []string
	}{
		{"what it knows is taken", "v1.15.1", `{"env":{"WARM_IP_TARGET":"5"},"enableNetworkPolicy":"true"}`, nil},
		{"so is nothing", "v1.15.1", `{}`, nil},
		{"a setting that came later", "v1.12.0", `{"env":{"WARM_IP_TARGET":"5","WARM_ENI_TARGET":"1"}}`, []string{"/env/WARM_IP_TARGET"}},
		{"settings that went, in order", "v1.15.1", `{"env":{"AWS_VPC_K8S_CNI_CONFIGURE_RPFILTER":"false"},"cri":{"hostPath":{"path":"/run"}}}`,
			[]string{"/cri", "/env/AWS_VPC_K8S_CNI_CONFIGURE_RPFILTER"}},
		{"a value of another type", "v1.15.1", `{"env":{"WARM_IP_TARGET":5},"livenessProbeTimeoutSeconds":"10"}`,
			[]string{"/env/WARM_IP_TARGET", "/livenessProbeTimeoutSeconds"}},
		{"one of several types", "v1.15.1", `{"affinity":null}`, nil},
		{"deep in a list", "v1.15.1", `{"tolerations":[{"key":"a"},"b"]}`, []string{"/tolerations/1"}},
		{"what is missing", "v1.15.1", `{"eniConfig":{"create":true,"subnets":{"eu-central-1a":{}}}}`,
			[]string{"/eniConfig/region", "/eniConfig/subnets/eu-central-1a/id"}},
		{"an object that must not be empty", "v1.15.1", `{"eniConfig":{"create":true,"region":"x","subnets":{}}}`, []string{"/eniConfig/subnets"}},
		{"a key that a pointer must escape", "v1.15.1", `{"a/b~c":1}`, []string{"/a~1b~0c"}},
		{"all of it", "v1.15.1", `"text"`, []string{"/"}},
		{"a number of any size", "v1.15.1", `{"livenessProbeTimeoutSeconds":123456789012345678901234567890}`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := addonconfig.Refused(schema(t, c.version), c.values)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOfAlternativesTheValueThatFitsNoneIsNamed(t *testing.T) {
	for name, schema := range map[string]string{
		"any of": `{"properties":{"a":{"anyOf":[{"type":"string"},{"required":["b"]}]}}}`,
		"one of": `{"properties":{"a":{"oneOf":[{"type":"string"},{"properties":{"c":{"type":"string"}}, "required":["b"]}]}}}`,
		"all of": `{"allOf":[{"properties":{"a":{"type":"string"}}}]}`,
		"none":   `{"properties":{"a":false}}`,
	} {
		got, err := addonconfig.Refused(schema, `{"a":{"c":1}}`)
		if diff := cmp.Diff([]string{"/a"}, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestWhatIsNotJSONIsNotChecked(t *testing.T) {
	for _, values := range []string{"env:\n  WARM_IP_TARGET: \"5\"\n", "", "{", `{} {}`, "# nothing"} {
		if got, err := addonconfig.Refused(schema(t, "v1.15.1"), values); !errors.Is(err, addonconfig.ErrNotJSON) || got != nil {
			t.Errorf("%q: %v, %v", values, got, err)
		}
	}
}

// Nothing is read but the schema itself, neither from the network nor from a file, and one that cannot be used refuses nothing silently.
func TestASchemaThatCannotBeUsedIsAnError(t *testing.T) {
	for name, schema := range map[string]string{
		"no JSON":               "type: object",
		"nothing":               "",
		"no schema":             `{"type":"anything"}`,
		"a draft that is not":   `{"$schema":"http://example.com/draft"}`,
		"another document":      `{"$ref":"http://example.com/schema.json"}`,
		"a file":                `{"$ref":"file:///etc/passwd"}`,
		"a file beside it":      `{"properties":{"env":{"$ref":"testdata/v1.12.0.json"}}}`,
		"a reference to naught": `{"$ref":"#/definitions/None"}`,
		"a pattern of Perl's":   `{"properties":{"env":{"pattern":"(?=a)b"}}}`,
	} {
		if got, err := addonconfig.Refused(schema, `{"env":"s3cr3t"}`); err == nil || errors.Is(err, addonconfig.ErrNotJSON) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// Values may be secret, and no part of them is said whatever is wrong with them.
func TestNoValueIsSaid(t *testing.T) {
	const secret = "hunter2hunter2"
	for name, schema := range map[string]string{
		"type": `{"properties":{"a":{"type":"integer"}}}`, "enum": `{"properties":{"a":{"enum":["x"]}}}`, "const": `{"properties":{"a":{"const":"x"}}}`,
		"pattern": `{"properties":{"a":{"pattern":"^x"}}}`, "length": `{"properties":{"a":{"maxLength":2}}}`, "format": `{"$schema":"http://json-schema.org/draft-07/schema#","properties":{"a":{"format":"ipv4"}}}`,
		"not": `{"properties":{"a":{"not":{}}}}`, "false": `false`, "list": `{"properties":{"b":{"uniqueItems":true}}}`, "items": `{"properties":{"b":{"items":{"type":"null"}}}}`,
	} {
		got, err := addonconfig.Refused(schema, `{"a":"`+secret+`","b":["`+secret+`","`+secret+`"]}`)
		if err != nil || len(got) == 0 || strings.Contains(strings.Join(got, " "), secret[:4]) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
