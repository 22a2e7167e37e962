package kube_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/cniguard/cniguard/internal/kube"
)

func TestTheWayToAClusterLeadsNowhereElse(t *testing.T) {
	roots := x509.NewCertPool()
	way, ok := kube.TLS(roots).(*http.Transport)
	if !ok {
		t.Fatal("it is no http.Transport")
	}
	if way.Proxy != nil {
		t.Error("it takes a proxy, which would see where it goes")
	}
	if c := way.TLSClientConfig; c.RootCAs != roots || c.InsecureSkipVerify || c.MinVersion < tls.VersionTLS12 {
		t.Errorf("it trusts others, or old versions: %+v", c)
	}
	if !way.DisableCompression || way.MaxResponseHeaderBytes > 64<<10 || way.MaxResponseHeaderBytes <= 0 {
		t.Errorf("a small answer may become a large one: compression off %t, headers %d", way.DisableCompression, way.MaxResponseHeaderBytes)
	}
}

func TestAWayAndItsAnswersAreClosedWhateverCameOfThem(t *testing.T) {
	for name, c := range map[string]struct {
		answer  http.HandlerFunc
		answers int32
	}{
		"an answer": {found(object("DaemonSet", nil)), 2},
		"a refusal": {refusal(http.StatusForbidden, "Forbidden"), 1},
		"a failure": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.answers[pathNode] = c.answer
			var ways, answers atomic.Int32
			s.transport = func(roots *x509.CertPool) http.RoundTripper {
				return counting{kube.TLS(roots).(*http.Transport), &ways, &answers}
			}
			s.read(t)
			if ways.Load() != 1 || answers.Load() != c.answers {
				t.Errorf("closed %d ways and %d answers, want 1 and %d", ways.Load(), answers.Load(), c.answers)
			}
		})
	}
}

// counting counts what is closed.
type counting struct {
	*http.Transport
	ways, answers *atomic.Int32
}

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	got, err := c.Transport.RoundTrip(r)
	if err == nil {
		got.Body = body{got.Body, c.answers}
	}
	return got, err
}

func (c counting) CloseIdleConnections() {
	c.ways.Add(1)
	c.Transport.CloseIdleConnections()
}

type body struct {
	io.ReadCloser
	closed *atomic.Int32
}

func (b body) Close() error {
	b.closed.Add(1)
	return b.ReadCloser.Close()
}
