package check

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/policy"
	"github.com/cniguard/cniguard/internal/telemetry"
)

// KeptDigest is a digest as the ledger holds it. From its first save on it is told whatever becomes of the records that it was made of.
type KeptDigest struct {
	Digest  guard.Digest `json:"digest"`
	Of      []string     `json:"of,omitempty"`  // the messages that it took over, by key
	Got     []string     `json:"got,omitempty"` // the topics that took it, by name
	Tries   int          `json:"tries,omitempty"`
	Busy    guard.Busy   `json:"busy,omitzero"`
	Due     time.Time    `json:"due,omitzero"` // tell it then; zero: every topic has it, or it is too old
	Version int64        `json:"-"`            // 0: there is none yet
}

const (
	readSideBySide = 8                  // units, or records that a digest takes messages from
	digestTries    = 7 * 24 * time.Hour // then a topic that does not take it is given up
	waitForAll     = time.Hour          // for accounts and regions whose records cannot be read
)

// digests asks for the digests that are due, and for those to be told that some topic has not taken. When the first ones are made up, nobody
// waits for those of the time before.
func (e Engine) digests(ctx context.Context) ([]event.Trigger, error) {
	now := e.Clock.Now()
	var ts []event.Trigger
	for _, h := range e.Policy.DigestHours() {
		last := h.Last(now)
		done, err := e.Ledger.Digested(ctx, h.String())
		switch {
		case err != nil:
			return ts, err
		case done.IsZero():
			if err := e.Ledger.SetDigested(ctx, h.String(), last); err != nil {
				return ts, err
			}
		case done.Before(last) && !slices.ContainsFunc(ts, func(t event.Trigger) bool { return t.At.Equal(last) }):
			ts = append(ts, event.Trigger{Kind: event.Digest, At: last})
		}
	}
	waiting, err := e.Ledger.DueDigests(ctx, now.Add(2*time.Hour)) // all of them: the longest wait is an hour
	for _, k := range waiting {
		if now.Sub(k.Digest.At) > guard.MayWait {
			e.Counts.Add(telemetry.Waiting, 1)
		}
		if !k.Due.After(now) {
			ts = append(ts, event.Trigger{Kind: event.Digest, At: k.Digest.At, Owner: k.Digest.Owner})
		}
	}
	return ts, err
}

