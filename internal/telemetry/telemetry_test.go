package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/telemetry"
)

var prod = cluster.ID{Account: "111122223333", Region: "eu-central-1", Name: "prod"}

// lines reads JSON lines, without their timestamps.
func lines(t *testing.T, b *bytes.Buffer) []map[string]any {
	t.Helper()
	var all []map[string]any
	for l := range strings.Lines(b.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(l), &m); err != nil {
			t.Fatalf("line %q: %v", l, err)
		}
		if _, ok := m["timestamp"]; !ok {
			t.Errorf("line without timestamp: %q", l)
		}
		delete(m, "timestamp")
		all = append(all, m)
	}
	return all
}

func TestLoggerAddsWhatTheContextKnows(t *testing.T) {
	var b bytes.Buffer
	log := telemetry.Logger(&b, slog.LevelInfo).With("function", "urgent")
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "req-1"})
	ctx = telemetry.With(ctx, telemetry.Cluster(prod))
	deeper := telemetry.With(ctx, slog.String("step", "observe"))

	log.InfoContext(ctx, "checked", telemetry.Verdict(guard.Verdict{
		Word: "outdated", Install: guard.Answer{Word: "managed", Because: "not logged"}, Version: guard.Answer{Word: "outdated"},
		Capacity: guard.Answer{Word: "fine"}, Change: guard.Answer{Word: "waiting"},
	}))
	log.WarnContext(deeper, "slow")
	log.DebugContext(ctx, "below the level")
	log.Error("no context")

	place := map[string]any{"account": "111122223333", "region": "eu-central-1", "name": "prod"}
	want := []map[string]any{
		{"level": "INFO", "message": "checked", "function": "urgent", "requestId": "req-1", "cluster": place, "verdict": map[string]any{
			"word": "outdated", "install": "managed", "version": "outdated", "capacity": "fine", "change": "waiting"}},
		{"level": "WARN", "message": "slow", "function": "urgent", "requestId": "req-1", "cluster": place, "step": "observe"},
		{"level": "ERROR", "message": "no context", "function": "urgent"},
	}
	if diff := cmp.Diff(want, lines(t, &b)); diff != "" {
		t.Error(diff)
	}
}

func TestWithDoesNotLeakIntoASiblingContext(t *testing.T) {
	var b bytes.Buffer
	log := telemetry.Logger(&b, slog.LevelInfo)
	base := telemetry.With(t.Context(), slog.String("a", "1"), slog.String("b", "2"))
	one, two := telemetry.With(base, slog.String("c", "one")), telemetry.With(base, slog.String("c", "two"))
	log.InfoContext(one, "x")
	log.InfoContext(two, "x")
	got := lines(t, &b)
	if got[0]["c"] != "one" || got[1]["c"] != "two" {
		t.Errorf("got %v", got)
	}
}

func TestNoTextForgesOrHidesInALogLine(t *testing.T) {
	hostile := "x\n{\"level\":\"INFO\"}\r\x1b[2J\u202egnp\u2066\u200b\u2028\xff\ufeff\U000e0041"
	var b bytes.Buffer
	log := telemetry.Logger(&b, slog.LevelInfo)
	log.Info(hostile, hostile, hostile, "list", []string{hostile}, "err", errors.New(hostile), slog.Group("g", "k", hostile))
	if n := strings.Count(b.String(), "\n"); n != 1 {
		t.Errorf("%d lines: %q", n, b.String())
	}
	for _, r := range strings.TrimSuffix(b.String(), "\n") {
		if !unicode.IsPrint(r) {
			t.Errorf("%U in %q", r, b.String())
		}
	}
	if got := lines(t, &b); len(got) != 1 || !strings.Contains(got[0]["message"].(string), "gnp") {
		t.Errorf("the visible text is lost: %v", got)
	}
}

