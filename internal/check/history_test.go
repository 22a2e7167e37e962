package check_test

import (
	"slices"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

func TestTheHistoryIsAskedForOnceADay(t *testing.T) {
	s := newStage(t, fine())
	s.policy = policyOf(t, observing())
	asked := func(after time.Duration) int {
		t.Helper()
		s.mu.Lock()
		s.now, s.calls = s.now.Add(after), nil
		s.mu.Unlock()
		s.run(s.bulk())
		return s.count("history")
	}
	if n := asked(0); n != 0 {
		t.Errorf("asked %d times before anything is published", n)
	}
	if n := asked(time.Minute); n != 1 || !slices.Contains(s.calls, "history of prod since 2026-02-15") {
		t.Errorf("asked %d times of 15 days: %v", n, s.calls)
	}
	if n := asked(20 * time.Hour); n != 0 {
		t.Errorf("asked %d times on the same day", n)
	}
	s.fails = failing("history", &fault.Fault{Kind: fault.Retry, Op: "cloudwatch:GetMetricData", Code: "Throttling"})
	if n := asked(4 * time.Hour); n != 1 {
		t.Errorf("asked %d times on the next day", n)
	}
	s.fails = nil
	if n := asked(6 * time.Hour); n != 1 {
		t.Errorf("asked %d times after there was no answer", n)
	}
	if o := s.record(prod).Outlook; o.Silent != capacity.Short || !o.At.Equal(s.now) {
		t.Errorf("the record has %+v", o)
	}
}

func TestWhatTheHistorySaysIsTold(t *testing.T) {
	seen := fine()
	seen.Pods = guard.Read(capacity.Pods{Subnets: []capacity.Subnet{subnet("subnet-a", 60)}})
	s := newStage(t, seen)
	s.policy = policyOf(t, observing())
	s.run(s.bulk())
	for age := range 15 * 24 {
		s.history = append(s.history, capacity.Point{At: noon.Add(-time.Duration(age) * time.Hour), Percent: 76 - 4*float64(age)/24})
	}
	s.run(s.bulk())
	told := slices.IndexFunc(s.told, func(m guard.Message) bool { return m.Finding.Code == guard.CapacitySoon })
	if told < 0 || s.told[told].Finding.Facts[0].Value != "about 6 days" {
		t.Errorf("told %+v", s.told)
	}
}
