package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cniguard/cniguard/internal/hub"
	"github.com/cniguard/cniguard/internal/remedy"
)

// method is a flag that takes a method of updating.
type method remedy.Method

func (m *method) String() string { return string(*m) }

// Type names the kind of value in the help.
func (m *method) Type() string { return "method" }

// Set reads the name of a method.
func (m *method) Set(text string) error {
	if !slices.Contains(remedy.Methods(), remedy.Method(text)) {
		return errors.New("allowed: " + methodNames())
	}
	*m = method(text)
	return nil
}

func methodNames() string {
	var names []string
	for _, m := range remedy.Methods() {
		names = append(names, string(m))
	}
	return strings.Join(names, ", ")
}

// fixing is how a fix is wanted.
type fixing struct {
	with   method
	whole  bool
	folder string
	asJSON bool
}

func fixCommand() *cobra.Command {
	var p place
	var f fixing
	c := &cobra.Command{
		Use:   "fix CLUSTER [--with METHOD] [--path] [--out DIR] [--json]",
		Short: "Say how to update a cluster's VPC CNI by hand, with the tool that it was installed with, ready to paste",
		Long: `CLUSTER is the cluster's name, or ACCOUNT/REGION/NAME where several have that name.
METHOD is a tool (docs/fix.md); without --with it is the one that fits who installed the
VPC CNI, or changed it last. There is the next step, or with --path every one:
what to look at before, the change, the wait, what proves it, and the way back. What
begins at the margin is to be pasted; all else is indented. Nothing is changed.

It is made of what the ledger has, as the last check left it. The values of the add-on's
configuration are not known to cniguard: the commands fetch them. With --world it is
about a simulated cluster.`,
		Args: want(1, 1, aCluster),
		Example: `  cniguard fix payments
  cniguard fix payments --with terraform --path
  cniguard fix 111122223333/eu-central-1/payments --with helm --out payments-fix
  cniguard fix payments --world world.yaml --policy policy.yaml --at 2d`,
		RunE: func(c *cobra.Command, args []string) error {
			simulated, err := p.simulated(c)
			if f.asJSON && f.folder != "" {
				err = errors.Join(err, errors.New("--json prints the fix, and --out writes it: take one of them away"))
			}
			switch {
			case err != nil:
				return err
			case simulated:
				_, x, err := p.stage.explained(c, args[0], p.at, nil)
				if err != nil {
					return err
				}
				return f.tell(c, x)
			}
			return p.atHub(c, func(ctx context.Context, d *desk) error {
				x, err := d.Explain(ctx, args[0])
				if err != nil {
					return err
				}
				return f.tell(c, x)
			})
		},
	}
	p.flags(c, "when it is asked in the world")
	c.Flags().Var(&f.with, "with", "the tool: "+methodNames()+" (default: the one that fits who installed it)")
	c.Flags().BoolVar(&f.whole, "path", false, "every step, not only the next")
	c.Flags().StringVar(&f.folder, "out", "", "write it into this folder, with its files, and print only what is written")
	c.Flags().BoolVar(&f.asJSON, "json", false, "as a JSON object (docs/fix.md)")
	return c
}

// tell prints or writes the fix of a cluster.
func (f fixing) tell(c *cobra.Command, x hub.Explanation) error {
	fix, err := x.Fix(remedy.Method(f.with), f.whole)
	switch {
	case err != nil:
		return fmt.Errorf("fix: %w", err)
	case f.asJSON:
		return printExact(c.OutOrStdout(), fix)
	case f.folder != "":
		return writeFix(c.OutOrStdout(), f.folder, fix)
	}
	printFix(c.OutOrStdout(), fix)
	return nil
}
