package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/strictyaml"
	"github.com/cniguard/cniguard/internal/world"
)

// finding is a flag that names one of those that people may answer.
type finding guard.Code

func (f *finding) String() string { return string(*f) }

// Type names the kind of value in the help.
func (f *finding) Type() string { return "code" }

// Set reads a code, as messages and explain write it.
func (f *finding) Set(text string) error {
	if !slices.Contains(guard.Answerable(), guard.Code(text)) {
		return errors.New(strictyaml.Suggest(text, world.Findings()))
	}
	*f = finding(text)
	return nil
}

// holding is a flag that says how long a word on a finding holds; zero: nothing is said.
type holding time.Duration

func (h *holding) String() string {
	if *h == 0 {
		return ""
	}
	return simulate.Span(time.Duration(*h))
}

// Type names the kind of value in the help.
func (h *holding) Type() string { return "duration" }

// Set reads a duration for which one may hold.
func (h *holding) Set(text string) error {
	v, ok := strictyaml.Duration(text)
	if !ok || v < guard.MuteAtLeast || v > guard.MuteAtMost {
		return errors.New("allowed: a duration from 5m to 30d, as 8h, 3d or 1d12h")
	}
	*h = holding(v)
	return nil
}

// onFinding makes a command that says a person's word on a finding of a cluster.
func onFinding(kind guard.OrderKind, o *ordering, c *cobra.Command) *cobra.Command {
	o.kind = kind
	c.Args = want(1, 1, aCluster)
	c.RunE = func(c *cobra.Command, args []string) error {
		return o.run(c,
			func() error { return o.answerInWorld(c, args[0]) },
			func(ctx context.Context, d *desk) error { return o.answerAtHub(ctx, c, d, args[0]) },
		)
	}
	o.flags(c)
	c.Flags().Var(&o.finding, "finding", "what it is about, as messages and explain name it")
	return c
}

func muteCommand() *cobra.Command {
	var o ordering
	c := onFinding(guard.Muting, &o, &cobra.Command{
		Use:   "mute CLUSTER --finding CODE --for 8h --because WHY [--world WORLD --policy POLICY [--at 1d]]",
		Short: "Keep a finding of a cluster out of messages for a time; digests have it",
		Long: `Nobody is told of the finding while the mute holds, also when it is critical; it stands in
the daily digest with who muted it, and why. What was told of it before is taken back when
it is over. A mute holds for 30 days at most and ends by itself: a finding that is still
open then is told.

Of all that people say of a finding the newest word counts: "cniguard unmute" ends it,
whoever gives it. A mute changes nothing else; updates are held by "deny" and "halt".`,
		Example: `  cniguard mute payments --finding capacity-low --for 8h --because "load test until tonight"
  cniguard mute payments --finding capacity-low --for 3d --because "load test" --world world.yaml --policy policy.yaml`,
	})
	c.Flags().Var(&o.last, "for", "how long it holds, from 5m to 30d")
	return c
}

func ackCommand() *cobra.Command {
	o := ordering{last: holding(guard.AckUsually)}
	c := onFinding(guard.Acknowledging, &o, &cobra.Command{
		Use:   "ack CLUSTER --finding CODE --because WHY [--for 1d] [--world WORLD --policy POLICY [--at 1d]]",
		Short: "Take care of a finding of a cluster, so that nobody is reminded of it",
		Long: `Nobody is reminded of the finding while the acknowledgement holds, until its severity or
what was seen changes. That is told, and so is that it is over. An acknowledgement holds
for a day unless --for says another time, and for 30 days at most.

Of all that people say of a finding the newest word counts: "cniguard unmute" ends it,
whoever gives it.`,
		Example: `  cniguard ack payments --finding capacity-low --because "a new subnet comes at noon"
  cniguard ack payments --finding capacity-low --for 3d --because "on it" --world world.yaml --policy policy.yaml`,
	})
	c.Flags().Var(&o.last, "for", "how long it holds, from 5m to 30d")
	return c
}

