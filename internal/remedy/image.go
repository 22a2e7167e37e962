package remedy

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/guard"
)

// The repositories of the images, in any registry (facts-eks-vpc-cni.md, 6.1).
const (
	nodeRepository  = "amazon-k8s-cni"
	setupRepository = "amazon-k8s-cni-init"
	agentRepository = "amazon/aws-network-policy-agent"
)

// reference has the characters of an image reference (github.com/distribution/reference).
var reference = regexp.MustCompile(`^[A-Za-z0-9._:/@+-]+$`)

// ecr is a registry of Amazon ECR: account, region and domain.
var ecr = regexp.MustCompile(`^([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.([a-z0-9.-]+)$`)

// images are references of the three containers; an empty one is of no container.
type images struct{ node, setup, agent string }

// registry is where a reference's repository stands: "registry/folder" of "registry/folder/amazon-k8s-cni:v1.18.5"; false: it is another
// repository, or no reference.
func registry(ref, repository string) (string, bool) {
	ref, _, _ = strings.Cut(ref, "@")
	if colon := strings.LastIndexByte(ref, ':'); colon > strings.LastIndexByte(ref, '/') {
		ref = ref[:colon]
	}
	at, is := strings.CutSuffix(ref, "/"+repository)
	return at, is && at != "" && reference.MatchString(at)
}

// eksRegistry is EKS's own registry for the cluster's region; false: whether there is one is not known.
func (f Facts) eksRegistry() (string, bool) {
	account, domain, known := cni.Registry(f.Cluster.Region)
	return account + ".dkr.ecr." + f.Cluster.Region + "." + domain, known
}

// registries are where the images come from: where they come from today, or else EKS's registry of the region.
func (f Facts) registries() images {
	own, _ := f.eksRegistry()
	var from images
	at, is := registry(f.node().Image, nodeRepository)
	if !is {
		at = own
	}
	from.node, from.setup, from.agent = at, at, at
	if at, is := registry(f.node().Init, setupRepository); is {
		from.setup = at
	}
	if at, is := registry(f.node().Agent, agentRepository); is {
		from.agent = at
	}
	return from
}

// images are those of a release, by its tag: a digest, or a tag that moves, gets one. The agent's is empty where its release is not known.
func (f Facts) images(v cni.Version) images {
	at := f.registries()
	all := images{node: at.node + "/" + nodeRepository + ":" + tag(v), setup: at.setup + "/" + setupRepository + ":" + tag(v)}
	if agent := cni.Agent(v); agent != "" {
		all.agent = at.agent + "/" + agentRepository + ":" + agent
	}
	return all
}

// before are the images ahead of a step: those that were read, or those that the step before left.
func (f Facts) imagesBefore(s Step) images {
	if n := f.node(); s.From == f.Version.String() && reference.MatchString(n.Image) {
		return images{n.Image, n.Init, n.Agent}
	}
	return f.images(cni.Parse(s.From))
}

// node is the aws-node that was read; nothing is known of one that was not.
func (f Facts) node() guard.DaemonSet {
	if f.Node == nil {
		return guard.DaemonSet{}
	}
	return *f.Node
}

// imageNotes are what to know of where the images come from.
func (f Facts) imageNotes() (notes []string) {
	own, known := f.eksRegistry()
	at := f.registries()
	switch {
	case at.node != own:
		notes = append(notes, fmt.Sprintf("The images come from %s, not from EKS's registry %s. That is kept: "+
			"each new image must be there before the step begins, also the node agent's.", at.node, own))
	case !known:
		notes = append(notes, fmt.Sprintf("Whether EKS has a registry %s is not known: see the EKS user guide, \"View Amazon container image registries\".", own))
	}
	if _, is := registry(f.node().Image, nodeRepository); !is {
		notes = append(notes, "Where the images come from today was not read, or is no repository "+nodeRepository+".")
	}
	if strings.Contains(f.node().Image, "@") {
		notes = append(notes, "The image is pinned by a digest today. The commands set a tag: pin its digest where that is your rule.")
	}
	return notes
}
