package kube_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/kube"
)

// way is a Transport of one function.
type way func(*http.Request) (*http.Response, error)

func (w way) RoundTrip(r *http.Request) (*http.Response, error) { return w(r) }

func failing(err error) kube.Transport {
	return func(*x509.CertPool) http.RoundTripper {
		return way(func(*http.Request) (*http.Response, error) { return nil, err })
	}
}

// listen has a server of TCP in the place of the API, which does with each connection what it is told, and then cuts it.
func (s *scene) listen(t *testing.T, do func(net.Conn)) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.instead(l.Addr().String())
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			do(c)
			_ = c.(*net.TCPConn).SetLinger(0) // a reset
			_ = c.Close()
		}
	}()
}

func (s *scene) instead(address string) { s.server, s.api.Endpoint = nil, "https://"+address }

func TestAnAPIThatCannotBeReached(t *testing.T) {
	private := func(s *scene) { s.api.Private, s.api.PublicCIDRs = true, nil }
	narrow := func(s *scene) { s.api.PublicCIDRs = []string{"203.0.113.0/24", "2001:db8::/32"} }
	inside := "no connection to HOST, which answers inside of its VPC only"

	refused := func(t *testing.T, s *scene) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s.instead(l.Addr().String())
		_ = l.Close()
	}
	silent := func(t *testing.T, s *scene) { // as a firewall that lets packets in and none out
		s.listen(t, func(c net.Conn) {
			s.timeout.now()
			_, _ = io.Copy(io.Discard, c) // until the other end closes
		})
	}
	reset := func(t *testing.T, s *scene) { s.listen(t, func(net.Conn) {}) }
	old := func(_ *testing.T, s *scene) { // the server ends the handshake, before the client has seen its certificate
		s.server.TLS.MinVersion, s.server.TLS.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	}
	nameless := func(_ *testing.T, s *scene) {
		s.transport = failing(&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "x", IsNotFound: true}})
	}
	for name, c := range map[string]struct {
		arrange func(*testing.T, *scene)
		api     func(*scene)
		want    fault.Fault
	}{
		"a connection refused":                              {refused, func(*scene) {}, passing(guard.OutOfReach, "HOST refused the connection")},
		"a connection refused, of a private endpoint":       {refused, private, passing(guard.PrivateEndpoint, inside)},
		"a connection refused, of one open to some":         {refused, narrow, passing(guard.ClosedEndpoint, restricted)},
		"a connection refused, of one open to the world":    {refused, func(s *scene) { narrow(s); s.api.PublicCIDRs[0] = "0.0.0.0/0" }, passing(guard.OutOfReach, "HOST refused the connection")},
		"a connection refused, of one open to all of IPv6":  {refused, func(s *scene) { narrow(s); s.api.PublicCIDRs[1] = "::/0" }, passing(guard.OutOfReach, "HOST refused the connection")},
		"a connection refused, of one of which EKS is mute": {refused, func(s *scene) { s.api.PublicCIDRs = nil }, passing(guard.OutOfReach, "HOST refused the connection")},
		"silence":                                          {silent, func(*scene) {}, passing(guard.OutOfReach, "no connection to HOST in time")},
		"silence of a private endpoint":                    {silent, private, passing(guard.PrivateEndpoint, inside)},
		"silence of one open to some":                      {silent, narrow, passing(guard.ClosedEndpoint, restricted)},
		"a connection cut at once":                         {reset, func(*scene) {}, passing(guard.OutOfReach, "the connection to HOST broke off")},
		"a connection cut at once, of one private":         {reset, private, passing(guard.PrivateEndpoint, inside)},
		"a name that nobody knows":                         {nameless, func(*scene) {}, passing(guard.OutOfReach, "no address of HOST was found")},
		"a name that nobody here knows":                    {nameless, private, passing(guard.PrivateEndpoint, inside)},
		"a version of TLS that is too old":                 {old, func(*scene) {}, passing(guard.OutOfReach, "HOST ended the TLS handshake")},
		"a version of TLS that is too old, of one private": {old, private, passing(guard.OutOfReach, "HOST ended the TLS handshake")},
		"a time-out of the system": {
			func(_ *testing.T, s *scene) { s.transport = failing(&net.OpError{Op: "dial", Err: syscall.ETIMEDOUT}) },
			func(*scene) {}, passing(guard.OutOfReach, "no connection to HOST in time"),
		},
		"a failure that has no name": {
			func(_ *testing.T, s *scene) { s.transport = failing(errors.New("k8s-aws-v1")) },
			func(*scene) {}, passing(guard.OutOfReach, "the connection to HOST broke off"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			c.arrange(t, s)
			c.api(s)
			s.hides(t, c.want)
			if len(s.tokens) != 1 {
				t.Errorf("%d requests", len(s.tokens))
			}
		})
	}
}

