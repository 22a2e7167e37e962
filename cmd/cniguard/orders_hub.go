package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/hub"
)

func (o *ordering) approveAtHub(ctx context.Context, c *cobra.Command, d *desk, name string) error {
	kept, err := d.Cluster(ctx, name)
	if err != nil {
		return err
	}
	plan := kept.Record.Planned()
	order, err := guard.Consent(plan, o.to, d.who.id, o.because, d.Now)
	if err != nil {
		return fmt.Errorf("%w; the last check of %s was at %s UTC", err, kept.Cluster, when(kept.Record.Seen))
	}
	if err := d.give(ctx, c, kept.Cluster, order); err != nil {
		return err
	}
	printApproval(c.OutOrStdout(), order, d.who.name, plan)
	return nil
}

func (o *ordering) denyAtHub(ctx context.Context, c *cobra.Command, d *desk, name string) error {
	kept, err := d.Cluster(ctx, name)
	if err != nil {
		return err
	}
	order, err := guard.Command(guard.Denial, d.who.id, o.because, d.Now)
	if err != nil {
		return err
	}
	if err := d.give(ctx, c, kept.Cluster, order); err != nil {
		return err
	}
	fold(c.OutOrStdout(), "", denied(name, d.who.name, order.At))
	return nil
}

// orderAtHub gives an order to the fleet. All of these are under one key of the ledger, so that the item says who wrote it, not its key.
func (o *ordering) orderAtHub(ctx context.Context, c *cobra.Command, d *desk, kind guard.OrderKind) error {
	if _, err := d.Replaced(ctx, kind); err != nil {
		return err
	}
	order, err := guard.Command(kind, d.who.name, o.because, d.Now)
	if err != nil {
		return err
	}
	if err := d.give(ctx, c, cluster.ID{}, order); err != nil {
		return err
	}
	fold(c.OutOrStdout(), "", proclaimed(kind, d.who.name, when(order.At)))
	return nil
}

// give writes an order. That nobody could be woken for it is no mistake of the person, and the order is in force: it is a note.
func (d *desk) give(ctx context.Context, c *cobra.Command, id cluster.ID, o guard.Order) error {
	err := d.Give(ctx, id, o)
	if errors.Is(err, hub.ErrNotWoken) {
		fmt.Fprintln(c.ErrOrStderr(), "note: "+cleanLine(err.Error()))
		return nil
	}
	return err
}
