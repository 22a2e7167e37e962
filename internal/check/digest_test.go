package check_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/policy"
	"github.com/cniguard/cniguard/internal/telemetry"
)

// crowd has people who are told in digests beside the stage's own programs, and a policy that only watches.
func crowd(t *testing.T, seen guard.Snapshot, names ...string) *stage {
	s := newStage(t, seen).beside(names...)
	s.policy = policyOf(t, observing())
	for _, p := range s.others {
		p.people = true
	}
	return s
}

// as does something as an invocation does, which may die.
func (s *stage) as(by string, do func(check.Engine) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, died := r.(dead); !died {
				panic(r)
			}
			err = errors.New("it died")
		}
	}()
	return do(s.engine(by))
}

// watch lets time pass, with a tick every five minutes and all that it asks for. A change happens at its time.
func (s *stage) watch(days int, changes map[time.Duration]func()) {
	s.t.Helper()
	began := s.now
	for n := 0; s.now.Before(began.Add(time.Duration(days) * 24 * time.Hour)); n++ {
		if change, ok := changes[s.now.Sub(began)]; ok {
			change()
			_ = s.as(fmt.Sprint("event ", n), func(e check.Engine) error { _, err := e.Check(s.t.Context(), prod); return err })
		}
		s.mu.Lock()
		s.woken = nil
		s.mu.Unlock()
		_ = s.as(fmt.Sprint("tick ", n), func(e check.Engine) error { return e.Tick(s.t.Context()) })
		for i, t := range slices.Clone(s.woken) {
			_ = s.as(fmt.Sprint("woken ", n, ".", i), func(e check.Engine) error {
				switch {
				case t.Kind == event.Check:
					_, err := e.Check(s.t.Context(), t.Cluster)
					return err
				case t.Kind == event.Digest && t.Owner != "":
					return e.TellDigest(s.t.Context(), t.Owner, t.At)
				case t.Kind == event.Digest:
					return e.Digests(s.t.Context(), t.At)
				}
				return nil
			})
		}
		s.mu.Lock()
		s.now = s.now.Add(5 * time.Minute)
		s.mu.Unlock()
	}
}

// inDigests is what a topic was told in digests, each as "the day's news".
func (p *place) inDigests() (all []string) {
	for _, d := range p.digests {
		line := d.At.Format("02 15:04") + " " + d.Owner + ":"
		for _, i := range d.News {
			line += " " + string(i.News) + " " + string(i.Finding)
		}
		for _, i := range d.Open {
			line += " stands " + string(i.Finding)
		}
		all = append(all, line)
	}
	return all
}

func TestWhatCanWaitIsToldToPeopleOnceADayAndToProgramsAtOnce(t *testing.T) {
	s := crowd(t, outdated(), "people")
	s.watch(4, map[time.Duration]func(){
		time.Hour:      func() {},
		50 * time.Hour: func() { s.seen[prod] = fine() },
	})
	want := []string{
		"03 09:00 111122223333: opened version-outdated",
		"04 09:00 111122223333: stands version-outdated",
		"05 09:00 111122223333: recovered version-outdated",
	}
	people := s.others[0]
	if diff := cmp.Diff(want, people.inDigests()); diff != "" {
		t.Errorf("people, -want +got:\n%s", diff)
	}
	if len(people.told) != 0 || len(s.told) != 2 || s.count("tellDigest") != 3 {
		t.Errorf("people were told %v at once, programs %v and %d digests", news(people.told), news(s.told), s.count("tellDigest"))
	}
	if left := s.record(prod).Outbox; len(left) > 0 {
		t.Errorf("left: %v", news(left))
	}
}

func TestADigestThatNobodyNeedsIsNotMade(t *testing.T) {
	s := crowd(t, fine(), "people")
	s.watch(3, map[time.Duration]func(){time.Hour: func() {}})
	if n := s.count("saveDigest"); n != 0 {
		t.Errorf("%d digests were saved", n)
	}
}

