package app

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/policy"
	"github.com/cniguard/cniguard/internal/telemetry"
)

// Config is what a deployed function is told by its environment.
type Config struct {
	Function event.Target // which of the two functions this is; the urgent one may start updates
	Hub      event.Unit   // the account and region it runs in
	Topics   Topics       // that are told
	Table    string       // name of the ledger's DynamoDB table in the hub; empty: the ledger is in memory
	Bus      string       // name or ARN of the event bus that takes wake-ups
	Policy   *policy.Policy
	Access   access.Options
	Level    slog.Level // of the log
}

// FromEnvironment reads the configuration of a function from its environment variables, and the compiled policy from the file
// that one of them names. The error names everything that is wrong. docs/lambda.md describes each variable.
func FromEnvironment(getenv func(string) string) (Config, error) {
	var wrong []error
	add := func(name, have, want string) {
		if have == "" {
			wrong = append(wrong, fmt.Errorf("read the environment: %s is not set; want %s", name, want))
			return
		}
		wrong = append(wrong, fmt.Errorf("read the environment: %s is %q; want %s", name, have, want))
	}
	c := Config{Function: event.Target(getenv("CNIGUARD_FUNCTION")), Bus: getenv("CNIGUARD_BUS")}
	if c.Function != event.Urgent && c.Function != event.Bulk {
		add("CNIGUARD_FUNCTION", string(c.Function), "urgent or bulk")
	}
	c.Topics, c.Hub = readTopics(getenv, add)
	if c.Bus == "" {
		c.Bus = "default"
	}
	c.Table = readLedger(getenv, c.Hub, add)
	var err error
	if c.Level, err = telemetry.Level(getenv("CNIGUARD_LOG_LEVEL")); err != nil {
		add("CNIGUARD_LOG_LEVEL", getenv("CNIGUARD_LOG_LEVEL"), "debug, info, warn or error")
	}
	c.Access = access.Options{Session: "cniguard-" + string(c.Function), ExternalID: getenv("CNIGUARD_EXTERNAL_ID"), Names: map[access.Role]string{
		access.Observer: getenv("CNIGUARD_OBSERVER_ROLE"), access.Updater: getenv("CNIGUARD_UPDATER_ROLE"),
	}}
	if c.Policy, err = readPolicy(getenv); err != nil {
		wrong = append(wrong, err)
	}
	return c, errors.Join(wrong...)
}

// readLedger is the name of the table that keeps the ledger; empty: it is in memory. Mistakes go to wrong.
func readLedger(getenv func(string) string, hub event.Unit, wrong func(name, have, want string)) string {
	const name = "CNIGUARD_LEDGER"
	ledger := getenv(name)
	if ledger == "memory" {
		return ""
	}
	parts := strings.SplitN(ledger, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "dynamodb" || !cluster.IsAccount(parts[4]) || !isTable(parts[5]) {
		wrong(name, ledger, "a DynamoDB table in the hub, as arn:aws:dynamodb:eu-central-1:111122223333:table/cniguard, or memory, which forgets")
		return ""
	}
	// A table is called by its name, which a client finds in its own account and region.
	if at := (event.Unit{Account: parts[4], Region: parts[3]}); hub != (event.Unit{}) && at != hub {
		wrong(name, ledger, "a table in account "+hub.Account+" in "+hub.Region+", as the topics")
	}
	return strings.TrimPrefix(parts[5], "table/")
}

// isTable reports whether the last part of an ARN is a table's, and not that of an index or a stream of it.
func isTable(resource string) bool {
	name, ok := strings.CutPrefix(resource, "table/")
	return ok && name != "" && !strings.Contains(name, "/")
}

func readPolicy(getenv func(string) string) (*policy.Policy, error) {
	file := getenv("CNIGUARD_POLICY")
	if file == "" {
		file = filepath.Join(getenv("LAMBDA_TASK_ROOT"), "policy.json")
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the environment: CNIGUARD_POLICY: want a compiled policy, as `cniguard policy compile` writes it: %w", err)
	}
	p, err := policy.Load(data)
	if err != nil {
		return nil, fmt.Errorf("read the environment: CNIGUARD_POLICY %s: %w", file, err)
	}
	return p, nil
}
