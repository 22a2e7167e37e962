package guard_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/policy"
)

// life plays checks of one cluster one after the other, as the engine would, with everything told at once.
type life struct {
	t    *testing.T
	in   guard.Input
	said []string // "news code"

	outbox []guard.Message // all that was told
}

// check runs one check of what in holds now.
func (l *life) check(outcomes ...guard.Outcome) guard.Record {
	l.t.Helper()
	l.in.Seen.At = l.in.Now.Add(-time.Second)
	if s := l.in.Record.Step; s != nil && l.in.Seen.Of == "" {
		l.in.Seen.Of = s.Token
	}
	p := guard.Decide(l.in)
	if rec, needed := guard.Intend(l.in, p); needed {
		l.in.Record = rec
	}
	for i := range outcomes {
		outcomes[i].Action = p.Actions[i]
	}
	rec := guard.Conclude(l.in, p, outcomes)
	data, err := json.Marshal(rec)
	if err != nil {
		l.t.Fatal(err)
	}
	var stored guard.Record
	if err := json.Unmarshal(data, &stored); err != nil {
		l.t.Fatal(err)
	}
	if diff := cmp.Diff(rec.Told, stored.Told); diff != "" && len(rec.Told) > 0 {
		l.t.Errorf("the record does not survive being stored:\n%s", diff)
	}
	for _, m := range rec.Outbox {
		l.said = append(l.said, string(m.News)+" "+string(m.Finding.Code))
	}
	l.outbox = append(l.outbox, rec.Outbox...)
	stored.Outbox = nil
	l.in.Record, l.in.Seen.Of = stored, ""
	return stored
}

func (l *life) after(d time.Duration) { l.in.Now = l.in.Now.Add(d) }

func (l *life) heard(want ...string) {
	l.t.Helper()
	if diff := cmp.Diff(want, l.said); diff != "" {
		l.t.Errorf("told, -want +got:\n%s", diff)
	}
	l.said = nil
}

func observed(t *testing.T) *life {
	in := outdated()
	in.Settings = guard.Read(policy.BuiltIn())
	return &life{t: t, in: in}
}

func TestAWarningIsToldOnceAndThenThatItIsOver(t *testing.T) {
	l := observed(t)
	l.check()
	l.heard("opened version-outdated")
	for range 12 {
		l.after(6 * time.Hour)
		l.check()
	}
	l.heard() // it stands in the daily digest
	l.in.Seen.Addon = guard.Read(addon("v1.9.0-eksbuild.1"))
	l.check()
	l.heard("recovered version-outdated")
	l.check()
	l.heard()
}

func TestACriticalFindingIsRemindedEveryFourHoursAndItsChangeIsTold(t *testing.T) {
	l := &life{t: t, in: fine()}
	l.in.Seen.Pods.Value.Subnets[0].Free = 40
	l.check()
	l.heard("opened capacity-low")
	l.in.Seen.Pods.Value.Subnets[0].Free = 3
	l.check()
	l.heard("changed capacity-low")
	l.after(4 * time.Hour)
	l.check()
	l.heard("reminded capacity-low")
	l.in.Seen.Pods.Value.Subnets[0].Free = 200
	l.check()
	l.heard("recovered capacity-low")
}

func TestWhatCannotBeReadNeitherOpensNorRecovers(t *testing.T) {
	l := observed(t)
	l.check()
	l.heard("opened version-outdated")
	l.in.Seen.Addon = guard.Hidden[*guard.Addon](throttled("eks:DescribeAddon"))
	for range 3 {
		l.after(5 * time.Minute)
		l.check()
	}
	l.heard()
	l.after(20 * time.Minute)
	l.check()
	l.heard("opened unreadable")
	l.in.Seen.Addon = guard.Read(addon("v1.7.5-eksbuild.2"))
	l.check()
	l.heard("recovered unreadable")
}

