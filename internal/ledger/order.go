package ledger

import (
	"cmp"
	"fmt"

	"github.com/cniguard/cniguard/internal/guard"
)

// isToFleet reports whether an order is to the whole fleet; else it is about one cluster. The error is that there is no such order.
func isToFleet(k guard.OrderKind) (bool, error) {
	switch k {
	case guard.Halting, guard.TearingDown, guard.Resuming:
		return true, nil
	case guard.Approval, guard.Denial, guard.Muting, guard.Unmuting, guard.Acknowledging:
		return false, nil
	}
	return false, fmt.Errorf("kind %q is not one of approve, deny, mute, unmute, ack, halt, teardown, resume", k)
}

// named checks that an order names the finding that it is about, and none where it is about none.
func named(o guard.Order) error {
	switch {
	case o.Kind.OnFinding() && o.Finding == "":
		return fmt.Errorf("it is of kind %s and names no finding", o.Kind)
	case !o.Kind.OnFinding() && o.Finding != "":
		return fmt.Errorf("it is of kind %s and names a finding", o.Kind)
	}
	return nil
}

// standing is the fleet's state after the newest order to all of it; the zero Order: there was none.
func standing(o guard.Order) guard.Fleet {
	if o.Kind == "" || o.Kind == guard.Resuming {
		return guard.Fleet{Resumed: o.At}
	}
	return guard.Fleet{Halt: &o}
}

// oldestFirst orders the orders of several people. Of one person there may be several at a time: about the updates, and about findings.
func oldestFirst(a, b guard.Order) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.By, b.By), cmp.Compare(a.Finding, b.Finding))
}