// TestAnAPIThatIsReachedAndFails never has a reason for which an endpoint is out of reach.
func TestAnAPIThatIsReachedAndFails(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(*scene) http.HandlerFunc
		want   fault.Fault
	}{
		"headers that do not come": {
			func(s *scene) http.HandlerFunc {
				return func(_ http.ResponseWriter, r *http.Request) {
					s.timeout.now()
					<-r.Context().Done()
				}
			},
			passing(guard.TooSlow, "HOST did not answer in time"),
		},
		"a body that drips": {
			func(s *scene) http.HandlerFunc {
				return func(w http.ResponseWriter, r *http.Request) {
					for i := 0; r.Context().Err() == nil; i++ {
						_, _ = io.WriteString(w, " ")
						_ = http.NewResponseController(w).Flush()
						if i == 3 {
							s.timeout.now()
						}
					}
				}
			},
			passing(guard.TooSlow, "HOST did not answer in time"),
		},
		"a connection that is cut in the place of headers": {
			func(*scene) http.HandlerFunc {
				return func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
			},
			passing(guard.OutOfReach, "the connection to HOST broke off"),
		},
		"a connection that is cut in the body": {
			func(*scene) http.HandlerFunc {
				return func(w http.ResponseWriter, _ *http.Request) {
					_, _ = io.WriteString(w, `{"apiVersion": `)
					_ = http.NewResponseController(w).Flush()
					panic(http.ErrAbortHandler)
				}
			},
			passing(guard.OutOfReach, "the connection to HOST broke off"),
		},
	} {
		for _, version := range []string{"HTTP/2", "HTTP/1.1"} {
			t.Run(name+" over "+version, func(t *testing.T) {
				s := newScene(t)
				s.server.EnableHTTP2 = version == "HTTP/2"
				s.api.Private, s.api.PublicCIDRs = true, nil
				s.answers[pathNode] = c.answer(s)
				s.hides(t, c.want)
				for _, r := range s.asked {
					if r.Proto[:6] != version[:6] {
						t.Errorf("it was asked over %s", r.Proto)
					}
				}
			})
		}
	}
}

func TestAnAnswerThatComesWithTheEndOfTheTimeIsNone(t *testing.T) {
	s := newScene(t)
	s.transport = func(*x509.CertPool) http.RoundTripper {
		return way(func(r *http.Request) (*http.Response, error) {
			httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{})
			s.timeout.now()
			<-r.Context().Done()
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(object("DaemonSet", nil)))}, nil
		})
	}
	s.hides(t, passing(guard.TooSlow, "HOST did not answer in time"))
}

func TestAResetAfterTheHandshakeIsNotOfTheNetwork(t *testing.T) {
	s := newScene(t)
	config := s.server.TLS
	s.api.Private, s.api.PublicCIDRs = true, nil
	s.listen(t, func(c net.Conn) {
		secure := tls.Server(c, config)
		_, _ = secure.Read(make([]byte, 1)) // the handshake and a part of the request
	})
	s.hides(t, passing(guard.OutOfReach, "the connection to HOST broke off"))
}

func TestTheTimeOfAnInvocationEndsAReading(t *testing.T) {
	for name, answer := range map[string]func(context.CancelFunc, http.ResponseWriter, *http.Request){
		"before the headers": func(end context.CancelFunc, _ http.ResponseWriter, r *http.Request) {
			end()
			<-r.Context().Done()
		},
		"in the body": func(end context.CancelFunc, w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			end()
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			ctx, end := context.WithCancel(t.Context())
			s.ctx, s.api.Private = ctx, true
			s.answers[pathNode] = func(w http.ResponseWriter, r *http.Request) { answer(end, w, r) }
			s.hides(t, passing(guard.TooSlow, "time ran out before HOST answered"))
		})
	}
}

func TestWhatStandsBesideMayBeSlow(t *testing.T) {
	s := newScene(t)
	s.answers[pathAccount] = func(_ http.ResponseWriter, r *http.Request) {
		s.timeout.now()
		<-r.Context().Done()
	}
	got := s.read(t)
	if got.Fault != nil || got.Value.Node == nil || len(got.Value.Node.Unread) != 1 {
		t.Fatalf("%+v", got)
	}
	if line := s.withoutHost(got.Value.Node.Unread[0]); line != "kubernetes:GetServiceAccount: Timeout: HOST did not answer in time" {
		t.Error(line)
	}
}

func TestAnInvocationThatIsOverAsksNothing(t *testing.T) {
	s := newScene(t)
	ctx, cancel := context.WithDeadline(t.Context(), time.Time{})
	defer cancel()
	s.ctx = ctx
	s.hides(t, passing(guard.OutOfReach, "time ran out before there was a connection to HOST"))
	if len(s.asked) != 0 {
		t.Errorf("asked for %q", s.paths())
	}
}
