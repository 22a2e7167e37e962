package laws_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/world"
)

// must is what people should know of a finding.
type must int

const (
	closedNow must = iota // it is over, or never was
	openNow
	either
)

// checkNews compares, at the end of a scene that came to rest, what people were told with how it is.
func (s *stage) checkNews(law string, letters []*letter) {
	latest := map[cluster.ID]map[string]*letter{}
	for _, l := range letters {
		if latest[l.id()] == nil {
			latest[l.id()] = map[string]*letter{}
		}
		latest[l.id()][l.Finding] = l
	}
	for id, a := range s.clusters {
		if !watches(s.doc, id) || s.obscured(id) {
			continue
		}
		want := s.findings(a)
		for _, finding := range slices.Sorted(maps.Keys(want)) {
			l := latest[id][finding]
			open := l != nil && !l.ends()
			s.tally["findings compared at the end"]++
			switch {
			case want[finding] == openNow && s.word(id, finding, s.run.Now().Add(-lately)) == world.Mute:
			case want[finding] == openNow && !open:
				s.breaks(law, id, "%s is true at the end, and people do not know", finding)
			case want[finding] == closedNow && open && isFlapping(letters, l):
			case want[finding] == closedNow && open:
				s.breaks(law, id, "%s is over at the end, and people were last told %q (%s) at %s", finding, l.News, l.Severity, l.At.Format("15:04:05"))
			case want[finding] == openNow: // what cannot be told either way is not reminded of
				s.checkReminders(law, l)
			}
		}
	}
}

// isFlapping reports whether a matter began within a day of the end of the one before: that it is over may be told later.
func isFlapping(letters []*letter, l *letter) bool {
	began := slices.IndexFunc(letters, func(o *letter) bool { return o.DedupKey == l.DedupKey })
	return slices.ContainsFunc(letters, func(o *letter) bool {
		return o.id() == l.id() && o.Finding == l.Finding && o.DedupKey != l.DedupKey && o.ends() && letters[began].At.Sub(o.At) < 24*time.Hour && !o.At.After(letters[began].At)
	})
}

// checkReminders checks that a matter which is open was not forgotten in the peace before the end.
func (s *stage) checkReminders(law string, l *letter) {
	every := reminders[l.Severity]
	if every == 0 || s.word(l.id(), l.Finding, s.run.Now().Add(-lately)) != "" {
		return
	}
	due := l.At.Add(every)
	if quiet := start.Add(s.quiet); due.Before(quiet) {
		due = quiet
	}
	if late := s.run.Now().Sub(due); late > 45*time.Minute {
		s.breaks(law, l.id(), "%s (%s) is open, last told %q at %s: a reminder is late by %s", l.Finding, l.Severity, l.News, l.At.Format("15:04:05"), late)
	}
}

// obscured reports whether something of a cluster cannot be read, or its alarm not be kept, until the end; law 8 looks at those.
func (s *stage) obscured(id cluster.ID) bool {
	shut := s.shut(id, s.quiet)
	delete(shut, "eks:UpdateAddon")
	delete(shut, "iam:PassRole")
	return len(shut) > 0
}

