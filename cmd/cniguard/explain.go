package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/hub"
	"github.com/cniguard/cniguard/internal/simulate"
)

func explainCommand() *cobra.Command {
	var p place
	c := &cobra.Command{
		Use:   "explain CLUSTER [--world WORLD --policy POLICY [--at 1d]]",
		Short: "Say why cniguard did or did not act on a cluster, what it knows of it, what helps, and what comes next",
		Long: `CLUSTER is the cluster's name, or ACCOUNT/REGION/NAME where several have that name.
There is what the ledger has of it, as the last check left it: the answers with their
reasons, what helps where addresses are short (effect, risk and commands), how to update
the VPC CNI by hand, what was told,
which alarm the policy lists and is not made, what is held by which gate and who can open
it, what people ordered, and what comes next. The cluster itself is not read: only the
functions may.

With --world it is a simulated cluster. The world runs until --at, and then the cluster
is read, so that there is also what happened, what would be decided now, and which rule
of the policy gave which setting.`,
		Args: want(1, 1, aCluster),
		Example: `  cniguard explain payments
  cniguard explain 111122223333/eu-central-1/payments --profile ops --region eu-central-1
  cniguard explain payments --world world.yaml --policy policy.yaml --at 2d`,
		RunE: func(c *cobra.Command, args []string) error {
			simulated, err := p.simulated(c)
			switch {
			case err != nil:
				return err
			case simulated:
				return p.stage.explain(c, args[0], p.at)
			}
			return p.atHub(c, func(ctx context.Context, d *desk) error {
				x, err := d.Explain(ctx, args[0])
				if err == nil {
					explain(c.OutOrStdout(), x, nil, args[0])
				}
				return err
			})
		},
	}
	p.flags(c, "when it is asked in the world")
	return c
}

func (s *stage) explain(c *cobra.Command, name string, at duration) error {
	var past []simulate.Line
	sc, x, err := s.explained(c, name, at, &past)
	if err == nil {
		explain(c.OutOrStdout(), x, past, sc.names.Short(x.Cluster.String()))
	}
	return err
}

// explained runs the world for a time and gathers what there is to say of a cluster then and, unless nobody wants it, what happened until then.
func (s *stage) explained(c *cobra.Command, name string, at duration, past *[]simulate.Line) (scene, hub.Explanation, error) {
	var none hub.Explanation
	sc, err := s.read(c.ErrOrStderr())
	if err != nil {
		return sc, none, err
	}
	id, err := sc.cluster(name)
	if err != nil {
		return sc, none, err
	}
	var lines []simulate.Line
	r, err := sc.at(at, func(l simulate.Line) {
		if l.Cluster == id.String() && l.What != simulate.HeldBack {
			lines = append(lines, l)
		}
	})
	if err != nil {
		return sc, none, err
	}
	defer r.Close()
	if past != nil {
		*past = lines // more may happen while the cluster is read
	}
	x, err := r.Explain(c.Context(), id)
	return sc, x, err
}

// explain answers in the order in which somebody asks who was woken by a message.
func explain(out io.Writer, x hub.Explanation, past []simulate.Line, name string) {
	fmt.Fprintf(out, "%s at %s. Times are UTC.\n\n", x.Cluster, when(x.At))
	fold(out, "  ", x.Answer())
	if x.Unseen == "" {
		explainState(out, x)
		explainRelief(out, x.Plan.Relief)
		explainFix(out, x)
		explainStuck(out, x)
		fmt.Fprintln(out, "\nWhat is held back, and who can open it")
		printHeld(out, x.Plan.Held, name)
		nothing(out, len(x.Plan.Held))
	}
	explainOrders(out, x)
	if x.Read || x.Unseen != "" {
		explainPast(out, past)
	}
	if x.Unseen == "" {
		explainNext(out, x)
	}
	if x.Read {
		explainSettings(out, x)
	}
}

