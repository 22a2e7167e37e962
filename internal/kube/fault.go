package kube

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
)

// fault is a fault of asking this. No text quotes what was answered, nor an error of the way there: who answers has the token, and may
// send it back.
func (q question) fault(kind fault.Kind, code, text string) *fault.Fault {
	return &fault.Fault{Kind: kind, Op: q.operation(), Code: code, Text: plain.Clean(text, plain.Text)}
}

// foreign is the fault of an answer that no Kubernetes API gives.
func (v *visit) foreign(q question, does string) *fault.Fault {
	return q.fault(fault.Terminal, guard.NotKubernetes, v.host+" "+does)
}

// odd is the fault of a DaemonSet of the VPC CNI that is not as its own: somebody may be at it.
func (v *visit) odd(q question, why oddity) *fault.Fault {
	return q.fault(fault.Retry, guard.OddInstall, v.host+" has a DaemonSet that is not as the VPC CNI's own: "+string(why))
}

// missing is what a 404 means.
func (v *visit) missing(q question, body []byte) *fault.Fault {
	if q.deniedBy(body) {
		return q.fault(fault.Skip, "NotFound", "there are no "+q.resource+" "+q.name)
	}
	return v.foreign(q, "answered 404 without saying what it has not found")
}

// refused is what a status means that is neither success nor 404. EKS answers 401 to a role that it does not know
// (kubernetes-sigs/aws-iam-authenticator #190), and Kubernetes 403 to one that may not do this ("Authorization").
func (v *visit) refused(q question, status int) *fault.Fault {
	closed := func(code, text string) *fault.Fault {
		f := q.fault(fault.Terminal, code, text)
		f.Need = v.role
		return f
	}
	number := strconv.Itoa(status)
	switch {
	case status == http.StatusUnauthorized && v.api.Authentication == "CONFIG_MAP":
		return closed(guard.OldMode, v.host+" answered 401 to "+v.role+" and takes no access entries")
	case status == http.StatusUnauthorized:
		return closed(guard.NoEntry, v.host+" answered 401 to "+v.role)
	case status == http.StatusForbidden:
		return closed(guard.NotAllowed, v.host+" answered 403 to "+v.role+" for "+strings.TrimSpace(q.resource+" "+q.name))
	case status == http.StatusTooManyRequests, status >= http.StatusInternalServerError:
		return q.fault(fault.Retry, number, v.host+" answered "+number)
	}
	return v.foreign(q, "answered "+number)
}

// unanswered is what an error of a round trip means, or of reading the body; ctx is the caller's. Reached: there was a connection,
// whose other end has the cluster's certificate. What keeps others out may let these functions in: a VPC's functions reach a private
// endpoint, and an outage passes.
func (v *visit) unanswered(ctx context.Context, q question, reached bool, err error) *fault.Fault {
	passing := func(code, text string) *fault.Fault { return q.fault(fault.Retry, code, text) }
	var slow interface{ Timeout() bool }
	late := errors.As(err, &slow) && slow.Timeout()
	certificate := v.certificateFault(err)
	switch {
	case ctx.Err() != nil && reached:
		return passing(guard.TooSlow, "time ran out before "+v.host+" answered")
	case ctx.Err() != nil:
		return passing(guard.OutOfReach, "time ran out before there was a connection to "+v.host)
	case certificate != "":
		return q.fault(fault.Terminal, guard.WrongCA, certificate)
	case alerted(err):
		return passing(guard.OutOfReach, v.host+" ended the TLS handshake")
	case !reached && v.api.Private:
		return passing(guard.PrivateEndpoint, "no connection to "+v.host+", which answers inside of its VPC only")
	case !reached && v.closed():
		return passing(guard.ClosedEndpoint, "no connection to "+v.host+", which answers only "+strings.Join(v.api.PublicCIDRs, ", "))
	case late && reached:
		return passing(guard.TooSlow, v.host+" did not answer in time")
	case late:
		return passing(guard.OutOfReach, "no connection to "+v.host+" in time")
	}
	return passing(guard.OutOfReach, v.broken(err))
}

// alerted reports whether the other end broke off TLS. That says nothing of its certificate.
func alerted(err error) bool {
	var alert *net.OpError
	return errors.As(err, &alert) && alert.Op == "remote error" // as crypto/tls calls an alert that it gets
}

// certificateFault says why nothing shows that the other end is the cluster; empty: err is of another kind.
func (v *visit) certificateFault(err error) string {
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
		record    tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &authority):
		return "the certificate of " + v.host + " is not from the cluster's authority"
	case errors.As(err, &name):
		return "the certificate of " + v.host + " is for another name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate of " + v.host + " has expired, or is not valid yet"
	case errors.As(err, &invalid), errors.As(err, &verify):
		return "the certificate of " + v.host + " is not valid"
	case errors.As(err, &record):
		return v.host + " does not speak TLS"
	}
	return ""
}

// closed reports whether the public endpoint is open to some addresses only.
func (v *visit) closed() bool {
	everyone := func(cidr string) bool { return cidr == "0.0.0.0/0" || cidr == "::/0" }
	return len(v.api.PublicCIDRs) > 0 && !slices.ContainsFunc(v.api.PublicCIDRs, everyone)
}

func (v *visit) broken(err error) string {
	var name *net.DNSError
	switch {
	case errors.As(err, &name):
		return "no address of " + v.host + " was found"
	case errors.Is(err, syscall.ECONNREFUSED):
		return v.host + " refused the connection"
	}
	return "the connection to " + v.host + " broke off"
}
