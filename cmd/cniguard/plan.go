package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cniguard/cniguard/internal/guard"
)

const aCluster = "one CLUSTER"

func planCommand() *cobra.Command {
	var s stage
	var at duration
	c := &cobra.Command{
		Use:   "plan CLUSTER --world WORLD --policy POLICY [--at 1d]",
		Short: "Show what cniguard would do with a cluster now, and what holds it back; nothing is changed",
		Long: `CLUSTER is the cluster's name, or ACCOUNT/REGION/NAME where several have that name.
The world runs until --at; then the cluster is read and a plan is made, as at each
check, and not carried out.`,
		Args:    want(1, 1, aCluster),
		Example: `  cniguard plan payments --world world.yaml --policy policy.yaml --at 2d`,
		RunE: func(c *cobra.Command, args []string) error {
			if s.world == "" {
				return errors.New("--world is missing: a plan is made of a cluster that is read, and only the functions may read those of the fleet; " +
					"`cniguard explain CLUSTER` shows what they decided last")
			}
			sc, err := s.read(c.ErrOrStderr())
			if err != nil {
				return err
			}
			id, err := sc.cluster(args[0])
			if err != nil {
				return err
			}
			r, err := sc.at(at, nil)
			if err != nil {
				return err
			}
			defer r.Close()
			in, p, err := r.Plan(id)
			if err != nil {
				return err
			}
			printPlan(c.OutOrStdout(), in, p, sc.names.Short(id.String()))
			return nil
		},
	}
	s.flags(c)
	instant(c, &at, "when the plan is made")
	return c
}

func printPlan(out io.Writer, in guard.Input, p guard.Plan, name string) {
	fmt.Fprintf(out, "%s at %s UTC: %s\n\n", in.ID, when(in.Seen.At), p.Verdict.Word)
	printAnswers(out, p.Verdict)
	fmt.Fprintln(out, "\nWhat is wrong")
	printFindings(out, p.Findings, func(guard.Code) string { return "" })
	nothing(out, len(p.Findings))
	fmt.Fprintln(out, "\nWhat would be done now")
	for _, a := range p.Actions {
		fold(out, "  ", a.String()+", because "+a.Why)
	}
	nothing(out, len(p.Actions))
	fmt.Fprintln(out, "\nWhat is held back, and who can open it")
	printHeld(out, p.Held, name)
	nothing(out, len(p.Held))
	if diff := p.Difference(""); len(diff) > 0 {
		fmt.Fprintln(out, "\nWhat the update would change")
		printDifference(out, diff)
	}
	if len(p.Path) > 0 {
		fmt.Fprintf(out, "\nPath  %s\nPlan  %s\n", strings.Join(p.Path, ", then "), p.Hash)
	}
}

// nothing says that a list has no entries.
func nothing(out io.Writer, n int) {
	if n == 0 {
		fmt.Fprintln(out, "  nothing")
	}
}