func explainState(out io.Writer, x hub.Explanation) {
	since := ""
	if x.Known && x.Record.Verdict.Word == x.Plan.Verdict.Word {
		since = " since " + when(x.Record.Since)
	}
	last := "not checked yet"
	if x.Known {
		last = "last checked at " + when(x.Record.Seen)
	}
	cni := "vpc-cni " + clean(cmp.Or(x.Version, "unknown"))
	if w := x.Plan.Verdict.Install.Word; w == guard.None || w == guard.Other {
		cni = "no vpc-cni"
	}
	fmt.Fprintf(out, "\nHow it stands: %s%s, %s, %s\n", x.Plan.Verdict.Word, since, cni, last)
	printAnswers(out, x.Plan.Verdict)
	if o := x.Record.Outlook; !o.At.IsZero() {
		fold(out, "  outlook   ", fmt.Sprintf("%s (as of %s)", o, when(o.At)))
	}
	for _, f := range x.Plan.Unmade {
		fold(out, "  no alarm  ", f.Name+" is not made: "+clean(f.Value))
	}
	explainNode(out, x.Node)
	fmt.Fprintln(out, "\nWhat is wrong")
	printFindings(out, x.Plan.Findings, func(c guard.Code) string { return toldOf(x.Record, c, x.At) })
	unseen := printPast(out, x.Record)
	for _, code := range slices.Sorted(maps.Keys(x.Record.Told)) {
		if !slices.ContainsFunc(x.Plan.Findings, func(f guard.Finding) bool { return f.Code == code }) {
			before := "was found before, and is not seen now; "
			if !x.Read {
				before = "was found; "
			}
			fold(out, fmt.Sprintf("  %-16s  ", code), before+toldOf(x.Record, code, x.At))
			unseen++
		}
	}
	nothing(out, len(x.Plan.Findings)+unseen)
}

// explainNode tells of an aws-node that EKS does not manage, as the cluster's own API did.
func explainNode(out io.Writer, n *guard.DaemonSet) {
	if n == nil {
		return
	}
	heading := "What runs inside: DaemonSet aws-node"
	if !n.At.IsZero() {
		heading += ", as read at " + when(n.At)
	}
	fmt.Fprintln(out, "\n"+heading)
	row := func(name, text string) {
		if text != "" {
			fold(out, fmt.Sprintf("  %-16s  ", name), text)
		}
	}
	row("image", n.Image)
	if n.Version.Known() {
		row("version", n.Raw+", from "+n.From)
	} else {
		row("version", "unknown: "+n.From)
	}
	row("written for", n.Manifest)
	row("init image", n.Init)
	row("node agent", n.Agent)
	row("installed by", n.By.String())
	for _, e := range n.By.Evidence {
		row("", e)
	}
	row("nodes", rolledOut(*n))
	row("role", n.Role)
	for _, f := range n.Env {
		row("environment", f.Name+"="+f.Value)
	}
	if len(n.Other) > 0 {
		row("also set", strings.Join(n.Other, ", ")+" (values are not kept)")
	}
	for _, f := range n.ENIConfigs {
		row("ENIConfig", f.Name+": "+f.Value)
	}
	for _, why := range n.Unread {
		row("not read", why)
	}
}

// rolledOut is on how many nodes an aws-node runs.
func rolledOut(n guard.DaemonSet) string {
	switch {
	case n.Desired == 0:
		return "none"
	case n.Settled:
		return strconv.Itoa(n.Desired)
	}
	return fmt.Sprintf("%d of %d, being rolled out", n.Updated, n.Desired)
}

// toldOf says what people know of a finding, and whether somebody silenced it.
func toldOf(rec guard.Record, code guard.Code, now time.Time) string {
	t := rec.Told[code]
	waits := slices.ContainsFunc(rec.Outbox, func(m guard.Message) bool {
		return m.Finding.Code == code && m.Lane == guard.InDigest && !m.Digested
	})
	text := "not told yet"
	switch {
	case t.Times == 1 && waits:
		text = "waits for the next digest since " + when(t.Last)
	case t.Times == 1:
		text = "told once, at " + when(t.Last)
	case t.Times > 1:
		text = fmt.Sprintf("told %s since %s, last at %s", count(t.Times, "time"), when(t.First), when(t.Last))
		if waits {
			text += ", which waits for the next digest"
		}
	}
	if word := t.Silenced(now); word != nil {
		done := map[guard.OrderKind]string{guard.Muting: "muted", guard.Acknowledging: "acknowledged"}[word.Kind]
		text += fmt.Sprintf("; %s by %s until %s: %s", done, clean(word.By), when(word.Until), clean(word.Because))
	}
	return text
}

