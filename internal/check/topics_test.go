package check_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/guard"
)

// place is a topic of its own; its calls are of the kind of its name.
type place struct {
	*stage
	name    string
	people  bool // they are told in digests what can wait
	told    []guard.Message
	digests []guard.Digest
}

// beside adds topics to the stage's own.
func (s *stage) beside(names ...string) *stage {
	for _, name := range names {
		s.others = append(s.others, &place{stage: s, name: name})
	}
	return s
}

func (p *place) Tell(_ context.Context, m guard.Message) error {
	if err := p.note(p.name+" %s of %s", m.News, m.Finding.Code); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, m)
	return nil
}

func (p *place) TellDigest(_ context.Context, d guard.Digest) error {
	if err := p.note(p.name+" digest of %s", d.Owner); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.digests = append(p.digests, d)
	return nil
}

// news is what a topic was told, by key and news.
func news(told []guard.Message) (all []string) {
	for _, m := range told {
		all = append(all, m.Key+" "+string(m.News))
	}
	return all
}

// wantSame wants that a topic was told the same as the stage's own, in the same order.
func (p *place) wantSame() {
	p.t.Helper()
	if diff := cmp.Diff(news(p.stage.told), news(p.told)); diff != "" {
		p.t.Errorf("told to oncall (-) and to %s (+):\n%s", p.name, diff)
	}
}

func TestEveryTopicIsToldEveryMessageOnce(t *testing.T) {
	s := newStage(t, outdated()).beside("chat", "machine")
	s.live()
	s.wantUpdatedAndTold(0)
	for _, p := range s.others {
		p.wantSame()
	}
}

func TestATopicThatFailsHoldsBackNoOtherAndGetsEverythingInOrderLater(t *testing.T) {
	for _, fails := range []string{"tell", "chat", "machine"} {
		t.Run(fails, func(t *testing.T) {
			s := newStage(t, outdated()).beside("chat", "machine")
			s.fails = failing(fails, errors.New("the topic is gone"))
			s.live()
			for _, told := range map[string][]guard.Message{"tell": s.told, "chat": s.others[0].told, "machine": s.others[1].told} {
				if n := len(told); n != 0 && n != 4 {
					t.Errorf("told %v, want all of the update or nothing", news(told))
				}
			}
			for _, m := range s.record(prod).Outbox {
				if len(m.Got) != 2 {
					t.Errorf("%s has reached %v, want the two that work", m.Key, m.Got)
				}
			}
			s.fails = nil
			s.live()
			s.wantUpdatedAndTold(0)
			for _, p := range s.others {
				p.wantSame()
			}
		})
	}
}

func TestARecoveryWaitsForItsOpeningOnlyWhereThatIsMissing(t *testing.T) {
	s := newStage(t, fine()).beside("chat")
	s.meddle(prod, func(r *guard.Record) {
		r.Outbox = []guard.Message{
			{Key: "a-1", Thread: "a", News: guard.Opened, Cluster: prod, Got: []string{"oncall"}},
			{Key: "a-2", Thread: "a", News: guard.Recovered, Cluster: prod},
		}
	})
	s.fails = failing("chat", errors.New("the topic is gone"))
	s.run(s.engine("first"))
	if diff := cmp.Diff([]string{"a-2 recovered"}, news(s.told)); diff != "" {
		t.Errorf("oncall was told (-want +got):\n%s", diff)
	}
	s.fails = nil
	s.run(s.engine("second"))
	if diff := cmp.Diff([]string{"a-1 opened", "a-2 recovered"}, news(s.others[0].told)); diff != "" {
		t.Errorf("chat was told (-want +got):\n%s", diff)
	}
	if rec := s.record(prod); len(s.told) != 1 || len(rec.Outbox) != 0 {
		t.Errorf("oncall was told %v; left in the outbox: %+v", news(s.told), rec.Outbox)
	}
}

func TestAMessageWaitsForTheEarlierOnesAlsoWhenOthersSaveMeanwhile(t *testing.T) {
	s := newStage(t, fine())
	s.meddle(prod, func(r *guard.Record) {
		r.Outbox = []guard.Message{{Key: "a-1", Thread: "a", News: guard.Opened, Cluster: prod}, {Key: "a-2", Thread: "a", News: guard.Recovered, Cluster: prod}}
	})
	s.fails = func(n int, call string) error {
		if call == "tell" && n == 1 {
			s.hook = at(s.count("save")+1, "save", func() { s.meddle(prod, func(r *guard.Record) { r.Sent++ }) })
			return errors.New("throttled")
		}
		return nil
	}
	s.run(s.engine("first"))
	if len(s.told) != 0 {
		t.Errorf("told %v, before the opening", news(s.told))
	}
}

