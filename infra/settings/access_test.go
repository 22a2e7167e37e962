package settings_test

import (
	"strings"
	"testing"

	"github.com/cniguard/cniguard/infra/settings"
)

func TestAccessThatCannotBeGivenIsAMistake(t *testing.T) {
	const (
		arnHint = `is not allowed; allowed: ARNs of EKS clusters, as arn:aws:eks:eu-central-1:111122223333:cluster/prod`
		own     = "arn:aws:eks:eu-central-1:111122223333:cluster/"
		subnet  = "subnet-0123456789abcdef"
	)
	for name, c := range map[string]struct {
		context map[string]any
		want    []string
	}{
		"clusters that are none": {map[string]any{"accessEntries": "prod,arn:aws:eks:eu-central-1:111122223333:addon/prod/vpc-cni/1," + own + "a b," + own + "*"}, []string{
			`context accessEntries: "prod" ` + arnHint, `context accessEntries: "arn:aws:eks:eu-central-1:111122223333:addon/prod/vpc-cni/1" ` + arnHint,
			`context accessEntries: "` + own + `a b" ` + arnHint, `context accessEntries: "` + own + `*" ` + arnHint}},
		"a cluster with a comma after it": {map[string]any{"accessEntries": own + "prod,"}, []string{`context accessEntries: "" ` + arnHint}},
		"a cluster twice, and one of no account of the fleet, and one of no region of its account": {map[string]any{"accessEntries": strings.Join([]string{
			own + "prod", own + "test", own + "prod", "arn:aws:eks:eu-central-1:777788889999:cluster/prod", "arn:aws:eks:eu-west-1:111122223333:cluster/prod"}, ",")}, []string{
			`context accessEntries: "` + own + `prod" is there twice; give each once`,
			`context accessEntries: "arn:aws:eks:eu-central-1:777788889999:cluster/prod" is outside of the policy's fleet; leave it out, or write eu-central-1 of 777788889999 into the fleet`,
			`context accessEntries: "arn:aws:eks:eu-west-1:111122223333:cluster/prod" is outside of the policy's fleet; leave it out, or write eu-west-1 of 111122223333 into the fleet`}},
		"a cluster of another partition, whatever the policy says": {map[string]any{"policy": "nowhere.yaml", "accessEntries": "arn:aws-cn:eks:cn-north-1:111122223333:cluster/prod," + own + "prod"}, []string{
			`context policy: nowhere.yaml: there is no such file;`,
			`context accessEntries: "arn:aws-cn:eks:cn-north-1:111122223333:cluster/prod" is in another partition than the hub; allowed: arn:aws:…`}},
		"subnets without security groups": {map[string]any{"functionSubnets": subnet + "0"}, []string{
			`context functionSecurityGroups: is missing, and required for functionSubnets; give security groups that let the functions out, as sg-0123456789abcdef0`}},
		"security groups without subnets": {map[string]any{"functionSecurityGroups": "sg-01234567"}, []string{
			`context functionSecurityGroups: is given, and there are no functionSubnets; leave it out, or give the subnets that the functions are attached to`}},
		"what is no subnet and no security group": {map[string]any{"functionSubnets": "private-a,subnet-XYZ," + subnet + "00", "functionSecurityGroups": "default"}, []string{
			`context functionSubnets: "private-a" is not allowed; allowed: IDs of up to 16 subnets of one VPC in the hub's region, as subnet-0123456789abcdef0`,
			`context functionSubnets: "subnet-XYZ" is not allowed;`, `context functionSubnets: "` + subnet + `00" is not allowed;`,
			`context functionSecurityGroups: "default" is not allowed; allowed: IDs of up to 5 security groups of that VPC, as sg-0123456789abcdef0`}},
		"subnets that are no text": {map[string]any{"functionSubnets": []any{subnet + "0"}, "functionSecurityGroups": "sg-01234567"}, []string{
			`context functionSubnets: [` + subnet + `0] is not text; write it in quotes`}},
		"more than Lambda takes, and some of them twice": {map[string]any{
			"functionSubnets":        subnet + strings.Join(strings.Split("0123456789abcdef0", ""), ","+subnet),
			"functionSecurityGroups": "sg-00000000,sg-11111111,sg-22222222,sg-33333333,sg-44444444,sg-55555555"}, []string{
			`context functionSubnets: has 17 entries; allowed: up to 16`, `context functionSubnets: "` + subnet + `0" is there twice; give each once`,
			`context functionSecurityGroups: has 6 entries; allowed: up to 5`}},
	} {
		t.Run(name, func(t *testing.T) { tellsMistakes(t, c.context, c.want) })
	}
}

// tellsMistakes asks for lines, each by its beginning or whole.
func tellsMistakes(t *testing.T, context map[string]any, mistakes []string) {
	t.Helper()
	have, err := settings.Read(settings.Source{Context: with(context), Known: hub, ReadFile: files(t)})
	if err == nil {
		t.Fatal("no mistake was found")
	}
	if have.Zip != nil || have.Config.Email != "" {
		t.Error("there is something to deploy nevertheless")
	}
	lines := strings.Split(err.Error(), "\n")
	for i, want := range mistakes {
		if i >= len(lines) || !strings.HasPrefix(lines[i], want) || !strings.HasSuffix(want, ";") && strings.Contains(want, "; ") && lines[i] != want {
			t.Errorf("line %d: want\n%s\nhave\n%s", i, want, err)
		}
	}
	if len(lines) != len(mistakes) {
		t.Errorf("%d lines, want %d:\n%s", len(lines), len(mistakes), err)
	}
}
