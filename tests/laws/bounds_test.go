package laws_test

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/cniguard/cniguard/internal/app"
	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/world"
)

// What one cluster may cost at most, whatever happens to it: about twice what the worst of thousands of worlds did. A check every
// five minutes, as of something that is due for ever, is 72 in six hours and 288 in a day.
const (
	mostMessages = 25        // that people get in an hour
	mostChecks   = 120       // in a day
	mostIdle     = 55        // checks in six hours that found all as it was
	mostBytes    = 100 << 10 // of its record: a quarter of what DynamoDB takes (DynamoDB developer guide, "Quotas")
)

// bounds holds what a cluster may cost: people's attention, calls of AWS, and room in the ledger.
func bounds(s *stage) law {
	const name = "Bounds"
	messages, checks, idle := map[cluster.ID][]time.Time{}, map[cluster.ID][]time.Time{}, map[cluster.ID][]time.Time{}
	told, last := map[string]bool{}, map[cluster.ID]guard.Verdict{}
	copies := time.Minute + s.spec.Behaviour.EventsDelayedMax // how close together checks are that come of one event and its doubles
	bound := func(id cluster.ID, what string, n, most int) {
		if s.peak[what] = max(s.peak[what], n); n > most {
			s.breaks(name, id, "%d %s; at most %d are allowed", n, what, most)
		}
	}
	return law{
		name: name,
		planned: func(id cluster.ID, p guard.Plan) {
			now, was := s.run.Now(), last[id]
			last[id] = p.Verdict
			if seen := checks[id]; s.isCrippled() || len(seen) > 0 && now.Sub(seen[len(seen)-1]) < copies {
				return
			}
			bound(id, "checks of a cluster in 24 hours", within(checks, id, now, 24*time.Hour), mostChecks)
			if was == p.Verdict && len(p.Actions) == 0 && p.Verdict.Change.Word != guard.InFlight {
				bound(id, "idle checks of a cluster in 6 hours", within(idle, id, now, 6*time.Hour), mostIdle)
			}
		},
		told: func(l *letter) {
			if !told[l.Key] { // what comes again is law 7's affair
				told[l.Key] = true
				bound(l.id(), "messages about a cluster in an hour", within(messages, l.id(), l.taken, time.Hour), mostMessages)
			}
		},
		saved: func(k check.Kept) {
			record, err := json.Marshal(k.Record)
			if err != nil {
				s.breaks(name, k.Cluster, "the record cannot be written: %v", err)
			}
			bound(k.Cluster, "bytes of a record", len(record), mostBytes)
		},
	}
}

// within notes that something of a cluster happens now, and counts how often it did in a span until then.
func within(times map[cluster.ID][]time.Time, id cluster.ID, now time.Time, span time.Duration) int {
	all := append(times[id], now)
	for now.Sub(all[0]) >= span {
		all = all[1:]
	}
	times[id] = all
	return len(all)
}

// isCrippled reports whether one of the functions lacks a grant of its own, so that nothing goes as it should.
func (s *stage) isCrippled() bool {
	return slices.ContainsFunc(s.spec.Grants, func(g world.Grant) bool { return !isMembers(g.Role) })
}

// weighed is a ledger that shows what it saves.
type weighed struct {
	app.Ledger
	saw func(check.Kept)
}

func (w weighed) Save(ctx context.Context, k check.Kept) (check.Kept, error) {
	saved, err := w.Ledger.Save(ctx, k)
	if err == nil {
		w.saw(saved)
	}
	return saved, err
}

func (s *stage) weigh(k check.Kept) {
	for _, l := range s.laws {
		if l.saved != nil {
			l.saved(k)
		}
	}
}
