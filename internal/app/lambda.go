package app

import (
	"context"
	"errors"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/cloud"
	"github.com/cniguard/cniguard/internal/kube"
	"github.com/cniguard/cniguard/internal/ledger"
	"github.com/cniguard/cniguard/internal/notify"
	"github.com/cniguard/cniguard/internal/plain"
)

// FromLambda is the App of a deployed function: everything comes from the environment, and AWS is the real one. The error
// names everything that is wrong with the environment.
func FromLambda(getenv func(string) string, log io.Writer) (*App, error) {
	c, configErr := FromEnvironment(getenv)
	base, accessErr := access.FromEnvironment(getenv)
	if err := errors.Join(configErr, accessErr); err != nil {
		return nil, err
	}
	// Each execution environment has a log stream of its own (Lambda developer guide, "Defined runtime environment variables").
	p := Parts{Ledger: openLedger(base, c.Table), Clock: clock.Real{}, Log: log, Process: getenv("AWS_LAMBDA_LOG_STREAM_NAME")}
	roles := access.New(base, c.Access)
	p.Connect, p.SNS, p.Events = Connect(base, roles)
	p.Insider = kube.New(Observers(roles), kube.TLS, p.Clock)
	return New(c, p), nil
}

// openLedger is the ledger in a table, or in memory where there is none.
func openLedger(base aws.Config, table string) Ledger {
	if table == "" {
		return ledger.NewMemory()
	}
	return ledger.NewDynamo(dynamodb.NewFromConfig(base), table, clock.Real{})
}

// Connect makes the SDK's own clients: those in the hub with the caller's credentials, those in the fleet with assumed roles.
func Connect(base aws.Config, roles *access.Access) (cloud.Connect, notify.Publisher, EventBridge) {
	fleet := func(role access.Role, account, region string) cloud.Clients {
		return cloud.FromConfig(roles.Config(role, account, region), roles.ARN(role, account, region))
	}
	return fleet, sns.NewFromConfig(base), eventbridge.NewFromConfig(base)
}

// Observers reads clusters' own APIs with the observer's role.
func Observers(roles *access.Access) kube.Connect {
	return func(account, region string) (string, aws.CredentialsProvider) {
		return roles.ARN(access.Observer, account, region), roles.Config(access.Observer, account, region).Credentials
	}
}

// Invoke is Handle as the Lambda library calls it. The library hands on the event as it came; of a function that takes JSON it
// would read only the first value, and what is none would never be counted. It prints an error as it is, and Lambda keeps it in the
// failure queue: texts of others in it are cleaned.
func (a *App) Invoke(ctx context.Context, raw []byte) ([]byte, error) {
	if err := a.Handle(ctx, raw); err != nil {
		return nil, errors.New(plain.Clean(err.Error(), plain.Line))
	}
	return []byte("null"), nil
}
