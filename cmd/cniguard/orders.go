package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/hub"
	"github.com/cniguard/cniguard/internal/world"
)

// ordering is what the commands that give orders have in common.
type ordering struct {
	place
	by, because string
	to          string          // approve
	kind        guard.OrderKind // of a word on a finding, as in the next two
	finding     finding
	last        holding
}

func (o *ordering) flags(c *cobra.Command) {
	o.place.flags(c, "when the order is given in the world")
	o.orderly = true
	c.Flags().StringVar(&o.by, "by", "", "who orders it in the world (default: your user name); at the hub AWS knows")
	c.Flags().StringVar(&o.because, "because", "", "why; others will read it")
}

// run gives the order in the world that --world names, or at the deployed hub.
func (o *ordering) run(c *cobra.Command, inWorld func() error, atHub func(context.Context, *desk) error) error {
	simulated, err := o.simulated(c)
	switch {
	case err != nil:
		return err
	case simulated:
		return inWorld()
	}
	o.because = clean(o.because)
	if err := given(append(o.needed(), needed{"because", o.because, becauseWanted})...); err != nil {
		return err
	}
	return o.atHub(c, atHub)
}

// needed are the flags that a word on a finding needs besides the reason.
func (o *ordering) needed() []needed {
	if !o.kind.OnFinding() {
		return nil
	}
	flags := []needed{{"finding", string(o.finding), "say of what, as --finding capacity-low; messages and `cniguard explain CLUSTER` name it"}}
	if o.kind == guard.Muting && o.last == 0 {
		flags = append(flags, needed{"for", "", "say for how long, as --for 8h; 30d at most"})
	}
	return flags
}

const becauseWanted = `say why, as --because "tested on staging"; others will read it`

func approveCommand() *cobra.Command {
	var o ordering
	c := &cobra.Command{
		Use:   "approve CLUSTER --because WHY [--to VERSION] [--world WORLD --policy POLICY [--at 1d]]",
		Short: "Approve the steps of a cluster's plan up to a version",
		Long: `What is approved is the plan of the cluster's last check, as "cniguard explain" shows
it; what will change by it is printed. The approval is valid for seven days, for these
steps, and only while role and configuration of the add-on stay as they are. A later
patch or build of a minor version that was approved may take the place of the one that is
named; anything else is another plan, and the gate says what differs. It is written to
the ledger with your own credentials, so that AWS vouches for who gave it.

With --world it is a simulated cluster: the world runs until --at, the plan is shown, and
the approval is written to the orders file, which every later run of this world reads.`,
		Args: want(1, 1, aCluster),
		Example: `  cniguard approve payments --because "tested on staging"
  cniguard approve payments --to v1.8.0-eksbuild.1 --because "tested on staging" --world world.yaml --policy policy.yaml`,
		RunE: func(c *cobra.Command, args []string) error {
			return o.run(c,
				func() error { return o.approveInWorld(c, args[0]) },
				func(ctx context.Context, d *desk) error { return o.approveAtHub(ctx, c, d, args[0]) },
			)
		},
	}
	o.flags(c)
	c.Flags().StringVar(&o.to, "to", "", "the last version that is approved (default: the whole path)")
	return c
}

// printApproval says what was approved, what changes by it, and what holds the update all the same.
func printApproval(out io.Writer, order guard.Order, by string, p guard.Plan) {
	fold(out, "", fmt.Sprintf("Approved by %s until %s: %s.", clean(by), when(order.Until), strings.Join(order.Steps, ", then ")))
	printDifference(out, p.Difference(order.Steps[len(order.Steps)-1]))
	for _, shut := range hub.StillShut(p) {
		fold(out, "", "It is still held by "+shut.Gate+": "+clean(shut.Text)+".")
	}
}

func denyCommand() *cobra.Command {
	var o ordering
	c := &cobra.Command{
		Use:   "deny CLUSTER --because WHY [--world WORLD --policy POLICY [--at 1d]]",
		Short: "Deny updates of a cluster for seven days, whoever approves",
		Long: `A denial of one person vetoes the approvals of all others. Your newest word about a
cluster replaces the one before: who approves ends their own denial.`,
		Args: want(1, 1, aCluster),
		Example: `  cniguard deny payments --because "sale until Sunday"
  cniguard deny payments --because "sale until Sunday" --world world.yaml --policy policy.yaml`,
		RunE: func(c *cobra.Command, args []string) error {
			return o.run(c,
				func() error { return o.denyInWorld(c, args[0]) },
				func(ctx context.Context, d *desk) error { return o.denyAtHub(ctx, c, d, args[0]) },
			)
		},
	}
	o.flags(c)
	return c
}

// toFleet makes a command that gives an order to the whole fleet.
func toFleet(kind world.OrderKind, o *ordering, c *cobra.Command) *cobra.Command {
	c.Use = string(kind) + " --because WHY [--world WORLD --policy POLICY [--at 1d]]"
	c.Args = noArguments()
	c.Example = fmt.Sprintf("  cniguard %[1]s --because \"network incident\"\n  cniguard %[1]s --because \"network incident\" --world world.yaml --policy policy.yaml", kind)
	c.RunE = func(c *cobra.Command, _ []string) error {
		return o.run(c,
			func() error { return o.orderInWorld(c, kind) },
			func(ctx context.Context, d *desk) error { return o.orderAtHub(ctx, c, d, guard.OrderKind(kind)) },
		)
	}
	o.flags(c)
	return c
}

func haltCommand() *cobra.Command {
	return toFleet(world.Halt, &ordering{}, &cobra.Command{
		Short: "Stop all updates of the fleet until somebody resumes",
		Long: `No update starts; one in flight ends. The halt is read right before each update, so that
it holds from the moment it is written. Checks, alarms and messages go on.`,
	})
}

func resumeCommand() *cobra.Command {
	return toFleet(world.Resume, &ordering{}, &cobra.Command{
		Short: "End a halt or a teardown of the fleet, or the stop after failed updates",
		Long:  `Every cluster is looked at again at once; after a teardown the alarms come back.`,
	})
}

// proclaimed is what an order to the fleet does, for who gave it.
func proclaimed(kind guard.OrderKind, by, from string) string {
	switch kind {
	case guard.TearingDown:
		return fmt.Sprintf("Torn down by %s from %s UTC on: every alarm of cniguard goes, and no update starts, until somebody resumes.", clean(by), from)
	case guard.Resuming:
		return fmt.Sprintf("Resumed by %s at %s UTC.", clean(by), from)
	}
	return fmt.Sprintf("Halted by %s from %s UTC on: no update starts until somebody resumes; one in flight ends.", clean(by), from)
}
