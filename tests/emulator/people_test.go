package emulator_test

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// byAccount is a trust in everybody whom the hub's account lets assume roles.
const byAccount = `{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "` + hub + `"}}`

// roles is a template of roles by name.
func roles(resources map[string]any) string {
	for name, r := range resources {
		properties, _ := r.(map[string]any)
		properties["RoleName"] = name
		resources[name] = map[string]any{"Type": "AWS::IAM::Role", "Properties": properties}
	}
	template, err := json.Marshal(map[string]any{"Resources": resources})
	if err != nil {
		panic(err) // it holds nothing but texts
	}
	return string(template)
}

// role is one with statements in its trust and, unless empty, in its policy.
func role(trust, allowed string) any {
	properties := map[string]any{"AssumeRolePolicyDocument": document(trust)}
	if allowed != "" {
		properties["Policies"] = []any{map[string]any{"PolicyName": "p", "PolicyDocument": document(allowed)}}
	}
	return properties
}

func document(statement string) any {
	return map[string]any{"Version": "2012-10-17", "Statement": []any{json.RawMessage(statement)}}
}

func arnOf(role string) string { return "arn:aws:iam::" + hub + ":role/" + role }

func assuming(role string) *sts.AssumeRoleInput {
	return &sts.AssumeRoleInput{RoleArn: aws.String(arnOf(role)), RoleSessionName: aws.String("maria")}
}

// assume is the configuration of maria in a role of the hub's account.
func (e *emulator) assume(role string) aws.Config {
	e.Helper()
	out, err := sts.NewFromConfig(e.as(hub)).AssumeRole(e.Context(), assuming(role))
	if err != nil {
		e.Fatalf("assume %s: %v", role, err)
	}
	return e.with(aws.Credentials{
		AccessKeyID: *out.Credentials.AccessKeyId, SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken,
	})
}

// person is the configuration of maria in a role that has one of cniguard's policies for people.
func (s *stage) person(policy string) aws.Config {
	s.Helper()
	properties := map[string]any{
		"AssumeRolePolicyDocument": document(byAccount),
		"ManagedPolicyArns":        []string{"arn:aws:iam::" + hub + ":policy/cniguard-" + policy},
	}
	s.create(s.as(hub), policy, roles(map[string]any{policy: properties}))
	return s.assume(policy)
}

// cniguard runs the command as a person does, and gives what it printed.
func (s *stage) cniguard(who aws.Config, arguments ...string) string {
	s.Helper()
	out, err := s.command(who, arguments...).CombinedOutput()
	if err != nil {
		s.Fatalf("cniguard %s: %v: %s", strings.Join(arguments, " "), err, out)
	}
	return string(out)
}

// command is the command as a person starts it.
func (s *stage) command(who aws.Config, arguments ...string) *exec.Cmd {
	s.Helper()
	c, err := who.Credentials.Retrieve(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	command := exec.CommandContext(s.Context(), filepath.Join(s.assembly, "work", "cniguard"), arguments...)
	command.Env = []string{
		"HOME=" + s.TempDir(), "AWS_REGION=" + region, "AWS_ENDPOINT_URL=" + s.door,
		"AWS_ACCESS_KEY_ID=" + c.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + c.SecretAccessKey, "AWS_SESSION_TOKEN=" + c.SessionToken,
	}
	return command
}