func TestAFaultThatPassesIsNeverTold(t *testing.T) {
	l := &life{t: t, in: fine()}
	l.in.Seen.Alarms.Fault = throttled("cloudwatch:DescribeAlarms")
	l.check()
	l.after(10 * time.Minute)
	l.in.Seen.Alarms.Fault = nil
	l.check()
	l.heard()
}

func TestADeniedReadingIsToldWithTheMissingAction(t *testing.T) {
	l := &life{t: t, in: fine()}
	l.in.Seen.Alarms.Fault = denied("cloudwatch:DescribeAlarms")
	rec := l.check()
	if rec.Due.IsZero() || rec.Due.After(l.in.Now.Add(15*time.Minute)) {
		t.Errorf("looked at again at %v", rec.Due)
	}
	l.after(10 * time.Minute)
	p := guard.Decide(l.in)
	i := slices.IndexFunc(p.Findings, func(f guard.Finding) bool { return f.Code == guard.Unreadable })
	if i < 0 || !slices.Contains(p.Findings[i].Facts, guard.Fact{Name: "need", Value: "cloudwatch:DescribeAlarms"}) {
		t.Errorf("findings: %+v", p.Findings)
	}
	l.check()
	l.heard("opened unreadable")
}

// Fact 2.4/waiter.
func TestAStepIsProvedBeforeItIsCalledDone(t *testing.T) {
	l := &life{t: t, in: outdated()}
	rec := l.check(guard.Outcome{ID: "u-1"})
	l.heard("update started update-progress", "opened version-outdated")
	if rec.Step == nil || rec.Step.ID != "u-1" || rec.Due.IsZero() {
		t.Fatalf("record: %+v", rec)
	}

	l.after(5 * time.Minute)
	l.in.Seen.Addon.Value.Status = "UPDATING"
	l.in.Seen.Update = guard.Read(&guard.Update{ID: "u-1", Status: "InProgress"})
	l.check()
	l.heard()

	l.after(time.Minute) // EKS says Successful while the add-on still updates
	l.in.Seen.Update = guard.Read(&guard.Update{ID: "u-1", Status: "Successful"})
	if rec = l.check(); rec.Step == nil {
		t.Fatal("the step ended before the add-on was ACTIVE")
	}
	l.heard()

	l.after(time.Minute) // ACTIVE, but at the old version
	l.in.Seen.Addon = guard.Read(addon("v1.7.5-eksbuild.2"))
	if rec = l.check(); rec.Step == nil {
		t.Fatal("the step ended at the old version")
	}

	l.after(time.Minute)
	l.in.Seen.Addon = guard.Read(addon("v1.8.0-eksbuild.1"))
	rec = l.check()
	l.heard("updated update-progress", "recovered version-outdated")
	if rec.Step != nil || rec.Proved.Version != "v1.8.0-eksbuild.1" {
		t.Errorf("record: %+v", rec)
	}
}

func TestTwoFailedTriesSetTheClusterAside(t *testing.T) {
	l := &life{t: t, in: outdated()}
	for try := 1; try <= 2; try++ {
		l.in.Seen.Update = guard.Reading[*guard.Update]{}
		l.check(guard.Outcome{ID: "u"})
		l.after(5 * time.Minute)
		l.in.Seen.Update = guard.Read(&guard.Update{ID: "u", Status: "Failed", Errors: []string{"InsufficientNumberOfReplicas: x"}})
		rec := l.check()
		if rec.Step != nil || rec.Failed.Tries != try {
			t.Fatalf("after try %d: %+v", try, rec)
		}
		l.after(guard.RetryAfter)
	}
	l.heard("update started update-progress", "opened version-outdated", "update failed update-progress",
		"update started update-progress", "update failed update-progress")
	if l.in.Record.Aside == nil {
		t.Fatal("not set aside")
	}
	l.in.Seen.Update = guard.Reading[*guard.Update]{}
	if p := guard.Decide(l.in); len(p.Actions) > 0 || p.Verdict.Word != guard.SetAside {
		t.Errorf("%+v %+v", p.Verdict, p.Actions)
	}
}

