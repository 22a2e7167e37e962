package kube

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/cniguard/cniguard/internal/fault"
)

const (
	// deadline is how long one answer may take, from the first packet to the last.
	deadline = 5 * time.Second
	// most is how many bytes an answer may have: 2 MB.
	most = 2 << 20
)

// answer asks a question and reads what is answered. Skip means that the object is not there.
func answer[T any](ctx context.Context, v *visit, q question, read func([]byte) (T, error)) (value T, f *fault.Fault) {
	body, f := v.ask(ctx, q)
	if f != nil {
		return value, f
	}
	value, err := read(body)
	var none T
	var odd oddity
	switch {
	case errors.As(err, &odd): // no error repeats anything of the answer
		return none, v.odd(q, odd)
	case err != nil:
		return none, v.foreign(q, "answered what was not asked for: "+err.Error())
	case repeats(v.token, value):
		return none, v.foreign(q, "sent back what it was sent")
	}
	return value, nil
}

func (v *visit) ask(ctx context.Context, q question) ([]byte, *fault.Fault) {
	limited, cancel := v.clock.WithTimeout(ctx, deadline)
	defer cancel()
	var reached atomic.Bool
	limited = httptrace.WithClientTrace(limited, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { reached.Store(true) }})
	got, err := v.send(limited, q)
	if err != nil {
		return nil, v.unanswered(ctx, q, reached.Load(), err)
	}
	defer func() { _ = got.Body.Close() }()
	if got.StatusCode != http.StatusOK && got.StatusCode != http.StatusNotFound {
		return nil, v.refused(q, got.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(got.Body, most+1))
	if err == nil {
		err = limited.Err() // net/http hands on what comes while it ends a request
	}
	switch {
	case err != nil:
		return nil, v.unanswered(ctx, q, true, err)
	case len(body) > most:
		return nil, v.foreign(q, "sent more than 2 MB")
	case got.StatusCode == http.StatusNotFound:
		return nil, v.missing(q, body)
	}
	return body, nil
}

// send makes one round trip: there is no client that would follow a redirect, and the token with it.
func (v *visit) send(ctx context.Context, q question) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.api.Endpoint+q.path, http.NoBody)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+v.token())
	r.Header.Set("Accept", q.accept)
	r.Header.Set("User-Agent", "cniguard")
	return v.way.RoundTrip(r)
}