// printPast tells of what is over and may come back before people are told so.
func printPast(out io.Writer, rec guard.Record) (n int) {
	for _, code := range slices.Sorted(maps.Keys(rec.Past)) {
		if p := rec.Past[code]; !p.Out {
			fold(out, fmt.Sprintf("  %-16s  ", code), fmt.Sprintf("over since %s; people are told so at %s, unless it comes back", when(p.Over), when(p.Believed())))
			n++
		}
	}
	return n
}

func explainOrders(out io.Writer, x hub.Explanation) {
	if len(x.Orders) == 0 && x.Halt == nil {
		return
	}
	fmt.Fprintln(out, "\nWhat people ordered")
	orders := x.Orders
	if x.Halt != nil {
		orders = append(slices.Clone(orders), *x.Halt)
	}
	for _, o := range orders {
		kind := string(o.Kind)
		if of := cmp.Or(strings.Join(o.Steps, ", then "), clean(string(o.Finding))); of != "" {
			kind += " of " + of
		}
		text := fmt.Sprintf("%s by %s: %s", kind, clean(o.By), clean(o.Because))
		if end := ended(o, x.Orders, x.At); end != "" {
			text += " (" + end + ")"
		}
		fold(out, "  "+when(o.At)+"  ", text)
	}
}

// ended says until when an order holds, or why it does not; empty: there is no more to say.
func ended(o guard.Order, orders []guard.Order, now time.Time) string {
	switch word := guard.Word(orders, o.Finding, now); {
	case o.Kind == guard.Unmuting: // it has an end only so that it can be forgotten
		return ""
	case o.Until.IsZero():
		return ""
	case !o.Until.After(now):
		return "ended " + when(o.Until)
	case o.Kind.OnFinding() && !slices.Contains(guard.Answerable(), o.Finding):
		return "there is no such finding"
	case o.Kind.OnFinding() && (word == nil || word.By != o.By):
		return "a newer word counts"
	}
	return "until " + when(o.Until)
}

func explainPast(out io.Writer, past []simulate.Line) {
	fmt.Fprintln(out, "\nWhat happened so far")
	const most = 12
	if left := len(past) - most; left > 0 {
		fmt.Fprintf(out, "  (%d earlier lines; simulate shows all)\n", left)
		past = past[left:]
	}
	for _, l := range past {
		printLine(out, "  "+when(l.At)+"  ", l)
	}
	nothing(out, len(past))
}

func explainNext(out io.Writer, x hub.Explanation) {
	fmt.Fprintln(out, "\nWhat comes next")
	if len(x.Plan.Path) > 0 {
		fold(out, "  path              ", strings.Join(x.Plan.Path, ", then "))
	}
	if n := len(x.Record.Outbox); n > 0 {
		fmt.Fprintf(out, "  %s waiting to be published\n", count(n, "message"))
	}
	switch {
	case x.Next.IsZero():
		fmt.Fprintln(out, "  the next sweep looks at it, at most 6 hours after the last; an event may come before")
	default:
		fmt.Fprintf(out, "  %s  the %s looks at it; an event may come before\n", when(x.Next), x.By)
	}
}

func explainSettings(out io.Writer, x hub.Explanation) {
	fmt.Fprintln(out, "\nWhich rule gave which setting")
	var rows [][]string
	for _, o := range x.Settings {
		rows = append(rows, []string{o.Field, o.Value, o.By})
		for _, kept := range o.Kept {
			rows = append(rows, []string{"", "", kept + " selects by tags and would loosen it: not applied"})
		}
	}
	table(out, "  ", rows)
	if x.Tagless {
		fmt.Fprintln(out, "  The cluster's tags could not be read, so rules that select by tags are left out here.")
	}
}
