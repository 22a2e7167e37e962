package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cniguard/cniguard/internal/event"
)

func TestAnEnvironmentThatIsWrongEndsTheProgramWithEveryMistake(t *testing.T) {
	t.Parallel()
	s := set(t, nil)
	whole := s.environment(event.Urgent, observing)
	policy := func(text string) string {
		file := filepath.Join(t.TempDir(), "policy.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for _, c := range []struct {
		name   string
		change map[string]string // empty: not set
		want   []string
	}{
		{"nothing is set", nil, []string{
			"CNIGUARD_FUNCTION is not set", "CNIGUARD_TOPIC_ONCALL is not set", "CNIGUARD_LEDGER is not set", "CNIGUARD_POLICY",
			"AWS_REGION is not set", "AWS_ACCESS_KEY_ID is not set", "AWS_SECRET_ACCESS_KEY is not set",
		}},
		{"everything is wrong", map[string]string{
			"CNIGUARD_FUNCTION": "both", "CNIGUARD_TOPIC_ONCALL": "topic", "CNIGUARD_LEDGER": "disk", "CNIGUARD_LOG_LEVEL": "loud",
			"CNIGUARD_POLICY": policy("{}"), "AWS_REGION": "Frankfurt", "AWS_ENDPOINT_URL": "here",
		}, []string{
			`CNIGUARD_FUNCTION is "both"; want urgent or bulk`, `CNIGUARD_TOPIC_ONCALL is "topic"`, `CNIGUARD_LEDGER is "disk"`,
			`CNIGUARD_LOG_LEVEL is "loud"; want debug, info, warn or error`, "CNIGUARD_POLICY", `AWS_REGION "Frankfurt"`, `AWS_ENDPOINT_URL "here"`,
		}},
		{"the policy is not there", map[string]string{"CNIGUARD_POLICY": filepath.Join(t.TempDir(), "none.json")}, []string{"CNIGUARD_POLICY", "none.json"}},
		{"the policy is no JSON", map[string]string{"CNIGUARD_POLICY": policy("version: 1")}, []string{"CNIGUARD_POLICY", "policy.json"}},
		{"the policy has a mistake", map[string]string{"CNIGUARD_POLICY": policy(`{"version":1,"fleet":[{"account":"12","regions":["eu-central-1"]}]}`)},
			[]string{"CNIGUARD_POLICY", "policy.json", "12"}},
		{"the policy's fleet is empty", map[string]string{"CNIGUARD_POLICY": policy(`{"version":1,"fleet":[]}`)}, []string{"CNIGUARD_POLICY", "fleet"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{}
			if c.change != nil {
				for name, value := range whole {
					env[name] = value
				}
				for name, value := range c.change {
					env[name] = value
				}
			}
			f := start(t, env)
			f.wait()
			if code := f.state.ExitCode(); code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			for _, want := range c.want {
				if !strings.Contains(f.stderr.String(), want) {
					t.Errorf("standard error lacks %q", want)
				}
			}
			for _, never := range []string{secret, "panic", "goroutine"} {
				if strings.Contains(f.log(), never) {
					t.Errorf("the output has %q", never)
				}
			}
			select {
			case <-f.ready:
				t.Error("the program asked for an invocation")
			default:
			}
			if t.Failed() {
				t.Logf("standard error:\n%s", f.stderr.String())
			}
		})
	}
	if all := s.seen(anything); len(all) > 0 {
		t.Errorf("AWS was asked for %d things", len(all))
	}
}

func TestAStartAsksNobody(t *testing.T) {
	t.Parallel()
	s := set(t, nil)
	for _, which := range []event.Target{event.Urgent, event.Bulk} {
		f := s.function(which, observing, nil)
		f.await()
		if log := f.log(); log != "" {
			t.Errorf("%s says at its start:\n%s", which, log)
		}
	}
	if all := s.seen(anything); len(all) > 0 {
		t.Errorf("AWS was asked for %d things, first %s %s", len(all), all[0].method, all[0].path)
	}
}

// Lambda sends SIGTERM before it takes an environment down where extensions run, and SIGKILL elsewhere (Lambda developer guide,
// "Understanding the Lambda execution environment lifecycle"). Between invocations there is nothing to finish.
func TestSIGTERMBetweenInvocationsEndsTheProgramAndLosesNothing(t *testing.T) {
	t.Parallel()
	s := set(t, nil)
	first := s.function(event.Urgent, observing, nil)
	first.succeeds(sample(t, "update-addon.json"))
	if err := first.process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	first.wait()
	if status, ok := first.state.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("the program ended with %s, want by the signal", first.state)
	}
	if counts := first.counts(); counts["Told"] != 2 {
		t.Errorf("counts %v, want the message's, to a topic and on the bus", counts)
	}

	second := s.function(event.Urgent, observing, nil) // it remembers nothing, with this ledger
	second.succeeds(sample(t, "update-addon.json"))
	if n := s.count("cloudwatch:PutMetricAlarm"); n != 1 {
		t.Errorf("the alarm was put %d times; it stood already", n)
	}
}
