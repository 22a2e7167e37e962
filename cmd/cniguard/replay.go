package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/spf13/cobra"

	"github.com/cniguard/cniguard/internal/simulate"
)

func replayCommand() *cobra.Command {
	var s stage
	after, long := duration(time.Hour), duration(30*time.Minute)
	c := &cobra.Command{
		Use:   "replay EVENT.json... --world WORLD --policy POLICY [--after 1h] [--for 30m]",
		Short: "Put events, as EventBridge delivers them, into a simulated world and show what comes of them",
		Long: `Each file holds one event as EventBridge delivers it; events/ has samples. They are
delivered at once, after the world has run for --after. An event is only a hint:
cniguard looks at the cluster and decides from what it sees there. What the schedules
do in the time is shown too.`,
		Args: want(1, math.MaxInt, "one EVENT.json or more"),
		Example: `  cniguard replay events/alarm-to-alarm.json --world world.yaml --policy policy.yaml
  cniguard replay first.json second.json --world world.yaml --policy policy.yaml --after 2d --for 1h`,
		RunE: func(c *cobra.Command, files []string) error {
			events, eventsErr := loadEvents(files)
			sc, err := s.read(c.ErrOrStderr())
			if err := errors.Join(eventsErr, err); err != nil {
				return err
			}
			return sc.replay(c.OutOrStdout(), events, time.Duration(after), time.Duration(long))
		},
	}
	s.flags(c)
	c.Flags().Var(&after, "after", "how long the world runs before the events arrive")
	c.Flags().Var(&long, "for", "how much virtual time passes after them")
	return c
}

// sample is an event from a file.
type sample struct {
	file string
	raw  []byte
}

func loadEvents(files []string) ([]sample, error) {
	events := make([]sample, len(files))
	var wrong []error
	for i, f := range files {
		raw, err := load("EVENT", f)
		events[i] = sample{f, raw}
		wrong = append(wrong, err)
	}
	return events, errors.Join(wrong...)
}

func (sc *scene) replay(out io.Writer, events []sample, after, long time.Duration) error {
	show, shown, lines := false, 0, printer(out, *sc)
	r, err := sc.start(func(l simulate.Line) {
		if show {
			lines(l)
			shown++
		}
	})
	if err != nil {
		return err
	}
	defer r.Close()
	r.For(after)
	show = true
	fmt.Fprintf(out, "%s at %s, %s after the start. Times are UTC.\n\n", count(len(events), "event"), when(r.Now()), simulate.Span(after))
	for _, e := range events {
		asks, ends := r.Foretell(e.raw)
		fmt.Fprintln(out, clean(e.file))
		fold(out, "  asks for  ", asks)
		if ends != "" {
			fold(out, "  but       ", ends)
		}
		_ = r.Wake(e.raw) // its error was said already
	}
	fmt.Fprintln(out)
	r.For(long)
	if shown == 0 {
		fmt.Fprintln(out, "No effect, and nothing is held back.")
	}
	fmt.Fprintf(out, "\nThe fleet at %s\n\n", when(r.Now()))
	printFleet(out, r, sc.names)
	return nil
}
