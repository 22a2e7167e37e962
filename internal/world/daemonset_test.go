package world_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/world"
)

// change is something that somebody does to prod.
func change(at time.Duration, c world.Change) func(*world.Spec) {
	return func(s *world.Spec) {
		c.At, c.Account, c.Region, c.Name = at, hubAccount, hubRegion, "prod"
		s.Changes = append(s.Changes, c)
	}
}

// node is the aws-node that truly stands: who manages it, and its image's tag.
func (s *stage) node() string {
	d, there := s.DaemonSet(prod)
	if !there {
		return "none"
	}
	return d.Managers[0].Name + " " + d.Containers[0].Image[strings.LastIndexByte(d.Containers[0].Image, ':')+1:]
}

func TestWhichDaemonSetStands(t *testing.T) {
	const hour = time.Hour
	v9, v10 := &world.Addon{Version: "v1.9.0-eksbuild.1"}, &world.Addon{Version: "v1.10.4-eksbuild.1"}
	patched := helm()
	patched.Managers = []world.Writer{{Name: "kubectl-edit"}}
	self := inside()
	for name, c := range map[string]struct {
		spec []func(*world.Spec)
		want map[time.Duration]string
	}{
		"the add-on's, at its version": {
			[]func(*world.Spec){change(hour, world.Change{Do: world.UpdateAddon, Addon: v10})},
			map[time.Duration]string{0: "eks v1.9.0-eksbuild.1", hour + time.Minute: "eks v1.9.0-eksbuild.1", 2 * hour: "eks v1.10.4-eksbuild.1"}},
		"the one that somebody installed": {[]func(*world.Spec){self}, map[time.Duration]string{0: "helm v1.7.5"}},
		"none, where there is neither": {
			[]func(*world.Spec){inside(func(c *world.Cluster) { c.DaemonSets = nil })}, map[time.Duration]string{0: "none"}},
		"none in a cluster that is not there": {
			[]func(*world.Spec){inside(func(c *world.Cluster) { c.CreatedAt = hour })}, map[time.Duration]string{0: "none", 2 * hour: "helm v1.7.5"}},
		"it goes with its add-on": {
			[]func(*world.Spec){change(hour, world.Change{Do: world.DeleteAddon})}, map[time.Duration]string{hour: "eks v1.9.0-eksbuild.1", 2 * hour: "none"}},
		"or stays behind": {
			[]func(*world.Spec){change(hour, world.Change{Do: world.DeleteAddon, Preserve: true})}, map[time.Duration]string{2 * hour: "eks v1.9.0-eksbuild.1"}},
		"what stayed behind is taken over by the next add-on": {
			[]func(*world.Spec){change(hour, world.Change{Do: world.DeleteAddon, Preserve: true}), change(2*hour, world.Change{Do: world.CreateAddon, Addon: v10})},
			map[time.Duration]string{2*hour + 1: "eks v1.9.0-eksbuild.1", 3 * hour: "eks v1.10.4-eksbuild.1"}},
		"an add-on takes over what somebody installed": {
			[]func(*world.Spec){self, change(hour, world.Change{Do: world.CreateAddon, Addon: v9})},
			map[time.Duration]string{hour + 1: "helm v1.7.5", 2 * hour: "eks v1.9.0-eksbuild.1"}},
		"a creation that fails on a conflict does not": {
			[]func(*world.Spec){self, change(hour, world.Change{Do: world.CreateAddon, Addon: &world.Addon{Version: v9.Version, Conflicts: []string{tolerations}}})},
			map[time.Duration]string{2 * hour: "helm v1.7.5"}},
		"one that is being created installs none yet": {
			[]func(*world.Spec){inside(func(c *world.Cluster) { c.DaemonSets = nil }), change(hour, world.Change{Do: world.CreateAddon, Addon: v9})},
			map[time.Duration]string{hour + 1: "none", 2 * hour: "eks v1.9.0-eksbuild.1"}},
		"nor does it install one": {
			[]func(*world.Spec){inside(func(c *world.Cluster) { c.DaemonSets = nil }), change(hour, world.Change{Do: world.CreateAddon, Addon: &world.Addon{Version: v9.Version, Conflicts: []string{tolerations}}})},
			map[time.Duration]string{2 * hour: "none"}},
		"what somebody applied over the add-on's stands until the next update": {
			[]func(*world.Spec){change(hour, world.Change{Do: world.ApplyDaemonSet, DaemonSet: &patched}), change(2*hour, world.Change{Do: world.UpdateAddon, Addon: v10})},
			map[time.Duration]string{hour + 1: "kubectl-edit v1.7.5", 2 * hour: "kubectl-edit v1.7.5", 3 * hour: "eks v1.10.4-eksbuild.1"}},
		"also until one that ends degraded": {
			[]func(*world.Spec){change(hour, world.Change{Do: world.ApplyDaemonSet, DaemonSet: &patched}), change(2*hour, world.Change{Do: world.UpdateAddon, Addon: v10}),
				func(s *world.Spec) { s.Updates = []world.UpdateScript{{Outcome: world.Degrade}} }},
			map[time.Duration]string{3 * hour: "eks v1.10.4-eksbuild.1"}},
		"and after one that failed": {
			[]func(*world.Spec){change(hour, world.Change{Do: world.ApplyDaemonSet, DaemonSet: &patched}), change(2*hour, world.Change{Do: world.UpdateAddon, Addon: v10}),
				func(s *world.Spec) { s.Updates = []world.UpdateScript{{Outcome: world.Fail}} }},
			map[time.Duration]string{3 * hour: "kubectl-edit v1.7.5"}},
		"and goes with the add-on": {
			[]func(*world.Spec){change(hour, world.Change{Do: world.ApplyDaemonSet, DaemonSet: &patched}), change(2*hour, world.Change{Do: world.DeleteAddon})},
			map[time.Duration]string{3 * hour: "none"}},
		"somebody installs one": {
			[]func(*world.Spec){inside(func(c *world.Cluster) { c.DaemonSets = nil }), change(hour, world.Change{Do: world.ApplyDaemonSet, DaemonSet: &patched})},
			map[time.Duration]string{hour - 1: "none", hour + 1: "kubectl-edit v1.7.5"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, 1, with(c.spec...))
			for at, want := range c.want {
				s.plan(at, func(context.Context, *world.Client) {
					if got := s.node(); got != want {
						t.Errorf("at %s: %s; want %s", at, got, want)
					}
				})
			}
			s.until(4 * time.Hour)
		})
	}
}

