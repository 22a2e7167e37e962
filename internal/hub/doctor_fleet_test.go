package hub_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/hub"
	"github.com/cniguard/cniguard/internal/ledger"
)

// elsewhere is a record in an account that is not in the policy's fleet.
func elsewhere(name string, rec guard.Record) check.Kept {
	k := kept(name, rec)
	k.Cluster.Account = "777788889999"
	return k
}

// left are records of which the first three are in no fleet any more, and due for ever.
func left() []check.Kept {
	rec := standing(guard.Fine, noon.Add(-48*time.Hour))
	rec.Due, rec.Outbox = noon.Add(-47*time.Hour), []guard.Message{{At: rec.Seen, Tries: 3}}
	shut, gone := rec, rec
	shut.Verdict.Word, gone.Gone = guard.Unknown, true
	return []check.Kept{
		elsewhere("a", rec), elsewhere("b", rec), elsewhere("", shut), elsewhere("went", gone), kept("c", standing(guard.Fine, noon.Add(-time.Hour))),
	}
}

func TestWhatLeftTheFleetIsNamedAndIsNoProblem(t *testing.T) {
	d := doctorOf(account{}, &bell{Memory: ledger.NewMemory()}, left()...)
	all := d.Examine(t.Context())
	for what, want := range map[string]string{
		"former members": "ok: no longer in the policy's fleet: 3, as 777788889999/eu-central-1, 777788889999/eu-central-1/a, 777788889999/eu-central-1/b",
		"ledger":         "ok: clusters that are known: 1",
		"schedules":      "ok: nothing is overdue; the newest look was at 2026-03-02 11:00",
		"messages":       "ok: none waits to be published for long",
	} {
		if got := says(t, what, all); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	if slices.ContainsFunc(all, func(d hub.Diagnosis) bool { return strings.Contains(d.What, "777788889999") }) {
		t.Errorf("%+v", all)
	}
}

func TestWithoutAPolicyAProblemMayBeOfWhatLeftTheFleet(t *testing.T) {
	d := doctorOf(account{}, &bell{Memory: ledger.NewMemory()}, left()...)
	d.Fleet = nil
	all := d.Examine(t.Context())
	for what, want := range map[string]string{
		"schedules": "problem: clusters due for more than 15 minutes, which the tick should look at: 4; or they left the policy's fleet, as --policy would tell",
		"messages": "problem: could not be published: 4, of 777788889999/eu-central-1 (1 since 2026-02-28 12:00), 777788889999/eu-central-1/a (1 since 2026-02-28 12:00), " +
			"777788889999/eu-central-1/b (1 since 2026-02-28 12:00), 777788889999/eu-central-1/went (1 since 2026-02-28 12:00); or they left the policy's fleet, as --policy would tell",
		"member 777788889999 in eu-central-1": "problem: it is fine; or it left the policy's fleet, as --policy would tell",
	} {
		if got := says(t, what, all); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	if slices.ContainsFunc(all, func(d hub.Diagnosis) bool { return d.What == "former members" }) {
		t.Errorf("%+v", all)
	}
}

func TestTheStatusNamesWhatLeftTheFleetAndSaysNoMoreOfIt(t *testing.T) {
	d := doctorOf(account{}, &bell{Memory: ledger.NewMemory()}, left()...)
	for _, c := range []struct {
		name                   string
		units                  []event.Unit
		left                   []string
		clusters, shut, unsent int
	}{
		{"with the policy", d.Fleet, []string{"777788889999/eu-central-1", "777788889999/eu-central-1/a", "777788889999/eu-central-1/b"}, 1, 0, 0},
		{"without one", nil, nil, 3, 1, 4},
	} {
		s, err := d.Status(t.Context(), c.units)
		if diff := cmp.Diff(c.left, s.Left); diff != "" || err != nil || len(s.Clusters) != c.clusters || len(s.Shut) != c.shut || s.Unsent != c.unsent {
			t.Errorf("%s: %+v, %v; left (-want +got):\n%s", c.name, s, err, diff)
		}
	}
}

func TestATrailOfAnotherAccountDoesNotHideTheHubsOwn(t *testing.T) {
	const hubs, others = "arn:aws:cloudtrail:eu-central-1:111122223333:trail/", "arn:aws:cloudtrail:us-east-1:999900001111:trail/"
	foreign := trail{arn: others + "org", whole: true, code: "TrailNotFoundException"}
	const unread = "unknown: organisation trail org is seen; whether it records management events cannot be read from here"
	for _, c := range []struct {
		name   string
		trails []trail
		want   string
	}{
		{"the organisation's alone", []trail{foreign}, unread},
		{"the organisation's, and a good one", []trail{foreign, {arn: hubs + "own"}}, "ok: trail own records management events"},
		{"the organisation's, and one that is off", []trail{{arn: hubs + "own", off: true}, foreign}, unread},
		{"the hub's account has the organisation's", []trail{{arn: hubs + "org", whole: true}}, "ok: trail org of the organisation records management events"},
		{"one that cannot be read, and a good one", []trail{{arn: hubs + "torn", code: "CloudTrailARNInvalidException"}, {arn: hubs + "own"}}, "ok: trail own records management events"},
		{"one that cannot be read", []trail{{arn: hubs + "torn", code: "AccessDeniedException"}}, "unknown: cloudtrail:GetTrailStatus: AccessDeniedException: it is refused"},
		{"one that is off", []trail{{arn: hubs + "own", off: true}}, "problem: no trail of account 111122223333 records management events there"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := examined(t, "trail in eu-central-1", account{trails: c.trails}); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestTheDoctorCountsTheClustersThatItCannotLookInto(t *testing.T) {
	shut := func(name, code string) check.Kept {
		rec := standing(guard.Unknown, noon.Add(-time.Hour))
		rec.Hidden = code
		return kept(name, rec)
	}
	open := standing(guard.Outdated, noon.Add(-time.Hour))
	open.Verdict.Install.Word = guard.SelfManaged
	gone := shut("gone", guard.NoEntry)
	gone.Record.Gone = true
	for _, c := range []struct {
		kept []check.Kept
		want string
	}{
		{[]check.Kept{kept("a", open), gone}, "ok: all that were met can be read: 1"},
		{[]check.Kept{kept("a", open), shut("b", guard.PrivateEndpoint), shut("c", guard.NoEntry), shut("d", guard.NoEntry)},
			"unknown: read: 1; not read, NoAccessEntry: 2, as 111122223333/eu-central-1/c; PrivateEndpoint: 1, as 111122223333/eu-central-1/b"},
	} {
		d := doctorOf(account{}, &bell{Memory: ledger.NewMemory()}, c.kept...)
		if got := says(t, "self-managed installs", d.Examine(t.Context())); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}
