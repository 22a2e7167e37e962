package laws_test

import (
	"slices"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
)

// why is law 9: what could be done is done or held, and what is held has its reasons. An update that the truth calls for is
// one or the other in every plan, unless the plan says that it does not know the version.
func why(s *stage) law {
	const name = "Why"
	return law{name: name, planned: func(id cluster.ID, p guard.Plan) {
		for _, h := range p.Held {
			if len(h.By) == 0 || slices.ContainsFunc(h.By, func(r guard.Reason) bool { return r.Gate == "" || r.Text == "" }) {
				s.breaks(name, id, "%s is held without a reason: %+v", h.Action, h.By)
			}
		}
		wants := func(kind guard.ActionKind) bool {
			return slices.ContainsFunc(p.Actions, func(a guard.Action) bool { return a.Kind == kind }) ||
				slices.ContainsFunc(p.Held, func(h guard.Held) bool { return h.Action.Kind == kind })
		}
		a := s.clusters[id]
		if a == nil || !s.steady(a) {
			return
		}
		if s.needy(a) && p.Verdict.Version.Word != guard.Unknown && !wants(guard.StartUpdate) {
			s.breaks(name, id, "%s needs an update, and the plan neither makes nor holds one: %+v", a.addon.now().Version, p.Verdict)
		}
		set := settingsOf(s.doc, id, a.tags.now())
		if set.alarms && !a.IPv6 && a.alarm.now() == nil && p.Verdict.Capacity.Word != guard.Unknown && !wants(guard.PutAlarm) {
			s.breaks(name, id, "it has no alarm, and the plan neither puts nor holds one: %+v", p.Verdict)
		}
	}}
}

// steady reports whether nothing of a cluster has changed lately, so that a plan rests on how it is.
func (s *stage) steady(a *actual) bool {
	when := s.run.Now().Add(-lately)
	return len(a.state.since(when)) == 1 && len(a.tags.since(when)) == 1 && len(a.addon.since(when)) == 1 && len(a.alarm.since(when)) == 1 &&
		a.state.now().status == "ACTIVE"
}

// needy reports whether an add-on is below the floor or known to be bad.
func (s *stage) needy(a *actual) bool {
	is := a.addon.now()
	r, known := read(is.Version)
	return is.exists && known && (r.short(settingsOf(s.doc, a.id, a.tags.now()).floor) || r.bad())
}
