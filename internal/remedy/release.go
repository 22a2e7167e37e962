package remedy

import (
	"fmt"
	"strings"

	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/plain"
)

// release applies a release's manifest. kubectl's own kustomize puts the registry and the settings in, so that nodes never run it without them.
func (f Facts) release(s *Step, why string) {
	to := cni.Parse(s.To)
	url, dir, name := f.manifestURL(to), "aws-node-"+s.To, "kustomization-"+s.To+".yaml"
	s.Notes = append(s.Notes, "New images alone are not enough: "+why+". So the release's manifest is applied: "+url)
	if f.ipv6() {
		s.Notes = append(s.Notes, "The pods have IPv6 addresses: the node agent needs --enable-ipv6=true, which the manifest has not. Set it in the downloaded file.")
	}
	s.Before.Say = append(s.Before.Say, `The selector must be {"k8s-app":"aws-node"}: it cannot be changed, and the manifest has that one.`)
	s.Before.Run = append(s.Before.Run, f.getNode(selectorPath))
	s.Before.Say = append(s.Before.Say,
		"Then write the file below, and read the diff, which exits with 1 where there are differences: no setting of yours may be lost.",
		"Add what is missing to the list of variables in "+dir+"/kustomization.yaml. The dry run must end without an error.")
	s.Before.Files = append(s.Before.Files, File{Name: name, Text: f.kustomization(to)})
	s.Before.Run = append(s.Before.Run,
		plain.Command("mkdir", "-p", dir),
		plain.Command("cp", name, dir+"/kustomization.yaml"),
		plain.Command("curl", "-fsSL", "-o", dir+"/aws-k8s-cni.yaml", url),
		f.kubectl("diff", "-k", dir)+" || test $? -eq 1",
		f.kubectl("apply", "-k", dir, "--dry-run=server"))
	s.Change = Part{Run: []string{f.kubectl("apply", "-k", dir)}}
}

// kustomization is the release's manifest with the registry, the settings and the role of this cluster.
func (f Facts) kustomization(v cni.Version) string {
	var b strings.Builder
	b.WriteString("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- aws-k8s-cni.yaml\n")
	at, theirs := f.registries(), f.manifestRegistry()
	b.WriteString("images:\n")
	for _, i := range []struct{ repository, registry string }{{nodeRepository, at.node}, {setupRepository, at.setup}} {
		fmt.Fprintf(&b, "- name: %s\n  newName: %s\n  newTag: %s\n", theirs+"/"+i.repository, doubleQuoted(i.registry+"/"+i.repository), doubleQuoted(tag(v)))
	}
	if v.Satisfies(cni.Version{Major: 1, Minor: 14}) && at.agent != theirs {
		fmt.Fprintf(&b, "- name: %s\n  newName: %s\n", theirs+"/"+agentRepository, doubleQuoted(at.agent+"/"+agentRepository))
	}
	var patches string
	if vars := f.node().Env; len(vars) > 0 {
		patch := "apiVersion: apps/v1\nkind: DaemonSet\nmetadata:\n  name: aws-node\n  namespace: kube-system\nspec:\n  template:\n    spec:\n"
		if f.ipv6() {
			patch += "      initContainers:\n      - name: aws-vpc-cni-init\n        env:\n        - name: ENABLE_IPv6\n          value: \"true\"\n"
		}
		patch += "      containers:\n      - name: aws-node\n        env:\n"
		for _, e := range vars {
			patch += "        - name: " + doubleQuoted(e.Name) + "\n          value: " + doubleQuoted(e.Value) + "\n"
		}
		patches += "- patch: |\n" + indented(patch, 4)
	}
	if role := f.node().Role; role != "" {
		patch := "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: aws-node\n  namespace: kube-system\n  annotations:\n" +
			"    eks.amazonaws.com/role-arn: " + doubleQuoted(role) + "\n"
		patches += "- patch: |\n" + indented(patch, 4)
	}
	if patches != "" {
		b.WriteString("patches:\n" + patches)
	}
	return b.String()
}
