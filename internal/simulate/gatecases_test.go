package simulate_test

import (
	"time"

	"github.com/cniguard/cniguard/internal/world"
)

// gated is a world of one cluster, prod, and the policy's defaults, in which every gate opens and the add-on is updated at once.
type gated struct {
	world.Spec
	defaults string
	rest     string // of the policy
}

func open() gated {
	const account, region = "444455556666", "eu-central-1"
	return gated{Spec: world.Spec{
		Start: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC), Hub: world.Hub{Account: "111122223333", Region: region},
		VPCs: []world.VPC{{ID: "vpc-1", Account: account, Region: region, Subnets: []world.Subnet{{ID: "subnet-1", CIDR: "10.0.0.0/24"}}}},
		Clusters: []world.Cluster{{
			Name: "prod", Account: account, Region: region, Kubernetes: "1.21", VPC: "vpc-1", Nodegroups: []world.Nodegroup{{Name: "blue", Subnets: []string{"subnet-1"}}},
			Addon: &world.Addon{Version: "v1.7.5-eksbuild.2"},
		}},
		Catalogues: map[string][]world.Catalogue{"1.21": {
			{Version: "v1.9.0-eksbuild.1", Compatible: true}, {Version: "v1.8.0-eksbuild.1", Compatible: true}, {Version: "v1.7.5-eksbuild.2", Compatible: true, Default: true},
		}},
		Behaviour: world.Likely(),
	}, defaults: "mode: auto, owner: cniguard, daysLeft: off"}
}

func (g *gated) prod() *world.Cluster { return &g.Clusters[0] }

func (g *gated) only(versions ...string) {
	var list []world.Catalogue
	for _, v := range versions {
		list = append(list, world.Catalogue{Version: v, Compatible: true})
	}
	g.Catalogues["1.21"] = list
}

func (g *gated) order(kind world.OrderKind) {
	o := world.Order{At: time.Second, Kind: kind, By: "ann", Because: "incident"}
	if kind == world.Deny {
		o.Account, o.Region, o.Name = g.prod().Account, g.prod().Region, g.prod().Name
	}
	g.Orders = append(g.Orders, o)
}

// fail has every call of an operation fail, as "eks:DescribeAddon" of AWS or "ledger:Orders".
func fail(service, operation string) func(*gated) {
	code := "AccessDeniedException"
	if service == "ledger" {
		code = "InternalServerError"
	}
	return func(g *gated) {
		g.Faults = append(g.Faults, world.Fault{Service: service, Operation: operation, Code: code})
	}
}

// both changes a world in several ways.
func both(changes ...func(*gated)) func(*gated) {
	return func(g *gated) {
		for _, c := range changes {
			c(g)
		}
	}
}

// gateCase is a gate's place in TestAGateThatIsShut and TestAGateThatCannotBeRead.
type gateCase struct {
	// shuts makes that gate alone shut, sooner or later; nil: it never is alone, for the reason in never.
	shuts func(*gated)
	never string
	lasts time.Duration // how long it stays shut; 0: two days
	// hides makes the reading fail that the gate rests on, while all else lets an update start.
	hides func(*gated)
	after time.Duration // when the reading begins to fail: by then an update was made that the gate is about; 0: from the start
	// silent: without that reading nothing is decided, so that there is nothing to record: the function fails, and its alarm tells.
	silent bool
}

