package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/cniguard/cniguard/events"
	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/app"
	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/cloud"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/ledger"
	"github.com/cniguard/cniguard/internal/notify"
	"github.com/cniguard/cniguard/internal/policy"
)

const hubAccount = "444455556666"

// sample is one of the sample events.
func sample(t *testing.T, name string) json.RawMessage {
	t.Helper()
	data, err := events.Files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// hub is the account of cniguard: its bus, its topic and its ledger. The accounts of the fleet deny everything.
type hub struct {
	*ledger.Memory
	t        *testing.T
	function event.Target
	topics   app.Topics
	process  string
	ledger   app.Ledger // nil: its own memory
	log      bytes.Buffer

	mu        sync.Mutex
	batches   [][]types.PutEventsRequestEntry
	news      []types.PutEventsRequestEntry                     // events for others
	refuse    string                                            // the code with which the bus refuses those; empty: it takes them
	put       func(n int) (*eventbridge.PutEventsOutput, error) // the answer to the n-th PutEvents; nil: all were taken
	deadline  time.Duration                                     // that PutEvents had left
	published []string                                          // subjects
	at        []string                                          // the topics of those
	busy      []string                                          // who was ever busy
	asked     []string                                          // the roles that were asked for
}

func newHub(t *testing.T) *hub {
	return &hub{t: t, Memory: ledger.NewMemory(), function: event.Urgent, process: "environment-1", topics: app.Topics{
		notify.OnCall: "arn:aws:sns:eu-central-1:444455556666:cniguard-oncall",
	}}
}

func (h *hub) app() *app.App {
	h.t.Helper()
	if h.ledger == nil {
		h.ledger = h
	}
	return app.New(app.Config{
		Function: h.function, Hub: event.Unit{Account: hubAccount, Region: "eu-central-1"},
		Topics: h.topics, Bus: "watch", Policy: compiled(h.t, policy.Document{Fleet: members()}),
	}, app.Parts{Connect: h.connect, SNS: h, Events: h, Ledger: h.ledger, Clock: clock.Real{}, Log: &h.log, Process: h.process})
}

func (h *hub) connect(role access.Role, account, region string) cloud.Clients {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = append(h.asked, fmt.Sprintf("%s in %s %s", role, account, region))
	return cloud.FromConfig(aws.Config{
		Region: region, HTTPClient: deny{}, Credentials: credentials.NewStaticCredentialsProvider("k", "s", ""),
	}, "")
}

// deny answers every request with a refusal.
type deny struct{}

func (deny) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: 403, Request: r, Header: http.Header{"X-Amzn-Errortype": {"AccessDeniedException"}},
		Body: io.NopCloser(strings.NewReader(`{"message":"no"}`)),
	}, nil
}

func (h *hub) PutEvents(ctx context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if aws.ToString(in.Entries[0].Source) == event.NewsSource {
		h.news = append(h.news, in.Entries...)
		if h.refuse != "" {
			return &eventbridge.PutEventsOutput{FailedEntryCount: 1, Entries: []types.PutEventsResultEntry{{ErrorCode: &h.refuse}}}, nil
		}
		return &eventbridge.PutEventsOutput{Entries: make([]types.PutEventsResultEntry, len(in.Entries))}, nil
	}
	h.batches = append(h.batches, in.Entries)
	if at, ok := ctx.Deadline(); ok {
		h.deadline = time.Until(at)
	}
	if h.put != nil {
		return h.put(len(h.batches))
	}
	return &eventbridge.PutEventsOutput{Entries: make([]types.PutEventsResultEntry, len(in.Entries))}, nil
}

func (h *hub) Publish(_ context.Context, in *sns.PublishInput, _ ...func(*sns.Options)) (*sns.PublishOutput, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.published, h.at = append(h.published, aws.ToString(in.Subject)), append(h.at, aws.ToString(in.TopicArn))
	return &sns.PublishOutput{}, nil
}

func (h *hub) Save(ctx context.Context, k check.Kept) (check.Kept, error) {
	h.mu.Lock()
	if by := k.Record.Busy.By; by != "" {
		h.busy = append(h.busy, by)
	}
	h.mu.Unlock()
	return h.Memory.Save(ctx, k)
}

// remember gives a cluster a record.
func (h *hub) remember(id cluster.ID, change func(*guard.Record)) {
	h.t.Helper()
	k, err := h.Load(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	change(&k.Record)
	if _, err := h.Memory.Save(h.t.Context(), k); err != nil {
		h.t.Fatal(err)
	}
}

// woken are the triggers that were put on the bus, as they come back.
func (h *hub) woken() []event.Trigger {
	h.t.Helper()
	var ts []event.Trigger
	for _, batch := range h.batches {
		for i, e := range batch {
			if bus := aws.ToString(e.EventBusName); bus != "watch" {
				h.t.Errorf("put on the bus %q", bus)
			}
			raw, err := json.Marshal(map[string]any{
				"id": fmt.Sprint(i), "source": e.Source, "detail-type": e.DetailType, "detail": json.RawMessage(aws.ToString(e.Detail)),
				"account": hubAccount, "region": "eu-central-1", "time": "2026-11-23T09:30:00Z",
			})
			if err != nil {
				h.t.Fatal(err)
			}
			trigger, err := event.Decode(raw)
			if err != nil {
				h.t.Errorf("what was put on the bus cannot be read: %v", err)
			}
			ts = append(ts, trigger)
		}
	}
	return ts
}

// metrics is the line of metrics that an invocation writes; it wants exactly one.
func (h *hub) metrics() map[string]any {
	h.t.Helper()
	var found []map[string]any
	for line := range bytes.Lines(h.log.Bytes()) {
		var v map[string]any
		if err := json.Unmarshal(line, &v); err != nil {
			h.t.Fatalf("a line is no JSON: %s", line)
		}
		if _, ok := v["_aws"]; ok {
			found = append(found, v)
		}
	}
	if len(found) != 1 {
		h.t.Fatalf("%d lines of metrics in\n%s", len(found), h.log.String())
	}
	return found[0]
}