func unmuteCommand() *cobra.Command {
	return onFinding(guard.Unmuting, &ordering{}, &cobra.Command{
		Use:   "unmute CLUSTER --finding CODE --because WHY [--world WORLD --policy POLICY [--at 1d]]",
		Short: "End the mutes and acknowledgements of a finding of a cluster, whoever gave them",
		Long: `Of all that people say of a finding the newest word counts. A finding that is still open
is told from now on, and reminded of, as if nobody had muted or acknowledged it.`,
		Example: `  cniguard unmute payments --finding capacity-low --because "the load test is over"
  cniguard unmute payments --finding capacity-low --because "it is over" --world world.yaml --policy policy.yaml`,
	})
}

// answer is the person's word on the finding.
func (o *ordering) answer(by string, at time.Time) (guard.Order, error) {
	said := guard.Order{Kind: o.kind, Finding: guard.Code(o.finding), By: by, Because: o.because, At: at}
	return guard.Answered(said, time.Duration(o.last))
}

func (o *ordering) answerAtHub(ctx context.Context, c *cobra.Command, d *desk, name string) error {
	order, err := o.answer(d.who.id, d.Now)
	if err != nil {
		return err
	}
	kept, err := d.Cluster(ctx, name)
	if err != nil {
		return err
	}
	orders, ordersErr := d.Ledger.Orders(ctx, kept.Cluster)
	if err := d.give(ctx, c, kept.Cluster, order); err != nil {
		return err
	}
	if ordersErr == nil { // a word in place of one that cannot be read helps
		noteInVain(c.ErrOrStderr(), name, order, kept.Record, orders)
	}
	fold(c.OutOrStdout(), "", answered(name, d.who.name, order))
	return nil
}

func (o *ordering) answerInWorld(c *cobra.Command, name string) error {
	sc, id, err := o.about(c, name)
	if err != nil {
		return err
	}
	order, err := o.answer(o.by, sc.spec.Start.Add(time.Duration(o.at)))
	if err != nil {
		return err
	}
	r, err := sc.at(o.at, nil)
	if err != nil {
		return err
	}
	defer r.Close()
	kept, loadErr := r.Ledger.Load(c.Context(), id)
	orders, ordersErr := r.Ledger.Orders(c.Context(), id)
	if err := errors.Join(loadErr, ordersErr); err != nil {
		return err
	}
	short := sc.names.Short(id.String())
	noteInVain(c.ErrOrStderr(), short, order, kept.Record, orders)
	out := c.OutOrStdout()
	fold(out, "", answered(short, o.by, order))
	return o.write(out, world.OrderKind(o.kind), id)
}

// noteInVain says that a word changes nothing now, as far as is known: it may be a slip, and it is no mistake. Orders are those before it.
func noteInVain(notes io.Writer, name string, o guard.Order, rec guard.Record, orders []guard.Order) {
	t, open := rec.Told[o.Finding]
	switch {
	case o.Kind == guard.Unmuting && guard.Word(orders, o.Finding, o.At) == nil && t.Silenced(o.At) == nil:
		fmt.Fprintln(notes, cleanLine(fmt.Sprintf("note: no mute or acknowledgement of %s of %s is known that this would end", o.Finding, name)))
	case o.Kind != guard.Unmuting && !open:
		fmt.Fprintln(notes, cleanLine(fmt.Sprintf("note: nothing of %s is open at %s; it holds for one that comes", o.Finding, name)))
	}
}

// answered says what a word on a finding does, for who gave it.
func answered(name, by string, o guard.Order) string {
	what := fmt.Sprintf("%s of %s is", o.Finding, clean(name))
	span := fmt.Sprintf("by %s from %s to %s UTC", clean(by), when(o.At), when(o.Until))
	switch o.Kind {
	case guard.Muting:
		return fmt.Sprintf("%s muted %s: it is not told, and stands in the daily digest.", what, span)
	case guard.Acknowledging:
		return fmt.Sprintf("%s acknowledged %s: nobody is reminded of it until its severity or what was seen changes.", what, span)
	}
	return fmt.Sprintf("%s unmuted by %s at %s UTC: no mute or acknowledgement of it holds any more.", what, clean(by), when(o.At))
}
