package laws_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/app"
	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/policy"
	"github.com/cniguard/cniguard/internal/world"
)

const observer = "cniguard-observer"

// drawInside draws how a cluster's own API is reached, and what runs in a cluster whose add-on EKS does not manage.
func drawInside(d dice, c *world.Cluster) {
	c.API = world.API{
		AuthenticationMode: pick(d, "", "", "API", "CONFIG_MAP"), ENIConfigs: d.chance(.3),
		Endpoint: pick(d, "", "", "", "", "", "", world.PrivateEndpoint, world.RestrictedEndpoint),
	}
	switch {
	case d.chance(.7):
		c.API.Readers = []string{observer}
	case c.API.AuthenticationMode != "CONFIG_MAP" && d.chance(.3):
		c.API.Entries = []string{observer}
	}
	if c.Addon != nil {
		return
	}
	switch n := d.IntN(10); {
	case n < 8:
		c.DaemonSets = []world.DaemonSet{drawNode(d)}
	case n < 9:
		c.DaemonSets = []world.DaemonSet{{Name: "cilium", Containers: []world.Container{{Name: "cilium-agent", Image: "quay.io/cilium/cilium:v1.15.1"}}}}
	}
	c.ENIConfigs = []world.ENIConfig{{Name: "zone-a", Subnet: c.ControlPlane[0]}}
}

// drawNode draws an aws-node that people brought: of a release or of none, from a registry or a mirror, with both halves or a half.
func drawNode(d dice) world.DaemonSet {
	registry := pick(d, "602401143452.dkr.ecr.eu-central-1.amazonaws.com/", "mirror.example:5000/eks/", "918309763551.dkr.ecr.cn-north-1.amazonaws.com.cn/")
	tag := pick(d, ":v1.6.3", ":v1.7.5", ":v1.7.5", ":v1.7.10-eksbuild.1", ":v1.9.3", ":v1.13.2", ":v1.16.0", ":v1.18.5", ":v1.20.4", ":v1.22.1", ":latest", ":v1.19.0-corp",
		"@sha256:"+strings.Repeat("4f", 32))
	n := world.DaemonSet{
		Name: "aws-node", ServiceAccount: pick(d, "", "aws-node"), Role: pick(d, "", "arn:aws:iam::111122223333:role/cni"),
		Labels:     map[string]string{"k8s-app": "aws-node", "app.kubernetes.io/managed-by": "Helm"},
		Managers:   []world.Writer{{Name: pick(d, "helm", "kubectl-client-side-apply", "eks", "argocd-controller")}},
		Containers: []world.Container{{Name: "aws-node", Image: registry + "amazon-k8s-cni" + tag, Env: map[string]string{}}},
	}
	if d.chance(.4) {
		n.Containers[0].Env["VPC_CNI_VERSION"] = pick(d, "v1.20.4", "v1.7.5")
	}
	if d.chance(.3) {
		n.Containers[0].Env["AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG"] = "true"
	}
	if d.chance(.7) {
		n.InitContainers = []world.Container{{Name: "aws-vpc-cni-init", Image: registry + "amazon-k8s-cni-init" + pick(d, tag, tag, tag, ":v1.12.0")}}
	}
	if d.chance(.3) { // whoever reads the first container reads this one
		n.Containers = slices.Insert(n.Containers, 0, world.Container{Name: "aws-eks-nodeagent", Image: registry + "amazon/aws-network-policy-agent:v1.2.1"})
	}
	return n
}

// node is a cluster's aws-node as it truly stands, whoever manages it.
type node struct {
	world.DaemonSet
	exists bool
}

// version is that of the container aws-node; false: it is none that can be compared.
func (n node) version() (release, bool) {
	for _, c := range n.Containers {
		if c.Name == "aws-node" {
			if r, known := read(tagOf(c.Image)); known {
				return r, true
			}
			return read(c.Env["VPC_CNI_VERSION"])
		}
	}
	return release{}, false
}

// differs reports whether both halves are of releases, and of two.
func (n node) differs() bool {
	main, known := n.version()
	if len(n.InitContainers) == 0 || !known {
		return false
	}
	half, known := read(tagOf(n.InitContainers[0].Image))
	return known && slices.Compare(half[:3], main[:3]) != 0
}

func tagOf(image string) string {
	image, _, _ = strings.Cut(image, "@")
	return image[strings.LastIndexAny(image, ":/")+1:]
}