func TestTheAddonsDaemonSetIsWhatEKSInstalls(t *testing.T) {
	s := set(t, 1, with(func(s *world.Spec) {
		s.Clusters[0].Addon.Version, s.Clusters[0].Addon.Configuration = "v1.18.5-eksbuild.1", `{"env":{"WARM_ENI_TARGET":"0","WARM_IP_TARGET":"5"}}`
	}))
	got, _ := s.DaemonSet(prod)
	const registry = "602401143452.dkr.ecr.eu-central-1.amazonaws.com/"
	want := world.DaemonSet{
		Name: "aws-node", Labels: map[string]string{"app.kubernetes.io/instance": "aws-vpc-cni", "app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/name": "aws-node",
			"app.kubernetes.io/version": "v1.18.5", "helm.sh/chart": "aws-vpc-cni-1.18.5", "k8s-app": "aws-node"},
		Managers:       []world.Writer{{Name: "eks", Operation: "Apply"}},
		InitContainers: []world.Container{{Name: "aws-vpc-cni-init", Image: registry + "amazon-k8s-cni-init:v1.18.5-eksbuild.1"}},
		Containers: []world.Container{
			{Name: "aws-node", Image: registry + "amazon-k8s-cni:v1.18.5-eksbuild.1", Env: map[string]string{"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "false",
				"ENABLE_PREFIX_DELEGATION": "false", "VPC_CNI_VERSION": "v1.18.5", "WARM_ENI_TARGET": "0", "WARM_IP_TARGET": "5"}},
			{Name: "aws-eks-nodeagent", Image: registry + "amazon/aws-network-policy-agent:v1.2.1-eksbuild.1"},
		},
		ServiceAccount: "aws-node", Role: role,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if before, _ := set(t, 1, with()).DaemonSet(prod); len(before.Containers) != 1 {
		t.Errorf("before v1.14.0 it has %v", before.Containers)
	}
}

func TestWhatIsAppliedAnewIsAnotherGeneration(t *testing.T) {
	again := helm()
	again.Managers = again.Managers[:1]
	s := set(t, 1, with(inside(), change(time.Hour, world.Change{Do: world.ApplyDaemonSet, DaemonSet: &again})))
	s.until(2 * time.Hour)
	var is struct {
		Metadata struct {
			Generation        int
			CreationTimestamp time.Time
			ManagedFields     []struct{ Time time.Time }
		}
	}
	if err := json.Unmarshal([]byte(s.asked(observer, question{}).body), &is); err != nil {
		t.Fatal(err)
	}
	m := is.Metadata
	if m.Generation != 3 || !m.CreationTimestamp.Equal(noon.AddDate(-1, 0, 0)) || !m.ManagedFields[0].Time.Equal(noon.Add(time.Hour)) {
		t.Errorf("%+v", m)
	}
}

func TestAccessIsGranted(t *testing.T) {
	grant := change(time.Hour, world.Change{Do: world.GrantAccess, Role: "cniguard-observer"})
	for name, c := range map[string]struct {
		api             world.API
		before, between int
		calls           []string
	}{
		"to a role that nobody let in": {world.API{}, 401, 403, []string{"CreateAccessEntry", "AssociateAccessPolicy"}},
		"to one that has an entry":     {world.API{Entries: []string{"cniguard-observer"}}, 403, 200, []string{"AssociateAccessPolicy"}},
		"not to one that has it":       {world.API{Readers: []string{"cniguard-observer"}}, 200, 200, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, 1, with(inside(func(cl *world.Cluster) { cl.API = c.api }), grant))
			if got := s.asked(observer, question{}); got.status != c.before {
				t.Errorf("before it gives %d", got.status)
			}
			s.until(time.Hour + 9*time.Second)
			if got := s.asked(observer, question{}); got.status != c.between || s.Reads(prod, observer) != (c.between == 200) {
				t.Errorf("between the calls it gives %d", got.status)
			}
			s.until(time.Hour + 31*time.Second)
			if got := s.asked(observer, question{}); got.status != 200 || !s.Reads(prod, observer) {
				t.Errorf("then it gives %d", got.status)
			}
			var calls []string
			for _, e := range s.trail(t) {
				calls = append(calls, e.EventName)
			}
			if diff := cmp.Diff(c.calls, calls); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	s := set(t, 1, with(inside(func(c *world.Cluster) { c.API = world.API{} }), grant))
	s.until(2 * time.Hour)
	var said []string
	for _, e := range s.trail(t) {
		said = append(said, string(e.RequestParameters))
	}
	want := []string{
		`{"name":"prod","principalArn":"` + observer + `"}`,
		`{"accessScope":{"namespaces":["kube-system"],"type":"namespace"},"name":"prod","policyArn":"arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",` +
			`"principalArn":"arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fcniguard-observer"}`,
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("CloudTrail (-want +got):\n%s", diff)
	}
}

func TestAccessIsGrantedOnceToWhatIsStillThere(t *testing.T) {
	grant := func(at time.Duration) func(*world.Spec) {
		return change(at, world.Change{Do: world.GrantAccess, Role: "cniguard-observer"})
	}
	for name, c := range map[string]struct {
		spec  []func(*world.Spec)
		reads bool
		calls string
	}{
		"by two people at a time": {[]func(*world.Spec){grant(time.Hour), grant(time.Hour + 5*time.Second)}, true, "CreateAccessEntry AssociateAccessPolicy"},
		"not in a cluster that went meanwhile": {
			[]func(*world.Spec){grant(time.Hour), func(s *world.Spec) { s.Clusters[0].DeletedAt = time.Hour + 5*time.Second }}, false, "CreateAccessEntry DeleteCluster",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, 1, with(append([]func(*world.Spec){inside(func(c *world.Cluster) { c.API = world.API{} })}, c.spec...)...))
			s.until(2 * time.Hour)
			var calls []string
			for _, e := range s.trail(t) {
				calls = append(calls, e.EventName)
			}
			if got := strings.Join(calls, " "); got != c.calls || s.Reads(prod, observer) != c.reads {
				t.Errorf("%s; it reads: %t", got, s.Reads(prod, observer))
			}
		})
	}
}

