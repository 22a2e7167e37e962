package check_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
)

func TestABusyClusterIsLeftToTheOtherAndAskedForOnce(t *testing.T) {
	s := newStage(t, outdated())
	busy := guard.Busy{By: "other", Until: noon.Add(time.Second)}
	s.meddle(prod, func(r *guard.Record) {
		r.Busy, r.Outbox = busy, []guard.Message{{Key: "other-1", Cluster: prod}}
	})
	s.run(s.engine("first"))
	s.wantChanges("save")
	s.run(s.engine("second"))
	s.run(s.bulk())
	s.wantChanges("save")
	if rec := s.record(prod); !rec.Again || rec.Busy != busy || len(rec.Outbox) != 1 {
		t.Errorf("again is %v, busy with %+v, %d messages", rec.Again, rec.Busy, len(rec.Outbox))
	}
}

func TestWhoIsAskedLooksOnceMore(t *testing.T) {
	speechless := fine()
	speechless.Addon = guard.Read(&guard.Addon{Raw: "latest", Status: "ACTIVE"})
	for name, c := range map[string]struct {
		seen guard.Snapshot
		call string
		told []guard.News
	}{
		"while it acts":                   {outdated(), "do", []guard.News{guard.Started, guard.Opened}},
		"while it tells what it did":      {outdated(), "tell", []guard.News{guard.Started, guard.Opened}},
		"while it tells what it only saw": {speechless, "tell", []guard.News{guard.Opened}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, c.seen)
			s.hook = at(1, c.call, func() { s.run(s.engine("second")) })
			s.run(s.engine("first"))
			// Three: one of the second, which leaves, and two of the first.
			if s.count("observe") != 3 || s.count("do") > 1 {
				t.Errorf("looked %d times, acted %d times: %v", s.count("observe"), s.count("do"), s.calls)
			}
			if rec := s.record(prod); rec.Again || rec.Busy != (guard.Busy{}) {
				t.Errorf("again is %v, busy with %+v", rec.Again, rec.Busy)
			}
			s.wantToldOnce(c.told...)
			s.wantWoken()
		})
	}
}

func TestWhatADeadCheckWasAskedForIsDoneByWhoeverTakesOver(t *testing.T) {
	s := newStage(t, fine())
	s.meddle(prod, func(r *guard.Record) { r.Busy, r.Again = guard.Busy{By: "dead", Until: noon}, true })
	s.run(s.engine("first"))
	s.wantChanges("save", "save")
	if rec := s.record(prod); rec.Again || rec.Busy != (guard.Busy{}) || s.count("observe") != 2 {
		t.Errorf("again is %v, busy with %+v, looked %d times", rec.Again, rec.Busy, s.count("observe"))
	}
}

func TestABusyClusterWhoseTimeIsOverIsTakenOver(t *testing.T) {
	for name, until := range map[string]time.Time{"at that instant": noon, "and later": noon.Add(-time.Minute)} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, outdated())
			s.meddle(prod, func(r *guard.Record) {
				r.Busy, r.Outbox = guard.Busy{By: "dead", Until: until}, []guard.Message{{Key: "dead-1", News: guard.Reminded, Cluster: prod}}
			})
			if due, _ := s.Memory.Due(t.Context(), noon); len(due) != 1 {
				t.Error("the tick does not find it")
			}
			s.run(s.engine("first"))
			if s.count("do") != 1 {
				t.Error("it did not act")
			}
			s.wantToldOnce(guard.Reminded, guard.Started, guard.Opened)
			if rec := s.record(prod); len(rec.Outbox) != 0 || rec.Busy != (guard.Busy{}) {
				t.Errorf("%d messages are left, busy with %+v", len(rec.Outbox), rec.Busy)
			}
		})
	}
}

func TestWhoeverWasTakenOverLeavesTheClusterToTheOther(t *testing.T) {
	s := newStage(t, outdated())
	busy := guard.Busy{By: "other", Until: noon.Add(time.Hour)}
	theirs := guard.Message{Key: "other-1", News: guard.Reminded, Cluster: prod}
	s.hook = at(1, "tell", func() {
		s.meddle(prod, func(r *guard.Record) { r.Busy, r.Outbox = busy, append(r.Outbox, theirs) })
	})
	s.run(s.engine("first"))
	if rec := s.record(prod); rec.Busy != busy || len(rec.Outbox) != 1 || rec.Outbox[0].Key != theirs.Key {
		t.Errorf("busy with %+v, %d messages", rec.Busy, len(rec.Outbox))
	}
	s.wantToldOnce(guard.Started, guard.Opened)
}

func TestManyChecksOfOneClusterAtOnceActAndTellOnce(t *testing.T) {
	const many = 8
	for round := range 20 {
		s := newStage(t, outdated())
		var wg, looking sync.WaitGroup
		looking.Add(many)
		s.hook = func(n int, call string) {
			if call == "observe" && n <= many { // all have loaded the record before any of them goes on
				looking.Done()
				looking.Wait()
			}
		}
		for i := range many {
			e := s.engine(fmt.Sprint(i))
			if round%2 == 1 {
				e.Clock = busyClock{stillClock{stage: s}}
			}
			wg.Go(func() {
				if _, err := e.Check(t.Context(), prod); err != nil {
					t.Errorf("round %d, check %d: %v", round, i, err)
				}
			})
		}
		wg.Wait()
		for len(s.woken) > 0 { // those that were asked to come again
			s.woken = s.woken[1:]
			s.run(s.engine("later"))
		}
		if s.count("do") != 1 {
			t.Errorf("round %d: UpdateAddon was called %d times", round, s.count("do"))
		}
		s.wantToldOnce(guard.Started, guard.Opened)
		if rec := s.record(prod); rec.Again || rec.Busy != (guard.Busy{}) || len(rec.Outbox) > 0 {
			t.Errorf("round %d: again is %v, busy with %+v, %d messages", round, rec.Again, rec.Busy, len(rec.Outbox))
		}
	}
}

func TestManyChecksOfOneClusterThatOnlySpeakTellOnce(t *testing.T) {
	const many = 8
	for range 20 {
		seen := fine()
		seen.Addon = guard.Read(&guard.Addon{Raw: "latest", Status: "ACTIVE"})
		s := newStage(t, seen)
		var wg, looking sync.WaitGroup
		looking.Add(many)
		s.hook = func(n int, call string) {
			if call == "observe" && n <= many {
				looking.Done()
				looking.Wait()
			}
		}
		for i := range many {
			wg.Go(func() {
				if _, err := s.engine(fmt.Sprint(i)).Check(t.Context(), prod); err != nil {
					t.Errorf("check %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		s.wantToldOnce(guard.Opened)
	}
}

func TestChecksOfDifferentClustersDoNotMeet(t *testing.T) {
	s := newStage(t, outdated())
	var ids []cluster.ID
	for i := range 8 {
		ids = append(ids, named(fmt.Sprint("c", i)))
		s.seen[ids[i]] = fine()
	}
	var wg sync.WaitGroup
	for _, id := range ids {
		wg.Go(func() {
			if _, err := s.engine("same").Check(t.Context(), id); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := conflicts(s); got != 0 {
		t.Errorf("%d conflicts", got)
	}
}
