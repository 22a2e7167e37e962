package kubernetes_test

import (
	"os"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/policy/source"
	"github.com/cniguard/cniguard/internal/remedy"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
)

const demo = "../../../cmd/cniguard/demo/"

// legacy is the cluster of the demo's world that has an aws-node of its own here.
var legacy = cluster.ID{Account: "444455556666", Region: "eu-central-1", Name: "legacy"}

// inWorld is the aws-node of a bench in the words of the simulated AWS.
func (b *bench) inWorld(by string) world.DaemonSet {
	b.Helper()
	d := b.live.daemonSet(b.T)
	containers := func(all []corev1.Container) (made []world.Container) {
		for _, c := range all {
			env := map[string]string{}
			for _, e := range c.Env {
				if e.ValueFrom == nil {
					env[e.Name] = e.Value
				}
			}
			made = append(made, world.Container{Name: c.Name, Image: c.Image, Env: env})
		}
		return made
	}
	return world.DaemonSet{
		Name: d.Name, Labels: d.Labels, Annotations: d.Annotations, Managers: []world.Writer{{Name: by}}, ServiceAccount: d.Spec.Template.Spec.ServiceAccountName,
		InitContainers: containers(d.Spec.Template.Spec.InitContainers), Containers: containers(d.Spec.Template.Spec.Containers),
	}
}

// checked runs cniguard in the demo's world, where legacy has an aws-node, and then perhaps another: what it says of the version, and what it read.
func checked(t *testing.T, first world.DaemonSet, then *world.DaemonSet) (word string, known *guard.DaemonSet) {
	t.Helper()
	text, err := os.ReadFile(demo + "world.yaml")
	if err != nil {
		t.Fatal(err)
	}
	spec, err := world.ReadSpec("world.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	if text, err = os.ReadFile(demo + "policy.yaml"); err != nil {
		t.Fatal(err)
	}
	rules, err := source.Read("policy.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	spec.Orders, spec.Changes = nil, nil
	for i := range spec.Clusters {
		if c := &spec.Clusters[i]; c.Name == legacy.Name {
			c.Addon, c.API.Readers, c.DaemonSets = nil, []string{"cniguard-observer"}, []world.DaemonSet{first}
		}
	}
	if then != nil {
		spec.Changes = []world.Change{{
			At: 2 * time.Hour, Account: legacy.Account, Region: legacy.Region, Name: legacy.Name, Do: world.ApplyDaemonSet, DaemonSet: then,
		}}
	}
	run, err := simulate.Start(spec, rules, simulate.Options{Seed: 9})
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	run.For(15 * time.Hour)
	kept, err := run.Ledger.All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kept {
		if k.Cluster == legacy {
			return k.Record.Verdict.Version.Word, k.Record.Node
		}
	}
	t.Fatal("nothing is known of it")
	return "", nil
}

// Outdated at first; what cniguard read makes the fix; a bench carries it out to the last step; then the next checks find it fine.
func TestTheLoopIsClosed(t *testing.T) {
	for _, m := range []remedy.Method{remedy.Manifest, remedy.Helm} {
		t.Run(string(m), func(t *testing.T) {
			b := newBench(t, manifest(t, "v1.7.10"))
			b.setEnv("WARM_IP_TARGET", "5")
			before := b.inWorld("kubectl-client-side-apply")
			word, known := checked(t, before, nil)
			if word != "outdated" || known == nil {
				t.Fatalf("at first it is %s: %+v", word, known)
			}
			fix := fixOf(t, remedy.Facts{
				Cluster: legacy, Version: known.Version, Node: known,
				ByHand: guard.ByHand{
					Kubernetes: "1.24", Listed: "v1.7.10-eksbuild.1",
					Path: []string{"v1.8.0-eksbuild.1", "v1.9.3-eksbuild.1", "v1.12.6-eksbuild.2", "v1.14.1-eksbuild.1", "v1.18.5-eksbuild.1"},
				},
			}, m)
			for _, s := range fix.Steps {
				b.take(s)
			}
			if b.env("WARM_IP_TARGET") != "5" {
				t.Errorf("WARM_IP_TARGET is %s", b.env("WARM_IP_TARGET"))
			}
			then := b.inWorld("kubectl-patch")
			if word, known := checked(t, before, &then); word != "fine" || known.Version.String() != "v1.18.5" || !known.Same {
				t.Errorf("in the end it is %s: %+v", word, known)
			}
		})
	}
}
