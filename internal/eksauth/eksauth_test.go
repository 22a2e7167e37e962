package eksauth_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/eksauth"
)

const (
	prefix = "k8s-aws-v1."
	empty  = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

func signedAt() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) }

func keys() aws.Credentials {
	return aws.Credentials{AccessKeyID: "ASIA0000000000000001", SecretAccessKey: "the secret", SessionToken: "session+token/with=signs"}
}

// request is what a token is made of.
type request struct {
	url     string
	header  http.Header
	keys    aws.Credentials
	service string
	region  string
	method  string
}

func usual() request {
	return request{
		url:    "https://sts.eu-central-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=60",
		header: http.Header{"X-K8s-Aws-Id": {"prod"}}, keys: keys(), service: "sts", region: "eu-central-1", method: http.MethodGet,
	}
}

// sign has the SDK sign, of which Verify has no line.
func (r request) sign(t testing.TB) string {
	t.Helper()
	made, err := http.NewRequestWithContext(t.Context(), r.method, r.url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	made.Header = r.header
	signed, _, err := v4.NewSigner().PresignHTTP(t.Context(), r.keys, made, empty, r.service, r.region, signedAt())
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func wrap(signed string) string { return prefix + base64.RawURLEncoding.EncodeToString([]byte(signed)) }

func secret(key string) (string, bool) { return keys().SecretAccessKey, key == keys().AccessKeyID }

// Fact 6.5/token.
func TestTokensAreTakenAsEKSTakesThem(t *testing.T) {
	for name, c := range map[string]struct {
		region, host string
	}{
		"in a commercial region":          {"eu-central-1", "sts.eu-central-1.amazonaws.com"},
		"in China":                        {"cn-north-1", "sts.cn-north-1.amazonaws.com.cn"},
		"in GovCloud":                     {"us-gov-west-1", "sts.us-gov-west-1.amazonaws.com"},
		"in the European Sovereign Cloud": {"eusc-de-east-1", "sts.eusc-de-east-1.amazonaws.eu"},
		"in a secret region":              {"us-isob-east-1", "sts.us-isob-east-1.sc2s.sgov.gov"},
	} {
		t.Run(name, func(t *testing.T) {
			r := usual()
			r.region, r.url = c.region, strings.Replace(r.url, "sts.eu-central-1.amazonaws.com", c.host, 1)
			if key, err := eksauth.Verify(wrap(r.sign(t)), "prod", signedAt(), secret); err != nil || key != keys().AccessKeyID {
				t.Errorf("key %q, error %v", key, err)
			}
		})
	}
}

// Fact 6.5/lasts.
func TestATokenLasts15Minutes(t *testing.T) {
	for name, c := range map[string]struct {
		after time.Duration
		taken bool
	}{
		"as soon as it is made":                  {0, true},
		"after X-Amz-Expires, which STS ignores": {61 * time.Second, true},
		"to the end":                             {15 * time.Minute, true},
		"and no longer":                          {15*time.Minute + time.Second, false},
		"also where the signer's clock is ahead": {-5 * time.Minute, true},
		"but not far ahead":                      {-5*time.Minute - time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := eksauth.Verify(wrap(usual().sign(t)), "prod", signedAt().Add(c.after), secret)
			if (err == nil) != c.taken {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestWhatEKSDoesNotTake(t *testing.T) {
	signed := usual().sign(t)
	with := func(change func(*request)) string {
		r := usual()
		change(&r)
		return wrap(r.sign(t))
	}
	address := func(from, to string) string {
		return with(func(r *request) { r.url = strings.Replace(r.url, from, to, 1) })
	}
	text := func(from, to string) string {
		changed := strings.Replace(signed, from, to, 1)
		if changed == signed {
			t.Fatalf("%q is not in the request", from)
		}
		return wrap(changed)
	}
	for name, token := range map[string]string{
		"nothing":                               "",
		"no prefix":                             strings.TrimPrefix(wrap(signed), prefix),
		"another prefix":                        "k8s-aws-v2." + strings.TrimPrefix(wrap(signed), prefix),
		"padding":                               wrap(signed) + "=",
		"not base64":                            prefix + "***",
		"no URL":                                wrap("https://sts.eu-central-1.amazonaws.com:port/"),
		"more than 4096 bytes":                  with(func(r *request) { r.keys.SessionToken = strings.Repeat("x", 4096) }),
		"a region that is none":                 with(func(r *request) { r.region, r.url = "central", strings.Replace(r.url, "eu-central-1", "central", 1) }),
		"a query that cannot be read":           wrap(signed + "&%zz"),
		"plain HTTP":                            address("https", "http"),
		"a path":                                address("/?", "/x?"),
		"a user":                                address("//", "//me@"),
		"a fragment":                            wrap(signed + "#x"),
		"the global host":                       address("sts.eu-central-1.", "sts."),
		"the host of another region":            address("eu-central-1", "eu-west-1"),
		"a host that is not AWS's":              address("amazonaws.com", "example.com"),
		"a host with a port":                    address("amazonaws.com/", "amazonaws.com:443/"),
		"another action":                        address("GetCallerIdentity", "GetSessionToken"),
		"another version":                       address("2011-06-15", "2011-06-16"),
		"no expiry":                             address("&X-Amz-Expires=60", ""),
		"an expiry of more than 15 minutes":     address("Expires=60", "Expires=901"),
		"an expiry before the start":            address("Expires=60", "Expires=-1"),
		"a parameter that is not STS's":         address("?", "?Extra=1&"),
		"a parameter twice":                     text("Action=GetCallerIdentity", "Action=GetCallerIdentity&Action=GetCallerIdentity"),
		"a changed parameter":                   text("Expires=60", "Expires=61"),
		"another signature":                     text("X-Amz-Signature=", "X-Amz-Signature=0"),
		"no signature":                          wrap(signed[:strings.Index(signed, "&X-Amz-Signature")]),
		"another date":                          text("Date=20261123T0900", "Date=20261123T0901"),
		"a date that is none":                   text("Date=20261123T0900", "Date=2026T0900"),
		"a date that the scope does not have":   text("%2F20261123%2F", "%2F20261122%2F"),
		"another algorithm":                     text("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512"),
		"another service":                       with(func(r *request) { r.service = "eks" }),
		"another region in the signature":       with(func(r *request) { r.region = "eu-west-1" }),
		"another method":                        with(func(r *request) { r.method = http.MethodPost }),
		"no cluster":                            with(func(r *request) { r.header = http.Header{} }),
		"another cluster":                       with(func(r *request) { r.header.Set("X-K8s-Aws-Id", "dev") }),
		"a further signed header":               with(func(r *request) { r.header.Set("X-Other", "1") }),
		"another secret":                        with(func(r *request) { r.keys.SecretAccessKey += "x" }),
		"a key that is unknown":                 with(func(r *request) { r.keys.AccessKeyID = "ASIA0000000000000002" }),
		"another session":                       text("session%2Btoken", "session%2Bt"),
		"a temporary key without its session":   with(func(r *request) { r.keys.SessionToken = "" }),
		"a credential without all of its scope": text("%2Faws4_request", ""),
	} {
		t.Run(name, func(t *testing.T) {
			key, err := eksauth.Verify(token, "prod", signedAt(), secret)
			if err == nil || key != "" {
				t.Fatalf("it was taken, with the key %q", key)
			}
			for _, part := range []string{keys().SecretAccessKey, keys().SessionToken, "ASIA0", "Signature="} {
				if strings.Contains(err.Error(), part) {
					t.Errorf("the error holds %q: %s", part, err)
				}
			}
		})
	}
}

func TestATokenIsForOneName(t *testing.T) {
	r := usual()
	r.header.Set("X-K8s-Aws-Id", "dev")
	token := wrap(r.sign(t))
	for name, taken := range map[string]bool{"dev": true, "prod": false, "Dev": false, "": false} {
		if _, err := eksauth.Verify(token, name, signedAt(), secret); (err == nil) != taken {
			t.Errorf("for the cluster %q: %v", name, err)
		}
	}
}

// aws-iam-authenticator takes the hosts of STS of all regions of its partition (pkg/token, its list of hosts): a token is not bound to the
// region of the cluster, nor to anything else of it but its name.
func TestATokenIsForEveryClusterOfItsName(t *testing.T) {
	for _, region := range []string{"eu-central-1", "eu-west-1", "us-east-1"} {
		r := usual()
		r.region, r.url = region, strings.Replace(r.url, "eu-central-1", region, 1)
		if _, err := eksauth.Verify(wrap(r.sign(t)), "prod", signedAt(), secret); err != nil {
			t.Errorf("signed for STS in %s: %v", region, err)
		}
	}
}

// FuzzVerify looks for a token that passes and is not the one that was signed.
func FuzzVerify(f *testing.F) {
	signed := usual().sign(f)
	for _, seed := range []string{signed, "", "https://sts.eu-central-1.amazonaws.com/", strings.ToLower(signed), strings.ReplaceAll(signed, "%2F", "/")} {
		f.Add(wrap(seed))
		f.Add(seed)
	}
	want, err := url.Parse(signed)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := eksauth.Verify(token, "prod", signedAt(), secret); err != nil {
			return
		}
		text, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token, prefix))
		if err != nil {
			t.Fatal(err)
		}
		got, err := url.Parse(string(text))
		if err != nil || got.Host != want.Host || !cmp.Equal(got.Query(), want.Query()) {
			t.Errorf("it took %q", text)
		}
	})
}
