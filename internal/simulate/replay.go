package simulate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/cluster"
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
	case event.Checks:
		ids := make([]string, len(t.Clusters))
		for i, id := range t.Clusters {
			ids[i] = id.String()
		}
		return fmt.Sprintf("a check of each of %s (%s)", strings.Join(ids, ", "), t.Why)
	case event.Metering, event.Sweeping:
		return fmt.Sprintf("the %s of account %s in %s", t.Kind, t.Unit.Account, t.Unit.Region)
	case event.Probe:
		return "a note that it arrived"
	}
	return "the fleet's " + string(t.Kind)
}

// declined is why nothing comes of what an event asks for, or of a part of it; empty: all is done.
func (r *Run) declined(t event.Trigger) string {
	if !t.Permitted(r.hub().Account) {
		return fmt.Sprintf("account %s may not ask for this; the hub, %s, may", t.From.Account, r.hub().Account)
	}
	switch t.Kind {
	case event.Check:
		return r.uncheckable(t.Cluster)
	case event.Checks:
		var parts []string
		for _, id := range t.Clusters {
			if why := r.uncheckable(id); why != "" {
				parts = append(parts, fmt.Sprintf("%s: %s", id.Name, why))
			}
		}
		return strings.Join(parts, "; ")
	case event.Metering, event.Sweeping:
		return r.outside(t.Unit)
	}
	return ""
}

// uncheckable is why nothing comes of a check of a cluster; empty: it is done. A world's Spec has each copy of a cluster by itself.
func (r *Run) uncheckable(id cluster.ID) string {
	if why := r.unseen(id); why != "" {
		return why
	}
	if !slices.ContainsFunc(r.World.Spec().Clusters, func(c world.Cluster) bool { return idOf(c) == id }) {
		return "the world has no such cluster, so the check will find none"
	}
	return ""
}

func (r *Run) outside(u event.Unit) string {
	if r.Policy.Contains(u.Account, u.Region) {
		return ""
	}
	return fmt.Sprintf("account %s in %s is not in the policy's fleet", u.Account, u.Region)
}
