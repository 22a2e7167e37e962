package main

import (
	"errors"
	"fmt"
	"os/user"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/strictyaml"
)

const day = 24 * time.Hour

// stage is what the commands on a world have in common: which world, which policy, which orders, which seed.
type stage struct {
	world, policy, orders string
	seed                  seed
	sdk                   bool
	orderly               bool // the command writes orders, so that their file need not be there
}

func (s *stage) flags(c *cobra.Command) {
	s.seed = 1
	f := c.Flags()
	f.StringVarP(&s.world, "world", "w", "", "file that describes the world (docs/simulate.md)")
	f.StringVarP(&s.policy, "policy", "p", "", "policy file (docs/policy.md)")
	f.StringVar(&s.orders, "orders", "", "file of people's orders (default: as the world file, ending in .orders.jsonl)")
	f.Var(&s.seed, "seed", "decides everything that chance decides")
	f.BoolVar(&s.sdk, "sdk", false, "call the simulated AWS through the real SDK clients: slower, with the same history")
}

// instant is the time in a world at which a command looks or orders.
func instant(c *cobra.Command, at *duration, what string) {
	*at = duration(day)
	c.Flags().Var(at, "at", what+", from the start of the world")
}

// needed is a flag that must have a value.
type needed struct{ flag, value, remedy string }

// given is an error for each flag that has no value.
func given(flags ...needed) error {
	var missing []error
	for _, f := range flags {
		if f.value == "" {
			missing = append(missing, fmt.Errorf("--%s is missing: %s", f.flag, f.remedy))
		}
	}
	return errors.Join(missing...)
}

// duration is a flag that takes days too, as "30d".
type duration time.Duration

func (d *duration) String() string { return simulate.Span(time.Duration(*d)) }

// Type names the kind of value in the help.
func (d *duration) Type() string { return "duration" }

// Set reads "90m", "36h", "30d" or "1d12h".
func (d *duration) Set(text string) error {
	v, ok := strictyaml.Duration(text)
	if !ok || v < 0 {
		return errors.New("allowed: a duration, as 90m, 36h, 30d or 1d12h")
	}
	*d = duration(v)
	return nil
}

// seed is a flag that takes a whole number.
type seed uint64

func (s *seed) String() string { return strconv.FormatUint(uint64(*s), 10) }

// Type names the kind of value in the help.
func (s *seed) Type() string { return "number" }

// Set reads digits.
func (s *seed) Set(text string) error {
	v, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return errors.New("allowed: a whole number from 0, as 7")
	}
	*s = seed(v)
	return nil
}

// userName is who runs the command; empty: nobody knows.
func userName() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}
