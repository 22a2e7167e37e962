package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/events"
	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/telemetry"
)

var prodEU = cluster.ID{Account: "111122223333", Region: "eu-central-1", Name: "prod-eu"}

// counts is what the line of metrics counts, without the zeros.
func (h *hub) counts() map[string]int {
	h.t.Helper()
	line, counts := h.metrics(), map[string]int{}
	for _, c := range telemetry.Counters() {
		if n, ok := line[c.String()].(float64); ok && n != 0 {
			counts[c.String()] = int(n)
		}
	}
	return counts
}

// altered is a sample event with one text replaced.
func altered(t *testing.T, name, from, to string) []byte {
	t.Helper()
	text := string(sample(t, name))
	if !strings.Contains(text, from) {
		t.Fatalf("%s has no %s", name, from)
	}
	return []byte(strings.ReplaceAll(text, from, to))
}

func TestHandleTurnsEachEventIntoItsWork(t *testing.T) {
	checked := map[string]int{"Checks": 1, "Unknown": 1}
	for name, c := range map[string]struct {
		event []byte
		want  map[string]int
		woken []event.Kind
	}{
		"the doctor's alarm is noted and nothing else":         {sample(t, "alarm-probe.json"), map[string]int{}, nil},
		"a member's doctor is refused":                         {altered(t, "alarm-probe.json", hubAccount, "111122223333"), map[string]int{"Refused": 1}, nil},
		"an event of a cluster checks it":                      {sample(t, "update-addon.json"), checked, nil},
		"an alarm checks its cluster":                          {sample(t, "alarm-to-alarm.json"), checked, nil},
		"a wake-up checks its cluster":                         {sample(t, "own-check.json"), checked, nil},
		"an event that nobody knows is skipped":                {[]byte(`{"id":"1","source":"aws.s3","detail-type":"Object Created"}`), map[string]int{"Skipped": 1}, nil},
		"an event of another add-on is skipped":                {sample(t, "update-addon-other.json"), map[string]int{"Skipped": 1}, nil},
		"a tick with nothing due asks for nothing":             {sample(t, "own-tick.json"), map[string]int{"Ticks": 1}, nil},
		"a meter asks for the metering of every unit":          {sample(t, "own-meter.json"), map[string]int{"Meters": 1}, []event.Kind{event.Metering, event.Metering}},
		"a sweep asks for the sweep of every unit":             {sample(t, "own-sweep.json"), map[string]int{}, []event.Kind{event.Sweeping, event.Sweeping}},
		"metering a unit without clusters does nothing":        {sample(t, "own-metering.json"), map[string]int{}, nil},
		"sweeping a unit that may not be listed is counted":    {sample(t, "own-sweeping.json"), map[string]int{"NotListed": 1, "Told": 1}, nil},
		"an event of an account outside the fleet is refused":  {sample(t, "create-cluster-china.json"), map[string]int{"Refused": 1}, nil},
		"an event of a region outside the fleet is refused":    {altered(t, "update-addon.json", "eu-central-1", "us-east-1"), map[string]int{"Refused": 1}, nil},
		"a wake-up for a foreign cluster is refused":           {altered(t, "own-check.json", hubAccount, "999999999999"), map[string]int{"Refused": 1}, nil},
		"an account may ask for its own cluster":               {altered(t, "own-check.json", hubAccount, "111122223333"), checked, nil},
		"a tick of another account is refused":                 {altered(t, "own-tick.json", hubAccount, "111122223333"), map[string]int{"Refused": 1}, nil},
		"a sweep of another account is refused":                {altered(t, "own-sweep.json", hubAccount, "111122223333"), map[string]int{"Refused": 1}, nil},
		"metering of a unit outside the fleet is refused":      {altered(t, "own-metering.json", `"111122223333"`, `"999999999999"`), map[string]int{"Refused": 1}, nil},
		"sweeping a unit outside the fleet is refused":         {altered(t, "own-sweeping.json", `"111122223333"`, `"999999999999"`), map[string]int{"Refused": 1}, nil},
		"a wake-up for a cluster outside the fleet is refused": {altered(t, "own-check.json", `"111122223333"`, `"999999999999"`), map[string]int{"Refused": 1}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHub(t)
			if err := h.app().Handle(t.Context(), c.event); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, h.counts()); diff != "" {
				t.Errorf("counted (-want +got):\n%s", diff)
			}
			var kinds []event.Kind
			for _, w := range h.woken() {
				kinds = append(kinds, w.Kind)
			}
			if !slices.Equal(kinds, c.woken) {
				t.Errorf("asked for %v, want %v", kinds, c.woken)
			}
			if refused := c.want["Refused"] > 0; refused && len(h.asked) > 0 {
				t.Errorf("a refused event took the roles %v", h.asked)
			}
		})
	}
}

