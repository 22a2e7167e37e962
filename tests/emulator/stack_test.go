package emulator_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// bootstrap is what `cdk bootstrap` leaves in an account and region, as far as a deployment needs it: a bucket for assets, and the
// number of its version.
const bootstrap = `{"Resources": {
	"Assets": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"}}},
	"Version": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/cdk-bootstrap/hnb659fds/version", "Type": "String", "Value": "30"}}
}}`

// deployHub does with the assembly what `cdk deploy cniguard` does: it uploads the assets and creates the stack from its template,
// which is altered where the emulator is not as AWS is.
func (e *emulator) deployHub(assembly string) {
	e.Helper()
	cfg := e.as(hub)
	e.create(cfg, "CDKToolkit", bootstrap)
	var manifest struct {
		Files map[string]struct {
			Source       struct{ Path string }
			Destinations map[string]struct{ BucketName, ObjectKey string }
		}
	}
	read(e.T, filepath.Join(assembly, "cniguard.assets.json"), &manifest)
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	var url string
	for _, file := range manifest.Files {
		content, err := os.ReadFile(filepath.Join(assembly, file.Source.Path))
		if err != nil {
			e.Fatal(err)
		}
		isTemplate := strings.HasSuffix(file.Source.Path, ".template.json")
		if isTemplate {
			content = e.altered(content, region)
		}
		for _, to := range file.Destinations {
			if _, err := client.PutObject(e.Context(), &s3.PutObjectInput{Bucket: &to.BucketName, Key: &to.ObjectKey, Body: bytes.NewReader(content)}); err != nil {
				e.Fatalf("upload %s: %v", file.Source.Path, err)
			}
			if isTemplate {
				url = "https://s3." + region + ".amazonaws.com/" + to.BucketName + "/" + to.ObjectKey
			}
		}
	}
	e.createStack(cfg, &cloudformation.CreateStackInput{StackName: aws.String("cniguard"), TemplateURL: &url})
}

// deployMember creates the member's stack from its template, as it is handed to accounts that the CDK does not reach.
func (e *emulator) deployMember(cfg aws.Config, assembly string) {
	e.Helper()
	template, err := os.ReadFile(filepath.Join(assembly, "cniguard-member.template.json"))
	if err != nil {
		e.Fatal(err)
	}
	e.create(cfg, "cniguard-member", string(e.altered(template, cfg.Region)))
}

// create creates a stack and waits until it is there.
func (e *emulator) create(cfg aws.Config, name, template string) {
	e.Helper()
	e.createStack(cfg, &cloudformation.CreateStackInput{StackName: &name, TemplateBody: &template})
}

func (e *emulator) createStack(cfg aws.Config, in *cloudformation.CreateStackInput) {
	e.Helper()
	client := cloudformation.NewFromConfig(cfg)
	in.Capabilities = []types.Capability{types.CapabilityCapabilityNamedIam}
	if _, err := client.CreateStack(e.Context(), in); err != nil {
		e.Fatalf("create stack %s: %v", *in.StackName, err)
	}
	var stack types.Stack
	eventually(e.T, "stack "+*in.StackName+" is created or not", func() bool {
		out, err := client.DescribeStacks(e.Context(), &cloudformation.DescribeStacksInput{StackName: in.StackName})
		if err != nil {
			e.Fatal(err)
		}
		stack = out.Stacks[0]
		return !strings.HasSuffix(string(stack.StackStatus), "_IN_PROGRESS")
	})
	if stack.StackStatus != types.StackStatusCreateComplete {
		e.Fatalf("create stack %s: %s %s: %v", *in.StackName, stack.StackStatus, aws.ToString(stack.StackStatusReason), e.failures(client, in.StackName))
	}
}

func (e *emulator) failures(client *cloudformation.Client, stack *string) (all error) {
	e.Helper()
	events, err := client.DescribeStackEvents(e.Context(), &cloudformation.DescribeStackEventsInput{StackName: stack})
	if err != nil {
		e.Fatal(err)
	}
	for _, ev := range events.StackEvents {
		if ev.ResourceStatus == types.ResourceStatusCreateFailed {
			all = errors.Join(all, errors.New(aws.ToString(ev.LogicalResourceId)+": "+aws.ToString(ev.ResourceStatusReason)))
		}
	}
	return all
}

// altered is a template as the emulator can have it.
func (e *emulator) altered(template []byte, region string) []byte {
	e.Helper()
	var tree map[string]any
	if err := json.Unmarshal(template, &tree); err != nil {
		e.Fatal(err)
	}
	for _, l := range lacks() {
		if l.alter != nil {
			l.alter(tree, region)
		}
	}
	out, err := json.Marshal(tree)
	if err != nil {
		e.Fatal(err)
	}
	return out
}
