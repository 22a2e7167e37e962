package e2e_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/world"
)

// updating is a policy that updates prod-eu.
const updating = `
version: 1
fleet:
  - account: "111122223333"
    regions: [eu-central-1]
defaults:
  floor: v1.19.0
  mode: auto
  owner: cniguard
`

// The whole way, with both functions and the events between them: the bulk function sweeps, puts the alarm and measures; the
// alarm turns OK, its event wakes the urgent function, and that updates.
func TestTheAddonIsUpdatedWhenItsAlarmTurnsOKAndKeepsWhatItHad(t *testing.T) {
	t.Parallel()
	s := set(t, nil)
	urgent, bulk := s.function(event.Urgent, updating, nil), s.function(event.Bulk, updating, nil)
	both := map[event.Target]*function{event.Urgent: urgent, event.Bulk: bulk}

	s.watch(bulk)
	s.deliver(both)
	checkUpdate(t, s)

	s.pass(5 * time.Minute) // the update takes 3
	urgent.succeeds(sample(t, "own-check.json"))
	s.deliver(both)
	want := world.Addon{Version: "v1.19.0-eksbuild.1", Status: "ACTIVE", Role: podRole, Configuration: configuration, PodIdentities: []string{podIdentity}}
	if diff := cmp.Diff(want, s.addon()); diff != "" {
		t.Errorf("the add-on (-want +have):\n%s", diff)
	}
	update := []string{
		"UPDATE STARTED: prod-eu: the update of vpc-cni to v1.19.0-eksbuild.1 has started",
		"UPDATED: prod-eu: vpc-cni is updated to v1.19.0-eksbuild.1",
	}
	if diff := cmp.Diff(update, s.subjects(oncall)); diff != "" {
		t.Errorf("subjects for people (-want +have):\n%s", diff)
	}
	all := slices.Concat([]string{subject}, // by bulk, and once: both functions have one ledger
		update, []string{"OK: RECOVERED: prod-eu: vpc-cni is no longer older than the floor"})
	if diff := cmp.Diff(all, s.subjects(machine)); diff != "" {
		t.Errorf("subjects for programs (-want +have):\n%s", diff)
	}
	if n := s.count("eks:UpdateAddon"); n != 1 {
		t.Errorf("the add-on was updated %d times", n)
	}
	checkSilence(t, s, urgent, bulk)
}

// watch has the bulk function sweep and measure until the cluster's alarm is OK, while the urgent function gets no event.
func (s *stage) watch(bulk *function) {
	s.Helper()
	s.sweep(bulk)
	if state := s.alarm(); state != "INSUFFICIENT_DATA" {
		s.Fatalf("the alarm's state after a sweep is %q, want a new alarm's", state)
	}
	for range 3 {
		bulk.succeeds(s.scheduled(event.Meter))
		s.deliver(map[event.Target]*function{event.Bulk: bulk})
		s.pass(5 * time.Minute)
	}
	if state := s.alarm(); state != "OK" {
		s.Fatalf("the alarm's state after three meters is %q", state)
	}
}

func (s *stage) sweep(bulk *function) {
	s.Helper()
	bulk.succeeds(s.scheduled(event.Sweep))
	s.deliver(map[event.Target]*function{event.Bulk: bulk})
}

// scheduled is the event of a schedule at the virtual instant.
func (s *stage) scheduled(k event.Kind) (raw []byte) {
	s.aws.With(func(w *world.World) { raw = event.Scheduled(k, hub, region, w.Now()) })
	return raw
}

