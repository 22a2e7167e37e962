package laws_test

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/world"
)

const (
	roleTag    = "kubernetes.io/role/cni"
	clusterTag = "cni.networking.k8s.aws/cluster/"
)

// tagSubnets has people tag subnets for the VPC CNI: for it or against it, and for a cluster.
func (s *scene) tagSubnets(d dice, _ time.Duration) {
	for range d.number(1, 3) {
		n := s.anySubnet(d)
		n.Tags = map[string]string{roleTag: pick(d, "1", "1", "0", "")}
		if d.chance(.4) {
			n.Tags[clusterTag+pick(d, s.spec.Clusters...).Name] = "shared"
		}
	}
}

// tagAll has every subnet be for the CNI, of every cluster.
func tagAll(s *scene) {
	for _, v := range s.spec.VPCs {
		for i := range v.Subnets {
			v.Subnets[i].Tags = map[string]string{roleTag: "1"}
		}
	}
}

// tagged are the subnets of a cluster's network that its aws-node finds by their tags, in the zones of the others.
func (s *stage) tagged(a *actual, others []string) (ids []string) {
	r, known, env, runs := s.discovers(a)
	if !runs || known && r.short(release{1, 18}) || env["AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG"] == "true" {
		return nil
	}
	strict := !known || !r.short(release{1, 22, 1})
	vpc := s.spec.VPCs[slices.IndexFunc(s.spec.VPCs, func(v world.VPC) bool { return v.ID == a.VPC })]
	for _, n := range vpc.Subnets {
		near := slices.ContainsFunc(others, func(id string) bool { return s.subnets[id].Zone == n.Zone })
		if vpc.Account == a.Account && near && isFor(n.Tags, env["CLUSTER_NAME"], strict) {
			ids = append(ids, n.ID)
		}
	}
	return ids
}

// isFor reports whether a subnet with these tags is for the aws-node of a cluster that it knows by this name.
func isFor(tags map[string]string, name string, strict bool) bool {
	value, tagged := tags[roleTag]
	if !tagged || !strict {
		return tagged
	}
	var named []string
	for key := range maps.Keys(tags) {
		if cluster, is := strings.CutPrefix(key, clusterTag); is {
			named = append(named, cluster)
		}
	}
	return value != "0" && (name == "" || named == nil || slices.Contains(named, name))
}

// discovers is the version and the environment of a cluster's aws-node, as far as cniguard may know them.
func (s *stage) discovers(a *actual) (r release, known bool, env map[string]string, runs bool) {
	switch is := a.addon.now(); {
	case a.needless(s.run.Now()):
		return r, false, nil, false
	case is.exists:
		r, known = read(is.Version)
		return r, known, map[string]string{"CLUSTER_NAME": a.Name}, true
	case !a.node.now().exists || !s.reads(a) || !settingsOf(s.doc, a.id, a.tags.now()).reads:
		return r, false, nil, false
	}
	for _, c := range a.node.now().Containers {
		if c.Name == "aws-node" {
			env = c.Env
		}
	}
	r, known = a.node.now().version()
	return r, known, env, true
}
