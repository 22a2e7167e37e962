package check

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/telemetry"
)

// conclude saves what the check came to, then tells what is in the outbox. When another check saved in between, the same
// outcomes are folded into its record; nothing is done twice. What was decided on the older record is decided anew then: the
// other may have ended the step that the plan waits for.
func (e Engine) conclude(ctx context.Context, kept Kept, in guard.Input, p guard.Plan, done []guard.Outcome) (again bool, err error) {
	more := false // to do, as was found when it was decided anew
	for range folds {
		in.Record = kept.Record
		rec := guard.Conclude(in, p, done)
		theirs := e.theirs(rec)
		tell := len(rec.Outbox) > 0 && !theirs
		switch {
		case theirs: // they will find our messages when they save
		case tell:
			rec.Busy = e.busy(ctx)
		default:
			again, rec.Again, rec.Busy = rec.Again, false, guard.Busy{}
		}
		saved, err := e.save(ctx, Kept{Cluster: kept.Cluster, Record: rec, Version: kept.Version})
		switch {
		case err == nil && tell:
			again, err = e.tell(ctx, saved)
			return again || more, err
		case err == nil:
			return again || more, nil
		case !errors.Is(err, ErrConflict):
			return false, err
		}
		e.Counts.Add(telemetry.Conflicts, 1)
		if kept, err = e.reload(ctx, kept.Cluster); err != nil {
			return false, err
		}
		if kept.Record.Busy.By == e.By {
			continue // nobody else decides while we hold the record
		}
		if len(done) == 0 && (in.ID.Name == "" || !kept.Record.Seen.Before(in.Seen.At)) {
			return false, nil // the other looked later, and saw all that this check did; or it lists the same unit
		}
		in.Record = kept.Record
		p = e.decide(in)
		more = len(p.Actions) > len(done) || wantsUpdate(p)
	}
	return false, fmt.Errorf("conclude: %d others saved in between", folds)
}

// theirs reports whether another check is acting or telling.
func (e Engine) theirs(rec guard.Record) bool {
	return rec.Busy.By != e.By && rec.Busy.Until.After(e.Clock.Now())
}

// tell publishes the outbox, and then saves what is left of it. What could not be published stays for the next tick.
func (e Engine) tell(ctx context.Context, kept Kept) (again bool, err error) {
	tried := map[string]error{}
	for range folds {
		rec := kept.Record
		theirs := e.theirs(rec) // this took longer than it might, and somebody took over: what is left is theirs to tell
		if !theirs {
			e.publish(ctx, kept, tried)
		}
		rec.Outbox = untold(rec.Outbox, tried)
		if again = rec.Again && !theirs; !theirs {
			rec.Again, rec.Busy = false, guard.Busy{}
		}
		if retry := e.Clock.Now().Add(retell(rec.Outbox)); len(rec.Outbox) > 0 && (rec.Due.IsZero() || retry.Before(rec.Due)) {
			rec.Due = retry
		}
		_, err = e.save(ctx, Kept{Cluster: kept.Cluster, Record: rec, Version: kept.Version})
		if !errors.Is(err, ErrConflict) {
			return again, err
		}
		e.Counts.Add(telemetry.Conflicts, 1)
		if kept, err = e.reload(ctx, kept.Cluster); err != nil {
			return false, err
		}
	}
	return false, fmt.Errorf("tell: %d others saved in between", folds)
}

// publish tries each message of the outbox that was not tried before, while there is time. A message waits for the earlier ones
// of its matter: an opening that came after the recovery would stand for ever.
func (e Engine) publish(ctx context.Context, kept Kept, tried map[string]error) {
	waits := map[string]bool{} // matters of which a message could not be told
	for _, m := range kept.Record.Outbox {
		before, done := tried[m.Key]
		if done || waits[m.Thread] {
			waits[m.Thread] = waits[m.Thread] || before != nil
			continue
		}
		if deadline, ok := ctx.Deadline(); ok && deadline.Sub(e.Clock.Now()) < tellTakes {
			e.Log.WarnContext(ctx, "no time left to publish", telemetry.Cluster(kept.Cluster), "key", m.Key)
			return
		}
		err := e.Teller.Tell(ctx, m)
		tried[m.Key] = err
		if err == nil {
			e.Counts.Add(telemetry.Told, 1)
			continue
		}
		waits[m.Thread] = true
		e.Counts.Add(telemetry.TellFailed, 1)
		e.Log.ErrorContext(ctx, "message not published", telemetry.Cluster(kept.Cluster), "key", m.Key, "error", err.Error())
	}
}

const (
	tellTakes = 2 * time.Second // a publish with less time left may be cut, and told twice
	saveTakes = 2 * time.Second // of what app keeps free at the end of an invocation
	retryTell = 4 * time.Minute // so that the next tick finds it
)

// retell is how long to wait before an outbox is tried again: longer with each failed try, an hour in the end.
func retell(outbox []guard.Message) time.Duration {
	tries := 0
	for _, m := range outbox {
		tries = max(tries, m.Tries)
	}
	return min(retryTell<<min(max(tries-1, 0), 8), time.Hour)
}

// save stores what was done or told also when the time for work is over: app keeps some free for it. Else a message that was
// published would be told again.
func (e Engine) save(ctx context.Context, k Kept) (Kept, error) {
	ctx, cancel := e.Clock.WithTimeout(context.WithoutCancel(ctx), saveTakes)
	defer cancel()
	return e.Ledger.Save(ctx, k)
}

func (e Engine) reload(ctx context.Context, id cluster.ID) (Kept, error) {
	ctx, cancel := e.Clock.WithTimeout(context.WithoutCancel(ctx), saveTakes)
	defer cancel()
	return e.Ledger.Load(ctx, id)
}

// untold is what is left of an outbox, with the failed tries counted.
func untold(outbox []guard.Message, tried map[string]error) []guard.Message {
	var left []guard.Message
	for _, m := range outbox {
		if err, done := tried[m.Key]; done && err == nil {
			continue
		} else if done {
			m.Tries++
		}
		left = append(left, m)
	}
	return left
}
