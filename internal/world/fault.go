package world

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	dynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	eks "github.com/aws/aws-sdk-go-v2/service/eks/types"
	events "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	sns "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// fault is what is injected into a call; nil: nothing.
func (w *World) fault(c *Call) *Fault {
	if w.outOfReach(c) {
		return &Fault{Code: connectionTimedOut, Latency: dialTimeout}
	}
	for i := range w.spec.Faults {
		f := &w.spec.Faults[i]
		if f.Times > 0 && w.fired[i] >= f.Times || !w.fits(f, c) || !w.chance(cmp.Or(f.Chance, 1)) {
			continue
		}
		w.fired[i]++
		return f
	}
	if apart(c.Service) || !w.chance(w.spec.Behaviour.Throttled) {
		return nil
	}
	return &Fault{Code: throttled(c.Service), Message: "Rate exceeded"}
}

// apart are the services that faults without a service leave alone: without STS nothing can be called at all, and the ledger
// is none of AWS's.
func apart(service string) bool { return service == "sts" || service == "ledger" }

// disabled reports whether a call goes to a region that its account has switched off. STS is called in the hub, and the ledger is
// none of AWS's.
func (w *World) disabled(c *Call) bool {
	now := w.since()
	return !apart(c.Service) && slices.ContainsFunc(w.spec.Disabled, func(d Disabled) bool {
		return d.Account == c.Account && d.Region == c.Region && now >= d.From && (d.Until == 0 || now < d.Until)
	})
}

func (w *World) fits(f *Fault, c *Call) bool {
	now := w.since()
	if now < f.From || f.Until > 0 && now >= f.Until {
		return false
	}
	if f.Service == "" && apart(c.Service) {
		return false
	}
	account, principal := c.Account, c.Principal
	if in, ok := c.In.(*sts.AssumeRoleInput); ok {
		principal += " " + *in.RoleArn
		account = accountOf(*in.RoleArn)
	}
	same := func(want, have string) bool { return want == "" || want == have }
	return same(f.Service, c.Service) && same(f.Operation, c.Op) && same(f.Account, account) && same(f.Region, c.Region) &&
		same(f.Cluster, c.Cluster) && strings.Contains(principal, f.Principal)
}

// injected is a fault's error.
func (w *World) injected(c *Call, f *Fault) error {
	if c.Service == kubernetes {
		return w.failed(c, f)
	}
	if f.Code == connectionReset {
		return &smithyhttp.RequestSendError{Err: &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}}
	}
	return w.response(modelled(c.Service, f.Code, cmp.Or(f.Message, "This fault was injected.")), c.Service, f.Status)
}

// response wraps a service's error as the SDK does that read it from a response. Status 0 is the usual one.
func (w *World) response(err error, service string, status int) error {
	if api, ok := err.(smithy.APIError); ok && status == 0 {
		status = statusOf(service, api.ErrorCode())
	} else if !ok {
		return err
	}
	w.responses++
	return &awshttp.ResponseError{
		RequestID: fmt.Sprintf("%08d", w.responses),
		ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status, Header: http.Header{}}},
			Err:      err,
		},
	}
}

// statusOf is the HTTP status that comes with an error code: those of the "Errors" sections of the services' API references.
func statusOf(service, code string) int {
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(code, p) })
	}
	switch {
	case service == kubernetes:
		return kubernetesStatus(code)
	case service == "dynamodb" && !has("Unavailable", "InternalServerError"): // developer guide, "Error handling with DynamoDB"
		return http.StatusBadRequest
	case code == "RequestLimitExceeded", has("Unavailable"):
		return http.StatusServiceUnavailable
	case has("Denied", "Unauthorized", "AuthorizationError"):
		return http.StatusForbidden
	case has("Internal", "ServerException", "ServerError"):
		return http.StatusInternalServerError
	case service == "ec2":
		return http.StatusBadRequest
	case service == "eks" && has("Throttl", "TooManyRequests"):
		return http.StatusTooManyRequests
	case has("NotFound"):
		return http.StatusNotFound
	case has("InUse"):
		return http.StatusConflict
	}
	return http.StatusBadRequest
}

