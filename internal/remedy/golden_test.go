package remedy_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/remedy"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestEveryMethodInEveryPartition(t *testing.T) {
	for _, m := range remedy.Methods() {
		for _, region := range []string{"eu-central-1", "us-gov-west-1", "cn-north-1"} {
			for name, c := range goldenCases() {
				t.Run(fmt.Sprintf("%s %s %s", m, region, name), func(t *testing.T) {
					fix, err := remedy.For(c(region, m), m)
					if err != nil {
						t.Fatal(err)
					}
					golden(t, fmt.Sprintf("%s-%s-%s", m, region, name), printed(fix))
				})
			}
		}
	}
}

// goldenCases make facts for a region and a method. Those of manifest and Helm are self-managed in every case.
func goldenCases() map[string]func(region string, m remedy.Method) remedy.Facts {
	return map[string]func(string, remedy.Method) remedy.Facts{
		"step": func(region string, m remedy.Method) remedy.Facts {
			return managedFacts(region, m, guard.ByHand{
				Kubernetes: "1.31", Configured: true, Listed: "v1.18.5-eksbuild.1", Path: []string{"v1.19.3-eksbuild.1"},
				Why: "v1.18.5-eksbuild.1 → v1.19.3-eksbuild.1",
			})
		},
		"path": func(region string, m remedy.Method) remedy.Facts {
			return managedFacts(region, m, guard.ByHand{
				Kubernetes: "1.21", Prefixes: true, Listed: "v1.7.5-eksbuild.2", Path: []string{"v1.8.0-eksbuild.1", "v1.9.3-eksbuild.1", "v1.10.4-eksbuild.1"},
				Why: "v1.7.5-eksbuild.2 → v1.8.0-eksbuild.1 → v1.9.3-eksbuild.1 → v1.10.4-eksbuild.1",
			})
		},
		"self-managed": selfManagedFacts,
	}
}

// managedFacts are of an add-on that EKS manages at the listed version; for a method that updates none, of an aws-node at that release.
func managedFacts(region string, m remedy.Method, known guard.ByHand) remedy.Facts {
	id := cluster.ID{Account: "111122223333", Region: region, Name: "prod"}
	role := fmt.Sprintf("arn:%s:iam::111122223333:role/cni", cluster.PartitionOf(region).Name)
	f := remedy.Facts{Cluster: id, Version: cni.Parse(known.Listed), ByHand: known}
	if m != remedy.Manifest && m != remedy.Helm {
		f.Managed, f.Role = true, role
		return f
	}
	f.Configured = false
	release := f.Version
	release.Build = 0
	by := map[remedy.Method]string{remedy.Manifest: "kubectl", remedy.Helm: "Helm"}[m]
	f.Version, f.Node = release, goldenNode(region, release, guard.Installer{Name: by, Confidence: guard.Likely})
	f.Node.Role = role
	return f
}

// selfManagedFacts are of an aws-node that nobody is known to have installed, whose settings matter, with a path across v1.14.0.
func selfManagedFacts(region string, _ remedy.Method) remedy.Facts {
	f := remedy.Facts{
		Cluster: cluster.ID{Account: "111122223333", Region: region, Name: "prod"}, Version: cni.Parse("v1.13.4"),
		ByHand: guard.ByHand{
			Kubernetes: "1.29", Listed: "v1.13.4-eksbuild.1", Path: []string{"v1.14.1-eksbuild.1", "v1.16.4-eksbuild.2"},
			Gaps:    []string{"no good release of v1.15 is compatible: one step from v1.14.1-eksbuild.1 to v1.16.4-eksbuild.2"},
			Why:     "v1.13.4 → v1.14.1-eksbuild.1 → v1.16.4-eksbuild.2",
			Refused: []string{"CLUSTER_NAME"},
		},
	}
	f.Node = goldenNode(region, f.Version, guard.Installer{Name: "EKS bootstrap", Confidence: guard.Guess})
	f.Node.Role = fmt.Sprintf("arn:%s:iam::111122223333:role/aws-node", cluster.PartitionOf(region).Name)
	f.Node.Env = append(f.Node.Env, guard.Fact{Name: "WARM_IP_TARGET", Value: "5"}, guard.Fact{Name: "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", Value: "true"},
		guard.Fact{Name: "CLUSTER_NAME", Value: "prod"}, guard.Fact{Name: "ENI_CONFIG_LABEL_DEF", Value: "topology.kubernetes.io/zone"})
	slices.SortFunc(f.Node.Env, func(a, b guard.Fact) int { return cmp.Compare(a.Name, b.Name) })
	f.Node.Other = []string{"AWS_VPC_K8S_CNI_LOGLEVEL", "MY_POD_NAME"}
	f.Node.Unread = []string{"MAX_ENI: its value stands elsewhere"}
	return f
}

// goldenNode is an aws-node of a release, from the registry of its region.
func goldenNode(region string, v cni.Version, by guard.Installer) *guard.DaemonSet {
	account := map[string]string{"eu-central-1": "602401143452", "us-gov-west-1": "013241004608", "cn-north-1": "918309763551"}[region]
	registry := account + ".dkr.ecr." + region + "." + cluster.PartitionOf(region).DNS + "/"
	d := &guard.DaemonSet{
		Version: v, Raw: v.String(), From: "image tag", Same: true, Desired: 6, Updated: 6, Settled: true, By: by,
		Image: registry + "amazon-k8s-cni:" + v.String(), Init: registry + "amazon-k8s-cni-init:" + v.String(),
		Env: []guard.Fact{{Name: "ENABLE_PREFIX_DELEGATION", Value: "false"}, {Name: "WARM_ENI_TARGET", Value: "1"}},
	}
	if v.Satisfies(cni.Version{Major: 1, Minor: 14}) {
		d.Agent = registry + "amazon/aws-network-policy-agent:v1.1.3"
	}
	return d
}

// printed is a fix as plain text, with all that it says.
func printed(fix remedy.Fix) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", fix.Method)
	for _, n := range fix.Notes {
		fmt.Fprintf(&b, "* %s\n", n)
	}
	for i, s := range fix.Steps {
		fmt.Fprintf(&b, "\n## Step %d: %s → %s\n", i+1, s.From, s.To)
		for _, n := range s.Notes {
			fmt.Fprintf(&b, "* %s\n", n)
		}
		for _, p := range stepParts(s) {
			fmt.Fprintf(&b, "\n### %s\n%s", p.name, printedPart(p.Part))
		}
	}
	fmt.Fprintf(&b, "\nChecked: %s\nUnchecked: %s\n", fix.Checked, fix.Unchecked)
	return b.String()
}

// namedPart is a part of a step with its title.
type namedPart struct {
	name string
	remedy.Part
}

func stepParts(s remedy.Step) []namedPart {
	return []namedPart{{"Before", s.Before}, {"Change", s.Change}, {"Wait", s.Wait}, {"After", s.After}, {"Back", s.Back}}
}

func printedPart(p remedy.Part) string {
	var b strings.Builder
	for _, say := range p.Say {
		fmt.Fprintln(&b, say)
	}
	for _, f := range p.Files {
		fmt.Fprintf(&b, "--- %s\n%s\n---\n", f.Name, strings.TrimSuffix(f.Text, "\n"))
	}
	for _, run := range p.Run {
		fmt.Fprintf(&b, "$ %s\n", run)
	}
	return b.String()
}

// golden compares a text with testdata/NAME.txt, or writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s differs (-want +got); -update writes it anew, to be read line by line:\n%s", file, diff)
	}
}
