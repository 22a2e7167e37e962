package world

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"slices"
	"syscall"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
)

// Codes of faults that leave no answer.
const (
	connectionReset    = "ConnectionReset"
	connectionTimedOut = "ConnectionTimedOut" // of kubernetes, as the next two: nothing answers at the address
	nameNotFound       = "NoSuchHost"
	unknownAuthority   = "UnknownAuthority" // another authority signed the certificate of what answers
)

// dialTimeout is how long Linux tries to connect to an address that does not answer (tcp(7), tcp_syn_retries).
const dialTimeout = 127 * time.Second

func timedOut() error { return &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ETIMEDOUT} }

func noSuchHost(host string) error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}}
}

// outOfReach reports whether a call goes to a cluster's own API that the functions cannot reach.
func (w *World) outOfReach(c *Call) bool {
	return c.Service == kubernetes && !w.clusters.byID[cluster.ID{Account: c.Account, Region: c.Region, Name: c.Cluster}].isOpen()
}

// failed is a fault's error in a call of a cluster's own API. A code that is no reason of Kubernetes, as those of AWS are not, becomes
// the reason of its HTTP status.
func (w *World) failed(c *Call, f *Fault) error {
	switch f.Code {
	case connectionReset:
		return &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	case connectionTimedOut:
		return timedOut()
	case nameNotFound:
		return noSuchHost(c.Cluster)
	case unknownAuthority:
		return &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}
	}
	status := cmp.Or(f.Status, kubernetesStatus(f.Code))
	return w.response(modelled(kubernetes, reasonOf(f.Code, status), cmp.Or(f.Message, "This fault was injected.")), kubernetes, status)
}

// reason is why a Kubernetes API fails, with the HTTP status that comes with it (k8s.io/apimachinery, meta/v1, StatusReason).
type reason struct {
	name   string
	status int
}

func reasons() []reason {
	return []reason{
		{"BadRequest", http.StatusBadRequest}, {"Unauthorized", http.StatusUnauthorized}, {"Forbidden", http.StatusForbidden},
		{"NotFound", http.StatusNotFound}, {"MethodNotAllowed", http.StatusMethodNotAllowed}, {"NotAcceptable", http.StatusNotAcceptable},
		{"Conflict", http.StatusConflict}, {"Expired", http.StatusGone}, {"TooManyRequests", http.StatusTooManyRequests},
		{"InternalError", http.StatusInternalServerError}, {"ServerTimeout", http.StatusInternalServerError},
		{"ServiceUnavailable", http.StatusServiceUnavailable}, {"Timeout", http.StatusGatewayTimeout},
	}
}

// kubernetesStatus is the HTTP status of a reason, or of a code of AWS.
func kubernetesStatus(code string) int {
	if i := slices.IndexFunc(reasons(), func(r reason) bool { return r.name == code }); i >= 0 {
		return reasons()[i].status
	}
	return statusOf("eks", code)
}

// reasonOf is the code, where it is a reason; else the first one of a status, and InternalError where it has none.
func reasonOf(code string, status int) string {
	name := "InternalError"
	for _, r := range slices.Backward(reasons()) {
		if r.name == code {
			return code
		}
		if r.status == status {
			name = r.name
		}
	}
	return name
}

// statusCode is the HTTP status of an error that response made.
func statusCode(err error) int {
	var answer interface{ HTTPStatusCode() int }
	errors.As(err, &answer)
	return answer.HTTPStatusCode()
}
