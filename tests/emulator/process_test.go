package emulator_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// server is a process that serves HTTP on a free port of 127.0.0.1.
type server struct {
	url string
	pid int
}

// listening is what a server says when it has a port.
var listening = regexp.MustCompile(`Running on (http://127\.0\.0\.1:\d+)`)

// serve runs a server until the test ends. It ends when its standard input does, also if the test is killed.
func serve(t *testing.T, command *exec.Cmd) server {
	t.Helper()
	out := &output{}
	command.Stdout, command.Stderr = out, out
	life, err := command.StdinPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = life.Close()
		_ = command.Wait() // how it ended does not matter
		if t.Failed() {
			t.Logf("%s:\n%s", command.Path, out)
		}
	})
	var url string
	eventually(t, command.Path+" listens", func() bool {
		found := listening.FindStringSubmatch(out.String())
		if found != nil {
			url = found[1]
		}
		return found != nil
	})
	return server{url, command.Process.Pid}
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

// functions are the processes that the emulator has started.
func (s *stage) functions() (pids []int) {
	s.Helper()
	for pid, parent := range processes(s.T) {
		if parent == s.pid {
			pids = append(pids, pid)
		}
	}
	return pids
}

// processes are those of this machine that run, each with its parent.
func processes(t *testing.T) map[int]int {
	t.Helper()
	list, err := exec.Command("ps", "-A", "-o", "pid=,ppid=,stat=").Output()
	if err != nil {
		t.Fatal(err)
	}
	all := map[int]int{}
	for line := range strings.Lines(string(list)) {
		var pid, parent int
		var state string
		if _, err := fmt.Sscan(line, &pid, &parent, &state); err != nil {
			t.Fatalf("ps says %q: %v", line, err)
		}
		if !strings.HasPrefix(state, "Z") { // it has ended, and nobody has asked how
			all[pid] = parent
		}
	}
	return all
}

func TestNothingIsLeftRunning(t *testing.T) {
	t.Parallel()
	python(t, "python")
	synthesized(t)
	var started []int
	t.Run("a stage with a function", func(t *testing.T) {
		s := set(t)
		s.happens(sample(t, "create-cluster.json"))
		eventually(t, "the function works", func() bool { return s.alarm(prod) != nil })
		started = append(s.functions(), s.pid)
	})
	if len(started) < 2 {
		t.Errorf("processes %v, want the emulator and a function", started)
	}
	eventually(t, "all have ended", func() bool {
		running := processes(t)
		return !slices.ContainsFunc(started, func(pid int) bool { _, still := running[pid]; return still })
	})
}
