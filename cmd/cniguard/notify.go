package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cniguard/cniguard/internal/hub"
	"github.com/cniguard/cniguard/internal/notify"
	"github.com/cniguard/cniguard/internal/simulate"
)

func notifyCommand() *cobra.Command {
	c := group(&cobra.Command{
		Use:   "notify",
		Short: "Try the channels on which people and programs are told",
		Long: `People and programs are told through SNS topics and on the hub's event bus
(docs/messages.md).`,
		Example: `  cniguard notify test`,
	})
	c.AddCommand(notifyTestCommand())
	return c
}

// channelNames are the channels that can be tried.
func channelNames() []string {
	var all []string
	for _, channel := range append(notify.Channels(), notify.Bus) {
		all = append(all, string(channel))
	}
	return all
}

func notifyTestCommand() *cobra.Command {
	var r reach
	var chosen []string
	wait := duration(30 * time.Second)
	c := &cobra.Command{
		Use:   "test [--channel " + strings.Join(channelNames(), "|") + "] [--wait 30s]",
		Short: "Send a marked sample through each channel, or one, and say whether it was taken",
		Long: `The urgent function is asked, over the bus, to tell a sample as it tells any message: with
its own role, key and topic. The sample begins with TEST and says who asked for it; it is
of severity info, of no cluster, and nothing else comes of it. It is mailed, and sent as an
SMS, where such addresses are subscribed. A pager gets the state INSUFFICIENT_DATA, on
which it wakes nobody: that a pager opens an incident is not tried.

What is said is that SNS, or EventBridge, took the sample. That is not yet delivery: look
into the inbox, at the phone and into the chat. The exit code is 1 where a sample was not
taken, or nothing came back within --wait. In simulated worlds there is nobody to look, so
that there is no --world.`,
		Args: noArguments(),
		Example: `  cniguard notify test
  cniguard notify test --channel chat
  cniguard notify test --channel oncall --channel bus --profile ops --region eu-central-1`,
		RunE: func(c *cobra.Command, _ []string) error {
			channels, err := channelsOf(chosen)
			if err != nil {
				return err
			}
			return r.atHub(c, func(ctx context.Context, d *desk) error {
				samples, err := d.Try(ctx, channels, d.who.name, time.Duration(wait))
				if err != nil && !slices.ContainsFunc(samples, func(s hub.Sample) bool { return s.Trial != nil }) {
					return err
				}
				return printSamples(c.OutOrStdout(), samples, len(chosen) > 0, time.Duration(wait))
			})
		},
	}
	r.flags(c.Flags())
	c.Flags().StringArrayVar(&chosen, "channel", nil, "channel to try; may be given more than once (default: all that are configured)")
	c.Flags().Var(&wait, "wait", "how long to wait for the outcome")
	return c
}

// channelsOf are the channels that were chosen, each once; all where none was.
func channelsOf(chosen []string) ([]string, error) {
	all := channelNames()
	if len(chosen) == 0 {
		return all, nil
	}
	for _, name := range chosen {
		if !slices.Contains(all, name) {
			return nil, fmt.Errorf("--channel %q: there is no such channel; allowed: %s", name, strings.Join(all, ", "))
		}
	}
	return slices.DeleteFunc(all, func(name string) bool { return !slices.Contains(chosen, name) }), nil
}

// printSamples writes what became of each sample. The error is that not all were taken. What was not chosen need not be configured.
func printSamples(out io.Writer, samples []hub.Sample, chosen bool, wait time.Duration) error {
	failed, undelivered := 0, []string{}
	for _, s := range samples {
		taker := "SNS"
		if s.Channel == string(notify.Bus) {
			taker = "EventBridge"
		}
		text := fmt.Sprintf("nothing came back within %s", simulate.Span(wait))
		absent := s.Absent() && !chosen
		switch {
		case absent:
			text = "not configured"
		case s.Absent():
			text = clean(s.Trial.Fault.Error())
		case s.Taken():
			text = fmt.Sprintf("%s took it at %s UTC", taker, s.Trial.At.UTC().Format("2006-01-02 15:04:05"))
			if taker == "SNS" {
				undelivered = append(undelivered, "cniguardhub-undelivered-"+s.Channel)
			}
		case s.Trial != nil:
			text = fmt.Sprintf("%s did not take it: %s", taker, clean(s.Trial.Fault.Error()))
		}
		foldTo(out, screen, fmt.Sprintf("%-7s  ", s.Channel), text)
		if s.Taken() || absent {
			continue
		}
		failed++
		foldTo(out, screen, "         do: ", clean(s.Advice()))
	}
	if len(undelivered) > 0 {
		fmt.Fprintln(out)
		foldTo(out, screen, "", "Taken is not delivered. Look for TEST in the inbox, on the phone and in the chat, and whether somebody is subscribed: cniguard doctor. "+
			"What SNS gives up on, which for mail takes hours, sets off "+strings.Join(undelivered, ", ")+".")
	}
	if failed > 0 {
		return fmt.Errorf("notify test: %s not known to be taken", count(failed, "sample"))
	}
	return nil
}
