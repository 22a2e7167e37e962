package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
	"github.com/cniguard/cniguard/internal/relief"
)

// explainRelief says what helps a cluster that is short of addresses, the most useful first, with commands and files ready to paste. What does
// not help here comes last, with the reason.
func explainRelief(out io.Writer, r guard.Relief) {
	if r.At.IsZero() {
		return
	}
	fmt.Fprintf(out, "\nWhat helps (types and ranges as read at %s)\n", when(r.At))
	if len(r.Sharers) > 0 {
		fold(out, "  shared with       ", strings.Join(r.Sharers, ", ")+": their pods use the fullest subnet, too")
	}
	for _, h := range relief.All(r.Facts) {
		if h.Not != "" {
			fold(out, fmt.Sprintf("  %-16s  ", h.Title), "not here: "+whole(h.Not))
			continue
		}
		fold(out, fmt.Sprintf("  %-16s  ", h.Title), whole(h.Effect))
		fold(out, "    risk            ", whole(h.Risk))
		for _, c := range h.Commands {
			fmt.Fprintln(out, "    $ "+strings.ReplaceAll(c, "\n", "\n      "))
		}
		for _, f := range h.Files {
			fmt.Fprintf(out, "    %s:\n      %s\n", f.Name, strings.ReplaceAll(strings.TrimSpace(f.Text), "\n", "\n      "))
		}
	}
}

// whole makes a text of cniguard's own printable, in which there are names that others gave. It is not cut: what is at its end matters, too.
func whole(text string) string { return plain.Clean(text, len(text)) }
