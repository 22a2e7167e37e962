// Package kube reads the network of a cluster from its own Kubernetes API: the DaemonSet aws-node, who installed it, and what stands
// in its place. It asks over HTTPS with a token that EKS takes, and needs no Kubernetes client.
package kube

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

// Connect gives the role that reads clusters of an account and region, as an ARN, and its credentials. It makes no call.
type Connect func(account, region string) (role string, credentials aws.CredentialsProvider)

// Transport makes the way to one cluster, which trusts nobody but the given roots. It is closed after one reading, if it has a method
// CloseIdleConnections.
type Transport func(roots *x509.CertPool) http.RoundTripper

// Kube is the Kubernetes APIs of all clusters. It may be used by several goroutines.
type Kube struct {
	connect   Connect
	transport Transport
	clock     clock.Clock
}

// New returns a Kube.
func New(connect Connect, transport Transport, c clock.Clock) *Kube {
	return &Kube{connect: connect, transport: transport, clock: c}
}

// Inside reads a cluster's network from its API. The token that it sends is good for clusters of that name only that let the role in,
// and is in no fault. A fault of the role's credentials is the reading's own; one that names the operation of Kubernetes has a code of
// package guard, or that of a passing failure.
func (k *Kube) Inside(ctx context.Context, id cluster.ID, api guard.API) guard.Reading[*guard.Inside] {
	v, f := k.open(ctx, id, api)
	if f != nil {
		return guard.Hidden[*guard.Inside](f)
	}
	defer v.close()
	return v.inside(ctx)
}

// open begins a visit: it needs an endpoint, its authority, and a token.
func (k *Kube) open(ctx context.Context, id cluster.ID, api guard.API) (*visit, *fault.Fault) {
	unusable := func(why string) *fault.Fault {
		return &fault.Fault{Kind: fault.Terminal, Op: nodeQuestion().operation(), Code: guard.NoEndpoint, Text: why}
	}
	endpoint, err := url.Parse(api.Endpoint)
	switch {
	case api.Endpoint == "":
		return nil, unusable("EKS names no endpoint")
	case err != nil || endpoint.Hostname() == "" || api.Endpoint != "https://"+endpoint.Host:
		return nil, unusable("the endpoint that EKS names is not https:// and a host alone")
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(api.CA)) {
		return nil, unusable("EKS names no certificate authority of the endpoint")
	}
	role, credentials := k.connect(id.Account, id.Region)
	limited, cancel := k.clock.WithTimeout(ctx, deadline)
	defer cancel()
	keys, err := credentials.Retrieve(limited)
	if err != nil {
		return nil, access.Fault("sts:AssumeRole", err)
	}
	bearer, err := newToken(ctx, keys, id, k.clock.Now())
	if err != nil {
		return nil, access.Fault("sts:GetCallerIdentity", err)
	}
	return &visit{api: api, host: endpoint.Host, role: role, token: bearer, way: k.transport(roots), clock: k.clock}, nil
}
