package hub_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/hub"
	"github.com/cniguard/cniguard/internal/ledger"
)

// ears hear what is woken.
type ears struct {
	heard []event.Trigger
	err   error
}

func (e *ears) Wake(_ context.Context, ts ...event.Trigger) error {
	e.heard = append(e.heard, ts...)
	return e.err
}

func TestAnOrderIsWrittenAndThenWakesWhoHasToSeeIt(t *testing.T) {
	id := kept("a", guard.Record{}).Cluster
	for kind, want := range map[guard.OrderKind][]event.Trigger{
		guard.Approval:      {{Kind: event.Check, Cluster: id, Why: "approve by ana"}},
		guard.Denial:        {{Kind: event.Check, Cluster: id, Why: "deny by ana"}},
		guard.Muting:        {{Kind: event.Check, Cluster: id, Why: "mute by ana"}},
		guard.Unmuting:      {{Kind: event.Check, Cluster: id, Why: "unmute by ana"}},
		guard.Acknowledging: {{Kind: event.Check, Cluster: id, Why: "ack by ana"}},
		guard.Halting:       nil,
		guard.TearingDown:   {{Kind: event.Sweep, Why: "teardown by ana"}},
		guard.Resuming:      {{Kind: event.Sweep, Why: "resume by ana"}},
		"nod":               nil,
	} {
		t.Run(string(kind), func(t *testing.T) {
			e := &ears{}
			h := hub.Hub{Ledger: ledger.NewMemory(), Waker: e}
			o := guard.Order{Kind: kind, By: "ana", Because: "b", At: noon}
			if kind.OnFinding() {
				o.Finding = guard.CapacityLow
			}
			err := h.Give(t.Context(), id, o)
			if (err != nil) != (kind == "nod") {
				t.Error(err)
			}
			if diff := cmp.Diff(want, e.heard); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// behind is a ledger whose index shows an order only when it is asked for the n-th time; below zero: never.
type behind struct {
	*ledger.Memory
	n int
}

func (b *behind) Orders(ctx context.Context, id cluster.ID) ([]guard.Order, error) {
	if b.n--; b.n != 0 {
		return nil, nil
	}
	return b.Memory.Orders(ctx, id)
}

func TestNobodyIsWokenBeforeTheOrderCanBeFound(t *testing.T) {
	for name, c := range map[string]struct{ shown, slept int }{
		"the index shows it at once":        {1, 0},
		"the index shows it in a second":    {5, 4},
		"the index does not show it at all": {-1, 20},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e, began := &ears{}, time.Now()
				h := hub.Hub{Ledger: &behind{ledger.NewMemory(), c.shown}, Waker: e, Clock: clock.Real{}}
				if err := h.Give(t.Context(), kept("a", guard.Record{}).Cluster, guard.Order{Kind: guard.Denial, By: "ana", At: noon}); err != nil {
					t.Fatal(err)
				}
				if slept := time.Since(began); slept != time.Duration(c.slept)*250*time.Millisecond || len(e.heard) != 1 {
					t.Errorf("after %s %v was woken", slept, e.heard)
				}
			})
		})
	}
}

func TestAWordOnAFindingIsNotTakenForOneOnAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		id, began := kept("a", guard.Record{}).Cluster, time.Now()
		l := ledger.NewMemory()
		if err := l.Order(t.Context(), id, guard.Order{Kind: guard.Muting, Finding: guard.BlocksLow, By: "ana", At: noon}); err != nil {
			t.Fatal(err)
		}
		h := hub.Hub{Ledger: late{l}, Waker: &ears{}, Clock: clock.Real{}}
		if err := h.Give(t.Context(), id, guard.Order{Kind: guard.Muting, Finding: guard.CapacityLow, By: "ana", At: noon}); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(began); waited != 5*time.Second {
			t.Errorf("the other word of the same second was taken for it after %s", waited)
		}
	})
}

// late is a ledger whose index does not show what is said of capacity-low.
type late struct{ *ledger.Memory }

func (l late) Orders(ctx context.Context, id cluster.ID) ([]guard.Order, error) {
	orders, err := l.Memory.Orders(ctx, id)
	return slices.DeleteFunc(orders, func(o guard.Order) bool { return o.Finding == guard.CapacityLow }), err
}

func TestAnOrderThatWakesNobodyIsWrittenAllTheSame(t *testing.T) {
	h := hub.Hub{Ledger: ledger.NewMemory(), Waker: &ears{err: errors.New("no bus")}}
	err := h.Give(t.Context(), kept("", guard.Record{}).Cluster, guard.Order{Kind: guard.TearingDown, By: "ana", At: noon})
	fleet, _ := h.Ledger.Fleet(t.Context())
	if !errors.Is(err, hub.ErrNotWoken) || !strings.Contains(err.Error(), "no bus") || fleet.Halt == nil {
		t.Errorf("%v, %+v", err, fleet)
	}
}

