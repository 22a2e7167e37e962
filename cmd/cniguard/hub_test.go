package main

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

// hubNow is AWS's time at the simulated hub.
var hubNow = time.Date(2025, 3, 5, 12, 0, 0, 0, time.UTC)

// served is AWS as the command sees it: a table, a queue, and everything else that is asked of the hub, over the wire.
type served struct {
	fixed     map[string]string // answers of operations that only look, as their service sends them
	mu        sync.Mutex
	items     map[string]map[string]any // by pk and sk, as DynamoDB's JSON
	queue     []map[string]any
	hidden    map[string]bool // receipts of messages that are hidden
	refuse    map[string]string
	outcomes  map[string]string // of samples, by channel, as the ledger has them; none: the function does not get the event
	mute      bool              // no event of an alarm comes
	abandoned cbor.List         // alarms that doctors left
	calls     []string          // what was changed, a line each
	answer    map[string]func(body map[string]any) any
}

func newServed() *served {
	s := &served{fixed: healthy(), items: map[string]map[string]any{}, hidden: map[string]bool{}, refuse: map[string]string{}, outcomes: map[string]string{}}
	s.answer = map[string]func(map[string]any) any{
		"GetItem": s.getItem, "PutItem": s.putItem, "Query": s.query, "Scan": s.scan, "BatchGetItem": s.batch,
		"GetQueueUrl": s.queueURL, "ReceiveMessage": s.receive, "ChangeMessageVisibility": s.show, "DeleteMessage": s.remove, "PutEvents": s.putEvents,
	}
	return s
}

// ServeHTTP answers JSON by its target, Lambda by its path, and STS.
func (s *served) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	raw, _ := io.ReadAll(r.Body)
	w.Header().Set("Date", hubNow.Format(http.TimeFormat))
	op := operation(r, string(raw))
	if r.Header.Get("Smithy-Protocol") != "" {
		s.cloudWatch(w, op, raw)
		return
	}
	if code := s.refuse[op]; code != "" {
		w.Header().Set("X-Amzn-Errortype", code)
		w.WriteHeader(http.StatusBadRequest)
		if r.Header.Get("Content-Type") == "application/x-www-form-urlencoded" {
			fmt.Fprintf(w, "<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>it is refused</Message></Error></ErrorResponse>", code)
			return
		}
		fmt.Fprintf(w, `{"__type": %q, "message": "it is refused"}`, code)
		return
	}
	switch answer, fixed := s.fixed[op]; {
	case fixed:
		fmt.Fprint(w, answer)
	case op == "Invoke":
		s.calls = append(s.calls, fmt.Sprintf("invoke %s %s %s", strings.Split(r.URL.Path, "/")[3], r.Header.Get("X-Amz-Invocation-Type"), raw))
		w.WriteHeader(http.StatusAccepted)
	default:
		var body map[string]any
		_ = json.Unmarshal(raw, &body)                // the SDK writes JSON
		answer, _ := json.Marshal(s.answer[op](body)) // it is made of what JSON was read into
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.Header().Set("X-Amz-Crc32", fmt.Sprint(crc32.ChecksumIEEE(answer))) // DynamoDB's clients look at it
		_, _ = w.Write(answer)                                                // who went away gets no answer
	}
}

// operation is what a request asks for: JSON says it in a header, a form in a field, CloudWatch and Lambda in the path.
func operation(r *http.Request, body string) string {
	if _, op, found := strings.Cut(r.URL.Path, "/operation/"); found {
		return op
	}
	if _, target, found := strings.Cut(r.Header.Get("X-Amz-Target"), "."); found {
		return target[strings.LastIndexByte(target, '.')+1:]
	}
	if form, err := url.ParseQuery(body); err == nil && form.Has("Action") {
		return form.Get("Action")
	}
	if strings.HasSuffix(r.URL.Path, "/invocations") {
		return "Invoke"
	}
	return "GetFunctionConfiguration"
}

// healthy are the answers of a hub in which nothing is wrong.
func healthy() map[string]string {
	return map[string]string{
		"GetCallerIdentity": `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::111122223333:assumed-role/Ops/ana</Arn>` +
			`<UserId>AROAEXAMPLE:ana</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`,
		"GetFunctionConfiguration": `{"State": "Active", "LastModified": "2025-03-01T08:00:00.000+0000"}`,
		"GetQueueAttributes":       `{"Attributes": {"ApproximateNumberOfMessages": "0"}}`,
		"ListSubscriptionsByTopic": `<ListSubscriptionsByTopicResponse><ListSubscriptionsByTopicResult><Subscriptions><member><Protocol>email</Protocol>` +
			`<Endpoint>ops@example.com</Endpoint><SubscriptionArn>arn:aws:sns:eu-central-1:111122223333:cniguard-oncall:1</SubscriptionArn></member>` +
			`</Subscriptions></ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>`,
		"GetTopicAttributes": `<GetTopicAttributesResponse><GetTopicAttributesResult><Attributes><entry><key>KmsMasterKeyId</key><value>k</value></entry>` +
			`</Attributes></GetTopicAttributesResult></GetTopicAttributesResponse>`,
		"DescribeKey": `{"KeyMetadata": {"KeyId": "k", "KeyState": "Enabled"}}`,
		"GetKeyPolicy": `{"Policy": "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::111122223333:root\"},\"Action\":\"kms:*\"},` +
			`{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"cloudwatch.amazonaws.com\"},\"Action\":[\"kms:Decrypt\",\"kms:GenerateDataKey*\"]}]}"}`,
		"DescribeTrails":    `{"trailList": [{"Name": "all", "TrailARN": "arn:aws:cloudtrail:eu-central-1:111122223333:trail/all", "IsOrganizationTrail": true}]}`,
		"GetTrailStatus":    `{"IsLogging": true}`,
		"GetEventSelectors": `{"EventSelectors": [{"IncludeManagementEvents": true, "ReadWriteType": "All"}]}`,
	}
}

