package kube

import (
	"maps"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
)

// installer is what one installer leaves. Marks are labels and annotations as this package writes them in evidence, and managers the
// names that field managers have; a star stands for any text.
type installer struct {
	name     string
	marks    []string
	managers []string
	runs     []string // managers of another that it has do its work
	shared   bool     // another leaves the same hand when it creates the object
}

const (
	kubectl     = "kubectl"
	helmRelease = "annotation meta.helm.sh/release-name=*"
	lastApplied = "annotation kubectl.kubernetes.io/last-applied-configuration" // its value, which is the whole object, is not kept
)

// kubectls are the managers of kubectl's commands.
var kubectls = []string{kubectl, "kubectl-*"}

// installers are those that are known, who would overwrite the others first: what reconciles by itself, then what a pipeline starts,
// then people, then EKS, which comes back to neither. Sources: section 6.7 of docs/facts-eks-vpc-cni.md.
var installers = []installer{
	{
		name: "Flux", marks: []string{"label kustomize.toolkit.fluxcd.io/name=*", "label helm.toolkit.fluxcd.io/name=*"},
		managers: []string{"kustomize-controller", "helm-controller"},
	},
	{
		name: "Argo CD", marks: []string{"annotation argocd.argoproj.io/tracking-id=*:apps/DaemonSet:kube-system/aws-node"},
		managers: []string{"argocd-controller", "argocd-application-controller"},
	},
	{name: "Rancher Fleet", marks: []string{"annotation objectset.rio.cattle.io/id=*"}, managers: []string{"fleetagent"}},
	{name: "Terraform", managers: []string{"Terraform", "HashiCorp", "terraform-provider-*"}},
	{name: "Pulumi", marks: []string{"label app.kubernetes.io/managed-by=pulumi"}, managers: []string{"pulumi-kubernetes*", "pulumi-resource-kubernetes*"}},
	{name: "AWS CDK", marks: []string{"label aws.cdk.eks/prune-*"}, runs: kubectls},
	{name: "Helm", marks: []string{helmRelease}, managers: []string{"helm", "Helm"}},
	{name: "kapp", marks: []string{"label kapp.k14s.io/app=*"}, managers: []string{"kapp"}},
	{name: "eksctl", managers: []string{"eksctl"}},
	{name: kubectl, managers: kubectls},
	{name: "preserved EKS add-on", managers: []string{"eks"}, shared: true},
}

// claim is what speaks for one installer.
type claim struct {
	name       string
	confidence guard.Confidence
	evidence   []string
}

// evidences bounds how many lines of evidence are kept.
const evidences = 12

// installedBy judges who installed an object from what they left on it. Of several, the one that would overwrite the others next is
// named, and what the others left stays as evidence.
func installedBy(m metadata) guard.Installer {
	marks, writers := marksOf(m), writersOf(m)
	var claims []claim
	for _, i := range installers {
		claims = append(claims, i.claim(marks, writers))
	}
	claims = append(claims, bootstrapped(m, marks, writers))
	claims = slices.DeleteFunc(claims, func(c claim) bool { return c.confidence == "" })
	slices.SortStableFunc(claims, func(a, b claim) int { return guesses(a) - guesses(b) })

	var by guard.Installer
	if len(claims) > 0 {
		by.Name, by.Confidence = claims[0].name, claims[0].confidence
	}
	for _, c := range append(claims, claim{evidence: strangers(writers)}) {
		for _, line := range c.evidence {
			if line = plain.Clean(line, longestMark); len(by.Evidence) < evidences && !slices.Contains(by.Evidence, line) {
				by.Evidence = append(by.Evidence, line)
			}
		}
	}
	return by
}

func guesses(c claim) int {
	if c.confidence == guard.Guess {
		return 1
	}
	return 0
}

// claim weighs what an installer left: its own mark and its hand on the image are certain, one of them is likely, and a hand on anything
// else is a guess, as is one that is shared and was never there after the object's creation. A label alone is a guess too: whoever copies
// a manifest copies its labels, while an annotation names the release or this object.
func (i installer) claim(marks []string, writers []writer) claim {
	c := claim{name: i.name, evidence: matching(i.marks, marks)}
	marked, image, late := len(c.evidence) > 0, false, false
	named := slices.ContainsFunc(c.evidence, func(mark string) bool { return strings.HasPrefix(mark, "annotation ") })
	for _, w := range writers {
		named = named || like(i.managers, w.manager) || like(i.runs, w.manager)
		if !like(i.managers, w.manager) || i.name == kubectl && w.born { // see bootstrapped
			continue
		}
		c.evidence = append(c.evidence, w.String())
		image, late = image || w.image, late || !w.born
	}
	switch {
	case marked && image:
		c.confidence = guard.Certain
	case marked && named, image && (late || !i.shared):
		c.confidence = guard.Likely
	case len(c.evidence) > 0:
		c.confidence = guard.Guess
	}
	return c
}

// bootstrapped looks for the aws-node that EKS puts into a new cluster. Until 2023 it was applied as kubectl does, and since then it has
// the labels of the Helm chart without the annotations that Helm leaves: both are no more than a guess.
func bootstrapped(m metadata, marks []string, writers []writer) claim {
	c := claim{name: "EKS bootstrap"}
	byHand := false
	for _, w := range writers {
		if !like(kubectls, w.manager) {
			continue
		}
		if byHand = byHand || !w.born; w.born {
			c.evidence = append(c.evidence, w.String())
		}
	}
	if applied := matching([]string{lastApplied}, marks); len(applied) > 0 && !byHand {
		c.evidence = append(c.evidence, applied...)
		if len(c.evidence) == len(applied) && m.Generation > 1 { // no manager is on record, and it was changed since
			c.name = kubectl
		}
	}
	if len(matching([]string{helmRelease}, marks)) == 0 {
		c.evidence = append(c.evidence, matching([]string{"label helm.sh/chart=aws-vpc-cni-*"}, marks)...)
	}
	if len(c.evidence) > 0 {
		c.confidence = guard.Guess
	}
	return c
}

// marksOf are the labels and annotations of an object in order, as they stand in evidence.
func marksOf(m metadata) (marks []string) {
	for _, key := range slices.Sorted(maps.Keys(m.Annotations)) {
		if mark := "annotation " + key; mark == lastApplied {
			marks = append(marks, mark)
		} else {
			marks = append(marks, mark+"="+m.Annotations[key])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(m.Labels)) {
		marks = append(marks, "label "+key+"="+m.Labels[key])
	}
	return marks
}

func matching(patterns, marks []string) (found []string) {
	for _, mark := range marks {
		if like(patterns, mark) {
			found = append(found, mark)
		}
	}
	return found
}

// like reports whether one of the patterns fits, in which one star stands for any text.
func like(patterns []string, s string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		before, after, open := strings.Cut(p, "*")
		if !open {
			return s == p
		}
		rest, fits := strings.CutPrefix(s, before)
		return fits && strings.HasSuffix(rest, after)
	})
}
