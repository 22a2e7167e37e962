package ledger

import (
	"fmt"
	"strings"

	"github.com/cniguard/cniguard/internal/guard"
)

// isToFleet reports whether an order is to the whole fleet; else it is about one cluster. The error is that there is no such order.
func isToFleet(k guard.OrderKind) (bool, error) {
	switch k {
	case guard.Halting, guard.TearingDown, guard.Resuming:
		return true, nil
	case guard.Approval, guard.Denial:
		return false, nil
	}
	return false, fmt.Errorf("kind %q is not one of approve, deny, halt, teardown, resume", k)
}

// standing is the fleet's state after the newest order to all of it; the zero Order: there was none.
func standing(o guard.Order) guard.Fleet {
	if o.Kind == "" || o.Kind == guard.Resuming {
		return guard.Fleet{}
	}
	return guard.Fleet{Halt: &o}
}

// oldestFirst orders the orders of several people.
func oldestFirst(a, b guard.Order) int {
	if c := a.At.Compare(b.At); c != 0 {
		return c
	}
	return strings.Compare(a.By, b.By)
}
