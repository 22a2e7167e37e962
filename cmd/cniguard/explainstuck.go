package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/hub"
	"github.com/cniguard/cniguard/internal/notify"
)

// explainStuck has the text of a case for AWS Support where a change of the add-on does not end. Without a reading of the cluster there is what
// the ledger has of the step.
func explainStuck(out io.Writer, x hub.Explanation) {
	f, is := x.Record.Stuck(x.At)
	if i := slices.IndexFunc(x.Plan.Findings, func(f guard.Finding) bool { return f.Code == guard.UpdateStuck }); i >= 0 {
		f, is = x.Plan.Findings[i], true
	}
	if !is {
		return
	}
	fmt.Fprintln(out, "\nFor a case with AWS Support")
	for _, line := range notify.Support(x.Cluster, f) {
		fmt.Fprintln(out, "  "+cleanLine(line))
	}
}
