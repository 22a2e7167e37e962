package main

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
)

//go:embed demo
var demoFiles embed.FS

// demoTakes is how long the story is.
const demoTakes = 3 * day

func demoCommand() *cobra.Command {
	var s stage
	s.seed = 1
	folder := ""
	c := &cobra.Command{
		Use:   "demo [--files FOLDER]",
		Short: "Three days of eight simulated clusters, told as a story",
		Long: `Tells what cniguard does with eight clusters in three days of virtual time. The world
and the policy are in the command itself; --files writes them into a folder, so that
you can change them and run the other commands on them.`,
		Args: noArguments(),
		Example: `  cniguard demo
  cniguard demo --files demo`,
		RunE: func(c *cobra.Command, _ []string) error {
			if folder != "" {
				return writeDemo(c.OutOrStdout(), folder)
			}
			return demo(c.OutOrStdout(), s.sdk)
		},
	}
	c.Flags().BoolVar(&s.sdk, "sdk", false, "call the simulated AWS through the real SDK clients: slower, with the same story")
	c.Flags().StringVar(&folder, "files", "", "write the story's world.yaml and policy.yaml into this folder, and tell nothing")
	return c
}

// demo runs the world and the policy of the folder demo as simulate does, and tells what a person would want to know of it.
func demo(out io.Writer, sdk bool) error {
	sc, err := demoScene(sdk)
	if err != nil {
		return err
	}
	s := story{out: out, names: sc.names, held: map[string]string{}}
	r, err := sc.start(s.tell)
	if err != nil {
		return err
	}
	defer r.Close()
	fmt.Fprint(out, demoIntro)
	r.For(demoTakes)
	fmt.Fprintf(out, "\n  (%d lines are left out, such as further alarms and reminders; simulate shows all.)\n", s.left)
	fmt.Fprint(out, "\nThe fleet after three days\n\n")
	printFleet(out, r, sc.names)
	fmt.Fprint(out, "\nOne of the messages, as people get it by e-mail\n\n")
	for line := range strings.Lines(excerpt(s.message)) {
		fmt.Fprintln(out, strings.TrimRight("  | "+line, " \n"))
	}
	fmt.Fprint(out, demoOutro)
	return nil
}

func demoScene(sdk bool) (scene, error) {
	sc := scene{stage: &stage{seed: 1, sdk: sdk}}
	var worldErr, policyErr error
	sc.spec, worldErr = demoFile("world.yaml", world.ReadSpec)
	sc.rules, policyErr = demoFile("policy.yaml", readSimulated)
	sc.names = simulate.NamesOf(sc.spec)
	return sc, errors.Join(worldErr, policyErr)
}

const demoIntro = `cniguard in a simulated AWS: three days in March 2025, eight clusters, one policy. Times are UTC.

  web       EKS Auto Mode: AWS runs its CNI, cniguard watches its subnets; created on the second day
  legacy    vpc-cni is below the policy's floor, v1.18.0; the mode is observe: cniguard only tells
  payments  below the floor too; the mode is approve: a person decides, then cniguard updates step by step
  checkout  as payments, but another person has denied it: a denial vetoes every approval
  batch     below the floor too; the mode is auto: cniguard updates by itself, but here the update fails
  billing   as batch, but a CloudFormation stack owns the add-on: cniguard leaves it to the owner
  edge      IPv6: its pods do not run out of addresses, so it needs no alarm
  tools     no managed add-on: people run the CNI themselves; created on the third day
`

const demoOutro = `
Go on: cniguard demo --files demo     writes the world and the policy of this story into the folder demo
       cniguard explain batch --world demo/world.yaml --policy demo/policy.yaml
       cniguard simulate --world demo/world.yaml --policy demo/policy.yaml --for 7d
`

func demoFile[T any](name string, read func(string, []byte) (T, error)) (T, error) {
	data, err := demoFiles.ReadFile("demo/" + name)
	if err != nil {
		var none T
		return none, err
	}
	return read(name, data)
}

