package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/hub"
)

func statusCommand() *cobra.Command {
	var r reach
	var asJSON bool
	var policyFile string
	c := &cobra.Command{
		Use:   "status [--policy POLICY] [--json]",
		Short: "Show how every cluster of the fleet stands, the worst first",
		Long: `It is what the deployed hub's ledger has: of each cluster what the last check left, what
was not looked at for 12 hours, which is two sweeps, and what the last sweep of the whole
fleet covered. Nothing in the fleet is read.
With --policy, the policy that is deployed, what has left its fleet is named and no more.`,
		Args: noArguments(),
		Example: `  cniguard status
  cniguard status --profile ops --region eu-central-1
  cniguard status --json | jq '.clusters[] | select(.verdict == "critical")'`,
		RunE: func(c *cobra.Command, _ []string) error {
			units, err := unitsOf(policyFile)
			if err != nil {
				return err
			}
			return r.atHub(c, func(ctx context.Context, d *desk) error {
				s, err := d.Status(ctx, units)
				switch {
				case err != nil:
					return err
				case asJSON:
					return jsonPrinter(c.OutOrStdout())(s)
				}
				printStatus(c.OutOrStdout(), s)
				return nil
			})
		},
	}
	r.flags(c.Flags())
	c.Flags().BoolVar(&asJSON, "json", false, "as a JSON object (docs/commands.md)")
	c.Flags().StringVarP(&policyFile, "policy", "p", "", "policy file that is deployed (docs/policy.md)")
	return c
}

// screen is how wide the status is, where its words allow it.
const screen = 100

func printStatus(out io.Writer, s hub.Status) {
	fmt.Fprintf(out, "%s at %s. Times are UTC.\n", count(len(s.Clusters), "cluster"), when(s.At))
	var verdicts []string
	for _, w := range guard.Words() {
		if n := s.Verdicts[w]; n > 0 {
			verdicts = append(verdicts, fmt.Sprintf("%d %s", n, w))
		}
	}
	foldTo(out, screen, "", strings.Join(verdicts, ", "))
	if h := s.Halt; h != nil {
		word := map[guard.OrderKind]string{guard.Halting: "Halted", guard.TearingDown: "Torn down"}[h.Kind]
		foldTo(out, screen, "", fmt.Sprintf("%s by %s since %s: %s", word, clean(h.By), when(h.At), clean(h.Because)))
	}
	if s.Unsent > 0 {
		fmt.Fprintf(out, "%s not published yet\n", count(s.Unsent, "message"))
	}
	if s.Gathered > 0 {
		fmt.Fprintf(out, "%s for the next digests\n", count(s.Gathered, "message"))
	}
	printSweeps(out, s.Sweeps)
	names := shortest(s.Clusters)
	printStandings(out, s, names)
	section := func(title string, wanted func(hub.Standing) bool, print func(name string, c hub.Standing)) {
		for _, c := range s.Clusters {
			if wanted(c) {
				fmt.Fprint(out, title)
				title = ""
				print(names[c.Cluster], c)
			}
		}
	}
	section("\nWhat waits for an approval\n", func(c hub.Standing) bool { return len(c.Approve) > 0 }, func(name string, c hub.Standing) {
		foldTo(out, screen, "  ", clean(name)+" to "+strings.Join(c.Approve, ", then ")+":")
		fmt.Fprintf(out, "    cniguard approve %s --because WHY\n", clean(name))
	})
	section("\nNot looked at for 12 hours\n", func(c hub.Standing) bool { return c.Late }, func(name string, c hub.Standing) {
		foldTo(out, screen, "  ", fmt.Sprintf("%s, last at %s: %s", clean(name), when(c.Seen), clean(c.Because)))
	})
	printUnseen(out, s)
	printGaps(out, s.Sweeps)
}

// printSweeps writes when a sweep finished last, and how much of the fleet it covered.
func printSweeps(out io.Writer, s hub.Sweeps) {
	switch c := s.Finished; {
	case c == nil:
		foldTo(out, screen, "", "No sweep of the whole fleet is known to have finished")
	case s.Late:
		foldTo(out, screen, "", fmt.Sprintf("No sweep has finished for 12 hours; the last did at %s, %s", when(c.Closed), covered(c)))
	default:
		foldTo(out, screen, "", fmt.Sprintf("Last sweep finished at %s, %s", when(c.Closed), covered(c)))
	}
	if c := s.GivenUp; c != nil {
		foldTo(out, screen, "", fmt.Sprintf("The sweep that began at %s did not finish, %s", when(c.Begun), covered(c)))
	}
}