func TestLevel(t *testing.T) {
	for in, want := range map[string]slog.Level{
		"": slog.LevelInfo, "info": slog.LevelInfo, "DEBUG": slog.LevelDebug, "Warn": slog.LevelWarn, "error": slog.LevelError,
	} {
		if got, err := telemetry.Level(in); got != want || err != nil {
			t.Errorf("Level(%q) = %v, %v, want %v", in, got, err, want)
		}
	}
	if _, err := telemetry.Level("loud"); err == nil || err.Error() != `read log level "loud": want debug, info, warn or error` {
		t.Errorf("Level(loud): %v", err)
	}
}

func TestFlushWritesTheEmbeddedMetricFormat(t *testing.T) {
	var c telemetry.Counts
	c.Add(telemetry.Checks, 50)
	c.Add(telemetry.Told, 1)
	c.Add(telemetry.Told, 2)
	var b bytes.Buffer
	at := time.Date(2026, 11, 23, 3, 12, 0, 123456789, time.UTC)
	if err := c.Flush(&b, "cniguard-urgent", at); err != nil {
		t.Fatal(err)
	}
	want := `{"Checks":50,"Function":"cniguard-urgent","Told":3,"_aws":{"Timestamp":1795403520123,"CloudWatchMetrics":[` +
		`{"Namespace":"CNIGuard","Dimensions":[["Function"]],"Metrics":[{"Name":"Checks","Unit":"Count"},{"Name":"Told","Unit":"Count"}]}]}}` + "\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}

	b.Reset()
	if err := c.Flush(&b, "cniguard-urgent", at); err != nil {
		t.Fatal(err)
	}
	want = `{"Checks":0,"Function":"cniguard-urgent","_aws":{"Timestamp":1795403520123,"CloudWatchMetrics":[` +
		`{"Namespace":"CNIGuard","Dimensions":[["Function"]],"Metrics":[{"Name":"Checks","Unit":"Count"}]}]}}` + "\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("the second invocation: %s", diff)
	}
}

// TestEveryMetricStandsAtTheRoot holds the rule of the specification that each metric and dimension names a member of the root
// whose value has the right type, and its limits: 100 metrics a directive, names of at most 1,024 characters.
func TestEveryMetricStandsAtTheRoot(t *testing.T) {
	var c telemetry.Counts
	all := telemetry.Counters()
	for _, k := range all {
		c.Add(k, int(k)+1)
	}
	var b bytes.Buffer
	if err := c.Flush(&b, "f", time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(b.Bytes(), &root); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		AWS struct {
			CloudWatchMetrics []struct {
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		} `json:"_aws"`
	}
	if err := json.Unmarshal(b.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	metrics := doc.AWS.CloudWatchMetrics[0].Metrics
	if len(metrics) != len(all) || len(all) > 100 || len(all) < 9 {
		t.Errorf("%d metrics of %d counters", len(metrics), len(all))
	}
	names := map[string]bool{}
	for i, m := range metrics {
		if n, ok := root[m.Name].(float64); !ok || n != float64(i+1) || m.Unit != "Count" || m.Name == "" || names[m.Name] {
			t.Errorf("metric %+v: root has %v", m, root[m.Name])
		}
		names[m.Name] = true
	}
	if diff := cmp.Diff([][]string{{"Function"}}, doc.AWS.CloudWatchMetrics[0].Dimensions); diff != "" {
		t.Error(diff)
	}
}

func TestCountsMayBeUsedSideBySide(t *testing.T) {
	var c telemetry.Counts
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				c.Add(telemetry.Checks, 1)
			}
		})
	}
	wg.Wait()
	var b bytes.Buffer
	if err := c.Flush(&b, "f", time.Unix(0, 0)); err != nil || !strings.Contains(b.String(), `"Checks":8000,`) {
		t.Errorf("%v %s", err, b.String())
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, context.Canceled }

func TestFlushSaysThatItCouldNotWrite(t *testing.T) {
	var c telemetry.Counts
	if err := c.Flush(broken{}, "f", time.Unix(0, 0)); !errors.Is(err, context.Canceled) || err.Error() != "write metrics: context canceled" {
		t.Errorf("got %v", err)
	}
}
