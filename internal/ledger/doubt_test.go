package ledger_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/ledger"
	"github.com/cniguard/cniguard/internal/world"
)

// The SDK tries a save again whose answer was lost. The condition then fails on what it has saved itself.
func TestASaveWhoseAnswerWasLostIsNoConflict(t *testing.T) {
	for _, lost := range []int{1, 2} {
		s := set(t, faults(world.Fault{Service: "dynamodb", Operation: "PutItem", Code: "InternalServerError", After: true, Times: lost}))
		s.run(func(ctx context.Context) {
			k, err := s.dynamo.Save(ctx, check.Kept{Cluster: prod, Record: guard.Record{Version: "1"}})
			if err != nil || k.Version != 1 {
				t.Fatalf("%d answers lost: version %d, %v", lost, k.Version, err)
			}
			if _, err = s.dynamo.Save(ctx, check.Kept{Cluster: prod, Record: guard.Record{Version: "1"}}); !errors.Is(err, check.ErrConflict) {
				t.Errorf("the same record from another: %v, want a conflict", err)
			}
		})
	}
}

// tally is what writers know of their saves.
type tally struct{ saved, conflicts, doubts int }

// race has processes of one world count, while their calls overlap, and gives what they know and what is there.
func race(t *testing.T, change func(*world.Spec)) (known tally, k check.Kept) {
	const writers, each = 8, 20
	s := set(t, func(s *world.Spec) {
		s.Behaviour.Latency = world.Range{Max: 50 * time.Millisecond}
		change(s)
	})
	for i := range writers {
		l := ledger.NewDynamo(dynamodb.NewFromConfig(s.Config(caller, hubAccount, hubRegion)), "cniguard", s.clock)
		s.clock.Spawn(t.Context(), fmt.Sprint("writer ", i), 0, func(ctx context.Context) {
			for done := 0; done < each; {
				k, err := l.Load(ctx, prod)
				if err != nil {
					continue
				}
				k.Record.Sent++
				_, err = l.Save(ctx, k)
				switch f := fault.Of(err); {
				case err == nil:
					known.saved++
					done++
				case errors.Is(err, check.ErrConflict):
					known.conflicts++
				case f.InDoubt:
					known.doubts++
				}
			}
		})
	}
	s.clock.Run(noon.Add(24 * time.Hour))
	k, err := ledger.NewDynamo(s.Peek(), "cniguard", s.clock).Load(t.Context(), prod)
	if err != nil || known.saved != writers*each || known.conflicts == 0 || int64(k.Record.Sent) != k.Version {
		t.Errorf("%d in version %d, %v; known are %+v", k.Record.Sent, k.Version, err, known)
	}
	return known, k
}

func TestRacingProcessesLoseNothing(t *testing.T) {
	known, k := race(t, func(s *world.Spec) { s.Behaviour.Throttled = .1 })
	if k.Record.Sent != known.saved {
		t.Errorf("%d saves of %+v are left", k.Record.Sent, known)
	}
}

// A save whose answer was lost may be found on top of which another saved: it is there, and a conflict.
func TestRacingProcessesWhoseAnswersAreLostLoseNothing(t *testing.T) {
	known, k := race(t, func(s *world.Spec) {
		s.Faults = []world.Fault{{Service: "dynamodb", Operation: "PutItem", Code: "InternalServerError", After: true, Chance: .3}}
	})
	if n := k.Record.Sent; n < known.saved || n > known.saved+known.conflicts+known.doubts || known.doubts == 0 {
		t.Errorf("%d saves of %+v are left", n, known)
	}
}

// lazy is a table whose batches are never read.
type lazy struct{ ledger.DynamoDB }

func (lazy) BatchGetItem(_ context.Context, in *dynamodb.BatchGetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	return &dynamodb.BatchGetItemOutput{UnprocessedKeys: in.RequestItems}, nil
}

func TestABatchThatIsNeverReadIsGivenUp(t *testing.T) {
	s := set(t, nil)
	s.run(func(ctx context.Context) {
		if _, err := s.dynamo.Save(ctx, check.Kept{Cluster: prod, Record: guard.Record{Due: noon}}); err != nil {
			t.Error(err)
		}
		began := s.Now()
		_, err := ledger.NewDynamo(lazy{s.client}, "cniguard", s.clock).Due(ctx, noon)
		if f := fault.Of(err); f == nil || f.Kind != fault.Retry || f.Op != "dynamodb:BatchGetItem" {
			t.Errorf("error %v", err)
		}
		if took := s.Now().Sub(began); took < 5*time.Second || took > time.Minute {
			t.Errorf("it was given up after %s", took)
		}
	})
}

// table is as much of DynamoDB over HTTP as one save needs: the first answer is lost, and the second try meets what the first
// wrote.
func table(t *testing.T) *httptest.Server {
	var kept json.RawMessage
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var put struct{ Item json.RawMessage }
		if err := json.Unmarshal(body, &put); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		if kept == nil {
			kept = put.Item
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprint(w, `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"lost"}`)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"The conditional request failed","Item":%s}`, kept)
	}))
	t.Cleanup(srv.Close)
	return srv
}

// The world answers above the wire; this is how the SDK reads the answer that Save rests on.
func TestASaveWhoseAnswerWasLostOnTheWireIsNoConflict(t *testing.T) {
	cfg := aws.Config{
		Region: hubRegion, BaseEndpoint: aws.String(table(t).URL), Credentials: credentials.NewStaticCredentialsProvider("AKIA", "secret", ""),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			})
		},
	}
	l := ledger.NewDynamo(dynamodb.NewFromConfig(cfg), "cniguard", clock.Real{})
	if k, err := l.Save(t.Context(), check.Kept{Cluster: prod}); err != nil || k.Version != 1 {
		t.Errorf("version %d, %v", k.Version, err)
	}
	if _, err := l.Save(t.Context(), check.Kept{Cluster: prod}); !errors.Is(err, check.ErrConflict) {
		t.Errorf("another's save: %v, want a conflict", err)
	}
}