func TestWhatFailedUpdatesStoppedIsResumedThoughNobodyHaltedIt(t *testing.T) {
	l := ledger.NewMemory()
	if err := l.SaveRollout(t.Context(), guard.Rollout{Failed: []guard.Slot{{Cluster: kept("prod", guard.Record{}).Cluster, At: noon}}}); err != nil {
		t.Fatal(err)
	}
	if old, err := (hub.Hub{Ledger: l}).Replaced(t.Context(), guard.Resuming); err != nil || old != nil {
		t.Errorf("%+v, %v", old, err)
	}
}

func TestAnOrderToTheFleetKnowsWhatItReplaces(t *testing.T) {
	for _, c := range []struct {
		stands, given guard.OrderKind
		want          string
	}{
		{"", guard.Halting, "nothing"},
		{"", guard.TearingDown, "nothing"},
		{"", guard.Resuming, "resume: the fleet is not halted, and no failed update stops it, so there is nothing to resume"},
		{guard.Halting, guard.Halting, "halt by bo"},
		{guard.Halting, guard.TearingDown, "halt by bo"},
		{guard.Halting, guard.Resuming, "halt by bo"},
		{guard.TearingDown, guard.Halting, "halt: a teardown by bo stands, and halts all updates already"},
		{guard.TearingDown, guard.TearingDown, "teardown by bo"},
		{guard.TearingDown, guard.Resuming, "teardown by bo"},
		{guard.Resuming, guard.Halting, "nothing"},
	} {
		t.Run(string(c.given)+" after "+string(c.stands), func(t *testing.T) {
			h := hub.Hub{Ledger: ledger.NewMemory()}
			if c.stands != "" {
				if err := h.Ledger.Order(t.Context(), kept("", guard.Record{}).Cluster, guard.Order{Kind: c.stands, By: "bo", At: noon}); err != nil {
					t.Fatal(err)
				}
			}
			old, err := h.Replaced(t.Context(), c.given)
			got := "nothing"
			switch {
			case err != nil:
				got = err.Error()
			case old != nil:
				got = string(old.Kind) + " by " + old.By
			}
			if got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestAClusterIsFoundByItsNameOrInFull(t *testing.T) {
	l := ledger.NewMemory()
	gone := guard.Record{Gone: true}
	for name, rec := range map[string]guard.Record{"a": {}, "b": {}, "left": gone, "": {}} {
		if _, err := l.Save(t.Context(), kept0(name, rec)); err != nil {
			t.Fatal(err)
		}
	}
	other := kept0("b", guard.Record{})
	other.Cluster.Region = "us-east-1"
	if _, err := l.Save(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	h := hub.Hub{Ledger: l}
	for name, want := range map[string]string{
		"a":                              "111122223333/eu-central-1/a",
		"111122223333/us-east-1/b":       "111122223333/us-east-1/b",
		"111122223333/eu-central-1/left": "111122223333/eu-central-1/left",
		"b":                              `find cluster "b": cniguard knows 2 of this name: 111122223333/eu-central-1/b, 111122223333/us-east-1/b`,
		"left":                           "find cluster \"left\": cniguard knows none of this name; `cniguard status` lists those it knows",
		"":                               "find cluster \"\": cniguard knows none of this name; `cniguard status` lists those it knows",
		"111122223333/eu-west-1/a":       `find cluster "111122223333/eu-west-1/a": cniguard has not checked it; is its account and region in the policy's fleet?`,
		"1/2/3":                          "find cluster \"1/2/3\": cniguard knows none of this name; `cniguard status` lists those it knows",
	} {
		t.Run(name, func(t *testing.T) {
			k, err := h.Cluster(t.Context(), name)
			got := k.Cluster.String()
			if err != nil {
				got = err.Error()
			}
			if got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

// torn is a ledger whose order to the fleet cannot be read.
type torn struct{ *ledger.Memory }

func (torn) Fleet(context.Context) (guard.Fleet, error) {
	return guard.Fleet{}, errors.New("the table is throttled")
}

func TestWhatCannotBeReadKeepsNobodyFromHalting(t *testing.T) {
	for kind, may := range map[guard.OrderKind]bool{guard.Halting: true, guard.Resuming: true, guard.TearingDown: false} {
		if _, err := (hub.Hub{Ledger: torn{ledger.NewMemory()}}).Replaced(t.Context(), kind); (err == nil) != may {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
