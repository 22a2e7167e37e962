package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/ledger"
)

// hubCommands are what scripts say to the hub:
//
//	hub refuse OPERATION CODE   from now on the operation is refused; no CODE: not any more
//	hub queue FILE              puts messages into the failure queue, a JSON object a line
//	hub pile N                  puts so many messages into the failure queue, which are no events
//	hub item FILE               writes items into the table, a JSON object a line
//	hub answer OPERATION TEXT   from now on the operation, which only looks, is answered so
//	hub calls FILE              writes what was changed so far into a file
//	hub outcome CHANNEL JSON    from now on this is what becomes of samples for the channel; none: nothing comes back
//	hub mute                    from now on no event of an alarm comes
//	hub hidden N                expects that so many messages are hidden
//	hub abandon                 leaves an alarm there that a doctor made an hour ago
//
// "signal NAME OPERATION" waits until the hub was asked for the operation of an alarm, and sends the command in the background the signal.
func hubCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"hub": func(ts *testscript.TestScript, _ bool, args []string) {
			s := ts.Value("hub").(*served)
			s.mu.Lock()
			defer s.mu.Unlock()
			args = append(args, "", "")
			switch args[0] {
			case "refuse":
				s.refuse[args[1]] = args[2]
			case "answer":
				s.fixed[args[1]] = args[2]
			case "queue":
				s.queue = append(s.queue, objects(ts, args[1])...)
			case "pile":
				n, err := strconv.Atoi(args[1])
				ts.Check(err)
				for i := range n {
					s.queue = append(s.queue, map[string]any{"MessageId": fmt.Sprintf("%08d", i), "Body": "x", "Attributes": map[string]any{"SentTimestamp": "1741165200000"}})
				}
			case "item":
				for _, it := range objects(ts, args[1]) {
					s.items[keyOf(it)] = it
				}
			case "calls":
				text := strings.Join(s.calls, "\n") + "\n"
				ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
				s.calls = nil
			case "abandon":
				s.abandon()
			case "outcome":
				s.outcomes[args[1]] = args[2]
			case "mute":
				s.mute = true
			case "hidden":
				if have := fmt.Sprint(len(s.hidden)); have != args[1] {
					ts.Fatalf("%s messages are hidden", have)
				}
			default:
				ts.Fatalf("hub %q: it does not know this", args[0])
			}
		},
		"signal": func(ts *testscript.TestScript, _ bool, args []string) {
			s := ts.Value("hub").(*served)
			for !s.asked(args[1]) {
				time.Sleep(10 * time.Millisecond)
			}
			signals := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP}
			ts.Check(ts.BackgroundCmds()[0].Process.Signal(signals[args[0]]))
		},
	}
}

// asked reports whether an operation of an alarm was asked for.
func (s *served) asked(op string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.calls, func(call string) bool { return strings.HasPrefix(call, op) })
}

func objects(ts *testscript.TestScript, file string) (all []map[string]any) {
	for line := range strings.Lines(ts.ReadFile(file)) {
		var one map[string]any
		if strings.TrimSpace(line) != "" {
			ts.Check(json.Unmarshal([]byte(line), &one))
			all = append(all, one)
		}
	}
	return all
}

// demoLedger is what the ledger holds of the demo at that time, as items of the table.
func demoLedger(t *testing.T) map[string]map[string]any {
	t.Helper()
	st := stage{world: "demo/world.yaml", policy: "demo/policy.yaml", seed: 1}
	sc, err := st.read(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	r, err := sc.at(duration(hubNow.Sub(sc.spec.Start)), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s := newServed()
	server := httptest.NewServer(s)
	defer server.Close()
	l := ledger.NewDynamo(dynamodb.New(dynamodb.Options{
		BaseEndpoint: &server.URL, Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", "secret", ""),
	}), hubTable, clock.Real{})
	kept, err := r.Ledger.All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kept {
		k.Version = 0
		if _, err := l.Save(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
	sweeps, err := r.Ledger.Sweeps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, sweep := range sweeps {
		if err := l.PutSweep(t.Context(), sweep); err != nil {
			t.Fatal(err)
		}
	}
	return s.items
}

// openHub starts a hub for a script, whose environment leads there.
func openHub(e *testscript.Env, known map[string]map[string]any) {
	s := newServed()
	maps.Copy(s.items, known)
	server := httptest.NewServer(s)
	e.Defer(server.Close)
	e.Values["hub"] = s
	e.Setenv("AWS_ENDPOINT_URL", server.URL)
	e.Setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
	e.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	e.Setenv("AWS_REGION", "eu-central-1")
	e.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}
