package laws_test

import (
	"slices"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/policy"
	"github.com/cniguard/cniguard/internal/world"
)

// edge is a corner of AWS that few worlds have. A third of all worlds have some edges, in any combination.
type edge struct {
	name string
	set  func(s *scene, d dice, trouble time.Duration) // on what else was drawn; nil: it was drawn before that
	is   func(*scene) bool                             // whether a scene has it
}

func edges() []edge {
	return slices.Concat(addonEdges(), insideEdges(), networkEdges(), addressEdges(), accountEdges(), faultEdges(), budgetEdges(), calendarEdges(), toolEdges())
}

// home is where a world is: the hub's region, and another one of its partition.
type home struct{ hub, other string }

// drawEdges draws which edges a scene has, and where in the world it is. Calm scenes have none but that.
func (s *scene) drawEdges(d dice) []edge {
	s.home = home{hubRegion, otherRegion}
	if !d.chance(.35) {
		return nil
	}
	if d.chance(.25) {
		s.home = pick(d, home{"cn-north-1", "cn-northwest-1"}, home{"us-gov-west-1", "us-gov-east-1"})
	}
	if s.calm {
		return nil
	}
	return slices.DeleteFunc(edges(), func(e edge) bool { return e.set == nil || !d.chance(.25) })
}

// partition is the AWS partition of a region.
func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// roleARN is a role in a cluster's account.
func roleARN(c world.Cluster, name string) string {
	return "arn:" + partition(c.Region) + ":iam::" + c.Account + ":role/" + name
}

// inTrouble is an instant at which others do something.
func inTrouble(d dice, trouble time.Duration) time.Duration {
	return d.span(2*time.Minute, trouble-20*time.Minute)
}

func addonEdges() []edge {
	inConflict := []string{"DaemonSet.apps aws-node - .spec.template.spec.tolerations"}
	return []edge{
		{name: "fields of an add-on that others set", set: func(s *scene, d dice, _ time.Duration) {
			for _, c := range s.spec.Clusters {
				if c.Addon != nil && d.chance(.7) {
					c.Addon.Conflicts = inConflict
				}
			}
		}, is: func(s *scene) bool {
			return slices.ContainsFunc(s.spec.Clusters, func(c world.Cluster) bool { return c.Addon != nil && c.Addon.Conflicts != nil })
		}},
		{name: "others who resolve conflicts", set: func(s *scene, d dice, trouble time.Duration) {
			c := pick(d, s.spec.Clusters...)
			s.spec.Changes = append(s.spec.Changes, world.Change{
				At: inTrouble(d, trouble), Account: c.Account, Region: c.Region, Name: c.Name, Do: pick(d, world.CreateAddon, world.UpdateAddon),
				Addon: &world.Addon{Version: pick(d, s.spec.Catalogues[c.Kubernetes]...).Version, Conflicts: inConflict}, Resolve: pick(d, "NONE", "OVERWRITE", "PRESERVE"),
			})
		}, is: func(s *scene) bool {
			return slices.ContainsFunc(s.spec.Changes, func(c world.Change) bool { return c.Resolve != "" })
		}},
		{name: "versions that refuse a setting", set: func(s *scene, d dice, _ time.Duration) {
			for _, c := range s.spec.Clusters {
				for i := range s.spec.Catalogues[c.Kubernetes] {
					if d.chance(.5) {
						s.spec.Catalogues[c.Kubernetes][i].Refuses = []string{"env.WARM_IP_TARGET"}
					}
				}
			}
		}, is: func(s *scene) bool {
			for _, list := range s.spec.Catalogues {
				if slices.ContainsFunc(list, func(c world.Catalogue) bool { return c.Refuses != nil }) {
					return true
				}
			}
			return false
		}},
		{name: "versions that some nodes have no image of", set: (*scene).splitNodes, is: func(s *scene) bool {
			return slices.ContainsFunc(s.spec.Clusters, func(c world.Cluster) bool {
				return slices.ContainsFunc(c.Instances, func(i world.Instance) bool { return i.Type == graviton }) &&
					slices.ContainsFunc(s.spec.Catalogues[c.Kubernetes], func(v world.Catalogue) bool { return v.Architectures != nil })
			})
		}},
		{name: "people who go back after an update that failed", set: (*scene).goBack, is: func(s *scene) bool {
			return slices.ContainsFunc(s.spec.Changes, func(c world.Change) bool { return c.Do == world.UpdateAddon && c.Resolve == "PRESERVE" })
		}},
		{name: "updates that start long after they were asked for", set: func(s *scene, d dice, _ time.Duration) {
			s.spec.Behaviour.UpdateStarts.Max = d.span(2*time.Minute, 10*time.Minute)
		}, is: func(s *scene) bool { return s.spec.Behaviour.UpdateStarts.Max >= 2*time.Minute }},
		{name: "health that changes", set: func(s *scene, d dice, trouble time.Duration) {
			for range d.number(1, 4) {
				c := pick(d, s.spec.Clusters...)
				s.spec.Changes = append(s.spec.Changes, world.Change{
					At: inTrouble(d, trouble), Account: c.Account, Region: c.Region, Name: c.Name, Do: world.ChangeHealth,
					Issues: pick(d, nil, []world.Issue{{Code: "InsufficientNumberOfReplicas"}}, []world.Issue{{Code: "AccessDenied"}}),
				})
			}
		}, is: func(s *scene) bool {
			return slices.ContainsFunc(s.spec.Changes, func(c world.Change) bool { return c.Do == world.ChangeHealth })
		}},
		{name: "roles of another account", set: func(s *scene, d dice, _ time.Duration) {
			for _, c := range s.spec.Clusters {
				if c.Addon != nil && d.chance(.5) {
					c.Addon.Role = strings.Replace(roleARN(c, "cni"), c.Account, "000011112222", 1)
				}
			}
		}, is: func(s *scene) bool {
			return slices.ContainsFunc(s.spec.Clusters, func(c world.Cluster) bool { return c.Addon != nil && strings.Contains(c.Addon.Role, "::000011112222:") })
		}},
		{name: "an update that is cancelled", set: func(s *scene, d dice, _ time.Duration) {
			s.spec.Updates = slices.Insert(s.spec.Updates, 0, world.UpdateScript{Outcome: world.Cancel, Times: d.number(1, 3)})
		}, is: func(s *scene) bool {
			return slices.ContainsFunc(s.spec.Updates, func(u world.UpdateScript) bool { return u.Outcome == world.Cancel })
		}},
	}
}

