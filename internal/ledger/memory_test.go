package ledger_test

import (
	"slices"
	"testing"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/ledger"
	"github.com/cniguard/cniguard/internal/ledger/ledgertest"
)

func TestMemory(t *testing.T) {
	ledgertest.Run(t, func(*testing.T) ledgertest.Ledger { return ledger.NewMemory() })
}

func TestAllListsEveryRecordInOrder(t *testing.T) {
	m := ledger.NewMemory()
	for _, id := range []cluster.ID{{Account: "2", Region: "a", Name: "x"}, {Account: "1", Region: "b", Name: "x"}, {Account: "1", Region: "a", Name: "z"}, {Account: "1", Region: "a", Name: "y"}} {
		if _, err := m.Save(t.Context(), check.Kept{Cluster: id}); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, k := range m.All() {
		got = append(got, k.Cluster.String())
	}
	if want := []string{"1/a/y", "1/a/z", "1/b/x", "2/a/x"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
