package laws_test

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"

	"github.com/cniguard/cniguard/internal/access"
	"github.com/cniguard/cniguard/internal/cloud"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/world"
)

// toolAgents are user agents of tools that look after what they made.
func toolAgents() []string {
	return []string{
		"APN/1.0 HashiCorp/1.0 Terraform/1.9.0 (+https://www.terraform.io) terraform-provider-aws/6.32.1", "aws-sdk-go-v2/1.30 os/linux eksctl/0.200.0",
		"APN/1.0 Pulumi/1.0 PulumiAwsNative/1.12", "cloudformation.amazonaws.com",
	}
}

func toolEdges() []edge {
	return []edge{{name: "add-ons that a tool updates", set: func(s *scene, d dice, trouble time.Duration) {
		s.spec.Behaviour.TrailLag = pick(d, 0, 5*time.Minute, 15*time.Minute)
		for _, c := range s.spec.Clusters {
			if c.Addon == nil || d.chance(.3) {
				continue
			}
			agents := []string{pick(d, toolAgents()...)}
			if d.chance(.3) {
				agents = append(agents, pick(d, "aws-cli/2.31.0", "Mozilla/5.0", ""))
			}
			for _, agent := range agents {
				s.spec.Changes = append(s.spec.Changes, world.Change{
					At: d.span(time.Minute, trouble-20*time.Minute), Account: c.Account, Region: c.Region, Name: c.Name, Do: world.UpdateAddon,
					Addon: &world.Addon{Version: c.Addon.Version}, Agent: agent,
				})
			}
		}
	}, is: func(s *scene) bool {
		return slices.ContainsFunc(s.spec.Changes, func(c world.Change) bool { return slices.Contains(toolAgents(), c.Agent) })
	}}}
}

// tool is what last updated a cluster's add-on, besides cniguard; empty: nothing that looks after it, or it may not be known yet.
func (s *stage) tool(id cluster.ID, at time.Time) string {
	known := at.Add(-lately - s.spec.Behaviour.TrailLag)
	var last *world.Update
	for _, u := range s.run.World.Updates(id) {
		if strings.Contains(u.By, ":role/cniguard-") {
			continue
		}
		if last = &u; u.Created.After(known) {
			return ""
		}
	}
	if last == nil || s.clusters[id].addon.any(last.Created, func(a addon) bool { return a.Status == "CREATING" }) {
		return "" // somebody else may have made it anew
	}
	for _, c := range s.spec.Changes {
		if (cluster.ID{Account: c.Account, Region: c.Region, Name: c.Name}) == id && start.Add(c.At).Equal(last.Created) && slices.Contains(toolAgents(), c.Agent) {
			return c.Agent
		}
	}
	return ""
}

// deafTrail is CloudTrail without any event.
type deafTrail struct{}

func (deafTrail) LookupEvents(context.Context, *cloudtrail.LookupEventsInput, ...func(*cloudtrail.Options)) (*cloudtrail.LookupEventsOutput, error) {
	return &cloudtrail.LookupEventsOutput{}, nil
}

// defectsOfTools are of the reading of who changed an add-on last.
func defectsOfTools() []defect {
	return []defect{{law: "Owner", name: "a reader that finds no call in CloudTrail", sees: "updated it last",
		plant: clients(func(c *cloud.Clients, role access.Role) {
			if role == access.Observer {
				c.CloudTrail = deafTrail{}
			}
		}),
		where: func(s *scene) {
			for _, c := range s.spec.Clusters {
				if c.Addon != nil {
					s.spec.Changes = append(s.spec.Changes, world.Change{
						At: time.Second, Account: c.Account, Region: c.Region, Name: c.Name, Do: world.UpdateAddon, Addon: &world.Addon{Version: c.Addon.Version}, Agent: toolAgents()[0],
					})
				}
			}
		}}}
}
