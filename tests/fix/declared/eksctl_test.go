package declared_test

import (
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/cniguard/cniguard/internal/remedy"
	"github.com/cniguard/cniguard/internal/world"
)

// clusterConfig are the fields that eksctl documents of what is printed (eksctl, "Config file schema": ClusterConfig, ClusterMeta, Addon). It takes no others.
type clusterConfig struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct{ Name, Region string }
	Addons     []struct {
		Name, Version         string
		ServiceAccountRoleARN string `yaml:"serviceAccountRoleARN"`
		ConfigurationValues   string `yaml:"configurationValues"`
		ResolveConflicts      string `yaml:"resolveConflicts"`
	}
}

// config reads a ClusterConfig of one add-on, of which the cluster is the scene's.
func config(t *testing.T, s scene, text string) wish {
	t.Helper()
	var c clusterConfig
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if c.APIVersion != "eksctl.io/v1alpha5" || c.Kind != "ClusterConfig" || c.Metadata.Region != s.region || len(c.Addons) != 1 || c.Addons[0].Name != "vpc-cni" {
		t.Fatalf("%+v", c)
	}
	a := c.Addons[0]
	if !slices.Contains([]string{"none", "overwrite", "preserve"}, a.ResolveConflicts) {
		t.Errorf("resolveConflicts is %q", a.ResolveConflicts)
	}
	return wish{c.Metadata.Name, a.Version, a.ServiceAccountRoleARN, a.ConfigurationValues, strings.ToUpper(a.ResolveConflicts)}
}

func TestEksctlLeadsAllTheWay(t *testing.T) {
	deeds := map[string]world.Deed{"update": world.UpdateAddon, "create": world.CreateAddon}
	for name, s := range scenes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t, s)
			// carry does what a part says, with the values that the add-on has.
			carry := func(p remedy.Part) (wish, world.Deed) {
				c := call(t, d.do(t, p), "eksctl")
				if len(c) < 3 || c[2] != "addon" || !slices.Contains(c, "--wait") {
					t.Fatalf("eksctl is called as %q", c)
				}
				return config(t, s, d.read(t, flag(c, "--config-file"))), deeds[c[1]]
			}
			var changes []world.Change
			for i, step := range fixed(t, s.facts(), remedy.Eksctl).Steps {
				d.do(t, step.Before)
				w, do := carry(step.Change)
				changes = append(changes, s.change(t, w, do, i+1))
				d.write(t, "status", "ACTIVE "+step.To+"\n")
				d.do(t, step.Wait)
				d.do(t, step.After)
				if i == 0 && !s.managed {
					continue // EKS lets go of it
				}
				w.version = step.From
				d.write(t, "status", "ACTIVE "+step.From+"\n")
				if got, do := carry(step.Back); got != w || do != world.UpdateAddon {
					t.Errorf("the way back is to %s %+v, want %+v", do, got, w)
				}
			}
			s.close(t, changes)
		})
	}
}

func TestTheWaitForEksctlEndsWhereTheUpdateDid(t *testing.T) {
	s := scenes()["managed with values in eu-central-1"]
	wait := fixed(t, s.facts(), remedy.Eksctl).Steps[0].Wait
	for status, want := range map[string]struct{ exit, asked int }{
		"ACTIVE v1.18.5-eksbuild.1": {0, 1}, "UPDATE_FAILED v1.18.5-eksbuild.1": {1, 2}, "DEGRADED v1.18.5-eksbuild.1": {1, 2},
		"ACTIVE v1.17.1-eksbuild.1": {1, 180}, "UPDATING v1.18.5-eksbuild.1": {1, 180},
	} {
		d := open(t, s)
		d.write(t, "status", status+"\n")
		exit, calls := d.exit(t, wait.Run[0]), d.calls(t)
		asked := slices.DeleteFunc(calls, func(c []string) bool { return c[0] != "aws" })
		// where it ended badly, the last question is what is wrong
		if exit != want.exit || len(asked) != want.asked {
			t.Errorf("at %q it ends with %d after %d questions, want %+v", status, exit, len(asked), want)
		}
	}
}