// checkUpdate holds the request that updated the add-on against what must be in it, byte for byte as the SDK sent it.
func checkUpdate(t *testing.T, s *stage) {
	t.Helper()
	updates := s.seen(func(r request) bool { return strings.HasSuffix(r.path, "/update") })
	if len(updates) != 1 {
		t.Fatalf("%d requests to update the add-on, want one; told %q", len(updates), s.subjects(machine))
	}
	u := updates[0]
	if u.method != "POST" || u.path != "/clusters/prod-eu/addons/vpc-cni/update" {
		t.Errorf("the request is %s %s", u.method, u.path)
	}
	var body map[string]any
	if err := json.Unmarshal(u.body, &body); err != nil {
		t.Fatal(err)
	}
	if token, _ := body["clientRequestToken"].(string); token == "" {
		t.Error("the request has no clientRequestToken: a second one would start a second update")
	}
	delete(body, "clientRequestToken")
	want := map[string]any{ // and no podIdentityAssociations: an empty list deletes those that there are
		"addonVersion": "v1.19.0-eksbuild.1", "serviceAccountRoleArn": podRole, "configurationValues": configuration, "resolveConflicts": "PRESERVE",
	}
	if diff := cmp.Diff(want, body); diff != "" {
		t.Errorf("the request (-want +have):\n%s", diff)
	}

	// Only this is done as the updater.
	var by []string
	s.aws.With(func(w *world.World) {
		for _, e := range w.History() {
			if e.Call != nil && strings.HasSuffix(e.Call.Principal, "/cniguard-updater") {
				by = append(by, e.Call.Principal+" "+e.Call.Action())
			}
		}
	})
	if diff := cmp.Diff([]string{"arn:aws:iam::111122223333:role/cniguard-updater eks:UpdateAddon"}, by); diff != "" {
		t.Errorf("calls of the updater (-want +have):\n%s", diff)
	}
	checkRoles(t, s)
}

// checkRoles holds the requests for roles against what CloudTrail and trust policies look at.
func checkRoles(t *testing.T, s *stage) {
	t.Helper()
	var roles []string
	for _, r := range s.seen(func(r request) bool { return r.form().Get("Action") == "AssumeRole" }) {
		form := r.form()
		_, role, _ := strings.Cut(form.Get("RoleArn"), "role/")
		roles = append(roles, form.Get("RoleSessionName")+" as "+role)
		if form.Get("ExternalId") != secret+"-external" || form.Get("DurationSeconds") != "3600" {
			t.Errorf("a role is assumed with %q", form)
		}
		if got := r.header.Get("User-Agent"); !strings.Contains(got, "app/cniguard") {
			t.Errorf("a role is assumed as %q, want app/cniguard there for CloudTrail", got)
		}
		if got := r.header.Get("X-Amz-Security-Token"); got != secret+"-session" {
			t.Errorf("a role is assumed with the session token %q", got)
		}
	}
	slices.Sort(roles)
	want := []string{"cniguard-bulk as cniguard-observer", "cniguard-urgent as cniguard-observer", "cniguard-urgent as cniguard-updater"}
	if diff := cmp.Diff(want, roles); diff != "" {
		t.Errorf("roles assumed (-want +have):\n%s", diff)
	}
}

// checkSilence looks for configuration values and credentials in all that the functions said.
func checkSilence(t *testing.T, s *stage, functions ...*function) {
	t.Helper()
	var said []string
	for _, f := range functions {
		f.lines()
		said = append(said, f.log())
	}
	for _, m := range s.told() {
		said = append(said, *m.Message)
	}
	if !has(said, "prod-eu") {
		t.Error("nothing was said of prod-eu: this check finds nothing")
	}
	for _, never := range []string{secret, "HTTP_PROXY", "aws-node:", "ASIA"} {
		if has(said, never) {
			t.Errorf("the log or a message has %q", never)
		}
	}
}

// has reports whether any of the texts contains a part.
func has(texts []string, part string) bool {
	return slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, part) })
}

func TestTheBulkFunctionAsksTheUrgentOneForAnUpdate(t *testing.T) {
	t.Parallel()
	s := set(t, nil)
	bulk := s.function(event.Bulk, updating, nil)
	s.watch(bulk)
	s.mu.Lock()
	s.woken[event.Urgent] = nil // the alarm's event is lost
	s.mu.Unlock()
	s.sweep(bulk)

	s.mu.Lock()
	asked := slices.Clone(s.woken[event.Urgent])
	s.mu.Unlock()
	if len(asked) != 1 || !strings.Contains(string(asked[0]), `"Check Requested"`) || !strings.Contains(string(asked[0]), `"prod-eu"`) {
		t.Fatalf("the urgent function is asked %q, want once to check prod-eu", asked)
	}
	if n := s.count("eks:UpdateAddon"); n != 0 {
		t.Errorf("the bulk function updated the add-on")
	}
	s.pass(time.Minute) // CloudTrail answers two look-ups a second
	urgent := s.function(event.Urgent, updating, nil)
	s.deliver(map[event.Target]*function{event.Urgent: urgent})
	checkUpdate(t, s)
}
