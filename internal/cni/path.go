package cni

import (
	"fmt"
	"slices"
)

// PathCode says what became of a search for a path.
type PathCode string

// The results of a search. Only Found has steps.
const (
	Found               PathCode = "found"
	Arrived             PathCode = "arrived"               // at the target or beyond it, on a release that is not bad
	FromUnknown         PathCode = "from unknown"          // the installed version is unknown
	TargetUnknown       PathCode = "target unknown"        // the target, or the floor it stands for, is no version
	NoCatalogue         PathCode = "no catalogue"          // EKS lists no compatible release
	NoDefault           PathCode = "no default"            // EKS names no default
	TargetNotCompatible PathCode = "target not compatible" // no good release that EKS lists is what the target asks for
	TargetBad           PathCode = "target bad"            // the release that the target names is known bad
	NoPath              PathCode = "no path"               // the target is known, but an update must not go there
)

// Path is the way from an installed version to a target.
type Path struct {
	Code  PathCode
	Steps []Version // each an update of its own; the last is the target
	Gaps  []string  // the steps that skip minor versions for want of a compatible release, a sentence each; EKS may refuse those
	Why   string    // the result in words
}

// Plan finds the path from an installed version to a target through the releases that are compatible with the cluster's
// Kubernetes version. The order of the catalogue does not matter, the installed version need not be in it, and entries may
// repeat. The floor counts only for the target floor.
//
// EKS rejected updates of more than one minor version from 2021 to 2023 and still advises against them (EKS user guide,
// "Amazon EKS add-ons"; EKS best practices, "Amazon VPC CNI": the latest patch of each minor version in between). So a step
// leads to the best patch of the next minor version that has a good release; one above the next is a gap. v1.12.0 and
// later want v1.7.0 or later before them (EKS user guide, "Networking add-ons"): no gap may span both.
func Plan(from, floor Version, to Target, catalogue []Release) Path {
	if !from.Known() {
		return end(FromUnknown, "the installed version is unknown")
	}
	s := newSearch(from, catalogue)
	goal, stop := s.goal(floor, to)
	if stop.Code == "" {
		stop = s.judge(goal)
	}
	if stop.Code != "" {
		return stop
	}
	return s.walk(goal)
}

// walk goes from the installed version to a goal that judge let pass.
func (s search) walk(goal Version) Path {
	var steps []Version
	for _, v := range s.good {
		if v.Major != goal.Major || v.Minor <= s.from.Minor || v.Minor >= goal.Minor {
			continue
		}
		if n := len(steps); n > 0 && steps[n-1].Minor == v.Minor {
			steps[n-1] = v // the list ascends: this is the better patch
		} else {
			steps = append(steps, v)
		}
	}
	steps = append(steps, goal)
	if over(s.from, goal) && !slices.ContainsFunc(steps, stepping) {
		return end(NoPath, "%s must go through v1.7 to v1.11 before %s, and no good release of those is compatible", s.from, goal)
	}
	why := fmt.Sprintf("%s reaches %s in %d steps", s.from, goal, len(steps))
	if len(steps) == 1 {
		why = fmt.Sprintf("%s reaches %s in one step", s.from, goal)
	}
	return Path{Code: Found, Steps: steps, Gaps: gaps(s.from, steps), Why: why}
}

// over reports whether the way spans both v1.7.0 and v1.12.0; stepping, whether a release lies between them.
func over(from, goal Version) bool {
	return !from.Satisfies(core(1, 7, 0)) && goal.Satisfies(core(1, 12, 0))
}
func stepping(v Version) bool { return v.Satisfies(core(1, 7, 0)) && !v.Satisfies(core(1, 12, 0)) }

func gaps(from Version, steps []Version) []string {
	var texts []string
	for _, to := range steps {
		switch first, last := from.Minor+1, to.Minor-1; {
		case first == last:
			texts = append(texts, fmt.Sprintf("no good release of v%d.%d is compatible: one step from %s to %s", to.Major, first, from, to))
		case first < last:
			texts = append(texts, fmt.Sprintf("no good release of v%d.%d to v%d.%d is compatible: one step from %s to %s",
				to.Major, first, to.Major, last, from, to))
		}
		from = to
	}
	return texts
}
