// Package access opens AWS: it gives the aws.Config for an account, a region and a role, and says of every SDK error what kind
// of failure it is.
//
// Roles are assumed in every account, also in the hub's own, so that there is one way in and one place to grant. Kinds of
// failures are given once, here, from error codes and types (package fault), never from texts.
package access

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/cniguard/cniguard/internal/cluster"
)

// Role is what cniguard is in an account. Its text is the usual name of the IAM role.
type Role string

// The roles. The observer reads and keeps the alarms; the updater changes add-ons and exists only where updates are enabled.
const (
	Observer Role = "cniguard-observer"
	Updater  Role = "cniguard-updater"
)

const (
	// session is how long an assumed role lasts: the most that AWS allows when one role assumes another
	// (IAM user guide, "Role chaining").
	session = time.Hour
	// early is how long before that it is assumed again, so that no session ends inside an invocation.
	early = 5 * time.Minute
)

// Options say how roles are assumed.
type Options struct {
	// Session is the role session name, which CloudTrail shows as the caller, as "cniguard-urgent". Empty: "cniguard".
	Session string
	// ExternalID is sent along when it is not empty.
	ExternalID string
	// Names are the IAM roles' names, with their path, where they are not the usual ones.
	Names map[Role]string
}

// Access gives the way into accounts. It may be used by several goroutines.
type Access struct {
	base    aws.Config
	options Options
	sts     *sts.Client

	mu          sync.Mutex
	credentials map[identity]*aws.CredentialsCache
}

type identity struct {
	role    Role
	account string
}

// New returns an Access that assumes roles with base's credentials, at the STS endpoint of base's region. Tokens of a regional
// endpoint are valid in every region of the partition, opt-in regions too (IAM user guide, "Manage AWS STS in an AWS Region").
func New(base aws.Config, o Options) *Access {
	if o.Session == "" {
		o.Session = "cniguard"
	}
	return &Access{base: base, options: o, sts: sts.NewFromConfig(base), credentials: map[identity]*aws.CredentialsCache{}}
}

// Config is the configuration for a role in an account and a region. The role is assumed at the first call that is made
// with it, and again when AWS answers that its credentials have expired; the session is shared by all regions of the account.
func (a *Access) Config(role Role, account, region string) aws.Config {
	cfg, cache := a.base.Copy(), a.assume(identity{role, account}, a.ARN(role, account, region))
	cfg.Region, cfg.Credentials = region, cache
	cfg.APIOptions = append(slices.Clone(cfg.APIOptions), func(s *middleware.Stack) error {
		return s.Finalize.Insert(dropExpired(cache), "Retry", middleware.After)
	})
	return cfg
}

// dropExpired forgets credentials that AWS calls expired, earlier than they said: a session was ended, or clocks are apart. The
// next try, or the next call, gets new ones; else all calls of the role would fail until the hour is over.
func dropExpired(cache *aws.CredentialsCache) middleware.FinalizeMiddleware {
	return middleware.FinalizeMiddlewareFunc("DropExpired", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
		middleware.FinalizeOutput, middleware.Metadata, error,
	) {
		out, md, err := next.HandleFinalize(ctx, in)
		var api smithy.APIError
		if errors.As(err, &api) && expired(api.ErrorCode()) {
			cache.Invalidate()
		}
		return out, md, err
	})
}

// ARN is the role's own, in an account of the region's partition.
func (a *Access) ARN(role Role, account, region string) string {
	name := a.options.Names[role]
	if name == "" {
		name = string(role)
	}
	return "arn:" + cluster.PartitionOf(region).Name + ":iam::" + account + ":role/" + name
}

func (a *Access) assume(who identity, arn string) *aws.CredentialsCache {
	a.mu.Lock()
	defer a.mu.Unlock()
	if known := a.credentials[who]; known != nil {
		return known
	}
	provider := stscreds.NewAssumeRoleProvider(a.sts, arn, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = a.options.Session
		o.Duration = session
		if a.options.ExternalID != "" {
			o.ExternalID = &a.options.ExternalID
		}
	})
	cache := aws.NewCredentialsCache(assumed{provider, arn}, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = early })
	a.credentials[who] = cache
	return cache
}

// assumed names the role in its errors: AWS's message need not, and a time-out has none.
type assumed struct {
	*stscreds.AssumeRoleProvider
	arn string
}

func (p assumed) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := p.AssumeRoleProvider.Retrieve(ctx)
	if err != nil {
		return c, &assumeError{p.arn, err}
	}
	return c, nil
}

type assumeError struct {
	arn string
	err error
}

func (e *assumeError) Error() string { return "assume role " + e.arn + ": " + e.err.Error() }
func (e *assumeError) Unwrap() error { return e.err }

// AssumedRole is the ARN of the role that could not be assumed. Fault asks for it, also of the errors of a simulated AWS.
func (e *assumeError) AssumedRole() string { return e.arn }
