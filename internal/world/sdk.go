package world

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmw "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Config mounts the world below real SDK clients, for calls of a principal in a region of its account. The SDK validates,
// signs and retries as ever; instead of being sent, each attempt is answered by the world. Roles that are assumed with it
// become the principal of their calls. Nothing ever reaches a network.
func (w *World) Config(principal, account, region string) aws.Config {
	return aws.Config{
		Region:      region,
		Credentials: credentials.NewStaticCredentialsProvider(w.key(identity{principal, account}), secretKey, sessionToken),
		Retryer:     func() aws.Retryer { return newRetryer() },
		HTTPClient:  offline{},
		APIOptions:  []func(*middleware.Stack) error{w.mount},
	}
}

// offline is an HTTP client that must not be used.
type offline struct{}

var errOffline = errors.New("world: a request got past the simulation; it was not sent")

func (offline) Do(*http.Request) (*http.Response, error) { return nil, errOffline }

// newRetryer is the SDK's own, which classifies, counts and limits retries, without its waiting in real time. The world waits
// instead; see backoff.
func newRetryer() *retry.Standard {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
	})
}

type requestKey struct{}

// request is one operation on its way through the SDK.
type request struct {
	in  any
	try int
}

// mount puts the world into an operation's stack. At Initialize the typed input is kept; inside of the SDK's retries each try
// waits its back-off, before credentials are fetched for it; at the front of Deserialize, above everything that knows of wire
// formats, it is answered.
func (w *World) mount(s *middleware.Stack) error {
	keep := func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
		middleware.InitializeOutput, middleware.Metadata, error,
	) {
		return next.HandleInitialize(context.WithValue(ctx, requestKey{}, &request{in: in.Parameters}), in)
	}
	wait := func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
		out middleware.FinalizeOutput, md middleware.Metadata, err error,
	) {
		r := ctx.Value(requestKey{}).(*request)
		r.try++
		if err := w.backoff(ctx, serviceOf(awsmw.GetServiceID(ctx)), r.try); err != nil {
			return out, md, err
		}
		return next.HandleFinalize(ctx, in)
	}
	answer := func(ctx context.Context, in middleware.DeserializeInput, _ middleware.DeserializeHandler) (
		out middleware.DeserializeOutput, md middleware.Metadata, err error,
	) {
		out.Result, err = w.attempt(ctx, in.Request)
		return out, md, err
	}
	return errors.Join(
		s.Initialize.Add(middleware.InitializeMiddlewareFunc("WorldInput", keep), middleware.After),
		s.Finalize.Insert(middleware.FinalizeMiddlewareFunc("WorldBackoff", wait), "Retry", middleware.After),
		s.Deserialize.Add(middleware.DeserializeMiddlewareFunc("World", answer), middleware.Before),
	)
}

// attempt answers one attempt of the SDK.
func (w *World) attempt(ctx context.Context, sent any) (any, error) {
	signed, ok := sent.(*smithyhttp.Request)
	if !ok {
		return nil, errOffline
	}
	r := ctx.Value(requestKey{}).(*request)
	return w.Attempt(ctx, accessKey(signed.Header.Get("Authorization")), &Call{
		Service: serviceOf(awsmw.GetServiceID(ctx)), Op: awsmw.GetOperationName(ctx), Try: r.try, Region: awsmw.GetRegion(ctx), In: r.in,
	})
}

// accessKey is the key in "AWS4-HMAC-SHA256 Credential=KEY/…".
func accessKey(authorization string) string {
	_, rest, _ := strings.Cut(authorization, "Credential=")
	key, _, _ := strings.Cut(rest, "/")
	return key
}

// serviceOf is the IAM prefix of a service in the SDK's naming.
func serviceOf(id string) string {
	if id == "EventBridge" {
		return "events"
	}
	return strings.ToLower(id)
}
