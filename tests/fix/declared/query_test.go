package declared_test

import (
	"encoding/json"
	"testing"

	"github.com/jmespath/go-jmespath"

	"github.com/cniguard/cniguard/internal/remedy"
)

// described is what EKS answers, as the AWS CLI puts a query to it (EKS API reference, DescribeAddon, ListUpdates and DescribeUpdate).
const described = `{"updateIds": ["u"], "update": {"status": "Successful"}, "configurationSchema": "{}",
	"addon": {"addonName": "vpc-cni", "addonArn": "arn:addon", "clusterName": "prod", "status": "ACTIVE", "addonVersion": "v1.18.5-eksbuild.1",
	"health": {"issues": [{"code": "AccessDenied", "message": "a message", "resourceIds": []}]}, "serviceAccountRoleArn": "arn:role",
	"configurationValues": "{}"}}`

func TestEveryQueryFindsWhatItAsksFor(t *testing.T) {
	var answer any
	if err := json.Unmarshal([]byte(described), &answer); err != nil {
		t.Fatal(err)
	}
	s, found := scenes()["managed with values in eu-central-1"], map[string]string{}
	for _, m := range []remedy.Method{remedy.Terraform, remedy.Eksctl, remedy.CloudFormation} {
		d := open(t, s)
		for _, step := range fixed(t, s.facts(), m).Steps {
			for i, p := range []remedy.Part{step.Before, step.Change, step.Wait, step.After, step.Back} {
				d.write(t, "status", "ACTIVE "+[]string{step.To, step.From}[i/4]+"\n")
				for _, c := range d.do(t, p) {
					q := flag(c, "--query")
					if q == "" || c[0] != "aws" || c[1] != "eks" {
						continue
					}
					got, err := jmespath.Search(q, answer)
					if err != nil || empty(got) {
						t.Errorf("%s finds %v, %v", q, got, err)
					}
					found[q] = jsonOf(t, got)
				}
			}
		}
	}
	for q, want := range map[string]string{
		"[{ParameterKey: 'ConfigurationValues', ParameterValue: addon.configurationValues}]": `[{"ParameterKey":"ConfigurationValues","ParameterValue":"{}"}]`,
		"join(' ', [addon.status, addon.addonVersion])":                                      `"ACTIVE v1.18.5-eksbuild.1"`,
	} {
		if found[q] != want {
			t.Errorf("%s finds %s, want %s", q, found[q], want)
		}
	}
}

// empty says whether something in an answer is missing.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case map[string]any:
		for _, child := range v {
			if empty(child) {
				return true
			}
		}
	case []any:
		for _, child := range v {
			if empty(child) {
				return true
			}
		}
		return len(v) == 0
	}
	return false
}