// graviton is an instance type of arm64 that holds as much as the usual one.
const graviton = "m7g.large"

// splitNodes has nodes of arm64 beside the others, and versions that are for amd64 alone.
func (s *scene) splitNodes(d dice, _ time.Duration) {
	for i := range s.spec.Clusters {
		c := &s.spec.Clusters[i]
		for j := range c.Instances {
			if c.Instances[j].Type == "" && d.chance(.7) {
				c.Instances[j].Type = graviton
			}
		}
		for j := range s.spec.Catalogues[c.Kubernetes] {
			if d.chance(.3) {
				s.spec.Catalogues[c.Kubernetes][j].Architectures = []string{"amd64"}
			}
		}
	}
}

// anySubnet is a subnet of the world.
func (s *scene) anySubnet(d dice) *world.Subnet {
	v := pick(d, s.spec.VPCs...)
	return &v.Subnets[d.IntN(len(v.Subnets))]
}

func (s *scene) hasSubnet(is func(world.Subnet) bool) bool {
	return slices.ContainsFunc(s.spec.VPCs, func(v world.VPC) bool { return slices.ContainsFunc(v.Subnets, is) })
}

func networkEdges() []edge {
	return []edge{
		{name: "instances that come and go", set: (*scene).comeAndGo, is: func(s *scene) bool {
			return slices.ContainsFunc(s.spec.Clusters, func(c world.Cluster) bool {
				return slices.ContainsFunc(c.Instances, func(i world.Instance) bool { return i.From > 0 || i.Until > 0 })
			})
		}},
		{name: "a subnet that is deleted", set: func(s *scene, d dice, trouble time.Duration) {
			s.anySubnet(d).DeletedAt = inTrouble(d, trouble)
		}, is: func(s *scene) bool { return s.hasSubnet(func(n world.Subnet) bool { return n.DeletedAt > 0 }) }},
		{name: "a subnet without IPv4", set: func(s *scene, d dice, _ time.Duration) {
			n := s.anySubnet(d)
			n.CIDR, n.Used = "", nil
		}, is: func(s *scene) bool { return s.hasSubnet(func(n world.Subnet) bool { return n.CIDR == "" }) }},
		{name: "a network that others own", set: func(s *scene, d dice, _ time.Duration) {
			v := &s.spec.VPCs[d.IntN(len(s.spec.VPCs))]
			v.Account, v.Shared = ownerAccount, []string{v.Account}
		}, is: func(s *scene) bool {
			return slices.ContainsFunc(s.spec.VPCs, func(v world.VPC) bool { return v.Shared != nil })
		}},
		{name: "subnets that are tagged for the CNI", set: (*scene).tagSubnets, is: func(s *scene) bool {
			return s.hasSubnet(func(n world.Subnet) bool { return n.Tags != nil })
		}},
	}
}

