package remedy

import (
	"strings"

	"github.com/cniguard/cniguard/internal/cni"
)

// values is a values file of the chart aws-vpc-cni: the images, and at an adoption what was read of aws-node. A release that Helm has keeps its
// other values, which stand in another file before this one.
func (f Facts) values(v cni.Version, adopt bool) string {
	at, all := f.registries(), f.images(v)
	text := "image:\n" + indented(chartImage(v, at.node, all.node), 2)
	text += "init:\n  image:\n" + indented(chartImage(v, at.setup, all.setup), 4)
	if adopt && f.ipv6() {
		text += "  env:\n    ENABLE_IPv6: \"true\"\n"
	}
	if v.Satisfies(cni.Version{Major: 1, Minor: 14}) {
		text += "nodeAgent:\n  enabled: true\n" + f.agentImage(at.agent, all.agent)
		if adopt && f.ipv6() {
			text += "  enableIpv6: \"true\"\n"
		}
	}
	if !adopt {
		return text
	}
	text += "originalMatchLabels: true\n"
	if !v.Satisfies(ownDefinitions) {
		text += "crd:\n  create: false\n"
	}
	if role := f.node().Role; role != "" {
		text += "serviceAccount:\n  annotations:\n    eks.amazonaws.com/role-arn: " + doubleQuoted(role) + "\n"
	}
	if vars := f.node().Env; len(vars) > 0 {
		text += "env:\n"
		for _, e := range vars {
			text += "  " + doubleQuoted(e.Name) + ": " + doubleQuoted(e.Value) + "\n"
		}
	}
	return text
}

// ownDefinitions is from which release on the chart has the custom resource definitions in crds/, where Helm lets them be (aws/eks-charts #869).
var ownDefinitions = cni.Version{Major: 1, Minor: 12, Patch: 1}

// chartImage is an image in the chart's words. What comes from Amazon ECR is said by its parts, and the null takes out what an earlier values
// file has for the whole; charts before 1.13.0 may not know all parts, and no chart knows those of another registry.
func chartImage(v cni.Version, registry, whole string) string {
	m := ecr.FindStringSubmatch(registry)
	if m == nil || !v.Satisfies(sameNumber) {
		return "tag: " + doubleQuoted(tag(v)) + "\noverride: " + doubleQuoted(whole) + "\n"
	}
	return "tag: " + doubleQuoted(tag(v)) + "\n" + chartRegistry(m)
}

func chartRegistry(m []string) string {
	return "account: " + doubleQuoted(m[1]) + "\nregion: " + doubleQuoted(m[2]) + "\ndomain: " + doubleQuoted(m[3]) + "\noverride: null\noverrideRepository: null\n"
}

// agentImage says where the node agent's image comes from. Its tag is the chart's own, but for a registry that is not Amazon ECR, where the
// image has to be said as a whole.
func (f Facts) agentImage(registry, whole string) string {
	if m := ecr.FindStringSubmatch(registry); m != nil {
		return "  image:\n" + indented(chartRegistry(m), 4)
	}
	if whole == "" {
		whole = f.node().Agent
	}
	if strings.TrimSpace(whole) == "" {
		return ""
	}
	return "  image:\n    override: " + doubleQuoted(whole) + "\n"
}