// findings are those that can be told from the true state alone.
func (s *stage) findings(a *actual) map[string]must {
	now := map[bool]must{true: openNow, false: closedNow}
	want := map[string]must{
		"version-outdated": closedNow, "version-unknown": closedNow, "release-known-bad": closedNow, "install-unknown": closedNow, "images-differ": closedNow,
		"addon-unhealthy": closedNow, "capacity-low": closedNow, "capacity-soon": closedNow, "capacity-unknown": closedNow, "control-plane-room": closedNow,
		"unreadable": closedNow, "metric-silent": closedNow, "alarm-unheard": closedNow, "nodes-full": either,
		"blocks-low": closedNow, "exemption-ends": closedNow,
	}
	if s.spec.Behaviour.AlarmEventsLost > 0 || s.ringsUnheard(a) {
		want["alarm-unheard"] = either
	}
	st, is := a.state.now(), a.addon.now()
	switch {
	case st.status == "":
		return want // it is gone
	case st.status != "ACTIVE":
		return nil // nothing is judged
	case !is.exists && a.needless(s.run.Now()):
	case !is.exists:
		s.inside(a, want)
	default:
		r, known := read(is.Version)
		want["version-unknown"] = now[!known]
		if known {
			want["version-outdated"] = now[r.short(settingsOf(s.doc, a.id, a.tags.now()).floor)]
			want["release-known-bad"] = now[r.bad()]
		} else {
			want["version-outdated"], want["release-known-bad"] = either, either
		}
		want["addon-unhealthy"] = now[is.unhealthy()]
		if is.Status == "UPDATING" {
			want["addon-unhealthy"] = either // it is being replaced
		}
	}
	s.capacity(a, want)
	want["exemption-ends"] = s.endsSoon(a)
	want["blocks-low"] = s.blocks(a)
	if m := a.alarm.now(); m != nil && m.StateValue == types.StateValueAlarm && s.spec.Behaviour.AlarmEventsLost == 1 &&
		settingsOf(s.doc, a.id, a.tags.now()).alarms && m.StateUpdatedTimestamp.Before(start.Add(s.quiet)) {
		want["alarm-unheard"] = openNow // a sweep has looked at it since
	}
	if is.exists && !a.addon.all(s.run.Now().Add(-max(4*lately, a.replaced()/4+2*lately)), func(was addon) bool { return was.Version == is.Version && was.Status == is.Status }) {
		// An update has just ended; people learn of it with the next tick, of one that hung after a quarter of its time.
		maps.DeleteFunc(want, func(finding string, _ must) bool { return finding[0] == 'v' || finding[0] == 'r' || finding[0] == 'a' })
	}
	return want
}

// unhealthy reports whether EKS says that an add-on is degraded or failed, or names an issue.
func (a addon) unhealthy() bool {
	failed := slices.Contains([]string{"DEGRADED", "CREATE_FAILED", "UPDATE_FAILED", "DELETE_FAILED"}, a.Status)
	return a.exists && (failed || len(a.Issues) > 0)
}

// needless reports whether no node of a cluster runs aws-node: Auto Mode and Fargate have networks of their own.
func (a *actual) needless(at time.Time) bool {
	nodes := len(a.Nodegroups) > 0 || len(a.running(at)) > 0 && !a.AutoMode
	return !nodes && (a.AutoMode || len(a.FargateProfiles) > 0)
}

// capacity adds what is true of the cluster's pod subnets. Within two points of a threshold either may be told.
func (s *stage) capacity(a *actual, want map[string]must) {
	set := settingsOf(s.doc, a.id, a.tags.now())
	used, any := s.fullest(a, s.run.Now())
	want["capacity-soon"] = either // what the days to come bring is in no state
	switch {
	case a.IPv6:
	case !any:
		want["capacity-low"], want["capacity-unknown"] = either, openNow // what was low is not known to have room
	case used >= set.warning:
		want["capacity-low"] = openNow
	case used > set.warning-2.5:
		want["capacity-low"] = either
	}
	if !a.IPv6 {
		want["control-plane-room"] = s.isTight(a, s.run.Now())
	}
	if !set.alarms || !any || len(set.further) > 0 {
		want["metric-silent"] = either // there is no metric, or there are others
	}
}

// isTight says whether people should know that an upgrade of Kubernetes might not find the five addresses that it may take in a subnet of the
// control plane. What they know is over with three more.
func (s *stage) isTight(a *actual, at time.Time) must {
	tight := closedNow
	for _, id := range s.standing(a.ControlPlane, at) {
		switch free := s.free(id, at); {
		case free < 5:
			return openNow
		case free < 8:
			tight = either
		}
	}
	return tight
}

func (m must) String() string { return fmt.Sprint([]string{"closed", "open", "either"}[m]) }
