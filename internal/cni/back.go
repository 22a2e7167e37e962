package cni

import (
	"fmt"
	"slices"
)

// Retreat is the way back from the version of an update that failed to the one before it.
type Retreat struct {
	From, To   Version
	Floor      Version   // unknown: none is known
	Kubernetes string    // the cluster's version, as "1.33"
	Prefixes   bool      // nodes take /28 prefixes, or may
	Catalogue  []Release // compatible with that version of Kubernetes
	Unmanaged  bool      // EKS does not manage it, and has no say: neither its list nor its one minor version at a time matters
}

// Shut says why nobody should, or can, go this way; empty: it may be gone. Nodes may run the version it leads away from, also where EKS says
// otherwise of the add-on.
func (r Retreat) Shut() string {
	crosses := func(v Version) bool { return r.From.Satisfies(v) && !r.To.Satisfies(v) }
	note, bad := r.To.Bad()
	switch {
	case !r.To.Known() || !r.From.Known():
		return "the version before it is not known"
	case bad:
		return fmt.Sprintf("%s is known bad: it %s (%s)", r.To, note.Problem, note.URL)
	case r.From.Major != r.To.Major || !r.Unmanaged && r.From.Minor-r.To.Minor > 1:
		return fmt.Sprintf("%s is more than one minor version below %s, and EKS goes down one at a time", r.To, r.From)
	case !r.To.Satisfies(core(1, 12, 0)) && r.runsKubernetes(1, 26):
		return fmt.Sprintf("%s crashes on Kubernetes %s, which removed the container runtime interface it uses (%s)", r.To, r.Kubernetes, issue(2366))
	case crosses(core(1, 12, 1)):
		return fmt.Sprintf("%s cannot delete pods that v1.12.1 or later created (%s)", r.To, issue(2321))
	case r.Prefixes && crosses(core(1, 9, 0)):
		return fmt.Sprintf("nodes take /28 prefixes here, or may, and %s does not know them (%s)", r.To, issue(1516))
	case !r.Unmanaged && !slices.ContainsFunc(r.Catalogue, func(l Release) bool { return l.Version == r.To }):
		return fmt.Sprintf("EKS does not list %s as compatible with Kubernetes %s", r.To, r.Kubernetes)
	}
	return ""
}

// Mind is what to know before this way is gone.
func (r Retreat) Mind() []string {
	var notes []string
	if r.Floor.Known() && !r.To.Satisfies(r.Floor) {
		notes = append(notes, fmt.Sprintf("%s is below the floor %s", r.To, r.Floor))
	}
	if v := core(1, 20, 0); r.From.Satisfies(v) && !r.To.Satisfies(v) { // facts-eks-vpc-cni.md, 7.3
		notes = append(notes, fmt.Sprintf("where pods use several network cards, %s cannot look after them", r.To))
	}
	return notes
}

// runsKubernetes reports whether the cluster runs a version of Kubernetes or a later one. One that cannot be read counts as later.
func (r Retreat) runsKubernetes(major, minor int) bool {
	var a, b int
	if n, _ := fmt.Sscanf(r.Kubernetes, "%d.%d", &a, &b); n != 2 {
		return true
	}
	return a > major || a == major && b >= minor
}
