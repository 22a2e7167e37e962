package simulate

import (
	"fmt"
	"slices"

	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/world"
)

// Foretell says what an event asks for, and where its way ends when it does not lead to that work. It delivers nothing.
func (r *Run) Foretell(raw []byte) (asks, ends string) {
	if _, err := route(raw); err != nil {
		return "nothing", err.Error()
	}
	t, err := event.Decode(raw)
	switch {
	case err != nil:
		return "nothing", "it cannot be understood, and goes to the failure queue after three tries: " + err.Error()
	case t.Kind == event.Skip:
		return "nothing", t.Why
	}
	return asked(t), r.declined(t)
}

func asked(t event.Trigger) string {
	switch t.Kind {
	case event.Check:
		return fmt.Sprintf("a check of %s (%s)", t.Cluster, t.Why)
	case event.Metering, event.Sweeping:
		return fmt.Sprintf("the %s of account %s in %s", t.Kind, t.Unit.Account, t.Unit.Region)
	}
	return "the fleet's " + string(t.Kind)
}

// declined is why nothing comes of what an event asks for; empty: it is done.
func (r *Run) declined(t event.Trigger) string {
	unit := t.Unit
	if t.Kind == event.Check {
		unit = event.Unit{Account: t.Cluster.Account, Region: t.Cluster.Region}
	}
	there := slices.ContainsFunc(r.World.Spec().Clusters, func(c world.Cluster) bool { return idOf(c) == t.Cluster })
	switch {
	case !t.Permitted(r.hub().Account):
		return fmt.Sprintf("account %s may not ask for this; the hub, %s, may", t.From.Account, r.hub().Account)
	case unit != event.Unit{} && !r.Policy.Contains(unit.Account, unit.Region):
		return fmt.Sprintf("account %s in %s is not in the policy's fleet", unit.Account, unit.Region)
	case t.Kind == event.Check && !there:
		return "the world has no such cluster, so the check will find none"
	}
	return ""
}