func TestTheDoctorsAlarmLeavesItsNonceInTheLedger(t *testing.T) {
	for name, c := range map[string]struct {
		event []byte
		want  bool
	}{
		"the hub's own":   {sample(t, "alarm-probe.json"), true},
		"that of another": {altered(t, "alarm-probe.json", hubAccount, "111122223333"), false},
	} {
		h := newHub(t)
		for range 2 { // an event may come twice
			if err := h.app().Handle(t.Context(), c.event); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := h.Arrived(t.Context(), "K3QZ7M2VXWPLT5ORJAYB6DNHCE"); err != nil || got != c.want {
			t.Errorf("%s: arrived %v, %v", name, got, err)
		}
		if kept, err := h.All(t.Context()); err != nil || len(kept) > 0 || len(h.asked)+len(h.batches)+len(h.published) > 0 {
			t.Errorf("%s: records %v, %v, roles %v, %d wake-ups, %d messages", name, kept, err, h.asked, len(h.batches), len(h.published))
		}
	}
}

func TestAnEventThatCannotBeReadIsAnErrorAndCounted(t *testing.T) {
	files, err := fs.Glob(events.Files, "malformed/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, name := range files {
		t.Run(name, func(t *testing.T) {
			h := newHub(t)
			if err := h.app().Handle(t.Context(), sample(t, name)); err == nil {
				t.Error("no error: the failure queue would not keep it")
			}
			if diff := cmp.Diff(map[string]int{"Malformed": 1}, h.counts()); diff != "" {
				t.Errorf("counted (-want +got):\n%s", diff)
			}
		})
	}
}

func TestACheckReadsWithTheObserversRoleInTheClustersAccount(t *testing.T) {
	h := newHub(t)
	if err := h.app().Handle(t.Context(), sample(t, "own-check.json")); err != nil {
		t.Fatal(err)
	}
	for _, role := range h.asked {
		if role != "cniguard-observer in 111122223333 eu-central-1" {
			t.Errorf("asked for %s", role)
		}
	}
	if len(h.asked) == 0 {
		t.Error("asked for no role")
	}
	if kept, err := h.Load(t.Context(), prodEU); err != nil || kept.Record.Verdict.Word != guard.Unknown {
		t.Errorf("the record says %q, %v", kept.Record.Verdict.Word, err)
	}
}

func TestMeteringReadsTheUnitOfTheEvent(t *testing.T) {
	h := newHub(t)
	for _, region := range []string{"eu-central-1", "eu-west-1"} {
		h.remember(cluster.ID{Account: "111122223333", Region: region, Name: "prod-eu"}, func(r *guard.Record) {
			r.Seen = time.Now()
			r.Meter = guard.Meter{Subnets: []string{"subnet-1"}, Warning: 80, Critical: 95, Level: guard.Fine}
		})
	}
	if err := h.app().Handle(t.Context(), sample(t, "own-metering.json")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"NotMetered": 1}, h.counts()); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
	if want := []string{"cniguard-observer in 111122223333 eu-central-1"}; !slices.Equal(h.asked, want) {
		t.Errorf("asked for %v, want %v", h.asked, want)
	}
}

