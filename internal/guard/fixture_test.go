package guard_test

import (
	"time"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/policy"
)

var (
	noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	prod = cluster.ID{Account: "111122223333", Region: "eu-central-1", Name: "prod"}
)

// outdated is a cluster at v1.7.5 that a policy lets cniguard update, with every gate open.
func outdated() guard.Input {
	s := policy.BuiltIn()
	s.Mode, s.Owner = policy.Auto, policy.Owned
	return guard.Input{
		ID:       prod,
		Now:      noon,
		Settings: guard.Read(s),
		Fleet:    guard.Read(guard.Fleet{}),
		Orders:   guard.Read[[]guard.Order](nil),
		Place:    guard.Place{Rules: policy.Rollout{Budget: policy.Budget{Region: 1, Account: 2, Fleet: 3, Starts: 4, Failures: 2}}},
		Seen: guard.Snapshot{
			At:      noon.Add(-time.Second),
			Cluster: guard.Read(&guard.Cluster{Status: "ACTIVE", Kubernetes: "1.21", Tags: map[string]string{"env": "prod"}}),
			Addon:   guard.Read(addon("v1.7.5-eksbuild.2")),
			Catalogue: guard.Read([]cni.Release{
				{Version: cni.Parse("v1.7.5-eksbuild.2")}, {Version: cni.Parse("v1.8.0-eksbuild.1"), Default: true}, {Version: cni.Parse("v1.9.0-eksbuild.1")},
			}),
			Pods:      guard.Read(capacity.Pods{Subnets: []capacity.Subnet{subnet("subnet-a", 200), subnet("subnet-b", 150)}}),
			Alarms:    guard.Read([]alarm.Standing{standing(alarm.OK)}),
			Hosts:     guard.Read(guard.Hosts{Nodegroups: true}),
			Preflight: preflight("v1.8.0-eksbuild.1"),

			LastChange: guard.Read(&guard.LastChange{}),
		},
	}
}

// fine is the same cluster at v1.9.0.
func fine() guard.Input {
	in := outdated()
	in.Seen.Addon = guard.Read(addon("v1.9.0-eksbuild.1"))
	return in
}

func addon(version string) *guard.Addon {
	return &guard.Addon{Version: cni.Parse(version), Raw: version, Status: "ACTIVE", Role: "arn:aws:iam::111122223333:role/cni", Config: `{"env":{"WARM_IP_TARGET":"5"}}`}
}

// preflight is what was read for a step to a version, and holds nothing against it.
func preflight(to string) guard.Preflight {
	return guard.Preflight{Configuration: guard.Read(&guard.Configuration{Of: cni.Parse(to)}), Open: guard.Read(&guard.Open{})}
}

// subnet is a /24 with so many free addresses of 251.
func subnet(id string, free int) capacity.Subnet {
	return capacity.Subnet{ID: id, CIDR: "10.0.1.0/24", Zone: "eu-central-1a", Free: free, By: []string{"node group ng"}}
}

func standing(s alarm.State) alarm.Standing {
	return alarm.Standing{Spec: kept(prod), State: s, Since: noon.Add(-time.Hour)}
}

func denied(op string) *fault.Fault {
	return &fault.Fault{Kind: fault.Terminal, Op: op, Code: "AccessDeniedException", Need: op}
}

func throttled(op string) *fault.Fault {
	return &fault.Fault{Kind: fault.Retry, Op: op, Code: "ThrottlingException"}
}

// step is the update in flight from v1.7.5 to v1.8.0, called a minute ago.
func step(id string) *guard.Step {
	return &guard.Step{From: cni.Parse("v1.7.5-eksbuild.2"), To: cni.Parse("v1.8.0-eksbuild.1"), Try: 1, Token: "token", ID: id, Since: noon.Add(-time.Minute), Told: id != ""}
}

func codes(fs []guard.Finding) []guard.Code {
	var cs []guard.Code
	for _, f := range fs {
		cs = append(cs, f.Code)
	}
	return cs
}

func gates(p guard.Plan) []string {
	var names []string
	for _, h := range p.Held {
		for _, r := range h.By {
			names = append(names, r.Gate)
		}
	}
	return names
}

func actions(p guard.Plan) []string {
	var texts []string
	for _, a := range p.Actions {
		texts = append(texts, a.String())
	}
	return texts
}