func TestOnHowManyNodesADaemonSetRuns(t *testing.T) {
	number := func(n int) *int { return &n }
	node := func(id, tag string, from time.Duration) world.Instance {
		return world.Instance{ID: id, Subnets: []string{"subnet-a"}, TagKey: tag, From: from}
	}
	for name, c := range map[string]struct {
		change           func(*world.Cluster)
		desired, updated int
	}{
		"one for each node group": {func(*world.Cluster) {}, 2, 2},
		"and one for each instance that runs": {func(c *world.Cluster) {
			c.Instances = []world.Instance{node("i-1", "", 0), node("i-2", "eks:eks-cluster-name", 0), node("i-3", "", time.Hour)}
		}, 4, 4},
		"none for those of Auto Mode": {func(c *world.Cluster) {
			c.AutoMode, c.Instances = true, []world.Instance{node("i-1", "", 0), node("i-2", "eks:eks-cluster-name", 0)}
		}, 3, 3},
		"none where there are no nodes": {func(c *world.Cluster) { c.Nodegroups = nil }, 0, 0},
		"none where it is switched off": {func(c *world.Cluster) { c.DaemonSets[0].Desired = number(0) }, 0, 0},
		"as many as are given":          {func(c *world.Cluster) { c.DaemonSets[0].Desired = number(7) }, 7, 7},
		"some as it is specified now":   {func(c *world.Cluster) { c.DaemonSets[0].RolledOut = number(1) }, 2, 1},
		"none as it is specified now":   {func(c *world.Cluster) { c.DaemonSets[0].RolledOut = number(0) }, 2, 0},
		"never more than there are":     {func(c *world.Cluster) { c.DaemonSets[0].RolledOut = number(9) }, 2, 2},
		"some of as many as are given":  {func(c *world.Cluster) { c.DaemonSets[0].Desired, c.DaemonSets[0].RolledOut = number(7), number(3) }, 7, 3},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, 1, inside(c.change))
			var is struct {
				Metadata struct{ Generation int }
				Status   struct{ DesiredNumberScheduled, UpdatedNumberScheduled, ObservedGeneration int }
			}
			if err := json.Unmarshal([]byte(s.asked(observer, question{}).body), &is); err != nil {
				t.Fatal(err)
			}
			if got := is.Status; got.DesiredNumberScheduled != c.desired || got.UpdatedNumberScheduled != c.updated || got.ObservedGeneration != is.Metadata.Generation {
				t.Errorf("%+v, generation %d; want %d of %d", got, is.Metadata.Generation, c.updated, c.desired)
			}
		})
	}
}

