package settings_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/infra/settings"
	"github.com/cniguard/cniguard/infra/stack"
	"github.com/cniguard/cniguard/internal/bundle"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/policy"
)

const (
	rules    = "version: 1\nfleet:\n- {account: \"111122223333\", regions: [eu-central-1]}\n- {account: \"444455556666\", regions: [eu-west-1, eu-central-1]}\n"
	american = "version: 1\nfleet: [{account: \"111122223333\", regions: [us-gov-west-1]}]\n"
	chinese  = "version: 1\nfleet: [{account: \"111122223333\", regions: [cn-north-1]}]\n"
	wrong    = "version: 1\nfleet: [{account: one, regions: [eu-central-1]}]\ndefaults: {mode: all}\n"
)

var (
	hub   = event.Unit{Account: "111122223333", Region: "eu-central-1"}
	fleet = []event.Unit{{Account: "111122223333", Region: "eu-central-1"}, {Account: "444455556666", Region: "eu-central-1"}, {Account: "444455556666", Region: "eu-west-1"}}
	least = map[string]any{"policy": "policy.yaml", "email": "oncall@example.com"}
)

// with is the least context and more.
func with(more map[string]any) map[string]any {
	context := maps.Clone(least)
	maps.Copy(context, more)
	return context
}

func release(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := bundle.Pack(&out, bundle.File{Name: bundle.Program, Executable: true, Content: []byte("program")}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// files are all files that there are.
func files(t *testing.T) func(string) ([]byte, error) {
	all := map[string][]byte{
		"policy.yaml": []byte(rules), "american.yaml": []byte(american), "chinese.yaml": []byte(chinese), "wrong.yaml": []byte(wrong),
		"telling.yaml": []byte("version: 1\nfleet:\n  - account: \"111122223333\"\n    regions: [eu-central-1]\n" +
			"defaults:\n  alarmActions: [\"arn:aws:sns:eu-central-1:111122223333:pager\"]\n"),
		"exempt.yaml":               []byte(rules + "exemptions:\n- match: {clusters: [shop]}\n  owner: shop\n  because: Black Friday\n  until: 2027-01-31\n"),
		"dist/remediator-arm64.zip": release(t), "other.zip": release(t), "empty.zip": nil,
	}
	return func(name string) ([]byte, error) {
		if name == "secret.yaml" {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
		}
		data, ok := all[name]
		if !ok {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		return data, nil
	}
}

func TestWhatIsGivenIsTakenOver(t *testing.T) {
	defaults := stack.Config{Hub: hub, Fleet: fleet, Email: "oncall@example.com", LogDays: 90, LogLevel: "info"}
	for name, c := range map[string]struct {
		context map[string]any
		want    func(*stack.Config)
	}{
		"the least that there is": {nil, func(*stack.Config) {}},
		"everything": {map[string]any{
			"organization": "o-exampleorgid", "organizationalUnits": "ou-exam-12345678, r-exam", "managementAccount": "true", "updates": "true",
			"passRoles":       "arn:aws:iam::*:role/eks-addons/*,arn:aws:iam::444455556666:role/cni",
			"accessEntries":   "arn:aws:eks:eu-west-1:444455556666:cluster/prod_1, arn:aws:eks:eu-central-1:111122223333:cluster/prod_1",
			"functionSubnets": "subnet-0123456789abcdef0,subnet-01234567", "functionSecurityGroups": "sg-0123456789abcdef0",
			"externalId": "a/b:c", "urgentConcurrency": "5", "bulkConcurrency": "1", "logDays": "3653", "logLevel": "debug",
			"zip": "other.zip", "account": "777788889999", "region": "eu-west-1",
		}, func(c *stack.Config) {
			c.Organization, c.Units, c.Management, c.Updates = "o-exampleorgid", []string{"ou-exam-12345678", "r-exam"}, true, true
			c.PassRoles = []string{"arn:aws:iam::*:role/eks-addons/*", "arn:aws:iam::444455556666:role/cni"}
			c.AccessEntries = []cluster.ID{{Account: "444455556666", Region: "eu-west-1", Name: "prod_1"}, {Account: "111122223333", Region: "eu-central-1", Name: "prod_1"}}
			c.Network = stack.Network{Subnets: []string{"subnet-0123456789abcdef0", "subnet-01234567"}, SecurityGroups: []string{"sg-0123456789abcdef0"}}
			c.ExternalID, c.Urgent.Concurrency, c.Bulk.Concurrency, c.LogDays, c.LogLevel = "a/b:c", 5, 1, 3653, "debug"
			c.Hub = event.Unit{Account: "777788889999", Region: "eu-west-1"}
		}},
		"values that are empty are not given": {map[string]any{"organization": "", "passRoles": "", "accessEntries": "", "functionSubnets": "", "functionSecurityGroups": "", "logDays": "", "zip": ""}, func(*stack.Config) {}},
		"keys of the CDK's own are left to it": {map[string]any{
			"@aws-cdk/core:newStyleStackSynthesis": true, "aws:cdk:enable-path-metadata": true, "aws:cdk-feature": 1,
			"cli-telemetry": false, "acknowledged-issue-numbers": []any{1, 2},
		}, func(*stack.Config) {}},
		"a policy whose alarms tell topics by themselves": {map[string]any{"policy": "telling.yaml"}, func(c *stack.Config) {
			c.Fleet, c.AlarmTopics = c.Fleet[:1], []string{"arn:aws:sns:eu-central-1:111122223333:pager"}
		}},
		"updates that are written out as off": {map[string]any{"updates": "false"}, func(*stack.Config) {}},
	} {
		t.Run(name, func(t *testing.T) {
			have, err := settings.Read(settings.Source{Context: with(c.context), Known: hub, ReadFile: files(t)})
			if err != nil {
				t.Fatal(err)
			}
			want := defaults
			c.want(&want)
			if diff := cmp.Diff(want, have.Config); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheZipHoldsThePolicyThatWasRead(t *testing.T) {
	have, err := settings.Read(settings.Source{Context: least, Known: hub, ReadFile: files(t)})
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(have.Zip), int64(len(have.Zip)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.Open("policy.json")
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Load(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fleet, p.Units()); diff != "" {
		t.Error(diff)
	}
}

func TestEachMistakeIsToldWithItsKeyItsValueAndWhatIsAllowed(t *testing.T) {
	const (
		again     = "; run make build, or give a release's remediator-arm64.zip"
		rolesHint = `is not allowed; allowed: ARNs of IAM roles, in which * and ? stand for others, as arn:aws:iam::*:role/eks-addons/*; the role's name needs a letter or a digit`
		unitsHint = `is not allowed; allowed: IDs of organisational units or roots, as ou-exam-12345678,r-exam`
		emailHint = `is not allowed; allowed: one e-mail address, as oncall@example.com`
	)
	for name, c := range map[string]struct {
		context map[string]any
		want    []string
	}{
		"a key that is misspelt": {map[string]any{"organisation": "o-exampleorgid"}, []string{
			`context "organisation": unknown key; did you mean organization? allowed: accessEntries, account, bulkConcurrency, email, externalId, functionSecurityGroups, functionSubnets, logDays, logLevel, managementAccount, organization, organizationalUnits, passRoles, policy, region, updates, urgentConcurrency, zip`}},
		"no policy":                     {map[string]any{"policy": ""}, []string{"context policy: is missing; give the file with the policy, as policy.yaml"}},
		"a policy that is not there":    {map[string]any{"policy": "nowhere.yaml"}, []string{"context policy: nowhere.yaml: there is no such file; docs/policy.md says what a policy is"}},
		"a policy that may not be read": {map[string]any{"policy": "secret.yaml"}, []string{"context policy: secret.yaml: permission denied; docs/policy.md says what a policy is"}},
		"a policy with mistakes has each with its line": {map[string]any{"policy": "wrong.yaml"}, []string{
			`wrong.yaml:2: fleet[0].account: "one" is not an account; allowed: twelve digits, as "111122223333"`,
			`wrong.yaml:3: defaults.mode: "all" is not a value of mode`}},
		"a fleet in another partition": {map[string]any{"policy": "american.yaml"}, []string{
			"context policy: american.yaml: the fleet has 111122223333 in us-gov-west-1, which the hub in eu-central-1 cannot reach; deploy a hub in each partition of AWS"}},
		"no e-mail address":              {map[string]any{"email": ""}, []string{"context email: is missing; give one e-mail address, as oncall@example.com"}},
		"an e-mail address without @":    {map[string]any{"email": "oncall"}, []string{`context email: "oncall" ` + emailHint}},
		"an e-mail address with a name":  {map[string]any{"email": "On call <oncall@example.com>"}, []string{`context email: "On call <oncall@example.com>" ` + emailHint}},
		"two e-mail addresses":           {map[string]any{"email": "a@example.com,b@example.com"}, []string{`context email: "a@example.com,b@example.com" ` + emailHint}},
		"an e-mail address of no domain": {map[string]any{"email": "oncall@localhost"}, []string{`context email: "oncall@localhost" ` + emailHint}},
		"an organisation by its name":    {map[string]any{"organization": "Example"}, []string{`context organization: "Example" is not allowed; allowed: the ID of an organisation, as o-exampleorgid`}},
		"an OU by its name": {map[string]any{"organization": "o-exampleorgid", "organizationalUnits": "prod,ou-exam-12345678,"}, []string{
			`context organizationalUnits: "prod" ` + unitsHint, `context organizationalUnits: "" ` + unitsHint}},
		"an OU without an organisation": {map[string]any{"organizationalUnits": "ou-exam-12345678"}, []string{
			"context organization: is missing, and required for organizationalUnits; give the ID of the organisation that they are in, as o-exampleorgid"}},
		"a management account that rolls out nothing": {map[string]any{"managementAccount": "true"}, []string{
			"context managementAccount: is true, and there are no organizationalUnits; leave it out: it says who rolls out to them"}},
		"updates without roles": {map[string]any{"updates": "true"}, []string{
			"context passRoles: is missing, and required when updates are enabled; give the roles that the add-on may have, as arn:aws:iam::*:role/eks-addons/*: EKS has them passed on with every update"}},
		"roles without updates": {map[string]any{"passRoles": "arn:aws:iam::*:role/cni"}, []string{
			"context passRoles: is given, and updates are not enabled; leave it out, or give updates=true"}},
		"updates that are on":      {map[string]any{"updates": "on"}, []string{`context updates: "on" is not allowed; allowed: true or false`}},
		"updates that are no text": {map[string]any{"updates": true}, []string{"context updates: true is not text; write it in quotes"}},
		"roles that are all roles": {map[string]any{"updates": "true", "passRoles": "arn:aws:iam::*:role/*-*,*,arn:aws:iam::*:role/*/*"}, []string{
			`context passRoles: "arn:aws:iam::*:role/*-*" ` + rolesHint, `context passRoles: "*" ` + rolesHint, `context passRoles: "arn:aws:iam::*:role/*/*" ` + rolesHint}},
		"roles that are a user": {map[string]any{"updates": "true", "passRoles": "arn:aws:iam::111122223333:user/cni"}, []string{
			`context passRoles: "arn:aws:iam::111122223333:user/cni" ` + rolesHint}},
		"roles of another partition": {map[string]any{"updates": "true", "passRoles": "arn:aws-cn:iam::*:role/cni"}, []string{
			`context passRoles: "arn:aws-cn:iam::*:role/cni" is in another partition than the hub; allowed: arn:aws:…`}},
		"an external ID with a space":     {map[string]any{"externalId": "a b"}, []string{`context externalId: "a b" is not allowed; allowed: 2 to 1224 letters, digits and _ + = , . @ : / -`}},
		"an external ID that is too long": {map[string]any{"externalId": strings.Repeat("a", 1225)}, []string{`context externalId: "` + strings.Repeat("a", 100) + `" is not allowed;`}},
		"a concurrency of nothing": {map[string]any{"urgentConcurrency": "0", "bulkConcurrency": "01"}, []string{
			`context urgentConcurrency: "0" is not allowed; allowed: a whole number from 1, as 5`, `context bulkConcurrency: "01" is not allowed; allowed: a whole number from 1, as 5`}},
		"days that CloudWatch does not know": {map[string]any{"logDays": "91"}, []string{
			`context logDays: "91" is not allowed; allowed: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653`}},
		"a level that there is not": {map[string]any{"logLevel": "INFO"}, []string{`context logLevel: "INFO" is not allowed; allowed: debug, info, warn or error`}},
		"a zip that was not built":  {map[string]any{"zip": "dist/none.zip"}, []string{"context zip: dist/none.zip: there is no such file" + again}},
		"a zip that is none":        {map[string]any{"zip": "empty.zip"}, []string{"context zip: empty.zip: read zip: zip: not a valid zip file" + again}},
		"an account by its name":    {map[string]any{"account": "prod"}, []string{`context account: "prod" is not allowed; allowed: twelve digits, as "111122223333"`}},
		"a region by its place":     {map[string]any{"region": "Frankfurt"}, []string{`context region: "Frankfurt" is not allowed; allowed: a region, as eu-central-1`}},
		"mistakes in all places are told at once": {map[string]any{"email": "x", "policy": "wrong.yaml", "zip": "dist/none.zip", "updates": "true", "zone": "x"}, []string{
			`context email: "x" ` + emailHint, `context "zone": unknown key;`, "context passRoles: is missing", "wrong.yaml:2: ", "wrong.yaml:3: ", "context zip: dist/none.zip"}},
		"a value with control characters is quoted": {map[string]any{"logLevel": "a\x1b[31m\nb"}, []string{`context logLevel: "a\x1b[31m\nb" is not allowed`}},
	} {
		t.Run(name, func(t *testing.T) {
			tellsMistakes(t, c.context, c.want)
		})
	}
}

func TestWithoutCredentialsTheHubMustBeGiven(t *testing.T) {
	_, err := settings.Read(settings.Source{Context: least, ReadFile: files(t)})
	want := "context account: is not known; sign in to AWS (aws sts get-caller-identity says where), or give the hub's account to synthesize without\n" +
		"context region: is not known; set AWS_REGION, or give the hub's region"
	if err == nil || err.Error() != want {
		t.Errorf("have\n%v\nwant\n%s", err, want)
	}
	_, err = settings.Read(settings.Source{Context: with(map[string]any{"account": "1", "region": "x"}), ReadFile: files(t)})
	if err == nil || strings.Contains(err.Error(), "is not known") || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("a hub that is given with mistakes has a line for each:\n%v", err)
	}
}

// The same fleet cannot be reached from one partition and can from its own.
func TestTheHubsRegionDecidesItsPartition(t *testing.T) {
	context := map[string]any{"policy": "chinese.yaml", "region": "cn-north-1", "updates": "true", "passRoles": "arn:aws-cn:iam::*:role/cni"}
	if _, err := settings.Read(settings.Source{Context: with(context), Known: hub, ReadFile: files(t)}); err != nil {
		t.Error(err)
	}
}

func TestNothingAtAllIsAListOfMistakes(t *testing.T) {
	_, err := settings.Read(settings.Source{ReadFile: func(string) ([]byte, error) { return nil, errors.New("no disk") }})
	for _, want := range []string{"context policy: is missing", "context email: is missing", "context account: is not known", "context region: is not known", "context zip: dist/remediator-arm64.zip: no disk"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nlacks %s", err, want)
		}
	}
}

// What is deployed on a later day than it was checked on is checked again.
func TestAnExemptionThatIsOverIsNotDeployed(t *testing.T) {
	for now, want := range map[string]string{
		"2027-01-31T23:00:00Z": "",
		"2027-02-01T00:00:00Z": "exempt.yaml:9: exemptions[0].until: 2027-01-31 is over",
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		_, err = settings.Read(settings.Source{Context: with(map[string]any{"policy": "exempt.yaml"}), Known: hub, ReadFile: files(t), Now: at})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("at %s: %v", now, err)
		}
	}
}
