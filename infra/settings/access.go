package settings

import (
	"fmt"
	"slices"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/policy"
)

// entries checks the clusters whose API is to be read: each once, and one that is looked at. Without rules only the partition is
// known.
func (r *reader) entries(rules *policy.Policy) {
	hub := r.answers.config.Hub.Region
	if r.wrong["accessEntries"] || hub == "" {
		return
	}
	seen := map[cluster.ID]bool{}
	for _, id := range r.answers.config.AccessEntries {
		own := cluster.PartitionOf(hub)
		switch {
		case seen[id]:
			r.twice("accessEntries", id.ARN())
		case cluster.PartitionOf(id.Region) != own:
			r.mistake("accessEntries", fmt.Sprintf("%q is in another partition than the hub", id.ARN()), "allowed: arn:"+own.Name+":…")
		case rules != nil && !slices.Contains(rules.Units(), event.Unit{Account: id.Account, Region: id.Region}):
			r.mistake("accessEntries", fmt.Sprintf("%q is outside of the policy's fleet", id.ARN()),
				"leave it out, or write "+id.Region+" of "+id.Account+" into the fleet")
		}
		seen[id] = true
	}
}

// network checks where the functions are attached.
func (r *reader) network() {
	n := r.answers.config.Network
	r.ids("functionSubnets", n.Subnets, 16)
	r.ids("functionSecurityGroups", n.SecurityGroups, 5)
	switch {
	case r.wrong["functionSubnets"] || r.wrong["functionSecurityGroups"]:
	case len(n.Subnets) > 0 && len(n.SecurityGroups) == 0:
		r.mistake("functionSecurityGroups", "is missing, and required for functionSubnets", "give security groups that let the functions out, as sg-0123456789abcdef0")
	case len(n.Subnets) == 0 && len(n.SecurityGroups) > 0:
		r.mistake("functionSecurityGroups", "is given, and there are no functionSubnets", "leave it out, or give the subnets that the functions are attached to")
	}
}

// ids checks a list of which Lambda takes only so many entries, each once (Lambda API reference, VpcConfig).
func (r *reader) ids(key string, all []string, most int) {
	if n := len(all); n > most {
		r.mistake(key, fmt.Sprintf("has %d entries", n), fmt.Sprintf("allowed: up to %d", most))
	}
	for i, id := range all {
		if slices.Contains(all[:i], id) {
			r.twice(key, id)
		}
	}
}

func (r *reader) twice(key, entry string) {
	r.mistake(key, fmt.Sprintf("%q is there twice", entry), "give each once")
}
