package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long, in real time, anything may take: no measure, but the end of what hangs.
const patience = 30 * time.Second

// bootstrap is the Lambda's program, built as it ships, for this machine.
var bootstrap string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bootstrap = filepath.Join(dir, "bootstrap")
	build := exec.Command("go", "build", "-tags=lambda.norpc", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-gcflags=github.com/aws/aws-sdk-go-v2/...=-l", "-o", bootstrap,
		"github.com/cniguard/cniguard/functions/remediator")
	build.Env = append(os.Environ(), "GOFLAGS=", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the program: %v: %s", err, out)
		return 1
	}
	return m.Run()
}

// function is one execution environment: a process of the program with a runtime API of its own (Lambda developer guide, "Using
// the Lambda runtime API for custom runtimes").
type function struct {
	*testing.T
	process        *os.Process
	next           chan invocation
	answers        chan answer
	ended          chan struct{} // closed; then state and the output are complete
	state          *os.ProcessState
	stdout, stderr output
	invocations    int
	polled         sync.Once
	ready          chan struct{} // closed at the first poll
}

type invocation struct {
	request  string
	event    []byte
	deadline time.Time
}

// answer is what a function posts for an invocation.
type answer struct {
	request string
	word    string // response or error
	body    string
	header  http.Header
}

// failure is the body of an answer that is an error.
type failure struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func (a answer) failure() (f failure) {
	if a.word != "error" || json.Unmarshal([]byte(a.body), &f) != nil {
		return failure{}
	}
	return f
}

// output is what a process writes.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start starts the program with these variables and no others. It ends with the test.
func start(t *testing.T, env map[string]string) *function {
	t.Helper()
	f := &function{T: t, next: make(chan invocation), answers: make(chan answer, 16), ended: make(chan struct{}), ready: make(chan struct{})}
	api := httptest.NewServer(f.runtimeAPI())
	t.Cleanup(api.Close) // after the process, whose poll it would wait for

	command := exec.Command(bootstrap)
	command.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(api.URL, "http://")}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		command.Env = append(command.Env, name+"="+env[name])
	}
	command.Stdout, command.Stderr = &f.stdout, &f.stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	f.process = command.Process
	go func() {
		_ = command.Wait() // its state says how it ended
		f.state = command.ProcessState
		close(f.ended)
	}()
	t.Cleanup(f.end)
	return f
}

func (f *function) runtimeAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		f.polled.Do(func() { close(f.ready) })
		select {
		case i := <-f.next:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", i.request)
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(i.deadline.UnixMilli(), 10))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:"+region+":"+hub+":function:cniguard")
			w.Header().Set("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1")
			_, _ = w.Write(i.event)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{request}/{word}", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		f.answers <- answer{r.PathValue("request"), r.PathValue("word"), string(body), r.Header}
		w.WriteHeader(http.StatusAccepted)
	})
	mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) {
		f.Errorf("the runtime API has no %s %s", r.Method, r.URL)
	})
	return mux
}

// await waits for the first poll.
func (f *function) await() {
	f.Helper()
	select {
	case <-f.ready:
	case <-f.ended:
		f.Fatalf("the program ended, %s:\n%s", f.state, f.log())
	case <-time.After(patience):
		f.Fatal("the program does not poll")
	}
}

// invoke has the function handle an event within the usual time-out.
func (f *function) invoke(event []byte) answer {
	f.Helper()
	return f.invokeUntil(event, time.Now().Add(5*time.Minute))
}

// invokeUntil has the function handle an event, and fails the test where Lambda would end the function: at the deadline.
func (f *function) invokeUntil(event []byte, deadline time.Time) answer {
	f.Helper()
	f.invocations++
	i := invocation{fmt.Sprintf("8476a536-e9f4-11e8-9739-%012d", f.invocations), event, deadline}
	giveUp := time.NewTimer(min(time.Until(deadline), patience))
	defer giveUp.Stop()
	select {
	case f.next <- i:
	case <-f.ended:
		f.Fatalf("the function ended, %s, before it took invocation %d:\n%s", f.state, f.invocations, f.log())
	case <-giveUp.C:
		f.Fatalf("the function does not take invocation %d:\n%s", f.invocations, f.log())
	}
	select {
	case a := <-f.answers:
		if a.request != i.request {
			f.Fatalf("the answer is for %s, want %s", a.request, i.request)
		}
		return a
	case <-f.ended:
		f.Fatalf("the function ended, %s, in invocation %d:\n%s", f.state, f.invocations, f.log())
	case <-giveUp.C:
		f.Fatalf("invocation %d hangs beyond its deadline:\n%s", f.invocations, f.log())
	}
	return answer{}
}

// succeeds has the function handle an event without an error.
func (f *function) succeeds(event []byte) {
	f.Helper()
	if a := f.invoke(event); a.word != "response" {
		f.Fatalf("%s %s, want a response\n%s", a.word, a.body, f.log())
	}
}

// end kills the process, as Lambda does when it needs the environment no more, and waits for it.
func (f *function) end() {
	_ = f.process.Kill() // an error: it has ended
	f.wait()
}

// wait waits until the process has ended.
func (f *function) wait() {
	f.Helper()
	select {
	case <-f.ended:
	case <-time.After(patience):
		f.Fatalf("the program does not end")
	}
}

func (f *function) log() string { return f.stdout.String() + f.stderr.String() }

// lines ends the function and reads the log that it wrote to standard output, each line of which is an object.
func (f *function) lines() (lines []map[string]any) {
	f.Helper()
	f.end()
	for line := range strings.Lines(f.stdout.String()) {
		var l map[string]any
		if err := json.Unmarshal([]byte(line), &l); err != nil || !strings.HasSuffix(line, "\n") {
			f.Errorf("a line of the log is no whole JSON object: %q: %v", line, err)
			continue
		}
		lines = append(lines, l)
	}
	return lines
}

// counts are the program's own metrics: the sums of its lines in the embedded metric format.
func (f *function) counts() map[string]float64 {
	f.Helper()
	sums := map[string]float64{}
	for _, l := range f.lines() {
		if l["_aws"] == nil {
			continue
		}
		for name, n := range l {
			if n, ok := n.(float64); ok && n != 0 {
				sums[name] += n
			}
		}
	}
	return sums
}
