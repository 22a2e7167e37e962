package ledgertest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
)

func due(t *testing.T, l Ledger) {
	for name, at := range map[string]time.Time{"late": noon.Add(-time.Hour), "later": noon.Add(-time.Minute), "now": noon, "soon": noon.Add(time.Second), "never": {}} {
		save(t, l, check.Kept{Cluster: id(name), Record: guard.Record{Due: at}})
	}
	expectDue(t, l, noon, "late", "later", "now")
	k := load(t, l, "late")
	k.Record.Due = time.Time{}
	save(t, l, k)
	expectDue(t, l, noon, "later", "now")
}

func nanoseconds(t *testing.T, l Ledger) {
	for name, d := range map[string]time.Duration{"c": 100 * time.Millisecond, "b": 90 * time.Millisecond, "a": 0, "late": 100*time.Millisecond + 1} {
		save(t, l, check.Kept{Cluster: id(name), Record: guard.Record{Due: noon.Add(d).In(time.FixedZone("", 7200))}})
	}
	expectDue(t, l, noon.Add(100*time.Millisecond), "a", "b", "c")
}

func busyDue(t *testing.T, l Ledger) {
	save(t, l, check.Kept{Cluster: id("a"), Record: guard.Record{Due: noon, Busy: guard.Busy{By: "x", Until: noon.Add(time.Minute)}}})
	expectDue(t, l, noon)
	expectDue(t, l, noon.Add(time.Minute), "a")
}

func units(t *testing.T, l Ledger) {
	for _, n := range []string{"c", "a", "b"} {
		save(t, l, check.Kept{Cluster: id(n), Record: guard.Record{Version: n}})
	}
	save(t, l, check.Kept{Cluster: cluster.ID{Account: unit.Account, Region: "us-east-1", Name: "d"}})
	save(t, l, check.Kept{Cluster: cluster.ID{Account: "444455556666", Region: unit.Region, Name: "e"}})
	kept, err := l.In(t.Context(), unit)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, k := range kept {
		names = append(names, k.Cluster.Name+"="+k.Record.Version)
	}
	if diff := cmp.Diff([]string{"a=a", "b=b", "c=c"}, names); diff != "" {
		t.Error(diff)
	}
}

func unitsOwn(t *testing.T, l Ledger) {
	for _, n := range []string{"a", "", "0"} {
		save(t, l, check.Kept{Cluster: id(n), Record: guard.Record{Version: "of " + n, Due: noon}})
	}
	if got := load(t, l, "").Record.Version; got != "of " {
		t.Errorf("the unit's record is %q", got)
	}
	kept, err := l.In(t.Context(), unit)
	if diff := cmp.Diff([]string{"", "0", "a"}, names(kept)); diff != "" || err != nil {
		t.Error(err, diff)
	}
	expectDue(t, l, noon, "", "0", "a")
}

func all(t *testing.T, l Ledger) {
	for _, id := range []cluster.ID{
		{Account: "2", Region: "a", Name: "x"}, {Account: "1", Region: "b", Name: "x"}, {Account: "1", Region: "a", Name: "z"}, {Account: "1", Region: "a", Name: "y"},
	} {
		save(t, l, check.Kept{Cluster: id, Record: guard.Record{Version: id.Name}})
	}
	order(t, l, guard.Order{Kind: guard.Halting, By: "ann", Because: "b", At: noon})
	order(t, l, guard.Order{Kind: guard.Denial, By: "ann", Because: "b", At: noon, Until: noon.Add(time.Hour)})
	kept, err := l.All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, k := range kept {
		got = append(got, k.Cluster.String()+" "+k.Record.Version)
	}
	if diff := cmp.Diff([]string{"1/a/y y", "1/a/z z", "1/b/x x", "2/a/x x"}, got); diff != "" {
		t.Error(diff)
	}
}

func many(t *testing.T, l Ledger) {
	var want []string
	for i := range 230 {
		name := fmt.Sprintf("c%03d", i)
		want = append(want, name)
		save(t, l, check.Kept{Cluster: id(name), Record: guard.Record{Due: noon.Add(time.Duration(i) * time.Second)}})
	}
	expectDue(t, l, noon.Add(time.Hour), want...)
	for _, list := range []func() ([]check.Kept, error){
		func() ([]check.Kept, error) { return l.In(t.Context(), unit) },
		func() ([]check.Kept, error) { return l.All(t.Context()) },
	} {
		kept, err := list()
		if diff := cmp.Diff(want, names(kept)); diff != "" || err != nil {
			t.Error(err, diff)
		}
	}
}

func names(kept []check.Kept) []string {
	var names []string
	for _, k := range kept {
		names = append(names, k.Cluster.Name)
	}
	return names
}

func expectDue(t *testing.T, l Ledger, now time.Time, want ...string) {
	t.Helper()
	ids, err := l.Due(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, id := range ids {
		names = append(names, id.Name)
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("due, -want +got:\n%s", diff)
	}
}
