package kube_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/eksauth"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/kube"
)

const (
	account = "111122223333"
	role    = "arn:aws:iam::111122223333:role/cniguard-observer"
	key     = "ASIA0000000000000001"
	secret  = "wJalrXUtnFEMIsecret"
	session = "IQoJb3JpZ2luX2VjEXAMPLEsession"
)

func prod() cluster.ID { return cluster.ID{Account: account, Region: "eu-central-1", Name: "prod"} }

// scene is a cluster's API, and a Kube that reads it. What is not changed before read is as it should be.
type scene struct {
	authority   authority
	api         guard.API
	id          cluster.ID
	transport   kube.Transport
	credentials aws.CredentialsProvider
	now         time.Time
	ctx         context.Context // of the caller
	timeout     *hurry          // how the time of a request ends

	server  *httptest.Server
	answers map[string]http.HandlerFunc // by path and query; one that is not here is not found
	secret  string                      // what the server knows for the key
	later   time.Duration               // how much later the server's clock is

	mu     sync.Mutex
	asked  []*http.Request
	tokens []string // that were sent on any way
	open   int      // connections to the server
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{
		authority: newAuthority(t), id: prod(), transport: kube.TLS, now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), ctx: t.Context(), timeout: newHurry(t),
		answers: map[string]http.HandlerFunc{}, secret: secret,
	}
	s.credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: key, SecretAccessKey: secret, SessionToken: session}, nil
	})
	s.server = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.server.EnableHTTP2 = true
	s.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.server.Config.ConnState = s.count
	s.server.TLS = &tls.Config{Certificates: []tls.Certificate{s.authority.issue(t, "127.0.0.1", time.Now().Add(time.Hour))}, MinVersion: tls.VersionTLS12}
	s.api = guard.API{
		Endpoint: "https://" + s.server.Listener.Addr().String(), CA: s.authority.pem(), Authentication: "API_AND_CONFIG_MAP", PublicCIDRs: []string{"0.0.0.0/0"},
	}
	s.answers[pathNode] = found(object("DaemonSet", nil))
	s.answers[pathAccount] = found(object("ServiceAccount", map[string]string{"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/cni"}))
	return s
}

// read has the scene's cluster read, and looks afterwards whether anything of a secret is kept or a connection is left.
func (s *scene) read(t *testing.T) guard.Reading[*guard.Inside] {
	t.Helper()
	if s.server != nil {
		s.server.StartTLS()
		defer s.server.Close()
	}
	k := s.kube(t)
	got := k.Inside(s.ctx, s.id, s.api)
	s.secretive(t, k, got)
	s.quiet(t)
	return got
}

func (s *scene) kube(t *testing.T) *kube.Kube {
	connect := func(account, region string) (string, aws.CredentialsProvider) {
		if account != s.id.Account || region != s.id.Region {
			t.Errorf("credentials are asked for %s in %s", account, region)
		}
		return role, s.credentials
	}
	return kube.New(connect, func(roots *x509.CertPool) http.RoundTripper { return recorder{s.transport(roots), s} }, at{s.timeout, s.now})
}

// serve answers as a Kubernetes API: first who asks, then what is there. All refusals say the token, as a log of a proxy would.
func (s *scene) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r)
	s.mu.Unlock()
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	_, err := eksauth.Verify(token, "prod", s.now.Add(s.later), func(asked string) (string, bool) { return s.secret, asked == key })
	answer := s.answers[r.URL.RequestURI()]
	switch {
	case err != nil:
		refusal(http.StatusUnauthorized, "Unauthorized")(w, r)
	case answer == nil:
		http.Error(w, "404 page not found", http.StatusNotFound)
	default:
		answer(w, r)
	}
}

func (s *scene) count(_ net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.open++
	case http.StateClosed, http.StateHijacked:
		s.open--
	case http.StateActive, http.StateIdle:
	}
}

// paths are what was asked for, in order.
func (s *scene) paths() (all []string) {
	for _, r := range s.asked {
		all = append(all, r.Method+" "+r.URL.RequestURI())
	}
	return all
}

// secretive fails where something that is kept or printed has a part of a secret.
func (s *scene) secretive(t *testing.T, k *kube.Kube, got guard.Reading[*guard.Inside]) {
	t.Helper()
	text := fmt.Sprintf("%v %+v %#v %v %+v %#v", k, k, k, got, got, got)
	if got.Fault != nil {
		text += fmt.Sprintf("%v %+v %#v %s", got.Fault, got.Fault, *got.Fault, got.Fault.Error())
	}
	if got.Value != nil {
		text += fmt.Sprintf("%+v %#v %+v", got.Value, got.Value, got.Value.Node)
	}
	kept, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	text += string(kept)
	for _, hidden := range slices.Concat([]string{key, secret, session, "k8s-aws-v1", "X-Amz-"}, parts(s.tokens)) {
		if strings.Contains(text, hidden) {
			t.Errorf("the reading has %q in it: %s", hidden, text)
		}
	}
}

// parts are the recognisable parts of tokens.
func parts(tokens []string) (all []string) {
	for _, token := range tokens {
		presigned, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token, "k8s-aws-v1."))
		if err != nil {
			continue
		}
		u, err := url.Parse(string(presigned))
		if err != nil {
			continue
		}
		all = append(all, token[:40], token[len(token)-40:], u.Query().Get("X-Amz-Signature"))
	}
	return all
}

// quiet waits until no connection and no goroutine of one is left.
func (s *scene) quiet(t *testing.T) {
	t.Helper()
	left := func() string {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.open > 0 {
			return fmt.Sprintf("%d connections", s.open)
		}
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		for _, of := range []string{"net/http.(*persistConn)", "net/http.(*http2ClientConn)", "net/http.(*Transport).dialConn"} {
			if strings.Contains(string(stacks), of) {
				return of
			}
		}
		return ""
	}
	for range 1000 {
		if left() == "" {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("there is left: %s", left())
}

// recorder notes the tokens that are sent.
type recorder struct {
	http.RoundTripper
	scene *scene
}

func (r recorder) RoundTrip(sent *http.Request) (*http.Response, error) {
	token, _ := strings.CutPrefix(sent.Header.Get("Authorization"), "Bearer ")
	r.scene.mu.Lock()
	r.scene.tokens = append(r.scene.tokens, token)
	r.scene.mu.Unlock()
	return r.RoundTripper.RoundTrip(sent)
}

func (r recorder) CloseIdleConnections() {
	if c, ok := r.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// withoutHost is a text with the word HOST in place of the server's address.
func (s *scene) withoutHost(text string) string {
	if host := strings.TrimPrefix(s.api.Endpoint, "https://"); host != "" {
		return strings.ReplaceAll(text, host, "HOST")
	}
	return text
}
