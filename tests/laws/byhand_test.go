package laws_test

import (
	"slices"

	"github.com/cniguard/cniguard/internal/check"
)

// handed holds what people are told to do by hand to the same rules: each step leads up, to a release that is compatible with what the cluster ran
// when it was read, and not known bad; and a release that is said to have the installed version is one of them.
func (s *stage) handed(law string) func(check.Kept) {
	return func(k check.Kept) {
		known := k.Record.ByHand
		if len(known.Path) == 0 && known.Listed == "" {
			return
		}
		s.tally["ways by hand"]++
		if !known.Managed {
			s.tally["ways by hand of what EKS does not manage"]++
		}
		if !s.clusters[k.Cluster].state.any(start, func(st state) bool { return st.kubernetes == known.Kubernetes }) {
			s.breaks(law, k.Cluster, "a way to be gone by hand is for Kubernetes %s", known.Kubernetes)
		}
		good, last := compatible(s.spec.Catalogues[known.Kubernetes]), release{}
		for i, step := range append(slices.Clone(known.Path), known.Listed) {
			to, is := read(step)
			switch listed := i == len(known.Path); {
			case listed && step == "":
			case !is || !slices.Contains(good, to):
				s.breaks(law, k.Cluster, "%s is to be made by hand, which is not compatible with Kubernetes %s", step, known.Kubernetes)
			case !listed && (to.bad() || !last.below(to)):
				s.breaks(law, k.Cluster, "%s is to be made by hand after %s", step, last)
			case !listed:
				last = to
			}
		}
	}
}
