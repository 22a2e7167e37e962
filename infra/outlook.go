package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/infra/stack"
	"github.com/cniguard/cniguard/internal/event"
)

// outlook says what was written, and what this deployment leaves to do, a line each.
func outlook(c stack.Config, out string) []string {
	lines := []string{fmt.Sprintf("cniguard: the hub is in account %s and region %s; its templates are in %s", c.Hub.Account, c.Hub.Region, out)}
	if !slices.ContainsFunc(c.Fleet, func(u event.Unit) bool { return u.Region == c.Hub.Region }) {
		lines = append(lines, fmt.Sprintf("cniguard: note: no account of the fleet is watched in the hub's region %s; is it the right one?", c.Hub.Region))
	}
	if others := elsewhere(c); len(c.Units) == 0 && len(others) > 0 {
		lines = append(lines, fmt.Sprintf("cniguard: to do: without organizationalUnits nothing is deployed to %s; "+
			"bring cniguard-member.template.json there by hand (docs/deploy.md)", strings.Join(others, ", ")))
	}
	if len(c.AccessEntries) > 0 {
		lines = append(lines, "cniguard: note: where a cluster of accessEntries is not there, takes no access entries, or has one for the role already, "+
			"its whole stack is rolled back; deploy for the first time without them (docs/deploy.md)")
	}
	if len(c.Network.Subnets) == 1 {
		lines = append(lines, "cniguard: note: functionSubnets is one subnet; while its zone is down, nothing is watched")
	}
	if len(c.Network.Subnets) > 0 {
		lines = append(lines, "cniguard: note: the functions now reach AWS only through functionSubnets, which need a NAT gateway or VPC endpoints (docs/deploy.md)")
	}
	return lines
}

// elsewhere lists the fleet's accounts that are not the hub's, each with its regions; of many only the first.
func elsewhere(c stack.Config) (accounts []string) {
	const shown = 5
	regions := map[string][]string{}
	for _, u := range c.Fleet {
		if u.Account == c.Hub.Account {
			continue
		}
		if regions[u.Account] == nil {
			accounts = append(accounts, u.Account)
		}
		regions[u.Account] = append(regions[u.Account], u.Region)
	}
	more := len(accounts) - shown
	if more > 0 {
		accounts = accounts[:shown]
	}
	for i, a := range accounts {
		accounts[i] = a + " (" + strings.Join(regions[a], ", ") + ")"
	}
	if more > 0 {
		accounts = append(accounts, fmt.Sprintf("and %d more", more))
	}
	return accounts
}
