package e2e_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/world"
)

// shortDeadline is two seconds of work and the two that the function keeps for saving: too short for a second try.
const shortDeadline = 4 * time.Second

// silent is an AWS that takes requests and never answers, until it is told to.
type silent struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string // the bodies
	woken http.Handler
}

func newSilent(t *testing.T) *silent {
	s := &silent{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.asked = append(s.asked, string(body))
		woken := s.woken
		s.mu.Unlock()
		if woken != nil {
			r.Body = io.NopCloser(bytes.NewReader(body))
			woken.ServeHTTP(w, r)
			return
		}
		<-r.Context().Done() // the caller gave up
	}))
	t.Cleanup(s.Close)
	return s
}

func TestWhileAWSDoesNotAnswerTheFunctionKeepsItsDeadline(t *testing.T) {
	t.Parallel()
	s, hung := set(t, nil), newSilent(t)
	f := s.function(event.Urgent, observing, map[string]string{
		"AWS_ENDPOINT_URL": hung.URL, "CNIGUARD_LEDGER": "memory", // one in AWS would be out of reach too
	})

	f.await()
	a := f.invokeUntil(sample(t, "update-addon.json"), time.Now().Add(shortDeadline))
	if a.word != "response" && a.failure().Message == "" {
		t.Errorf("%s %q, want a response or an error", a.word, a.body)
	}
	hung.mu.Lock()
	asked := slices.Clone(hung.asked)
	hung.woken = s.aws
	hung.mu.Unlock()
	hung.CloseClientConnections() // the SDK still waits for the role: a second invocation would wait with it
	if len(asked) != 1 || !strings.Contains(asked[0], "Action=AssumeRole") {
		t.Errorf("AWS was asked %q; want that each thing was tried once, because a second try is after the deadline", asked)
	}

	f.succeeds(sample(t, "update-addon.json"))
	if subjects := s.subjects(machine); len(subjects) != 1 || !strings.Contains(subjects[0], "older than the floor") {
		t.Errorf("told %q when AWS answers again, want that the cluster is outdated", subjects)
	}
}

func TestWhileAWSCannotBeReachedAClusterIsUnknownAndNothingIsSaidToBeFine(t *testing.T) {
	t.Parallel()
	s := set(t, nil)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	f := s.function(event.Urgent, observing, map[string]string{
		"AWS_ENDPOINT_URL": "http://" + closed.Addr().String(), "CNIGUARD_LEDGER": "memory",
	})
	f.await()
	f.invokeUntil(sample(t, "update-addon.json"), time.Now().Add(shortDeadline))
	if counts := f.counts(); counts["Checks"] != 1 || counts["Unknown"] != 1 {
		t.Errorf("counts %v, want one check that left something unknown", counts)
	}
}

func TestWhatAWSRefusesForAMomentIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := set(t, func(spec *world.Spec) {
		spec.Faults = []world.Fault{
			{Service: "sts", Code: "Throttling", Times: 1},
			{Operation: "DescribeCluster", Code: "ThrottlingException", Times: 1},
			{Operation: "DescribeAddon", Code: "ConnectionReset", Times: 1},
			{Operation: "DescribeAlarms", Code: "Throttling", Times: 1},
			{Operation: "DescribeSubnets", Code: "RequestLimitExceeded", Times: 1},
			{Operation: "Publish", Code: "InternalError", Times: 1},
		}
	})
	f := s.function(event.Urgent, observing, nil)
	f.succeeds(sample(t, "update-addon.json"))
	if subjects := s.subjects(machine); len(subjects) != 1 || !strings.Contains(subjects[0], "older than the floor") {
		t.Errorf("told %q, want that the cluster is outdated", subjects)
	}
	if counts := f.counts(); counts["Unknown"] != 0 || counts["TellFailed"] != 0 || counts["AlarmsPut"] != 1 {
		t.Errorf("counts %v, want nothing unknown", counts)
	}
	for _, op := range []string{"sts:AssumeRole", "eks:DescribeCluster", "eks:DescribeAddon", "cloudwatch:DescribeAlarms", "ec2:DescribeSubnets", "sns:Publish"} {
		if n := s.count(op); n != 2 {
			t.Errorf("%s was called %d times, want twice", op, n)
		}
	}
}

func TestWhatCannotBeReadIsUnknownAndTheRestIsDone(t *testing.T) {
	t.Parallel()
	s := set(t, func(spec *world.Spec) {
		spec.Faults = []world.Fault{{Operation: "DescribeAddon", Code: "AccessDeniedException"}}
	})
	f := s.function(event.Urgent, observing, nil)
	f.succeeds(sample(t, "update-addon.json"))
	if diff := cmp.Diff(map[string]float64{"Checks": 1, "Unknown": 1, "AlarmsPut": 1}, f.counts()); diff != "" {
		t.Errorf("counts (-want +have):\n%s", diff)
	}
	if subjects := s.subjects(machine); len(subjects) > 0 {
		t.Errorf("told %q; a permission may be on its way", subjects)
	}
	if n := s.count("eks:DescribeAddon"); n != 1 {
		t.Errorf("what is denied was asked for %d times", n)
	}
}
