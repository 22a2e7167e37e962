package app_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/app"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/policy"
)

// shut is a ledger whose index cannot be read.
type shut struct {
	*hub
	err error
}

func (s shut) Due(context.Context, time.Time) ([]cluster.ID, error) { return nil, s.err }

// An alarm stands on this count: the tick comes by every five minutes and reads the ledger first.
func TestATickThatTheLedgerFailsIsCounted(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		want  map[string]int
		again bool // Lambda tries again
	}{
		"where DynamoDB refuses, and the next tick comes by itself": {&fault.Fault{Kind: fault.Retry, Op: "dynamodb:Query"}, map[string]int{"Ticks": 1, "LedgerFailed": 1}, false},
		"and nothing else like it":                                  {errors.New("no such luck"), map[string]int{"Ticks": 1}, true},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHub(t)
			a := app.New(app.Config{
				Function: event.Bulk, Hub: event.Unit{Account: hubAccount, Region: "eu-central-1"}, Bus: "watch",
				Policy: compiled(t, policy.Document{Fleet: members()}),
			}, app.Parts{Connect: h.connect, SNS: h, Events: h, Ledger: shut{h, c.err}, Clock: clock.Real{}, Log: &h.log, Process: h.process})
			if err := a.Handle(t.Context(), sample(t, "own-tick.json")); (err != nil) != c.again {
				t.Errorf("error %v", err)
			}
			if diff := cmp.Diff(c.want, h.counts()); diff != "" {
				t.Errorf("counted (-want +got):\n%s", diff)
			}
		})
	}
}
