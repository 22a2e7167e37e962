package policy

import (
	"slices"

	"github.com/cniguard/cniguard/internal/cluster"
)

// Document is a policy as people write it, in YAML or JSON with the same keys. docs/policy.md explains every key.
type Document struct {
	Version  int             `json:"version"` // of this form: 1
	Fleet    []Member        `json:"fleet"`
	Digest   Digest          `json:"digest,omitzero"`
	Rollout  RolloutDocument `json:"rollout,omitzero"`
	Defaults Set             `json:"defaults,omitzero"`
	Rules    []Rule          `json:"rules,omitempty"` // of those that match, the last wins, field by field

	Exemptions []Exemption `json:"exemptions,omitempty"`
}

// Member is one account of the fleet.
type Member struct {
	Account string   `json:"account"`
	Regions []string `json:"regions"`
}

// Digest says when people get their digest of what can wait, each day.
type Digest struct {
	At     string        `json:"at,omitempty"`   // as 09:00; empty: 09:00
	Zone   string        `json:"zone,omitempty"` // of the IANA's time zones, as Europe/Berlin; empty: UTC
	Owners []OwnerDigest `json:"owners,omitempty"`
}

// OwnerDigest says when an owner gets theirs, where that is at another time.
type OwnerDigest struct {
	Owner string `json:"owner"`
	At    string `json:"at,omitempty"`   // empty: as all others
	Zone  string `json:"zone,omitempty"` // empty: as all others
}

// RolloutDocument says how updates spread over the fleet.
type RolloutDocument struct {
	Budget BudgetDocument `json:"budget,omitzero"`
	Waves  []WaveDocument `json:"waves,omitempty"` // in their order
}

// BudgetDocument bounds the updates of the fleet. What is left out has its usual value.
type BudgetDocument struct {
	Region   *int `json:"region,omitempty"`
	Account  *int `json:"account,omitempty"`
	Fleet    *int `json:"fleet,omitempty"`
	Starts   *int `json:"starts,omitempty"`
	Failures *int `json:"failures,omitempty"`
}

// WaveDocument is a group of clusters that are updated before those of the next.
type WaveDocument struct {
	Name  string `json:"name"` // unique
	Match Match  `json:"match"`
	Soak  string `json:"soak,omitempty"`  // as 24h, which it is where it is left out
	Share *int   `json:"share,omitempty"` // percent; 100 where it is left out
}

// Rule gives settings to the clusters that it matches.
type Rule struct {
	Name      string `json:"name"` // unique
	Match     Match  `json:"match"`
	Set       Set    `json:"set"`
	TrustTags bool   `json:"trustTags,omitempty"` // lets a rule that selects by tags loosen settings too
}

// Match selects clusters. Of each list one entry must match, of the tags all; what is left out selects nothing. In regions,
// clusters and the values of tags, * stands for any text and ? for any one character.
type Match struct {
	Accounts []string          `json:"accounts,omitempty"`
	Regions  []string          `json:"regions,omitempty"`
	Clusters []string          `json:"clusters,omitempty"`
	Tags     map[string]string `json:"tags,omitempty"`
}

// Set is settings as text, or lists of it. A nil field is not set.
type Set struct {
	Mode        *string `json:"mode,omitempty"`        // observe, approve, auto
	Floor       *string `json:"floor,omitempty"`       // a release, as v1.8.0
	Target      *string `json:"target,omitempty"`      // floor, default, latest or a version
	Warning     *string `json:"warning,omitempty"`     // percent
	Critical    *string `json:"critical,omitempty"`    // percent
	DaysLeft    *string `json:"daysLeft,omitempty"`    // days, off
	Alarms      *string `json:"alarms,omitempty"`      // on, off
	SelfManaged *string `json:"selfManaged,omitempty"` // read, ignore
	Owner       *string `json:"owner,omitempty"`       // cniguard, unknown

	OwnerTag *string `json:"ownerTag,omitempty"` // a tag's key

	AlarmActions  *[]string `json:"alarmActions,omitempty"`    // ARNs of SNS topics
	FurtherAlarms *[]string `json:"furtherAlarms,omitempty"`   // free-blocks, days-left, node-capacity
	HelperID      *string   `json:"metricsHelperID,omitempty"` // a CLUSTER_ID, name

	Windows *[]string `json:"windows,omitempty"` // days and times, as Mon-Thu 09:00-16:00 Europe/Berlin
	Freezes *[]string `json:"freezes,omitempty"` // dates, as 2026-12-18 to 2027-01-06 Europe/Berlin
}

// holds reports whether a cluster with these tags is selected.
func (m Match) holds(id cluster.ID, tags map[string]string) bool {
	if m.Accounts != nil && !slices.Contains(m.Accounts, id.Account) ||
		m.Regions != nil && !anyGlob(m.Regions, id.Region) ||
		m.Clusters != nil && !anyGlob(m.Clusters, id.Name) {
		return false
	}
	for key, pattern := range m.Tags {
		if value, ok := tags[key]; !ok || !glob(pattern, value) {
			return false
		}
	}
	return true
}

// meets reports whether some cluster could be selected by both, as far as the accounts tell.
func (m Match) meets(other Match) bool {
	return m.Accounts == nil || other.Accounts == nil ||
		slices.ContainsFunc(m.Accounts, func(a string) bool { return slices.Contains(other.Accounts, a) })
}

func anyGlob(patterns []string, text string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return glob(p, text) })
}

// glob reports whether the whole text matches a pattern in which * is any text and ? any one character. It takes time in
// proportion to the product of the lengths at worst: on a mismatch only the last * is tried further on.
func glob(pattern, text string) bool {
	p, t := []rune(pattern), []rune(text)
	star, from := -1, 0 // the last * and where the text after it was tried
	i, j := 0, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, from = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i, j = i+1, j+1
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}
