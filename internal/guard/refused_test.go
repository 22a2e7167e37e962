package guard_test

import (
	"testing"
	"time"

	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

func TestWhatNoFurtherTryCuresIsSetAsideAtOnce(t *testing.T) {
	for code, aside := range map[string]bool{
		"ConfigurationConflict": true, "UnsupportedAddonModification": true, "AdmissionRequestDenied": true, "AddonSubscriptionNeeded": true,
		"InsufficientNumberOfReplicas": false, "ClusterUnreachable": false, "InternalFailure": false, "AccessDenied": false, "": false,
	} {
		l := &life{t: t, in: outdated()}
		l.check(guard.Outcome{ID: "u"})
		l.after(5 * time.Minute)
		l.in.Seen.Update = guard.Read(&guard.Update{ID: "u", Status: "Failed", Code: code, Errors: []string{code + ": x"}})
		if rec := l.check(); (rec.Aside != nil) != aside || rec.Failed.Tries != 1 {
			t.Errorf("an update that failed with %q: aside %+v, failed %+v", code, rec.Aside, rec.Failed)
		}
	}
	for code, aside := range map[string]bool{"InvalidParameterException": true, "InvalidRequestException": false, "AccessDeniedException": false} {
		l := &life{t: t, in: outdated()}
		rec := l.check(guard.Outcome{Fault: &fault.Fault{Kind: fault.Terminal, Op: "eks:UpdateAddon", Code: code}})
		if (rec.Aside != nil) != aside || rec.Failed.Tries != 1 {
			t.Errorf("a call that was refused with %q: aside %+v, failed %+v", code, rec.Aside, rec.Failed)
		}
	}
}

// An update that EKS does not take, for a reason that may pass, is no failed try: it is tried less and less often, and told.
func TestAnUpdateThatIsNotTakenIsToldAndTriedLessAndLessOften(t *testing.T) {
	l := &life{t: t, in: outdated()}
	refuse := func() guard.Record { return l.check(guard.Outcome{Fault: throttled("eks:UpdateAddon")}) }
	rec := refuse()
	l.heard("opened version-outdated")
	tries, began := 1, l.in.Now
	for l.in.Now.Sub(began) < 12*time.Hour {
		wait := rec.Due.Sub(l.in.Now)
		if wait < 5*time.Minute || wait > time.Hour {
			t.Fatalf("after %s the next try comes in %s", l.in.Now.Sub(began), wait)
		}
		l.after(wait)
		rec = refuse()
		tries++
	}
	l.heard("opened update-blocked")
	if tries > 30 || rec.Failed.Tries > 0 || rec.Step != nil || rec.Aside != nil {
		t.Errorf("%d tries: %+v", tries, rec)
	}
	l.after(time.Hour)
	l.check(guard.Outcome{ID: "u-1"})
	l.heard("update started update-progress", "recovered update-blocked")
}

func TestAnUpdateThatEKSBreaksOnIsNoLoop(t *testing.T) {
	l := &life{t: t, in: outdated()}
	tries, began := 0, l.in.Now
	for l.in.Now.Sub(began) < 12*time.Hour {
		var done []guard.Outcome
		if len(guard.Decide(l.in).Actions) > 0 {
			tries++
			done = append(done, guard.Outcome{Fault: &fault.Fault{Kind: fault.Retry, Op: "eks:UpdateAddon", Code: "ServerException", InDoubt: true}})
		}
		l.in.Seen.Update = guard.Reading[*guard.Update]{}
		rec := l.check(done...)
		l.in.Seen.Of = ""
		l.after(max(rec.Due.Sub(l.in.Now), time.Minute))
	}
	l.heard("opened version-outdated", "opened update-blocked")
	if tries < 8 || tries > 25 {
		t.Errorf("%d tries in 12 hours", tries)
	}
}

func TestASomebodyElsesChangeThatDoesNotEndIsTold(t *testing.T) {
	for _, status := range []string{"UPDATING", "CREATING", "DELETING"} {
		l := observed(t)
		l.in.Seen.Addon.Value.Status = status
		l.check()
		l.heard("opened version-outdated")
		l.after(guard.StuckAfter - time.Minute)
		l.check()
		l.heard()
		l.after(time.Minute)
		rec := l.check()
		l.heard("opened update-stuck")
		if wait := rec.Due.Sub(l.in.Now); wait < 5*time.Minute || wait > time.Hour {
			t.Errorf("%s: looked at again in %s", status, wait)
		}
		l.after(24 * time.Hour)
		if rec = l.check(); rec.Due.Sub(l.in.Now) != time.Hour {
			t.Errorf("%s: a day later looked at again in %s", status, rec.Due.Sub(l.in.Now))
		}
		l.in.Seen.Addon.Value.Status = "ACTIVE"
		l.said = nil
		l.check()
		l.heard("recovered update-stuck")
	}
}

// What somebody else does to the add-on may end without an event. Until it has, the tick looks again.
func TestSomebodyElsesChangeIsFollowedToItsEnd(t *testing.T) {
	for _, status := range []string{"UPDATING", "CREATING", "DELETING"} {
		l := &life{t: t, in: fine()}
		l.in.Seen.Addon.Value.Status = status
		for began := l.in.Now; l.in.Now.Sub(began) < guard.StuckAfter; {
			wait := l.check().Due.Sub(l.in.Now)
			if wait <= 0 || wait > 10*time.Minute {
				t.Fatalf("%s after %s is looked at again in %s", status, l.in.Now.Sub(began), wait)
			}
			l.after(wait)
		}
		l.in.Seen.Addon.Value.Status = "ACTIVE"
		if rec := l.check(); !rec.Due.IsZero() {
			t.Errorf("%s has ended, and is looked at again at %s", status, rec.Due)
		}
	}
}

func TestAnUpdateThatHangsIsAskedForLessAndLessOften(t *testing.T) {
	l := &life{t: t, in: outdated()}
	l.check(guard.Outcome{ID: "u-1"})
	l.in.Seen.Addon.Value.Status = "UPDATING"
	for _, c := range []struct{ age, next time.Duration }{
		{10 * time.Minute, time.Minute}, {guard.StuckAfter, time.Minute}, {2 * time.Hour, 30 * time.Minute}, {24 * time.Hour, time.Hour},
	} {
		l.in.Now = l.in.Record.Step.Since.Add(c.age)
		l.in.Seen.Update = guard.Read(&guard.Update{ID: "u-1", Status: "InProgress"})
		if got := l.check().Due.Sub(l.in.Now); got != c.next {
			t.Errorf("after %s it is asked again in %s; want %s", c.age, got, c.next)
		}
	}
}

// A second try replaces what the first left behind: that it is not healthy was said, and is said no second time for its being UPDATING.
func TestIssuesOfAnAddonThatIsBeingReplacedAreNoNews(t *testing.T) {
	l := &life{t: t, in: fine()}
	for _, c := range []struct {
		status string
		issues []string
		heard  []string
	}{
		{"UPDATING", []string{"InsufficientNumberOfReplicas: 2 of 6"}, nil},
		{"UPDATE_FAILED", []string{"InsufficientNumberOfReplicas: 2 of 6"}, []string{"opened addon-unhealthy"}},
		{"UPDATING", []string{"InsufficientNumberOfReplicas: 2 of 6"}, nil},
		{"UPDATE_FAILED", []string{"InsufficientNumberOfReplicas: 2 of 6"}, nil},
		{"UPDATING", nil, nil},
		{"ACTIVE", nil, []string{"recovered addon-unhealthy"}},
	} {
		l.in.Seen.Addon.Value.Status, l.in.Seen.Addon.Value.Issues = c.status, c.issues
		if rec := l.check(); len(c.issues) > 0 && rec.Verdict.Word != guard.WarningWord {
			t.Errorf("%s with %q is %s", c.status, c.issues, rec.Verdict.Word)
		}
		l.heard(c.heard...)
		l.after(5 * time.Minute)
	}
}

func TestAnUnhealthyAddonIsNeverFine(t *testing.T) {
	in := fine()
	in.Seen.Addon.Value.Status = "DEGRADED"
	if v := guard.Decide(in).Verdict; v.Word != guard.WarningWord || v.Version.Word != guard.Fine {
		t.Errorf("%+v", v)
	}
}

// While a cluster is deleted nothing is judged; the meter must not ask for a check every five minutes because of that.
func TestTheMeterComparesWithWhatWasMeasuredWhereNothingIsJudged(t *testing.T) {
	l := &life{t: t, in: fine()}
	l.in.Seen.Cluster.Value.Status = "DELETING"
	if rec := l.check(); rec.Verdict.Capacity.Word != guard.Unknown || rec.Meter.Level != guard.Fine || len(rec.Meter.Subnets) == 0 {
		t.Errorf("%+v, %+v", rec.Verdict.Capacity, rec.Meter)
	}
	rec := l.in.Record
	l.after(48 * time.Hour)
	if again := l.check(); again.Due.Sub(l.in.Now) != time.Hour || rec.Due.IsZero() {
		t.Errorf("after two days it is looked at again in %s", again.Due.Sub(l.in.Now))
	}
}
