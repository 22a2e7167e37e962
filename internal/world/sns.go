package world

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// snsCalls are the simulated operations of SNS. A topic that is throttled or whose key denies access is a Fault with the
// code Throttled or KMSAccessDenied.
func snsCalls() map[string]handler {
	return map[string]handler{"Publish": on((*World).publishMessage)}
}

// Limits of Publish (API reference, Publish; the subject's has also been given as "less than 100 characters").
const (
	longestSubject = 100       // characters
	largestMessage = 256 << 10 // bytes, with the attributes
)

func (w *World) publishMessage(c *Call, in *sns.PublishInput) (*sns.PublishOutput, error) {
	topic, err := w.topic(c, in)
	if err == nil {
		err = checkMessage(in)
	}
	if err != nil {
		return nil, err
	}
	taken := *in
	taken.TopicArn, taken.TargetArn = aws.String(topic), nil
	w.told(c.Principal, &taken)
	return &sns.PublishOutput{MessageId: aws.String(w.uuid())}, nil
}

// told notes a message that SNS took; its Data is the *sns.PublishInput, which must not be changed.
func (w *World) told(by string, in *sns.PublishInput) {
	if w.noted() {
		w.note(Entry{At: w.Now(), Kind: Published, What: *in.TopicArn, Text: "by " + by + ": " + aws.ToString(in.Subject), Data: in})
	}
}

func badParameter(format string, args ...any) error {
	return &types.InvalidParameterException{Message: aws.String("Invalid parameter: " + fmt.Sprintf(format, args...))}
}

// topic is the topic that a message goes to. A client reaches the topics of its own region only.
func (w *World) topic(c *Call, in *sns.PublishInput) (string, error) {
	arn := aws.ToString(in.TopicArn)
	if in.TopicArn == nil {
		arn = aws.ToString(in.TargetArn)
	}
	switch {
	case in.PhoneNumber != nil || (in.TopicArn != nil && in.TargetArn != nil):
		return "", badParameter("TopicArn Reason: exactly one of TopicArn and TargetArn is simulated, and no PhoneNumber")
	case !isTopic(arn) || strings.Split(arn, ":")[3] != c.Region:
		return "", badParameter("TopicArn Reason: An ARN of a topic in %s is needed", c.Region)
	case strings.HasSuffix(arn, ".fifo"):
		return "", badParameter("TopicArn Reason: FIFO topics are not simulated")
	case w.spec.Topics != nil && !slices.Contains(w.spec.Topics, arn):
		return "", &types.NotFoundException{Message: aws.String("Topic does not exist")}
	}
	return arn, nil
}

// isTopic reports whether a text has the form of a topic's ARN.
func isTopic(arn string) bool {
	parts := strings.Split(arn, ":")
	return len(parts) == 6 && parts[0] == "arn" && parts[2] == "sns" && parts[3] != "" && parts[4] != "" && parts[5] != ""
}

func checkMessage(in *sns.PublishInput) error {
	message := aws.ToString(in.Message)
	size := len(message)
	for name, a := range in.MessageAttributes {
		size += len(name) + len(aws.ToString(a.DataType)) + len(aws.ToString(a.StringValue)) + len(a.BinaryValue)
		if aws.ToString(a.StringValue) == "" && len(a.BinaryValue) == 0 {
			return badParameter("The message attribute '%s' must contain non-empty message attribute value", name)
		}
	}
	switch {
	case message == "":
		return badParameter("Empty message")
	case size > largestMessage:
		return badParameter("Message too long")
	case !utf8.ValidString(message):
		return badParameter("Message Reason: it is not UTF-8")
	case in.Subject != nil && !isSubject(*in.Subject):
		return badParameter("Subject")
	case in.MessageStructure == nil:
		return nil
	case *in.MessageStructure != "json":
		return badParameter("MessageStructure Reason: only json is known")
	}
	return checkStructure(message)
}

// isSubject reports whether SNS takes a text as a subject.
func isSubject(s string) bool {
	first, _ := utf8.DecodeRuneInString(s)
	return s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= longestSubject &&
		!strings.ContainsFunc(s, unicode.IsControl) && !unicode.IsSpace(first)
}

// checkStructure holds a message against what MessageStructure json needs: an object with a text under "default".
func checkStructure(message string) error {
	var byProtocol map[string]any
	if json.Unmarshal([]byte(message), &byProtocol) != nil {
		return badParameter("Message Structure - JSON message body failed to parse")
	}
	if _, ok := byProtocol["default"].(string); !ok {
		return badParameter("Message Structure - No default entry in JSON message body")
	}
	return nil
}