func TestEachOwnerGetsADigestAtTheirOwnHour(t *testing.T) {
	s := crowd(t, outdated(), "people")
	tagged := func(owner string) guard.Snapshot {
		seen := outdated()
		c := *seen.Cluster.Value
		c.Tags = map[string]string{"team": owner}
		seen.Cluster = guard.Read(&c)
		return seen
	}
	shop := cluster.ID{Account: unit.Account, Region: unit.Region, Name: "shop"}
	s.seen[prod], s.seen[shop] = tagged("payments"), tagged("shop")
	var err error
	s.policy, err = policy.Compile(policy.Document{
		Version: 1, Fleet: []policy.Member{{Account: unit.Account, Regions: []string{unit.Region, "eu-west-1"}}},
		Defaults: policy.Set{Mode: new("observe"), OwnerTag: new("team")},
		Digest:   policy.Digest{Zone: "Europe/Berlin", Owners: []policy.OwnerDigest{{Owner: "shop", At: "07:30", Zone: "America/New_York"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.watch(1, map[time.Duration]func(){time.Hour: func() {
		_ = s.as("shop", func(e check.Engine) error { _, err := e.Check(t.Context(), shop); return err })
	}})
	s.watch(1, nil)
	want := []string{"03 08:00 payments: opened version-outdated", "03 12:30 shop: opened version-outdated", "04 08:00 payments: stands version-outdated"}
	if diff := cmp.Diff(want, s.others[0].inDigests()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestATopicThatIsGoneGetsTheDigestLaterAndTheOthersAreNotToldAgain(t *testing.T) {
	s := crowd(t, outdated(), "people", "chat")
	s.fails = failing("chat", errors.New("the topic is gone"))
	s.watch(2, map[time.Duration]func(){
		time.Hour:      func() {},
		26 * time.Hour: func() { s.fails = nil },
	})
	want := []string{"03 09:00 111122223333: opened version-outdated", "04 09:00 111122223333: stands version-outdated"}
	for _, p := range s.others {
		if diff := cmp.Diff(want, p.inDigests()); diff != "" {
			t.Errorf("%s, -want +got:\n%s", p.name, diff)
		}
	}
	if n := s.count("chat"); n > 12 {
		t.Errorf("chat was tried %d times", n)
	}
}

func TestPeopleAreToldOnceThoughProgramsCannotBeReachedForDays(t *testing.T) {
	s := crowd(t, outdated(), "people")
	s.fails = failing("tell", errors.New("the topic is gone"))
	s.watch(3, map[time.Duration]func(){time.Hour: func() {}})
	want := []string{
		"03 09:00 111122223333: opened version-outdated", "04 09:00 111122223333: stands version-outdated", "05 09:00 111122223333: stands version-outdated",
	}
	if diff := cmp.Diff(want, s.others[0].inDigests()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	s.fails = nil
	s.watch(1, nil)
	if len(s.told) != 1 || len(s.record(prod).Outbox) != 0 {
		t.Errorf("programs were told %v; left: %v", news(s.told), news(s.record(prod).Outbox))
	}
}

func TestAnAccountThatCannotBeReadKeepsNobodyFromTheirDigest(t *testing.T) {
	s := crowd(t, outdated(), "people")
	s.fails = func(n int, call string) error {
		if call == "in" && n%2 == 0 { // of two regions
			return errors.New("a record of a newer schema")
		}
		return nil
	}
	s.watch(2, map[time.Duration]func(){time.Hour: func() {}})
	want := []string{"03 09:00 111122223333: opened version-outdated", "04 09:00 111122223333: stands version-outdated"}
	if diff := cmp.Diff(want, s.others[0].inDigests()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestAProcessMayDieBeforeAnyCallOfADigestAndNothingIsLost(t *testing.T) {
	play := func(s *stage) {
		s.watch(2, map[time.Duration]func(){time.Hour: func() {}, 22 * time.Hour: func() {
			seen := outdated()
			seen.Pods = guard.Read(capacity.Pods{Subnets: []capacity.Subnet{subnet("subnet-a", 200)}})
			seen.ControlPlane = guard.Read([]capacity.Subnet{subnet("subnet-c", 1)})
			s.seen[prod] = seen
		}})
	}
	whole := crowd(t, outdated(), "people", "chat")
	play(whole)
	var points []int // calls of the day's digests, and of what the tick before and after them does
	for n := slices.Index(whole.calls, "saveDigest") - 12; n < slices.Index(whole.calls, "chat digest of 111122223333")+12; n++ {
		points = append(points, n)
	}
	for _, n := range points {
		t.Run(fmt.Sprintf("before call %d: %s", n+1, whole.calls[n]), func(t *testing.T) {
			s := crowd(t, outdated(), "people", "chat")
			died := false
			s.hook = func(int, string) {
				if len(s.calls) == n+1 && !died {
					died = true
					s.calls = s.calls[:n] // it was not made
					panic(dead{})
				}
			}
			play(s)
			for _, p := range s.others {
				told, opened := map[string]int{}, 0
				for _, d := range p.digests {
					told[d.Key]++
					if told[d.Key] == 1 {
						for _, i := range d.News {
							if i.News == guard.Opened && i.Finding == guard.VersionOutdated {
								opened++
							}
						}
					}
				}
				for key, times := range told {
					if times > 2 {
						t.Errorf("%s was told the digest %s %d times after one death", p.name, key, times)
					}
				}
				if len(told) != 2 || opened != 1 || len(p.digests) > 3 {
					t.Errorf("%s was told %q", p.name, p.inDigests())
				}
			}
			if left := s.record(prod).Outbox; len(left) > 0 {
				t.Errorf("left: %v", news(left))
			}
		})
	}
}

func TestWhatSomebodyShouldHaveByNowIsCounted(t *testing.T) {
	waits := func(lane guard.Lane, since time.Duration, got ...string) guard.Message {
		return guard.Message{Key: "a-1", Thread: "a", News: guard.Opened, Cluster: prod, Lane: lane, At: noon.Add(-since), Got: got}
	}
	for name, c := range map[string]struct {
		message guard.Message
		want    int
	}{
		"a message that came a moment ago":          {waits(guard.AtOnce, 59*time.Minute), 0},
		"a message that nobody has after an hour":   {waits(guard.AtOnce, 61*time.Minute), 1},
		"a message that people lack after an hour":  {waits(guard.AtOnce, 61*time.Minute, "oncall"), 1},
		"what waits for its digest":                 {waits(guard.InDigest, 25*time.Hour, "oncall"), 0},
		"what has waited through its digest":        {waits(guard.InDigest, 27*time.Hour, "oncall"), 1},
		"what can wait, and programs do not have":   {waits(guard.InDigest, 61*time.Minute), 1},
		"what only a topic lacks that is no longer": {waits(guard.AtOnce, 61*time.Minute, "oncall", "people"), 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := crowd(t, fine(), "people")
			s.meddle(prod, func(r *guard.Record) { r.Outbox, r.Seen = []guard.Message{c.message}, noon })
			if err := s.bulk().Metering(t.Context(), unit, noon); err != nil {
				t.Fatal(err)
			}
			if have := counted(s)[telemetry.Waiting]; have != c.want {
				t.Errorf("%d are counted, want %d", have, c.want)
			}
		})
	}
}
