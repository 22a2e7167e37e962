package world_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"

	"github.com/cniguard/cniguard/internal/world"
)

const topic = "arn:aws:sns:eu-central-1:111122223333:ops"

func TestPublish(t *testing.T) {
	long := strings.Repeat("é", 100)
	for name, c := range map[string]struct {
		change func(*sns.PublishInput)
		code   string // empty: taken
	}{
		"a plain message is taken":                        {func(*sns.PublishInput) {}, ""},
		"a subject of 100 characters is taken":            {func(in *sns.PublishInput) { in.Subject = aws.String(long) }, ""},
		"a subject of 101 characters is not":              {func(in *sns.PublishInput) { in.Subject = aws.String(long + "x") }, "InvalidParameter"},
		"an empty subject is not taken":                   {func(in *sns.PublishInput) { in.Subject = aws.String("") }, "InvalidParameter"},
		"a subject with a line break is not taken":        {func(in *sns.PublishInput) { in.Subject = aws.String("a\nb") }, "InvalidParameter"},
		"a subject with an escape character is not taken": {func(in *sns.PublishInput) { in.Subject = aws.String("a\x1bb") }, "InvalidParameter"},
		"a subject that begins with a space is not taken": {func(in *sns.PublishInput) { in.Subject = aws.String(" a") }, "InvalidParameter"},
		"an empty message is not taken":                   {func(in *sns.PublishInput) { in.Message = aws.String("") }, "InvalidParameter"},
		"a message of 256 KiB is taken":                   {func(in *sns.PublishInput) { in.Message = aws.String(strings.Repeat("a", 256<<10)) }, ""},
		"a message of one byte more is not":               {func(in *sns.PublishInput) { in.Message = aws.String(strings.Repeat("a", 256<<10+1)) }, "InvalidParameter"},
		"attributes count for the size":                   {func(in *sns.PublishInput) { in.Message = aws.String(strings.Repeat("a", 256<<10)); attribute(in, "a") }, "InvalidParameter"},
		"an empty attribute is not taken":                 {func(in *sns.PublishInput) { attribute(in, "") }, "InvalidParameter"},
		"a message that is not UTF-8 is not taken":        {func(in *sns.PublishInput) { in.Message = aws.String("\xff") }, "InvalidParameter"},
		"JSON by protocol is taken":                       {structure("json", `{"default":"a","email":"b","http":{"ignored":1}}`), ""},
		"JSON by protocol needs a default":                {structure("json", `{"email":"b"}`), "InvalidParameter"},
		"the default must be a text":                      {structure("json", `{"default":{"a":1}}`), "InvalidParameter"},
		"JSON by protocol must be an object":              {structure("json", `["default"]`), "InvalidParameter"},
		"JSON by protocol must be JSON":                   {structure("json", `{"default":`), "InvalidParameter"},
		"there is no other structure than json":           {structure("yaml", `{"default":"a"}`), "InvalidParameter"},
		"a topic that does not exist is not found":        {func(in *sns.PublishInput) { in.TopicArn = aws.String(topic + "2") }, "NotFound"},
		"a topic of another region is out of reach": {func(in *sns.PublishInput) {
			in.TopicArn = aws.String(strings.Replace(topic, "eu-central-1", "us-east-1", 1))
		}, "InvalidParameter"},
		"the topic's ARN may be given as TargetArn":      {func(in *sns.PublishInput) { in.TopicArn, in.TargetArn = nil, in.TopicArn }, ""},
		"a phone number is not simulated, and not taken": {func(in *sns.PublishInput) { in.TopicArn, in.PhoneNumber = nil, aws.String("+4930") }, "InvalidParameter"},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, 1, func(spec *world.Spec) { spec.Topics = []string{topic} })
			in := &sns.PublishInput{TopicArn: aws.String(topic), Message: aws.String("text")}
			c.change(in)
			s.at(0, func(ctx context.Context, client *world.Client) {
				out, err := client.Publish(ctx, in)
				if code := codeOf(err); code != c.code {
					t.Errorf("%v, want %q", err, c.code)
				}
				if err == nil && aws.ToString(out.MessageId) == "" {
					t.Error("no message id")
				}
			})
			told := s.entries(world.Published, topic)
			if (len(told) == 1) != (c.code == "") {
				t.Fatalf("%d messages in the history", len(told))
			}
			if len(told) == 1 && *told[0].Data.(*sns.PublishInput).Message != *in.Message {
				t.Error("the history has another message")
			}
		})
	}
}

func attribute(in *sns.PublishInput, value string) {
	in.MessageAttributes = map[string]types.MessageAttributeValue{"severity": {DataType: aws.String("String"), StringValue: aws.String(value)}}
}

func structure(kind, message string) func(*sns.PublishInput) {
	return func(in *sns.PublishInput) { in.MessageStructure, in.Message = aws.String(kind), aws.String(message) }
}

func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

func TestATopicThatIsThrottledOrWhoseKeyDenies(t *testing.T) {
	for _, code := range []string{"Throttled", "KMSAccessDenied", "InternalError", "EndpointDisabled"} {
		s := set(t, 1, func(spec *world.Spec) {
			spec.Faults = []world.Fault{{Service: "sns", Code: code, Until: time.Minute}}
		})
		publish := func(ctx context.Context, c *world.Client) error {
			_, err := c.Publish(ctx, &sns.PublishInput{TopicArn: aws.String(topic), Message: aws.String("text")})
			return err
		}
		s.plan(0, func(ctx context.Context, c *world.Client) {
			if err := publish(ctx, c); codeOf(err) != code {
				t.Errorf("%v, want %s", err, code)
			}
		})
		s.at(2*time.Minute, func(ctx context.Context, c *world.Client) {
			if err := publish(ctx, c); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
		if told := s.entries(world.Published, topic); len(told) != 1 {
			t.Errorf("%s: %d messages, want the one afterwards", code, len(told))
		}
	}
}

func TestAPublishedMessageWhoseAnswerIsLostWasPublished(t *testing.T) {
	s := set(t, 1, func(spec *world.Spec) {
		spec.Faults = []world.Fault{{Service: "sns", Code: "ConnectionReset", After: true, Times: 1}}
	})
	s.at(0, func(ctx context.Context, c *world.Client) {
		_, _ = c.Publish(ctx, &sns.PublishInput{TopicArn: aws.String(topic), Message: aws.String("text")})
	})
	s.until(time.Minute)
	if told := s.entries(world.Published, topic); len(told) != 2 {
		t.Errorf("%d messages, want the one whose answer was lost and the SDK's retry", len(told))
	}
}
