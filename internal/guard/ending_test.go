package guard_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
)

// failing is a life whose update to v1.8.0 has ended, the add-on being left so.
func failing(t *testing.T, u guard.Update, version, status string, change func(*guard.Input)) *life {
	t.Helper()
	l := &life{t: t, in: outdated()}
	l.check(guard.Outcome{ID: "u"})
	l.after(5 * time.Minute)
	u.ID = "u"
	if u.Status == "" {
		u.Status, u.Code, u.Errors = "Failed", "InsufficientNumberOfReplicas", []string{"InsufficientNumberOfReplicas: x"}
	}
	l.in.Seen.Update = guard.Read(&u)
	l.in.Seen.Addon = guard.Read(addon(version))
	l.in.Seen.Addon.Value.Status = status
	if change != nil {
		change(&l.in)
	}
	return l
}

// failedFacts are the facts of the news that an update failed.
func failedFacts(t *testing.T, l *life) []guard.Fact {
	t.Helper()
	i := slices.IndexFunc(l.outbox, func(m guard.Message) bool { return m.News == guard.NotDone })
	if i < 0 {
		t.Fatalf("nobody is told that it failed: %+v", l.outbox)
	}
	return l.outbox[i].Finding.Facts
}

func valueOf(facts []guard.Fact, name string) string {
	var all []string
	for _, f := range facts {
		if f.Name == name {
			all = append(all, f.Value)
		}
	}
	return strings.Join(all, "; ")
}

func TestAfterAFailureTheWayBackIsOfferedOrItIsSaidWhyNot(t *testing.T) {
	full := func(in *guard.Input) {
		in.Seen.Pods = guard.Read(capacity.Pods{Subnets: []capacity.Subnet{subnet("subnet-a", 0)}})
	}
	for _, c := range []struct {
		name            string
		version, status string
		change          func(*guard.Input)
		back, not       string
	}{
		{"the add-on is UPDATE_FAILED", v17, "UPDATE_FAILED", nil, v17, ""},
		{"it is UPDATE_FAILED at the new version", "v1.8.0-eksbuild.1", "UPDATE_FAILED", nil, v17, ""},
		{"it is DEGRADED", "v1.8.0-eksbuild.1", "DEGRADED", nil, v17, ""},
		{"EKS went back by itself", v17, "ACTIVE", nil, "", ""},
		{"the version before is not listed any more", v17, "UPDATE_FAILED", func(in *guard.Input) {
			in.Seen.Catalogue.Value = in.Seen.Catalogue.Value[1:]
		}, "", "EKS does not list v1.7.5-eksbuild.2 as compatible with Kubernetes 1.21"},
		{"the list could not be read", v17, "UPDATE_FAILED", func(in *guard.Input) {
			in.Seen.Catalogue = guard.Hidden[[]cni.Release](throttled("eks:DescribeAddonVersions"))
		}, "", "the list of compatible versions could not be read: eks:DescribeAddonVersions: ThrottlingException"},
		{"a restart would crash for want of addresses", v17, "UPDATE_FAILED", full, "", "pod subnet subnet-a has only 0 free addresses; restarting aws-node there may fail"},
		{"the subnets could not be read", v17, "UPDATE_FAILED", func(in *guard.Input) {
			in.Seen.Pods = guard.Hidden[capacity.Pods](throttled("ec2:DescribeSubnets"))
		}, "", "the pod subnets could not be read: ec2:DescribeSubnets: ThrottlingException"},
		{"the add-on could not be read, and so not what to keep", v17, "UPDATE_FAILED", func(in *guard.Input) {
			in.Seen.Addon = guard.Hidden[*guard.Addon](throttled("eks:DescribeAddon"))
		}, "", "the cluster or the add-on could not be read, so that it is not known what to keep"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := failing(t, guard.Update{}, c.version, c.status, c.change)
			l.check()
			facts := failedFacts(t, l)
			got := []string{valueOf(facts, "way back"), valueOf(facts, "no way back")}
			if diff := cmp.Diff([]string{c.back, c.not}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if below := valueOf(facts, "but"); (below == "v1.7.5-eksbuild.2 is below the floor v1.8.0") != (c.back != "") {
				t.Errorf("that it is below the floor: %q", below)
			}
		})
	}
	l := &life{t: t, in: outdated()}
	rec := l.check(guard.Outcome{Fault: &fault.Fault{Kind: fault.Terminal, Op: "eks:UpdateAddon", Code: "AccessDeniedException", Need: "iam:PassRole"}})
	if facts := failedFacts(t, l); valueOf(facts, "way back")+valueOf(facts, "no way back") != "" || valueOf(facts, "need") != "iam:PassRole" || rec.Broken.To != "" {
		t.Errorf("of an update that EKS did not take: %+v", facts)
	}
}