func TestMetricsAreOneLineOfTheFunction(t *testing.T) {
	h := newHub(t)
	h.function = event.Bulk
	before := time.Now().UnixMilli()
	if err := h.app().Handle(t.Context(), sample(t, "own-tick.json")); err != nil {
		t.Fatal(err)
	}
	line := h.metrics()
	meta, _ := line["_aws"].(map[string]any)
	if at, _ := meta["Timestamp"].(float64); int64(at) < before || int64(at) > time.Now().UnixMilli() {
		t.Errorf("stamped %v", meta["Timestamp"])
	}
	if line["Function"] != "bulk" || line["Checks"] != 0.0 {
		t.Errorf("the line is %v", slices.Sorted(maps.Keys(line)))
	}
}

// due makes so many clusters due.
func (h *hub) due(n int) (ids []cluster.ID) {
	for i := range n {
		id := cluster.ID{Account: "111122223333", Region: "eu-west-1", Name: fmt.Sprintf("c%02d", i)}
		h.remember(id, func(r *guard.Record) { r.Due = time.Now().Add(-time.Hour).Add(time.Duration(i) * time.Second) })
		ids = append(ids, id)
	}
	return ids
}

func TestWakeUpsArePutInTens(t *testing.T) {
	for n, sizes := range map[int][]int{0: nil, 1: {1}, 10: {10}, 11: {10, 1}, 23: {10, 10, 3}} {
		t.Run(fmt.Sprintf("%d clusters", n), func(t *testing.T) {
			h := newHub(t)
			ids := h.due(n)
			if err := h.app().Handle(t.Context(), sample(t, "own-tick.json")); err != nil {
				t.Fatal(err)
			}
			var got []int
			for _, b := range h.batches {
				got = append(got, len(b))
			}
			if !slices.Equal(got, sizes) {
				t.Errorf("batches of %v, want %v", got, sizes)
			}
			for i, w := range h.woken() {
				if w.Kind != event.Check || w.Cluster != ids[i] {
					t.Errorf("wake-up %d is %s of %v, want a check of %v", i, w.Kind, w.Cluster, ids[i])
				}
			}
		})
	}
}

func TestAWakeUpThatTheBusRefusesIsAnError(t *testing.T) {
	refused := func(batch, n int) *eventbridge.PutEventsOutput {
		out := &eventbridge.PutEventsOutput{FailedEntryCount: 1, Entries: make([]types.PutEventsResultEntry, batch)}
		out.Entries[n] = types.PutEventsResultEntry{ErrorCode: aws.String("ThrottlingException"), ErrorMessage: aws.String("slow down")}
		return out
	}
	for name, put := range map[string]func(int) (*eventbridge.PutEventsOutput, error){
		"one entry of the first batch": func(n int) (*eventbridge.PutEventsOutput, error) { return refused(10, 4), nil },
		"one entry of the last batch": func(n int) (*eventbridge.PutEventsOutput, error) {
			if n == 2 {
				return refused(2, 1), nil
			}
			return &eventbridge.PutEventsOutput{}, nil
		},
		"a whole batch": func(int) (*eventbridge.PutEventsOutput, error) { return nil, errors.New("no route to host") },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHub(t)
			h.due(12)
			h.put = put
			err := h.app().Handle(t.Context(), sample(t, "own-tick.json"))
			if err == nil || !strings.Contains(err.Error(), "watch") {
				t.Fatalf("error %v, want one that names the bus", err)
			}
			if f := fault.Of(err); f == nil || f.Op != "events:PutEvents" || f.Kind != fault.Retry {
				t.Errorf("the fault is %+v", f)
			}
			if !strings.Contains(h.log.String(), `"message":"work failed"`) {
				t.Error("the failure is not in the log")
			}
			h.metrics()
		})
	}
}

