package kube

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"time"
)

// TLS is the Transport to real clusters: HTTPS to the endpoint itself, without a proxy, whatever the environment says, and without
// compression, so that a small answer cannot become a large one. A request's context bounds its handshake too.
func TLS(roots *x509.CertPool) http.RoundTripper {
	return &http.Transport{
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
		IdleConnTimeout:        time.Second, // for a connection whose last stream ends after it was to be closed
	}
}
