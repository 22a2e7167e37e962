package cni

import "strconv"

// Note is something that is known of a range of releases. It holds for every EKS build and candidate of them.
type Note struct {
	First, Last Version // the range, both included, by major.minor.patch
	Fixed       Version // the first release without the problem; unknown when there is none to name
	Problem     string  // completes "it …"
	URL         string  // the issue or pull request at amazon-vpc-cni-k8s; GitHub leads from one to the other
	Bad         bool    // no update may lead to such a release
	// Unready is true where aws-node does not start, or is killed or crashes again and again, whatever the network is like: EKS says
	// InsufficientNumberOfReplicas of such an add-on, and an update to a release without it is the cure.
	Unready bool
}

// Notes lists what is known of a release, older ranges first; nothing for an unknown version.
func Notes(v Version) []Note {
	var found []Note
	for _, n := range notes {
		if n.covers(v) {
			found = append(found, n)
		}
	}
	return found
}

// Bad reports whether a release must never be the target of an update, and why.
//
// A release is bad when it broke what the one before it did: pods or nodes lose networking, or the daemon crashes or livelocks,
// in a default install or in one that cannot be told from it by what EKS shows (nodes without IMDSv1, a policy of the
// user's own on the role, Calico beside it). A slow leak, a changed metric, or a fault that only some Kubernetes versions show
// (there the catalogue decides) makes a release notable, not bad.
func (v Version) Bad() (Note, bool) {
	for i := range notes { // a note is large, and this is asked of every release of a catalogue
		if n := &notes[i]; n.Bad && n.covers(v) {
			return *n, true
		}
	}
	return Note{}, false
}

// Unready reports whether aws-node of a release is known not to become ready, or not to stay it.
func (v Version) Unready() bool {
	for i := range notes {
		if n := &notes[i]; n.Unready && n.covers(v) {
			return true
		}
	}
	return false
}

func (n *Note) covers(v Version) bool {
	return v.Known() && compareCore(n.First, v) <= 0 && compareCore(v, n.Last) <= 0
}

// notes is only read; it is ordered by first release. The sources are the project's changelog and the issues named.
var notes = []Note{
	{First: core(1, 0, 0), Last: core(1, 8, 0), Fixed: core(1, 9, 0), URL: issue(1516),
		Problem: "does not know prefix delegation: where that is on, do not go back to it"},
	{First: core(1, 0, 0), Last: core(1, 10, 1), Fixed: RecommendedFloor(), URL: issue(1830),
		Problem: "leaves aws-node in a crash loop and the node NotReady when it starts on a subnet without free addresses"},
	{First: core(1, 0, 0), Last: core(1, 11, 4), Fixed: core(1, 11, 5), URL: issue(2321),
		Problem: "cannot delete pods that v1.12.1 or later created: do not go back to it"},
	{First: core(1, 0, 0), Last: core(1, 11, 5), Fixed: core(1, 12, 0), URL: issue(2366),
		Problem: "crashes on Kubernetes 1.26 and later, which removed the container runtime interface it uses"},
	{First: core(1, 4, 1), Last: core(1, 7, 10), Fixed: DefaultFloor(), URL: issue(1499),
		Problem: "has a CNI plugin that panics when neither the set-up of a pod's network nor its clean-up succeeds"},
	{First: core(1, 5, 4), Last: core(1, 5, 4), Fixed: core(1, 5, 5), URL: issue(641), Bad: true,
		Problem: "deletes IP rules, so that pods of one node lose each other"},
	{First: core(1, 7, 0), Last: core(1, 7, 0), Fixed: core(1, 7, 1), URL: issue(1159), Bad: true,
		Problem: "makes Calico delete the routes of new pods"},
	{First: core(1, 10, 0), Last: core(1, 10, 0), Fixed: core(1, 10, 1), URL: issue(1743), Bad: true,
		Problem: "leaves nodes without IMDSv1 NotReady"},
	{First: core(1, 10, 0), Last: core(1, 10, 4), URL: issue(1725),
		Problem: "panics when ENABLE_IPv4 and ENABLE_IPv6 are not set, as after a change of the image alone: apply the whole manifest"},
	{First: core(1, 10, 2), Last: core(1, 10, 2), Fixed: core(1, 10, 3), URL: issue(1939),
		Problem: "keeps the addresses of pods whose sandbox died first, until aws-node is restarted"},
	{First: core(1, 12, 0), Last: core(1, 12, 0), Fixed: core(1, 12, 1), URL: issue(2321),
		Problem: "cannot delete pods that v1.12.1 or later created: do not go back to it"},
	{First: core(1, 12, 0), Last: core(1, 12, 0), URL: issue(2268),
		Problem: "lost ENABLE_POD_ENI when it was updated to v1.12.2 with OVERWRITE"},
	{First: core(1, 13, 0), Last: core(1, 13, 2), Fixed: core(1, 13, 3), URL: issue(2436), Bad: true, Unready: true,
		Problem: "needs ten times the memory, more with every node, and is killed for it"},
	{First: core(1, 13, 2), Last: core(1, 13, 2), Fixed: core(1, 13, 3), URL: issue(2448), Bad: true, Unready: true,
		Problem: "panics while it reconciles a node's interfaces"},
	{First: core(1, 14, 0), Last: core(1, 14, 0), Fixed: core(1, 14, 1), URL: issue(2540), Bad: true, Unready: true,
		Problem: "brings the node agent, which crash-loops after an update from v1.13"},
	{First: core(1, 16, 0), Last: core(1, 16, 1), Fixed: core(1, 16, 2), URL: issue(2757),
		Problem: "uses CNI specification 1.0.0, which Kubernetes 1.23 and earlier do not support"},
	{First: core(1, 16, 3), Last: core(1, 16, 3), Fixed: core(1, 16, 4), URL: issue(2807), Bad: true,
		Problem: "livelocks with the CPU at its limit on nodes that have all their interfaces"},
	{First: core(1, 19, 0), Last: core(1, 19, 1), Fixed: core(1, 19, 2), URL: issue(3147),
		Problem: "publishes metrics with changed types, gauges for counters and the reverse"},
	{First: core(1, 22, 0), Last: core(1, 22, 1), Fixed: core(1, 22, 2), URL: issue(3705), Bad: true, Unready: true,
		Problem: "does not start where the role lacks ec2:DescribeSecurityGroups, which policies written for earlier releases do"},
	{First: core(1, 23, 0), Last: core(1, 23, 0), Fixed: core(1, 23, 1), URL: issue(3739),
		Problem: "works only beside network policy agent v1.4.1"},
}

func core(major, minor, patch int) Version {
	return Version{Major: major, Minor: minor, Patch: patch}
}

func issue(number int) string {
	return "https://github.com/aws/amazon-vpc-cni-k8s/issues/" + strconv.Itoa(number)
}
