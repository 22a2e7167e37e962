package remedy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/plain"
)

// chartRepository is where EKS publishes its charts.
const chartRepository = "https://aws.github.io/eks-charts"

// helm is the fix with the chart eks/aws-vpc-cni. An aws-node that Helm did not install becomes a release of Helm by the first step.
func helm(f Facts) (Fix, error) {
	fix := Fix{
		Method: Helm,
		Notes:  append(append(f.installerNotes("Helm"), f.imageNotes()...), f.gapNotes()...),
		Checked: "Helm 3.19 and kubectl 1.34 run these commands in tests against the API server of Kubernetes, with a stand-in of the chart that has its " +
			"documented values.",
		Unchecked: "The chart itself is not part of the tests, and there are no nodes in them, so no pod starts. That a version of the chart was published " +
			"is shown by the command that asks for it.",
	}
	fix.Notes = append(fix.Notes, "The commands are for Helm 3.")
	for i, s := range f.steps() {
		to := cni.Parse(s.To)
		number, of := chart(to)
		if number == "" {
			return Fix{}, fmt.Errorf("no chart is known for %s, nor one of its minor version; use --with manifest", s.To)
		}
		if tag(of) != s.To {
			s.Notes = append(s.Notes, fmt.Sprintf("No chart is known for %s. Chart %s, of %s, is near: it gets the images of %s.", s.To, number, tag(of), s.To))
		}
		adopt := i == 0 && f.node().By.Name != "Helm"
		if adopt {
			fix.Notes = append(fix.Notes, f.settingNotes()...)
		}
		s.Notes = append(s.Notes, f.agentNotes(to, number)...)
		s.Before = f.chartBefore(s, number, of, adopt)
		f.upgrade(&s, number, adopt)
		s.Wait, s.After = f.rolling(), f.running(s)
		s.After.Run = append(s.After.Run, f.helm("status", f.helmRelease()))
		s.Back = f.rollback(s, adopt)
		fix.Steps = append(fix.Steps, s)
	}
	return fix, nil
}

// helm makes a command of Helm about this cluster, whichever is the current one.
func (f Facts) helm(words ...string) string {
	return plain.Command(slices.Concat([]string{"helm"}, words, []string{"--namespace", "kube-system", "--kube-context", f.Cluster.ARN()})...)
}

// helmRelease is the name of the release, which Helm leaves in an annotation; for an adoption, the name that the chart's README has.
func (f Facts) helmRelease() string {
	for _, mark := range f.node().By.Evidence {
		if name, is := strings.CutPrefix(mark, "annotation meta.helm.sh/release-name="); is && name != "" && f.node().By.Name == "Helm" {
			return name
		}
	}
	return "aws-vpc-cni"
}

// agentNotes are what to know of the node agent's image, which the chart has by default.
func (f Facts) agentNotes(v cni.Version, number string) []string {
	at := f.registries().agent
	switch {
	case !v.Satisfies(cni.Version{Major: 1, Minor: 14}):
		return nil
	case ecr.MatchString(at):
		return []string{"The node agent's release is the chart's own, nodeAgent.image.tag: take that key out of the values where it stands there."}
	case cni.Agent(v) == "":
		return []string{"Which node agent belongs to " + tag(v) + " is not known here. Put its image into nodeAgent.image.override, with the tag that this shows as " +
			"nodeAgent.image.tag: " + plain.Command("helm", "show", "values", "aws-vpc-cni", "--repo", chartRepository, "--version", number)}
	}
	return nil
}

func (f Facts) chartBefore(s Step, number string, of cni.Version, adopt bool) Part {
	p := f.standing(s)
	if adopt {
		p.Say = append(p.Say, `The selector must be {"k8s-app":"aws-node"}: it cannot be changed, and originalMatchLabels has the chart keep that one.`)
		p.Run = append(p.Run, f.getNode(selectorPath))
	} else {
		old := "vpc-cni-values-" + s.From + "-before.yaml"
		p.Say = append(p.Say, "The release must be deployed. Its own values are saved in "+old+", and may be secret.")
		p.Run = append(p.Run, f.helm("status", f.helmRelease()),
			f.helm("get", "values", f.helmRelease(), "--output", "yaml")+" > "+plain.Quote(old))
	}
	p.Say = append(p.Say, fmt.Sprintf("The chart must be there, as version %s and appVersion %s.", number, tag(of)))
	p.Run = append(p.Run, plain.Command("helm", "show", "chart", "aws-vpc-cni", "--repo", chartRepository, "--version", number))
	return p
}

