package world

import (
	"fmt"
	"slices"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/strictyaml"
)

// Findings lists what people's words may be about. The world knows nothing of findings: these are the product's names, as a test of simulate
// compares, so that a mistake in a file is told with its line.
func Findings() []string {
	return []string{
		"version-outdated", "version-unknown", "install-unknown", "images-differ", "release-known-bad", "capacity-low", "blocks-low", "nodes-full", "capacity-soon",
		"capacity-unknown", "control-plane-room", "metric-silent", "alarm-unheard", "alarm-failed", "addon-unhealthy", "unreadable", "update-blocked",
		"update-stuck", "update-set-aside", "updates-halted", "exemption-ends",
	}
}

// How long a word on a finding may hold.
const (
	shortestWord = 5 * time.Minute
	longestWord  = 30 * 24 * time.Hour
)

// order checks what a person orders.
func (v *validation) order(at string, o Order) {
	v.offset(at, o.At)
	toFleet, onFinding := slices.Contains([]OrderKind{Halt, Teardown, Resume}, o.Kind), slices.Contains([]OrderKind{Mute, Unmute, Ack}, o.Kind)
	if !toFleet && !onFinding && o.Kind != Approve && o.Kind != Deny {
		v.check(false, at+".kind", quote(string(o.Kind))+" is not an order", "want approve, deny, mute, unmute, ack, halt, teardown or resume")
		return
	}
	if !toFleet {
		v.known(at, cluster.ID{Account: o.Account, Region: o.Region, Name: o.Name})
	}
	kind := fmt.Sprintf("is not for an order of kind %s", o.Kind)
	if !onFinding {
		v.check(o.Finding == "", at+".finding", kind, "want it with mute, unmute or ack only")
		v.check(o.For == 0, at+".for", kind, "want it with mute or ack only")
		return
	}
	v.check(slices.Contains(Findings(), o.Finding), at+".finding", quote(o.Finding)+" is not a finding of a cluster", strictyaml.Suggest(o.Finding, Findings()))
	const span = "want 5m to 30d, as 8h"
	switch {
	case o.Kind == Unmute:
		v.check(o.For == 0, at+".for", kind, "want it with mute or ack only")
	case o.For == 0:
		v.check(o.Kind == Ack, at+".for", "is missing", span)
	default:
		v.check(o.For >= shortestWord && o.For <= longestWord, at+".for", o.For.String()+" is too short or too long", span)
	}
}
