package cloud_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/cloud"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

// broken answers every request of the SDK with a server error, and counts them.
type broken struct{ requests int }

func (b *broken) Do(r *http.Request) (*http.Response, error) {
	b.requests++
	return &http.Response{StatusCode: 500, Header: http.Header{"X-Amzn-Errortype": {"ServerException"}},
		Body: io.NopCloser(strings.NewReader(`{"message":"because"}`)), Request: r}, nil
}

func TestTheSDKRetriesReadsButNotUpdates(t *testing.T) {
	b := &broken{}
	cfg := aws.Config{HTTPClient: b, Credentials: credentials.NewStaticCredentialsProvider("k", "s", ""), Retryer: func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	}}
	c := cloud.New(func(_ access.Role, _, region string) cloud.Clients {
		cfg.Region = region
		return cloud.FromConfig(cfg, "")
	}, clock.Real{})

	named := step
	named.ID = "u1"
	if got := c.Settle(t.Context(), prod, named); got.Fault == nil || b.requests != 3 {
		t.Errorf("a read: %d requests, %+v; want 3", b.requests, got)
	}
	b.requests = 0
	want := fault.Fault{Kind: fault.Retry, Op: "eks:UpdateAddon", Code: "ServerException", InDoubt: true, Text: "because"}
	if got := c.Do(t.Context(), prod, guard.Action{Kind: guard.StartUpdate, Step: step}); *got.Fault != want || b.requests != 1 {
		t.Errorf("an update: %d requests, %+v; want 1 and %+v", b.requests, got.Fault, want)
	}
}
