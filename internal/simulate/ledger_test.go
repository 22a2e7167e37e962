package simulate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
)

func TestALedgerInATableHasOneHistoryInBothMounts(t *testing.T) {
	history := func(sdk bool) []string {
		s := spec(t, demo+"world.yaml")
		s.Behaviour.IndexLag, s.Behaviour.Unprocessed, s.Behaviour.PageSize = time.Second, .3, 3
		r, _ := start(t, s, demoRules(t), simulate.Options{Seed: 3, SDK: sdk, Table: true})
		r.World.Record(true)
		r.For(8 * hour)
		return r.World.Lines()
	}
	direct, sdk := history(false), history(true)
	if text := strings.Join(direct, "\n"); !strings.Contains(text, "dynamodb:BatchGetItem") || strings.Contains(text, "ledger:") {
		t.Error("the ledger is not in the table")
	}
	if diff := cmp.Diff(direct, sdk); diff != "" {
		t.Errorf("(-direct +sdk):\n%.3000s", diff)
	}
}

// ordered is a world in which somebody denies updates of a cluster and halts the fleet, early.
func ordered(t *testing.T, change func(*world.Spec)) (*simulate.Run, *[]simulate.Line) {
	t.Helper()
	s := demoWorld(t)
	s.Orders = []world.Order{
		{At: time.Minute, Kind: world.Deny, Account: "444455556666", Region: "eu-central-1", Name: "batch", By: "bo", Because: "not now"},
		{At: 2 * time.Minute, Kind: world.Halt, By: "cy", Because: "incident"},
	}
	change(&s)
	r, lines := start(t, s, demoRules(t), simulate.Options{Seed: 1, Table: true})
	r.World.Record(true)
	return r, lines
}

func TestAPersonsOrderIsWrittenWithTheirOwnCredentials(t *testing.T) {
	r, lines := ordered(t, func(*world.Spec) {})
	r.For(10 * time.Minute)
	var got []string
	for _, e := range r.World.History() {
		if c := e.Call; c != nil && strings.Contains(c.Principal, "person/") && c.Op == "PutItem" {
			got = append(got, c.Principal+" "+c.In.(*dynamodb.PutItemInput).Item["pk"].(*types.AttributeValueMemberS).Value)
		}
	}
	hub := "arn:aws:iam::" + r.World.Spec().Hub.Account + ":role/person/"
	if diff := cmp.Diff([]string{hub + "bo ORDER#bo", hub + "cy HALT"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	orders, err := r.Ledger.Orders(t.Context(), demoCluster("batch"))
	if err != nil || len(orders) != 1 || orders[0].Kind != guard.Denial || orders[0].By != "bo" {
		t.Errorf("orders %+v, %v", orders, err)
	}
	if n := len(of(*lines, simulate.Ordered, "")) + len(of(*lines, simulate.Ordered, "batch")); n != 2 {
		t.Errorf("%d orders in the journal, want 2", n)
	}
}

func TestAnOrderThatCouldNotBeWrittenIsGivenAgain(t *testing.T) {
	r, lines := ordered(t, func(s *world.Spec) {
		s.Faults = []world.Fault{{Service: "dynamodb", Operation: "PutItem", Principal: "person/bo", Code: "ThrottlingException", Times: 7}}
	})
	r.For(10 * time.Minute)
	if orders, err := r.Ledger.Orders(t.Context(), demoCluster("batch")); err != nil || len(orders) != 1 || len(of(*lines, simulate.OrderRefused, "batch")) > 0 {
		t.Errorf("orders %+v, %v", orders, err)
	}
	r, lines = ordered(t, func(s *world.Spec) {
		s.Faults = []world.Fault{{Service: "dynamodb", Operation: "PutItem", Principal: "person/bo", Code: "AccessDeniedException"}}
	})
	r.For(10 * time.Minute)
	if refused := of(*lines, simulate.OrderRefused, "batch"); len(refused) != 1 || !strings.Contains(refused[0].Why, "AccessDenied") {
		t.Errorf("who may not deny is told so: %+v", refused)
	}
}

func TestFaultsOfTheLedgerHappenToItsTable(t *testing.T) {
	for op, want := range map[string]string{"Load": "GetItem", "Fleet": "GetItem", "Save": "PutItem", "Due": "Query", "In": "Query", "Orders": "Query", "": "GetItem"} {
		r, _ := ordered(t, func(s *world.Spec) {
			s.Faults = []world.Fault{{Service: "ledger", Operation: op, Code: "InternalServerError", Principal: "cniguard-"}}
		})
		r.For(8 * time.Minute)
		failed := map[string]bool{}
		for _, e := range r.World.History() {
			if c := e.Call; c != nil && c.Err != nil && strings.Contains(c.Err.Error(), "InternalServerError") {
				failed[c.Service+":"+c.Op] = true
			}
		}
		if !failed["dynamodb:"+want] || op != "" && len(failed) != 1 {
			t.Errorf("a fault of %q made fail: %v; want dynamodb:%s", op, failed, want)
		}
	}
}