func TestWhatStaysBehindIsAsOldAsTheAddon(t *testing.T) {
	s := set(t, 1, with(func(s *world.Spec) { s.Clusters[0].API.Readers = []string{"cniguard-observer"} },
		change(time.Hour, world.Change{Do: world.UpdateAddon, Addon: &world.Addon{Version: "v1.10.4-eksbuild.1"}}),
		change(3*time.Hour, world.Change{Do: world.DeleteAddon, Preserve: true})))
	s.until(2 * time.Hour)
	before := s.asked(observer, question{})
	s.until(4 * time.Hour)
	after := s.asked(observer, question{})
	if diff := cmp.Diff(tree(t, before.body), tree(t, after.body)); diff != "" {
		t.Errorf("it is another when it is left (-before +after):\n%s", diff)
	}
	var is struct {
		Metadata struct {
			CreationTimestamp time.Time
			ManagedFields     []struct {
				Manager string
				Time    time.Time
			}
		}
	}
	if err := json.Unmarshal([]byte(after.body), &is); err != nil {
		t.Fatal(err)
	}
	if m := is.Metadata; !m.CreationTimestamp.Equal(noon) || m.ManagedFields[0].Manager != "eks" || m.ManagedFields[0].Time.Before(noon.Add(time.Hour)) {
		t.Errorf("%+v", m)
	}
}

func TestCloudTrailSaysThatADaemonSetIsLeft(t *testing.T) {
	s := set(t, 1, with(change(time.Hour, world.Change{Do: world.DeleteAddon, Preserve: true})))
	s.until(2 * time.Hour)
	if all := s.trail(t); len(all) != 1 || string(all[0].RequestParameters) != `{"addonName":"vpc-cni","name":"prod","preserve":"true"}` {
		t.Errorf("CloudTrail says %v", all)
	}
}

