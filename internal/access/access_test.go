package access_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/fault"
)

// wire answers the SDK's HTTP requests: STS by its script, everything else with an empty list of clusters.
type wire struct {
	mu      sync.Mutex
	assumed []string // host, role, session name, external id and duration of each AssumeRole
	called  []string // host and access key of every other call
	refuse  string   // the code with which AssumeRole is refused
	cut     bool     // STS gives no answer
	ends    string   // the code with which calls with the first role's first key are refused
}

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !strings.HasPrefix(r.URL.Host, "sts.") {
		_, key, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
		key, _, _ = strings.Cut(key, "/")
		w.called = append(w.called, r.URL.Host+" "+key)
		if w.ends != "" && key == "KEY1" {
			return respond(r, 403, "application/json", `{"__type":"`+w.ends+`","message":"no"}`), nil
		}
		return respond(r, 200, "application/json", `{"clusters":[]}`), nil
	}
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	w.assumed = append(w.assumed, strings.Join([]string{r.URL.Host, form.Get("RoleArn"), form.Get("RoleSessionName"),
		form.Get("ExternalId"), form.Get("DurationSeconds")}, " "))
	switch {
	case w.cut:
		return nil, io.ErrUnexpectedEOF
	case w.refuse != "":
		return respond(r, 403, "text/xml", `<ErrorResponse><Error><Type>Sender</Type><Code>`+w.refuse+`</Code><Message>no</Message></Error></ErrorResponse>`), nil
	}
	return respond(r, 200, "text/xml", fmt.Sprintf(`<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>KEY%d</AccessKeyId>
		<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
		len(w.assumed), time.Now().Add(time.Hour).UTC().Format(time.RFC3339))), nil
}

func respond(r *http.Request, status int, kind, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}
}

func base(w *wire, region string) aws.Config {
	return aws.Config{Region: region, HTTPClient: w, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("HUB", "s", "")}
}

func list(cfg aws.Config) error {
	_, err := eks.NewFromConfig(cfg).ListClusters(context.Background(), &eks.ListClustersInput{})
	return err
}

func TestRolesAreAssumedAtTheHubsEndpoint(t *testing.T) {
	for name, c := range map[string]struct {
		hub     string
		options access.Options
		role    access.Role
		region  string
		want    string
	}{
		"the observer's role, by default in the name of cniguard": {"eu-central-1", access.Options{}, access.Observer, "eu-west-1",
			"sts.eu-central-1.amazonaws.com arn:aws:iam::111122223333:role/cniguard-observer cniguard  3600"},
		"the updater's role, in the function's name and with an external id": {"eu-central-1",
			access.Options{Session: "cniguard-urgent", ExternalID: "deployment-1"}, access.Updater, "eu-central-1",
			"sts.eu-central-1.amazonaws.com arn:aws:iam::111122223333:role/cniguard-updater cniguard-urgent deployment-1 3600"},
		"a role of another name and path": {"us-east-1", access.Options{Names: map[access.Role]string{access.Observer: "ops/watch"}},
			access.Observer, "us-east-1", "sts.us-east-1.amazonaws.com arn:aws:iam::111122223333:role/ops/watch cniguard  3600"},
		"a role in China": {"cn-north-1", access.Options{}, access.Observer, "cn-northwest-1",
			"sts.cn-north-1.amazonaws.com.cn arn:aws-cn:iam::111122223333:role/cniguard-observer cniguard  3600"},
	} {
		t.Run(name, func(t *testing.T) {
			w := &wire{}
			if err := list(access.New(base(w, c.hub), c.options).Config(c.role, "111122223333", c.region)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{c.want}, w.assumed); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestASessionIsSharedByRegionsAndByNobodyElse(t *testing.T) {
	w := &wire{}
	a := access.New(base(w, "eu-central-1"), access.Options{})
	for _, cfg := range []aws.Config{
		a.Config(access.Observer, "111122223333", "eu-central-1"),
		a.Config(access.Observer, "111122223333", "us-east-1"),
		a.Config(access.Updater, "111122223333", "us-east-1"),
		a.Config(access.Observer, "444455556666", "us-east-1"),
		a.Config(access.Observer, "111122223333", "eu-central-1"),
	} {
		if err := list(cfg); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"eks.eu-central-1.amazonaws.com KEY1", "eks.us-east-1.amazonaws.com KEY1", "eks.us-east-1.amazonaws.com KEY2",
		"eks.us-east-1.amazonaws.com KEY3", "eks.eu-central-1.amazonaws.com KEY1"}
	if diff := cmp.Diff(want, w.called); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestSessionsAreSharedUnderConcurrency(t *testing.T) {
	w := &wire{}
	a := access.New(base(w, "eu-central-1"), access.Options{})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := list(a.Config(access.Observer, "111122223333", "eu-central-1")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(w.assumed) != 1 {
		t.Errorf("the role was assumed %d times; want once", len(w.assumed))
	}
}

// A session that is ended before its hour is over fails the one call that finds it out. After that every region of the account has
// the new one, and other roles keep theirs.
func TestCredentialsThatHaveExpiredAreHadAnew(t *testing.T) {
	again := []string{"eks.eu-central-1.amazonaws.com KEY1", "eks.us-east-1.amazonaws.com KEY3", "eks.eu-central-1.amazonaws.com KEY3", "eks.eu-central-1.amazonaws.com KEY2"}
	kept := []string{"eks.eu-central-1.amazonaws.com KEY1", "eks.us-east-1.amazonaws.com KEY1", "eks.eu-central-1.amazonaws.com KEY1", "eks.eu-central-1.amazonaws.com KEY2"}
	for code, want := range map[string][]string{
		"ExpiredTokenException": again,
		"ExpiredToken":          again,
		"RequestExpired":        again,
		"AccessDeniedException": kept,
		// So answers a region that is switched off: new credentials for each call of its would not help it.
		"UnrecognizedClientException": kept,
	} {
		t.Run(code, func(t *testing.T) {
			w := &wire{}
			a := access.New(base(w, "eu-central-1"), access.Options{})
			here, there := a.Config(access.Observer, "111122223333", "eu-central-1"), a.Config(access.Observer, "111122223333", "us-east-1")
			updater := a.Config(access.Updater, "111122223333", "eu-central-1")
			if err := errors.Join(list(here), list(updater)); err != nil {
				t.Fatal(err)
			}
			w.called, w.ends = nil, code
			if f := access.Fault("eks:ListClusters", list(here)); f == nil || f.Code != code {
				t.Errorf("the call that found it out got %v", f)
			}
			if err := errors.Join(list(there), list(here)); (err == nil) != cmp.Equal(want, again) {
				t.Errorf("the calls after it got %v", err)
			}
			if err := list(updater); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(want, w.called); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestARoleThatCannotBeAssumedIsNamed(t *testing.T) {
	const role = "arn:aws:iam::111122223333:role/cniguard-updater"
	for name, c := range map[string]struct {
		wire *wire
		want fault.Fault
	}{
		"it is denied": {&wire{refuse: "AccessDenied"}, fault.Fault{Kind: fault.Terminal, Code: "AccessDenied", Need: "sts:AssumeRole"}},
		"the region is switched off": {&wire{refuse: "RegionDisabledException"},
			fault.Fault{Kind: fault.Terminal, Code: "RegionDisabledException"}},
		"the hub's own token is too old": {&wire{refuse: "ExpiredTokenException"}, fault.Fault{Kind: fault.Retry, Code: "ExpiredTokenException"}},
		"STS cannot be reached":          {&wire{cut: true}, fault.Fault{Kind: fault.Retry}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := access.New(base(c.wire, "eu-central-1"), access.Options{}).Config(access.Updater, "111122223333", "eu-central-1")
			got := access.Fault("eks:UpdateAddon", list(cfg))
			if !strings.Contains(got.Text, "assume role "+role) {
				t.Errorf("%q does not name the role", got.Text)
			}
			c.want.Op, c.want.Text = "sts:AssumeRole", got.Text
			if diff := cmp.Diff(&c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestFromEnvironment(t *testing.T) {
	whole := map[string]string{"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_SESSION_TOKEN": "token", "AWS_ENDPOINT_URL": "http://localhost:4566"}
	cfg, err := access.FromEnvironment(func(name string) string { return whole[name] })
	if err != nil {
		t.Fatal(err)
	}
	got, err := cfg.Credentials.Retrieve(context.Background())
	if err != nil || got.AccessKeyID != "AKIA" || got.SecretAccessKey != "secret" || got.SessionToken != "token" {
		t.Errorf("credentials: %v, %v", got, err)
	}
	if cfg.Region != "eu-central-1" || aws.ToString(cfg.BaseEndpoint) != "http://localhost:4566" || cfg.RetryMaxAttempts != 3 {
		t.Errorf("region %q, endpoint %q, %d tries", cfg.Region, aws.ToString(cfg.BaseEndpoint), cfg.RetryMaxAttempts)
	}
	timed, ok := cfg.HTTPClient.(interface{ GetTimeout() time.Duration })
	if !ok || timed.GetTimeout() <= 0 || timed.GetTimeout() >= 10*time.Second {
		t.Error("the HTTP client has no time-out, or one that leaves no time for a second try")
	}

	delete(whole, "AWS_ENDPOINT_URL")
	if cfg, err := access.FromEnvironment(func(name string) string { return whole[name] }); err != nil || cfg.BaseEndpoint != nil {
		t.Errorf("without AWS_ENDPOINT_URL: endpoint %v, %v", cfg.BaseEndpoint, err)
	}
}

func TestFromEnvironmentNamesEveryMistake(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		want []string
	}{
		"nothing is set": {nil, []string{
			"read the environment: AWS_REGION is not set",
			"read the environment: AWS_ACCESS_KEY_ID is not set",
			"read the environment: AWS_SECRET_ACCESS_KEY is not set",
		}},
		"what is set is wrong": {map[string]string{"AWS_REGION": "Frankfurt", "AWS_ACCESS_KEY_ID": "AKIA", "AWS_ENDPOINT_URL": "localhost:4566"}, []string{
			"read the environment: AWS_SECRET_ACCESS_KEY is not set",
			`read the environment: AWS_REGION "Frankfurt" is not a region; want one as eu-central-1`,
			`read the environment: AWS_ENDPOINT_URL "localhost:4566" is not a URL; want one as http://localhost:4566`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := access.FromEnvironment(func(name string) string { return c.env[name] })
			if err == nil {
				err = errors.New("no error")
			}
			if diff := cmp.Diff(strings.Join(c.want, "\n"), err.Error()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
