package guard_test

import (
	"slices"
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

// full and roomy are lives of a cluster whose pod subnet is critically full, or is not.
func (l *life) full()  { l.in.Seen.Pods.Value.Subnets[0].Free = 3 }
func (l *life) roomy() { l.in.Seen.Pods.Value.Subnets[0].Free = 200 }

func TestPeopleAreToldAtOnceOnlyWhatCannotWait(t *testing.T) {
	l := observed(t)
	l.in.Seen.Addon.Value.Status = "DEGRADED"
	l.full()
	l.check()
	lanes := map[guard.Code]guard.Lane{}
	for _, m := range l.outbox {
		lanes[m.Finding.Code] = m.Lane
	}
	for code, want := range map[guard.Code]guard.Lane{
		guard.VersionOutdated: guard.InDigest, guard.CapacityLow: guard.AtOnce, guard.AddonUnhealthy: guard.AtOnce,
	} {
		if lane, told := lanes[code]; !told || lane != want {
			t.Errorf("%s is told %t in lane %q, want %q", code, told, lane, want)
		}
	}
}

func TestARecoveryGoesTheWayOfItsOpening(t *testing.T) {
	l := observed(t)
	l.full()
	l.check()
	l.roomy()
	l.in.Seen.Addon = guard.Read(addon("v1.9.0-eksbuild.1"))
	l.check()
	for _, m := range l.outbox {
		want := guard.InDigest
		if m.Finding.Code == guard.CapacityLow {
			want = guard.AtOnce
		}
		if m.News == guard.Recovered && m.Lane != want {
			t.Errorf("the recovery of %s is in lane %q", m.Finding.Code, m.Lane)
		}
	}
	l.heard("opened version-outdated", "opened capacity-low", "recovered capacity-low", "recovered version-outdated")
}

func TestWhoComesBackIsBelievedToBeGoneLaterEachTime(t *testing.T) {
	l := &life{t: t, in: fine()}
	for i, calm := range []time.Duration{0, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 4 * time.Hour} {
		l.full()
		l.after(5 * time.Minute)
		l.check()
		l.heard("opened capacity-low")
		l.roomy()
		l.after(5 * time.Minute)
		l.check()
		if calm > 0 {
			l.heard()
			if due := l.in.Record.Due; due.Sub(l.in.Now) > calm {
				t.Errorf("round %d: looked at again after %s, and it may be over after %s", i, due.Sub(l.in.Now), calm)
			}
			l.after(calm - time.Second)
			l.check()
			l.heard()
			l.after(time.Second)
			l.check()
		}
		l.heard("recovered capacity-low")
	}
}

func TestAReturnBeforeTheRecoveryWasToldIsNoNews(t *testing.T) {
	l := &life{t: t, in: fine()}
	for range 2 {
		l.full()
		l.check()
		l.roomy()
		l.after(5 * time.Minute)
		l.check()
	}
	l.heard("opened capacity-low", "recovered capacity-low", "opened capacity-low")
	first := l.in.Record.Past[guard.CapacityLow].First
	l.full()
	l.after(5 * time.Minute)
	l.check()
	l.heard()
	if told := l.in.Record.Told[guard.CapacityLow]; !told.First.Equal(first) || told.Times != 1 {
		t.Errorf("it is a new matter: %+v", told)
	}
}

func TestAFindingThatStayedAwayForADayIsNewAgain(t *testing.T) {
	l := &life{t: t, in: fine()}
	for range 3 {
		l.full()
		l.check()
		l.roomy()
		l.after(time.Minute)
		l.check()
		l.heard("opened capacity-low", "recovered capacity-low")
		l.after(24 * time.Hour)
		l.check()
	}
	if len(l.in.Record.Past) > 0 {
		t.Errorf("what was over a day ago is remembered: %+v", l.in.Record.Past)
	}
}

func TestWhatCannotBeSeenIsNotOver(t *testing.T) {
	l := &life{t: t, in: fine()}
	for range 2 {
		l.full()
		l.check()
		l.roomy()
		l.after(5 * time.Minute)
		l.check()
	}
	l.heard("opened capacity-low", "recovered capacity-low", "opened capacity-low")
	pods := l.in.Seen.Pods
	l.in.Seen.Pods.Fault = &fault.Fault{Kind: fault.Retry, Text: "throttled"}
	l.after(time.Hour)
	l.check()
	if slices.Contains(l.said, "recovered capacity-low") {
		t.Error("it is over, and nobody could see it")
	}
	l.said = nil
	l.in.Seen.Pods = pods
	l.after(time.Minute)
	l.check()
	l.heard("recovered capacity-low")
}

func (l *life) low() { l.in.Seen.Pods.Value.Subnets[0].Free = 40 }

func TestWhatEasesAndGetsWorseAgainIsBelievedToBeLessBadLaterEachTime(t *testing.T) {
	l := &life{t: t, in: fine()}
	l.low()
	l.check()
	l.heard("opened capacity-low")
	for i, calm := range []time.Duration{0, 15 * time.Minute, 30 * time.Minute, time.Hour} {
		l.full()
		l.after(5 * time.Minute)
		l.check()
		l.heard("changed capacity-low")
		l.low()
		l.after(5 * time.Minute)
		l.check()
		if calm > 0 {
			l.heard()
			if told := l.in.Record.Told[guard.CapacityLow]; told.Severity != guard.Critical || told.Now != guard.Warning {
				t.Errorf("round %d: people know %s, and it is %s", i, told.Severity, told.Now)
			}
			l.after(calm - time.Second)
			l.check()
			l.heard()
			l.after(time.Second)
			l.check()
		}
		l.heard("changed capacity-low")
	}
}

// Every five minutes from critical to warning and back: a page for each would be 288 a day.
func TestASubnetThatSwingsAroundAThresholdPagesAFewTimesADay(t *testing.T) {
	l := &life{t: t, in: fine()}
	for i := range 288 {
		if i%2 == 0 {
			l.full()
		} else {
			l.low()
		}
		l.after(5 * time.Minute)
		l.check()
	}
	if n := len(slices.DeleteFunc(l.said, func(s string) bool { return s == "reminded capacity-low" })); n > 5 {
		t.Errorf("told %d times", n)
	}
}

func TestWhatIsAsItWasBeforeAMuteIsNoNewsAfterIt(t *testing.T) {
	l := &life{t: t, in: fine()}
	l.low()
	l.check()
	l.word(guard.Muting, time.Hour)
	for _, state := range []func(){l.full, l.low} {
		state()
		l.after(time.Minute)
		l.check()
	}
	l.after(2 * time.Hour)
	l.check()
	l.heard("opened capacity-low")
}

func TestAFindingThatStoodForADayIsOverAtOnceThoughItOnceFlapped(t *testing.T) {
	l := &life{t: t, in: fine()}
	for range 3 {
		l.full()
		l.check()
		l.roomy()
		l.after(time.Hour)
		l.check()
		l.after(time.Hour)
		l.check()
	}
	l.full()
	l.check()
	for range 30 {
		l.after(24 * time.Hour)
		l.check()
	}
	l.said = nil
	l.roomy()
	l.check()
	l.heard("recovered capacity-low")
}

func (l *life) word(kind guard.OrderKind, span time.Duration) {
	l.in.Orders.Value = append(l.in.Orders.Value, guard.Order{
		Kind: kind, By: "ann", Because: "we know", Finding: guard.CapacityLow, At: l.in.Now, Until: l.in.Now.Add(span),
	})
}

func TestWhatIsMutedIsNotToldUntilTheMuteIsOver(t *testing.T) {
	l := &life{t: t, in: fine()}
	l.word(guard.Muting, 6*time.Hour)
	l.full()
	l.check()
	l.after(5 * time.Hour)
	l.check()
	l.heard()
	if due := l.in.Record.Due; due.IsZero() || due.After(l.in.Now.Add(time.Hour)) {
		t.Errorf("the end of the mute is looked at %s", due)
	}
	l.after(time.Hour)
	l.check()
	l.heard("opened capacity-low")
}

func TestAMuteThatWasReadHoldsWhileOrdersCannotBeRead(t *testing.T) {
	l := &life{t: t, in: fine()}
	l.word(guard.Muting, 6*time.Hour)
	l.full()
	l.check()
	l.in.Orders = guard.Reading[[]guard.Order]{Fault: throttled("ledger:Orders")}
	l.after(5 * time.Hour)
	l.check()
	l.heard()
	l.after(time.Hour)
	l.check()
	l.heard("opened capacity-low", "opened unreadable")
}

func TestAMuteThatIsTakenBackIsOver(t *testing.T) {
	l := &life{t: t, in: fine()}
	l.word(guard.Muting, 6*time.Hour)
	l.full()
	l.check()
	l.after(time.Hour)
	l.word(guard.Unmuting, 30*24*time.Hour)
	l.check()
	l.heard("opened capacity-low")
}

func TestARecoveryOfWhatWasToldIsToldThoughItIsMutedByNow(t *testing.T) {
	l := &life{t: t, in: fine()}
	l.full()
	l.check()
	l.word(guard.Muting, 6*time.Hour)
	l.after(5 * time.Hour)
	l.check()
	l.roomy()
	l.check()
	l.heard("opened capacity-low", "recovered capacity-low")
}

func TestAChangeDuringAMuteIsToldAfterIt(t *testing.T) {
	l := &life{t: t, in: fine()}
	l.in.Seen.Pods.Value.Subnets[0].Free = 40
	l.check()
	l.word(guard.Muting, time.Hour)
	l.full()
	l.after(time.Minute)
	l.check()
	l.heard("opened capacity-low")
	l.after(time.Hour)
	l.check()
	l.heard("changed capacity-low")
	l.after(time.Hour)
	l.check()
	l.heard()
}

func TestNobodyIsRemindedOfWhatIsAcknowledgedUntilItChanges(t *testing.T) {
	l := &life{t: t, in: fine()}
	l.full()
	l.check()
	l.after(time.Hour)
	l.word(guard.Acknowledging, 24*time.Hour)
	for range 3 {
		l.after(5 * time.Hour)
		l.check()
	}
	l.heard("opened capacity-low")
	l.in.Seen.Pods.Value.Subnets[0].Free = 40
	l.check()
	l.heard("changed capacity-low")
	l.full()
	l.check()
	l.heard("changed capacity-low")
	l.after(4 * time.Hour)
	l.check()
	l.heard("reminded capacity-low")
}

func TestAnAcknowledgementThatEndsLetsRemindersGoOn(t *testing.T) {
	l := &life{t: t, in: fine()}
	l.full()
	l.check()
	l.word(guard.Acknowledging, 10*time.Hour)
	l.after(9 * time.Hour)
	l.check()
	l.heard("opened capacity-low")
	l.after(time.Hour)
	l.check()
	l.heard("reminded capacity-low")
}

func TestOrdersThatCannotBeReadSilenceNothing(t *testing.T) {
	l := &life{t: t, in: fine()}
	l.word(guard.Muting, 6*time.Hour)
	l.in.Orders.Fault = &fault.Fault{Kind: fault.Retry, Text: "throttled"}
	l.full()
	l.check()
	if !slices.Contains(l.said, "opened capacity-low") {
		t.Errorf("told %v", l.said)
	}
}

func TestTheOwnerIsThatOfTheTagThatThePolicyNames(t *testing.T) {
	l := observed(t)
	l.in.Settings.Value.OwnerTag = "team"
	l.in.Seen.Cluster.Value.Tags = map[string]string{"Team": "payments", "owner": "somebody else"}
	l.check()
	if m := l.outbox[0]; m.Owner != "payments" || l.in.Record.Owner != "payments" {
		t.Errorf("the message is for %q, the record for %q", m.Owner, l.in.Record.Owner)
	}
	l.in.Seen.Cluster = guard.Hidden[*guard.Cluster](&fault.Fault{Kind: fault.Retry, Text: "throttled"})
	l.check()
	if l.in.Record.Owner != "payments" {
		t.Errorf("the owner of a cluster that cannot be read is %q", l.in.Record.Owner)
	}
}
