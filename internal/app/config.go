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
	Topic    string       // ARN of the SNS topic that is told
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
	c := Config{Function: event.Target(getenv("CNIGUARD_FUNCTION")), Topic: getenv("CNIGUARD_TOPIC_ARN"), Bus: getenv("CNIGUARD_BUS")}
	if c.Function != event.Urgent && c.Function != event.Bulk {
		add("CNIGUARD_FUNCTION", string(c.Function), "urgent or bulk")
	}
	topic := strings.Split(c.Topic, ":")
	if len(topic) != 6 || topic[0] != "arn" || topic[2] != "sns" || !cluster.IsRegion(topic[3]) || !cluster.IsAccount(topic[4]) || topic[5] == "" {
		add("CNIGUARD_TOPIC_ARN", c.Topic, "an SNS topic in the hub's account, as arn:aws:sns:eu-central-1:111122223333:cniguard")
	} else {
		c.Hub = event.Unit{Account: topic[4], Region: topic[3]}
		if own := getenv("AWS_REGION"); own != "" && own != c.Hub.Region { // a client of SNS reaches the topics of its own region only
			add("CNIGUARD_TOPIC_ARN", c.Topic, "a topic in the function's own region, "+own)
		}
	}
	if c.Bus == "" {
		c.Bus = "default"
	}
	if ledger := getenv("CNIGUARD_LEDGER"); ledger != "memory" {
		add("CNIGUARD_LEDGER", ledger, "memory, the only ledger so far: it forgets when the function's environment ends")
	}
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

func readPolicy(getenv func(string) string) (*policy.Policy, error) {
	file := getenv("CNIGUARD_POLICY")
	if file == "" {
		file = filepath.Join(getenv("LAMBDA_TASK_ROOT"), "policy.json")
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the environment: CNIGUARD_POLICY: want a compiled policy, as `cniguard policy compile` writes it: %w", err)
	}
	p, err := policy.Load(data, false)
	if err != nil {
		return nil, fmt.Errorf("read the environment: CNIGUARD_POLICY %s: %w", file, err)
	}
	return p, nil
}
