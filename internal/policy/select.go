package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
)

const (
	lower  = "abcdefghijklmnopqrstuvwxyz0123456789-*?"
	letter = lower + "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
)

// match checks that each selector could select something.
func (c *checker) match(at string, m Match) {
	if m.Accounts == nil && m.Regions == nil && m.Clusters == nil && m.Tags == nil {
		c.mistake(at, "selects nothing", "allowed: at least one of accounts, regions, clusters, tags")
	}
	c.list(at+".accounts", m.Accounts, anAccount, cluster.IsAccount)
	c.list(at+".regions", m.Regions, "allowed: a region, as eu-central-1, or a pattern, as eu-*", isRegionGlob)
	c.list(at+".clusters", m.Clusters, "allowed: a cluster's name, or a pattern of letters, digits, - _ and * ?, as prod-*", isNameGlob)
	if m.Tags != nil && len(m.Tags) == 0 {
		c.mistake(at+".tags", "is empty", "allowed: at least one tag, as {env: prod}")
	}
	for _, key := range slices.Sorted(maps.Keys(m.Tags)) {
		// The limits are those of AWS: 128 characters of a key, 256 of a value (EKS API reference, TagResource).
		if key == "" || utf8.RuneCountInString(key) > 128 || least(m.Tags[key]) > 256 {
			c.mistake(at+".tags."+key, "no tag is like this", "allowed: a key of 1 to 128 characters, a value of up to 256")
		}
	}
}

func (c *checker) list(at string, entries []string, allowed string, is func(string) bool) {
	if entries != nil && len(entries) == 0 {
		c.mistake(at, "is empty", "allowed: at least one entry, or leave the key out to select all")
	}
	for i, entry := range entries {
		if !is(entry) {
			c.mistake(fmt.Sprintf("%s[%d]", at, i), fmt.Sprintf("%q selects nothing", entry), allowed)
		}
	}
}

// reach checks that a rule's accounts and regions are in the fleet: else the rule never matches.
func (c *checker) reach(at string, m Match, fleet []event.Unit) {
	if len(fleet) == 0 {
		return // said already
	}
	in := func(only Match) bool {
		return slices.ContainsFunc(fleet, func(u event.Unit) bool {
			return only.holds(cluster.ID{Account: u.Account, Region: u.Region}, nil)
		})
	}
	const hint = "allowed: what the fleet holds, or add it there"
	found := len(c.mistakes)
	for i, account := range m.Accounts {
		if cluster.IsAccount(account) && !in(Match{Accounts: m.Accounts[i : i+1]}) {
			c.mistake(fmt.Sprintf("%s.accounts[%d]", at, i), account+" is not in the fleet", hint)
		}
	}
	for i, region := range m.Regions {
		if isRegionGlob(region) && !in(Match{Regions: m.Regions[i : i+1]}) {
			c.mistake(fmt.Sprintf("%s.regions[%d]", at, i), region+" is not in the fleet", hint)
		}
	}
	both := Match{Accounts: m.Accounts, Regions: m.Regions}
	if len(c.mistakes) == found && len(m.Accounts) > 0 && len(m.Regions) > 0 && !in(both) {
		c.mistake(at, "none of the accounts is in the fleet with one of the regions", hint)
	}
}

func isRegionGlob(s string) bool {
	if strings.ContainsAny(s, "*?") {
		return strings.Trim(s, lower) == ""
	}
	return cluster.IsRegion(s)
}

func isNameGlob(s string) bool {
	if strings.ContainsAny(s, "*?") {
		return strings.Trim(s, letter) == "" && s[0] != '-' && s[0] != '_' && least(s) <= 100
	}
	return cluster.IsName(s)
}

// least is the number of characters that a text must have to match a pattern.
func least(pattern string) int { return utf8.RuneCountInString(strings.ReplaceAll(pattern, "*", "")) }
