package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/telemetry"
)

// patience is how long a sweep has to finish before the next one that begins gives it up. It is less than what lies between two
// sweeps of the schedule, either of which may come up to an hour late; one that a person asks for in between runs beside it.
const patience = event.SweepEvery / 2

// isTracked reports whether a run may be that of a whole fleet's sweep, which is named by its instant. A unit that the tick, or an event
// of AWS, has swept on its own is no sweep of the fleet.
func isTracked(run string) bool {
	_, err := time.Parse(time.RFC3339, run)
	return err == nil
}

// open notes that a sweep begins, and gives up those before it that did not finish. One that is open already, or closed, stays as it
// is: Lambda may deliver its event twice. What cannot be given up now is left to the next sweep.
func (e Engine) open(ctx context.Context, run string, units []event.Unit) error {
	if !isTracked(run) {
		return nil
	}
	now := e.Clock.Now()
	err := e.Ledger.PutSweep(ctx, Sweep{Run: run, Begun: now, Units: units})
	if err != nil && !errors.Is(err, ErrConflict) {
		return e.bookFault(ctx, "open the sweep", run, err)
	}
	all, err := e.Ledger.Sweeps(ctx)
	if err != nil {
		e.Log.ErrorContext(ctx, "sweeps not read", "run", run, "error", err.Error())
		return nil
	}
	for _, s := range all {
		if s.Run == run || s.Coverage != nil || now.Sub(s.Begun) < patience {
			continue
		}
		parts, err := e.Ledger.Parts(ctx, s.Run)
		if err == nil {
			err = e.close(ctx, s, s.Cover(parts, now))
		}
		if err != nil {
			e.Log.ErrorContext(ctx, "sweep not given up", "run", s.Run, "error", err.Error())
		}
	}
	return nil
}

// bookPart saves what an invocation did of a sweep, also when the time for work is over, as what was done is saved.
func (e Engine) bookPart(ctx context.Context, run string, p Part) error {
	if !isTracked(run) {
		return nil
	}
	saving, cancel := e.Clock.WithTimeout(context.WithoutCancel(ctx), saveTakes)
	defer cancel()
	if err := e.Ledger.PutPart(saving, run, p); err != nil {
		return e.bookFault(ctx, "save a part of the sweep", run, err)
	}
	return nil
}

// finish closes a sweep after the last part of one of its units, if that was the last unit. All parts are read then, consistently: of
// units that end at the same time the one that reads later sees all, and of several that do the ledger lets one close.
func (e Engine) finish(ctx context.Context, run string) error {
	if !isTracked(run) {
		return nil
	}
	s, err := e.Ledger.Sweep(ctx, run)
	if err != nil {
		return e.bookFault(ctx, "finish the sweep", run, err)
	}
	if s.Run == "" || s.Coverage != nil {
		return nil // nobody opened it, or it was given up: this comes too late
	}
	parts, err := e.Ledger.Parts(ctx, run)
	if err != nil {
		return e.bookFault(ctx, "finish the sweep", run, err)
	}
	c := s.Cover(slices.DeleteFunc(parts, func(p Part) bool { return p.Again }), e.Clock.Now())
	if !c.Finished() {
		return nil
	}
	e.recount(ctx, s)
	if err := e.close(ctx, s, c); err != nil {
		return e.bookFault(ctx, "finish the sweep", run, err)
	}
	return nil
}

// close ends an open sweep with what it came to. Only the one that closes it counts, logs and announces it.
func (e Engine) close(ctx context.Context, s Sweep, c Coverage) error {
	s.Coverage = &c
	switch err := e.Ledger.PutSweep(ctx, s); {
	case errors.Is(err, ErrConflict):
		return nil // another was first
	case err != nil:
		return err
	}
	attrs := []any{
		"run", c.Run, "expected", c.Units, "clusters", c.Clusters, "checked", c.Checked, "notListed", c.NotListed.Count, "unfinished", c.Unfinished.Count,
	}
	if !c.Finished() {
		var names []string
		for _, g := range c.Unfinished.Some {
			names = append(names, g.What)
		}
		e.Log.ErrorContext(ctx, "sweep given up", append(attrs, "units", strings.Join(names, ", "))...)
		return nil
	}
	e.Counts.Add(telemetry.Sweeps, 1)
	e.Log.InfoContext(ctx, "sweep finished", attrs...)
	if err := e.News.Swept(ctx, c); err != nil { // it is closed: nobody would say it again
		e.Log.ErrorContext(ctx, "sweep not announced", "run", c.Run, "error", err.Error())
	}
	return nil
}

// bookFault is the error of what the ledger could not do for a sweep: one that may pass is returned, so that Lambda tries again; one
// that only a person can mend is logged, since the clusters are checked all the same. Then the sweep never finishes, which has an alarm.
func (e Engine) bookFault(ctx context.Context, what, run string, err error) error {
	if f := fault.Of(err); f != nil && f.Kind != fault.Retry {
		e.Log.ErrorContext(ctx, "sweep not kept", "what", what, "run", run, "error", err.Error())
		return nil
	}
	return fmt.Errorf("%s %s: %w", what, run, err)
}
