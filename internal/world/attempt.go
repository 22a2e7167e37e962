package world

import (
	"context"
	"net/http"

	"github.com/aws/smithy-go"
)

// Attempt answers one attempt of an API call that comes by another way than Config and Client do, as over HTTP. The principal
// and account are those that the access key was given to; the service, operation, try, region and input are c's. Retries are
// the caller's business. It runs in a process of the world's clock. The error is the one that an SDK client would get.
func (w *World) Attempt(ctx context.Context, key string, c *Call) (any, error) {
	who, known := w.identities.of[key]
	if !known {
		code, status := badKey(c.Service)
		return nil, w.response(modelled(c.Service, code, "The security token included in the request is invalid."), c.Service, status)
	}
	if err := missing(c.In); err != nil {
		return nil, w.response(&smithy.GenericAPIError{Code: "ValidationException", Message: err.Error(), Fault: smithy.FaultClient}, c.Service, http.StatusBadRequest)
	}
	c.Principal, c.Account = who.principal, who.account
	return w.try(ctx, c)
}

// badKey is how a service answers an access key that nobody has: "Common errors" of its API reference, for EC2 "Error codes".
func badKey(service string) (code string, status int) {
	switch service {
	case kubernetes: // EKS has STS look at the credentials
		return "Unauthorized", http.StatusUnauthorized
	case "eks", "events":
		return "UnrecognizedClientException", http.StatusForbidden
	case "dynamodb":
		return "UnrecognizedClientException", http.StatusBadRequest
	case "ec2":
		return "AuthFailure", http.StatusUnauthorized
	}
	return "InvalidClientTokenId", http.StatusForbidden
}
