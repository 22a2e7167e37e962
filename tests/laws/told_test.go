package laws_test

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
)

// The intervals of reminders, by severity; a message has its time in whole seconds. All else that stands is in the digests.
var reminders = map[string]time.Duration{"critical": 4 * time.Hour}

// told is law 7: each change is told once, unless who told it died or could not know; in the order in which it happened;
// reminders at their interval, recoveries always; and nothing is lost.
func told(s *stage) law {
	const name = "Told"
	return law{name: name, end: func() {
		first := s.once(name, s.letters)
		s.checkTopics(name, first)
		s.checkDigests(name, first)
		s.checkSilence(name, first)
		for _, thread := range threads(first) {
			s.checkThread(name, thread)
		}
		if s.quiet > 0 && !s.isMute() {
			s.checkNews(name, first)
			s.checkUpdates(name, first)
		}
	}}
}

// once are the messages to a topic without those that came again, in the order in which they were first taken. All but the
// last of equal ones must have been in doubt.
func (s *stage) once(law string, letters []*letter) []*letter {
	var first []*letter
	last := map[string]*letter{}
	for _, l := range letters {
		before := last[l.Key]
		last[l.Key] = l
		switch {
		case before == nil:
			first = append(first, l)
		case before.doubtful:
			s.tally["messages told again in doubt"]++
		default:
			s.breaks(law, l.id(), "message %s (%s %s) was told at %s and again at %s, though nobody died", l.Key, l.News, l.Finding,
				before.taken.Format("15:04:05"), l.taken.Format("15:04:05"))
		}
	}
	return first
}

// threads are messages by their matter.
func threads(letters []*letter) map[string][]*letter {
	all := map[string][]*letter{}
	for _, l := range letters {
		all[l.DedupKey] = append(all[l.DedupKey], l)
	}
	return all
}

// ends reports whether a message says that its matter is over.
func (l *letter) ends() bool { return l.News == "recovered" || l.News == "closed" }

// isCry reports whether a message was told without the ledger, so that no record knows of it.
func (l *letter) isCry() bool { return l.number() == 0 }

// number is the place of a message among all of its cluster.
func (l *letter) number() int {
	n, _ := strconv.Atoi(l.Key[strings.LastIndexByte(l.Key, '-')+1:])
	return n
}

// checkThread checks the order of the messages of one matter: an opening, what changed, reminders at their interval, and at
// last a recovery.
func (s *stage) checkThread(law string, thread []*letter) {
	for i, l := range thread {
		if i > 0 && l.number() < thread[i-1].number() {
			s.breaks(law, l.id(), "%s of %s was taken at %s, after the later %s", l.News, l.Finding, l.taken.Format("15:04:05"), thread[i-1].News)
		}
		if l.Finding == "update-progress" {
			continue
		}
		switch {
		case (l.News == "opened") != (i == 0):
			s.breaks(law, l.id(), "message %d on %s is %q", i+1, l.Finding, l.News)
		case i > 0 && thread[i-1].ends():
			s.breaks(law, l.id(), "%s is told after its recovery: %q", l.Finding, l.News)
		case l.News == "reminded" && reminders[l.Severity] == 0:
			s.breaks(law, l.id(), "a reminder of %s (%s)", l.Finding, l.Severity)
		case l.News == "reminded" && l.At.Sub(thread[i-1].At) < reminders[l.Severity]-time.Second:
			s.breaks(law, l.id(), "a reminder of %s (%s) after %s", l.Finding, l.Severity, l.At.Sub(thread[i-1].At))
		}
	}
}

// checkUpdates checks that people know how the updates went that ended in time. What was overtaken, because the add-on or the
// cluster went away or somebody else moved on, needs no end.
func (s *stage) checkUpdates(law string, letters []*letter) {
	for _, u := range s.asks {
		id := u.id
		a := s.clusters[id]
		ended, status := s.endOf(u)
		overtaken := a.addon.any(u.at, func(is addon) bool { return !is.exists }) || s.updatedByOthers(id, u.at)
		if overtaken || ended.IsZero() || s.run.Now().Sub(ended) < time.Hour {
			continue
		}
		want := "updated"
		if status == "Failed" || status == "Cancelled" || a.addon.when(ended).Status == "DEGRADED" {
			want = "update failed"
		}
		news := []string{"update started", want}
		if s.obscured(id) { // nobody can prove how it went
			news = news[:1]
		}
		for _, news := range news {
			if !slices.ContainsFunc(letters, func(l *letter) bool {
				return l.id() == id && l.News == news && l.fact("to") == u.to && l.At.After(u.at.Add(-lately))
			}) {
				s.breaks(law, id, "an update to %s from %s to %s (%s), and nobody was told %q", u.to, u.at.Format("15:04:05"), ended.Format("15:04:05"), status, news)
			}
		}
	}
}

// endOf is when and how an update of ours ended; the zero time: it did not.
func (s *stage) endOf(u *ask) (time.Time, string) {
	for _, o := range s.run.World.Updates(u.id) {
		if o.ID == u.update.ID {
			return o.Ended, o.Status
		}
	}
	return time.Time{}, ""
}

func (s *stage) updatedByOthers(id cluster.ID, since time.Time) bool {
	for _, o := range s.run.World.Updates(id) {
		if !strings.HasSuffix(o.By, ":role/cniguard-updater") && o.Created.After(since) {
			return true
		}
	}
	return false
}
