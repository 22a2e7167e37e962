package e2e_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/world"
)

// old is an aws-node that somebody installed with Helm years ago.
func old(spec *world.Spec) {
	c := &spec.Clusters[0]
	c.Addon, c.API.Readers = nil, []string{"cniguard-observer"}
	c.DaemonSets = []world.DaemonSet{{
		Name: "aws-node", ServiceAccount: "aws-node", Role: podRole,
		Annotations: map[string]string{"meta.helm.sh/release-name": "aws-vpc-cni", "meta.helm.sh/release-namespace": "kube-system"},
		Managers:    []world.Writer{{Name: "helm"}},
		Containers:  []world.Container{{Name: "aws-node", Image: "602401143452.dkr.ecr.eu-central-1.amazonaws.com/amazon-k8s-cni:v1.7.5"}},
	}}
}

// gate is a cluster's own API on 127.0.0.1, over TLS with a certificate of its own authority.
type gate struct {
	url, authority string

	mu     sync.Mutex
	paths  []string
	tokens []string
}

// open serves prod's own API, and has EKS name it.
func (s *stage) open(change http.Handler) *gate {
	s.Helper()
	g := &gate{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		g.paths, g.tokens = append(g.paths, r.URL.Path), append(g.tokens, r.Header.Get("Authorization"))
		g.mu.Unlock()
		if change != nil {
			change.ServeHTTP(w, r)
			return
		}
		s.aws.With(func(aws *world.World) { aws.API(prod).ServeHTTP(w, r) })
	}))
	server.Config.ErrorLog = log.New(new(output), "", 0) // what the program refuses is the test's to see
	server.StartTLS()
	s.Cleanup(server.Close)
	g.url = server.URL
	g.authority = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	s.expose(g.url, g.authority)
	return g
}

func (s *stage) expose(url, authority string) {
	s.aws.With(func(w *world.World) { w.Expose(prod, url, authority) })
}

func (g *gate) seen() (paths []string, tokens string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.paths, strings.Join(g.tokens, "\n")
}

// wholeLog ends the function, whose output is complete then.
func (f *function) wholeLog() string {
	f.end()
	return f.log()
}

// silent fails if a token, or what it is made of, is in what the program wrote or told.
func (f *function) silent(s *stage) {
	f.Helper()
	for _, text := range []string{f.wholeLog(), strings.Join(s.texts(), "\n")} {
		for _, never := range []string{"k8s-aws-v1", "X-Amz-Signature", "X-Amz-Security-Token", "Bearer"} {
			if strings.Contains(text, never) {
				f.Errorf("the output or a message has %q", never)
			}
		}
	}
}

// texts are the messages so far, whole.
func (s *stage) texts() (texts []string) {
	for _, m := range s.told() {
		texts = append(texts, aws.ToString(m.Subject)+"\n"+aws.ToString(m.Message))
	}
	return texts
}

func TestASelfManagedInstallIsReadFromTheClustersOwnAPI(t *testing.T) {
	t.Parallel()
	s := set(t, old)
	g := s.open(nil)
	f := s.function(event.Urgent, observing, nil)
	f.succeeds(sample(t, "associate-access-policy.json"))

	if diff := cmp.Diff([]string{"ALARM: WARNING: prod-eu: vpc-cni v1.7.5 is older than the floor"}, s.subjects(machine)); diff != "" {
		t.Fatalf("subjects (-want +have):\n%s", diff)
	}
	message := aws.ToString(s.toldTo(machine)[0].Message)
	for _, want := range []string{"amazon-k8s-cni:v1.7.5", "Helm (", "meta.helm.sh/release-name=aws-vpc-cni", `"install":{"word":"self-managed"`} {
		if !strings.Contains(message, want) {
			t.Errorf("the message lacks %q:\n%s", want, message)
		}
	}
	paths, tokens := g.seen()
	if diff := cmp.Diff([]string{"/apis/apps/v1/namespaces/kube-system/daemonsets/aws-node", "/api/v1/namespaces/kube-system/serviceaccounts/aws-node"}, paths); diff != "" {
		t.Errorf("asked for (-want +have):\n%s", diff)
	}
	if !strings.HasPrefix(tokens, "Bearer k8s-aws-v1.") {
		t.Error("no token came with the requests")
	}
	f.silent(s)
}

func TestAClusterThatLetsNobodyInIsToldWithItsRemedy(t *testing.T) {
	t.Parallel()
	s := set(t, func(spec *world.Spec) { old(spec); spec.Clusters[0].API.Readers = nil })
	s.open(nil)
	f := s.function(event.Urgent, observing, nil)
	f.succeeds(sample(t, "own-check.json"))
	if got := s.texts(); len(got) > 0 {
		t.Errorf("told at once, before the add-on of a new cluster could come: %q", got)
	}
	if want := "NoAccessEntry"; !strings.Contains(f.wholeLog(), want) {
		t.Errorf("the log lacks %q:\n%s", want, f.wholeLog())
	}
	f.silent(s)
}

// Whoever stands in for the cluster gets no token, and is told from it.
func TestAnAPIThatIsNotTheClustersOwn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		other  bool // EKS names another authority than that of the server
		want   string
		asked  int
	}{
		"another authority": {other: true, want: "Certificate", asked: 0},
		"a redirect": {answer: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://127.0.0.1:1/", http.StatusFound)
		}, want: "NotKubernetes", asked: 1},
		"a page":             {answer: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>sign in</html>")) }, want: "NotKubernetes", asked: 1},
		"more than it takes": {answer: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 3<<20)) }, want: "NotKubernetes", asked: 1},
		"another 404":        {answer: http.NotFound, want: "NotKubernetes", asked: 1},
		"trouble":            {answer: func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "", http.StatusBadGateway) }, want: "502", asked: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := set(t, old)
			var change http.Handler
			if c.answer != nil {
				change = c.answer
			}
			g := s.open(change)
			if c.other {
				s.expose(g.url, s.stranger())
			}
			f := s.function(event.Urgent, observing, nil)
			f.succeeds(sample(t, "own-check.json"))
			if !strings.Contains(f.wholeLog(), c.want) {
				t.Errorf("the log lacks %q:\n%s", c.want, f.wholeLog())
			}
			if paths, _ := g.seen(); len(paths) != c.asked {
				t.Errorf("asked %q, want %d requests", paths, c.asked)
			}
			f.silent(s)
		})
	}
}

// stranger is an authority that signed nothing here.
func (s *stage) stranger() string {
	s.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.Fatal(err)
	}
	own := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "stranger"}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	signed, err := x509.CreateCertificate(rand.Reader, own, own, key.Public(), key)
	if err != nil {
		s.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed}))
}

func TestAClosedPortIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := set(t, old)
	g := s.open(nil)
	s.expose("https://127.0.0.1:1", g.authority) // nobody listens there
	f := s.function(event.Urgent, observing, nil)
	f.succeeds(sample(t, "own-check.json"))
	if !strings.Contains(f.wholeLog(), "Unreachable") {
		t.Errorf("the log lacks Unreachable:\n%s", f.wholeLog())
	}
}
