package simulate_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/app"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/simulate"
	"github.com/cniguard/cniguard/internal/world"
)

func TestBothMountsHaveOneHistory(t *testing.T) {
	history := func(sdk bool) ([]string, []simulate.Line) {
		r, lines := start(t, spec(t, demo+"world.yaml"), demoRules(t), simulate.Options{Seed: 3, SDK: sdk})
		r.World.Record(true)
		r.For(day + 4*hour)
		return r.World.Lines(), *lines
	}
	direct, told := history(false)
	sdk, toldToo := history(true)
	if len(direct) < 1000 || len(told) < 20 {
		t.Errorf("a short history: %d entries, %d lines", len(direct), len(told))
	}
	if diff := cmp.Diff(direct, sdk); diff != "" {
		t.Errorf("(-direct +sdk):\n%.3000s", diff)
	}
	if diff := cmp.Diff(told, toldToo); diff != "" {
		t.Errorf("(-direct +sdk):\n%.3000s", diff)
	}
}

// What expired is had anew by the next call, in both mounts alike, so that no function fails until the hour of a session is over.
func TestARoleWhoseCredentialsExpireIsAssumedAgain(t *testing.T) {
	history := func(sdk bool, code string) (lines []string, assumed int) {
		s := demoWorld(t)
		s.Faults = []world.Fault{{Principal: "cniguard-observer", Code: code, Status: 403, From: hour, Times: 3}}
		r, _ := start(t, s, demoRules(t), simulate.Options{Seed: 1, SDK: sdk})
		r.World.Watch(func(e world.Entry) {
			lines = append(lines, e.String())
			if e.Call != nil && e.Call.Op == "AssumeRole" {
				assumed++
			}
		})
		r.For(2 * hour)
		return lines, assumed
	}
	_, usual := history(false, "AccessDeniedException")
	for _, code := range []string{"ExpiredToken", "ExpiredTokenException", "RequestExpired"} {
		direct, assumed := history(false, code)
		if assumed == usual {
			t.Errorf("%s: no role was assumed again", code)
		}
		sdk, _ := history(true, code)
		if diff := cmp.Diff(direct, sdk); diff != "" {
			t.Errorf("%s (-direct +sdk):\n%.3000s", code, diff)
		}
	}
}

func TestASeedIsOneJournalAndAnotherSeedAnother(t *testing.T) {
	journal := func(seed uint64) []simulate.Line {
		r, lines := start(t, spec(t, eventful+".yaml"), rules(t, string(read(t, eventful+"-policy.yaml"))), simulate.Options{Seed: seed})
		r.For(4 * hour)
		return *lines
	}
	first := journal(5)
	if diff := cmp.Diff(first, journal(5)); diff != "" {
		t.Errorf("(-first +second):\n%s", diff)
	}
	if cmp.Equal(first, journal(6)) {
		t.Error("seed 6 is as seed 5")
	}
}