func TestAConflictNamesItsFields(t *testing.T) {
	u := guard.Update{Status: "Failed", Code: "ConfigurationConflict", Errors: []string{"ConfigurationConflict: x"}}
	for range 11 {
		u.Fields = append(u.Fields, "DaemonSet.apps aws-node - .spec.template")
	}
	l := failing(t, u, v17, "UPDATE_FAILED", nil)
	l.check()
	facts := failedFacts(t, l)
	if n := strings.Count(valueOf(facts, "field"), "aws-node"); n != 8 || valueOf(facts, "fields") != "3 more" {
		t.Errorf("%d fields, and %q", n, valueOf(facts, "fields"))
	}
}

func TestAnUpdateThatEKSRefusesForItsLengthIsSetAside(t *testing.T) {
	l := &life{t: t, in: outdated()}
	rec := l.check(guard.Outcome{Fault: &fault.Fault{Kind: fault.Terminal, Op: "eks:UpdateAddon", Code: "InvalidParameterException", Cause: fault.OneMinor}})
	if rec.Aside == nil || valueOf(failedFacts(t, l), "code") != fault.OneMinor {
		t.Errorf("aside %+v, facts %+v", rec.Aside, failedFacts(t, l))
	}
}

// A rollback by hand after a failed step is not undone, in any mode; a new approval may go on.
// Fact 3/down.
func TestWhatAPersonPutBackAfterAFailureStaysThere(t *testing.T) {
	for _, c := range []struct {
		name            string
		version, status string // as the failed step left it
		now             string // the status at v1.7.5, a day later
		tried           bool   // it is tried again all the same
	}{
		{"from UPDATE_FAILED, at the same version", v17, "UPDATE_FAILED", "ACTIVE", false},
		{"from UPDATE_FAILED at the new version", "v1.8.0-eksbuild.1", "UPDATE_FAILED", "ACTIVE", false},
		{"and it failed on its way back", "v1.8.0-eksbuild.1", "UPDATE_FAILED", "UPDATE_FAILED", false},
		{"from DEGRADED at the new version", "v1.8.0-eksbuild.1", "DEGRADED", "ACTIVE", false},
		{"somebody was quick: it was changed already when the failure was seen", v17, "UPDATING", "ACTIVE", false},
		{"nobody put it back: the second try mends it", v17, "UPDATE_FAILED", "UPDATE_FAILED", true},
		{"EKS put it back at once: it is tried again", v17, "ACTIVE", "ACTIVE", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := failing(t, guard.Update{}, c.version, c.status, nil)
			l.check()
			l.in.Seen.Update = guard.Reading[*guard.Update]{}
			for range 3 { // at the new version nothing is wanted, and tries are forgotten
				l.after(time.Minute)
				l.check()
			}
			l.after(24 * time.Hour)
			l.in.Seen.Addon = guard.Read(addon(v17))
			l.in.Seen.Addon.Value.Status = c.now
			p := guard.Decide(l.in)
			if why := reasonOf(p, "moved back"); starts(p) != c.tried || (why == "") != c.tried {
				t.Fatalf("starts: %t, held %+v", starts(p), p.Held)
			} else if !c.tried && why != "the update to v1.8.0-eksbuild.1 failed on 2026-03-02 12:05, and the add-on was put back to v1.7.5-eksbuild.2 since; a new approval opens this" {
				t.Errorf("the gate says %q", why)
			}
			if c.tried || c.now != "ACTIVE" {
				return
			}
			o, err := guard.Consent(p, "", "ann", "mended", l.in.Now)
			if err != nil {
				t.Fatal(err)
			}
			l.in.Orders.Value = []guard.Order{o}
			again := guard.Decide(l.in)
			if !starts(again) {
				t.Errorf("a new approval does not open it: %+v", again.Held)
			}
			if tokenOf(again) == tokenOf(guard.Decide(outdated())) {
				t.Error("it has the client request token of the try that failed")
			}
		})
	}
}

