package ledgertest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
)

func orders(t *testing.T, l Ledger) {
	give := func(by string, kind guard.OrderKind, at time.Time) {
		t.Helper()
		o := guard.Order{Kind: kind, By: by, Because: "b", At: at, Until: at.Add(time.Hour), Steps: []string{"v1.8.0"}, Keeps: "k"}
		if err := l.Order(t.Context(), id("a"), o); err != nil {
			t.Fatal(err)
		}
	}
	give("ann", guard.Approval, noon)
	give("bob", guard.Denial, noon.Add(time.Minute))
	give("ann", guard.Denial, noon.Add(2*time.Minute))
	got, err := l.Orders(t.Context(), id("a"))
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, o := range got {
		texts = append(texts, fmt.Sprint(o.By, " ", o.Kind, " ", o.Because, " ", o.Steps, " ", o.Keeps, " ", o.Until.Sub(o.At)))
	}
	if diff := cmp.Diff([]string{"bob deny b [v1.8.0] k 1h0m0s", "ann deny b [v1.8.0] k 1h0m0s"}, texts); diff != "" {
		t.Error(diff)
	}
	if got, err = l.Orders(t.Context(), id("b")); err != nil || len(got) > 0 {
		t.Errorf("another cluster has %v, %v", got, err)
	}
}

func halts(t *testing.T, l Ledger) {
	halted := func() bool {
		t.Helper()
		f, err := l.Fleet(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return f.Halt != nil && f.Halt.By == "ann" && f.Halt.Because == "incident"
	}
	if halted() {
		t.Error("an empty ledger is halted")
	}
	if err := l.Order(t.Context(), cluster.ID{}, guard.Order{Kind: guard.Halting, By: "ann", Because: "incident", At: noon}); err != nil || !halted() {
		t.Error("not halted", err)
	}
	if err := l.Order(t.Context(), cluster.ID{}, guard.Order{Kind: guard.Resuming, By: "bob", At: noon}); err != nil || halted() {
		t.Error("still halted", err)
	}
}

func teardown(t *testing.T, l Ledger) {
	for _, kind := range []guard.OrderKind{guard.TearingDown, guard.Halting, guard.TearingDown} {
		order(t, l, guard.Order{Kind: kind, By: "ann", Because: "over", At: noon})
		if f, err := l.Fleet(t.Context()); err != nil || f.Halt == nil || f.Halt.Kind != kind {
			t.Errorf("after %s: %+v, %v", kind, f.Halt, err)
		}
	}
	order(t, l, guard.Order{Kind: guard.Resuming, By: "bob", Because: "again", At: noon})
	if f, err := l.Fleet(t.Context()); err != nil || f.Halt != nil {
		t.Errorf("after resuming: %+v, %v", f.Halt, err)
	}
}

func orderComesBack(t *testing.T, l Ledger) {
	want := guard.Order{Schema: guard.Schema, Kind: guard.Approval, By: "AROA1:ann@example.com", Because: "it is \"time\" – at last",
		At: noon.Add(1), Until: noon.Add(time.Hour + 2), Steps: []string{"v1.8.0", "v1.9.0"}, Keeps: "k"}
	order(t, l, want)
	got, err := l.Orders(t.Context(), id("a"))
	if diff := cmp.Diff([]guard.Order{want}, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	halt := guard.Order{Schema: guard.Schema, Kind: guard.Halting, By: "ann", Because: "incident", At: noon.Add(1)}
	order(t, l, halt)
	f, err := l.Fleet(t.Context())
	if diff := cmp.Diff(&halt, f.Halt); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func newerOrder(t *testing.T, l Ledger) {
	order(t, l, guard.Order{Schema: guard.Schema + 1, Kind: guard.Denial, By: "ann", Because: "b", At: noon, Until: noon.Add(time.Hour)})
	_, err := l.Orders(t.Context(), id("a"))
	refused(t, "Orders", err)
	order(t, l, guard.Order{Schema: guard.Schema + 1, Kind: guard.Resuming, By: "ann", Because: "b", At: noon})
	_, err = l.Fleet(t.Context())
	refused(t, "Fleet", err)
}

func unknownOrder(t *testing.T, l Ledger) {
	if err := l.Order(t.Context(), id("a"), guard.Order{Kind: "nod", By: "ann", At: noon}); err == nil {
		t.Error("it was taken")
	}
}

// order gives one, about cluster a.
func order(t *testing.T, l Ledger, o guard.Order) {
	t.Helper()
	if err := l.Order(t.Context(), id("a"), o); err != nil {
		t.Fatal(err)
	}
}
