package laws_test

import (
	"slices"
	"strconv"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/policy"
)

// settings are what a policy says of one cluster, as the laws read it from the document: the product reads it by itself.
type settings struct {
	mode              string
	owned, alarms     bool
	reads             bool // what EKS does not manage
	warning, critical float64
	floor             release
	further           []string // alarms
}

func modeRank(mode string) int { return slices.Index([]string{"observe", "approve", "auto"}, mode) }

// settingsOf applies the defaults and the rules in their order. A rule that selects by tags only tightens, unless its tags are
// trusted: docs/policy.md.
func settingsOf(doc policy.Document, id cluster.ID, tags map[string]string) settings {
	s := settings{mode: "observe", alarms: true, reads: true, warning: 80, critical: 95, floor: release{1, 8}}
	s.take(doc.Defaults, true)
	for _, r := range doc.Rules {
		if selects(r.Match, id, tags) {
			s.take(r.Set, r.TrustTags || r.Match.Tags == nil)
		}
	}
	return s
}

// take takes what a rule sets; where it is not free, only what tightens.
func (s *settings) take(set policy.Set, free bool) {
	if m := set.Mode; m != nil && (free || modeRank(*m) < modeRank(s.mode)) {
		s.mode = *m
	}
	if o := set.Owner; o != nil && (free || *o != "cniguard") {
		s.owned = *o == "cniguard"
	}
	if a := set.Alarms; a != nil && (free || *a == "on") {
		s.alarms = *a == "on"
	}
	if f := set.FurtherAlarms; f != nil {
		s.further = *f // only the defaults of a scene have them
	}
	if r := set.SelfManaged; r != nil && (free || *r == "read") {
		s.reads = *r == "read"
	}
	number := func(into *float64, text *string) {
		if text == nil {
			return
		}
		if f, _ := strconv.ParseFloat(*text, 64); free || f < *into {
			*into = f
		}
	}
	number(&s.warning, set.Warning)
	number(&s.critical, set.Critical)
	if set.Floor != nil {
		if f, _ := read(*set.Floor); free || s.floor.short(f) {
			s.floor = f
		}
	}
}

// selects reports whether a rule is for a cluster. The scenes' rules name clusters and accounts in full, without patterns.
func selects(m policy.Match, id cluster.ID, tags map[string]string) bool {
	if m.Clusters != nil && !slices.Contains(m.Clusters, id.Name) || m.Accounts != nil && !slices.Contains(m.Accounts, id.Account) {
		return false
	}
	for k, v := range m.Tags {
		if tags[k] != v {
			return false
		}
	}
	return true
}

func watches(doc policy.Document, id cluster.ID) bool {
	return slices.ContainsFunc(doc.Fleet, func(m policy.Member) bool { return m.Account == id.Account && slices.Contains(m.Regions, id.Region) })
}
