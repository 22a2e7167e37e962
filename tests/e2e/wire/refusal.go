package wire

import (
	"cmp"
	"errors"
	"net/http"
	"reflect"

	"github.com/aws/smithy-go"
)

// refusal is an error as services send it.
type refusal struct {
	status  int    // HTTP
	shape   string // name of the error in the service's model; else the code
	code    string
	message string
	sender  bool // whose fault it is: the sender's or the service's
}

// refusalOf is what a service sends for an error that the world gave.
func refusalOf(err error) refusal {
	r := refusal{status: http.StatusInternalServerError, code: "InternalFailure", message: err.Error()}
	var api smithy.APIError
	if errors.As(err, &api) {
		r.status, r.code, r.message = http.StatusBadRequest, api.ErrorCode(), api.ErrorMessage()
		if t := reflect.Indirect(reflect.ValueOf(api)).Type(); t != reflect.TypeFor[smithy.GenericAPIError]() {
			r.shape = t.Name()
		}
	}
	var answer interface{ HTTPStatusCode() int }
	if errors.As(err, &answer) {
		r.status = answer.HTTPStatusCode()
	}
	r.shape, r.sender = cmp.Or(r.shape, r.code), r.status < http.StatusInternalServerError
	return r
}

// side says whose fault it was, in the words of the query protocols.
func (r refusal) side() string {
	if r.sender {
		return "Sender"
	}
	return "Receiver"
}

func invalid(err error) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Message: err.Error(), Fault: smithy.FaultClient}
}

func unknownOperation(service, name string) error {
	return &smithy.GenericAPIError{Code: "UnknownOperationException", Message: "The operation " + name + " of " + service + " is not simulated."}
}
