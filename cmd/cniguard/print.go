package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/hub"
	"github.com/cniguard/cniguard/internal/plain"
	"github.com/cniguard/cniguard/internal/simulate"
)

// width is how many columns text for people has, where its words allow it.
const width = 110

// clean makes one text that others wrote safe to print.
func clean(s string) string { return plain.Clean(s, plain.Text) }

// cleanLine makes a line safe to print that several texts make up.
func cleanLine(s string) string { return plain.Clean(s, plain.Line) }

// when writes an instant. Every output says once that times are UTC.
func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

// count writes a number of things, in groups of three digits.
func count(n int, thing string) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if n != 1 {
		thing += "s"
	}
	return digits + " " + thing
}

// fold writes text behind a lead, wrapped between words; its further lines begin below the first, and never at the margin, where a
// word of others could pose as a line of ours.
func fold(out io.Writer, lead, text string) { foldTo(out, width, lead, text) }

// foldTo folds text to a number of columns.
func foldTo(out io.Writer, columns int, lead, text string) {
	indent := max(2, utf8.RuneCountInString(lead))
	line, fresh := lead, true
	for _, word := range strings.Fields(cleanLine(text)) {
		switch {
		case fresh:
			line += word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > columns:
			fmt.Fprintln(out, line)
			line = strings.Repeat(" ", indent) + word
		default:
			line += " " + word
		}
		fresh = false
	}
	fmt.Fprintln(out, strings.TrimRight(line, " "))
}

// printer writes lines for people: virtual time, cluster, what, and below it why.
func printer(out io.Writer, sc scene) func(simulate.Line) {
	column := 1
	for _, c := range sc.spec.Clusters {
		column = max(column, len(sc.names.Short(c.Account+"/"+c.Region+"/"+c.Name)))
	}
	return func(l simulate.Line) {
		name := clean(cmp.Or(sc.names.Short(l.Cluster), "-"))
		printLine(out, fmt.Sprintf("%s  %-*s  ", when(l.At), column, name), l)
	}
}

// printLine writes a line behind a lead that tells when and where. A message's subject is without the cluster's name there.
func printLine(out io.Writer, lead string, l simulate.Line) {
	if l.What == simulate.Told || l.What == simulate.ForDigest {
		name := l.Cluster[strings.LastIndexByte(l.Cluster, '/')+1:]
		l.Text = strings.Replace(l.Text, ": "+name+": ", ": ", 1)
	}
	fold(out, fmt.Sprintf("%s%-14s  ", lead, l.What), l.Text)
	if l.Why != "" {
		fold(out, fmt.Sprintf("%*s%-14s  ", utf8.RuneCountInString(lead), "", "because"), l.Why)
	}
}

// jsonPrinter writes anything as a line of JSON.
func jsonPrinter(out io.Writer) func(any) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	return enc.Encode
}

// table writes rows of cells in aligned columns.
func table(out io.Writer, indent string, rows [][]string) {
	for _, line := range aligned(rows) {
		fmt.Fprintln(out, strings.TrimRight(indent+line, " "))
	}
}

// aligned are rows of cells as lines with aligned columns.
func aligned(rows [][]string) []string {
	var widths []int
	for _, row := range rows {
		for i := range row {
			row[i] = clean(row[i])
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	lines := make([]string, len(rows))
	for n, row := range rows {
		for i, cell := range row {
			lines[n] += cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2)
		}
		lines[n] = strings.TrimRight(lines[n], " ")
	}
	return lines
}

func printFleet(out io.Writer, r *simulate.Run, names simulate.Names) {
	rows := [][]string{{"CLUSTER", "VERDICT", "VPC-CNI", "INSTALL", "VERSION", "CAPACITY", "CHANGE", "HELD BY"}}
	for _, c := range r.Fleet() {
		row := []string{names.Short(c.Cluster), c.Verdict}
		if c.Checked {
			row = append(row, cmp.Or(c.VPCCNI, "-"), c.Install, c.Version, c.Capacity, c.Change, strings.Join(c.HeldBy, ", "))
		}
		rows = append(rows, row)
	}
	table(out, "", rows)
}

func printAnswers(out io.Writer, v guard.Verdict) {
	for _, a := range []struct {
		name string
		guard.Answer
	}{{"install", v.Install}, {"version", v.Version}, {"capacity", v.Capacity}, {"change", v.Change}} {
		fold(out, fmt.Sprintf("  %-8s  %-14s  ", a.name, a.Word), clean(a.Because))
	}
}

// printHeld writes what is held back, and of each gate who can open it.
func printHeld(out io.Writer, held []guard.Held, name string) {
	for _, h := range held {
		fold(out, "  ", h.Action.String())
		for _, r := range h.By {
			fold(out, fmt.Sprintf("    %-9s  ", r.Gate), clean(r.Text))
			fold(out, fmt.Sprintf("    %-9s  opens: ", ""), hub.Opens(r, name))
		}
	}
}

// printDifference writes what an update would change, and what it leaves as it is.
func printDifference(out io.Writer, facts []guard.Fact) {
	for _, f := range facts {
		fold(out, fmt.Sprintf("  %-20s  ", f.Name), f.Value)
	}
}

// printFindings writes findings with what was seen, and what told says of each.
func printFindings(out io.Writer, findings []guard.Finding, told func(guard.Code) string) {
	for _, f := range findings {
		var facts []string
		for _, fact := range f.Facts {
			facts = append(facts, fact.Name+": "+clean(fact.Value))
		}
		fold(out, fmt.Sprintf("  %-16s  %-8s  ", f.Code, f.Severity), strings.Join(facts, "; "))
		if text := told(f.Code); text != "" {
			fold(out, fmt.Sprintf("  %-16s  %-8s  ", "", ""), text)
		}
	}
}
