package remedy_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/remedy"
	"github.com/cniguard/cniguard/internal/world"
)

// hostile is a configuration that a shell, the CLI's own options and JSON would spoil if they could.
const hostile = `{"env": {"HTTP_PROXY": "http://u:p'\"$(touch gone)` + "`touch gone`" +
	`${HOME}\\n%s\\\\\u2028@proxy",  "A": "ü  🚀\t\u0001 --query file:///etc/passwd"} }`

func pathTo(versions ...string) guard.ByHand {
	return guard.ByHand{Kubernetes: "1.28", Path: versions, Listed: "v1.13.4-eksbuild.1"}
}

// managed has a role and a configuration, as it was described.
func managed(config string) func(*world.Spec, *world.Cluster) {
	return func(_ *world.Spec, c *world.Cluster) {
		c.Addon = &world.Addon{Version: "v1.13.4-eksbuild.1", Configuration: config, Tags: map[string]string{"a": "b"}}
		c.Addon.Role = "arn:" + cluster.PartitionOf(c.Region).Name + ":iam::" + account + ":role/cni"
	}
}

// facts are what cniguard has read of the add-on, and the path by hand.
func (s *scene) facts(known guard.ByHand) remedy.Facts {
	s.Helper()
	in, _ := s.plan()
	f := remedy.Facts{Cluster: s.id, ByHand: known}
	if a := in.Seen.Addon.Value; a != nil {
		f.Version, f.Managed, f.Role, f.Configured = a.Version, true, a.Role, a.Config != ""
		return f
	}
	f.Node = in.Seen.Inside.Value.Node
	f.Version = f.Node.Version
	return f
}

func (s *scene) fix(known guard.ByHand) remedy.Fix {
	s.Helper()
	fix, err := remedy.For(s.facts(known), remedy.Addon)
	if err != nil {
		s.Fatal(err)
	}
	return fix
}

// fine holds that the next check has nothing to say about the version.
func (s *scene) fine() {
	s.Helper()
	s.pass(event.SweepEvery + 10*time.Minute)
	in, plan := s.plan()
	if word := in.Record.Verdict.Version.Word; word != guard.Fine || plan.Verdict.Version.Word != guard.Fine || len(plan.Path) > 0 {
		s.Errorf("the last check says %s, the next says %+v", word, plan.Verdict)
	}
}

func TestTheCLIUpdatesTheAddonStepByStep(t *testing.T) {
	for name, c := range map[string]struct {
		region, config string
		path           []string
	}{
		"all the way, with hostile values":  {"eu-central-1", hostile, []string{"v1.14.1-eksbuild.1", "v1.15.5-eksbuild.1"}},
		"in GovCloud, with YAML":            {"us-gov-west-1", "env:\n  # 'it'\n  A: \"$(x)\"\n\n  B: |\n    two\n     lines", []string{"v1.14.1-eksbuild.1"}},
		"in China, with nothing configured": {"cn-north-1", "", []string{"v1.14.1-eksbuild.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := set(t, c.region, managed(c.config))
			want := s.addon()
			for _, step := range s.fix(pathTo(c.path...)).Steps {
				s.does(step)
				want.Version = step.To
				if diff := cmp.Diff(want, s.addon()); diff != "" {
					t.Errorf("at %s (-want +got):\n%s", step.To, diff)
				}
			}
			if len(c.path) > 1 {
				s.fine()
			}
		})
	}
}

func TestTheCLIGoesBack(t *testing.T) {
	t.Parallel()
	s := set(t, "eu-central-1", managed(hostile))
	before := s.addon()
	step := s.fix(pathTo("v1.14.1-eksbuild.1")).Steps[0]
	s.does(step)
	if out, err := s.sh(step.Back); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if diff := cmp.Diff(before, s.addon()); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

// Fact 2.4/waiter.
func TestTheWaitFailsWhereTheUpdateDoes(t *testing.T) {
	for name, c := range map[string]struct {
		script world.UpdateScript
		want   string
	}{
		"it fails":        {world.UpdateScript{Outcome: world.Fail, Issue: world.Issue{Message: "aws-node does not start"}}, "aws-node does not start"},
		"it is cancelled": {world.UpdateScript{Outcome: world.Cancel}, "It is Cancelled"},
		"it hangs":        {world.UpdateScript{Outcome: world.Hang}, "still InProgress after half an hour"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := set(t, "eu-central-1", func(spec *world.Spec, cl *world.Cluster) {
				managed("")(spec, cl)
				spec.Updates = []world.UpdateScript{c.script}
			})
			step := s.fix(pathTo("v1.14.1-eksbuild.1")).Steps[0]
			few := strings.ReplaceAll(step.Wait.Run[0], " 180 ", " 6 ") // each try starts the CLI, which takes half a second
			if few == step.Wait.Run[0] {
				t.Fatalf("where are the tries?\n%s", few)
			}
			step.Wait.Run[0] = few
			out, err := s.sh(step.Before, step.Change, step.Wait)
			if err == nil || !strings.Contains(out, c.want) {
				t.Errorf("%v, want an error with %q:\n%s", err, c.want, out)
			}
			if name != "it hangs" {
				return
			}
			if out, err := s.sh(step.Before); err == nil || !strings.Contains(out, "is open") {
				t.Errorf("what is to be so before holds while an update is open: %v\n%s", err, out)
			}
		})
	}
}