// upgrade has Helm put the release's chart in. A dry run first shows what it cannot.
func (f Facts) upgrade(s *Step, number string, adopt bool) {
	to, name := cni.Parse(s.To), "vpc-cni-values-"+s.To+".yaml"
	s.Before.Files = append(s.Before.Files, File{Name: name, Text: f.values(to, adopt)})
	words := []string{"upgrade", "--install", f.helmRelease(), "aws-vpc-cni", "--repo", chartRepository, "--version", number}
	if adopt {
		s.Notes = append(s.Notes, "Helm did not install aws-node: it takes over what carries its marks. From then on aws-node is changed by Helm alone; "+
			"helm uninstall would delete it.")
		s.Change.Say = append(s.Change.Say, "Where the dry run says that something cannot be imported, give it the same marks.")
		s.Change.Run = append(s.Change.Run, f.adopted(*s)...)
	} else {
		s.Notes = append(s.Notes, "The values that the release has are kept: the new file stands behind them, and changes the images alone.")
		words = append(words, "--values", "vpc-cni-values-"+s.From+"-before.yaml")
		if crosses(*s, 1, 12, 1) {
			s.Notes = append(s.Notes, "Up to v1.12.0 the chart has the definition of ENIConfig among its templates, and later ones have not: without the annotation "+
				"Helm deletes it, and every ENIConfig with it (https://github.com/aws/eks-charts/issues/907).")
			s.Change.Run = append(s.Change.Run, f.kubectl("annotate",
				"customresourcedefinition/eniconfigs.crd.k8s.amazonaws.com", "helm.sh/resource-policy=keep", "--overwrite"))
		}
	}
	if to.Satisfies(ownDefinitions) {
		s.Change.Say = append(s.Change.Say, "Helm installs custom resource definitions once and never updates them: the command with a pipe brings those of the chart.")
		s.Change.Run = append(s.Change.Run, plain.Command("helm", "show", "crds", "aws-vpc-cni", "--repo", chartRepository, "--version", number)+
			" |\n    "+f.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-"))
	}
	words = append(words, "--values", name)
	dry := f.helm(append(words, "--dry-run")...)
	if adopt { // it would be refused without the marks
		s.Change.Run = append(s.Change.Run, dry, f.helm(words...))
		return
	}
	s.Before.Say = append(s.Before.Say, "Write the file below; the dry run must end without an error.")
	s.Before.Run = append(s.Before.Run, dry)
	s.Change.Run = append(s.Change.Run, f.helm(words...))
}

// adopted puts Helm's marks on every object of the chart that stands already (README of the chart, "Adopting the existing aws-node resources").
// Its custom resource definitions are in none of Helm's releases.
func (f Facts) adopted(s Step) (run []string) {
	objects := []string{"daemonset/aws-node", "serviceaccount/aws-node", "clusterrole/aws-node", "clusterrolebinding/aws-node"}
	if cni.Parse(s.From).Satisfies(cni.Version{Major: 1, Minor: 14}) {
		objects = append(objects, "configmap/amazon-vpc-cni")
	}
	for _, object := range objects {
		run = append(run,
			f.kube("annotate", object, "meta.helm.sh/release-name="+f.helmRelease(), "meta.helm.sh/release-namespace=kube-system", "--overwrite"),
			f.kube("label", object, "app.kubernetes.io/managed-by=Helm", "--overwrite"))
	}
	return run
}

// rollback goes back to the release's revision before; of an adoption there is none, and the images go back alone.
func (f Facts) rollback(s Step, adopt bool) Part {
	if why := f.noWayBackInside(s); why != "" {
		return Part{Say: []string{"There is no way back: " + why + "."}}
	}
	if adopt {
		p := f.imagesBack(s, true)
		p.Say = append(p.Say, "Helm has no revision before this one. The next upgrade by Helm sets its own images again; do not uninstall the release.")
		return p
	}
	return Part{
		Say: []string{"This goes back to the revision before. helm history names it."},
		Run: []string{f.helm("history", f.helmRelease()), f.helm("rollback", f.helmRelease()), f.rolledOut("30m"), f.getNode(imagesPath)},
	}
}