// gateCases has a case for each gate of guard.Gates, by its name.
func gateCases() map[string]gateCase {
	approve := func(g *gated) { g.defaults = "mode: approve, daysLeft: off" }
	noCatalogue := fail("eks", "DescribeAddonVersions")
	twoTries := func(g *gated) { g.Updates = []world.UpdateScript{{Outcome: world.Fail}} }
	movedBack := func(g *gated) {
		p := g.prod()
		g.Changes = append(g.Changes, world.Change{At: 3 * hour, Account: p.Account, Region: p.Region, Name: p.Name, Do: world.UpdateAddon, Addon: &world.Addon{Version: p.Addon.Version}})
	}
	hangs := func(g *gated) { g.Updates = []world.UpdateScript{{Outcome: world.Hang}} }
	hidden := fail("eks", "DescribeCluster") // without the tags nobody knows what the policy says
	policy := func(rest string) func(*gated) { return func(g *gated) { g.rest = rest } }
	configured := func(g *gated) { g.prod().Addon.Configuration = `{"env":{"WARM_IP_TARGET":"5"}}` }
	canary := func(g *gated) { // waits for an approval that nobody gives
		c := *g.prod()
		c.Name = "canary"
		g.Clusters = append(g.Clusters, c)
	}
	return map[string]gateCase{
		"window":    {shuts: func(g *gated) { g.defaults += `, windows: ["Sun 10:00-12:00 UTC"]` }, hides: hidden},
		"freeze":    {shuts: func(g *gated) { g.defaults += `, freezes: ["2026-03-01 to 2026-03-31"]` }, hides: hidden},
		"exemption": {shuts: policy(`exemptions: [{match: {clusters: [prod]}, owner: shop, because: audit, until: 2026-06-01}]`), hides: hidden},
		"configuration": {shuts: both(configured, func(g *gated) {
			for i := range g.Catalogues["1.21"] {
				g.Catalogues["1.21"][i].Refuses = []string{"env.WARM_IP_TARGET"}
			}
		}), hides: both(configured, fail("eks", "DescribeAddonConfiguration"))},
		"open update": {shuts: func(g *gated) {
			p := g.prod()
			g.Behaviour.UpdateStarts = world.Range{Min: 4 * hour, Max: 4 * hour} // the add-on is ACTIVE all the while
			g.Changes = []world.Change{{At: time.Second, Account: p.Account, Region: p.Region, Name: p.Name, Do: world.UpdateAddon, Addon: &world.Addon{Version: "v1.8.0-eksbuild.1"}}}
		}, lasts: 3 * hour, hides: fail("eks", "ListUpdates")},
		"role":    {shuts: func(g *gated) { g.prod().Addon.Role = "arn:aws:iam::999988887777:role/cni" }, hides: fail("eks", "DescribeAddon")},
		"breaker": {shuts: both(twoTries, policy("rollout: {budget: {failures: 1}}")), hides: fail("ledger", "Rollout")},
		"wave": {shuts: both(canary, policy("rollout: {waves: [{name: first, match: {clusters: [canary]}}, {name: second, match: {clusters: [prod]}}]}\n"+
			"rules: [{name: canary, match: {clusters: [canary]}, set: {mode: approve}}]")), hides: fail("ledger", "Rollout")},
		"budget": {shuts: both(policy("rollout: {budget: {starts: 1}}"), func(g *gated) { g.defaults += ", target: latest" }), lasts: 20 * hour,
			hides: fail("ledger", "Rollout")},
		"mode":       {shuts: func(g *gated) { g.defaults = "mode: observe, daysLeft: off" }, hides: fail("eks", "DescribeCluster")},
		"halt":       {shuts: func(g *gated) { g.order(world.Halt) }, hides: fail("ledger", "Fleet")},
		"owner":      {shuts: func(g *gated) { g.prod().Addon.Tags = map[string]string{"ManagedBy": "Terraform"} }, hides: fail("cloudtrail", "LookupEvents")},
		"path":       {shuts: func(g *gated) { g.only("v1.7.5-eksbuild.2") }, hides: noCatalogue},
		"gap":        {shuts: func(g *gated) { g.only("v1.9.0-eksbuild.1", "v1.7.5-eksbuild.2") }, hides: both(func(g *gated) { g.only("v1.9.0-eksbuild.1") }, fail("ledger", "Orders"))},
		"moved back": {shuts: movedBack, hides: both(movedBack, fail("ledger", "Orders")), after: 2 * hour},
		"catalogue":  {never: "the path is made of what it lets pass", hides: noCatalogue},
		"alarm":      {shuts: func(g *gated) { g.VPCs[0].Subnets[0].Used = []world.Point{{Addresses: 210}} }, hides: fail("cloudwatch", "DescribeAlarms")},
		"room": {shuts: func(g *gated) {
			n := &g.VPCs[0].Subnets[0]
			n.CIDR, n.Used = "10.0.0.0/26", []world.Point{{Addresses: 46}} // 13 are left, and the alarm is at 80 % of 59
		}, hides: fail("ec2", "DescribeSubnets")},
		"ready": {shuts: func(g *gated) { g.prod().Status = "UPDATING" }, hides: fail("eks", "DescribeAddon")},
		"in flight": {shuts: both(hangs, func(g *gated) {
			g.Behaviour.UpdateStarts = world.Range{Min: 2 * hour, Max: 2 * hour} // the add-on is ACTIVE all the while
		}), lasts: hour, hides: both(hangs, fail("eks", "DescribeUpdate")), after: hour},
		"soak":      {shuts: func(g *gated) { g.defaults += ", target: latest" }, lasts: 15 * time.Minute, hides: fail("ledger", "Load"), silent: true},
		"set aside": {shuts: twoTries, hides: both(twoTries, fail("ledger", "Orders")), after: 2 * hour},
		"denial":    {shuts: func(g *gated) { g.order(world.Deny) }, hides: fail("ledger", "Orders")},
		"approval":  {shuts: approve, hides: both(approve, fail("ledger", "Orders"))},
	}
}