// Facts 2.1/schema, 2.2/in-use.
func TestOutcomesOfUpdateAddon(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault *fault.Fault
		step  bool // still in flight
		tries int
		told  string
	}{
		{"refused as invalid: a failed try", &fault.Fault{Kind: fault.Terminal, Op: "eks:UpdateAddon", Code: "InvalidParameterException"}, false, 1, "update failed update-progress"},
		{"access denied: a failed try", denied("eks:UpdateAddon"), false, 1, "update failed update-progress"},
		{"another update is open: nothing was tried", &fault.Fault{Kind: fault.Retry, Code: "ResourceInUseException"}, false, 0, ""},
		{"throttled: nothing was tried", throttled("eks:UpdateAddon"), false, 0, ""},
		{"no answer came: in doubt, and settled by what AWS says", &fault.Fault{Kind: fault.Retry, InDoubt: true}, true, 0, ""},
		{"halted in the last moment: nothing was tried", &fault.Fault{Kind: fault.Skip, Op: "halt"}, false, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := &life{t: t, in: outdated()}
			rec := l.check(guard.Outcome{Fault: c.fault})
			if (rec.Step != nil) != c.step || rec.Failed.Tries != c.tries || rec.Due.IsZero() {
				t.Errorf("step %+v, failed %+v, due %v", rec.Step, rec.Failed, rec.Due)
			}
			want := []string{"opened version-outdated"}
			if c.told != "" {
				want = []string{c.told, "opened version-outdated"}
			}
			l.heard(want...)
		})
	}
}

// Fact 2.1/token.
func TestACallWhoseAnswerNeverCameIsSettledByWhatAWSSays(t *testing.T) {
	for _, c := range []struct {
		name  string
		wait  time.Duration
		found *guard.Update
		said  []string
		ended bool
	}{
		{"the update is found: it is ours, and told", time.Minute, &guard.Update{ID: "u-9", Status: "InProgress"}, []string{"update started update-progress"}, false},
		{"not found yet: it may still show", time.Minute, nil, nil, false},
		{"not found after five minutes: it was never called", 6 * time.Minute, nil, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := &life{t: t, in: outdated()}
			l.check(guard.Outcome{Fault: &fault.Fault{Kind: fault.Retry, InDoubt: true}})
			l.said = nil
			l.after(c.wait)
			l.in.Seen.Update = guard.Read(c.found)
			rec := l.check()
			l.heard(c.said...)
			if (rec.Step == nil) != c.ended {
				t.Errorf("step: %+v", rec.Step)
			}
			if c.ended && rec.Due.After(l.in.Now.Add(5*time.Minute)) {
				t.Errorf("the next try waits until %v", rec.Due)
			}
			if c.found != nil && rec.Step.ID != c.found.ID {
				t.Errorf("id: %q", rec.Step.ID)
			}
		})
	}
}

func TestAnUpdateReadForAnotherStepSettlesNothing(t *testing.T) {
	l := &life{t: t, in: outdated()}
	l.in.Record.Step = step("u-2")
	l.in.Seen.Of = "another step's token"
	l.in.Seen.Update = guard.Read(&guard.Update{ID: "u-1", Status: "Failed"})
	if rec := l.check(); rec.Step == nil || rec.Failed.Tries != 0 {
		t.Errorf("record: %+v", rec)
	}
}

// Fact 2.4/hangs.
func TestAStuckUpdateIsTold(t *testing.T) {
	l := &life{t: t, in: outdated()}
	l.check(guard.Outcome{ID: "u-1"})
	l.said = nil
	l.in.Seen.Update = guard.Read(&guard.Update{ID: "u-1", Status: "InProgress"})
	l.in.Seen.Addon.Value.Status = "UPDATING"
	l.after(guard.StuckAfter)
	l.check()
	l.heard()
	l.after(time.Minute)
	l.check()
	l.heard("opened update-stuck")
}