func TestNobodyNeedsToListen(t *testing.T) {
	r, err := simulate.Start(spec(t, demo+"world.yaml"), demoRules(t), simulate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.For(2*hour) == 0 || len(records(t, r)) != 6 {
		t.Errorf("it has %d records", len(records(t, r)))
	}
	if diff := cmp.Diff(simulate.Summary{}, r.Summary()); diff != "" {
		t.Errorf("nobody counts (-want +got):\n%s", diff)
	}
}

func TestAlterChangesWhatBoots(t *testing.T) {
	altered := 0
	r, _ := start(t, demoWorld(t), demoRules(t), simulate.Options{Alter: func(*app.Parts) { altered++ }})
	if r.For(hour); altered < 2 {
		t.Errorf("%d functions booted", altered)
	}
}

func TestAWorldThatCannotBeIsNotStarted(t *testing.T) {
	s := demoWorld(t)
	s.Changes = []world.Change{{At: -time.Second, Account: "444455556666", Region: "eu-central-1", Name: "legacy", Do: world.DeleteAddon}}
	s.Events = []world.TimedEvent{{Source: "aws.health", Type: "AWS Health Event", Detail: "{}"}, {At: -day, Source: "aws.health", Type: "AWS Health Event", Detail: "{}"}}
	s.Orders = []world.Order{{At: -hour, Kind: world.Halt, By: "bo", Because: "why not"}, {At: hour, Kind: "stop"}}
	for _, err := range []error{s.Validate(), func() error { _, err := simulate.Start(s, demoRules(t), simulate.Options{}); return err }()} {
		var found world.Mistakes
		if !errors.As(err, &found) {
			t.Fatal(err)
		}
		want := "changes[0].at: -1s is before the start of the world; want 0s or later\nevents[1].at: -24h0m0s is before the start of the world; want 0s or later\n" +
			"orders[0].at: -1h0m0s is before the start of the world; want 0s or later\norders[1].kind: \"stop\" is not an order; want approve, deny, mute, unmute, ack, halt, teardown or resume"
		if diff := cmp.Diff(want, found.Error()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	s.Changes, s.Events, s.Orders = nil, nil, nil
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
}

func TestPlanSaysWhatWouldBeDoneAndDoesNothing(t *testing.T) {
	for _, c := range []struct {
		name, cluster string
		at            time.Duration
		do            []string
		gates         []string
	}{
		{"at the start the alarm comes first", "batch", 0, []string{"put alarm cniguard-batch-pod-subnets"}, []string{"alarm"}},
		{"then a person is waited for", "payments", 2 * hour, nil, []string{"approval"}},
		{"an observed cluster is left alone", "legacy", 2 * hour, nil, []string{"mode"}},
		{"of a healthy one nothing is wanted", "edge", 2 * hour, nil, nil},
		{"a step in flight is waited for", "batch", 6*time.Minute + 30*time.Second, nil, []string{"ready", "in flight"}},
		{"the next try waits for its time", "batch", 20 * time.Minute, nil, []string{"soak"}},
		{"and is made then", "batch", 29 * time.Minute, []string{"update vpc-cni from v1.17.1-eksbuild.1 to v1.18.5-eksbuild.1"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _ := start(t, demoWorld(t), demoRules(t), simulate.Options{Seed: 1})
			r.For(c.at)
			before := r.Now()
			r.World.Record(true)
			in, plan, err := r.Plan(demoCluster(c.cluster))
			if err != nil {
				t.Fatal(err)
			}
			var do, gates []string
			for _, a := range plan.Actions {
				do = append(do, a.String())
			}
			for _, h := range plan.Held {
				for _, by := range h.By {
					gates = append(gates, by.Gate)
				}
			}
			if diff := cmp.Diff([][]string{c.do, c.gates}, [][]string{do, gates}); diff != "" {
				t.Errorf("actions and gates (-want +got):\n%s", diff)
			}
			if in.ID.Name != c.cluster || in.Seen.At.Before(before) || in.Seen.At.Sub(before) > time.Minute || r.Now().Sub(before) > 10*time.Second {
				t.Errorf("planned for %s at %s, done at %s, asked at %s", in.ID, in.Seen.At, r.Now(), before)
			}
			for _, e := range r.World.History() {
				if e.Call != nil && strings.Contains(e.Call.Principal, "person/") && changing(e.Call.Op) {
					t.Errorf("it changes something: %s", e)
				}
			}
		})
	}
}

func changing(op string) bool {
	return op == "UpdateAddon" || op == "PutMetricAlarm" || op == "DeleteAlarms" || op == "Publish" || op == "Save"
}

func TestPlanSaysWhyThereIsNone(t *testing.T) {
	slow := demoWorld(t)
	slow.Faults = []world.Fault{{Service: "ledger", Latency: 10 * time.Minute}}
	for _, c := range []struct {
		name string
		spec world.Spec
		id   cluster.ID
		want string
	}{
		{"outside of the fleet", demoWorld(t), cluster.ID{Account: "999988887777", Region: "eu-central-1", Name: "x"},
			"plan for 999988887777/eu-central-1/x: account 999988887777 in eu-central-1 is not in the policy's fleet, so cniguard never looks there"},
		{"not there yet", demoWorld(t), demoCluster("web"),
			"plan for 444455556666/eu-central-1/web: it is not there yet: the world creates it 1d1h after the start"},
		{"not read in time", slow, demoCluster("batch"), "plan for 444455556666/eu-central-1/batch: it could not be read within 1m"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _ := start(t, c.spec, demoRules(t), simulate.Options{})
			if _, _, err := r.Plan(c.id); err == nil || err.Error() != c.want {
				t.Errorf("want %s\nhave %v", c.want, err)
			}
		})
	}
	r, _ := start(t, demoWorld(t), demoRules(t), simulate.Options{})
	if _, plan, err := r.Plan(demoCluster("nobody")); err != nil || plan.Verdict.Word != guard.Gone {
		t.Errorf("a cluster that nobody knows is gone: %v, %v", plan.Verdict, err)
	}
}

func TestWakeDeliversWhatARuleLetsThrough(t *testing.T) {
	r, _ := start(t, demoWorld(t), demoRules(t), simulate.Options{})
	const check = `{"id":"1","source":"cniguard","detail-type":"Check Requested","account":"111122223333","region":"eu-central-1","time":"2025-03-03T08:00:00Z",
		"detail":{"account":"444455556666","region":"eu-central-1","name":"batch"}}`
	if err := r.Wake([]byte(check)); err != nil {
		t.Fatal(err)
	}
	r.For(30 * time.Second) // before the first sweep
	if all := records(t, r); len(all) != 1 || all[0].Cluster != demoCluster("batch") {
		t.Errorf("it was not checked, or others were: %v", all)
	}
	for raw, want := range map[string]string{
		`{"source":"aws.ec2","detail-type":"EC2 Instance Terminate Successful"}`: "wake: no rule lets it through, so EventBridge would not deliver it",
		check + "}": "wake: it is not JSON, so EventBridge would not deliver it",
		"":          "wake: it is not JSON, so EventBridge would not deliver it",
	} {
		if err := r.Wake([]byte(raw)); err == nil || err.Error() != want {
			t.Errorf("%s\nwant %s\nhave %v", raw, want, err)
		}
	}
}
