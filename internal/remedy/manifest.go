package remedy

import (
	"fmt"
	"strings"

	"github.com/cniguard/cniguard/internal/cni"
)

// manifest is the fix with kubectl. Within what a release's own manifest leaves alone the images are changed, and nothing else; else the
// release's manifest is applied, with the settings of today.
func manifest(f Facts) (Fix, error) { //nolint:unparam // the renderers are of one type
	fix := Fix{
		Method: Manifest,
		Notes:  append(append(f.installerNotes(), f.imageNotes()...), f.gapNotes()...),
		Checked: "kubectl 1.34 runs these commands in tests against the API server of Kubernetes, with the manifests of the releases that are at hand; " +
			"the patches and kustomizations are held against the manifests of other releases.",
		Unchecked: "There are no nodes in the tests, so no pod starts; nor is the manifest of every release at hand.",
	}
	whole := false // a release's manifest is applied
	for _, s := range f.steps() {
		s.Before, s.Wait, s.After = f.standing(s), f.rolling(), f.running(s)
		why := f.unsafe(s)
		if why != "" {
			whole = true
			f.release(&s, why)
		} else {
			f.bump(&s)
		}
		s.Back = f.imagesBack(s, why != "")
		fix.Steps = append(fix.Steps, s)
	}
	if whole {
		fix.Notes = append(fix.Notes, f.settingNotes()...)
	}
	return fix, nil
}

// unsafe says why a change of both images alone is not safe; empty: it is.
func (f Facts) unsafe(s Step) string {
	from, to := cni.Parse(s.From), cni.Parse(s.To)
	_, setup := registry(f.node().Init, setupRepository)
	switch {
	case s.From == f.Version.String() && !setup:
		return "there is no init container aws-vpc-cni-init of the image " + setupRepository + ", which every release since v1.7.0 has"
	case s.From == f.Version.String() && !f.node().Same:
		return "the init container is of another release than aws-node: what stands there is no release's manifest"
	case crosses(s, 1, 10, 0):
		return "from v1.10.0 on aws-node panics without ENABLE_IPv4 and ENABLE_IPv6 (https://github.com/aws/amazon-vpc-cni-k8s/issues/1725)"
	case crosses(s, 1, 14, 0):
		return "v1.14.0 brings a container of its own, the node agent aws-eks-nodeagent, and custom resources for it"
	case to.Satisfies(cni.Version{Major: 1, Minor: 14}) && from.Minor != to.Minor:
		return "from v1.14.0 on each minor version has its own node agent beside aws-node, and the ClusterRole that this one needs"
	case to.Satisfies(cni.Version{Major: 1, Minor: 23}):
		return "from v1.23.0 on aws-node works only beside the node agent of its own release (https://github.com/aws/amazon-vpc-cni-k8s/issues/3739)"
	}
	return ""
}

// bump changes both images.
func (f Facts) bump(s *Step) {
	name := "aws-node-images-" + s.To + ".yaml"
	all := f.images(cni.Parse(s.To))
	all.agent = ""
	s.Notes = append(s.Notes, fmt.Sprintf("Only the images of aws-node and its init container change. What else the manifest of %s has stays away: variables "+
		"with their defaults, capabilities, labels, rules of the ClusterRole, and from v1.14.0 on the node agent's image. The whole is %s", s.To, f.manifestURL(cni.Parse(s.To))))
	s.Change = Part{
		Files: []File{{Name: name, Text: imagePatch(all, false)}},
		Run:   []string{f.patchNode(name)},
	}
}

func (f Facts) patchNode(file string) string {
	return f.kube("patch", "daemonset", "aws-node", "--type", "strategic", "--patch-file", file)
}

// imagePatch is a strategic-merge patch, by which containers are found by their names. It takes the agent out where it has to be gone.
func imagePatch(all images, without bool) string {
	text := "spec:\n  template:\n    spec:\n"
	if all.setup != "" {
		text += "      initContainers:\n      - name: aws-vpc-cni-init\n        image: " + doubleQuoted(all.setup) + "\n"
	}
	text += "      containers:\n      - name: aws-node\n        image: " + doubleQuoted(all.node) + "\n"
	switch {
	case without:
		text += "      - name: aws-eks-nodeagent\n        $patch: delete\n"
	case all.agent != "":
		text += "      - name: aws-eks-nodeagent\n        image: " + doubleQuoted(all.agent) + "\n"
	}
	return text
}

// imagesBack is the way back by the images that were there, from images alone or from a whole manifest. What else that brought stays: the
// release before does not look at it, but for the node agent, which is taken out where it was not there.
func (f Facts) imagesBack(s Step, whole bool) Part {
	if why := f.noWayBackInside(s); why != "" {
		return Part{Say: []string{"There is no way back: " + why + "."}}
	}
	all := f.imagesBefore(s)
	if !whole {
		all.agent = "" // nothing changed it
	}
	name := "aws-node-images-" + s.From + ".yaml"
	p := Part{
		Say:   []string{"This sets the images that were there."},
		Files: []File{{Name: name, Text: imagePatch(all, crosses(s, 1, 14, 0))}},
		Run:   []string{f.patchNode(name), f.rolledOut("30m"), f.getNode(imagesPath)},
	}
	if whole {
		p.Say = append(p.Say, "Variables, rules and volumes that came with them stay; what was there is in aws-node-"+s.From+".yaml.")
	}
	if whole && all.agent == "" && cni.Parse(s.From).Satisfies(cni.Version{Major: 1, Minor: 14}) {
		p.Say = append(p.Say, "The node agent keeps its image, unless you set the one that was there.")
	}
	return p
}

// manifestURL is where a release's manifest is: China and the GovCloud regions have their own (release notes of amazon-vpc-cni-k8s, "Note that
// the following regions use different manifests"). Until v1.9 it stood in a folder of its minor version.
func (f Facts) manifestURL(v cni.Version) string {
	folder := "master"
	if !v.Satisfies(cni.Version{Major: 1, Minor: 10}) {
		folder = fmt.Sprintf("v%d.%d", v.Major, v.Minor)
	}
	variant := ""
	switch region := f.Cluster.Region; {
	case strings.HasPrefix(region, "cn-"):
		variant = "-cn"
	case region == "us-gov-east-1" || region == "us-gov-west-1":
		variant = "-" + region
	}
	return "https://raw.githubusercontent.com/aws/amazon-vpc-cni-k8s/" + tag(v) + "/config/" + folder + "/aws-k8s-cni" + variant + ".yaml"
}

// manifestRegistry is the registry that the manifest at manifestURL names.
func (f Facts) manifestRegistry() string {
	region := "us-west-2"
	switch own := f.Cluster.Region; {
	case strings.HasPrefix(own, "cn-"):
		region = "cn-northwest-1"
	case own == "us-gov-east-1" || own == "us-gov-west-1":
		region = own
	}
	account, domain, _ := cni.Registry(region)
	return account + ".dkr.ecr." + region + "." + domain
}
