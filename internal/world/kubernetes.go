package world

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/smithy-go"

	"github.com/cniguard/cniguard/internal/cluster"
)

const kubernetes = "kubernetes"

// KubernetesRequest is the input of a Call of a cluster's own API. Its operation is GetDaemonSet, ListDaemonSets, GetServiceAccount,
// ListENIConfigs, or Other.
type KubernetesRequest struct {
	Method string
	Path   string // with its query
}

// KubernetesAnswer is the output of a Call of a cluster's own API, where that is not an error.
type KubernetesAnswer struct {
	Body []byte // JSON
}

// Kubernetes is the way to the clusters' own APIs, where else a network and TLS would be. A request goes to the cluster whose endpoint
// has its host; it is made in a process of the world's clock. Answers are those of a Kubernetes API server, and an error is one that
// net/http's own transport would give: of a connection or its certificate, or the context's.
func (w *World) Kubernetes() http.RoundTripper { return way{w} }

type way struct{ world *World }

func (k way) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_ = r.Body.Close() // nothing that is asked for has one
	}
	c := k.world.clusters.byHost[hostOf(r.URL.Host)]
	if c == nil || !c.hasAPI() {
		return nil, noSuchHost(r.URL.Host)
	}
	is, err := k.world.ask(c, r)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status: strconv.Itoa(is.status) + " " + http.StatusText(is.status), StatusCode: is.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(bytes.NewReader(is.body)), ContentLength: int64(len(is.body)), Request: r,
	}, nil
}

// reply is what a cluster's own API answers: JSON.
type reply struct {
	status int
	body   []byte
}

const contentType = "application/json"

// API serves a cluster's own API to others than processes of the world's clock, as over loopback TLS; see Expose. Each request lets the
// virtual time pass that it takes. Like all of the world it is used by one goroutine at a time, and not while the clock runs. Where
// there is no answer, the connection is cut.
func (w *World) API(id cluster.ID) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var is *reply
		done := false
		p := w.clock.Spawn(context.Background(), kubernetes, 0, func(ctx context.Context) {
			if c := w.clusters.byID[id]; c != nil && c.hasAPI() {
				is, _ = w.ask(c, r.WithContext(ctx))
			}
			done = true
		})
		for step := time.Duration(0); !done && !p.Dead(); step = time.Millisecond {
			w.clock.Run(w.Now().Add(step))
		}
		if is == nil {
			panic(http.ErrAbortHandler) // net/http cuts the connection
		}
		rw.Header().Set("Content-Type", contentType)
		rw.WriteHeader(is.status)
		_, _ = rw.Write(is.body) // the caller went away
	})
}

// Expose has DescribeCluster name another endpoint and certificate authority, in PEM, of a cluster that exists or will exist: where a test
// serves its API. The endpoint is an https URL.
func (w *World) Expose(id cluster.ID, endpoint, authority string) {
	c := w.clusters.byID[id]
	delete(w.clusters.byHost, hostOf(strings.TrimPrefix(c.endpoint, "https://")))
	c.endpoint, c.authority = endpoint, authority
	w.clusters.byHost[hostOf(strings.TrimPrefix(endpoint, "https://"))] = c
}

// hostOf is a host as it is compared.
func hostOf(host string) string { return strings.ToLower(strings.TrimSuffix(host, ":443")) }

// ask leads a request to a cluster's own API through the gauntlet.
func (w *World) ask(c *eksCluster, r *http.Request) (*reply, error) {
	q := questionOf(r)
	principal, refused := w.caller(c, r)
	out, err := w.serve(r.Context(), &Call{
		Service: kubernetes, Op: q.operation(), Try: 1, Principal: cmp.Or(principal, "system:anonymous"),
		Account: c.Account, Region: c.Region, Cluster: c.Name, In: &KubernetesRequest{r.Method, r.URL.RequestURI()},
	}, func() (any, error) {
		if !c.isOpen() {
			return nil, timedOut()
		}
		if err := cmp.Or(refused, c.admit(principal, q)); err != nil {
			return nil, err
		}
		return w.answerTo(c, q)
	})
	var api smithy.APIError
	switch {
	case err == nil:
		return &reply{http.StatusOK, out.(*KubernetesAnswer).Body}, nil
	case errors.As(err, &api):
		status := statusCode(err)
		return &reply{status, q.failure(api, status)}, nil
	case r.Context().Err() != nil:
		return nil, r.Context().Err()
	}
	return nil, err
}