// comeAndGo has the instances of a cluster run for a while, or from some time on. A cluster without any gets one.
func (s *scene) comeAndGo(d dice, trouble time.Duration) {
	c := &s.spec.Clusters[d.IntN(len(s.spec.Clusters))]
	if len(c.Instances) == 0 {
		vpc := s.spec.VPCs[slices.IndexFunc(s.spec.VPCs, func(v world.VPC) bool { return v.ID == c.VPC })]
		c.Instances = []world.Instance{{ID: "i-spot-" + c.Name + c.VPC, Subnets: []string{pick(d, vpc.Subnets...).ID}}}
	}
	from := inTrouble(d, trouble)
	for i := range c.Instances {
		c.Instances[i].From, c.Instances[i].Until = pick(d, 0, from), from+d.span(time.Minute, trouble-from)
		if c.Instances[i].From > 0 && d.chance(.5) {
			c.Instances[i].Until = 0
		}
	}
}

func accountEdges() []edge {
	return []edge{
		{name: "another partition", is: func(s *scene) bool { return s.spec.Hub.Region != hubRegion }},
		{name: "a region that is switched off", set: (*scene).switchOff, is: func(s *scene) bool { return s.spec.Disabled != nil }},
		{name: "no topic", set: func(s *scene, _ dice, _ time.Duration) { s.spec.Topics = []string{} }, is: (*scene).isMute},
		{name: "a grant that is missing", set: (*scene).ungrant, is: func(s *scene) bool { return s.spec.Grants != nil }},
	}
}

// isMute reports whether there is no topic that people could be told by.
func (s *scene) isMute() bool { return s.spec.Topics != nil && len(s.spec.Topics) == 0 }

// switchOff has an account switch a region off, for a while or for good: the last one of the policy, but not the hub's own. Where
// there is no other, the policy gets one in which nothing is.
func (s *scene) switchOff(d dice, trouble time.Duration) {
	if len(s.doc.Fleet) == 1 && len(s.doc.Fleet[0].Regions) == 1 {
		s.doc.Fleet = append(s.doc.Fleet, policy.Member{Account: otherAccount, Regions: []string{s.home.other}})
	}
	last := s.doc.Fleet[len(s.doc.Fleet)-1]
	off := world.Disabled{Account: last.Account, Region: last.Regions[len(last.Regions)-1]}
	off.From = pick(d, 0, inTrouble(d, trouble))
	off.Until = pick(d, 0, off.From+d.span(time.Minute, trouble-off.From))
	s.spec.Disabled = []world.Disabled{off}
}

// ungrant takes an action from a role. Without some of the functions' own there is no telling and no end: only scenes that
// do not come to rest lack those.
func (s *scene) ungrant(d dice, _ time.Duration) {
	roles := []string{"cniguard-observer", "cniguard-observer", "cniguard-updater"}
	if s.quiet == 0 {
		roles = append(roles, "cniguard-urgent", "cniguard-bulk")
	}
	role := pick(d, roles...)
	actions := mayDo(role)
	left := pick(d, deniable(actions)...)
	s.spec.Grants = []world.Grant{{Role: role, Actions: slices.DeleteFunc(actions, func(a string) bool { return a == left })}}
}

// mayDo are the IAM actions that a role is granted.
func mayDo(name string) (actions []string) {
	for _, st := range granted()[deployedHub][name].Statements {
		if st.Allow {
			actions = append(actions, st.Actions...)
		}
	}
	slices.Sort(actions)
	return slices.Compact(actions)
}

// deniable are those of the actions that a scene may lack. Functions without their ledger do nothing at all.
func deniable(actions []string) []string {
	return slices.DeleteFunc(slices.Clone(actions), func(a string) bool { return strings.HasPrefix(a, "dynamodb:") || byAWS()[a] != "" })
}
