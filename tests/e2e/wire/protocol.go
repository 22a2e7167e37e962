package wire

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// protocol is how requests and answers look.
type protocol interface {
	// parse gives the tree of a request's body.
	parse(body []byte) (any, error)
	// accept answers with an SDK output.
	accept(w http.ResponseWriter, operation string, output any)
	refuse(http.ResponseWriter, refusal)
}

// recognise tells by its headers which protocol a request speaks and which operation it wants; no name: the path says it.
func recognise(r *http.Request) (p protocol, operation string, err error) {
	if r.Header.Get("Smithy-Protocol") == "rpc-v2-cbor" {
		return rpcCBOR{}, path.Base(r.URL.Path), nil
	}
	if target := r.Header.Get("X-Amz-Target"); strings.Contains(target, ".") {
		return awsJSON(r.Header.Get("Content-Type")), target[strings.LastIndexByte(target, '.')+1:], nil // CloudTrail's service has dots, too
	}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return restJSON(), "", nil
	}
	body, err := bodyOf(r)
	if err != nil {
		return nil, "", err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.Header.Del("Content-Encoding")
	form, err := url.ParseQuery(string(body))
	if err != nil || !form.Has("Action") {
		return nil, "", errors.Join(err, errors.New("the form has no Action"))
	}
	if s, err := signatureOf(r); err == nil && s.service == "ec2" {
		return ec2Query{}, form.Get("Action"), nil
	}
	return awsQuery{}, form.Get("Action"), nil
}

// bodyOf reads a body, which SDKs compress where the model allows it.
func bodyOf(r *http.Request) ([]byte, error) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, fmt.Errorf("read the body: %w", err)
		}
		body = z
	}
	all, err := io.ReadAll(body)
	if err != nil {
		return nil, fmt.Errorf("read the body: %w", err)
	}
	return all, nil
}

func send(w http.ResponseWriter, contentType string, status int, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(body) // who went away gets no answer
}