// reads reports whether the observer may look into a cluster now.
func (s *stage) reads(a *actual) bool {
	return s.run.World.Reads(a.id, roleARN(a.Cluster, observer))
}

// isHidden reports whether a cluster has nodes and never had a managed add-on, and the observer was never let in.
func (s *stage) isHidden(a *actual) bool {
	managed := a.addon.any(start, func(is addon) bool { return is.exists })
	return !managed && len(a.Nodegroups) > 0 && a.state.now().status != "" && !s.reads(a) // a cluster that is gone lets nobody in any more
}

// inside adds what is true of a cluster whose add-on EKS does not manage.
func (s *stage) inside(a *actual, want map[string]must) {
	set := settingsOf(s.doc, a.id, a.tags.now())
	now := map[bool]must{true: openNow, false: closedNow}
	runs := a.node.now()
	r, known := runs.version()
	switch {
	case !set.reads: // what was told stays as it is
		want["install-unknown"] = either
		fallthrough
	case !s.reads(a): // what was there may run on
		if set.reads {
			want["install-unknown"] = openNow
		}
		for _, finding := range []string{"version-outdated", "version-unknown", "release-known-bad", "images-differ"} {
			want[finding] = either
		}
	case !runs.exists:
		want["install-unknown"] = now[a.hasNodes(s.run.Now()) && !a.hasCilium()]
		for _, finding := range []string{"version-outdated", "version-unknown", "release-known-bad", "images-differ"} {
			want[finding] = map[bool]must{true: either, false: closedNow}[want["install-unknown"] == openNow] // what ran may stand elsewhere
		}
	case !a.hasNodes(s.run.Now()): // nobody runs it
		for _, finding := range []string{"version-outdated", "version-unknown", "release-known-bad", "images-differ"} {
			want[finding] = either
		}
	case !known:
		want["version-unknown"], want["version-outdated"], want["release-known-bad"] = openNow, either, either
		want["images-differ"] = either // of tags that say nothing
	default:
		want["version-outdated"], want["release-known-bad"] = now[r.short(set.floor)], now[r.bad()]
		want["images-differ"] = now[runs.differs()]
	}
}

// configured are the subnets of the ENIConfigs that the observer may read, where EKS does not manage the add-on.
func (s *stage) configured(a *actual) (ids []string) {
	on := slices.ContainsFunc(a.node.now().Containers, func(c world.Container) bool { return c.Env["AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG"] == "true" })
	if !on || !a.API.ENIConfigs || a.addon.now().exists || a.needless(s.run.Now()) || !s.reads(a) || !settingsOf(s.doc, a.id, a.tags.now()).reads {
		return nil
	}
	for _, c := range a.ENIConfigs {
		ids = append(ids, c.Subnet)
	}
	return ids
}

// hasNodes reports whether a cluster has nodes that need a CNI.
func (a *actual) hasNodes(at time.Time) bool { return len(a.Nodegroups) > 0 || len(a.running(at)) > 0 }

func (a *actual) hasCilium() bool {
	return slices.ContainsFunc(a.DaemonSets, func(d world.DaemonSet) bool { return d.Name == "cilium" })
}

// isSelfFine reports whether a cluster's aws-node satisfied the floor while EKS did not manage it.
func (s *stage) isSelfFine(a *actual, is node, at time.Time) bool {
	r, known := is.version()
	return is.exists && known && a.tags.any(at.Add(-lately), func(tags map[string]string) bool { return !r.short(settingsOf(s.doc, a.id, tags).floor) })
}

// checkInstall holds what people are told of an install against what truly stood there not long ago.
func (s *stage) checkInstall(law string, l *letter, a *actual) {
	unmanaged := a.addon.any(l.At.Add(-lately), func(is addon) bool { return !is.exists })
	word := l.Verdict.Install.Word
	if word == "self-managed" && !(unmanaged && a.node.any(l.At.Add(-lately), func(is node) bool { return is.exists })) {
		s.breaks(law, l.id(), "message %s: the install is self-managed, and there was no such aws-node", l.News)
	}
	if (word == "self-managed" || word == "other") && a.state.now().status != "" && !s.reads(a) {
		s.breaks(law, l.id(), "message %s: the install is %s, and the observer was never let in", l.News, word)
	}
	s.tally["told of install "+word]++
}

