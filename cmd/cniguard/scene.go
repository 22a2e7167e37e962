package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/policy"
	"github.com/cniguard/cniguard/internal/policy/source"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/strictyaml"
	"github.com/cniguard/cniguard/internal/world"
)

// scene is a stage whose files are read and free of mistakes.
type scene struct {
	*stage
	spec  world.Spec
	rules *policy.Policy
	names simulate.Names
}

// read reads the world with people's orders, and the policy. The error holds the mistakes of all files. What a person should
// know though it is no mistake is written to notes.
func (s *stage) read(notes io.Writer) (scene, error) {
	sc := scene{stage: s}
	if err := given(
		needed{"world", s.world, "want a file that describes a world (docs/simulate.md)"},
		needed{"policy", s.policy, "want a policy file (docs/policy.md)"},
	); err != nil {
		return sc, err
	}
	var worldErr, policyErr error
	sc.spec, worldErr = readFile("--world", s.world, world.ReadSpec)
	sc.rules, policyErr = readFile("--policy", s.policy, readSimulated)
	orders, ordersErr := s.readOrders()
	if worldErr != nil && policyErr != nil && s.swapped() {
		return sc, fmt.Errorf("--world %s is a policy and --policy %s is a world: swap them", s.world, s.policy)
	}
	if err := errors.Join(worldErr, policyErr, ordersErr); err != nil {
		return sc, err
	}
	if err := orders.join(&sc.spec, s.world); err != nil {
		return sc, err
	}
	sc.names = simulate.NamesOf(sc.spec)
	return sc, sc.fits(notes)
}

// swapped reports whether each of the two files is what the other should be.
func (s *stage) swapped() bool {
	_, asWorld := readFile("", s.policy, world.ReadSpec)
	_, asPolicy := readFile("", s.world, readSimulated)
	return asWorld == nil && asPolicy == nil
}

// fits checks that the policy's fleet and the world are about the same accounts.
func (sc *scene) fits(notes io.Writer) error {
	unwatched := simulate.Unwatched(sc.spec, sc.rules)
	switch all := len(sc.spec.Clusters); {
	case all == 0:
		fmt.Fprintf(notes, "note: %s has no clusters, so there is nothing to watch\n", sc.world)
	case len(unwatched) == all:
		return strictyaml.Errors{{
			File: sc.policy, Field: "fleet", Text: fmt.Sprintf("holds none of the world's %s, so every one would be unwatched", count(all, "cluster")),
			Hint: fmt.Sprintf("%s has account %s", sc.world, strings.Join(simulate.Places(sc.spec), ", ")),
		}}
	case len(unwatched) > 0:
		var names []string
		for _, id := range unwatched {
			names = append(names, sc.names.Short(id.String()))
		}
		fmt.Fprintf(notes, "note: not in the policy's fleet, so cniguard never looks there: %s\n", strings.Join(names, ", "))
	}
	return nil
}

// readSimulated reads a policy for a simulated world, whose time is another: its exemptions may be over by now.
func readSimulated(file string, data []byte) (*policy.Policy, error) {
	return source.Read(file, data)
}

// readFile reads a file that a flag or an argument names.
func readFile[T any](flag, file string, read func(string, []byte) (T, error)) (T, error) {
	data, err := load(flag, file)
	if err != nil {
		var none T
		return none, err
	}
	return read(file, data)
}

func load(flag, file string) ([]byte, error) {
	data, err := os.ReadFile(file)
	var reason *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s %s: there is no such file", flag, file)
	case errors.As(err, &reason):
		return nil, fmt.Errorf("%s %s: %w", flag, file, reason.Err)
	}
	return data, err
}

// start makes a run of the world; its lines go to tell.
func (sc *scene) start(tell func(simulate.Line)) (*simulate.Run, error) {
	return simulate.Start(sc.spec, sc.rules, simulate.Options{Seed: uint64(sc.seed), SDK: sc.sdk, Tell: tell})
}

// at runs the world for a time; its lines go to tell. End the run with Close.
func (sc *scene) at(d duration, tell func(simulate.Line)) (*simulate.Run, error) {
	r, err := sc.start(tell)
	if err == nil {
		r.For(time.Duration(d))
	}
	return r, err
}

// cluster finds a cluster of the world.
func (sc *scene) cluster(name string) (cluster.ID, error) { return simulate.Cluster(sc.spec, name) }