// A check that read earlier than the one already folded in must not undo its findings; what it did still counts.
func TestAnOlderSnapshotSaysNothing(t *testing.T) {
	l := observed(t)
	l.check()
	l.said = nil
	old := l.in
	old.Seen.At = l.in.Record.Seen.Add(-time.Minute)
	old.Seen.Addon = guard.Read(addon("v1.9.0-eksbuild.1"))
	rec := guard.Conclude(old, guard.Decide(old), nil)
	if len(rec.Outbox) > 0 || rec.Verdict.Word != guard.Outdated || len(rec.Told) != 1 {
		t.Errorf("record: %+v", rec)
	}
}

func TestAClusterThatIsGoneTakesItsFindingsAlong(t *testing.T) {
	l := observed(t)
	l.check()
	l.in.Seen.Cluster = guard.Read[*guard.Cluster](nil)
	rec := l.check(guard.Outcome{Fault: throttled("cloudwatch:DeleteAlarms")})
	if rec.Gone || rec.Due.IsZero() {
		t.Errorf("its alarm is left behind: %+v", rec)
	}
	rec = l.check(guard.Outcome{})
	if !rec.Gone || len(rec.Meter.Subnets) > 0 {
		t.Errorf("record: %+v", rec)
	}
	l.heard("opened version-outdated", "closed version-outdated")
}

func TestPodSubnetsThatAreNotFoundAnyMoreAreNotMetered(t *testing.T) {
	l := &life{t: t, in: fine()}
	if rec := l.check(); len(rec.Meter.Subnets) != 2 {
		t.Fatalf("meter: %+v", rec.Meter)
	}
	l.in.Seen.Pods = guard.Hidden[capacity.Pods](throttled("ec2:DescribeSubnets"))
	if rec := l.check(); len(rec.Meter.Subnets) != 2 || rec.Meter.Level != guard.Unknown {
		t.Errorf("a reading that failed ended the metering, or is compared with: %+v", rec.Meter)
	}
	l.in.Seen.Pods = guard.Hidden[capacity.Pods](&fault.Fault{Kind: fault.Skip, Text: "none was found"})
	if rec := l.check(); len(rec.Meter.Subnets) != 0 {
		t.Errorf("meter: %+v", rec.Meter)
	}
}

func TestAnAddonThatIsNoLongerManagedIsNotCalledMended(t *testing.T) {
	l := observed(t)
	l.check()
	l.in.Seen.Addon = guard.Read[*guard.Addon](nil) // delete-addon --preserve: what runs is as old as before
	l.after(time.Hour)
	l.check()
	l.after(time.Hour)
	l.check()
	l.heard("opened version-outdated", "opened install-unknown")
}

func TestFaultsThatChangeFromCheckToCheckAreOneMatter(t *testing.T) {
	l := &life{t: t, in: fine()}
	for i := range 24 {
		l.in.Seen.Alarms.Fault, l.in.Seen.Catalogue.Fault = nil, nil
		if i%2 == 0 {
			l.in.Seen.Alarms.Fault = throttled("cloudwatch:DescribeAlarms")
		} else {
			l.in.Seen.Catalogue.Fault = throttled("eks:DescribeAddonVersions")
		}
		l.check()
		l.after(5 * time.Minute)
	}
	l.heard("opened unreadable")
}

func TestAFaultCostsFewerChecksTheLongerItLasts(t *testing.T) {
	l := &life{t: t, in: fine()}
	l.in.Seen.Alarms.Fault = denied("cloudwatch:DescribeAlarms")
	checks := 0
	for day := l.in.Now.Add(24 * time.Hour); l.in.Now.Before(day); checks++ {
		rec := l.check()
		if rec.Due.IsZero() {
			t.Fatal("it is not looked at again")
		}
		l.in.Now = rec.Due
	}
	if checks > 45 {
		t.Errorf("%d checks in a day", checks)
	}
}