// pries reports what a request to a cluster's own API is that cniguard has no business with: all but four readings, by the observer.
func pries(c *world.Call) string {
	in := c.In.(*world.KubernetesRequest)
	const system = "/namespaces/kube-system/"
	path, _, _ := strings.Cut(in.Path, "?")
	allowed := path == "/apis/apps/v1"+system+"daemonsets/aws-node" || path == "/apis/apps/v1"+system+"daemonsets" ||
		path == "/apis/crd.k8s.amazonaws.com/v1alpha1/eniconfigs" || path == "/api/v1"+system+"serviceaccounts/aws-node" || path == "/api/v1"+system+"serviceaccounts/default"
	switch {
	case in.Method != "GET" || !allowed:
		return in.Method + " " + in.Path
	case !strings.HasSuffix(c.Principal, ":role/"+observer):
		return in.Path + " as " + c.Principal
	}
	return ""
}

// TestPriesKnowsTheReadings proves the law's own eye: what it calls business, and what not.
func TestPriesKnowsTheReadings(t *testing.T) {
	const system, role = "/apis/apps/v1/namespaces/kube-system/", "arn:aws:iam::111122223333:role/"
	for name, of := range map[string]struct {
		method, path, principal string
		pries                   bool
	}{
		"aws-node":                  {"GET", system + "daemonsets/aws-node", role + observer, false},
		"the DaemonSets, in pages":  {"GET", system + "daemonsets?limit=500", role + observer, false},
		"ENIConfigs":                {"GET", "/apis/crd.k8s.amazonaws.com/v1alpha1/eniconfigs", role + observer, false},
		"aws-node's ServiceAccount": {"GET", "/api/v1/namespaces/kube-system/serviceaccounts/aws-node", role + observer, false},
		"another verb":              {"PATCH", system + "daemonsets/aws-node", role + observer, true},
		"another DaemonSet":         {"GET", system + "daemonsets/kube-proxy", role + observer, true},
		"another namespace":         {"GET", "/apis/apps/v1/namespaces/default/daemonsets", role + observer, true},
		"Secrets":                   {"GET", "/api/v1/namespaces/kube-system/secrets", role + observer, true},
		"another role":              {"GET", system + "daemonsets/aws-node", role + "cniguard-actor", true},
	} {
		call := &world.Call{Principal: of.principal, In: &world.KubernetesRequest{Method: of.method, Path: of.path}}
		if what := pries(call); (what != "") != of.pries {
			t.Errorf("%s: pries says %q", name, what)
		}
	}
}

// insideEdges are what becomes of installs that EKS does not manage, and of the way to them.
func insideEdges() []edge {
	did := func(deed world.Deed, is func(world.Change) bool) func(*scene) bool {
		return func(s *scene) bool {
			return slices.ContainsFunc(s.spec.Changes, func(c world.Change) bool { return c.Do == deed && is(c) })
		}
	}
	any := func(world.Change) bool { return true }
	change := func(s *scene, d dice, trouble time.Duration) world.Change {
		c := pick(d, s.spec.Clusters...)
		return world.Change{At: inTrouble(d, trouble), Account: c.Account, Region: c.Region, Name: c.Name}
	}
	return []edge{
		{name: "access that is given later", set: func(s *scene, d dice, trouble time.Duration) {
			for _, c := range s.spec.Clusters {
				if c.API.AuthenticationMode == "CONFIG_MAP" {
					continue // EKS refuses it
				}
				ch := change(s, d, trouble)
				ch.Account, ch.Region, ch.Name, ch.Do, ch.Role = c.Account, c.Region, c.Name, world.GrantAccess, observer
				s.spec.Changes = append(s.spec.Changes, ch)
			}
		}, is: did(world.GrantAccess, any)},
		{name: "an aws-node that somebody applies", set: func(s *scene, d dice, trouble time.Duration) {
			ch, n := change(s, d, trouble), drawNode(d)
			ch.Do, ch.DaemonSet = world.ApplyDaemonSet, &n
			s.spec.Changes = append(s.spec.Changes, ch)
		}, is: did(world.ApplyDaemonSet, any)},
		{name: "an add-on that leaves its aws-node behind", set: func(s *scene, d dice, trouble time.Duration) {
			ch := change(s, d, trouble)
			ch.Do, ch.Preserve = world.DeleteAddon, true
			s.spec.Changes = append(s.spec.Changes, ch)
		}, is: did(world.DeleteAddon, func(c world.Change) bool { return c.Preserve })},
		{name: "self-managed installs that the policy ignores", set: func(s *scene, d dice, _ time.Duration) {
			rule := policy.Rule{Name: "ignored", Match: policy.Match{Clusters: []string{pick(d, s.spec.Clusters...).Name}}, Set: policy.Set{SelfManaged: new("ignore")}}
			s.doc.Rules = append(slices.Clone(s.doc.Rules), rule)
		}, is: func(s *scene) bool {
			return slices.ContainsFunc(s.doc.Rules, func(r policy.Rule) bool { return r.Set.SelfManaged != nil })
		}},
	}
}

