package app_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/app"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/notify"
	"github.com/cniguard/cniguard/internal/policy"
)

// compiled is a policy for one account.
func compiled(t *testing.T, doc policy.Document) *policy.Policy {
	t.Helper()
	doc.Version = 1
	p, err := policy.Compile(doc)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func members() []policy.Member {
	return []policy.Member{{Account: "111122223333", Regions: []string{"eu-central-1", "eu-west-1"}}}
}

// file is a new file with that content.
func file(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func policyFile(t *testing.T, doc policy.Document) string {
	t.Helper()
	data, err := json.Marshal(compiled(t, doc))
	if err != nil {
		t.Fatal(err)
	}
	return file(t, "policy.json", data)
}

// environment is one in which nothing is wrong.
func environment(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{
		"CNIGUARD_FUNCTION":     "urgent",
		"CNIGUARD_TOPIC_ONCALL": "arn:aws:sns:eu-central-1:444455556666:cniguard-oncall",
		"CNIGUARD_LEDGER":       "memory",
		"CNIGUARD_POLICY":       policyFile(t, policy.Document{Fleet: members()}),
	}
}

func getenv(vars map[string]string) func(string) string {
	return func(name string) string { return vars[name] }
}

func TestTheEnvironmentIsReadWhole(t *testing.T) {
	vars := environment(t)
	vars["CNIGUARD_FUNCTION"] = "bulk"
	vars["CNIGUARD_TOPIC_CHAT"] = "arn:aws:sns:eu-central-1:444455556666:cniguard-chat"
	vars["CNIGUARD_TOPIC_MACHINE"] = "arn:aws:sns:eu-central-1:444455556666:cniguard-machine"
	vars["CNIGUARD_LEDGER"] = "arn:aws:dynamodb:eu-central-1:444455556666:table/ops-cniguard"
	vars["CNIGUARD_BUS"] = "watch"
	vars["CNIGUARD_LOG_LEVEL"] = "Debug"
	vars["CNIGUARD_EXTERNAL_ID"] = "sesame"
	vars["CNIGUARD_OBSERVER_ROLE"] = "ops/watch"
	vars["CNIGUARD_UPDATER_ROLE"] = "ops/update"
	got, err := app.FromEnvironment(getenv(vars))
	if err != nil {
		t.Fatal(err)
	}
	if units := got.Policy.Units(); len(units) != 2 || units[0] != (event.Unit{Account: "111122223333", Region: "eu-central-1"}) {
		t.Errorf("the policy's fleet is %v", units)
	}
	got.Policy = nil
	want := app.Config{
		Function: event.Bulk, Hub: event.Unit{Account: "444455556666", Region: "eu-central-1"},
		Topics: app.Topics{notify.OnCall: vars["CNIGUARD_TOPIC_ONCALL"], notify.Chat: vars["CNIGUARD_TOPIC_CHAT"], notify.Machine: vars["CNIGUARD_TOPIC_MACHINE"]},
		Table:  "ops-cniguard", Bus: "watch", Level: slog.LevelDebug,
		Access: access.Options{Session: "cniguard-bulk", ExternalID: "sesame",
			Names: map[access.Role]string{access.Observer: "ops/watch", access.Updater: "ops/update"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatTheEnvironmentLeavesOutHasItsDefault(t *testing.T) {
	vars := environment(t)
	vars["LAMBDA_TASK_ROOT"] = filepath.Dir(vars["CNIGUARD_POLICY"])
	delete(vars, "CNIGUARD_POLICY")
	got, err := app.FromEnvironment(getenv(vars))
	if err != nil {
		t.Fatal(err)
	}
	if got.Bus != "default" || got.Table != "" || got.Level != slog.LevelInfo || len(got.Policy.Units()) != 2 || len(got.Topics) != 1 {
		t.Errorf("bus %q, level %s, fleet %v, topics %v", got.Bus, got.Level, got.Policy.Units(), got.Topics)
	}
}

func TestAMistakeInTheEnvironmentIsNamed(t *testing.T) {
	const topic = "want a standard SNS topic in the hub's account, as arn:aws:sns:eu-central-1:111122223333:cniguard-oncall"
	const table = "want a DynamoDB table in the hub, as arn:aws:dynamodb:eu-central-1:111122223333:table/cniguard, or memory, which forgets"
	for name, c := range map[string]struct{ variable, value, want string }{
		"no function":                   {"CNIGUARD_FUNCTION", "", "CNIGUARD_FUNCTION is not set; want urgent or bulk"},
		"a function that there is not":  {"CNIGUARD_FUNCTION", "both", `CNIGUARD_FUNCTION is "both"; want urgent or bulk`},
		"no topic":                      {"CNIGUARD_TOPIC_ONCALL", "", "CNIGUARD_TOPIC_ONCALL is not set; " + topic},
		"a topic by its name":           {"CNIGUARD_TOPIC_ONCALL", "cniguard", `CNIGUARD_TOPIC_ONCALL is "cniguard"; ` + topic},
		"the topic's subscription":      {"CNIGUARD_TOPIC_ONCALL", "arn:aws:sns:eu-central-1:444455556666:cniguard:1", topic},
		"a queue in place of the topic": {"CNIGUARD_TOPIC_ONCALL", "arn:aws:sqs:eu-central-1:444455556666:cniguard", topic},
		"a FIFO topic":                  {"CNIGUARD_TOPIC_ONCALL", "arn:aws:sns:eu-central-1:444455556666:cniguard.fifo", topic},
		"a topic without a region":      {"CNIGUARD_TOPIC_ONCALL", "arn:aws:sns::444455556666:cniguard", topic},
		"a topic without an account":    {"CNIGUARD_TOPIC_ONCALL", "arn:aws:sns:eu-central-1::cniguard", topic},
		"a topic without a name":        {"CNIGUARD_TOPIC_ONCALL", "arn:aws:sns:eu-central-1:444455556666:", topic},
		"a chat's topic that is none":   {"CNIGUARD_TOPIC_CHAT", "general", `CNIGUARD_TOPIC_CHAT is "general"; want a standard SNS topic`},
		"a topic in another account":    {"CNIGUARD_TOPIC_MACHINE", "arn:aws:sns:eu-central-1:111122223333:m", "want a topic in account 444455556666, as the other topics"},
		"a topic out of the region":     {"CNIGUARD_TOPIC_CHAT", "arn:aws:sns:us-east-1:444455556666:c", "want a topic in the function's own region, eu-central-1"},
		"one topic for two channels": {"CNIGUARD_TOPIC_MACHINE", "arn:aws:sns:eu-central-1:444455556666:cniguard-oncall",
			"want a topic of its own, other than CNIGUARD_TOPIC_ONCALL"},
		"no ledger":                        {"CNIGUARD_LEDGER", "", "CNIGUARD_LEDGER is not set; " + table},
		"a ledger that there is not":       {"CNIGUARD_LEDGER", "dynamodb", `CNIGUARD_LEDGER is "dynamodb"; ` + table},
		"a table by its name":              {"CNIGUARD_LEDGER", "cniguard", table},
		"the index of a table":             {"CNIGUARD_LEDGER", "arn:aws:dynamodb:eu-central-1:444455556666:table/cniguard/index/due", table},
		"a table without a name":           {"CNIGUARD_LEDGER", "arn:aws:dynamodb:eu-central-1:444455556666:table/", table},
		"a table without an account":       {"CNIGUARD_LEDGER", "arn:aws:dynamodb:eu-central-1::table/cniguard", table},
		"a topic in place of the table":    {"CNIGUARD_LEDGER", "arn:aws:sns:eu-central-1:444455556666:cniguard", table},
		"a table in another region":        {"CNIGUARD_LEDGER", "arn:aws:dynamodb:eu-west-1:444455556666:table/cniguard", "want a table in account 444455556666 in eu-central-1, as the topics"},
		"a table in another account":       {"CNIGUARD_LEDGER", "arn:aws:dynamodb:eu-central-1:111122223333:table/cniguard", "want a table in account 444455556666 in eu-central-1, as the topics"},
		"a level that there is not":        {"CNIGUARD_LOG_LEVEL", "loud", `CNIGUARD_LOG_LEVEL is "loud"; want debug, info, warn or error`},
		"a policy that is not there":       {"CNIGUARD_POLICY", "/nowhere/policy.json", "CNIGUARD_POLICY: want a compiled policy"},
		"a policy that is not compiled":    {"CNIGUARD_POLICY", file(t, "policy.yaml", []byte("version: 1")), "read compiled policy"},
		"a policy without a fleet":         {"CNIGUARD_POLICY", file(t, "none.json", []byte(`{"version":1,"fleet":[]}`)), "fleet"},
		"a policy with a mistake":          {"CNIGUARD_POLICY", file(t, "bad.json", []byte(`{"version":1,"fleet":[{"account":"1","regions":["eu-central-1"]}]}`)), "fleet[0].account"},
		"two values of it in one variable": {"CNIGUARD_LOG_LEVEL", "info,debug", "CNIGUARD_LOG_LEVEL"},
	} {
		t.Run(name, func(t *testing.T) {
			vars := environment(t)
			vars[c.variable] = c.value
			_, err := app.FromEnvironment(getenv(vars))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one with %q", err, c.want)
			}
			if lines := strings.Split(err.Error(), "\n"); !strings.HasPrefix(lines[0], "read the environment: ") {
				t.Errorf("the error does not say what was read: %s", lines[0])
			}
		})
	}
}

func TestAllMistakesAreNamedAtOnce(t *testing.T) {
	_, err := app.FromLambda(getenv(map[string]string{"CNIGUARD_LOG_LEVEL": "loud", "CNIGUARD_POLICY": "/nowhere"}), io.Discard)
	if err == nil {
		t.Fatal("nothing is wrong with an empty environment")
	}
	for _, name := range []string{
		"CNIGUARD_FUNCTION", "CNIGUARD_TOPIC_ONCALL", "CNIGUARD_LEDGER", "CNIGUARD_LOG_LEVEL", "CNIGUARD_POLICY",
		"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
	} {
		if strings.Count(err.Error(), name) != 1 {
			t.Errorf("%s is named %d times in\n%s", name, strings.Count(err.Error(), name), err)
		}
	}
}

func TestADeployedFunctionStartsWithoutACall(t *testing.T) {
	vars := environment(t)
	vars["AWS_REGION"], vars["AWS_ACCESS_KEY_ID"], vars["AWS_SECRET_ACCESS_KEY"] = "eu-central-1", "AKIA", "secret"
	vars["AWS_ENDPOINT_URL"] = "http://localhost:1"
	var log strings.Builder
	a, err := app.FromLambda(getenv(vars), &log)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Handle(t.Context(), sample(t, "alarm-foreign.json")); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), `"Function":"urgent"`) {
		t.Errorf("it wrote no metrics: %s", log.String())
	}
}

func TestADeployedFunctionKeepsItsLedgerInTheTable(t *testing.T) {
	var calls []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ TableName string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		calls = append(calls, r.Header.Get("X-Amz-Target")+" "+in.TableName)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = io.WriteString(w, `{"Items":[],"Count":0,"ScannedCount":0}`)
	}))
	defer srv.Close()
	vars := environment(t)
	vars["CNIGUARD_FUNCTION"], vars["CNIGUARD_LEDGER"] = "bulk", "arn:aws:dynamodb:eu-central-1:444455556666:table/ops-cniguard"
	vars["AWS_REGION"], vars["AWS_ACCESS_KEY_ID"], vars["AWS_SECRET_ACCESS_KEY"] = "eu-central-1", "AKIA", "secret"
	vars["AWS_ENDPOINT_URL"] = srv.URL
	a, err := app.FromLambda(getenv(vars), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Handle(t.Context(), event.Scheduled(event.Tick, "444455556666", "eu-central-1", time.Now())); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{
		"DynamoDB_20120810.Query ops-cniguard",                                                                                     // what is due
		"DynamoDB_20120810.GetItem ops-cniguard", "DynamoDB_20120810.PutItem ops-cniguard", "DynamoDB_20120810.Query ops-cniguard", // digests
	}, calls); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
