package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/cniguard/cniguard/internal/hub"
	"github.com/cniguard/cniguard/internal/plain"
	"github.com/cniguard/cniguard/internal/remedy"
)

// printFix writes a fix for a person. What begins at the margin is to be pasted as it is: a line that is indented within quotes would be another value.
// All else is indented.
func printFix(out io.Writer, f hub.Fix) { sheet{out: out}.fix(f) }

// sheet is what a fix is written on.
type sheet struct {
	out io.Writer
	// written is true where the files stand beside it, in a folder for each step; else their text is in it.
	written bool
}

func (s sheet) fix(f hub.Fix) {
	to := f.Steps[len(f.Steps)-1].To
	if len(f.Left) > 0 {
		to = f.Left[len(f.Left)-1]
	}
	all := len(f.Steps) + len(f.Left)
	fold(s.out, "  ", fmt.Sprintf("%s: from %s to %s in %s, with %s, since %s. The cluster was read at %s UTC.",
		f.Cluster, f.Steps[0].From, to, count(all, "step"), f.Method, f.Because, when(f.Seen)))
	s.notes(f.Notes)
	for i, p := range f.Room {
		s.part(fmt.Sprintf("First make room, %d of %d", i+1, len(f.Room)), p, roomFolder)
	}
	for i, step := range f.Steps {
		s.step(i+1, all, step)
	}
	if len(f.Left) > 0 {
		fmt.Fprintln(s.out)
		fold(s.out, "  ", fmt.Sprintf("After that: %s. --path has every step.", strings.Join(f.Left, ", then ")))
	}
	fmt.Fprintln(s.out)
	fold(s.out, "  Checked: ", f.Checked)
	if f.Unchecked != "" {
		fold(s.out, "  Not machine-checked: ", f.Unchecked)
	}
}

func (s sheet) notes(notes []string) {
	for _, n := range notes {
		long(s.out, "  - ", n)
	}
}

func (s sheet) step(n, all int, step remedy.Step) {
	fmt.Fprintln(s.out)
	fold(s.out, "  ", fmt.Sprintf("== Step %d of %d: %s to %s", n, all, step.From, step.To))
	if s.written && hasFiles(step) {
		fold(s.out, "  ", "Its files stand in "+folderOf(n, step)+": copy each to where you run the commands. That is one folder for all steps.")
	}
	s.notes(step.Notes)
	s.part("Before (nothing is changed)", step.Before, "")
	s.part("Change", step.Change, "")
	s.part("Wait", step.Wait, "")
	s.part("After", step.After, "")
	s.part("The way back", step.Back, placeOf(step))
}

func hasFiles(step remedy.Step) bool {
	n := 0
	for _, p := range []remedy.Part{step.Before, step.Change, step.Wait, step.After, step.Back} {
		n += len(p.Files)
	}
	return n > 0
}

// part writes a part of a step. Place is the folder of its files below that of the step.
func (s sheet) part(title string, p remedy.Part, place string) {
	if len(p.Say)+len(p.Files)+len(p.Run) == 0 {
		return
	}
	fmt.Fprintln(s.out, "\n  "+title)
	for _, say := range p.Say {
		long(s.out, "  ", say)
	}
	for _, file := range p.Files {
		switch {
		case s.written && place == backFolder:
			fold(s.out, "  ", fmt.Sprintf("The file %s stands in %s there: it takes the place of the one of that name.", file.Name, place))
		case s.written && place != "":
			fold(s.out, "  ", fmt.Sprintf("The file %s stands in %s: copy it to where you run the commands.", file.Name, place))
		case s.written:
			fold(s.out, "  ", "The file "+file.Name+".")
		default:
			fmt.Fprintln(s.out)
			fold(s.out, "  ", "The file "+file.Name+":")
			fmt.Fprintln(s.out)
			s.verbatim(untabbed(file.Text))
		}
	}
	for _, command := range p.Run {
		fmt.Fprintln(s.out)
		s.verbatim(command)
	}
}

// verbatim writes what is to be pasted.
func (s sheet) verbatim(text string) {
	text = strings.TrimRight(text, "\n")
	if !s.written {
		if strings.ContainsFunc(text, unseen) {
			fmt.Fprintln(s.out, "  It has characters that cannot be shown: take it from --out or --json.")
		}
	}
	fmt.Fprintln(s.out, text)
}

// untabbed is a file without tabs, which no output has. They only indent: texts that stand in a file have theirs escaped.
func untabbed(text string) string { return strings.ReplaceAll(text, "\t", "    ") }

// unseen reports whether a character would be left out of an output.
func unseen(r rune) bool { return r != '\n' && !plain.Visible(r) }

// long folds a text that is not cut, however long it is: what is at its end matters, too.
func long(out io.Writer, lead, text string) {
	var words []string
	flush := func() {
		fold(out, lead, strings.Join(words, " "))
		lead, words = strings.Repeat(" ", len(lead)), nil
	}
	size := 0
	for _, w := range strings.Fields(whole(text)) {
		if size += len(w) + 1; size > plain.Line {
			flush()
			size = len(w) + 1
		}
		words = append(words, w)
	}
	flush()
}

// printExact writes JSON in which what an output leaves out is escaped.
func printExact(out io.Writer, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	var exact strings.Builder
	for _, r := range b.String() {
		switch {
		case !unseen(r):
			exact.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&exact, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&exact, `\u%04x`, r)
		}
	}
	_, err := io.WriteString(out, exact.String())
	return err
}
