package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/spf13/cobra"

	"github.com/cniguard/cniguard/internal/hub"
)

func failedCommand() *cobra.Command {
	c := group(&cobra.Command{
		Use:   "failed",
		Short: "Look after the events that cniguard could not handle",
		Long: `The failure queue holds what a function failed at three times, what a rule could not hand
to its function, and what a schedule could not send, for 14 days. An alarm tells when
there is something in it.`,
		Example: `  cniguard failed list
  cniguard failed retry --all`,
	})
	c.AddCommand(failedListCommand(), failedRetryCommand(), failedDropCommand())
	return c
}

func (d *desk) failed() hub.Failed {
	return hub.Failed{SQS: sqs.NewFromConfig(d.config), Lambda: lambda.NewFromConfig(d.config), Waker: d.Waker, Now: d.Now}
}

func failedListCommand() *cobra.Command {
	var r reach
	var asJSON bool
	c := &cobra.Command{
		Use:   "list [--json]",
		Short: "List the events in the failure queue, the oldest first",
		Long: `Each has its age, what it asked for, the function and the error. They stay in the queue;
while the list is made, nobody else sees them. Of more than 1000 the first that come are
shown, and a note says so.`,
		Args: noArguments(),
		Example: `  cniguard failed list
  cniguard failed list --json | jq .event`,
		RunE: func(c *cobra.Command, _ []string) error {
			return r.atHub(c, func(ctx context.Context, d *desk) error {
				found, more, err := d.failed().List(ctx)
				if more {
					fmt.Fprintf(c.ErrOrStderr(), "note: these are the first %d; there are more\n", len(found))
				}
				if asJSON {
					return errors.Join(err, printFailuresJSON(c.OutOrStdout(), found))
				}
				if err == nil || len(found) > 0 {
					printFailures(c.OutOrStdout(), found, d.Now)
				}
				return err
			})
		},
	}
	r.flags(c.Flags())
	c.Flags().BoolVar(&asJSON, "json", false, "a JSON object a line (docs/commands.md)")
	return c
}

func printFailuresJSON(out io.Writer, found []hub.Failure) error {
	print := jsonPrinter(out)
	for _, f := range found {
		if err := print(f); err != nil {
			return err
		}
	}
	return nil
}

func printFailures(out io.Writer, found []hub.Failure, now time.Time) {
	fmt.Fprintf(out, "%s in the failure queue\n", count(len(found), "event"))
	for _, f := range found {
		lead := fmt.Sprintf("%.8s  %4s  ", f.ID, age(now.Sub(f.At)))
		fmt.Fprintln(out)
		foldTo(out, screen, lead, clean(f.Asks))
		for _, detail := range [][2]string{{"event", f.Event}, {"for", f.Function}, {"from", f.From}, {"error", f.Error}} {
			if detail[1] != "" {
				foldTo(out, screen, fmt.Sprintf("%*s%-5s  ", len(lead), "", detail[0]), clean(detail[1]))
			}
		}
	}
}

// choice is which messages a command is about.
type choice struct {
	all, yes bool
}

func (c choice) check(ids []string) error {
	switch {
	case c.all && len(ids) > 0:
		return errors.New("--all: it is all messages, or those of the IDs, not both")
	case !c.all && len(ids) == 0:
		return errors.New("ID: want the beginning of one message's id or more, as `cniguard failed list` shows them, or --all")
	}
	for _, id := range ids {
		if len(id) < 4 {
			return fmt.Errorf("ID %q: want at least four characters of it", id)
		}
	}
	return nil
}

func failedRetryCommand() *cobra.Command {
	var r reach
	var which choice
	c := &cobra.Command{
		Use:   "retry ID... | --all",
		Short: "Have cniguard handle events of the failure queue again",
		Long: `An event goes to its function as EventBridge brought it, and then out of the queue. Where
it fails again it comes back. Events are hints: what was handled meanwhile is only looked
at once more.`,
		Args: want(0, math.MaxInt, "IDs"),
		Example: `  cniguard failed retry 6c0f1a52
  cniguard failed retry --all`,
		RunE: func(c *cobra.Command, ids []string) error {
			if err := which.check(ids); err != nil {
				return err
			}
			return r.atHub(c, func(ctx context.Context, d *desk) error {
				fates, err := d.failed().Retry(ctx, ids...)
				return errors.Join(printFates(c.OutOrStdout(), "retried", fates), err)
			})
		},
	}
	r.flags(c.Flags())
	c.Flags().BoolVar(&which.all, "all", false, "all events in the queue, however many")
	return c
}

func failedDropCommand() *cobra.Command {
	var r reach
	var which choice
	c := &cobra.Command{
		Use:   "drop ID... | --all --yes",
		Short: "Take events out of the failure queue for good",
		Long: `Nothing is lost of what cniguard knows: each cluster is looked at by the next sweep at the
latest.`,
		Args: want(0, math.MaxInt, "IDs"),
		Example: `  cniguard failed drop 6c0f1a52
  cniguard failed drop --all --yes`,
		RunE: func(c *cobra.Command, ids []string) error {
			if err := which.check(ids); err != nil {
				return err
			}
			if which.all && !which.yes {
				return errors.New("--all: it drops every event in the queue; add --yes if that is meant")
			}
			return r.atHub(c, func(ctx context.Context, d *desk) error {
				fates, err := d.failed().Drop(ctx, ids...)
				return errors.Join(printFates(c.OutOrStdout(), "dropped", fates), err)
			})
		},
	}
	r.flags(c.Flags())
	c.Flags().BoolVar(&which.all, "all", false, "all events in the queue, however many")
	c.Flags().BoolVar(&which.yes, "yes", false, "with --all: it is meant")
	return c
}

// printFates says what became of each message. The error holds those of all that are still in the queue.
func printFates(out io.Writer, done string, fates []hub.Fate) error {
	var wrong []error
	n := 0
	for _, f := range fates {
		if f.Err != nil {
			wrong = append(wrong, f.Err)
			continue
		}
		n++
		foldTo(out, screen, fmt.Sprintf("%.8s  %s  ", f.Failure.ID, done), clean(f.Failure.Asks))
	}
	fmt.Fprintf(out, "%s %s\n", count(n, "event"), done)
	return errors.Join(wrong...)
}
