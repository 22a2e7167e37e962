package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
)

// ordering is what the commands that give orders have in common.
type ordering struct {
	stage
	at          duration
	by, because string
	to          string
}

func (o *ordering) flags(c *cobra.Command) {
	o.stage.flags(c)
	o.orderly = true
	instant(c, &o.at, "when the order is given")
	c.Flags().StringVar(&o.by, "by", "", "who orders it (default: your user name)")
	c.Flags().StringVar(&o.because, "because", "", "why; others will read it")
}

// read reads the files of the stage, and checks that the order has a name and a reason.
func (o *ordering) read(notes io.Writer) (scene, error) {
	o.by, o.because = clean(cmp.Or(o.by, userName())), clean(o.because)
	sc, err := o.stage.read(notes)
	return sc, errors.Join(err, given(
		needed{"because", o.because, "why it is ordered: others will read it"},
		needed{"by", o.by, "who orders it"},
	))
}

// give writes an order to the orders file.
func (o *ordering) give(out io.Writer, kind world.OrderKind, id cluster.ID) error {
	err := o.writeOrder(o.order(kind, id))
	if err == nil {
		fold(out, "", fmt.Sprintf("Written to %s: every run of this world has it from %s after the start on.", o.ordersFile(), simulate.Span(time.Duration(o.at))))
	}
	return err
}

func (o *ordering) order(kind world.OrderKind, id cluster.ID) world.Order {
	return world.Order{At: time.Duration(o.at), Kind: kind, Account: id.Account, Region: id.Region, Name: id.Name, To: o.to, By: o.by, Because: o.because}
}

func approveCommand() *cobra.Command {
	var o ordering
	c := &cobra.Command{
		Use:   "approve CLUSTER --because WHY --world WORLD --policy POLICY [--to VERSION] [--at 1d]",
		Short: "Approve the steps of a cluster's plan up to a version",
		Long: `The world runs until --at, the plan is shown, and the approval is written to the orders
file, which every later run of this world reads. It is valid for seven days, for these
steps, and only while role and configuration of the add-on stay as they are.`,
		Args:    want(1, 1, aCluster),
		Example: `  cniguard approve payments --to v1.8.0-eksbuild.1 --because "tested on staging" --world world.yaml --policy policy.yaml`,
		RunE: func(c *cobra.Command, args []string) error {
			return o.approve(c, args[0])
		},
	}
	o.flags(c)
	c.Flags().StringVar(&o.to, "to", "", "the last version that is approved (default: the whole path)")
	return c
}

func (o *ordering) approve(c *cobra.Command, name string) error {
	sc, err := o.read(c.ErrOrStderr())
	if err != nil {
		return err
	}
	id, err := sc.cluster(name)
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
	order, err := simulate.Consent(plan, o.order(world.Approve, id), in.Now)
	if err != nil {
		return err
	}
	out := c.OutOrStdout()
	printPlan(out, in, plan, sc.names.Short(id.String()))
	fmt.Fprintln(out)
	fold(out, "", fmt.Sprintf("Approved by %s until %s: %s.", o.by, when(order.Until), strings.Join(order.Steps, ", then ")))
	for _, shut := range simulate.StillShut(plan) {
		fold(out, "", "It is still held by "+shut.Gate+": "+clean(shut.Text)+".")
	}
	o.to = order.Steps[len(order.Steps)-1]
	return o.give(out, world.Approve, id)
}

func denyCommand() *cobra.Command {
	var o ordering
	c := &cobra.Command{
		Use:     "deny CLUSTER --because WHY --world WORLD --policy POLICY [--at 1d]",
		Short:   "Deny updates of a cluster for seven days, whoever approves",
		Args:    want(1, 1, aCluster),
		Example: `  cniguard deny payments --because "sale until Sunday" --world world.yaml --policy policy.yaml`,
		RunE: func(c *cobra.Command, args []string) error {
			sc, err := o.read(c.ErrOrStderr())
			if err != nil {
				return err
			}
			id, err := sc.cluster(args[0])
			if err != nil {
				return err
			}
			from := sc.spec.Start.Add(time.Duration(o.at))
			out := c.OutOrStdout()
			fold(out, "", fmt.Sprintf("Updates of %s are denied by %s from %s to %s UTC.",
				sc.names.Short(id.String()), o.by, when(from), when(from.Add(guard.ApprovalValid))))
			return o.give(out, world.Deny, id)
		},
	}
	o.flags(c)
	return c
}

func haltCommand() *cobra.Command {
	var o ordering
	c := &cobra.Command{
		Use:     "halt --because WHY --world WORLD --policy POLICY [--at 1d]",
		Short:   "Stop all updates of the fleet until somebody resumes",
		Args:    noArguments(),
		Example: `  cniguard halt --because "network incident" --world world.yaml --policy policy.yaml`,
		RunE: func(c *cobra.Command, _ []string) error {
			sc, err := o.read(c.ErrOrStderr())
			if err != nil {
				return err
			}
			out := c.OutOrStdout()
			from := sc.spec.Start.Add(time.Duration(o.at))
			fold(out, "", fmt.Sprintf("Halted by %s from %s UTC on: no update starts until somebody resumes; one in flight ends.", o.by, when(from)))
			return o.give(out, world.Halt, cluster.ID{})
		},
	}
	o.flags(c)
	return c
}

func resumeCommand() *cobra.Command {
	var o ordering
	c := &cobra.Command{
		Use:     "resume --because WHY --world WORLD --policy POLICY [--at 1d]",
		Short:   "End a halt of the fleet",
		Args:    noArguments(),
		Example: `  cniguard resume --because "incident is over" --at 2d --world world.yaml --policy policy.yaml`,
		RunE: func(c *cobra.Command, _ []string) error {
			sc, err := o.read(c.ErrOrStderr())
			if err != nil {
				return err
			}
			r, err := sc.at(o.at, nil)
			if err != nil {
				return err
			}
			defer r.Close()
			if err := r.Halted(context.Background()); err != nil {
				return err
			}
			out := c.OutOrStdout()
			fold(out, "", fmt.Sprintf("Resumed by %s at %s UTC.", o.by, when(r.Now())))
			return o.give(out, world.Resume, cluster.ID{})
		},
	}
	o.flags(c)
	return c
}
