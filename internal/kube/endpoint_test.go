package kube_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/cniguard/cniguard/internal/guard"
)

func TestAnEndpointThatCannotBeUsed(t *testing.T) {
	alone := "the endpoint that EKS names is not https:// and a host alone"
	for name, c := range map[string]struct {
		arrange func(*guard.API)
		why     string
	}{
		"none":                    {func(a *guard.API) { a.Endpoint = "" }, "EKS names no endpoint"},
		"plain HTTP":              {func(a *guard.API) { a.Endpoint = "http" + strings.TrimPrefix(a.Endpoint, "https") }, alone},
		"a host without a scheme": {func(a *guard.API) { a.Endpoint = strings.TrimPrefix(a.Endpoint, "https://") }, alone},
		"no host":                 {func(a *guard.API) { a.Endpoint = "https://" }, alone},
		"a port without a host":   {func(a *guard.API) { a.Endpoint = "https://:443" }, alone},
		"a user":                  {func(a *guard.API) { a.Endpoint = strings.Replace(a.Endpoint, "//", "//me:pass@", 1) }, alone},
		"a path":                  {func(a *guard.API) { a.Endpoint += "/api" }, alone},
		"a slash":                 {func(a *guard.API) { a.Endpoint += "/" }, alone},
		"a query":                 {func(a *guard.API) { a.Endpoint += "?a=b" }, alone},
		"an empty query":          {func(a *guard.API) { a.Endpoint += "?" }, alone},
		"a fragment":              {func(a *guard.API) { a.Endpoint += "#a" }, alone},
		"an empty fragment":       {func(a *guard.API) { a.Endpoint += "#" }, alone},
		"no URL":                  {func(a *guard.API) { a.Endpoint = "https://host:port" }, alone},
		"a line break":            {func(a *guard.API) { a.Endpoint += "\n" }, alone},
		"no authority":            {func(a *guard.API) { a.CA = "" }, "EKS names no certificate authority of the endpoint"},
		"an authority of no form": {func(a *guard.API) { a.CA = "MIIC" }, "EKS names no certificate authority of the endpoint"},
		"an authority that is a key": {
			func(a *guard.API) { a.CA = strings.ReplaceAll(a.CA, "CERTIFICATE", "PRIVATE KEY") }, "EKS names no certificate authority of the endpoint",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			c.arrange(&s.api)
			s.credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				t.Error("credentials are asked for")
				return aws.Credentials{}, errors.New("none")
			})
			s.hides(t, terminal(guard.NoEndpoint, c.why))
			if len(s.tokens) != 0 {
				t.Errorf("%d requests", len(s.tokens))
			}
		})
	}
}

func TestNobodyButTheClusterIsTrusted(t *testing.T) {
	hour := time.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		arrange func(*testing.T, *scene)
		why     string
	}{
		"a certificate of another authority": {
			func(t *testing.T, s *scene) { s.api.CA = newAuthority(t).pem() }, "the certificate of HOST is not from the cluster's authority",
		},
		"a certificate for another host": {
			func(t *testing.T, s *scene) {
				s.server.TLS.Certificates = []tls.Certificate{s.authority.issue(t, "127.0.0.2", hour)}
			},
			"the certificate of HOST is for another name",
		},
		"a certificate that has expired": {
			func(t *testing.T, s *scene) {
				s.server.TLS.Certificates = []tls.Certificate{s.authority.issue(t, "127.0.0.1", time.Now().Add(-time.Minute))}
			},
			"the certificate of HOST has expired, or is not valid yet",
		},
		"plain HTTP": {
			func(t *testing.T, s *scene) {
				plain := httptest.NewServer(http.HandlerFunc(s.serve))
				t.Cleanup(plain.Close)
				s.server, s.api.Endpoint = nil, "https://"+plain.Listener.Addr().String()
			},
			"HOST does not speak TLS",
		},
		"one that a simulated way refuses": {
			func(_ *testing.T, s *scene) { s.transport = failing(x509.UnknownAuthorityError{}) }, "the certificate of HOST is not from the cluster's authority",
		},
		"a certificate that may not do this": {
			func(_ *testing.T, s *scene) {
				s.transport = failing(x509.CertificateInvalidError{Reason: x509.IncompatibleUsage})
			}, "the certificate of HOST is not valid",
		},
		"a certificate that says what is not understood": {
			func(_ *testing.T, s *scene) {
				s.transport = failing(&tls.CertificateVerificationError{Err: x509.UnhandledCriticalExtension{}})
			},
			"the certificate of HOST is not valid",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			c.arrange(t, s)
			s.hides(t, terminal(guard.WrongCA, c.why))
			if len(s.asked) != 0 {
				t.Errorf("the token was sent: %q", s.paths())
			}
		})
	}
}
