package cni

import (
	"fmt"
	"slices"
)

// search is what Plan looks through. Its lists ascend, without repetitions.
type search struct {
	from     Version
	listed   []Version // every compatible release
	good     []Version // those that are not known bad
	defaults []Version // those that EKS calls the default; one, normally
}

func newSearch(from Version, catalogue []Release) search {
	s := search{from: from}
	for _, r := range catalogue {
		if !r.Version.Known() || r.Version.Pre != "" {
			continue // EKS offers neither; a stray one is no target
		}
		s.listed = append(s.listed, r.Version)
		if r.Default {
			s.defaults = append(s.defaults, r.Version)
		}
	}
	slices.SortFunc(s.listed, Compare)
	slices.SortFunc(s.defaults, Compare)
	s.listed = slices.Compact(s.listed)
	s.good = slices.DeleteFunc(slices.Clone(s.listed), isBad)
	return s
}

// goal turns the target into a version; or ends the search.
func (s search) goal(floor Version, to Target) (Version, Path) {
	switch to {
	case ToFloor:
		return s.atFloor(floor)
	case ToDefault, ToLatest:
		return s.named(to)
	}
	pin := Parse(string(to))
	if !pin.Known() || pin.Pre != "" {
		return Version{}, end(TargetUnknown, "%q is neither a target nor a version that EKS could offer", string(to))
	}
	if pin.Build == 0 {
		for _, v := range slices.Backward(s.listed) {
			if compareCore(v, pin) == 0 {
				return v, Path{}
			}
		}
	}
	return pin, Path{}
}

// atFloor finds the best patch of the lowest minor version that reaches the floor. From a bad release at the floor this is the
// nearest good one above it.
func (s search) atFloor(floor Version) (Version, Path) {
	switch {
	case !floor.Known():
		return Version{}, end(TargetUnknown, "the floor is unknown")
	case s.from.Satisfies(floor) && !isBad(s.from):
		return Version{}, end(Arrived, "%s satisfies the floor %s", s.from, floor)
	case len(s.listed) == 0:
		return Version{}, nothingListed()
	}
	var best Version
	for _, v := range s.good {
		if Compare(v, s.from) <= 0 || !v.Satisfies(floor) {
			continue
		}
		if best.Known() && !sameMinor(v, best) {
			break
		}
		best = v
	}
	if !best.Known() {
		return Version{}, end(TargetNotCompatible, "no good compatible release above %s reaches the floor %s", s.from, floor)
	}
	return best, Path{}
}

// named finds the default or the latest release.
func (s search) named(to Target) (Version, Path) {
	switch {
	case len(s.listed) == 0:
		return Version{}, nothingListed()
	case to == ToDefault && len(s.defaults) == 0:
		return Version{}, end(NoDefault, "EKS names no compatible release as the default")
	case to == ToDefault:
		return s.defaults[len(s.defaults)-1], Path{}
	case len(s.good) == 0:
		return Version{}, end(TargetNotCompatible, "every compatible release is known bad")
	}
	return s.good[len(s.good)-1], Path{}
}

// judge ends the search unless an update to the goal is right.
func (s search) judge(goal Version) Path {
	onward := Compare(s.from, goal) < 0
	note, bad := goal.Bad()
	switch {
	case !onward && !isBad(s.from):
		return end(Arrived, "%s is at or beyond the target %s", s.from, goal)
	case bad:
		return end(TargetBad, "%s is known bad: it %s (%s)", goal, note.Problem, note.URL)
	case !onward:
		return end(NoPath, "%s is known bad, and the target %s is below it", s.from, goal)
	case goal.Major != s.from.Major:
		return end(NoPath, "%s is another major version than %s: a person has to go there", goal, s.from)
	case len(s.listed) == 0:
		return nothingListed()
	case !slices.Contains(s.listed, goal):
		return end(TargetNotCompatible, "%s is not among the %d releases that are compatible", goal, len(s.listed))
	}
	return Path{}
}

func end(code PathCode, format string, args ...any) Path {
	return Path{Code: code, Why: fmt.Sprintf(format, args...)}
}

func nothingListed() Path {
	return end(NoCatalogue, "EKS lists no release that is compatible with the cluster's Kubernetes version")
}

func isBad(v Version) bool {
	_, bad := v.Bad()
	return bad
}

func sameMinor(a, b Version) bool { return a.Major == b.Major && a.Minor == b.Minor }
