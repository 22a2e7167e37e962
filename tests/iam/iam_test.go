package iam_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/tests/iam"
)

var here = iam.Place{Partition: "aws", Region: "eu-central-1", Account: "111122223333"}

const template = `{
 "Parameters": {"Home": {"Type": "String", "Default": "eu-central-1"}},
 "Conditions": {"AtHome": {"Fn::Equals": [{"Ref": "AWS::Region"}, {"Ref": "Home"}]}},
 "Resources": {
  "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "cniguard"}},
  "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "told"}},
  "Role": {"Type": "AWS::IAM::Role", "Condition": "AtHome", "Properties": {"RoleName": "worker",
   "AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
     "Principal": {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::444455556666:root"}},
     "Condition": {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::444455556666:role/boss"}}}]},
   "Policies": [{"PolicyName": "own", "PolicyDocument": {"Statement": [
     {"Sid": "Publish", "Effect": "Allow", "Action": "sns:Publish", "Resource": {"Ref": "Topic"}},
     {"Effect": "Allow", "Action": ["dynamodb:Get*", "dynamodb:Query"], "Resource": [{"Fn::GetAtt": ["Table", "Arn"]}, {"Fn::Join": ["", [{"Fn::GetAtt": ["Table", "Arn"]}, "/index/*"]]}]}
   ]}}]}},
  "Attached": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "attached", "Roles": [{"Ref": "Role"}], "PolicyDocument": {"Statement": [
     {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": {"Fn::GetAtt": ["Table", "Arn"]}},
     {"Sid": "NotHalt", "Effect": "Deny", "Action": "dynamodb:PutItem", "Resource": "*", "Condition": {"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": ["HALT", "ORDER#*"]}}},
     {"Effect": "Allow", "Action": "eks:UpdateAddon", "Resource": {"Fn::Sub": "arn:${AWS::Partition}:eks:*:${AWS::AccountId}:addon/*/vpc-cni/*"}}
   ]}}},
  "People": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"ManagedPolicyName": "people", "PolicyDocument": {"Statement": {
     "Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": {"Fn::GetAtt": ["Table", "Arn"]},
     "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["ORDER#${aws:userid}"]}, "Null": {"dynamodb:LeadingKeys": "false"}}}}}}
 }}`

func read(t *testing.T, text string, at iam.Place) *iam.Template {
	t.Helper()
	tpl, err := iam.Read([]byte(text), at)
	if err != nil {
		t.Fatal(err)
	}
	return tpl
}

func worker(t *testing.T) iam.Role {
	t.Helper()
	roles, err := read(t, template, here).Roles()
	if err != nil {
		t.Fatal(err)
	}
	return roles["worker"]
}

func TestARoleMayDoWhatAStatementAllowsAndNoneDenies(t *testing.T) {
	table := "arn:aws:dynamodb:eu-central-1:111122223333:table/cniguard"
	keys := func(k ...string) map[string][]string { return map[string][]string{"dynamodb:LeadingKeys": k} }
	for name, c := range map[string]struct {
		q    iam.Request
		want string // the statement that decides, with its word
	}{
		"what a statement allows":                 {iam.Request{Action: "sns:Publish", Resource: "arn:aws:sns:eu-central-1:111122223333:told"}, "allow own.Publish"},
		"another resource":                        {iam.Request{Action: "sns:Publish", Resource: "arn:aws:sns:eu-central-1:111122223333:other"}, "deny"},
		"actions are compared without case":       {iam.Request{Action: "SNS:publish", Resource: "arn:aws:sns:eu-central-1:111122223333:told"}, "allow own.Publish"},
		"an action by its pattern":                {iam.Request{Action: "dynamodb:GetItem", Resource: table}, "allow own#1"},
		"a resource by its pattern":               {iam.Request{Action: "dynamodb:Query", Resource: table + "/index/due"}, "allow own#1"},
		"an action that nobody speaks of":         {iam.Request{Action: "dynamodb:DeleteItem", Resource: table}, "deny"},
		"an attached policy":                      {iam.Request{Action: "dynamodb:PutItem", Resource: table, Context: keys("UNIT#1")}, "allow attached#0"},
		"a denial beats a permission":             {iam.Request{Action: "dynamodb:PutItem", Resource: table, Context: keys("HALT")}, "deny attached.NotHalt"},
		"a denial of one among several keys":      {iam.Request{Action: "dynamodb:PutItem", Resource: table, Context: keys("UNIT#1", "ORDER#x")}, "deny attached.NotHalt"},
		"ForAnyValue of an absent key is false":   {iam.Request{Action: "dynamodb:PutItem", Resource: table}, "allow attached#0"},
		"a star reaches over slashes":             {iam.Request{Action: "eks:UpdateAddon", Resource: "arn:aws:eks:us-east-1:111122223333:addon/a/b/vpc-cni/1"}, "allow attached#2"},
		"a star does not make up for other parts": {iam.Request{Action: "eks:UpdateAddon", Resource: "arn:aws:eks:us-east-1:111122223333:addon/a/coredns/1"}, "deny"},
	} {
		t.Run(name, func(t *testing.T) {
			allowed, by := worker(t).Allows(c.q)
			have := map[bool]string{true: "allow", false: "deny"}[allowed]
			if by != nil {
				have += " " + by.ID
			}
			if have != c.want {
				t.Errorf("%s, want %s", have, c.want)
			}
		})
	}
}

