package hub

import (
	"context"
	"fmt"
	"time"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
)

// Remnant is what a teardown has not reached.
type Remnant struct {
	Cluster cluster.ID // without a name: an account and region whose clusters could not be listed
	Why     string     // texts of others may be in it
}

// Remnants are what a teardown that was ordered at an instant has not reached: each cluster whose alarm stands or may stand, and each
// account and region whose clusters could not be listed. An alarm counts as gone only where a look after the order says so, or the last
// look was two sweeps before it.
func Remnants(kept []check.Kept, ordered time.Time) []Remnant {
	var left []Remnant
	for _, k := range kept {
		if why := remains(k, ordered); why != "" {
			left = append(left, Remnant{k.Cluster, why})
		}
	}
	return left
}

func remains(k check.Kept, ordered time.Time) string {
	rec := k.Record
	switch {
	case k.Cluster.Name == "" && rec.Verdict.Word == guard.Unknown:
		return rec.Verdict.Install.Because
	case k.Cluster.Name == "", rec.Gone && rec.Alarm != guard.AlarmStands:
		return ""
	case rec.Alarm == guard.NoAlarm && rec.Busy.Until.IsZero() && ordered.Sub(rec.Seen) > event.Late:
		return "" // no sweep comes to it, as where it left the fleet, and so nobody put its alarm again
	case !rec.Seen.After(ordered):
		return fmt.Sprintf("it was not looked at since the order, last at %s; is it still in the policy's fleet?", rec.Seen.UTC().Format(instant))
	case rec.Alarm == guard.NoAlarm:
		return ""
	case rec.Told[guard.AlarmFailed].Print != "":
		return "its alarm could not be removed: " + rec.Told[guard.AlarmFailed].Print
	case rec.Alarm == guard.AlarmStands:
		return "its alarm stands"
	}
	for _, h := range rec.Held {
		if h.Action.Kind == guard.DropAlarm {
			return h.By[0].Text
		}
	}
	return "it is not known whether its alarm stands"
}

// poll is how often a teardown looks at the records.
const poll = 10 * time.Second

// Await looks at the records until nothing remains of a teardown that was ordered at an instant, the time is over or ctx ends. Tell gets
// how much remains, whenever that changes. The error is that the records could not be read even once.
func (h Hub) Await(ctx context.Context, ordered time.Time, wait time.Duration, tell func(left int)) ([]Remnant, error) {
	var left []Remnant
	known := false
	for end := h.Clock.Now().Add(wait); ; {
		kept, err := h.Ledger.All(ctx)
		switch {
		case err != nil && !known:
			return nil, err
		case err == nil:
			now := Remnants(kept, ordered)
			if !known || len(now) != len(left) {
				tell(len(now))
			}
			left, known = now, true
		}
		if known && len(left) == 0 || !h.Clock.Now().Before(end) || h.Clock.Sleep(ctx, poll) != nil {
			return left, nil
		}
	}
}
