package kube

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/cniguard/cniguard/internal/cluster"
)

// noBody is the SHA-256 of an empty body.
const noBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// token is what EKS takes as proof of who calls. It is a function, so that nothing that prints or keeps values has its text.
type token func() string

// piece is how long a part of a token is, in bytes, that is told from other text. It proves nothing by itself.
const piece = 24

// repeats reports whether a piece of the token is anywhere in what is kept of an answer. Whoever answers has the token, and may send it in
// any way that JSON can be written, and in parts.
func repeats[T any](t token, kept T) bool {
	text, err := json.Marshal(kept)
	if err != nil {
		return true
	}
	own, pieces := t(), map[string]bool{}
	for end := piece; end <= len(own); end++ {
		pieces[own[end-piece:end]] = true
	}
	for end := piece; end <= len(text); end++ {
		if pieces[string(text[end-piece:end])] {
			return true
		}
	}
	return false
}

// newToken presigns a request to the STS of the cluster's region, which EKS sends there to learn who signed it. The signed header
// binds it to clusters of one name: aws-iam-authenticator takes the hosts of STS of all regions of its partition, so a cluster of the same
// name in another region would take it too, if it lets the role in. STS takes it for 15 minutes, whatever X-Amz-Expires says;
// aws-iam-authenticator wants that from 0 to 900 (kubernetes-sigs/aws-iam-authenticator, pkg/token).
func newToken(ctx context.Context, keys aws.Credentials, id cluster.ID, now time.Time) (token, error) {
	query := url.Values{"Action": {"GetCallerIdentity"}, "Version": {"2011-06-15"}, "X-Amz-Expires": {"60"}}
	request := &http.Request{
		Method: http.MethodGet,
		URL:    &url.URL{Scheme: "https", Host: "sts." + id.Region + "." + cluster.PartitionOf(id.Region).DNS, Path: "/", RawQuery: query.Encode()},
		Header: http.Header{"X-K8s-Aws-Id": {id.Name}},
	}
	signed, _, err := v4.NewSigner().PresignHTTP(ctx, keys, request, noBody, "sts", id.Region, now)
	if err != nil {
		return nil, err
	}
	text := "k8s-aws-v1." + base64.RawURLEncoding.EncodeToString([]byte(signed))
	return func() string { return text }, nil
}
