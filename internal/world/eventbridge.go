package world

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"
)

// eventbridgeCalls are the simulated operations of EventBridge.
func eventbridgeCalls() map[string]handler {
	return map[string]handler{"PutEvents": on((*World).putEvents)}
}

// Limits of PutEvents (API reference, PutEvents; EventBridge user guide, "Calculating PutEvents event entry size").
const (
	mostEntries = 10
	entrySize   = 1 << 20 // bytes of all entries together; more is refused
)

// envelope is an event as EventBridge delivers it.
type envelope struct {
	Version    string          `json:"version"`
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Time       time.Time       `json:"time"`
	Region     string          `json:"region"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

// promise is what EventBridge promises of an event's delivery (EventBridge reference, "Event delivery level").
type promise int

const (
	bestEffort promise = iota // it may be lost
	durable                   // it arrives at least once
	forwarded                 // it arrives where it happened; the way to the hub may be broken: Behaviour.AlarmEventsLost
)

// loses draws whether an event never arrives.
func (w *World) loses(p promise) bool {
	switch p {
	case bestEffort:
		return w.chance(w.spec.Behaviour.EventsLost)
	case forwarded:
		return w.chance(w.spec.Behaviour.AlarmEventsLost)
	}
	return false
}

func (w *World) openEventBridge() {
	for _, e := range w.spec.Events {
		w.at(e.At, func() {
			w.publish(envelope{
				DetailType: e.Type, Source: e.Source, Account: cmp.Or(e.Account, w.spec.Hub.Account), Region: cmp.Or(e.Region, w.spec.Hub.Region),
				Resources: e.Resources, Detail: json.RawMessage(e.Detail),
			}, durable)
		})
	}
}

// publish puts an event on the hub's bus, which events of every account and region reach: the forwarding rules of the members
// are not simulated as such. It gives it an id, and the present as its time where it has none. Functions with a rule
// that it matches get it, perhaps twice and perhaps late, so that events overtake each other; a best-effort one perhaps never.
func (w *World) publish(e envelope, p promise) string {
	e.Version, e.ID = "0", w.uuid()
	if e.Time.IsZero() {
		e.Time = w.clock.Now()
	}
	e.Time = e.Time.UTC().Truncate(time.Second)
	if e.Resources == nil {
		e.Resources = []string{}
	}
	raw := encode(e) // PutEvents and Spec.Validate let only valid JSON through
	w.sent(e, raw, "published", "")
	if w.loses(p) {
		w.sent(e, raw, "lost", "")
		return e.ID
	}
	for _, fn := range w.lambda.functions {
		for _, rule := range fn.Rules {
			if rule.Pattern.Matches(raw) {
				w.deliver(e, raw, fn.Name)
			}
		}
	}
	return e.ID
}

// deliver takes an event to a function, once or twice.
func (w *World) deliver(e envelope, raw []byte, function string) {
	copies := 1
	if w.chance(w.spec.Behaviour.EventsDoubled) {
		copies = 2
	}
	for range copies {
		w.clock.After(w.between(0, w.spec.Behaviour.EventsDelayedMax), func() {
			w.sent(e, raw, "delivered", " to "+function)
			_ = w.Invoke(function, slices.Clone(raw)) // the function is there: its rule matched
		})
	}
}

// sent notes what became of an event.
func (w *World) sent(e envelope, raw []byte, what, where string) {
	if w.noted() {
		w.note(Entry{At: w.Now(), Kind: Sent, What: what, Text: e.Source + ", " + e.DetailType + ", " + e.ID + where, Data: raw})
	}
}

func (w *World) putEvents(c *Call, in *eventbridge.PutEventsInput) (*eventbridge.PutEventsOutput, error) {
	size := 0
	for _, e := range in.Entries {
		size += sizeOf(e)
	}
	switch {
	case len(in.Entries) == 0 || len(in.Entries) > mostEntries:
		return nil, refused(fmt.Sprintf("1 validation error detected: Value at 'entries' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d and greater than or equal to 1", mostEntries))
	case in.EndpointId != nil:
		return nil, refused("Global endpoints are not simulated.")
	case size >= entrySize:
		return nil, refused("Total size of the entries in the request is over the limit.")
	}
	out := &eventbridge.PutEventsOutput{}
	for _, e := range in.Entries {
		result := w.putEntry(c, e)
		if result.ErrorCode != nil {
			out.FailedEntryCount++
		}
		out.Entries = append(out.Entries, result)
	}
	return out, nil
}

// putEntry publishes one entry, or says in its result why not: the call succeeds nevertheless.
func (w *World) putEntry(c *Call, e types.PutEventsRequestEntry) types.PutEventsResultEntry {
	failed := func(code, message string) types.PutEventsResultEntry {
		return types.PutEventsResultEntry{ErrorCode: aws.String(code), ErrorMessage: aws.String(message)}
	}
	source, detailType, detail := aws.ToString(e.Source), aws.ToString(e.DetailType), aws.ToString(e.Detail)
	switch {
	case source == "":
		return failed("InvalidArgument", "Parameter Source is not valid. Reason: Source is a required argument.")
	case detailType == "":
		return failed("InvalidArgument", "Parameter DetailType is not valid. Reason: DetailType is a required argument.")
	case detail == "":
		return failed("InvalidArgument", "Parameter Detail is not valid. Reason: Detail is a required argument.")
	case strings.HasPrefix(source, "aws."):
		return failed("NotAuthorizedForSourceException", "Not authorized for the source.")
	case !isObject(detail):
		return failed("MalformedDetail", "Detail is malformed.")
	case w.chance(w.spec.Behaviour.EntriesFailed):
		return failed("InternalFailure", "The request processing has failed because of an unknown error, exception or failure.")
	}
	id := w.publish(envelope{
		DetailType: detailType, Source: source, Account: c.Account, Region: c.Region, Time: aws.ToTime(e.Time),
		Resources: e.Resources, Detail: json.RawMessage(detail),
	}, durable)
	return types.PutEventsResultEntry{EventId: aws.String(id)}
}

// sizeOf is the size of an entry as EventBridge counts it, in bytes.
func sizeOf(e types.PutEventsRequestEntry) int {
	size := len(aws.ToString(e.Source)) + len(aws.ToString(e.DetailType)) + len(aws.ToString(e.Detail))
	if e.Time != nil {
		size += 14
	}
	for _, r := range e.Resources {
		size += len(r)
	}
	return size
}

func isObject(text string) bool {
	return json.Valid([]byte(text)) && strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{")
}

func refused(message string) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Message: message, Fault: smithy.FaultClient}
}
