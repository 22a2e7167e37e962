package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/cniguard/cniguard/internal/hub"
	"github.com/cniguard/cniguard/internal/plain"
	"github.com/cniguard/cniguard/internal/remedy"
)

// explainFix says how a person updates the VPC CNI without cniguard, where there is something to update.
func explainFix(out io.Writer, x hub.Explanation) {
	f, err := x.Facts()
	if err != nil {
		return
	}
	command := func(m remedy.Method) {
		fmt.Fprintln(out, "    $ "+plain.Command("cniguard", "fix", x.Cluster.String(), "--with", string(m)))
	}
	fmt.Fprintln(out, "\nHow to update it by hand")
	switch m, because := hub.Suggest(f); {
	case !f.Version.Known() || len(f.Path) == 0 && f.Listed == "":
		fold(out, "  not now           ", f.Why)
	case len(f.Path) > 0:
		fold(out, fmt.Sprintf("  %-16s  ", "with "+string(m)), because)
		command(m)
		explainChange(out, x, m)
	case f.Managed:
		fold(out, "  not now           ", f.Why)
	default:
		fold(out, "  not needed        ", f.Why)
		fold(out, "  or as an add-on   ", "EKS can take it over at "+f.Listed)
		command(remedy.Addon)
	}
}

// mostLines is how many lines the commands of a change may have to stand in an explanation. What needs files is for cniguard fix.
const mostLines = 8

// explainChange writes the commands of the next step's change where they are few, and stand for themselves: other tools apply what was planned before.
func explainChange(out io.Writer, x hub.Explanation, m remedy.Method) {
	fix, err := x.Fix(m, false)
	if err != nil || m != remedy.Addon {
		return
	}
	change := fix.Steps[0].Change
	text := strings.Join(change.Run, "\\\n")
	whole := strings.ReplaceAll(text, "\\\n", "") // a line end within quotes is part of a value, and nothing may stand before it
	if len(change.Files) > 0 || text == "" || strings.Count(text, "\n") >= mostLines || strings.ContainsFunc(whole, unseen) || strings.Contains(whole, "\n") {
		return
	}
	fold(out, "    next step       ", fmt.Sprintf("to %s; it alone, after the checks that cniguard fix has", fix.Steps[0].To))
	for _, c := range change.Run {
		fmt.Fprintln(out, "    $ "+strings.ReplaceAll(c, "\n", "\n      "))
	}
}
