package hub

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/cniguard/cniguard/internal/event"
)

// Failure is an event that was not handled, as the failure queue holds it. Texts of others are in it.
type Failure struct {
	ID       string    `json:"id"`                 // of the message
	At       time.Time `json:"at"`                 // when it came into the queue
	Function string    `json:"function,omitempty"` // ARN of the function that the event was for; empty: nobody knows
	From     string    `json:"from"`               // who gave it up: Lambda, a rule or a schedule
	Event    string    `json:"event"`              // source and detail-type
	Asks     string    `json:"asks"`               // what it asks for, or why it cannot be read
	Error    string    `json:"error"`
	Payload  []byte    `json:"-"` // the event itself
	receipt  string
}

// record is what Lambda's on-failure destination gets (Lambda developer guide, "Capturing records of Lambda asynchronous
// invocations"). There is no response where the event grew too old before the function ran.
type record struct {
	Request struct {
		Function  string `json:"functionArn"`
		Condition string `json:"condition"`
		Tries     int    `json:"approximateInvokeCount"`
	} `json:"requestContext"`
	Payload  json.RawMessage `json:"requestPayload"`
	Response struct {
		Message string `json:"errorMessage"`
	} `json:"responsePayload"`
}

// failureOf reads a message of the queue: a record of Lambda, or an event that a rule or a schedule could not deliver, which says in
// attributes why (EventBridge user guide, "Using dead-letter queues"; EventBridge Scheduler user guide, "Configuring a dead-letter
// queue"). What is neither is kept as it is.
func failureOf(m types.Message) Failure {
	body := []byte(aws.ToString(m.Body))
	sent, _ := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64) // 0 of a queue that does not say it
	f := Failure{ID: aws.ToString(m.MessageId), At: time.UnixMilli(sent).UTC(), Payload: body, receipt: aws.ToString(m.ReceiptHandle)}
	attribute := func(name string) string { return aws.ToString(m.MessageAttributes[name].StringValue) }
	var r record
	switch {
	case attribute("TARGET_ARN") != "":
		f.Function, f.From = attribute("TARGET_ARN"), cmp.Or(attribute("RULE_ARN"), attribute("SCHEDULE_ARN"))
		f.Error = strings.Trim(attribute("ERROR_CODE")+": "+attribute("ERROR_MESSAGE"), ": ")
	case json.Unmarshal(body, &r) == nil && r.Request.Function != "" && len(r.Payload) > 0:
		f.Function, f.From, f.Payload = r.Request.Function, "Lambda", r.Payload
		f.Error = fmt.Sprintf("%s after %d tries", r.Request.Condition, r.Request.Tries)
		if r.Response.Message != "" {
			f.Error += ": " + r.Response.Message
		}
	default:
		f.From, f.Error = "unknown", "the message is neither a record of Lambda nor an undelivered event"
	}
	f.Event, f.Asks = summary(f.Payload)
	if kind, ok := f.scheduled(); ok {
		f.Event, f.Asks = "none: it was not sent", string(kind)
	}
	return f
}

// summary is where an event is from and what it asks for.
func summary(payload []byte) (from, asks string) {
	var e struct {
		Source string `json:"source"`
		Type   string `json:"detail-type"`
	}
	_ = json.Unmarshal(payload, &e) // Decode says what is wrong with it
	from = cmp.Or(strings.Trim(e.Source+"/"+e.Type, "/"), "unknown")
	t, err := event.Decode(payload)
	switch {
	case err != nil:
		return from, err.Error()
	case t.Kind == event.Check:
		return from, "check of " + t.Cluster.String()
	case t.Kind == event.Sweeping || t.Kind == event.Metering:
		return from, fmt.Sprintf("%s of %s in %s", t.Kind, t.Unit.Account, t.Unit.Region)
	case t.Kind == event.Test:
		return from, "sample for " + t.Channel
	case t.Kind == event.Skip:
		return from, "nothing: " + t.Why
	}
	return from, string(t.Kind)
}

// name is the function's name in its ARN, whose last part may be a version; false for what is no ARN of a function.
func (f Failure) name() (string, bool) {
	parts := strings.Split(f.Function, ":")
	if len(parts) < 7 || parts[2] != "lambda" || parts[5] != "function" {
		return "", false
	}
	return parts[6], true
}

// scheduled is what a schedule of cniguard, which could not send, asks for; false: the event is not from one. A schedule's ARN ends in
// schedule/GROUP/NAME.
func (f Failure) scheduled() (event.Kind, bool) {
	_, path, _ := strings.Cut(f.From, ":schedule/")
	for _, kind := range []event.Kind{event.Tick, event.Meter, event.Sweep} {
		if path == "cniguard/cniguard-"+string(kind) {
			return kind, true
		}
	}
	return "", false
}