type trailed struct {
	EventName         string
	RequestParameters json.RawMessage
}

// trail is what CloudTrail told.
func (s *stage) trail(t *testing.T) (all []trailed) {
	t.Helper()
	for _, e := range s.entries(world.Sent, "published") {
		var is struct{ Detail trailed }
		if err := json.Unmarshal(e.Data.([]byte), &is); err != nil {
			t.Fatal(err)
		}
		all = append(all, is.Detail)
	}
	return all
}

// Fact 6.5/config-map.
func TestMistakesInsideOfAClusterAreTold(t *testing.T) {
	wrong := helm()
	wrong.Name, wrong.Containers[0].Name, wrong.InitContainers[0].Name = "", "", ""
	wrong.Managers = []world.Writer{{Operation: "Replace", Wrote: "all", After: -1}}
	below := -1
	wrong.Desired, wrong.RolledOut = &below, &below
	s := world.Spec{Start: noon, Hub: world.Hub{Account: hubAccount, Region: hubRegion}}
	inside(func(c *world.Cluster) {
		arn := observer
		c.API = world.API{AuthenticationMode: "IAM", Endpoint: "hidden", Readers: []string{"ops", arn}, Entries: []string{arn}}
		many, few := 4, 3
		proxy, none, wide := proxy(), proxy(), proxy()
		none.Name, none.Containers, none.Role = "none", nil, "cni"
		wide.Name, wide.Desired, wide.RolledOut = "wide", &few, &many
		c.DaemonSets = []world.DaemonSet{proxy, proxy, wrong, none, wide}
		c.ENIConfigs = []world.ENIConfig{{}, {Name: "a", Subnet: "subnet-a"}, {Name: "b", Subnet: "subnet-of-others"}}
		s.VPCs = append(s.VPCs, world.VPC{ID: "vpc-2", Account: hubAccount, Region: hubRegion, Subnets: []world.Subnet{{ID: "subnet-of-others", CIDR: "10.1.0.0/24"}}})
		s.Clusters = append(s.Clusters, world.Cluster{
			Name: "old", Account: hubAccount, Region: hubRegion, Kubernetes: "1.21", API: world.API{AuthenticationMode: "CONFIG_MAP"},
		})
	})(&s)
	change(0, world.Change{Do: world.GrantAccess})(&s)
	s.Changes = append(s.Changes,
		world.Change{Account: hubAccount, Region: hubRegion, Name: "old", Do: world.GrantAccess, Role: "ops"},
		world.Change{Account: hubAccount, Region: hubRegion, Name: "prod", Do: world.GrantAccess, Role: observer})
	change(0, world.Change{Do: world.ApplyDaemonSet})(&s)
	change(0, world.Change{Do: world.ApplyDaemonSet, DaemonSet: &world.DaemonSet{}})(&s)
	var fields []string
	for _, m := range s.Validate().(world.Mistakes) {
		fields = append(fields, m.Field)
	}
	want := strings.Fields(`clusters[0].api.authenticationMode clusters[0].api.endpoint clusters[0].api.readers[1] clusters[0].api.entries[0]
		clusters[0].daemonSets[1].name clusters[0].daemonSets[2].name clusters[0].daemonSets[2].desired clusters[0].daemonSets[2].rolledOut
		clusters[0].daemonSets[2].managers[0].name clusters[0].daemonSets[2].managers[0].operation clusters[0].daemonSets[2].managers[0].wrote clusters[0].daemonSets[2].managers[0].after
		clusters[0].daemonSets[2].initContainers[0].name clusters[0].daemonSets[2].containers[0].name
		clusters[0].daemonSets[3].containers clusters[0].daemonSets[3].role clusters[0].daemonSets[4].rolledOut
		clusters[0].eniConfigs[0].name clusters[0].eniConfigs[0].subnet clusters[0].eniConfigs[2].subnet
		changes[0].role changes[1].do changes[2].role changes[3].daemonSet changes[4].daemonSet.containers changes[4].daemonSet.name`)
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
