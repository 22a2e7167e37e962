package laws_test

import (
	"slices"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/world"
)

func faultEdges() []edge {
	var all []edge
	for name, faults := range map[string][]world.Fault{
		"credentials that expire": expiries(), "signatures that are wrong": badSignatures(), "too many requests": tooMany(),
	} {
		all = append(all, edge{name: name, set: func(s *scene, d dice, trouble time.Duration) {
			f := pick(d, faults...)
			f.Principal, f.Chance = "cniguard-", pick(d, .2, .6, 1)
			f.From = d.span(0, trouble-time.Hour)
			f.Until = f.From + d.span(2*time.Minute, pick(d, 10*time.Minute, time.Hour))
			s.spec.Faults = append(s.spec.Faults, f)
		}, is: func(s *scene) bool {
			return slices.ContainsFunc(s.spec.Faults, func(f world.Fault) bool {
				return slices.ContainsFunc(faults, func(one world.Fault) bool { return one.Service == f.Service && one.Code == f.Code })
			})
		}})
	}
	slices.SortFunc(all, func(a, b edge) int { return strings.Compare(a.name, b.name) })
	return all
}

// What the services answer to credentials that have expired, to signatures that are wrong, as those of a clock that is, and to
// too many requests: "Common errors" of each API reference, "Error codes for the Amazon EC2 API", and the codes that the SDK
// takes for such (aws/retry).
func expiries() []world.Fault {
	return []world.Fault{
		{Service: "eks", Code: "ExpiredTokenException", Status: 403},
		{Service: "ec2", Code: "RequestExpired", Status: 400},
		{Service: "cloudwatch", Code: "ExpiredToken", Status: 403},
		{Service: "cloudwatch", Code: "ExpiredTokenException", Status: 403},
		{Service: "events", Code: "ExpiredTokenException", Status: 400},
		{Service: "sns", Code: "ExpiredToken", Status: 403},
		{Service: "sts", Code: "ExpiredTokenException", Status: 400},
	}
}

func badSignatures() []world.Fault {
	return []world.Fault{
		{Service: "eks", Code: "InvalidSignatureException", Status: 403},
		{Service: "ec2", Code: "AuthFailure", Status: 401},
		{Service: "cloudwatch", Code: "InvalidSignatureException", Status: 403},
		{Service: "cloudwatch", Code: "SignatureDoesNotMatch", Status: 403},
		{Service: "events", Code: "InvalidSignatureException", Status: 400},
		{Service: "sns", Code: "RequestTimeTooSkewed", Status: 403},
		{Service: "sts", Code: "SignatureDoesNotMatch", Status: 403},
	}
}

func tooMany() []world.Fault {
	return []world.Fault{
		{Service: "eks", Code: "TooManyRequestsException", Status: 429},
		{Service: "eks", Code: "RequestThrottledException"},
		{Service: "ec2", Code: "EC2ThrottledException"},
		{Service: "ec2", Code: "BandwidthLimitExceeded"},
		{Service: "cloudwatch", Code: "ThrottlingException"},
		{Service: "cloudwatch", Code: "LimitExceededException"},
		{Service: "events", Code: "SlowDown", Status: 503},
		{Service: "sns", Code: "ThrottledException"},
		{Service: "sns", Code: "RequestThrottled"},
		{Service: "ledger", Code: "TransactionInProgressException"},
		{Service: "ledger", Code: "PriorRequestNotComplete"},
	}
}