// covered is how much of the fleet a sweep covered.
func covered(c *check.Coverage) string {
	text := fmt.Sprintf("%d of %s checked", c.Checked, count(c.Clusters, "cluster"))
	if n := c.Unfinished.Count + c.NotListed.Count; n > 0 {
		text += fmt.Sprintf(", %d of %d accounts and regions not covered", n, c.Units)
	}
	return text
}

// printGaps writes what the newest sweep left out.
func printGaps(out io.Writer, s hub.Sweeps) {
	c := s.Newest()
	if c == nil {
		return
	}
	title := fmt.Sprintf("\nWhat the sweep that began at %s did not cover\n", when(c.Begun))
	for _, gaps := range []check.Gaps{c.Unfinished, c.NotListed, c.NotChecked} {
		for _, g := range gaps.Some {
			fmt.Fprint(out, title)
			title = ""
			foldTo(out, screen, "  ", clean(g.What)+": "+clean(g.Because))
		}
		if more := gaps.Count - len(gaps.Some); more > 0 {
			fmt.Fprint(out, title)
			title = ""
			fmt.Fprintf(out, "  and %d more\n", more)
		}
	}
}

// printUnseen writes what nobody looks into: accounts and regions that are shut, and what left the fleet.
func printUnseen(out io.Writer, s hub.Status) {
	for i, u := range s.Shut {
		if i == 0 {
			fmt.Fprintln(out, "\nAccounts and regions whose clusters cannot be listed")
		}
		foldTo(out, screen, "  ", fmt.Sprintf("%s in %s, since %s: %s", u.Account, u.Region, when(u.Since), clean(u.Because)))
	}
	if len(s.Left) == 0 {
		return
	}
	names := make([]string, len(s.Left))
	for i, name := range s.Left {
		names[i] = clean(name)
	}
	fmt.Fprintln(out)
	foldTo(out, screen, "", "No longer in the policy's fleet: "+strings.Join(names, ", "))
}

// printStandings writes a line a cluster. What does not fit is the beginning of a long name.
func printStandings(out io.Writer, s hub.Status, names map[string]string) {
	if len(s.Clusters) == 0 {
		return
	}
	rows := [][]string{{"VERDICT", "VPC-CNI", "CAPACITY", "CHANGE", "SINCE", "NEXT"}}
	for _, c := range s.Clusters {
		rows = append(rows, []string{brief(c.Verdict), cmp.Or(c.VPCCNI, "-"), brief(c.Capacity), c.Change, age(s.At.Sub(c.Since)), next(c, s.At)})
	}
	widest := 0
	for _, line := range aligned(rows) {
		widest = max(widest, utf8.RuneCountInString(line))
	}
	room := max(12, screen-widest-2)
	for i, name := range slices.Concat([]string{"CLUSTER"}, cells(s.Clusters, names)) {
		rows[i] = append([]string{fromEnd(clean(name), room)}, rows[i]...)
	}
	fmt.Fprintln(out)
	table(out, "", rows)
}

func cells(clusters []hub.Standing, names map[string]string) []string {
	all := make([]string, len(clusters))
	for i, c := range clusters {
		all[i] = names[c.Cluster]
	}
	return all
}

// shortest names each cluster by its bare name, or as ACCOUNT/REGION/NAME where several have that.
func shortest(clusters []hub.Standing) map[string]string {
	bare := func(c hub.Standing) string { return c.Cluster[strings.LastIndexByte(c.Cluster, '/')+1:] }
	times := map[string]int{}
	for _, c := range clusters {
		times[bare(c)]++
	}
	names := map[string]string{}
	for _, c := range clusters {
		names[c.Cluster] = c.Cluster
		if times[bare(c)] == 1 {
			names[c.Cluster] = bare(c)
		}
	}
	return names
}

// fromEnd cuts the beginning of a name that is too long: the end tells clusters of one account apart.
func fromEnd(name string, most int) string {
	runes := []rune(name)
	if len(runes) <= most {
		return name
	}
	return "…" + string(runes[len(runes)-most+1:])
}

func brief(word string) string {
	if word == guard.NotApplicable {
		return "n/a"
	}
	return word
}

// next is what comes next for a cluster.
func next(c hub.Standing, now time.Time) string {
	switch {
	case len(c.Approve) > 0:
		return "approval"
	case c.Next.IsZero(), c.Next.Sub(c.Seen) > event.SweepEvery: // what is due later is seen by a sweep before
		return "sweep"
	case !c.Next.After(now):
		return "now"
	case c.Next.Sub(now) < day:
		return c.Next.UTC().Format("15:04")
	}
	return c.Next.UTC().Format("01-02 15:04")
}

// age writes how long something has lasted in its largest unit.
func age(d time.Duration) string {
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(max(0, d).Minutes()))
	case d < 2*day:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d/day))
}