func tokenOf(p guard.Plan) string {
	for _, a := range p.Actions {
		if a.Kind == guard.StartUpdate {
			return a.Step.Token
		}
	}
	return ""
}

func TestAProvedStepEndsTheMemoryOfAFailure(t *testing.T) {
	l := failing(t, guard.Update{}, v17, "UPDATE_FAILED", nil)
	if rec := l.check(); rec.Broken.Left != v17 || rec.Broken.To != "v1.8.0-eksbuild.1" {
		t.Fatalf("%+v", rec.Broken)
	}
	l.after(20 * time.Minute)
	l.in.Seen.Update, l.in.Seen.Of = guard.Reading[*guard.Update]{}, ""
	l.check(guard.Outcome{ID: "u2"})
	l.after(5 * time.Minute)
	l.in.Seen.Update = guard.Read(&guard.Update{ID: "u2", Status: "Successful"})
	l.in.Seen.Addon = guard.Read(addon("v1.8.0-eksbuild.1"))
	if rec := l.check(); rec.Broken != (guard.Broken{}) {
		t.Errorf("%+v", rec.Broken)
	}
}

// At the version of the failed step there is nothing to try again, and nothing further is begun on top of it.
func TestAFailureAtTheNewVersionIsNotTriedAgain(t *testing.T) {
	for _, status := range []string{"DEGRADED", "UPDATE_FAILED"} {
		l := failing(t, guard.Update{Status: "Successful"}, "v1.8.0-eksbuild.1", status, nil)
		rec := l.check()
		facts := failedFacts(t, l)
		if valueOf(facts, "code") != status || rec.Aside == nil || !strings.HasPrefix(valueOf(facts, "next"), "set aside, since the add-on is at that version already") {
			t.Errorf("%s: aside %+v, facts %+v", status, rec.Aside, facts)
		}
	}
}

func TestAStuckStepIsToldWithWhatAWSSupportAsksFor(t *testing.T) {
	l := &life{t: t, in: outdated()}
	l.check(guard.Outcome{ID: "u"})
	l.after(guard.StuckAfter + time.Minute)
	l.in.Seen.Update = guard.Read(&guard.Update{ID: "u", Status: "InProgress"})
	l.in.Seen.Addon.Value.Status, l.in.Seen.Addon.Value.Issues = "UPDATING", []string{"ClusterUnreachable: x"}
	rec := l.check()
	i := slices.IndexFunc(l.outbox, func(m guard.Message) bool { return m.Finding.Code == guard.UpdateStuck })
	if i < 0 {
		t.Fatalf("%+v", l.outbox)
	}
	want := []guard.Fact{
		{Name: "step", Value: "v1.7.5-eksbuild.2 to v1.8.0-eksbuild.1"}, {Name: "update id", Value: "u"}, {Name: "started", Value: "2026-03-02T12:00:00Z"},
		{Name: "request token", Value: rec.Step.Token}, {Name: "update status", Value: "InProgress"}, {Name: "status", Value: "UPDATING"},
		{Name: "issue", Value: "ClusterUnreachable: x"},
	}
	if diff := cmp.Diff(want, l.outbox[i].Finding.Facts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if f, is := rec.Stuck(l.in.Now); !is || !cmp.Equal(f.Facts, want[:4]) {
		t.Errorf("of the record alone: %t, %+v", is, f)
	}
	if _, is := rec.Stuck(rec.Step.Since.Add(guard.StuckAfter)); is {
		t.Error("it is stuck in time")
	}
}