func keyOf(item map[string]any) string {
	text := func(name string) string { v, _ := item[name].(map[string]any); s, _ := v["S"].(string); return s }
	return text("pk") + " " + text("sk")
}

func (s *served) getItem(in map[string]any) any {
	if it := s.items[keyOf(in["Key"].(map[string]any))]; it != nil {
		return map[string]any{"Item": it}
	}
	return map[string]any{}
}

func (s *served) putItem(in map[string]any) any {
	it := in["Item"].(map[string]any)
	delete(it, "token") // chance makes it
	s.items[keyOf(it)] = it
	written, _ := json.Marshal(it)
	s.calls = append(s.calls, "put "+string(written))
	return map[string]any{}
}

func (s *served) all(keep func(map[string]any) bool) any {
	found := []map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(s.items)) {
		if keep(s.items[key]) {
			found = append(found, s.items[key])
		}
	}
	return map[string]any{"Items": found, "Count": len(found)}
}

func (s *served) scan(map[string]any) any { return s.all(func(map[string]any) bool { return true }) }

func (s *served) query(in map[string]any) any {
	values := in["ExpressionAttributeValues"].(map[string]any)
	key := "pk"
	if values[":due"] != nil {
		key = "due"
	}
	return s.all(func(it map[string]any) bool { return fmt.Sprint(it[key]) == fmt.Sprint(values[":"+key]) })
}

func (s *served) batch(in map[string]any) any {
	found := []map[string]any{}
	keys := in["RequestItems"].(map[string]any)["cniguard"].(map[string]any)["Keys"].([]any)
	for _, k := range keys {
		found = append(found, s.items[keyOf(k.(map[string]any))])
	}
	return map[string]any{"Responses": map[string]any{"cniguard": found}}
}

func (s *served) queueURL(map[string]any) any {
	return map[string]any{"QueueUrl": "https://sqs.eu-central-1.amazonaws.com/111122223333/cniguard-failed"}
}

func (s *served) receive(map[string]any) any {
	found := []map[string]any{}
	for _, m := range s.queue {
		if id := m["MessageId"].(string); !s.hidden[id] && len(found) < 2 {
			s.hidden[id] = true
			m["ReceiptHandle"] = id
			found = append(found, m)
		}
	}
	return map[string]any{"Messages": found}
}

func (s *served) show(in map[string]any) any {
	delete(s.hidden, in["ReceiptHandle"].(string))
	return map[string]any{}
}

func (s *served) remove(in map[string]any) any {
	s.queue = slices.DeleteFunc(s.queue, func(m map[string]any) bool { return m["MessageId"] == in["ReceiptHandle"] })
	delete(s.hidden, in["ReceiptHandle"].(string))
	s.calls = append(s.calls, fmt.Sprintf("delete %s", in["ReceiptHandle"]))
	return map[string]any{}
}

// sample does what the urgent function does where a sample is asked for: it notes what became of it.
func (s *served) sample(detail string) {
	var asked struct{ Nonce, Channel, Why string }
	_ = json.Unmarshal([]byte(detail), &asked) // the command wrote it
	s.calls = append(s.calls, fmt.Sprintf("test %s %s", asked.Channel, asked.Why))
	outcome := s.outcomes[asked.Channel]
	if outcome == "" {
		outcome = `{"at":"2025-03-05T12:00:03Z"}`
	}
	if outcome != "none" {
		text := func(v string) map[string]any { return map[string]any{"S": v} }
		note := map[string]any{"pk": text("DOCTOR"), "sk": text(asked.Nonce), "trial": text(outcome)}
		s.items[keyOf(note)] = note
	}
}

func (s *served) putEvents(in map[string]any) any {
	for _, e := range in["Entries"].([]any) {
		e := e.(map[string]any)
		if e["DetailType"] == "Test Requested" {
			s.sample(e["Detail"].(string))
			continue
		}
		s.calls = append(s.calls, fmt.Sprintf("wake %s: %s %s", e["EventBusName"], e["DetailType"], e["Detail"]))
	}
	return map[string]any{"FailedEntryCount": 0, "Entries": []any{}}
}
