package remedy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/plain"
)

// What is asked of the DaemonSet: the image of each container by its name, and the variables of aws-node.
const (
	imagesPath = `jsonpath={range .spec.template.spec.initContainers[*]}{.name}{" "}{.image}{"\n"}{end}` +
		`{range .spec.template.spec.containers[*]}{.name}{" "}{.image}{"\n"}{end}`
	settingsPath = `jsonpath={range .spec.template.spec.containers[?(@.name=="aws-node")].env[*]}{.name}={.value}{"\n"}{end}`
	selectorPath = `jsonpath={.spec.selector.matchLabels}{"\n"}`
)

// kubectl makes a command of kubectl about this cluster, whichever is the current one: update-kubeconfig names its context by the cluster's ARN.
func (f Facts) kubectl(words ...string) string {
	return plain.Command(append([]string{"kubectl", "--context", f.Cluster.ARN()}, words...)...)
}

// kube is one about something in the namespace of aws-node.
func (f Facts) kube(words ...string) string {
	return f.kubectl(append([]string{"--namespace", "kube-system"}, words...)...)
}

func (f Facts) getNode(output string) string {
	return f.kube("get", "daemonset", "aws-node", "--output", output)
}

func (f Facts) rolledOut(timeout string) string {
	return f.kube("rollout", "status", "daemonset/aws-node", "--timeout", timeout)
}

// steps are the way of an aws-node that EKS does not manage, from the version that was read to releases by their tags.
func (f Facts) steps() []Step {
	return f.way(func(v cni.Version) string {
		if v == f.Version {
			return v.String()
		}
		return tag(v)
	})
}

// standing is what must be so before a self-managed aws-node is changed. It saves the DaemonSet.
func (f Facts) standing(s Step) Part {
	saved := "aws-node-" + s.From + ".yaml"
	return Part{
		Say: []string{
			"The DaemonSet is saved in " + saved + ": with its variables, whose values may be secret.",
			fmt.Sprintf("Go on only where the roll-out is done, and the images of aws-node and aws-vpc-cni-init are of %s.", s.From),
		},
		Run: []string{
			f.eks("update-kubeconfig"), f.getNode("yaml") + " > " + plain.Quote(saved), f.rolledOut("5m"), f.getNode(imagesPath), f.getNode(settingsPath),
		},
	}
}

// rolling waits until all nodes run what was changed.
func (f Facts) rolling() Part {
	return Part{
		Say: []string{"A tenth of the nodes at a time; pods that run keep their network. It fails after 30 minutes: look then at the pods that are not ready."},
		Run: []string{f.rolledOut("30m")},
	}
}

// running is what proves that a self-managed aws-node is at a version.
func (f Facts) running(s Step) Part {
	return Part{
		Say: []string{
			fmt.Sprintf("aws-node and aws-vpc-cni-init must have images of %s, and every pod must be ready and stay so: run this again after ten minutes, "+
				"before the next step.", s.To),
		},
		Run: []string{f.getNode(imagesPath), f.kube("get", "pods", "--selector", "k8s-app=aws-node", "--output", "wide")},
	}
}

// installerNotes are who else changes aws-node. Nobody is said of one who left no mark, or does not come back.
func (f Facts) installerNotes(but ...string) []string {
	by := f.node().By
	if by.Name == "" || slices.Contains(append(but, "kubectl", "eksctl", "EKS bootstrap", "preserved EKS add-on"), by.Name) {
		return nil
	}
	return []string{fmt.Sprintf("%s installed aws-node, as far as marks tell, and takes back what is changed beside it. "+
		"Make the change there, or take aws-node out of it first.", by)}
}

// settingNotes are what to know of the settings that are carried over.
func (f Facts) settingNotes() (notes []string) {
	var names []string
	for _, e := range f.node().Env {
		names = append(names, e.Name)
	}
	if len(names) > 0 {
		notes = append(notes, "These settings are carried over as they were read: "+strings.Join(names, ", ")+".")
	}
	if others := f.node().Other; len(others) > 0 {
		notes = append(notes, "Set in aws-node too, with values that cniguard does not read; what the release does not set itself is to be added by hand: "+shown(others)+".")
	}
	for _, why := range f.node().Unread {
		notes = append(notes, "Not read, add it by hand: "+plain.Clean(why, plain.Text)+".")
	}
	return append(notes, "Not known here, and to be added by hand where they were changed: the variables of its init container, "+
		"the node agent's arguments, resources, tolerations, and the ConfigMap amazon-vpc-cni.")
}

// setting is the value of a variable that was read.
func (f Facts) setting(name string) string {
	for _, e := range f.node().Env {
		if e.Name == name {
			return e.Value
		}
	}
	return ""
}

// ipv6 reports whether the cluster's pods have IPv6 addresses.
func (f Facts) ipv6() bool { return f.setting("ENABLE_IPv6") == "true" }

// crosses reports whether a step leads to a release, or over it.
func crosses(s Step, major, minor, patch int) bool {
	at := cni.Version{Major: major, Minor: minor, Patch: patch}
	return cni.Parse(s.To).Satisfies(at) && !cni.Parse(s.From).Satisfies(at)
}
