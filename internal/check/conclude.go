package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
		tell := slices.ContainsFunc(rec.Outbox, func(m guard.Message) bool { return e.owed(m) || !e.lacking(m) }) && !theirs
		switch {
		case theirs: // they will find our messages when they save
		case tell:
			rec.Busy = e.busy(ctx)
		default:
			again, rec.Again, rec.Busy = rec.Again, false, guard.Busy{}
		}
		saved, err := e.save(ctx, Kept{Cluster: kept.Cluster, Record: rec, Version: kept.Version})
		if err == nil {
			e.follow(ctx, in, rec)
		}
		switch {
		case err == nil && tell:
			again, err = e.tell(ctx, saved)
			return again || more, err
		case err == nil:
			return again || more, nil
		case !errors.Is(err, ErrConflict):
			return false, e.cry(ctx, in, err)
		}
		e.Counts.Add(telemetry.Conflicts, 1)
		if kept, err = e.reload(ctx, kept.Cluster); err != nil {
			return false, err
		}
		if kept.Record.Busy.By == e.By {
			continue // nobody else decides while we hold the record
		}
		if len(done) == 0 && !in.Heard && (in.ID.Name == "" || !kept.Record.Seen.Before(in.Seen.At)) {
			return false, nil // the other looked later, and saw all that this check did; or it lists the same unit
		}
		in.Record = kept.Record
		p = e.decide(in)
		more = len(p.Actions) > len(done) || wantsUpdate(p) || in.WantsOpen() || in.WantsLastChange()
	}
	return false, fmt.Errorf("conclude: %d others saved in between", folds)
}

// theirs reports whether another check is acting or telling.
func (e Engine) theirs(rec guard.Record) bool {
	return rec.Busy.By != e.By && rec.Busy.Until.After(e.Clock.Now())
}

// tell publishes the outbox, and then saves what is left of it. What could not be published stays for the next tick.
func (e Engine) tell(ctx context.Context, kept Kept) (again bool, err error) {
	tries := e.untried()
	for range folds {
		rec := kept.Record
		theirs := e.theirs(rec) // this took longer than it might, and somebody took over: what is left is theirs to tell
		if !theirs {
			e.publish(ctx, kept, tries)
		}
		rec.Outbox = e.untold(rec.Outbox, tries)
		if again = rec.Again && !theirs; !theirs {
			rec.Again, rec.Busy = false, guard.Busy{}
		}
		if retry := e.Clock.Now().Add(e.retell(rec.Outbox)); slices.ContainsFunc(rec.Outbox, e.owed) && (rec.Due.IsZero() || retry.Before(rec.Due)) {
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

// tried is what became of the messages that this invocation tried to publish to one topic, by key.
type tried map[string]error

// lacks reports whether a topic is to be told a message by a check. What can wait comes to people with a digest.
func (t Topic) lacks(m guard.Message) bool {
	return (t.Programs || m.Lane != guard.InDigest) && !slices.Contains(m.Got, t.Name)
}

// owed reports whether some topic is to be told a message by a check.
func (e Engine) owed(m guard.Message) bool {
	return slices.ContainsFunc(e.Topics, func(t Topic) bool { return t.lacks(m) })
}

func (e Engine) untried() []tried {
	tries := make([]tried, len(e.Topics))
	for i := range tries {
		tries[i] = tried{}
	}
	return tries
}

// publish tries the topics side by side, so that one that hangs holds back no other.
func (e Engine) publish(ctx context.Context, kept Kept, tries []tried) {
	if len(e.Topics) == 1 {
		e.publishTo(ctx, e.Topics[0], kept, tries[0])
		return
	}
	each := make([]func(context.Context) error, len(e.Topics))
	for i, t := range e.Topics {
		each[i] = func(ctx context.Context) error {
			e.publishTo(ctx, t, kept, tries[i])
			return nil
		}
	}
	_ = e.Clock.Parallel(ctx, each...) // what failed is in tries
}

// publishTo tries each message of the outbox that the topic does not have and that was not tried before, while there is time. A
// message waits for the earlier ones of its matter: an opening that came after the recovery would stand for ever.
func (e Engine) publishTo(ctx context.Context, t Topic, kept Kept, tries tried) {
	waits := map[string]bool{} // matters of which a message could not be told
	for _, m := range kept.Record.Outbox {
		before, done := tries[m.Key]
		if done || waits[m.Thread] || !t.lacks(m) {
			waits[m.Thread] = waits[m.Thread] || before != nil
			continue
		}
		if e.inTime(ctx) != nil {
			e.Log.WarnContext(ctx, "no time left to publish", telemetry.Cluster(kept.Cluster), "topic", t.Name, "key", m.Key)
			return
		}
		err := t.Tell(ctx, m)
		tries[m.Key] = err
		if err == nil {
			e.Counts.Add(telemetry.Told, 1)
			continue
		}
		waits[m.Thread] = true
		e.Counts.Add(telemetry.TellFailed, 1)
		e.Log.ErrorContext(ctx, "message not published", telemetry.Cluster(kept.Cluster), "topic", t.Name, "key", m.Key, "error", err.Error())
	}
}

// inTime is an error where a publish might be cut off, and told twice.
func (e Engine) inTime(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && deadline.Sub(e.Clock.Now()) < tellTakes {
		return errors.New("no time left to publish")
	}
	return nil
}

const (
	tellTakes = 2 * time.Second // a publish with less time left may be cut, and told twice
	saveTakes = 2 * time.Second // of what app keeps free at the end of an invocation
	retryTell = 4 * time.Minute // so that the next tick finds it
)

// retell is how long to wait before an outbox is tried again: longer with each failed try of the message that was tried least, an
// hour in the end. So a topic that is gone for good does not slow down the others. What only waits for an earlier message of its
// matter, on each topic that lacks it, has no say.
func (e Engine) retell(outbox []guard.Message) time.Duration {
	wait, waits := time.Hour, map[[2]string]bool{} // by topic and matter
	for _, m := range outbox {
		next := false
		for _, t := range e.Topics {
			if place := [2]string{t.Name, m.Thread}; t.lacks(m) {
				next, waits[place] = next || !waits[place], true
			}
		}
		if next {
			wait = min(wait, retryAfterTries(m.Tries))
		}
	}
	return wait
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

// untold is what is left of an outbox: the messages that not every topic has, with those that have them and the failed tries.
func (e Engine) untold(outbox []guard.Message, tries []tried) []guard.Message {
	var left []guard.Message
	for _, m := range outbox {
		missing, failed := false, false
		for i, t := range e.Topics {
			err, done := tries[i][m.Key]
			switch {
			case slices.Contains(m.Got, t.Name):
			case done && err == nil:
				m.Got = append(slices.Clone(m.Got), t.Name)
			default:
				missing, failed = true, failed || done
			}
		}
		if failed {
			m.Tries++
		}
		if missing {
			left = append(left, m)
		}
	}
	return left
}
