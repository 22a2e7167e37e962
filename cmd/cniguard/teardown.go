package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
)

func teardownCommand() *cobra.Command {
	var o ordering
	wait := duration(15 * time.Minute)
	c := &cobra.Command{
		Use:   "teardown --because WHY [--wait 15m] [--world WORLD --policy POLICY [--at 1d]]",
		Short: "Remove every alarm that cniguard made, before its stacks are deleted",
		Long: `The functions remove the alarms, in every account and with their own roles, and put none
back; no update starts. The command waits until the ledger says of each cluster that its
alarm is gone. What could not be reached within --wait is listed, and the exit code is 1:
run it again when that is mended, or delete the alarms there by hand; their names begin
with "cniguard-" and end with "-pod-subnets". "cniguard resume" ends it, and the alarms
come back.

With --world the order is written to the orders file of a simulated world.`,
		Args: noArguments(),
		Example: `  cniguard teardown --because "moving to another account"
  cniguard teardown --because "trial is over" --world world.yaml --policy policy.yaml --at 2d`,
		RunE: func(c *cobra.Command, _ []string) error {
			return o.run(c,
				func() error { return o.orderInWorld(c, world.Teardown) },
				func(ctx context.Context, d *desk) error { return o.tearDown(ctx, c, d, time.Duration(wait)) },
			)
		},
	}
	o.flags(c)
	c.Flags().Var(&wait, "wait", "how long to wait until every alarm is gone")
	return c
}

func (o *ordering) tearDown(ctx context.Context, c *cobra.Command, d *desk, wait time.Duration) error {
	old, err := d.Replaced(ctx, guard.TearingDown)
	if err != nil {
		return err
	}
	order, err := guard.Command(guard.TearingDown, d.who.name, o.because, d.Now)
	if err != nil {
		return err
	}
	if err := d.give(ctx, c, cluster.ID{}, order); err != nil {
		return err
	}
	out, notes := c.OutOrStdout(), c.ErrOrStderr()
	if old != nil && old.Kind == guard.Halting {
		fmt.Fprintln(notes, cleanLine(fmt.Sprintf("note: this replaces the halt by %s since %s UTC: %s; `cniguard resume` ends both", old.By, when(old.At), old.Because)))
	}
	fmt.Fprintln(notes, cleanLine(proclaimed(guard.TearingDown, d.who.name, when(order.At))))
	left, err := d.Await(ctx, order.At, wait, func(n int) { fmt.Fprintf(notes, "%s to go\n", count(n, "place")) })
	if err != nil {
		return err
	}
	if len(left) == 0 {
		foldTo(out, screen, "", "No alarm of cniguard is left: its stacks can be deleted. Until then `cniguard resume` brings the alarms back.")
		return nil
	}
	fmt.Fprintln(out, "Not reached")
	for _, r := range left {
		foldTo(out, screen, "  ", clean(strings.TrimSuffix(r.Cluster.String(), "/"))+": "+clean(r.Why))
	}
	return fmt.Errorf("teardown: %s not reached within %s; the order stands, and the functions go on trying", count(len(left), "place"), simulate.Span(wait))
}
