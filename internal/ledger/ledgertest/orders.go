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
		At: noon.Add(1), Until: noon.Add(time.Hour + 2), From: "v1.7.5", Steps: []string{"v1.8.0", "v1.9.0"}, Keeps: "k", Kept: []string{"configuration: 1f3a5b77"}}
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

// words are about the findings of a cluster: they leave its approvals alone, and each other.
func words(t *testing.T, l Ledger) {
	give := func(by string, kind guard.OrderKind, finding guard.Code, after time.Duration) {
		t.Helper()
		order(t, l, guard.Order{Kind: kind, Finding: finding, By: by, Because: "b", At: noon.Add(after), Until: noon.Add(time.Hour)})
	}
	give("bob", guard.Muting, guard.CapacityLow, 0)
	give("ann", guard.Muting, guard.CapacityLow, 0)
	for _, code := range []guard.Code{guard.NodesFull, guard.BlocksLow, guard.Unreadable, guard.CapacitySoon} {
		give("ann", guard.Muting, code, 0)
	}
	give("ann", guard.Denial, "", 0)
	give("ann", guard.Acknowledging, guard.CapacityLow, time.Second)
	give("ann", guard.Approval, "", 2*time.Second)
	give("bob", guard.Unmuting, guard.CapacityLow, 3*time.Second)
	got, err := l.Orders(t.Context(), id("a"))
	var texts []string
	for _, o := range got {
		texts = append(texts, fmt.Sprint(o.At.Sub(noon), " ", o.By, " ", o.Kind, " ", o.Finding))
	}
	want := []string{"0s ann mute blocks-low", "0s ann mute capacity-soon", "0s ann mute nodes-full", "0s ann mute unreadable",
		"1s ann ack capacity-low", "2s ann approve ", "3s bob unmute capacity-low"}
	if diff := cmp.Diff(want, texts); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if got, err = l.Orders(t.Context(), id("b")); err != nil || len(got) > 0 {
		t.Errorf("another cluster has %v, %v", got, err)
	}
}

func wordComesBack(t *testing.T, l Ledger) {
	var want []guard.Order
	for i, code := range guard.Answerable() {
		for j, kind := range []guard.OrderKind{guard.Muting, guard.Unmuting, guard.Acknowledging} {
			o := guard.Order{Kind: kind, Finding: code, By: fmt.Sprint("AROA", j, ":ann@example.com"), Because: "it is \"time\"", At: noon.Add(time.Duration(i))}
			o, err := guard.Answered(o, map[guard.OrderKind]time.Duration{guard.Muting: guard.MuteAtMost}[kind])
			if err != nil {
				t.Fatal(err)
			}
			order(t, l, o)
			want = append(want, o)
		}
	}
	got, err := l.Orders(t.Context(), id("a"))
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func unnamed(t *testing.T, l Ledger) {
	for _, o := range []guard.Order{
		{Kind: guard.Muting}, {Kind: guard.Unmuting}, {Kind: guard.Acknowledging},
		{Kind: guard.Approval, Finding: guard.CapacityLow}, {Kind: guard.Denial, Finding: guard.CapacityLow}, {Kind: guard.Halting, Finding: guard.CapacityLow},
	} {
		o.By, o.Because, o.At = "ann", "b", noon
		if err := l.Order(t.Context(), id("a"), o); err == nil {
			t.Errorf("%s of finding %q was taken", o.Kind, o.Finding)
		}
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
