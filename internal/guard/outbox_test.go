package guard_test

import (
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/guard"
)

// The outbox of a topic that is gone for months holds what is still true, and the last of what is over.
func TestAnOutboxThatNobodyEmptiesStaysSmallAndKeepsWhatIsTrue(t *testing.T) {
	in := observed(t).in
	conclude := func(free int) {
		in.Seen.Pods.Value.Subnets[0].Free = free
		in.Seen.At = in.Now
		in.Record = guard.Conclude(in, guard.Decide(in), nil)
		in.Now = in.Now.Add(time.Hour)
	}
	for range 1000 {
		conclude(0)
		conclude(200)
	}
	conclude(0)
	unsent := in.Record.Outbox
	if len(unsent) > 40 {
		t.Errorf("%d messages", len(unsent))
	}
	if first, last := unsent[0], unsent[len(unsent)-1]; first.Finding.Code != guard.VersionOutdated || last.News != guard.Opened || last.Finding.Code != guard.CapacityLow {
		t.Errorf("from %s %s to %s %s", first.News, first.Finding.Code, last.News, last.Finding.Code)
	}
	open := map[string]bool{}
	for _, m := range unsent {
		if began := m.News == guard.Opened; began == open[m.Thread] {
			t.Errorf("%s %s of %s: half a matter", m.News, m.Finding.Code, m.At)
		}
		open[m.Thread] = m.News == guard.Opened
	}
}