func TestARoleOfAnotherRegionDoesNotExist(t *testing.T) {
	at := here
	at.Region = "us-east-1"
	roles, err := read(t, template, at).Roles()
	if err != nil || len(roles) > 0 {
		t.Errorf("%v, %v", roles, err)
	}
	at.Parameters = map[string]string{"Home": "us-east-1"}
	if roles, err = read(t, template, at).Roles(); err != nil || len(roles) != 1 {
		t.Errorf("%v, %v", roles, err)
	}
}

func TestWhoMayAssumeARoleIsRead(t *testing.T) {
	want := []iam.Trust{{
		Actions: []string{"sts:AssumeRole"}, Principals: []string{"arn:aws:iam::444455556666:root"},
		Conditions: []iam.Condition{{Operator: "ArnEquals", Key: "aws:PrincipalArn", Values: []string{"arn:aws:iam::444455556666:role/boss"}}},
	}}
	if diff := cmp.Diff(want, worker(t).Trust); diff != "" {
		t.Error(diff)
	}
}

func TestARoleAdmitsOnlyWhomItTrusts(t *testing.T) {
	for caller, want := range map[string]bool{
		"arn:aws:iam::444455556666:role/boss":  true,
		"arn:aws:iam::444455556666:role/other": false,
		"arn:aws:iam::111122223333:role/boss":  false,
		"":                                     false,
	} {
		q := iam.Request{Action: "sts:AssumeRole", Context: map[string][]string{"aws:PrincipalArn": {caller}}}
		if have := worker(t).Admits(q); have != want {
			t.Errorf("%q: %v", caller, have)
		}
	}
	if worker(t).Admits(iam.Request{Action: "sts:TagSession", Context: map[string][]string{"aws:PrincipalArn": {"arn:aws:iam::444455556666:role/boss"}}}) {
		t.Error("an action that the trust policy does not name")
	}
}

func TestAManagedPolicyKnowsWhoCalls(t *testing.T) {
	policies, err := read(t, template, here).Policies()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		keys []string
		want bool
	}{
		"the caller's own key":        {[]string{"ORDER#AROA:ann"}, true},
		"another's key":               {[]string{"ORDER#AROA:bob"}, false},
		"the own key and another's":   {[]string{"ORDER#AROA:ann", "ORDER#AROA:bob"}, false},
		"no key, as a table scan has": {nil, false},
		"the variable itself":         {[]string{"ORDER#${aws:userid}"}, false},
	} {
		q := iam.Request{
			Action: "dynamodb:PutItem", Resource: "arn:aws:dynamodb:eu-central-1:111122223333:table/cniguard",
			Context: map[string][]string{"dynamodb:LeadingKeys": c.keys, "aws:userid": {"AROA:ann"}},
		}
		if have := slices.ContainsFunc(policies["people"], func(s iam.Statement) bool { return s.Allow && s.Covers(q) }); have != c.want {
			t.Errorf("%s: %v", name, have)
		}
	}
}

func TestWhatIsNotKnownIsAnError(t *testing.T) {
	for old, changed := range map[string]string{
		`"ForAnyValue:StringLike"`:                              `"NumericLessThan"`,
		`"Action": "sns:Publish", "Resource"`:                   `"NotAction": "sns:Publish", "Resource"`,
		`"RoleName": "worker"`:                                  `"RoleName": "worker", "ManagedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"]`,
		`"Action": "sns:Publish", "Resource": {"Ref": "Topic"}`: `"Action": "sns:Publish", "NotResource": {"Ref": "Topic"}`,
	} {
		broken := strings.Replace(template, old, changed, 1)
		if broken == template {
			t.Fatalf("%s is not in the template", old)
		}
		if _, err := read(t, broken, here).Roles(); err == nil {
			t.Errorf("%s was read", changed)
		}
	}
}
