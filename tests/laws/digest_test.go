package laws_test

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/cniguard/cniguard/internal/notify"
	"github.com/cniguard/cniguard/internal/world"
)

// readDigest reads a digest to programs.
func (l *letter) readDigest(message string) error {
	var d struct {
		Key, Owner     string
		At             time.Time
		News, Standing []struct {
			DedupKey string
			At       time.Time
		}
	}
	if err := json.Unmarshal([]byte(message), &d); err != nil {
		return err
	}
	l.Key, l.Owner, l.At, l.Items = d.Key, d.Owner, d.At, map[string]time.Time{}
	for _, i := range slices.Concat(d.News, d.Standing) {
		l.Items[i.DedupKey] = i.At
	}
	return nil
}

// checkDigests checks that an owner gets one digest a day at most, each topic each of them once, and that whatever people are not told at once is
// in the next one: its beginning, its end, and that it stands.
func (s *stage) checkDigests(law string, letters []*letter) {
	told, exist := s.topics()
	exist = append(slices.Clone(exist), onBus)
	machine := s.once(law, s.digests[told[notify.Machine]])
	last, keys := map[string]*letter{}, map[string]bool{}
	for _, d := range machine {
		keys[d.Key] = true
		if before := last[d.Owner]; before != nil && d.At.Sub(before.At) < 23*time.Hour {
			s.breaks(law, d.id(), "%q got a digest of %s after that of %s", d.Owner, d.At, before.At)
		}
		last[d.Owner] = d
	}
	for _, arn := range exist {
		have := map[string]bool{}
		for _, d := range s.once(law, s.digests[arn]) {
			have[d.Key] = true
		}
		for _, d := range machine {
			if s.quiet > 0 && !s.isMute() && !have[d.Key] && s.run.Now().Sub(d.taken) > 2*lately {
				s.breaks(law, d.id(), "%s did not get the digest of %q, which programs got at %s", arn, d.Owner, d.taken.Format("15:04:05"))
			}
		}
		maps.DeleteFunc(have, func(key string, _ bool) bool { return keys[key] })
		if len(have) > 0 && slices.Contains(exist, told[notify.Machine]) && s.quiet > 0 && !s.isMute() {
			s.breaks(law, (&letter{}).id(), "%s got %d digests that programs did not", arn, len(have))
		}
	}
	if s.quiet > 0 && !s.isMute() {
		for _, at := range s.hours() {
			s.checkDigest(law, at, letters, machine)
		}
	}
}

// hours are the instants of the scene at which digests were due, and long enough ago.
func (s *stage) hours() (all []time.Time) {
	at, err := time.Parse("15:04", cmp.Or(s.doc.Digest.At, "09:00"))
	if err != nil {
		s.breaks("Told", (&letter{}).id(), "%v", err)
	}
	for day := start.Truncate(24 * time.Hour); ; day = day.Add(24 * time.Hour) {
		due := day.Add(time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute)
		switch {
		case s.run.Now().Sub(due) < 30*time.Minute || due.Before(start.Add(s.quiet)):
			if due.After(s.run.Now()) {
				return all
			}
		default:
			all = append(all, due)
		}
	}
}

// checkDigest checks what is in the digests of an instant in peaceful times: the last word on each matter, as far as it came before.
func (s *stage) checkDigest(law string, at time.Time, letters, digests []*letter) {
	latest := map[string]*letter{}
	for _, l := range letters {
		if l.Finding != "update-progress" && l.taken.Before(at.Add(-lately)) {
			latest[l.DedupKey] = l
		}
	}
	for thread, l := range latest {
		if l.Lane != "digest" && (l.ends() || l.Severity == "info") || l.isCry() || !watches(s.doc, l.id()) {
			continue
		}
		s.tally["matters looked for in a digest"]++
		needless := s.isCalm(l, at) && !slices.ContainsFunc(digests, func(d *letter) bool { return d.Owner == l.Owner && d.At.Equal(at) })
		if needless && l.Lane != "digest" {
			continue
		}
		found := slices.ContainsFunc(digests, func(d *letter) bool {
			told, has := d.Items[thread]
			return has && !told.Before(l.At.Truncate(time.Second)) && (d.At.Equal(at) || (l.ends() || needless) && d.At.Before(at))
		})
		over := slices.ContainsFunc(letters, func(l *letter) bool { return l.DedupKey == thread && l.ends() && l.taken.Before(at.Add(lately)) })
		if !found && (l.ends() || !over && !isFlapping(letters, l)) {
			s.breaks(law, l.id(), "%s of %s (%s) at %s is not in the digest of %s", l.News, l.Finding, l.Severity, l.At.Format("15:04:05"), at.Format("15:04"))
		}
	}
}

// isCalm reports whether a matter that stands is no reason for a digest: it is only worth knowing, or somebody has answered a warning.
func (s *stage) isCalm(l *letter, at time.Time) bool {
	word := s.word(l.id(), l.Finding, at.Add(-lately))
	return l.Severity == "info" || l.Severity == "warning" && (word == world.Mute || word == world.Ack)
}