func TestRemindersDoNotPileUpWhileNothingCanBePublished(t *testing.T) {
	l := &life{t: t, in: fine()}
	l.in.Seen.Pods.Value.Subnets[0].Free = 3
	for range 100 {
		l.in.Seen.At = l.in.Now
		l.in.Record = guard.Conclude(l.in, guard.Decide(l.in), nil)
		l.after(5 * time.Hour)
	}
	if got := l.in.Record.Outbox; len(got) != 1 || got[0].News != guard.Opened {
		t.Errorf("%d messages wait: %+v", len(got), got)
	}
}

func TestAStepThatEKSDoesNotKnowIsNotWaitedForForEver(t *testing.T) {
	l := &life{t: t, in: outdated()}
	l.check(guard.Outcome{ID: "u-1"})
	l.in.Seen.Update = guard.Read[*guard.Update](nil)
	l.after(10 * time.Minute)
	if rec := l.check(); rec.Step == nil {
		t.Error("given up after ten minutes")
	}
	l.after(guard.StuckAfter)
	if rec := l.check(); rec.Step != nil || rec.Failed.Tries != 0 {
		t.Errorf("record: %+v", rec)
	}
}

func TestAnAddonThatSomebodyMovedOnIsNoFailure(t *testing.T) {
	l := &life{t: t, in: outdated()}
	l.check(guard.Outcome{ID: "u-1"})
	l.said = nil
	l.in.Seen.Update = guard.Read(&guard.Update{ID: "u-1", Status: "Successful"})
	l.in.Seen.Addon = guard.Read(addon("v1.9.0-eksbuild.1"))
	l.after(time.Hour)
	if rec := l.check(); rec.Step != nil || rec.Failed.Tries != 0 || rec.Proved.Version != "" {
		t.Errorf("record: %+v", rec)
	}
	l.heard("update lost update-progress", "recovered version-outdated")
}

func TestWhatWasSetAsideEndsWhenItIsMendedByHand(t *testing.T) {
	l := &life{t: t, in: fine()}
	l.in.Record.Aside = &guard.Aside{Text: "2 tries failed", At: noon.Add(-48 * time.Hour)}
	l.in.Record.Failed = guard.Failed{To: "v1.9.0-eksbuild.1", Tries: 2, Last: noon.Add(-48 * time.Hour)}
	if rec := l.check(); rec.Aside != nil || rec.Failed.Tries != 0 {
		t.Errorf("record: %+v", rec)
	}
}

func TestAnUpdateWhoseRowEndedBeforeItIsHeldWithTheReason(t *testing.T) {
	in := outdated()
	in.Seen.At = noon
	p := guard.Decide(in)
	rec, _ := guard.Intend(in, p)
	in.Record = rec
	rec = guard.Conclude(in, p, []guard.Outcome{{Action: p.Actions[0], Fault: &fault.Fault{Kind: fault.Skip, Text: "the alarm could not be removed"}}})
	if rec.Step != nil || len(rec.Held) != 1 || rec.Held[0].By[0].Text == "" || rec.Verdict.Change.Word != guard.Waiting {
		t.Errorf("record: %+v", rec)
	}
}

func TestAllTriesOfAStepAreOneThread(t *testing.T) {
	l := &life{t: t, in: outdated()}
	threads := map[string]bool{}
	for range 2 {
		for _, u := range []*guard.Update{nil, {ID: "u", Status: "Failed"}} {
			l.in.Seen.At, l.in.Seen.Update = l.in.Now, guard.Read(u)
			p := guard.Decide(l.in)
			l.in.Record, _ = guard.Intend(l.in, p)
			var done []guard.Outcome
			for _, a := range p.Actions {
				done = append(done, guard.Outcome{Action: a, ID: "u"})
			}
			rec := guard.Conclude(l.in, p, done)
			for _, m := range rec.Outbox {
				if m.Finding.Code == guard.UpdateProgress {
					threads[m.Thread] = true
				}
			}
			rec.Outbox = nil
			l.in.Record = rec
			if l.in.Seen.Of = ""; rec.Step != nil {
				l.in.Seen.Of = rec.Step.Token
			}
			l.after(guard.RetryAfter + time.Minute)
		}
	}
	if len(threads) != 1 {
		t.Errorf("%d threads", len(threads))
	}
}

