package kube

import (
	"context"
	"encoding/base64"
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

// newToken presigns a request to the STS of the cluster's region, which EKS sends there to learn who signed it. The signed header
// binds it to one cluster. STS takes it for 15 minutes, whatever X-Amz-Expires says; aws-iam-authenticator wants that from 0 to 900
// (kubernetes-sigs/aws-iam-authenticator, pkg/token).
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
