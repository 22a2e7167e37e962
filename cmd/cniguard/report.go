package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/simulate"
)

// printReport writes what the policy would have done to the fleet: changes, messages and cost.
func printReport(out io.Writer, r simulate.Report, names simulate.Names) {
	fmt.Fprint(out, "\nWhat would have been changed, and what held it\n\n")
	printChanges(out, r.Changes, names)
	fmt.Fprint(out, "\nWho would have been told, by day\n\n")
	printPages(out, r.Pages)
	fmt.Fprintf(out, "\nWhat it would have cost\n\n  %s, %.2f USD a month with their metrics (list prices of us-east-1)\n", count(r.Cost.Alarms, "alarm"), r.Cost.USD)
}

func printChanges(out io.Writer, changes []simulate.Changes, names simulate.Names) {
	if len(changes) == 0 {
		fmt.Fprintln(out, "  nothing: no update was wanted")
		return
	}
	rows := [][]string{{"CLUSTER", "STARTED", "PROVED", "FAILED", "SET ASIDE", "HELD BY, FOR"}}
	for _, c := range changes {
		var held []string
		for _, h := range c.Held {
			held = append(held, h.Gate+" "+simulate.Span(time.Duration(h.Minutes)*time.Minute))
		}
		row := []string{names.Short(c.Cluster)}
		for _, n := range []int{c.Started, c.Proved, c.Failed, c.SetAside} {
			row = append(row, strconv.Itoa(n))
		}
		rows = append(rows, append(row, strings.Join(held, ", ")))
	}
	table(out, "  ", rows)
}

// printPages writes a line a day: what people got at once, the digests, and what waited for one.
func printPages(out io.Writer, pages []simulate.Pages) {
	if len(pages) == 0 {
		fmt.Fprintln(out, "  nobody: nothing was the matter")
		return
	}
	rows := [][]string{{"DAY", "AT ONCE", "DIGESTS", "IN A DIGEST"}}
	for len(pages) > 0 {
		n := slices.IndexFunc(pages, func(p simulate.Pages) bool { return p.Day != pages[0].Day })
		if n < 0 {
			n = len(pages)
		}
		digests := 0
		for _, p := range pages[:n] {
			if p.Lane == simulate.PageDigest {
				digests += p.Messages
			}
		}
		rows = append(rows, []string{pages[0].Day, bySeverity(pages[:n], simulate.PageAtOnce), strconv.Itoa(digests), bySeverity(pages[:n], simulate.PageInDigest)})
		pages = pages[n:]
	}
	table(out, "  ", rows)
}

// bySeverity writes how many messages of a lane there are, the worst first, and which of them end a matter.
func bySeverity(pages []simulate.Pages, lane string) string {
	of, over := map[string]int{}, 0
	for _, p := range pages {
		switch {
		case p.Lane != lane:
			continue
		case p.News == guard.Recovered || p.News == guard.Closed:
			over += p.Messages
		default:
			of[p.Severity] += p.Messages
		}
	}
	var parts []string
	for _, s := range []guard.Severity{guard.Critical, guard.Warning, guard.Info} {
		if n := of[s.String()]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	if over > 0 {
		parts = append(parts, fmt.Sprintf("%d over", over))
	}
	return cmp.Or(strings.Join(parts, ", "), "0")
}