// troubles of a cluster's own API that pass.
func insideTroubles() []world.Fault {
	all := []world.Fault{{Service: "kubernetes", Latency: 6 * time.Second, Chance: .5}}
	for _, code := range []string{"TooManyRequests", "InternalError", "ConnectionReset", "ConnectionTimedOut", "UnknownAuthority", "NoSuchHost", "Unauthorized", "Forbidden"} {
		all = append(all, world.Fault{Service: "kubernetes", Code: code, Chance: .7})
	}
	return all
}

// lyingInsider is an Insider whose readings somebody changes.
type lyingInsider struct {
	check.Insider
	lie func(*guard.Reading[*guard.Inside])
}

func (l lyingInsider) Inside(ctx context.Context, id cluster.ID, api guard.API) guard.Reading[*guard.Inside] {
	r := l.Insider.Inside(ctx, id, api)
	l.lie(&r)
	return r
}

func insiderThat(lie func(*guard.Reading[*guard.Inside])) twist {
	return twist{alter: func(p *app.Parts, _ scene) { p.Insider = lyingInsider{p.Insider, lie} }}
}

func defectsOfInside() []defect {
	recent := cni.Parse("v1.99.0")
	fresh := func() *guard.Inside {
		return &guard.Inside{Node: &guard.DaemonSet{Version: recent, Raw: recent.String(), From: "image tag"}}
	}
	shut := func(s *scene) {
		for i := range s.spec.Clusters {
			s.spec.Clusters[i].Addon, s.spec.Clusters[i].API.Readers = nil, nil
		}
	}
	open := func(s *scene) {
		for i := range s.spec.Clusters {
			c := &s.spec.Clusters[i]
			c.Addon, c.API = nil, world.API{Readers: []string{observer}}
			c.DaemonSets = []world.DaemonSet{drawNode(cast(s.seed, uint64(100+i)))}
		}
	}
	cilium := func(s *scene) {
		open(s)
		for i := range s.spec.Clusters {
			s.spec.Clusters[i].DaemonSets = []world.DaemonSet{{Name: "cilium", Containers: []world.Container{{Name: "cilium-agent", Image: "quay.io/cilium/cilium:v1.15.1"}}}}
		}
	}
	return []defect{
		{law: "Unknown is not fine", name: "a reader that sees an aws-node where another CNI runs", where: cilium, sees: "there was no such aws-node", plant: insiderThat(func(r *guard.Reading[*guard.Inside]) {
			if r.Fault == nil {
				*r = guard.Read(&guard.Inside{Node: &guard.DaemonSet{Version: cni.Parse("v1.6.3"), Raw: "v1.6.3", From: "image tag"}})
			}
		})},
		{law: "Unknown is not fine", name: "a reader that takes a closed cluster for one of another CNI", where: shut, sees: "the verdict is fine", plant: insiderThat(func(r *guard.Reading[*guard.Inside]) {
			if r.Fault != nil {
				*r = guard.Read(&guard.Inside{Others: []string{"Cilium"}})
			}
		})},
		{law: "Unknown is not fine", name: "a reader that takes a closed cluster's aws-node for a new one", where: shut, sees: "never let in", plant: insiderThat(func(r *guard.Reading[*guard.Inside]) {
			if r.Fault != nil {
				*r = guard.Read(fresh())
			}
		})},
		{law: "Told", name: "a reader that takes every aws-node for a new one", where: open, sees: "version-outdated is true", plant: insiderThat(func(r *guard.Reading[*guard.Inside]) {
			if r.Fault == nil && r.Value.Node != nil {
				*r = guard.Read(fresh())
			}
		})},
		{law: "Told", name: "a reader that reads the init container for aws-node", where: open, sees: "images-differ is true", plant: insiderThat(func(r *guard.Reading[*guard.Inside]) {
			if r.Fault == nil && r.Value.Node != nil {
				r.Value.Node.Differ = ""
			}
		})},
	}
}
