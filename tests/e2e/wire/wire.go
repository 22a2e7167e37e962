// Package wire puts the simulated AWS of package world on the network: it answers the HTTP requests that the AWS SDKs and the
// aws command send. So programs that are not part of a simulation can be held against a world.
//
// It speaks the protocol of each service as its model names it: restJson1 for EKS, Smithy RPC v2 CBOR for CloudWatch, awsJson1.0 for DynamoDB, awsJson1.1
// for EventBridge and CloudTrail, AWS query for SNS and STS, EC2 query for EC2. What a request says is put into the SDK's own input types, the
// world answers these, and the SDK's output is written back. A request that says more than the input types have is refused.
//
// Who calls is known by the access key in the signature, which is not verified. Keys are those that the world gave out: by
// AssumeRole, or by World.Config.
package wire

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/cniguard/cniguard/internal/world"
)

// Handler answers requests from a world, one at a time.
type Handler struct {
	mu         sync.Mutex
	world      *world.World
	operations map[string]operation
	rest       *http.ServeMux
}

// New returns a Handler for a world. From then on the world is used through it only: with requests and With.
func New(w *world.World) *Handler {
	h := &Handler{world: w, operations: operations()}
	h.rest = h.routes()
	return h
}

// With calls f while no request is being answered. It may look at the world, change it and let its time pass.
func (h *Handler) With(f func(*world.World)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f(h.world)
}

// ServeHTTP answers one request. Where the world has no answer at all, as for a connection that is reset, the connection is cut.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p, name, err := recognise(r)
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	case name == "": // the path says it
		h.rest.ServeHTTP(w, r)
	default:
		h.answer(w, r, p, name)
	}
}

func (h *Handler) answer(w http.ResponseWriter, r *http.Request, p protocol, name string) {
	out, err := h.do(r, p, name)
	var reset *smithyhttp.RequestSendError
	switch {
	case errors.As(err, &reset):
		panic(http.ErrAbortHandler) // net/http cuts the connection
	case err != nil:
		p.refuse(w, refusalOf(err))
	default:
		p.accept(w, name, out)
	}
}

// do reads a request and has the world answer it.
func (h *Handler) do(r *http.Request, p protocol, name string) (any, error) {
	s, err := signatureOf(r)
	if err != nil {
		return nil, err
	}
	op, known := h.operations[name]
	if !known || op.service != s.service {
		return nil, unknownOperation(s.service, name)
	}
	in, err := op.read(r, p)
	if err != nil {
		return nil, err
	}
	return h.ask(s.key, &world.Call{Service: op.service, Op: op.name, Try: tryOf(r), Region: s.region, In: in})
}

// ask makes a call in the world's virtual time, which stands still but for the time that the call takes.
func (h *Handler) ask(key string, c *world.Call) (out any, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	clock, done := h.world.Clock(), false
	process := clock.Spawn(context.Background(), "wire", 0, func(ctx context.Context) {
		out, err = h.world.Attempt(ctx, key, c)
		done = true
	})
	for step := time.Duration(0); !done && !process.Dead(); step = time.Millisecond {
		clock.Run(clock.Now().Add(step))
	}
	if !done {
		return nil, &smithyhttp.RequestSendError{Err: errors.New("the world killed the caller")}
	}
	return out, err
}
