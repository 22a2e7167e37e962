package ledger_test

import (
	"testing"

	"github.com/cniguard/cniguard/internal/ledger"
	"github.com/cniguard/cniguard/internal/ledger/ledgertest"
)

func TestMemory(t *testing.T) {
	ledgertest.Run(t, func(*testing.T) ledgertest.Ledger { return ledger.NewMemory() })
}