func TestNothingGoesOnAfterWhatFails(t *testing.T) {
	t.Parallel()
	refuses := func(s *world.Spec, c *world.Cluster) {
		managed(`{"env":{"OLD":"1"}}`)(s, c)
		s.Catalogues["1.28"][1].Refuses = []string{"env.OLD"}
	}
	s := set(t, "eu-central-1", refuses)
	step := s.fix(pathTo("v1.14.1-eksbuild.1")).Steps[0]
	if out, err := s.sh(step.Before, step.Change, step.Wait); err == nil || !strings.Contains(out, "$.env.OLD") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := s.sh(step.Wait); err == nil || !strings.Contains(out, "update") {
		t.Errorf("the wait takes a shell for the one of the change: %v\n%s", err, out)
	}
	s.env = append(s.env, "AWS_ACCESS_KEY_ID=AKIANOBODY")
	const unknown = "UnrecognizedClientException"
	for i, c := range []struct {
		part remedy.Part
		want string
	}{
		{step.Before, unknown},
		{remedy.Part{Run: step.Before.Run[1:2]}, unknown},
		{remedy.Part{Run: step.Before.Run[2:]}, unknown},
		{step.Change, "No such file"}, // the values that were saved before are gone, lest they go to another cluster
		{step.After, unknown},
	} {
		if out, err := s.sh(c.part); err == nil || !strings.Contains(out, c.want) {
			t.Errorf("part %d holds for somebody whom EKS does not know: %v\n%s", i, err, out)
		}
	}
	if s.addon().Version != "v1.13.4-eksbuild.1" {
		t.Errorf("%+v", s.addon())
	}
}

// alone has an aws-node that somebody installed with Helm, which cniguard may read.
func alone(_ *world.Spec, c *world.Cluster) {
	c.API.Readers = []string{"cniguard-observer"}
	c.DaemonSets = []world.DaemonSet{{
		Name: "aws-node", Annotations: map[string]string{"meta.helm.sh/release-name": "aws-vpc-cni"}, Managers: []world.Writer{{Name: "helm"}},
		InitContainers: []world.Container{{Name: "aws-vpc-cni-init", Image: "602401143452.dkr.ecr.eu-central-1.amazonaws.com/amazon-k8s-cni-init:v1.13.4"}},
		Containers: []world.Container{{Name: "aws-node", Image: "602401143452.dkr.ecr.eu-central-1.amazonaws.com/amazon-k8s-cni:v1.13.4",
			Env: map[string]string{"WARM_IP_TARGET": "5", "ENABLE_PREFIX_DELEGATION": "true", "CLUSTER_NAME": `pr'od "${x}" \ ü`, "MAX_ENI": "3"}}},
		ServiceAccount: "aws-node", Role: "arn:aws:iam::" + account + ":role/cni",
	}}
}

func TestTheCLIHasEKSTakeOver(t *testing.T) {
	t.Parallel()
	s := set(t, "eu-central-1", func(spec *world.Spec, c *world.Cluster) {
		alone(spec, c)
		spec.Catalogues["1.28"][1].Refuses = []string{"env.MAX_ENI"}
	})
	known := pathTo("v1.14.1-eksbuild.1", "v1.15.5-eksbuild.1")
	known.Refused = []string{"MAX_ENI"}
	fix := s.fix(known)
	if !slices.ContainsFunc(fix.Notes, func(n string) bool { return strings.Contains(n, "MAX_ENI") }) || fix.Unchecked == "" {
		t.Errorf("nothing says what is lost: %q, %q", fix.Notes, fix.Unchecked)
	}
	for _, step := range fix.Steps {
		s.does(step)
	}
	is := s.addon()
	var values struct{ Env map[string]string }
	if err := json.Unmarshal([]byte(is.Configuration), &values); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"WARM_IP_TARGET": "5", "ENABLE_PREFIX_DELEGATION": "true", "CLUSTER_NAME": `pr'od "${x}" \ ü`}
	if diff := cmp.Diff(want, values.Env); diff != "" || is.Role != "arn:aws:iam::"+account+":role/cni" || is.Version != "v1.15.5-eksbuild.1" {
		t.Errorf("%+v (-want +got):\n%s", is, diff)
	}
	s.fine()
	if out, err := s.sh(fix.Steps[0].Before); err == nil || !strings.Contains(out, "EKS manages it already") {
		t.Errorf("it can be taken over twice: %v\n%s", err, out)
	}
}

// Fact 3/escape.
func TestTheCLILetsGoOfWhatEKSTookOver(t *testing.T) {
	t.Parallel()
	s := set(t, "eu-central-1", alone)
	step := s.fix(pathTo("v1.14.1-eksbuild.1")).Steps[0]
	s.does(step)
	if out, err := s.sh(step.Back); err != nil { // the CLI's waiter sleeps in real time, but the add-on is gone at its first question
		t.Fatalf("%v\n%s", err, out)
	}
	s.aws.With(func(w *world.World) {
		if _, managed := w.Addon(s.id); managed {
			t.Error("EKS manages it still")
		}
		if d, stands := w.DaemonSet(s.id); !stands || d.Containers[0].Env["WARM_IP_TARGET"] != "5" {
			t.Errorf("stands: %t, %+v", stands, d)
		}
	})
}

func TestTheWaitFailsWhereTheCreationDoes(t *testing.T) {
	t.Parallel()
	s := set(t, "eu-central-1", alone)
	step := s.fix(pathTo("v1.14.1-eksbuild.1")).Steps[0]
	step.Change.Run[0] = strings.ReplaceAll(step.Change.Run[0], "OVERWRITE", "NONE")
	if out, err := s.sh(step.Before, step.Change, step.Wait); err == nil || !strings.Contains(out, "ConfigurationConflict") {
		t.Errorf("%v\n%s", err, out)
	}
}
