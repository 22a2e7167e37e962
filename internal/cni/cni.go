// Package cni knows the Amazon VPC CNI itself: its versions, its known-bad and notable releases, and the path from one
// version to another through what is compatible. It is pure.
//
// Three rules hold throughout. What cannot be parsed is unknown, never old. A floor compares major.minor.patch only, so
// v1.8.0-eksbuild.1 satisfies v1.8.0. A path never goes down, never to a release that is known bad, and one minor version at
// a time wherever a compatible release allows it.
package cni

// DefaultFloor is v1.8.0, below which a version is outdated unless a policy says otherwise. Its changelog reads "Fix CNI crashing
// when there is no available IP addresses" (amazon-vpc-cni-k8s #1499). That is a panic of the CNI plugin, which kubelet sees as
// a failed pod; it is not the crash loop of aws-node, which RecommendedFloor is about.
func DefaultFloor() Version { return Version{Major: 1, Minor: 8} }

// RecommendedFloor is v1.10.2, the first release whose daemon survives its start on a subnet without free addresses. Every
// release below it, v1.8.0 included, leaves aws-node in CrashLoopBackOff and the node NotReady there (amazon-vpc-cni-k8s #1739,
// fixed by #1830). From it on the same shortage is silent: nodes stay Ready while pods wait for an address.
func RecommendedFloor() Version { return Version{Major: 1, Minor: 10, Patch: 2} }

// Release is one version of the add-on that is compatible with a cluster's Kubernetes version. What EKS lists without
// compatibilities cannot be installed and is no Release.
type Release struct {
	Version Version `json:"version"`
	Default bool    `json:"default,omitempty"` // EKS installs it when no version is asked for
	// Architectures are those of the nodes that it has images for; the zero value: EKS does not say.
	Architectures Architectures `json:"architectures,omitzero"`
}

// Architectures are those that EKS has nodes of.
type Architectures struct {
	AMD64 bool `json:"amd64,omitempty"`
	ARM64 bool `json:"arm64,omitempty"`
}

// With are the architectures and one more, by the name that EKS gives it; one of another name is none.
func (a Architectures) With(name string) Architectures {
	a.AMD64, a.ARM64 = a.AMD64 || name == "amd64", a.ARM64 || name == "arm64"
	return a
}