// writeDemo writes the files of the story into a folder. It overwrites none.
func writeDemo(out io.Writer, folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("--files: %w", err)
	}
	for _, name := range []string{"world.yaml", "policy.yaml"} {
		data, err := demoFiles.ReadFile("demo/" + name)
		if err != nil {
			return err
		}
		file := filepath.Join(folder, name)
		f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("--files %s: %s is there already, and is not overwritten", folder, file)
		}
		if err != nil {
			return fmt.Errorf("--files: %w", err)
		}
		if _, err := f.Write(data); err != nil {
			return errors.Join(err, f.Close())
		}
		if err := f.Close(); err != nil {
			return err
		}
		fmt.Fprintf(out, "Written: %s\n", file)
	}
	return nil
}

// story tells the lines of a run, a day a chapter.
type story struct {
	out     io.Writer
	names   simulate.Names
	day     string
	alarm   time.Time         // when an alarm was last put
	held    map[string]string // by cluster: the gate that was last told to hold it
	message string            // the first about addresses that run out
	left    int               // lines left out
}

func (s *story) tell(l simulate.Line) {
	if l.Finding == guard.CapacityLow && s.message == "" {
		s.message = l.Message
	}
	if s.passing(l) {
		s.left++
		return
	}
	if day := l.At.UTC().Format("Monday, January 2"); day != s.day {
		fmt.Fprintf(s.out, "\n%s\n", day)
		s.day = day
	}
	if l.What == simulate.AlarmPut || l.What == simulate.UpdateStarted {
		l.Why = "" // a message has said it
	}
	printLine(s.out, fmt.Sprintf("  %s  %-8s  ", l.At.UTC().Format("15:04"), s.names.Short(l.Cluster)), l)
}

// excerpt is a message up to its links, which are no part of the story.
func excerpt(message string) string {
	text, rest, found := strings.Cut(strings.TrimSpace(message), "\nConsole:\n")
	if found {
		text += fmt.Sprintf("\n(%d lines more: a link to the console, references, and how to silence it)", strings.Count(rest, "\n")+2)
	}
	return text
}

// passing are the lines that a story can do without: what opens by itself soon, and what another line says.
func (s *story) passing(l simulate.Line) bool {
	switch l.What {
	case simulate.HeldBack:
		return s.heldBefore(l)
	case simulate.Ordered:
		delete(s.held, l.Cluster) // whether an order opens a gate is news
	case simulate.AlarmPut:
		return s.alarmedBefore(l)
	case simulate.AlarmState:
		return strings.Contains(l.Text, "INSUFFICIENT_DATA")
	case simulate.Told:
		return l.News == guard.Reminded || l.News == guard.Started || l.News == guard.Digested && strings.Contains(l.Text, "nothing new")
	case simulate.ForDigest: // the next digest line counts these
		return l.News == guard.Recovered || l.Finding == guard.UpdateBlocked
	case simulate.ClusterState:
		return l.Text != "ACTIVE"
	case simulate.UpdateEnded, simulate.AddonState:
		return true
	}
	return false
}

// heldBefore reports whether the first gate of a hold was told before, or opens by itself soon.
func (s *story) heldBefore(l simulate.Line) bool {
	opens := func(r guard.Reason) bool { return r.Gate == "in flight" || r.Gate == "soak" }
	first := l.Gates[0].Gate
	if first == "alarm" || first == s.held[l.Cluster] || slices.ContainsFunc(l.Gates, opens) {
		return true
	}
	s.held[l.Cluster] = first
	return false
}

// alarmedBefore reports whether an alarm was put a moment before: those of several clusters are put together.
func (s *story) alarmedBefore(l simulate.Line) bool {
	together := l.At.Sub(s.alarm) < time.Minute
	s.alarm = l.At
	return together
}
