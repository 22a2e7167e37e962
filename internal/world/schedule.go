package world

import (
	"fmt"
	"time"
)

// Schedule is a rule that invokes a function at a fixed rate.
type Schedule struct {
	Name     string
	Every    time.Duration
	First    time.Duration // offset of the first from the start of the world
	Function string
	// Input makes the event of an instant: the one it was scheduled for, not the one it arrives at.
	Input func(at time.Time) []byte
}

// Schedule starts a schedule; its error is that there is no such function or no such rate. Instants that are over already
// are left out. As every event, that of a schedule may arrive twice or late.
func (w *World) Schedule(s Schedule) error {
	switch {
	case s.Every <= 0:
		return fmt.Errorf("start schedule %s: every %s is no rate", s.Name, s.Every)
	case w.lambda.named(s.Function) == nil:
		return fmt.Errorf("start schedule %s: there is no function %s", s.Name, s.Function)
	}
	at := w.spec.Start.Add(s.First)
	if late := w.Now().Sub(at); late > 0 {
		at = at.Add((late + s.Every - 1) / s.Every * s.Every)
	}
	w.fire(s, at)
	return nil
}

func (w *World) fire(s Schedule, at time.Time) {
	w.clock.After(at.Sub(w.Now()), func() {
		e := envelope{Source: "schedule", DetailType: s.Name, ID: at.Format(time.RFC3339)}
		w.deliver(e, s.Input(at), s.Function)
		w.fire(s, at.Add(s.Every))
	})
}
