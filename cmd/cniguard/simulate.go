package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/simulate"
)

func simulateCommand() *cobra.Command {
	var s stage
	long, asJSON := duration(30*day), false
	c := &cobra.Command{
		Use:   "simulate --world WORLD --policy POLICY [--for 30d] [--seed N] [--json]",
		Short: "Run a policy on a simulated world, and show everything it would do and hold back",
		Long: `Each effect, each thing that is held back and each change of the world that matters is
a line: virtual time, cluster, what, and below it why. At the end there is the fleet,
what the policy did in numbers, and the answer to "what would this policy have done to
my fleet?": the changes and what held them, who would have been told when, and what it
costs. The same files and seed give the same output.

--json writes a JSON object a line instead; docs/simulate.md describes them.`,
		Args: noArguments(),
		Example: `  cniguard simulate --world world.yaml --policy policy.yaml --for 7d
  cniguard simulate --world world.yaml --policy policy.yaml --seed 2
  cniguard simulate --world world.yaml --policy policy.yaml --json | jq 'select(.what == "update started")'`,
		RunE: func(c *cobra.Command, _ []string) error {
			if long == 0 {
				return errors.New("--for 0s: nothing would happen; allowed: more, as 7d")
			}
			sc, err := s.read(c.ErrOrStderr())
			if err != nil {
				return err
			}
			if asJSON {
				return sc.asJSON(c.OutOrStdout(), time.Duration(long))
			}
			return sc.asText(c.OutOrStdout(), time.Duration(long))
		},
	}
	s.flags(c)
	c.Flags().Var(&long, "for", "how much virtual time passes")
	c.Flags().BoolVar(&asJSON, "json", false, "JSON lines instead of text (docs/simulate.md)")
	return c
}

func (sc *scene) asText(out io.Writer, long time.Duration) error {
	r, err := sc.start(printer(out, *sc))
	if err != nil {
		return err
	}
	defer r.Close()
	fmt.Fprintf(out, "%s, %s from %s on, seed %d. Times are UTC.\n\n",
		count(len(sc.spec.Clusters), "cluster"), simulate.Span(long), when(sc.spec.Start), sc.seed)
	r.For(long)
	fmt.Fprintf(out, "\nThe fleet at %s\n\n", when(r.Now()))
	printFleet(out, r, sc.names)
	fmt.Fprintf(out, "\nWhat this policy did in %s\n\n", simulate.Span(long))
	printSummary(out, r.Summary())
	printReport(out, r.Report(), sc.names)
	fmt.Fprintf(out, "\nSeed %d: the same files and seed give the same output.\n", sc.seed)
	return nil
}

func printSummary(out io.Writer, s simulate.Summary) {
	var told []string
	all := 0
	for _, n := range []guard.News{guard.Opened, guard.Changed, guard.Reminded, guard.Recovered, guard.Closed, guard.Started, guard.Updated, guard.NotDone, guard.Lost} {
		if s.Told[n] > 0 {
			told = append(told, fmt.Sprintf("%d %s", s.Told[n], n))
			all += s.Told[n]
		}
	}
	kinds := ""
	if all > 0 {
		kinds = ": " + strings.Join(told, ", ")
	}
	digests := ""
	if n := s.Told[guard.Digested]; n > 0 {
		digests = "; and " + count(n, "digest")
	}
	for _, row := range []struct{ did, what string }{
		{"checked", fmt.Sprintf("%s, with %s of AWS", count(s.Checks, "time"), count(s.Calls, "call"))},
		{"changed", fmt.Sprintf("%s put, %d dropped; %s started, %d succeeded, %d failed",
			count(s.Alarms.Put, "alarm"), s.Alarms.Dropped, count(s.Updates.Started, "update"), s.Updates.Succeeded, s.Updates.Failed)},
		{"told", count(all, "message") + kinds + digests},
		{"held", count(s.Holds, "time") + "; what is held now is in the column HELD BY"},
		{"gave up", count(s.GivenUp, "event") + " in the failure queue"},
	} {
		fold(out, fmt.Sprintf("  %-7s  ", row.did), row.what)
	}
}

// opening is the first of the JSON lines, and ending the last. Those between are of type simulate.Line.
type opening struct {
	At     time.Time `json:"at"`
	What   string    `json:"what"` // start
	Seed   seed      `json:"seed"`
	Until  time.Time `json:"until"`
	Policy string    `json:"policy"` // its digest
}

type ending struct {
	At      time.Time        `json:"at"`
	What    string           `json:"what"` // end
	Seed    seed             `json:"seed"`
	Fleet   []simulate.Row   `json:"fleet"`
	Summary simulate.Summary `json:"summary"`
	Report  simulate.Report  `json:"report"`
}

func (sc *scene) asJSON(out io.Writer, long time.Duration) error {
	write := jsonPrinter(out)
	var failed error
	r, err := sc.start(func(l simulate.Line) { failed = errors.Join(failed, write(l)) })
	if err != nil {
		return err
	}
	defer r.Close()
	if err := write(opening{r.Now(), "start", sc.seed, r.Now().Add(long), sc.rules.Digest()}); err != nil {
		return err
	}
	r.For(long)
	return errors.Join(failed, write(ending{r.Now(), "end", sc.seed, r.Fleet(), r.Summary(), r.Report()}))
}