func TestAnAlarmThatCannotBePutIsToldAndRecovers(t *testing.T) {
	l := &life{t: t, in: fine()}
	l.in.Seen.Alarms.Value = nil
	for range 3 {
		l.check(guard.Outcome{Fault: denied("cloudwatch:PutMetricAlarm")})
		l.after(5 * time.Minute)
	}
	l.heard("opened alarm-failed")
	l.check(guard.Outcome{})
	l.heard("recovered alarm-failed")
}

func TestKeysAreNeverUsedTwiceAndThreadsHoldTogether(t *testing.T) {
	l := &life{t: t, in: fine()}
	l.in.Seen.Pods.Value.Subnets[0].Free = 3
	keys, threads := map[string]bool{}, map[string]bool{}
	for range 40 {
		l.after(5 * time.Hour)
		l.in.Seen.At = l.in.Now
		p := guard.Decide(l.in)
		rec := guard.Conclude(l.in, p, nil)
		for _, m := range rec.Outbox {
			if keys[m.Key] {
				t.Errorf("key %s is used twice", m.Key)
			}
			if !strings.HasPrefix(m.Key, m.Thread) {
				t.Errorf("key %s is not of thread %s", m.Key, m.Thread)
			}
			keys[m.Key], threads[m.Thread] = true, true
		}
		rec.Outbox = nil
		l.in.Record = rec
	}
	if len(threads) != 1 || len(keys) < 5 {
		t.Errorf("%d threads, %d keys", len(threads), len(keys))
	}
}

func TestConcludeDoesNotChangeWhatItWasGiven(t *testing.T) {
	l := observed(t)
	l.check()
	before, _ := json.Marshal(l.in.Record)
	l.in.Seen.Addon = guard.Read(addon("v1.9.0-eksbuild.1"))
	l.in.Seen.At = l.in.Now
	guard.Conclude(l.in, guard.Decide(l.in), nil)
	if after, _ := json.Marshal(l.in.Record); string(before) != string(after) {
		t.Errorf("the input's record changed:\n%s\n%s", before, after)
	}
}

func TestTheConfigurationIsNotStored(t *testing.T) {
	in := outdated()
	p := guard.Decide(in)
	rec, _ := guard.Intend(in, p)
	rec = guard.Conclude(guard.Input{ID: prod, Now: noon, Seen: in.Seen, Settings: in.Settings, Record: rec}, p, []guard.Outcome{{Action: p.Actions[0], ID: "u"}})
	data, err := json.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "WARM_IP_TARGET") {
		t.Errorf("the record holds configuration values: %s", data)
	}
}

