package world

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// Client mounts the world without the SDK: it has the methods of the SDK's clients and does what they do, that is, it
// validates, tries as often and gives the same errors, but it signs and serialises nothing. Options are ignored.
type Client struct {
	world    *World
	who      identity
	region   string
	retryers map[string]*retry.Standard // by the SDK's service id, as each SDK client has one; made when first needed
	sessions map[string]*session        // by role; those of all clients that come of one
	session  *session                   // nil: the principal calls itself
}

// session is a role that is assumed at the first call, and again after one that said that its credentials have expired.
type session struct {
	by      *Client
	role    string
	assumed bool
}

// Client is a client for calls of a principal in a region of its account.
func (w *World) Client(principal, account, region string) *Client {
	return &Client{world: w, who: identity{principal, account}, region: region, sessions: map[string]*session{}}
}

// Assume is a client in the region for calls of a role, which the receiver's principal assumes at the first of them. As with
// the SDK's credential cache, all clients of one role that come of the same World.Client share the session, and a failure
// is not remembered. Like a client of the SDK, each that is returned limits its retries by itself.
func (c *Client) Assume(role, region string) *Client {
	s := c.sessions[role]
	if s == nil {
		s = &session{by: c, role: role}
		c.sessions[role] = s
	}
	return &Client{world: c.world, who: identity{role, accountOf(role)}, region: region, sessions: c.sessions, session: s}
}

// In is a client for calls of the same principal in another region.
func (c *Client) In(region string) *Client {
	return &Client{world: c.world, who: c.who, region: region, sessions: c.sessions, session: c.session}
}

// Retrieve gives the credentials of the client's principal, which makes the client an aws.CredentialsProvider: those of a role after it was
// assumed, as for a call. They never expire in virtual time.
func (c *Client) Retrieve(ctx context.Context) (aws.Credentials, error) {
	if err := c.session.open(ctx); err != nil {
		return aws.Credentials{}, err
	}
	return aws.Credentials{AccessKeyID: c.world.key(c.who), SecretAccessKey: secretKey, SessionToken: sessionToken, Source: "world"}, nil
}

func (s *session) open(ctx context.Context) error {
	if s == nil || s.assumed {
		return nil
	}
	if _, err := s.by.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &s.role, RoleSessionName: aws.String("direct")}); err != nil {
		return &notAssumed{s.role, err}
	}
	s.assumed = true
	return nil
}

// notAssumed is the error of a role that could not be assumed.
type notAssumed struct {
	role string
	err  error
}

func (e *notAssumed) Error() string {
	return "failed to refresh cached credentials, " + e.err.Error()
}

func (e *notAssumed) Unwrap() error { return e.err }

// AssumedRole is the ARN of the role, as package access asks for it.
func (e *notAssumed) AssumedRole() string { return e.role }

// invoke runs one operation as the SDK does.
func invoke[Out, In any](ctx context.Context, c *Client, service, op string, in *In) (*Out, error) {
	return invokeAtMost[Out](ctx, c, service, op, in, retry.DefaultMaxAttempts)
}

// invokeAtMost runs one operation with so many tries.
func invokeAtMost[Out, In any](ctx context.Context, c *Client, service, op string, in *In, most int) (*Out, error) {
	if in == nil {
		in = new(In)
	}
	err := missing(in)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		var out any
		if out, err = c.attempts(ctx, service, op, in, most); err == nil {
			return out.(*Out), nil
		}
	}
	return nil, &smithy.OperationError{ServiceID: service, OperationName: op, Err: err}
}

// attempts tries as often as the SDK does: retry.Attempt, with its tokens. Until a service's first failure its bucket of
// tokens is full, and no retryer is needed.
func (c *Client) attempts(ctx context.Context, service, op string, in any, most int) (any, error) {
	paid := func(error) error { return nil }
	for try := 1; ; try++ {
		out, err := c.attempt(ctx, &Call{
			Service: serviceOf(service), Op: op, Try: try, Principal: c.who.principal, Account: c.who.account, Region: c.region, In: in,
		})
		r := c.retryers[service]
		if err == nil && r == nil {
			return out, nil
		}
		if r == nil {
			r = c.retryer(service)
		}
		first, _ := r.GetAttemptToken(ctx)
		if err := errors.Join(paid(err), first(err)); err != nil {
			return nil, err
		}
		switch {
		case err == nil:
			return out, nil
		case !r.IsErrorRetryable(err):
			return nil, err
		case try >= most:
			return nil, &retry.MaxAttemptsError{Attempt: try, Err: err}
		}
		token, broke := r.GetRetryToken(ctx, err)
		if broke != nil {
			return nil, errors.Join(err, broke)
		}
		if err := ctx.Err(); err != nil {
			return nil, &aws.RequestCanceledError{Err: err}
		}
		paid = token
	}
}

// attempt makes one: the SDK waits before it, and only then gets its credentials.
func (c *Client) attempt(ctx context.Context, call *Call) (any, error) {
	if err := c.world.backoff(ctx, call.Service, call.Try); err != nil {
		return nil, err
	}
	if err := c.session.open(ctx); err != nil {
		return nil, fmt.Errorf("get identity: get credentials: %w", err)
	}
	out, err := c.world.try(ctx, call)
	if c.session != nil && expired(err) {
		c.session.assumed = false
	}
	return out, err
}

// expired reports whether an answer makes package access forget a role's credentials.
func expired(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && slices.Contains([]string{"ExpiredToken", "ExpiredTokenException", "RequestExpired"}, api.ErrorCode())
}

func (c *Client) retryer(service string) *retry.Standard {
	if c.retryers == nil {
		c.retryers = map[string]*retry.Standard{}
	}
	c.retryers[service] = newRetryer()
	return c.retryers[service]
}
