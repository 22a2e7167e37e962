package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
)

// read reads the files of the stage, and checks that the order has a name and a reason.
func (o *ordering) read(notes io.Writer) (scene, error) {
	o.by, o.because = clean(cmp.Or(o.by, userName())), clean(o.because)
	sc, err := o.stage.read(notes)
	return sc, errors.Join(err, given(append(o.needed(),
		needed{"because", o.because, becauseWanted},
		needed{"by", o.by, "say who orders it, as --by ana"},
	)...))
}

// write adds the order to the orders file.
func (o *ordering) write(out io.Writer, kind world.OrderKind, id cluster.ID) error {
	err := o.writeOrder(world.Order{
		At: time.Duration(o.at), Kind: kind, Account: id.Account, Region: id.Region, Name: id.Name, To: o.to,
		Finding: string(o.finding), For: time.Duration(o.last), By: o.by, Because: o.because,
	})
	if err == nil {
		fold(out, "", fmt.Sprintf("Written to %s: every run of this world has it from %s after the start on.", o.ordersFile(), simulate.Span(time.Duration(o.at))))
	}
	return err
}

// about reads the world, and finds the cluster that an order is about.
func (o *ordering) about(c *cobra.Command, name string) (sc scene, id cluster.ID, err error) {
	if sc, err = o.read(c.ErrOrStderr()); err == nil {
		id, err = sc.cluster(name)
	}
	return sc, id, err
}

func (o *ordering) approveInWorld(c *cobra.Command, name string) error {
	sc, id, err := o.about(c, name)
	if err != nil {
		return err
	}
	r, err := sc.at(o.at, nil)
	if err != nil {
		return err
	}
	defer r.Close()
	in, plan, err := r.Plan(id)
	if err != nil {
		return err
	}
	order, err := guard.Consent(plan, o.to, o.by, o.because, in.Now)
	if err != nil {
		return err
	}
	out := c.OutOrStdout()
	printPlan(out, in, plan, sc.names.Short(id.String()))
	fmt.Fprintln(out)
	printApproval(out, order, o.by, plan)
	o.to = order.Steps[len(order.Steps)-1]
	return o.write(out, world.Approve, id)
}

func (o *ordering) denyInWorld(c *cobra.Command, name string) error {
	sc, id, err := o.about(c, name)
	if err != nil {
		return err
	}
	from := sc.spec.Start.Add(time.Duration(o.at))
	out := c.OutOrStdout()
	fold(out, "", denied(sc.names.Short(id.String()), o.by, from))
	return o.write(out, world.Deny, id)
}

// denied says what a denial does, for who gave it.
func denied(name, by string, from time.Time) string {
	return fmt.Sprintf("Updates of %s are denied by %s from %s to %s UTC.", clean(name), clean(by), when(from), when(from.Add(guard.ApprovalValid)))
}

func (o *ordering) orderInWorld(c *cobra.Command, kind world.OrderKind) error {
	sc, err := o.read(c.ErrOrStderr())
	if err != nil {
		return err
	}
	at := sc.spec.Start.Add(time.Duration(o.at))
	if kind == world.Resume {
		r, err := sc.at(o.at, nil)
		if err != nil {
			return err
		}
		defer r.Close()
		if err := r.Halted(context.Background()); err != nil {
			return err
		}
		at = r.Now()
	}
	out := c.OutOrStdout()
	fold(out, "", proclaimed(guard.OrderKind(kind), o.by, when(at)))
	return o.write(out, kind, cluster.ID{})
}
