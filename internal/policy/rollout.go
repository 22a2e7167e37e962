package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
)

// Rollout says how updates spread over the fleet.
type Rollout struct {
	Budget Budget
	Waves  []Wave // in their order; none: all clusters may be updated at once, as far as the budget goes
}

// Budget bounds the updates of the fleet.
type Budget struct {
	Region   int // in flight in a region of an account
	Account  int // in flight in an account
	Fleet    int // in flight in the fleet
	Starts   int // in 24 hours, in the fleet
	Failures int // clusters of one wave whose update failed, from which on nothing is updated until a person resumes
}

// Wave is a group of clusters that are updated before those of the next.
type Wave struct {
	Name  string
	Soak  time.Duration // from its last proved update to the first of the next wave
	Share int           // of its clusters, in percent, that must be done before that
	match Match
}

// Last stands for the wave of a cluster that no wave claims: it comes after all of them.
const Last = ""

// Wave is the name of a cluster's wave.
func (p *Policy) Wave(id cluster.ID, tags map[string]string) string {
	for _, w := range p.rollout.Waves {
		if w.match.holds(id, tags) {
			return w.Name
		}
	}
	return Last
}

// Rollout is how updates spread over the fleet. It is shared: do not change it.
func (p *Policy) Rollout() Rollout { return p.rollout }

// Before are the waves that come before one.
func (r Rollout) Before(name string) []Wave {
	if i := slices.IndexFunc(r.Waves, func(w Wave) bool { return w.Name == name }); i >= 0 {
		return r.Waves[:i]
	}
	return r.Waves
}

// usual is how updates spread where the policy does not say.
func usual() Budget { return Budget{Region: 1, Account: 2, Fleet: 5, Starts: 20, Failures: 2} }

const (
	usualSoak  = 24 * time.Hour
	longest    = 30 * 24 * time.Hour // of a soak
	mostWaves  = 20
	mostFlying = 100  // updates in flight: each is in the fleet's one item
	mostStarts = 1000 // in 24 hours, likewise
)

// rollout checks how updates are to spread.
func (c *checker) rollout(written RolloutDocument) Rollout {
	r := Rollout{Budget: usual()}
	for _, limit := range []struct {
		name    string
		written *int
		into    *int
		most    int
	}{
		{"region", written.Budget.Region, &r.Budget.Region, mostFlying},
		{"account", written.Budget.Account, &r.Budget.Account, mostFlying},
		{"fleet", written.Budget.Fleet, &r.Budget.Fleet, mostFlying},
		{"starts", written.Budget.Starts, &r.Budget.Starts, mostStarts},
		{"failures", written.Budget.Failures, &r.Budget.Failures, mostFlying},
	} {
		if limit.written == nil {
			continue
		}
		if *limit.into = *limit.written; *limit.into < 1 || *limit.into > limit.most {
			c.mistake("rollout.budget."+limit.name, fmt.Sprintf("is %d", *limit.into),
				fmt.Sprintf("allowed: 1 to %d; `mode: observe` or `cniguard halt` is how nothing is updated", limit.most))
		}
	}
	if len(written.Waves) > mostWaves {
		c.mistake("rollout.waves", fmt.Sprintf("are %d", len(written.Waves)), fmt.Sprintf("allowed: up to %d", mostWaves))
		return r
	}
	c.names = map[string]bool{}
	for i, w := range written.Waves {
		r.Waves = append(r.Waves, c.wave(fmt.Sprintf("rollout.waves[%d]", i), w))
		for _, earlier := range r.Waves[:i] {
			if !earlier.match.apart(w.Match) {
				c.mistake(fmt.Sprintf("rollout.waves[%d].match", i), fmt.Sprintf("a cluster may be in this wave and in %q", earlier.Name),
					"allowed: waves that no cluster shares: other accounts, regions or names, or other values of one tag, as {wave: first} and {wave: second}")
			}
		}
	}
	return r
}

func (c *checker) wave(at string, written WaveDocument) Wave {
	c.name(at+".name", written.Name, "wave")
	c.match(at+".match", written.Match)
	c.reach(at+".match", written.Match, c.units)
	w := Wave{Name: written.Name, Soak: usualSoak, Share: 100, match: written.Match.copied()}
	if written.Soak != "" {
		soak, err := time.ParseDuration(written.Soak)
		if w.Soak = soak; err != nil || soak < 0 || soak > longest {
			c.mistake(at+".soak", fmt.Sprintf("%q is not a time to wait", written.Soak), `allowed: "0h" to "720h", as "24h" or "90m"`)
		}
	}
	if written.Share != nil {
		if w.Share = *written.Share; w.Share < 1 || w.Share > 100 {
			c.mistake(at+".share", "is "+strconv.Itoa(w.Share), "allowed: 1 to 100, in percent")
		}
	}
	return w
}

// apart reports whether no cluster can be selected by both, whatever it is called and however it is tagged.
func (m Match) apart(other Match) bool {
	lists := func(a, b []string) bool {
		return a != nil && b != nil && !slices.ContainsFunc(a, func(p string) bool {
			return slices.ContainsFunc(b, func(q string) bool { return overlap(p, q) })
		})
	}
	if lists(m.Accounts, other.Accounts) || lists(m.Regions, other.Regions) || lists(m.Clusters, other.Clusters) {
		return true
	}
	for key, pattern := range m.Tags {
		if theirs, both := other.Tags[key]; both && !overlap(pattern, theirs) {
			return true
		}
	}
	return false
}

// overlap reports whether some text matches both patterns.
func overlap(a, b string) bool {
	p, q := []rune(collapse(a)), []rune(collapse(b))
	// meet[j] is whether the rest of p from the row on and that of q from j on share a text.
	meet := make([]bool, len(q)+1)
	for i := len(p); i >= 0; i-- {
		row := make([]bool, len(q)+1)
		for j := len(q); j >= 0; j-- {
			starP, starQ := i < len(p) && p[i] == '*', j < len(q) && q[j] == '*'
			switch {
			case i == len(p) && j == len(q):
				row[j] = true
			case starP && (meet[j] || j < len(q) && row[j+1]), starQ && (row[j+1] || i < len(p) && meet[j]):
				row[j] = true
			case i < len(p) && j < len(q) && !starP && !starQ && (p[i] == q[j] || p[i] == '?' || q[j] == '?'):
				row[j] = meet[j+1]
			}
		}
		meet = row
	}
	return meet[0]
}

func collapse(pattern string) string {
	for strings.Contains(pattern, "**") {
		pattern = strings.ReplaceAll(pattern, "**", "*")
	}
	return pattern
}
