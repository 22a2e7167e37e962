package stack

import (
	"slices"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
)

// name is that of everything in the hub that there is only one of: bus, table, key alias, schedule group, dashboard. All other
// names begin with it.
const name = "cniguard"

// Roles that every member account has. The hub's policies call them by name, so that neither side must be deployed first.
const (
	observerRole  = name + "-observer"
	updaterRole   = name + "-updater"
	forwarderRole = name + "-forwarder"
)

// functionName is the name of a function and of its role, which the members' roles trust.
func functionName(f event.Target) string { return name + "-" + string(f) }

// arn is the ARN of something in an account and region. All names are fixed and the hub's account is known, so policies say in
// plain text what they are about, and a template can be read without resolving references.
func arn(u event.Unit, service, resource string) string {
	return "arn:" + partition(u) + ":" + service + ":" + u.Region + ":" + u.Account + ":" + resource
}

// roleARN is the ARN of a role in an account of the hub's partition. In a pattern the account may be "*".
func roleARN(hub event.Unit, account, role string) string {
	return "arn:" + partition(hub) + ":iam::" + account + ":role/" + role
}

// rootARN is an account as a principal: whoever that account's own policies allow.
func rootARN(hub event.Unit, account string) string {
	return "arn:" + partition(hub) + ":iam::" + account + ":root"
}

func partition(u event.Unit) string { return cluster.PartitionOf(u.Region).Name }

// accounts are the fleet's, each once, in order.
func accounts(fleet []event.Unit) []string {
	var all []string
	for _, u := range fleet {
		all = append(all, u.Account)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
