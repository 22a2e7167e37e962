package remedy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
)

// What is asked of the DaemonSet: the image of each container by its name, and the variables of aws-node.
const (
	imagesPath = `jsonpath={range .spec.template.spec.initContainers[*]}{.name}{" "}{.image}{"\n"}{end}` +
		`{range .spec.template.spec.containers[*]}{.name}{" "}{.image}{"\n"}{end}`
	settingsPath = `jsonpath={range .spec.template.spec.containers[?(@.name=="aws-node")].env[*]}{.name}={.value}{"\n"}{end}`
	selectorPath = `jsonpath={.spec.selector.matchLabels}{"\n"}`
)

// kube makes a command of kubectl about something in the namespace of aws-node.
func kube(words ...string) string {
	return plain.Command(append([]string{"kubectl", "--namespace", "kube-system"}, words...)...)
}

func getNode(output string) string { return kube("get", "daemonset", "aws-node", "--output", output) }

func rolledOut(timeout string) string {
	return kube("rollout", "status", "daemonset/aws-node", "--timeout", timeout)
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
			f.eks("update-kubeconfig"), getNode("yaml") + " > " + plain.Quote(saved), rolledOut("5m"), getNode(imagesPath), getNode(settingsPath),
		},
	}
}

// rolling waits until all nodes run what was changed.
func rolling() Part {
	return Part{
		Say: []string{"A tenth of the nodes at a time; pods that run keep their network. It fails after 30 minutes: look then at the pods that are not ready."},
		Run: []string{rolledOut("30m")},
	}
}

// running is what proves that a self-managed aws-node is at a version.
func running(s Step) Part {
	return Part{
		Say: []string{
			fmt.Sprintf("aws-node and aws-vpc-cni-init must have images of %s, and every pod must be ready and stay so: look again after ten minutes, "+
				"before the next step.", s.To),
		},
		Run: []string{getNode(imagesPath), kube("get", "pods", "--selector", "k8s-app=aws-node", "--output", "wide")},
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

// gapNotes are the steps that skip minor versions: upstream advises one at a time.
func (f Facts) gapNotes() (notes []string) {
	for _, gap := range f.Gaps {
		notes = append(notes, "Some minor versions are skipped: "+gap+".")
	}
	return notes
}

// settings are the variables that a new manifest or chart gets, and the names of those whose values were not read whole.
func (f Facts) settings() (whole []guard.Fact, cut []string) {
	for _, e := range f.node().Env {
		if strings.HasSuffix(e.Value, plain.Ellipsis) {
			cut = append(cut, e.Name)
		} else {
			whole = append(whole, e)
		}
	}
	return whole, cut
}

// settingNotes are what to know of the settings that are carried over.
func (f Facts) settingNotes() (notes []string) {
	whole, cut := f.settings()
	if len(whole) > 0 {
		var names []string
		for _, e := range whole {
			names = append(names, e.Name)
		}
		notes = append(notes, "These settings are carried over as they were read: "+strings.Join(names, ", ")+".")
	}
	if len(cut) > 0 {
		notes = append(notes, "The values of these are too long to be known here, add them by hand: "+strings.Join(cut, ", ")+".")
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
