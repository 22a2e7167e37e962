package laws_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/cniguard/cniguard/internal/policy"
	"github.com/cniguard/cniguard/internal/world"
)

// ownerTags are tags by which a tool shows that it owns what it tagged, and innocentTags such as look like it.
func ownerTags() []map[string]string {
	return []map[string]string{
		{"aws:cloudformation:stack-name": "net"}, {"alpha.eksctl.io/cluster-name": "c"}, {"terraform": "true"}, {"managed-by": "Terraform"},
		{"ManagedBy": "pulumi"}, {"pulumi:project": "net"}, {"app.kubernetes.io/managed-by": "Helm"},
	}
}

func innocentTags() []map[string]string {
	return []map[string]string{nil, nil, nil, {"team": "shop"}, {"risk": "high"}, {"guard": "auto"}, {"terraform": "false"}, {"managed-by": "people"}, {"alarms": "off"}}
}

// drawTags are the tags of a cluster or an add-on.
func drawTags(d dice, owned float64) map[string]string {
	if d.chance(owned) {
		return pick(d, ownerTags()...)
	}
	return pick(d, innocentTags()...)
}

func drawCluster(d dice, name string, vpc world.VPC, trouble time.Duration) world.Cluster {
	c := world.Cluster{
		Name: name, Account: vpc.Account, Region: vpc.Region, VPC: vpc.ID, Kubernetes: pick(d, "1.21", "1.24", "1.24", "1.29", "1.33"),
		IPv6: d.chance(.08), AutoMode: d.chance(.06), Tags: drawTags(d, .07), ControlPlane: []string{vpc.Subnets[0].ID},
	}
	c.Addon = drawAddon(d, c)
	if d.chance(.03) {
		c.Status = "FAILED"
	}
	if d.chance(.12) {
		c.CreatedAt = d.span(10*time.Minute, trouble/2)
	}
	if d.chance(.1) {
		c.DeletedAt = c.CreatedAt + d.span(10*time.Minute, trouble-c.CreatedAt-20*time.Minute)
	}
	var ids []string
	for _, s := range vpc.Subnets {
		ids = append(ids, s.ID)
	}
	for i := range pick(d, 0, 1, 1, 1, 2) {
		c.Nodegroups = append(c.Nodegroups, world.Nodegroup{Name: fmt.Sprintf("ng-%d", i+1), Subnets: some(d, d.number(1, 2), ids)})
	}
	if d.chance(.1) {
		c.FargateProfiles = []world.FargateProfile{{Name: "fp", Subnets: some(d, 1, ids)}}
	}
	if len(c.Nodegroups) == 0 && d.chance(.8) || d.chance(.15) {
		key := pick(d, "", "eks:cluster-name", "eks:eks-cluster-name")
		c.Instances = []world.Instance{{ID: "i-" + name + vpc.ID, Subnets: some(d, d.number(1, 2), ids), TagKey: key}}
	}
	drawInside(d, &c)
	return c
}

func drawAddon(d dice, c world.Cluster) *world.Addon {
	if d.chance(.15) || c.AutoMode && d.chance(.7) {
		return nil
	}
	a := &world.Addon{Version: pick(d, installed(c.Kubernetes)...), Tags: drawTags(d, .06)}
	if d.chance(.7) {
		a.Role = roleARN(c, "cni-"+c.Name)
	}
	if d.chance(.5) {
		a.Configuration = `{"env":{"WARM_IP_TARGET":"5"}}`
	}
	if d.chance(.4) {
		a.PodIdentities = []string{"arn:" + partition(c.Region) + ":eks:" + c.Region + ":" + c.Account + ":podidentityassociation/" + c.Name + "/a-1"}
	}
	if d.chance(.06) {
		a.Status, a.Issues = "DEGRADED", []world.Issue{{Code: "InsufficientNumberOfReplicas", Message: "aws-node is not ready"}}
	}
	return a
}

// drawPolicy draws until the policy is one: pins below a floor, for example, are not.
func (s *scene) drawPolicy(d dice) policy.Document {
	for {
		doc := s.drawDocument(d)
		if _, err := policy.Compile(doc); err == nil {
			return doc
		}
	}
}

// members are the hub, and the accounts and regions that have a network, all but the stray account's.
func (s *scene) members() []policy.Member {
	fleet := []policy.Member{{Account: hubAccount, Regions: []string{s.spec.Hub.Region}}}
	for _, v := range s.spec.VPCs {
		i := slices.IndexFunc(fleet, func(m policy.Member) bool { return m.Account == v.Account })
		switch {
		case v.Account == strayAccount:
		case i < 0:
			fleet = append(fleet, policy.Member{Account: v.Account, Regions: []string{v.Region}})
		case !slices.Contains(fleet[i].Regions, v.Region):
			fleet[i].Regions = append(fleet[i].Regions, v.Region)
		}
	}
	return fleet
}

func (s *scene) drawDocument(d dice) policy.Document {
	doc := policy.Document{Version: 1, Defaults: drawSet(d)}
	doc.Defaults.Mode = new(pick(d, "observe", "approve", "auto", "auto", "auto", "auto"))
	doc.Defaults.Owner = new(pick(d, "cniguard", "cniguard", "cniguard", "cniguard", "cniguard", "unknown"))
	doc.Fleet = s.members()
	rules := []policy.Rule{
		{Name: "one", Match: policy.Match{Clusters: []string{pick(d, s.spec.Clusters...).Name}}, Set: policy.Set{Mode: new(pick(d, "observe", "approve", "auto"))}},
		{Name: "account", Match: policy.Match{Accounts: []string{otherAccount}}, Set: policy.Set{Owner: new(pick(d, "cniguard", "unknown")), Alarms: new(pick(d, "on", "on", "off"))}},
		{Name: "risk", Match: policy.Match{Tags: map[string]string{"risk": "high"}}, Set: policy.Set{Mode: new("observe"), Warning: new("60")}},
		{Name: "trusted", Match: policy.Match{Tags: map[string]string{"guard": "auto"}}, Set: policy.Set{Mode: new("auto"), Owner: new("cniguard")}, TrustTags: true},
		{Name: "untrusted", Match: policy.Match{Tags: map[string]string{"team": "shop"}}, Set: policy.Set{Mode: new("approve")}},
		{Name: "silent", Match: policy.Match{Tags: map[string]string{"alarms": "off"}}, Set: policy.Set{Alarms: new("off")}, TrustTags: true},
	}
	doc.Rules = some(d, d.IntN(5), rules)
	return doc
}

func drawSet(d dice) (set policy.Set) {
	if d.chance(.5) {
		set.Floor = new(pick(d, "v1.8.0", "v1.10.2", "v1.16.2", "v1.20.0"))
	}
	if d.chance(.6) {
		set.Target = new(pick(d, "floor", "default", "latest", "latest", "v1.9.3-eksbuild.1", "v1.12.0", "v1.18.0-eksbuild.1"))
	}
	if d.chance(.2) {
		set.Warning, set.Critical = new(pick(d, "50", "70")), new(pick(d, "90", "99"))
	}
	if d.chance(.07) {
		set.Alarms = new("off")
	}
	return set
}
