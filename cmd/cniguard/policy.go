package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/policy"
	"github.com/cniguard/cniguard/internal/policy/source"
)

func policyCommand() *cobra.Command {
	c := group(&cobra.Command{
		Use:     "policy",
		Short:   "Check a policy file, or compile it for the Lambda",
		Example: `  cniguard policy check policy.yaml`,
	})
	c.AddCommand(policyCheckCommand(), policyCompileCommand())
	return c
}

func policyCheckCommand() *cobra.Command {
	simulated := false
	c := &cobra.Command{
		Use:   "check POLICY [--simulated]",
		Short: "Check a policy file; every mistake is shown with its line and what is allowed",
		Args:  want(1, 1, "one POLICY"),
		Example: `  cniguard policy check policy.yaml
  cniguard policy check policy.yaml --simulated`,
		RunE: func(c *cobra.Command, args []string) error {
			p, err := readPolicy(args[0], simulated)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s is fine. It watches:\n", clean(args[0]))
			for _, u := range p.Units() {
				fmt.Fprintf(c.OutOrStdout(), "  account %s in %s\n", u.Account, u.Region)
			}
			fmt.Fprintf(c.OutOrStdout(), "Digest %s\n", p.Digest())
			return nil
		},
	}
	c.Flags().BoolVar(&simulated, "simulated", false, "check it for simulations, whose time is another: exemptions may be over")
	return c
}

func policyCompileCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "compile POLICY",
		Short:   "Write the compiled form that the Lambda reads",
		Args:    want(1, 1, "one POLICY"),
		Example: `  cniguard policy compile policy.yaml > policy.json`,
		RunE: func(c *cobra.Command, args []string) error {
			p, err := readPolicy(args[0], false)
			if err != nil {
				return err
			}
			return jsonPrinter(c.OutOrStdout())(p)
		},
	}
}

func readPolicy(file string, simulated bool) (*policy.Policy, error) {
	if simulated {
		return readFile("POLICY", file, readSimulated)
	}
	return readFile("POLICY", file, readHandedIn)
}

// readHandedIn reads a policy that is to be deployed.
func readHandedIn(file string, data []byte) (*policy.Policy, error) {
	return source.HandedIn(file, data, clock.Real{}.Now())
}
