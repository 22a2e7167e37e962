package access

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/cniguard/cniguard/internal/cluster"
)

// The SDK's HTTP client waits for ever by default. A call has 10 s in all (package cloud), so that a try that hangs leaves time
// for a second one.
const (
	tryTimeout     = 5 * time.Second
	connectTimeout = 2 * time.Second
	tries          = 3
)

// FromEnvironment makes the configuration from the variables that Lambda sets: AWS_REGION, AWS_ACCESS_KEY_ID,
// AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; and AWS_ENDPOINT_URL for an emulator. It is made by hand because
// config.LoadDefaultConfig costs time in every cold start and links the SDK's SSO clients (ADR 0003 has the figures). The
// error names everything that is wrong.
func FromEnvironment(getenv func(string) string) (aws.Config, error) {
	var wrong []error
	need := func(name string) string {
		v := getenv(name)
		if v == "" {
			wrong = append(wrong, fmt.Errorf("read the environment: %s is not set", name))
		}
		return v
	}
	region, key, secret := need("AWS_REGION"), need("AWS_ACCESS_KEY_ID"), need("AWS_SECRET_ACCESS_KEY")
	if region != "" && !cluster.IsRegion(region) {
		wrong = append(wrong, fmt.Errorf("read the environment: AWS_REGION %q is not a region; want one as eu-central-1", region))
	}
	cfg := aws.Config{
		Region:           region,
		Credentials:      credentials.NewStaticCredentialsProvider(key, secret, getenv("AWS_SESSION_TOKEN")),
		HTTPClient:       httpClient(),
		RetryMode:        aws.RetryModeStandard,
		RetryMaxAttempts: tries,
		AppID:            "cniguard",
	}
	if endpoint := getenv("AWS_ENDPOINT_URL"); endpoint != "" {
		u, err := url.Parse(endpoint)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			wrong = append(wrong, fmt.Errorf("read the environment: AWS_ENDPOINT_URL %q is not a URL; want one as http://localhost:4566", endpoint))
		}
		cfg.BaseEndpoint = &endpoint
	}
	if len(wrong) > 0 {
		return aws.Config{}, errors.Join(wrong...)
	}
	return cfg, nil
}

func httpClient() aws.HTTPClient {
	return awshttp.NewBuildableClient().
		WithTimeout(tryTimeout).
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = connectTimeout }).
		WithTransportOptions(func(t *http.Transport) { t.TLSHandshakeTimeout = connectTimeout })
}