func TestATopicThatIsGoneForGoodKeepsNoReminderFromTheOthers(t *testing.T) {
	seen := fine()
	seen.Pods = guard.Read(capacity.Pods{Subnets: []capacity.Subnet{subnet("subnet-a", 2)}})
	s := newStage(t, seen).beside("chat")
	s.fails = failing("chat", errors.New("the topic is gone"))
	for range 5 {
		s.live() // a day
		if n := len(s.record(prod).Outbox); n > 2 {
			t.Fatalf("the outbox has grown to %d messages", n)
		}
	}
	var reminders int
	for _, m := range s.told {
		if m.News == guard.Reminded {
			reminders++
		}
	}
	if reminders < 25 {
		t.Errorf("oncall was reminded %d times in five days", reminders)
	}
	s.fails = nil
	s.live()
	told := s.others[0].told
	if len(told) < 2 || told[0].Key != s.told[0].Key || told[1].Key != s.told[len(s.told)-len(told)+1].Key {
		t.Errorf("chat was told %v, want the opening, and the reminders from the last one on, of %v", news(told), news(s.told))
	}
}

func TestATopicThatIsGoneForGoodDoesNotSlowDownTheOthers(t *testing.T) {
	s := newStage(t, outdated()).beside("chat")
	s.meddle(prod, func(r *guard.Record) {
		r.Outbox = []guard.Message{{Key: "a-1", Thread: "a", News: guard.Opened, Cluster: prod, Got: []string{"oncall"}, Tries: 9}}
	})
	s.fails = func(_ int, call string) error {
		if call == "chat" || call == "tell" {
			return errors.New("throttled")
		}
		return nil
	}
	s.run(s.engine("first"))
	if wake := s.record(prod).Wake(); wake.After(s.now.Add(5 * time.Minute)) {
		t.Errorf("what oncall did not take is tried again only at %s", wake)
	}
	s.fails = failing("chat", errors.New("the topic is gone"))
	s.run(s.engine("second"))
	if len(s.told) == 0 || slices.ContainsFunc(s.record(prod).Outbox, func(m guard.Message) bool { return len(m.Got) == 0 }) {
		t.Errorf("told %v, left %+v", news(s.told), s.record(prod).Outbox)
	}
}

func TestATopicThatIsNoLongerConfiguredIsWaitedForNoLonger(t *testing.T) {
	s := newStage(t, fine())
	s.meddle(prod, func(r *guard.Record) {
		r.Outbox = []guard.Message{{Key: "a-1", Thread: "a", News: guard.Opened, Cluster: prod, Got: []string{"oncall"}, Tries: 3}}
	})
	s.run(s.engine("first"))
	if rec := s.record(prod); len(rec.Outbox) != 0 || len(s.told) != 0 {
		t.Errorf("told %v; left in the outbox: %+v", news(s.told), rec.Outbox)
	}
}

// A topic that is gone for good is asked less and less often, whatever waits for it.
func TestWhatWaitsForAnEarlierMessageDoesNotHurryTheRetry(t *testing.T) {
	for name, c := range map[string]struct {
		got  []string // the topics that have the later message
		want time.Duration
	}{
		"the later message only waits":              {[]string{"chat"}, time.Hour},
		"the later message failed on another topic": {nil, 4 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, fine()).beside("chat")
			s.meddle(prod, func(r *guard.Record) {
				r.Outbox = []guard.Message{
					{Key: "a-1", Thread: "a", News: guard.Opened, Cluster: prod, Got: []string{"chat"}, Tries: 70},
					{Key: "a-2", Thread: "a", News: guard.Recovered, Cluster: prod, Got: c.got, Tries: 0},
				}
			})
			s.fails = func(_ int, call string) error {
				if call == "tell" || call == "chat" {
					return errors.New("the topic is gone")
				}
				return nil
			}
			s.run(s.engine("first"))
			if wait := s.record(prod).Wake().Sub(noon); wait != c.want {
				t.Errorf("it is tried again after %s, want %s", wait, c.want)
			}
		})
	}
}