func TestTheLastTwoSecondsOfAnInvocationAreKeptFree(t *testing.T) {
	for name, c := range map[string]struct{ left, want time.Duration }{
		"of an invocation that is nearly over":           {5 * time.Second, 3 * time.Second},
		"and no call takes longer than it may by itself": {5 * time.Minute, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHub(t)
				ctx, cancel := context.WithTimeout(t.Context(), c.left)
				defer cancel()
				if err := h.app().Handle(ctx, sample(t, "own-meter.json")); err != nil {
					t.Fatal(err)
				}
				if h.deadline != c.want {
					t.Errorf("PutEvents had %s, want %s", h.deadline, c.want)
				}
			})
		})
	}
}

func TestEachInvocationHasItsOwnName(t *testing.T) {
	for name, c := range map[string]struct {
		processes [2]string
		between   time.Duration
	}{
		"also among the retries of one event":                         {[2]string{"environment-1", "environment-1"}, time.Minute},
		"also where two copies of an event start at the same instant": {[2]string{"environment-1", "environment-2"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHub(t)
				ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "request-1"})
				for i, process := range c.processes {
					h.process = process
					h.remember(prodEU, func(r *guard.Record) {
						r.Outbox = append(r.Outbox, guard.Message{Key: fmt.Sprint(i), News: guard.Reminded, Cluster: prodEU,
							Finding: guard.Finding{Code: guard.VersionOutdated, Severity: guard.Warning}})
					})
					if err := h.app().Handle(ctx, sample(t, "own-check.json")); err != nil {
						t.Fatal(err)
					}
					time.Sleep(c.between)
				}
				if len(h.busy) != 2 || h.busy[0] == h.busy[1] || !strings.HasPrefix(h.busy[0], "request-1@") {
					t.Errorf("busy were %v", h.busy)
				}
				if len(h.published) != 2 {
					t.Errorf("published %v", h.published)
				}
			})
		})
	}
}

func TestOnlyTheUrgentFunctionStartsUpdates(t *testing.T) {
	for function, want := range map[event.Target]bool{event.Urgent: true, event.Bulk: false} {
		h := newHub(t)
		h.function = function
		counts := &telemetry.Counts{}
		e := h.app().Engine("me", counts)
		if e.Updates != want || e.By != "me" || e.Counts != counts {
			t.Errorf("%s: updates %v, by %q", function, e.Updates, e.By)
		}
	}
}

// finished is how many finished sweeps were announced.
func (h *hub) finished() (n int) {
	for _, e := range h.news {
		if *e.DetailType == event.SweepFinished {
			n++
		}
	}
	return n
}

// Whoever listens on the hub's bus gets it; no rule of ours does.
func TestAFinishedSweepIsAnnouncedOnTheBus(t *testing.T) {
	h := newHub(t)
	h.function = event.Bulk
	if err := h.app().Handle(t.Context(), sample(t, "own-sweep.json")); err != nil {
		t.Fatal(err)
	}
	for _, region := range []string{"eu-central-1", "eu-west-1"} {
		if n := h.finished(); n != 0 {
			t.Fatalf("%d sweeps are finished before the last unit is done", n)
		}
		part := strings.ReplaceAll(string(altered(t, "own-sweeping.json", "prod-049", "")), `"region": "eu-central-1",
    "run"`, `"region": "`+region+`",
    "run"`)
		h.log.Reset()
		if err := h.app().Handle(t.Context(), []byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(map[string]int{"NotListed": 1, "Told": 1, "Sweeps": 1}, h.counts()); diff != "" { // the bus is told that it may not be listed
		t.Errorf("counted (-want +got):\n%s", diff)
	}
	if h.finished() != 1 {
		t.Fatalf("%d sweeps are finished", h.finished())
	}
	e := h.news[len(h.news)-1]
	if *e.Source != "cniguard.news" || *e.DetailType != "Sweep Finished" || *e.EventBusName != "watch" {
		t.Errorf("put %s, %s on %s", *e.Source, *e.DetailType, *e.EventBusName)
	}
	var c check.Coverage
	if err := json.Unmarshal([]byte(*e.Detail), &c); err != nil || c.Run != "2026-11-23T12:00:00Z" || c.Units != 2 || c.NotListed.Count != 2 {
		t.Errorf("%v: %s", err, *e.Detail)
	}
}