// Digests makes and tells the digests of all owners whose hour came last at that instant. It may be asked for again and again: what is made is
// not made anew, and what was told is not told again. An instant that is not the last one of anybody's hours asks for nothing.
func (e Engine) Digests(ctx context.Context, at time.Time) error {
	now := e.Clock.Now()
	hours := slices.DeleteFunc(e.Policy.DigestHours(), func(h policy.Hours) bool { return !h.Last(now).Equal(at) })
	if len(hours) == 0 {
		return nil
	}
	members, err := e.members(ctx)
	if err != nil && now.Sub(at) < waitForAll {
		return fmt.Errorf("digests of %s: %w", at.Format(time.RFC3339), err)
	}
	if err != nil { // what cannot be read keeps nobody else from theirs
		e.Log.ErrorContext(ctx, "digests without some accounts and regions", "at", at, "error", err.Error())
	}
	var errs []error
	for _, owner := range slices.Sorted(maps.Keys(members)) {
		if e.Policy.DigestHoursOf(owner).Last(now).Equal(at) {
			if err := e.digest(ctx, owner, at, members[owner]); err != nil {
				errs = append(errs, fmt.Errorf("digest of %s for %q: %w", at.Format(time.RFC3339), owner, err))
			}
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	for _, h := range hours {
		errs = append(errs, e.Ledger.SetDigested(ctx, h.String(), at))
	}
	return errors.Join(errs...)
}

// TellDigest tells a digest that was made to the topics that lack it.
func (e Engine) TellDigest(ctx context.Context, owner string, at time.Time) error {
	k, err := e.Ledger.Digest(ctx, owner, at)
	if err == nil && k.Version > 0 {
		err = e.tellDigest(ctx, k)
	}
	if err != nil {
		return fmt.Errorf("tell the digest of %s for %q: %w", at.Format(time.RFC3339), owner, err)
	}
	return nil
}

// members are the records of the fleet that can be read, by who answers for them. The error is of those that cannot.
func (e Engine) members(ctx context.Context) (map[string][]guard.Member, error) {
	units := e.Policy.Units()
	kept := make([][]Kept, len(units))
	reads := make([]func(context.Context) error, len(units))
	for i, u := range units {
		reads[i] = func(ctx context.Context) (err error) { kept[i], err = e.Ledger.In(ctx, u); return err }
	}
	err := e.Clock.Parallel(ctx, clock.Limit(readSideBySide, reads)...)
	of := map[string][]guard.Member{}
	for _, k := range slices.Concat(kept...) {
		m := guard.Member{Cluster: k.Cluster, Record: k.Record}
		of[m.Answers()] = append(of[m.Answers()], m)
	}
	return of, err
}

// digest makes an owner's digest where there is something to tell, has it take over the messages that it tells, and tells it. Once it is saved
// it stands for these messages: whoever goes on after a death does so from what was saved.
func (e Engine) digest(ctx context.Context, owner string, at time.Time, members []guard.Member) error {
	k, err := e.Ledger.Digest(ctx, owner, at)
	if err != nil {
		return err
	}
	if k.Version == 0 {
		d, of, any := guard.Summarize(owner, at, e.Clock.Now(), members, event.Late)
		if !any {
			return nil
		}
		k = KeptDigest{Digest: d, Of: of, Busy: e.busy(ctx)}
		k.Due = k.Busy.Until
		if k, err = e.Ledger.SaveDigest(ctx, k); errors.Is(err, ErrConflict) {
			k, err = e.Ledger.Digest(ctx, owner, at) // somebody else made it
		}
		if err != nil {
			return err
		}
	}
	if err := e.take(ctx, k, members); err != nil {
		return err
	}
	return e.tellDigest(ctx, k)
}

// take notes in the members' records that people are told of the messages which a digest took over.
func (e Engine) take(ctx context.Context, k KeptDigest, members []guard.Member) error {
	taken := make(map[string]bool, len(k.Of))
	for _, key := range k.Of {
		taken[key] = true
	}
	var saves []func(context.Context) error
	for _, m := range members {
		if slices.ContainsFunc(m.Record.Outbox, func(w guard.Message) bool { return taken[w.Key] }) {
			saves = append(saves, func(ctx context.Context) error { return e.takeFrom(ctx, m.Cluster, taken) })
		}
	}
	if len(saves) == 0 {
		return nil
	}
	return e.Clock.Parallel(ctx, clock.Limit(readSideBySide, saves)...)
}

func (e Engine) takeFrom(ctx context.Context, id cluster.ID, taken map[string]bool) error {
	for range folds {
		kept, err := e.Ledger.Load(ctx, id)
		if err != nil {
			return err
		}
		var left []guard.Message
		for _, m := range kept.Record.Outbox {
			if taken[m.Key] {
				m.Got, m.Digested = e.people(m.Got), true
			}
			if e.lacking(m) {
				left = append(left, m)
			}
		}
		kept.Record.Outbox = left
		if _, err = e.Ledger.Save(ctx, kept); !errors.Is(err, ErrConflict) {
			return err
		}
		e.Counts.Add(telemetry.Conflicts, 1)
	}
	return fmt.Errorf("take messages of %s: %d others saved in between", id, folds)
}

// people are the topics that have a message once all those have it that are told in digests.
func (e Engine) people(got []string) []string {
	got = slices.Clone(got)
	for _, t := range e.Topics {
		if !t.Programs && !slices.Contains(got, t.Name) {
			got = append(got, t.Name)
		}
	}
	return got
}

// lacking reports whether some topic lacks a message.
func (e Engine) lacking(m guard.Message) bool {
	return slices.ContainsFunc(e.Topics, func(t Topic) bool { return !slices.Contains(m.Got, t.Name) })
}

// tellDigest publishes a digest to the topics that lack it. One that somebody else is telling is left to them.
func (e Engine) tellDigest(ctx context.Context, k KeptDigest) (err error) {
	now := e.Clock.Now()
	if k.Due.IsZero() || k.Due.After(now) && k.Busy.By != e.By {
		return nil
	}
	if k.Busy.By != e.By {
		k.Busy = e.busy(ctx)
		k.Due = k.Busy.Until
		if k, err = e.Ledger.SaveDigest(ctx, k); errors.Is(err, ErrConflict) {
			return nil // they tell it
		} else if err != nil {
			return err
		}
	}
	got, failed := e.publishDigest(ctx, k)
	k.Got, k.Busy, k.Due = got, guard.Busy{}, time.Time{}
	if failed {
		k.Tries++
		if now.Sub(k.Digest.At) < digestTries {
			k.Due = e.Clock.Now().Add(retryAfterTries(k.Tries))
		} else {
			e.Log.ErrorContext(ctx, "digest given up", "owner", k.Digest.Owner, "key", k.Digest.Key, "got", k.Got)
		}
	}
	saving, cancel := e.Clock.WithTimeout(context.WithoutCancel(ctx), saveTakes)
	defer cancel()
	_, err = e.Ledger.SaveDigest(saving, k)
	if errors.Is(err, ErrConflict) {
		return nil // this took longer than it might, and somebody took over
	}
	return err
}

// publishDigest tries each topic that lacks a digest, side by side, and returns those that have it now.
func (e Engine) publishDigest(ctx context.Context, k KeptDigest) (got []string, failed bool) {
	errs := make([]error, len(e.Topics))
	var each []func(context.Context) error
	for i, t := range e.Topics {
		if !slices.Contains(k.Got, t.Name) {
			each = append(each, func(ctx context.Context) error {
				if errs[i] = e.inTime(ctx); errs[i] == nil {
					errs[i] = t.TellDigest(ctx, k.Digest)
				}
				return nil
			})
		}
	}
	if len(each) > 0 {
		_ = e.Clock.Parallel(ctx, each...) // what failed is in errs
	}
	got = slices.Clone(k.Got)
	for i, t := range e.Topics {
		switch {
		case slices.Contains(k.Got, t.Name):
		case errs[i] == nil:
			got = append(got, t.Name)
			e.Counts.Add(telemetry.Told, 1)
		default:
			failed = true
			e.Counts.Add(telemetry.TellFailed, 1)
			e.Log.ErrorContext(ctx, "digest not published", "owner", k.Digest.Owner, "topic", t.Name, "key", k.Digest.Key, "error", errs[i].Error())
		}
	}
	return got, failed
}

// retryAfterTries is how long to wait before what could not be told is tried again: longer with each failed try, an hour in the end.
func retryAfterTries(tries int) time.Duration {
	return min(time.Hour, retryTell<<min(max(tries-1, 0), 8))
}
