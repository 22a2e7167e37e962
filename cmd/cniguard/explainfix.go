package main

import (
	"fmt"
	"io"

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
	case f.Managed:
		fold(out, "  not now           ", f.Why)
	default:
		fold(out, "  not needed        ", f.Why)
		fold(out, "  or as an add-on   ", "EKS can take it over at "+f.Listed)
		command(remedy.Addon)
	}
}
