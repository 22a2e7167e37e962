package relief_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/relief"
)

// Nothing may be offered that ends in an outage: amazon-vpc-cni-k8s #1830.
func TestNothingRestartsAnOldReleaseOnAFullSubnet(t *testing.T) {
	r := rand.New(rand.NewPCG(18, 30))
	seen := map[bool]int{}
	for range 2000 {
		f := some(r)
		f.AutoMode = false
		_, found := cramped(f)
		outage := found && !survives(f)
		for _, h := range relief.All(f) {
			restart := slices.ContainsFunc(h.Commands, func(c string) bool {
				return strings.Contains(c, "update-addon") || strings.Contains(c, "set env")
			})
			if restart {
				seen[outage]++
			}
			if restart && (outage || !strings.HasPrefix(h.Risk, "Every aws-node pod is restarted")) {
				t.Fatalf("%s of %+v", h.Code, f)
			}
			if outage && h.Code == "warm-targets" && !nodesFull(f) && !strings.HasPrefix(h.Not, "not before ") {
				t.Fatalf("%q of %+v", h.Not, f)
			}
		}
		for _, of := range []string{"WARM_IP_TARGET", "prefix delegation:", "custom networking:"} {
			if outage && strings.Contains(relief.Line(f), of) {
				t.Fatalf("%s of %+v", relief.Line(f), f)
			}
		}
		if outage {
			seen[true]++
		}
	}
	if seen[true] < 50 || seen[false] < 50 {
		t.Errorf("%v", seen)
	}
}

// Where nodes are full, more of them come first, or it is said why not; elsewhere they are none of the help.
func TestMoreNodesComeFirstWhereNodesAreFull(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 6))
	first := 0
	for range 2000 {
		f := some(r)
		all := relief.All(f)
		i := slices.IndexFunc(all, func(h relief.Help) bool { return h.Code == "more-nodes" })
		if helps := all[i].Not == ""; helps && (i != 0 || !nodesFull(f)) {
			t.Fatalf("%d of %+v", i, f)
		} else if helps {
			first++
		}
	}
	if first < 20 {
		t.Errorf("only %d", first)
	}
}

func TestTheMostUsefulComesFirst(t *testing.T) {
	for name, c := range map[string]struct {
		facts relief.Facts
		want  []string
	}{
		"where subnets are full it is what frees addresses at once": {full(), []string{"warm-targets", "custom-networking", "instance-size"}},
		"what may free nothing comes last":                          {fragmented(), []string{"reservation", "custom-networking", "instance-size", "warm-targets"}},
		"where nodes are full it is what gives them room":           {selfManaged(), []string{"instance-size"}},
		"in Auto Mode there is nothing":                             {clusters()["auto mode"], nil},
		"nor where nothing is known":                                {relief.Facts{Cluster: cluster.ID{Name: "x"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, h := range relief.All(c.facts) {
				if h.Not == "" {
					got = append(got, h.Code)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
