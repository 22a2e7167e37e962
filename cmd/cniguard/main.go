// Command cniguard is cniguard at a person's desk: it shows how the deployed hub's fleet stands and takes people's orders, and it runs
// the product's engine on a simulated world.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cniguard/cniguard/internal/plain"
	"github.com/cniguard/cniguard/internal/strictyaml"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		os.Exit(1)
	}
}

// run is the whole command. What is wrong is printed to stderr, and returned so that the exit code is 1. Whatever is printed, no
// control or bidirectional character gets out.
func run(args []string, stdout, stderr io.Writer) error {
	buffer := bufio.NewWriter(stdout)
	out := plain.Writer(buffer)
	stderr = plain.Writer(stderr)
	c := command()
	c.SetArgs(args)
	c.SetOut(out)
	c.SetErr(stderr)
	err := errors.Join(c.Execute(), buffer.Flush())
	for _, mistake := range mistakes(err) {
		fmt.Fprintln(stderr, mistake)
	}
	return err
}

// mistakes lists what is wrong, a line each. A mistake in a file begins with its place, so that editors can go there.
func mistakes(err error) []string {
	var joined interface{ Unwrap() []error }
	var inFile strictyaml.Errors
	switch {
	case err == nil:
		return nil
	case errors.As(err, &joined):
		var all []string
		for _, one := range joined.Unwrap() {
			all = append(all, mistakes(one)...)
		}
		return all
	case errors.As(err, &inFile):
		all := make([]string, len(inFile))
		for i, m := range inFile {
			all[i] = cleanLine(m.Error())
		}
		return all
	}
	return []string{"cniguard: " + cleanLine(err.Error())}
}

func command() *cobra.Command {
	root := group(&cobra.Command{
		Use:   "cniguard",
		Short: "Watches the VPC CNI of EKS clusters: look at the fleet, give orders, try a policy",
		Long: `cniguard watches the Amazon VPC CNI of EKS clusters: it checks the version, keeps an
alarm on the IP addresses that pods use, tells people, and updates the add-on step
by step where a policy allows it.

This command looks at what is deployed and gives it orders, with your own credentials
(docs/commands.md). It also runs the same engine as the Lambda function on a simulated
AWS that a world file describes (docs/simulate.md), with a policy (docs/policy.md); that
needs no account and never calls AWS. Start with "cniguard demo".`,
		Example: `  cniguard demo
  cniguard demo --files demo
  cniguard simulate --world demo/world.yaml --policy demo/policy.yaml --for 7d
  cniguard explain batch --world demo/world.yaml --policy demo/policy.yaml
  cniguard status`,
		SilenceErrors: true,
		SilenceUsage:  true,
	})
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%w; see %q", err, c.CommandPath()+" --help")
	})
	root.SetHelpCommand(helpCommand())
	root.AddCommand(
		demoCommand(), simulateCommand(), replayCommand(), planCommand(), explainCommand(), fixCommand(),
		approveCommand(), denyCommand(), muteCommand(), unmuteCommand(), ackCommand(), haltCommand(), resumeCommand(), statusCommand(),
		failedCommand(), notifyCommand(), doctorCommand(), teardownCommand(), policyCommand(), packageCommand(), versionCommand(),
	)
	ownUsage(root)
	return root
}

// ownUsage leaves the usage lines as they are written: each says which flags there are.
func ownUsage(c *cobra.Command) {
	c.DisableFlagsInUseLine = true
	for _, sub := range c.Commands() {
		ownUsage(sub)
	}
}

// group makes a command that only has others below it.
func group(c *cobra.Command) *cobra.Command {
	c.Args = cobra.ArbitraryArgs
	c.SuggestionsMinimumDistance = 2
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		return unknown(c, args[0])
	}
	return c
}

// unknown is the mistake of a name that is no command of a group. It names those there are.
func unknown(c *cobra.Command, name string) error {
	hint := ""
	if near := c.SuggestionsFor(name); len(near) > 0 {
		hint = "did you mean " + near[0] + "? "
	}
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return fmt.Errorf("%q is not a command of %s; %sallowed: %s", name, c.CommandPath(), hint, strings.Join(names, ", "))
}

func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Help about any command",
		Example: `  cniguard help simulate`,
		RunE: func(c *cobra.Command, args []string) error {
			found, rest, err := c.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknown(found, args[len(args)-1])
			}
			found.InitDefaultHelpFlag()
			return found.Help()
		},
	}
}

// want checks the number of arguments; what names them for people.
func want(least, most int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) >= least && len(args) <= most {
			return nil
		}
		return fmt.Errorf("%s takes %s, and was given %d; usage: %s", c.Name(), what, len(args), c.UseLine())
	}
}

// noArguments refuses arguments.
func noArguments() cobra.PositionalArgs { return want(0, 0, "no arguments") }