func TestConsent(t *testing.T) {
	in := outdated()
	in.Settings.Value.Target = cni.ToLatest
	p := guard.Decide(in)
	for _, c := range []struct {
		name, to, by, because string
		steps                 []string
		wrong                 string
	}{
		{"the whole path", "", "ann", "tested in dev", []string{"v1.8.0-eksbuild.1", "v1.9.0-eksbuild.1"}, ""},
		{"up to a version", "v1.8.0-eksbuild.1", "ann", "tested in dev", []string{"v1.8.0-eksbuild.1"}, ""},
		{"to where the plan does not go", "v1.10.0", "ann", "tested in dev", nil, "approve: the plan does not go to v1.10.0; it goes from v1.7.5-eksbuild.2 to v1.8.0-eksbuild.1, then v1.9.0-eksbuild.1"},
		{"without a reason", "", "ann", " ", nil, "approve: who orders it and why are needed: others will read it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, err := guard.Consent(p, c.to, c.by, c.because, noon)
			if text := errorText(err); text != c.wrong {
				t.Errorf("error %q, want %q", text, c.wrong)
			}
			if diff := cmp.Diff(c.steps, o.Steps); diff != "" {
				t.Errorf("steps:\n%s", diff)
			}
		})
	}
	if _, err := guard.Consent(guard.Decide(fine()), "", "ann", "x", noon); err == nil {
		t.Error("a plan without an update was approved")
	}
	partly, _ := guard.Consent(p, "v1.8.0-eksbuild.1", "ann", "x", noon)
	in.Settings.Value.Mode = policy.Approve
	in.Orders = guard.Read([]guard.Order{partly})
	if p := guard.Decide(in); len(p.Actions) != 1 {
		t.Errorf("the approved step is held: %+v", p.Held)
	}
	in.Seen.Addon = guard.Read(addon("v1.8.0-eksbuild.1"))
	if p := guard.Decide(in); len(p.Actions) != 0 {
		t.Error("a step that was not approved starts")
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestWakeIsTheEndOfWhoIsBusyElseTheDueTime(t *testing.T) {
	rec := guard.Record{Due: noon}
	if !rec.Wake().Equal(noon) {
		t.Error(rec.Wake())
	}
	rec.Busy.Until = noon.Add(time.Hour)
	if !rec.Wake().Equal(noon.Add(time.Hour)) {
		t.Error(rec.Wake())
	}
}

func TestWhoWasToldThatAnUpdateStartedIsToldThatNobodyKnowsHowItEnded(t *testing.T) {
	for _, c := range []struct {
		name    string
		becomes func(in *guard.Input)
		outcome string
		next    string
	}{
		{"EKS does not know it any more", func(in *guard.Input) { in.Seen.Update = guard.Read[*guard.Update](nil) },
			"unknown: EKS does not know the update any more", "it plans anew from what EKS shows now"},
		{"somebody else moved the add-on on", func(in *guard.Input) {
			in.Seen.Update = guard.Read(&guard.Update{ID: "u-1", Status: "Successful"})
			in.Seen.Addon.Value.Version = cni.Parse("v1.9.0-eksbuild.1")
		}, "unknown: somebody moved the add-on on", "it plans anew from what EKS shows now"},
		{"the add-on is gone", func(in *guard.Input) { in.Seen.Addon = guard.Read[*guard.Addon](nil) },
			"unknown: the add-on is gone", "nothing, since what was updated is gone"},
		{"the cluster is gone", func(in *guard.Input) {
			in.Seen.Cluster, in.Seen.Addon = guard.Read[*guard.Cluster](nil), guard.Read[*guard.Addon](nil)
		},
			"unknown: the cluster is gone", "nothing, since what was updated is gone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := &life{t: t, in: outdated()}
			l.check(guard.Outcome{ID: "u-1"})
			l.after(45 * time.Minute)
			c.becomes(&l.in)
			before := len(l.outbox)
			rec := l.check()
			i := slices.IndexFunc(l.outbox[before:], func(m guard.Message) bool { return m.News == guard.Lost })
			if rec.Step != nil || rec.Failed.Tries > 0 || i < 0 {
				t.Fatalf("told at %d of %v; step %+v, failed %+v", i, l.said, rec.Step, rec.Failed)
			}
			facts := map[string]string{}
			for _, f := range l.outbox[before+i].Finding.Facts {
				facts[f.Name] = f.Value
			}
			if facts["outcome"] != c.outcome || facts["next"] != c.next || facts["update id"] != "u-1" {
				t.Errorf("%v", facts)
			}
			l.said = nil
			l.check()
			if slices.ContainsFunc(l.said, func(s string) bool { return strings.HasPrefix(s, "update lost") }) {
				t.Errorf("told again: %v", l.said)
			}
		})
	}
}
