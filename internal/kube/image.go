package kube

import (
	"regexp"
	"strings"

	"github.com/cniguard/cniguard/internal/cni"
)

const (
	// nodeRepository is the VPC CNI's, in any registry and folder: accounts differ by region, and mirrors are common.
	nodeRepository  = "amazon-k8s-cni"
	setupRepository = "amazon-k8s-cni-init" // its init container's
	// versionEnv is a second source of the version, in the environment of aws-node; newer manifests have it.
	versionEnv = "VPC_CNI_VERSION"
)

// image is a reference to a container image: [registry[:port]/][folder/…]name[:tag][@digest].
type image struct{ repository, tag, digest string }

// reference has the characters of an image reference (github.com/distribution/reference). Others could make one look like another.
var reference = regexp.MustCompile(`^[A-Za-z0-9._:/@+-]+$`)

// parseImage reads a reference; one that could not be pulled has nothing to read.
func parseImage(ref string) image {
	var i image
	if !reference.MatchString(ref) {
		return i
	}
	i.repository, i.digest, _ = strings.Cut(ref, "@")
	if colon := strings.LastIndexByte(i.repository, ':'); colon > strings.LastIndexByte(i.repository, '/') {
		i.repository, i.tag = i.repository[:colon], i.repository[colon+1:]
	}
	return i
}

// name is the last part of the repository.
func (i image) name() string { return i.repository[strings.LastIndexByte(i.repository, '/')+1:] }

// short is the reference without registry and folders.
func (i image) short() string {
	s := i.name()
	if i.tag != "" {
		s += ":" + i.tag
	}
	if i.digest != "" {
		s += "@" + i.digest
	}
	return s
}

// reading is a version with what it was read from and where that stands; for an unknown version, why it is unknown.
type reading struct {
	version   cni.Version
	raw, from string
}

// readVersion reads the version of the VPC CNI from its image and from VPC_CNI_VERSION.
//
// Beside a digest a tag is only what somebody wrote: what runs is pulled by the digest alone (Kubernetes, "Images"). It is taken all the
// same, also where VPC_CNI_VERSION names another release: v1.22.0's own manifest says v1.21.1 there.
func readVersion(i image, env string) reading {
	tagged, stated := cni.Parse(i.tag), cni.Parse(env)
	switch {
	case i.name() == "":
		return reading{raw: "no image", from: "the container names no image, or none that could be pulled"}
	case i.name() != nodeRepository:
		return reading{raw: i.short(), from: "the image is not " + nodeRepository + ", so neither its tag nor " + versionEnv + " is a version of the VPC CNI"}
	case tagged.Known() && i.digest == "":
		return reading{tagged, i.tag, "image tag"}
	case tagged.Known():
		return reading{tagged, i.tag, "image tag, beside a digest"}
	case stated.Known():
		return reading{stated, env, versionEnv}
	case i.tag == "" && i.digest == "":
		return reading{raw: "latest", from: "the image has no tag, which means latest"}
	case i.tag == "":
		return reading{raw: i.digest, from: "the image names a digest alone"}
	}
	return reading{raw: i.tag, from: "the image tag is no version"}
}

// sameRelease reports whether two versions are of the same release; they may be of different builds of it.
func sameRelease(a, b cni.Version) bool {
	a.Build, b.Build = 0, 0
	return a == b
}

// setupVersion is the version of the init container; unknown where the image is not the VPC CNI's.
func setupVersion(i image) cni.Version {
	if i.name() != setupRepository {
		return cni.Version{}
	}
	return cni.Parse(i.tag)
}

// same reports whether the init container is of the release of aws-node, as far as both are known.
func same(node cni.Version, setup image) bool {
	other := setupVersion(setup)
	return node.Known() && other.Known() && sameRelease(node, other)
}

// differ says how the release of the init container differs from that of aws-node; empty: it does not, or nothing tells. Where the
// versions are not known the tags still tell that they are two. Digests tell nothing: the images are two in any case.
func differ(node cni.Version, main, setup image) string {
	other := setupVersion(setup)
	switch {
	case same(node, setup):
		return ""
	case node.Known() && other.Known():
		return "aws-node is " + node.String() + ", its init container " + other.String()
	case main.tag == "" || setup.tag == "" || main.tag == setup.tag:
		return ""
	}
	return "aws-node is tagged " + main.tag + ", its init container " + setup.tag
}