// throttled is the code with which a service throttles.
func throttled(service string) string {
	switch service {
	case "ec2":
		return "RequestLimitExceeded"
	case kubernetes:
		return "TooManyRequests"
	case "cloudwatch", "sns":
		return "Throttling"
	}
	return "ThrottlingException"
}

// denial is the code with which a service denies access.
func denial(service string) string {
	switch service {
	case "ec2":
		return "UnauthorizedOperation"
	case "sns":
		return "AuthorizationError"
	case "cloudwatch", "sts":
		return "AccessDenied"
	}
	return "AccessDeniedException"
}

// denied is the error of a caller that is not granted what it calls; nil: it is. A cluster's own API does not ask IAM.
func (w *World) denied(c *Call) error {
	if c.Service == "ledger" || c.Service == kubernetes {
		return nil
	}
	return w.need(c, c.Action())
}

// need is the error of a caller that is not granted an action that its call needs.
func (w *World) need(c *Call, action string) error {
	restricted := false
	role := c.Principal[strings.LastIndexByte(c.Principal, '/')+1:]
	for _, g := range w.spec.Grants {
		if g.Role == role {
			restricted = true
			if slices.Contains(g.Actions, action) {
				return nil
			}
		}
	}
	if !restricted {
		return nil
	}
	return modelled(c.Service, denial(c.Service), "User: "+c.Principal+" is not authorized to perform: "+action)
}

// modelled is a service's error as the SDK gives it: of its own type where the service's model has one, else generic.
func modelled(service, code, message string) error {
	m := aws.String(message)
	switch (operation{service, code}) {
	case operation{"dynamodb", "InternalServerError"}:
		return &dynamodb.InternalServerError{Message: m}
	case operation{"dynamodb", "ProvisionedThroughputExceededException"}:
		return &dynamodb.ProvisionedThroughputExceededException{Message: m}
	case operation{"dynamodb", "RequestLimitExceeded"}:
		return &dynamodb.RequestLimitExceeded{Message: m}
	case operation{"dynamodb", "ResourceNotFoundException"}:
		return &dynamodb.ResourceNotFoundException{Message: m}
	case operation{"dynamodb", "ThrottlingException"}:
		return &dynamodb.ThrottlingException{Message: m}
	case operation{"eks", "AccessDeniedException"}:
		return &eks.AccessDeniedException{Message: m}
	case operation{"eks", "ClientException"}:
		return &eks.ClientException{Message: m}
	case operation{"eks", "InvalidParameterException"}:
		return &eks.InvalidParameterException{Message: m}
	case operation{"eks", "InvalidRequestException"}:
		return &eks.InvalidRequestException{Message: m}
	case operation{"eks", "ResourceInUseException"}:
		return &eks.ResourceInUseException{Message: m}
	case operation{"eks", "ResourceNotFoundException"}:
		return &eks.ResourceNotFoundException{Message: m}
	case operation{"eks", "ServerException"}:
		return &eks.ServerException{Message: m}
	case operation{"eks", "ServiceUnavailableException"}:
		return &eks.ServiceUnavailableException{Message: m}
	case operation{"eks", "ThrottlingException"}:
		return &eks.ThrottlingException{Message: m}
	case operation{"events", "ThrottlingException"}:
		return &events.ThrottlingException{Message: m}
	case operation{"events", "AccessDeniedException"}:
		return &events.AccessDeniedException{Message: m}
	case operation{"sns", "InternalError"}:
		return &sns.InternalErrorException{Message: m}
	case operation{"sns", "KMSAccessDenied"}:
		return &sns.KMSAccessDeniedException{Message: m}
	case operation{"sns", "NotFound"}:
		return &sns.NotFoundException{Message: m}
	case operation{"sns", "Throttled"}:
		return &sns.ThrottledException{Message: m}
	case operation{"sns", "AuthorizationError"}:
		return &sns.AuthorizationErrorException{Message: m}
	}
	e := &smithy.GenericAPIError{Code: code, Message: message, Fault: smithy.FaultClient}
	if statusOf(service, code) >= http.StatusInternalServerError {
		e.Fault = smithy.FaultServer
	}
	return e
}
