package notify

import (
	"strings"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
)

// silencing is a way to hear less of a finding: what it does, and the command for it.
type silencing struct {
	does string
	run  []string
}

// silencings are those of a message, the mildest first. What does not stand cannot be silenced, and there are orders on clusters only.
func silencings(m guard.Message) []silencing {
	if standing(m) != open || m.Cluster.Name == "" {
		return nil
	}
	mute := silencing{"For 8 hours it stands in the daily digest only:", mute(m.Cluster, m.Finding.Code, "8h")}
	if m.Finding.Severity != guard.Critical {
		return []silencing{mute}
	}
	return []silencing{{"Seen: no reminders of it for a day, unless it changes:", acknowledge(m)}, mute}
}

// muting is the command to mute with, in one line; empty: there is none.
func muting(m guard.Message) string {
	all := silencings(m)
	if len(all) == 0 {
		return ""
	}
	return strings.Join(all[len(all)-1].run, " ")
}

func mute(id cluster.ID, code guard.Code, long string) []string {
	return []string{"cniguard mute " + plain.Quote(id.String()), "--finding " + plain.Quote(string(code)), "--for " + long, because}
}

func acknowledge(m guard.Message) []string {
	return []string{"cniguard ack " + plain.Quote(m.Cluster.String()), "--finding " + plain.Quote(string(m.Finding.Code)), because}
}

// resumeFleet ends the halt that failed updates brought about.
func resumeFleet(guard.Message) []string {
	return []string{"cniguard resume", because}
}

// approveUpdate is the word that a shut gate waits for.
func approveUpdate(m guard.Message) []string {
	return []string{"cniguard approve " + plain.Quote(m.Cluster.String()), because}
}

// because is left for the person to fill in: others will read it.
const because = `--because "…"`

// silence adds how to hear less of it. It comes last: who reads to the end knows what is silenced.
func (p *page) silence(m guard.Message) {
	for i, s := range silencings(m) {
		if i == 0 {
			p.section("To silence it:")
		}
		p.add("  ", s.does)
		p.command(s.run)
	}
}
